"""Reports and the rule book on paper: what stands in them, never boxes, never a name in clear, and the same bytes for the same night."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.tables import table
from tests.test_cli import hedui
from tests.test_desk import ledger
from verify import Home
from verify.case_report import Printing, cases_of, one_of_each, report_of, traces_of, write_reports
from verify.explain_case import trace
from verify.font_cover import Cover, cover_of
from verify.labels import book_of
from verify.manifest import Published
from verify.paper import FAMILIES, Press, open_press
from verify.problems import UsageError
from verify.settings import rules_folder
from verify.speech import Speech, speech
from verify.spot import read_spot
from verify.terms import terms_of


@pytest.fixture(scope="module")
def press() -> Press:
    try:
        return open_press()
    except UsageError:
        pytest.skip("no font for Chinese on this machine")


@pytest.fixture(scope="module")
def voice() -> Speech:
    return speech(rules_folder(), "zh")


def test_a_report_of_each_category_is_the_same_to_the_byte_and_on_record(home: Home, night: Published, press: Press, voice: Speech, tmp_path: Path) -> None:
    cases, looks = one_of_each(night), len(ledger(home))
    said = hedui("report", *reversed(cases), "--home", home.folder, "--out", tmp_path / "a", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout)["reports"] == [f"{case}.pdf" for case in cases]
    assert [(line["command"], line["case"]) for line in ledger(home)[looks:]] == [("report", case) for case in cases]
    again = write_reports(night, cases, tmp_path / "b", Printing(press, voice))
    assert [path.read_bytes() for path in again] == [(tmp_path / "a" / path.name).read_bytes() for path in again]
    assert all(path.read_bytes().startswith(b"%PDF-") and path.stat().st_size < 120_000 for path in again)
    assert {oct(path.stat().st_mode)[-3:] for path in again} == {"600"}


def test_what_a_report_says_is_what_the_night_says_with_names_masked(night: Published, voice: Speech) -> None:
    terms = terms_of(book_of(voice), voice)
    persons = table(night.folder / "tables" / "persons.parquet").filter(is_member=True)
    for traced in traces_of(night, one_of_each(night)):
        case = traced.spot.case["case_id"]
        assert traced == trace(read_spot(night, case))
        text = json.dumps(report_of(traced, voice, terms), default=lambda one: [getattr(one, name) for name in one.__slots__], ensure_ascii=False)
        assert voice.category(traced.spot.case["category"]) in text
        assert all(name not in text for name in persons.filter(case_id=case)["name"].to_list() if name and len(name) > 1)
        assert not re.search(r"\d{17}[\dX]", text)
        for row in traced.evidence:
            assert row["file"] in text
        for part in ("数据时点", "核对人：", "申请人签收：", "本报告是系统的核对意见", "认定由人作出"):
            assert part in text


def test_every_case_can_be_asked_for_and_none_that_is_not_there(home: Home, night: Published, tmp_path: Path) -> None:
    assert len(cases_of(night)) == 300
    assert hedui("report", "--home", home.folder, "--out", tmp_path / "no").stderr.startswith("E-REPORT-WHICH")
    said = hedui("report", "SQ2026000001", "NIEMAND", "--home", home.folder, "--out", tmp_path / "no")
    assert said.stderr.startswith(("E-NO-CASE", "E-FONT"))
    assert not (tmp_path / "no").exists()


def test_without_a_font_for_chinese_nothing_is_written(home: Home, tmp_path: Path) -> None:
    for asked in (("report", "SQ2026000001", "--home", home.folder, "--out", tmp_path / "no"), ("rules", "book", tmp_path / "book.pdf")):
        said = hedui(*asked, "--fonts", tmp_path)
        assert said.returncode == 2
        assert said.stderr.startswith("E-FONT")
        assert FAMILIES[0] in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_character_without_a_glyph_is_written_as_its_code() -> None:
    cover = Cover((0x20, 0x4E00), (0x7E, 0x9FFF))
    assert cover.written({"a": ["张*", "\U0002bd2f*"]}) == {"a": ["张*", "〔U+2BD2F〕*"]}


def test_the_font_has_what_it_says(press: Press) -> None:
    assert all(press.cover.has(sign) for sign in "张玮≥～【】〔〕䶮")
    assert not press.cover.has("\U000f0000")
    assert cover_of.__doc__


def test_the_rule_book_as_pdf(press: Press, tmp_path: Path) -> None:
    said = [hedui("rules", "book", tmp_path / f"{name}.pdf") for name in "ab"]
    assert [one.returncode for one in said] == [0, 0]
    first, second = ((tmp_path / f"{name}.pdf").read_bytes() for name in "ab")
    assert first == second
    assert first.startswith(b"%PDF-")
    assert press.family in FAMILIES
