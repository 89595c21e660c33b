"""Workbooks of others, every cell as it is typed, behind the fence. Runs in the child only; door to fastexcel.

What comes out is an Arrow stream, which the parent reads without trusting its sizes.
"""

from __future__ import annotations

import importlib
import io
import sys
from typing import Any, BinaryIO

if "numpy" not in sys.modules:
    sys.modules["numpy"] = None  # type: ignore[assignment]  # pyarrow does without it, and starts in a third of the time
import pyarrow as pa

from verify.book_rows import is_long, rows_of
from verify.fenced_child import COLUMN_LIMIT, RefusedError

CELLS = 20_000_000
LOCKED = "EncryptedPackage".encode("utf-16-le")  # the stream in which Office keeps a workbook that has a password


def book(given: BinaryIO, out: BinaryIO, *, kind: str) -> dict[str, Any]:
    """The first sheet of a workbook (`kind`: xlsx, xls, ods) as text columns, the header in the first row.

    `counted`: how many rows there are from the first with a value to the last, by another count (see `book_rows`; None where
    it cannot be told). Refuses E-PASSWORD, E-BOOK-SIZE, E-PACK-SIZE, E-TORN.
    """
    found = _plain(given) if kind == "xlsx" else None
    cells, counted = found or (_any(given, kind), rows_of(given, kind))
    _write(cells.rename_columns([f"c{at}" for at in range(cells.num_columns)]), out)
    return {"counted": counted}


def _plain(given: BinaryIO) -> tuple[pa.RecordBatch, int | None] | None:
    """A long book by the quick reader; None where it is short, or left to the other."""
    if not is_long(given):
        return None
    if sys.modules.get("numpy", sys) is None:
        del sys.modules["numpy"]
    found: tuple[pa.RecordBatch, int | None] | None = importlib.import_module("verify.plain_books").plain_book(given, _fit)
    return found


def _any(given: BinaryIO, kind: str) -> pa.RecordBatch:
    """By the reader that knows all forms."""
    given.seek(0)
    data = given.read()
    if kind == "xls" and LOCKED in data:
        raise RefusedError("E-PASSWORD")
    import fastexcel  # noqa: PLC0415 - seldom needed beside the quick reader

    try:
        sheet = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string")
        _fit(sheet.width, sheet.height)
        return pa.record_batch(sheet)
    except (fastexcel.FastExcelError, ValueError, OSError) as error:
        raise RefusedError("E-PASSWORD" if "password" in str(error).lower() else "E-TORN") from None


def _fit(width: int, height: int) -> None:
    if width > COLUMN_LIMIT or width * height > CELLS:
        raise RefusedError("E-BOOK-SIZE")


def _write(cells: pa.RecordBatch, out: BinaryIO) -> None:
    """Raises RefusedError (E-PACK-SIZE) where it is longer than it may be."""
    whole = io.BufferedWriter(out)  # what takes a part at a time is written to until it has all
    try:
        with pa.ipc.new_stream(whole, cells.schema) as stream:
            stream.write_batch(cells)
        whole.flush()
    except OSError:
        raise RefusedError("E-PACK-SIZE") from None
    whole.detach()
