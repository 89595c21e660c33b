"""How many rows the first sheet of a workbook has from the first with a value to the last, counted past the reader of books.

For today's workbooks (xlsx) and open documents (ods) on the XML of the sheet, for old ones (xls) on the records of the
compound file. None where the file does not say it in the way all programs do: then nothing is proved. Runs in the child only.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

SHEETS = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
RELATIONS = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
ROW_STARTS = b"<row"
LONG = 4 << 20  # bytes of XML from which on a book is a long one
PIECE, LONGEST = 1 << 20, 64 << 20  # bytes of a sheet at a time; of one tag and the text behind it
VALUE_ENDS = (b"</v>", b"</t>")
ODS_ROW = re.compile(rb"<table:table-row\b([^>]*?)(/?)>")
ODS_VALUE = re.compile(rb'\boffice:(?:value|date-value|time-value|boolean-value)="|<text:(?:p|span|a)\b[^>]*>[^<\s]')
REPEATED = re.compile(rb'\btable:number-rows-repeated="(\d+)"')
FREE = 0xFFFFFFFA  # from here on a sector number is none
BOUND_SHEET, END, FORMULA = 0x85, 0x0A, 0x06
VALUES = {0xFD, 0x204, 0x203, 0x27E, 0xBD, 0x205, 0xD6, FORMULA}  # texts, numbers, formulas; a blank cell is none
NO_NUMBER = b"\xff\xff"  # at the end of a formula's result: text, perhaps an empty one


def rows_of(given: BinaryIO, kind: str) -> int | None:
    """The count for a workbook of this kind: xlsx, ods or xls."""
    given.seek(0)
    try:
        if kind == "xls":
            return _span(_rows_of_records(_stream(given.read())))
        with zipfile.ZipFile(given) as archive:
            return _rows_of_xlsx(archive) if kind == "xlsx" else _rows_of_ods(archive.read("content.xml"))
    except (KeyError, ValueError, IndexError, struct.error, StopIteration):
        return None  # the reader of books has its own words for what is torn


def is_long(given: BinaryIO) -> bool:
    """Whether the first sheet of a xlsx says it is so long that it pays to load the quick reader (see `plain_books`)."""
    try:
        with zipfile.ZipFile(given) as archive:
            return archive.getinfo(first_sheet(archive)).file_size >= LONG
    except (KeyError, ValueError, StopIteration, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return False


def _span(rows: Iterator[int]) -> int:
    numbers = set(rows)
    return max(numbers) - min(numbers) + 1 if numbers else 0


# --- xlsx -------------------------------------------------------------------------------------------------------------


def _rows_of_xlsx(archive: zipfile.ZipFile) -> int | None:
    span = RowSpan()
    with archive.open(first_sheet(archive)) as stream:
        while part := stream.read(PIECE):
            span.feed(part)
    return span.rows()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row by the number it bears (None: none), and how many rows began before it."""

    number: int | None
    before: int


class RowSpan:
    """The count on the XML of a sheet, a piece at a time: by the numbers that rows bear; where none bears one they are counted."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun, self._counting = 0, True
        self._row: _Row | None = None
        self._first: _Row | None = None
        self._last: _Row | None = None
        self._lost = False

    def feed(self, part: bytes) -> None:
        """The next bytes, cut anywhere."""
        xml = self._rest + part
        cut = max(xml.rfind(b"<"), 0)  # perhaps not the whole tag
        self._rest = xml[cut:]
        if len(self._rest) > LONGEST:
            self._lost, self._rest = True, b""
        self._look(xml, cut)

    def rows(self) -> int | None:
        """How many there are; None where that cannot be told."""
        xml, self._rest = self._rest, b""
        self._look(xml, len(xml))
        if self._lost or self._first is None or self._last is None:
            return None if self._lost else 0
        if self._first.number is not None and self._last.number is not None:
            return self._last.number - self._first.number + 1
        return self._last.before - self._first.before + 1 if self._first.number is self._last.number else None

    def _look(self, xml: bytes, stop: int) -> None:
        """See the tags that begin before `stop`."""
        seen, found = 0, [at for at in (xml.rfind(end, 0, stop) for end in VALUE_ENDS) if at >= 0]
        if found:
            if self._first is None:
                first = min(at for at in (xml.find(end, 0, stop) for end in VALUE_ENDS) if at >= 0)
                self._first, seen = self._row_before(xml, seen, first)
                self._counting = self._first is not None and self._first.number is None
            self._last, seen = self._row_before(xml, seen, max(found))
            self._lost |= self._first is None
        self._row, seen = self._row_before(xml, seen, stop)
        self._begun += xml.count(ROW_STARTS, seen, stop) if self._counting else 0

    def _row_before(self, xml: bytes, seen: int, stop: int) -> tuple[_Row | None, int]:
        """The row that begins last before `stop`, and its place; the rows that begin before `seen` are counted."""
        at = xml.rfind(ROW_STARTS, seen, stop)
        if at < 0:
            return self._row, seen
        self._begun += xml.count(ROW_STARTS, seen, at) if self._counting else 0
        number = ROW.match(xml, at)
        return _Row(int(number[1]) if number else None, self._begun), at


def first_sheet(archive: zipfile.ZipFile) -> str:
    """The name of the first sheet's XML, as the workbook and its relations tell it."""
    id_ = _attribute(next(SHEETS.finditer(archive.read("xl/workbook.xml")))[0], rb"\w+:id")
    for found in RELATIONS.finditer(archive.read("xl/_rels/workbook.xml.rels")):
        if _attribute(found[0], b"Id") == id_:
            return posixpath.normpath(posixpath.join("/xl", _attribute(found[0], b"Target"))).lstrip("/")
    raise KeyError


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\s" + name + rb"\s*=\s*[\"']([^\"']*)[\"']", tag)
    if not found:
        raise KeyError
    return found[1].decode()


