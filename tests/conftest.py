"""What holds for every test: no property is judged by the clock, for a busy machine is no fault of the code; and one published night for all who only read."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import settings

from tests.tables import table
from verify import Home, Order, init_home, run_night
from verify.manifest import Published, current_night
from verify.settings import demo_drop, rules_folder

settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one published night of the made-up county, for tests that change nothing in it."""
    made = init_home(tmp_path_factory.mktemp("desk") / "home")
    run_night(made, Order(demo_drop(), rules_folder()), lambda _stage: None)
    return made


@pytest.fixture(scope="session")
def night(home: Home) -> Published:
    found = current_night(home)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def cases(night: Published) -> pl.DataFrame:
    return table(night.folder / "results" / "cases.parquet")
