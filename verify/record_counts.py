"""How many records a text file holds physically, counted on its bytes: the count that the reader must come to, by other means.

Knows nothing of encodings beyond the width of a unit (1 or 2 bytes), nothing of columns, and shares no code with the reader.
Line feed, return, quote, comma, semicolon and tab are never part of another character in UTF-8, GBK or GB18030.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

CHUNK = 512 << 10  # a window that stays in the processor's cache: 1.7 times as fast as 4 MiB (tried)
LINE_FEED, RETURN, QUOTE = 10, 13, 34
Places = np.ndarray[Any, np.dtype[np.intp]]
Units = np.ndarray[Any, np.dtype[np.uint16 | np.uint8]]


@dataclass(slots=True)
class Counted:
    """What was counted: `lines` and those of them that are not empty; `records`: lines, where a line end inside quotes ends
    nothing. `sound`: every quote stands at the edge of a field, or is doubled. `longest` in units.
    """

    lines: int = 0
    filled: int = 0
    records: int = 0
    quotes: int = 0
    sound: bool = True
    longest: int = 0

    @property
    def plain(self) -> bool:
        """Whether every record is a line."""
        return self.records == self.lines


def count_records(file: BinaryIO, *, skip: int, unit: str, delimiter: str, line_end: int = LINE_FEED) -> Counted:
    """Count a file behind its first `skip` bytes; `unit` is the numpy type of one unit: u1, <u2 or >u2."""
    counted = Counted()
    file.seek(skip)
    before: Units = np.array([line_end], dtype=unit)  # a record begins behind a line end, the first one too
    edges = (ord(delimiter), line_end, RETURN, QUOTE)
    last_end = 0  # the place of the last line end, from the first unit of the window
    for units in _with_an_end(_units(file, unit), line_end):
        window: Units = np.concatenate([before, units])
        ends, quotes = _places(window, line_end), _places(window, QUOTE)
        _count_lines(window, ends, counted, last_end=last_end, outside=(np.searchsorted(quotes, ends) + counted.quotes) % 2 == 0)
        if quotes.size:
            opening = (np.arange(quotes.size) + counted.quotes) % 2 == 0
            beside = np.where(opening, window[quotes - 1], window[quotes + 1])
            counted.sound = counted.sound and bool(np.isin(beside, edges).all())
            counted.quotes += quotes.size
        last_end = (int(ends[-1]) if ends.size else last_end) - (window.size - 2)
        before = window[-2:]
    counted.sound = counted.sound and counted.quotes % 2 == 0
    return counted


def _units(file: BinaryIO, unit: str) -> Iterator[Units]:
    while data := file.read(CHUNK):
        width = int(unit[-1])
        yield np.frombuffer(data[: len(data) // width * width], dtype=unit)


def _with_an_end(parts: Iterator[Units], line_end: int) -> Iterator[Units]:
    """The parts, then a line end where the last line has none, then one unit that is nothing."""
    last = line_end
    part: Units | None = None
    for part in parts:
        if part.size:
            last = int(part[-1])
            yield part
    yield np.array([0] if last == line_end else [line_end, 0], dtype=np.uint8 if part is None else part.dtype)


def _places(window: Units, unit: int) -> Places:
    """Where a unit stands in the window, its first and last place left to the neighbouring windows."""
    return np.flatnonzero(window[1:-1] == unit) + 1


def _count_lines(window: Units, ends: Places, counted: Counted, *, last_end: int, outside: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Add the lines that end in this window; `outside` says which ends stand outside quotes."""
    lengths = np.diff(ends, prepend=last_end) - 1
    empty = (lengths == 0) | ((lengths == 1) & (window[ends - 1] == RETURN))
    counted.lines += ends.size
    counted.filled += ends.size - int(empty.sum())
    counted.records += int(outside.sum())
    unfinished = window.size - 2 - (int(ends[-1]) if ends.size else last_end)
    counted.longest = max(counted.longest, int(lengths.max(initial=0)), unfinished)
