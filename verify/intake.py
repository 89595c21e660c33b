"""One listed file of a drop: proved to be what the list says, read once into the archive, or refused whole with its code."""

from __future__ import annotations

import difflib
import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.archive import Archive, Counts, batch_name, put_profile
from verify.batches import Batch, chain
from verify.columns import find_columns
from verify.decoding import Sheet, TornError, decode
from verify.manifest_list import CHANGES, DELETE, OPERATION, Drop, Listed
from verify.problems import IntegrityError, Problem
from verify.profiles import Measuring
from verify.row_checks import account
from verify.rule_files import Extract

EXTRA, ABSENT, STRANGE = "N-EXTRA-COLUMN", "N-ABSENT-COLUMN", "W-CODE"
HEADER = 0  # the row number under which the archive notes what is to be said of a file's header
WEB_PAGE = (b"<!doctype", b"<html")
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
    outside their lists, and in how many rows.
    """

    batch: Batch
    again: bool
    extra: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    strange: tuple[tuple[str, int], ...] = ()


def take(listed: Listed, drop: Drop, extract: Extract, *, known: Sequence[Batch], archive: Archive) -> Taken:
    """Check a listed file against the list and its extract's layout, and put its rows into the archive.

    A batch that was loaded before with the same content is not decoded again. Raises FileMissingError, FileRefusedError.
    """
    data = _bytes_of(listed, drop)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != listed.checksum:
        raise FileRefusedError("E-CHECKSUM")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].lower().startswith(WEB_PAGE):
        raise FileRefusedError("E-HTML")
    before = next((batch for batch in known if batch.batch == listed.batch), None)
    if before is not None and before.sha256 != sha256:
        raise FileRefusedError("E-BATCH-AGAIN", batch=listed.batch)
    changes = (before.mode if before else listed.mode) == CHANGES
    if changes and not chain(known):
        raise FileRefusedError("E-NO-BASE")
    name = batch_name(sha256, extract, changes=changes)
    if not archive.holds(name):
        _read_in(data, listed, extract, name=name, archive=archive)
    counts = archive.counts(name)
    prove(counts, listed, extract)
    extra, absent = (_of_header(archive, name, code) for code in (EXTRA, ABSENT))
    if before is not None:
        return Taken(before.recounted(counts, file=listed.file, archived=name), again=True)
    strange = archive.warnings(name).filter(pl.col("code") == STRANGE).group_by("column").len().sort("column")
    return Taken(_new_batch(listed, sha256, counts, name), again=False, extra=extra, absent=absent, strange=tuple(strange.iter_rows()))


def _bytes_of(listed: Listed, drop: Drop) -> bytes:
    if listed.file not in drop.names:
        raise FileMissingError
    try:
        return drop.read(listed.file)
    except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError):
        raise FileRefusedError("E-TORN") from None


def _new_batch(listed: Listed, sha256: str, counts: Counts, name: str) -> Batch:
    return Batch(
        extract=listed.extract,
        batch=listed.batch,
        sha256=sha256,
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


def _of_header(archive: Archive, name: str, code: str) -> tuple[str, ...]:
    """What the archive noted of a batch's header: headers not known, or columns not there."""
    return tuple(archive.warnings(name).filter((pl.col("row") == HEADER) & (pl.col("code") == code))["column"].sort())


def _read_in(data: bytes, listed: Listed, extract: Extract, *, name: str, archive: Archive) -> None:
    """Decode, account for every row, and keep the batch, with what its header has too much or lacks."""
    try:
        sheet = decode(data, extract, announced=listed.rows)
    except TornError:
        raise FileRefusedError("E-TORN") from None
    places = _places(sheet, listed, extract)
    operation = sheet.headers.index(OPERATION) if OPERATION in sheet.headers and listed.mode == CHANGES else None
    rows = account(sheet, places, extract, delete=None if operation is None else (operation, DELETE))
    counts = Counts(rows.received, rows.kept.height, rows.refused.height, rows.duplicate)
    prove(counts, listed, extract)
    used = {*places.values(), operation}
    noted = [(HEADER, header, EXTRA) for at, header in enumerate(sheet.headers) if at not in used and header]
    noted += [(HEADER, column.column, ABSENT) for column in extract.columns if column.column not in places]
    warnings = pl.concat([pl.DataFrame(noted, schema=rows.warnings.schema, orient="row"), rows.warnings])
    measured = Measuring(extract, places, announced=counts.received)
    measured.add(rows.kept)
    put_profile(archive, name, measured.table(counts))
    archive.put(name, rows.kept, refused=rows.refused, warnings=warnings, counts=counts)


def _places(sheet: Sheet, listed: Listed, extract: Extract) -> dict[str, int]:
    """Where each declared column stands. What is required, or tells whose row it is, must be there, once."""
    if not sheet.received and not extract.allow_empty and listed.mode != CHANGES:
        raise FileRefusedError("E-EMPTY", 0)
    places, twice = find_columns(sheet.headers, extract)
    if twice:
        raise FileRefusedError("E-HEADER-TWICE", sheet.received, column=twice[0])
    whose = {person.id for person in extract.people}
    needed = [column.column for column in extract.columns if column.required or column.column in whose]
    missing = [name for name in needed if name not in places]
    if missing:
        near = _nearest(missing[0], sheet, extract) if len(places) >= A_HEADER * len(extract.columns) else ""
        raise FileRefusedError("E-DRIFT", sheet.received, column=", ".join(missing), near=near)
    return places


def _nearest(name: str, sheet: Sheet, extract: Extract) -> str:
    """The header that was perhaps meant. One that looks like a value is never shown."""
    known = {other for column in extract.columns for other in (column.column, *column.also_called)}
    free = [header for header in sheet.headers if header and header not in known and not re.search(r"\d{6}", header)]
    return next(iter(difflib.get_close_matches(name, free, n=1, cutoff=0.5)), "")
