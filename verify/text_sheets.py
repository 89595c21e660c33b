"""Text files made into sheets, a piece at a time: which lines are records, which rows cannot be trusted.

A file is planned first (`plan`): its records are counted on its bytes by other code (`record_counts`), and where they can
be cut in more than one way, the way that gives the announced count is taken. Then it is read (`sheets`). A line whose
quotes are in order is cut without a Python object a field; only odd lines are looked at one by one, and a record runs over
several lines only if its quote closes properly and it has as many fields as the header: a stray quote costs its own row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

import polars as pl

from verify.columns import BAD_BYTE
from verify.record_counts import Counted, count_records
from verify.text_forms import Form, records_of
from verify.text_pieces import count_of, lines_of, marked_lines, pieces, read_text

LONGEST = 4 << 20  # units of one line; a longer one is no record of anybody
RUN = 200  # lines a record may run over


class LineLongError(Exception):
    """The file has a line that is longer than any record can be."""


class LinesLostError(Exception):
    """A physical line of the file is in no record: the reader and the count disagree. Our bug; nothing of it is loaded."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece of a file as text: `frame` has `_row` (INT32, from 1 in the file) and one text column c0, c1, … a header.

    `received` counts the data rows of the piece, `lines` the physical lines it was cut from. `odd` lists rows with another
    number of fields than the header (not in the frame); `spoilt` maps rows with a byte that is not of the encoding to the
    position of the column it stands in (-1: not known).
    """

    frame: pl.DataFrame
    received: int
    odd: tuple[int, ...]
    spoilt: Mapping[int, int]
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How the records of a file are cut: `mixed` where some run over several lines, `blanks` where empty lines are rows.

    `received` is how many data rows there are, counted by other means than the reader's; `clean` says that all quotes of
    the file are in order, every record is a line and no line is empty; `quotes` that there are any.
    """

    form: Form
    received: int
    mixed: bool
    blanks: bool
    clean: bool
    quotes: bool


def plan(file: BinaryIO, form: Form, announced: int | None) -> Plan:
    """Count the records and choose how to cut them. Raises LineLongError."""
    counted = count_records(file, skip=form.skip, unit=form.unit, delimiter=form.delimiter, line_end=ord(form.line_end))
    if counted.longest > LONGEST:
        raise LineLongError
    head = form.head_lines
    received = max(counted.filled - (head - form.blank), 0)
    clean = counted.sound and counted.plain and counted.filled == counted.lines
    plain = Plan(form, received, mixed=False, blanks=False, clean=clean, quotes=counted.quotes > 0)
    with_blanks = replace(plain, received=max(counted.lines - head, 0), blanks=True)
    if counted.plain:
        return with_blanks if announced == with_blanks.received != plain.received else plain
    mixed = replace(plain, mixed=True, clean=False, received=_run_through(file, replace(plain, mixed=True, clean=False), counted))
    if announced is None or announced == mixed.received:
        return mixed
    mixed_blanks = replace(mixed, blanks=True)  # an empty line behind a stray quote is a row too: only the reader can tell how many there are
    mixed_blanks = replace(mixed_blanks, received=_run_through(file, mixed_blanks, counted))
    return next((one for one in (mixed_blanks, plain, with_blanks) if one.received == announced), mixed)


def sheets(file: BinaryIO, way: Plan) -> Iterator[Sheet]:
    """The data rows of a file, a piece at a time; at least one piece."""
    row, rest = 1, pl.Series("line", [], dtype=pl.String)
    for data, head, last in _without_head(file, way):
        sheet = _cut_at_once(data, way, row)
        if sheet is None:
            lines = pl.concat([rest, lines_of(data)])
            keep = 0 if last or not way.mixed else min(RUN, lines.len() - head)
            sheet, over = _cut_lines(lines, way, row=row, head=head, keep=keep)
            rest = lines.tail(keep).slice(over)
        row += sheet.received
        yield sheet


