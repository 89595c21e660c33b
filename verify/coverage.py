"""What the examples of a rule book reach: every fact, rule, test and alert, every dated value, every row of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from verify.example_answers import Asked, all_examples, answer
from verify.parameters import value_in_force
from verify.plan import Plan, make_plan
from verify.rule_checks import check_rules, newest_day
from verify.rule_decisions import Decision, Rule, TableVersion, versions_of

SETTLED, UNKNOWN = "settled", "unknown"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that an example should reach, where it stands, and whether one does."""

    kind: str
    name: str
    what: str
    where: str
    hit: bool


def cover(folder: Path) -> list[Point]:
    """Every point of the rule book below `folder`. Raises UsageError where the book itself is wrong."""
    book = check_rules(folder)
    newest = newest_day(book)
    plan = make_plan(book, newest)
    listed = all_examples(book.entries)
    answers = {id(asked.example): answer(plan, asked, newest) for asked in listed}
    points = [*_of_entries(plan, listed, answers), *_of_versions(plan, listed, answers, newest)]
    points += [*_of_values(plan, listed, newest), *_of_rows(plan, listed, answers)]
    return sorted(points, key=lambda p: (p.kind, p.name, p.what))


def _of_entries(plan: Plan, listed: list[Asked], answers: Mapping[int, str]) -> Iterator[Point]:
    """Tests come out each of three ways, amounts known and unknown, alerts due and not."""
    book = plan.book
    wanted: dict[tuple[str, str], tuple[str, ...]] = {}
    wanted |= {("input", name): (SETTLED, UNKNOWN) for name, fact in book.inputs.items() if not fact.versions}
    wanted |= {("rule", name): _outcomes(rule) for name, rule in book.rules.items() if not rule.versions}
    wanted |= {("alert", alert.alert.alert): ("holds", "fails") for alert in plan.alerts}
    for (kind, name), outcomes in wanted.items():
        found = [answers[id(a.example)] for a in listed if (a.entry.kind, a.entry.name) == (kind, name)]
        reached = {*found, *(_sort_of(text) for text in found)}
        yield from (Point(kind, name, what, book.entry(kind, name).where(), what in reached) for what in outcomes)


def _outcomes(rule: Rule) -> tuple[str, ...]:
    if rule.type == "test":
        return ("holds", "fails", "open")
    return (UNKNOWN,) if rule.expr.startswith("between_bounds(") else (SETTLED, UNKNOWN)  # what it says of itself is that it lies between


def _of_versions(plan: Plan, listed: list[Asked], answers: Mapping[int, str], newest: date) -> Iterator[Point]:
    """What is asked of a rule, a fact or the table is asked of each of its versions, by examples of its days."""
    for (kind, name), entry in plan.book.entries.items():
        own = [asked for asked in listed if (asked.entry.kind, asked.entry.name) == (kind, name)]
        for at, version in enumerate(versions_of(entry.shape)):
            of_its_days = [asked for asked in own if version.from_ <= (asked.example.as_of or newest) <= (version.to or date.max)]
            reached = {text for asked in of_its_days for text in (answers[id(asked.example)], _sort_of(answers[id(asked.example)]))}
            wanted = _outcomes(entry.shape) if isinstance(entry.shape, Rule) else (SETTLED, UNKNOWN)
            if isinstance(version, TableVersion):
                wanted = tuple(dict.fromkeys((*(row.then for row in version.rows), *_ends(plan.book.decision))))
            yield from (Point(kind, name, f"{version.from_} {what}", entry.where("versions", at), what in reached) for what in wanted)


def _sort_of(text: str) -> str:
    low, _, high = text.partition(" ～ ")
    return SETTLED if text in {"holds", "fails"} or low == high else UNKNOWN


def _of_values(plan: Plan, listed: list[Asked], newest: date) -> Iterator[Point]:
    """Each dated value is in force in an example of something that reads it."""
    home, book = plan.book.membership.home_region, plan.book
    readers = _readers(plan)
    for name, parameter in book.parameters.items():
        used = set()
        for asked in listed:
            if name in readers.get((asked.entry.kind, asked.entry.name), ()) or asked.entry.name == name:
                value = value_in_force(parameter, asked.example.region or home, asked.example.as_of or newest)
                used.add(id(value))
        entry = book.entry("parameter", name)
        for at, value in enumerate(parameter.values):
            yield Point("parameter", name, f"{value.region} {value.from_}", entry.where("values", at), id(value) in used)


def _readers(plan: Plan) -> dict[tuple[str, str], set[str]]:
    """The parameters that each entry reads, itself or through the values of its case."""
    planned = [(of, rule) for on_its_day in plan.each_period() for of in ("case", "member", "household") for rule in on_its_day.rules(of)]
    of_case: dict[str, set[str]] = {}
    found: dict[tuple[str, str], set[str]] = {}
    for of, rule in planned:
        found.setdefault(rule.entry, set()).update(rule.formula.names)
        if of == "case":
            of_case.setdefault(rule.entry[1], set()).update(rule.formula.names)
    for name, entry in ((name, entry) for on_its_day in plan.each_period() for name, entry in on_its_day.inputs.items()):
        read = {n for formula in (entry.when, entry.amount) if formula for n in formula.names}
        found.setdefault(("input", name), set()).update(read | {n for case in read & set(of_case) for n in of_case[case]})
    found |= {("alert", a.alert.alert): {n for name in a.when.names for n in (name, *of_case.get(name, ()))} for a in plan.alerts}
    return found


def _of_rows(plan: Plan, listed: list[Asked], answers: Mapping[int, str]) -> Iterator[Point]:
    """Each row of the decision table decides in an example, and so do both of what follows where none does."""
    table = plan.book.decision
    if table.versions:
        return
    entry = plan.book.entry("decision", table.decision)
    reached = {answers[id(a.example)] for a in listed if a.entry.kind == "decision"}
    for at, row in enumerate(table.rows):
        yield Point("decision", table.decision, row.then, entry.where("rows", at), row.then in reached)
    for key, outcome in zip(("otherwise", "unknown"), _ends(table), strict=True):
        yield Point("decision", table.decision, outcome, entry.where(key), outcome in reached)


def _ends(table: Decision) -> tuple[str, str]:
    return table.otherwise.then, table.unknown.then


def coverage_json(points: list[Point]) -> dict[str, Any]:
    """The stable form for programs."""
    missed = [{"kind": p.kind, "name": p.name, "what": p.what, "where": p.where} for p in points if not p.hit]
    return {"points": len(points), "hit": sum(p.hit for p in points), "missed": missed}
