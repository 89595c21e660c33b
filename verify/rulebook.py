"""Load `rules/` once: every file as text, every entry against its shape, every name checked, then frozen and hashed.

A mistake is refused with the file and the line it stands on; all mistakes are told together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from verify.problems import Problem, UsageError
from verify.rule_files import (
    KINDS,
    Alert,
    Decision,
    Extract,
    Input,
    Matching,
    Membership,
    Message,
    Parameter,
    Report,
    Rule,
    Shape,
    Word,
)

S = TypeVar("S", bound=Shape)
_SAID = frozenset({"message", "word", "report"})  # what is said and shown; no figure and no category follows from it


@dataclass(frozen=True)
class Entry:
    """One entry of a rule file and where it stands."""

    kind: str
    name: str
    shape: Shape
    file: str
    lines: Mapping[tuple[str | int, ...], int]

    def where(self, *path: str | int) -> str:
        """`file:line` of a key inside the entry, or of the nearest key above it."""
        for cut in range(len(path), -1, -1):
            if path[:cut] in self.lines:
                return f"{self.file}:{self.lines[path[:cut]]}"
        return self.file


@dataclass(frozen=True)
class Rulebook:
    """All entries by kind and name, the folder's tables (CSV beside YAML), and two hashes of every byte read.

    `digest` is that of the files something may be decided by, `wording` that of the files that only say and show it.
    """

    entries: Mapping[tuple[str, str], Entry]
    tables: Mapping[str, str]
    digest: str
    wording: str

    def all(self, kind: type[S]) -> list[S]:
        """Every entry of a kind, in order of name."""
        return [e.shape for e in self.entries.values() if isinstance(e.shape, kind)]

    def entry(self, kind: str, name: str) -> Entry:
        """The entry of that kind and name. Raises KeyError."""
        return self.entries[kind, name]

    @cached_property
    def extracts(self) -> dict[str, Extract]:
        """Extracts by code."""
        return {e.extract: e for e in self.all(Extract)}

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Parameters by name."""
        return {p.parameter: p for p in self.all(Parameter)}

    @cached_property
    def inputs(self) -> dict[str, Input]:
        """Facts from rows by name."""
        return {i.input: i for i in self.all(Input)}

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """Worked-out values and tests by name."""
        return {r.rule: r for r in self.all(Rule)}

    @cached_property
    def decision(self) -> Decision:
        """The decision table."""
        return self.all(Decision)[0]

    @cached_property
    def rules_of_tests(self) -> dict[str, str]:
        """`category.test`, as results show it: the rule that the decision table asks for it."""
        table, rules = self.decision, self.rules
        asked = [
            (row.then, name)
            for row in table.rows
            for name, cell in zip(table.columns, row.when, strict=False)
            if cell == "pass" and name in rules
        ]
        return {f"{category}.{shown}": name for category, name in asked for shown in (name, rules[name].shown_as or name)}

    @cached_property
    def alerts(self) -> list[Alert]:
        """Alerts in order of name."""
        return self.all(Alert)

    @cached_property
    def matching(self) -> Matching:
        """How names and IDs are compared."""
        return self.all(Matching)[0]

    @cached_property
    def membership(self) -> Membership:
        """Who counts."""
        return self.all(Membership)[0]

    @cached_property
    def reports(self) -> list[Report]:
        """Sheets of the review workbook."""
        return self.all(Report)

    @cached_property
    def messages(self) -> dict[str, Message]:
        """Sentences by code."""
        return {m.message: m for m in self.all(Message)}

    @cached_property
    def words(self) -> dict[str, Word]:
        """Words shown to people by key."""
        return {w.word: w for w in self.all(Word)}


def load_rulebook(folder: Path) -> Rulebook:
    """Read every YAML and CSV file below `folder`.

    Raises UsageError (E-RULE…) with file and line of every mistake: bad YAML, an unknown kind or key, a value of the
    wrong type, a name defined twice.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix in {".yaml", ".csv"})
    if not files:
        raise UsageError(Problem("E-RULES-NONE", str(folder.name)))
    deciding, wording, problems = hashlib.sha256(), hashlib.sha256(), []
    entries: dict[tuple[str, str], Entry] = {}
    tables: dict[str, str] = {}
    for path in files:
        name, data = path.relative_to(folder).as_posix(), path.read_bytes()
        stamped = f"{name}\n{len(data)}\n".encode() + data
        if path.suffix == ".csv":
            tables[name] = data.decode("utf-8")
            (wording if name.startswith("messages/") else deciding).update(stamped)
            continue
        read = list(_entries_of(f"{folder.name}/{name}", data.decode("utf-8")))
        only_said = all(isinstance(found, Entry) and found.kind in _SAID for found in read)
        (wording if only_said else deciding).update(stamped)
        for found in read:
            if isinstance(found, Problem):
                problems.append(found)
            elif (found.kind, found.name) in entries:
                problems.append(Problem("E-RULE-TWICE", found.where(), {"name": found.name}))
            else:
                entries[found.kind, found.name] = found
    if problems:
        raise UsageError(*problems)
    ordered = dict(sorted(entries.items()))
    return Rulebook(entries=ordered, tables=tables, digest=deciding.hexdigest(), wording=wording.hexdigest())


def _entries_of(file: str, text: str) -> Iterator[Entry | Problem]:
    """Each document of a file that is a mapping, or a list of mappings, with the line of every key in it."""
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield Problem("E-RULE-YAML", f"{file}:{mark.line + 1 if mark else 1}", {"why": str(getattr(error, "problem", ""))})
        return
    for node in nodes:
        for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            lines: dict[tuple[str | int, ...], int] = {}
            problems: list[Problem] = []
            plain = _plain(item, (), lines, file, problems)
            yield from problems
            if not problems:
                yield from _shaped(file, plain, lines)


def _plain(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    file: str,
    problems: list[Problem],
) -> Any:
    """A YAML node as dicts, lists and texts; nothing is guessed, `null` and `~` alone are None."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        plain: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in plain:
                problems.append(Problem("E-RULE-KEY-TWICE", f"{file}:{key.start_mark.line + 1}", {"key": name}))
            plain[name] = _plain(value, (*path, name), lines, file, problems)
            lines[*path, name] = key.start_mark.line + 1
        return plain
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value, (*path, at), lines, file, problems) for at, value in enumerate(node.value)]
    plain_style = getattr(node, "style", None) in {None, ""}
    return None if plain_style and node.value in {"null", "~", ""} else node.value


def _shaped(file: str, plain: Any, lines: dict[tuple[str | int, ...], int]) -> Iterator[Entry | Problem]:
    """One mapping against the shape of its kind: its first key that names a kind."""
    kind = next((key for key in plain if key in KINDS), None) if isinstance(plain, dict) else None
    if kind is None:
        yield Problem("E-RULE-KIND", f"{file}:{lines[()]}", {"kinds": ", ".join(sorted(KINDS))})
        return
    try:
        shape = KINDS[kind].model_validate(plain)
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False):
            where = Entry(kind, "", Shape(), file, lines).where(*mistake["loc"])
            at = ".".join(str(part) for part in mistake["loc"])
            yield Problem("E-RULE-SHAPE", where, {"key": at, "why": mistake["msg"]})
        return
    yield Entry(kind, str(plain[kind]), shape, file, lines)
