"""Two programs that follow the reference rules on the same facts give the same answer: the truth's ideal side and the engine."""

from __future__ import annotations

from datetime import date

import pytest

from fixtures.county.drop import Request, write
from fixtures.county.order import Order as County
from fixtures.county.rates import Noise
from tests import referee
from verify import Order, init_home, run_night
from verify.settings import rules_folder


@pytest.fixture(scope="module", params=[(), ("sw_geshui",), ("mz_huohua", "rh_cunkuan")], ids=["all came", "no taxes", "no cremations, no banks"])
def clean_night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> referee.Night:
    late: tuple[str, ...] = request.param
    folder = tmp_path_factory.mktemp("county")
    write(Request(County(3_000, 100, 3, date(2026, 11, 20), "clean", late=late), Noise("clean"), (late,), processes=1), folder / "made")
    run_night(init_home(folder / "home"), Order(folder / "made" / "drop", rules_folder(), None, folder / "results"), lambda _stage: None)
    return referee.load(folder / "results", folder / "made" / "truth")


def test_every_category_is_the_ideal_one(clean_night: referee.Night) -> None:
    assert referee.agreement(clean_night) == 1
    assert not referee.settled_too_soon(clean_night)
    assert not referee.wrongful_denials(clean_night)
    assert not referee.wrongful_grants(clean_night)


@pytest.mark.parametrize("fact", referee.FACTS)
def test_every_interval_is_the_ideal_one(clean_night: referee.Night, fact: str) -> None:
    found = referee.width(clean_night, fact)
    assert (found.unsound, found.same) == ([], 1.0)


def test_every_test_comes_out_as_in_the_ideal(clean_night: referee.Night) -> None:
    assert referee.verdicts_off(clean_night) == []


def test_every_alert_is_a_due_one(clean_night: referee.Night) -> None:
    assert referee.alert_scores(clean_night) == (1, 1)
