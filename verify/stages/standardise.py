"""Make names, IDs, births and households comparable, once a batch, and list the people of each case.

What rows say of people lies beside their batch in the archive (`faces`), and is made here only for a batch that has none.
The tables written: `roster` (one row per person of a case) and `applications` (which application row belongs to which case).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from verify.faces import load_spoken, name_tables_of, spoken_of
from verify.formulas import plain_condition
from verify.model import Arrived, Known, Spoken, Table
from verify.parts import known_rows_in
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.store import Store, quoted, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))
_WRITTEN = ("roster", "applications")
_NO_ROWS = {
    "listed": "case_id VARCHAR, member_no BIGINT, extract VARCHAR, file VARCHAR, row INTEGER, as_of DATE, is_member BOOLEAN, "
    "is_applicant BOOLEAN, authorised BOOLEAN, relation VARCHAR, name VARCHAR",
    "applied": "case_id VARCHAR, extract VARCHAR, file VARCHAR, row INTEGER",
}


@dataclass(frozen=True, slots=True)
class Standardised:
    """What the rows of every extract say of people, in order of extract, and the two tables of this stage."""

    spoken: tuple[Spoken, ...]
    roster: Table
    applications: Table


def people(store: Store, arrived: Arrived, *, book: Rulebook, work: Path) -> Standardised:
    """Write `roster` and `applications` below `work`, and beside each new part of known rows what it says of people.

    Extracts that may not be used tonight are left out, except the roster, the applications and the register: known
    rows of the register may always tell people apart.
    """
    store.run("SET VARIABLE as_of = ?::DATE", [arrived.as_of])
    for name, columns in _NO_ROWS.items():
        store.run(f"CREATE OR REPLACE TABLE {name} ({columns})")
    tables = name_tables_of(book)
    spoken = tuple(spoken_of(part, extract, tables) for extract, known in _spoken_of(arrived, book) if extract.people for part in known.parts)
    for extract, known in _spoken_of(arrived, book):
        if extract.plays.roster or extract.plays.application:
            _load_standing(store, extract, known_rows_in(store, known.parts), as_of=arrived.as_of)
    listing = {name for name, extract in book.extracts.items() if extract.plays.roster}
    load_spoken(store, [one for one in spoken if one.extract in listing], "roster_")
    written = {}
    for name in _WRITTEN:
        path = work / f"{name}.parquet"
        written[name] = Table(path, store.save(_SQL[name], path))
    for name in _NO_ROWS:
        store.run(f"DROP TABLE {name}")  # later stages share the store, and its memory
    return Standardised(spoken=spoken, **written)


def _spoken_of(arrived: Arrived, book: Rulebook) -> Iterator[tuple[Extract, Known]]:
    """The extracts whose rows may say something about people tonight, in order of code."""
    for code, known in sorted(arrived.known.items()):
        plays = book.extracts[code].plays
        always = plays.roster or plays.application or plays.register_
        if known.parts and (known.usable or always):
            yield book.extracts[code], known


def _load_standing(store: Store, extract: Extract, rows: str, *, as_of: date) -> None:
    """The rows of an extract that lists people of cases, or applications."""
    code = quoted(extract.extract)
    if roster := extract.plays.roster:
        names = [person.name for person in extract.people if person.name]
        marks = ", ".join(f"coalesce({plain_condition(when, as_of)}, FALSE)" for when in (roster.member_when, roster.applicant_when, roster.authorised_when))
        store.run(
            f'INSERT INTO listed SELECT "{roster.case}", "{roster.number}", {code}, _file, _row, _as_of, {marks}, "{roster.relation}", "{names[0]}" FROM {rows}'
        )
    if application := extract.plays.application:
        store.run(f'INSERT INTO applied SELECT "{application.case}", {code}, _file, _row FROM {rows}')
