"""Arithmetic over intervals of whole numbers in plain Python: what a rule means, one household at a time.

The decision of record is SQL (`formulas_spans.py`). This is written a second time, from the meaning of the operations
and not from that SQL, so that the two can be held against each other; it explains and cross-checks and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FEN_SCALE = 2
QUOTIENT_SCALE = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """All amounts from `low` to `high`, whole numbers with `scale` decimals; None is no bound on that side."""

    low: int | None
    high: int | None
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test comes to: True, False, or None where it is open."""

    holds: bool | None


@dataclass(frozen=True, slots=True)
class Said:
    """A text or a day that a row or a case states; None where it is blank."""

    value: str | date | None


Worth = Interval | Verdict | Said
NOTHING = Interval(0, 0)
ANYTHING = Interval(0, None)


def at_scale(a: Interval, scale: int) -> Interval:
    """The same amounts with more decimals."""
    if scale == a.scale:
        return a
    factor = 10 ** (scale - a.scale)
    low, high = (None if bound is None else bound * factor for bound in (a.low, a.high))
    return Interval(low, high, scale)


def alike(a: Interval, b: Interval) -> tuple[Interval, Interval]:
    """Both at the larger scale."""
    scale = max(a.scale, b.scale)
    return at_scale(a, scale), at_scale(b, scale)


def plus(a: Interval, b: Interval) -> Interval:
    """Every a + b."""
    a, b = alike(a, b)
    return Interval(_sum(a.low, b.low), _sum(a.high, b.high), a.scale)


def minus(a: Interval, b: Interval) -> Interval:
    """Every a − b."""
    a, b = alike(a, b)
    return plus(a, Interval(None if b.high is None else -b.high, None if b.low is None else -b.low, b.scale))


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def times(a: Interval, b: Interval) -> Interval:
    """Every a × b of amounts that are not negative; nothing of anything is nothing, however much there may be of it."""
    low = (a.low or 0) * (b.low or 0)
    if 0 in {a.high, b.high}:
        return Interval(low, 0, a.scale + b.scale)
    return Interval(low, None if a.high is None or b.high is None else a.high * b.high, a.scale + b.scale)


def divided(a: Interval, b: Interval) -> Interval:
    """Every a ÷ b of amounts that are not negative, rounded outward at six decimals; by what may be nothing: anything."""
    scale = max(a.scale - b.scale, QUOTIENT_SCALE)
    a = at_scale(a, scale + b.scale)
    if not b.low:
        return Interval(0, None, scale)
    low = 0 if b.high is None else (a.low or 0) // b.high
    return Interval(low, None if a.high is None else -(-a.high // b.low), scale)


def greater(a: Interval, b: Interval) -> Interval:
    """The greater of any a and any b: at least as great as either's least."""
    a, b = alike(a, b)
    lows = [bound for bound in (a.low, b.low) if bound is not None]
    return Interval(max(lows, default=None), None if a.high is None or b.high is None else max(a.high, b.high), a.scale)


def lesser(a: Interval, b: Interval) -> Interval:
    """The smaller of any a and any b: at most as great as either's most."""
    a, b = alike(a, b)
    highs = [bound for bound in (a.high, b.high) if bound is not None]
    return Interval(None if a.low is None or b.low is None else min(a.low, b.low), min(highs, default=None), a.scale)


def hull(a: Interval, b: Interval) -> Interval:
    """The smallest interval that holds both."""
    return Interval(lesser(a, b).low, greater(a, b).high, max(a.scale, b.scale))


def chosen(condition: Verdict, then: Interval, other: Interval) -> Interval:
    """One of two amounts, by a condition; both where it is open."""
    then, other = alike(then, other)
    return hull(then, other) if condition.holds is None else then if condition.holds else other


def cut(a: Interval) -> Interval:
    """The amounts, none below zero."""
    return greater(a, NOTHING)


def beyond(a: Interval) -> Interval:
    """Anything from a fen above the amount."""
    a = at_scale(a, max(a.scale, FEN_SCALE))
    return Interval(_sum(a.low, 10 ** (a.scale - FEN_SCALE)), None, a.scale)


def smaller(a: Interval, b: Interval, *, strictly: bool) -> Verdict:
    """Whether a < b (or a ≤ b) for every pair, for none, or only for some of them."""
    a, b = alike(a, b)
    step = 1 if strictly else 0
    if a.high is not None and b.low is not None and a.high + step <= b.low:
        return Verdict(holds=True)
    if a.low is not None and b.high is not None and a.low + step > b.high:
        return Verdict(holds=False)
    return Verdict(None)


def same(a: Interval, b: Interval) -> Verdict:
    """Whether a = b for every pair, for none, or only for some of them."""
    a, b = alike(a, b)
    if a.low is not None and a.low == a.high == b.low == b.high:
        return Verdict(holds=True)
    below, above = smaller(a, b, strictly=True), smaller(b, a, strictly=True)
    return Verdict(holds=False) if below.holds or above.holds else Verdict(None)


def both(*verdicts: Verdict) -> Verdict:
    """AND: fails where one fails, holds where all hold."""
    found = [verdict.holds for verdict in verdicts]
    return Verdict(holds=False) if False in found else Verdict(None if None in found else True)


def either(*verdicts: Verdict) -> Verdict:
    """OR: holds where one holds, fails where all fail."""
    return opposite(both(*(opposite(verdict) for verdict in verdicts)))


def opposite(verdict: Verdict) -> Verdict:
    """NOT."""
    return Verdict(None if verdict.holds is None else not verdict.holds)
