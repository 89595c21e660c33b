"""What the texts in the cells of a plain workbook mean: texts kept apart, signs written as entities, numbers, days. Runs in the child only.

Numbers and moments come out as fastexcel writes them: 1E-7 as 0.0000001, day 46268 as 2026-09-03 00:00:00.
"""

from __future__ import annotations

import math
import re
import zipfile
from datetime import datetime, timedelta
from html import unescape

import numpy as np

from verify.plain_sheets import (
    GREATER,
    INLINE,
    LESS,
    MASKS,
    MOMENT,
    NUMBER,
    PADDING,
    SHARED,
    TEXT,
    VOID,
    Bytes,
    Cells,
    Places,
    Truths,
    demand,
    numbers,
    opening,
    trimmed,
    word,
    words_of,
)

TEXTS = 128 << 20  # bytes of the texts that a book keeps apart from its cells
ODD = 8 << 20  # bytes of the texts that do not stand in the book as they are meant
ROOM = 2 << 20
SHARED_TEXTS = "xl/sharedStrings.xml"
SIGN = re.compile(rb"_x[0-9A-Fa-f]{4}")
FORMATS = re.compile(rb'<numFmt\b[^>]*?\bnumFmtId="(\d+)"[^>]*?\bformatCode="([^"]*)"')
OWN = re.compile(rb"<numFmts\b[^>]*>(.*?)</numFmts>", re.DOTALL)  # not those of conditional formats, which bear the same numbers
STYLES = re.compile(rb"<cellXfs\b[^>]*>(.*?)</cellXfs>", re.DOTALL)
STYLE = re.compile(rb"<xf\b[^>]*>")
FORMAT = re.compile(rb'\bnumFmtId="(\d+)"')
NUMERIC = re.compile(r"General|@|[#0,]+(?:\.0+)?%?")
DATES = re.compile(r"""y{4}(?:\\?[-/]|"年")m{1,2}(?:\\?[-/]|"月")d{1,2}(?:"日")?(?:(?:\\? )hh?:mm(?::ss)?)?(?:;@)?""")
KNOWN = {**dict.fromkeys((0, 1, 2, 3, 4, 9, 10, 49), NUMBER), **dict.fromkeys((14, 22), MOMENT)}
ENTITIES = re.compile(r"(?:[^&]|&(?:amp|lt|gt|quot|apos);)*")
WRITTEN = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,2})?")
FIRST_DAY, LAST_DAY, DAY_ZERO, DAY_LONG = 61, 2_958_465, 25_569, len("2026-09-03 00:00:00")
ZEROS, POINTS = np.uint64(0x3030303030303030), np.uint64(0x2E2E2E2E2E2E2E2E)
LOW, HIGH = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)


def is_utf8(start: bytes) -> bool:
    """Whether an XML says, or leaves it to be understood, that it is UTF-8."""
    said = start[: start.find(b"?>")] if start.removeprefix(b"\xef\xbb\xbf").startswith(b"<?xml") else b""
    return b"encoding" not in said or b'"utf-8"' in said.lower()


def escaped(text: bytes) -> bool:
    """Whether there is a sign written as `_x000D_`."""
    return b"_" in text and SIGN.search(text) is not None  # a search for one byte is eighty times as fast (measured)


