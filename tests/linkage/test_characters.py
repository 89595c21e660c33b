"""What is compared word by word and sorted by its head comes out as it would character by character."""

from __future__ import annotations

import random
from itertools import takewhile

import numpy as np
import polars as pl
import pytest

from verify.linkage.codes import FEW, changes, ordered, overlap, texts


def agreeing(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@pytest.mark.parametrize("alphabet", ["01", "王李x", "王\U00020c43"])
@pytest.mark.parametrize("repeated", [1, FEW])
def test_texts_begin_and_end_alike_by_words_as_by_characters(alphabet: str, repeated: int) -> None:
    draw = random.Random(5)
    said = ["".join(draw.choice(alphabet) for _ in range(draw.choice((0, 1, 2, 3, 4, 5, 8, 9, 17, 18, 20)))) for _ in range(60)]
    lines = texts(pl.Series(said + said[:1] * (repeated - 1)), 20)
    pairs = [(draw.randrange(60), draw.randrange(60)) for _ in range(900)]
    a, b = (np.array([pair[side] + 1 for pair in pairs], np.int32) for side in (0, 1))
    found = overlap(lines, a, b)
    assert found.begin.tolist() == [agreeing(said[x], said[y]) for x, y in pairs]
    assert found.end.tolist() == [agreeing(said[x][::-1], said[y][::-1]) for x, y in pairs]
    padded = [text.ljust(20) for text in said]
    assert changes(lines, a, b).tolist() == [sum(p != q for p, q in zip(padded[x], padded[y], strict=True)) for x, y in pairs]


def test_hashes_of_one_head_are_sorted_by_their_tails_too() -> None:
    hashes = np.array([5, 4, 7, 4, 1 << 60, (1 << 60) - 1, 0, 6], np.uint64)
    order, ranked = ordered(hashes)
    assert ranked.tolist() == sorted(hashes.tolist())
    assert hashes[order].tolist() == ranked.tolist()
