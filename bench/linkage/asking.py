"""One new person against a kept table: python -m bench.linkage.asking FOLDER MODEL (left.parquet and right.parquet, normalised)."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl

from bench.linkage.measures import cpu, emit
from bench.linkage.ours import tables
from verify.linkage import crowd_of
from verify.linkage.model import load_model
from verify.linkage.people import plan_of_people

ASKED = 60


def main() -> None:
    """Make the crowd ready, ask one row at a time, tell the median and the worst."""
    folder = Path(sys.argv[1])
    left, right = (pl.read_parquet(folder / f"{side}.parquet").drop("pid") for side in ("left", "right"))
    plan = plan_of_people(tables())
    start = cpu()
    crowd = crowd_of(left, plan, replace(load_model(Path(sys.argv[2])), plan=plan.digest))
    ready, walls, spent = cpu() - start, [], []
    for at in range(ASKED):
        begun, used = time.perf_counter(), cpu()
        crowd.ask(right[at])
        walls.append((time.perf_counter() - begun) * 1_000)
        spent.append((cpu() - used) * 1_000)
    milliseconds = {"median": round(statistics.median(walls), 1), "worst": round(max(walls), 1), "CPU": round(statistics.median(spent), 1)}
    emit(program="asking", left=left.height, ready=round(ready, 1), milliseconds=milliseconds)


if __name__ == "__main__":
    main()
