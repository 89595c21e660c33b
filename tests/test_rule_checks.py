"""`hedui rules check`: what is wrong with values, uses and bases of a rule book, each told with file and line."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.test_cli import hedui
from verify.parameters import value_in_force
from verify.problems import UsageError
from verify.rule_checks import check_rules
from verify.rule_reviews import due
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

HEAD = "- parameter: floor_line\n  label: 试\n  unit: 元/人/月\n"
USED = "- {rule: uses_it, label: 试, publish: yes, of: case, unit: 元/人/月, law: 试, expr: floor_line}\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules with one more rule that reads `floor_line`."""
    made = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    (made / "facts/uses_it.yaml").write_text(USED, encoding="utf-8")
    return made


def told(rules: Path, **files: str) -> list[tuple[str, str]]:
    """The codes and places of what check says of the book with those files (`__` is `/`); nothing if it is whole."""
    for name, text in files.items():
        (rules / "parameters" / name.replace("__", ".")).write_text(text, encoding="utf-8")
    try:
        check_rules(rules)
    except UsageError as error:
        return [(problem.code, problem.where) for problem in error.problems]
    return []


def values(*lines: str, head: str = HEAD) -> str:
    return head + "  values:\n" + "".join(f"    - {{law: 试, {line}}}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['region: "00", from: 2024-01-01, value: 400'], []),
        (['region: "00", from: 2024-01-01, to: 2024-12-31, value: 400', 'region: "00", from: 2025-01-01, value: 420'], []),
        (['region: "00", from: 2024-01-01, value: 400', 'region: "00", from: 2025-01-01, value: 420'], [("E-VALUE-OVERLAP", 6)]),
        (['region: "00", from: 2024-01-01, to: 2025-01-01, value: 400', 'region: "00", from: 2025-01-01, value: 420'], [("E-VALUE-OVERLAP", 6)]),
        (['region: "00", from: 2024-01-01, to: 2024-12-30, value: 400', 'region: "00", from: 2025-01-01, value: 420'], [("E-VALUE-GAP", 6)]),
        (['region: "00", from: 2020-01-01, value: 1', 'region: "45", from: 2024-01-01, to: 2024-12-30, value: 4', 'region: "45", from: 2025-01-01, value: 5'],
         []),
        (['region: "00", from: 2024-01-01, to: 2023-12-31, value: 400'], [("E-VALUE-DAYS", 5)]),
        (['region: "00", from: 2024-01-01, value: {城镇: 400, 农村: 300}'], [("E-VALUE-FORM", 5)]),
        (['region: "00", from: 2024-01-01, value: 400.001'], [("E-VALUE-FORM", 5)]),
        (['region: "46", from: 2024-01-01, value: 400'], [("E-VALUE-HOME", 4)]),
    ],
)
def test_values_by_day_and_division(lines: list[str], expected: list[tuple[str, int]], rules: Path) -> None:
    assert told(rules, floor__yaml=values(*lines)) == [(code, f"rules/parameters/floor.yaml:{line}") for code, line in expected]


@pytest.mark.parametrize(("county", "held"), [("399.99", False), ("400", True), ("400.01", True)])
def test_a_county_may_not_fall_below_its_provinces_floor(county: str, held: bool, rules: Path) -> None:
    lines = ['region: "00", from: 2024-01-01, value: 100', 'region: "45", from: 2024-01-01, value: 400', f'region: "459999", from: 2024-07-01, value: {county}']
    found = told(rules, floor__yaml=values(*lines, head=HEAD + "  combine: at_least_parent\n"))
    assert found == ([] if held else [("E-VALUE-FLOOR", "rules/parameters/floor.yaml:8")])


def test_a_floor_that_had_ended_before_binds_nobody(rules: Path) -> None:
    lines = ['region: "45", from: 2023-01-01, to: 2023-12-31, value: 400', 'region: "459999", from: 2024-01-01, value: 300']
    assert told(rules, floor__yaml=values(*lines, head=HEAD + "  combine: at_least_parent\n")) == []


def test_a_value_a_fact_or_a_rule_that_nobody_reads_is_told(rules: Path) -> None:
    (rules / "facts/uses_it.yaml").unlink()
    assert told(rules, floor__yaml=values('region: "00", from: 2024-01-01, value: 400')) == [("E-RULE-UNUSED", "rules/parameters/floor.yaml:1")]


@pytest.mark.parametrize(("of", "more", "expr"), [("member", "", "wage"), ("household", "type: test, ", "members = 1")])
def test_only_a_figure_of_a_case_is_published(of: str, more: str, expr: str, rules: Path) -> None:
    rule = f"- {{rule: shown, label: 试, publish: yes, of: {of}, {more}law: 试, expr: {expr}}}\n"
    assert told(rules, floor__yaml=values('region: "00", from: 2024-01-01, value: 400') + rule) == [("E-RULE-PUBLISH", "rules/parameters/floor.yaml:6")]


