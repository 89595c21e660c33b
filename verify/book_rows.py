"""How many rows the first sheet of a workbook has from the first with a value to the last, counted past the reader of books.

For today's workbooks (xlsx) and open documents (ods) on the XML of the sheet, for old ones (xls) on the records of the
compound file. None where the file does not say it in the way all programs do: then nothing is proved. Runs in the child only.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

SHEETS = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
RELATIONS = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
NEAR = 1 << 16  # bytes from an end of a sheet within which its first or last value ends as a rule
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


def _span(rows: Iterator[int]) -> int:
    numbers = set(rows)
    return max(numbers) - min(numbers) + 1 if numbers else 0


# --- xlsx -------------------------------------------------------------------------------------------------------------


def _rows_of_xlsx(archive: zipfile.ZipFile) -> int | None:
    """By the numbers that rows bear; where none bears one they are counted."""
    xml = archive.read(_first_sheet(archive))
    last = _place(xml, bytes.rfind, (len(xml) - NEAR, len(xml)), max)
    if last < 0:
        return 0
    first = _place(xml, bytes.find, (0, NEAR), min)
    starts = [xml.rfind(b"<row", 0, at) for at in (first, last)]
    numbers = [ROW.match(xml, at) if at >= 0 else None for at in starts]
    if numbers[0] and numbers[1]:
        return int(numbers[1][1]) - int(numbers[0][1]) + 1
    return None if min(starts) < 0 else xml.count(b"<row", starts[0], last)


def _place(xml: bytes, search: Callable[..., int], near: tuple[int, int], choose: Callable[[list[int]], int]) -> int:
    """Where the first or the last value ends: `near` its place as a rule, else anywhere; -1 if there is none."""
    for start, stop in (near, (0, len(xml))):
        found = [at for at in (search(xml, end, max(0, start), stop) for end in VALUE_ENDS) if at >= 0]
        if found:
            return choose(found)
    return -1


def _first_sheet(archive: zipfile.ZipFile) -> str:
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
