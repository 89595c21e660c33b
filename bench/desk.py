"""What an answer at the desk costs: cold processes of `hedui --help`, `check` and `check --again`, beside a bare Python.

CPU seconds (user and system) and seconds on the clock, medians over the runs; the night lies ready in a home of its own.

    python bench/desk.py [--runs 5] [--drop fixtures/county-a/drop] [--case SQ2026000003]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEDUI = str(Path(sys.executable).with_name("hedui"))


def cost(command: list[str]) -> tuple[float, float]:
    """CPU seconds and seconds of one cold process. Raises if it fails."""
    before, start = os.times(), time.monotonic()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, time.monotonic() - start


def main() -> None:
    """Make the night, then ask again and again."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--drop", type=Path, default=ROOT / "fixtures" / "county-a" / "drop")
    asked.add_argument("--case", default="SQ2026000003")
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "home")
        subprocess.run([HEDUI, "init", home], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([HEDUI, "night", "--home", home, "--drop", str(args.drop)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check = [HEDUI, "check", args.case, "--home", home]
        bare = [sys.executable, "-c", "pass"]
        questions = {"peer: python -c pass": bare, "hedui --help": [HEDUI, "--help"], "check": check, "check --again": [*check, "--again"]}
        for name, command in questions.items():
            spent = [cost(command) for _ in range(args.runs)]
            cpu, wall = (statistics.median(side) for side in zip(*spent, strict=True))
            print(f"  {name:24} {cpu:6.2f} CPU s {wall:6.2f} s")


if __name__ == "__main__":
    main()
