"""What the program says to people: the catalogue's sentences and words in Chinese or English, tables that line up.

Every sentence lies in `rules/messages/`, keyed by code; this module only fills and lays out. It must also be able to
speak when the rule book is broken, for it then has to say so.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from verify.problems import HeduiError, Problem
from verify.rule_files import Message, Sentence, Word
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder

NOTHING = "—"


@dataclass(frozen=True)
class Speech:
    """One language's voice: `lang` is zh or en; `book` is None where not even the messages could be read."""

    lang: str
    messages: Mapping[str, Message] = field(default_factory=dict)
    words: Mapping[str, Word] = field(default_factory=dict)
    book: Rulebook | None = None

    def word(self, key: str, **values: object) -> str:
        """A word or heading of the catalogue, filled; a key that is not there stands for itself."""
        found = self.words.get(key)
        return fill(_side(found, self.lang), values) if found else key

    def named(self, family: str, name: str) -> str:
        """The word `<family>_<name>`, or the bare name where the catalogue has none (a new stage, a new count)."""
        return self.word(f"{family}_{name}") if f"{family}_{name}" in self.words else name

    def category(self, name: str) -> str:
        """A category as the decision table labels it; its name in English, for labels are the law's own words."""
        if self.lang != "zh" or self.book is None:
            return name
        return category_labels(self.book).get(name, name)

    def counted(self, family: str, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Counts as lines of a table, named by a family of words and in the order in which the catalogue lists them."""
        order = {name: at for at, name in enumerate(sorted(self.words, key=self._line))}
        names = sorted(counts, key=lambda name: (order.get(f"{family}_{name}", len(order)), name))
        return [(self.named(family, name), f"{counts[name]:,}") for name in names]

    def categories(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Counts by category as lines of a table, in the decision table's order; any other after them by name."""
        order = list(category_labels(self.book)) if self.book else []
        names = sorted(counts, key=lambda name: (order.index(name) if name in order else len(order), name))
        return [(self.category(name), f"{counts[name]:,}") for name in names]

    def _line(self, word: str) -> tuple[str, int]:
        """File and line of a word of the catalogue."""
        entry = self.book.entry("word", word) if self.book else None
        return (entry.file, entry.lines[()]) if entry else ("", 0)

    def sentence(self, problem: Problem) -> Sentence:
        """What, why and how to mend, filled with the problem's values. An unknown code says itself and its values."""
        found = self.messages.get(problem.code)
        if found is None:
            return Sentence(what=", ".join(f"{k}={v}" for k, v in sorted(problem.values.items())), why="", mend="")
        told: Sentence = found.zh if self.lang == "zh" else found.en
        values = {**problem.values, "where": problem.where}
        return Sentence(what=fill(told.what, values), why=fill(told.why, values), mend=fill(told.mend, values))

    def problem(self, problem: Problem) -> str:
        """Code, place and what; then why and how to mend, each on its line. A notice (N-…) is one line."""
        said = self.sentence(problem)
        lines = [f"{problem.code}  {problem.where}: {said.what}".rstrip(": ")]
        if problem.code.startswith("N-"):
            return lines[0]
        lines += [f"  {self.word(key)}{text}" for key, text in (("why", said.why), ("mend", said.mend)) if text]
        return "\n".join(lines)


def speech(rules: Path, lang: str) -> Speech:
    """The voice of a rule book; if it is broken, of its messages alone, else of what was shipped, else codes without words."""
    for folder in (rules, rules / "messages", rules_folder(), rules_folder() / "messages"):
        try:
            book = load_rulebook(folder)
        except (HeduiError, OSError, UnicodeDecodeError):
            continue
        return Speech(lang, book.messages, book.words, book)
    return Speech(lang)


def category_labels(book: Rulebook) -> dict[str, str]:
    """Every category the decision table can give, with its label; empty without a table."""
    if not any(kind == "decision" for kind, _ in book.entries):
        return {}
    endings = [(row.then, row.label) for row in book.decision.rows]
    return dict([*endings, *((end.then, end.label) for end in (book.decision.otherwise, book.decision.unknown))])


def fill(template: str, values: Mapping[str, object]) -> str:
    """A template with its braces filled; a value that is not given shows as a dash, never as an error."""
    return template.format_map(defaultdict(lambda: NOTHING, values))


def _side(word: Word, lang: str) -> str:
    """The word in one language."""
    return word.zh if lang == "zh" else word.en


# --- what lines up ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def display_width(text: str) -> int:
    """How many columns a text takes where East Asian wide characters take two and combining marks none."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def table(rows: Sequence[Sequence[str]], *, indent: int = 2) -> str:
    """Rows of texts as aligned columns; a column of figures alone is set to the right."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(display_width, column)) for column in columns]
    right = [all(text.replace(",", "").isdecimal() for text in column) for column in columns]
    lines = []
    for row in rows:
        gaps = [" " * (width - display_width(text)) for text, width in zip(row, widths, strict=True)]
        cells = [gap + text if flush else text + gap for text, gap, flush in zip(row, gaps, right, strict=True)]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


@contextmanager
def progress(voice: Speech) -> Iterator[Callable[[str], None]]:
    """A line on stderr that names the stage at work, on a terminal only. Yields what a stage's name is told to."""
    if not sys.stderr.isatty():
        yield lambda _stage: None
        return
    from rich.console import Console  # noqa: PLC0415 - loaded only where somebody looks

    with Console(stderr=True).status(voice.word("starting")) as line:
        yield lambda stage: line.update(voice.named("stage", stage))


@contextmanager
def counted(voice: Speech, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that fills as one after another is done, on a terminal only. Yields what done and all are told to."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console  # noqa: PLC0415 - loaded only where somebody looks
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(voice.word(what), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
