"""The narrow door to Parquet: the rows of one case as plain values, read without DuckDB and Polars.

A spot check has a second, and those two libraries take most of it to load. Row groups that cannot hold the case are
skipped by their statistics; results are ordered by case, so that one group is read of a million people's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from verify.keys import data_key, ring_of
from verify.problems import IntegrityError, Problem
from verify.store_held import HeldFile, held_at

Record = dict[str, Any]
_ENCRYPTED = b"PARE"


def unlocked(path: Path) -> Any:
    """What pyarrow needs to read one of our files. Raises IntegrityError: E-KEY-…, E-SEAL-…; FileNotFoundError."""
    key = data_key(path)
    with path.open("rb") as file:
        if file.read(4) != _ENCRYPTED:  # pyarrow looks at the mark at the end only
            raise IntegrityError(Problem("E-SEAL-BROKEN", ring_of(path).name_of(path)))
    return pe.create_decryption_properties(key)


@contextmanager
def opened(path: Path, folded: Sequence[str] = ()) -> Iterator[pq.ParquetFile | HeldFile]:
    """One of our Parquet files, decrypted as it is read, or held, in a passing folder.

    `folded` text columns come as their distinct values and which of them each row has, but of a held file.
    Raises IntegrityError: E-SEAL-BROKEN where its bytes are not those that were written; E-KEY-…, E-SEAL-… for its key.
    """
    held = held_at(path)
    if held is not None:
        yield held
        return
    with telling_damage(path), pq.ParquetFile(path, decryption_properties=unlocked(path), read_dictionary=folded) as file:
        yield file


@contextmanager
def opened_folded(path: Path) -> Iterator[pq.ParquetFile | HeldFile]:
    """The same, every text column folded that lies so in the file: a fifth of the time of unfolding it (measured). Raises as `opened`."""
    with opened(path) as file:
        folded = [] if isinstance(file, HeldFile) else _folded(file)
        if not folded:
            yield file
            return
    with opened(path, folded) as file:
        yield file


def _folded(file: pq.ParquetFile) -> list[str]:
    """The text columns that lie folded in a file, by its first row group."""
    columns = [file.metadata.row_group(0).column(at) for at in range(file.metadata.num_columns)] if file.num_row_groups else []
    return [column.path_in_schema for column in columns if column.has_dictionary_page and column.physical_type == "BYTE_ARRAY"]


@contextmanager
def telling_damage(path: Path) -> Iterator[None]:
    """What pyarrow says of a file of ours whose bytes are not those that were written. Raises IntegrityError (E-SEAL-BROKEN)."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's trouble, not the file's
        raise IntegrityError(Problem("E-SEAL-BROKEN", ring_of(path).name_of(path))) from None


def rows_where(path: Path, column: str, value: str) -> list[Record]:
    """The rows of one of our Parquet files whose text `column` equals `value`, in the file's order."""
    found: list[Record] = []
    with opened(path) as file:
        for group in range(file.num_row_groups):
            if not _may_hold(file.metadata.row_group(group), column, value):
                continue
            same = pc.equal(file.read_row_group(group, columns=[column])[column], value)
            if pc.any(same).as_py():
                found += file.read_row_group(group).filter(same).to_pylist()
    return found


def is_in(path: Path, column: str, value: str) -> bool:
    """Whether a text `column` of one of our Parquet files has this value; no other column is read."""
    with opened(path) as file:
        groups = (at for at in range(file.num_row_groups) if _may_hold(file.metadata.row_group(at), column, value))
        return any(pc.any(pc.equal(file.read_row_group(at, columns=[column])[column], value)).as_py() for at in groups)


def rows_by(path: Path, column: str, values: Sequence[str]) -> dict[str, list[Record]]:
    """The rows of one of our Parquet files for each of many values of a text `column`, in the file's order; `values` ordered."""
    found: dict[str, list[Record]] = {value: [] for value in values}
    with opened(path) as file:
        for group in range(file.num_row_groups):
            held = range_of(file.metadata.row_group(group), column)
            if held is not None and not any(held[0] <= value <= held[1] for value in values):
                continue
            table = file.read_row_group(group)
            for row in table.filter(pc.is_in(table[column], value_set=pa.array(values, pa.string()))).to_pylist():
                found[row[column]].append(row)
    return found


def all_rows(path: Path) -> list[Record]:
    """Every row of one of our small Parquet files (files, batches), in its order."""
    with opened(path) as file:
        rows: list[Record] = file.read().to_pylist()
    return rows


def tables_at(path: Path, places: Sequence[int], columns: Sequence[str]) -> Iterator[pa.Table]:
    """These columns of the rows at some places, counted from 0 and in order, of each row group that has any; at least one table. Texts are perhaps folded."""
    with opened_folded(path) as file:
        yield pa.schema([file.schema_arrow.field(name) for name in columns]).empty_table()
        first = 0
        for group in range(file.num_row_groups):
            last = first + file.metadata.row_group(group).num_rows
            here = places[bisect_left(places, first) : bisect_left(places, last)]
            if here:
                yield file.read_row_group(group, list(columns)).take([place - first for place in here])
            first = last


def _may_hold(group: Any, column: str, value: str) -> bool:
    """Whether the value lies between the smallest and the largest of a row group."""
    held = range_of(group, column)
    return held is None or bool(held[0] <= value <= held[1])


def range_of(group: Any, column: str) -> tuple[Any, Any] | None:
    """The smallest and the largest value of a column in a row group, where the file says so."""
    for at in range(group.num_columns):
        leaf = group.column(at)
        if leaf.path_in_schema == column and leaf.statistics is not None and leaf.statistics.has_min_max:
            return leaf.statistics.min, leaf.statistics.max
    return None
