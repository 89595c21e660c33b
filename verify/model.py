"""The frozen nouns that stages hand to each other: where a table lies, and the counts a gate needs. Rows stay in Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one extract tonight.

    `rows` is the Parquet file of its known rows (None: never loaded). `late` says that tonight's drop brought no
    loadable file and the known rows are too old to be facts; `as_of` is the newest batch's date.
    """

    extract: str
    rows: Path | None
    late: bool
    usable: bool
    as_of: date | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What `read` hands over: the night's date, every extract's state, and the tables of the row accounting."""

    as_of: date
    known: Mapping[str, Known]
    files: Path
    refused: Path
    warnings: Path
    batches: Path
    received: int
    incomplete: bool
    troubles: Path
    roster_refused: Path


@dataclass(frozen=True, slots=True)
class Table:
    """One table a stage has written, and how many rows it has."""

    path: Path
    rows: int
