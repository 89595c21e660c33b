"""By what tonight's rows know that a decision is about them: the content of the row and of the roster's row that were looked at.

A row that gives an ID, whatever it is worth, is known by all it says of the person; one that gives none also by the columns of
its natural key: a bare name on one title deed is nobody on another. A person is known by name and ID as the roster has them,
and by the case too where that ID is not valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from verify.archive import Archive
from verify.citizen_id import VALID_18
from verify.faces import compared, name_tables_of
from verify.identity.name_keys import NameTables
from verify.pair_decisions import PairDecision, Place
from verify.plain_cells import STORED
from verify.problems import IntegrityError, Problem
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.store import write_frame

MARKS_FILE = "pair_marks.parquet"
SAID = ("name_key", "former_key", "id_key", "birth", "sex", "household", "document")
MARKS = {
    "number": pl.Int64,
    **dict.fromkeys(("what", "extract", "side"), pl.String),
    **{name: pl.Date if name == "birth" else pl.String for name in SAID},
    **dict.fromkeys(("row_key", "person_name", "person_id"), pl.String),
    "person_id_valid": pl.Boolean,
    "case_id": pl.String,
    "held": pl.Boolean,  # by the night that is worked out again; no night says it of its own
}


def write_marks(standing: Mapping[int, PairDecision], archive: Archive, book: Rulebook, path: Path) -> None:
    """Write what standing decisions are known by: one line each, by number (`MARKS`).

    Raises IntegrityError (E-PAIR-GONE) where the archive has not the row: a dismissed pair must not come back for that.
    """
    known = {number: one for number, one in sorted(standing.items()) if {one.of.extract, one.roster.extract} <= book.extracts.keys()}
    rows = _rows_of([(number, place) for number, one in known.items() for place in (one.of, one.roster)], archive)
    tables, lines = name_tables_of(book), []
    for number, one in known.items():
        row, said = _said(one.of, rows, book.extracts[one.of.extract], tables)
        _, person = _said(one.roster, rows, book.extracts[one.roster.extract], tables)
        key = None if said["id_key"] else key_of(row, book.extracts[one.of.extract]).item()
        whose = {
            "person_name": person["name_key"],
            "person_id": person["id_key"],
            "person_id_valid": person["id_state"] == VALID_18,
            "case_id": one.case,
            "held": False,
        }
        marked = {name: said[name] for name in SAID} | {"row_key": key} | whose
        lines.append({"number": number, "what": one.what, "extract": one.of.extract, "side": one.of.side} | marked)
    write_frame(pl.DataFrame(lines, schema=MARKS), path)


def key_of(rows: pl.DataFrame, extract: Extract) -> pl.Series:
    """The natural key of rows as one text, its empty parts with it."""
    parts = [pl.col(name).cast(pl.String).fill_null("\x00") for name in extract.key]
    return rows.select(key=pl.concat_str(parts, separator="\x1f") if parts else pl.lit("")).to_series()


def _rows_of(wanted: Sequence[tuple[int, Place]], archive: Archive) -> dict[str, pl.DataFrame]:
    """The wanted rows of every batch, by its name, each batch read once. Raises IntegrityError (E-PAIR-GONE)."""
    found: dict[str, pl.DataFrame] = {}
    for name in sorted({place.archived for _, place in wanted}):
        numbers = [place.row for _, place in wanted if place.archived == name]
        if archive.holds(name):
            found[name] = archive.kept(name).filter(pl.col("_row").is_in(numbers))
    for number, place in wanted:
        if place.archived not in found or place.row not in found[place.archived]["_row"]:
            raise IntegrityError(Problem("E-PAIR-GONE", f"{place.extract}:{place.row}", {"number": str(number)}))
    return found


def _said(place: Place, rows: Mapping[str, pl.DataFrame], extract: Extract, tables: NameTables) -> tuple[pl.DataFrame, dict[str, object]]:
    """A row of the archive under today's layout, and what it says of the person on one side of it."""
    kept = rows[place.archived].filter(pl.col("_row") == place.row)
    declared = [
        pl.col(column.column) if kept.schema.get(column.column) == STORED[column.type] else pl.lit(None, dtype=STORED[column.type]).alias(column.column)
        for column in extract.columns
    ]
    row = kept.select("_row", *declared)
    lines, faces = compared(row, extract, tables)
    mine = lines.filter(side=place.side).select("face", "household", "document")
    return row, faces.join(mine, on="face").row(0, named=True)
