"""One listed file of a drop: proved to be what the list says, read once into the archive, or refused whole with its code."""

from __future__ import annotations

import difflib
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import BinaryIO

import polars as pl

from verify.archive import Archive, Counts, batch_name, put_profile
from verify.batches import Batch, chain
from verify.columns import find_columns
from verify.decoding import decode
from verify.fen_sums import fen_in
from verify.fenced import HELD, FenceError, memory_file
from verify.foreign_sheets import DELIMITER, ENCODING, FORMAT, Decoded, TornError
from verify.manifest_list import CHANGES, DELETE, OPERATION, Drop, Listed, NotAFileError, sha256_of
from verify.problems import IntegrityError, Problem
from verify.profiles import Measuring
from verify.repeats import Repeats
from verify.row_checks import WARNINGS, Accounted, Layout, account
from verify.rule_extracts import Extract
from verify.text_sheets import Sheet

EXTRA, ABSENT, STRANGE = "N-EXTRA-COLUMN", "N-ABSENT-COLUMN", "W-CODE"
NOTES = (DELIMITER, ENCODING, FORMAT)
HEADER = 0  # the row number under which the archive notes what is to be said of a file's header
A_HEADER = 0.5  # a first line with fewer of the declared columns than this is not quoted: it may be somebody's row


class FileRefusedError(Exception):
    """A file is refused whole: its code, what fills the code's sentence, and its data rows where they could be counted."""

    def __init__(self, code: str, received: int | None = None, **detail: object) -> None:
        super().__init__(code)
        self.code, self.received = code, received
        self.detail = {name: str(value) for name, value in detail.items() if value != ""}


