"""The same 1,000 families of a made-up county, decided under every pack: how many of each category, and what differs from the baseline.

    python -m bench.rules.packs [PACK …]

Each pack's county is the same draw with that pack's division in its codes (a pack knows values only for its own). The second table
says in which values, rules and tests a pack differs from `guojia`. It is the table in rules/README.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from verify import Order, init_home, run_night
from verify.pack_compare import Side, compare
from verify.packs import all_packs
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

NIGHT = date(2026, 11, 20)
PERSONS, CASES = 20_000, 1_000
MAKE = """
import sys
from datetime import date
from pathlib import Path
import fixtures.county.order as order
order.DIVISION = sys.argv[1]  # before the other modules of the county take it
from fixtures.county.options import make, written
from fixtures.county.rates import Noise
asked = order.Order(int(sys.argv[2]), int(sys.argv[3]), 1, date.fromisoformat(sys.argv[4]), "normal")
folder = Path(sys.argv[5])
written(make(asked, Noise("normal", frozenset()), folder, force=True, processes=1), folder, lambda *_: None)
"""


def main() -> None:
    """Print one line a pack as soon as it is known."""
    root = rules_folder()
    baseline = Side(load_rulebook(root / "packs" / "guojia"), NIGHT)
    books = {layer.name: (layer.folder, layer.pack.region) for layer in all_packs(root) if layer.pack}
    chosen = sys.argv[1:] or ["base", *books]
    for name in chosen:
        folder, region = books.get(name, (root, "459999"))
        found = decided(folder, region.ljust(6, "0"))
        differs = [one.label for one in compare(baseline, Side(load_rulebook(folder), NIGHT)) if one.kind != "decision"]
        counts = " ".join(f"{category}={count}" for category, count in sorted(found.items()))
        sys.stdout.write(f"{name}: {counts} | {len(differs)}: {'、'.join(differs[:40])}\n")
        sys.stdout.flush()


def decided(folder: Path, region: str) -> Counter[str]:
    """How many families of the county come to which category under one book."""
    with tempfile.TemporaryDirectory() as made:
        county = Path(made) / "county"
        subprocess.run([sys.executable, "-c", MAKE, region, str(PERSONS), str(CASES), NIGHT.isoformat(), str(county)], check=True, capture_output=True)
        outcome = run_night(init_home(Path(made) / "home"), Order(county / "drop", folder), lambda _stage: None)
        return Counter(outcome.categories)


if __name__ == "__main__":
    main()
