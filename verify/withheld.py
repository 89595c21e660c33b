"""Which counts a page must withhold, so that none that is too small can be found by subtraction.

The counts of a page are tied by sums: a row and its total, a reason and its cell, a township and the whole. A small count
is withheld, and with it others, until what is withheld follows from nothing that is shown. One sign stands for all of
them, so that it does not say which were small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from heapq import heappop, heappush

Key = tuple[str, ...]
Parts = tuple[Key, ...]
Sum = tuple[Key, Parts]  # a total, and the counts that add up to it
Row = dict[Key, Fraction]


def withheld(counts: Mapping[Key, int], sums: Sequence[Sum], least: int) -> frozenset[Key]:
    """The counts to withhold: each from 1 up to below `least`, and others that keep them unknown, none of them in vain.

    A shown total tells what its withheld parts come to: that is `least` or more too, or all of a sum is withheld.
    """
    small = frozenset(key for key, count in counts.items() if 0 < count < least)
    found = small
    while more := _next(counts, sums, found, least):
        found |= more
    for key in sorted(found - small, key=lambda one: (-counts[one], one)):  # what turned out not to be needed is shown, the largest first
        if not _next(counts, sums, found - {key}, least):
            found -= {key}
    return found


def _next(counts: Mapping[Key, int], sums: Sequence[Sum], gone: frozenset[Key], least: int) -> frozenset[Key]:
    """More counts to withhold; none where nothing that is withheld can be found."""
    for total, parts in sums:
        inside = [key for key in parts if key in gone]
        if inside and total not in gone and sum(counts[key] for key in inside) < least:
            return frozenset({_smallest(counts, (key for key in parts if key not in gone)) or total})
    for key in sorted(found_out(sums, gone)):
        more = _way_round(key, counts, sums, gone) or {one for total, parts in sums if key == total or key in parts for one in (total, *parts)}
        if more - gone:
            return frozenset(more - gone)
    return frozenset()


def _way_round(key: Key, counts: Mapping[Key, int], sums: Sequence[Sum], gone: frozenset[Key]) -> set[Key]:
    """The shortest round of counts from one sum of this count to another of them: each can then give what the next takes.

    A count that stands in one sum alone ends a round anywhere (-1), for nothing else holds it.
    """
    of: dict[Key, list[int]] = {}
    for at, (total, parts) in enumerate(sums):
        for one in (total, *parts):
            of.setdefault(one, []).append(at)
    begin, *ends = [*of[key], -1][: max(2, len(of[key]))]
    queue: list[tuple[int, int, tuple[Key, ...]]] = [(0, begin, ())]
    seen: set[int] = set()
    while queue:
        far, at, way = heappop(queue)
        if at in ends:
            return set(way)
        if at in seen or at < 0:
            continue
        seen.add(at)
        total, parts = sums[at]
        for one in (total, *parts):
            cost = far + (0 if one in gone else 10_000_000 + counts[one] if counts[one] else 1_000_000_000)
            for other in of[one] if len(of[one]) > 1 else [-1]:
                if one != key and other != at:
                    heappush(queue, (cost, other, (*way, one)))
    return set()


def _smallest(counts: Mapping[Key, int], keys: Iterator[Key]) -> Key | None:
    """The smallest count above nothing, else any that is nothing: a gap tells no more than a sign where all may be gaps."""
    listed = sorted(keys, key=lambda key: (counts[key] == 0, counts[key], key))
    return listed[0] if listed else None


def found_out(sums: Sequence[Sum], gone: frozenset[Key]) -> set[Key]:
    """The withheld counts that follow from what is shown: those that the sums, taken together, leave no choice."""
    solved: dict[Key, Row] = {}
    for total, parts in sums:
        row: Row = {}
        for key, sign in ((total, -1), *((part, 1) for part in parts)):
            if key in gone:
                row[key] = row.get(key, Fraction(0)) + sign
        _reduce(row, solved)
    return {key for key, row in solved.items() if len(row) == 1}


def _reduce(row: Row, solved: dict[Key, Row]) -> None:
    """Bring a row into the reduced system, each of whose rows names its first count and is alone in doing so."""
    for key in [key for key in row if key in solved]:
        _take(row, solved[key], row[key])
    row = {key: factor for key, factor in row.items() if factor}
    if not row:
        return
    lead = min(row)
    unit = {key: factor / row[lead] for key, factor in row.items()}
    for other in solved.values():
        if lead in other:
            _take(other, unit, other[lead])
            for key in [key for key, factor in other.items() if not factor]:
                del other[key]
    solved[lead] = unit


def _take(row: Row, other: Row, factor: Fraction) -> None:
    """Subtract so many times another row."""
    for key, value in other.items():
        row[key] = row.get(key, Fraction(0)) - factor * value