@pytest.mark.parametrize("law", ["''", "[]", "' '", "['']"])
def test_a_value_without_a_basis_is_told(law: str, rules: Path) -> None:
    text = values('region: "00", from: 2024-01-01, value: 400').replace("law: 试", f"law: {law}")
    assert told(rules, floor__yaml=text) == [("E-RULE-NO-BASIS", "rules/parameters/floor.yaml:5")]


TABLE = HEAD + "  table: floor.csv\n"


def test_values_may_stand_in_a_table_beside_the_entry(rules: Path) -> None:
    text = "region,from,to,value,law,review_by\n00,2024-01-01,,400,试,\n45,2024-01-01,2024-12-31,500,试；又,2024-10-01\n45,2025-01-01,,510.5,试,\n"
    assert told(rules, floor__yaml=TABLE, floor__csv=text) == []
    parameter = load_rulebook(rules).parameters["floor_line"]
    found = {day.isoformat(): value_in_force(parameter, "459999", day) for day in (v.from_ for v in parameter.values)}
    assert {day: value and (str(value.value), value.law) for day, value in found.items()} == {
        "2024-01-01": ("500", ("试", "又")),
        "2025-01-01": ("510.5", ("试",)),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("region,from,value\n00,2024-01-01,400\n", [("E-RULE-TABLE", 1)]),
        ("region,from,law\n00,2024-01-01,试\n", [("E-RULE-TABLE", 1)]),
        ("region,from,城镇,农村,law\n00,2024-01-01,1,1,试\n", [("E-RULE-TABLE", 1)]),
        ("region,from,value,law\n00,2024-01-01,400,试\n00,2024-01,400,试\n00,2024-01-01,0400,试\n0,2024-01-01,4,试\n00,2024-01-01,4,\n00,2024-01-01\n",
         [("E-RULE-TABLE", line) for line in (3, 4, 5, 6, 7)]),
        ("region,from,value,law\n00,2024-01-01,400,试\n00,2025-01-01,400,试\n", [("E-VALUE-OVERLAP", 3)]),
    ],
)  # fmt: skip
def test_a_wrong_line_of_a_table_is_told_with_its_line(text: str, expected: list[tuple[str, int]], rules: Path) -> None:
    assert told(rules, floor__yaml=TABLE, floor__csv=text) == [(code, f"rules/parameters/floor.csv:{line}") for code, line in expected]


def test_the_command_tells_all_of_it_and_how_to_mend_it(rules: Path) -> None:
    told(rules, floor__yaml=values('region: "00", from: 2024-01-01, value: 400', 'region: "00", from: 2025-01-01, value: 420'))
    said = hedui("--lang", "en", "--rules", rules, "rules", "check")
    assert said.returncode == 2
    assert "E-VALUE-OVERLAP  rules/parameters/floor.yaml:6" in said.stderr
    assert "close the earlier one" in said.stderr


REVIEWED = ['region: "45", from: 2024-01-01, value: 400, review_by: 2025-06-30', 'region: "459999", from: 2024-07-01, to: 2025-12-31, value: 450']


def test_a_value_past_its_review_is_told_of_and_holds_on(rules: Path) -> None:
    told(rules, floor__yaml=values(*REVIEWED))
    before = hedui("--lang", "en", "--rules", rules, "rules", "check", "--as-of", "2026-06-30")
    assert (before.returncode, "W-REVIEW  rules/parameters/floor.yaml:5" in before.stderr) == (0, True)
    in_force = hedui("--lang", "en", "--rules", rules, "rules", "check", "--as-of", "2025-12-31")
    assert (in_force.returncode, in_force.stderr) == (0, "")  # the county's own value is in force, and has no such day


def test_a_day_for_which_the_law_has_ended_is_refused(rules: Path) -> None:
    told(rules, floor__yaml=values(REVIEWED[1]))
    said = hedui("--lang", "en", "--rules", rules, "rules", "check", "--as-of", "2026-01-01")
    assert (said.returncode, "E-NO-VALUE  rules/parameters/floor.yaml" in said.stderr) == (2, True)


def test_what_is_to_be_reviewed_and_what_ends_is_listed_by_day(rules: Path) -> None:
    told(rules, floor__yaml=values(*REVIEWED))
    listed = [(d.day.isoformat(), d.why, d.region) for d in due(load_rulebook(rules), date(2027, 12, 30))]
    assert listed == [("2025-06-30", "review", "45")]  # after the county's value that of the province holds again
    told(rules, floor__yaml=values(REVIEWED[1]))
    found = json.loads(hedui("--rules", rules, "rules", "reviews", "--as-of", "2025-10-02", "--within", "90", "--json").stdout)
    assert [(d["day"], d["why"], d["where"]) for d in found] == [("2025-12-31", "ends", "rules/parameters/floor.yaml:5")]
    assert "2025-12-31" in hedui("--rules", rules, "rules", "reviews", "--as-of", "2026-01-01").stdout
    assert "没有" in hedui("--rules", rules, "rules", "reviews", "--as-of", "2025-01-01").stdout
