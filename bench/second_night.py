"""What a second night costs to read: nearly nothing but the bytes that changed.

A county and its next night are made. The stage (read, and what rows say of people) runs on the first, then on the second
in the same home; then on the changed files alone in a fresh home, each as a whole state. The least CPU seconds of whole
processes less that of starting one; what is compared is (second - changed alone) / first.

    python -m bench.second_night [--persons 100000] [--cases 3000] [--runs 3] [--nights FIRST SECOND]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.reading import OURS, as_started

ROOT = Path(__file__).resolve().parent.parent
LIST = "批次清单.csv"
STAGE = """
import sys
from pathlib import Path
from verify.faces import name_tables_of, spoken_of
from verify.rulebook import load_rulebook
from verify.settings import Home, init_home, rules_folder
from verify.stages.read import Shelf, read
from verify.store import open_store
from verify.stages import standardise
book, home = load_rulebook(rules_folder()), Path(sys.argv[2])
home = Home(home) if home.exists() else init_home(home)
work = home.nights / sys.argv[3]
before = home.nights / sys.argv[4] / "batches.parquet" if len(sys.argv) > 4 else None
if sys.argv[1] != "-":
    arrived = read(Path(sys.argv[1]), book, shelf=Shelf(home.archive, work, before))
    with open_store(work) as store:
        standardise.people(store, arrived, book=book, work=work)
"""


def cpu(script: str, *arguments: object) -> float:
    """User and system CPU of one process and its children."""
    before = os.times()
    subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=True, cwd=ROOT, env=as_started())
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def changed(first: Path, second: Path, to: Path) -> int:
    """A drop of the second night's files that the first did not bring, each listed as a whole state; how many bytes."""
    to.mkdir()
    listed = [list(csv.DictReader(io.StringIO((drop / LIST).read_text(encoding="utf-8-sig")))) for drop in (first, second)]
    known = {line["校验值"] for line in listed[0]}
    lines = [{**line, "模式": "全量"} for line in listed[1] if line["校验值"] not in known]
    for line in lines:
        shutil.copyfile(second / line["文件名"], to / line["文件名"])
        assert hashlib.sha256((to / line["文件名"]).read_bytes()).hexdigest() == line["校验值"]
    with (to / LIST).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return sum((to / line["文件名"]).stat().st_size for line in lines)


def made(here: Path, persons: int, cases: int) -> tuple[Path, Path]:
    """A county and its next night."""
    hedui, one, two = [sys.executable, "-m", "cli", "county"], here / "one", here / "two"
    size = ["--persons", str(persons), "--cases", str(cases), "--seed", "5", "--as-of", "2026-11-20"]
    subprocess.run([*hedui, "make", *size, "--out", str(one)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    subprocess.run([*hedui, "next", str(one), "--out", str(two)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return one, two


def least(here: Path, one: Path, two: Path, runs: int) -> dict[str, float]:
    """The least CPU seconds of each, run in turn: whatever else a machine does can only add to them.

    Every second night is run in a home of its own, in which the first one was.
    """
    found: dict[str, list[float]] = {"start": [], "first": [], "second": [], "alone": []}
    for run in range(runs):
        home, alone = here / f"home{run}", here / f"alone{run}"
        found["first"].append(cpu(STAGE, one, home, "one"))
        found["second"].append(cpu(STAGE, two, home, "two", "one"))
        found["alone"].append(cpu(OURS, here / "new", alone))
        found["start"].append(cpu(STAGE, "-", here / f"none{run}", "x"))
        for left in (home, alone):
            shutil.rmtree(left)
    return {name: min(costs) for name, costs in found.items()}


def main() -> None:
    """Make both nights, run the stage, print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--persons", type=int, default=100_000)
    asked.add_argument("--cases", type=int, default=3_000)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--nights", type=Path, nargs=2, help="counties that are there already")
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        one, two = (night / "drop" for night in args.nights or made(here, args.persons, args.cases))
        bytes_new, bytes_all = changed(one, two, here / "new"), sum(path.stat().st_size for path in one.iterdir())
        costs = least(here, one, two, args.runs)
    start = costs["start"]
    first, second, alone = (costs[name] - start for name in ("first", "second", "alone"))
    print(f"{bytes_all / 1e6:.0f} MB, of which {bytes_new / 1e6:.0f} MB are new on the second night; the least of {args.runs} runs each")
    print(f"  first {first:.2f} CPU s, second {second:.2f}, the new files alone {alone:.2f}: (second - alone) / first = {100 * (second - alone) / first:.1f} %")


if __name__ == "__main__":
    main()