def _run_through(file: BinaryIO, way: Plan, counted: Counted) -> int:
    """How many records a mixed file has; each physical line must be in exactly one of them, or be empty."""
    received, lines = 0, 0
    for sheet in sheets(file, way):
        received, lines = received + sheet.received, lines + sheet.lines
    if lines != counted.lines:
        raise LinesLostError
    return received


def _without_head(file: BinaryIO, way: Plan) -> Iterator[tuple[bytes, int, bool]]:
    """The pieces, the lines of the header that are still in front of each, and whether it is the last.

    Where every record is a line the header is cut off here, so that the first piece is like any other.
    """
    head = way.form.head_lines
    for data, last in pieces(file, way.form):
        if not way.clean:
            yield data, head, last
            head = 0
            continue
        at = 0
        while head and at < len(data):
            at, head = data.find(b"\n", at) + 1 or len(data), head - 1
        yield data[at:] if at else data, 0, last


# --- a piece whose every line is a whole record -----------------------------------------------------------------------


def _cut_at_once(data: bytes, way: Plan, row: int) -> Sheet | None:
    """The sheet of a piece without odd quotes in which every line has as many fields as the header; None for any other.

    Every byte is accounted for: it is in a cell, or it is a delimiter, a line end or a quote, as many as there must be.
    """
    width = len(way.form.header)
    returns = data.count(b"\r\n") if b"\r" in data else 0
    if width < 2 or not way.clean or (returns and data.count(b"\r") != returns):
        return None
    quotes = count_of(data, b'"') if way.quotes else 0
    schema = dict.fromkeys((f"c{at}" for at in range(width)), pl.String)
    try:
        frame = read_text(data, schema, separator=way.form.delimiter, quote_char='"' if quotes else None)
    except pl.exceptions.PolarsError:  # a field too many
        return None
    rows, ends = frame.height, data.endswith(b"\n") or not data
    cells = sum(int(column.str.len_bytes().sum() or 0) for column in frame.get_columns())
    left = cells + rows * width - (not ends) + returns + quotes - len(data)  # what is missing between cells, and quotes inside cells
    if left and (not quotes or left != sum(int(column.str.count_matches('"', literal=True).sum() or 0) for column in frame.get_columns())):
        return None
    frame = frame.insert_column(0, pl.int_range(row, row + rows, dtype=pl.Int32, eager=True).alias("_row"))
    return Sheet(frame, rows, (), _spoilt_in(frame[marked_lines(data)]), rows)


def _spoilt_in(frame: pl.DataFrame) -> dict[int, int]:
    """Rows with a bad byte, and the first column it stands in."""
    marked = frame.select("_row", *(pl.col(name).str.contains(BAD_BYTE, literal=True).fill_null(value=False) for name in frame.columns[1:]))
    marked = marked.filter(pl.any_horizontal(frame.columns[1:]))
    return {record[0]: record[1:].index(True) for record in marked.iter_rows()}


# --- any other piece --------------------------------------------------------------------------------------------------


def _cut_lines(lines: pl.Series, way: Plan, *, row: int, head: int, keep: int) -> tuple[Sheet, int]:
    """The sheet of the records that begin behind the first `head` lines and before the last `keep`.

    The last record may run over into those by so many lines as is returned.
    """
    body = lines.slice(head)
    ready = body.head(body.len() - keep)
    fields = count_fields(ready, way.form.delimiter)
    records, taken = _odd_records(body, fields, way)
    own = pl.DataFrame({"line": ready, "fields": fields}).with_row_index("at").filter(~pl.col("at").is_in(list(taken)))
    own = own if way.blanks else own.filter(pl.col("line") != "")
    own = own.with_columns(pl.int_range(row, row + own.height, dtype=pl.Int32, eager=True).alias("_row"))
    strange = {number: records[at] for at, number in own.filter(pl.col("at").is_in(list(records))).select("at", "_row").iter_rows()}
    over = max(max(taken) + 1 - ready.len(), 0) if taken else 0
    sheet = _sheet_of_cut(own, strange, len(way.form.header), way.form.delimiter)
    return replace(sheet, lines=head + ready.len() + over), over


