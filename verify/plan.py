"""The order of work that a rule book asks for: every formula parsed, every name in its level, who reads what.

Three levels: case (parameters and area only), member (facts from a member's rows) and household (sums over members,
counts over everybody's rows). A plan needs no data: `rule_checks.py` compiles one to find every mistake before a night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from verify.formulas import Formula, parse
from verify.problems import Problem, UsageError
from verify.rule_extracts import Extract
from verify.rule_facts import Input
from verify.rule_files import Alert
from verify.rule_plans import Levels, Period, Reads, RulePlan, dated_plans, periods, stretches
from verify.rulebook import Rulebook

E = TypeVar("E")
P = TypeVar("P")


@dataclass(frozen=True)
class InputPlan:
    """A fact from rows: its entry, the extract it reads, and its parsed conditions."""

    input: Input
    extract: Extract
    where: str
    when: Formula | None
    amount: Formula | None


@dataclass(frozen=True)
class AlertPlan:
    """An alert with a condition of its own."""

    alert: Alert
    where: str
    when: Formula
    extract: Extract | None


@dataclass(frozen=True)
class Plan:
    """Everything that is to be computed, in order. `reads` maps each name to all inputs it rests on."""

    book: Rulebook
    as_of: date
    inputs: Mapping[str, InputPlan]
    levels: Levels
    reads: Reads
    alerts: tuple[AlertPlan, ...]
    periods: tuple[Period, ...]

    def on(self, day: date) -> Plan:
        """The same rules as they stand on another day. Raises UsageError (E-NO-VERSION) where a rule says nothing of it."""
        period = max((p for p in self.periods if p.first <= day), key=lambda p: p.first)
        if period.missing:
            told = ((key, {"name": key[1], "as_of": day.isoformat()}) for key in period.missing)
            raise UsageError(*(Problem("E-NO-VERSION", self.book.entry(*key).where("versions"), gaps) for key, gaps in told))
        if period.levels is self.levels:
            return self if day == self.as_of else replace(self, as_of=day)
        return replace(self, as_of=day, levels=period.levels, reads=period.reads, book=period.stretch.book, inputs=period.stretch.inputs)

    def each_period(self) -> list[Plan]:
        """The plan of every period in which all rules stand, on its first day; on the plan's own day in its own period."""
        whole = [period for period in self.periods if not period.missing]
        return [self if period.levels is self.levels else self.on(period.first) for period in whole]

    def with_rule(self, old: RulePlan, new: RulePlan) -> Plan:
        """The same plan with another formula in the place of one, in every period in which it stands."""

        def changed(levels: Levels) -> Levels:
            return {of: [[rule.instead(old, new) for rule in level] for level in listed] for of, listed in levels.items()}

        listed = tuple(replace(period, levels=changed(period.levels)) for period in self.periods)
        at = next(at for at, period in enumerate(self.periods) if period.levels is self.levels)
        return replace(self, levels=listed[at].levels, periods=listed)

    def rules(self, of: str) -> list[RulePlan]:
        """The rules of a level in an order in which they can be computed."""
        return [rule for level in self.levels[of] for rule in level]

    def inputs_of(self, of: str) -> list[InputPlan]:
        """The facts of a kind, in order of name."""
        return [plan for _, plan in sorted(self.inputs.items()) if plan.input.of == of]

    @property
    def sums(self) -> list[str]:
        """Names of member level that household formulas and alerts add up."""
        return sorted({name for f in self._household_formulas() for name in f.sums})

    @property
    def tested(self) -> list[str]:
        """Tests of member level that household formulas ask of the member, or of any member."""
        return sorted({name for f in self._household_formulas() for name in f.tested})

    def _household_formulas(self) -> Iterator[Formula]:
        for rule in self.rules("household"):
            yield from (f for f in (rule.formula, rule.value, rule.limit) if f is not None)
        yield from (a.when for a in self.alerts if a.alert.each == "case")


