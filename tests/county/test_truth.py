"""The truth of made-up cases against the reference rules, sentence by sentence: families on both sides of every threshold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fixtures.county.order import Order
from fixtures.county.truth import Truth
from tests.county.hand_made import AS_OF, CASE, OLD, Told, Town, alone, paid, pension, saved, told, two

YEAR = 960_000  # twelve urban lines, fen


BOTH_SIDES: dict[str, tuple[Town, str, Town, str]] = {
    "income under the line": (pension(alone(), YEAR - 1), "dibao", pension(alone(), YEAR), "margin"),
    "income of the country line": (pension(alone(urban=False), 635_999), "dibao", pension(alone(urban=False), 636_000), "margin"),
    "income under one and a half lines": (pension(alone(), YEAR * 3 // 2 - 1), "margin", pension(alone(), YEAR * 3 // 2), "none"),
    "a head, not a household": (pension(two(), YEAR * 2 - 1), "dibao", pension(two(), YEAR * 2), "margin"),
    "nine tenths of a wage": (paid(alone(), 1_066_666), "dibao", paid(alone(), 1_066_667), "margin"),
    "deposits of 24 lines a head": (saved(alone(), 1_920_000), "dibao", saved(alone(), 1_920_001), "none"),
    "a declared fortune counts": (alone(申报金融资产=1_920_000), "dibao", alone(申报金融资产=1_920_001), "none"),
    "a declared wage counts": (alone(申报月工资性收入=79_999), "dibao", alone(申报月工资性收入=80_000), "margin"),
    "a car": (alone().row("ga_cheliang", 1, ZT="M"), "dibao", alone().row("ga_cheliang", 1, ZT=None), "none"),
    "a motorcycle is none": (alone().row("ga_cheliang", 1, HPZL="07"), "dibao", alone().row("ga_cheliang", 1, HPZL="52"), "none"),
    "two dwellings": (alone().row("bdc_fangwu", 1), "dibao", alone().row("bdc_fangwu", 1).row("bdc_fangwu", 1, 不动产单元号="U2"), "none"),
    "a shared dwelling": (two().row("bdc_fangwu", 1).row("bdc_fangwu", 2), "dibao", two().row("bdc_fangwu", 1).row("bdc_fangwu", 2, 不动产单元号="U2"), "none"),
    "other premises": (alone().row("bdc_fangwu", 1, 规划用途="车库", 权属状态="历史"), "dibao", alone().row("bdc_fangwu", 1, 规划用途="车库"), "none"),
    "a company": (alone().row("sc_zhuti", 1, 职务="监事"), "dibao", alone().row("sc_zhuti", 1), "none"),
    "a company that runs": (alone().row("sc_zhuti", 1, 登记状态="吊销"), "dibao", alone().row("sc_zhuti", 1, 主体类型="个人独资企业"), "none"),
    "sixty years of age": (alone(OLD), "tekun", alone("1966-11-21"), "dibao"),
    "sixteen years of age": (alone("2010-11-21"), "tekun", alone("2010-11-20"), "dibao"),
    "a card of grade 2": (alone().row("cl_canji", 1, 残疾等级=2), "tekun", alone().row("cl_canji", 1, 残疾等级=3), "dibao"),
    "a card of grade 3 of the mind": (
        alone().row("cl_canji", 1, 残疾等级=3, 残疾类别="精神"), "tekun", alone().row("cl_canji", 1, 残疾等级=1, 证件状态="过期"), "dibao",
    ),
    "medical costs of three fifths": (
        pension(alone(), 2_000_000).row("yb_jiesuan", 1, 政策内自付=1_200_000), "rigid",
        pension(alone(), 2_000_000).row("yb_jiesuan", 1, 政策内自付=1_199_999), "none",
    ),
    "income for rigid": (
        pension(alone(), 4_299_999).row("yb_jiesuan", 1, 政策内自付=9_000_000), "rigid",
        pension(alone(), 4_300_000).row("yb_jiesuan", 1, 政策内自付=9_000_000), "none",
    ),
    "36 lines for rigid": (
        saved(alone().row("yb_jiesuan", 1, 政策内自付=100_000), 2_880_000), "rigid", saved(alone().row("yb_jiesuan", 1, 政策内自付=100_000), 2_880_001), "none",
    ),
    "aid is taken off": (
        pension(alone(), 2_000_000).row("yb_jiesuan", 1, 政策内自付=1_300_000, 政策外自费=None, 医疗救助=None), "rigid",
        pension(alone(), 2_000_000).row("yb_jiesuan", 1, 政策内自付=1_300_000, 医疗救助=100_001), "none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BOTH_SIDES)
def test_a_family_on_each_side_of_a_threshold(what: str) -> None:
    here, due, there, not_due = BOTH_SIDES[what]
    for town, category in ((here, due), (there, not_due)):
        case = told(town)
        assert (case.true_category, case.ideal_category) == (category, category)


def test_the_lines_rose_in_july() -> None:
    town = alone().row("rs_daiyu", 1, 发放月份=202601, 发放金额=YEAR - 1)
    assert told(town, as_of=date(2026, 6, 30)).ideal_category == "margin"
    assert told(town, as_of=date(2026, 7, 1)).ideal_category == "dibao"


def test_a_supporter_shuts_tekun() -> None:
    town = Town()
    old, child = town.person(OLD), town.person()
    assert told(town.case(old, supporters=(child,))).ideal_category == "dibao"


COUNTED: dict[str, tuple[Town, float, float | None]] = {
    "a period over the edge": (paid(alone(), 1_200_000, 税款所属期起=date(2025, 1, 1), 税款所属期止=date(2025, 12, 31)), 0, 900.0),
    "a period outside": (paid(alone(), 1_200_000, 税款所属期起=date(2025, 10, 1), 税款所属期止=date(2025, 10, 31)), 0, 0),
    "contributions alone": (alone().row("rs_canbao", 1, 缴费基数=400_000).row("rs_canbao", 1, 缴费基数=300_000), 140.25, 300.0),
    "contributions beside a wage": (paid(alone(), 120_000).row("rs_canbao", 1, 缴费基数=400_000), 90.0, 90.0),
    "contributions beside a wage of before": (
        paid(alone(), 120_000, 税款所属期起=date(2025, 1, 1), 税款所属期止=date(2025, 1, 31)).row("rs_canbao", 1, 缴费基数=100_000), 75.0, 75.0),
    "contributions that pause": (alone().row("rs_canbao", 1, 缴费基数=400_000, 参保状态="暂停缴费"), 0, 0),
    "a business without costs told": (paid(alone(), 120_000, 所得项目="经营所得", 费用=None), 0, 100.0),
    "a business that loses": (paid(alone(), 120_000, 所得项目="经营所得", 费用=200_000), 0, 0),
    "a shop without a return": (alone().row("sc_zhuti", 1, 主体类型="个体工商户", 职务="经营者"), 0, None),
    "a shop with a return": (paid(alone(), 120_000, 所得项目="经营所得").row("sc_zhuti", 1, 主体类型="个体工商户", 职务="经营者"), 100.0, 100.0),
    "rent and luck": (paid(paid(alone(), 120_000, 所得项目="财产租赁所得"), 999_000, 所得项目="偶然所得"), 100.0, 100.0),
    "residents' pensions": (alone().row("rs_daiyu", 1, 待遇类型="城乡居民基础养老金", 发放金额=120_000), 0, 0),
    "declared is the greater": (pension(alone(申报月转移净收入=20_000), 120_000), 200.0, 200.0),
    "a grey wage beside contributions": (
        paid(alone(), 400_000, recoverable=False, 纳税人姓名="韦二?").row("rs_canbao", 1, 缴费基数=120_000), 90.0, 300.0),
    "a grey pension": (alone().row("rs_daiyu", 1, 发放金额=120_000, recoverable=False, 姓名="韦二?"), 0, 100.0),
    "a name and nothing else": (alone().row("rs_daiyu", 1, 发放金额=120_000, recoverable=False, 社会保障号码=None), 0, 0),
    "a namesake's row": (alone().row("rs_daiyu", None, 发放金额=120_000, recoverable=False, like=1, 姓名="韦二民", 社会保障号码="450102199001010018"), 0, 0),
    "a refused row": (pension(alone(), 120_000).row("rs_daiyu", 1, 发放金额=50_000, status="refused"), 100.0, 100.0),
    "a second copy": (pension(alone(), 120_000).row("rs_daiyu", 1, 发放金额=120_000, status="duplicate"), 100.0, 100.0),
}  # fmt: skip


@pytest.mark.parametrize("what", COUNTED)
def test_income_a_head(what: str) -> None:
    town, low, high = COUNTED[what]
    case = told(town)
    assert (case.ideal_monthly_income_low, case.ideal_monthly_income_high) == (low, high)
    assert case.grey or low <= case.true_monthly_income <= (high if high is not None else float("inf"))


LIMIT = 19_200.0
DEPOSITS: dict[str, tuple[Town, float, float | None]] = {
    "over by flag": (alone().row("rh_cunkuan", 1, 余额合计=None, 是否超限="是"), LIMIT + 0.01, None),
    "under by flag": (alone().row("rh_cunkuan", 1, 余额合计=None, 是否超限="否"), 0, LIMIT),
    "neither": (alone().row("rh_cunkuan", 1, 余额合计=None), 0, None),
    "papers and funds": (saved(alone(), 100).row("jr_zhengquan", 1, 市值=200).row("gjj_zhanghu", 1, 账户余额=300), 6.0, 6.0),
    "a closed fund": (alone().row("gjj_zhanghu", 1, 账户余额=300, 账户状态="销户"), 0, 0),
    "a blank paper": (saved(alone(), 100).row("jr_zhengquan", 1, 市值=None), 1.0, None),
}


@pytest.mark.parametrize("what", DEPOSITS)
def test_financial_assets(what: str) -> None:
    town, low, high = DEPOSITS[what]
    case = told(town)
    assert (case.ideal_financial_low, case.ideal_financial_high) == (low, high)
    assert low <= case.true_financial <= (high if high is not None else float("inf"))


def test_open_tests_are_those_before_the_branch_that_holds() -> None:
    case = told(paid(alone(), 1_200_000, 税款所属期起=date(2025, 5, 1), 税款所属期止=date(2026, 4, 30)))
    assert (case.ideal_category, case.open_tests, case.why) == ("cannot_tell", ["dibao.income"], ["crossing"])
    assert case.needs == ["wage@1@sw_geshui"]


def test_the_truth_is_written_for_the_night_it_was_worked_out_for(tmp_path: Path) -> None:
    block, folder = alone().block(), tmp_path
    truth = Truth(Order(20_000, 1, 1, AS_OF, late=("rs_canbao:truncated",)))
    truth.add(0, block.people, block.clean, block.dirty, block.members)
    with pytest.raises(ValueError, match="rs_canbao"):
        truth.write(folder, ())
    truth.write(folder, ("rs_canbao",))
    assert pl.read_parquet(folder / "cases.parquet")["case_id"].to_list() == [CASE]
    assert Told({"cases": pl.read_parquet(folder / "cases.parquet")}).why == ["late"]


def test_both_ids_of_the_applicant_are_declared_ones() -> None:
    town = alone(OLD, unauthorised=(1,))
    town.rows["mz_chengyuan"][0] |= {"身份证号": None}
    assert told(town).verdict("tekun.age_or_card") == "holds"
