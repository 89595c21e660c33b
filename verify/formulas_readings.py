"""The SQL of a test's second reading: the functions that `formulas_tight.py` puts into it, which no rule can name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from verify.formulas_spans import Span, Truth, between, greater, lesser
from verify.formulas_trees import all_of, any_of, when


def _exact(a: Span) -> Truth:
    return Truth(when((exp.EQ(this=a.low, expression=a.high), exp.Boolean(this=True)), other=exp.Boolean(this=False)))


def _high(a: Span) -> Span:
    return replace(a, low=a.high if a.bounded else exp.Coalesce(this=a.high, expressions=[a.low]), factors=())


def _case(condition: Truth, then: Truth, other: Truth) -> Truth:
    """One or the other by the condition; where that is open, what both come to (each said twice only: readings nest)."""
    fails = exp.Not(this=exp.Paren(this=condition.sql))
    return Truth(any_of(all_of(condition.sql, then.sql), all_of(fails, other.sql), all_of(then.sql, other.sql)))


def _where(condition: Truth, then: Truth) -> Truth:
    return Truth(when((condition.sql, then.sql), other=None))


def _first(a: Truth, b: Truth) -> Truth:
    return Truth(exp.Coalesce(this=a.sql, expressions=[b.sql]))


NARROWED: dict[str, Callable[..., Span | Truth]] = {
    "_exact": _exact,
    "_high": _high,
    "_upto": lambda a, b: between(a, lesser(a, b)),
    "_from": lambda a, b: between(greater(a, b), a),
}
READ_TWICE: dict[str, Callable[..., Truth]] = {"_case": _case, "_first": _first, "_where": _where}
