"""The linker's door to rapidfuzz: distances of many pairs of texts, each pair of distinct values once.

Two ways, and the cheaper is taken: pair by pair, or every value against every other of its neighbourhood at once (`cdist`,
fifteen times as fast for each cell) where the distinct values are few for their pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein

_CELLS_FOR_A_PAIR = 12
_MOST_CELLS = 20_000_000
Pairs = npt.NDArray[np.int64]


def jaro_winkler(values: pl.Series, a: Pairs, b: Pairs) -> npt.NDArray[np.uint8]:
    """Jaro-Winkler likeness of pairs of `values`, in whole hundredths, rounded down."""
    return _measured(values, a, b, lambda x, y, how: how(x, y, scorer=JaroWinkler.similarity, dtype=np.float32) * 100 + 1e-3).astype(np.uint8)


def edits(values: pl.Series, a: Pairs, b: Pairs, most: int) -> npt.NDArray[np.uint8]:
    """Edits (with swaps of neighbours) between pairs of `values`; `most` + 1 for more."""
    return _measured(values, a, b, lambda x, y, how: how(x, y, scorer=OSA.distance, score_cutoff=most, dtype=np.uint8)).astype(np.uint8)


def plain_edits(values: pl.Series, a: Pairs, b: Pairs, most: int) -> npt.NDArray[np.uint8]:
    """Edits without swaps between pairs of `values`; `most` + 1 for more."""
    return _measured(values, a, b, lambda x, y, how: how(x, y, scorer=Levenshtein.distance, score_cutoff=most, dtype=np.uint8)).astype(np.uint8)


def _measured(values: pl.Series, a: Pairs, b: Pairs, measure: Callable[[Any, Any, Any], Any]) -> npt.NDArray[Any]:
    """One measure for each pair, worked out once for each distinct pair of values."""
    if not len(a):
        return np.zeros(0, np.float32)
    low, high = np.minimum(a, b), np.maximum(a, b)
    distinct, back = np.unique(low * np.int64(len(values)) + high, return_inverse=True)
    ours, theirs = distinct // len(values), distinct % len(values)
    left, at = np.unique(ours, return_inverse=True)
    right, to = np.unique(theirs, return_inverse=True)
    if len(left) * len(right) <= min(_MOST_CELLS, _CELLS_FOR_A_PAIR * len(distinct)):
        table = measure(values.gather(left).to_list(), values.gather(right).to_list(), process.cdist)
        return np.asarray(table[at, to])[back]
    return np.asarray(measure(values.gather(ours).to_list(), values.gather(theirs).to_list(), process.cpdist))[back]
