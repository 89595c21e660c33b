"""The economic life of a made-up county: every purpose reaches its side of the line, rates are what is said, nothing moves that should not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from fixtures.county.codes import credit_codes, plates, unit_numbers
from fixtures.county.lives import lives_of, members_of
from fixtures.county.order import Order
from fixtures.county.people import people_of
from fixtures.county.purposes import purposes, purposes_of
from fixtures.county.rows import HEADERS
from tests.county.plainly import TODAY, category, facts

COUNTY = Order(persons=20_000, cases=2_000, seed=7, as_of=TODAY)
KEYS: Mapping[str, list[str]] = {
    "mz_shenqing": ["申请编号"], "mz_chengyuan": ["申请编号", "序号"], "mz_zaixiang": ["救助证号", "身份证号"], "ga_jiguan": ["编号"],
    "ga_cheliang": ["HPZL", "HPHM"], "rs_canbao": ["社会保障号码", "险种", "缴费月份", "单位名称"], "rs_daiyu": ["社会保障号码", "待遇类型", "发放月份"],
    "bdc_fangwu": ["不动产单元号", "证件号码"], "gjj_zhanghu": ["个人账号"], "sc_zhuti": ["统一社会信用代码", "证件号码", "职务"], "sw_geshui": ["申报序号"],
    "rh_cunkuan": ["银行代码", "证件号码"], "jr_zhengquan": ["机构", "账号"], "yb_jiesuan": ["结算流水号"],
}  # fmt: skip
MOVING = {"sw_geshui", "rs_canbao", "ga_cheliang", "rh_cunkuan", "mz_chengyuan"}
LEDGERS = ("sw_geshui", "rs_canbao", "ga_cheliang")


@cache
def people(order: Order = COUNTY, block: int = 0) -> pl.DataFrame:
    return people_of(order, block)


@cache
def lives(order: Order = COUNTY, block: int = 0) -> dict[str, pl.DataFrame]:
    return lives_of(order, block, people(order, block))


@cache
def members(order: Order = COUNTY) -> pl.DataFrame:
    return members_of(order, 0, people(order))


@cache
def outcomes() -> pl.DataFrame:
    """Facts, category and purpose of each case with somebody who counts."""
    named = members().select("case_id", "purpose").unique()
    return category(facts(members(), people(), lives())).join(named, on="case_id")


def of_purpose(purpose: str) -> pl.DataFrame:
    return outcomes().filter(pl.col("purpose") == purpose)


def night(number: int) -> Order:
    return replace(COUNTY, as_of=COUNTY.first_as_of + timedelta(days=number), night=number)


SIDES = {
    "dibao": ("income_dibao_under", "income_dibao_close_under", "financial24_under", "financial24_at", "vehicles_none", "dwellings_one", "premises_none",
              "companies_none", "age_15", "age_16", "age_59", "age_60", "card_2", "card_3", "card_3_mind", "card_not_valid", "supporter_with",
              "supporter_without", "two_aged", "widowed", "all_blank", "nothing_found", "plain_poor", "spouse_as_supporter", "flag_bank_small"),
    "margin": ("income_dibao_at", "income_dibao_over", "income_dibao_close_over", "income_margin_under", "income_margin_close_under", "financial24_margin_at",
               "single_elderly_at"),
    "rigid": ("income_rigid_under", "financial36_at", "financial_rigid_between", "premises_rigid", "medical_at", "medical_over"),
    "none": ("income_margin_at", "income_margin_over", "income_margin_close_over", "income_rigid_at", "income_rigid_over", "financial24_over",
             "financial_declared", "financial24_margin_over", "financial36_over", "vehicles_one", "dwellings_two", "premises_one", "companies_one",
             "medical_under", "plain_rich", "flag_bank_large"),
}  # fmt: skip


@pytest.mark.parametrize(("side", "purpose"), [(side, purpose) for side, names in SIDES.items() for purpose in names])
def test_a_purpose_reaches_its_side_of_the_line(side: str, purpose: str) -> None:
    cases = of_purpose(purpose)
    assert cases.height >= 3
    assert cases["category"].unique().to_list() == [side]


@pytest.mark.parametrize(("purpose", "fact", "limit", "away"), [
    ("income_dibao_under", "income", pl.col("line") * 12 * pl.col("n"), -1), ("income_dibao_at", "income", pl.col("line") * 12 * pl.col("n"), 0),
    ("income_dibao_over", "income", pl.col("line") * 12 * pl.col("n"), 1), ("income_margin_at", "income", pl.col("line") * 18 * pl.col("n"), 0),
    ("financial24_at", "financial", pl.col("line") * 24 * pl.col("n"), 0), ("financial24_over", "financial", pl.col("line") * 24 * pl.col("n"), 1),
    ("financial36_at", "financial", pl.col("line") * 36 * pl.col("n"), 0), ("medical_under", "medical", pl.col("income") * 6 // 10, -1),
    ("medical_at", "medical", pl.col("income") * 6 // 10, 0),
])  # fmt: skip
def test_families_stand_at_the_line_to_the_fen(purpose: str, fact: str, limit: pl.Expr, away: int) -> None:
    assert of_purpose(purpose).select((pl.col(fact) - limit).alias("away"))["away"].unique().to_list() == [away]


def test_ages_and_cards_are_the_ones_asked_for() -> None:
    named = members().filter(pl.col("role") == "共同生活成员").join(people(), on="pid")
    turned = {60: ("age_60", "age_59"), 16: ("age_16", "age_15")}
    for years, (reached, not_yet) in turned.items():
        due = pl.col("birth").dt.offset_by(f"{years}y") <= TODAY
        assert named.filter(pl.col("purpose") == reached).select(due)["birth"].all()
        assert not named.filter(pl.col("purpose") == not_yet).select(due)["birth"].any()
    grades = {"card_2": {2}, "card_3": {3}, "card_3_mind": {3}, "card_not_valid": {1, 2}}
    for purpose, known in grades.items():
        cards = named.filter(pl.col("purpose") == purpose)
        assert set(cards["card_grade"]) <= known
        assert (cards["card_state"] == "有效").all() == (purpose != "card_not_valid")


def test_every_alert_has_its_families() -> None:
    who = members().filter(pl.col("role") == "共同生活成员")
    dead = people().filter(pl.col("died") <= TODAY)
    running = lives()["mz_zaixiang"].filter(pl.col("享受截止年月").is_null() | (pl.col("享受截止年月") >= 202611))
    kinds = running.group_by("pid").agg(pl.col("救助业务名称").n_unique())
    outflow = lives()["rh_cunkuan"].join(who, on="pid").filter(pl.col("近半年大额支出") > 24 * pl.col("line"))
    wed = who.join(people().filter(pl.col("spouse").is_not_null()), on="pid")
    apart = wed.join(members(), left_on=["case_id", "spouse"], right_on=["case_id", "pid"], how="anti")
    found = {
        "dead": who.join(dead, on="pid").height, "dead and paid": who.join(dead, on="pid").join(running, on="pid").height,
        "two aids": kinds.filter(pl.col("救助业务名称") > 1).join(who, on="pid").height,
        "two cases": who.group_by("pid").len().filter(pl.col("len") > 1).height,
        "outflow": outflow.height, "not authorised": who.filter(~pl.col("authorised")).height, "spouse": apart.height,
    }  # fmt: skip
    shares = {name: count / COUNTY.cases for name, count in found.items()}
    assert all(0.004 < share < 0.12 for share in shares.values()), shares


def test_purposes_have_their_weights_in_counties_of_any_size() -> None:
    weight = purposes().at("weight", np.arange(len(purposes().names)))
    for cases in (150, 30_000):
        seen = np.bincount(purposes_of(np.arange(cases), seed=3), minlength=len(weight))
        assert np.abs(seen - cases * weight / weight.sum()).max() <= 3


def test_a_person_has_about_eleven_rows_beside_the_registers() -> None:
    usual = replace(COUNTY, cases=600)
    rows = {extract: frame.height / usual.persons for extract, frame in lives_of(usual, 0, people()).items()}
    assert 10 < sum(rows.values()) < 12
    asked = {"rs_canbao": 4.5, "rs_daiyu": 2.6, "sw_geshui": 1.7, "rh_cunkuan": 0.75, "yb_jiesuan": 0.55, "bdc_fangwu": 0.43, "ga_cheliang": 0.2}
    assert all(0.8 < rows[extract] / share < 1.2 for extract, share in asked.items()), rows


@pytest.mark.parametrize("extract", sorted(KEYS))
def test_keys_are_unique_in_and_across_blocks(extract: str) -> None:
    large = Order(persons=40_000, cases=800, seed=7, as_of=TODAY)
    blocks = [lives(large, block)[extract] for block in large.blocks]
    rows = pl.concat(blocks)
    assert not rows.select(KEYS[extract]).is_duplicated().any()
    assert rows["uid"].n_unique() == rows.height
    assert tuple(rows.columns[: len(HEADERS[extract])]) == HEADERS[extract]
    assert all(frame["uid"].is_sorted() for frame in blocks)


def test_the_other_nights_change_what_comes_anew_and_nothing_else() -> None:
    first, second = lives(), lives(night(1))
    assert {extract for extract in first if not first[extract].equals(second[extract])} == MOVING
    for extract in LEDGERS:
        before, after, key = first[extract], second[extract], KEYS[extract]
        new, gone = after.join(before, on=key, how="anti").height, before.join(after, on=key, how="anti").height
        other = after.height - new - after.join(before, on=after.columns, how="semi", nulls_equal=True).height
        assert min(new, gone, other) > 0
        assert 0.004 < (new + gone + other) / before.height < 0.016
    moved = second["rh_cunkuan"].join(first["rh_cunkuan"], on=KEYS["rh_cunkuan"])
    assert 0.2 < (moved["true_余额"] != moved["true_余额_right"]).mean() < 0.4
    assert second["rh_cunkuan"].height > first["rh_cunkuan"].height
    taken = members().join(members(night(1)), on=["case_id", "member_no"]).filter(pl.col("authorised") & ~pl.col("authorised_right"))
    assert 1 <= taken.height <= 40


def test_nights_build_on_each_other() -> None:
    two, three = lives(night(2))["rs_canbao"], lives(night(3))["rs_canbao"]
    same = two.join(three, on=two.columns, how="semi", nulls_equal=True).height
    assert same > 0.985 * two.height
    assert lives(night(2))["rs_canbao"].join(lives()["rs_canbao"], on="uid", how="anti").join(three, on="uid", how="semi").height > 0


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    again = lives_of(COUNTY, 0, people_of(COUNTY, 0))
    assert all(frame.equals(again[extract]) for extract, frame in lives().items())
    other = lives_of(replace(COUNTY, seed=8), 0, people_of(replace(COUNTY, seed=8), 0))
    assert not other["sw_geshui"].equals(lives()["sw_geshui"])


@pytest.mark.parametrize("order", [
    Order(persons=100, cases=12, seed=1, as_of=date(2027, 12, 31)), Order(persons=20_010, cases=30, seed=2, as_of=date(2026, 1, 5)),
    Order(persons=400, cases=0, seed=3, as_of=date(2025, 4, 1)),
])  # fmt: skip
def test_small_counties_and_every_month_of_the_year_can_be_made(order: Order) -> None:
    block = order.blocks[-1]
    assert sum(frame.height for frame in lives(order, block).values()) > 0
    assert lives(order, block)["mz_shenqing"].height == len(order.cases_of(block))


def test_deposits_are_told_by_amount_or_by_flag_at_the_limit_of_the_case() -> None:
    rows = lives()["rh_cunkuan"].join(members().filter(pl.col("role") == "共同生活成员").unique("pid", keep="first", maintain_order=True), on="pid")
    flagged = rows.filter(pl.col("是否超限").is_not_null())
    assert flagged.height > 20
    alone = flagged.join(members().group_by("pid").len().filter(pl.col("len") == 1), on="pid")
    assert ((alone["是否超限"] == "是") == (alone["true_余额"] > 24 * alone["line"])).all()
    assert rows.filter(pl.col("余额合计").is_not_null() & pl.col("是否超限").is_not_null()).is_empty()


def test_numbers_of_institutions_are_well_formed() -> None:
    codes = credit_codes(np.arange(0, 200_000_000, 400_000), "91")
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    assert codes.n_unique() == len(codes)
    assert all(sum(alphabet.index(letter) * 3**i for i, letter in enumerate(code[:17])) % 31 == (31 - alphabet.index(code[17])) % 31 for code in codes)
    units = unit_numbers(np.arange(0, 800_000_000, 1_600_001))
    assert units.n_unique() == len(units)
    assert units.str.len_chars().unique().to_list() == [28]
    assert plates(np.arange(0, 600_000_000, 1_200_007), np.zeros(500, dtype=bool)).n_unique() == 500
