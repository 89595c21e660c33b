"""What if a row were not there, said something else, or were another's: the case as a night would then have it, and nothing is written."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.altered import altered
from tests.tables import table
from tests.test_cli import DROP, hedui
from tests.test_desk import ledger
from verify import Home, Order, init_home, run_night
from verify.manifest import Published, current_night
from verify.problems import UsageError
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.spot import read_spot
from verify.store import read_frame, write_frame
from verify.supposing import Change, Suppositions, changes_of
from verify.supposing import suppose as suppose_rows
from verify.whatif import WhatIf, what_if


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(rules_folder())


def digest(home: Home) -> str:
    """Every name and byte of a home, without the ledger: that somebody asked must be on record before the answer is shown."""
    files = sorted(path for path in home.folder.rglob("*") if path != home.ledger)
    told = [f"{path.relative_to(home.folder)} {hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ''}" for path in files]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def with_one_car(night: Published) -> tuple[str, str, int]:
    """A case refused with exactly one car, and where that car's row stands."""
    evidence = table(night.folder / "results" / "evidence.parquet").filter(pl.col("fact") == "vehicles")
    single = evidence.filter(pl.len().over("case_id") == 1, pl.col("low") == 1)
    refused = table(night.folder / "results" / "cases.parquet").filter(category="none", members_low=1)
    return single.join(refused, on="case_id", how="semi").sort("case_id").select("case_id", "extract", "row").row(0)


def suppose(home: Home, night: Published, book: Rulebook, case: str, **asked: object) -> WhatIf:
    return what_if(home, read_spot(night, case), Suppositions(**asked), book=book)  # type: ignore[arg-type]


