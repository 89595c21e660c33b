"""Whose row it is: each sentence of the reference rules from both sides, on small made-up counties."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verify import link_scores
from verify.archive import Archive
from verify.identity.numbers import check_of
from verify.link_scores import MARGINS, SHIPPED, WEIGHTS, link_weights, name_weights, shipped_weights, with_names
from verify.linkage.model import Model, load_model, save_model
from verify.model import Arrived, Known, Part
from verify.pair_decisions import PairDecision, Place
from verify.pair_marks import write_marks
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook, load_rulebook
from verify.stages import match, standardise
from verify.stages.match_decided import DECIDED
from verify.stages.read import TROUBLES
from verify.store import open_store, read_frame, write_frame

RULES = Path(__file__).parents[2] / "rules"
AS_OF = date(2026, 11, 20)
ROSTER, APPLICATION, REGISTER, DEATHS, MARRIAGES, HOMES, BANKS, TAX = (
    "mz_chengyuan", "mz_shenqing", "ga_huji", "mz_huohua", "mz_hunyin", "bdc_fangwu", "rh_cunkuan", "sw_geshui",
)  # fmt: skip
TYPES = {"date": pl.Date, "month": pl.Date, "epoch_ms": pl.Date, "money": pl.Int64, "number": pl.Int64, "count": pl.Int64}


@lru_cache(maxsize=1)
def book() -> Rulebook:
    """The shipped extracts and matching rules, alone."""
    with TemporaryDirectory() as folder:
        for name in ("extracts", "matching"):
            shutil.copytree(RULES / name, Path(folder) / name)
        return load_rulebook(Path(folder))


def an_id(birth: str, number: int, division: str = "459901") -> str:
    """A valid ID; an odd number is a man's."""
    body = f"{division}{birth}{number:03d}"
    return body + check_of(body)


def wrong(known: str, at: int = 8) -> str:
    """The ID with one digit mistyped: never valid."""
    return known[:at] + str((int(known[at]) + 1) % 10) + known[at + 1 :]


