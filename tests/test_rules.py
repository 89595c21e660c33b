"""The rule book: its examples hold, and a mistake in it is refused with file and line."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from verify.parameters import parameter_table, value_in_force
from verify.problems import UsageError
from verify.rule_checks import check_rules
from verify.rule_facts import Example
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

BOOK = load_rulebook(rules_folder())


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to be spoilt."""
    return Path(shutil.copytree(rules_folder(), tmp_path / "rules"))


def spoil(rules: Path, file: str, old: str, new: str) -> list[tuple[str, str]]:
    """Change one text of a rule file; the codes and places of what the check then refuses."""
    path = rules / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        check_rules(rules)
    return [(problem.code, problem.where) for problem in refused.value.problems]


def line_of(file: str, text: str) -> str:
    lines = (rules_folder() / file).read_text(encoding="utf-8").splitlines()
    return f"rules/{file}:{next(at for at, line in enumerate(lines, 1) if text in line)}"


def outcomes(examples: tuple[Example, ...]) -> set[str]:
    """What kinds of answers the examples of an entry show: settled ones, and one that is not known."""
    unknown = {"open"} | {e.example for e in examples if isinstance(e.expect, list) and e.expect[0] != e.expect[1]}
    return {"unknown" if e.expect == "open" or e.example in unknown else "settled" for e in examples}


def test_every_fact_rule_and_test_shows_a_plain_case_and_an_unknown_one() -> None:
    entries = [*BOOK.inputs.values(), *BOOK.rules.values()]
    assert [e.label for e in entries if outcomes(e.examples) != {"settled", "unknown"}] == []


def test_every_test_of_the_decision_table_shows_both_sides() -> None:
    tests = [BOOK.rules[name] for name in BOOK.decision.columns]
    assert [t.label for t in tests if {"holds", "fails"} - {e.expect for e in t.examples if isinstance(e.expect, str)}] == []


def test_everything_has_its_basis() -> None:
    nameless = [name for (kind, name), e in BOOK.entries.items() if "law" in type(e.shape).model_fields and not any(e.shape.law)]  # type: ignore[attr-defined]
    assert nameless == []


def test_an_unknown_key_is_refused_where_it_stands(rules: Path) -> None:
    found = spoil(rules, "facts/assets.yaml", "  amount: 市值\n", "  amuont: 市值\n")
    assert found == [("E-RULE-SHAPE", line_of("facts/assets.yaml", "amount: 市值"))]


def test_a_repeated_key_is_refused(rules: Path) -> None:
    found = spoil(rules, "facts/assets.yaml", "  amount: 市值\n", "  amount: 市值\n  amount: 市值\n")
    assert [code for code, _ in found] == ["E-RULE-KEY-TWICE"]


def test_a_name_for_two_things_is_refused(rules: Path) -> None:
    found = spoil(rules, "facts/assets.yaml", "- input: securities", "- input: deposits")
    assert "E-RULE-TWICE" in [code for code, _ in found]


@pytest.mark.parametrize(
    ("old", "new"),
    [("  amount: 市值", "  amount: 市价"), ("  count: [HPZL, HPHM]", "  count: [HPZL, 车牌]"), ("coalesce(账户状态, '')", "coalesce(账户情况, '')")],
)
def test_a_rule_that_names_an_unknown_column_is_refused(rules: Path, old: str, new: str) -> None:
    found = spoil(rules, "facts/assets.yaml", old, new)
    assert {code for code, _ in found} <= {"E-RULE-COLUMN", "E-FORMULA-NAME"}
    assert found[0][1].startswith("rules/facts/assets.yaml:")


def test_an_extract_whose_role_names_an_unknown_column_is_refused(rules: Path) -> None:
    found = spoil(rules, "extracts/mz_huohua.yaml", "死亡日期 <= as_of", "死亡时间 <= as_of")
    assert "E-RULE-COLUMN" in [code for code, _ in found]


def test_rules_that_read_each_other_in_a_circle_are_refused(rules: Path) -> None:
    found = spoil(rules, "facts/income.yaml", "expr: wage_income + business_income", "expr: monthly_income + business_income")
    assert {code for code, _ in found} == {"E-RULE-CYCLE"}


def test_a_bare_number_is_refused(rules: Path) -> None:
    found = spoil(rules, "programmes/tests.yaml", "financial <= financial_months *", "financial <= 24 *")
    assert [code for code, _ in found] == ["E-FORMULA-NUMBER"]


def test_a_test_where_an_amount_is_asked_for_is_refused(rules: Path) -> None:
    found = spoil(rules, "facts/income.yaml", "expr: wage * wage_share_counted", "expr: wage < wage_share_counted")
    assert "E-FORMULA-TYPE" in [code for code, _ in found]


def test_a_row_of_the_table_that_can_never_be_reached_is_refused(rules: Path) -> None:
    row = "    - {when: [any, any, any, pass, any, any, any, pass, any, pass, pass, pass, pass], then: dibao"
    found = spoil(rules, "programmes/category.yaml", row, row.replace("[any, any, any,", "[pass, pass, pass,"))
    assert [code for code, _ in found] == ["E-DECISION-UNREACHABLE"]


def test_a_broken_file_is_refused_at_its_line(rules: Path) -> None:
    found = spoil(rules, "facts/people.yaml", "- input: severe_card", "- input: [severe_card")
    assert [code for code, _ in found] == ["E-RULE-YAML"]


@pytest.mark.parametrize(("day", "value"), [(date(2026, 6, 30), 760), (date(2026, 7, 1), 800), (date(2027, 12, 31), 800)])
def test_a_value_is_in_force_from_its_first_to_its_last_day(day: date, value: int) -> None:
    found = value_in_force(BOOK.parameters["line_urban_month"], "459999", day)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize("day", [date(2023, 12, 31), date(2028, 1, 1)])
def test_a_day_without_a_value_in_force_is_refused_with_the_parameters_name(day: date) -> None:
    with pytest.raises(UsageError) as refused:
        parameter_table(BOOK, [("459999", "城镇")], day)
    assert {problem.code for problem in refused.value.problems} == {"E-NO-VALUE"}
    assert len(refused.value.problems) == sum(not parameter.is_not_known("459999") for parameter in BOOK.parameters.values())


def test_the_longest_division_code_wins(rules: Path) -> None:
    path = rules / "parameters" / "lines.yaml"
    text = path.read_text(encoding="utf-8")
    new = '    - {region: "45", from: 2024-01-01, value: "500", law: 示例}\n'
    path.write_text(text.replace("  values:\n", "  values:\n" + new, 1), encoding="utf-8")
    parameter = load_rulebook(rules).parameters["line_urban_month"]
    values = {region: value_in_force(parameter, region, date(2026, 11, 20)) for region in ("459999", "450100", "46")}
    assert {region: value and int(value.value) for region, value in values.items()} == {"459999": 800, "450100": 500, "46": None}  # type: ignore[arg-type]
