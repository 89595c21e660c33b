"""Every pair of a key, counted before it is made."""

from __future__ import annotations

import numpy as np
import pytest

from verify.linkage.blocking import Index, pairs_of
from verify.linkage.codes import FEW
from verify.linkage.plan import Key, Limits, Plan


@pytest.mark.parametrize("left", [60, FEW + 1])
def test_every_pair_of_a_key_is_found_and_nobody_is_paired_with_themselves(left: int) -> None:
    draw = np.random.default_rng(left)
    keys = (Key(("one",), 3), Key(("other",)))
    hashes = {key.name: draw.integers(0, left * 2, left + 500).astype(np.uint64) for key in keys}
    asked = np.concatenate([np.arange(left, left + 500), np.arange(0, left, 7)])
    theirs, ours, told = pairs_of(Index(hashes, left), Plan((), keys, limits=Limits()), asked)
    expected, pairs = set(), []
    for key in keys:
        of = hashes[key.name].tolist()
        rows: dict[int, list[int]] = {}
        for row in range(left):
            rows.setdefault(of[row], []).append(row)
        blocks = [(row, rows.get(of[row], [])) for row in asked.tolist() if of[row]]
        kept = [(row, block) for row, block in blocks if len(block) <= key.at_most]
        expected |= {(row, other) for row, block in kept for other in block if other != row}
        pairs.append((sum(len(block) for _, block in kept), sum(len(block) for _, block in blocks if len(block) > key.at_most)))
    assert list(zip(theirs.tolist(), ours.tolist(), strict=True)) == sorted(expected)
    assert [(one.pairs, one.cut_pairs) for one in told] == pairs
