"""What the registers say of the people of one case and of those around them: ties between two of them, and hints for an officer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations

import polars as pl

from verify.faces import name_tables_of
from verify.formulas import plain_condition
from verify.identity.addresses import Address, address_of, same_house
from verify.identity.name_grades import AGREES, grade_name
from verify.identity.phones import phone_of
from verify.manifest import RESULTS, TABLES, Published
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.store import Store, quoted, read_frame
from verify.store_rows import Record

A_HOUSE = re.compile("[0-9０-９一二三四五六七八九十]+[号室户]")
MANY = 12  # cases that share one telephone: it is an office's, or a filler


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to look at: its kind, the member (0: the household), since when, other cases, relations outside with their numbers."""

    kind: str
    member: int = 0
    since: date | None = None
    cases: tuple[str, ...] = ()
    others: tuple[tuple[str, int], ...] = ()


@dataclass
class Looking:
    """What is at hand while one case is looked at."""

    store: Store
    night: Published
    book: Rulebook
    rows: Mapping[str, str]  # of each extract its known rows, as SQL names them
    case: str
    people: list[Record]
    links: list[Record]
    ties: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def extracts(self, role: str) -> Iterator[tuple[Extract, str]]:
        """The extracts that play a part and are known, with their rows."""
        for name, shape in sorted(self.book.extracts.items()):
            if getattr(shape.plays, role) and name in self.rows:
                yield shape, self.rows[name]

    def tie(self, members: Sequence[int], kind: str) -> None:
        """Every two of some members are tied."""
        for pair in combinations(sorted(set(members)), 2):
            self.ties.setdefault(pair, set()).add(kind)

    def linked(self, extract: str) -> list[Record]:
        """The case's accepted rows of an extract."""
        return [link for link in self.links if link["extract"] == extract and link["status"] == "accepted"]


def hints_of(looking: Looking) -> list[Hint]:
    """All there is to look at; `ties` of what is at hand are complete afterwards."""
    return [*_register(looking), *_marriages(looking), *_documents(looking), *_reached(looking), *_same_people(looking)]


# --- the register -----------------------------------------------------------------------------------------------------


def _register(looking: Looking) -> Iterator[Hint]:
    """One household, one address; the others of the household; who moved in, or was split off, shortly before the application."""
    homes: dict[str, list[int]] = {}
    for one in looking.people:
        if one["household"]:
            homes.setdefault(one["household"], []).append(one["member_no"])
    for members in homes.values():
        looking.tie(members, "register")
    window = _window(looking)
    for shape, rows in looking.extracts("register_"):
        part = shape.plays.register_
        assert part is not None
        own = {(link["file"], link["row"]): link["member_no"] for link in looking.linked(shape.extract)}
        dead = plain_condition(shape.plays.death.when, looking.night.manifest.origin.as_of) if shape.plays.death else "FALSE"
        said = {"home": _column(part.household), "relation": _column(part.relation), "moved": _column(part.moved, "DATE"), "address": _column(part.address)}
        columns = ", ".join(f"{column} AS {name}" for name, column in said.items())
        told = f"SELECT _file, _row, {columns} FROM {rows} WHERE coalesce({dead}, FALSE) IS FALSE"
        ours = looking.store.frame(f"SELECT * FROM ({told}) WHERE home IN (SELECT unnest(?::VARCHAR[])) ORDER BY _file, _row", [sorted(homes)]).to_dicts()
        others = Counter(one["relation"] or "" for one in ours if (one["_file"], one["_row"]) not in own)
        if others:
            yield Hint("not_declared", others=tuple(sorted(others.items())))
        at = {own[one["_file"], one["_row"]]: one for one in ours if (one["_file"], one["_row"]) in own}
        _tie_addresses(looking, {number: one["address"] for number, one in at.items() if one["address"]})
        if window:
            came = {number: one["moved"] for number, one in sorted(at.items()) if one["moved"]}
            yield from (Hint("moved_in", number, day) for number, day in came.items() if window[0] <= day <= window[1])
            yield from _split_off(looking, told, {one["address"] for one in at.values() if one["address"]}, homes=sorted(homes), window=window)


def _split_off(looking: Looking, told: str, addresses: set[str], *, homes: list[str], window: tuple[date, date]) -> Iterator[Hint]:
    """Another household at the same address, whose people moved into it shortly before the application."""
    sql = f"""SELECT min(moved) AS since, count(*) AS people FROM ({told})
              WHERE address IN (SELECT unnest(?::VARCHAR[])) AND home NOT IN (SELECT unnest(?::VARCHAR[]))
              AND moved BETWEEN ? AND ? GROUP BY home ORDER BY home"""
    for one in looking.store.frame(sql, [sorted(addresses), homes, *window]).to_dicts():
        yield Hint("split_off", since=one["since"], others=(("", one["people"]),))


def _tie_addresses(looking: Looking, addresses: Mapping[int, str]) -> None:
    for (one, here), (other, there) in combinations(sorted(addresses.items()), 2):
        ours, theirs = address_of(here), address_of(there)
        if ours and theirs and same_house(ours, theirs):
            looking.tie((one, other), "address")


def _window(looking: Looking) -> tuple[date, date] | None:
    """The days before the application in which a move or a divorce is told; None where it says no day."""
    for shape, rows in looking.extracts("application"):
        part = shape.plays.application
        assert part is not None
        if part.day:
            days = looking.store.rows(f"SELECT min({_column(part.day, 'DATE')}) FROM {rows} WHERE {_column(part.case)} = ?", [looking.case])
            if days[0][0]:
                return days[0][0] - timedelta(days=looking.book.matching.split_days), days[0][0]
    return None


