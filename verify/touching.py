"""Which rows can touch the people of some cases: a cut of known rows that leaves those cases' answers as they are.

Whatever the match compares is looked up here more widely: equal names, equal IDs and those that share a block of
characters where either is unsure, equal births where either ID is (of the family's own only if the names agree), shared
documents. In doubt a row is kept; a row too many changes nothing. All of it is
asked of the faces that lie in the archive; rows are read only where one of their faces is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from verify.citizen_id import VALID_18, as_fifteen, birth_of
from verify.identity.name_grades import FOREIGN, grade_names
from verify.identity.name_keys import NameTables
from verify.rule_extracts import Extract

_BLOCKS = ("tail", "ends", "month", "head")  # as in `candidates`: two IDs one slip apart share one of these
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
    """What all known rows say of people (`said`: extract, file, row, face, household, document), the faces (numbered through),
    of which case each row of the roster and the applications is (`standing`: extract, file, row, case_id), and how names are compared."""

    said: pl.DataFrame
    faces: pl.DataFrame
    standing: pl.DataFrame
    names: NameTables


def cut(lines: Lines, extracts: Mapping[str, Extract], asked: Asked) -> pl.DataFrame:
    """The rows (extract, file, row) that can touch the people of the cases asked for.

    Of the register, which is the crowd, and of the deaths those stay that could be of anybody whom a kept row speaks of or
    who could own one, with their households. Of the roster and the applications the cases asked for are kept, and those
    whose people could own one of the kept rows.
    """
    people, said = People(lines.faces, asked.as_of), lines.said
    own = said.filter(pl.col("extract").is_in(_playing(extracts, "roster", "application"))).join(lines.standing, on=PLACE, how="inner")
    ours = people.of(own.filter(pl.col("case_id").is_in(asked.cases)))
    crowd = said.filter(pl.col("extract").is_in(_playing(extracts, "register_")))
    mine = pl.concat([ours, people.like(ours, lines.names)])  # whoever our people may be
    known = asked.persons.filter(pl.col("case_id").is_in(asked.cases))["household"]
    family = pl.concat([ours, people.of(_homes(crowd, mine, known))])
    touched = _lines(said, pl.concat([people.named(mine), people.like(mine, lines.names), people.same_id(family)]))
    touched = pl.concat([touched, said.filter(pl.col("document").is_in(_in(touched["document"])))])
    theirs = people.of(touched)
    cases = asked.cases | frozenset(_lines(own, pl.concat([people.named(mine), people.like(theirs)]))["case_id"]) | _known_owners(asked, theirs)
    told = pl.concat([family, people.of(_same_rows(said, touched))])
    owners = people.of(own.filter(pl.col("case_id").is_in(cases)))
    others = pl.concat([people.like(pl.concat([told, owners])), people.named(told)])
    dead = said.filter(pl.col("extract").is_in(_playing(extracts, "death")))
    some = crowd.unique("extract", keep="first", maintain_order=True)  # only by its rows is it known that there is a register
    return _kept(lines, pl.concat([touched, _homes(crowd, others, known), some, _lines(dead, others)]), extracts, asked=asked, cases=cases)


def _known_owners(asked: Asked, theirs: pl.DataFrame) -> frozenset[str]:
    """The cases that by what the night found out of their people could own a touched row; `ids` are valid ones."""
    each = asked.persons.select("case_id", "birth", "ids").explode("ids").rename({"ids": "id_key"})
    state = pl.when(pl.col("id_key").is_not_null()).then(pl.lit(VALID_18))
    known = People(each.with_columns(id_state=state, id_birth=birth_of(pl.col("id_key")), id15=as_fifteen(pl.col("id_key"))), asked.as_of)
    return frozenset(known.like(theirs)["case_id"])


def _kept(lines: Lines, touched: pl.DataFrame, extracts: Mapping[str, Extract], *, asked: Asked, cases: frozenset[str]) -> pl.DataFrame:
    """The places of the rows that stay, each once."""
    elsewhere = ~pl.col("extract").is_in(_playing(extracts, "roster", "application"))
    linked = asked.links.filter(case_id=asked.case)
    theirs = lines.standing.filter(pl.col("case_id").is_in(cases))
    places = [some.select(pl.col("extract", "file").cast(pl.String), "row") for some in (touched.filter(elsewhere), linked.filter(elsewhere), theirs)]
    return pl.concat(places).unique()


# --- what touches what ------------------------------------------------------------------------------------------------


class People:
    """Faces, told apart by whether they are unsure: their ID is not worth anything on that day. What unsure IDs say is worked out once for each."""

    def __init__(self, faces: pl.DataFrame, as_of: date) -> None:
        unsure = pl.col("id_state").fill_null("none").is_in(["none", "invalid"]) | (pl.col("id_birth") > as_of).fill_null(value=False)
        self.faces = faces.with_columns(unsure=unsure)
        self._sure, self._unsure = self.faces.filter(~pl.col("unsure")), self.faces.filter("unsure")
        self._ids = _with_blocks(self._unsure)

    def of(self, said: pl.DataFrame) -> pl.DataFrame:
        """The faces that lines name."""
        return self.faces.join(said, on="face", how="semi")

    def named(self, others: pl.DataFrame) -> pl.DataFrame:
        """The faces that bear a name of others, today or formerly."""
        known = _in(_names_of(others))
        return self.faces.filter(pl.any_horizontal([pl.col(column).is_in(known).fill_null(value=False) for column in ("name_key", "former_key")]))

    def same_id(self, others: pl.DataFrame) -> pl.DataFrame:
        """The faces with the ID of one of others, or with a block of it in common where either is unsure: a valid ID is never another valid one."""
        theirs = _with_blocks(others)
        equal, unsure = _in(theirs["old"]), theirs.filter("unsure")
        same = self._sure.filter(pl.coalesce("id15", "id_key").is_in(equal))
        return pl.concat([same, self._sharing(unsure), self._unsure_by_id(pl.col("old").is_in(equal) | _share_a_block(theirs))])

    def like(self, others: pl.DataFrame, names: NameTables | None = None) -> pl.DataFrame:
        """The faces that could by ID or birth be one of others: by birth where either is unsure, and where the names agree, if tables are given."""
        births, unsure = (_in(_births_of(some)) for some in (others, others.filter("unsure")))
        sure = self._sure.filter(pl.any_horizontal([pl.col(day).is_in(unsure).fill_null(value=False) for day in ("birth", "id_birth")]))
        born = pl.concat([sure, self._unsure_by_id(pl.col("born").is_in(births)), self._unsure.filter(pl.col("birth").is_in(births).fill_null(value=False))])
        return pl.concat([self.same_id(others), born if names is None else _named_alike(born, others, names)])

    @cached_property
    def _digits(self) -> pl.Series:
        """The first seventeen digits of every valid ID, as a number."""
        return self._sure["id_key"].str.slice(0, 17).cast(pl.Int64, strict=False)

    def _sharing(self, ids: pl.DataFrame) -> pl.DataFrame:
        """The sure faces whose ID has a block in common with one of these; found by numbers, for blocks of every ID are long to make."""
        near = self._sure.filter(_share_digits(self._digits, ids)) if ids.height else self._sure.head(0)
        return near.filter(pl.col("id_key").is_in(_in(_with_blocks(near).filter(_share_a_block(ids))["id_key"])))

    def _unsure_by_id(self, which: pl.Expr) -> pl.DataFrame:
        """The unsure faces whose ID, by what it says, is one of these."""
        return self._unsure.filter(pl.col("id_key").is_in(_in(self._ids.filter(which)["id_key"])).fill_null(value=False))


def _births_of(faces: pl.DataFrame) -> pl.Series:
    return pl.concat([faces["birth"], _with_blocks(faces)["born"].rename("birth")])


def _share_a_block(ids: pl.DataFrame) -> pl.Expr:
    return pl.any_horizontal([pl.col(block).is_in(_in(ids[block])) for block in _BLOCKS])


def _share_digits(digits: pl.Series, ids: pl.DataFrame) -> pl.Series:
    """Which valid IDs, by their first seventeen digits as a number, share a block with one of these but perhaps for the check character."""
    key = pl.col("id_key")
    blocks = {
        "tail": (digits % 10**7, key.str.tail(8).str.head(7)),
        "ends": (digits // 10**9 * 10**3 + digits % 10**3, key.str.head(8) + key.str.tail(4).str.head(3)),
        "month": (digits // 10**5 * 10 + digits % 10, key.str.head(12) + key.str.tail(2).str.head(1)),
        "head": (digits // 100, key.str.head(15)),
    }
    theirs = ids.select(text.cast(pl.Int64, strict=False).alias(block) for block, (_, text) in blocks.items())
    found = [number.is_in(_in(theirs[block])) for block, (number, _) in blocks.items()]
    return pl.select(pl.any_horizontal(found)).to_series()


def _names_of(faces: pl.DataFrame) -> pl.Series:
    return pl.concat([faces["name_key"], faces["former_key"].rename("name_key")])


def _named_alike(faces: pl.DataFrame, others: pl.DataFrame, names: NameTables) -> pl.DataFrame:
    """The faces whose names are not strange to all of the others; a missing one, or one given as former, tells nothing."""
    ours, told = sorted(set(_names_of(others).drop_nulls())), sorted(set(_names_of(faces).drop_nulls()))
    fitting = pl.Series([name for name in told if any(grade > FOREIGN for grade, _ in grade_names(((name, one) for one in ours), names))], dtype=pl.String)
    blank = others["name_key"].null_count() > 0
    untold = pl.col("name_key").is_null() | (pl.col("name_key") == pl.col("former_key")) | pl.lit(blank)
    agrees = pl.any_horizontal(pl.col("name_key", "former_key").is_in(fitting.implode()).fill_null(value=False))
    return faces.filter(untold.fill_null(value=False) | agrees)


def _with_blocks(faces: pl.DataFrame) -> pl.DataFrame:
    """Each ID of some faces once (id_key, unsure), with its blocks, its old form and the birth inside it (born)."""
    key = pl.col("id_key")
    blocks = {"tail": key.str.tail(8), "ends": key.str.head(8) + key.str.tail(4), "month": key.str.head(12) + key.str.tail(2), "head": key.str.head(15)}
    ids = faces.select("id_key", "unsure").drop_nulls().unique()
    return ids.with_columns(**blocks, old=pl.coalesce(as_fifteen(key), key), born=birth_of(key))


def _lines(said: pl.DataFrame, faces: pl.DataFrame) -> pl.DataFrame:
    return said.join(faces, on="face", how="semi")


def _homes(crowd: pl.DataFrame, faces: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """The register's lines of some faces and of everybody of their households, and of households that are known."""
    lines = _lines(crowd, faces)
    return pl.concat([lines, crowd.filter(pl.col("household").is_in(_in(lines["household"].append(known))))])


def _same_rows(said: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """All lines of the rows of some lines."""
    return said.filter(pl.col("row").is_in(_in(touched["row"]))).join(touched, on=PLACE, how="semi")


def _playing(extracts: Mapping[str, Extract], *parts: str) -> list[str]:
    return [name for name, extract in extracts.items() if any(getattr(extract.plays, part) for part in parts)]


def _in(values: pl.Series) -> pl.Series:
    return values.drop_nulls().unique().implode()