def make_plan(book: Rulebook, as_of: date) -> Plan:
    """Parse and order everything in the rule book.

    Raises UsageError: what `formulas.parse` refuses; E-RULE-EXTRACT (an unknown extract); E-RULE-COLUMN (an unknown
    column); E-RULE-CYCLE; E-RULE-TWICE (one name for two things); E-RULE-PART; E-NO-VERSION (a rule that says nothing of the day).
    """
    problems: list[Problem] = []
    standing = stretches(book)
    inputs: dict[int, InputPlan] = {}
    for one in standing:  # what has no versions is planned once
        new = [shape for shape in one.book.inputs.values() if id(shape) not in inputs]
        inputs |= {id(planned.input): planned for planned in _gather(_input_plan, one.book, new, problems)}
        if problems:
            break
    dated = [one for versions in _gather(dated_plans, book, book.rules.values(), problems) for one in versions]
    alerts = _gather(_alert_plan, book, [alert for alert in book.alerts if alert.when], problems)
    problems += [Problem("E-RULE-TWICE", where, {"name": name}) for name, where in _twice(book, [rule for one in dated for rule in one.plans])]
    if problems:
        raise UsageError(*problems)
    planned = [replace(one, inputs={name: inputs[id(shape)] for name, shape in one.book.inputs.items()}) for one in standing]
    listed = tuple(periods(planned, dated))
    first = listed[0].stretch
    return Plan(first.book, as_of, first.inputs, listed[0].levels, listed[0].reads, tuple(alerts), listed).on(as_of)


def _twice(book: Rulebook, rules: list[RulePlan]) -> list[tuple[str, str]]:
    """Names that stand for two things, and where the second stands."""
    parts = {(rule.rule.rule, rule.part_of): rule.where for rule in rules if rule.part_of}
    taken = [*book.inputs, *book.rules, *book.parameters, *(name for name, _ in parts)]
    places = {name: where for (name, _), where in parts.items()}
    return [(name, places.get(name, name)) for name in sorted({name for name in taken if taken.count(name) > 1})]


def _gather(make: Callable[[Rulebook, E], P], book: Rulebook, entries: Iterable[E], problems: list[Problem]) -> list[P]:
    """The plan of every entry that has one; what is refused is noted, so that all mistakes are told together."""
    made = []
    for entry in entries:
        try:
            made.append(make(book, entry))
        except UsageError as error:
            problems.extend(error.problems)
    return made


def _input_plan(book: Rulebook, entry: Input) -> InputPlan:
    stands = book.entry("input", entry.input)
    if entry.from_ not in book.extracts:
        raise UsageError(Problem("E-RULE-EXTRACT", stands.where("from"), {"name": entry.from_}))
    extract = book.extracts[entry.from_]
    known = {column.column for column in extract.columns}
    for key in ("per", "count"):
        for name in getattr(entry, key):
            if name not in known:
                raise UsageError(Problem("E-RULE-COLUMN", stands.where(key), {"name": name, "extract": entry.from_}))
    when = parse(entry.when, stands.where("when")) if entry.when else None
    amount = parse(entry.amount, stands.where("amount")) if entry.amount else None
    return InputPlan(entry, extract, stands.where(), when, amount)


def _alert_plan(book: Rulebook, entry: Alert) -> AlertPlan:
    stands = book.entry("alert", entry.alert)
    if entry.from_ is not None and entry.from_ not in book.extracts:
        raise UsageError(Problem("E-RULE-EXTRACT", stands.where("from"), {"name": entry.from_}))
    extract = book.extracts[entry.from_] if entry.from_ else None
    return AlertPlan(entry, stands.where("when"), parse(entry.when or "", stands.where("when")), extract)


def resting_on(plan: Plan, names: Iterable[str]) -> frozenset[str]:
    """These names and every name that they rest on, down to parameters, inputs and columns."""
    reads = {rule.rule.rule: rule.formula.names for of in plan.levels for rule in plan.rules(of)}
    reads |= {name: frozenset().union(*(f.names for f in (one.when, one.amount) if f)) for name, one in plan.inputs.items()}
    found: set[str] = set()
    left = list(names)
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left += reads.get(name, ())
    return frozenset(found)
