"""Files made into sheets of raw text: which encoding, which records, which rows cannot be trusted. The door to fastexcel.

A sheet keeps every data row of the file, numbered from 1 behind the header, in the order of the file; nothing is
interpreted here. What cannot be read at all raises `TornError`.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fastexcel
import polars as pl

from verify.columns import BAD_BYTE, as_text, clean_header, count_fields, find_columns
from verify.rule_files import Extract
from verify.store import read_foreign

ENCODINGS = ("utf-8", "gb18030")
BAD_BYTES_HANDLER = "hedui-bad-byte"
XLSX_MEMBERS, XLSX_BYTES = 2_000, 2 << 30  # a workbook that would unfold to more than this is not opened
COLUMN_LIMIT = 1_000
NOT_IN_TEXT = "\x1f"  # a text that has it is cut record by record


class TornError(Exception):
    """The file is cut off, damaged, locked by a password, or not of the format its extract says."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file as text: `frame` has `_row` (INT32, from 1) and one text column c0, c1, … a header.

    `received` counts all data rows. `odd` lists rows with another number of fields than the header (not in the
    frame); `spoilt` maps rows with a byte that is not of the encoding to the position of the column it stands in
    (-1: not known).
    """

    headers: tuple[str, ...]
    frame: pl.DataFrame
    received: int
    odd: tuple[int, ...] = ()
    spoilt: Mapping[int, int] = field(default_factory=dict)


def decode(data: bytes, extract: Extract, *, announced: int | None) -> Sheet:
    """The sheet of a file's bytes, read as the extract's format.

    `announced` is the row count the sender gives; where the records of a CSV can be cut in more than one way (a quote
    that is never closed, blank lines), the way that gives this count is taken. Raises TornError.
    """
    if extract.format == "csv":
        return _decode_csv(data, extract, announced)
    return _decode_xlsx(data) if extract.format == "xlsx" else _decode_parquet(data)


def _decode_csv(data: bytes, extract: Extract, announced: int | None) -> Sheet:
    text = _text_of(data, extract)
    return _sheet_of_lines(text, announced) or _sheet_of_text(text, announced)


def _sheet_of_lines(text: str, announced: int | None) -> Sheet | None:
    """The sheet of a text whose records are its lines, cut without a Python object a field; None for any other text.

    Says the same of a text as `_sheet_of_text`, which is the meaning of it, at a tenth of the cost.
    """
    text = text.replace("\r\n", "\n")
    if "\r" in text or NOT_IN_TEXT in text or text.startswith("\ufeff") or not text:
        return None
    lines = _cut(text.encode(), {"line": pl.String}, separator=NOT_IN_TEXT, quote_char=None, empty_string_is_null=False)["line"]
    filled = lines.filter(lines != "")
    if announced not in {lines.len() - 1} - {filled.len() - 1}:
        lines = filled
    if not lines.len() or lines[0] == "" or lines.filter(lines.str.len_bytes() >= csv.field_size_limit()).len():
        return None
    header, fields = next(csv.reader([lines[0]])), count_fields(lines)
    strange = _strange_records(lines, fields)
    if fields[0] != len(header) or len(header) < 2 or strange is None:
        return None
    return _sheet_of_cut(header, lines.slice(1), fields.slice(1) == len(header), strange)


def _sheet_of_cut(header: Sequence[str], body: pl.Series, fits: pl.Series, strange: Mapping[int, list[str]]) -> Sheet:
    """The sheet of lines of which those that `fits` marks are well formed and as wide as the header."""
    width, fits = len(header), fits.fill_null(value=False)
    schema: dict[str, type[pl.DataType]] = dict.fromkeys((f"c{at}" for at in range(width)), pl.String)
    numbers = pl.int_range(1, body.len() + 1, dtype=pl.Int32, eager=True).alias("_row")
    good = io.BytesIO()
    body.filter(fits).to_frame().write_csv(good, include_header=False, quote_style="never")
    frame = _cut(good.getvalue(), schema).insert_column(0, numbers.filter(fits))
    right = {at: record for at, record in strange.items() if len(record) == width}
    if right:
        others = pl.DataFrame([(at, *record) for at, record in right.items()], schema={"_row": pl.Int32, **schema}, orient="row")
        frame = pl.concat([frame, others]).sort("_row")
    odd = tuple(at for at in numbers.filter(~fits) if at not in right)
    marked = numbers.filter(body.str.contains(BAD_BYTE, literal=True)).to_list()
    records = csv.reader(body.gather([at - 1 for at in marked]).to_list()) if marked else ()
    spoilt = {at: place for at, record in zip(marked, records, strict=True) for place in _spoilt_rows([record], width).values()}
    return Sheet(tuple(clean_header(name) for name in header), frame, body.len(), odd, spoilt)


def _cut(data: bytes, schema: Mapping[str, type[pl.DataType]], **how: Any) -> pl.DataFrame:
    """Well-formed CSV without a header as text columns; an empty field has no value."""
    return pl.read_csv(io.BytesIO(data), has_header=False, schema=dict(schema), raise_if_empty=False, **how)


def _strange_records(lines: pl.Series, fields: pl.Series) -> dict[int, list[str]] | None:
    """The records of oddly quoted lines by their place; None where one of them does not end with its line."""
    strange = fields.is_null().arg_true()
    records = list(csv.reader([*lines.gather(strange).to_list(), "end"]))
    return dict(zip(strange.to_list(), records, strict=False)) if len(records) == strange.len() + 1 else None


def _sheet_of_text(text: str, announced: int | None) -> Sheet:
    """The sheet of any text, record by record."""
    best: tuple[list[str], list[list[str]]] | None = None
    for cut in (_records, _records_with_blanks, _records_line_by_line):
        records = cut(text)
        if records and (best is None or len(records) - 1 == announced):
            best = records[0], records[1:]
        if best and announced in {None, len(best[1])}:
            break
    if best is None:
        return Sheet((), pl.DataFrame(), 0)
    return _sheet_of_records(*best, torn_bytes=BAD_BYTE in text)


def _records(text: str) -> list[list[str]]:
    """The records as CSV says; blank lines are none. Empty where a quote swallows too much."""
    return [record for record in _records_with_blanks(text) if record]


def _records_with_blanks(text: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return []


def _records_line_by_line(text: str) -> list[list[str]]:
    """Each line a record of its own: an unclosed quote then spoils its own line only."""
    return [record for line in text.split("\n") for record in _records(line.rstrip("\r"))[:1]]


def _sheet_of_records(header: Sequence[str], records: Sequence[Sequence[str]], *, torn_bytes: bool) -> Sheet:
    headers, width = tuple(clean_header(name) for name in header), len(header)
    spoilt = _spoilt_rows(records, width) if torn_bytes else {}
    odd = tuple(at for at, record in enumerate(records, start=1) if len(record) != width)
    if odd:
        numbers = [at for at, record in enumerate(records, start=1) if len(record) == width]
        records = [record for record in records if len(record) == width]
    else:
        numbers = list(range(1, len(records) + 1))
    columns = list(zip(*records, strict=True)) or [()] * width
    series = [pl.Series(f"c{at}", column, dtype=pl.String) for at, column in enumerate(columns)]
    frame = pl.DataFrame([pl.Series("_row", numbers, dtype=pl.Int32), *series])
    return Sheet(headers, frame, len(numbers) + len(odd), odd, spoilt)


def _spoilt_rows(records: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """Rows with a bad byte, and the first column it stands in (-1 where the fields do not fit the header)."""
    spoilt = {}
    for at, record in enumerate(records, start=1):
        place = next((place for place, field in enumerate(record) if BAD_BYTE in field), None)
        if place is not None:
            spoilt[at] = place if len(record) == width else -1
    return spoilt


def _text_of(data: bytes, extract: Extract) -> str:
    """The file as text. A byte order mark decides; else the encoding under which most declared columns are found.

    Where the header reads the same in both, UTF-8 is taken unless most lines are not: GBK text is almost never UTF-8 by
    chance, while a few damaged UTF-8 lines may well be GBK by chance.
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    header, _, _ = data.partition(b"\n")
    found = {encoding: len(find_columns(_header_of(_decoded(header, encoding)), extract)[0]) for encoding in ENCODINGS}
    likely = [encoding for encoding in ENCODINGS if found[encoding] == max(found.values())]
    text = _decoded(data, likely[0])
    if len(likely) == 1 or BAD_BYTE not in text:
        return text
    beyond_ascii = [line for line in text.split("\n") if not line.isascii()]
    damaged = sum(BAD_BYTE in line for line in beyond_ascii)
    return text if damaged * 2 <= len(beyond_ascii) else _decoded(data, likely[1])


