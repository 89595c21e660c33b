"""IDs one slip apart."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA


def one_slip_apart(pairs: Iterable[tuple[str, str]]) -> list[bool]:
    """For each pair of IDs whether one is the other with one character changed, lost, added, or two neighbours swapped."""
    return [OSA.distance(a, b, score_cutoff=1) == 1 for a, b in pairs]