# --- ods --------------------------------------------------------------------------------------------------------------


def _rows_of_ods(xml: bytes) -> int | None:
    """By the rows of the first table, each as often as it is repeated."""
    start = xml.index(b"<table:table ")
    end = xml.index(b"</table:table>", start)
    if xml.find(b"<table:table ", start + 1, end) >= 0:
        return None  # a table inside a table
    at, filled = 0, []
    rows = list(ODS_ROW.finditer(xml, start, end))
    for place, row in enumerate(rows):
        times = REPEATED.search(row[1])
        until = rows[place + 1].start() if place + 1 < len(rows) else end
        if not row[2] and ODS_VALUE.search(xml, row.end(), until):
            filled += [at, at + (int(times[1]) if times else 1) - 1]
        at += int(times[1]) if times else 1
    return _span(iter(filled))


# --- xls --------------------------------------------------------------------------------------------------------------


def _stream(data: bytes) -> bytes:
    """The stream of a compound file in which Excel keeps a workbook. Raises KeyError, IndexError, struct.error."""
    size, small = 1 << data[30], 1 << data[32]
    table = b"".join(_sector(data, at, size) for at in _table_sectors(data, size))
    chain = _chained(data[size:], table, size)
    folder = chain(struct.unpack_from("<I", data, 48)[0])
    entries = {folder[at : at + folder[at + 64]].decode("utf-16-le").rstrip("\0"): folder[at + 116 : at + 124] for at in range(0, len(folder), 128)}
    first, length = struct.unpack("<II", entries["Workbook" if "Workbook" in entries else "Book"])
    if length >= struct.unpack_from("<I", data, 56)[0]:
        return chain(first)[:length]
    within = chain(struct.unpack("<II", entries["Root Entry"])[0])
    return _chained(within, chain(struct.unpack_from("<I", data, 60)[0]), small)(first)[:length]


def _sector(data: bytes, at: int, size: int) -> bytes:
    return data[(at + 1) * size : (at + 2) * size]


def _table_sectors(data: bytes, size: int) -> list[int]:
    """Where the table of sectors lies: 109 places in the head, and a chain of sectors with more."""
    found, more = list(struct.unpack_from("<109I", data, 76)), struct.unpack_from("<I", data, 68)[0]
    while more < FREE and len(found) < len(data):
        *places, more = struct.unpack(f"<{size // 4}I", _sector(data, more, size))
        found += places
    return [at for at in found if at < FREE]


def _chained(data: bytes, table: bytes, size: int) -> Callable[[int], bytes]:
    """What reads a chain of sectors from its first one."""
    following = struct.unpack(f"<{len(table) // 4}I", table)

    def read(at: int) -> bytes:
        parts: list[bytes] = []
        while at < FREE and len(parts) <= len(following):
            parts.append(data[at * size : (at + 1) * size])
            at = following[at]
        return b"".join(parts)

    return read


def _rows_of_records(stream: bytes) -> Iterator[int]:
    """The row of every cell of the first sheet that has a value."""
    sheet = next(data for kind, data in _records(stream, 0) if kind == BOUND_SHEET)
    if sheet[5]:
        raise KeyError  # a chart or a macro
    for kind, data in _records(stream, struct.unpack_from("<I", sheet)[0]):
        if kind in VALUES and not (kind == FORMULA and data[12:14] == NO_NUMBER):
            yield struct.unpack_from("<H", data)[0]


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records from a place up to the end of their part."""
    kind = None
    while kind != END:
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
