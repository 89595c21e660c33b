"""Which rows can touch the people of some cases: a cut of known rows that leaves those cases' answers as they are.

Whatever the match compares is looked up here more widely: equal names, IDs that share a block of characters, equal
births of rows without a usable ID, shared documents. In doubt a row is kept; a row too many changes nothing. All of it is
asked of the faces that lie in the archive; rows are read only where one of their faces is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.citizen_id import as_fifteen, birth_of, id_key, id_state
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
    """The rows (extract, file, row) that can touch the people of the cases asked for, of all extracts but the register and the deaths.

    Those two stay whole: the one is the crowd, the other may speak of anybody of a household. Of the roster and the
    applications the cases asked for are kept, and those whose people could own one of the kept rows.
    """
    faces, said = _with_blocks(lines.faces, asked.as_of), lines.said
    own = said.join(lines.standing, on=PLACE, how="inner")
    ours = _faces_of(own.filter(pl.col("case_id").is_in(asked.cases)), faces)
    registers = [name for name, extract in extracts.items() if extract.plays.register_]
    crowd = said.filter(pl.col("extract").is_in(registers))
    known = asked.persons.filter(pl.col("case_id").is_in(asked.cases))
    near = faces.filter(_shares_id(ours) | _shares_birth(ours)).select("face")
    homes = crowd.join(near, on="face", how="semi")["household"].append(known["household"]).drop_nulls().unique()
    family = pl.concat([ours, _faces_of(crowd.filter(pl.col("household").is_in(homes.implode())), faces)])
    touched = said.join(faces.filter(_shares_name(family) | _shares_id(family) | _shares_birth(family)).select("face"), on="face", how="semi")
    documents = touched["document"].drop_nulls().unique()
    touched = pl.concat([touched, said.filter(pl.col("document").is_in(documents.implode()))])
    theirs = _faces_of(touched, faces)
    owners = faces.filter(_shares_name(family) | _shares_id(theirs) | _shares_birth(theirs)).select("face")
    cases = asked.cases | frozenset(own.join(owners, on="face", how="semi")["case_id"]) | _known_owners(asked, theirs)
    return _kept(lines, touched, extracts, asked=asked, cases=cases)


def _known_owners(asked: Asked, theirs: pl.DataFrame) -> frozenset[str]:
    """The cases that by what the night found out of their people could own a touched row."""
    key = id_key(pl.col("ids"))
    each = asked.persons.select("case_id", "birth", "ids").explode("ids")
    each = _with_blocks(each.with_columns(id_key=key, id_state=id_state(key, date.max), id_birth=birth_of(key)), asked.as_of)
    return frozenset(each.filter(_shares_id(theirs) | _shares_birth(theirs))["case_id"])


def _kept(lines: Lines, touched: pl.DataFrame, extracts: Mapping[str, Extract], *, asked: Asked, cases: frozenset[str]) -> pl.DataFrame:
    """The places of the rows that stay, each once."""
    listing = [name for name, extract in extracts.items() if extract.plays.roster or extract.plays.application]
    elsewhere = ~pl.col("extract").is_in(listing)
    linked = asked.links.filter(case_id=asked.case).select(PLACE)
    places = [touched.select(PLACE).filter(elsewhere), linked.filter(elsewhere), lines.standing.filter(pl.col("case_id").is_in(cases)).select(PLACE)]
    return pl.concat(places).unique()


def is_whole(extract: Extract) -> bool:
    """Whether all rows of an extract stay: the register's, and those that speak of deaths."""
    return bool(extract.plays.register_ or extract.plays.death)


# --- what touches what ------------------------------------------------------------------------------------------------


def _faces_of(said: pl.DataFrame, faces: pl.DataFrame) -> pl.DataFrame:
    return faces.join(said.select("face").unique(), on="face", how="semi")


def _with_blocks(faces: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The same with the blocks of each ID, its birth, and whether it is unsure: not worth anything on that day."""
    key, born = pl.col("id_key"), pl.col("id_birth")
    blocks = {"tail": key.str.tail(8), "ends": key.str.head(8) + key.str.tail(4), "month": key.str.head(12) + key.str.tail(2), "head": key.str.head(15)}
    unsure = pl.col("id_state").fill_null("none").is_in(["none", "invalid"]) | (born > as_of).fill_null(value=False)
    return faces.with_columns(**blocks, old=pl.coalesce(as_fifteen(key), key), born=birth_of(key), unsure=unsure)


def _shares_name(of: pl.DataFrame) -> pl.Expr:
    return _any_of(("name_key", "former_key"), [of["name_key"], of["former_key"]])


def _shares_id(of: pl.DataFrame) -> pl.Expr:
    parts = [_any_of((block,), [of[block]]) for block in _BLOCKS]
    return pl.any_horizontal(parts)


def _shares_birth(of: pl.DataFrame) -> pl.Expr:
    """Rows without a usable ID and people of the same birth date: either may bear the other's row."""
    births = [of["birth"], of["born"]]
    return _any_of(("birth", "born"), births) & (pl.col("unsure") | _any_of(("birth", "born"), [one.filter(of["unsure"]) for one in births]))


def _any_of(columns: Iterable[str], values: list[pl.Series]) -> pl.Expr:
    known = pl.concat([one.rename("v") for one in values]).drop_nulls().unique().implode()
    return pl.any_horizontal([pl.col(column).is_in(known).fill_null(value=False) for column in columns])
