"""The archive is cleared of what nothing needs and whose class's time is over, and of nothing else."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests import tables
from tests.altered import altered
from tests.stages.test_guards import fewer, half, renumbered
from tests.test_cli import DROP, hedui
from tests.test_deciding import night_of
from tests.test_desk import ledger
from verify import Home
from verify.again import must_agree
from verify.batches import read_batches
from verify.manifest import Published, current_night, published_nights
from verify.pair_decisions import OTHER, PairDecision, Place, Withdrawal, decide_pair
from verify.problems import IntegrityError, LockedError
from verify.pruning import over, prune
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.stages.publish import one_at_a_time

NEWEST = date(2026, 11, 21)
CASE = "SQ2026000001"


@pytest.fixture(scope="module")
def two(bureau: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two nights: the second has new batches of the banks and of the register, and one of houses that is held."""
    folder = tmp_path_factory.mktemp("two")
    home, changes = tables.a_copy(bureau, folder / "home"), {"rh_cunkuan": fewer, "ga_huji": fewer, "bdc_fangwu": half}
    night_of(home, renumbered(altered(DROP, folder / "drop", changes), changes, NEWEST.isoformat()))
    return home


@pytest.fixture
def home(two: Home, tmp_path: Path) -> Home:
    return tables.a_copy(two, tmp_path / "home")


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(rules_folder())


def night(home: Home) -> Published:
    found = current_night(home)
    assert found is not None
    return found


def archived(home: Home, at: int, extract: str) -> list[str]:
    """The names in the archive of an extract's batches in one of the nights."""
    table = published_nights(home)[at].folder / "tables" / "batches.parquet"
    return [batch.archived for batch in read_batches(table)[extract]]


def names(home: Home, book: Rulebook, days: int) -> set[str]:
    """The batches that may go so many days after the first night."""
    return {one.file.name.partition(".")[0] for one in over(home, book, date(2026, 11, 20) + timedelta(days=days))}


def test_only_what_was_superseded_goes_and_each_class_in_its_time(home: Home, book: Rulebook) -> None:
    bank, register = archived(home, 0, "rh_cunkuan"), archived(home, 0, "ga_huji")
    assert names(home, book, 180) == set()
    assert names(home, book, 181) == set(bank)
    assert names(home, book, 1095) == set(bank)
    assert names(home, book, 50_000) == {*bank, *register}, "what is used, and what is held, stays however old"


def test_what_a_standing_decision_about_a_pair_names_stays(home: Home, book: Rulebook) -> None:
    (bank,), (roster,) = archived(home, 0, "rh_cunkuan"), archived(home, 0, "mz_chengyuan")
    assert bank in names(home, book, 181)
    decision = PairDecision(OTHER, Place("rh_cunkuan", bank, 1), Place("mz_chengyuan", roster, 1), CASE, 1, "看过", until="2099-01-01")
    decide_pair(home, decision)
    assert names(home, book, 181) == set()
    decide_pair(home, Withdrawal(1, "看错了"))
    assert bank in names(home, book, 181)


def test_a_class_that_no_rule_names_is_kept_for_ever(home: Home, tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    page = rules / "extracts" / "rh_cunkuan.yaml"
    page.write_text(page.read_text(encoding="utf-8").replace("  retention: finance\n", ""), encoding="utf-8")
    assert names(home, load_rulebook(rules), 50_000) == set(archived(home, 0, "ga_huji"))


def test_what_no_night_knows_goes_by_the_day_it_was_written(home: Home, book: Rulebook) -> None:
    for part in ("counts", "refused"):
        (home.archive / f"left.{part}.parquet").write_bytes(b"x")
        os.utime(home.archive / f"left.{part}.parquet", (0, 1_700_000_000))  # 2023-11-14
    assert "left" not in {one.file.name[:4] for one in over(home, book, date(2026, 11, 13))}
    assert "left" in {one.file.name[:4] for one in over(home, book, date(2026, 11, 14))}


def test_the_newest_night_is_worked_out_again_after_it_and_an_older_one_is_not(home: Home, book: Rulebook) -> None:
    before = sorted(path.name for path in home.archive.iterdir())
    gone = {one.file.name for one in prune(home, book, date(2100, 1, 1))}
    assert sorted(path.name for path in home.archive.iterdir()) == sorted(set(before) - gone)
    assert must_agree(home, night(home), CASE, book=book) > 1
    with pytest.raises(IntegrityError, match="E-AGAIN"):
        must_agree(home, published_nights(home)[0], CASE, book=book)
    assert ledger(home)[-1]["command"] == "archive prune"
    assert over(home, book, date(2100, 1, 1)) == []


def test_nothing_is_deleted_while_a_night_runs(home: Home, book: Rulebook) -> None:
    with one_at_a_time(home), pytest.raises(LockedError):
        prune(home, book, date(2100, 1, 1))
    assert len(over(home, book, date(2100, 1, 1))) == 28  # two batches of seven tables, each table with the line of its key


def test_the_command_lists_and_deletes_only_when_told_to(home: Home) -> None:
    (home.archive / "left.parquet").write_bytes(b"abc")
    os.utime(home.archive / "left.parquet", (0, 0))
    for words in ([], ["--dry-run"], ["--yes", "--dry-run"]):
        told = json.loads(hedui("archive", "prune", "--home", home.folder, *words, "--json").stdout)
        assert told == {"deleted": False, "bytes": 3, "files": [{"file": "left.parquet", "bytes": 3, "retention": ""}]}
    assert ledger(home) == []
    said = hedui("archive", "prune", "--home", home.folder, "--yes")
    assert (said.returncode, said.stderr) == (0, "")
    assert "left.parquet" in said.stdout
    assert "已删除 1 个文件、3 字节" in said.stdout
    assert not (home.archive / "left.parquet").exists()
    assert ledger(home)[0]["purpose"] == "1 files, 3 bytes"
