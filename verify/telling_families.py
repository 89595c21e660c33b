"""A made-up family that two rule books treat otherwise: what a change of rules comes to, shown on somebody.

Families are drawn at random, the same ones every time; then, for changes of a fen, one of their amounts is moved to where
the category turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from verify.example_answers import told
from verify.interval import Interval, Verdict, Worth
from verify.opinion_rows import Family, Line
from verify.plan import Plan
from verify.random_families import kinds_of, random_family, smallest
from verify.second_opinion import Opinion, opinion

DRAWN, NEAR, FURTHER = 200, 80, 4
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Telling:
    """A family, its category by either book, and the last values that differ: member (0: the household), name, before, after."""

    family: Family
    before: str
    after: str
    differs: tuple[tuple[int, str, str, str], ...]


def telling_family(before: Plan, after: Plan) -> Telling | None:
    """A family whose category the change turns, else one of which it says another figure, else None."""
    kinds, draw = kinds_of(before), Random(7)  # noqa: S311 - the same families every time
    drawn = [random_family(kinds, draw) for _ in range(DRAWN)]
    pairs = [(family, opinion(before, family), _opinion(after, family)) for family in drawn]

    def turned(family: Family) -> bool:
        return opinion(before, family).category != getattr(_opinion(after, family), "category", None)

    found = next((family for family, then, now in pairs if now is not None and then.category != now.category), None)
    if found is None:
        found = next((family for family in _near(before, drawn) if turned(family)), None)
    if found is not None:
        return _told(before, after, smallest(found, turned))
    other = next((family for family, then, now in pairs if now is not None and then.values != now.values), None)
    if other is None:
        return None
    return _told(before, after, smallest(other, lambda less: getattr(_opinion(after, less), "values", None) != opinion(before, less).values))


def _opinion(plan: Plan, family: Family) -> Opinion | None:
    """What a book says of a family; None where it names what is not there."""
    try:
        return opinion(plan, family)
    except (KeyError, AssertionError, ArithmeticError):
        return None


def _told(before: Plan, after: Plan, family: Family) -> Telling:
    then, now = opinion(before, family), _opinion(after, family)
    values = now.values if now else {}
    differs = [(*key, _shown(value), _shown(values.get(key))) for key, value in then.values.items() if values.get(key) != value]
    return Telling(family, then.category, now.category if now else "–", tuple(differs[-3:]))


def _shown(worth: Worth | None) -> str:
    return told(worth) if isinstance(worth, Interval | Verdict) else "–"


# --- where a category turns -------------------------------------------------------------------------------------------


def _near(plan: Plan, drawn: list[Family]) -> Iterator[Family]:
    """Families with one amount moved to the last fen before, and the first after, their category turns."""
    tried = 0
    for family in drawn:
        for amount, moved in _amounts(family):
            if (tried := tried + 1) > NEAR:
                return
            low, high = 0, amount * FURTHER + 10**6
            first = opinion(plan, moved(low)).category
            if first == opinion(plan, moved(high)).category:
                continue
            for _ in range(_ROUNDS):
                if high - low <= 1:
                    break
                middle = (low + high) // 2
                low, high = (middle, high) if opinion(plan, moved(middle)).category == first else (low, middle)
            yield from (moved(low), moved(high))


def _amounts(family: Family) -> Iterator[tuple[int, Callable[[int], Family]]]:
    """Every amount in a family's rows, and the family with another in its place."""
    for extract, lines in family.rows.items():
        for at, line in enumerate(lines):
            for cell in (name for name, value in line.cells.items() if _is_amount(value)):
                yield int(str(line.cells[cell])), lambda new, e=extract, a=at, c=cell: _with_own(family, e, a, c, new)  # type: ignore[misc]


def _is_amount(value: object) -> bool:
    return isinstance(value, int) and value > 100


def _with_own(family: Family, extract: str, at: int, cell: str, new: int) -> Family:
    lines = list(family.rows[extract])
    lines[at] = Line({**lines[at].cells, cell: new}, lines[at].place, lines[at].grey)
    return replace(family, rows={**family.rows, extract: tuple(lines)})
