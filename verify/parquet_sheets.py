"""Parquet files of others, a part at a time, behind the fence. Runs in the child only.

What comes out is an Arrow stream, which the parent reads without trusting its sizes.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from verify.fenced_child import COLUMN_LIMIT, RefusedError


def table(given: BinaryIO, out: BinaryIO, *, first: int, most: int) -> dict[str, Any]:
    """`most` rows of a Parquet file from row `first` (0 is the first), typed as they are; `rows` of the whole.

    Where a text is not UTF-8 the texts of this part come as bytes. Refuses E-BOOK-SIZE, E-PACK-SIZE, E-TORN.
    """
    lazy = pl.scan_parquet(f"/proc/self/fd/{given.fileno()}")  # by its number, so that it is mapped and not copied
    if len(lazy.collect_schema()) > COLUMN_LIMIT:
        raise RefusedError("E-BOOK-SIZE")
    try:
        frame = lazy.slice(first, most).collect()
    except pl.exceptions.ComputeError as error:
        if "UTF-8" not in str(error):
            raise
        frame = _in_bytes(given, first, most)
    try:
        frame.write_ipc_stream(out)
    except (OSError, pl.exceptions.PolarsError):
        raise RefusedError("E-PACK-SIZE") from None
    return {"rows": lazy.select(pl.len()).collect().item() if first == 0 else None}


def _in_bytes(given: BinaryIO, first: int, most: int) -> pl.DataFrame:
    """The same rows, their texts as bytes: Polars reads no text that is not UTF-8, not even to tell which it is."""
    with pq.ParquetFile(given) as file:
        parts, start = [], 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            if start < first + most and end > first:
                parts.append(file.read_row_group(group).slice(max(0, first - start), first + most - max(start, first)))
            start = end
        rows = pa.concat_tables(parts)
    columns = {name: _bytes_of(column) for name, column in zip(rows.column_names, rows.columns, strict=True)}
    return pl.DataFrame({name: pl.Series(name, column) for name, column in columns.items()})


def _bytes_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    texts = pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    if not texts and pa.types.is_nested(column.type):
        raise RefusedError("E-TORN")
    return column.cast(pa.large_binary()) if texts else column