@dataclass
class County:
    """Rows by extract, in the words of the page; `links` runs the two stages on them."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    made: tuple[pl.DataFrame, pl.DataFrame] | None = None
    decisions: dict[int, PairDecision] = field(default_factory=dict)
    seen: County | None = None  # what the archive had when officers decided; None: the same rows
    told: pl.DataFrame | None = None
    codes: set[str] = field(default_factory=set)
    margins: pl.DataFrame = field(default_factory=pl.DataFrame)
    model: Model | None = None  # by which links are weighed; None: the shipped one

    def add(self, extract: str, **columns: Any) -> int:
        """Add a row and give its number."""
        self.made = None
        self.rows.setdefault(extract, []).append(columns)
        return len(self.rows[extract])

    def lives(self, name: str, number: str | None, household: str = "H1", **more: Any) -> int:
        born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") if number and len(number) == 18 else None
        sex = None if number is None or len(number) != 18 else "1" if int(number[16]) % 2 else "2"
        return self.add(REGISTER, **{"户号": household, "姓名": name, "公民身份号码": number, "出生日期": born, "性别代码": sex} | more)

    def declares(self, name: str, number: str | None, case: str = "C1", **more: Any) -> int:
        """A member of a case with a valid authorisation; the first is the applicant."""
        first = not any(row["申请编号"] == case for row in self.rows.get(ROSTER, []))
        no = 1 + sum(row["申请编号"] == case for row in self.rows.get(ROSTER, []))
        standing = {"申请编号": case, "序号": no, "人员身份": "共同生活成员", "授权状态": "有效", "与申请人关系": "本人" if first else "其他"}
        return self.add(ROSTER, **standing | {"姓名": name, "身份证号": number} | more)

    def banks(self, name: str | None, number: str | None) -> int:
        return self.add(BANKS, 客户姓名=name, 证件号码=number)

    def owns(self, name: str, number: str | None, unit: str) -> int:
        return self.add(HOMES, 不动产单元号=unit, 权利人=name, 证件号码=number)

    def decides(self, what: str, extract: str, row: int, roster_row: int, *, side: str = "") -> int:
        """What an officer says of a row and of the person of a row of the roster; its number."""
        listed = (self.seen or self).rows[ROSTER][roster_row - 1]
        places = Place(extract, f"rows_{extract}", row, side), Place(ROSTER, f"rows_{ROSTER}", roster_row)
        self.made = None
        self.decisions[len(self.decisions) + 1] = PairDecision(what, *places, listed["申请编号"], listed["序号"], "见到原件")
        return len(self.decisions)

    def states(self) -> dict[int, str]:
        """What became of each decision."""
        self.run()
        return {} if self.told is None else dict(self.told.select("number", "state").unique().rows())

    def run(self, order: random.Random | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables links and persons. `order` shuffles the rows of every file, which keep their numbers."""
        if self.made is None or order:
            self.made = self._run(order)
        return self.made

    def _run(self, order: random.Random | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        with TemporaryDirectory() as folder:
            work = Path(folder)
            known = {code: self._known(extract, work, order) for code, extract in book().extracts.items()}
            nowhere = work / "none"
            arrived = Arrived(
                as_of=AS_OF, known=known, files=nowhere, refused=nowhere, warnings=nowhere, batches=nowhere, received=0, incomplete=False,
                troubles=work / "troubles.parquet", roster_refused=nowhere, decided=self._marks(work), weights=self._weights(work),
            )  # fmt: skip
            write_frame(pl.DataFrame(schema=TROUBLES), arrived.troubles)
            with open_store(work, threads=1 if order is None else 2) as store:
                spoken = standardise.people(store, arrived, book=book(), work=work).spoken
                made = match.links(store, arrived, spoken, book=book(), work=work)
            self.codes = set(read_frame(arrived.troubles)["code"])
            self.margins = read_frame(work / MARGINS)
            self.told = read_frame(work / DECIDED) if self.decisions else None
            return read_frame(made.links.path), read_frame(made.persons.path)

    def _weights(self, work: Path) -> Path | None:
        if self.model is None:
            return None
        write_frame(name_weights(self.model), work / link_scores.NAMES)
        write_frame(link_weights(self.model), work / WEIGHTS)
        return work / WEIGHTS

    def _marks(self, work: Path) -> Path | None:
        if not self.decisions:
            return None
        archive = work
        if self.seen is not None:
            archive = work / "seen"
            archive.mkdir()
            for extract in book().extracts.values():
                self.seen._known(extract, archive, None)
        write_marks(self.decisions, Archive(archive), book(), work / "marks.parquet")
        return work / "marks.parquet"

    def _known(self, extract: Extract, work: Path, order: random.Random | None) -> Known:
        if extract.extract not in self.rows:
            return Known(extract.extract, (), late=True, usable=False, as_of=None)
        rows = [{"_file": f"{extract.extract}.csv", "_row": n, "_as_of": AS_OF} | row for n, row in enumerate(self.rows.get(extract.extract, []), 1)]
        if order:
            order.shuffle(rows)
        schema = {"_file": pl.String, "_row": pl.Int32, "_as_of": pl.Date} | {c.column: TYPES.get(c.type, pl.String) for c in extract.columns}
        path = work / f"rows_{extract.extract}.parquet"
        write_frame(pl.DataFrame(rows, schema=schema, orient="row"), path)
        late = extract.extract in self.late
        return Known(extract.extract, (Part(path),), late=late, usable=not late or extract.plays.roster is not None, as_of=AS_OF)


def verdict(county: County, extract: str, row: int, *, case: str = "C1", member: int = 1, side: str = "") -> tuple[str, str] | None:
    """Status and method of one row for one person; None where there is no link."""
    links, _ = county.run()
    at = (pl.col("extract") == extract) & (pl.col("row") == row) & (pl.col("side") == side) & (pl.col("case_id") == case) & (pl.col("member_no") == member)
    found = links.filter(at).select("status", "method").rows()
    assert len(found) <= 1
    return found[0] if found else None


def reasons(county: County, extract: str, row: int) -> set[str]:
    links, _ = county.run()
    return {reason for found in links.filter((pl.col("extract") == extract) & (pl.col("row") == row))["reasons"] for reason in found}


MAN = an_id("19800305", 11)
WIFE = an_id("19820917", 22)
SON = an_id("20100601", 33)
STRANGER = an_id("19751111", 45, "450101")
ELDER, YOUNGER = an_id("20100601", 36), an_id("20100601", 38)


@pytest.fixture
def couple() -> County:
    """A couple with a son, declared as they are registered."""
    county = County()
    for name, number in (("李国强", MAN), ("王晓芬", WIFE), ("李明", SON)):
        county.lives(name, number)
        county.declares(name, number)
    return county


# --- (a) an equal ID --------------------------------------------------------------------------------------------------


def test_an_equal_id_with_the_name_is_theirs(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks("李国强", MAN)) == ("accepted", "exact_id")


def test_an_equal_id_without_a_name_is_theirs(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks(None, MAN)) == ("accepted", "exact_id")


def test_an_equal_id_with_a_strange_name_is_a_conflict(couple: County) -> None:
    row = couple.banks("赵大海", MAN)
    assert verdict(couple, BANKS, row) == ("rejected", "identity_conflict")
    assert "no_birth" in reasons(couple, BANKS, row)


@pytest.mark.parametrize(("born", "reason"), [(date(1980, 3, 5), "birth_equal"), (date(1960, 1, 1), "birth_differs")])
def test_a_conflict_says_whether_the_rows_own_birth_date_differs(couple: County, born: date, reason: str) -> None:
    row = couple.add(DEATHS, 逝者姓名="赵大海", 身份证号=MAN, 出生日期=born)
    assert reason in reasons(couple, DEATHS, row)


@pytest.mark.parametrize("name", ["李国墙", "季国强", "李國強", "李 国强", "李国qiang"])
def test_an_equal_id_with_one_slip_in_the_name_is_theirs(couple: County, name: str) -> None:
    assert verdict(couple, BANKS, couple.banks(name, MAN)) == ("accepted", "exact_id")


@pytest.mark.parametrize("name", ["李国芳", "李国", "李**", "liguoqiang"])
def test_an_equal_id_with_a_damaged_name_is_for_review(couple: County, name: str) -> None:
    assert verdict(couple, BANKS, couple.banks(name, MAN)) == ("review", "id_damaged_name")


def test_a_former_name_of_the_register_agrees() -> None:
    county = County()
    county.lives("李国强", MAN, 曾用名="李卫东")
    county.declares("李国强", MAN)
    assert verdict(county, BANKS, county.banks("李卫东", MAN)) == ("accepted", "exact_id")


def test_fifteen_digits_are_the_same_id(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks("李国强", MAN[:6] + MAN[8:17])) == ("accepted", "exact_id15")


def test_fifteen_digits_of_somebody_else_are_not(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks("李国强", "459901800305013")) in (None, ("rejected", "other_id"))


def test_fifteen_digits_declared_find_the_person(couple: County) -> None:
    county = County()
    county.lives("李国强", MAN)
    county.declares("李国强", MAN[:6] + MAN[8:17])
    assert verdict(county, REGISTER, 1) == ("accepted", "exact_id15")
    assert verdict(county, BANKS, county.banks("李国强", MAN)) == ("accepted", "exact_id")


@pytest.mark.parametrize("slip", [wrong(MAN), wrong(MAN, 16), MAN[:9] + MAN[10:], MAN[:4] + MAN[3:], MAN[:8] + MAN[9] + MAN[8] + MAN[10:], MAN[:17] + "9"])
def test_an_invalid_id_one_slip_away_is_theirs(couple: County, slip: str) -> None:
    assert verdict(couple, BANKS, couple.banks("李国强", slip)) == ("accepted", "corrected_id")


def test_two_slips_are_not_theirs(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks("李国强", wrong(wrong(MAN, 3), 12))) == ("rejected", "name_only")


def test_an_invalid_id_one_slip_away_with_another_name_is_nobodys(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks("赵大海", wrong(MAN))) is None


def test_a_valid_id_is_never_taken_for_another(couple: County) -> None:
    near = next(i for n in range(12, 999, 10) if (i := an_id("19800305", n)) != MAN)
    assert verdict(couple, BANKS, couple.banks("赵大海", near)) is None
    assert verdict(couple, BANKS, couple.banks("李国强", near)) == ("rejected", "other_id")


def test_an_invalid_id_near_two_people_of_one_name_is_for_review(couple: County) -> None:
    men = (an_id("19800305", n) for n in range(13, 999, 2))
    twin = next(i for i in men if sum(a != b for a, b in zip(i, MAN, strict=True)) == 2)
    differing = [at for at in range(18) if MAN[at] != twin[at]]
    between = MAN[: differing[0]] + twin[differing[0]] + MAN[differing[0] + 1 :]
    couple.lives("李国强", twin, "H9")
    assert verdict(couple, BANKS, couple.banks("李国强", between)) == ("review", "corrected_id")


def test_both_ids_of_the_applicant_are_declared(couple: County) -> None:
    county = County()
    county.lives("李国强", MAN)
    county.declares("李国强", None)
    county.add(APPLICATION, 申请编号="C1", 申请人姓名="李国强", 申请人身份证号=MAN)
    assert verdict(county, BANKS, county.banks("李国强", MAN)) == ("accepted", "exact_id")


# --- (b) name, birth date and sex -------------------------------------------------------------------------------------


def dead(county: County, name: str, born: date, sex: str = "男") -> int:
    return county.add(DEATHS, 逝者姓名=name, 出生日期=born, 性别=sex)


def test_name_birth_date_and_sex_that_nobody_shares_are_theirs(couple: County) -> None:
    assert verdict(couple, DEATHS, dead(couple, "李国强", date(1980, 3, 5))) == ("accepted", "name_birth_sex")


def test_somebody_of_the_register_who_shares_them_makes_it_grey(couple: County) -> None:
    couple.lives("李国强", an_id("19800305", 91, "450101"), "H7")
    assert verdict(couple, DEATHS, dead(couple, "李国强", date(1980, 3, 5))) == ("review", "name_birth_sex")


@pytest.mark.parametrize(("born", "sex"), [(date(1980, 3, 6), "男"), (date(1980, 3, 5), "女")])
def test_another_birth_date_or_sex_is_not_theirs(couple: County, born: date, sex: str) -> None:
    assert verdict(couple, DEATHS, dead(couple, "李国强", born, sex)) is None


def test_the_register_row_without_an_id_is_found_by_them() -> None:
    county = County()
    county.lives("李国强", None, 出生日期=date(1980, 3, 5), 性别代码="1")
    county.declares("李国强", MAN)
    assert verdict(county, REGISTER, 1) == ("accepted", "name_birth_sex")


# --- (c) the name and a second datum of the household -----------------------------------------------------------------


def test_a_joint_document_ties_the_name_to_the_household(couple: County) -> None:
    couple.owns("李国强", MAN, "U1")
    assert verdict(couple, HOMES, couple.owns("王晓芬", None, "U1"), member=2) == ("accepted", "name_document")


def test_a_joint_document_with_strangers_ties_nobody(couple: County) -> None:
    couple.owns("赵大海", STRANGER, "U1")
    assert verdict(couple, HOMES, couple.owns("王晓芬", None, "U1"), member=2) == ("rejected", "name_only")


def test_a_joint_document_where_another_of_the_family_fits_is_for_review(couple: County) -> None:
    couple.lives("王晓芬", an_id("19550101", 88))
    couple.owns("李国强", MAN, "U1")
    assert verdict(couple, HOMES, couple.owns("王晓芬", None, "U1"), member=2) == ("review", "name_document")


def test_the_other_side_of_a_marriage_is_a_joint_document(couple: County) -> None:
    row = couple.add(MARRIAGES, 登记字号="M1", 男方姓名="李国强", 男方身份证号=MAN, 女方姓名="王晓芬")
    assert verdict(couple, MARRIAGES, row, member=2, side="女方") == ("accepted", "name_document")
    assert verdict(couple, MARRIAGES, row, side="男方") == ("accepted", "exact_id")


@pytest.mark.parametrize("declared", [None, wrong(wrong(SON, 3), 12), MAN])
def test_name_and_household_find_who_has_no_id_of_their_own(declared: str | None) -> None:
    county = County()
    county.lives("李国强", MAN)
    county.lives("李明", SON)
    county.declares("李国强", MAN)
    county.declares("李明", declared)
    assert verdict(county, REGISTER, 2, member=2) == ("accepted", "name_household")
    assert verdict(county, BANKS, county.banks("李明", SON), member=2) == ("accepted", "exact_id")
    _, persons = county.run()
    assert persons.filter(pl.col("member_no") == 2)["ids"].to_list() == [[SON]]


def test_name_and_household_decide_nothing_where_two_fit() -> None:
    county = County()
    county.lives("李国强", MAN)
    county.lives("李明", SON)
    county.lives("李明", an_id("20120701", 55))
    county.declares("李国强", MAN)
    county.declares("李明", None)
    assert verdict(county, REGISTER, 2, member=2) == ("review", "name_household")


def test_a_namesake_in_another_household_is_not_found() -> None:
    county = County()
    county.lives("李国强", MAN)
    county.lives("李明", SON, "H2")
    county.declares("李国强", MAN)
    county.declares("李明", None)
    assert verdict(county, REGISTER, 2, member=2) is None


# --- the family -------------------------------------------------------------------------------------------------------


def test_the_id_of_another_of_the_family_is_grey_for_the_name_and_rejected_for_the_id(couple: County) -> None:
    row = couple.banks("王晓芬", MAN)
    assert verdict(couple, BANKS, row, member=2) == ("review", "name_family_id")
    assert verdict(couple, BANKS, row) == ("rejected", "family_id")


def test_the_same_holds_for_somebody_of_the_household_who_was_not_declared(couple: County) -> None:
    mother = an_id("19500202", 66)
    couple.lives("张桂兰", mother)
    assert verdict(couple, BANKS, couple.banks("李国强", mother)) == ("review", "name_family_id")
    row = couple.banks("张桂兰", MAN)
    assert verdict(couple, BANKS, row) == ("rejected", "family_id")
    assert "name_of_family" in reasons(couple, BANKS, row)


def test_a_name_that_fits_a_sibling_better_is_not_accepted() -> None:
    county = County()
    older, younger = an_id("20100601", 35), an_id("20100601", 37)
    for name, number in (("李晶", older), ("李静", younger)):
        county.lives(name, number)
        county.declares(name, number)
    row = county.banks("李静", older)
    assert verdict(county, BANKS, row, member=1) == ("review", "id_damaged_name")
    assert verdict(county, BANKS, row, member=2) == ("review", "name_family_id")
    assert verdict(county, BANKS, county.banks("李静", younger), member=2) == ("accepted", "exact_id")


@pytest.fixture
def sisters() -> County:
    """Two sisters of almost one name; the younger is declared under the ID of the elder."""
    county = County()
    for name, number in (("李国强", MAN), ("李晶", ELDER), ("李静", YOUNGER)):
        county.lives(name, number)
    county.declares("李国强", MAN)
    county.declares("李静", ELDER)
    return county


def test_a_sisters_id_does_not_make_somebody_the_sister(sisters: County) -> None:
    assert verdict(sisters, REGISTER, 2, member=2) in (None, ("review", "name_family_id"))
    assert verdict(sisters, REGISTER, 3, member=2) == ("review", "name_family_id")
    assert verdict(sisters, BANKS, sisters.banks("李静", ELDER), member=2) == ("review", "name_family_id")


def test_once_the_sister_is_known_the_other_is_too(sisters: County) -> None:
    sisters.declares("李晶", ELDER)
    assert verdict(sisters, REGISTER, 2, member=3) == ("accepted", "exact_id")
    assert verdict(sisters, REGISTER, 3, member=2) == ("accepted", "name_household")
    assert verdict(sisters, BANKS, sisters.banks("李静", YOUNGER), member=2) == ("accepted", "exact_id")


# --- a name alone, and who may be looked at ---------------------------------------------------------------------------


def test_a_name_alone_is_a_lead_and_no_more(couple: County) -> None:
    assert verdict(couple, BANKS, couple.banks("李国强", None)) == ("rejected", "name_only")


def test_an_invalid_id_that_is_a_namesakes_slip_is_no_lead(couple: County) -> None:
    couple.lives("李国强", STRANGER, "H8")
    assert verdict(couple, BANKS, couple.banks("李国强", wrong(STRANGER))) is None


def test_who_has_not_authorised_it_is_linked_only_to_what_says_who_counts() -> None:
    county = County()
    county.lives("李国强", MAN)
    county.declares("李国强", MAN, 授权状态="未签")
    death = county.add(DEATHS, 逝者姓名="李国强", 身份证号=MAN)
    county.banks("李国强", MAN)
    county.banks("赵大海", MAN)
    links, persons = county.run()
    assert links.select("extract", "row", "status").rows() == [(REGISTER, 1, "accepted"), (DEATHS, death, "accepted")]
    assert persons.select("birth", "birth_basis").rows() == [(date(1980, 3, 5), "id")]


def test_an_obligor_is_known_but_not_looked_at(couple: County) -> None:
    father = an_id("19500203", 71)
    couple.lives("李大山", father, "H5")
    couple.declares("李大山", father, 人员身份="法定赡养人")
    couple.banks("李大山", father)
    links, persons = couple.run()
    assert links.filter(pl.col("member_no") == 4).is_empty()
    assert persons.filter(pl.col("member_no") == 4).select("is_member", "ids").rows() == [(False, [father])]


def test_one_person_in_two_cases_has_links_in_both(couple: County) -> None:
    couple.declares("李国强", MAN, case="C2")
    couple.banks("李国强", MAN)
    links, _ = couple.run()
    ours = links.filter(pl.col("extract") == BANKS)
    assert ours["case_id"].to_list() == ["C1", "C2"]
    assert ours["person_id"].n_unique() == 1


def test_a_late_register_identifies_but_gives_no_links_and_no_facts() -> None:
    county = County(late={REGISTER})
    county.lives("李国强", MAN, 出生日期=date(1980, 3, 6))
    county.lives("李明", SON)
    county.declares("李国强", MAN)
    county.declares("李明", None)
    county.banks("李明", SON)
    links, persons = county.run()
    assert links.select("extract", "member_no", "status").rows() == [(BANKS, 2, "accepted")]
    assert persons.select("birth", "birth_basis", "household").rows() == [(date(1980, 3, 5), "id", None), (None, None, None)]


def test_the_birth_date_of_the_accepted_register_row_comes_first() -> None:
    county = County()
    county.lives("李国强", MAN, 出生日期=date(1980, 3, 6))
    county.declares("李国强", MAN)
    _, persons = county.run()
    assert persons.select("birth", "birth_basis", "birth_status", "household").rows() == [(date(1980, 3, 6), "register", "accepted", "H1")]


def test_a_number_used_twice_loses_nobody(couple: County) -> None:
    couple.declares("张桂兰", an_id("19500202", 66), 序号=2)
    _, persons = couple.run()
    assert persons.select("member_no", "name").rows() == [(1, "李国强"), (2, "王晓芬"), (3, "李明"), (4, "张桂兰")]


# --- promises ---------------------------------------------------------------------------------------------------------

NAMES = ["李国强", "李国墙", "李国芳", "王晓芬", "李明", "李静", "李晶", "赵大海"]
NUMBERS = [MAN, WIFE, SON, STRANGER, None, wrong(MAN), wrong(WIFE, 9), MAN[:6] + MAN[8:17], an_id("20100601", 35)]
PEOPLE = st.tuples(st.sampled_from(NAMES), st.sampled_from(NUMBERS), st.sampled_from(["H1", "H2"]))
ROWS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NUMBERS), st.sampled_from(["U1", "U2"]))
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


