"""Read one rule file: every scalar as text, every entry against its shape, and on which line everything stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from verify.pack_files import KINDS
from verify.problems import Problem, UsageError
from verify.rule_shapes import Shape


@dataclass(frozen=True)
class Entry:
    """One entry of a rule file and where it stands."""

    kind: str
    name: str
    shape: Shape
    file: str
    lines: Mapping[tuple[str | int, ...], int]
    tabled: Mapping[int, str] = field(default_factory=dict)  # where values stand that come from a table
    added: Mapping[tuple[str | int, ...], str] = field(default_factory=dict)  # where values and examples stand that a pack added
    layer: str = ""  # the pack that it comes from; "" where there are none
    replaces: str | None = None

    def where(self, *path: str | int) -> str:
        """`file:line` of a key inside the entry, or of the nearest key above it."""
        if path[:1] == ("values",) and path[1:2] and path[1] in self.tabled:
            return self.tabled[int(path[1])]
        if path[:2] in self.added or path[:1] in self.added:
            return self.added.get(path[:2]) or self.added[path[:1]]
        for cut in range(len(path), -1, -1):
            if path[:cut] in self.lines:
                return f"{self.file}:{self.lines[path[:cut]]}"
        return self.file


def entries_of(file: str, text: str) -> Iterator[Entry | Problem]:
    """Each document of a file that is a mapping, or a list of mappings, with the line of every key in it."""
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        yield Problem("E-RULE-YAML", f"{file}:{mark.line + 1 if mark else 1}", {"why": str(getattr(error, "problem", ""))})
        return
    seen: set[int] = set()
    for node in nodes:
        for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            reader = _Reader(file, seen)
            plain = reader.plain(item, ())
            yield from reader.problems
            if not reader.problems:
                yield from _shaped(file, plain, reader.lines)


def plain_mapping(file: str, text: str) -> dict[str, Any]:
    """One mapping of a file that is no rule, read as rule files are. Raises UsageError (E-RULE-YAML, E-RULE-KEY-TWICE)."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(Problem("E-RULE-YAML", f"{file}:{mark.line + 1 if mark else 1}", {"why": str(getattr(error, "problem", ""))})) from None
    reader = _Reader(file, set())
    plain = reader.plain(node, ()) if isinstance(node, yaml.MappingNode) else {}
    if reader.problems:
        raise UsageError(*reader.problems)
    return plain


@dataclass
class _Reader:
    """Turns the YAML nodes of one entry into dicts, lists and texts, and notes on which line each stands."""

    file: str
    seen: set[int]
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def plain(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        """One node; nothing is guessed, `null` and `~` alone are None. What stands in one place is written there: no aliases."""
        self.lines[path] = line = node.start_mark.line + 1
        if id(node) in self.seen:
            self.problems.append(Problem("E-RULE-YAML", f"{self.file}:{line}", {"why": "&…, *…"}))
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(value, (*path, at)) for at, value in enumerate(node.value)]
        plain_style = getattr(node, "style", None) in {None, ""}
        return None if plain_style and node.value in {"null", "~", ""} else node.value

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in plain:
                self.problems.append(Problem("E-RULE-KEY-TWICE", f"{self.file}:{line}", {"key": name}))
            plain[name] = self.plain(value, (*path, name))
            self.lines[*path, name] = line
        return plain


def _shaped(file: str, plain: Any, lines: dict[tuple[str | int, ...], int]) -> Iterator[Entry | Problem]:
    """One mapping against the shape of its kind: its first key that names a kind."""
    kind = next((key for key in plain if key in KINDS), None) if isinstance(plain, dict) else None
    if kind is None:
        yield Problem("E-RULE-KIND", f"{file}:{lines[()]}", {"kinds": ", ".join(sorted(KINDS))})
        return
    replaces = plain.pop("replaces", None)
    try:
        shape = KINDS[kind].model_validate(plain)
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False):
            where = Entry(kind, "", Shape(), file, lines).where(*mistake["loc"])
            at = ".".join(str(part) for part in mistake["loc"])
            yield Problem("E-RULE-SHAPE", where, {"key": at, "why": mistake["msg"]})
        return
    yield Entry(kind, str(plain[kind]), shape, file, lines, replaces=replaces)
