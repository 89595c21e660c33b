"""Officers decide about batches, on a real home: held, accepted, withdrawn; and any past night can be worked out again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests import tables
from tests.altered import altered
from tests.stages.test_guards import renumbered, times
from tests.test_cli import DROP, hedui
from tests.test_desk import ledger
from verify import Home, Order, Outcome, init_home, run_night
from verify.archive import Archive
from verify.batches import chain, known_rows, read_batches
from verify.decisions import ACCEPTED, WITHDRAWN, Decision, Decisions, decide, read_decisions
from verify.known_then import HANDED_ON
from verify.manifest import read_night
from verify.model import Arrived, Known, Part
from verify.plan import make_plan
from verify.problems import IntegrityError
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.store import open_store, read_frame, write_frame
from verify.store_files import digest_of
from verify.working import work_out

BANKS, NEXT = "rh_cunkuan", "rh_cunkuan-next"
FIRST = "rh_cunkuan-20261120"


def night_of(home: Home, drop: Path) -> Outcome:
    return run_night(home, Order(drop, rules_folder()), lambda _stage: None)


@pytest.fixture(scope="module")
def slipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next day's drop: the banks' amounts are a ten-thousandth of what they were."""
    folder = tmp_path_factory.mktemp("drop")
    return renumbered(altered(DROP, folder / "drop", {BANKS: times("余额合计", 1, 10_000)}), {BANKS}, "2026-11-21")


@pytest.fixture(scope="module")
def nights(bureau: Home, tmp_path_factory: pytest.TempPathFactory, slipped: Path) -> tuple[Home, Outcome, Outcome]:
    """Two nights; in the second the banks' batch is held."""
    home = tables.a_copy(bureau, tmp_path_factory.mktemp("nights") / "home")
    return home, night_of(home, DROP), night_of(home, slipped)


@pytest.fixture
def home(nights: tuple[Home, Outcome, Outcome], tmp_path: Path) -> Home:
    """A copy of that home, to decide in."""
    return tables.a_copy(nights[0], tmp_path / "home")


def states(home: Home, extract: str = BANKS) -> dict[str, str]:
    said = hedui("batch", "list", extract, "--home", home.folder, "--json")
    return {one["batch"]: one["state"] for one in json.loads(said.stdout)}


def test_the_night_says_what_it_holds_and_why(nights: tuple[Home, Outcome, Outcome]) -> None:
    _, _, second = nights
    assert (second.published, second.incomplete, second.late) == (True, True, [BANKS])
    (told,) = [problem for problem in second.troubles if problem.code.startswith("E-")]
    assert (told.code, told.values["column"], told.values["sign"]) == ("E-HELD-MEDIAN", "余额合计", "÷")
    assert 9_000 < int(told.values["times"]) < 11_000


def test_an_accepted_batch_is_loaded_by_the_next_run(home: Home, slipped: Path, nights: tuple[Home, Outcome, Outcome]) -> None:
    assert states(home) == {FIRST: "in_use", NEXT: "held"}
    said = hedui("batch", "accept", NEXT, "--home", home.folder, "--reason", "银行改按万元报，已电话核实")
    assert (said.returncode, said.stderr) == (0, "")
    assert "已认可，下一夜起用" in said.stdout
    assert states(home)[NEXT] == "accepted"
    (line,) = ledger(home)
    assert (line["command"], line["case"], line["purpose"]) == ("batch accept", f"{BANKS} {NEXT}", "银行改按万元报，已电话核实")
    again = night_of(home, slipped)
    assert again.published
    assert again.night_id != nights[2].night_id
    assert (again.incomplete, again.late) == (False, [])
    assert "N-ACCEPTED" in {problem.code for problem in again.troubles}
    assert read_night(again.folder).manifest.origin.decisions == read_decisions(home).digest
    assert night_of(home, slipped).published is False
    assert states(home) == {FIRST: "superseded", NEXT: "in_use"}


def test_withdrawing_lists_the_families_that_rested_on_it(home: Home, slipped: Path, nights: tuple[Home, Outcome, Outcome]) -> None:
    evidence, links = (tables.table(nights[2].folder / "results" / f"{name}.parquet") for name in ("evidence", "links"))
    resting = set(links.filter((pl.col("extract") == "bdc_fangwu") & (pl.col("status") != "rejected"))["case_id"])
    assert resting >= set(evidence.filter(pl.col("extract") == "bdc_fangwu")["case_id"]) > set()
    told = json.loads(hedui("batch", "withdraw", "bdc_fangwu-20261120", "--home", home.folder, "--reason", "送错了县", "--json").stdout)
    assert (set(told["cases"]) >= resting, told["silent"]) == (True, 300 - len(told["cases"]))
    assert states(home, "bdc_fangwu") == {"bdc_fangwu-20261120": "withdrawn"}
    again = night_of(home, slipped)
    assert set(again.late) == {BANKS, "bdc_fangwu"}
    assert "E-WITHDRAWN" in {problem.code for problem in again.troubles}
    assert states(home, "bdc_fangwu") == {"bdc_fangwu-20261120": "withdrawn"}


