"""What a simulation costs for a million households, with its matrix: the kept figures of a real night, repeated.

The made-up county's night is published, its `figures` and cases are repeated until there are a million, and the scenario is
tried on them: mixed, not each beside its copies (which halves what reading costs), and in row groups as a night writes them.
CPU seconds of the whole call (user and system, all threads); a peer in the same run: counting the cases. Checking the rules
before and wording the answer after, which the command does besides, stand on lines of their own; both cost the same for any county
but for the cases that move.

    python -m bench.simulate [--households 1000000]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import polars as pl

from verify import Order, init_home, run_night
from verify.manifest import current_night
from verify.rule_checks import check_rules
from verify.scenarios import read_scenario
from verify.settings import demo_drop, rules_folder
from verify.simulate import simulate
from verify.simulate_words import simulation_json
from verify.store import ROWS_PER_GROUP, frames_into, read_frame

SCENARIOS = {
    "one test": 'scenario: x\nset: {margin_multiple: "2"}\n',
    "three tests": 'scenario: x\nset: {margin_multiple: "2", rigid_ratio: "0.5", vehicles_allowed: "1"}\n',
}


def repeated(frame: pl.DataFrame, times: int) -> pl.DataFrame:
    """The rows so many times, each time under other case numbers, whole counties one behind the other."""
    every = pl.DataFrame({"n": list(range(times))}).join(frame, how="cross", maintain_order="left_right")
    return every.with_columns(case_id=pl.format("{}-{}", pl.col("n"), pl.col("case_id"))).drop("n").sort("case_id")


def write_as_a_night_does(frame: pl.DataFrame, path: Path) -> None:
    """Row groups of the size that the stages write."""
    with frames_into(path) as write:
        for part in frame.iter_slices(ROWS_PER_GROUP):
            write(part)


def main() -> None:
    """Publish, repeat, try."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--households", type=int, default=1_000_000)
    wanted = asked.parse_args().households
    with tempfile.TemporaryDirectory() as folder:
        home = init_home(Path(folder) / "home")
        run_night(home, Order(demo_drop(), rules_folder()), lambda _stage: None)
        night = current_night(home)
        assert night is not None
        cases = night.folder / "results" / "cases.parquet"
        times = -(-wanted // read_frame(cases).height)
        many = replace(night, manifest=replace(night.manifest, counts={name: count * times for name, count in night.manifest.counts.items()}))
        for path in (cases, night.folder / "tables" / "figures.parquet"):
            write_as_a_night_does(repeated(read_frame(path), times), path)
        began = time.process_time()
        book = check_rules(rules_folder())
        print(f"  beside: check the rules       {time.process_time() - began:6.2f} CPU s")
        began = time.process_time()
        count = read_frame(cases, ["category"]).height
        print(f"  peer: read the categories     {time.process_time() - began:6.2f} CPU s for {count:,} households")
        for name, text in SCENARIOS.items():
            file = Path(folder) / "scenario.yaml"
            file.write_text(text, encoding="utf-8")
            tried = read_scenario(file, book, night.manifest.origin.as_of)
            began = time.process_time()
            found = simulate(home, many, tried, book=book)
            used = time.process_time() - began
            print(f"  {name:28}  {used:6.2f} CPU s, {used / count * 1e6:.2f} a million; {len(found.moved):,} move")
            began = time.process_time()
            json.dumps(simulation_json(found))
            print(f"  beside: for programs          {time.process_time() - began:6.2f} CPU s")


if __name__ == "__main__":
    main()
