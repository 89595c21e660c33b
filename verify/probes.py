"""Examples next to an example: one thing said otherwise, to find one that tells a rule from a mistaken one.

A found probe is shown as a line to be read, judged and put beside the rule; nothing is ever added by the program itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from verify.example_answers import VERDICTS, Asked, answer
from verify.mutants import Mutant
from verify.plan import Plan
from verify.problems import UsageError
from verify.random_families import Kinds
from verify.rule_decisions import Decision
from verify.rule_extracts import Column
from verify.rule_facts import Example, Parameter
from verify.rule_shapes import AMOUNT

_DAY = timedelta(days=1)
_CENT = Decimal("0.01")
STRANGE = "其他"


def telling(kinds: Kinds, mutant: Mutant, listed: list[Asked], newest: date) -> Example | None:
    """An example near one of the entry's own (changed in one place, else in two) whose answer the mistake changes; None if none is found."""
    own = [asked for asked in listed if (asked.entry.kind, asked.entry.name) == mutant.entry]
    near = [(asked, probe) for asked in own for probe in probes(kinds, asked)]
    for asked, probe in near:
        if _tells(kinds.plan, mutant, Asked(asked.entry, probe, 0), newest):
            return probe
    for asked, probe in near[:: max(1, len(near) // 60)]:
        for further in probes(kinds, Asked(asked.entry, probe, 0)):
            if _tells(kinds.plan, mutant, Asked(asked.entry, further, 0), newest):
                return further
    return None


def _tells(plan: Plan, mutant: Mutant, asked: Asked, newest: date) -> bool:
    said = outcome(plan, asked, newest)
    return said is not None and outcome(mutant.plan, asked, newest) != said


def outcome(plan: Plan, asked: Asked, newest: date) -> str | None:
    """The answer of an example, or None where it states too little for this plan."""
    try:
        return answer(plan, asked, newest)
    except (KeyError, AssertionError, ArithmeticError, UsageError):
        return None


def probes(kinds: Kinds, asked: Asked) -> Iterator[Example]:
    """Every example that says one thing otherwise."""
    example, shape = asked.example, asked.entry.shape
    if isinstance(shape, Parameter):
        yield from (example.model_copy(update={"as_of": day, "example": f"{day}"}) for value in shape.values for day in (value.from_, value.to) if day)
        return
    if isinstance(example.given, list):
        yield from (_renamed(example, said, given=rows) for said, rows in _other_rows(kinds, asked, example.given))
    else:
        yield from (_renamed(example, said, given=given) for said, given in _other_names(asked, example.given))
    areas = [area for area in kinds.areas if area != example.area] if "area" in example.model_fields_set else []
    yield from (_renamed(example, f"area {area}", area=area) for area in areas)


def _renamed(example: Example, said: str, **update: Any) -> Example:
    return example.model_copy(update={"example": f"{example.example}；{said}", **update})


# --- rows -------------------------------------------------------------------------------------------------------------


def _other_rows(kinds: Kinds, asked: Asked, rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    extract = kinds.plan.book.extracts[asked.entry.shape.from_]  # type: ignore[attr-defined]
    read = _columns_read(kinds.plan, asked)
    for at, row in enumerate(rows):
        for column in extract.columns:
            for cell in _cells(kinds, extract.extract, column, row.get(column.column)) if column.column in read else ():
                if cell != row.get(column.column):
                    yield f"{column.column} {cell}", [*rows[:at], {**row, column.column: cell}, *rows[at + 1 :]]
        yield "grey", [*rows[:at], {**row, "link": "review"}, *rows[at + 1 :]]
        for column in extract.columns:
            if column.column in read and row.get(column.column) is not None:
                yield f"+ {column.column}", [*rows, {**row, column.column: _another(column, row[column.column])}]


def _columns_read(plan: Plan, asked: Asked) -> set[str]:
    entry = plan.inputs.get(asked.entry.name) if asked.entry.kind == "input" else None
    if entry is not None:
        formulas = [formula for formula in (entry.when, entry.amount) if formula]
        return {*entry.input.per, *entry.input.count, *(name for formula in formulas for name in formula.names)}
    return {name for alert in plan.alerts if alert.alert.alert == asked.entry.name for name in alert.when.names}


def _cells(kinds: Kinds, extract: str, column: Column, now: Any) -> Iterator[str | None]:
    """What a cell could hold instead."""
    if column.type in {"date", "month", "epoch_ms"}:
        yield from (day.isoformat() for day in kinds.days)
    elif column.type in {"money", "number", "count"}:
        amount = Decimal(now or "1000.00")
        yield from (str(max(amount + by, Decimal("0.00"))) for by in (-_CENT, _CENT, amount))
        yield from ("0.00", "1.00", "0.01", "9000.00")
    else:
        yield from kinds.words.get((extract, column.column), ())
        yield STRANGE
    yield None


def _another(column: Column, cell: str) -> str:
    """A cell like this one that is not it."""
    if column.type in {"date", "month", "epoch_ms"}:
        return (date.fromisoformat(cell) + 31 * _DAY).isoformat()
    if column.type in {"money", "number", "count"}:
        return str(Decimal(cell) + 1)
    return f"{cell}2"


# --- names ------------------------------------------------------------------------------------------------------------


def _other_names(asked: Asked, given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    names = dict(given)
    if isinstance(asked.entry.shape, Decision):
        names = dict.fromkeys(asked.entry.shape.columns, "holds") | names
    for key, value in names.items():
        for other in _other_values(value):
            if other != value:
                yield f"{key} {other}", {**given, key: other}


def _other_values(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and value in VERDICTS:
        yield from VERDICTS
        return
    low = value[0] if isinstance(value, list) else value
    if not isinstance(low, str) or not AMOUNT.fullmatch(low):
        return
    amount = Decimal(low)
    for by in (-_CENT, _CENT, Decimal(1), Decimal(-1), amount, -amount / 2, Decimal(1000)):
        yield f"{max(amount + by, Decimal(0)):.2f}"
    yield from ([f"{amount:.2f}", None], "0.00", "1.00", "0.50")
    yield [f"{amount:.2f}", f"{amount + 1000:.2f}"]
