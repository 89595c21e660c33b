"""A rule's formulas: those of each of its versions and of the parts it names, and the order they are worked out in.

Between two days on which a rule changes lies a period, with an order of its own: what a rule reads may change with it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any

from verify.formulas import Formula, in_order, parse
from verify.formulas_tight import tightened
from verify.problems import Problem, UsageError
from verify.rule_decisions import Decision, Part, Rule
from verify.rule_facts import Input
from verify.rule_texts import Entry
from verify.rulebook import Rulebook

_DAY = timedelta(days=1)
Levels = Mapping[str, list[list["RulePlan"]]]
Reads = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class RulePlan:
    """A worked-out value or test: its entry as a version says it, its formula, and what is shown beside a test.

    A named part of a rule is planned like a rule; `part_of` then names the rule.
    """

    rule: Rule
    where: str
    formula: Formula
    value: Formula | None
    limit: Formula | None
    part_of: str = ""
    parts: tuple[RulePlan, ...] = ()
    largest: Mapping[str, Fraction] = field(default_factory=dict)

    @cached_property
    def decided_by(self) -> Formula:
        """The formula that decides: a test has a second reading, in which its parts stand where it names them."""
        if self.rule.type != "test":
            return self.formula
        parts = [(part.rule.rule, part.formula.tree) for part in self.parts]
        return replace(self.formula, tree=tightened(self.formula.tree, self.largest, parts))

    def stating(self, names: Container[object]) -> RulePlan:
        """The same where some of its parts are stated, not worked out."""
        left = tuple(part for part in self.parts if part.rule.rule not in names)
        return self if len(left) == len(self.parts) else replace(self, parts=left)

    def instead(self, old: RulePlan, new: RulePlan) -> RulePlan:
        """This plan, or the new one if it is the old one, with its parts looked through in the same way."""
        if self is old:
            return new
        parts = tuple(part.instead(old, new) for part in self.parts)
        return self if all(a is b for a, b in zip(parts, self.parts, strict=True)) else replace(self, parts=parts)

    @property
    def entry(self) -> tuple[str, str]:
        """The entry that it stands in."""
        return "rule", self.part_of or self.rule.rule


@dataclass(frozen=True)
class Dated:
    """One version of a rule with its first and last day: its parts and itself."""

    name: str
    first: date
    last: date
    plans: tuple[RulePlan, ...]


@dataclass(frozen=True)
class Period:
    """The days from `first` on, until another period begins: the rules by level, what each rests on, and who says nothing."""

    first: date
    levels: Levels
    reads: Reads
    missing: tuple[tuple[str, str], ...]
    stretch: Stretch


@dataclass(frozen=True)
class Stretch:
    """The days from `first` on in which inputs and the decision table stay as they are: the book that says so, its inputs planned.

    `missing` are those that say nothing of these days, by kind and name.
    """

    first: date
    book: Rulebook
    missing: tuple[tuple[str, str], ...]
    inputs: Mapping[str, Any] = field(default_factory=dict)  # InputPlan


def dated_plans(book: Rulebook, entry: Rule) -> list[Dated]:
    """Every version of a rule. Raises UsageError as `formulas.parse` does."""
    if not entry.versions:
        return [Dated(entry.rule, date.min, date.max, _plans(book, entry, ()))]
    listed = enumerate(entry.versions)
    return [Dated(entry.rule, one.from_, one.to or date.max, _plans(book, entry.as_of(at), ("versions", at))) for at, one in listed]


def _plans(book: Rulebook, form: Rule, path: tuple[str | int, ...]) -> tuple[RulePlan, ...]:
    """The parts of one form of a rule, and the rule. `path` leads to where the form stands."""
    stands = book.entry("rule", form.rule)
    own = {name for name, _ in _parts_at(book, form, path)}
    made: list[RulePlan] = []
    for name, part in form.let.items():
        at = stands.where(*(path if name in own else ()), "let", name, "expr")
        planned = Rule(rule=name, label=part.label, of=form.of, type=part.type, unit=part.unit, expr=part.expr, law=form.law)
        made.append(RulePlan(planned, at, parse(part.expr, at), None, None, form.rule, tuple(made), book.largest))
    at = stands.where(*path, "expr")
    value = parse(form.value, stands.where(*path, "value")) if form.value else None
    limit = parse(form.limit, stands.where(*path, "limit")) if form.limit else None
    return (*made, RulePlan(form, at, parse(form.expr, at), value, limit, "", tuple(made), book.largest))


def _parts_at(book: Rulebook, form: Rule, path: tuple[str | int, ...]) -> Iterable[tuple[str, Part]]:
    """The parts that stand in this form itself, not in its rule for all versions."""
    shape = book.rules[form.rule]
    return (shape.versions[int(path[1])] if path else shape).let.items()


def stretches(book: Rulebook) -> list[Stretch]:
    """The book as it stands in each stretch of days: inputs and the table in the version of those days. One stretch where nothing has versions."""
    dated = [entry for entry in book.entries.values() if isinstance(entry.shape, (Input, Decision)) and entry.shape.versions]
    versions = [one for entry in dated for one in getattr(entry.shape, "versions")]  # noqa: B009 - both shapes have them
    edges = {date.min, *(one.from_ for one in versions), *(one.to + _DAY for one in versions if one.to and one.to < date.max)}
    made = {(entry.kind, entry.name, at): _as_of(entry, at) for entry in dated for at in range(len(entry.shape.versions))}  # type: ignore[attr-defined]
    return [_stretch(book, dated, made, first) for first in sorted(edges)]


def _stretch(book: Rulebook, dated: list[Entry], made: Mapping[tuple[str, str, int], Entry], first: date) -> Stretch:
    entries, missing = dict(book.entries), []
    for entry in dated:
        key = (entry.kind, entry.name)
        holds = (at for at, one in enumerate(entry.shape.versions) if one.from_ <= first <= (one.to or date.max))  # type: ignore[attr-defined]
        at = next(holds, None)
        if at is None:
            missing.append(key)
        else:
            entries[key] = made[*key, at]
    return Stretch(first, replace(book, entries=entries) if dated else book, tuple(sorted(missing)))


def _as_of(entry: Entry, at: int) -> Entry:
    """The entry as one of its versions says it; what that says stands on the version's lines."""
    moved = {path[2:]: line for path, line in entry.lines.items() if path[:2] == ("versions", at)}
    return replace(entry, shape=entry.shape.as_of(at), lines={**entry.lines, **moved})  # type: ignore[attr-defined]


