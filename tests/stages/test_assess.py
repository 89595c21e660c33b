"""Rows become facts, facts become values, values are held against the tests: both sides of each doubt."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.small_county import County, Settled, person, settled
from verify import needs_sql
from verify.store import open_store

TAX: dict[str, Any] = {"of": 1, "所得项目": "工资薪金所得", "税款所属期起": date(2026, 9, 1), "税款所属期止": date(2026, 9, 30), "收入额": "3000"}


def alone(rows: dict[str, list[dict[str, Any]]], work: Path, **other: Any) -> Settled:
    return settled(County([person(1)], rows, **other), work)


def test_nothing_found_by_an_extract_that_covers_the_person_is_zero(tmp_path: Path) -> None:
    found = alone({}, tmp_path)
    assert found.value("household_income") == ("0.00", "0.00")
    assert found.category() == "dibao"  # forty years old, no card: not alone and helpless, but without income


@pytest.mark.parametrize("late", ["sw_geshui", "rh_cunkuan", "ga_cheliang", "bdc_fangwu", "sc_zhuti", "rs_daiyu"])
def test_a_late_extract_is_never_zero_and_names_itself(late: str, tmp_path: Path) -> None:
    found = alone({}, tmp_path, late=(late,))
    assert found.category() == "cannot_tell"
    assert any(need.endswith(f"@1@{late}") for need in found.needs())


def test_what_a_member_has_not_authorised_is_unknown_and_the_roster_is_asked(tmp_path: Path) -> None:
    found = settled(County([person(1), person(2, authorised=False)]), tmp_path)
    assert found.value("deposits", member=2) == ("0.00", None)
    assert found.value("deposits", member=1) == ("0.00", "0.00")
    assert "financial@2@mz_chengyuan" in found.needs()


def test_whose_id_nobody_knows_cannot_be_shown_to_have_nothing(tmp_path: Path) -> None:
    found = settled(County([person(1, id_known=False)]), tmp_path)
    assert found.value("deposits", member=1) == ("0.00", None)


def test_a_grey_row_adds_nothing_at_least_and_its_amount_at_most(tmp_path: Path) -> None:
    rows = {"rh_cunkuan": [{"of": 1, "余额合计": "100"}, {"of": 1, "余额合计": "50000", "link": "review"}]}
    found = alone(rows, tmp_path)
    assert found.value("financial") == ("100.00", "50100.00")
    assert found.open_tests() == ["dibao.financial", "margin.financial"]
    assert found.needs() == ["financial@1@rh_cunkuan"]


def test_a_rejected_row_is_no_evidence(tmp_path: Path) -> None:
    found = alone({"rh_cunkuan": [{"of": 1, "余额合计": "50000", "link": "rejected", "method": "identity_conflict"}]}, tmp_path)
    assert found.value("financial") == ("0.00", "0.00")
    assert found.evidence.is_empty() or "rh_cunkuan" not in found.evidence["extract"].to_list()


def test_wages_come_from_tax_or_else_from_insurance_and_a_grey_tax_row_spans_both(tmp_path: Path) -> None:
    insured = {"of": 1, "参保状态": "参保缴费", "缴费月份": date(2026, 9, 1), "缴费基数": "4000"}
    assert alone({"sw_geshui": [TAX], "rs_canbao": [insured]}, tmp_path / "a").value("wage", member=1) == ("3000.00", "3000.00")
    assert alone({"rs_canbao": [insured]}, tmp_path / "b").value("wage", member=1) == ("1870.00", "4000.00")
    grey = alone({"sw_geshui": [TAX | {"link": "review"}], "rs_canbao": [insured]}, tmp_path / "c")
    assert grey.value("wage", member=1) == ("1870.00", "4000.00")


def test_late_insurance_does_not_matter_where_tax_has_spoken(tmp_path: Path) -> None:
    found = alone({"sw_geshui": [TAX]}, tmp_path, late=("rs_canbao",))
    assert found.value("wage", member=1) == ("3000.00", "3000.00")


def test_an_operator_without_a_whole_return_has_unknown_business_income(tmp_path: Path) -> None:
    shop = {"of": 1, "统一社会信用代码": "C1", "职务": "经营者", "主体类型": "个体工商户", "登记状态": "在业"}
    found = alone({"sc_zhuti": [shop]}, tmp_path)
    assert found.value("business", member=1) == ("0.00", None)
    assert found.needs() == ["business@1@sc_zhuti", "business@1@sw_geshui"]


def test_a_home_shared_inside_the_family_counts_once(tmp_path: Path) -> None:
    home = {"不动产单元号": "U1", "权属状态": "现势", "规划用途": "住宅"}
    found = settled(County([person(1), person(2)], {"bdc_fangwu": [home | {"of": 1}, home | {"of": 2}]}), tmp_path)
    assert found.value("dwellings") == ("1.00", "1.00")


def test_a_possible_member_adds_nothing_at_least(tmp_path: Path) -> None:
    rows = {"mz_huohua": [{"of": 2, "死亡日期": date(2026, 1, 1), "link": "review"}], "rh_cunkuan": [{"of": 2, "余额合计": "900"}]}
    found = settled(County([person(1), person(2)], rows), tmp_path)
    assert found.value("financial") == ("0.00", "900.00")
    assert found.cases.select("members_low", "members_high").row(0) == (1, 2)


def test_nobody_left_is_none_without_tests_and_with_the_declared_figure(tmp_path: Path) -> None:
    found = alone({"mz_huohua": [{"of": 1, "死亡日期": date(2026, 1, 1)}]}, tmp_path)
    assert found.category() == "none"
    assert found.tests.is_empty()
    assert found.value("monthly_income") == ("0.00", None)


def test_a_case_without_any_member_row_cannot_be_told(tmp_path: Path) -> None:
    found = settled(County([person(1, is_member=False)]), tmp_path)
    assert found.category() == "cannot_tell"
    assert "members" in found.open_tests()


def test_a_lost_roster_row_leaves_no_upper_bound(tmp_path: Path) -> None:
    found = alone({}, tmp_path, lost_roster_rows=("SQ1",))
    assert found.value("financial") == ("0.00", None)
    assert found.value("vehicles") == ("0.00", None)
    assert found.category() == "cannot_tell"


def test_on_a_night_when_nobody_surely_counts_a_case_is_none_or_open(tmp_path: Path) -> None:
    assert alone({}, tmp_path / "a", late=("ga_huji",)).category() == "cannot_tell"
    car = {"of": 1, "HPZL": "02", "HPHM": "A1", "ZT": "A"}
    assert alone({"ga_cheliang": [car]}, tmp_path / "b", late=("mz_huohua",)).category() == "cannot_tell"


def test_alone_and_old_is_settled_by_a_card_age_or_left_open(tmp_path: Path) -> None:
    assert settled(County([person(1, birth=date(1966, 11, 20))]), tmp_path / "sixty").category() == "tekun"
    assert settled(County([person(1, birth=date(1966, 11, 21))]), tmp_path / "not yet").category() == "dibao"
    unknown = settled(County([person(1, birth=None, birth_status=None)]), tmp_path / "unknown")
    assert unknown.open_tests() == ["tekun.age_or_card"]


def test_an_unknown_area_spans_both_lines(tmp_path: Path) -> None:
    found = alone({}, tmp_path, area=None)
    assert found.value("monthly_line") == ("530.00", "800.00")


def test_a_lead_enters_no_figure_but_nobody_is_settled_on_its_absence(tmp_path: Path) -> None:
    lead = {"of": 1, "余额合计": "50000", "link": "rejected", "method": "name_only"}
    register = {"户号": "H1", "says": {"name_key": "甲1"}}
    found = alone({"rh_cunkuan": [lead], "ga_huji": [register]}, tmp_path)
    assert found.value("financial") == ("0.00", "0.00")
    assert found.category() == "cannot_tell"
    assert found.needs() == ["financial@1@rh_cunkuan"]


def test_a_lead_that_changes_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    lead = {"of": 1, "余额合计": "50", "link": "rejected", "method": "name_only"}
    found = alone({"rh_cunkuan": [lead], "ga_huji": [{"户号": "H1", "says": {"name_key": "甲1"}}]}, tmp_path)
    assert found.category() == "dibao"


def test_a_name_that_many_bear_is_no_lead(tmp_path: Path) -> None:
    lead = {"of": 1, "余额合计": "50000", "link": "rejected", "method": "name_only"}
    crowd = [{"户号": f"H{at}", "says": {"name_key": "甲1"}} for at in range(6)]
    assert alone({"rh_cunkuan": [lead], "ga_huji": crowd}, tmp_path).category() == "dibao"


def test_the_figures_shown_stay_on_their_side_of_the_limit(tmp_path: Path) -> None:
    pension = {"of": 1, "待遇类型": "遗属待遇", "发放月份": date(2026, 9, 1), "发放金额": "28799.99"}
    people = [person(no) for no in (1, 2, 3)]
    found = settled(County(people, {"rs_daiyu": [pension]}), tmp_path)  # 3 × 9,600 a year, less one fen
    income = found.tests.filter((pl.col("category") == "dibao") & (pl.col("test") == "income")).row(0, named=True)
    assert income["verdict"] == "holds"
    assert income["value_high"] < income["limit"]


def test_two_applications_of_one_case_leave_open_what_they_differ_in(tmp_path: Path) -> None:
    second = {"申请编号": "SQ1", "城乡类别": "农村", "乡镇区划代码": "459999100000", "申报月工资性收入": "500"}
    found = alone({"mz_shenqing": [second]}, tmp_path)
    assert found.value("monthly_line") == ("530.00", "800.00")
    assert found.value("declared_wage") == ("0.00", "500.00")


def test_without_a_row_of_any_input_there_is_a_table_of_evidence_with_none(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.table("proof", needs_sql.evidence([])) == 0
        kinds = {name: kind for name, kind, *_ in store.rows("DESCRIBE proof")}
    assert (kinds["low"], kinds["high"], kinds["row"], kinds["as_of"], kinds["link_score"]) == ("DECIMAL(18,2)", "DECIMAL(18,2)", "INTEGER", "DATE", "BIGINT")
