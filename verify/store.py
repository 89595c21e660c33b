"""The one door to DuckDB and to Parquet: a stage reads tables by path, works in memory, and writes ordered Parquet.

DuckDB runs in memory, locked down, without extensions; every file at rest is Parquet written here by pyarrow, encrypted
(AES-256-GCM, a key a file: `keys.py`). pyarrow decrypts as well, while DuckDB scans, column by column: DuckDB 2.0.0
itself fails on every filter it pushes into such a file and on every list (tests/test_encryption.py), and costs no less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pa_dataset

from verify.keys import ring_of
from verify.problems import IntegrityError, Problem
from verify.store_files import read_table, small_table, tables_into, tables_of, tables_where, write_groups
from verify.store_held import held_at
from verify.store_rows import opened, tables_at, telling_damage, unlocked

ROWS_PER_GROUP = 16_384  # of a night's tables: a look at one case decodes one group of each (a quarter of the time of 122,880, measured)
_SCAN_FAILED = re.compile(r"the stream registered as '(sealed_\d+)' failed: IOError: Failed decryption")
FEW = 4_096  # rows of a file that are rather held than read anew by each statement: a scan of any file costs some milliseconds
# What DuckDB does to a plan before it runs, and what spares nothing where there are few rows: a twentieth of what one case
# again costs, counted in instructions. What stays makes joins of products and leaves out columns that nobody reads.
FOR_MANY_ROWS = (
    *("aggregate_reuse", "build_side_probe_side", "column_lifetime", "common_aggregate", "common_subexpressions", "common_subplan"),
    *("compressed_materialization", "cte_filter_pusher", "duplicate_groups", "grouping_sets", "in_clause", "join_elimination"),
    *("join_filter_pushdown", "join_order", "late_materialization", "partial_aggregate_pushdown", "partitioned_execution"),
    *("projection_placement", "redundant_order_keys", "regex_range", "remote_pushdown", "row_group_pruner", "sampling_pushdown"),
    *("statistics_propagation", "top_n_window_elimination", "window_self_join"),
)


class Store:
    """Named tables in one in-memory DuckDB. Not shared between threads; closed by `open_store`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, few_rows: bool = False) -> None:
        self._connection = connection
        # A relation hands on rows as they come, but is planned twice; few rows are rather copied.
        self._result: Callable[..., Any] = connection.execute if few_rows else lambda sql, values=None: connection.sql(sql, params=values)
        self._sources: dict[str, Path] = {}  # the files that SQL has a name for, by that name
        self._named: dict[tuple[Path, int, int], str] = {}

    def run(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """Run one statement and drop its result."""
        self.rows(sql, values)

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query. For counts and small look-ups, not for tables."""
        with _telling_damage(self._sources):
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """The single value of a query with one row and one column."""
        ((value,),) = self.rows(sql, values)
        return value

    def table(self, name: str, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> int:
        """Make the table `name` from a query, in place of one that may be there; how many rows it has."""
        return int(self.one(f'CREATE OR REPLACE TABLE "{name}" AS {sql}', values))

    def source(self, path: Path) -> str:
        """One Parquet file of ours as SQL may name it behind FROM; a small one is decrypted once. Raises IntegrityError: E-KEY-…, E-SEAL-…."""
        kept = held_at(path)
        at = path.stat()
        this = (path, at.st_ino, at.st_mtime_ns) if kept is None else (path, id(kept.table), 0)  # a file written anew is another one
        if this not in self._named:
            name = self._named[this] = f"sealed_{len(self._named)}"
            held = small_table(path, FEW) if kept is None else kept.table
            self._connection.register(name, _dataset(path) if held is None else held)
            self._sources[name] = path
        return self._named[this]

    def load(self, name: str, what: Path | pl.DataFrame, *, whole: bool = True) -> None:
        """Make the table `name` from a frame or from one Parquet file of ours; not `whole`: a view, read where it lies when it is asked."""
        if isinstance(what, pl.DataFrame):
            self._connection.register("held", what.to_arrow(compat_level=pl.CompatLevel.oldest()))
            self.table(name, "FROM held")
            self._connection.unregister("held")
            return
        self.run(f'CREATE OR REPLACE {"TABLE" if whole else "VIEW"} "{name}" AS FROM {self.source(what)}')

    def frame(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The result of a query as a Polars frame. Order by something total first."""
        with _telling_damage(self._sources):
            frame = pl.from_arrow(self._result(sql, values).to_arrow_table())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def save(self, sql: str, path: Path) -> int:
        """Write an ordered query as one Parquet file, a row group at a time; the file appears whole or not at all.

        Returns how many rows it has.
        """
        with _telling_damage(self._sources):
            groups = self._result(sql).to_arrow_reader(ROWS_PER_GROUP)
            return write_groups(groups.schema, (pa.Table.from_batches([group]) for group in groups), path)


def _dataset(path: Path) -> Any:
    """A file as pyarrow scans it for DuckDB, column by column, decrypted."""
    with telling_damage(path):
        how = pa_dataset.ParquetFragmentScanOptions(decryption_properties=unlocked(path))
        return pa_dataset.dataset(path, format=pa_dataset.ParquetFileFormat(default_fragment_scan_options=how))


@contextmanager
def _telling_damage(sources: Mapping[str, Path]) -> Iterator[None]:
    """What a scan says through DuckDB of bytes that are not those that were written. Raises IntegrityError (E-SEAL-BROKEN)."""
    try:
        yield
    except duckdb.InvalidInputException as error:
        named = _SCAN_FAILED.search(str(error))
        if named is None or named[1] not in sources:
            raise
        path = sources[named[1]]
        raise IntegrityError(Problem("E-SEAL-BROKEN", ring_of(path).name_of(path))) from None


@contextmanager
def open_store(work: Path, threads: int = 2, memory: str = "4GB", *, few_rows: bool = False) -> Iterator[Store]:
    """A locked-down in-memory DuckDB that may read and write below `work` only and spill into `work/spill`.

    Where there are `few_rows`, of a case or two, it looks less long for the best way to go about them.
    """
    spill = work / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:")
    settings = (
        f"SET threads={int(threads)}",
        f"SET memory_limit={quoted(memory)}",
        f"SET temp_directory={quoted(str(spill))}",
        "SET enable_progress_bar=false",
        "SET TimeZone='UTC'",
        "SET preserve_insertion_order=true",
        f"SET disabled_optimizers={quoted(','.join(FOR_MANY_ROWS) if few_rows else '')}",
        "SET autoinstall_known_extensions=false",
        "SET autoload_known_extensions=false",
        "SET allow_community_extensions=false",
        f"SET allowed_directories=[{quoted(str(work) + '/')}]",
        "SET python_enable_replacements=false",
        "SET enable_external_access=false",
        "SET lock_configuration=true",  # must come last: nothing can be set after it
    )
    connection.execute(";".join(settings))
    try:
        with catch_warnings(action="ignore" if few_rows else None, category=UserWarning):  # of few rows DuckDB warns that it copies them
            yield Store(connection, few_rows=few_rows)
    finally:
        connection.close()
        for left in sorted(spill.glob("*")):
            left.unlink()
        spill.rmdir()


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def write_frame(frame: pl.DataFrame, path: Path, *, durable: bool = False) -> None:
    """Write a frame as Parquet with the one set of options, through a `.part` file and a rename; `durable`: on disk."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    write_groups(table.schema, [table], path, durable=durable)


def rows_in(path: Path) -> int:
    """How many rows one Parquet file of ours has. Raises IntegrityError: E-KEY-…, E-SEAL-…."""
    with opened(path) as file:
        return int(file.metadata.num_rows)


def largest_in(path: Path) -> dict[str, int]:
    """The largest whole number, of either sign, in each column of one Parquet file of ours; from what was noted as it was written, no row is read.

    Columns of other things, or of which nothing was noted, are left out. Raises IntegrityError: E-KEY-…, E-SEAL-….
    """
    found: dict[str, list[Any]] = {}
    with opened(path) as file:
        for group in map(file.metadata.row_group, range(file.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                noted = column.statistics
                empty = noted is not None and noted.null_count == group.num_rows
                told = [0] if empty else [noted.min, noted.max] if noted is not None and noted.has_min_max else [None]
                found.setdefault(column.path_in_schema, []).extend(told)
    return {name: max(map(abs, ends)) for name, ends in found.items() if all(type(end) is int for end in ends)}


@contextmanager
def frames_into(path: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Write frames of one schema as one file of ours, one behind the other; at least one. It appears whole at the end, or not at all."""
    with tables_into(path) as write:
        yield lambda frame: write(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


def read_frame(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """One Parquet file of ours as a frame; all of it or these columns. Raises IntegrityError: E-KEY-…, E-SEAL-…."""
    return _as_frame(read_table(path, columns))


def frames_of(path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[pl.DataFrame]:
    """These columns (None: all) of one Parquet file of ours, so many rows at a time; at least one frame. Raises IntegrityError: E-KEY-…, E-SEAL-…."""
    for table in tables_of(path, columns, rows):
        yield _as_frame(table)


def frames_where(path: Path, column: str, values: pl.Series, others: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """The rows of one Parquet file of ours whose `column` has one of these values; at least one frame. Raises IntegrityError: E-KEY-…, E-SEAL-….

    All their columns, or `column` and these `others`.
    """
    for table in tables_where(path, column, values.to_arrow(compat_level=pl.CompatLevel.oldest()), others):
        yield _as_frame(table)


def frame_at(path: Path, places: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
    """These columns of the rows of one Parquet file of ours at some places, counted from 0 and in order. Raises IntegrityError: E-KEY-…, E-SEAL-…."""
    return pl.concat(map(_as_frame, tables_at(path, places.to_list(), columns)))


def _as_frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table.select([field.name for field in table.schema if not pa.types.is_dictionary(field.type)]))
    assert isinstance(frame, pl.DataFrame)
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            frame.insert_column(at, _unfolded(table[field.name]).alias(field.name))
    return frame


def _unfolded(texts: pa.ChunkedArray) -> pl.Series:
    """A folded column as text: which of the distinct values each row has."""
    parts = [pl.Series(part.dictionary).gather(pl.Series(part.indices)) for part in texts.chunks]
    return pl.concat(parts) if parts else pl.Series([], dtype=pl.String)


def statements(path: Path) -> dict[str, str]:
    """The named statements of an `.sql` file beside a stage: each begins with a line `-- name: <name>`."""
    found: dict[str, str] = {}
    for part in path.read_text(encoding="utf-8").split("-- name: ")[1:]:
        name, _, sql = part.partition("\n")
        found[name.strip()] = sql.strip()
    return found
