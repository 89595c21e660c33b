"""Arithmetic over intervals as SQL: every amount is a pair of columns, every test is TRUE, FALSE or NULL.

An amount is `Span(low, high)`: integers with a decimal scale, NULL for "no bound". A test is `Truth`: NULL means open.
Every operation holds for each value inside its intervals (interval inclusion), so that learning more can settle an
open test but never flip a settled one (design §1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from verify.formulas_trees import (
    all_of,
    any_of,
    extreme,
    integer,
    is_no_bound,
    is_not,
    is_null,
    is_zero,
    less,
    null,
    number_of,
    product,
    quotient,
    total,
    unless_any_null,
    when,
)

FEN_SCALE = 2
QUOTIENT_SCALE = 6

# What can be said of sizes before any row is seen, so that no sum and no product runs out of 128 bits (1.7 × 10^38) unseen.
MOST_OF_A_ROW = 10**17  # 10^15 yuan in fen
ROWS_OF_A_PERSON = 10**6
MEMBERS_OF_A_CASE = 10**3
LARGEST = 10**36
NARROW = 2**62  # below it 64 bits are enough, the sum of two included


@dataclass(frozen=True)
class Span:
    """An amount: integer SQL for both bounds at `scale` decimals (NULL = no bound); `nonnegative` if low ≥ 0 always.

    `most` is the largest whole number, of either sign, that either bound can be; `bounded` if high is never NULL, `some`
    if it is never nothing; of a product, `factors` are what it is a product of. `narrow` if every number on the way to it
    is known to fit 64 bits.
    """

    low: exp.Expr
    high: exp.Expr
    scale: int = 0
    nonnegative: bool = True
    most: int = MOST_OF_A_ROW
    bounded: bool = False
    some: bool = False
    factors: tuple[Span, ...] = ()
    narrow: bool = False


@dataclass(frozen=True)
class Truth:
    """A test: boolean SQL, NULL where it is open; `narrow` as of an amount."""

    sql: exp.Expr
    narrow: bool = False


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


def exactly(value: int, scale: int = 0) -> Span:
    """A known whole number."""
    return Span(integer(value), integer(value), scale, nonnegative=value >= 0, most=abs(value), bounded=True, some=value > 0)


def scaled(span: Span, scale: int) -> Span:
    """The same amount with more decimals."""
    if span.scale == scale:
        return span
    by = 10 ** (scale - span.scale)
    low, high = product(span.low, integer(by)), product(span.high, integer(by))
    factors = (*(span.factors or (span,)), exactly(by, scale - span.scale)) if span.nonnegative else ()
    return replace(span, low=low, high=high, scale=scale, most=span.most * by, factors=factors)


def aligned(*spans: Span) -> tuple[Span, ...]:
    """All amounts at the largest scale."""
    scale = max(span.scale for span in spans)
    return tuple(scaled(span, scale) for span in spans)


def greater(a: Span, b: Span) -> Span:
    """The greater of two amounts."""
    a, b = aligned(a, b)
    low = extreme(a.low, b.low, smallest=False)
    high = unless_any_null(*(s.high for s in (a, b) if not s.bounded), tree=extreme(a.high, b.high, smallest=False))
    return Span(low, high, a.scale, a.nonnegative or b.nonnegative, max(a.most, b.most), a.bounded and b.bounded, a.some or b.some)


def lesser(a: Span, b: Span) -> Span:
    """The smaller of two amounts."""
    a, b = aligned(a, b)
    low = unless_any_null(*(s.low for s in (a, b) if not s.nonnegative), tree=extreme(a.low, b.low, smallest=True))
    high = extreme(a.high, b.high, smallest=True)
    return Span(low, high, a.scale, a.nonnegative and b.nonnegative, max(a.most, b.most), a.bounded or b.bounded, a.some and b.some)


def cased(branches: Sequence[tuple[Truth, Span]], default: Span) -> Span:
    """The amount of the first branch whose condition holds; where conditions are open, the hull of all that may be it."""
    spans = aligned(*(span for _, span in branches), default)
    reached: list[exp.Expr] = []
    passed: list[exp.Expr] = []
    for condition, _ in branches:
        reached.append(all_of(*passed, is_not(condition.sql, truth=False)))
        passed.append(is_not(condition.sql, truth=True))
    reached.append(all_of(*passed))
    low = _outermost(reached, [s.low for s in spans], [s.nonnegative for s in spans], smallest=True)
    high = _outermost(reached, [s.high for s in spans], [s.bounded for s in spans], smallest=False)
    every = (all(s.nonnegative for s in spans), max(s.most for s in spans), all(s.bounded for s in spans), all(s.some for s in spans))
    return Span(low, high, spans[0].scale, *every)


def _outermost(reached: Sequence[exp.Expr], bounds: Sequence[exp.Expr], known: Sequence[bool], *, smallest: bool) -> exp.Expr:
    """The smallest or greatest bound of the branches that may be it; NULL where one of them has none (`known` says which never lack it)."""
    if all(bound == bounds[0] for bound in bounds):
        return bounds[0]
    outermost = extreme(*(when((way, bound), other=None) for way, bound in zip(reached, bounds, strict=True) if not is_no_bound(bound)), smallest=smallest)
    without = [(way, bound) for way, bound, sure in zip(reached, bounds, known, strict=True) if not sure and number_of(bound) is None]
    tests = [way if is_no_bound(bound) else all_of(way, is_null(bound)) for way, bound in without]
    return when((any_of(*tests), null()), other=outermost) if tests else outermost


def plus(a: Span, b: Span) -> Span:
    """a + b."""
    a, b = aligned(a, b)
    flags = (a.nonnegative and b.nonnegative, a.most + b.most, a.bounded and b.bounded)
    return Span(total(a.low, b.low), total(a.high, b.high), a.scale, *flags, some=flags[0] and (a.some or b.some))


def minus(a: Span, b: Span) -> Span:
    """a − b: it may be negative."""
    a, b = aligned(a, b)
    return Span(less(a.low, b.high), less(a.high, b.low), a.scale, nonnegative=False, most=a.most + b.most, bounded=a.bounded and b.nonnegative)


def times(a: Span, b: Span) -> Span:
    """a × b of two amounts that are never negative; nothing times no bound is nothing."""
    factors = (*(a.factors or (a,)), *(b.factors or (b,)))
    low, high = integer(1), integer(1)
    for factor in factors:
        low, high = product(low, factor.low), product(high, factor.high)
    nothing = [is_zero(f.high) for f in factors if not f.some and not all(g.bounded for g in factors if g is not f)]
    if nothing and number_of(high) is None:
        high = when((any_of(*nothing), integer(0)), other=high)
    known = (all(f.bounded for f in factors), all(f.some for f in factors))
    return Span(low, high, a.scale + b.scale, most=max(a.most, 1) * max(b.most, 1), bounded=known[0], some=known[1], factors=factors)


def divided(a: Span, b: Span) -> Span:
    """a ÷ b at six decimals, rounded outward so that the exact quotient stays inside.

    Divided by nothing is [0, no bound), and so is divided by what may be nothing (a case without members).
    """
    shift = QUOTIENT_SCALE - a.scale + b.scale
    a = scaled(a, a.scale + shift) if shift > 0 else a
    down, up = quotient(a.low, b.high), quotient(total(a.high, less(b.low, integer(1))), b.low)
    if number_of(b.low):  # by a known number, which is not nothing
        return Span(down, up, a.scale - b.scale, most=a.most + b.most, bounded=a.bounded)
    low = when((any_of(is_null(b.high), is_zero(b.low)), integer(0)), other=down)
    high = when((any_of(is_null(a.high), is_zero(b.low)), null()), other=up)
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
    return replace(greater(replace(a, nonnegative=False), exactly(0)), nonnegative=True)


def more_than(a: Span) -> Span:
    """Anything from a fen above the amount."""
    a = scaled(a, max(a.scale, FEN_SCALE))
    return Span(total(a.low, integer(10 ** (a.scale - FEN_SCALE))), null(), a.scale, most=a.most + 10**a.scale, some=True)


def between(a: Span, b: Span) -> Span:
    """From the low bound of one amount to the high bound of another."""
    a, b = aligned(a, b)
    return Span(a.low, b.high, a.scale, a.nonnegative, max(a.most, b.most), b.bounded, b.some)
