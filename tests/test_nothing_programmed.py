"""Nothing is programmed: a new department, a region, an income rule and a report column are rule files alone."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from tests.altered import altered
from tests.test_night import FIXTURES
from verify import Order, Outcome, init_home, run_night
from verify.settings import rules_folder

OLD, MOVED = "SQ2026000107", "SQ2026000225"  # both alone, in town, dibao in the truth
EXTRACT = """
- extract: ll_jintie
  label: 高龄津贴发放
  department: 县老龄办
  format: csv
  key: [发放流水]
  columns:
    - {column: 发放流水, required: yes, also_called: 流水号}
    - {column: 领取人, type: name}
    - {column: 证件, type: id}
    - {column: 性别, type: code, codes: [M, F]}
    - {column: 生日, type: date}
    - {column: 月份, type: month, required: yes}
    - {column: 金额, type: money, unit: 万元, required: yes}
  people:
    - {name: 领取人, id: 证件, birth: 生日, sex: {column: 性别, male: M, female: F}}
  absence_means: zero
  law: 示例办法第一条
"""
INCOME = """
- input: allowance
  label: 高龄津贴
  fact: transfer
  of: member
  unit: 元
  from: ll_jintie
  when: in_window(月份)
  amount: 金额
  law: 示例办法第二条
  examples:
    - {example: 万元, as_of: 2026-11-20, given: [{月份: 2026-05-01, 金额: "12000.00"}], expect: "12000.00"}
    - {example: 窗口外, as_of: 2026-11-20, given: [{月份: 2026-11-01, 金额: "12000.00"}], expect: "0.00"}
- rule: allowance_year
  label: 家庭高龄津贴
  publish: yes
  of: household
  unit: 元/年
  expr: sum(allowance)
  law: 示例办法第二条
"""


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped rules with four wishes of four people, none of whom can program."""
    folder = Path(shutil.copytree(rules_folder(), tmp_path_factory.mktemp("wishes") / "rules"))
    (folder / "extracts" / "ll_jintie.yaml").write_text(EXTRACT, encoding="utf-8")
    (folder / "facts" / "allowance.yaml").write_text(INCOME, encoding="utf-8")
    changed(folder / "facts" / "income.yaml", "greater(sum(transfer), declared", "greater(sum(transfer) + sum(allowance), declared")
    values = folder / "parameters" / "lines.yaml"
    changed(values, '"459999"', '"45"')
    urban = '  values:\n    - {region: "450100", from: 2024-01-01, value: "400", law: 示例市文第三条}\n'
    changed(values, "  unit: 元/人/月\n  values:\n", "  unit: 元/人/月\n" + urban)
    column = "    - {heading: 机动车, heading_en: Cars, shows: vehicles, width: 6}\n"
    changed(folder / "reports" / "review.yaml", column, column + "    - {heading: 津贴, heading_en: Allowance, shows: allowance_year, width: 9}\n")
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


def test_the_new_facts_reach_a_verdict(outcome: Outcome) -> None:
    assert not outcome.incomplete
    cases = pl.read_parquet(outcome.folder / "results" / "cases.parquet").filter(pl.col("case_id") == OLD).row(0, named=True)
    assert f"{cases['monthly_income_low']}" == "2040.00"  # 297 before, 257 of them declared transfers: now 2,000
    assert cases["category"] == "none"
    evidence = pl.read_parquet(outcome.folder / "results" / "evidence.parquet").filter(pl.col("extract") == "ll_jintie")
    assert evidence.select("case_id", "fact", "link_status").rows() == [(OLD, "transfer", "accepted")]


def test_the_region_has_its_own_line(outcome: Outcome) -> None:
    cases = pl.read_parquet(outcome.folder / "results" / "cases.parquet").filter(pl.col("case_id") == MOVED).row(0, named=True)
    assert f"{cases['monthly_line']}" == "400.00"
    assert cases["category"] == "margin"  # 423.47 a head: under 400 no longer, under 600 still


def test_the_new_column_stands_in_the_workbook(outcome: Outcome) -> None:
    sheet = fastexcel.read_excel(outcome.workbook).load_sheet("待核实清单", dtypes="string").to_polars()
    heading = next(name for name in sheet.columns if name.startswith("津贴"))
    number = next(name for name in sheet.columns if name.startswith("申请编号"))
    assert sheet.filter(pl.col(number) == OLD)[heading].to_list() == ["24,000.00"]
