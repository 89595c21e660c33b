"""Who counts, what is unknown on a late night, and the alerts: the truth of made-up families against the reference rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from tests.county.hand_made import AS_OF, OLD, Town, alone, at, paid, pension, saved, told, two

GONE: dict[str, tuple[Callable[[Town], Town], int]] = {
    "dead by the register": (lambda t: t.row("ga_huji", 2, 注销标识="1", 注销日期=AS_OF), 1),
    "dead, no date": (lambda t: t.row("ga_huji", 2, 注销标识="1", 注销日期=None), 1),
    "to die tomorrow": (lambda t: t.row("ga_huji", 2, 注销标识="1", 注销日期=AS_OF + timedelta(1)), 2),
    "moved out": (lambda t: t.row("ga_huji", 2, 注销标识="2"), 2),
    "cremated": (lambda t: t.row("mz_huohua", 2, 死亡日期=AS_OF), 1),
    "in prison": (lambda t: t.row("ga_jiguan", 2), 1),
    "in detention": (lambda t: t.row("ga_jiguan", 2, 类型="拘留"), 2),
    "serving outside": (lambda t: t.row("ga_jiguan", 2, 类型="监外执行"), 2),
    "released today": (lambda t: t.row("ga_jiguan", 2, 释放时间=at("2026-11-20T18:00")), 2),
    "released tomorrow": (lambda t: t.row("ga_jiguan", 2, 类型="强制戒毒", 释放时间=at("2026-11-21T08:00")), 1),
}


@pytest.mark.parametrize("what", GONE)
def test_who_counts(what: str) -> None:
    change, left = GONE[what]
    case = told(change(two()))
    assert (case.true_members, case.ideal_members_low, case.ideal_members_high) == (left, left, left)
    assert bool({"deceased_member", "imprisoned_member"} & {name for name, _ in case.due()}) == (left == 1)


def test_nobody_left_is_none() -> None:
    case = told(alone(申报金融资产=500).row("mz_huohua", 1))
    assert (case.ideal_category, case.ideal_members_high, case.ideal_financial_low) == ("none", 0, 5.0)
    assert (case.ideal_monthly_income_low, case.ideal_monthly_income_high) == (0, None)
    assert case.tables["tests"].is_empty()


def test_a_grey_death_leaves_the_member_open() -> None:
    case = told(pension(two(), 5).row("mz_huohua", 2, recoverable=False, 逝者姓名="韦三民", 身份证号=None, 出生日期=date(1982, 1, 1)))
    assert (case.ideal_members_low, case.ideal_members_high, case.grey) == (1, 2, True)


def test_who_is_not_authorised_is_not_read() -> None:
    case = told(saved(two(unauthorised=(1,)), 500).row("ga_jiguan", 2))
    assert (case.ideal_members_low, case.ideal_financial_low, case.ideal_financial_high) == (1, 0, None)
    assert (case.ideal_vehicles_high, case.ideal_category, case.true_financial) == (None, "cannot_tell", 5.0)
    assert case.due() == {("not_authorised", 1), ("imprisoned_member", 2)}


LATE: dict[str, tuple[Town, tuple[str, ...], str, tuple[float, float | None]]] = {
    "taxes": (paid(alone(), 120_000), ("sw_geshui",), "monthly_income", (0, None)),
    "contributions, no wage": (pension(alone(), 120_000), ("rs_canbao",), "monthly_income", (100.0, None)),
    "contributions, a wage": (paid(alone(), 120_000), ("rs_canbao",), "monthly_income", (90.0, 90.0)),
    "entities, no return": (pension(alone(), 120_000), ("sc_zhuti",), "monthly_income", (100.0, None)),
    "entities, a return": (paid(alone(), 120_000, 所得项目="经营所得"), ("sc_zhuti",), "monthly_income", (100.0, 100.0)),
    "banks": (saved(alone(), 100).row("gjj_zhanghu", 1, 账户余额=300), ("rh_cunkuan",), "financial", (3.0, None)),
    "cars": (alone(), ("ga_cheliang",), "vehicles", (0, None)),
    "the register": (saved(pension(two(), 120_000), 100), ("ga_huji",), "financial", (0, 1.0)),
    "prisons": (pension(two(), 120_000), ("ga_jiguan",), "members", (0, 2)),
    "cremations, one known dead": (two().row("ga_huji", 2, 注销标识="1"), ("mz_huohua",), "members", (0, 1)),
}


@pytest.mark.parametrize("what", LATE)
def test_late_extracts_are_unknown(what: str) -> None:
    town, late, fact, ends = LATE[what]
    case = told(town, *late)
    assert (getattr(case, f"ideal_{fact}_low"), getattr(case, f"ideal_{fact}_high")) == ends
    assert ("late_source", 0) in case.allowed()


def test_an_uncertain_membership_gives_no_aid() -> None:
    case = told(alone(OLD), "mz_huohua")
    assert (case.ideal_category, case.true_category) == ("cannot_tell", "tekun")
    assert "members" in case.open_tests
    assert told(alone(申报金融资产=9_000_000), "mz_huohua").ideal_category == "none"


def test_own_books_late_is_said() -> None:
    assert ("late_source", 0) in told(alone(), "mz_chengyuan").due()


def test_a_refused_member_row_leaves_no_upper_bound() -> None:
    case = told(alone(OLD).row("mz_chengyuan", 1, 序号=None, 姓名=None, status="refused"))
    assert (case.ideal_members_low, case.ideal_members_high, case.ideal_financial_high) == (1, None, None)
    assert case.verdict("tekun.one_member") == "open"


def test_a_member_row_without_a_case_number_touches_the_cases_with_a_gap() -> None:
    town = Town()
    a, b = town.person(), town.person(book="H2")
    town.case(a).case(b, case="SQ20260000002")
    town.rows["mz_chengyuan"][1] |= {"序号": 2}
    case = told(town.row("mz_chengyuan", None, 申请编号=None, status="refused"))
    assert case.tables["cases"]["ideal_members_high"].to_list() == [1, None]


def test_a_case_without_member_rows_is_never_none() -> None:
    town = alone(申报月转移净收入=10)
    town.rows["mz_chengyuan"][0] |= {"status": "refused", "申请编号": None}
    assert told(town).ideal_category == "cannot_tell"


def married(town: Town, **says: object) -> Town:
    spouse = town.person("1981-01-01", book="H9")
    return town.couple(1, spouse, **says)


ALERTS: dict[str, tuple[Callable[[], Town], tuple[str, int], str]] = {
    "aid after death": (lambda: two().row("mz_huohua", 2).row("mz_zaixiang", 2), ("deceased_still_paid", 2), "due"),
    "aid that ended": (lambda: two().row("mz_huohua", 2).row("mz_zaixiang", 2, 享受截止年月=202610), ("deceased_still_paid", 2), "not"),
    "two kinds of aid": (lambda: alone().row("mz_zaixiang", 1).row("mz_zaixiang", 1, 救助业务名称="临时救助", 享受截止年月=None), ("duplicate_aid", 1), "due"),
    "one kind twice": (lambda: alone().row("mz_zaixiang", 1).row("mz_zaixiang", 1), ("duplicate_aid", 1), "not"),
    "two cases": (lambda: two().case(2, case="SQ20260000002"), ("two_cases", 2), "due"),
    "a spouse elsewhere": (lambda: married(alone()), ("undeclared_spouse", 1), "due"),
    "a spouse of whom only the name is left": (lambda: married(alone(), 女方身份证号=None, recoverable_f=False), ("undeclared_spouse", 1), "due"),
    "divorced": (lambda: married(alone()).couple(1, 2, 登记类型="离婚", 登记日期=date(2021, 1, 1)), ("undeclared_spouse", 1), "not"),
    "a divorce that cannot be told": (
        lambda: married(alone()).couple(1, 2, 登记类型="离婚", 登记日期=date(2021, 1, 1), recoverable_f=False), ("undeclared_spouse", 1), "may"),
    "a spouse who has died": (lambda: married(alone()).row("mz_huohua", 2), ("undeclared_spouse", 1), "may"),
    "a spouse in the case": (lambda: two().couple(1, 2), ("undeclared_spouse", 1), "not"),
    "a large outflow": (lambda: alone().row("rh_cunkuan", 1, 近半年大额支出=1_920_001), ("large_outflow", 1), "due"),
    "an outflow at the limit": (lambda: alone().row("rh_cunkuan", 1, 近半年大额支出=1_920_000), ("large_outflow", 1), "not"),
    "declared far below": (lambda: pension(alone(申报月转移净收入=10_000), 240_012), ("declared_below_verified", 0), "due"),
    "declared 100 yuan below": (lambda: pension(alone(申报月转移净收入=10_000), 240_000), ("declared_below_verified", 0), "not"),
    "declared a tenth below": (lambda: pension(alone(申报月转移净收入=900_000), 12_000_000), ("declared_below_verified", 0), "not"),
    "declared nothing": (lambda: pension(alone(申报月转移净收入=None), 900_000), ("declared_below_verified", 0), "not"),
    "an ID under another's name": (lambda: alone().row("jr_zhengquan", None, 姓名="黄大山", 证件号码="@1"), ("identity_conflict", 1), "may"),
    "and another's birth date": (lambda: alone().row("mz_huohua", None, 逝者姓名="黄大山", 身份证号="@1", 死亡日期=AS_OF), ("identity_conflict", 1), "due"),
    "an ID under a relative's name": (lambda: two().row("jr_zhengquan", 2, 证件号码="@1", recoverable=False), ("identity_conflict", 1), "not"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALERTS)
def test_alerts(what: str) -> None:
    make, alert, word = ALERTS[what]
    town = make()
    for rows in town.rows.values():
        for row in rows:
            row.update({column: town.people[0]["id"] for column, value in row.items() if value == "@1"})
    case = told(town)
    assert word == ("due" if alert in case.due() else "may" if alert in case.allowed() else "not")


@pytest.mark.parametrize(("birth", "relation", "word"), [("2010-01-01", "子", "due"), ("2008-11-20", "女", "not"), ("2010-01-01", "孙子女", "not")])
def test_a_minor_of_the_household_who_is_not_in_the_case(birth: str, relation: str, word: str) -> None:
    town = alone()
    town.person(birth, relation=relation)
    assert (("undeclared_minor_child", 1) in told(town).due()) == (word == "due")
