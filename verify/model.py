"""The frozen nouns that stages hand to each other: where a table lies, and the counts a gate needs. Rows stay in Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

SHADOW = "\x1fleads"  # behind a case's number: the case worked out with its leads, as `assess.sql` names it

@dataclass(frozen=True, slots=True)
class Part:
    """Known rows of one extract that lie in one Parquet file: a batch in the archive, or rows put together for this night.

    Of a batch: `file` and `as_of` are those of all its rows, and `gone` is a table (`_row`) of those that a later batch
    has replaced or removed. Of rows put together `file` and `as_of` are None: the columns `_file` and `_as_of` say it.
    """

    rows: Path
    file: str | None = None
    as_of: date | None = None
    gone: Path | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one extract tonight.

    `parts` hold its known rows (none: never loaded). `late` says that tonight's drop brought no loadable file and the
    known rows are too old to be facts; `as_of` is the newest batch's date.
    """

    extract: str
    parts: tuple[Part, ...]
    late: bool
    usable: bool
    as_of: date | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What `read` hands over: the night's date, every extract's state, and the tables of the row accounting.

    `decided` is the table of what officers' decisions about pairs are known by (`pair_marks`); None while there are none.
    `weights` is the table of what links weigh (`link_scores`); None for those of the model that comes with the program.
    """

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
    decided: Path | None = None
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """Whom the rows of a part speak of: `said` has a line for each side of each row, `faces` what such lines say of somebody."""

    extract: str
    part: Part
    said: Path
    faces: Path


@dataclass(frozen=True, slots=True)
class Table:
    """One table a stage has written, and how many rows it has."""

    path: Path
    rows: int
