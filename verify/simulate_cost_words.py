"""What a simulation says of money: what is paid a month before and after, by category and by township, each from least to most."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from verify.figures import amount, span_of
from verify.labels import book_of
from verify.layout import Block
from verify.page import FEW
from verify.simulate_cost import AFTER, BEFORE, Cost, Width, rounded
from verify.speech import Speech, category_labels

COST_HEADS = ("cost_before", "cost_after", "cost_by_least", "cost_by_most")
_UNIT = "yuan"


def cost_block(cost: Cost | None, voice: Speech) -> Block:
    """What settled families are paid, by category and in all; below it what those that are open may be paid."""
    if cost is None:
        return Block(voice.word("simulate_paid"), (voice.word("simulate_cost"),))
    named = [name for name in category_labels(book_of(voice)) if any((side, name) in cost.settled for side in (BEFORE, AFTER))]
    named += sorted({name for _, name in cost.settled} - set(named))
    rows = tuple((voice.category(name), *_cells(cost.settled.get((BEFORE, name)), cost.settled.get((AFTER, name)), voice)) for name in named)
    then, now = (cost.open.get(side, Width()) for side in (BEFORE, AFTER))
    counts = {"then_cases": f"{then.cases:,}", "now_cases": f"{now.cases:,}"}
    open_line = voice.word("cost_open", then=_most(then, voice), now=_most(now, voice), **counts)
    return _in_all(cost, voice, (open_line,), (*rows, (voice.word("head_total"), *_cells(cost.total(BEFORE), cost.total(AFTER), voice))))


def page_cost_block(cost: Cost | None, moved: int, voice: Speech) -> Block:
    """What is paid in all, for a page that goes round: no count, and no amount that so few share that it says what a family gets."""
    if cost is None:
        return cost_block(cost, voice)
    paid = [sum(width.cases for (at, _), width in cost.settled.items() if at == side and width.most) for side in (BEFORE, AFTER)]
    if any(0 < count < FEW for count in (moved, *paid)):
        return Block(voice.word("simulate_paid"), (voice.word("cost_withheld"),))
    then, now = (cost.open.get(side, Width()) for side in (BEFORE, AFTER))
    told = {"then": _most(then, voice, counted=False), "now": _most(now, voice, counted=False)}
    lines = () if any(0 < side.cases < FEW for side in (then, now)) else (voice.word("cost_open_some", **told),)
    return _in_all(cost, voice, lines, ((voice.word("head_total"), *_cells(cost.total(BEFORE), cost.total(AFTER), voice, counted=False)),))


def _in_all(cost: Cost, voice: Speech, lines: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Block:
    boundless = any(cost.total(side).boundless for side in (BEFORE, AFTER))
    head = ("", *(voice.word(key) for key in COST_HEADS))
    lines = (voice.word("cost_reading"), *lines, *((voice.word("cost_gaps"),) if boundless else ()))
    return Block(voice.word("simulate_paid"), lines, head, rows, frozenset(range(1, len(head))))


def cost_cells(cost: Cost, region: str, voice: Speech) -> tuple[str, ...]:
    """What is paid in one township before and after, and by how much that differs."""
    return _cells(cost.places.get((BEFORE, region)), cost.places.get((AFTER, region)), voice)


def _cells(before: Width | None, after: Width | None, voice: Speech, *, counted: bool = True) -> tuple[str, ...]:
    then, now = before or Width(), after or Width()
    by_most = voice.word("cost_not_known") if then.boundless or now.boundless else _signed(now.most - then.most)
    return _told(then, voice, counted=counted), _told(now, voice, counted=counted), _signed(now.least - then.least), by_most


def _told(width: Width, voice: Speech, *, counted: bool) -> str:
    """From least to most, and of how many families no most is known; not `counted`: only that there are such."""
    known = span_of("", rounded(width.least), rounded(width.most), _UNIT)
    if not width.boundless:
        return known
    return voice.word("cost_boundless", amount=known, cases=f"{width.boundless:,}") if counted else voice.word("cost_boundless_some", amount=known)


def _most(width: Width, voice: Speech, *, counted: bool = True) -> str:
    told = amount(rounded(width.most), _UNIT)
    if not width.boundless:
        return told
    return voice.word("cost_most_open", amount=told, cases=f"{width.boundless:,}") if counted else voice.word("cost_most_open_some", amount=told)


def _signed(change: Decimal) -> str:
    return amount(rounded(change), _UNIT, signed=True) if change else "0.00"


def cost_json(cost: Cost | None) -> dict[str, Any] | None:
    """The same for programs; amounts in yuan as texts, `most` None where some family's has no bound."""
    if cost is None:
        return None
    sides = (BEFORE, AFTER)
    categories = [{"category": name, **_sides(cost.settled, name)} for name in sorted({name for _, name in cost.settled})]
    places = [{"region": name, **_sides(cost.places, name)} for name in sorted({name for _, name in cost.places})]
    total = {side: _plain(cost.total(side)) for side in sides}
    return {"unit": "元/月", "total": total, "categories": categories, "regions": places, "open": {side: _plain(cost.open.get(side)) for side in sides}}


def _sides(widths: Any, name: str) -> dict[str, Any]:
    return {side: _plain(widths.get((side, name))) for side in (BEFORE, AFTER)}


def _plain(width: Width | None) -> dict[str, Any]:
    known = width or Width()
    most = None if known.boundless else str(rounded(known.most))
    return {"least": str(rounded(known.least)), "most": most, "cases": known.cases, "without_most": known.boundless}
