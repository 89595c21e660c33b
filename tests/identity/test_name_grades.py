"""Names: what makes two of them comparable, equal, agreeing, damaged or foreign; IDs one slip apart."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.identity.name_grades import AGREES, DAMAGED, EQUAL, FOREIGN, grade_name
from verify.identity.name_keys import NameTables, name_keys, name_tables
from verify.identity.slips import one_slip_apart

RULES = Path(__file__).parents[2] / "rules" / "matching"
TABLES = name_tables((RULES / "variants.csv").read_text("utf-8"), (RULES / "lookalikes.csv").read_text("utf-8"))


def key(name: str, tables: NameTables = TABLES) -> str | None:
    return name_keys(pl.Series([name]), tables)[0]


def grade(one: str, other: str) -> tuple[int, str]:
    return grade_name(key(one) or "", key(other) or "", TABLES)


@pytest.mark.parametrize(
    "written",
    [
        "买买提·托合提",
        "买买提•托合提",
        "买买提‧托合提",
        "买买提・托合提",
        "买买提･托合提",
        "买买提．托合提",
        "买买提?托合提",
        "买买提 托合提",
        "买买提ㆍ托合提",
    ],
)
def test_a_middle_dot_in_any_form_or_none_is_the_same_name(written: str) -> None:
    assert key(written) == "买买提托合提"


@pytest.mark.parametrize(
    ("written", "same"), [("陳國強", "陈国强"), ("　杨　刚 ", "杨刚"), ("ＬＩ　ＭＩＮＧ", "Li Ming"), ("王靑峯", "王青峰"), ("吕布", "呂布")]
)
def test_traditional_full_width_spaced_and_variant_forms_are_equal(written: str, same: str) -> None:
    assert key(written) == key(same)


def test_a_rare_character_stays_part_of_the_name() -> None:
    assert key("刘雪𬍛") == "刘雪𬍛"
    assert key("吴\ue863") == "吴\ue863"  # private characters of old systems
    assert key("〇一") == "〇一"


def test_nothing_left_is_no_name() -> None:
    assert name_keys(pl.Series(["·", "123", "(?)", None]), TABLES).to_list() == [None, None, None, None]


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("赵波勇", "赵博勇", "name_homophone"),
        ("季琴宁", "李琴宁", "name_lookalike"),
        ("阵青娜", "陈青娜", "name_lookalike"),
        ("陈祎", "陈袆", "name_variant"),
        ("张慧yong", "张慧邕", "name_pinyin"),
        ("刘雪LI", "刘雪𬍛", "name_pinyin"),
        ("吕LV", "吕绿", "name_pinyin"),
        ("吕lu", "吕绿", "name_pinyin"),
    ],
)
def test_one_slip_agrees(one: str, other: str, how: str) -> None:
    assert grade(one, other) == (AGREES, how)
    assert grade(other, one) == (AGREES, how)


@pytest.mark.parametrize(("one", "other"), [("王伟", "王强"), ("张三", "李四"), ("杨莎", "杨"), ("张慧yong", "张慧敏"), ("张", "章")])
def test_any_other_character_does_not_agree(one: str, other: str) -> None:
    assert grade(one, other)[0] < AGREES


def test_two_slips_do_not_agree() -> None:
    assert grade("赵波永", "赵博勇") == (FOREIGN, "name_foreign")


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("张*", "张伟", "name_masked"),
        ("张**", "张建国", "name_masked"),
        ("*建国", "张建国", "name_masked"),
        ("王小", "王小明", "name_damaged"),
        ("李国强", "李国芬", "name_damaged"),
        ("ZHANGJIANGUO", "张建国", "name_romanised"),
    ],
)
def test_masked_romanised_and_mostly_shared_names_are_damaged(one: str, other: str, how: str) -> None:
    assert grade(one, other) == (DAMAGED, how)


def test_a_mask_that_hides_everything_says_nothing() -> None:
    assert grade("**", "张伟")[0] == FOREIGN


@given(st.text("王玉李季张章波博勇永LI*", min_size=1, max_size=5), st.text("王玉李季张章波博勇永LI*", min_size=1, max_size=5))
def test_grading_is_symmetric_and_equal_only_for_equals(one: str, other: str) -> None:
    assert grade_name(one, other, TABLES) == grade_name(other, one, TABLES)
    assert (grade_name(one, other, TABLES)[0] == EQUAL) == (one == other)


@given(st.lists(st.text(max_size=6), max_size=8))
def test_names_made_comparable_stay_as_they_are(names: list[str]) -> None:
    keys = name_keys(pl.Series(names, dtype=pl.String), TABLES).drop_nulls()
    assert name_keys(keys, TABLES).equals(keys)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=8))
def test_a_name_made_comparable_never_depends_on_its_neighbours(names: list[str]) -> None:
    assert name_keys(pl.Series(names), TABLES).to_list() == [key(name) for name in names]


@pytest.mark.parametrize(
    ("wrong", "apart"),
    [
        ("450107200002175498", True),
        ("450107200002157497", True),
        ("45010720000217549", True),
        ("4501072000021754977", True),
        ("450107200002175497", False),
        ("450107200002171597", False),
    ],
)
def test_ids_one_slip_apart(wrong: str, apart: bool) -> None:
    assert one_slip_apart([("450107200002175497", wrong)]) == [apart]
