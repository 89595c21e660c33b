"""What somebody supposes of a case's rows: one left out, a cell that says something else, a row that is another's, a row more.

It changes the known rows that were cut to the case, in a passing folder, before the stages see them; a text is read as the
night reads it. Whoever a row is said to be of, it then bears that member's own name and number: the stages find the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from verify.columns import read_cells
from verify.formulas_interpreter import days_of
from verify.keys import remove_sealed
from verify.problems import Problem, UsageError
from verify.rule_extracts import Extract
from verify.rule_files import Supposed
from verify.rulebook import Rulebook
from verify.store import read_frame, write_frame
from verify.store_rows import Record
from verify.typed import safe

Place = tuple[str, str | None, int]  # extract, file (None: whichever has it), row
NOBODY = "0"
FILE = "—"  # of a row that is only supposed
_PLACE = r"(?P<extract>[^:/=]+):(?:(?P<file>.+):)?(?P<row>\d{1,9})"
_DROP, _LINK = re.compile(_PLACE), re.compile(rf"{_PLACE}=(?P<member>\d{{1,6}})")
_SET = re.compile(rf"{_PLACE}:(?P<column>[^:=]+)=(?P<value>.*)", re.DOTALL)
_INCOME = re.compile(r"(?P<member>\d{1,6})=(?P<amount>\d{1,9}(?:\.\d{1,2})?)")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing supposed: a row that is gone (`cells` None), cells that say something else, or a row more (row 0).

    `told` is how it was asked for, made safe.
    """

    told: str
    extract: str
    file: str | None
    row: int
    cells: Mapping[str, str | None] | None


