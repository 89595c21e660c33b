"""The made-up county's people are what it says they are: ages, households, names, kin, identity; and they stay who they are from night to night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from fixtures.county.order import BLOCK, Order
from fixtures.county.people import people_of
from fixtures.county.registers import registers_of
from fixtures.county.vocabulary import table

COUNTY = Order(persons=3 * BLOCK, cases=900, seed=20261120, as_of=date(2026, 11, 20))
YEAR = 365.2425
ONE_IN_A_THOUSAND = 3.0902  # of the standard normal distribution
CLUSTERED = 1.25  # ages in one household hang together: measured mean of chi-squared per degree of freedom


@cache
def people(order: Order = COUNTY) -> pl.DataFrame:
    everybody = pl.concat([people_of(order, block) for block in order.blocks])
    return everybody.with_columns(((pl.lit(order.first_as_of) - pl.col("birth")).dt.total_days() / YEAR).alias("age"))


def chi_squared(seen: npt.ArrayLike, shares: npt.ArrayLike) -> float:
    counts, wanted = np.asarray(seen, dtype=float), np.asarray(shares, dtype=float)
    expected = counts.sum() * wanted / wanted.sum()
    return float(((counts - expected) ** 2 / expected).sum())


def critical(freedom: int, z: float = ONE_IN_A_THOUSAND) -> float:
    """The quantile of chi-squared that one true county in a thousand passes (Wilson and Hilferty, 1931)."""
    return float(freedom * (1 - 2 / (9 * freedom) + z * np.sqrt(2 / (9 * freedom))) ** 3)


def share(expression: pl.Expr) -> float:
    return float(people().select(expression.mean()).item())


def beside(column: str, *wanted: str) -> pl.DataFrame:
    """Everybody who has such a relative, with the relative's columns as other_…"""
    other = people().select(pl.col("pid").alias(column), *(pl.col(name).alias(f"other_{name}") for name in wanted))
    return people().filter(pl.col(column).is_not_null()).join(other, on=column, how="left")


def test_critical_value_is_that_of_the_tables() -> None:
    assert critical(10) == pytest.approx(29.59, abs=0.2)


def test_households_have_the_sizes_of_the_census() -> None:
    sizes = people().group_by("household").len()["len"].clip(upper_bound=8).value_counts().sort("len")["count"]
    assert chi_squared(sizes, table("household_sizes")["share"].cast(float)) < critical(7)
    assert people().height / people()["household"].n_unique() == pytest.approx(2.62, abs=0.04)


