"""The linkage model in force: the home's own where it has fitted one, else the one that comes with the program.

A model is fitted on the night's register as the left table (its rows held against each other are the anchor) and the rows of
the other extracts as the right one. It explains, and says what a night's links weigh; what the night accepts stands in the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from verify.archive import Archive
from verify.batches import known_rows, read_batches
from verify.faces import name_tables_of
from verify.identity.name_keys import name_keys
from verify.layout import Block
from verify.link_scores import FEWEST, SHIPPED, with_names
from verify.linkage.linker import Linked, link
from verify.linkage.model import Model, load_model, save_model
from verify.linkage.people import WRITTEN, normalised, plan_of_people
from verify.manifest import TABLES
from verify.match_explain import in_bits, level_word
from verify.match_rows import Found
from verify.nights import newest_night
from verify.problems import IntegrityError, Problem, UsageError
from verify.rule_extracts import Extract, Person
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.speech import Speech

OWN = "match-model.json"
MOST_RIGHT = 200_000


@dataclass(frozen=True, slots=True)
class InForce:
    """The model in force and whether it is the home's own; `linked` where it has just been fitted."""

    model: Model
    own: bool
    linked: Linked | None = None


def model_in_force(home: Home, book: Rulebook) -> InForce:
    """The home's model, else the shipped one.

    Raises IntegrityError (E-MATCH-MODEL) for one that is not what was written; one of an older plan is passed over.
    """
    digest = plan_of_people(name_tables_of(book)).digest
    path = home.folder / OWN
    for place, own in ((path, True), (SHIPPED, False)):
        if not place.exists():
            continue
        try:
            model = load_model(place)
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(Problem("E-MATCH-MODEL", place.name, {"why": str(error) if type(error) is ValueError else type(error).__name__})) from None
        if model.plan == digest:
            return InForce(model, own)
    raise IntegrityError(Problem("E-MATCH-MODEL", SHIPPED.name, {"why": "another plan"}))


def fit_model(home: Home, book: Rulebook) -> InForce:
    """Fit a model on the newest night's known rows and keep it in the home.

    Raises UsageError (E-NO-NIGHT, E-MATCH-REGISTER where no register is known).
    """
    found = Found(home, newest_night(home), book)
    registers = [code for code, extract in sorted(book.extracts.items()) if extract.plays.register_]
    left = _rows_of(found, registers)
    if left.is_empty():
        raise UsageError(Problem("E-MATCH-REGISTER", found.night.manifest.night))
    others = [code for code, extract in sorted(book.extracts.items()) if code not in registers and not extract.plays.roster and not extract.plays.application]
    right = _rows_of(found, others)
    if right.height > MOST_RIGHT:  # chosen by what they say, so that the order of rows changes nothing
        right = right.with_columns(_=right.hash_rows(seed=5)).sort("_").head(MOST_RIGHT).drop("_")
    tables = name_tables_of(book)
    linked = link(normalised(left, tables), normalised(right, tables), plan_of_people(tables, strict=True))
    model = with_names(linked.model, name_keys(left["name"], tables))
    save_model(model, home.folder / OWN)
    return InForce(model, own=True, linked=linked)


def _rows_of(found: Found, codes: list[str]) -> pl.DataFrame:
    """What the known rows of some extracts say of people, each face once."""
    known = read_batches(found.night.folder / TABLES / "batches.parquet")
    archive = Archive(found.home.archive)
    parts = [_empty()]
    for code in codes:
        extract, batches = found.book.extracts[code], known.get(code, ())
        if any(batch.in_use for batch in batches):
            rows = known_rows(batches, archive, extract)
            parts += [_said(rows, extract, person) for person in extract.people]
    return pl.concat(parts).unique().sort(pl.all())


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(WRITTEN, pl.String))


def _said(rows: pl.DataFrame, extract: Extract, person: Person) -> pl.DataFrame:
    """The columns of one side under the linker's names."""

    def column(name: str | None) -> pl.Expr:
        return pl.col(name).cast(pl.String) if name else pl.lit(None, dtype=pl.String)

    ident = column(person.id).str.head(18) if person.id_part == "first_18" else column(person.id)
    sex = pl.lit(person.sex_is, dtype=pl.String)
    if person.sex:
        code = pl.col(person.sex.column)
        sex = pl.when(code.is_in(person.sex.male)).then(pl.lit("male")).when(code.is_in(person.sex.female)).then(pl.lit("female"))
    said = {"name": column(person.name), "id": ident, "birth": column(person.birth), "sex": sex, "phone": column(None), "address": column(None)}
    return rows.select(**said, former=column(person.former_name))


# --- in words ---------------------------------------------------------------------------------------------------------


def model_blocks(found: InForce, voice: Speech) -> list[Block]:
    """The model as tables: its stories with their shares, then of every field what each level weighs against each story."""
    model = found.model
    whose = voice.word("match_model_own" if found.own else "match_model_shipped")
    lines = [voice.word("match_model_is", digest=model.digest[:12], version=model.version, whose=whose)]
    lines.append(voice.word("match_model_fitted", **{key: f"{value:,}" for key, value in model.fitted_on.items() if key != "rounds"}))
    if model.names:
        least, most = min(model.names.values()), max(model.names.values())
        told = {"few": FEWEST, "count": f"{len(model.names):,}", "least": in_bits(least), "most": in_bits(most), "rare": in_bits(model.rare)}
        lines.append(voice.word("match_model_names", **told))
    if found.linked:
        lines.append(voice.word("match_model_false", count=f"{found.linked.expected_false / 1_000:.1f}", of=f"{found.linked.links.height:,}"))
    stories = tuple((str(at), _story(name, voice), f"{2 ** (model.shares[1 + at] / 1_000_000):.1%}") for at, name in enumerate(model.stories))
    blocks = [Block(voice.word("match_model_title"), tuple(lines), tuple(voice.word(key) for key in ("match_number", "match_story", "match_share")), stories)]
    for field in model.order:
        rows = tuple(
            (level_word(field, level, voice), *(in_bits(model.evidence(field, at, story)) for story in range(len(model.stories))))
            for at, level in enumerate(model.fields[field])
            if at
        )
        head = (voice.word("match_level"), *(str(at) for at in range(len(model.stories))))
        blocks.append(Block(voice.named("match", f"field_{field}"), (), head, rows, frozenset(range(1, len(head)))))
    return blocks


def _story(name: str, voice: Speech) -> str:
    alike = [voice.named("match", f"field_{part}") for part in name.split("_") if part in {"id", "name", "birth", "sex", "phone", "address"}]
    return voice.word("match_story_alike", fields="、".join(alike)) if alike else voice.word("match_story_stranger")


def model_json(found: InForce) -> dict[str, Any]:
    """The model for programs: everything that is kept of it, in millionths of a bit."""
    model = found.model
    return {
        "digest": model.digest,
        "version": model.version,
        "own": found.own,
        "stories": list(model.stories),
        "fitted_on": dict(model.fitted_on),
        "names": {"listed": len(model.names), "rare": model.rare},
        "shares": list(model.shares),
        "fields": {name: {"levels": list(model.fields[name]), "classes": [list(line) for line in model.levels[name]]} for name in model.order},
        "expected_false": found.linked.expected_false if found.linked else None,
    }
