"""Arithmetic over intervals as SQL: every amount is a pair of columns, every test is TRUE, FALSE or NULL.

An amount is `Span(low, high)`: integers with a decimal scale, NULL for "no bound". A test is `Truth`: NULL means open.
Every operation holds for each value inside its intervals (interval inclusion), so that learning more can settle an
open test but never flip a settled one (design §1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

FEN_SCALE = 2
QUOTIENT_SCALE = 6

# What can be said of sizes before any row is seen, so that no sum and no product runs out of 128 bits (1.7 × 10^38) unseen.
MOST_OF_A_ROW = 10**17  # 10^15 yuan in fen
ROWS_OF_A_PERSON = 10**6
MEMBERS_OF_A_CASE = 10**3
LARGEST = 10**36


@dataclass(frozen=True)
class Span:
    """An amount: integer SQL for both bounds at `scale` decimals (NULL = no bound); `nonnegative` if low ≥ 0 always.

    `most` is the largest whole number, of either sign, that either bound can be.
    """

    low: exp.Expr
    high: exp.Expr
    scale: int = 0
    nonnegative: bool = True
    most: int = MOST_OF_A_ROW


@dataclass(frozen=True)
class Truth:
    """A test: boolean SQL, NULL where it is open."""

    sql: exp.Expr


@dataclass(frozen=True)
class Plain:
    """A text or a day: SQL that is NULL where there is no value."""

    sql: exp.Expr


Operand = Span | Truth | Plain


@dataclass(frozen=True)
class RowSql:
    """The three expressions of an input over one row, the scale of its amount, and the most it can be."""

    counts: str
    low: str
    high: str
    scale: int
    most: int


# Trees are built from the node classes themselves: sqlglot's own operators copy both sides each time (half of the CPU of a
# night's planning, measured). Parts are shared between trees, so nothing here may ever change a node in place.
WHOLE = exp.DataType.build("HUGEINT")


def integer(value: int) -> exp.Expr:
    """A whole number as a 128-bit SQL literal, so that products cannot overflow unseen."""
    return whole(exp.Literal.number(value))


def null() -> exp.Expr:
    """No bound."""
    return whole(exp.Null())


def whole(tree: exp.Expr) -> exp.Expr:
    """A 128-bit whole number."""
    return exp.Cast(this=tree, to=WHOLE)


def when(*pairs: tuple[exp.Expr, exp.Expr], other: exp.Expr) -> exp.Expr:
    """CASE WHEN … END."""
    return exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in pairs], default=other)


def is_null(tree: exp.Expr) -> exp.Expr:
    """IS NULL."""
    return exp.Is(this=exp.Paren(this=tree), expression=exp.Null())


def is_true(tree: exp.Expr, *, wanted: bool = True) -> exp.Expr:
    """IS TRUE, or IS FALSE."""
    return exp.Is(this=exp.Paren(this=tree), expression=exp.Boolean(this=wanted))


def all_of(*tests: exp.Expr) -> exp.Expr:
    """AND."""
    return _joined(exp.And, tests)


def any_of(*tests: exp.Expr) -> exp.Expr:
    """OR."""
    return _joined(exp.Or, tests)


def _joined(kind: type[exp.Expr], tests: Sequence[exp.Expr]) -> exp.Expr:
    first, *others = tests
    joined: exp.Expr = exp.Paren(this=first)
    for test in others:
        joined = kind(this=joined, expression=exp.Paren(this=test))
    return joined


def _of(kind: type[exp.Expr], a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """An arithmetic operation in parentheses."""
    return exp.Paren(this=kind(this=a, expression=b))


def _is_zero(tree: exp.Expr) -> exp.Expr:
    return exp.EQ(this=tree, expression=integer(0))


def scaled(span: Span, scale: int) -> Span:
    """The same amount with more decimals."""
    if span.scale == scale:
        return span
    by = 10 ** (scale - span.scale)
    return replace(span, low=_of(exp.Mul, span.low, integer(by)), high=_of(exp.Mul, span.high, integer(by)), scale=scale, most=span.most * by)


def aligned(a: Span, b: Span) -> tuple[Span, Span]:
    """Both amounts at the larger scale."""
    scale = max(a.scale, b.scale)
    return scaled(a, scale), scaled(b, scale)


def _picked(a: exp.Expr, b: exp.Expr, *, smaller: bool, loose: bool) -> exp.Expr:
    """The smaller or greater of two bounds; where one is NULL, the other one if `loose`, else NULL."""
    better = exp.LTE(this=a, expression=b) if smaller else exp.GTE(this=a, expression=b)
    if loose:
        return when((is_null(a), b), (is_null(b), a), (better, a), other=b)
    return when((any_of(is_null(a), is_null(b)), null()), (better, a), other=b)


def greater(a: Span, b: Span) -> Span:
    """The greater of two amounts."""
    a, b = aligned(a, b)
    low = _picked(a.low, b.low, smaller=False, loose=True)
    high = _picked(a.high, b.high, smaller=False, loose=False)
    return Span(low, high, a.scale, a.nonnegative or b.nonnegative, max(a.most, b.most))


def lesser(a: Span, b: Span) -> Span:
    """The smaller of two amounts."""
    a, b = aligned(a, b)
    low = _picked(a.low, b.low, smaller=True, loose=False)
    high = _picked(a.high, b.high, smaller=True, loose=True)
    return Span(low, high, a.scale, a.nonnegative and b.nonnegative, max(a.most, b.most))


def hull(a: Span, b: Span) -> Span:
    """The smallest interval that holds both."""
    a, b = aligned(a, b)
    low = _picked(a.low, b.low, smaller=True, loose=False)
    high = _picked(a.high, b.high, smaller=False, loose=False)
    return Span(low, high, a.scale, a.nonnegative and b.nonnegative, max(a.most, b.most))


def chosen(condition: Truth, then: Span, other: Span) -> Span:
    """`then` where the condition holds, `other` where it fails, their hull where it is open."""
    then, other = aligned(then, other)
    both = hull(then, other)
    yes, no = is_true(condition.sql), is_true(condition.sql, wanted=False)
    low = when((yes, then.low), (no, other.low), other=both.low)
    high = when((yes, then.high), (no, other.high), other=both.high)
    return Span(low, high, both.scale, both.nonnegative, both.most)


def plus(a: Span, b: Span) -> Span:
    """a + b."""
    a, b = aligned(a, b)
    return Span(_of(exp.Add, a.low, b.low), _of(exp.Add, a.high, b.high), a.scale, a.nonnegative and b.nonnegative, a.most + b.most)


def minus(a: Span, b: Span) -> Span:
    """a − b: it may be negative."""
    a, b = aligned(a, b)
    return Span(_of(exp.Sub, a.low, b.high), _of(exp.Sub, a.high, b.low), a.scale, nonnegative=False, most=a.most + b.most)


def times(a: Span, b: Span) -> Span:
    """a × b of two amounts that are never negative; nothing times no bound is nothing."""
    none = any_of(_is_zero(a.high), _is_zero(b.high))
    high = when((none, integer(0)), other=_of(exp.Mul, a.high, b.high))
    return Span(_of(exp.Mul, a.low, b.low), high, a.scale + b.scale, most=a.most * b.most)


def divided(a: Span, b: Span) -> Span:
    """a ÷ b at six decimals, rounded outward so that the exact quotient stays inside.

    Divided by nothing is [0, no bound), and so is divided by what may be nothing (a case without members).
    """
    shift = QUOTIENT_SCALE - a.scale + b.scale
    a = scaled(a, a.scale + shift) if shift > 0 else a
    down = _of(exp.IntDiv, a.low, b.high)
    up = _of(exp.IntDiv, _of(exp.Add, a.high, _of(exp.Sub, b.low, integer(1))), b.low)
    low = when((any_of(is_null(b.high), _is_zero(b.low)), integer(0)), other=down)
    high = when((any_of(is_null(a.high), _is_zero(b.low)), null()), other=up)
    return Span(low, high, a.scale - b.scale, most=a.most + b.most)


def compared(kind: type[exp.Expr], a: Span, b: Span) -> Truth:
    """A comparison of two amounts: TRUE or FALSE only if it comes out so for every pair of values."""
    a, b = aligned(a, b)
    if kind in (exp.GT, exp.GTE):
        kind, a, b = (exp.LT if kind is exp.GT else exp.LTE), b, a
    if kind is exp.EQ:
        same = all_of(*(exp.EQ(this=x, expression=y) for x, y in ((a.low, a.high), (b.low, b.high), (a.low, b.low))))
        apart = any_of(exp.LT(this=a.high, expression=b.low), exp.LT(this=b.high, expression=a.low))
        return Truth(when((same, exp.Boolean(this=True)), (apart, exp.Boolean(this=False)), other=exp.Null()))
    against = exp.GTE if kind is exp.LT else exp.GT
    holds, fails = kind(this=a.high, expression=b.low), against(this=a.low, expression=b.high)
    return Truth(when((holds, exp.Boolean(this=True)), (fails, exp.Boolean(this=False)), other=exp.Null()))


def max0(a: Span) -> Span:
    """The amount, cut at zero."""
    return replace(greater(replace(a, nonnegative=False), Span(integer(0), integer(0), most=0)), nonnegative=True)


def more_than(a: Span) -> Span:
    """Anything from a fen above the amount."""
    a = scaled(a, max(a.scale, FEN_SCALE))
    return Span(_of(exp.Add, a.low, integer(10 ** (a.scale - FEN_SCALE))), null(), a.scale, most=a.most + 10**a.scale)