def test_ages_and_sexes_are_those_declared() -> None:
    rows = table("ages").cast(pl.Float64)
    groups = people().group_by((pl.col("age") // 5).clip(upper_bound=17).alias("group")).agg(pl.len(), (pl.col("sex") == 1).sum().alias("men")).sort("group")
    assert chi_squared(groups["len"], rows["share"]) / CLUSTERED < critical(17)
    expected = groups["len"] * rows["male"] / 100
    assert float(((groups["men"] - expected) ** 2 / (expected * (1 - rows["male"] / 100))).sum()) < critical(18)


def test_declared_ages_are_near_the_census() -> None:
    rows = table("ages").cast(pl.Float64)
    assert (rows["share"] - rows["census"]).abs().max() < 1.5
    old, child = share(pl.col("age") >= 60), share(pl.col("age") < 15)
    assert 0.187 < old < 0.22
    assert child == pytest.approx(0.1795, abs=0.02)
    assert share(pl.col("sex") == 1) == pytest.approx(0.5124, abs=0.01)


def test_surnames_of_the_han_are_those_of_the_report() -> None:
    heads = people().filter(pl.col("head"), pl.col("nation") == "01", pl.col("father").is_null())
    rows = table("surnames").with_columns(pl.col("share").cast(float))
    top = rows.head(30)
    seen = [heads.filter(pl.col("surname") == name).height for name in top["surname"]]
    assert chi_squared([*seen, heads.height - sum(seen)], [*top["share"], rows["share"].sum() - top["share"].sum()]) < critical(30)
    assert rows.head(5)["share"].sum() == pytest.approx(30.8)
    assert rows.head(100)["share"].sum() == pytest.approx(85.9, abs=0.1)
    assert people().filter(pl.col("surname") == "欧阳").height > 0


def test_peoples_have_their_shares_and_their_styles_of_names() -> None:
    rows = table("nations").with_columns(pl.col("share").cast(float))
    seen = [people().filter(pl.col("nation") == code).height for code in rows["code"]]
    assert np.asarray(seen) / people().height * 100 == pytest.approx(rows["share"].to_numpy(), rel=0.4, abs=0.1)
    assert people().filter(pl.col("nation") == "05")["name"].str.contains("^[^·]+·[^·]+$").all()
    for code in ("02", "04", "07"):
        assert (people().filter(pl.col("nation") == code)["surname"] == "").all()
    zhuang = people().filter(pl.col("nation") == "08", pl.col("head"))["surname"].value_counts(sort=True)["surname"]
    assert set(zhuang.head(3)) == {"韦", "黄", "覃"}


def test_given_names_follow_the_fashion_of_their_years() -> None:
    born = pl.col("birth").dt.year()
    shapes = table("given_shape").cast(pl.Float64)
    for since, until, single in zip(shapes["since"], [*shapes["since"][1:], 2100], shapes["single"], strict=True):
        some = people().filter(born >= since, born < until, pl.col("nation") == "01", pl.col("twin").is_null())["given"].str.len_chars()
        assert (some == 1).mean() == pytest.approx(single / 100, abs=4 * np.sqrt(single / 100 / some.len()) + 0.01)
    assert people().filter(pl.col("given") == "建国", born < 1965).height > 10 * people().filter(pl.col("given") == "建国", born >= 1995).height
    assert people().filter(pl.col("given") == "梓涵")["birth"].dt.year().min() >= 2000
    assert people().filter(pl.col("given") == "秀英")["sex"].unique().to_list() == [2]


def test_common_characters_are_in_gbk_and_rare_ones_are_there_at_their_rate() -> None:
    words = "".join([*table("surnames")["surname"], *table("given")["words"], *table("foreign_style")["words"], *table("towns")["places"]])
    rare = dict(table("rare").iter_rows())
    assert len((words + rare["gbk"]).encode("gbk")) > 0
    for character in rare["wide"]:
        with pytest.raises(UnicodeEncodeError):
            character.encode("gbk")
    assert share(pl.col("name").str.contains(f"[{rare['wide']}]")) == pytest.approx(0.001, abs=0.0005)
    assert any(ord(character) > 0xFFFF for name in people()["name"] for character in name)
    assert share(pl.col("former_name").is_not_null()) == pytest.approx(0.023, abs=0.003)


def test_ids_are_valid_unique_and_say_birth_and_sex() -> None:
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    digits = np.array([[int(character) for character in text[:17]] for text in people()["id"]])
    checks = ["10X98765432"[rest] for rest in digits @ weights % 11]
    assert people()["id"].str.slice(17).to_list() == checks
    assert people()["id"].n_unique() == people().height
    assert (people()["id"].str.slice(6, 8) == people()["birth"].dt.strftime("%Y%m%d")).all()
    assert (digits[:, 16] % 2 == (people()["sex"] == 1).to_numpy()).all()


def test_ids_stay_unique_in_the_largest_county_there_is() -> None:
    order = replace(COUNTY, persons=10_000_000)
    some = pl.concat([people_of(order, block).select("id", "phone", "pid") for block in (0, 1, 49, 50, 499)])
    assert some["id"].n_unique() == some.height
    assert some["phone"].drop_nulls().is_unique().all()


def test_division_codes_are_those_of_the_year_of_birth() -> None:
    own = people().filter(pl.col("id").str.head(6).is_in(["459999", "452999"]))
    assert 0.6 < own.height / people().height < 0.95
    assert ((own["birth"].dt.year() >= 1995) == (own["id"].str.head(6) == "459999")).all()


@pytest.mark.parametrize(("parent", "sex"), [("father", 1), ("mother", 2)])
def test_parents_are_older_and_of_the_right_sex(parent: str, sex: int) -> None:
    children = beside(parent, "birth", "sex", "age", "surname")
    older = children["other_age"] - children["age"]
    assert (children["other_sex"] == sex).all()
    assert older.min() > 16
    assert older.max() < 56
    if parent == "father":
        assert (children["surname"] == children["other_surname"]).mean() > 0.95


def test_couples_are_a_man_and_a_woman_who_name_each_other_and_some_live_apart() -> None:
    couples = beside("spouse", "sex", "spouse", "household", "birth", "married_on")
    assert (couples["sex"] != couples["other_sex"]).all()
    assert (couples["pid"] == couples["other_spouse"]).all()
    assert (couples["married_on"] == couples["other_married_on"]).all()
    grown = (couples["married_on"] - couples["birth"]).dt.total_days() / YEAR
    assert grown.min() >= 20
    assert (couples["household"] != couples["other_household"]).mean() == pytest.approx(0.03, abs=0.006)
    assert (couples["married_on"] < couples["died"].fill_null(date(2100, 1, 1))).all()


def test_relations_to_the_head_make_sense() -> None:
    head = people().filter(pl.col("head")).select("household", pl.col("pid").alias("head_pid"), pl.col("age").alias("head_age"))
    mates = people().join(head, on="household", how="left")
    assert mates.filter(pl.col("head")).height == people()["household"].n_unique()
    gap = (pl.col("age") - pl.col("head_age")).alias("gap")
    down = {"子": (-56, -16), "女": (-56, -16), "孙子女": (-80, -30)}
    bounds = down | {"父": (16, 56), "母": (16, 50), "祖父母": (34, 90), "兄弟姐妹": (-20, 20), "配偶": (-15, 15)}
    for relation, (low, high) in bounds.items():
        gaps = mates.filter(pl.col("relation") == relation).select(gap)["gap"]
        assert gaps.len() > 0
        assert gaps.is_between(low, high).all(), relation
    assert (mates.filter(pl.col("relation") == "子")["sex"] == 1).all()
    assert mates.filter(pl.col("relation") == "配偶")["spouse"].equals(mates.filter(pl.col("relation") == "配偶")["head_pid"].alias("spouse"))


def test_nobody_shares_a_name_with_a_person_of_the_household() -> None:
    assert not people().select(pl.struct("household", "name").is_duplicated()).to_series().any()


def test_twins_are_born_on_one_day_in_one_household() -> None:
    twins = beside("twin", "birth", "household", "twin", "mother")
    assert (twins["birth"] == twins["other_birth"]).all()
    assert (twins["household"] == twins["other_household"]).all()
    assert (twins["pid"] == twins["other_twin"]).all()
    assert twins.height / people().height == pytest.approx(0.003, abs=0.001)


def test_there_are_namesakes_of_one_birth_date_with_other_ids() -> None:
    alike = people().filter(pl.struct("name", "birth", "sex", "town").is_duplicated())
    assert 0.0005 < alike.height / people().height < 0.003


def test_people_turn_of_an_age_that_matters_today_or_tomorrow() -> None:
    for age in (16, 18, 60):
        birthday = date(2026 - age, 11, 20)
        for day in (birthday, birthday + timedelta(days=1)):
            assert people().filter(pl.col("birth") == day).height >= 3


def test_many_of_the_old_have_grown_children_elsewhere() -> None:
    children = beside("mother", "household")
    elsewhere = children.filter(pl.col("household") != pl.col("other_household"), pl.col("relation").is_in(["户主", "配偶"]))
    assert 0.03 < elsewhere.height / people().height < 0.15
    assert elsewhere["age"].min() > 18


def test_blocks_know_nothing_of_each_other_and_the_same_seed_makes_the_same_people() -> None:
    assert people_of(COUNTY, 2).equals(people().drop("age").slice(2 * BLOCK))
    assert not people_of(replace(COUNTY, seed=1), 2).equals(people().drop("age").slice(2 * BLOCK))


def test_a_small_county_has_deaths_and_moves_every_night_and_nothing_else_changes() -> None:
    small = replace(COUNTY, persons=6_000)
    before, rows = people_of(small, 0), registers_of(small, 0, people_of(small, 0))
    for night in (1, 2, 3):
        later = replace(small, night=night, as_of=small.as_of + timedelta(days=night))
        after = people_of(later, 0)
        new = after.filter(pl.col("died").is_not_null() & (pl.col("died") > later.as_of - timedelta(days=1)))
        assert new.height >= 1
        assert (after.filter(pl.col("cancelled_on") == later.as_of)["cancelled"] == "2").sum() >= 1
        assert [name for name in before.columns if not before[name].equals(after[name])] == ["died", "cancelled", "cancelled_on"]
        told = registers_of(later, 0, after)
        assert [name for name in rows if not rows[name].equals(told[name])] == ["ga_huji"]
        known = before.filter(pl.col("died").is_not_null() | (pl.col("cancelled") != "0"))
        assert known.equals(after.filter(pl.col("pid").is_in(known["pid"].implode())))
        before, rows = after, told


def test_registers_hold_the_people_and_no_number_twice() -> None:
    everybody = people_of(COUNTY, 1)
    rows = registers_of(COUNTY, 1, everybody)
    assert rows["ga_huji"].height == everybody.height
    for name, key in (("ga_huji", "公民身份号码"), ("mz_hunyin", "登记字号"), ("mz_huohua", "火化证号"), ("cl_canji", "残疾人证号")):
        assert rows[name][key].is_unique().all()
        assert rows[name]["uid"].is_sorted()
        assert rows[name]["uid"].is_unique().all()
    assert set(rows["mz_hunyin"]["登记类型"]) == {"结婚", "离婚", "补领"}


def test_every_death_is_known_to_a_register_and_some_to_only_one() -> None:
    everybody = people_of(COUNTY, 1)
    rows = registers_of(COUNTY, 1, everybody)
    dead = everybody.filter(pl.col("died").is_not_null())
    burnt = dead["pid"].is_in(rows["mz_huohua"]["pid"].implode())
    shown = dead["cancelled"] == "1"
    assert (burnt | shown).all()
    for some in (burnt & ~shown, ~burnt & shown, shown & dead["cancelled_on"].is_null()):
        assert some.sum() > 0
    assert dead.height / everybody.height == pytest.approx(0.022, abs=0.005)


def test_cards_have_classes_grades_and_states() -> None:
    held = people().filter(pl.col("card_class").is_not_null())
    assert held.height / people().height == pytest.approx(0.06, abs=0.006)
    assert chi_squared(held["card_grade"].value_counts().sort("card_grade")["count"], (13, 30, 26, 31)) < critical(3)
    rows = registers_of(COUNTY, 0, people_of(COUNTY, 0))["cl_canji"]
    assert rows["残疾人证号"].str.contains("^[0-9]{17}[0-9X][1-7][1-4](B1)?$").all()
