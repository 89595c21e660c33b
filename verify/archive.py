"""Every accepted batch once, typed, by the hash of its file and of the layout it was read with. Written once, never changed.

A batch is five Parquet files: `<name>.parquet` (kept rows), `.refused.parquet`, `.warnings.parquet`, `.counts.parquet`,
`.profile.parquet` (the figures that the drift guards compare); and `.lasts.parquet` where a row of one piece of the file is
said again in a later piece; and beside them what its rows say of people (`faces`). Each lies encrypted, with its wrapped
key beside it. The kept rows appear last, and every file is on disk before the next appears: a batch whose kept rows are
there is whole, after a power cut too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from verify.rule_extracts import Extract
from verify.store import frames_into, read_frame, write_frame

READER = "4"  # raise it when the same bytes would be read into other rows, so that they are read anew
LAYOUT = {"extract", "format", "encoding", "delimiter", "records", "key", "key_needs_valid_id", "columns", "people"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many data rows a file had, and what became of them: kept + refused + duplicate = received."""

    received: int
    kept: int
    refused: int
    duplicate: int


@dataclass(frozen=True, slots=True)
class Archive:
    """The folder of all batches that were ever accepted."""

    folder: Path

    def holds(self, name: str) -> bool:
        """Whether the batch is there, whole."""
        return self.path(name).exists()

    @contextmanager
    def receiving(self, name: str) -> Iterator[Callable[[pl.DataFrame], None]]:
        """Take the kept rows of a batch, a frame at a time, in order. They appear when all is well and `put` was called."""
        with frames_into(self.path(name)) as keep:
            yield keep

    def put(self, name: str, *, refused: pl.DataFrame, warnings: pl.DataFrame, counts: Counts, lasts: pl.DataFrame | None = None) -> None:
        """Keep what belongs to a batch beside its kept rows; `lasts` (`_row`, `_last`) mends rows said again later."""
        numbers = pl.DataFrame({field: [getattr(counts, field)] for field in Counts.__dataclass_fields__})
        write_frame(refused, self.path(name, "refused"), durable=True)
        write_frame(warnings, self.path(name, "warnings"), durable=True)
        write_frame(numbers, self.path(name, "counts"), durable=True)
        if lasts is not None:
            write_frame(lasts, self.path(name, "lasts"), durable=True)

    def counts(self, name: str) -> Counts:
        """The row accounting of a batch."""
        return Counts(**read_frame(self.path(name, "counts")).row(0, named=True))

    def kept(self, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """`_row`, `_last`, `_delete` and the declared columns of every kept row; or only these columns."""
        rows, lasts = read_frame(self.path(name), columns), self.path(name, "lasts")
        return rows.update(read_frame(lasts), on="_row") if lasts.exists() else rows

    def refused(self, name: str) -> pl.DataFrame:
        """row, code, column, case_id of every refused row."""
        return read_frame(self.path(name, "refused"))

    def warnings(self, name: str) -> pl.DataFrame:
        """row, column, code of every warning on a kept row."""
        return read_frame(self.path(name, "warnings"))

    def path(self, name: str, part: str = "") -> Path:
        """Where the kept rows of a batch lie, or another of its files."""
        return self.folder / f"{name}.{part}.parquet".replace("..", ".")


def put_profile(archive: Archive, name: str, profile: pl.DataFrame) -> None:
    """Keep the figures of a batch (see `guards`); to be done before its rows are put, which make it whole."""
    write_frame(profile, archive.folder / f"{name}.profile.parquet", durable=True)


def profile_of(archive: Archive, name: str) -> pl.DataFrame | None:
    """The figures of a batch; None where none were measured, or the batch is gone."""
    path = archive.folder / f"{name}.profile.parquet"
    return read_frame(path) if path.exists() else None


def batch_name(sha256: str, extract: Extract, *, changes: bool) -> str:
    """The name of a batch in the archive: its file's hash and a digest of all that decides how the file is read."""
    layout = extract.model_dump(mode="json", include=LAYOUT)
    case = extract.plays.roster.case if extract.plays.roster else None
    plain = json.dumps([READER, layout, case, changes], sort_keys=True, ensure_ascii=False)
    return f"{sha256}-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"
