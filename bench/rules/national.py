"""What it costs to load and check a rule book with the values of a whole country: 27,000 dated values in one table.

    python -m bench.rules.national

Made-up values of 31 provinces, 333 prefectures and 2,844 counties over several years, each with its basis; the counties' lie above their
province's floor, which is checked. CPU seconds, the best of five runs in one process, the shipped rules included.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from verify.rule_checks import check_rules
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

VALUES = 27_000
MOST = 0.5  # CPU seconds
HEAD = "- {parameter: country_line, label: 全国标准, unit: 元/人/月, combine: at_least_parent, table: country_line.csv}\n"
USED = "- {rule: country_line_here, label: 本地标准, publish: yes, of: case, unit: 元/人/月, law: 示例, expr: country_line}\n"


def divisions() -> Iterator[tuple[str, int]]:
    """Codes of divisions, each with the least it may pay in its first year, in yuan."""
    yield "00", 300
    for province in range(31):
        yield f"{province + 11:02d}", 400 + province
        for prefecture in range(11):
            yield f"{province + 11:02d}{prefecture + 1:02d}", 450 + province
            yield from ((f"{province + 11:02d}{prefecture + 1:02d}{county + 1:02d}", 500 + county) for county in range(9))
    yield "459999", 600


def lines() -> Iterator[str]:
    """The table, the newest year of each division last."""
    yield "region,from,to,value,law,review_by"
    written = 0
    while written < VALUES:
        for code, least in divisions():
            for year in range(2018, 2027):
                to = f"{year}-12-31" if year < 2026 else ""
                yield f"{code},{year}-01-01,{to},{least + 1000 * (year - 2018)}.5,示例文{year}第{code}号,"
                written += 1


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as made:
        rules = Path(shutil.copytree(rules_folder(), Path(made) / "rules"))
        (rules / "parameters/country_line.yaml").write_text(HEAD, encoding="utf-8")
        (rules / "parameters/country_line.csv").write_text("\n".join(lines()) + "\n", encoding="utf-8")
        (rules / "facts/country_line.yaml").write_text(USED, encoding="utf-8")
        loaded, spent = [], []
        for _ in range(5):
            started = time.process_time()
            load_rulebook(rules)
            loaded.append(time.process_time() - started)
            started = time.process_time()
            values = len(check_rules(rules).parameters["country_line"].values)
            spent.append(time.process_time() - started)
        print(f"{values:,} dated values: load {min(loaded):.2f} s, load and check {min(spent):.2f} s of CPU")
    sys.exit(min(spent) > MOST)


if __name__ == "__main__":
    main()
