"""Refusals that hang on one row are what a night without that row would not refuse; doubtful links are tried in every combination."""

from __future__ import annotations

import json

import polars as pl
import pytest

import verify.fragile
from tests.tables import table
from tests.test_cli import hedui
from tests.test_desk import ledger
from verify import Home
from verify.fragile import doubts, hanging
from verify.fragile_words import doubts_block
from verify.labels import book_of
from verify.layout import laid_out
from verify.manifest import Published
from verify.rule_checks import check_rules
from verify.settings import rules_folder
from verify.speech import speech
from verify.spot import read_spot
from verify.supposing import Suppositions
from verify.whatif import what_if


def test_what_hangs_on_a_row_is_what_the_stages_say_without_it(home: Home, night: Published, cases: pl.DataFrame) -> None:
    book = check_rules(rules_folder())
    found = hanging(home, night, book=book)
    refused = set(cases.filter(category="none")["case_id"])
    assert found
    assert {one.case for one in found} < refused
    assert all(one.would_be != "none" and one.method for one in found)
    one = next(hang for hang in found if hang.would_be != "cannot_tell")
    extract, file, row = one.place
    without = what_if(home, read_spot(night, one.case), Suppositions(drop=[f"{extract}:{file}:{row}"]), book=book)
    assert without.category == one.would_be


def test_every_combination_of_doubtful_links_keeps_a_settled_answer(home: Home, night: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    book, voice = check_rules(rules_folder()), speech(rules_folder(), "zh")
    assert book_of(voice).digest == book.digest
    grey = table(night.folder / "results" / "links.parquet").filter(pl.col("status") == "review", pl.col("extract") != "ga_huji")
    case, links = grey.group_by("case_id").len().sort("len", "case_id").row(-1)
    found = doubts(home, night, case, book=book)
    assert (len(found.links), found.whole, sum(found.outcomes.values())) == (links, True, 2**links)
    published = read_spot(night, case).case["category"]
    assert published == book.decision.unknown.then or set(found.outcomes) == {published}
    assert "结果精确" in laid_out([doubts_block(found, voice)], 100)
    monkeypatch.setattr(verify.fragile, "MOST_LINKS", 0)
    bounded = doubts(home, night, case, book=book)
    assert (bounded.whole, sum(bounded.outcomes.values())) == (False, 2 * links)
    assert set(bounded.outcomes) <= {*found.outcomes, book.decision.unknown.then}
    assert "界限" in laid_out([doubts_block(bounded, voice)], 100)


def test_the_list_is_on_record_before_it_is_shown(home: Home) -> None:
    looks = len(ledger(home))
    told = json.loads(hedui("fragile", "--home", home.folder, "--json").stdout)
    assert {"case", "extract", "file", "row", "member", "then", "method", "score"} == set(told["hanging"][0])
    assert [(line["command"], line["case"]) for line in ledger(home)[looks:]] == [("fragile", "*")]
