"""The rule book as one page to print: every category, test, value, income, property, extract and alert, with its law.

Formulas are shown in the words of their labels. The page stands alone: no script, no picture, no address outside itself;
the same rules give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.explain import entry_block
from verify.layout import Block
from verify.page import render
from verify.problems import Problem, UsageError
from verify.rule_texts import Entry
from verify.rulebook import Rulebook
from verify.settings import write_whole
from verify.speech import Speech
from verify.terms import facts_behind

TEMPLATE = Path(__file__).with_name("printed_book.html.jinja")
CHAPTERS = ("decision", "benefit", "test", "parameter", "rule", "input", "extract", "alert", "membership")
_PIECES = re.compile(r"'[^']*'|\b(?:case\s+when|not\s+in|is\s+not)\b|[^\W\d]\w*|<=|>=|<>|!=|[<>=*/+\-]|\s+|.", re.DOTALL)
_WIDTHS = {"parameter": (12, 14, 14, 28, 42), "extract": (26, 10, 8, 66), "decision": (16, 14, 44, 36)}  # one under the other, the same tables line up
_SIGNS = {"<": "＜", "<=": "≤", ">": "＞", ">=": "≥", "=": "＝", "*": "×", "/": "÷", "<>": "≠", "!=": "≠"}


@dataclass(frozen=True, slots=True)
class Chapter:
    """One kind of entries under its heading; each entry with its name, its label and what it says."""

    heading: str
    entries: tuple[tuple[Entry, str, Block], ...]


def write_book(path: Path, voice: Speech, book: Rulebook) -> int:
    """Write the page, whole or not at all; how many entries it has. Raises UsageError (E-OUT-FILE) where it cannot be written."""
    found = chapters(voice, book)
    titles = {"title": voice.word("book_title"), "rules": voice.word("book_rules", digest=book.digest[:12], region=book.membership.home_region)}
    page = render(TEMPLATE, chapters=found, lang="zh-Hans" if voice.lang == "zh" else "en", **titles)
    try:
        write_whole(path, page)
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", path.name, {"why": error.strerror or type(error).__name__})) from None
    return sum(len(chapter.entries) for chapter in found)


def write_paper_book(path: Path, voice: Speech, book: Rulebook, *, fonts: Path | None = None) -> int:
    """Write the same as PDF; how many entries it has. Raises UsageError: E-OUT-FILE, E-FONT."""
    from verify.paper import Document, Part, open_press  # noqa: PLC0415 - the page for a browser needs no typst

    found = chapters(voice, book)
    parts: list[Part] = []
    for chapter in found:
        parts.append(Part(chapter.heading))
        parts += [
            Part(f"{label}（{entry.name}）", 2, block.lines, block.head, block.rows, widths=_WIDTHS.get(entry.kind, ()))
            for entry, label, block in chapter.entries
        ]
    rules = voice.word("book_rules", digest=book.digest[:12], region=book.membership.home_region)
    title = voice.word("book_title")
    document = Document(title, "", (rules,), tuple(parts), header=title, stamp=book.digest[:12], lang=voice.lang, contents=True)
    try:
        write_whole(path, open_press(fonts).pdf(document))
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", path.name, {"why": error.strerror or type(error).__name__})) from None
    return sum(len(chapter.entries) for chapter in found)


def chapters(voice: Speech, book: Rulebook) -> list[Chapter]:
    """Every entry that somebody may ask about, in the order in which people read them."""
    words = spoken(voice, book)
    found = []
    for kind in CHAPTERS:
        listed = [entry for entry in book.entries.values() if _kind(entry) == kind]
        entries = tuple((entry, _label(entry), _said(voice, book, entry, words)) for entry in sorted(listed, key=lambda one: (one.file, one.lines[()])))
        if entries:
            found.append(Chapter(voice.word(f"book_{kind}"), entries))
    return found


def _kind(entry: Entry) -> str:
    return "test" if getattr(entry.shape, "type", "") == "test" else entry.kind


def _label(entry: Entry) -> str:
    return str(getattr(entry.shape, "label", entry.name))


def _said(voice: Speech, book: Rulebook, entry: Entry, words: Mapping[str, str]) -> Block:
    """What `explain` says of an entry, without its examples, behind its formulas in words."""
    block = entry_block(voice, entry)
    lines = [line for line in block.lines if not any(example.example in line for example in getattr(entry.shape, "examples", ()))]
    rows = block.rows if entry.kind != "decision" else tuple((*row[:2], in_words(row[2], words), *row[3:]) for row in block.rows)
    return Block(block.title, (*_formulas(voice, book, entry, words), *lines), block.head, rows)


def _formulas(voice: Speech, book: Rulebook, entry: Entry, words: Mapping[str, str]) -> Iterator[str]:
    shape: Any = entry.shape
    for key in ("expr", "value", "limit", "when", "amount"):
        text = getattr(shape, key, None)
        if isinstance(text, str):
            yield voice.word(f"book_says_{key}", text=in_words(text, words))
    if entry.kind == "benefit" and shape.pays:
        yield voice.word("book_says_expr", text=in_words(book.rules[shape.pays].expr, words))
    if entry.kind == "rule":
        extracts = sorted({extract for _, extract in facts_behind(book, entry.name)})
        yield from (voice.word("book_rests", extracts="、".join(words.get(one, one) for one in extracts)),) if extracts else ()


def spoken(voice: Speech, book: Rulebook) -> dict[str, str]:
    """Every name that formulas use, by the label people know it by; the language's own words by the catalogue's."""
    names = {key.removeprefix("say_"): voice.word(key) for key in book.words if key.startswith("say_")}
    names |= {key.removeprefix("label_"): voice.word(key) for key in book.words if key.startswith("label_")}
    labelled: list[tuple[str, Any]] = [*book.parameters.items(), *book.rules.items(), *book.inputs.items(), *book.extracts.items()]
    return names | {name: one.label.split("（")[0] for name, one in labelled} if voice.lang == "zh" else names


def in_words(text: str, words: Mapping[str, str]) -> str:
    """A formula with its names replaced by what people call them; what has no other name stays as it is written."""
    said = re.sub(r"\s+", " ", "".join(_piece(piece, words) for piece in _PIECES.findall(text))).replace("()", "")
    return re.sub(r" (?=[；;])|(?<=；) ", "", said).strip()


def _piece(piece: str, words: Mapping[str, str]) -> str:
    if piece in _SIGNS:
        return _SIGNS[piece]
    if piece.startswith("'") and len(piece) > 1:
        return f"“{piece[1:-1]}”" if len(piece) > 2 else words.get("null", piece)
    return words.get("_".join(piece.split()) or piece, piece)
