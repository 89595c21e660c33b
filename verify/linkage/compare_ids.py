"""IDs compared: by characters, with what their check characters say of a difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.linkage.codes import Coded, Flags, Ints, Stack, Texts, beginnings, changes, coded, overlap, texts
from verify.linkage.distances import edits
from verify.linkage.plan import Levels, Rows

_WIDTH = 20
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = np.frombuffer("10X98765432".encode("utf-32-le"), np.uint32).astype(np.uint16)
_HEAD = 14  # division and birth date


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A column of citizen IDs made comparable (`identity.numbers.cleaned`, 18 characters where they can be had).

    Levels: equal; slip, slips (one edit, two, while one side fails its check); same_head (both pass, differ, and agree in
    division and birth date: a twin, a neighbour); both_valid (both pass and differ: two people); other; conflict, which only
    an override of the plan gives. A valid ID is never near another valid one.
    """

    column: str
    name: str = "id"
    levels: tuple[str, ...] = ("nothing", "equal", "slip", "slips", "same_head", "both_valid", "other", "conflict")
    hopes: tuple[float, ...] = (0, 1, 0.9, 0.6, 0.1, 0, 0.1, 0)
    own: tuple[str, ...] = ("equal", "slip")  # what two people never share but by mistake, and then as a conflict

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column read."""
        return (self.column,)

    def prepare(self, stack: Stack, left: int) -> PreparedIds:
        """Code the IDs and see which pass their check."""
        numbers = coded(stack[self.column])
        lines = texts(numbers.values, _WIDTH)
        return PreparedIds(numbers, lines, passes(lines))


@dataclass(frozen=True, slots=True)
class PreparedIds:
    """IDs of both tables: codes, texts, lines of characters, and whether each passes its check."""

    numbers: Coded
    lines: Texts
    valid: Flags

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair."""
        a, b = self.numbers.codes[ours], self.numbers.codes[theirs]
        out = np.where(a == b, 1, 6).astype(np.uint8)
        (at,) = np.nonzero((a != b) & (a > 0) & (b > 0))
        out[at] = self._unequal(a[at], b[at])
        out[(a == 0) | (b == 0)] = 0
        return out

    def _unequal(self, a: Ints, b: Ints) -> Levels:
        both = self.valid[a] & self.valid[b]
        out = np.where(both, np.where(beginnings(self.lines, a, b) >= _HEAD, 4, 5), 6).astype(np.uint8)
        (at,) = np.nonzero(~both)
        slip = overlap(self.lines, a[at], b[at]).one_slip(self.lines, a[at], b[at])
        out[at[slip]] = 2
        rest = at[~slip]
        near = rest[self._may_be_two(a[rest], b[rest])]
        two = edits(self.numbers.values, (a[near] - 1).astype(np.int64), (b[near] - 1).astype(np.int64), 2) <= 2
        out[near[two]] = 3
        return out

    def _may_be_two(self, a: Ints, b: Ints) -> Flags:
        """Whether two edits could do: by the count of every digit, which two edits change by four at most."""
        far = np.zeros(len(a), np.int16)
        x, y = self.lines.ahead[a], self.lines.ahead[b]
        for digit in range(48, 58):
            far += np.abs((x == digit).sum(axis=1, dtype=np.int16) - (y == digit).sum(axis=1, dtype=np.int16))
        flags: Flags = far <= 4
        return flags

    def shares(self) -> None:
        """IDs are not weighed by how common they are."""


def passes(lines: Texts) -> Flags:
    """Whether each line has eighteen characters and the right check character."""
    shaped, total = lines.lengths == 18, np.zeros(len(lines.lengths), np.int32)
    for at, weight in enumerate(_WEIGHTS):  # a column at a time: all at once would be the largest thing in memory
        digit = lines.ahead[:, at].astype(np.int32) - 48
        shaped &= (digit >= 0) & (digit <= 9)
        total += digit * weight
    flags: Flags = shaped & (_CHECKS[total % 11] == lines.ahead[:, 17])
    return flags


@dataclass(frozen=True, slots=True)
class Digits:
    """A column of numbers of no known make, phones or foreign numbers. Levels: equal, slip, slips, other."""

    column: str
    name: str
    levels: tuple[str, ...] = ("nothing", "equal", "slip", "slips", "other")
    hopes: tuple[float, ...] = (0, 1, 0.7, 0.4, 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column read."""
        return (self.column,)

    def prepare(self, stack: Stack, left: int) -> PreparedDigits:
        """Code the numbers."""
        numbers = coded(stack[self.column])
        return PreparedDigits(numbers, texts(numbers.values, _WIDTH))


@dataclass(frozen=True, slots=True)
class PreparedDigits:
    """Numbers of both tables."""

    numbers: Coded
    lines: Texts

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair; two edits count in long numbers only, where they are no accident."""
        a, b = self.numbers.codes[ours], self.numbers.codes[theirs]
        out = np.where(a == b, 1, 4).astype(np.uint8)
        (at,) = np.nonzero((a != b) & (a > 0) & (b > 0))
        shared = overlap(self.lines, a[at], b[at])
        slip = shared.one_slip(self.lines, a[at], b[at])
        out[at[slip]] = 2
        changed = changes(self.lines, a[at], b[at])
        out[at[~slip & (shared.ours == shared.theirs) & (shared.ours >= 7) & (changed == 2)]] = 3
        out[(a == 0) | (b == 0)] = 0
        return out

    def shares(self) -> None:
        """Numbers are not weighed by how common they are."""
