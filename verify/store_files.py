"""Parquet files as they lie on disk: encrypted, each under a key of its own, written whole or not at all.

One set of options for everything that is written; a file in clear is written in one place, for other programs.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from verify.key_files import SIZE
from verify.keys import keep_key, ring_of, write_line
from verify.settings import sync_folder
from verify.store_held import MOST, hold, is_passing, let_go
from verify.store_rows import opened, opened_folded, range_of

ROWS_PER_PAGE = 122_880  # one data page a column chunk: DuckDB 2.0.0 itself can scan encrypted Parquet only then (tried)
PARQUET: Mapping[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": False,
    "data_page_version": "1.0",
    "write_batch_size": ROWS_PER_PAGE,
    "max_rows_per_page": ROWS_PER_PAGE,
    "data_page_size": 256 * 1024 * 1024,
    "store_schema": False,
}
LOOKED_AT = 4_096  # rows by which is chosen how a column of a long file is written


def write_groups(schema: pa.Schema, tables: Iterable[pa.Table], path: Path, *, durable: bool = False) -> int:
    """Write an encrypted file: its data first, under a name nobody reads, then its wrapped key, then its own name. A small one of a passing folder is held."""
    if is_passing(path):
        few, tables = _at_most(MOST, tables)
        if few is not None:
            return hold(path, pa.concat_tables(few) if few else schema.empty_table())
        let_go(path)
    part, key = path.with_name(path.name + ".part"), secrets.token_bytes(SIZE)
    rows = _write_part(schema, tables, part, key)
    if durable:
        _sync(part)
    keep_key(path, key, durable=durable)
    part.replace(path)
    if durable:
        sync_folder(path.parent)
    return rows


def _at_most(rows: int, tables: Iterable[pa.Table]) -> tuple[list[pa.Table] | None, Iterable[pa.Table]]:
    """All tables, if they have no more than so many rows together; else None. And what yields all of them."""
    taken: list[pa.Table] = []
    coming = iter(tables)
    for table in coming:
        taken.append(table)
        if sum(one.num_rows for one in taken) > rows:
            return None, chain(taken, coming)
    return taken, taken


@contextmanager
def tables_into(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Write tables of one schema as one encrypted file, one behind the other; at least one. It is on disk and appears whole at the end, or not at all."""
    part, key = path.with_name(path.name + ".part"), secrets.token_bytes(SIZE)
    let_go(path)
    with ExitStack() as opened_files:
        opened_files.callback(part.unlink, missing_ok=True)
        writers: list[pq.ParquetWriter] = []

        def write(table: pa.Table) -> None:
            if not writers:
                lock = pe.create_encryption_properties(key)
                writers.append(opened_files.enter_context(pq.ParquetWriter(part, table.schema, encryption_properties=lock, **_fit_for(table))))
            writers[0].write_table(table, row_group_size=ROWS_PER_PAGE)

        yield write
        writers[0].close()
        _sync(part)
        keep_key(path, key, durable=True)
        part.replace(path)
        sync_folder(path.parent)


def _fit_for(table: pa.Table) -> dict[str, Any]:
    """The options for a long file that begins with this table: two thirds of the bytes and four fifths of the time of the one set (measured).

    Values that repeat are written once a row group, other numbers and days as what they differ by, and what is left of both is pressed by lz4:
    zstd leaves a thirtieth less of all and takes a twenty-fifth of all reading. Of texts no least and greatest is noted, for nothing asks for
    them. Only pyarrow reads it.
    """
    plain = [field.name for field in table.schema if not pa.types.is_nested(field.type) and not pa.types.is_boolean(field.type)]
    texts = {field.name for field in table.schema if pa.types.is_large_string(field.type) or pa.types.is_string(field.type)}
    head = pl.DataFrame(table.slice(0, LOOKED_AT))
    repeated = [name for name in plain if head[name].n_unique() * 2 <= head.height]
    apart = dict.fromkeys((name for name in plain if name not in repeated and name not in texts), "DELTA_BINARY_PACKED")
    pressed = {name: "zstd" if name in texts and name not in repeated else "lz4" for name in plain}
    pressed |= dict.fromkeys((leaf for leaf in _leaves(table.schema) if leaf not in pressed), "zstd")
    level = {name: 1 for name, codec in pressed.items() if codec == "zstd"}
    noted = [name for name in plain if name not in texts]
    return {**PARQUET, "compression": pressed, "compression_level": level, "use_dictionary": repeated, "column_encoding": apart, "write_statistics": noted}


def _leaves(schema: pa.Schema) -> list[str]:
    """The columns as Parquet names them: of a list its elements."""
    return [f"{field.name}.list.element" if pa.types.is_nested(field.type) else field.name for field in schema]


