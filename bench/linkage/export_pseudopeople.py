"""pseudopeople's shipped sample with its default noise: PYTHON bench/linkage/export_pseudopeople.py FOLDER [SEED] (its own interpreter).

Census 2020 and W2/1099 2020; no ID in either, one person may have several W2. Its people are fictional (BSD-3).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pseudopeople as pp


def main() -> None:
    """Write census.parquet and w2.parquet, all columns as texts."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (("census", pp.generate_decennial_census), ("w2", pp.generate_taxes_w2_and_1099)):
        frame = make(seed=seed, year=2020)
        frame.astype(dict.fromkeys(frame.columns, "string")).to_parquet(folder / f"{name}.parquet")


if __name__ == "__main__":
    main()
