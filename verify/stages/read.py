"""The first stage: what a drop brings is checked, read once, accounted for row by row, and put on top of what was known.

A file that breaks the contract is refused whole with its code and its extract is late; the night goes on. So it is with
one that a drift guard holds, but its rows lie in the archive until an officer accepts it. The night ends (InputError,
exit 10) only where there is no list, or where an extract without which nothing can be said never came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from verify.archive import Archive
from verify.arrivals import LATE, REFUSED, Arrivals, do_as_decided, find_contradictions, hold, load_admitted, mark_late, put_down
from verify.batches import Batch, chain, known_parts, read_batches, write_batches
from verify.decisions import Decisions
from verify.fenced import close as end_fence
from verify.holding import Judged, judge, open_to_all
from verify.intake import HEADER, FileMissingError, FileRefusedError, take
from verify.manifest_list import FULL, LIST_NAME, Drop, Listed, is_plain_name, newest_date, open_drop, read_list
from verify.model import Arrived, Known
from verify.problems import InputError, IntegrityError, Problem
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.store import write_frame

WITHDRAWN = "E-WITHDRAWN"
FILES = {
    **dict.fromkeys(("extract", "file", "batch"), pl.String),
    "as_of": pl.Date,
    **dict.fromkeys(("received", "kept", "refused", "duplicate"), pl.Int64),
    "state": pl.String,
}
TROUBLES = dict.fromkeys(("extract", "file", "code", "detail"), pl.String)
REFUSED_ROWS = {"extract": pl.String, "file": pl.String, "row": pl.Int32, "code": pl.String, "column": pl.String}
WARNED_ROWS = {"extract": pl.String, "file": pl.String, "row": pl.Int32, "column": pl.String, "code": pl.String}
ROSTER_REFUSED = {"extract": pl.String, "file": pl.String, "row": pl.Int32, "case_id": pl.String}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a night reads and writes: the archive of all nights, its own work folder, the batches known before, and what
    officers have decided about batches."""

    archive: Path
    work: Path
    batches: Path | None
    decisions: Decisions = field(default_factory=Decisions)


def read(drop: Path, book: Rulebook, *, shelf: Shelf, as_of: date | None = None) -> Arrived:
    """Read a drop (a folder, or one .zip of it) on top of what the night before knew.

    Writes into the work folder: rows_<extract> (those that changes have brought), files, refused, warnings, batches, troubles and roster_refused (Parquet).
    `as_of` is the newest date of the list unless given. Raises InputError: E-NO-LIST, E-LIST, E-NO-DROP, E-DROP-ZIP,
    E-LIST-DATE, E-NEVER; IntegrityError E-GATE-ROWS.
    """
    opened = open_drop(drop)
    listed = read_list(opened)
    night = as_of or newest_date(listed)
    newest = max((line.as_of for line in listed if line.as_of), default=night)
    for folder in (shelf.archive, shelf.work):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    archive, arrivals = Archive(shelf.archive), Arrivals(read_batches(shelf.batches), (newest, shelf.decisions))
    do_as_decided(arrivals)
    find_contradictions(listed, arrivals)
    try:
        for line in listed:
            _take_line(line, opened, book, archive=archive, arrivals=arrivals)
    finally:
        end_fence()
    load_admitted(arrivals)
    _tell_unlisted(opened, listed, arrivals)
    late = mark_late(book.extracts, arrivals)
    _demand(book, arrivals)
    known = {name: _known(extract, arrivals, late=name in late, as_of=night, shelf=shelf) for name, extract in book.extracts.items()}
    return _handed_over(night, known, arrivals, book=book, shelf=shelf)


def _take_line(line: Listed, drop: Drop, book: Rulebook, *, archive: Archive, arrivals: Arrivals) -> None:
    """One line of the list: taken in, or refused whole with its code, or missing; the last two make its extract late."""
    extract = book.extracts.get(line.extract)
    known = arrivals.batches.get(line.extract, ())
    try:
        fit = _fit(line, extract)
        taken = take(line, drop, fit, known=open_to_all(known), archive=archive)
        judged = Judged() if taken.again else judge(taken.batch, known, fit, archive=archive, at=arrivals.at)
        if judged.withdrawn:
            raise FileRefusedError(WITHDRAWN, taken.batch.received, batch=line.batch)  # noqa: TRY301 - refused as every file is
        if line.file in arrivals.twice:
            raise FileRefusedError("E-WHOLE-TWICE", taken.batch.received)  # noqa: TRY301 - likewise
    except FileMissingError:
        arrivals.told(line.extract, line.file, "E-MISSING-FILE")
        arrivals.missed.add(line.extract)
    except FileRefusedError as refusal:
        rows = line.rows if refusal.received is None else refusal.received
        arrivals.files.append((line.extract, line.file, line.batch, line.as_of, rows, 0, rows, 0, REFUSED))
        arrivals.told(line.extract, line.file, refusal.code, refusal.detail)
        if refusal.code != WITHDRAWN or line.mode != FULL:  # as if it had never come: a whole state leaves no gap behind it
            arrivals.missed.add(line.extract)
    else:
        (hold if judged.held else put_down)(taken, known, arrivals)
        for problem in judged.told:
            arrivals.told(line.extract, line.file, problem.code, problem.values)


