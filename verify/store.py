"""The one door to DuckDB and to Parquet: a stage reads tables by path, works in memory, and writes ordered Parquet.

DuckDB runs in memory, locked down, without extensions; every file at rest is Parquet written here by pyarrow with the
settings under which DuckDB can read it encrypted (design §5), so that encryption later changes this module alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

ROWS_PER_PAGE = 122_880  # one data page a column chunk: DuckDB 2.0 reads encrypted Parquet only then (tried)
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


class Store:
    """Named tables in one in-memory DuckDB. Not shared between threads; closed by `open_store`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """Run one statement and drop its result."""
        self._connection.execute(sql, values).fetchall()

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query. For counts and small look-ups, not for tables."""
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """The single value of a query with one row and one column."""
        ((value,),) = self.rows(sql, values)
        return value

    def table(self, name: str, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """Make the table `name` from a query, in place of one that may be there."""
        self.run(f'CREATE OR REPLACE TABLE "{name}" AS {sql}', values)

    def load(self, name: str, path: Path) -> None:
        """Make the table `name` from one Parquet file of ours."""
        self.run(f"""CREATE OR REPLACE TABLE "{name}" AS FROM read_parquet({quoted(str(path))})""")

    def view(self, name: str, path: Path) -> None:
        """Name one Parquet file of ours without reading it into memory."""
        self.run(f"""CREATE OR REPLACE VIEW "{name}" AS FROM read_parquet({quoted(str(path))})""")

    def frame(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The result of a query as a Polars frame. Order by something total first."""
        frame = pl.from_arrow(self._connection.sql(sql, params=values).to_arrow_table())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def save(self, sql: str, path: Path) -> None:
        """Write an ordered query as one Parquet file, a row group at a time; the file appears whole or not at all."""
        groups = self._connection.sql(sql).to_arrow_reader(ROWS_PER_PAGE)
        _write_groups(groups.schema, (pa.Table.from_batches([group]) for group in groups), path)


@contextmanager
def open_store(work: Path, threads: int = 2, memory: str = "4GB") -> Iterator[Store]:
    """A locked-down in-memory DuckDB that may read and write below `work` only and spill into `work/spill`."""
    spill = work / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:")
    for statement in (
        f"SET threads={int(threads)}",
        f"SET memory_limit={quoted(memory)}",
        f"SET temp_directory={quoted(str(spill))}",
        "SET enable_progress_bar=false",
        "SET TimeZone='UTC'",
        "SET preserve_insertion_order=true",
        "SET autoinstall_known_extensions=false",
        "SET autoload_known_extensions=false",
        "SET allow_community_extensions=false",
        f"SET allowed_directories=[{quoted(str(work) + '/')}]",
        "SET python_enable_replacements=false",
        "SET enable_external_access=false",
        "SET lock_configuration=true",  # must come last: nothing can be set after it
    ):
        connection.execute(statement)
    try:
        yield Store(connection)
    finally:
        connection.close()
        for left in sorted(spill.glob("*")):
            left.unlink()
        spill.rmdir()


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as Parquet with the one set of options, through a `.part` file and a rename."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    _write_groups(table.schema, [table], path)


@contextmanager
def frames_into(path: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Write frames of one schema as one Parquet file, one behind the other; at least one. It appears whole at the end, or not at all."""
    part = path.with_name(path.name + ".part")
    with ExitStack() as opened:
        opened.callback(part.unlink, missing_ok=True)
        writers: list[pq.ParquetWriter] = []

        def write(frame: pl.DataFrame) -> None:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            if not writers:
                writers.append(opened.enter_context(pq.ParquetWriter(part, table.schema, **PARQUET)))
            writers[0].write_table(table, row_group_size=ROWS_PER_PAGE)

        yield write
        writers[0].close()
        part.replace(path)


def _write_groups(schema: pa.Schema, tables: Iterable[pa.Table], path: Path) -> None:
    part = path.with_name(path.name + ".part")
    with pq.ParquetWriter(part, schema, **PARQUET) as file:
        for table in tables:
            file.write_table(table, row_group_size=ROWS_PER_PAGE)
    part.replace(path)


def read_frame(path: Path) -> pl.DataFrame:
    """One Parquet file of ours as a frame."""
    frame = pl.from_arrow(pq.read_table(path))
    assert isinstance(frame, pl.DataFrame)
    return frame


def digest_of(path: Path) -> str:
    """SHA-256 over the plain, ordered rows of a Parquet file of ours, as CSV text: what `manifest.json` records."""
    table = pq.read_table(path)
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


def statements(path: Path) -> dict[str, str]:
    """The named statements of an `.sql` file beside a stage: each begins with a line `-- name: <name>`."""
    found: dict[str, str] = {}
    for part in path.read_text(encoding="utf-8").split("-- name: ")[1:]:
        name, _, sql = part.partition("\n")
        found[name.strip()] = sql.strip()
    return found
