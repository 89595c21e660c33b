"""The narrow door to Parquet: the rows of one case as plain values, read without DuckDB and Polars.

A spot check has a second, and those two libraries take most of it to load. Row groups that cannot hold the case are
skipped by their statistics; results are ordered by case, so that one group is read of a million people's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

Record = dict[str, Any]


def rows_where(path: Path, column: str, value: str) -> list[Record]:
    """The rows of one of our Parquet files whose text `column` equals `value`, in the file's order."""
    found: list[Record] = []
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            if not _may_hold(file.metadata.row_group(group), column, value):
                continue
            same = pc.equal(file.read_row_group(group, columns=[column])[column], value)
            if pc.any(same).as_py():
                found += file.read_row_group(group).filter(same).to_pylist()
    return found


def all_rows(path: Path) -> list[Record]:
    """Every row of one of our small Parquet files (files, batches), in its order."""
    with pq.ParquetFile(path) as file:
        rows: list[Record] = file.read().to_pylist()
    return rows


def _may_hold(group: Any, column: str, value: str) -> bool:
    """Whether the value lies between the smallest and the largest of a row group."""
    for at in range(group.num_columns):
        leaf = group.column(at)
        if leaf.path_in_schema == column and leaf.statistics is not None and leaf.statistics.has_min_max:
            return bool(leaf.statistics.min <= value <= leaf.statistics.max)
    return True