class FileMissingError(Exception):
    """A file that the list names is not in the drop."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken in: its batch, whether the batch was known before, and what must be told of it.

    `extra` are headers the extract does not know, `absent` columns that are not there, `strange` the columns with values
    outside their lists, and in how many rows; `notes` what of its form differs from the contract, as (code, what was found).
    """

    batch: Batch
    again: bool
    extra: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    strange: tuple[tuple[str, int], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


def take(listed: Listed, drop: Drop, extract: Extract, *, known: Sequence[Batch], archive: Archive) -> Taken:
    """Check a listed file against the list and its extract's layout, and put its rows into the archive.

    A batch that was loaded before with the same content is not decoded again. Raises FileMissingError, FileRefusedError.
    """
    before = next((batch for batch in known if batch.batch == listed.batch), None)
    changes = (before.mode if before else listed.mode) == CHANGES
    name = batch_name(listed.checksum, extract, changes=changes)
    there = any(batch.sha256 == listed.checksum for batch in known) and archive.holds(name)
    with _opened(listed, drop, whole=not there) as file:
        if sha256_of(file) != listed.checksum:
            raise FileRefusedError("E-CHECKSUM")
        if before is not None and before.sha256 != listed.checksum:
            raise FileRefusedError("E-BATCH-AGAIN", batch=listed.batch)
        if changes and not chain(known):
            raise FileRefusedError("E-NO-BASE")
        if not there and not archive.holds(name):
            _read_in(file, listed, extract, name=name, archive=archive)
    counts = archive.counts(name)
    prove(counts, listed, extract)
    if before is not None:
        return Taken(before.recounted(counts, file=listed.file, archived=name), again=True)
    warnings = archive.warnings(name)
    strange = warnings.filter(pl.col("code") == STRANGE).group_by("column").len().sort("column")
    extra, absent = (_of_header(warnings, code) for code in (EXTRA, ABSENT))
    notes = tuple((code, found) for code in NOTES for found in _of_header(warnings, code))
    return Taken(_new_batch(listed, counts, name), again=False, extra=extra, absent=absent, strange=tuple(strange.iter_rows()), notes=notes)


@contextmanager
def _opened(listed: Listed, drop: Drop, *, whole: bool) -> Iterator[BinaryIO]:
    """A listed file; one that is not large as a copy that nobody can change while it is read, unless it is not to be read `whole` but hashed.

    Raises FileMissingError, FileRefusedError.
    """
    if listed.file not in drop.names:
        raise FileMissingError
    try:
        file = drop.open(listed.file)
    except NotAFileError:
        raise FileRefusedError("E-NOT-A-FILE") from None
    except (OSError, FenceError) as error:
        raise FileRefusedError(error.code if isinstance(error, FenceError) else "E-TORN") from None
    with ExitStack() as opened:
        opened.enter_context(file)
        if whole and file.seek(0, 2) <= HELD:
            copy = opened.enter_context(memory_file())
            file.seek(0)
            shutil.copyfileobj(file, copy)
            file = copy
        yield file


def _new_batch(listed: Listed, counts: Counts, name: str) -> Batch:
    return Batch(
        extract=listed.extract,
        batch=listed.batch,
        sha256=listed.checksum,
        file=listed.file,
        as_of=listed.as_of or date.min,
        mode=listed.mode,
        received=counts.received,
        kept=counts.kept,
        refused=counts.refused,
        duplicate=counts.duplicate,
        position=0,
        in_use=False,
        chain_broken=False,
        archived=name,
        held=False,
    )


def prove(counts: Counts, listed: Listed, extract: Extract) -> None:
    """The gate of a file: no row is lost, and there are as many as the sender says."""
    if counts.kept + counts.refused + counts.duplicate != counts.received:
        raise IntegrityError(Problem("E-GATE-ROWS", listed.file, {key: str(getattr(counts, key)) for key in Counts.__dataclass_fields__}))
    if counts.received == 0 and listed.mode != CHANGES and not extract.allow_empty:
        raise FileRefusedError("E-EMPTY", 0)
    if counts.received != listed.rows:
        raise FileRefusedError("E-ROWS", counts.received, announced=listed.rows, found=counts.received)


def _of_header(warnings: pl.DataFrame, code: str) -> tuple[str, ...]:
    """What was noted of a batch's header: headers not known, columns not there, what differs from the contract."""
    return tuple(warnings.filter((pl.col("row") == HEADER) & (pl.col("code") == code))["column"].sort())


def _read_in(file: BinaryIO, listed: Listed, extract: Extract, *, name: str, archive: Archive) -> None:
    """Decode a sheet at a time, account for every row, and keep the batch, with what its header has too much or lacks."""
    try:
        with decode(file, extract, announced=listed.rows, scratch=archive.folder) as found:
            layout = _layout(found, listed, extract)
            prove(Counts(found.received, found.received, 0, 0), listed, extract)  # before anything is read: as many as the sender says
            with archive.receiving(name) as keep:
                told, refused, warnings = _Told(extract, found.received if found.many else 0), [], [_of_the_header(found, layout)]
                measured = Measuring(extract, layout.places, announced=found.received)
                for sheet in found.sheets:
                    rows = told.account(sheet, layout, many=found.many)
                    keep(rows.kept)
                    measured.add(rows.kept)
                    refused.append(rows.refused)
                    warnings.append(rows.warnings)
                counts = told.counts(found, listed)
                if file.seek(0, 2) > HELD and sha256_of(file) != listed.checksum:
                    raise FileRefusedError("E-CHECKSUM")  # it changed while it was read
                put_profile(archive, name, measured.table(counts))
                archive.put(name, refused=pl.concat(refused), warnings=pl.concat(warnings), counts=counts, lasts=told.repeats.lasts())
    except TornError as torn:
        raise FileRefusedError(torn.code, None, **torn.detail) from None


class _Told:
    """The running account of one file: its rows and its amounts, over all its sheets."""

    def __init__(self, extract: Extract, rows: int) -> None:
        self.extract, self.repeats = extract, Repeats(extract, rows)
        self.received = self.kept = self.refused = self.duplicate = 0
        self.fen: dict[str, int] = {}

    def account(self, sheet: Sheet, layout: Layout, *, many: bool) -> Accounted:
        """The rows of a sheet after the checks, without those that an earlier sheet has said."""
        rows = account(sheet, layout)
        aside = dict(rows.apart)
        if many:
            kept, again, warned = self.repeats.without(rows.kept)
            aside = {name: aside[name] + fen for name, fen in fen_in(again, self.extract).items()}
            warnings = pl.concat([rows.warnings.join(again.select(row="_row"), on="row", how="anti"), warned]).unique()
            rows = replace(rows, kept=kept, duplicate=rows.duplicate + again.height, warnings=warnings.sort("row", "column", "code"))
        for name, fen in fen_in(rows.kept, self.extract).items():
            self.fen[name] = self.fen.get(name, 0) + fen + aside[name] - rows.sent[name]
        self.received += rows.received
        self.kept += rows.kept.height
        self.refused += rows.refused.height
        self.duplicate += rows.duplicate
        return rows

    def counts(self, found: Decoded, listed: Listed) -> Counts:
        """The counts of the whole file, proved: as many rows as were counted on its bytes, as much money as its text comes to."""
        if self.received != found.received:
            raise FileRefusedError("E-GATE-PHYSICAL", found.received)
        off = sorted(name for name, fen in self.fen.items() if fen)
        if off:
            raise FileRefusedError("E-GATE-FEN", found.received, column=", ".join(off))
        counts = Counts(self.received, self.kept, self.refused, self.duplicate)
        prove(counts, listed, self.extract)
        return counts


def _layout(found: Decoded, listed: Listed, extract: Extract) -> Layout:
    """Where each declared column stands. What is required, or tells whose row it is, must be there, once."""
    if not found.received and not extract.allow_empty and listed.mode != CHANGES:
        raise FileRefusedError("E-EMPTY", 0)
    places, twice = find_columns(found.headers, extract)
    if twice:
        raise FileRefusedError("E-HEADER-TWICE", found.received, column=twice[0])
    whose = {person.id for person in extract.people}
    needed = [column.column for column in extract.columns if column.required or column.column in whose]
    missing = [name for name in needed if name not in places]
    if missing:
        near = _nearest(missing[0], found.headers, extract) if len(places) >= A_HEADER * len(extract.columns) else ""
        raise FileRefusedError("E-DRIFT", found.received, column=", ".join(missing), near=near)
    operation = found.headers.index(OPERATION) if OPERATION in found.headers and listed.mode == CHANGES else None
    return Layout(extract, places, None if operation is None else (operation, DELETE), found.odd)


def _of_the_header(found: Decoded, layout: Layout) -> pl.DataFrame:
    """What is to be said of a file as a whole: columns too many, columns not there, what differs from the contract."""
    used = {*layout.places.values(), layout.delete[0] if layout.delete else None}
    noted = [(HEADER, header, EXTRA) for at, header in enumerate(found.headers) if at not in used and header]
    noted += [(HEADER, column.column, ABSENT) for column in layout.extract.columns if column.column not in layout.places]
    noted += [(HEADER, said, code) for code, said in found.notes]
    return pl.DataFrame(noted, schema=WARNINGS, orient="row")


def _nearest(name: str, headers: Sequence[str], extract: Extract) -> str:
    """The header that was perhaps meant. One that looks like a value is never shown."""
    known = {other for column in extract.columns for other in (column.column, *column.also_called)}
    free = [header for header in headers if header and header not in known and not re.search(r"\d{6}", header)]
    return next(iter(difflib.get_close_matches(name, free, n=1, cutoff=0.5)), "")