def count_fields(lines: pl.Series, delimiter: str) -> pl.Series:
    """How many fields each line has; NULL where a quote stands oddly (inside a field, doubled, never closed)."""
    quoted = lines.str.contains('"', literal=True)
    if not quoted.any():
        return lines.str.count_matches(delimiter, literal=True) + 1
    sign = "\\" + delimiter if delimiter == "|" else delimiter
    well_quoted = f'^(?:[^"{sign}]*|"[^"]*")(?:{sign}(?:[^"{sign}]*|"[^"]*"))*$'
    bare = pl.when(quoted).then(pl.col("line").str.replace_all('"[^"]*"', "")).otherwise("line")
    fine = ~pl.lit(quoted) | pl.col("line").str.contains(well_quoted)
    return lines.alias("line").to_frame().select(pl.when(fine).then(bare.str.count_matches(delimiter, literal=True) + 1)).to_series()


def _odd_records(lines: pl.Series, fields: pl.Series, way: Plan) -> tuple[dict[int, list[str]], set[int]]:
    """The records of oddly quoted lines by their place, and the places of the lines that belong to the one before."""
    records: dict[int, list[str]] = {}
    taken: set[int] = set()
    for at in fields.is_null().arg_true():
        if at in taken:
            continue
        text = lines[at]
        record, ended = _one(text, way.form.delimiter)
        if not ended and way.mixed:
            found = _running_over(lines.slice(at, RUN).to_list(), way)
            if found is not None:
                record, ended = found
                taken |= set(range(at + 1, at + ended))
        records[at] = record
    return records, taken


def _one(line: str, delimiter: str) -> tuple[list[str], int]:
    """A line as a record of its own, and 1 if it ends with its line, else 0."""
    record, read = next(records_of([line, "end"], delimiter))
    return (record, 1) if read == 1 else (next(records_of([line], delimiter))[0], 0)


def _running_over(lines: list[str], way: Plan) -> tuple[list[str], int] | None:
    """The record that begins in the first line and closes properly in a later one, and how many lines it has; or None."""
    try:
        record, read = next(records_of([f"{line}\n" for line in lines], way.form.delimiter, strict=True))
    except csv.Error:
        return None
    return (record, read) if len(record) == len(way.form.header) else None


def _sheet_of_cut(own: pl.DataFrame, strange: Mapping[int, list[str]], width: int, delimiter: str) -> Sheet:
    """The sheet of lines numbered `_row`; those of `strange` are given as records."""
    names = [f"c{at}" for at in range(width)]
    fits = (own["fields"] == width).fill_null(value=False)
    good = io.BytesIO()
    own.filter(fits).select("line").write_csv(good, include_header=False, quote_style="never")
    frame = read_text(good.getvalue(), dict.fromkeys(names, pl.String), separator=delimiter) if width else pl.DataFrame()
    frame = frame.insert_column(0, own["_row"].filter(fits))
    right = {number: record for number, record in strange.items() if len(record) == width}
    if right:
        others = [(number, *record) for number, record in right.items()]
        frame = pl.concat([frame, pl.DataFrame(others, schema=frame.schema, orient="row")]).sort("_row")
    odd = tuple(number for number in own["_row"].filter(~fits) if number not in right)
    spoilt = _spoilt_in(frame) if own["line"].str.contains(BAD_BYTE, literal=True).any() and width else {}
    beside = own.filter(~fits & own["line"].str.contains(BAD_BYTE, literal=True))["_row"]
    return Sheet(frame, own.height, odd, {**dict.fromkeys((number for number in beside if number not in right), -1), **spoilt})
