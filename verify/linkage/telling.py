"""Why two rows are, or are not, one person: every field's level and what it weighs, and every other story with its distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verify.linkage.codes import Stack
from verify.linkage.comparing import bench_of, read_by
from verify.linkage.model import Model
from verify.linkage.plan import Plan


@dataclass(frozen=True, slots=True)
class Told:
    """One pair, by row numbers.

    `bits` in thousandths; `fields`: name, level, and what it weighs against the best other story; `before`: what pairs of
    one key weigh before anything is compared; `stories`: each with how much better "the same person" fits, best rival first.
    """

    left: int
    right: int
    bits: int
    before: int
    fields: tuple[tuple[str, str, int], ...]
    stories: tuple[tuple[str, int], ...]
    vetoed: bool

    @property
    def level(self) -> dict[str, str]:
        """Each field's level."""
        return {name: level for name, level, _ in self.fields}


def tell(left: pl.DataFrame, right: pl.DataFrame, plan: Plan, model: Model) -> list[Told]:
    """Every pair of a few rows, by right row and then by weight. Raises ValueError where the model is of another plan."""
    if model.plan != plan.digest:
        raise ValueError("the model was fitted for another plan")
    bench = bench_of(Stack((read_by(plan, left), read_by(plan, right))), plan, left.height)
    theirs, ours = np.divmod(np.arange(left.height * right.height), max(left.height, 1))
    pairs = bench.compared(ours, theirs + left.height)
    lines = bench.levels(pairs.codes)
    told = [_told(int(ours[at]), int(theirs[at]), lines[at].tolist(), plan, model=model) for at in range(len(ours))]
    return sorted(told, key=lambda one: (one.right, -one.bits, one.left))


def _told(ours: int, theirs: int, levels: list[int], plan: Plan, *, model: Model) -> Told:
    bits, story = model.weigh(np.array([levels], np.uint8))
    rival = int(story[0])
    fields = tuple((name, model.fields[name][level], model.evidence(name, level, rival)) for name, level in zip(model.order, levels, strict=True))
    placed = list(zip(model.order, levels, strict=True))
    apart = [(name, _before(model, at) + sum(model.evidence(field, level, at) for field, level in placed)) for at, name in enumerate(model.stories)]
    known = {name: level for name, level, _ in fields}
    vetoed = any(all(known[name] in names for name, names in pattern.items()) for pattern in plan.never)
    return Told(ours, theirs, int(bits[0]), _before(model, rival), fields, tuple(sorted(apart, key=lambda one: (one[1], one[0]))), vetoed)


def _before(model: Model, story: int) -> int:
    return round((model.shares[0] - model.shares[1 + story]) / 1_000)


def turning(told: Told, plan: Plan, model: Model) -> list[tuple[str, int]]:
    """What would change it: each field that says nothing, or disagrees, with the weight the pair would have if it agreed."""
    found = []
    for at, name in enumerate(model.order):
        levels = [model.fields[field].index(told.level[field]) for field in model.order]
        if told.level[name] == "equal":
            continue
        levels[at] = model.fields[name].index("equal")
        found.append((name, _told(0, 0, levels, plan, model=model).bits))
    return sorted(found, key=lambda one: (-one[1], one[0]))
