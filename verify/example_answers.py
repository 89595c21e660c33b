"""What examples come to by the second opinion: the same answers as `rule_examples.py` gets from DuckDB, a hundred times as fast.

Mutants of rules are tried on this, and `hedui rules test` holds both answers of every example against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from verify.formulas_interpreter import Facts, amount, verdict
from verify.interval import NOTHING, Interval, Said, Verdict, Worth
from verify.opinion_rows import AMOUNTS, Family, Line, Somebody, counted, of_case, of_rows, row_facts, sees
from verify.parameters import value_in_force
from verify.plan import InputPlan, Plan
from verify.rule_extracts import Column
from verify.rule_facts import Example
from verify.rule_texts import Entry
from verify.second_opinion import case_facts, category

VERDICTS: dict[str, bool | None] = {"holds": True, "fails": False, "open": None}
STATED_SCALE = 2
SHOWN_SCALE = 2


@dataclass(frozen=True)
class Asked:
    """One example of one entry."""

    entry: Entry
    example: Example
    at: int

    @property
    def where(self) -> str:
        """The file and line that it stands on."""
        return self.entry.where("examples", self.at)


def all_examples(entries: Mapping[tuple[str, str], Entry]) -> list[Asked]:
    """Every example of a rule book, in its order."""
    return [Asked(entry, example, at) for entry in entries.values() for at, example in enumerate(getattr(entry.shape, "examples", ()))]


def expected(expect: Any) -> str:
    """An expectation as one text: a word, or `low ～ high` with two decimals (∞ for no bound)."""
    if isinstance(expect, str) and not expect.replace(".", "", 1).isdigit():
        return expect
    low, high = expect if isinstance(expect, list) else (expect, expect)
    return f"{_stated(low)} ～ {_stated(high)}"


def _stated(value: Any) -> str:
    return "∞" if value is None else f"{Decimal(str(value)):.2f}"


def answer(plan: Plan, asked: Asked, newest: date) -> str:
    """What the example comes to under a plan, as one text. `newest` is the day of examples that name none."""
    on_its_day = plan.on(asked.example.as_of or newest)
    return _ANSWERS[asked.entry.kind](on_its_day, asked.entry.name, asked.example)


def told(worth: Worth) -> str:
    """A figure or a verdict as an expectation would state it."""
    if isinstance(worth, Verdict):
        return next(word for word, value in VERDICTS.items() if value is worth.holds)
    assert isinstance(worth, Interval)
    return " ～ ".join("∞" if bound is None else _shown(bound, worth.scale) for bound in (worth.low, worth.high))


def _shown(bound: int, scale: int) -> str:
    """Rounded half up to two decimals."""
    unit = 10 ** max(0, scale - SHOWN_SCALE)
    fen = (2 * bound + unit) // (2 * unit) if unit > 1 else bound * 10 ** (SHOWN_SCALE - scale)
    return f"{Decimal(fen).scaleb(-SHOWN_SCALE):.2f}"


# --- rows -------------------------------------------------------------------------------------------------------------


def _scene(plan: Plan, example: Example) -> Family:
    """A county of one case with one certain, authorised member."""
    late = frozenset(plan.book.extracts) if isinstance(example.given, dict) else frozenset()
    return Family(example.region or plan.book.membership.home_region, example.area, [], {}, late)


def line_of(columns: tuple[Column, ...], row: Mapping[str, Any], place: int) -> Line:
    """A row as an example states it, typed as reading would type it."""
    return Line({column.column: _cell(column, row.get(column.column)) for column in columns}, place, row.get("link") == "review")


def _cell(column: Column, value: Any) -> object:
    if value is None:
        return None
    if column.type in {"date", "month", "epoch_ms"}:
        return date.fromisoformat(value)
    if column.type in AMOUNTS:
        return int(Decimal(value).scaleb(2 if column.type == "money" else column.decimals if column.type == "number" else 0))
    return value


def _input_answer(plan: Plan, name: str, example: Example) -> str:
    entry: InputPlan = plan.inputs[name]
    rows = example.given if isinstance(example.given, list) else []
    lines = [line_of(entry.extract.columns, row, at) for at, row in enumerate(rows, 1)]
    somebody = Somebody(1, rows={entry.extract.extract: lines})
    family = replace(_scene(plan, example), people=[somebody], rows={entry.extract.extract: lines})
    case = case_facts(plan, family)
    if entry.input.of == "member":
        usable = not family.late
        taken = of_rows(entry, lines, case, sees=usable and sees(entry, family, somebody))
    else:
        taken = counted(entry, family, case) if entry.input.of == "household" else of_case(entry, family, case)
    return told(taken.has if example.expect in VERDICTS else taken.amount) if isinstance(example.expect, str) else told(taken.amount)


# --- values -----------------------------------------------------------------------------------------------------------


def stated(plan: Plan, example: Example) -> Facts:
    """What an example of a rule states: names, `has.`, `given.`, `sum.`, `the.` and `any.` of names; parameters come from the book."""
    family = Family(example.region or plan.book.membership.home_region, example.area, [])
    known = case_facts(replace(plan, levels={**plan.levels, "case": []}), family)
    facts = Facts(dict(known.names), {}, {}, dict.fromkeys(plan.sums, NOTHING), {}, {})
    tables: dict[str, Any] = {"has": facts.has, "given": facts.given, "sum": facts.sums, "the": facts.the, "any": facts.any}
    assert isinstance(example.given, Mapping)
    for key, value in example.given.items():
        prefix, _, name = key.rpartition(".")
        tables.get(prefix, facts.names)[name] = worth_of(value)
    return facts


def worth_of(value: Any) -> Worth:
    """A stated verdict, amount or interval."""
    if isinstance(value, str) and value in VERDICTS:
        return Verdict(VERDICTS[value])
    if value is None or (isinstance(value, str) and not value.replace(".", "", 1).isdigit()):
        return Said(value)
    low, high = value if isinstance(value, list) else (value, value)
    first, last = (None if bound is None else int(Decimal(bound).scaleb(STATED_SCALE)) for bound in (low, high))
    return Interval(first, last, STATED_SCALE)


def _rule_answer(plan: Plan, name: str, example: Example) -> str:
    facts = stated(plan, example)
    assert isinstance(facts.names, dict)
    for rule in (one for one in plan.rules(plan.book.rules[name].of) if one.entry[1] == name):
        if not (rule.part_of and rule.rule.rule in facts.names):  # an example may state a part instead of what it rests on
            worked_out = verdict if rule.rule.type == "test" else amount
            facts.names[rule.rule.rule] = worked_out(rule.stating(example.given).decided_by.tree, facts)
    return told(facts.names[name])


def _alert_answer(plan: Plan, name: str, example: Example) -> str:
    alert = next(planned for planned in plan.alerts if planned.alert.alert == name)
    facts = stated(plan, example) if alert.extract is None else None
    if facts is None:
        assert alert.extract is not None
        assert isinstance(example.given, list)
        case = case_facts(plan, replace(_scene(plan, example)))
        facts = row_facts(alert.extract, line_of(alert.extract.columns, example.given[0], 1), case)
    return told(Verdict(bool(verdict(alert.when.tree, facts).holds)))


def _decision_answer(plan: Plan, _name: str, example: Example) -> str:
    assert isinstance(example.given, Mapping)
    names: dict[str, Worth] = {name: Verdict(VERDICTS[example.given.get(name, "holds")]) for name in plan.book.decision.columns}
    return category(plan, names)


def _parameter_answer(plan: Plan, name: str, example: Example) -> str:
    value = value_in_force(plan.book.parameters[name], example.region or plan.book.membership.home_region, plan.as_of)
    if value is None:
        return "none"
    if value.value is None:
        return expected([str(value.at_least or 0), None if value.at_most is None else str(value.at_most)])
    found = value.value[example.area or ""] if isinstance(value.value, dict) else value.value
    return expected(str(found))


_ANSWERS = {
    "input": _input_answer,
    "rule": _rule_answer,
    "alert": _alert_answer,
    "decision": _decision_answer,
    "parameter": _parameter_answer,
}