def periods(standing: Iterable[Stretch], dated: Iterable[Dated]) -> list[Period]:
    """Every period of the rules. Raises UsageError: E-RULE-CYCLE; E-RULE-PART (a part read by another rule than its own)."""
    listed, stretched = list(dated), sorted(standing, key=lambda one: one.first)
    edges = {date.min, *(one.first for one in stretched), *(one.first for one in listed), *(one.last + _DAY for one in listed if one.last < date.max)}
    return [_period([one for one in stretched if one.first <= first][-1], listed, first) for first in sorted(edges)]


def _period(stretch: Stretch, listed: list[Dated], first: date) -> Period:
    inputs = frozenset(stretch.inputs)
    alive = [one for one in listed if one.first <= first <= one.last]
    missing = {("rule", name) for name in {one.name for one in listed} - {one.name for one in alive}} | set(stretch.missing)
    rules = {plan.rule.rule: plan for one in alive for plan in one.plans}
    problems = list(part_problems(rules))
    if problems:
        raise UsageError(*problems)
    uses: dict[str, Iterable[str]] = {name: plan.formula.names for name, plan in rules.items()}
    order = in_order(uses, {name: plan.where for name, plan in rules.items()})
    levels: dict[str, list[list[RulePlan]]] = {"case": [], "member": [], "household": []}
    for names in order:
        for of, level in levels.items():
            found = [rules[name] for name in names if rules[name].rule.of == of]
            if found:
                level.append(found)
    return Period(first, levels, _reads(inputs, rules, order), tuple(sorted(missing)), stretch)


def part_problems(rules: Mapping[str, RulePlan]) -> Iterator[Problem]:
    """Formulas that read a part of another rule than their own."""
    parts = {name: plan.part_of for name, plan in rules.items() if plan.part_of}
    for plan in rules.values():
        for formula in (plan.formula, plan.value, plan.limit):
            for name in sorted(formula.names if formula else ()):
                if name in parts and parts[name] != plan.entry[1]:
                    yield Problem("E-RULE-PART", plan.where, {"name": name, "rule": parts[name]})


def _reads(inputs: frozenset[str], rules: Mapping[str, RulePlan], order: list[list[str]]) -> Reads:
    """For each name, all the inputs it rests on, through whatever rules lie between."""
    reads = {name: frozenset({name}) for name in inputs}
    for names in order:
        for name in names:
            reads[name] = frozenset().union(*(reads.get(used, frozenset()) for used in rules[name].formula.names))
    return reads
