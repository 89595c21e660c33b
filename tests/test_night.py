"""Two nights of the made-up county, from the drop to the results, held against the truth (`tests/referee.py`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests import referee
from tests.shuffled import shuffled
from tests.tables import a_copy, table
from verify import Home, Order, Outcome, run_night
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def a_night(home: Home, county: str) -> Outcome:
    return run_night(home, Order(FIXTURES / county / "drop", rules_folder()), lambda _stage: None)


@pytest.fixture(scope="session")
def two_nights(bureau: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Outcome, referee.Night]]:
    """The first night and the night after it, in one home."""
    home, nights = a_copy(bureau, tmp_path_factory.mktemp("two") / "home"), {}
    for county in ("county-a", "county-a-next"):
        outcome = a_night(home, county)
        nights[county] = outcome, referee.load(outcome.folder / "results", FIXTURES / county / "truth")
    return nights


@pytest.fixture(scope="session", params=["county-a", "county-a-next"])
def night(request: pytest.FixtureRequest, two_nights: dict[str, tuple[Outcome, referee.Night]]) -> referee.Night:
    return two_nights[request.param][1]


def test_every_case_is_answered(night: referee.Night) -> None:
    assert set(night.cases["case_id"]) == set(night.true_cases["case_id"])


def test_nobody_is_denied_or_granted_wrongly(night: referee.Night) -> None:
    assert referee.wrongful_denials(night) == []
    assert referee.wrongful_grants(night) == []


def test_clear_cases_agree_with_the_ideal(night: referee.Night) -> None:
    assert referee.agreement(night) >= 0.98
    assert referee.settled_too_soon(night) == []


def test_every_test_of_a_clear_case_comes_out_as_the_ideal(night: referee.Night) -> None:
    assert len(referee.verdicts_off(night)) <= 0.001 * night.true_tests.height


@pytest.mark.parametrize("fact", referee.FACTS)
def test_intervals_hold_the_truth_and_are_as_narrow_as_they_can_be(night: referee.Night, fact: str) -> None:
    found = referee.width(night, fact)
    assert found.unsound == []
    assert found.unbounded_too_often == []
    assert found.same >= 0.95
    assert found.over_ideal <= 1.05


def test_no_row_is_accepted_for_a_wrong_person(night: referee.Night) -> None:
    assert referee.false_accepts(night).is_empty()
    assert referee.unauthorised_reads(night).is_empty()


def test_recoverable_rows_of_members_are_accepted(night: referee.Night) -> None:
    due = referee.due_links(night)
    assert (due["said"] == "accepted").sum() / due.height >= 0.99


def test_little_is_left_for_review(night: referee.Night) -> None:
    assert referee.review_share(night) <= 0.01


def test_alerts_are_due_and_none_is_missing(night: referee.Night) -> None:
    precision, recall = referee.alert_scores(night)
    assert precision >= 0.98
    assert recall >= 0.97


def test_every_row_is_accounted_for(night: referee.Night) -> None:
    assert referee.files_off(night) == []
    assert referee.refused_off(night) == set()
    whole = night.files.select(pl.col("kept") + pl.col("refused") + pl.col("duplicate") == pl.col("received")).to_series()
    assert whole.all()


def test_every_reason_of_a_link_has_a_word(two_nights: dict[str, tuple[Outcome, referee.Night]]) -> None:
    words = load_rulebook(rules_folder()).words
    links = pl.concat(table(outcome.folder / "results" / "links.parquet") for outcome, _ in two_nights.values())
    said = {f"reason_{reason}" for reason in links["reasons"].explode()} | {f"method_{method}" for method in links["method"]}
    assert said <= words.keys()


def test_the_same_night_again_does_nothing(two_nights: dict[str, tuple[Outcome, referee.Night]]) -> None:
    first, _ = two_nights["county-a"]
    again = a_night(Home(first.folder.parent.parent), "county-a")
    assert not again.published
    assert again.night_id == first.night_id


def test_the_published_night_is_the_newest(two_nights: dict[str, tuple[Outcome, referee.Night]]) -> None:
    last, _ = two_nights["county-a-next"]
    assert (last.folder.parent.parent / "current").read_text().strip() == last.night_id


RUN = """
import sys
from pathlib import Path
from verify import Order, init_home, run_night
from verify.settings import rules_folder
home = init_home(Path(sys.argv[1]))
home.config.write_text('threads = 1\\nmemory = "2GB"\\n')
print(run_night(home, Order(Path(sys.argv[2]), rules_folder()), lambda stage: None).folder)
"""


def content(results: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table of a night without its row numbers, in one order."""
    tables = {}
    for path in sorted(results.glob("*.parquet")):
        frame = table(path)
        frame = frame.drop([name for name in ("row",) if name in frame.columns])
        tables[path.stem] = sorted(tuple(map(str, row)) for row in frame.iter_rows())
    return tables


def test_order_threads_time_zone_and_hash_seed_change_nothing(two_nights: dict[str, tuple[Outcome, referee.Night]], tmp_path: Path) -> None:
    first, _ = two_nights["county-a"]
    drop = shuffled(FIXTURES / "county-a" / "drop", tmp_path / "drop", seed=7)
    elsewhere = {**os.environ, "TZ": "America/Lima", "PYTHONHASHSEED": "3", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-c", RUN, str(tmp_path / "home"), str(drop)]
    done = subprocess.run(command, check=True, env=elsewhere, cwd=FIXTURES.parent, capture_output=True, text=True)
    again = content(Path(done.stdout.strip()) / "results")
    for name, rows in content(first.folder / "results").items():
        assert rows == again[name], name
    keys = [table(folder / "tables" / "people_keys.parquet") for folder in (first.folder, Path(done.stdout.strip()))]
    assert keys[0].equals(keys[1])


def test_everybody_keeps_their_key(two_nights: dict[str, tuple[Outcome, referee.Night]]) -> None:
    first, then = (table(outcome.folder / "tables" / "people_keys.parquet") for outcome, _ in two_nights.values())
    people = table(two_nights["county-a"][0].folder / "tables" / "persons.parquet")
    assert first["person_key"].n_unique() == people["person_id"].n_unique()
    assert set(then["how"]) == {"kept"}
    assert then.select("case_id", "member_no", "person_key").equals(first.select("case_id", "member_no", "person_key"))
