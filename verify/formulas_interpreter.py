"""What a rule expression comes to in one household, in plain Python: to explain, to mutate, and to check the SQL against.

It reads the same parsed trees as `formulas_compiler.py` and shares nothing else with it. Types are not checked here: only
what has been compiled is interpreted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlglot import exp

from verify import interval
from verify.formulas import CONSTANTS, month_before
from verify.interval import Interval, Said, Verdict, Worth


@dataclass(frozen=True)
class Facts:
    """What a formula may read: names, and for `has`, `sum`, `the_member` and `any_member` what each answers of a name.

    `given` holds a fact's amount knowing that it has a row.
    """

    names: Mapping[str, Worth]
    has: Mapping[str, Verdict] = field(default_factory=dict)
    given: Mapping[str, Interval] = field(default_factory=dict)
    sums: Mapping[str, Interval] = field(default_factory=dict)
    the: Mapping[str, Verdict] = field(default_factory=dict)
    any: Mapping[str, Verdict] = field(default_factory=dict)


def days_of(as_of: date, window_months: int = 12) -> dict[str, Said]:
    """The dates a rule may name."""
    last = date.fromordinal(as_of.replace(day=1).toordinal() - 1)
    found = {"as_of": as_of, "as_of_month": as_of.replace(day=1), "window_from": month_before(as_of, window_months), "window_to": last}
    return {name: Said(day) for name, day in found.items()}


def amount(tree: exp.Expr, facts: Facts) -> Interval:
    """The formula as an amount."""
    found = worth(tree, facts)
    assert isinstance(found, Interval), tree
    return found


def verdict(tree: exp.Expr, facts: Facts) -> Verdict:
    """The formula as a test."""
    found = worth(tree, facts)
    assert isinstance(found, Verdict), tree
    return found


def worth(node: exp.Expr, facts: Facts) -> Worth:
    """What one node comes to. Raises KeyError for a name that `facts` does not know, AssertionError for a wrong type."""
    return _KINDS[type(node)](node, facts)


def _said(node: exp.Expr, facts: Facts) -> str | date | None:
    found = worth(node, facts)
    assert isinstance(found, Said), node
    return found.value


def _literal(node: exp.Literal, _facts: Facts) -> Worth:
    return Said(node.this) if node.is_string else Interval(int(node.this), int(node.this))


def _name(node: exp.Column, facts: Facts) -> Worth:
    if node.name in CONSTANTS:
        return Interval(CONSTANTS[node.name], CONSTANTS[node.name])
    return facts.names[node.name]


def _case(node: exp.Case, facts: Facts) -> Interval:
    default = node.args.get("default")
    result = amount(default, facts) if default is not None else interval.ANYTHING
    for branch in reversed(node.args["ifs"]):
        inner, asked = facts, branch.this
        if isinstance(asked, exp.Anonymous) and asked.name.lower() == "has" and asked.expressions[0].name in facts.given:
            named = asked.expressions[0].name
            inner = replace(facts, names={**facts.names, named: facts.given[named]})
        result = interval.chosen(verdict(asked, facts), amount(branch.args["true"], inner), result)
    return result


def _compared(node: exp.Binary, facts: Facts) -> Verdict:
    a, b = worth(node.this, facts), worth(node.expression, facts)
    if isinstance(a, Interval) and isinstance(b, Interval):
        return _AMOUNTS_COMPARED[type(node)](a, b)
    assert isinstance(a, Said), node
    assert isinstance(b, Said), node
    if a.value is None or b.value is None:
        return Verdict(None)
    return Verdict(bool(_TEXTS_COMPARED[type(node)](a.value, b.value)))


def _in(node: exp.In, facts: Facts) -> Verdict:
    value, listed = _said(node.this, facts), [_said(item, facts) for item in node.expressions]
    if value is None:
        return Verdict(None)
    return Verdict(holds=True) if value in listed else Verdict(None if None in listed else False)


def _coalesce(node: exp.Coalesce, facts: Facts) -> Said:
    found = [_said(item, facts) for item in (node.this, *node.expressions)]
    return Said(next((value for value in found if value is not None), None))


def _function(node: exp.Anonymous, facts: Facts) -> Worth:
    name, given = node.name.lower(), node.expressions
    if name in {"has", "the_member", "any_member"}:
        return {"has": facts.has, "the_member": facts.the, "any_member": facts.any}[name][given[0].name]
    if name == "known":
        found = worth(given[0], facts)
        return Verdict((found.high if isinstance(found, Interval) else _value(found)) is not None)
    if name == "in_months":
        return _in_months(_said(given[0], facts), amount(given[1], facts), facts)
    if name in {"in_window", "inside_window", "touches_window"}:
        return _window(name, [_said(day, facts) for day in given], facts)
    if name == "_first":
        first = verdict(given[0], facts)
        return first if first.holds is not None else verdict(given[1], facts)
    if name == "_where":
        return verdict(given[1], facts) if verdict(given[0], facts).holds else Verdict(None)
    if name == "_case":
        return _either_way(verdict(given[0], facts), given[1], given[2], facts)
    return _AMOUNTS[name](*(amount(item, facts) for item in given))


def _either_way(condition: Verdict, then: exp.Expr, other: exp.Expr, facts: Facts) -> Verdict:
    """What follows from a condition, or from it and from its contrary where it is open."""
    if condition.holds is not None:
        return verdict(then if condition.holds else other, facts)
    a, b = verdict(then, facts), verdict(other, facts)
    return a if a == b else Verdict(None)


def _in_months(day: Any, months: Interval, facts: Facts) -> Verdict:
    """Whether a day lies in so many whole months before the month of the as-of date."""
    as_of, last = _value(facts.names["as_of"]), _value(facts.names["window_to"])
    known = months.low is not None and months.low == months.high
    assert isinstance(as_of, date)
    first = month_before(as_of, months.low or 0) if known else None
    after = Verdict(None if day is None or first is None else day >= first)
    return interval.both(after, Verdict(None if day is None else day <= last))


def _value(found: Worth) -> object:
    return found.value if isinstance(found, Said) else found.holds if isinstance(found, Verdict) else None


def _window(name: str, ends: list[Any], facts: Facts) -> Verdict:
    first, last = _value(facts.names["window_from"]), _value(facts.names["window_to"])
    after = [Verdict(None if day is None else day >= first) for day in ends]
    before = [Verdict(None if day is None else day <= last) for day in ends]
    if name == "touches_window":
        return interval.both(interval.either(*after), interval.either(*before))
    return interval.both(*after, *before)


_AMOUNTS_COMPARED: dict[type[exp.Expr], Callable[[Interval, Interval], Verdict]] = {
    exp.LT: lambda a, b: interval.smaller(a, b, strictly=True),
    exp.LTE: lambda a, b: interval.smaller(a, b, strictly=False),
    exp.GT: lambda a, b: interval.smaller(b, a, strictly=True),
    exp.GTE: lambda a, b: interval.smaller(b, a, strictly=False),
    exp.EQ: interval.same,
}
_TEXTS_COMPARED: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
}
_AMOUNTS: dict[str, Callable[..., Interval | Verdict]] = {
    "max0": interval.cut,
    "greater": interval.greater,
    "lesser": interval.lesser,
    "at_most": lambda a: Interval(0, a.high, a.scale),
    "more_than": interval.beyond,
    "between_bounds": lambda a, b: Interval(interval.alike(a, b)[0].low, interval.alike(a, b)[1].high, max(a.scale, b.scale)),
    "lower_bound": lambda a: Interval(a.low, a.low, a.scale),
    "unknown": lambda: interval.ANYTHING,
    "_exact": lambda a: Verdict(a.low == a.high),  # these four are of the second reading of a test (formulas_tight.py)
    "_high": lambda a: Interval(a.low if a.high is None else a.high, a.high, a.scale),
    "_upto": lambda a, b: Interval(interval.alike(a, b)[0].low, interval.lesser(a, b).high, max(a.scale, b.scale)),
    "_from": lambda a, b: Interval(interval.greater(a, b).low, interval.alike(a, b)[0].high, max(a.scale, b.scale)),
}
_ARITHMETIC: dict[type[exp.Expr], Callable[[Interval, Interval], Interval]] = {
    exp.Add: interval.plus,
    exp.Sub: interval.minus,
    exp.Mul: interval.times,
    exp.Div: interval.divided,
}
_KINDS: dict[type[exp.Expr], Callable[[Any, Facts], Worth]] = {
    exp.Paren: lambda node, facts: worth(node.this, facts),
    exp.Literal: _literal,
    exp.Column: _name,
    exp.Coalesce: _coalesce,
    exp.Case: _case,
    exp.Sum: lambda node, facts: facts.sums[node.this.name],
    exp.Anonymous: _function,
    exp.And: lambda node, facts: interval.both(verdict(node.this, facts), verdict(node.expression, facts)),
    exp.Or: lambda node, facts: interval.either(verdict(node.this, facts), verdict(node.expression, facts)),
    exp.Not: lambda node, facts: interval.opposite(verdict(node.this, facts)),
    exp.In: _in,
    exp.Is: lambda node, facts: Verdict(_said(node.this, facts) is None),
    **{kind: lambda node, facts: _ARITHMETIC[type(node)](amount(node.this, facts), amount(node.expression, facts)) for kind in _ARITHMETIC},
    **dict.fromkeys(_TEXTS_COMPARED, _compared),
}
