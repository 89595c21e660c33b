"""Workbooks (xlsx) with one sheet in the form that all programs write, read in one pass: in half the time of a reader that
knows all forms, to which is left whatever is unusual. Runs in the child only.

What is said here of a book is what fastexcel says of it, to the byte; a test holds the two against each other.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from verify.book_rows import SHEETS, RowSpan, first_sheet
from verify.plain_sheets import Bytes, Places, Sheet, UnusualError, demand
from verify.plain_values import Values, escaped, is_utf8

PIECE = 512 << 10  # bytes of XML at a time: what is looked at a dozen times stays in the processor's cache
LONGEST = 32 << 20  # bytes of what is read until a row ends
NARROW = 3  # a column is cut in lines of one width if that is not so many times its texts
START, END, ROW_END = b"<sheetData>", b"</sheetData>", b"</row>"
HEAD = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[^<>]*\?>\s*)?<worksheet(?:\s[^<>]*)?>(?:\s*</?[A-Za-z][\w:.-]*(?:\s[^<>]*)?>)*\s*")
TORN = (KeyError, ValueError, IndexError, StopIteration, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, pa.ArrowInvalid)


def plain_book(given: BinaryIO, fits: Callable[[int, int], None]) -> tuple[pa.RecordBatch, int | None] | None:
    """The cells of a workbook's one sheet as text columns, and how many rows another count finds; None where it is unusual, or torn.

    `fits` is told the columns and rows before they are put together, and refuses where they are too many.
    """
    try:
        with zipfile.ZipFile(given) as archive:
            span = RowSpan()
            return _read(archive, span, fits), span.rows()
    except (UnusualError, MemoryError, *TORN):
        return None  # the other reader has its own words for what is torn, or too large


def _read(archive: zipfile.ZipFile, span: RowSpan, fits: Callable[[int, int], None]) -> pa.RecordBatch:
    """All of it; `span` sees the same bytes. Raises UnusualError."""
    book = archive.read("xl/workbook.xml")
    demand(len(set(archive.namelist())) == len(archive.namelist()), len(SHEETS.findall(book)) == 1, b"date1904" not in book)
    values, grid = Values(archive), _Grid()
    sheet = Sheet(values.kind_of)
    for rows in _whole_rows(archive, span):
        demand(b"\r" not in rows, not escaped(rows))
        memory, start, stop = values.taken(rows)
        cells = sheet.cut(memory, start, stop)
        if cells.row.size:
            begin, end = values.meant(cells, entities=b"&" in rows)
            grid.add(memory, cells.row, cells.column, begin=begin, end=end)
    return grid.together(fits)


def _whole_rows(archive: zipfile.ZipFile, span: RowSpan) -> Iterator[bytes]:
    """The XML of the sheet's rows, whole ones at a time. It is read to its end, where its checksum is proved."""
    rest, inside = b"", False
    with archive.open(first_sheet(archive)) as stream:
        while part := stream.read(PIECE):
            span.feed(part)
            rest += part
            demand(len(rest) <= LONGEST)
            if not inside and (at := rest.find(START)) >= 0:
                demand(HEAD.fullmatch(rest[:at]), is_utf8(rest[:at]))
                inside, rest = True, rest[at + len(START) :]
            cut = rest.rfind(ROW_END) + len(ROW_END) if inside else 0
            if cut >= len(ROW_END):
                yield rest[:cut]
                rest = rest[cut:]
    end = rest.find(END)
    demand(inside, end >= 0, rest.rstrip().endswith(b"</worksheet>"))
    if end:
        yield rest[:end]  # rows without end tags


class _Grid:
    """What was cut, by columns: of each piece the rows that have a value, how long the values are, and the values."""

    def __init__(self) -> None:
        self._columns: dict[int, list[tuple[Places, Places, bytes]]] = {}
        self._first = self._last = 0

    def add(self, memory: Bytes, row: Places, column: Places, *, begin: Places, end: Places) -> None:
        """Take the texts that lie in memory from `begin` to `end`, ordered by their rows."""
        self._first, self._last = self._first or int(row[0]), int(row[-1])
        places = np.flatnonzero(np.bincount(column)).tolist()
        for at in places:
            here = np.flatnonzero(column == at) if len(places) > 1 else slice(None)
            start, width = begin[here], (end - begin)[here]
            self._columns.setdefault(at, []).append((row[here], width, _texts(memory, start, width)))

    def together(self, fits: Callable[[int, int], None]) -> pa.RecordBatch:
        """The columns from the first to the last with a value, one row for each from the first to the last. Raises UnusualError, ArrowInvalid."""
        demand(self._columns)
        places = range(min(self._columns), max(self._columns) + 1)
        height = self._last - self._first + 1
        fits(len(places), height)
        return pa.record_batch([self._column(self._columns.pop(at, []), height) for at in places], names=[f"c{at}" for at in range(len(places))])

    def _column(self, parts: list[tuple[Places, Places, bytes]], height: int) -> pa.Array:
        buffers: list[pa.Buffer | None] = [None, None, pa.py_buffer(b"".join(text for _, _, text in parts))]
        rows, long = (np.concatenate([part[at] for part in parts] or [np.zeros(0, dtype=np.int64)]) for at in (0, 1))
        width = np.zeros(height + 1, dtype=np.int64)
        width[rows - self._first + 1] = long
        if rows.size < height:
            there = np.zeros(height, dtype=bool)
            there[rows - self._first] = True
            buffers[0] = pa.py_buffer(np.packbits(there, bitorder="little"))
        buffers[1] = pa.py_buffer(np.cumsum(width))
        made = pa.Array.from_buffers(pa.large_string(), height, buffers)
        made.validate(full=True)  # that it is UTF-8 too
        return made


def _texts(memory: Bytes, begin: Places, width: Places) -> bytes:
    """The texts that lie at these places, one behind the other. Most columns are about as wide everywhere."""
    widest, total = int(width.max()), int(width.sum())
    if widest * width.size > NARROW * total + width.size or int(begin.max()) + widest > memory.size:
        before = np.cumsum(width) - width
        return memory[np.repeat(begin - before, width) + np.arange(total)].tobytes()
    if not widest:
        return b""
    lines = np.ndarray((memory.size - widest + 1,), dtype=f"V{widest}", buffer=memory, strides=(1,))[begin]
    if widest * width.size == total:
        return lines.tobytes()
    return lines.view(np.uint8).reshape(-1, widest)[np.arange(widest) < width[:, None]].tobytes()
