"""What is compared and how it is decided: fields, keys, what settles a row at once, what may never be accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.linkage.codes import Stack

Rows = npt.NDArray[np.int64]  # row numbers in the stack: the left table's rows, then the right one's
Levels = npt.NDArray[np.uint8]
COMPARING = 1  # raise it when the same values would be given other levels
NOTHING = 0  # the level of a pair of which one side says nothing


class Prepared(Protocol):
    """A field of both tables, made ready once."""

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair of rows of the stack."""

    def shares(self) -> npt.NDArray[np.float64] | None:
        """For each row of the stack the share of left rows that say the same; None where that is not asked for."""


class Comparison(Protocol):
    """One field: which columns it reads, which levels of agreement it knows, and how it is made ready."""

    @property
    def name(self) -> str:
        """The field's name in plans, models and answers."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels' names; the first is `nothing`."""

    @property
    def hopes(self) -> tuple[float, ...]:
        """For each level how alike it looks, 0 to 1: where fitting begins, never what it ends with."""

    def prepare(self, stack: Stack, left: int) -> Prepared:
        """Make the columns of both tables ready; the first `left` rows are the left table's."""


@dataclass(frozen=True, slots=True)
class Key:
    """Rows that agree on every part are worth comparing; a block that would make more than `at_most` pairs a right row is cut.

    `parts` are columns of both tables, or names of `Plan.derived`. A row without one of them has no key.
    """

    parts: tuple[str, ...]
    at_most: int = 100

    @property
    def name(self) -> str:
        """How the key is told of."""
        return "+".join(self.parts)


@dataclass(frozen=True, slots=True)
class Certain:
    """What settles a right row at once: one left row with its key, and of each named field one of the named levels."""

    key: Key
    levels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Override:
    """Another level for one field where others say so: an equal ID beside a foreign name is no equal ID, but a conflict."""

    field: str
    level: str
    when: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where decisions fall, in thousandths of a bit, and how much may be compared.

    `accept` and `review` are weights, `margin` what the best left row must be ahead of the second one; `pairs` is the budget
    of candidate pairs for each right row that has to be compared, on average.
    """

    accept: int = 2_000
    review: int = -6_000
    margin: int = 4_000
    pairs: int = 200
    anchors: int = 40_000
    classes: int = 6
    batch: int = 400_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that says how two tables are linked; plans of one digest can share a model.

    `never` are patterns (field to levels) that may be reviewed and are never accepted. With `each_left_once` a left row
    takes its best right row only. `derived` are expressions over the columns, for keys.
    """

    fields: tuple[Comparison, ...]
    keys: tuple[Key, ...]
    derived: Mapping[str, pl.Expr] = field(default_factory=dict)
    certain: tuple[Certain, ...] = ()
    overrides: tuple[Override, ...] = ()
    never: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    weighed_by_share: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    each_left_once: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def digest(self) -> str:
        """SHA-256 of all that a fitted model depends on; not of what is decided by it."""
        told = {
            "comparing": COMPARING,
            "fields": [[one.name, list(one.columns), list(one.levels), list(getattr(one, "own", ()))] for one in self.fields],
            "keys": [[list(key.parts), key.at_most] for key in self.keys],
            "derived": {name: str(expression) for name, expression in sorted(self.derived.items())},
            "overrides": [[one.field, one.level, {k: list(v) for k, v in sorted(one.when.items())}] for one in self.overrides],
            "shares": {k: list(v) for k, v in sorted(self.weighed_by_share.items())},
            "classes": self.limits.classes,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