def _write_part(schema: pa.Schema, tables: Iterable[pa.Table], part: Path, key: bytes | None) -> int:
    rows, lock = 0, pe.create_encryption_properties(key) if key else None
    with pq.ParquetWriter(part, schema, encryption_properties=lock, **PARQUET) as file:
        for table in tables:
            file.write_table(table, row_group_size=ROWS_PER_PAGE)
            rows += table.num_rows
    return rows


def write_plain(path: Path, to: Path) -> None:
    """Copy one of our files in clear to a folder of somebody else's; it appears whole or not at all."""
    part = to.with_name(to.name + ".part")
    with opened(path) as file:
        _write_part(file.schema_arrow, (file.read_row_group(at) for at in range(file.num_row_groups)), part, None)
    part.replace(to)


def is_plain(path: Path) -> bool:
    """Whether a Parquet file is in clear, as programs before this one wrote them."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def seal_plain(path: Path) -> None:
    """Encrypt a file that an older program wrote in clear, in its place. The rows stay; a crash leaves the old or the new one."""
    part, key = path.with_name(path.name + ".part"), secrets.token_bytes(SIZE)
    with pq.ParquetFile(path) as file:
        _write_part(file.schema_arrow, (file.read_row_group(at) for at in range(file.num_row_groups)), part, key)
    _sync(part)
    write_line(ring_of(path), path, key, durable=True)
    part.replace(path)
    sync_folder(path.parent)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """One file of ours, decrypted; all of it or these columns. Raises IntegrityError: E-KEY-…, E-SEAL-….

    Its texts are never folded: who holds whole columns works on them, and that costs twice where they point into the
    dictionaries of many row groups (one case again among a million people: 41 CPU s and 6.0 GB against 24 and 3.4).
    """
    with opened(path) as file:
        return file.read(columns)


def small_table(path: Path, most: int) -> pa.Table | None:
    """One file of ours, decrypted, if it has no more than so many rows. Raises IntegrityError: E-KEY-…, E-SEAL-…."""
    with opened(path) as file:
        return file.read() if file.metadata.num_rows <= most else None


def tables_of(path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
    """These columns (None: all) of one file of ours, whole row groups of about so many rows at a time, texts perhaps folded; at least one table."""
    with opened_folded(path) as file:
        groups = file.num_row_groups
        step = max(1, rows // max(1, file.metadata.row_group(0).num_rows)) if groups else 1
        if not groups:
            yield file.read(columns)
        for first in range(0, groups, step):
            yield file.read_row_groups(list(range(first, min(first + step, groups))), columns)


def tables_where(path: Path, column: str, values: pa.Array, others: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of one file of ours whose `column` has one of these values, of each row group that has any; at least one table.

    Rows as they stand, or `column` and these `others` of them, which are read only where a row is wanted; nothing of a row
    group that by its least and greatest has none. Texts are perhaps folded.
    """
    with opened_folded(path) as file:
        schema = file.schema_arrow
        rest = [name for name in (schema.names if others is None else others) if name != column]
        yield pa.schema([schema.field(name) for name in (column, *rest)]).empty_table()
        few = sorted(set(values.drop_null().to_pylist()))
        for group in range(file.num_row_groups):
            held = range_of(file.metadata.row_group(group), column)
            if held is not None and bisect_left(few, held[0]) == bisect_right(few, held[1]):
                continue  # none of them lies between the least and the greatest
            told = file.read_row_group(group, [column])[column]
            wanted = _is_in(told, values)
            if pc.any(wanted).as_py():
                yield file.read_row_group(group, rest).add_column(0, schema.field(column), told).filter(wanted)


def _is_in(told: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Whether each row has one of these values; NULL, or no, where it has none."""
    if not pa.types.is_dictionary(told.type):
        return pc.is_in(told, values.cast(told.type))
    return pa.chunked_array([pc.take(pc.is_in(part.dictionary, values.cast(told.type.value_type)), part.indices) for part in told.chunks], pa.bool_())


def digest_of(path: Path) -> str:
    """SHA-256 over the plain, ordered rows of a Parquet file of ours, as CSV text: what `manifest.json` records."""
    with opened(path) as file:
        table = file.read()
    for at, column in enumerate(table.schema):
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            joined = pl.Series(table.column(at)).list.join("\x1f").to_arrow()
            table = table.set_column(at, column.name, joined)
    sink = _HashSink()
    pa_csv.write_csv(table, pa.PythonFile(sink, mode="w"))
    return sink.hash.hexdigest()


class _HashSink:
    """A file that keeps only the SHA-256 of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept, so nothing is to be flushed."""

    def close(self) -> None:
        self.closed = True