Told = Iterable[tuple[str, str | None, str]]


def made_of(people: Told, declared: Told, rows: Told) -> County:
    county = County()
    for name, number, household in people:
        county.lives(name, number, household)
    for name, number, case in declared:
        county.declares(name, number, case)
    for name, number, unit in rows:
        county.owns(name, number, unit)
        county.banks(name, number)
    return county


@FEW
@given(st.lists(PEOPLE, max_size=5), st.lists(PEOPLE, min_size=1, max_size=4), st.lists(ROWS, max_size=5), st.integers(0, 99))
def test_neither_the_order_of_rows_nor_an_unrelated_family_changes_anything(people: list[Any], declared: list[Any], rows: list[Any], seed: int) -> None:
    county = made_of(people, declared, rows)
    if seed % 4:
        county.lives("尉迟安", an_id("19500101", 77, "450202"), "H98")  # there is a register, whoever stands in it
    (links, persons), margins, (again, persons_again) = county.run(), county.margins, county.run(random.Random(seed))
    assert county.margins.equals(margins)
    assert links.equals(again)
    assert persons.equals(persons_again)
    if REGISTER not in county.rows:
        return  # whoever comes to it brings the register
    newcomer = an_id("19660606", 99, "450202")
    county.lives("欧阳震", newcomer, "H99")
    county.declares("欧阳震", newcomer, "C99")
    county.banks("欧阳震", newcomer)
    after, _ = county.run()
    assert after.filter(pl.col("case_id") != "C99").equals(links)