def test_a_list_of_the_roster_touches_every_family_on_it(home: Home) -> None:
    said = hedui("batch", "withdraw", "mz_shenqing-20261120", "--home", home.folder, "--reason", "试", "--lang", "en")
    assert "[families with a row of this batch: 300]" in said.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["accept", NEXT, "--reason", "  "], "E-REASON"),
        (["accept", "nowhere", "--reason", "x"], "E-BATCH-WHICH"),
        (["accept", FIRST, "--reason", "x"], "E-BATCH-NOT-HELD"),
        (["accept", NEXT, "--reason", "x", "--as", "ga_huji"], "E-BATCH-WHICH"),
        (["list", "ga_hoji"], "E-EXTRACT-WHAT"),
    ],
)
def test_what_cannot_be_done_is_said(home: Home, words: list[str], code: str) -> None:
    said = hedui("batch", *words, "--home", home.folder)
    assert (said.returncode, said.stderr.split()[0]) == (2, code)
    assert not home.decisions.exists()


def test_nothing_is_decided_that_cannot_be_put_on_record(home: Home) -> None:
    home.ledger.mkdir()
    said = hedui("batch", "withdraw", FIRST, "--home", home.folder, "--reason", "x")
    assert (said.returncode, said.stderr.split()[0], home.decisions.exists()) == (12, "E-LEDGER", False)


def test_twice_is_said_to_be_once_too_many(home: Home) -> None:
    assert hedui("batch", "withdraw", FIRST, "--home", home.folder, "--reason", "x").returncode == 0
    assert hedui("batch", "withdraw", FIRST, "--home", home.folder, "--reason", "x").stderr.startswith("E-BATCH-GONE")


# --- the file of decisions --------------------------------------------------------------------------------------------


def decision(what: str = ACCEPTED, batch: str = "B1", **other: str) -> Decision:
    told = {"file": "f", "as_of": "2026-11-20", "mode": "全量", "reason": "r"} | other
    return Decision(what, "x", batch, "0" * 64, received=1, **told)


def test_the_digest_is_of_what_was_decided_and_of_nothing_else() -> None:
    one, other = decision(when="1", user="a", reason="r"), decision(when="2", user="b", reason="s")
    assert Decisions({one.key: one}).digest == Decisions({other.key: other}).digest != ""
    assert Decisions({one.key: one}).digest != Decisions({one.key: decision(WITHDRAWN)}).digest
    assert Decisions().digest == ""


def test_the_last_decision_holds_and_a_torn_line_was_never_one(tmp_path: Path) -> None:
    home = init_home(tmp_path / "h")
    for one in (decision(), decision(WITHDRAWN), decision(batch="B2")):
        decide(home, one)
    whole = home.decisions.read_bytes()
    home.decisions.write_bytes(whole + b'{"what": "withdr')
    assert {key[1]: one.what for key, one in read_decisions(home).by.items()} == {"B1": WITHDRAWN, "B2": ACCEPTED}
    decide(home, decision(batch="B3"))
    assert home.decisions.read_bytes().startswith(whole)
    assert len(read_decisions(home).by) == 3
    assert home.decisions.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("line", [b"?\n", b"{}\n", b'{"what": "accepted"}\n', b"[1]\n", b"\xff\n"])
def test_a_line_that_cannot_be_read_stops_the_night(tmp_path: Path, line: bytes) -> None:
    home = init_home(tmp_path / "h")
    decide(home, decision())
    home.decisions.write_bytes(home.decisions.read_bytes() + line)
    with pytest.raises(IntegrityError, match=r"E-DECISIONS decisions.jsonl:2"):
        night_of(home, DROP)
    home.decisions.unlink()
    home.decisions.mkdir()
    with pytest.raises(IntegrityError, match="E-DECISIONS"):
        decide(home, decision())


# --- a past night, from the archive -----------------------------------------------------------------------------------


def test_any_past_night_can_be_worked_out_again(nights: tuple[Home, Outcome, Outcome], tmp_path: Path) -> None:
    """The first night from its own list of batches and the archive, after a second one was published."""
    home, first, _ = nights
    book, results = load_rulebook(rules_folder()), first.folder / "results"
    arrived = as_it_was(home, first, book, tmp_path / "tables")
    with open_store(tmp_path, threads=1) as store:
        work_out(store, arrived, make_plan(book, first.as_of), tmp_path, lambda _stage: None)
    now = {path.name: digest_of(path) for path in sorted((tmp_path / "results").glob("*.parquet"))}
    assert now == {path.name: digest_of(path) for path in sorted(results.glob("*.parquet"))}
    assert len(now) == 7


def as_it_was(home: Home, night: Outcome, book: Rulebook, folder: Path) -> Arrived:
    folder.mkdir()
    known: dict[str, Known] = {}
    for name, batches in read_batches(night.folder / "tables" / "batches.parquet").items():
        write_frame(known_rows(chain(batches), Archive(home.archive), book.extracts[name]), folder / f"rows_{name}.parquet")
        known[name] = Known(name, (Part(folder / f"rows_{name}.parquet"),), late=False, usable=True, as_of=date(2026, 11, 20))
    paths = {name: night.folder / "tables" / f"{name}.parquet" for name in HANDED_ON}
    for name, path in paths.items():  # the stages read what lies in their own folder
        write_frame(read_frame(path), folder / path.name)
        paths[name] = folder / path.name
    return Arrived(as_of=night.as_of, known=known, received=0, incomplete=False, **paths)
