"""The short form of explain: whatever a case came to, at most twelve lines say why, and of a refusal every ground is told."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest

from tests.test_cli import hedui
from verify import Home
from verify.explain_case import told_of, trace
from verify.explain_short import MOST_LINES, grounds, short_block
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
