"""Officers decide whose a row is: kept with author, reason and end; the last one of a pair holds; what is lost stops the night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from verify import Home, init_home
from verify.pair_decisions import FILE, OTHER, SAME, PairDecision, PairDecisions, Place, Withdrawal, decide_pair, digest_of_pairs, read_pair_decisions
from verify.problems import IntegrityError

TODAY = date(2026, 11, 22)
BANK, ROSTER = Place("rh_cunkuan", "ab" * 32 + "-0123456789ab", 17), Place("mz_chengyuan", "cd" * 32 + "-0123456789ab", 3)
NOT_HIS = PairDecision(OTHER, BANK, ROSTER, "SQ2026000001", 2, "同名的邻居", when="2026-11-21T09:00:00+00:00")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init_home(tmp_path / "home")


def lines(*said: PairDecision | Withdrawal) -> PairDecisions:
    return PairDecisions(dict(enumerate(said, start=1)))


def test_a_decision_is_kept_with_who_when_and_why(home: Home) -> None:
    assert read_pair_decisions(home).lines == {}
    decide_pair(home, NOT_HIS)
    decide_pair(home, Withdrawal(1, "看错了"))
    found = read_pair_decisions(home)
    assert found.decisions() == {1: NOT_HIS}
    assert found.lines[1].user
    assert found.state(1, TODAY) == "withdrawn"
    assert (home.folder / FILE).stat().st_mode & 0o777 == 0o600


def test_the_last_decision_of_a_pair_holds_and_an_expired_one_does_not() -> None:
    his = replace(NOT_HIS, what=SAME, reason="见到存折")
    said = lines(NOT_HIS, his)
    assert said.standing(TODAY) == {2: his}
    assert said.state(1, TODAY) == "replaced"
    short = replace(NOT_HIS, until="2026-11-21")
    assert lines(short).standing(TODAY) == {}
    assert lines(short).state(1, TODAY) == "expired"
    assert lines(replace(short, until="2026-11-22")).standing(TODAY) != {}


def test_what_was_taken_back_does_not_bring_an_older_decision_back() -> None:
    said = lines(NOT_HIS, replace(NOT_HIS, what=SAME), Withdrawal(2, "看错了"))
    assert said.standing(TODAY) == {}


def test_what_was_decided_makes_the_digest_and_not_by_whom_or_why() -> None:
    other = replace(NOT_HIS, of=replace(BANK, row=3))
    assert digest_of_pairs({1: NOT_HIS}) == digest_of_pairs({1: replace(NOT_HIS, reason="另一个理由", user="b")})
    assert digest_of_pairs({}) == ""
    assert len({digest_of_pairs({1: one}) for one in (NOT_HIS, other, replace(NOT_HIS, what=SAME))}) == 3


def test_a_line_that_cannot_be_read_stops_and_one_without_its_end_does_not_count(home: Home) -> None:
    decide_pair(home, NOT_HIS)
    with (home.folder / FILE).open("ab") as file:
        file.write(b'{"what": "sa')
    assert read_pair_decisions(home).lines == {1: NOT_HIS}
    decide_pair(home, replace(NOT_HIS, member=1))  # what a crash left is cut off first
    assert len(read_pair_decisions(home).lines) == 2
    with (home.folder / FILE).open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(IntegrityError) as error:
        read_pair_decisions(home)
    assert (error.value.problems[0].code, error.value.problems[0].where) == ("E-DECISIONS", f"{FILE}:3")


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"what": "perhaps"}, {"until": "2026-11-20"}, {"until": "soon"}])
def test_what_is_no_decision(home: Home, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        decide_pair(home, replace(NOT_HIS, **wrong))
    assert read_pair_decisions(home).lines == {}
