"""Nothing is programmed: a new department, a region, an income rule and a report column are rule files alone."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from tests.altered import altered
from tests.tables import table
from tests.test_night import FIXTURES
from verify import Order, Outcome, init_home, run_night
from verify.rule_examples import test_rules as run_examples
from verify.settings import rules_folder

OLD, MOVED = "SQ2026000107", "SQ2026000225"  # both alone, in town, dibao in the truth
README = Path(__file__).resolve().parent.parent / "README.md"


def wishes() -> list[tuple[str, str, str]]:
    """The changes that the README shows: `yaml` is a new file, `diff` a change of one; each with its path below rules/."""
    section = README.read_text(encoding="utf-8").split("## Three things you will want to change")[1].split("\n## ")[0]
    return re.findall(r"```(yaml|diff) rules/(\S+)\n(.*?)```", section, flags=re.DOTALL)


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped rules as the README's readers would change them. The other values are said to be the whole province's."""
    folder = Path(shutil.copytree(rules_folder(), tmp_path_factory.mktemp("wishes") / "rules"))
    for kind, name, text in wishes():
        if kind == "yaml":
            (folder / name).write_text(text, encoding="utf-8")
            continue
        lines = text.splitlines(keepends=True)
        changed(folder / name, "".join(line[1:] for line in lines if line[0] in " -"), "".join(line[1:] for line in lines if line[0] in " +"))
    values = folder / "parameters" / "lines.yaml"
    values.write_text(values.read_text(encoding="utf-8").replace('"459999"', '"45"'), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up county's drop with the new department's file, and one family moved to the region."""
    number = pl.col("乡镇区划代码")

    def moved(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(pl.when(pl.col("申请编号") == MOVED).then(pl.lit("450100001000")).otherwise(number).alias("乡镇区划代码"))

    folder = altered(FIXTURES / "county-a" / "drop", tmp_path_factory.mktemp("moved") / "drop", {"mz_shenqing": moved})
    paid = folder / "ll_jintie_20261120.csv"
    paid.write_text("流水号,领取人,证件,性别,生日,月份,金额\nA1,石毓,,F,2002/4/10,2026-05,2.4\n", encoding="gb18030")
    line = f"{paid.name},ll_jintie,县老龄办,A-1,2026-11-20,1,全量,{hashlib.sha256(paid.read_bytes()).hexdigest()}\n"
    with (folder / "批次清单.csv").open("a", encoding="utf-8") as listed:
        listed.write(line)
    return folder


@pytest.fixture(scope="module")
def outcome(rules: Path, drop: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_night(init_home(tmp_path_factory.mktemp("home") / "h"), Order(drop, rules), lambda _stage: None)


def test_the_readme_shows_all_of_it(rules: Path) -> None:
    assert {name.split("/")[0] for _, name, _ in wishes()} == {"extracts", "facts", "parameters", "reports"}
    assert [result.where for result in run_examples(rules) if not result.passed] == []


def test_the_new_facts_reach_a_verdict(outcome: Outcome) -> None:
    assert not outcome.incomplete
    cases = table(outcome.folder / "results" / "cases.parquet").filter(pl.col("case_id") == OLD).row(0, named=True)
    assert f"{cases['monthly_income_low']}" == "2040.00"  # 297 before, 257 of them declared transfers: now 2,000
    assert cases["category"] == "none"
    evidence = table(outcome.folder / "results" / "evidence.parquet").filter(pl.col("extract") == "ll_jintie")
    assert evidence.select("case_id", "fact", "link_status").rows() == [(OLD, "transfer", "accepted")]


def test_the_region_has_its_own_line(outcome: Outcome) -> None:
    cases = table(outcome.folder / "results" / "cases.parquet").filter(pl.col("case_id") == MOVED).row(0, named=True)
    assert f"{cases['monthly_line']}" == "400.00"
    assert cases["category"] == "margin"  # 423.47 a head: under 400 no longer, under 600 still


def test_the_new_column_stands_in_the_workbook(outcome: Outcome) -> None:
    sheet = fastexcel.read_excel(outcome.workbook).load_sheet("待核实清单", dtypes="string").to_polars()
    heading = next(name for name in sheet.columns if name.startswith("津贴"))
    number = next(name for name in sheet.columns if name.startswith("申请编号"))
    assert sheet.filter(pl.col(number) == OLD)[heading].to_list() == ["24,000.00"]