class Values:
    """What the cells of one book say. All texts lie in one memory: those kept apart, then the odd ones, then a piece of the sheet."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        names = archive.namelist()
        texts = archive.read(SHARED_TEXTS) if SHARED_TEXTS in names else b""
        demand(len(texts) <= TEXTS, b"\r" not in texts, not escaped(texts))
        self._formats = _formats(archive.read("xl/styles.xml")) if "xl/styles.xml" in names else []
        self._odd: dict[tuple[int, bytes], tuple[int, int]] = {}
        self._next, self._piece = len(texts), len(texts) + ODD
        self._memory = np.zeros(self._piece + ROOM + PADDING, dtype=np.uint8)
        self._memory[: len(texts)] = np.frombuffer(texts, dtype=np.uint8)
        self._days = np.zeros(LAST_DAY + 1, dtype=np.int32)  # where the text of each day lies
        self._begin, self._end = self._apart(texts)

    def kind_of(self, style: bytes | None, type_: bytes | None) -> int:
        """What a value is by the style and the type that its cell bears; VOID where it may be none that is known here."""
        if type_ in {None, b"n"}:
            at = int(style or 0)
            return self._formats[at] if at < len(self._formats) else NUMBER if not at else VOID
        return {b"s": SHARED, b"str": TEXT, b"inlineStr": INLINE}.get(type_, VOID)

    def taken(self, rows: bytes) -> tuple[Bytes, int, int]:
        """A piece of the sheet put into memory, and where it begins and ends there; it stays until the next one."""
        stop = self._piece + len(rows)
        if stop + PADDING > self._memory.size:
            self._memory = np.concatenate([self._memory[: self._piece], np.zeros(len(rows) + PADDING, dtype=np.uint8)])
        self._memory[self._piece : stop] = np.frombuffer(rows, dtype=np.uint8)
        return self._memory, self._piece, stop

    def meant(self, cells: Cells, *, entities: bool) -> tuple[Places, Places]:
        """Where the text of each cell that is meant begins and ends. `entities`: there is a & somewhere. Raises UnusualError."""
        begin, end = cells.begin.copy(), cells.end.copy()
        places = [np.flatnonzero(cells.kind == kind) for kind in range(MOMENT + 1)]
        if entities:
            for at in (places[INLINE], places[TEXT]):
                self._mend(TEXT, at[_with_entity(self._memory, begin[at], end[at], since=self._piece)], begin, end)
        if (at := places[SHARED]).size:
            which = numbers(words_of(self._memory)[begin[at]], (end - begin)[at])
            begin[at], end[at] = self._begin[which], self._end[which]
        if (at := places[NUMBER]).size:
            self._mend(NUMBER, at[~_plain(self._memory, begin[at], end[at])], begin, end)
        if (at := places[MOMENT]).size:
            whole = _whole(self._memory, begin[at], end[at])
            self._mend(MOMENT, at[~whole], begin, end)
            at = at[whole]
            begin[at] = self._day(numbers(words_of(self._memory)[begin[at]], (end - begin)[at]))
            end[at] = begin[at] + DAY_LONG
        return begin, end

    def _day(self, days: Places) -> Places:
        """Where the text of each day lies; those not yet met are written down."""
        unmet = np.unique(days[self._days[days] == 0])
        if unmet.size:
            texts = np.char.add(((unmet - DAY_ZERO).astype("datetime64[D]")).astype("S10"), b" 00:00:00")
            self._days[unmet] = self._written(texts.tobytes())[0] + np.arange(unmet.size) * DAY_LONG
        return self._days[days].astype(np.int64)

    def _mend(self, kind: int, at: Places, begin: Places, end: Places) -> None:
        """Let the cells at these places point to what they mean."""
        for one in at.tolist():
            text = self._memory[begin[one] : end[one]].tobytes()
            if (kind, text) not in self._odd:
                self._odd[kind, text] = self._written(MEANING[kind](text.decode()).encode())
            begin[one], end[one] = self._odd[kind, text]

    def _written(self, text: bytes) -> tuple[int, int]:
        start = self._next
        self._next += len(text)
        demand(self._next <= self._piece)
        self._memory[start : self._next] = np.frombuffer(text, dtype=np.uint8)
        return start, self._next

    def _apart(self, texts: bytes) -> tuple[Places, Places]:
        """Where each of the texts that a book keeps apart begins and ends: `<si><t>…</t></si>` and nothing else. Raises UnusualError."""
        start, stop = texts.find(b"<si>"), texts.rfind(b"</sst>")
        if start < 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        demand(b"<!" not in texts, is_utf8(texts[:start]))
        x, words = self._memory, words_of(self._memory)
        tags = np.flatnonzero(x[start:stop] == LESS) + start
        demand(tags.size % 4 == 0, np.count_nonzero(x[start:stop] == GREATER) == tags.size)
        item, begin, end, last = tags.reshape(-1, 4).T
        demand(words[item] & MASKS[4] == word(b"<si>"), begin == item + 4, words[end] == word(b"</t></si"), x[end + 8] == GREATER)
        demand(last == end + 4, np.append(item[1:], stop) == end + 9)
        begin, end = begin + opening(x, words, begin), end.copy()
        trimmed(x, begin, end, bare=x[begin - 2] == ord("t"))
        if b"&" in texts:
            self._mend(TEXT, np.flatnonzero(_with_entity(self._memory, begin, end, since=0)), begin, end)
        return begin, end


def _with_entity(memory: Bytes, begin: Places, end: Places, *, since: int) -> Truths:
    """Which texts behind `since` have a & in them."""
    signs = np.flatnonzero(memory[since:] == ord("&")) + since
    found: Truths = np.searchsorted(signs, begin) < np.searchsorted(signs, end)
    return found


def _plain(memory: Bytes, begin: Places, end: Places) -> Truths:
    """Which numbers are written as they are meant: up to fifteen digits, or eleven signs with a point, no needless zero."""
    width = end - begin
    digits, points, near = np.ones(begin.size, dtype=bool), np.zeros(begin.size, dtype=np.int64), np.zeros(begin.size, dtype=bool)
    for more in (0, 8):
        mask = MASKS[np.clip(width - more, 0, 8)]
        part = (words_of(memory)[begin + more] & mask) | (ZEROS & ~mask)
        point = ~(((part ^ POINTS) & LOW) + LOW | (part ^ POINTS) | LOW)  # the highest bit of every byte that is a point
        points += np.bitwise_count(point)
        near |= (point & MASKS[7] != 0) & (more == 0)  # no more than six digits before it
        part = part ^ ((point >> np.uint64(7)) * np.uint64(ord(".") ^ ord("0"))) ^ ZEROS
        digits &= ((part + np.uint64(0x7676767676767676)) | part) & HIGH == 0
    first, second, last = memory[begin], memory[begin + 1], memory[end - 1]
    whole = (points == 0) & (width <= 15) & ((first != ord("0")) | (width == 1))
    broken = (points == 1) & near & (width <= 11) & (first != ord(".")) & ((first != ord("0")) | (second == ord("."))) & (last != ord("0")) & (last != ord("."))
    found: Truths = (width > 0) & digits & (whole | broken)
    return found


def _whole(memory: Bytes, begin: Places, end: Places) -> Truths:
    """Which moments are whole days of the years that can be told."""
    width = end - begin
    mask = MASKS[np.clip(width, 0, 8)]
    part = ((words_of(memory)[begin] & mask) | (ZEROS & ~mask)) ^ ZEROS
    fit = (width > 1) & (width < 8) & (((part + np.uint64(0x7676767676767676)) | part) & HIGH == 0)
    days = np.zeros(begin.size, dtype=np.int64)
    days[fit] = numbers(words_of(memory)[begin[fit]], width[fit])
    inside: Truths = (days >= FIRST_DAY) & (days <= LAST_DAY)
    return inside


def _formats(styles: bytes) -> list[int]:
    """What a number is in each style: NUMBER, MOMENT, or VOID where the format is none that is known here."""
    named, listed = OWN.search(styles), STYLES.search(styles)
    own = {int(found[1]): _of_format(unescape(found[2].decode())) for found in FORMATS.finditer(named[1] if named else b"")}
    told = [FORMAT.search(style) for style in STYLE.findall(listed[1])] if listed else []
    ids = [int(found[1]) if found else 0 for found in told]
    return [own.get(id_, KNOWN.get(id_, VOID)) for id_ in ids]


def _of_format(code: str) -> int:
    return MOMENT if DATES.fullmatch(code) else NUMBER if NUMERIC.fullmatch(code) else VOID


def _number(text: str) -> str:
    """A number as text: no exponent, at most nine digits behind the point. Raises UnusualError."""
    demand(WRITTEN.fullmatch(text))
    return f"{float(text):.9f}".rstrip("0").removesuffix(".")


def _moment(text: str) -> str:
    """A day with its time, to the millisecond. Raises UnusualError."""
    demand(WRITTEN.fullmatch(text))
    value = float(text)
    demand(FIRST_DAY <= value < LAST_DAY)
    moment = datetime(1899, 12, 30) + timedelta(milliseconds=math.floor(value * 86_400_000 + 0.5))  # noqa: DTZ001 - of no place
    return moment.isoformat(" ", "milliseconds").removesuffix(".000")


def _text(text: str) -> str:
    demand(ENTITIES.fullmatch(text))
    return unescape(text)


MEANING = {TEXT: _text, NUMBER: _number, MOMENT: _moment}
