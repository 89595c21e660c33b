"""Load `rules/` once: every file as text, every entry against its shape, every name checked, then frozen and hashed.

A mistake is refused with the file and the line it stands on; all mistakes are told together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeVar

from verify.pack_files import Pack
from verify.packs import home_of, layers_of, overlay, placed
from verify.parameter_tables import with_table
from verify.problems import Problem, UsageError
from verify.rule_decisions import Benefit, Decision, Part, Rule
from verify.rule_extracts import Extract
from verify.rule_facts import Input, Parameter
from verify.rule_files import Alert, Matching, Membership, Message, Report, Supposed, Word
from verify.rule_reading import Reading, nothing_to_collect
from verify.rule_shapes import Shape
from verify.rule_texts import Entry

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True)
class Rulebook:
    """All entries by kind and name, the folder's tables (CSV beside YAML), and two hashes of every byte read.

    `digest` is that of the files something may be decided by, `wording` that of the files that only say and show it.
    """

    entries: Mapping[tuple[str, str], Entry]
    tables: Mapping[str, str]
    digest: str
    wording: str
    packs: tuple[Pack, ...] = ()
    shared_home: str = ""

    @property
    def name(self) -> str:
        """What the book is called: its pack, or the bureau's division."""
        return self.packs[-1].pack if self.packs else self.membership.home_region

    @property
    def look_back_months(self) -> int:
        """How many whole months the look-back window has."""
        return next((pack.look_back_months for pack in reversed(self.packs) if pack.look_back_months), 12)

    def speaks_for(self, region: str) -> bool:
        """Whether the book may know values of a division: a pack knows none outside its own, nor those of the made-up county below it."""
        home = self.membership.home_region
        stem = home[: max((at for at in (2, 4, 6) if home[at - 2 : at] != "00"), default=0)]
        return not self.packs or (region.startswith(stem) and not region.startswith(self.shared_home))

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
    def largest(self) -> dict[str, Fraction]:
        """The largest value that each parameter ever has."""
        return {name: Fraction(parameter.most, 10**parameter.scale) for name, parameter in self.parameters.items()}

    @cached_property
    def inputs(self) -> dict[str, Input]:
        """Facts from rows by name."""
        return {i.input: i for i in self.all(Input)}

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """Worked-out values and tests by name."""
        return {r.rule: r for r in self.all(Rule)}

    @cached_property
    def parts(self) -> dict[str, tuple[str, Part]]:
        """Named parts of rules: the rule that each stands in, and what it is (the newest, where versions name it again)."""
        named = ((name, let) for name, rule in self.rules.items() for let in (rule.let, *(version.let for version in rule.versions)))
        return {part: (name, said) for name, let in named for part, said in let.items()}

    def basis(self, name: str, day: date) -> tuple[Entry, str, tuple[str, ...]] | None:
        """The entry of an input, a rule or a part of one, where what it says on a day stands, and its law; None for another name."""
        if name in self.inputs:
            entry, fact = self.entry("input", name), self.inputs[name]
            found = next((at for at, one in enumerate(fact.versions) if one.from_ <= day <= (one.to or date.max)), None)
            return (entry, entry.where(), fact.law) if found is None else (entry, entry.where("versions", found), fact.versions[found].law)
        owner = self.parts[name][0] if name in self.parts else name
        if owner not in self.rules:
            return None
        entry, rule = self.entry("rule", owner), self.rules[owner]
        at = next((at for at, one in enumerate(rule.versions) if one.from_ <= day <= (one.to or date.max)), None)
        path: tuple[str | int, ...] = () if at is None else ("versions", at)
        own = name != owner and name in (rule.versions[at].let if at is not None else rule.let)
        where = entry.where(*path, "let", name) if own else entry.where("let", name) if name != owner else entry.where(*path)
        return entry, where, rule.law if at is None else rule.as_of(at).law

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
    def benefits(self) -> dict[str, Benefit]:
        """What a family of each category is paid, by category."""
        return {b.benefit: b for b in self.all(Benefit)}

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
    def supposed(self) -> dict[str, Supposed]:
        """Rows that may be supposed, by name."""
        return {s.supposed: s for s in self.all(Supposed)}

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


@nothing_to_collect()
def load_rulebook(folder: Path) -> Rulebook:
    """Read every YAML and CSV file below `folder`; of a pack's folder also those of the packs and rules that it inherits.

    Raises UsageError (E-RULE…, E-PACK…) with file and line of every mistake: bad YAML, an unknown kind or key, a value of
    the wrong type, a name defined twice, an inherited entry changed without saying so.
    """
    layers = layers_of(folder)
    reading, entries = Reading(layers[0].root), dict[tuple[str, str], Entry]()
    for layer in layers:
        read = reading.layer(layer)
        region = home_of({(e.kind, e.name): e for e in read}, layer) if len(layers) > 1 else ""
        entries = reading.once(read) if layer.pack is None else overlay(entries, read, layer, reading.problems)
        entries = placed(entries, region) if region else entries
    if not reading.files:
        raise UsageError(Problem("E-RULES-NONE", str(folder.name)))
    entries = {key: _with_table(entry, reading.tables, layers[0].root.name, reading.problems) for key, entry in entries.items()}
    if reading.problems:
        raise UsageError(*reading.problems)
    shared = home_of(entries, layers[0])
    packs = tuple(layer.pack for layer in layers if layer.pack is not None)
    ordered = dict(sorted(_at_home(entries, packs).items()))
    digests = reading.deciding.hexdigest(), reading.wording.hexdigest()
    return Rulebook(ordered, reading.tables, *digests, packs=packs, shared_home=shared)


def _at_home(entries: dict[tuple[str, str], Entry], packs: tuple[Pack, ...]) -> dict[tuple[str, str], Entry]:
    """The entries with the division of the pack as the bureau's own."""
    if not packs:
        return entries
    moved = {"home_region": packs[-1].region}
    return {key: replace(e, shape=e.shape.model_copy(update=moved)) if isinstance(e.shape, Membership) else e for key, e in entries.items()}


def _with_table(entry: Entry, tables: Mapping[str, str], folder: str, problems: list[Problem]) -> Entry:
    """A parameter's entry with the values of the CSV file that it names beside it."""
    if not isinstance(entry.shape, Parameter) or (entry.shape.table is None and (entry.shape.values or entry.shape.not_known)):
        return entry
    name = PurePosixPath(entry.file).relative_to(folder).with_name(entry.shape.table or "values").as_posix()
    if entry.shape.table is None or name not in tables:
        problems.append(Problem("E-RULE-TABLE", entry.where("table"), {"why": name}))
        return entry
    try:
        shape, tabled = with_table(entry.shape, f"{folder}/{name}", tables[name])
    except UsageError as error:
        problems.extend(error.problems)
        return entry
    return replace(entry, shape=shape, tabled=tabled)