def test_without_its_car_a_family_has_none_and_the_home_is_as_it_was(home: Home, night: Published) -> None:
    case, extract, row = with_one_car(night)
    before, looks = digest(home), len(ledger(home))
    said = hedui("whatif", case, "--home", home.folder, "--drop", f"{extract}:{row}", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    told = json.loads(said.stdout)
    assert told["category"]["then"] == "none"
    cars = [one for one in told["tests"] if one["test"] == "vehicles"]
    assert cars
    assert all((one["then"]["value_low"], one["now"]["value_low"]) == ("1.000000", "0.000000") for one in cars)
    assert all((one["then"]["verdict"], one["now"]["verdict"]) == ("fails", "holds") for one in cars)
    assert digest(home) == before
    assert [line["command"] for line in ledger(home)[looks:]] == ["whatif"]


def test_a_scrapped_car_is_no_car_either_and_income_counts(home: Home, night: Published, book: Rulebook) -> None:
    case, extract, row = with_one_car(night)
    (number,) = table(night.folder / "results" / "links.parquet").filter(case_id=case, extract=extract, row=row)["member_no"].to_list()
    scrapped = suppose(home, night, book, case, set_=[f"{extract}:{row}:ZT=M"], income=[f"{number}=3000"])
    assert {new["value_low"] for _, new in scrapped.tests if new and new["test"] == "vehicles"} == {0}
    raised = [(old, new) for old, new in scrapped.tests if old and new and new["test"] == "income"]
    assert raised
    assert all(new["value_low"] > old["value_low"] for old, new in raised)


def test_who_earns_more_is_paid_so_much_less(home: Home, night: Published, book: Rulebook) -> None:
    aided = table(night.folder / "results" / "cases.parquet").filter(category="dibao", members_low=1)
    exact = aided.filter(pl.col("monthly_income_low") == pl.col("monthly_income_high"))
    poor = exact.filter(pl.col("monthly_income_high") + 200 < pl.col("monthly_line")).sort("case_id")
    wage = table(night.folder / "results" / "evidence.parquet").filter(fact="wage")["case_id"].implode()
    case = poor.filter(~pl.col("case_id").is_in(wage))["case_id"][0]
    said = hedui("whatif", case, "--home", home.folder, "--income", "1=100", "--json")
    told = json.loads(said.stdout)
    assert told["category"] == {"then": "dibao", "now": "dibao"}
    then, now = (Decimal(told["paid"][side]["low"]) for side in ("then", "now"))
    (income,) = [one for one in told["tests"] if (one["category"], one["test"]) == ("dibao", "income")]
    assert then - now == Decimal(income["now"]["value_low"]) - Decimal(income["then"]["value_low"]) > 0
    assert "每月发（最低生活保障金）" in hedui("explain", case, "--home", home.folder, "--long").stdout


WRONG = [
    ({}, "E-WHATIF-WHAT"),
    ({"drop": ["ga_cheliang"]}, "E-WHATIF-WHAT"),
    ({"income": ["1=viel"]}, "E-WHATIF-WHAT"),
    ({"income": ["99=100"]}, "E-MATCH-PERSON"),
    ({"drop": ["ga_none:1"]}, "E-EXTRACT-WHAT"),
    ({"set_": ["ga_cheliang:1:NO=1"]}, "E-WHATIF-COLUMN"),
    ({"relink": ["mz_hunyin:1=1"]}, "E-WHATIF-SIDES"),
]


@pytest.mark.parametrize(("asked", "code"), WRONG)
def test_what_cannot_be_supposed_is_said_before_anything_is_worked_out(book: Rulebook, asked: dict[str, list[str]], code: str) -> None:
    people = [{"member_no": 1, "name": "甲", "ids": [], "birth": None}]
    with pytest.raises(UsageError) as error:
        changes_of(Suppositions(**asked), book, people, own={}, as_of=None)  # type: ignore[arg-type]
    assert error.value.problems[0].code == code


def test_a_row_far_away_a_value_that_is_none_and_a_row_in_two_files(book: Rulebook, tmp_path: Path) -> None:
    extract = "ga_cheliang"
    columns = [column.column for column in book.extracts[extract].columns]
    rows = pl.DataFrame({"_file": ["a", "b"], "_row": [1, 1], "_as_of": [date(2026, 11, 20)] * 2, **{name: ["x", "y"] for name in columns}})
    write_frame(rows, tmp_path / f"rows_{extract}.parquet")
    for place, cells, code in (((None, 2), None, "E-WHATIF-ROW"), ((None, 1), None, "E-MATCH-FILES"), (("a", 1), {"CCDJRQ": "nie"}, "E-WHATIF-VALUE")):
        with pytest.raises(UsageError) as error:
            suppose_rows([Change("", extract, *place, cells)], book.extracts, tmp_path, date(2026, 11, 20))
        assert error.value.problems[0].code == code
    suppose_rows([Change("", extract, "b", 1, {"SYR": " 李四 "}), Change("", extract, "a", 1, None)], book.extracts, tmp_path, date(2026, 11, 20))
    assert read_frame(tmp_path / f"rows_{extract}.parquet")["SYR"].to_list() == ["李四"]


@pytest.mark.soak
def test_what_is_supposed_is_what_a_night_over_such_a_drop_says(home: Home, night: Published, book: Rulebook, tmp_path: Path) -> None:
    case, extract, row = with_one_car(night)
    left = altered(DROP, tmp_path / "drop", {extract: lambda rows: rows.with_row_index("n", 1).filter(pl.col("n") != row).drop("n")})
    other = init_home(tmp_path / "home")
    run_night(other, Order(left, rules_folder()), lambda _stage: None)
    real = current_night(other)
    assert real is not None
    (number,) = table(night.folder / "results" / "links.parquet").filter(case_id=case, extract=extract, row=row)["member_no"].to_list()
    assert suppose(home, night, book, case, relink=[f"{extract}:{row}={number}"]).tests == ()  # it is theirs already
    would = suppose(home, night, book, case, drop=[f"{extract}:{row}"])
    truly = read_spot(real, case)
    assert would.category == truly.case["category"]
    now = {(new["category"], new["test"]): new for _, new in would.tests if new}
    then = {(test["category"], test["test"]): test for test in read_spot(night, case).tests}
    for test in truly.tests:
        key = test["category"], test["test"]
        assert now.get(key, then[key]) == test
