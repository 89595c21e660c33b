"""`hedui match decide`: from the command to the next night, its explanation, the check of one case, the archive, and back."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fixtures.golden.make import DROP
from tests.tables import a_copy, table
from tests.test_cli import hedui
from tests.test_desk import LONG_NUMBER, ledger
from verify import Home, Order, Outcome, init_home, run_night
from verify.again import must_agree
from verify.archive import Archive
from verify.manifest import read_night
from verify.nights import newest_night
from verify.pair_decisions import read_pair_decisions
from verify.pair_marks import write_marks
from verify.problems import IntegrityError
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

Pairs = tuple[dict[str, object], dict[str, object], str]
PEOPLE = ("extract", "row", "side", "case_id", "member_no")


def night_of(home: Home) -> Outcome:
    return run_night(home, Order(DROP, rules_folder()), lambda _stage: None)


def links_of(outcome: Outcome) -> pl.DataFrame:
    return table(outcome.folder / "results" / "links.parquet")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Outcome]:
    home = init_home(tmp_path_factory.mktemp("decide") / "home")
    return home, night_of(home)


@pytest.fixture(scope="module")
def pairs(first: tuple[Home, Outcome]) -> Pairs:
    """A row that fits its person in every way; a lead by name alone; and somebody of another case."""
    links = links_of(first[1])
    sure = links.filter(method="exact_id", status="accepted", extract="rh_cunkuan").row(0, named=True)
    lead = links.filter(pl.col("method") == "name_only", pl.col("case_id") != sure["case_id"]).row(0, named=True)
    return sure, lead, f"{lead['case_id']}/{lead['member_no']}"


def said_of(link: dict[str, object]) -> list[str]:
    return [str(link["extract"]), str(link["row"]), f"{link['case_id']}/{link['member_no']}"]


@pytest.fixture(scope="module")
def decided(first: tuple[Home, Outcome], pairs: Pairs) -> tuple[Home, Outcome]:
    """The home after the officer has dismissed the one and accepted the other, and the night after that."""
    home, (sure, lead, _) = first[0], pairs
    for link, what, reason in ((sure, "--different", "账户是别人的，见开户资料"), (lead, "--same", "见到原件")):
        said = hedui("match", "decide", *said_of(link), what, "--home", home.folder, "--reason", reason, "--until", "2099-12-31", COLUMNS="160")
        assert (said.returncode, said.stderr) == (0, "")
        assert "下一夜起用" in said.stdout
    return home, night_of(home)


def test_the_next_night_follows_and_says_so(first: tuple[Home, Outcome], decided: tuple[Home, Outcome], pairs: Pairs) -> None:
    home, night = decided
    sure, lead, _ = pairs
    assert night.published
    assert night.night_id != first[1].night_id
    assert read_night(night.folder).manifest.origin.decisions != ""
    links = links_of(night)
    for link, status, method in ((sure, "rejected", "officer_not"), (lead, "accepted", "officer")):
        found = links.filter(*(pl.col(key) == link[key] for key in PEOPLE)).row(0, named=True)
        assert (found["status"], found["method"]) == (status, method)
    unchanged = links_of(first[1]).join(links, on=links.columns, how="semi")
    faces = {(link["extract"], link["case_id"]) for link in (sure, lead)}
    touched = links_of(first[1]).filter(pl.struct("extract", "case_id").map_elements(lambda one: (one["extract"], one["case_id"]) in faces, pl.Boolean))
    assert unchanged.height >= links_of(first[1]).height - touched.height
    assert night_of(home).published is False, "the same decisions again are the same night"


def test_the_list_and_the_explanation_name_who_decided_and_why(decided: tuple[Home, Outcome], pairs: Pairs) -> None:
    home, sure = decided[0], pairs[0]
    listed = json.loads(hedui("match", "decisions", "--home", home.folder, "--json").stdout)
    assert [(one["number"], one["state"], one["what"], one["until"]) for one in listed] == [
        (1, "held", "other", "2099-12-31"),
        (2, "held", "same", "2099-12-31"),
    ]
    said = hedui("match", "explain", *said_of(sure)[:2], "--home", home.folder, COLUMNS="160")
    for part in ("经办人否定", "经办人决定第 1 号", "账户是别人的"):
        assert part in said.stdout
    assert LONG_NUMBER.search(said.stdout) is None
    assert [line["command"] for line in ledger(home)][:2] == ["match decide", "match decide"]


def test_a_case_worked_out_again_follows_the_decisions_of_its_night(decided: tuple[Home, Outcome], pairs: Pairs) -> None:
    home, book = decided[0], load_rulebook(rules_folder())
    for link in pairs[:2]:
        assert must_agree(home, newest_night(home), str(link["case_id"]), book=book) > 1  # type: ignore[index]


def test_without_the_row_it_is_about_no_night_follows_a_decision(decided: tuple[Home, Outcome], tmp_path: Path) -> None:
    standing = read_pair_decisions(decided[0]).standing(date(2026, 11, 20))
    with pytest.raises(IntegrityError) as error:
        write_marks(standing, Archive(tmp_path), load_rulebook(rules_folder()), tmp_path / "marks.parquet")
    assert error.value.problems[0].code == "E-PAIR-GONE"


def test_a_decision_taken_back_decides_nothing(decided: tuple[Home, Outcome], first: tuple[Home, Outcome], tmp_path: Path) -> None:
    home = a_copy(decided[0], tmp_path / "copy")
    for number in ("1", "2"):
        said = hedui("match", "withdraw", number, "--home", home.folder, "--reason", "看错了", "--json")
        assert json.loads(said.stdout)["state"] == "withdrawn"
    again = night_of(home)
    assert links_of(again).equals(links_of(first[1]))
    assert again.night_id == first[1].night_id, "and the night is the one of before"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["{sure}", "{whose}", "--same", "--reason", " "], "E-REASON"),
        (["{sure}", "{whose}", "--same", "--reason", "x", "--until", "2020-01-01"], "E-PAIR-UNTIL"),
        (["{lead}", "{other}", "--same", "--reason", "x"], "E-PAIR-TAKEN"),
        (["ga_huji 999999", "{whose}", "--same", "--reason", "x"], "E-MATCH-NONE"),
        (["no_extract 1", "{whose}", "--same", "--reason", "x"], "E-EXTRACT-WHAT"),
        (["{sure}", "SQ2026999999/1", "--different", "--reason", "x"], "E-NO-CASE"),
        (["{sure}", "{case}/99", "--different", "--reason", "x"], "E-MATCH-PERSON"),
        (["{sure}", "nobody", "--different", "--reason", "x"], "E-MATCH-WHAT"),
        (["{sure}", "{whose}", "--different", "--reason", "x", "--side", "男方"], "E-PAIR-SIDE"),
        (["{sure}", "{whose}", "--reason", "x"], "E-USAGE-MISSING"),
        (["99"], "E-PAIR-WHICH"),
    ],
)
def test_what_cannot_be_decided(decided: tuple[Home, Outcome], pairs: Pairs, words: list[str], code: str) -> None:
    sure, lead, _ = pairs
    named = {
        "sure": " ".join(said_of(sure)[:2]),
        "whose": said_of(sure)[2],
        "lead": " ".join(said_of(lead)[:2]),
        "other": said_of(sure)[2],
        "case": str(sure["case_id"]),
    }
    line = [part for word in words for part in (word.format(**named).split(" ") if word.startswith(("{", "ga", "no")) else [word])]
    command = ["withdraw", *line, "--reason", "x"] if words == ["99"] else ["decide", *line]
    before = read_pair_decisions(decided[0])
    said = hedui("match", *command, "--home", decided[0].folder)
    assert said.returncode == 2
    assert said.stderr.startswith(code + " ")
    assert read_pair_decisions(decided[0]) == before
