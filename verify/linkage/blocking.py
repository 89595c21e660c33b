"""Which pairs are worth comparing: rows that share a key, counted before one pair is made.

Keys are hashes of a row's parts; two values of one hash only add a pair, for what is alike is decided by comparison. Blocks
larger than their key allows are cut, the largest first where the budget is short: ten thousand people with one phone number
cost what one does, and what was cut is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.linkage.codes import FEW, Stack
from verify.linkage.plan import Key, Plan, Rows

Hashes = npt.NDArray[np.uint64]
_NO_KEY = np.uint64(0)
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_SEEN_BITS = 22


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
    """Work out every part once and every key of it."""
    keys = [*plan.keys, *(certain.key for certain in plan.certain)]
    names = sorted({part for key in keys for part in key.parts})
    at_once = len(names) if stack.height <= FEW else 1  # of a large table one after the other, for the sake of memory
    parts = {name: hashes for at in range(0, len(names), at_once) for name, hashes in _hashed(stack, plan, names[at : at + at_once])}
    return Index({key.name: _mixed([parts[part] for part in key.parts]) for key in keys}, left)


def _hashed(stack: Stack, plan: Plan, names: list[str]) -> Iterator[tuple[str, Hashes]]:
    """A hash of each value of some columns, or of what is derived from some, never 0; 0 for none."""
    said = {name: plan.derived.get(name, pl.col(name)) for name in names}
    roots = sorted({root for expression in said.values() for root in expression.meta.root_names()})
    hashed = [pl.when(one.is_null()).then(pl.lit(0, pl.UInt64)).otherwise(one.hash(seed=7).clip(lower_bound=1)).alias(name) for name, one in said.items()]
    found = stack.frame(roots).select(hashed)
    yield from ((name, found[name].to_numpy()) for name in names)


def _mixed(parts: list[Hashes]) -> Hashes:
    """One hash of several parts in their order; 0 where one of them is missing."""
    mixed, nothing = parts[0].copy(), parts[0] == _NO_KEY
    for part in parts[1:]:
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIXER + part
        nothing |= part == _NO_KEY
    mixed = np.maximum(mixed, np.uint64(1))
    mixed[nothing] = _NO_KEY
    return mixed


@dataclass(frozen=True, slots=True)
class Ranges:
    """For each asked row the range of its block in `rows`, the left rows in order of a key."""

    asked: Rows
    rows: Rows
    start: Rows
    count: Rows


def ranges(index: Index, key: Key, asked: Rows) -> Ranges:
    """Where each asked row's block lies; nothing is joined yet."""
    hashes = index.hashes[key.name]
    wanted = hashes[asked]
    asked, wanted = asked[wanted != _NO_KEY], wanted[wanted != _NO_KEY]
    order = np.argsort(wanted)  # sorted questions stay in the cache
    asked, wanted = asked[order], wanted[order]
    ours = hashes[: index.left]
    there = ours != _NO_KEY
    if len(ours) > FEW:
        seen = np.zeros(1 << _SEEN_BITS, np.bool_)
        mask = np.uint64((1 << _SEEN_BITS) - 1)
        seen[wanted & mask] = True
        there &= seen[ours & mask]
    (rows,) = np.nonzero(there)
    rows = rows[np.argsort(ours[rows])]
    known = ours[rows]
    start = np.searchsorted(known, wanted, "left")
    return Ranges(asked, rows, start, np.searchsorted(known, wanted, "right") - start)


def pairs_of(index: Index, plan: Plan, asked: Rows) -> tuple[Rows, Rows, list[Blocked]]:
    """The distinct pairs (asked row, left row) of all keys within the budget, in order, and what each key brought.

    A left row that is asked (an anchor) is never paired with itself.
    """
    found = [_within(ranges(index, key, asked), key) for key in plan.keys]
    budget = plan.limits.pairs * max(len(asked), 1)
    total, codes, told = 0, [], []
    for at in sorted(range(len(found)), key=lambda at: (int(found[at][0].count.sum()), at)):
        block, cut = found[at]
        here = int(block.count.sum())
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
    cut = Blocked(key.name, 0, int(np.unique(block.start[over]).size), int(block.count[over].sum()))
    return Ranges(block.asked[~over], block.rows, block.start[~over], block.count[~over]), cut


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