def _fit(line: Listed, extract: Extract | None) -> Extract:
    """The extract of a line that may be followed at all. Raises FileRefusedError."""
    if not is_plain_name(line.file):
        raise FileRefusedError("E-FILE-NAME")
    if extract is None:
        raise FileRefusedError("E-UNKNOWN-EXTRACT")
    if line.wrong is not None:
        raise FileRefusedError("E-LIST-LINE", column=line.wrong)
    return extract


def _tell_unlisted(drop: Drop, listed: Iterable[Listed], arrivals: Arrivals) -> None:
    """Files that no line of the list names are refused; of which extract they are, nobody has said."""
    named = {line.file for line in listed}
    for name in drop.names:
        if name not in named and name != LIST_NAME:
            arrivals.files.append((None, name, None, None, 0, 0, 0, 0, REFUSED))
            arrivals.told(None, name, "E-UNLISTED")


def _demand(book: Rulebook, arrivals: Arrivals) -> None:
    """Without the extracts that everything hangs on, nothing is published."""
    never = [name for name, extract in book.extracts.items() if extract.when_late.indispensable and not chain(arrivals.batches[name])]
    if never:
        why = [Problem(code, file or name or "", json.loads(detail)) for name, file, code, detail in arrivals.troubles if name in never and code[0] == "E"]
        raise InputError(*(Problem("E-NEVER", name) for name in never), *why)


def _known(extract: Extract, arrivals: Arrivals, *, late: bool, as_of: date, shelf: Shelf) -> Known:
    """Find an extract's known rows and say whether they may be facts tonight."""
    used = chain(arrivals.batches.get(extract.extract, ()))
    if not used:
        return Known(extract.extract, (), late=True, usable=False, as_of=None)
    parts = known_parts(used, Archive(shelf.archive), extract, shelf.work)
    newest = max(batch.as_of for batch in used)
    days = extract.when_late.use_when_late_days
    too_old = late and not 0 <= (as_of - newest).days <= days if days else late
    return Known(extract.extract, parts, late=too_old, usable=not too_old or extract.when_late.use_last, as_of=newest)


def _handed_over(night: date, known: Mapping[str, Known], arrivals: Arrivals, *, book: Rulebook, shelf: Shelf) -> Arrived:
    """Write the tables of the row accounting, prove them, and hand over where they lie."""
    archive, work = Archive(shelf.archive), shelf.work
    files = pl.DataFrame(arrivals.files, schema=FILES, orient="row").sort("extract", "file", "batch", nulls_last=True)
    lost = files.filter(pl.col("kept") + pl.col("refused") + pl.col("duplicate") != pl.col("received"))
    if lost.height:
        raise IntegrityError(*(Problem("E-GATE-ROWS", str(name)) for name in lost["file"]))
    refused = [_of_batch(archive.refused(batch.archived), batch) for batch in arrivals.came]
    warnings = [_of_batch(archive.warnings(batch.archived).filter(pl.col("row") != HEADER), batch) for batch in arrivals.came]
    rosters = [name for name, extract in book.extracts.items() if extract.plays.roster]
    doubtful = [_of_batch(archive.refused(batch.archived), batch) for name in rosters for batch in chain(arrivals.batches[name])]
    write_frame(files, work / "files.parquet")
    _write_rows(refused, REFUSED_ROWS, work / "refused.parquet")
    _write_rows(warnings, WARNED_ROWS, work / "warnings.parquet")
    _write_rows(doubtful, ROSTER_REFUSED, work / "roster_refused.parquet")
    write_frame(pl.DataFrame(arrivals.troubles, schema=TROUBLES, orient="row").sort(*TROUBLES, nulls_last=True), work / "troubles.parquet")
    write_batches((batch for batches in arrivals.batches.values() for batch in batches), work / "batches.parquet")
    return Arrived(
        as_of=night,
        known=known,
        files=work / "files.parquet",
        refused=work / "refused.parquet",
        warnings=work / "warnings.parquet",
        batches=work / "batches.parquet",
        received=int(files["received"].sum()),
        incomplete=any(one.late for one in known.values()) or not files.filter(pl.col("state").is_in([REFUSED, LATE])).is_empty(),
        troubles=work / "troubles.parquet",
        roster_refused=work / "roster_refused.parquet",
    )


def _of_batch(rows: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    return rows.select(pl.lit(batch.extract).alias("extract"), pl.lit(batch.file).alias("file"), pl.all())


def _write_rows(frames: Sequence[pl.DataFrame], schema: Mapping[str, type[pl.DataType]], path: Path) -> None:
    """One ordered table of the rows of many files; a batch that came under two names stands under both."""
    empty = pl.DataFrame(schema=dict(schema))
    rows = pl.concat([empty, *(frame.select(list(schema)).cast(dict(schema)) for frame in frames)])  # type: ignore[arg-type]
    write_frame(rows.unique().sort(list(schema), nulls_last=True), path)
