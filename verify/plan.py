"""The order of work that a rule book asks for: every formula parsed, every name in its level, who reads what.

Three levels: case (parameters and area only), member (facts from a member's rows) and household (sums over members,
counts over everybody's rows). A plan needs no data: `rule_checks.py` compiles one to find every mistake before a night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from verify.formulas import Formula, in_order, parse
from verify.problems import Problem, UsageError
from verify.rule_files import Alert, Extract, Input, Rule
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
class RulePlan:
    """A worked-out value or test: its entry, its formula, and what is shown beside a test."""

    rule: Rule
    where: str
    formula: Formula
    value: Formula | None
    limit: Formula | None


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
    levels: Mapping[str, list[list[RulePlan]]]
    reads: Mapping[str, frozenset[str]]
    alerts: tuple[AlertPlan, ...]

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
    column); E-RULE-CYCLE; E-RULE-NAME-TWICE (one name for two things).
    """
    problems: list[Problem] = []
    inputs = {i.input.input: i for i in _gather(_input_plan, book, book.inputs.values(), problems)}
    rules = {r.rule.rule: r for r in _gather(_rule_plan, book, book.rules.values(), problems)}
    alerts = _gather(_alert_plan, book, [alert for alert in book.alerts if alert.when], problems)
    twice = set(inputs) & set(rules) | (set(inputs) | set(rules)) & set(book.parameters)
    problems += [Problem("E-RULE-TWICE", name, {"name": name}) for name in sorted(twice)]
    if problems:
        raise UsageError(*problems)
    uses = {name: plan.formula.names for name, plan in rules.items()}
    order = in_order({k: list(v) for k, v in uses.items()}, {name: plan.where for name, plan in rules.items()})
    levels: dict[str, list[list[RulePlan]]] = {"case": [], "member": [], "household": []}
    for names in order:
        for of, listed in levels.items():
            found = [rules[name] for name in names if rules[name].rule.of == of]
            if found:
                listed.append(found)
    return Plan(book, as_of, inputs, levels, _reads(inputs, rules, order), tuple(alerts))


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


def _rule_plan(book: Rulebook, entry: Rule) -> RulePlan:
    stands = book.entry("rule", entry.rule)
    value = parse(entry.value, stands.where("value")) if entry.value else None
    limit = parse(entry.limit, stands.where("limit")) if entry.limit else None
    return RulePlan(entry, stands.where("expr"), parse(entry.expr, stands.where("expr")), value, limit)


def _alert_plan(book: Rulebook, entry: Alert) -> AlertPlan:
    stands = book.entry("alert", entry.alert)
    if entry.from_ is not None and entry.from_ not in book.extracts:
        raise UsageError(Problem("E-RULE-EXTRACT", stands.where("from"), {"name": entry.from_}))
    extract = book.extracts[entry.from_] if entry.from_ else None
    return AlertPlan(entry, stands.where("when"), parse(entry.when or "", stands.where("when")), extract)


def _reads(inputs: Mapping[str, InputPlan], rules: Mapping[str, RulePlan], order: list[list[str]]) -> dict[str, frozenset[str]]:
    """For each name, all the inputs it rests on, through whatever rules lie between."""
    reads = {name: frozenset({name}) for name in inputs}
    for names in order:
        for name in names:
            reads[name] = frozenset().union(*(reads.get(used, frozenset()) for used in rules[name].formula.names))
    return reads
