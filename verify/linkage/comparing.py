"""Pairs compared: every field's levels as one number, a batch at a time, and the rows that a certain key settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.linkage.blocking import Index, index_of, only_ones
from verify.linkage.codes import Stack
from verify.linkage.mixture import Patterns
from verify.linkage.plan import Levels, Plan, Prepared, Rows

Codes = npt.NDArray[np.int64]
_MOST_CODES = 1 << 20  # of which a table is kept


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs by their rows (left, right as in the stack) and the code of their pattern of levels."""

    left: Rows
    right: Rows
    codes: Codes


@dataclass(frozen=True, slots=True)
class Bench:
    """The fields of both tables made ready, and the keys."""

    plan: Plan
    fields: list[Prepared]
    index: Index
    offset: int  # what a right row's number in the stack is more than its own
    known_shares: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def shares_of(self, name: str) -> npt.NDArray[np.float64] | None:
        """For each row of the stack the share of left rows that say the same in a field; None where that is not weighed."""
        if name not in self.plan.weighed_by_share:
            return None
        if name in self.known_shares:
            return self.known_shares[name]
        return next(ready.shares() for one, ready in zip(self.plan.fields, self.fields, strict=True) if one.name == name)

    @property
    def sizes(self) -> list[int]:
        """How many levels each field has."""
        return [len(one.levels) for one in self.plan.fields]

    def levels(self, codes: Codes) -> Patterns:
        """The levels behind codes, one column a field."""
        found = np.empty((len(codes), len(self.sizes)), np.uint8)
        for at in reversed(range(len(self.sizes))):
            found[:, at] = codes % self.sizes[at]
            codes = codes // self.sizes[at]
        return found

    def compared(self, ours: Rows, theirs: Rows) -> Compared:
        """The patterns of pairs, a batch at a time."""
        codes = np.zeros(len(ours), np.int64)
        for start in range(0, len(ours), self.plan.limits.batch):
            here = slice(start, start + self.plan.limits.batch)
            levels = [ready.levels_of(ours[here], theirs[here]) for ready in self.fields]
            self._override(levels)
            for size, of in zip(self.sizes, levels, strict=True):
                codes[here] = codes[here] * size + of
        return Compared(ours, theirs, codes)

    def _override(self, levels: list[Levels]) -> None:
        """Other levels where the plan says that others make them so."""
        place = {one.name: at for at, one in enumerate(self.plan.fields)}
        for rule in self.plan.overrides:
            at = place[rule.field]
            levels[at] = np.where(self._fits(rule.when, levels), np.uint8(self.plan.fields[at].levels.index(rule.level)), levels[at])

    def _fits(self, when: Mapping[str, tuple[str, ...]], levels: list[Levels]) -> npt.NDArray[np.bool_]:
        place = {one.name: at for at, one in enumerate(self.plan.fields)}
        found = np.ones(len(levels[0]), np.bool_)
        for name, names in when.items():
            wanted = [self.plan.fields[place[name]].levels.index(one) for one in names]
            found &= np.isin(levels[place[name]], wanted)
        return found

    def settled(self, asked: Rows) -> tuple[Compared, Rows]:
        """The pairs that are certain, and the right rows that have none."""
        pairs: list[Compared] = []
        for certain in self.plan.certain:
            theirs, ours = only_ones(self.index, certain.key, asked)
            found = self.compared(ours, theirs)
            lines = self.levels(found.codes)
            fits = self._fits(certain.levels, [lines[:, at] for at in range(lines.shape[1])])
            pairs.append(Compared(found.left[fits], found.right[fits], found.codes[fits]))
            settled = np.zeros(int(asked[-1]) + 1 if len(asked) else 0, np.bool_)
            settled[found.right[fits]] = True
            asked = asked[~settled[asked]]
        if not pairs:
            return Compared(*(np.zeros(0, np.int64) for _ in range(3))), asked
        return Compared(*(np.concatenate([getattr(one, name) for one in pairs]) for name in ("left", "right", "codes"))), asked

    def anchors(self, left: pl.DataFrame) -> Rows:
        """Left rows to be held against all the others, chosen by what they say and not by where they stand."""
        columns = [column for one in self.plan.fields for column in one.columns]
        hashes = left.select(list(dict.fromkeys(columns))).hash_rows(seed=11).to_numpy()
        return np.sort(np.argsort(hashes)[: self.plan.limits.anchors])


def distinct(codes: Codes, sizes: list[int]) -> tuple[Codes, Rows]:
    """The codes that occur, in order, and for each of `codes` the place of its own; `sizes` of the fields, which a code is made of."""
    if prod(sizes) > _MOST_CODES:
        return np.unique(codes, return_inverse=True)
    (found,) = np.nonzero(np.bincount(codes))
    place = np.zeros(int(found[-1]) + 1 if len(found) else 0, np.int64)
    place[found] = np.arange(len(found))
    return found, place[codes]


def bench_of(stack: Stack, plan: Plan, left: int, *, index: Index | None = None, shares: Mapping[str, npt.NDArray[np.float64]] | None = None) -> Bench:
    """Make the fields and keys of both tables ready; the first `left` rows of the stack are the left table's, all where there is one.

    `index`: the keys, where they are known. `shares`, where the left rows are part of a larger table: of each weighed field the
    share there, for every row of the stack.
    """
    fields = [one.prepare(stack, left) for one in plan.fields]
    return Bench(plan, fields, index or index_of(stack, plan, left), 0 if stack.height == left else left, shares or {})


def read_by(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that fields, keys and derived expressions read."""
    parts = {part for key in (*plan.keys, *(one.key for one in plan.certain)) for part in key.parts}
    roots = {root for expression in plan.derived.values() for root in expression.meta.root_names()}
    columns = {column for one in plan.fields for column in one.columns} | ((parts | roots) - set(plan.derived))
    return frame.select(sorted(columns))
