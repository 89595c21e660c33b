"""What holds for every test: no property is judged by the clock, for a busy machine is no fault of the code; and one published night for all who only read."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import settings

from tests.tables import a_copy, table
from verify import Home, Order, init_home, run_night
from verify.manifest import Published, current_night
from verify.settings import demo_drop, rules_folder

settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one published night of the made-up county, to be copied: nobody looks into it, so that its ledger is empty."""
    made = init_home(tmp_path_factory.mktemp("bureau") / "home")
    run_night(made, Order(demo_drop(), rules_folder()), lambda _stage: None)
    return made


@pytest.fixture(scope="session")
def home(bureau: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of it, for tests that look and change nothing else in it."""
    return a_copy(bureau, tmp_path_factory.mktemp("desk") / "home")


@pytest.fixture(scope="session")
def night(home: Home) -> Published:
    found = current_night(home)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def cases(night: Published) -> pl.DataFrame:
    return table(night.folder / "results" / "cases.parquet")
