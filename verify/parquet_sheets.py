"""Parquet files of others, a part at a time, behind the fence. Runs in the child only.

What comes out is an Arrow stream, which the parent reads without trusting its sizes.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import polars as pl

from verify.fenced_child import COLUMN_LIMIT, RefusedError


def table(given: BinaryIO, out: BinaryIO, *, first: int, most: int) -> dict[str, Any]:
    """`most` rows of a Parquet file from row `first` (0 is the first), typed as they are; `rows` of the whole. Refuses E-TORN."""
    lazy = pl.scan_parquet(f"/proc/self/fd/{given.fileno()}")  # by its number, so that it is mapped and not copied
    if len(lazy.collect_schema()) > COLUMN_LIMIT:
        raise RefusedError("E-BOOK-SIZE")
    frame = lazy.slice(first, most).collect()
    try:
        frame.write_ipc_stream(out)
    except (OSError, pl.exceptions.PolarsError):
        raise RefusedError("E-PACK-SIZE") from None
    return {"rows": lazy.select(pl.len()).collect().item() if first == 0 else None}
