"""Texts laid out for a terminal of any width: headings, lines that wrap, tables that line up with wide characters in them.

Nothing is coloured: what is printed is the same in a pipe, under NO_COLOR and on paper.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from verify.speech import display_width

# A closing sign never begins a line, a bound keeps its sign, and a long name may break behind an underscore.
WORDS = re.compile(r"\s+|(?:≥ [!-~]+|[!-~]+ ～|[!-^`-~]+_*|_+|[^\s])[，。、：；）】”？]*")
NARROWEST, WIDEST, UNKNOWN = 40, 120, 100
GAP = 2


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an answer: a heading, lines below it, then a table; `right` are the table's columns of figures."""

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    right: frozenset[int] = frozenset()


def terminal_width() -> int:
    """Columns to lay out for: the terminal's (or COLUMNS), between 40 and 120; 100 in a pipe."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((UNKNOWN, 24)).columns))


def laid_out(blocks: Sequence[Block], width: int) -> str:
    """The blocks one under the other, no line wider than `width` columns."""
    return "\n".join(line for block in blocks for line in _lines(block, width))


def _lines(block: Block, width: int) -> list[str]:
    lines = wrapped(block.title, width)
    for line in block.lines:
        lines += [" " * GAP + piece for piece in wrapped(line, width - GAP)]
    if block.rows:
        lines += grid([block.head, *block.rows] if block.head else block.rows, width=width, right=block.right)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A text as lines of at most `width` columns, broken at blanks and between wide characters, else wherever it must."""
    lines, line, used = [], "", 0
    for word in WORDS.findall(text):
        for piece in _pieces(word, width):
            size = display_width(piece)
            if used + size > width and line.strip():
                lines.append(line.rstrip())
                line, used = "", 0
            if line or not piece.isspace():
                line, used = line + piece, used + size
    return [*lines, line.rstrip()] if line or not lines else lines


def _pieces(word: str, width: int) -> list[str]:
    """A word that fits a line, or its parts where it is longer than one."""
    if display_width(word) <= width:
        return [word]
    step = max(1, width if word.isascii() else width // 2)
    return [word[at : at + step] for at in range(0, len(word), step)]


def grid(rows: Sequence[Sequence[str]], *, width: int, right: frozenset[int] = frozenset()) -> list[str]:
    """Rows as aligned columns within `width`: where they do not fit, the widest columns wrap inside themselves."""
    columns = list(zip(*rows, strict=True))
    widths = _widths(columns, width - GAP * len(columns))
    lines = []
    for row in rows:
        cells = [wrapped(text, size) for text, size in zip(row, widths, strict=True)]
        for at in range(max(map(len, cells))):
            parts = [cell[at] if at < len(cell) else "" for cell in cells]
            padded = [_padded(part, size, flush=place in right) for place, (part, size) in enumerate(zip(parts, widths, strict=True))]
            lines.append((" " * GAP + (" " * GAP).join(padded)).rstrip())
    return lines


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide each column may be: as wide as it is, or less, the widest giving way first and words breaking last."""
    widths = [max(map(display_width, column)) for column in columns]
    longest = [max(display_width(word) for text in column for word in WORDS.findall(text) or [""]) for column in columns]
    least = [min(size, room // 2) for size in longest]  # a path as long as half a line breaks before words beside it do
    while sum(widths) > room:
        soft = [at for at, size in enumerate(widths) if size > least[at]] or [at for at, size in enumerate(widths) if size > GAP]
        if not soft:
            break
        widths[max(soft, key=lambda at: widths[at])] -= 1
    return widths


def _padded(text: str, width: int, *, flush: bool) -> str:
    gap = " " * (width - display_width(text))
    return gap + text if flush else text + gap
