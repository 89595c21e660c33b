"""Officers decide whose a row is: kept with author, reason and end; the last one holds; contradictions are told, never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from verify import Home, init_home
from verify.pair_decisions import FILE, OTHER, SAME, PairDecision, decide_pair, read_pair_decisions, standing
from verify.problems import IntegrityError

TODAY = date(2026, 11, 22)
NOT_HIS = PairDecision(OTHER, "rh_cunkuan", "ab" * 32, 17, "", "P1", "20261120-00000000", "同名的邻居", when="2026-11-21T09:00:00+00:00")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init_home(tmp_path / "home")


def test_a_decision_is_kept_with_who_when_and_why(home: Home) -> None:
    assert read_pair_decisions(home) == ()
    decide_pair(home, NOT_HIS)
    (found,) = read_pair_decisions(home)
    assert found == NOT_HIS
    assert found.user
    assert (home.folder / FILE).stat().st_mode & 0o777 == 0o600


def test_the_last_decision_of_a_pair_holds_and_an_expired_one_does_not() -> None:
    his = replace(NOT_HIS, what=SAME, reason="见到存折")
    assert standing([NOT_HIS, his], TODAY).of(NOT_HIS.place) == {"P1": SAME}
    short = replace(NOT_HIS, until="2026-11-21")
    assert standing([short], TODAY).decisions == ()
    assert standing([replace(short, until="2026-11-22")], TODAY).of(NOT_HIS.place) == {"P1": OTHER}


def test_one_row_that_must_be_two_peoples_is_reported_and_nobodys() -> None:
    one, two, three = (replace(NOT_HIS, what=what, person_id=who) for what, who in ((SAME, "P1"), (SAME, "P2"), (OTHER, "P3")))
    found = standing([one, two, three], TODAY)
    assert found.conflicts == (NOT_HIS.place,)
    assert found.of(NOT_HIS.place) == {"P3": OTHER}  # whose it is not still stands


def test_the_order_of_decisions_about_different_pairs_changes_nothing() -> None:
    other = replace(NOT_HIS, row=3)
    assert standing([NOT_HIS, other], TODAY) == standing([other, NOT_HIS], TODAY)
    assert standing([NOT_HIS], TODAY).digest == standing([replace(NOT_HIS, reason="另一个理由", user="b")], TODAY).digest
    assert standing([], TODAY).digest == ""
    assert standing([NOT_HIS], TODAY).digest != standing([other], TODAY).digest


def test_a_line_that_cannot_be_read_stops_and_one_without_its_end_does_not_count(home: Home) -> None:
    decide_pair(home, NOT_HIS)
    with (home.folder / FILE).open("ab") as file:
        file.write(b'{"what": "sa')
    assert read_pair_decisions(home) == (NOT_HIS,)
    decide_pair(home, replace(NOT_HIS, row=18))  # what a crash left is cut off first
    assert len(read_pair_decisions(home)) == 2
    with (home.folder / FILE).open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(IntegrityError) as error:
        read_pair_decisions(home)
    assert (error.value.problems[0].code, error.value.problems[0].where) == ("E-DECISIONS", f"{FILE}:3")


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"what": "perhaps"}, {"until": "2026-11-20"}, {"until": "soon"}])
def test_what_is_no_decision(home: Home, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        decide_pair(home, replace(NOT_HIS, **wrong))
    assert read_pair_decisions(home) == ()