def _header_of(line: str) -> list[str]:
    records = _records(line)
    return [clean_header(name) for name in records[0]] if records else []


def _decoded(data: bytes, encoding: str) -> str:
    return data.decode(encoding, errors=BAD_BYTES_HANDLER)


def _mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """One mark for each run of bytes that is not of the encoding; decoding goes on behind it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BAD_BYTE, error.end


def _decode_xlsx(data: bytes) -> Sheet:
    """The first sheet of a workbook, every cell as text; empty rows at its end are not rows."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            members = book.infolist()
        if len(members) > XLSX_MEMBERS or sum(member.file_size for member in members) > XLSX_BYTES:
            raise TornError
        cells = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string").to_polars()
    except (zipfile.BadZipFile, fastexcel.FastExcelError, ValueError, OSError) as error:
        raise TornError from error
    filled = cells.select(~pl.all_horizontal(pl.all().is_null())).to_series().arg_true() if cells.width else pl.Series([])
    if cells.width > COLUMN_LIMIT or not filled.len():
        return Sheet((), pl.DataFrame(), 0)
    headers = tuple(clean_header(name) for name in cells.row(0))
    body = cells.slice(1, int(filled[-1])).rename({name: f"c{at}" for at, name in enumerate(cells.columns)})
    return Sheet(headers, _numbered(body), body.height)


def _decode_parquet(data: bytes) -> Sheet:
    """A Parquet file of theirs, every column as text."""
    try:
        frame = read_foreign(data)
        series = [as_text(column).alias(f"c{at}") for at, column in enumerate(frame.get_columns())]
    except (ValueError, OSError, NotImplementedError, pl.exceptions.PolarsError) as error:
        raise TornError from error
    headers = tuple(clean_header(name) for name in frame.columns)
    return Sheet(headers, _numbered(pl.DataFrame(series)), frame.height)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_row_index("_row", offset=1).with_columns(pl.col("_row").cast(pl.Int32))


codecs.register_error(BAD_BYTES_HANDLER, _mark_bad_bytes)
