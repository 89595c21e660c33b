"""Accept, review or leave: the best left row of each right row, how far ahead it is, and what is never accepted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from verify.linkage.model import Model
from verify.linkage.plan import Plan, Rows

ALONE = 99_000  # the margin of a row that has no second
Thousandths = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """One line for each right row worth telling, in order of the right row; `second` is -1 where there is none.

    `expected_false` is how many of the accepted the model itself expects to be wrong, in thousandths.
    """

    left: Rows
    right: Rows
    codes: Rows
    bits: Thousandths
    margin: Thousandths
    second: Rows
    accepted: npt.NDArray[np.bool_]
    certain: npt.NDArray[np.bool_]
    story: npt.NDArray[np.uint8]
    expected_false: int


def choose(plan: Plan, levels: Callable[[Any], Any], model: Model, parts: Sequence[tuple[Any, ...]]) -> Choice:
    """Decide over weighed pairs: parts of (compared, bits, stories, whether they are certain)."""
    left, right, codes = (np.concatenate([getattr(part[0], name) for part in parts]) for name in ("left", "right", "codes"))
    bits, story = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
    certain = np.concatenate([np.full(len(part[0].left), part[3]) for part in parts])
    order = _heaviest_first(left, right, bits)
    first = np.ones(len(order), np.bool_)
    first[1:] = right[order[1:]] != right[order[:-1]]
    (at,) = np.nonzero(first)
    nxt = np.minimum(at + 1, max(len(order) - 1, 0))
    has = (at + 1 < len(order)) & ~first[nxt] if len(order) else np.zeros(0, np.bool_)
    best = order[at]
    margin = np.where(has, bits[best] - bits[order[nxt]], ALONE) if len(order) else np.zeros(0, np.int64)
    second = np.where(has, left[order[nxt]], -1) if len(order) else np.zeros(0, np.int64)
    limits = plan.limits
    accepted = certain[best] | ((bits[best] >= limits.accept) & (margin >= limits.margin) & ~_vetoed(plan, levels(codes[best]), model))
    if plan.each_left_once:
        accepted &= _first_of_left(left[best], bits[best], accepted, limits.margin)
    told = accepted | (bits[best] >= limits.review)
    kept = best[told]
    wrong = 1 / (1 + np.exp2(np.minimum(bits[best[accepted & ~certain[best]]], 60_000) / 1_000))
    return Choice(
        *(left[kept], right[kept], codes[kept], bits[kept], margin[told], second[told], accepted[told], certain[kept], story[kept]),
        expected_false=round(float(np.sort(wrong).sum()) * 1_000),
    )


def _heaviest_first(left: Rows, right: Rows, bits: Thousandths) -> Rows:
    """The places of pairs by right row, then weight, then left row; sorted as one number where the three fit into it."""
    if not len(bits):
        return np.zeros(0, np.int64)
    light = bits.max() - bits
    rows, weights = int(left.max()) + 1, int(light.max()) + 1
    if (int(right.max()) + 1) * rows * weights >= 1 << 63:
        return np.lexsort((left, light, right))
    return np.argsort((right * weights + light) * rows + left)


def _vetoed(plan: Plan, lines: npt.NDArray[np.uint8], model: Model) -> npt.NDArray[np.bool_]:
    """Which patterns are never accepted."""
    place = {name: at for at, name in enumerate(model.order)}
    found = np.zeros(len(lines), np.bool_)
    for pattern in plan.never:
        fits = np.ones(len(lines), np.bool_)
        for name, names in pattern.items():
            fits &= np.isin(lines[:, place[name]], [model.fields[name].index(one) for one in names])
        found |= fits
    return found


def _first_of_left(left: Rows, bits: Thousandths, accepted: npt.NDArray[np.bool_], margin: int) -> npt.NDArray[np.bool_]:
    """Whether each is the one its left row takes: the heaviest of the accepted, if it is far enough ahead of the next one."""
    weight = np.where(accepted, bits, np.iinfo(np.int64).min // 2)
    order = np.lexsort((-weight, left))
    takes = np.zeros(len(left), np.bool_)
    starts = np.ones(len(order), np.bool_)
    starts[1:] = left[order[1:]] != left[order[:-1]]
    (at,) = np.nonzero(starts)
    nxt = np.minimum(at + 1, max(len(order) - 1, 0))
    alone = (at + 1 >= len(order)) | starts[nxt]
    takes[order[at]] = alone | (weight[order[at]] - weight[order[nxt]] >= margin)
    return takes
