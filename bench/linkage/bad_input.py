"""What bad input costs: python -m bench.linkage.bad_input FOLDER (normalised lists). CPU of each, as a multiple of the same lists unspoilt."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from bench.linkage.measures import cpu, memory
from bench.linkage.ours import tables
from verify.linkage import link
from verify.linkage.people import plan_of_people

MANY = 10_000


def one_value(frame: pl.DataFrame, columns: tuple[str, ...], rows: int) -> pl.DataFrame:
    """The first rows all say what the first of them says."""
    first = pl.int_range(pl.len()) < rows
    return frame.with_columns(pl.when(first).then(pl.col(name).drop_nulls().first()).otherwise(pl.col(name)).alias(name) for name in columns)


def main() -> None:
    """Each kind of damage in turn, in one process."""
    left, right = (pl.read_parquet(Path(sys.argv[1]) / f"{side}.parquet").drop("pid") for side in ("left", "right"))
    plan, every = plan_of_people(tables()), max(left.height, right.height)
    home = ("county", "town", "place", "house", "first_house")
    blank = tuple(left.columns)
    spoilt = {
        "as it is": (left, right),
        f"{MANY:,} people with one ID": (one_value(left, ("id", "id_birth"), MANY), one_value(right, ("id", "id_birth"), MANY)),
        f"{MANY:,} people with one phone": (one_value(left, ("phone",), MANY), one_value(right, ("phone",), MANY)),
        f"{MANY:,} people with one address": (one_value(left, home, MANY), one_value(right, home, MANY)),
        "all names equal": tuple(one_value(one, ("name", "sound", "surname", "first_sound"), every) for one in (left, right)),
        "all birth dates equal": tuple(one_value(one, ("birth",), every) for one in (left, right)),
        "all blank": tuple(one.with_columns(pl.lit(None, dtype=one.schema[name]).alias(name) for name in blank) for one in (left, right)),
        "a register of one": (left.head(1), right),
    }
    link(left.head(100), right.head(100), plan)  # what is loaded once
    usual = 0.0
    for name, (ours, theirs) in spoilt.items():
        start = cpu()
        found = link(ours, theirs, plan)
        spent = cpu() - start
        usual = usual or spent
        accepted = int((found.links["status"] == "accepted").sum())
        cut = sum(one.cut_pairs for one in found.blocked)
        print(f"{name:34} {spent / usual:5.2f}x CPU  {found.compared:>10,} compared  {cut:>12,} cut  {accepted:>8,} accepted  {memory():>6,} MB", flush=True)


if __name__ == "__main__":
    main()
