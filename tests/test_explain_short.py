"""The short form of explain: whatever a case came to, at most twelve lines say why, and of a refusal every ground is told."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from tests.tables import table
from tests.test_cli import hedui
from verify import Home
from verify.explain_case import rows_behind, told_of, trace
from verify.explain_grey import may_have_leads
from verify.explain_short import MOST_LINES, Told, grounds, short_block, short_json
from verify.figures import distance, distance_told, span_of
from verify.labels import book_of
from verify.layout import laid_out
from verify.manifest import Published
from verify.settings import rules_folder
from verify.speech import display_width, speech
from verify.spot import read_spot
from verify.terms import Terms, facts_behind, terms_of


@pytest.fixture(scope="module", params=["zh", "en"])
def terms(request: pytest.FixtureRequest) -> Terms:
    voice = speech(rules_folder(), request.param)
    return terms_of(book_of(voice), voice)


def test_no_case_needs_more_than_twelve_lines_and_a_refusal_names_a_ground_for_every_category(
    night: Published,
    cases: pl.DataFrame,
    terms: Terms,
) -> None:
    voice = speech(rules_folder(), terms.lang)
    for case in cases["case_id"].gather_every(5):
        told = told_of(trace(read_spot(night, case)), voice)
        lines = laid_out([short_block(told, terms, 100)], 100).splitlines()
        assert len(lines) <= MOST_LINES
        assert max(map(display_width, lines)) <= 100
        assert case in lines[0]
        if told.case["category"] == terms.otherwise and told.tests:
            found = grounds(told, terms)
            assert {name for ground in found for name in ground.categories} == {test["category"] for test in told.tests}
            assert all(ground.test["verdict"] == "fails" and ground.sources for ground in found)


def test_a_refusal_reads_as_a_letter_would(home: Home, cases: pl.DataFrame) -> None:
    said = hedui("explain", "SQ2026000002", "--home", home.folder).stdout
    for part in (
        "不具备“月人均收入低于保障标准”（特困、低保）：核对为 795.33 ～ 1,132.33 元，限额 530.00 元",
        "至少高出 265.33 元",
        "个人所得税（税务，2026-11-20，7 条）",
    ):
        assert part in said.replace("\n  ", "")
    told = json.loads(hedui("explain", "SQ2026000002", "--home", home.folder, "--json").stdout)
    assert {name for ground in told["grounds"] for name in ground["categories"]} == {"tekun", "dibao", "margin", "rigid"}
    assert told["figures"]
    assert {one["parameter"] for one in told["parameters"]} >= {"line_rural_year", "margin_multiple"}
    assert "示范县参照规则·标准" in str(told["parameters"])


def test_a_limit_that_is_only_just_met_is_told_as_that() -> None:
    assert distance_told(*map(_yuan, ("0", "5", "5")), "yuan")[0] == "short_equal_most"
    assert distance_told(*map(_yuan, ("5", "5", "5")), "yuan")[0] == "short_equal"
    assert distance_told(_yuan("6"), None, _yuan("5"), "yuan") == ("short_over_least", "1.00")
    assert distance_told(*map(_yuan, ("1", "9", "5")), "yuan")[0] == "short_across"


def _yuan(text: str) -> Decimal:

    return Decimal(text)


def test_a_test_rests_on_the_facts_that_its_formulas_name_however_deep() -> None:
    book = book_of(speech(rules_folder(), "zh"))
    behind = facts_behind(book, "income_below_line")
    assert {extract for _, extract in behind} >= {"sw_geshui", "rs_canbao", "rs_daiyu", "mz_shenqing"}
    assert facts_behind(book, "one_member") == ()


def test_an_interval_narrower_than_a_fen_reads_as_one_figure() -> None:
    low, high = Decimal("1414.271"), Decimal("1414.274")
    assert span_of("不知", low, high, "yuan") == "1,414.27"
    assert span_of("不知", low, Decimal("1414.28"), "yuan") == "1,414.27 ～ 1,414.28"
    assert distance(low, high, Decimal(530), "yuan") == "+884.27"
    assert distance(low, high, Decimal("1414.272"), "yuan") == "-0.001 ～ +0.002", "a doubt about the limit is never hidden"


# --- the link that decides --------------------------------------------------------------------------------------------

DEPOSITS = ("rh_cunkuan", 793)  # of SQ2026000148: a bank said that it is over its limit and not by how much


def doubtful(night: Published, terms: Terms, *others: int) -> Told:
    """The case whose deposits leave it open, as it would stand if that row were perhaps theirs: 0 to 80,000; and others of the bank too."""
    told = told_of(rows_behind(read_spot(night, "SQ2026000148")), speech(rules_folder(), terms.lang))
    grey = {"link_status": "review", "low": Decimal(0)}
    rows = [row | grey | {"high": Decimal(80_000)} if (row["extract"], row["row"]) == DEPOSITS else row for row in told.evidence]
    rows = [row | grey if row["extract"] == "rh_cunkuan" and row["row"] in others else row for row in rows]
    least = Decimal(28_700)
    tests = [test | {"value_high": least + 80_000, "value_bounded": True} if test["test"] == "financial" else test for test in told.tests]
    return replace(told, evidence=rows, tests=tests)


def test_an_open_answer_names_the_one_doubtful_link_and_what_it_would_change(night: Published, terms: Terms) -> None:
    told = doubtful(night, terms)
    said = laid_out([short_block(told, terms, 100)], 100)
    assert len(said.splitlines()) <= MOST_LINES
    for part in ("2026-11-20", "rh_cunkuan_20261120.csv", "793", "3 张**", "80,000.00", *(terms.categories[name] for name in ("dibao", "none"))):
        assert part in said.replace("\n  ", "")
    (found,) = short_json(told, terms)["doubtful_links"]
    assert found["rows"] == [{"extract": "rh_cunkuan", "file": "rh_cunkuan_20261120.csv", "row": 793, "as_of": "2026-11-20", "most": "80000"}]
    assert (found["decides"], found["member"], found["tests"]) == (True, 3, ["dibao.financial"])
    assert found["categories"][0] == "dibao"
    assert "SQ2026000148" not in found["rows"][0].values()


def test_of_several_doubtful_links_the_number_is_told_and_where_to_ask(night: Published, terms: Terms) -> None:
    told = doubtful(night, terms, 3302)
    said = laid_out([short_block(told, terms, 100)], 100).replace("\n  ", "")
    assert terms.word("short_grey_many", tests=terms.tests["dibao.financial"].label, rows=2, case="SQ2026000148").replace(" ", "") in said.replace(" ", "")
    assert terms.word("short_grey_money", most="80,000.00") not in said
    (found,) = short_json(told, terms)["doubtful_links"]
    assert ([row["row"] for row in found["rows"]], found["decides"], found["categories"]) == ([793, 3302], False, [])


def test_a_link_is_not_said_to_decide_where_something_else_is_open_too(night: Published, terms: Terms) -> None:
    sure = doubtful(night, terms)
    vague = [row | {"low": Decimal(1)} if row["extract"] == "gjj_zhanghu" else row for row in sure.evidence]
    late = sure.case | {"needs": [*sure.case["needs"], "members@2@mz_huohua"]}
    led = replace(sure, leads=True)
    boundless = [test | {"value_high": None, "value_bounded": False} for test in sure.tests]
    for told in (replace(sure, evidence=vague), replace(sure, case=late), replace(sure, tests=boundless), led):
        (found,) = short_json(told, terms)["doubtful_links"]
        assert (len(found["rows"]), found["decides"]) == (1, False)


def test_without_a_doubtful_link_behind_the_answer_none_is_told(night: Published, terms: Terms) -> None:
    open_by_the_bank = told_of(rows_behind(read_spot(night, "SQ2026000148")), speech(rules_folder(), terms.lang))
    settled = doubtful(night, terms)
    refused = replace(settled, case=settled.case | {"category": terms.otherwise}, tests=[test | {"verdict": "fails"} for test in settled.tests])
    for told in (open_by_the_bank, refused):
        assert short_json(told, terms)["doubtful_links"] == []
        assert "fragile" not in laid_out([short_block(told, terms, 100)], 100)


def test_a_case_with_a_row_that_bears_a_name_alone_may_be_open_by_that_too(night: Published, cases: pl.DataFrame) -> None:
    named = set(table(night.folder / "results" / "links.parquet").filter(pl.col("method") == "name_only")["case_id"])
    grey, wanting = [{"link_status": "review"}], {"needs": ["x@1@y"]}
    led = {case for case in cases["case_id"] if may_have_leads(night, wanting | {"case_id": case}, grey)}
    assert led
    assert led <= named
    case = min(led)
    assert not may_have_leads(night, wanting | {"case_id": case}, [])
    assert not may_have_leads(night, {"needs": [], "case_id": case}, grey)