@FEW
@given(st.lists(PEOPLE, max_size=5), st.lists(PEOPLE, min_size=1, max_size=4), st.lists(st.sampled_from(NAMES), min_size=1, max_size=6))
def test_nothing_is_accepted_on_a_name_alone(people: list[Any], declared: list[Any], names: list[str]) -> None:
    county = made_of(people, declared, [])
    for name in names:
        county.banks(name, None)
        county.add(TAX, 纳税人姓名=name)
    links, _ = county.run()
    assert set(links.filter(pl.col("extract").is_in([BANKS, TAX]))["status"]) <= {"rejected"}


# --- a night that knows no register -----------------------------------------------------------------------------------


def unregistered() -> County:
    county = County()
    county.declares("李国强", MAN)
    return county


def test_without_a_register_a_strange_name_may_be_a_former_one() -> None:
    county = unregistered()
    assert verdict(county, BANKS, county.banks("赵大海", MAN)) == ("review", "identity_conflict")


def test_without_a_register_nobody_can_say_that_no_other_shares_name_birth_date_and_sex() -> None:
    county = unregistered()
    assert verdict(county, DEATHS, dead(county, "李国强", date(1980, 3, 5))) == ("review", "name_birth_sex")


# --- what a link weighs -----------------------------------------------------------------------------------------------


