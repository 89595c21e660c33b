"""What making a county costs: CPU seconds, seconds and memory of `hedui county make`, beside a peer that writes as many rows.

The peer writes the same number of lines of the same mean length as plain text, drawn by nobody: what the disk and the
formatting alone cost. Whole processes; the figures are of one pair each.

    python bench/county.py [--persons 1000000] [--cases 30000]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = """
import sys
import polars
rows, length = int(sys.argv[2]), int(sys.argv[3])
at = polars.int_range(rows, eager=True)
columns = {f"c{n}": (at * (n + 7919)).cast(polars.String).str.pad_start(max(1, length // 8), "0") for n in range(8)}
polars.DataFrame(columns).write_csv(sys.argv[1])
"""


def costs(command: list[str]) -> tuple[float, float, int]:
    """CPU seconds of a process and all its children, seconds on the clock, and the largest process's memory in MB."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:4]} ended with {status}")
    return used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss // 1024


def main() -> None:
    """Make one county, then let the peer write as much."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--persons", type=int, default=1_000_000)
    asked.add_argument("--cases", type=int, default=30_000)
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "county"
        hedui = str(Path(sys.executable).with_name("hedui"))
        size = ["--persons", str(args.persons), "--cases", str(args.cases)]
        made = costs([hedui, "county", "make", *size, "--seed", "5", "--as-of", "2026-11-20", "--out", str(out)])
        files = [path for path in (out / "drop").iterdir() if path.suffix == ".csv"]
        rows = sum(path.read_bytes().count(b"\n") for path in files)
        length = sum(path.stat().st_size for path in files) // rows
        peer = costs([sys.executable, "-c", PEER, str(Path(folder) / "peer.csv"), str(rows), str(length)])
    print(f"{args.persons:,} people, {args.cases:,} cases; {rows:,} lines of CSV")
    for name, (cpu, wall, memory) in (("hedui county make (drop and truth)", made), ("peer: write as many lines", peer)):
        print(f"  {name:36} {cpu:8.1f} CPU s {wall:8.1f} s {memory:8,} MB (largest process)")


if __name__ == "__main__":
    main()
