"""Workbooks and Parquet files of others, every cell as it is typed, behind the fence. Runs in the child only; door to fastexcel.

What comes out is an Arrow stream, which the parent reads without trusting its sizes.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import fastexcel
import polars as pl

from verify.book_rows import rows_of
from verify.fenced_child import RefusedError

COLUMN_LIMIT = 1_000
CELLS = 20_000_000
LOCKED = "EncryptedPackage".encode("utf-16-le")  # the stream in which Office keeps a workbook that has a password


def book(given: BinaryIO, out: BinaryIO, *, kind: str) -> dict[str, Any]:
    """The first sheet of a workbook (`kind`: xlsx, xls, ods) as text columns, the header in the first row.

    Empty rows at its end are no rows; `rows` counts the others, and `counted` says how many there are by another count
    (see `book_rows`; None where it cannot be told). Refuses E-PASSWORD, E-BOOK-SIZE, E-TORN.
    """
    given.seek(0)
    data = given.read()
    if kind == "xls" and LOCKED in data:
        raise RefusedError("E-PASSWORD")
    counted = rows_of(given, kind)
    try:
        cells = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string").to_polars()
    except (fastexcel.FastExcelError, ValueError, OSError) as error:
        raise RefusedError("E-PASSWORD" if "password" in str(error).lower() else "E-TORN") from None
    if cells.width > COLUMN_LIMIT or cells.width * cells.height > CELLS:
        raise RefusedError("E-BOOK-SIZE")
    read = cells.height
    filled = cells.select(~pl.all_horizontal(pl.all().is_null())).to_series().arg_true() if cells.width else pl.Series([], dtype=pl.UInt32)
    cells = cells.head(int(filled[-1]) + 1 if filled.len() else 0)
    _write(cells.rename({name: f"c{at}" for at, name in enumerate(cells.columns)}), out)
    return {"rows": read if kind == "xls" else cells.height, "counted": counted}  # an old book's texts may be empty ones


def table(given: BinaryIO, out: BinaryIO, *, first: int, most: int) -> dict[str, Any]:
    """`most` rows of a Parquet file from row `first` (0 is the first), typed as they are; `rows` of the whole. Refuses E-TORN."""
    lazy = pl.scan_parquet(f"/proc/self/fd/{given.fileno()}")  # by its number, so that it is mapped and not copied
    if len(lazy.collect_schema()) > COLUMN_LIMIT:
        raise RefusedError("E-BOOK-SIZE")
    _write(lazy.slice(first, most).collect(), out)
    return {"rows": lazy.select(pl.len()).collect().item() if first == 0 else None}


def _write(frame: pl.DataFrame, out: BinaryIO) -> None:
    try:
        frame.write_ipc_stream(out)
    except (OSError, pl.exceptions.PolarsError):
        raise RefusedError("E-PACK-SIZE") from None