@dataclass(frozen=True, slots=True)
class Suppositions:
    """What was typed: rows dropped, cells set, rows linked anew, income added by member; `place`: another region or area."""

    drop: Sequence[str] = ()
    set_: Sequence[str] = ()
    relink: Sequence[str] = ()
    income: Sequence[str] = ()
    place: Mapping[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is supposed at all."""
        return bool(self.drop or self.set_ or self.relink or self.income or self.place)


def changes_of(asked: Suppositions, book: Rulebook, people: Sequence[Record], *, own: Mapping[str, tuple[str, int]], as_of: date) -> list[Change]:
    """What was typed as changes of rows. `people` are the case's persons, `own` where its own application stands by role.

    Raises UsageError: E-WHATIF-WHAT, E-EXTRACT-WHAT, E-WHATIF-COLUMN, E-WHATIF-SIDES, E-MATCH-PERSON.
    """
    if not asked.any:
        raise UsageError(Problem("E-WHATIF-WHAT", "--drop"))
    found = [Change(safe(text), *_place(said, book), cells=None) for text, said in _read(_DROP, asked.drop)]
    for text, said in _read(_SET, asked.set_):
        place = _place(said, book)
        _must_have(book.extracts[place[0]], said["column"])
        found.append(Change(safe(text), *place, cells={said["column"]: said["value"]}))
    for text, said in _read(_LINK, asked.relink):
        place = _place(said, book)
        whose = None if said["member"] == NOBODY else _member(people, int(said["member"]))
        found.append(Change(safe(text), *place, cells=None if whose is None else _bears(book.extracts[place[0]], whose)))
    for text, said in _read(_INCOME, asked.income):
        found.append(_more(book, _member(people, int(said["member"])), Decimal(said["amount"]), as_of=as_of, told=safe(text)))
    for role, value in sorted(asked.place.items()):
        extract, file, row, column = _application(book, own, role)
        known = value in book.extracts[extract].column(column).codes
        found.append(Change(f"{role} {value if known else safe(value)}", extract, file, row, cells={column: value}))
    return found


def _read(shape: re.Pattern[str], texts: Iterable[str]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for text in texts:
        said = shape.fullmatch(text.strip())
        if said is None:
            raise UsageError(Problem("E-WHATIF-WHAT", safe(text)))
        yield text, said.groupdict()


def _place(said: Mapping[str, Any], book: Rulebook) -> Place:
    if said["extract"] not in book.extracts:
        raise UsageError(Problem("E-EXTRACT-WHAT", safe(said["extract"]), {"known": ", ".join(sorted(book.extracts))}))
    return said["extract"], said["file"], int(said["row"])


def _must_have(extract: Extract, column: str) -> None:
    known = [one.column for one in extract.columns]
    if column not in known:
        raise UsageError(Problem("E-WHATIF-COLUMN", safe(column), {"extract": extract.extract, "known": "、".join(known)}))


def _member(people: Sequence[Record], number: int) -> Record:
    found = next((one for one in people if one["member_no"] == number), None)
    if found is None:
        raise UsageError(Problem("E-MATCH-PERSON", str(number), {"numbers": ", ".join(str(one["member_no"]) for one in people)}))
    return found


def _bears(extract: Extract, whose: Record) -> dict[str, str | None]:
    """The cells by which a row of one side is a member's: their name, their number, and their birth date."""
    if len(extract.people) != 1:
        raise UsageError(Problem("E-WHATIF-SIDES", extract.extract))
    (side,) = extract.people
    born = whose["birth"].isoformat() if whose["birth"] else None
    cells = {side.name: whose["name"], side.id: (whose["ids"] or [None])[0], side.birth: born}
    return {column: value for column, value in cells.items() if column}


def _more(book: Rulebook, whose: Record, amount: Decimal, *, as_of: date, told: str) -> Change:
    """The row that the rule book lets stand for income."""
    shape: Supposed | None = book.supposed.get("income")
    if shape is None or shape.extract not in book.extracts:
        raise UsageError(Problem("E-WHATIF-WHAT", told))
    days = {name: said.value for name, said in days_of(as_of).items()}
    cells: dict[str, str | None] = {column: str(days.get(value, value)) for column, value in shape.cells.items()}
    bears = _bears(book.extracts[shape.extract], whose)
    return Change(told, shape.extract, FILE, 0, cells={**cells, **bears, shape.amount: str(amount * shape.months)})


def _application(book: Rulebook, own: Mapping[str, tuple[str, int]], role: str) -> tuple[str, str, int, str]:
    """Where the case's own application says a thing: extract, file, row, column."""
    for name, extract in sorted(book.extracts.items()):
        column = getattr(extract.plays.application, role, None)
        if column and name in own:
            return (name, *own[name], column)
    raise UsageError(Problem("E-WHATIF-WHAT", f"--{role}"))


# --- in the rows ------------------------------------------------------------------------------------------------------


def suppose(changes: Sequence[Change], extracts: Mapping[str, Extract], tables: Path, as_of: date) -> None:
    """Put the changes into `rows_<extract>` in `tables`; what such rows say of people is found out anew.

    Raises UsageError: E-WHATIF-ROW, E-MATCH-FILES, E-WHATIF-VALUE.
    """
    for name in dict.fromkeys(change.extract for change in changes):
        path = tables / f"rows_{name}.parquet"
        rows = read_frame(path) if path.exists() else None
        for change in (one for one in changes if one.extract == name):
            if rows is None:
                raise UsageError(Problem("E-WHATIF-ROW", change.told))
            rows = _changed(rows, change, extracts[name], as_of)
        for old in sorted(tables.glob(f"rows_{name}.*parquet")):
            remove_sealed(old)
        assert rows is not None
        write_frame(rows, path)


def _changed(rows: pl.DataFrame, change: Change, extract: Extract, as_of: date) -> pl.DataFrame:
    if change.row == 0 and change.cells is not None:
        return pl.concat([rows, _row(change, extract, rows, as_of)])
    at = (pl.col("_row") == change.row) & (pl.lit(value=True) if change.file is None else pl.col("_file") == change.file)
    files = rows.filter(at)["_file"].to_list()
    if not files:
        raise UsageError(Problem("E-WHATIF-ROW", change.told))
    if len(files) > 1:
        raise UsageError(Problem("E-MATCH-FILES", f"{change.extract}:{change.row}", {"files": ", ".join(sorted(files))}))
    if change.cells is None:
        return rows.filter(~at)
    said = _cells(change, extract)
    return rows.with_columns(pl.when(at).then(pl.lit(said[name], dtype=rows.schema[name])).otherwise(pl.col(name)).alias(name) for name in said)


def _row(change: Change, extract: Extract, rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One row more, behind all others."""
    said = {**_cells(change, extract), "_file": FILE, "_row": rows.filter(_file=FILE).height + 1, "_as_of": as_of}
    return pl.DataFrame({name: [said.get(name)] for name in rows.columns}, schema=rows.schema)


def _cells(change: Change, extract: Extract) -> dict[str, Any]:
    """The changed cells, read as the night reads them. Raises UsageError (E-WHATIF-VALUE)."""
    found = {}
    for name, text in (change.cells or {}).items():
        column = extract.column(name)
        read = read_cells(pl.Series([text], dtype=pl.String), column).row(0, named=True)
        if read["fault"] or (text and read["value"] is None):
            raise UsageError(Problem("E-WHATIF-VALUE", change.told, {"column": name, "type": column.type}))
        found[name] = read["value"]
    return found
