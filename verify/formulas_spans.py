"""Arithmetic over intervals as SQL: every amount is a pair of columns, every test is TRUE, FALSE or NULL.

An amount is `Span(low, high)`: integers with a decimal scale, NULL for "no bound". A test is `Truth`: NULL means open.
Every operation holds for each value inside its intervals (interval inclusion), so that learning more can settle an
open test but never flip a settled one (design §1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

FEN_SCALE = 2
QUOTIENT_SCALE = 6


@dataclass(frozen=True)
class Span:
    """An amount: integer SQL for both bounds at `scale` decimals (NULL = no bound); `nonnegative` if low ≥ 0 always."""

    low: exp.Expr
    high: exp.Expr
    scale: int = 0
    nonnegative: bool = True


@dataclass(frozen=True)
class Truth:
    """A test: boolean SQL, NULL where it is open."""

    sql: exp.Expr


@dataclass(frozen=True)
class Plain:
    """A text or a day: SQL that is NULL where there is no value."""

    sql: exp.Expr


Operand = Span | Truth | Plain


def integer(value: int) -> exp.Expr:
    """A whole number as a 128-bit SQL literal, so that products cannot overflow unseen."""
    return exp.cast(exp.Literal.number(value), "HUGEINT")


def null() -> exp.Expr:
    """No bound."""
    return exp.cast(exp.null(), "HUGEINT")


def when(*pairs: tuple[exp.Expr, exp.Expr], other: exp.Expr) -> exp.Expr:
    """CASE WHEN … END."""
    case = exp.Case()
    for condition, value in pairs:
        case = case.when(condition, value)
    return case.else_(other)


def is_null(sql: exp.Expr) -> exp.Expr:
    """IS NULL."""
    return exp.Is(this=exp.paren(sql.copy()), expression=exp.null())


def scaled(span: Span, scale: int) -> Span:
    """The same amount with more decimals."""
    if span.scale == scale:
        return span
    factor = integer(10 ** (scale - span.scale))
    return replace(span, low=exp.paren(span.low) * factor, high=exp.paren(span.high) * factor, scale=scale)


def aligned(a: Span, b: Span) -> tuple[Span, Span]:
    """Both amounts at the larger scale."""
    scale = max(a.scale, b.scale)
    return scaled(a, scale), scaled(b, scale)


def _picked(a: exp.Expr, b: exp.Expr, *, smaller: bool, loose: bool) -> exp.Expr:
    """The smaller or greater of two bounds; where one is NULL, the other one if `loose`, else NULL."""
    better = exp.LTE(this=a, expression=b) if smaller else exp.GTE(this=a, expression=b)
    if loose:
        return when((is_null(a), b), (is_null(b), a), (better, a), other=b)
    return when((exp.or_(is_null(a), is_null(b)), null()), (better, a), other=b)


def greater(a: Span, b: Span) -> Span:
    """The greater of two amounts."""
    a, b = aligned(a, b)
    low = _picked(a.low, b.low, smaller=False, loose=True)
    high = _picked(a.high, b.high, smaller=False, loose=False)
    return Span(low, high, a.scale, a.nonnegative or b.nonnegative)


def lesser(a: Span, b: Span) -> Span:
    """The smaller of two amounts."""
    a, b = aligned(a, b)
    low = _picked(a.low, b.low, smaller=True, loose=False)
    high = _picked(a.high, b.high, smaller=True, loose=True)
    return Span(low, high, a.scale, a.nonnegative and b.nonnegative)


def hull(a: Span, b: Span) -> Span:
    """The smallest interval that holds both."""
    a, b = aligned(a, b)
    low = _picked(a.low, b.low, smaller=True, loose=False)
    high = _picked(a.high, b.high, smaller=False, loose=False)
    return Span(low, high, a.scale, a.nonnegative and b.nonnegative)


def chosen(condition: Truth, then: Span, other: Span) -> Span:
    """`then` where the condition holds, `other` where it fails, their hull where it is open."""
    then, other = aligned(then, other)
    both = hull(then, other)
    yes, no = exp.Is(this=exp.paren(condition.sql), expression=exp.true()), exp.Is(this=exp.paren(condition.sql), expression=exp.false())
    return Span(
        when((yes, then.low), (no, other.low), other=both.low),
        when((yes.copy(), then.high), (no.copy(), other.high), other=both.high),
        both.scale,
        both.nonnegative,
    )


def plus(a: Span, b: Span) -> Span:
    """a + b."""
    a, b = aligned(a, b)
    return Span(exp.paren(a.low + b.low), exp.paren(a.high + b.high), a.scale, a.nonnegative and b.nonnegative)


def minus(a: Span, b: Span) -> Span:
    """a − b: it may be negative."""
    a, b = aligned(a, b)
    return Span(exp.paren(a.low - b.high), exp.paren(a.high - b.low), a.scale, nonnegative=False)


def times(a: Span, b: Span) -> Span:
    """a × b of two amounts that are never negative; nothing times no bound is nothing."""
    none = exp.or_(a.high.eq(integer(0)), b.high.eq(integer(0)))
    high = when((none, integer(0)), other=exp.paren(a.high * b.high))
    return Span(exp.paren(a.low * b.low), high, a.scale + b.scale)


def divided(a: Span, b: Span) -> Span:
    """a ÷ b at six decimals, rounded outward so that the exact quotient stays inside; ÷ 0 is [0, no bound)."""
    shift = QUOTIENT_SCALE - a.scale + b.scale
    a = scaled(a, a.scale + shift) if shift > 0 else a
    down = exp.IntDiv(this=exp.paren(a.low), expression=exp.paren(b.high))
    up = exp.IntDiv(this=exp.paren(a.high + b.low - integer(1)), expression=exp.paren(b.low))
    low = when((exp.or_(is_null(b.high), b.high.eq(integer(0))), integer(0)), other=down)
    high = when((exp.or_(is_null(a.high), b.low.eq(integer(0))), null()), other=up)
    return Span(low, high, a.scale - b.scale)


def compared(kind: type[exp.Expr], a: Span, b: Span) -> Truth:
    """A comparison of two amounts: TRUE or FALSE only if it comes out so for every pair of values."""
    a, b = aligned(a, b)
    if kind in (exp.GT, exp.GTE):
        kind, a, b = (exp.LT if kind is exp.GT else exp.LTE), b, a
    if kind is exp.EQ:
        same = exp.and_(a.low.eq(a.high), b.low.eq(b.high), a.low.eq(b.low))
        apart = exp.or_(a.high < b.low, b.high < a.low)
        return Truth(when((same, exp.true()), (apart, exp.false()), other=exp.null()))
    against = exp.GTE if kind is exp.LT else exp.GT
    holds, fails = kind(this=a.high, expression=b.low), against(this=a.low, expression=b.high)
    return Truth(when((holds, exp.true()), (fails, exp.false()), other=exp.null()))


def max0(a: Span) -> Span:
    """The amount, cut at zero."""
    return replace(greater(replace(a, nonnegative=False), Span(integer(0), integer(0))), nonnegative=True)


def more_than(a: Span) -> Span:
    """Anything from a fen above the amount."""
    a = scaled(a, max(a.scale, FEN_SCALE))
    return Span(exp.paren(a.low + integer(10 ** (a.scale - FEN_SCALE))), null(), a.scale)
