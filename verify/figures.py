"""Figures as people read them: an amount in its unit, an interval, and how far it lies from a limit."""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")


def amount(value: Decimal, unit: str, *, signed: bool = False) -> str:
    """One figure in its unit: yuan with two decimals (more where two would hide it), a count, a ratio as per cent."""
    plus = "+" if signed and value > 0 else ""
    if unit == "count":
        return f"{plus}{value.normalize():,f}"
    if unit == "ratio":
        return f"{plus}{(value * 100).normalize():,f}%"
    rounded = value.quantize(CENT)
    return f"{plus}{rounded:,.2f}" if rounded or not value else f"{plus}{value.normalize():,f}"


def span_of(unknown: str, low: Decimal | None, high: Decimal | None, unit: str) -> str:
    """An interval: one figure, from ～ to, ≥ from, or the word for what is not known at all. `high` is None where there is no bound."""
    if low is None or (high is None and not low):
        return unknown
    if high is None:
        return f"≥ {amount(low, unit)}"
    return _joined(amount(low, unit), amount(high, unit))


def distance(low: Decimal | None, high: Decimal | None, limit: Decimal | None, unit: str) -> str:
    """How far a figure lies from its limit, value less limit, with its sign; '' where either is not known at all."""
    if low is None or limit is None or (high is None and not low):
        return ""
    nearest = amount(low - limit, unit, signed=True)
    if high is None:
        return f"≥ {nearest}"
    return _joined(nearest, amount(high - limit, unit, signed=True))


def _joined(low: str, high: str) -> str:
    """Both ends, or one figure where nobody could read a difference: a share of a month's income is often a part of a fen wide."""
    return low if low == high else f"{low} ～ {high}"


def distance_told(low: Decimal | None, high: Decimal | None, limit: Decimal, unit: str) -> tuple[str, str]:
    """Which sentence says how far a figure lies from its limit, and the figure in it; of an interval the nearer end."""
    if low is None or (high is None and not low):
        return "short_unknown", ""
    if low > limit:
        return ("short_over" if low == high else "short_over_least"), amount(low - limit, unit)
    if high is not None and high < limit:
        return ("short_under" if low == high else "short_under_least"), amount(limit - high, unit)
    if low == limit:
        return ("short_equal" if high == limit else "short_equal_least"), ""
    return ("short_equal_most" if high == limit else "short_across"), ""
