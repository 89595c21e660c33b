"""One new person against a kept table: python -m bench.linkage.asking FOLDER MODEL [ASKED] (left.parquet and right.parquet, normalised).

Beside the clock stands what the process itself spent of each call, and of the slowest ones why: CPU, collections of garbage, pages touched
for the first time, how often the machine gave the core to somebody else, and how long the same row takes when it is asked again.
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from bench.linkage.measures import cpu, emit
from bench.linkage.ours import tables
from verify.linkage import crowd_of
from verify.linkage.asking import Crowd
from verify.linkage.model import load_model
from verify.linkage.people import plan_of_people

ASKED, SLOWEST = 60, 3


def asked_one(crowd: Crowd, person: pl.DataFrame) -> dict[str, Any]:
    """One call: milliseconds by the clock and of CPU, and what befell the process meanwhile."""
    collected: list[int] = []

    def collecting(phase: str, info: dict[str, int]) -> None:
        collected.extend([info["generation"]] if phase == "stop" else [])

    gc.callbacks.append(collecting)
    before, begun, used = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter(), cpu()
    found = crowd.ask(person)
    wall, spent, after = (time.perf_counter() - begun) * 1_000, (cpu() - used) * 1_000, resource.getrusage(resource.RUSAGE_SELF)
    gc.callbacks.remove(collecting)
    told = {"pages": after.ru_minflt - before.ru_minflt, "moved aside": after.ru_nivcsw - before.ru_nivcsw, "collected": max(collected, default=-1)}
    return {"wall": round(wall, 1), "CPU": round(spent, 1), "compared": found.compared, **told}


def main() -> None:
    """Make the crowd ready, ask one row at a time, tell the first, the median, the slowest."""
    folder, asked = Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else ASKED
    left, right = (pl.read_parquet(folder / f"{side}.parquet").drop("pid") for side in ("left", "right"))
    plan, rows = plan_of_people(tables()), left.height
    start = cpu()
    crowd = crowd_of(left, plan, replace(load_model(Path(sys.argv[2])), plan=plan.digest))
    del left
    ready = cpu() - start
    calls = [asked_one(crowd, right[at]) for at in range(asked)]
    told = {name: {"median": statistics.median(one[name] for one in calls), "worst": max(one[name] for one in calls)} for name in ("wall", "CPU")}
    slow = sorted(range(asked), key=lambda at: -calls[at]["wall"])[:SLOWEST]
    slowest = [{**calls[at], "asked again": asked_one(crowd, right[at])["wall"]} for at in slow]
    emit(program="asking", left=rows, ready=round(ready, 1), asked=asked, milliseconds=told, first=calls[0], slowest=slowest)


if __name__ == "__main__":
    main()
