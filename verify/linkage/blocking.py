"""Which pairs are worth comparing: rows that share a key, counted before one pair is made.

Keys are hashes of a row's parts; two values of one hash only add a pair, for what is alike is decided by comparison. Blocks
larger than their key allows are cut, the largest first where the budget is short: ten thousand people with one phone number
cost what one does, and what was cut is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from verify.linkage.codes import FEW, Hashes, Stack, ordered
from verify.linkage.plan import Key, Plan, Rows

_NO_KEY = np.uint64(0)
_MIXER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Blocked:
    """What a key brought: its pairs, and how many blocks (and pairs) were cut, or all for the budget's sake."""

    key: str
    pairs: int
    cut_blocks: int
    cut_pairs: int


@dataclass(frozen=True, slots=True)
class Index:
    """Every key of every row of the stack; 0 for none."""

    hashes: Mapping[str, Hashes]
    left: int


def index_of(stack: Stack, plan: Plan, left: int) -> Index:
    """Work out every part once and every key of it; of a large table a part when the first key asks for it, and no longer than the last one does."""
    keys = [*plan.keys, *(certain.key for certain in plan.certain)]
    last = {part: at for at, key in enumerate(keys) for part in key.parts}
    parts = dict(_hashed(stack, plan, sorted(last))) if stack.height <= FEW else {}
    found: dict[str, Hashes] = {}
    for at, key in enumerate(keys):
        if key.name not in found:
            parts.update(_hashed(stack, plan, [part for part in key.parts if part not in parts]))
            found[key.name] = _mixed([parts[part] for part in key.parts])
        for part in [part for part in key.parts if last[part] == at]:
            parts.pop(part, None)
    return Index(found, left)


def _hashed(stack: Stack, plan: Plan, names: list[str]) -> Iterator[tuple[str, Hashes]]:
    """A hash of each value of some columns, or of what is derived from some, never 0; 0 for none."""
    if not names:
        return
    said = {name: plan.derived.get(name, pl.col(name)).alias(name) for name in names}
    roots = sorted({root for expression in said.values() for root in expression.meta.root_names()})
    found = stack.frame(roots).select(said.values())
    hashed = found.select(pl.all().hash(seed=7))
    for name in names:
        hashes = np.maximum(hashed[name].to_numpy(), np.uint64(1))
        if found[name].null_count():
            hashes *= found[name].is_not_null().to_numpy()
        yield name, hashes


def _mixed(parts: list[Hashes]) -> Hashes:
    """One hash of several parts in their order; 0 where one of them is missing."""
    mixed, there = parts[0].copy(), parts[0] != _NO_KEY
    for part in parts[1:]:
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIXER
        mixed += part
        there &= part != _NO_KEY
    np.maximum(mixed, np.uint64(1), out=mixed)
    mixed *= there
    return mixed


@dataclass(frozen=True, slots=True)
class Ranges:
    """For each asked row that shares its key with another the range of its block in `rows`, the left rows in order of the key.

    `alone` is how many asked left rows share it with none but themselves.
    """

    asked: Rows
    rows: Rows
    start: Rows
    count: Rows
    alone: int

    @property
    def pairs(self) -> int:
        """How many pairs the blocks make, those of a left row with itself among them."""
        return int(self.count.sum()) + self.alone


def ranges(index: Index, key: Key, asked: Rows) -> Ranges:
    """Where each asked row's block lies; nothing is joined yet."""
    hashes = index.hashes[key.name]
    ours, wanted, own = hashes[: index.left], hashes[asked], asked < index.left
    some, there = wanted != _NO_KEY, ours != _NO_KEY
    alone = int((some & own).sum())
    if len(ours) > FEW:
        some &= _bearers(ours, wanted, index.left) > own
        there &= _bearers(wanted[some], ours, index.left) > 0
    asked, (rows,) = asked[some], np.nonzero(there)
    (order, wanted), (by_key, held) = ordered(wanted[some]), ordered(ours[rows])
    start, count = _blocks(held, wanted)
    asked = asked[order]
    met = count > (asked < index.left)
    asked = asked[met]
    return Ranges(asked, rows[by_key], start[met], count[met], alone - int((asked < index.left).sum()))


def _bearers(hashes: Hashes, asked: Hashes, usual: int) -> Rows:
    """How many of some hashes, of which there are usually about so many, each of the asked is among, or more: counted are their tails."""
    mask = np.uint64((4 << usual.bit_length()) - 1)
    return np.bincount((hashes & mask).view(np.int64), minlength=int(mask) + 1)[(asked & mask).view(np.int64)]


def _blocks(held: Hashes, wanted: Hashes) -> tuple[Rows, Rows]:
    """Where each of the wanted begins among the sorted, and how many of it there are."""
    if not len(held):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.int64)
    (ends,) = np.nonzero(np.append(held[1:] != held[:-1], True))
    sizes = np.zeros(len(held), np.int64)
    firsts = np.append(0, ends[:-1] + 1)
    sizes[firsts] = ends - firsts + 1
    start = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return start, np.where(held[start] == wanted, sizes[start], 0)


def pairs_of(index: Index, plan: Plan, asked: Rows) -> tuple[Rows, Rows, list[Blocked]]:
    """The distinct pairs (asked row, left row) of all keys within the budget, in order, and what each key brought.

    A left row that is asked (an anchor) is never paired with itself.
    """
    found = [_within(ranges(index, key, asked), key) for key in plan.keys]
    budget = plan.limits.pairs * max(len(asked), 1)
    total, codes, told = 0, [], []
    for at in sorted(range(len(found)), key=lambda at: (found[at][0].pairs, at)):
        block, cut = found[at]
        here = block.pairs
        if total + here > budget:
            cut, here = replace(cut, cut_pairs=cut.cut_pairs + here, pairs=0), 0
        else:
            total += here
            codes.append(_expanded(block, index.left))
        told.append((at, replace(cut, pairs=here)))
    distinct = _distinct(codes)
    theirs, ours = distinct // index.left, distinct % index.left
    other = theirs != ours
    return theirs[other], ours[other], [cut for _, cut in sorted(told, key=lambda one: one[0])]


def _within(block: Ranges, key: Key) -> tuple[Ranges, Blocked]:
    """A key's ranges without the blocks that are too large."""
    over = block.count > key.at_most
    if not over.any():
        return block, Blocked(key.name, 0, 0, 0)
    cut = Blocked(key.name, 0, int(np.unique(block.start[over]).size), int(block.count[over].sum()))
    return Ranges(block.asked[~over], block.rows, block.start[~over], block.count[~over], block.alone), cut


def _expanded(block: Ranges, left: int) -> Rows:
    """A code for each pair of a key: asked row times the left rows, plus the left row."""
    many = block.count
    ends = np.cumsum(many)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - many, many)
    ours = block.rows[np.repeat(block.start, many) + within]
    return np.asarray(np.repeat(block.asked, many) * left + ours, np.int64)


def _distinct(codes: list[Rows]) -> Rows:
    if not codes:
        return np.zeros(0, np.int64)
    found = np.sort(np.concatenate(codes))
    return found[np.concatenate(([True], found[1:] != found[:-1]))] if len(found) else found


def only_ones(index: Index, key: Key, asked: Rows) -> tuple[Rows, Rows]:
    """The asked rows whose key one left row has, and that row."""
    block = ranges(index, key, asked)
    one = block.count == 1
    return block.asked[one], block.rows[block.start[one]]
