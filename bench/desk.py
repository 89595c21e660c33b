"""What an answer at the desk costs: cold processes of `hedui --help`, `explain`, `check` and `check --again`, beside a bare Python.

Of `explain` also what the answer alone costs, once the program and the rules are loaded: reading, choosing, wording.

CPU seconds (user and system) and seconds on the clock, the least and the median of the runs; the night is made in a home
of its own, or lies ready in one that is named.

    python -m bench.desk [--runs 5] [--drop fixtures/county-a/drop | --home HOME] [--case SQ2026000003]
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

from verify.explain_case import rows_behind, told_of
from verify.explain_short import short_block
from verify.labels import book_of
from verify.layout import laid_out
from verify.looking import look
from verify.problems import EXIT_DONE, EXIT_INCOMPLETE
from verify.settings import open_home, rules_folder
from verify.speech import speech
from verify.terms import terms_of

ROOT = Path(__file__).resolve().parent.parent
HEDUI = [sys.executable, "-m", "cli"]  # this checkout, whatever is installed


def cost(command: list[str]) -> tuple[float, float]:
    """CPU seconds and seconds of one cold process. Raises if it fails."""
    before, start = os.times(), time.monotonic()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # an installed program is compiled
    subprocess.run(command, check=True, cwd=ROOT, env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, time.monotonic() - start


def answering(folder: Path, case: str, runs: int) -> float:
    """CPU seconds of the short form in a process that has everything loaded, the ledger's line included; the median."""
    voice = speech(rules_folder(), "zh")
    terms, spent = terms_of(book_of(voice), voice), []
    for _ in range(runs + 1):
        began = time.process_time()
        spot = look(open_home(folder), case, command="explain", purpose="bench")
        laid_out([short_block(told_of(rows_behind(spot), voice), terms, 100)], 100)
        spent.append(time.process_time() - began)
    return statistics.median(spent[1:])


def main() -> None:
    """Make the night, then ask again and again."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--drop", type=Path, default=ROOT / "fixtures" / "county-a" / "drop")
    asked.add_argument("--home", type=Path)
    asked.add_argument("--case", default="SQ2026000003")
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home.resolve() if args.home else made(Path(folder) / "home", args.drop)
        check = [*HEDUI, "check", args.case, "--home", str(home)]
        explain = [*HEDUI, "explain", args.case, "--home", str(home)]
        bare = [sys.executable, "-c", "pass"]
        questions = {"peer: python -c pass": bare, "hedui --help": [*HEDUI, "--help"], "explain": explain, "explain --long": [*explain, "--long"]}
        questions |= {"check": check, "check --again": [*check, "--again"]}
        print(f"  {'least, median':24} {'CPU s':>12} {'s':>12}")
        for name, command in questions.items():
            spent = [cost(command) for _ in range(args.runs)]
            told = " ".join(f"{min(side):6.2f}{statistics.median(side):6.2f}" for side in zip(*spent, strict=True))
            print(f"  {name:24} {told}")
        print(f"  {'explain, once loaded':24} {1000 * answering(home, args.case, args.runs):6.1f} CPU ms")


def made(home: Path, drop: Path) -> Path:
    """A home with the night of a drop. Raises where the night failed; an incomplete one (exit 3) is a night."""
    subprocess.run([*HEDUI, "init", str(home)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    night = [*HEDUI, "night", "--home", str(home), "--drop", str(drop)]
    ended = subprocess.run(night, check=False, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    if ended not in {EXIT_DONE, EXIT_INCOMPLETE}:
        raise SystemExit(ended)
    return home


if __name__ == "__main__":
    main()
