"""Both programs on the same normalised lists, in processes of their own, one after the other; one table.

    python -m bench.linkage.run --rows 100000 --seeds 101 102 103 --python BENCH_PYTHON [--noise normal hard] [--skip-splink]

BENCH_PYTHON is an interpreter with the extras of `bench` (its own environment: `pip install splink==5.0.0 duckdb==2.0.0`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from bench.linkage.measures import cpu
from bench.linkage.ours import tables
from bench.linkage.recipe import two_lists
from verify.linkage.people import normalised

ROOT = Path(__file__).resolve().parents[2]


def prepared(rows: int, noise: str, seed: int, folder: Path) -> float:
    """Make the lists, normalise them, write them; CPU seconds of the normalising."""
    left, right, ours, theirs = two_lists(rows, noise, seed)
    known, start = tables(), cpu()
    lists = [normalised(frame, known) for frame in (left, right)]
    spent = cpu() - start
    for frame, pids, side in zip(lists, (ours, theirs), ("left", "right"), strict=True):
        frame.with_columns(pid=pl.Series(pids)).write_parquet(folder / f"{side}.parquet")
    return spent


def run(command: list[str]) -> dict[str, Any]:
    """Run a measured program and take its last line."""
    said = subprocess.run(command, cwd=ROOT, env={**os.environ, "POLARS_MAX_THREADS": "2"}, capture_output=True, text=True, check=False)
    lines = [line for line in said.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"{command[1:3]} ended with {said.returncode}\n{said.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(lines[-1][7:])
    return found


def compiled(python: str) -> None:
    """Both programs run as an installer leaves them: their modules compiled."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", "verify", "bench"], cwd=ROOT, check=True)
    theirs = "import compileall, pathlib, splink; compileall.compile_dir(pathlib.Path(splink.__file__).parent, quiet=1)"
    subprocess.run([python, "-c", theirs], cwd=ROOT, check=False)


def main() -> None:
    """Every seed and noise, both programs, a line each."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--seeds", type=int, nargs="+", default=[101])
    asked.add_argument("--noise", nargs="+", default=["normal", "hard"])
    asked.add_argument("--python", default=sys.executable)
    asked.add_argument("--skip-splink", action="store_true")
    asked.add_argument("--pairs", action="store_true", help="calibration and F1 of ours too, in a third process")
    args = asked.parse_args()
    compiled(args.python)
    for noise in args.noise:
        for seed in args.seeds:
            with tempfile.TemporaryDirectory() as folder:
                spent = prepared(args.rows, noise, seed, Path(folder))
                print(f"== {args.rows:,} rows, {noise}, seed {seed}; normalising {spent:.1f} CPU s", flush=True)
                ours = run([sys.executable, "-m", "bench.linkage.ours", folder])
                print(json.dumps(ours, ensure_ascii=False), flush=True)
                if args.pairs:
                    print(json.dumps(run([sys.executable, "-m", "bench.linkage.ours", folder, "--pairs"]), ensure_ascii=False), flush=True)
                if args.skip_splink:
                    continue
                theirs = run([args.python, "bench/linkage/splink_people.py", folder])
                print(json.dumps(theirs, ensure_ascii=False), flush=True)
                wrong = theirs["accepted"]["false"] / max(ours["accepted"]["false"], 1)
                print(f"   CPU 1/{theirs['cpu'] / ours['cpu']:.1f}, memory {ours['MB'] / theirs['MB']:.2f}x, false accepts 1/{wrong:.0f}", flush=True)


if __name__ == "__main__":
    main()
