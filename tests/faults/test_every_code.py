"""The refusals that no other test raises: each code once, where it arises."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.small_drops import CARS, ZHANG, Bureau, Sent, cars, codes
from tests.tables import table
from tests.test_cli import hedui
from verify.archive import Counts
from verify.gates import must_find_nothing
from verify.intake import prove
from verify.manifest import Manifest, Origin
from verify.manifest_list import Listed
from verify.problems import HeduiError
from verify.rule_checks import check_rules
from verify.rulebook import load_rulebook
from verify.settings import init_home, rules_folder
from verify.stages.publish import begin, publish, verify_night
from verify.store import Store, open_store

ROW = "    - {when: [any, any, any, any, any, pass, pass, any, pass, pass, pass, any, pass], then: rigid"
SPOILT = [
    ("programmes/category.yaml", ROW, ROW.replace("[any, any,", "[any,"), "E-DECISION-CELLS"),
    ("programmes/category.yaml", "columns: [one_member,", "columns: [no_such_test,", "E-DECISION-COLUMN"),
    ("programmes/benefits.yaml", "benefit: rigid", "benefit: no_such_category", "E-BENEFIT-CATEGORY"),
    ("programmes/benefits.yaml", "pays: dibao_payment", "pays: household_income", "E-BENEFIT-RULE"),
    ("facts/income.yaml", "expr: wage * wage_share_counted", "expr: (select wage)", "E-FORMULA-NODE"),
    ("facts/income.yaml", "expr: wage * wage_share_counted", "expr: (wage - 1) * wage_share_counted", "E-FORMULA-SIGN"),
    ("facts/assets.yaml", "  from: jr_zhengquan", "  from: no_such_extract", "E-RULE-EXTRACT"),
    ("facts/assets.yaml", "- input: securities", "- inputt: securities", "E-RULE-KIND"),
    ("facts/income.yaml", "  of: case\n  unit: 元/月\n  from: mz_shenqing", "  of: case\n  unit: 元/月\n  from: rh_cunkuan", "E-RULE-NO-CASE"),
    ("extracts/ga_huji.yaml", "  retention: people", "  retention: persons", "E-RULE-CLASS"),
]


def raised(error: pytest.ExceptionInfo[HeduiError]) -> set[str]:
    return {problem.code for problem in error.value.problems}


@pytest.mark.parametrize(("file", "old", "new", "code"), SPOILT)
def test_a_spoilt_rule_file(file: str, old: str, new: str, code: str, tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    text = (rules / file).read_text(encoding="utf-8")
    assert old in text
    (rules / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(HeduiError) as error:
        check_rules(rules)
    assert code in raised(error)


def test_no_rules_and_no_membership(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(HeduiError) as error:
        check_rules(tmp_path / "empty")
    assert raised(error) == {"E-RULES-NONE"}
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    (rules / "membership" / "membership.yaml").unlink()
    with pytest.raises(HeduiError) as error:
        check_rules(rules)
    assert "E-RULES-ONE" in raised(error)


def test_an_example_that_does_not_hold(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    path = rules / "facts" / "income.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('expect: "6500.00"', 'expect: "6500.01"', 1), encoding="utf-8")
    said = hedui("rules", "test", "--rules", rules)
    assert said.returncode == 2
    assert "E-RULE-EXAMPLE" in said.stderr


def test_a_home_where_none_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(HeduiError) as error:
        init_home(tmp_path / "file" / "home")
    assert raised(error) == {"E-HOME-MAKE"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Tables as the stages leave them, each with something that must never be."""
    with open_store(tmp_path) as opened:
        opened.run("CREATE TABLE links AS FROM (VALUES ('x', 'f', 1, '', 'A', 1, 'P1', 'accepted', 'm'), ('x', 'f', 1, '', 'B', 1, 'P2', 'accepted', 'm')) "
                   "AS t(extract, file, row, side, case_id, member_no, person_id, status, method)")  # fmt: skip
        opened.run("CREATE TABLE persons AS SELECT 'A' AS case_id, 1 AS member_no, FALSE AS authorised")
        opened.run("CREATE TABLE free_extracts (extract VARCHAR)")
        opened.run("CREATE TABLE mentions AS SELECT 'x' AS extract, 'f' AS file, 1 AS row, '' AS side, NULL AS id_key, NULL AS birth, "
                   "NULL AS household, NULL AS document")  # fmt: skip
        opened.run("CREATE TABLE cases AS SELECT 'A' AS case_id")
        opened.run("CREATE TABLE decisions AS SELECT 'B' AS case_id")
        opened.run("CREATE TABLE trace AS SELECT 'A' AS case_id, 2 AS low, 1 AS high, 0 AS scale, NULL::BOOLEAN AS truth")
        opened.run("CREATE TABLE proof AS SELECT 'A' AS case_id, 'P9' AS person_id, 'x' AS extract, 'f' AS file, 1 AS row")
        opened.run("CREATE TABLE raised AS SELECT 'Z' AS case_id")
        yield opened


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("match", {"E-GATE-TWO-OWNERS", "E-GATE-UNAUTHORISED", "E-GATE-NAME-ALONE"}),
        ("assess", {"E-GATE-DECIDED-ONCE", "E-GATE-INTERVAL", "E-GATE-EVIDENCE"}),
        ("watch", {"E-GATE-ALERT-CASE"}),
    ],
)
def test_every_gate_finds_what_must_not_be(store: Store, stage: str, expected: set[str]) -> None:
    with pytest.raises(HeduiError) as error:
        must_find_nothing(store, stage)
    assert raised(error) == expected


def test_a_web_page_is_no_data_file(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html>\n<html>\n<body>502</body>\n</html>\n"
    assert "E-HTML" in codes(Bureau(tmp_path).night(Sent("ga_cheliang", page, 3)))


def test_a_column_that_is_not_there_and_need_not_be_is_noted(tmp_path: Path) -> None:
    arrived = Bureau(tmp_path).night(cars(["桂A1", "02", ZHANG, "张三"], header=CARS[:4]))
    troubles = table(arrived.troubles)
    assert "ZT" in troubles.filter(pl.col("code") == "N-ABSENT-COLUMN")["detail"].item()


def test_rows_that_do_not_add_up(tmp_path: Path) -> None:
    listed = Listed("a.csv", "ga_cheliang", "B1", date(2026, 11, 20), 3, "全量", "", None)
    with pytest.raises(HeduiError) as error:
        prove(Counts(received=3, kept=1, refused=1, duplicate=0), listed, load_rulebook(rules_folder()).extracts["ga_cheliang"])
    assert raised(error) == {"E-GATE-ROWS"}


def test_a_published_night_that_was_changed(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home")
    origin = Origin(as_of=date(2026, 11, 20), inputs={}, rules="r", program="0.1.0")
    night = publish(home, begin(home, origin.night), manifest=Manifest(night=origin.night, origin=origin, incomplete=False), run={})
    (night.folder / "added").write_text("x", encoding="utf-8")
    with pytest.raises(HeduiError) as error:
        verify_night(night)
    assert raised(error) == {"E-NIGHT-CHANGED"}


def test_every_code_has_a_test_that_raises_it() -> None:
    told = {code for path in rules_folder().glob("messages/*.yaml") for code in re.findall(r"message: ([EWN]-[A-Z0-9-]+)", path.read_text(encoding="utf-8"))}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).resolve().parents[1].rglob("*.py"))
    assert sorted(code for code in told if code not in tests) == []

