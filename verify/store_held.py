"""Small files of a passing folder, held in memory: one case that is worked out again leaves a hundred of them for a moment.

To encode, encrypt and read them back cost more than most of the work on them. On disk each is an empty file of its name,
so that what asks whether a file is there is answered as everywhere; nothing of its rows is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MOST = 16_384  # rows; a larger file is written, encrypted, as everywhere else
_FOLDERS: set[Path] = set()
_HELD: dict[Path, HeldFile] = {}


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold what small files are written below a folder, until the end."""
    _FOLDERS.add(folder)
    try:
        yield
    finally:
        _FOLDERS.discard(folder)
        for path in [path for path in _HELD if folder in path.parents]:
            del _HELD[path]


def is_passing(path: Path) -> bool:
    """Whether a file stands below a folder whose small files are held."""
    return bool(_FOLDERS) and not _FOLDERS.isdisjoint(path.parents)


def hold(path: Path, table: pa.Table) -> int:
    """Hold a table as the file of this name; how many rows it has."""
    path.touch(mode=0o600)
    _HELD[path] = HeldFile(table)
    return int(table.num_rows)


def held_at(path: Path) -> HeldFile | None:
    """The file of this name, if it is held."""
    return _HELD.get(path)


def let_go(path: Path) -> None:
    """Hold a file no longer: it is written to disk."""
    _HELD.pop(path, None)


@dataclass(frozen=True)
class HeldFile:
    """A table that answers as `pyarrow.parquet.ParquetFile` does: one row group."""

    table: pa.Table
    num_row_groups = 1

    @property
    def schema_arrow(self) -> pa.Schema:
        """The columns and their types."""
        return self.table.schema

    @property
    def metadata(self) -> HeldShape:
        """What is known of the file without its rows."""
        return HeldShape(self.table)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All of it, or these columns."""
        return self.table if columns is None else self.table.select(list(columns))

    def read_row_group(self, _at: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The one group there is."""
        return self.read(columns)

    def read_row_groups(self, _groups: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """The one group there is."""
        return self.read(columns)


@dataclass(frozen=True)
class HeldShape:
    """A table that answers as the description of a Parquet file does, and as that of its one row group."""

    table: pa.Table

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return int(self.table.num_rows)

    @property
    def num_columns(self) -> int:
        """How many columns there are."""
        return int(self.table.num_columns)

    def row_group(self, _at: int) -> HeldShape:
        """What is known of the one group."""
        return self

    def column(self, at: int) -> HeldColumn:
        """What is known of a column."""
        return HeldColumn(self.table.schema.field(at).name, self.table.column(at))


@dataclass(frozen=True)
class HeldColumn:
    """A column that answers as the description of a column chunk does, and as its statistics."""

    path_in_schema: str
    values: pa.ChunkedArray

    @property
    def statistics(self) -> HeldColumn | None:
        """The column's smallest and largest value, and how many it lacks; of no rows and of lists nothing is noted."""
        return self if len(self.values) and not pa.types.is_nested(self.values.type) else None

    @property
    def null_count(self) -> int:
        """How many rows have no value."""
        return int(self.values.null_count)

    @property
    def has_min_max(self) -> bool:
        """Whether there is a value."""
        return self.min is not None

    @property
    def min(self) -> Any:
        """The smallest value."""
        return self._ends["min"].as_py()

    @property
    def max(self) -> Any:
        """The largest value."""
        return self._ends["max"].as_py()

    @cached_property
    def _ends(self) -> Any:
        return pc.min_max(self.values)
