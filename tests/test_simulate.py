"""Other rules over a published night: the kept figures say what the stages say, and what cannot be tried is refused."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.tables import a_copy, table
from tests.test_cli import hedui
from tests.test_desk import ledger
from verify import Home, Order, init_home, run_night
from verify.manifest import Published, current_night
from verify.problems import HeduiError
from verify.rule_checks import check_rules
from verify.rulebook import Rulebook
from verify.scenarios import Tried, read_scenario
from verify.settings import rules_folder
from verify.simulate import Simulation, simulate
from verify.simulate_cost import AFTER, BEFORE
from verify.store import largest_in, read_frame, write_frame

MARGIN = 'scenario: 边缘倍数\nset: {margin_multiple: "2", vehicles_allowed: "1"}\n'
LINE = 'scenario: 标准上调\nscale: {line_urban_month: "1.05", line_rural_year: "1.05"}\n'


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return check_rules(rules_folder())


def tried(text: str, folder: Path, book: Rulebook) -> Tried:
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    return read_scenario(folder / "scenario.yaml", book, date(2026, 11, 20))


def outcome(found: Simulation) -> tuple[object, ...]:
    return dict(found.matrix), found.moved, dict(found.regions), found.cost


def test_the_kept_figures_say_what_the_stages_say(home: Home, night: Published, book: Rulebook, tmp_path: Path) -> None:
    scenario = tried(MARGIN, tmp_path, book)
    quick, whole = (simulate(home, night, scenario, book=book, deep=deep) for deep in (False, True))
    assert outcome(quick) == outcome(whole)
    assert quick.deep == ()
    assert {("none", "margin"), ("cannot_tell", "margin")} <= set(quick.matrix)
    assert any("no_vehicle" in one.tests for one in quick.moved)


def test_a_change_that_touches_what_rows_say_is_worked_out_from_the_rows(home: Home, book: Rulebook, tmp_path: Path) -> None:
    (tmp_path / "line.yaml").write_text(LINE, encoding="utf-8")
    looks = len(ledger(home))
    files = tmp_path / "moved.xlsx", tmp_path / "moved.html"
    said = hedui("rules", "simulate", tmp_path / "line.yaml", "--home", home.folder, "--json", "--workbook", files[0], "--page", files[1])
    assert (said.returncode, said.stderr) == (0, "")
    told = json.loads(said.stdout)
    assert (told["deep"], told["cases"]) == (["deposits"], 300)
    assert paid_more(told["cost"])
    assert sum(cell["cases"] for cell in told["matrix"] if cell["then"] != cell["now"]) == len(told["moved"]) > 0
    assert all(one["tests"] for one in told["moved"])
    assert [line["command"] for line in ledger(home)[looks:]] == ["rules simulate"]
    assert [(one["name"], one["now"]) for one in told["changes"]] == [("line_rural_year", "6678 元/人/年"), ("line_urban_month", "840 元/人/月")]
    page = files[1].read_text(encoding="utf-8")
    assert {"标准上调", "840 元/人/月"} <= set(re.findall(r">(?:设想：)?([^<]+)<", page))
    assert "＊" in page
    assert not re.search(r'"figure">[1-4]<', page)
    assert "SQ2026" not in page
    assert not re.search("另 [0-9]+ 户", page)  # of the families whose amount is not known, only that there are some: here they are four
    assert "不知道" in page
    listed = pl.read_excel(files[0], sheet_name="类别改变的家庭", engine="calamine")
    assert set(listed.to_series().to_list()) >= {one["case"] for one in told["moved"]}
    assert pl.read_excel(files[0], sheet_name="家庭（户）", engine="calamine").columns[0] == "行：现在；列：设想"
    assert "840 元/人/月" in pl.read_excel(files[0], sheet_name="设想了什么", engine="calamine")["设想"].to_list()


def paid_more(cost: dict[str, Any]) -> bool:
    """A higher line pays more, of all and of each township; the townships add up to the whole."""
    before, after = cost["total"]["before"], cost["total"]["after"]
    parts = sum(Decimal(place["after"]["least"]) for place in cost["regions"])
    return Decimal(before["least"]) < Decimal(after["least"]) and abs(parts - Decimal(after["least"])) < Decimal("0.20")


def test_what_is_paid_is_the_difference_to_the_line_times_the_heads(home: Home, night: Published, book: Rulebook) -> None:
    found = simulate(home, night, Tried("nichts", book), book=book)
    assert found.cost is not None
    paid = found.cost.settled[BEFORE, "dibao"]
    cases = table(night.folder / "results" / "cases.parquet").filter(pl.col("category") == "dibao")
    by_hand = [(line - high) * least for line, high, least in cases.select("monthly_line", "monthly_income_high", "members_low").rows()]
    assert (paid.cases, paid.boundless) == (cases.height, 0)
    assert abs(paid.least - sum(by_hand)) < Decimal("0.05") * cases.height
    assert paid.least < paid.most
    assert found.cost.settled[BEFORE, "margin"].most == 0
    tekun = found.cost.settled[AFTER, "tekun"]
    assert (tekun.least, tekun.boundless) == (0, tekun.cases)  # the made-up county's rules do not say how much
    assert found.cost.settled[BEFORE, "dibao"] == found.cost.settled[AFTER, "dibao"]


def test_an_unchanged_book_moves_nobody(home: Home, night: Published, book: Rulebook) -> None:
    found = simulate(home, night, Tried("nichts", book), book=book)
    assert found.moved == ()
    assert sum(found.matrix.values()) == 300


def test_an_income_that_64_bits_cannot_multiply_is_still_worked_out(home: Home, night: Published, book: Rulebook, tmp_path: Path) -> None:
    changed = a_copy(home, tmp_path / "changed")
    there = current_night(changed)
    assert there is not None
    figures = there.folder / "tables" / "figures.parquet"
    assert 0 < largest_in(figures)["household_income__high"] < 2**61
    write_frame(read_frame(figures).with_columns(household_income__low=pl.lit(-(2**61)), household_income__high=pl.lit(2**61)), figures)
    assert largest_in(figures)["household_income__low"] == 2**61
    found = simulate(changed, there, tried(MARGIN, tmp_path, book), book=book)
    assert {now for (_, now) in found.matrix} >= {"cannot_tell"}
    assert sum(found.matrix.values()) == 300


def test_a_table_that_is_read_together_is_tried_on_the_rows(home: Home, night: Published, book: Rulebook) -> None:
    entry = book.entry("decision", book.decision.decision)
    shape = book.decision.model_copy(update={"split": True})
    split = replace(book, entries={**book.entries, ("decision", entry.name): replace(entry, shape=shape)})
    found = simulate(home, night, Tried("split", split), book=book)
    assert found.deep == (entry.name,)
    assert sum(found.matrix.values()) == 300
    assert {one.then for one in found.moved} <= {book.decision.unknown.then}


WRONG = [
    ("scenario: x\n", "E-SCENARIO"),
    ("scenario: x\nset: {no_such: '1'}\n", "E-SCENARIO"),
    ("scenario: x\nsett: {}\n", "E-SCENARIO"),
    ("a: [\n", "E-RULE-YAML"),
]


@pytest.mark.parametrize(("text", "code"), WRONG)
def test_a_scenario_that_is_wrong(book: Rulebook, tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(HeduiError) as error:
        tried(text, tmp_path, book)
    assert error.value.problems[0].code == code


def test_other_reading_and_a_night_that_does_not_repeat_itself_are_refused(home: Home, night: Published, book: Rulebook, tmp_path: Path) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    path = tmp_path / "rules" / "extracts" / "cl_canji.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("absence_means: zero", "absence_means: unknown"), encoding="utf-8")
    with pytest.raises(HeduiError) as error:
        simulate(home, night, tried("scenario: x\nrules: rules\n", tmp_path, book), book=book)
    assert error.value.problems[0].code == "E-SIMULATE-READ"
    changed = a_copy(home, tmp_path / "changed")
    there = current_night(changed)
    assert there is not None
    figures = there.folder / "tables" / "figures.parquet"
    write_frame(read_frame(figures).with_columns(no_vehicle__truth=pl.lit(value=False)), figures)
    for remove in (False, True):
        if remove:
            figures.unlink()
        with pytest.raises(HeduiError) as error:
            simulate(changed, there, tried(MARGIN, tmp_path, book), book=book)
        assert error.value.problems[0].code == "E-SIMULATE-NIGHT"


@pytest.mark.soak
@pytest.mark.parametrize("text", [MARGIN, LINE])
def test_a_simulation_is_what_a_night_under_the_changed_rules_says(tmp_path: Path, book: Rulebook, text: str) -> None:
    assert hedui("county", "make", "--out", tmp_path / "county", "--as-of", "2026-11-20", "--persons", "20000").returncode == 0
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    path = rules / "parameters" / "lines.yaml"
    said = path.read_text(encoding="utf-8")
    if text is MARGIN:
        said = said.replace('value: "1.5"', 'value: "2"')
        at = said.index("parameter: vehicles_allowed")
        said = said[:at] + said[at:].replace('value: "0"', 'value: "1"', 1)
    else:
        for old, new in (('value: "800"', 'value: "840"'), ('value: "6360"', 'value: "6678"')):
            said = said.replace(old, new)
    path.write_text(said, encoding="utf-8")
    nights = []
    for name, folder in (("now", rules_folder()), ("then", rules)):
        made = init_home(tmp_path / name)
        run_night(made, Order(tmp_path / "county" / "drop", folder), lambda _stage: None)
        night = current_night(made)
        assert night is not None
        nights.append((made, night))
    (made, night), (_, other) = nights
    found = simulate(made, night, tried(text, tmp_path, book), book=book)
    truly = dict(table(other.folder / "results" / "cases.parquet").select("case_id", "category").rows())
    before = dict(table(night.folder / "results" / "cases.parquet").select("case_id", "category").rows())
    assert {one.case: one.now for one in found.moved} == {case: truly[case] for case in before if truly[case] != before[case]}
    assert found.moved
