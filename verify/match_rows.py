"""The rows and people of a published night that `hedui match` speaks of: from the archive and the night's own tables.

Only what the night linked to somebody of the roster is ever read: a row that touches no case has nothing to be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from verify.archive import Archive
from verify.batches import chain, read_batches, told_apart
from verify.link_scores import MARGINS
from verify.linkage.people import WRITTEN
from verify.manifest import RESULTS, TABLES, Published
from verify.problems import Problem, UsageError
from verify.rule_extracts import Extract, Person
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.store_rows import Record, rows_where
from verify.typed import safe

PLACE = ("extract", "file", "row", "side", "member_no")
A_PERSON, A_ROW = re.compile(r"(.+)/(\d{1,6})"), re.compile(r"([^:/]+):(?:(.+):)?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of a row, or a person of a case, says: texts as they stand; None for nothing.

    `name` of whom it is told: `extract:row` or `case/number`. `links` are the night's links of the row, or of the person.
    """

    told_as: str
    side: str
    said: dict[str, str | None]
    links: tuple[Record, ...]
    extract: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A home's published night, with the rules to read it by."""

    home: Home
    night: Published
    book: Rulebook

    def row(self, extract: str, row: int, file: str | None = None) -> list[Side]:
        """Every side of one row of the archive that the night linked to somebody.

        Raises UsageError: E-EXTRACT-WHAT, E-MATCH-NONE where the night linked no such row, E-MATCH-FILES where several files
        have it; IntegrityError.
        """
        shape = self.book.extracts.get(extract)
        if shape is None:
            raise UsageError(Problem("E-EXTRACT-WHAT", safe(extract), {"known": ", ".join(sorted(self.book.extracts))}))
        links = [link for link in rows_where(self.night.folder / RESULTS / "links.parquet", "extract", extract) if link["row"] == row]
        files = sorted({link["file"] for link in links})
        if file is not None:
            files = [one for one in files if one == file]
        if not files:
            raise UsageError(Problem("E-MATCH-NONE", f"{extract}:{row}", {"night": self.night.manifest.night}))
        if len(files) > 1:
            raise UsageError(Problem("E-MATCH-FILES", f"{extract}:{row}", {"files": ", ".join(files)}))
        record = self._archived(shape, files[0], row)
        mine = [link | {"beside": self._beside(link)} for link in links if link["file"] == files[0]]
        return [_side(shape, person, record, row, links=mine) for person in shape.people if any(link["side"] == person.side for link in mine)]

    def _beside(self, link: Record) -> Record | None:
        """The next person whom a link's row could speak of, as the night has it; None where nobody else is in question."""
        path = self.night.folder / TABLES / MARGINS
        if not path.exists():  # a night of before there was one
            return None
        found = [one for one in rows_where(path, "case_id", link["case_id"]) if all(one[key] == link[key] for key in PLACE)]
        return found[0] if found else None

    def person(self, case: str, number: int) -> Side:
        """A person of a case, by what the night knows of them. Raises UsageError (E-NO-CASE, E-MATCH-PERSON)."""
        people = self.people(case)
        for one in people:
            if one.told_as == f"{case}/{number}":
                return one
        raise UsageError(Problem("E-MATCH-PERSON", safe(case), {"numbers": ", ".join(one.told_as.rpartition("/")[2] for one in people)}))

    def people(self, case: str) -> list[Side]:
        """Everybody of a case. Raises UsageError (E-NO-CASE)."""
        folder = self.night.folder
        persons = rows_where(folder / TABLES / "persons.parquet", "case_id", case)
        if not persons:
            raise UsageError(Problem("E-NO-CASE", safe(case), {"night": self.night.manifest.night}))
        links = rows_where(folder / RESULTS / "links.parquet", "case_id", case)
        return [_person(one, [link for link in links if link["member_no"] == one["member_no"]]) for one in persons]

    def _archived(self, shape: Extract, file: str, row: int) -> Record:
        """One row as the archive has it. Raises UsageError (E-MATCH-GONE) where its batch is no more."""
        archive = Archive(self.home.archive)
        batches = read_batches(self.night.folder / TABLES / "batches.parquet").get(shape.extract, ())
        for batch in told_apart(chain(batches)):
            if batch.file == file and archive.holds(batch.archived):
                found = archive.kept(batch.archived).filter(pl.col("_row") == row)
                if not found.is_empty():
                    return found.row(0, named=True)
        raise UsageError(Problem("E-MATCH-GONE", f"{shape.extract}:{row}"))


def asked_for(text: str, found: Found) -> list[Side]:
    """What somebody typed: `EXTRACT:ROW`, `EXTRACT:FILE:ROW`, or `CASE/NUMBER`. Raises UsageError (E-MATCH-WHAT), and what `Found` does."""
    if row := A_ROW.fullmatch(text.strip()):
        return found.row(row[1], int(row[3]), row[2])
    if person := A_PERSON.fullmatch(text.strip()):
        return [found.person(person[1], int(person[2]))]
    raise UsageError(Problem("E-MATCH-WHAT", safe(text)))


def as_table(sides: Sequence[Side]) -> pl.DataFrame:
    """The columns that the linker's normalising asks for."""
    return pl.DataFrame([{name: one.said.get(name) for name in WRITTEN} for one in sides], schema=dict.fromkeys(WRITTEN, pl.String))


def _side(shape: Extract, person: Person, record: Record, row: int, *, links: Sequence[Record]) -> Side:
    ident = _text(record.get(person.id or ""))
    if ident and person.id_part == "first_18":
        ident = ident[:18]
    said = {"name": _text(record.get(person.name or "")), "former": _text(record.get(person.former_name or "")), "id": ident}
    said |= {"birth": _text(record.get(person.birth or "")), "sex": _sex(person, record), "phone": None, "address": None}
    return Side(f"{shape.extract}:{row}", person.side, said, tuple(one for one in links if one["side"] == person.side), shape.extract)


def _person(one: Record, links: Sequence[Record]) -> Side:
    ids = one["ids"] or []
    said = {"name": one["name"], "former": None, "id": ids[0] if ids else None, "birth": _text(one["birth"]), "sex": one["sex"], "phone": None, "address": None}
    return Side(f"{one['case_id']}/{one['member_no']}", "", said, tuple(links))


def _sex(person: Person, record: Record) -> str | None:
    if person.sex_is or person.sex is None:
        return person.sex_is
    code = record.get(person.sex.column)
    return "male" if code in person.sex.male else "female" if code in person.sex.female else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
