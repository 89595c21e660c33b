"""Documents on paper: the one door to typst. What is printed is data in JSON and never markup; the same data gives the same bytes.

Only fonts of the folders that are named here or asked for are used, so that a page never shows boxes: without a font for
Chinese nothing is made, and a character that the font does not have is written as its code, 〔U+30EDE〕.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typst

from verify.font_cover import Cover, cover_of
from verify.problems import Problem, UsageError

TEMPLATE = Path(__file__).with_name("paper.typ")
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "C:/Windows/Fonts", "/Library/Fonts")
# In order of liking: the same family in the system's package and in that of the Python index, then what machines have.
FAMILIES = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei", "Microsoft YaHei", "SimSun")
REGULAR = 400
_LONG = re.compile(r"[!-~]{16,}")


@dataclass(frozen=True, slots=True)
class Part:
    """A heading of some level, lines below it, then a table; `widths` are the shares of its columns, `right` those of figures."""

    title: str
    level: int = 1
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    right: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says: title, notices above all, parts in order, names to sign, and what stands at the head and foot of each page."""

    title: str
    subtitle: str
    notice: tuple[str, ...]
    sections: tuple[Part, ...]
    sign: tuple[str, ...] = ()
    header: str = ""
    stamp: str = ""
    footer: str = ""
    lang: str = "zh"
    contents: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """A compiler with its font, used for one document after another (a document is 26 ms with it and 300 without)."""

    compiler: typst.Compiler
    family: str
    cover: Cover

    def pdf(self, document: Document) -> bytes:
        """The document as PDF, without a date. Raises UsageError (E-FONT) where a page would show boxes."""
        told = self.cover.written(asdict(document))
        told["sections"] = [_laid(part) for part in told["sections"]]
        inputs = {"data": json.dumps(told, ensure_ascii=False), "font": self.family}
        made, warnings = self.compiler.compile_with_warnings(format="pdf", sys_inputs=inputs, pdf_tags=False)  # tags double a table's size
        if warnings:
            raise UsageError(Problem("E-FONT", self.family, {"why": warnings[0].message, "families": "、".join(FAMILIES)}))
        assert isinstance(made, bytes), "one document is one file"
        return made


def open_press(folder: Path | None = None) -> Press:
    """A press with the first font for Chinese that the folder has (None: those of the system). Raises UsageError (E-FONT)."""
    places = [folder] if folder else [path for place in FOLDERS if (path := Path(place).expanduser()).is_dir()]
    if folder is not None and not folder.is_dir():
        raise UsageError(Problem("E-FONT", folder.name, {"why": str(folder.name), "families": "、".join(FAMILIES)}))
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(places))
    known = [font for font in fonts.fonts() if font.family in FAMILIES and font.path]
    if not known:
        looked = "、".join(path.name for path in places)
        raise UsageError(Problem("E-FONT", looked or "–", {"why": looked or "–", "families": "、".join(FAMILIES)}))
    best = min(known, key=lambda font: (FAMILIES.index(font.family), abs(font.weight - REGULAR), font.path or "", font.index))
    assert best.path is not None
    return Press(typst.Compiler(TEMPLATE, font_paths=fonts, ignore_system_fonts=True), best.family, cover_of(Path(best.path), best.index))


def _laid(part: Mapping[str, Any]) -> dict[str, Any]:
    """The part with a width for each column: the shares it asks for, else by what its cells hold."""
    rows: Sequence[Sequence[str]] = [*([part["head"]] if part["head"] else []), *part["rows"]]
    widths = part["widths"] or [_width([row[at] for row in rows]) for at in range(len(rows[0]) if rows else 0)]
    return {**part, "widths": widths, "rows": [[_breakable(cell) for cell in row] for row in part["rows"]]}


def _breakable(cell: str) -> str:
    """A cell in which long names may break: behind an underscore, a dot or a slash."""
    return _LONG.sub(lambda name: re.sub(r"([_./:-])", "\\1\u200b", name[0]), cell)


def _width(cells: Sequence[str]) -> int:
    """A column's share: its longest cell, but neither a sliver nor most of the page."""
    longest = max((sum(2 if ord(sign) > 0x2E80 else 1 for sign in cell) for cell in cells), default=1)
    return max(6, min(longest, 44))
