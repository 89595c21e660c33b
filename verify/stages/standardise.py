"""Make names, IDs, births and households comparable, once, and list the people of each case.

Every distinct name and every distinct ID is worked on once; the rows only join to the result. The tables written:
`mentions` (one row per extract, file, row and side), `roster` (one row per person of a case) and `applications`
(which application row belongs to which case).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from verify.citizen_id import as_fifteen, birth_of, id_key, id_state, sex_of
from verify.formulas import plain_condition
from verify.keys import remove_sealed
from verify.model import Arrived, Table
from verify.rule_files import Extract, Person
from verify.rulebook import Rulebook
from verify.similarity import NameTables, name_keys, name_tables
from verify.store import Store, quoted, statements, write_frame

_SQL = statements(Path(__file__).with_suffix(".sql"))
_WRITTEN = ("mentions", "roster", "applications")
_NO_ROWS = {
    "said": "extract VARCHAR, file VARCHAR, row INTEGER, side VARCHAR, name VARCHAR, former VARCHAR, id VARCHAR, "
    "birth DATE, sex VARCHAR, household VARCHAR, document VARCHAR",
    "listed": "case_id VARCHAR, member_no BIGINT, extract VARCHAR, file VARCHAR, row INTEGER, as_of DATE, is_member BOOLEAN, "
    "is_applicant BOOLEAN, authorised BOOLEAN, relation VARCHAR, name VARCHAR",
    "applied": "case_id VARCHAR, extract VARCHAR, file VARCHAR, row INTEGER",
}


@dataclass(frozen=True, slots=True)
class Standardised:
    """The three tables of this stage."""

    mentions: Table
    roster: Table
    applications: Table


def people(store: Store, arrived: Arrived, *, book: Rulebook, work: Path) -> Standardised:
    """Write `mentions`, `roster` and `applications` below `work`.

    Extracts that may not be used tonight are left out, except the roster, the applications and the register: known
    rows of the register may always tell people apart.
    """
    store.run("SET VARIABLE as_of = ?::DATE", [arrived.as_of])
    for name, columns in _NO_ROWS.items():
        store.run(f"CREATE OR REPLACE TABLE {name} ({columns})")
    for extract, path in _spoken_of(arrived, book):
        rows = store.source(path)
        for person in extract.people:
            store.run(f"INSERT INTO said {_said(extract, person)} FROM {rows}")
        _load_standing(store, extract, rows, as_of=arrived.as_of)
    _load_names(store, name_tables_of(book), work)
    _load_ids(store, arrived.as_of, work)
    written = {}
    for name in _WRITTEN:
        path = work / f"{name}.parquet"
        written[name] = Table(path, store.save(_SQL[name], path))
    for name in (*_NO_ROWS, "name_keys", "id_keys"):
        store.run(f"DROP TABLE {name}")  # later stages share the store, and its memory
    return Standardised(**written)


def name_tables_of(book: Rulebook) -> NameTables:
    """The character tables that the rule book names."""
    rules = book.matching
    return name_tables(
        book.tables[rules.variants],
        book.tables[rules.lookalikes],
        simplified=rules.traditional_to_simplified,
        homophones=rules.homophones,
    )


def _spoken_of(arrived: Arrived, book: Rulebook) -> Iterator[tuple[Extract, Path]]:
    """The extracts whose rows may say something about people tonight, in order of code."""
    for code, known in sorted(arrived.known.items()):
        plays = book.extracts[code].plays
        always = plays.roster or plays.application or plays.register_
        if known.rows is not None and (known.usable or always):
            yield book.extracts[code], known.rows


def _said(extract: Extract, person: Person) -> str:
    """What one side of an extract says, column by column, under one set of names."""
    chosen = f'"{person.id}"' if person.id else "NULL"
    if person.id and person.id_part == "first_18":
        chosen = f"left({chosen}, 18)"
    document = " || chr(31) || ".join(f'CAST("{column}" AS VARCHAR)' for column in extract.joint_document)
    parts = {
        "extract": quoted(extract.extract),
        "file": "_file",
        "row": "_row",
        "side": quoted(person.side),
        "name": _column(person.name),
        "former": _column(person.former_name),
        "id": chosen,
        "birth": _column(person.birth),
        "sex": _sex(person),
        "household": _column(person.household),
        "document": document or "NULL",
    }
    columns = ", ".join(f"{sql} AS {name}" for name, sql in parts.items())
    return f"SELECT {columns}"


def _column(name: str | None) -> str:
    return f'"{name}"' if name else "NULL"


def _sex(person: Person) -> str:
    """The side's sex as an SQL expression: fixed by the side, or read from the codes of a column."""
    if person.sex_is:
        return quoted(person.sex_is)
    if person.sex is None:
        return "NULL"
    whens = (
        f'WHEN "{person.sex.column}" IN ({", ".join(quoted(code) for code in codes)}) THEN {quoted(word)}'
        for word, codes in (("male", person.sex.male), ("female", person.sex.female))
    )
    return f"CASE {' '.join(whens)} END"


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


def _load_names(store: Store, tables: NameTables, work: Path) -> None:
    """The table `name_keys`: every distinct name as written, and made comparable."""
    names = store.frame(_SQL["distinct_names"])["raw"]
    keys = pl.Series("name_key", name_keys(names.to_list(), tables), dtype=pl.String)
    _load(store, "name_keys", pl.DataFrame({"raw": names.cast(pl.String), "name_key": keys}), work)


def _load_ids(store: Store, as_of: date, work: Path) -> None:
    """The table `id_keys`: every distinct ID as written, made comparable, and what it is worth."""
    key, valid = pl.col("id_key"), pl.col("id_state").is_in(["valid18", "valid15"])
    frame = (
        store.frame(_SQL["distinct_ids"])
        .with_columns(pl.col("raw").cast(pl.String))
        .with_columns(id_key=id_key(pl.col("raw")))
        .with_columns(id_state=id_state(key, as_of))
        .with_columns(
            id15=pl.when(valid).then(as_fifteen(key)),
            id_birth=pl.when(valid).then(birth_of(key)),
            id_sex=pl.when(valid).then(sex_of(key)),
        )
    )
    _load(store, "id_keys", frame, work)


def _load(store: Store, name: str, frame: pl.DataFrame, work: Path) -> None:
    """Make the table `name` in the store from a frame."""
    path = work / f".{name}.parquet"
    write_frame(frame, path)
    store.load(name, path)
    remove_sealed(path)
