"""Which rows can touch the people of some cases: a cut of known rows that leaves those cases' answers as they are.

Whatever the match compares is looked up here more widely: equal names, IDs that share a block of characters, equal
births of rows without a usable ID, shared documents. In doubt a row is kept; a row too many changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.citizen_id import as_fifteen, birth_of, id_key, id_state
from verify.rule_files import Extract, Person
from verify.similarity import NameTables, name_keys

_SAID = {"extract": pl.String, "at": pl.UInt32, **dict.fromkeys(("name", "former", "id", "household", "document"), pl.String), "birth": pl.Date}
# As in `candidates`: two IDs one slip apart share one of these; equal ones all, and so do 15 and 18 digits of one person the last.
_BLOCKS = ("tail", "ends", "month", "head", "old")


@dataclass(frozen=True, slots=True)
class Asked:
    """The case asked for, and the cases that list somebody of it; and what the night found.

    `persons` are the night's people (case_id, ids, birth, household), `links` its links (case_id, extract, file, row).
    """

    cases: frozenset[str]
    persons: pl.DataFrame
    links: pl.DataFrame
    case: str


def cut(rows: Mapping[str, pl.DataFrame], extracts: Mapping[str, Extract], asked: Asked, *, names: NameTables, as_of: date) -> dict[str, pl.DataFrame]:
    """The rows of every extract that can touch the people of the cases asked for.

    The register and the deaths stay whole: the one is the crowd, the other may speak of anybody of a household. Of the
    roster and the applications the cases asked for are kept, and those whose people could own one of the kept rows.
    """
    said = _said(rows, extracts, names, as_of)
    standing = _standing(rows, extracts)
    ours = said.join(standing.filter(pl.col("case_id").is_in(asked.cases)), on=["extract", "at"], how="semi")
    registers = [name for name, extract in extracts.items() if extract.plays.register_]
    crowd = said.filter(pl.col("extract").is_in(registers))
    known = asked.persons.filter(pl.col("case_id").is_in(asked.cases))
    homes = crowd.filter(_shares_id(ours) | _shares_birth(ours))["household"].append(known["household"]).drop_nulls().unique()
    family = pl.concat([ours, crowd.filter(pl.col("household").is_in(homes.implode()))])
    touched = said.filter(_shares_name(family) | _shares_id(family) | _shares_birth(family))
    documents = touched["document"].drop_nulls().unique()
    touched = said.filter(pl.col("document").is_in(documents.implode())).extend(touched)
    cases = asked.cases | _owners(said.join(standing, on=["extract", "at"]), touched, family) | _known_owners(asked.persons, touched, as_of)
    return {name: _kept(frame, extracts[name], touched, asked=asked, cases=cases) for name, frame in rows.items()}


def _owners(listed: pl.DataFrame, touched: pl.DataFrame, family: pl.DataFrame) -> frozenset[str]:
    """The cases that by what they declare could own a touched row."""
    return frozenset(listed.filter(_shares_name(family) | _shares_id(touched) | _shares_birth(touched))["case_id"])


def _known_owners(persons: pl.DataFrame, touched: pl.DataFrame, as_of: date) -> frozenset[str]:
    """The cases that by what the night found out of their people could own a touched row."""
    each = _with_blocks(persons.select("case_id", "birth", id=pl.col("ids")).explode("id"), as_of)
    return frozenset(each.filter(_shares_id(touched) | _shares_birth(touched))["case_id"])


def _kept(frame: pl.DataFrame, extract: Extract, touched: pl.DataFrame, *, asked: Asked, cases: frozenset[str]) -> pl.DataFrame:
    """The rows of one extract that stay, in their order."""
    plays = extract.plays
    if plays.register_ or plays.death:
        return frame
    if role := plays.roster or plays.application:
        return frame.filter(pl.col(role.case).is_in(cases))
    at = touched.filter(pl.col("extract") == extract.extract)["at"]
    rows = asked.links.filter(extract=extract.extract, case_id=asked.case).select(_file="file", _row="row")
    linked = frame.with_row_index("at").join(rows, on=["_file", "_row"], how="semi")["at"]
    return frame[pl.concat([at, linked]).unique().sort()]


# --- what rows say ----------------------------------------------------------------------------------------------------


def _said(rows: Mapping[str, pl.DataFrame], extracts: Mapping[str, Extract], names: NameTables, as_of: date) -> pl.DataFrame:
    """One line for each side of each row: names and IDs made comparable, with the blocks of the IDs."""
    sides = [_side(frame, extracts[name], person) for name, frame in rows.items() for person in extracts[name].people]
    said = pl.concat([pl.DataFrame(schema=_SAID), *sides])
    raw = pl.concat([said["name"], said["former"]]).drop_nulls().unique()
    keys = pl.DataFrame({"raw": raw, "key": name_keys(raw, names)})
    for column in ("name", "former"):
        said = said.join(keys.rename({"raw": column}), on=column, how="left", maintain_order="left").drop(column).rename({"key": column})
    return _with_blocks(said, as_of)


def _side(frame: pl.DataFrame, extract: Extract, person: Person) -> pl.DataFrame:
    """What one side of an extract's rows says, under the names that all share."""

    def column(name: str | None, kind: type[pl.DataType] = pl.String) -> pl.Expr:
        return pl.col(name).cast(kind) if name else pl.lit(None, dtype=kind)

    number = column(person.id).str.head(18) if person.id_part == "first_18" else column(person.id)
    document = pl.concat_str([pl.lit(extract.extract), *(pl.col(name).cast(pl.String) for name in extract.joint_document)], separator="\x1f")
    told = {"extract": pl.lit(extract.extract), "name": column(person.name), "former": column(person.former_name), "id": number}
    told |= {"household": column(person.household), "document": document if extract.joint_document else column(None), "birth": column(person.birth, pl.Date)}
    return frame.with_row_index("at").select("at", **told).select(list(_SAID))


def _with_blocks(said: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The same with each ID made comparable, its blocks and birth, and whether it is worth anything; each ID once."""
    key, old = pl.col("key"), as_fifteen(pl.col("key"))
    blocks = {"tail": key.str.tail(8), "ends": key.str.head(8) + key.str.tail(4), "month": key.str.head(12) + key.str.tail(2), "head": key.str.head(15)}
    each = said.select(pl.col("id").drop_nulls().unique()).with_columns(key=id_key(pl.col("id")))
    each = each.with_columns(**blocks, old=pl.coalesce(old, key), born=birth_of(key), worth=id_state(key, as_of))
    unsure = pl.col("worth").fill_null("none").is_in(["none", "invalid"])
    return said.join(each.drop("key"), on="id", how="left", maintain_order="left").with_columns(unsure=unsure).drop("worth")


def _standing(rows: Mapping[str, pl.DataFrame], extracts: Mapping[str, Extract]) -> pl.DataFrame:
    """The case of every row of the roster and the applications."""
    parts = [pl.DataFrame(schema={"extract": pl.String, "at": pl.UInt32, "case_id": pl.String})]
    for name, frame in rows.items():
        if role := extracts[name].plays.roster or extracts[name].plays.application:
            parts.append(frame.with_row_index("at").select(pl.lit(name).alias("extract"), "at", case_id=pl.col(role.case)))
    return pl.concat(parts)


# --- what touches what ------------------------------------------------------------------------------------------------


def _shares_name(of: pl.DataFrame) -> pl.Expr:
    return _any_of(("name", "former"), [of["name"], of["former"]])


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
