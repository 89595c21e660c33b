"""Who counts in which case, and what the register and marriages show that the family did not declare."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.small_county import CASE, County, Settled, person, settled

WIFE = {"side": "女方", "name_key": "乙", "id_key": "ID-WIFE", "id_state": "valid18"}


def members(county: County, work: Path) -> tuple[int, int | None]:
    low, high = settled(county, work).cases.select("members_low", "members_high").row(0)
    return low, high


def death(of: int = 1, **other: Any) -> dict[str, Any]:
    return {"of": of, "死亡日期": date(2026, 11, 20)} | other


def inside(taken_in: date | None, released: date | None, kind: str = "服刑") -> dict[str, Any]:
    return {"of": 2, "类型": kind, "收押时间": taken_in, "释放时间": released}


def married(**other: Any) -> dict[str, Any]:
    return {"of": 1, "side": "男方", "登记类型": "结婚", "登记日期": date(2018, 4, 4), "other": WIFE} | other


def alerts(county: County, work: Path) -> set[tuple[str, int]]:
    return settled(county, work).raised()


def test_a_member_who_died_on_the_as_of_date_does_not_count(tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], {"mz_huohua": [death(2)]}), tmp_path) == (1, 1)


def test_a_death_the_day_after_is_not_known_yet(tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], {"mz_huohua": [death(2, 死亡日期=date(2026, 11, 21))]}), tmp_path) == (2, 2)


def test_a_cancelled_registration_without_a_date_is_a_death(tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], {"ga_huji": [{"of": 2, "注销标识": "1"}]}), tmp_path) == (1, 1)


def test_moving_out_of_the_register_is_no_death(tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], {"ga_huji": [{"of": 2, "注销标识": "2"}]}), tmp_path) == (2, 2)


def test_a_grey_death_leaves_it_open_for_that_member_alone(tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], {"mz_huohua": [death(2, link="review")]}), tmp_path) == (1, 2)


@pytest.mark.parametrize(
    ("row", "count"),
    [
        (inside(date(2026, 1, 1), None), 1),
        (inside(date(2026, 1, 1), date(2026, 11, 20)), 2),  # released on the day is out
        (inside(date(2026, 1, 1), date(2026, 11, 21)), 1),
        (inside(date(2026, 11, 21), None), 2),
        (inside(date(2026, 1, 1), None, kind="监外执行"), 2),
        (inside(date(2026, 1, 1), None, kind="强制戒毒"), 1),
    ],
)
def test_who_is_inside_does_not_count(row: dict[str, Any], count: int, tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], {"ga_jiguan": [row]}), tmp_path) == (count, count)


@pytest.mark.parametrize("late", ["ga_huji", "mz_huohua", "ga_jiguan"])
def test_a_late_extract_that_says_who_counts_leaves_everybody_possible(late: str, tmp_path: Path) -> None:
    assert members(County([person(1), person(2)], late=(late,)), tmp_path) == (0, 2)


def test_a_lost_roster_row_opens_its_case_upwards(tmp_path: Path) -> None:
    assert members(County([person(1)], lost_roster_rows=(CASE,)), tmp_path) == (1, None)


def test_a_lost_roster_row_without_a_number_opens_every_case_with_a_gap(tmp_path: Path) -> None:
    county = County([person(1), person(3), person(1, case="SQ2")], lost_roster_rows=(None,))
    found = settled(county, tmp_path).cases
    assert dict(found.select("case_id", "open_upwards").iter_rows()) == {"SQ1": True, "SQ2": False}


def test_a_spouse_who_is_not_in_the_case_is_undeclared(tmp_path: Path) -> None:
    assert ("undeclared_spouse", 1) in alerts(County([person(1)], {"mz_hunyin": [married()]}), tmp_path)


@pytest.mark.parametrize(
    "declared",
    [person(2, ids=["ID-WIFE"]), person(2, name_key="乙"), person(2, ids=["ID-WIFE"], is_member=False)],
    ids=["by ID", "by name", "as a supporter"],
)
def test_a_spouse_in_the_case_is_declared(declared: dict[str, Any], tmp_path: Path) -> None:
    assert alerts(County([person(1), declared], {"mz_hunyin": [married()]}), tmp_path) == set()


def test_the_latest_row_of_a_couple_counts(tmp_path: Path) -> None:
    divorced = married(登记类型="离婚", 登记日期=date(2020, 1, 1))
    assert alerts(County([person(1)], {"mz_hunyin": [divorced, married()]}), tmp_path) == set()
    again = married(登记类型="补领", 登记日期=date(2021, 1, 1))
    assert ("undeclared_spouse", 1) in alerts(County([person(1)], {"mz_hunyin": [married(), again]}), tmp_path / "again")


def test_no_spouse_is_due_for_somebody_who_has_died(tmp_path: Path) -> None:
    dead_wife = {"死亡日期": date(2020, 1, 1), "says": {"name_key": "乙", "id_key": "ID-WIFE", "id_state": "valid18"}}
    assert alerts(County([person(1)], {"mz_hunyin": [married()], "mz_huohua": [dead_wife]}), tmp_path) == set()


def household(relation: str, **child: Any) -> dict[str, list[dict[str, Any]]]:
    head = {"of": 1, "户号": "H1", "与户主关系": relation, "says": {"name_key": "甲1", "household": "H1"}}
    minor = {"户号": "H1", "与户主关系": "子", "says": {"name_key": "丙", "id_key": "ID-CHILD", "birth": date(2008, 11, 21), "household": "H1"} | child}
    return {"ga_huji": [head, minor]}


def test_a_minor_child_in_the_household_is_undeclared(tmp_path: Path) -> None:
    assert ("undeclared_minor_child", 1) in alerts(County([person(1)], household("户主")), tmp_path)


def test_who_turns_eighteen_on_the_day_is_no_minor(tmp_path: Path) -> None:
    assert alerts(County([person(1)], household("户主", birth=date(2008, 11, 20))), tmp_path) == set()


def test_a_child_of_the_head_is_not_surely_the_child_of_his_brother(tmp_path: Path) -> None:
    assert alerts(County([person(1)], household("兄弟姐妹")), tmp_path) == set()


def test_one_person_in_two_cases(tmp_path: Path) -> None:
    both = [person(1, person_id="P"), person(1, case="SQ2", person_id="P")]
    found: Settled = settled(County(both), tmp_path)
    assert found.raised() == {("two_cases", 1)} == found.raised("SQ2")


def test_aid_after_death_and_two_kinds_of_aid(tmp_path: Path) -> None:
    aid = [{"of": 1, "救助业务名称": "城市低保"}, {"of": 1, "救助业务名称": "特困供养"}, {"of": 2, "救助业务名称": "城市低保"}]
    rows = {"mz_zaixiang": aid, "mz_huohua": [death(2, 死亡日期=date(2026, 1, 1))]}
    assert alerts(County([person(1), person(2)], rows), tmp_path) == {("duplicate_aid", 1), ("deceased_member", 2), ("deceased_still_paid", 2)}


def test_aid_that_ended_last_month_is_not_running(tmp_path: Path) -> None:
    aid = [{"of": 1, "救助业务名称": "城市低保"}, {"of": 1, "救助业务名称": "临时救助", "享受截止年月": date(2026, 10, 1)}]
    assert alerts(County([person(1)], {"mz_zaixiang": aid}), tmp_path) == set()


def test_a_member_without_a_valid_authorisation_is_named(tmp_path: Path) -> None:
    assert ("not_authorised", 1) in alerts(County([person(1, authorised=False)]), tmp_path)


def test_a_late_extract_is_said_once_a_case(tmp_path: Path) -> None:
    assert ("late_source", 0) in alerts(County([person(1)], late=("yb_jiesuan", "cl_canji")), tmp_path)
