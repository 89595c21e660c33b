"""Which rows can touch the people of some cases: a cut of known rows that leaves those cases' answers as they are.

Whatever the match compares is looked up here more widely: equal names, IDs that share a block of characters, equal
births of rows without a usable ID, shared documents. In doubt a row is kept; a row too many changes nothing. All of it is
asked of the faces that lie in the archive; rows are read only where one of their faces is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.citizen_id import VALID_18, as_fifteen, birth_of
from verify.rule_files import Extract

# As in `candidates`: two IDs one slip apart share one of these; equal ones all, and so do 15 and 18 digits of one person the last.
_BLOCKS = ("tail", "ends", "month", "head", "old")
PLACE = ("extract", "file", "row")


@dataclass(frozen=True, slots=True)
class Asked:
    """The case asked for, the cases that list somebody of it, the date of the night, and what the night found.

    `persons` are the night's people (case_id, ids, birth, household), `links` its links (case_id, extract, file, row).
    """

    case: str
    cases: frozenset[str]
    as_of: date
    persons: pl.DataFrame
    links: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Lines:
    """What all known rows say of people (`said`: extract, file, row, face, household, document), the faces (numbered through)
    and of which case each row of the roster and the applications is (`standing`: extract, file, row, case_id)."""

    said: pl.DataFrame
    faces: pl.DataFrame
    standing: pl.DataFrame


def cut(lines: Lines, extracts: Mapping[str, Extract], asked: Asked) -> pl.DataFrame:
    """The rows (extract, file, row) that can touch the people of the cases asked for.

    Of the register, which is the crowd, and of the deaths those stay that could be of anybody whom a kept row speaks of,
    with the whole of a household that could be the family's. Of the roster and the applications the cases asked for are
    kept, and those whose people could own one of the kept rows.
    """
    people, said = People(lines.faces, asked.as_of), lines.said
    own = said.filter(pl.col("extract").is_in(_playing(extracts, "roster", "application"))).join(lines.standing, on=PLACE, how="inner")
    ours = people.of(own.filter(pl.col("case_id").is_in(asked.cases)))
    crowd = said.filter(pl.col("extract").is_in(_playing(extracts, "register_")))
    known = asked.persons.filter(pl.col("case_id").is_in(asked.cases))
    near = people.faces.filter(people.like(ours))
    homes = _in(crowd.join(near, on="face", how="semi")["household"].append(known["household"]))
    family = pl.concat([ours, people.of(crowd.filter(pl.col("household").is_in(homes)))])
    touched = _lines(said, people.faces.filter(_shares_name(family) | people.like(family)))
    touched = pl.concat([touched, said.filter(pl.col("document").is_in(_in(touched["document"])))])
    theirs = people.of(touched)
    owners = people.faces.filter(_shares_name(family) | people.like(theirs))
    cases = asked.cases | frozenset(_lines(own, owners)["case_id"]) | _known_owners(asked, theirs)
    about = pl.concat([family, people.of(_same_rows(said, touched))]).unique("face")
    others = people.faces.filter(_shares_name(about) | people.like(about))
    dead = said.filter(pl.col("extract").is_in(_playing(extracts, "death")))
    some = crowd.unique("extract", keep="first", maintain_order=True)  # only by its rows is it known that there is a register
    kept = [touched, _lines(crowd, others), crowd.filter(pl.col("household").is_in(homes)), some, _lines(dead, others)]
    return _kept(lines, pl.concat(kept), extracts, asked=asked, cases=cases)


def _known_owners(asked: Asked, theirs: pl.DataFrame) -> frozenset[str]:
    """The cases that by what the night found out of their people could own a touched row; `ids` are valid ones."""
    each = asked.persons.select("case_id", "birth", "ids").explode("ids").rename({"ids": "id_key"})
    state = pl.when(pl.col("id_key").is_not_null()).then(pl.lit(VALID_18))
    known = People(each.with_columns(id_state=state, id_birth=birth_of(pl.col("id_key"))), asked.as_of)
    return frozenset(known.faces.filter(known.like(theirs))["case_id"])


def _kept(lines: Lines, touched: pl.DataFrame, extracts: Mapping[str, Extract], *, asked: Asked, cases: frozenset[str]) -> pl.DataFrame:
    """The places of the rows that stay, each once."""
    elsewhere = ~pl.col("extract").is_in(_playing(extracts, "roster", "application"))
    linked = asked.links.filter(case_id=asked.case).select(PLACE)
    places = [touched.select(PLACE).filter(elsewhere), linked.filter(elsewhere), lines.standing.filter(pl.col("case_id").is_in(cases)).select(PLACE)]
    return pl.concat(places).unique()


# --- what touches what ------------------------------------------------------------------------------------------------


class People:
    """Faces, and whether they are `unsure`: their ID is not worth anything on that day. What IDs say is worked out once for each."""

    def __init__(self, faces: pl.DataFrame, as_of: date) -> None:
        unsure = pl.col("id_state").fill_null("none").is_in(["none", "invalid"]) | (pl.col("id_birth") > as_of).fill_null(value=False)
        self.faces, self._ids = faces.with_columns(unsure=unsure), _with_blocks(faces["id_key"])

    def of(self, said: pl.DataFrame) -> pl.DataFrame:
        """The faces that lines name."""
        return self.faces.join(said.select("face").unique(), on="face", how="semi")

    def like(self, others: pl.DataFrame) -> pl.Expr:
        """Whether a face could by ID or birth be one of others: a block of the ID in common, or the birth date where either is unsure."""
        theirs, doubted = _with_blocks(others["id_key"]), others.filter("unsure")
        births, unsure = (_in(pl.concat([some["birth"], _with_blocks(some["id_key"])["born"].rename("birth")])) for some in (others, doubted))
        near = pl.any_horizontal([pl.col(block).is_in(_in(theirs[block])) for block in _BLOCKS]) | pl.col("born").is_in(unsure)
        same_birth = pl.col("birth").is_in(births) | pl.col("id_key").is_in(self._known(pl.col("born").is_in(births)))
        found = pl.col("id_key").is_in(self._known(near)) | pl.col("birth").is_in(unsure)
        return found.fill_null(value=False) | (pl.col("unsure") & same_birth.fill_null(value=False))

    def _known(self, which: pl.Expr) -> pl.Series:
        return _in(self._ids.filter(which)["id_key"])


def _with_blocks(ids: pl.Series) -> pl.DataFrame:
    """Each ID once (id_key) with its blocks and the birth inside it (born)."""
    key = pl.col("id_key")
    blocks = {"tail": key.str.tail(8), "ends": key.str.head(8) + key.str.tail(4), "month": key.str.head(12) + key.str.tail(2), "head": key.str.head(15)}
    return ids.drop_nulls().unique().to_frame().with_columns(**blocks, old=pl.coalesce(as_fifteen(key), key), born=birth_of(key))


def _lines(said: pl.DataFrame, faces: pl.DataFrame) -> pl.DataFrame:
    return said.join(faces, on="face", how="semi")


def _same_rows(said: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """All lines of the rows of some lines."""
    return said.filter(pl.col("row").is_in(_in(touched["row"]))).join(touched, on=PLACE, how="semi")


def _playing(extracts: Mapping[str, Extract], *parts: str) -> list[str]:
    return [name for name, extract in extracts.items() if any(getattr(extract.plays, part) for part in parts)]


def _in(values: pl.Series) -> pl.Series:
    return values.drop_nulls().unique().implode()


def _shares_name(of: pl.DataFrame) -> pl.Expr:
    known = _in(pl.concat([of["name_key"], of["former_key"].rename("name_key")]))
    return pl.any_horizontal([pl.col(column).is_in(known).fill_null(value=False) for column in ("name_key", "former_key")])
