"""What only a reader of a foreign format can open, made into sheets: it is opened behind the fence, and handed on as text.

Trees (XML, JSON lines) come back as CSV in UTF-8 and go the way of every text; books and Parquet come back as columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from verify.columns import BAD_BYTE, clean_header
from verify.fenced import HELD, Limits, ask_into
from verify.record_counts import count_records
from verify.rule_extracts import Extract
from verify.text_forms import MARKS, Form
from verify.text_pieces import in_pieces
from verify.text_sheets import Sheet, plan, sheets

ROWS = 500_000  # rows of a workbook or a Parquet file handed on at a time
LONG = HELD // 4  # bytes of a workbook whose cells are rather not held in memory: packed, they are a half to a fifth as long
DECLARED = re.compile(rb"""^[^>]*?encoding\s*=\s*["']([A-Za-z0-9_-]+)["']""")
CHINESE = {"gb2312", "gbk", "gb18030", "cp936"}
ENCODING, DELIMITER, FORMAT = "N-ENCODING", "N-DELIMITER", "N-FORMAT"


class TornError(Exception):
    """The file cannot be read: cut off, damaged, locked, not of a known format, or more than a file may be."""

    def __init__(self, code: str = "E-TORN", **detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file that is ready to be read: its headers, how many data rows it has, and its sheets, one after the other.

    `received` was counted by other means than the sheets are cut. `many`: there may be more than one sheet. `odd`: the code
    of a row that is none. `notes`: what differs from the contract, as (code, what was found).
    """

    headers: tuple[str, ...]
    received: int
    sheets: Iterator[Sheet]
    many: bool
    odd: str = "E-FIELDS"
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be read: what it is, its layout, the row count its sender gives, and where its copies may lie."""

    kind: str
    file: BinaryIO
    extract: Extract
    announced: int | None
    scratch: Path
    opened: ExitStack

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.file.seek(0, 2)

    def ask(self, request: str, limits: Limits, **how: Any) -> tuple[dict[str, Any], BinaryIO]:
        """Ask the fence about the file; what it hands back is closed with the job."""
        answer, out = ask_into(request, self.file, self.scratch, limits=limits, **how)
        return answer, self.opened.enter_context(out)


# --- trees ------------------------------------------------------------------------------------------------------------


def tree(job: Job) -> Decoded:
    """XML or JSON lines, in two runs: which headers there are, then the rows. Raises FenceError, TornError."""
    encoding = _encoding(job.file)
    how: dict[str, Any] = {"kind": job.kind, "encoding": encoding}
    limits = Limits().for_size(2 * job.size)
    if job.kind == "xml":
        known = [name for column in job.extract.columns for name in (column.column, *column.also_called)]
        how |= {"record": job.extract.records.element, "groups": list(job.extract.records.groups)}
        found = json.loads(job.ask("keys", limits, **how, known=known)[1].read())
    else:
        found = json.loads(job.ask("keys", limits, **how)[1].read())
    answer, out = job.ask("rows", limits, **{**how, **found})
    if not found["headers"]:  # no record of it has anything in it
        return Decoded((), _lines_in(job.file, encoding) if job.kind == "jsonl" else answer["counted"], iter(()), many=False)
    form = Form("utf-8", 0, ",", tuple(found["headers"]), 1, 0, "\n", ascii=True)
    way = plan(out, form, None)
    if way.received != (answer["counted"] if job.kind == "xml" else _lines_in(job.file, encoding)):
        raise TornError("E-GATE-PHYSICAL")
    notes = ((ENCODING, encoding),) if encoding in {"gb18030", "utf-16"} and encoding != job.extract.encoding else ()
    return Decoded(form.headers, way.received, sheets(out, way), many=in_pieces(out), odd="E-RECORD", notes=notes)


def _encoding(file: BinaryIO) -> str:
    """By the mark, by the declaration of XML, else UTF-8 where the beginning is UTF-8."""
    file.seek(0)
    start = file.read(1 << 20)
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return "utf-8-sig" if encoding == "utf-8" else "utf-16"
    named = DECLARED.match(start[:200])
    if named and named[1].decode().lower() in CHINESE:
        return "gb18030"
    try:
        start[: start.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _lines_in(file: BinaryIO, encoding: str) -> int:
    """The lines of a file of JSON lines that are not empty, counted on its bytes."""
    file.seek(0)
    mark = file.read(2)
    unit = "u1" if encoding != "utf-16" else "<u2" if mark == MARKS[1][0] else ">u2"
    skip = {"utf-16": 2, "utf-8-sig": 3}.get(encoding, 0)
    return count_records(file, skip=skip, unit=unit, delimiter=",").filled


# --- books and Parquet ------------------------------------------------------------------------------------------------


def book(job: Job) -> Decoded:
    """The first sheet of a workbook; its first row that is not empty is the header. Raises FenceError, TornError."""
    answer, out = job.ask("book", Limits().for_size(8 * job.size), long=job.size > LONG, kind=job.kind)
    cells = pl.read_ipc_stream(out)
    read = cells.height
    filled = cells.select(~pl.all_horizontal(pl.all().is_null())).to_series().arg_true() if cells.width else pl.Series([], dtype=pl.UInt32)
    cells = cells.head(int(filled[-1]) + 1 if filled.len() else 0)  # empty rows at its end are no rows
    rows = read if job.kind == "xls" else cells.height  # an old book's texts may be empty ones
    if answer["counted"] is not None and answer["counted"] > rows:
        raise TornError("E-GATE-PHYSICAL")
    headers = tuple(clean_header(name) for name in cells.row(0)) if cells.height else ()
    body = cells.slice(1)
    parts = ((body.slice(at, ROWS), ()) for at in range(0, max(body.height, 1), ROWS))
    return Decoded(headers, body.height, _numbered(parts), many=body.height > ROWS)


def table(job: Job) -> Decoded:
    """A Parquet file of theirs, every column as text. Raises FenceError; TornError also while it is read."""
    limits = Limits(Limits().memory + job.size, Limits().for_size(job.size).seconds)  # the file is mapped, which counts as memory

    def part(first: int) -> tuple[dict[str, Any], pl.DataFrame]:
        answer, out = ask_into("table", job.file, job.scratch, limits=limits, first=first, most=ROWS)
        with out:
            return answer, pl.read_ipc_stream(out)

    answer, start = part(0)
    rest = (part(first)[1] for first in range(ROWS, answer["rows"], ROWS))
    headers = tuple(clean_header(name) for name in start.columns)
    texts = ((_as_texts(frame), _in_bytes(frame)) for frames in ((start,), rest) for frame in frames)
    return Decoded(headers, answer["rows"], _numbered(texts), many=answer["rows"] > ROWS)


def _in_bytes(frame: pl.DataFrame) -> tuple[int, ...]:
    """Which columns hold bytes, in which a text may be that is not UTF-8."""
    return tuple(at for at, kind in enumerate(frame.dtypes) if kind == pl.Binary)


def _as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    try:
        return pl.DataFrame([as_text(column).alias(f"c{at}") for at, column in enumerate(frame.get_columns())])
    except (ValueError, pl.exceptions.PolarsError):
        raise TornError from None


def as_text(column: pl.Series) -> pl.Series:
    """A typed column as the text a person would have written; floats by their shortest exact form."""
    kind = column.dtype
    if kind.is_float():
        column = column.fill_nan(None)
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        column = column.dt.convert_time_zone("Asia/Shanghai").dt.replace_time_zone(None)
    if kind == pl.Binary:
        return _decoded(column)
    return column.cast(pl.String)


def _decoded(column: pl.Series) -> pl.Series:
    """Bytes as texts; where they are not UTF-8 one sign stands for them all (`BAD_BYTE`), in their row alone."""
    try:
        return column.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(column.name, [_text_of(value) for value in column], dtype=pl.String)


def _text_of(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return BAD_BYTE


def _numbered(frames: Iterator[tuple[pl.DataFrame, tuple[int, ...]]]) -> Iterator[Sheet]:
    row = 1
    for frame, in_bytes in frames:
        spoilt: dict[int, int] = {}
        for at in in_bytes:
            marked = (frame[f"c{at}"] == BAD_BYTE).fill_null(value=False).arg_true()
            spoilt = {number + row: at for number in marked} | spoilt
        numbers = pl.int_range(row, row + frame.height, dtype=pl.Int32, eager=True).alias("_row")
        row += frame.height
        yield Sheet(pl.DataFrame([numbers, *frame.get_columns()]), frame.height, (), spoilt)
