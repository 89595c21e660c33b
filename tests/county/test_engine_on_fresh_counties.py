"""The engine on counties nobody has looked at: the limits of the first night hold on three seeds of the maker, dirt included: the last waits for the soak."""

from __future__ import annotations

from datetime import date

import pytest

from fixtures.county.drop import Request, write
from fixtures.county.order import Order as County
from fixtures.county.rates import Noise
from tests import referee
from verify import Order, init_home, run_night
from verify.settings import rules_folder

PEOPLE, CASES = 20_000, 600


@pytest.fixture(scope="module", params=[1, 2, pytest.param(3, marks=pytest.mark.soak)], ids=lambda seed: f"seed {seed}")
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> referee.Night:
    folder, noise = tmp_path_factory.mktemp("county"), Noise("normal")
    write(Request(County(PEOPLE, CASES, request.param, date(2026, 11, 20), noise.level), noise, processes=1), folder / "made")
    run_night(init_home(folder / "home"), Order(folder / "made" / "drop", rules_folder(), results=folder / "results"), lambda _stage: None)
    return referee.load(folder / "results", folder / "made" / "truth")


def test_nobody_is_denied_or_granted_wrongly_and_nothing_settled_too_soon(night: referee.Night) -> None:
    assert set(night.cases["case_id"]) == set(night.true_cases["case_id"])
    assert referee.wrongful_denials(night) == []
    assert referee.wrongful_grants(night) == []
    assert referee.settled_too_soon(night) == []
    assert referee.agreement(night) >= 0.98


def test_no_row_is_accepted_for_a_wrong_person_and_none_is_missed(night: referee.Night) -> None:
    assert referee.false_accepts(night).is_empty()
    assert referee.unauthorised_reads(night).is_empty()
    due = referee.due_links(night)
    assert (due["said"] == "accepted").sum() / due.height >= 0.999
    assert referee.review_share(night) <= 0.01


@pytest.mark.parametrize("fact", referee.FACTS)
def test_intervals_hold_the_truth(night: referee.Night, fact: str) -> None:
    found = referee.width(night, fact)
    assert (found.unsound, found.unbounded_too_often) == ([], [])
    assert found.same >= 0.95


def test_alerts_and_rows_are_exact(night: referee.Night) -> None:
    assert referee.alert_scores(night) == (1, 1)
    assert (referee.files_off(night), referee.refused_off(night)) == ([], set())
