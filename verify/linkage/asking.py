"""One new row, or a few, against a large table that is kept ready: its keys stand sorted, and only what shares one is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.linkage.blocking import Index, index_of
from verify.linkage.codes import Hashes, Stack
from verify.linkage.comparing import bench_of, read_by
from verify.linkage.linker import Linked, linked
from verify.linkage.model import Model
from verify.linkage.plan import Plan, Rows


@dataclass(frozen=True, slots=True)
class Crowd:
    """A left table with its keys: for each key the hashes of its rows, and the rows in order of them; and the shares that names have in it."""

    table: pl.DataFrame
    plan: Plan
    model: Model
    order: Mapping[str, tuple[Hashes, Rows]]
    shares: Mapping[str, npt.NDArray[np.float64]]

    def ask(self, right: pl.DataFrame) -> Linked:
        """Link a few rows as `link` would with this model; left rows by their numbers in the table.

        What the cut of a large block leaves out is left out here too.
        """
        asked = right.select(self.table.columns)
        wanted = index_of(Stack((asked,)), self.plan, asked.height)
        near = self._near(wanted)
        stack = Stack((pl.concat([self.table[near], asked], how="vertical_relaxed").rechunk(),))
        index = Index({name: np.concatenate([hashes[near], wanted.hashes[name]]) for name, (hashes, _) in self.order.items()}, len(near))
        shares = {name: np.concatenate([of[near], np.zeros(right.height)]) for name, of in self.shares.items()}
        found = linked(bench_of(stack, self.plan, len(near), index=index, shares=shares), self.model)
        names = pl.Series(near, dtype=pl.Int64)
        return Linked(
            found.links.with_columns(left=names.gather(found.links["left"]), second=names.gather(found.links["second"])),
            *(found.model, found.blocked, found.certain, found.compared, found.expected_false),
        )

    def _near(self, wanted: Index) -> Rows:
        """The rows that share a key with one of the asked, in order."""
        found = []
        for key in (*self.plan.keys, *(certain.key for certain in self.plan.certain)):
            hashes, rows = self.order[key.name]
            of = wanted.hashes[key.name]
            of = of[of != 0]
            start, end = (np.searchsorted(hashes, of, side, sorter=rows) for side in ("left", "right"))
            found += [rows[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True) if b - a <= key.at_most]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def crowd_of(left: pl.DataFrame, plan: Plan, model: Model) -> Crowd:
    """Make a table ready to be asked. Raises ValueError where the model is of another plan."""
    if model.plan != plan.digest:
        raise ValueError("the model was fitted for another plan")
    table = read_by(plan, left)
    index, order = index_of(Stack((table,)), plan, left.height), {}
    for name, hashes in index.hashes.items():
        order[name] = (hashes, np.argsort(hashes))
    weighed = [one for one in plan.fields if one.name in plan.weighed_by_share]
    shares = {one.name: of for one in weighed if (of := one.prepare(Stack((table,)), left.height).shares()) is not None}
    return Crowd(table, plan, model, order, shares)