def _column(name: str | None, kind: str = "VARCHAR") -> str:
    """A declared column as SQL names it; NULL where the rules name none."""
    return f'"{name}"' if name else f"NULL::{kind}"


# --- couples, deeds ---------------------------------------------------------------------------------------------------


def _marriages(looking: Looking) -> Iterator[Hint]:
    """The latest row of a couple ties them; a divorce shortly before the application is told."""
    window = _window(looking)
    for shape, rows in looking.extracts("marriage"):
        part = shape.plays.marriage
        assert part is not None
        married = plain_condition(part.married_when, looking.night.manifest.origin.as_of)
        linked = looking.linked(shape.extract)
        for file, row, day, holds in looking.store.rows(
            f"SELECT _file, _row, {_column(part.date)}, {married} FROM {rows} WHERE {places(linked)} ORDER BY 3, 1, 2"
        ):
            members = {link["member_no"] for link in linked if (link["file"], link["row"]) == (file, row)}
            if holds:
                looking.tie(sorted(members), "marriage")
                continue
            for pair in combinations(sorted(members), 2):
                looking.ties.get(pair, set()).discard("marriage")
            if window and day and window[0] <= day <= window[1]:
                yield from (Hint("divorced", number, day) for number in sorted(members))
    looking.ties = {pair: kinds for pair, kinds in looking.ties.items() if kinds}


def _documents(looking: Looking) -> Iterator[Hint]:
    """One deed ties the members whose rows it has; other cases, and people of no case, who own with a member are told."""
    every = read_frame(looking.night.folder / RESULTS / "links.parquet", ["extract", "file", "row", "case_id", "status"]).filter(status="accepted")
    for name, rows in sorted(looking.rows.items()):
        shape = looking.book.extracts[name]
        if not shape.joint_document or shape.plays.marriage or not (linked := looking.linked(name)):
            continue
        key = " || chr(31) || ".join(f"{_column(column)}::VARCHAR" for column in shape.joint_document)
        mine = f"SELECT {key} FROM {rows} WHERE {places(linked)}"
        found = looking.store.frame(f"SELECT _file AS file, _row AS row, {key} AS deed FROM {rows} WHERE {key} IN ({mine}) ORDER BY 3, 1, 2")
        of = {(link["file"], link["row"]): link["member_no"] for link in linked}
        for _, deed in found.group_by("deed", maintain_order=True):
            looking.tie([of[place] for place in deed.select("file", "row").rows() if place in of], "deed")
        outside = found.filter([(place not in of) for place in found.select("file", "row").rows()])
        theirs = outside.join(every.filter(extract=name), on=["file", "row"], how="left")
        cases = tuple(sorted(set(theirs["case_id"].drop_nulls()) - {looking.case}))
        strangers = theirs.filter(pl.col("case_id").is_null()).height
        if cases or strangers:
            yield Hint("owns_with", cases=cases, others=(("", strangers),) if strangers else ())


def places(links: Sequence[Record]) -> str:
    """The condition that a row is one of these."""
    places = ", ".join(f"({quoted(link['file'])}, {int(link['row'])})" for link in links)
    return f"(_file, _row) IN ({places})" if places else "FALSE"


# --- other cases ------------------------------------------------------------------------------------------------------


def _reached(looking: Looking) -> Iterator[Hint]:
    """The other cases that gave the same telephone or the same address."""
    for shape, rows in looking.extracts("application"):
        part = shape.plays.application
        assert part is not None
        for kind, column, plain in (("same_phone", part.phone, phone_of), ("same_address", part.address, _house)):
            if not column:
                continue
            said = looking.store.rows(f'SELECT {_column(part.case)}, "{column}" FROM {rows} WHERE "{column}" IS NOT NULL ORDER BY 1, 2')
            ours = {plain(text) for case, text in said if case == looking.case} - {None}
            cases = sorted({case for case, text in said if case != looking.case and plain(text) in ours})
            if cases:
                yield Hint(kind, cases=tuple(cases) if len(cases) <= MANY else (), others=(("", len(cases)),) if len(cases) > MANY else ())


def _house(written: str) -> Address | None:
    """An address that names a house; None for a village, a group of it or a street alone, which many families share."""
    found = address_of(written)
    return found if found and found.house and A_HOUSE.search(written) else None


def _same_people(looking: Looking) -> Iterator[Hint]:
    """Members who stand in another case too: surely, or under another spelling of name or ID."""
    every = read_frame(looking.night.folder / TABLES / "persons.parquet").filter(pl.col("case_id") != looking.case)
    tables = name_tables_of(looking.book)
    for one in looking.people:
        sure = every.filter(person_id=one["person_id"])
        if not sure.is_empty():
            yield Hint("two_cases", one["member_no"], cases=tuple(sorted(set(sure["case_id"]))))
        if one["birth"] is None or not one["name_key"]:
            continue
        born = every.filter(pl.col("person_id") != one["person_id"], birth=one["birth"])
        near = [
            other["case_id"]
            for other in born.iter_rows(named=True)
            if other["name_key"] and not (one["ids"] and other["ids"]) and grade_name(one["name_key"], other["name_key"], tables)[0] >= AGREES
            if None in {one["sex"], other["sex"]} or one["sex"] == other["sex"]
        ]
        if near:
            yield Hint("perhaps_two_cases", one["member_no"], cases=tuple(sorted(set(near))))
