"""Check that everything in a rule book has its basis and is used: a value nobody reads is either forgotten or misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verify.plan import Plan
from verify.problems import Problem
from verify.rule_decisions import Version
from verify.rule_plans import RulePlan
from verify.rule_texts import Entry
from verify.rulebook import Rulebook


def basis_problems(book: Rulebook) -> Iterator[Problem]:
    """Entries, values and rows of the decision table whose `law` says nothing."""
    for (kind, name), entry in book.entries.items():
        parts = [((key, at), part) for key in ("values", "versions", "rows", "blank") for at, part in _written(entry, key)]
        for path, part in [((), entry.shape), *((at, one) for at, one in parts if not (isinstance(one, Version) and not one.law))]:
            if "law" in getattr(type(part), "model_fields", ()) and not any(law.strip() for law in getattr(part, "law", ())):
                yield Problem("E-RULE-NO-BASIS", entry.where(*path, "law"), {"kind": kind, "name": name})


def _written(entry: Entry, key: str) -> Iterator[tuple[int, object]]:
    """The parts of an entry by position, but for those of a table, whose lines were held to it as they were read."""
    parts = getattr(entry.shape, key, ())
    yield from enumerate(parts[: len(parts) - len(entry.tabled)] if key == "values" else parts)


def use_problems(plans: Sequence[Plan]) -> Iterator[Problem]:
    """Parameters, facts, rules and parts that nothing reads and nobody is shown; what is to be shown and is no figure of a case.

    `plans` are those of all periods: what is read in one of them is used.
    """
    book, read = plans[0].book, set().union(*map(_read, plans))
    parts = {rule.where: rule for plan in plans for rule in _rules(plan) if rule.part_of}
    yield from (Problem("E-RULE-UNUSED", where, {"kind": "let", "name": p.rule.rule}) for where, p in parts.items() if p.rule.rule not in read)
    for kind, entries in (("input", book.inputs), ("rule", book.rules)):
        for name, shape in entries.items():
            if shape.publish and (shape.of == "member" or getattr(shape, "type", "amount") == "test"):
                yield Problem("E-RULE-PUBLISH", book.entry(kind, name).where("publish"), {"name": name})
    for kind, names in (("parameter", book.parameters), ("input", book.inputs), ("rule", book.rules)):
        for name in names:
            shown = getattr(book.entry(kind, name).shape, "publish", False)
            if name not in read and not shown:
                yield Problem("E-RULE-UNUSED", book.entry(kind, name).where(), {"kind": kind, "name": name})


def _rules(plan: Plan) -> list[RulePlan]:
    return [rule for of in ("case", "member", "household") for rule in plan.rules(of)]


def _read(plan: Plan) -> set[str]:
    """Every name that a formula, the decision table, an alert or another entry reads."""
    book = plan.book
    read = {book.membership.minor_below, *book.decision.columns, *(alert.since for alert in book.alerts if alert.since)}
    for rule in _rules(plan):
        for formula in (rule.formula, rule.value, rule.limit):
            read |= formula.names if formula else set()
    for entry in plan.inputs.values():
        for formula in (entry.when, entry.amount):
            read |= formula.names if formula else set()
    for alert in plan.alerts:
        read |= alert.when.names
    read |= {benefit.pays for benefit in book.benefits.values() if benefit.pays}
    for report in book.reports:
        read |= {column.shows for column in report.columns}
    return read

