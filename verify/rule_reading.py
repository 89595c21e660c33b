"""Read the files of a rule book, layer by layer: their entries, their tables, and the hashes of every byte.

`rulebook.py` puts the layers over each other and freezes what comes out.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from verify.packs import Layer
from verify.problems import Problem
from verify.rule_texts import Entry, entries_of

_SAID = frozenset({"message", "word", "report", "supposed"})  # what is said and shown; no figure and no category follows from it


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """Keep Python's collector of circles away from short work: making a book, all of which stays (a third of the time, measured), or one case again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass
class Reading:
    """What has been read so far: the tables, both hashes, how many files, and every mistake."""

    root: Path
    tables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    deciding: Any = field(default_factory=hashlib.sha256)
    wording: Any = field(default_factory=hashlib.sha256)

    def layer(self, layer: Layer) -> list[Entry]:
        """Every entry of one layer, in the order of its files."""
        found: list[Entry] = []
        for path in layer.files():
            self.files += 1
            name, data = path.relative_to(self.root).as_posix(), path.read_bytes()
            text = _text_of(data, f"{self.root.name}/{name}", self.problems)
            stamped = f"{name}\n{len(data)}\n".encode() + data
            if path.suffix == ".csv":
                self.tables[name] = text
                (self.wording if name.startswith("messages/") else self.deciding).update(stamped)
                continue
            read = list(entries_of(f"{self.root.name}/{name}", text))
            only_said = all(isinstance(one, Entry) and one.kind in _SAID for one in read)
            (self.wording if only_said else self.deciding).update(stamped)
            self.problems += [one for one in read if isinstance(one, Problem)]
            found += [replace(one, layer=layer.name if layer.pack else "") for one in read if isinstance(one, Entry)]
        if layer.pack is not None:
            self.once([one for one in found if one.kind not in {"adds", "cites"}])
        return found

    def once(self, read: list[Entry]) -> dict[tuple[str, str], Entry]:
        """The entries by kind and name; one that one layer defines twice is a mistake."""
        entries: dict[tuple[str, str], Entry] = {}
        for found in read:
            if (found.kind, found.name) in entries:
                self.problems.append(Problem("E-RULE-TWICE", found.where(), {"name": found.name}))
            else:
                entries[found.kind, found.name] = found
        return entries


def _text_of(data: bytes, file: str, problems: list[Problem]) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem("E-RULE-YAML", f"{file}:{line}", {"why": "UTF-8"}))
        return ""
