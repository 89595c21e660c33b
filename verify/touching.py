"""Which rows can touch the people of some cases: a cut of known rows that leaves those cases' answers as they are.

Whatever the match compares is looked up here more widely (`likeness`): in doubt a line is kept; a line too many changes nothing.
All of it is asked of the faces that lie in the archive. Rows themselves are wanted only where the stages behind the match read
them: what the night has linked to the case, for links that differ are told apart anyway, and whoever could be dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.citizen_id import birth_of, digits_of
from verify.identity.name_keys import NameTables
from verify.likeness import People, Sought
from verify.lines import LINE, PLACE, Lines

_OWN, _DEAD, _CROWD = ("roster", "application"), ("death",), ("register_",)


@dataclass(frozen=True, slots=True)
class Asked:
    """The case asked for, the cases that list somebody of it, the date of the night, and what the night found.

    `persons` are the night's people (case_id, ids, birth, household), `links` its links of the case (extract, file, row); of `keyed`
    extracts an officer's decision knows a row without an ID by its key.
    """

    case: str
    cases: frozenset[str]
    as_of: date
    persons: pl.DataFrame
    links: pl.DataFrame
    keyed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kept:
    """The lines that stay (`LINE`), each once, with their faces; and the places of the rows that are wanted, each once."""

    lines: pl.DataFrame
    faces: pl.DataFrame
    rows: pl.DataFrame


def cut(lines: Lines, standing: pl.DataFrame, asked: Asked, names: NameTables) -> Kept:
    """What can touch the people of the cases asked for; `standing` says of which case each row of the roster and the applications is (`PLACE`, case_id).

    Of the register, which is the crowd, and of the deaths those stay that could be of anybody whom a kept row speaks of or
    who could own one, with their households. Of the roster and the applications the cases asked for are kept, and those
    whose people could own one of the kept rows.
    """
    people, crowd, entries = People(lines.faces), lines.playing(*_CROWD), lines.playing(*_OWN)
    ours = lines.named_by(_entered(entries, standing, asked.cases))
    mine = Sought(pl.concat([ours, people.like(Sought(ours), names)]))  # whoever our people may be
    known = asked.persons.filter(pl.col("case_id").is_in(asked.cases))["household"]
    family = pl.concat([ours, lines.named_by(_homes(crowd, mine.faces, known))])
    touched = lines.of(pl.concat([people.named(mine), people.like(mine, names), people.same_id(Sought(family))]))
    touched = pl.concat([touched, lines.saying("document", touched["document"])])
    theirs, owning = Sought(lines.named_by(touched)), People(entries.faces)
    owned = entries.of(pl.concat([owning.named(mine), owning.like(theirs)]))
    cases = asked.cases | _cases_of(owned, standing) | _known_owners(asked, theirs)
    told = pl.concat([family, lines.named_by(lines.with_other_sides(touched))])
    entered = _entered(entries, standing, cases)
    telling = People(lines.playing(*_CROWD, *_DEAD).faces)
    others = pl.concat([telling.like(Sought(pl.concat([told, lines.named_by(entered)]))), telling.named(Sought(told))])
    linked = lines.of_rows(asked.links)
    left = pl.concat([touched, _homes(crowd, others, known), crowd.firsts(), lines.playing(*_DEAD).of(others), linked])
    elsewhere = ~pl.col("extract").is_in([part.spoken.extract for part in entries.parts])
    left = pl.concat([lines.with_other_sides(left.filter(elsewhere)), entered]).unique().sort(LINE)
    faces = lines.named_by(left)
    read = _read(lines, linked, asked, telling), _read_besides(lines, left, faces, asked)
    rows = [standing.filter(pl.col("case_id").is_in(cases)), *read]
    return Kept(left, faces, pl.concat(some.select(PLACE) for some in rows).unique())


def _read(lines: Lines, linked: pl.DataFrame, asked: Asked, telling: People) -> pl.DataFrame:
    """The lines of rows that are read for what the night has linked to the case: these, the households of it, and whoever of all them could be dead."""
    crowd = lines.playing(*_CROWD)
    known = asked.persons.filter(case_id=asked.case)["household"].append(linked["household"])
    near = pl.concat([linked, crowd.saying("household", known)])
    people = Sought(lines.named_by(near))
    gone = lines.playing(*_DEAD).of(pl.concat([telling.same_id(people), telling.named_and_born(people)]))
    return pl.concat([near, gone, crowd.firsts()])


def _read_besides(lines: Lines, left: pl.DataFrame, faces: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The lines that are left of rows that are read whatever they are linked to: of the dead, and those an officer's decision may know by their key."""
    ended = [part.spoken.extract for part in lines.playing(*_DEAD).parts if not part.plays(*_CROWD)]
    nameless = faces.filter(pl.col("digits").is_null(), pl.col("doubt").is_null())["face"]
    return left.filter(pl.col("extract").is_in(ended) | (pl.col("extract").is_in(asked.keyed) & pl.col("face").is_in(nameless.implode())))


def _known_owners(asked: Asked, theirs: Sought) -> frozenset[str]:
    """The cases that by what the night found out of their people could own a touched row; `ids` are valid ones."""
    key = pl.col("ids")
    said = {"digits": digits_of(key), "doubt": pl.lit(None, pl.String), "born": birth_of(key), "old": key.str.len_bytes() == 15}
    known = People(asked.persons.select("case_id", "birth", "ids").explode("ids").with_columns(**said))
    return frozenset(known.like(theirs)["case_id"])


def _entered(entries: Lines, standing: pl.DataFrame, cases: frozenset[str]) -> pl.DataFrame:
    """The lines of the roster and the applications that list some cases."""
    return entries.of_rows(standing.filter(pl.col("case_id").is_in(cases)))


def _cases_of(owned: pl.DataFrame, standing: pl.DataFrame) -> frozenset[str]:
    """The cases that some lines of the roster and the applications list."""
    near = standing.filter(pl.col("row").is_in(owned["row"].unique().implode()))
    return frozenset(near.join(owned, on=PLACE, how="semi")["case_id"])


def _homes(crowd: Lines, faces: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """The register's lines of some faces and of everybody of their households, and of households that are known."""
    lines = crowd.of(faces)
    return pl.concat([lines, crowd.saying("household", lines["household"].append(known))])
