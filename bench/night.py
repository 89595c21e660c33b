"""What a whole night costs: CPU seconds of `hedui night` on the made-up county, beside a peer that only reads the files.

The peer starts Python, loads the same libraries and parses the same drop with them: nothing is checked, matched or
decided. Both run in turn, as whole processes; the figures are medians, with the ratio pair by pair.

    python bench/night.py [--runs 5] [--drop fixtures/county-a/drop]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = """
import io, sys
from pathlib import Path
import duckdb, fastexcel, opencc, polars, pyarrow, pydantic, pypinyin, rapidfuzz, sqlglot, xlsxwriter
for path in sorted(Path(sys.argv[1]).iterdir()):
    if path.suffix == ".xlsx":
        fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
    elif path.suffix == ".parquet":
        polars.read_parquet(path)
    else:
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("gb18030", errors="replace")
        polars.read_csv(io.BytesIO(text.encode()), infer_schema=False, truncate_ragged_lines=True)
"""


def cpu_seconds(command: list[str]) -> float:
    """User and system CPU of one child process, from the operating system's own accounting. Raises if it fails."""
    before = os.times()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def one_pair(drop: Path) -> tuple[float, float]:
    """CPU seconds of a first night in a fresh home, and of the peer on the same drop."""
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "home")
        hedui = str(Path(sys.executable).with_name("hedui"))
        subprocess.run([hedui, "init", home], check=True, stdout=subprocess.DEVNULL)
        night = cpu_seconds([hedui, "night", "--home", home, "--drop", str(drop)])
    return night, cpu_seconds([sys.executable, "-c", PEER, str(drop)])


def main() -> None:
    """Run the pairs and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--drop", type=Path, default=ROOT / "fixtures" / "county-a" / "drop")
    args = asked.parse_args()
    pairs = [one_pair(args.drop) for _ in range(args.runs)]
    nights, peers = [sorted(side) for side in zip(*pairs, strict=True)]
    print(f"{args.runs} pairs of whole processes; CPU seconds (user + system)")
    for name, side in (("hedui night", nights), ("peer: load libraries, parse the files", peers)):
        print(f"  {name:40} min {side[0]:6.2f}  median {statistics.median(side):6.2f}  max {side[-1]:6.2f}")
    print(f"  ratio, median of pairs: {statistics.median(night / peer for night, peer in pairs):.2f}")


if __name__ == "__main__":
    main()
