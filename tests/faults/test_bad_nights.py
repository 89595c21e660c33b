"""Cells and files that must never stop a whole night, nor settle anybody: each through the pipeline, to the published results."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.altered import altered
from tests.tables import table
from tests.test_night import FIXTURES
from verify import HeduiError, Home, Order, Outcome, init_home, run_night
from verify.manifest import current_night
from verify.settings import demo_drop, rules_folder

DROP = FIXTURES / "county-a" / "drop"
ELSEWHERE, STRANGE_AREA, LISTED_TWICE, LOST_STANDING, TWO_SIGNATURES = "SQ2026000107", "SQ2026000151", "SQ2026000225", "SQ2026000003", "SQ2026000297"


def in_case(case: str, column: str, value: str) -> pl.Expr:
    return pl.when(pl.col("申请编号") == case).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)


def applications(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(in_case(ELSEWHERE, "乡镇区划代码", "110101000000"), in_case(STRANGE_AREA, "城乡类别", "乡村"))


def roster(rows: pl.DataFrame) -> pl.DataFrame:
    again = rows.filter(pl.col("申请编号") == LISTED_TWICE).with_columns(序号=pl.lit("10000000000"))
    withdrawn = rows.filter(pl.col("申请编号") == TWO_SIGNATURES).with_columns(授权状态=pl.lit("终止"))
    last = (pl.col("申请编号") == LOST_STANDING) & (pl.col("序号") == "3")
    strange = rows.with_columns(pl.when(last).then(pl.lit("共同居住")).otherwise("人员身份").alias("人员身份"))
    return pl.concat([strange, again, withdrawn])


def companies(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("登记状态").replace("在业", "存续"))


def register(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(出生日期=pl.lit("20991231"))


def deposits(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(余额合计=pl.when(pl.col("余额合计").is_not_null()).then(pl.lit("1000000000000000")))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One night over a drop with many wrongs."""
    folder = tmp_path_factory.mktemp("bad")
    changes = {"mz_shenqing": applications, "mz_chengyuan": roster, "sc_zhuti": companies, "ga_huji": register, "rh_cunkuan": deposits, "bdc_fangwu": None}
    drop = altered(DROP, folder / "drop", changes)
    (drop / "旧文件").mkdir()
    (drop / "链接.csv").symlink_to("/etc/hostname")
    return run_night(init_home(folder / "home"), Order(drop, rules_folder()), lambda _stage: None)


def case(night: Outcome, number: str) -> dict[str, object]:
    return table(night.folder / "results" / "cases.parquet").filter(pl.col("case_id") == number).row(0, named=True)


def test_the_night_is_published_and_says_that_it_is_incomplete(night: Outcome) -> None:
    assert night.published
    assert night.incomplete
    assert night.late == ["bdc_fangwu"]
    assert {"E-UNLISTED", "W-CODE"} <= {problem.code for problem in night.troubles}


def test_a_division_without_values_leaves_its_case_open(night: Outcome) -> None:
    found = case(night, ELSEWHERE)
    assert found["category"] == "cannot_tell"
    assert "place@0@mz_shenqing" in found["needs"]  # type: ignore[operator]
    assert found["monthly_line"] is None


def test_an_area_that_is_not_on_the_list_is_not_taken_for_town(night: Outcome) -> None:
    assert case(night, STRANGE_AREA)["monthly_line"] is None


def test_somebody_listed_twice_counts_once(night: Outcome) -> None:
    found = case(night, LISTED_TWICE)
    assert (found["members_low"], found["members_high"]) == (1, 1)


def test_a_standing_nobody_can_read_opens_the_case_upwards(night: Outcome) -> None:
    found = case(night, LOST_STANDING)
    assert (found["members_low"], found["members_high"], found["members_bounded"]) == (3, None, False)
    assert found["category"] == "cannot_tell"


def test_a_signature_withdrawn_in_any_row_is_no_authorisation(night: Outcome) -> None:
    alerts = table(night.folder / "results" / "alerts.parquet")
    assert alerts.filter((pl.col("case_id") == TWO_SIGNATURES) & (pl.col("alert") == "not_authorised")).height == 1


def test_a_code_outside_its_list_is_a_doubt_and_not_a_no(night: Outcome) -> None:
    cases = table(night.folder / "results" / "cases.parquet")
    assert cases["companies_low"].max() == 0
    assert cases.filter(pl.col("companies_high") > 0).height > 5


def test_nobody_is_old_or_young_by_a_birth_date_that_cannot_be(night: Outcome) -> None:
    tests = table(night.folder / "results" / "tests.parquet").filter(pl.col("test") == "age_or_card")
    usual = table(FIXTURES / "county-a" / "truth" / "tests.parquet").filter(pl.col("test") == "age_or_card")
    both = tests.join(usual, on="case_id", suffix="_usual").filter(pl.col("verdict") != "open")
    assert both.filter((pl.col("verdict") == "holds") & (pl.col("verdict_usual") == "fails")).is_empty()


def test_an_absurd_amount_is_shown_as_much_and_never_as_no_bound(night: Outcome) -> None:
    tests = table(night.folder / "results" / "tests.parquet").filter((pl.col("test") == "financial") & (pl.col("verdict") == "fails"))
    assert str(tests["value_low"].max()) == "999999999999.999999"
    assert tests.filter(~pl.col("value_bounded") & pl.col("value_high").is_not_null()).is_empty()


def test_of_nobody_an_extract_says_nothing_late_or_not(night: Outcome) -> None:
    cases = table(night.folder / "results" / "cases.parquet").filter(pl.col("members_high") == 0)
    assert cases.height > 0
    assert cases.select("dwellings_low", "dwellings_high", "dwellings_bounded").unique().rows() == [(0, 0, True)]


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 1, 1)])
def test_an_impossible_as_of_date_is_a_usage_error(day: date, tmp_path: Path) -> None:
    with pytest.raises(HeduiError) as refused:
        run_night(init_home(tmp_path / "home"), Order(DROP, rules_folder(), as_of=day), lambda _stage: None)
    assert [problem.code for problem in refused.value.problems] == ["E-AS-OF"]


def test_a_day_without_a_value_in_force_is_told_once_a_parameter_and_leaves_nothing_behind(home: Home, tmp_path: Path) -> None:
    fresh = current_night(home)
    assert fresh is not None
    home = init_home(tmp_path / "home")
    with pytest.raises(HeduiError) as refused:
        run_night(home, Order(demo_drop(), rules_folder(), as_of=date(2028, 1, 1)), lambda _stage: None)
    assert {problem.code for problem in refused.value.problems} == {"E-NO-VALUE"}
    assert len(refused.value.problems) < 30
    assert list(home.nights.iterdir()) == []
    again = run_night(home, Order(demo_drop(), rules_folder()), lambda _stage: None)
    assert (again.folder / "manifest.json").read_bytes() == (fresh.folder / "manifest.json").read_bytes()
