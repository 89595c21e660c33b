"""The XML of a worksheet in the form that all programs write, cut into texts by whole columns of places; a piece at a time.

Nothing is guessed: every tag, every attribute of a cell and every byte between them must be accounted for, else
`UnusualError` is raised and the book goes to a reader that knows all forms. Runs in the child only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Places = np.ndarray[Any, np.dtype[np.int64]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]
LESS, GREATER, SLASH, QUOTE, A, SPACE = b'<>/"A '
MASKS: Words = np.array([(1 << 8 * width) - 1 for width in range(9)], dtype=np.uint64)
HEAD = re.compile(rb'(?: s="(?P<style>\d{1,5})")?(?: t="(?P<type>[a-zA-Z]{1,9})")?(?P<opens>/>|></c>|><v>|><is><t(?: xml:space="preserve")?>)')
TAILS = {b"/>": (b"", 1), b"></c>": (b"", 2), b"><v>": (b"</v></c>", 4)}  # what ends a cell, and how many tags there are
IN_TEXT = (b"</t></is></c>", 6)
ROW_TAG = re.compile(rb'(?: [A-Za-z][A-Za-z0-9:._-]*="[^"<>&]*")* ?/?>')
LONGEST_HEAD = 7  # words
FORMS = 64  # of cells in one sheet: styles times types
VOID, INLINE, TEXT, SHARED, NUMBER, MOMENT = range(6)
BARE = b"<is><t>"
PRESERVED = b'<t xml:space="preserve">'
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
PADDING = 64  # bytes behind a piece that may be looked at


class UnusualError(Exception):
    """Something that this reader does not know: it has no opinion on the book."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells with a value of some rows, in order: the number of the row, the column from 0, where the text begins and ends, its kind."""

    row: Places
    column: Places
    begin: Places
    end: Places
    kind: Bytes


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as the number that lies there."""
    return np.uint64(int.from_bytes(text, "little"))


def words_of(memory: Bytes) -> Words:
    """At every place the eight bytes that begin there."""
    return np.ndarray((memory.size - 7,), dtype="<u8", buffer=memory, strides=(1,))


def demand(*tests: Any) -> None:
    """Raises UnusualError unless all hold."""
    if not all(bool(np.all(test)) for test in tests):
        raise UnusualError


def numbers(digits: Words, width: Places) -> Places:
    """The numbers written in the first `width` (1 to 8) bytes of each word. Raises UnusualError where they are no digits."""
    demand((width > 0) & (width <= 8))
    shift = (8 * (8 - width)).astype(np.uint64)
    found = (digits ^ np.uint64(0x3030303030303030)) << shift
    demand(((found + np.uint64(0x7676767676767676)) | found) & np.uint64(0x8080808080808080) == 0)
    for by, bits, keep in ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10000, 32, 0xFFFFFFFF)):
        found = (found * np.uint64(by) + (found >> np.uint64(bits))) & np.uint64(keep)
    return found.astype(np.int64)


class Sheet:
    """A worksheet in the making. `kind_of` says what a value is by the style and the type of its cell, both as written (None: not said)."""

    def __init__(self, kind_of: Callable[[bytes | None, bytes | None], int]) -> None:
        self._kind_of = kind_of
        self._forms: dict[bytes, Form] = {}
        self._last = 0

    def cut(self, memory: Bytes, start: int, stop: int) -> Cells:
        """The cells of whole rows, which lie in memory from `start` to `stop`, at least PADDING bytes before its end. Raises UnusualError."""
        less = memory[start:stop] == LESS
        tags, sign = np.count_nonzero(less), memory[start + 1 : stop + 1]
        demand(np.count_nonzero(memory[start:stop] == GREATER) == tags)
        rows, cells = (np.flatnonzero(less & (sign == letter)) + start for letter in b"rc")
        number, at, behind, closed = self._rows(memory, rows, start, stop)
        first = np.searchsorted(cells, rows)  # of each row the first cell
        many = np.diff(first, append=cells.size)
        inside = np.append(cells, 0)[np.where(many > 0, first, cells.size)]  # what follows the tag of each row
        inside = np.where(many > 0, inside, behind)
        demand((many == 0)[closed], memory[inside - 1] == GREATER)
        self._tags(memory, at, inside)
        which = np.repeat(np.arange(rows.size), many)
        until = np.append(cells[1:], stop)  # where each cell ends: at the next one, or at the end of its row
        until[(first + many - 1)[many > 0]] = behind[many > 0]
        column, at = _columns(memory, cells + 2, which, where=rows + 8, first=first)
        demand((np.diff(column) > 0) | (np.diff(which) > 0), column < MOST_COLUMNS)
        begin, end, kind, used = self._formed(memory, at, until)
        demand(used + 2 * rows.size - np.count_nonzero(closed) == tags)  # no tag is left
        has = np.flatnonzero(kind != VOID)
        if has.size == kind.size:
            return Cells(number[which], column, begin, end, kind)
        return Cells(number[which[has]], column[has], begin[has], end[has], kind[has])

    def _rows(self, x: Bytes, rows: Places, start: int, stop: int) -> tuple[Places, Places, Places, Truths]:
        """The number of every row, the place in its tag behind that, where its end tag begins, and which rows have none because they are empty."""
        demand(rows.size, rows[:1] == start)
        words, behind = words_of(x), np.append(rows[1:], stop)
        demand(words[rows] & MASKS[4] == word(b"<row"), (x[rows + 4] == SPACE) | (x[rows + 4] == GREATER))
        closed = x[behind - 2] == SLASH
        demand(words[behind - 6][~closed] & MASKS[6] == word(b"</row>"), x[behind - 1] == GREATER)
        bears = words[rows + 4] & MASKS[4] == word(b' r="')
        if bears.all():
            width = _digits(x, rows + 8)
            number, at = numbers(words[rows + 8], width), rows + 9 + width
        else:
            demand(~bears)
            number, at = np.arange(self._last + 1, self._last + 1 + rows.size), rows + 4
        demand(np.diff(number) > 0, number[0] > self._last, number[-1] <= MOST_ROWS)
        self._last = int(number[-1])
        return number, at, np.where(closed, behind, behind - 6), closed

    def _tags(self, memory: Bytes, at: Places, inside: Places) -> None:
        """See that what follows in the tags of rows is attributes; most are alike. Raises UnusualError."""
        more = np.flatnonzero(inside - at > 1)
        for tag in {memory[start:stop].tobytes() for start, stop in zip(at[more].tolist(), inside[more].tolist(), strict=True)}:
            demand(ROW_TAG.fullmatch(tag))

    def _formed(self, memory: Bytes, at: Places, until: Places) -> tuple[Places, Places, Bytes, int]:
        """Where the value of every cell begins and ends, its kind, and how many tags they all take; each way to write one is looked at once."""
        if not at.size:
            return at, at, at.astype(np.uint8), 0
        heads, tails = pieces(memory, at, LONGEST_HEAD), pieces(memory, until - 16, 2)
        which, forms, left = np.full(at.size, FORMS, dtype=np.uint8), list[Form](), np.arange(at.size)
        while left.size:
            form = self._form(heads[left[0]].tobytes())
            these = form.fitting(heads, tails, left)
            demand(these.size)
            which[these] = len(forms)
            forms.append(form)
            left = left[which[left] == FORMS] if these.size < left.size else left[:0]
        head, tail, tags, kind, bare = (np.array(told) for told in zip(*(form.told for form in forms), strict=True))
        begin, end = at + head[which], until - tail[which]
        demand(begin <= end)
        if not tail.all():
            demand((begin == end)[tail[which] == 0])
        if bare.any():
            trimmed(memory, begin, end, bare=bare[which])
        return begin, end, kind.astype(np.uint8)[which], int((np.bincount(which) * tags).sum())

    def _form(self, text: bytes) -> Form:
        """The form of a cell whose tag goes on like this."""
        found = HEAD.match(text)
        if not found or len(self._forms) >= FORMS:
            raise UnusualError
        if found[0] not in self._forms:
            tail, tags = TAILS.get(found["opens"], IN_TEXT)
            kind = self._kind_of(found["style"], found["type"]) if tail else VOID
            demand((kind != VOID) == (tail != b""), (kind == INLINE) == (tags == IN_TEXT[1]))
            self._forms[found[0]] = Form(found[0], tail, tags, kind)
        return self._forms[found[0]]


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a cell: all from its name (or its first letter) to its value, all behind that, how many tags, what the value is."""

    head: bytes
    tail: bytes
    tags: int
    kind: int

    @property
    def told(self) -> tuple[int, int, int, int, bool]:
        """How long head and tail are, the tags, the kind, and whether spaces at the edges are not kept."""
        return len(self.head), len(self.tail), self.tags, self.kind, self.head.endswith(BARE)

    def fitting(self, heads: Words, tails: Words, left: Places) -> Places:
        """Which of these cells are of this form, by the bytes behind their names and the sixteen before their ends."""
        tests = [(heads, at // 8, self.head[at : at + 8], 0) for at in range(0, len(self.head), 8)]
        tests += [(tails, 1, self.tail[-8:], 0)] if self.tail else []
        tests += [(tails, 0, self.tail[:-8], 16 - len(self.tail))] if self.tail[:-8] else []
        for lines, column, part, behind in tests:
            said = lines[:, column] if left.size == len(lines) else lines[left, column]
            fit = (said >> np.uint64(8 * behind) & MASKS[len(part)]) == word(part)
            left = left if fit.all() else left[fit]
        return left


def pieces(memory: Bytes, at: Places, many: int) -> Words:
    """So many words behind each place, a line for each."""
    lines: Words = np.ndarray((memory.size - 8 * many + 1,), dtype=f"V{8 * many}", buffer=memory, strides=(1,))[at].view("<u8").reshape(-1, many)
    return lines


def trimmed(x: Bytes, begin: Places, end: Places, *, bare: Truths) -> None:
    """Spaces at the edges of a text whose tag does not keep them are no part of it for some programs. Raises UnusualError."""
    some = bare & (begin < end)
    demand(x[begin[some]] > SPACE, x[end[some] - 1] > SPACE)


def opening(x: Bytes, words: Words, at: Places) -> Places:
    """How long the tags `<t>` are, or those that keep spaces. Raises UnusualError where they are neither."""
    bare = x[at + 2] == GREATER
    demand(words[at[bare]] & MASKS[3] == word(b"<t>"))
    for part in (0, 8, 16):
        demand(words[at[~bare] + part] == word(PRESERVED[part : part + 8]))
    return np.where(bare, 3, len(PRESERVED))


def _digits(x: Bytes, at: Places) -> Places:
    """How many bytes stand before the next quote, at most seven. Raises UnusualError."""
    width = np.zeros(at.size, dtype=np.int64)
    for more in range(7, 0, -1):
        width[x[at + more] == QUOTE] = more
    demand(width)
    return width


def _columns(x: Bytes, at: Places, which: Places, *, where: Places, first: Places) -> tuple[Places, Places]:
    """The column of every cell, and the place behind its name; `where` the number of a row stands, if it bears one."""
    words = words_of(x)
    named = (x[at + 1] == ord("r")) & (x[at] == SPACE)
    if not named.any():
        return np.arange(at.size) - first[which], at
    demand(named, x[at + 2] == ord("="), x[at + 3] == QUOTE, words[where - 4] & MASKS[4] == word(b' r="'))
    one, two, three = (x[at + more].astype(np.int64) - A for more in (4, 5, 6))
    longer = (two >= 0) & (two < 26)
    longest = longer & (three >= 0) & (three < 26)
    demand((one >= 0) & (one < 26))
    column = np.where(longest, ((one + 1) * 26 + two + 1) * 26 + three, np.where(longer, (one + 1) * 26 + two, one))
    at = at + 5 + longer + longest
    width = _digits(x, where)
    mask = MASKS[width + 1]  # the number and the quote behind it
    demand(words[at] & mask[which] == (words[where] & mask)[which])
    return column, at + width[which] + 1
