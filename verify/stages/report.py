"""Report: the tables that other programs read, exactly as the public interface names them (results.md),
the workbook and the page.

Money becomes DECIMAL yuan here and nowhere before; an amount without upper bound is NULL with `<name>_bounded` false.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from verify.link_scores import MARGINS
from verify.model import Arrived
from verify.rulebook import Rulebook
from verify.store import Store, read_frame

if TYPE_CHECKING:
    from verify.workbook_guide import Guide

_RESULTS = {
    "cases": """
        SELECT c.case_id, {as_of}::DATE AS as_of, c.region, c.members_low, c.members_high, c.members_high IS NOT NULL AS members_bounded, h.* EXCLUDE (case_id),
               d.category, d.open_tests, d.needs
        FROM cases c JOIN household h USING (case_id) JOIN decisions d USING (case_id) ORDER BY c.case_id""",
    "tests": 'SELECT case_id, category, test, value_low, value_high, "limit", verdict, basis, unit, value_bounded FROM tests',
    "evidence": "SELECT * FROM evidence",
    "links": """
        SELECT extract, file, row, coalesce(side, '') AS side, case_id, member_no, person_id, status, score, method, reasons
        FROM links ORDER BY case_id, extract, file, row, side, member_no""",
    "alerts": "SELECT * FROM alerts",
    "refused": 'SELECT extract, file, row, code, "column" FROM refused ORDER BY extract, file, row',
    "files": "SELECT extract, file, batch, as_of, received, kept, refused, duplicate, state FROM files ORDER BY extract, file",
}


def results(store: Store, arrived: Arrived, tables: Mapping[str, Path], folder: Path) -> dict[str, int]:
    """Write `cases`, `tests`, `evidence`, `links`, `alerts`, `refused` and `files` into `folder`; give their row counts.

    `tables` names the Parquet file of every table the queries read.
    """
    for name, path in tables.items():
        store.load(name, path)
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for name, sql in _RESULTS.items():
        path = folder / f"{name}.parquet"
        counts[name] = store.save(sql.format(as_of=f"'{arrived.as_of.isoformat()}'"), path)
    return counts


def workbook(path: Path, book: Rulebook, guide: Guide, *, results: Path, tables: Path) -> None:
    """Write the review workbook of a night from its own results and tables; names and IDs appear masked only."""
    from verify.workbook import write_review  # noqa: PLC0415 - a check of one case writes none, and has three seconds
    from verify.workbook_lines import ReviewTables  # noqa: PLC0415

    frames = {name: read_frame(results / f"{name}.parquet") for name in ("cases", "alerts", "links", "refused", "files")}
    people = read_frame(tables / "persons.parquet").select("case_id", "member_no", "name", "is_applicant", id=pl.col("ids").list.first())
    told = ReviewTables(**frames, people=people, margins=read_frame(tables / MARGINS))
    write_review(path, tables=told, book=book, guide=guide)


def page(path: Path, book: Rulebook, guide: Guide, *, results: Path, arrived: Arrived) -> None:
    """Write the night's page from its own results; nothing of a person is handed to it."""
    from verify.page import PageTables, write_page  # noqa: PLC0415

    frames = {name: read_frame(results / f"{name}.parquet") for name in ("cases", "alerts", "files")}
    write_page(path, tables=PageTables(**frames, troubles=read_frame(arrived.troubles), known=arrived.known), book=book, guide=guide)