def test_what_is_better_known_weighs_more_and_nothing_hangs_on_it(couple: County) -> None:
    exact, slip, bare = couple.banks("李国强", MAN), couple.banks("李国强", wrong(MAN)), couple.banks("李国强", None)
    borrowed, foreign = couple.banks("李国强", WIFE), couple.banks("赵春梅", MAN)
    links, _ = couple.run()
    said = {row: (status, score) for row, status, score in links.filter(extract=BANKS, member_no=1).select("row", "status", "score").iter_rows()}
    assert [said[row][0] for row in (exact, slip, bare, borrowed, foreign)] == ["accepted", "accepted", "rejected", "review", "rejected"]
    assert said[exact][1] > said[slip][1] > said[borrowed][1] > said[foreign][1]
    heavier = link_weights(replace(load_model(SHIPPED), shares=(0, *load_model(SHIPPED).shares[1:])))
    assert (heavier["bits"] >= shipped_weights()["bits"]).all()


def test_a_name_that_many_bear_weighs_less_where_the_model_knows_names(couple: County, tmp_path: Path) -> None:
    plain = load_model(SHIPPED)
    assert with_names(plain, pl.Series(["李国强"] * 9)) == plain, "of few nothing is kept"
    many = with_names(plain, pl.Series(["李国强"] * 5_000 + ["李明"] * 20 + [f"甲{at}" for at in range(90_000)] + [None]))
    assert set(many.names) == {"李国强", "李明"}
    assert many.names["李国强"] < many.names["李明"] < 0 < many.rare
    save_model(many, tmp_path / "model.json")
    assert load_model(tmp_path / "model.json") == many
    assert many.digest != plain.digest == replace(many, names={}).digest
    for name, number in (("李国强", MAN), ("李明", SON), ("王晓芬", WIFE), ("李国墙", MAN)):
        couple.banks(name, number)
    couple.banks("赵大海", MAN)
    (before, _), couple.model, couple.made = couple.run(), many, None
    after, _ = couple.run()
    assert after.drop("score").equals(before.drop("score")), "what is accepted hangs on it nowhere"
    moved = dict(zip(after.filter(extract=BANKS)["row"], (after["score"] - before["score"]).filter(after["extract"] == BANKS), strict=True))
    assert moved == {1: many.names["李国强"], 2: many.names["李明"], 3: many.rare, 4: many.names["李国强"], 5: 0}, "a foreign name is not weighed by it"


