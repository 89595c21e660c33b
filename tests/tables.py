"""Any Parquet file as a frame, encrypted or in clear, and a copy of a home that can be read: for tests, which may do both."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from verify.model import Arrived
from verify.parts import known_rows_in
from verify.settings import Home, key_place
from verify.store import open_store, read_frame, write_frame
from verify.store_files import is_plain


def table(path: Path | None) -> pl.DataFrame:
    """A table of a home, by its key, or one that lies in clear: handed-out results, the truth of the made-up county."""
    assert path is not None
    return pl.read_parquet(path) if is_plain(path) else read_frame(path)


def a_copy(home: Home, to: Path) -> Home:
    """A home and its key, copied, as somebody restores a backup."""
    shutil.copytree(home.folder, to)
    for name in {key_place(home).path.name, f"{to.name}.key"}:
        shutil.copy2(key_place(home).path, to.parent / name)
    return Home(to)


def renamed(night: Path, to: Path) -> Path:
    """A published night under another name, as if it had been made under it: its tables are bound to where they lie."""
    tables = {path.relative_to(night): read_frame(path) for path in night.rglob("*.parquet")}
    night.rename(to)
    for path, frame in tables.items():
        write_frame(frame, to / path)
    return to


def known_rows(arrived: Arrived, extract: str) -> pl.DataFrame:
    """The rows that a night knows of an extract, as the stages read them, ordered by file and row."""
    parts = arrived.known[extract].parts
    assert parts
    with TemporaryDirectory() as work, open_store(Path(work)) as store:
        return store.frame(f"FROM {known_rows_in(store, parts)} ORDER BY _file, _row, _as_of")
