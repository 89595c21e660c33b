"""What a simulation costs for a million households, with its matrix: the kept figures of a real night, repeated.

The made-up county's night is published, its `figures` and cases are repeated until there are a million, and the scenario is
tried on them. CPU seconds of the whole call (user and system, all threads); a peer in the same run: counting the cases.

    python -m bench.simulate [--households 1000000]
"""

from __future__ import annotations

import argparse
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
from verify.store import read_frame, write_frame

SCENARIOS = {
    "one test": 'scenario: x\nset: {margin_multiple: "2"}\n',
    "three tests": 'scenario: x\nset: {margin_multiple: "2", rigid_ratio: "0.5", vehicles_allowed: "1"}\n',
}
SHADOW = "\x1fleads"


def repeated(frame: pl.DataFrame, times: int) -> pl.DataFrame:
    """The rows so many times, each time under other case numbers; shadows keep belonging to their case."""
    shadow = pl.col("case_id").str.ends_with(SHADOW)
    bare = pl.col("case_id").str.strip_suffix(SHADOW)
    named = pl.when(shadow).then(bare + pl.format("-{}", pl.col("n")) + SHADOW).otherwise(bare + pl.format("-{}", pl.col("n")))
    every = frame.join(pl.DataFrame({"n": list(range(times))}), how="cross")
    return every.with_columns(case_id=named).drop("n").sort("case_id")


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
            write_frame(repeated(read_frame(path), times), path)
        book = check_rules(rules_folder())
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


if __name__ == "__main__":
    main()