def test_a_row_that_two_could_own_says_by_how_much_the_one_stands_before_the_other(couple: County) -> None:
    borrowed, clear = couple.banks("李国强", WIFE), couple.banks("李国强", MAN)
    couple.lives("李国强", STRANGER[:6] + MAN[6:14] + STRANGER[14:17] + check_of(STRANGER[:6] + MAN[6:14] + STRANGER[14:17]), "H9")
    twins = dead(couple, "李国强", date(1980, 3, 5))
    couple.run()
    told = {(e, row, member): more for e, row, member, *more in couple.margins.select(
        "extract", "row", "member_no", "ahead", "second_method", "second_case", "second_member").iter_rows()}  # fmt: skip
    assert set(told) == {(BANKS, borrowed, 1), (BANKS, borrowed, 2), (DEATHS, twins, 1)}, "an equal ID under the own name leaves nobody else in question"
    ours, theirs = told[BANKS, borrowed, 1], told[BANKS, borrowed, 2]
    assert (ours[0], theirs[0]) == (-theirs[0], -ours[0])
    assert ours[0] > 0
    assert (ours[1:], theirs[1:]) == (["family_id", "C1", 2], ["name_family_id", "C1", 1])
    assert told[DEATHS, twins, 1] == [0, "name_birth_sex", None, None], "somebody of the register, on no list, fits as well"
    assert couple.margins.filter(extract=BANKS, row=clear).is_empty()


def test_every_way_to_find_and_to_name_has_a_weight() -> None:
    weights, methods, names = shipped_weights(), set(match._METHOD_RANKS), set(match._NAME_RANKS)
    assert (set(weights["method"]), set(weights["name_reason"])) == (methods, names)
    assert weights.height == weights.select("method", "name_reason", "birth", "sex").n_unique() == len(methods) * len(names) * 9
    assert weights.filter(method="officer")["bits"].unique().to_list() == [40_000]
