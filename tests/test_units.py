"""Units of rules: what may be added, compared and declared, and what is refused with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from verify.formulas_units import unit_of
from verify.problems import UsageError
from verify.rule_checks import check_rules
from verify.settings import rules_folder

MIXED = [
    ("facts/income.yaml", "line_rural_year / months_a_year else", "line_rural_year else"),
    ("facts/income.yaml", "greater(sum(counted_wage), declared_wage * months_a_year)", "greater(sum(counted_wage), declared_wage)"),
    ("facts/income.yaml", "household_income / (members * months_a_year)", "household_income / members"),
    ("facts/income.yaml", "lesser(minimum_wage_month * one_month, 缴费基数)", "lesser(minimum_wage_month, 缴费基数)"),
    ("facts/income.yaml", "发放金额 * resident_pension_share else", "发放金额 * minimum_wage_month else"),
    ("programmes/tests.yaml", "expr: financial <= financial_months * monthly_line * members", "expr: financial <= financial_months * monthly_line"),
    ("programmes/tests.yaml", "expr: household_income < monthly_line * months_a_year * members", "expr: household_income < monthly_line * members"),
    ("programmes/tests.yaml", "expr: household_income < disposable_income_year * members", "expr: household_income < disposable_income_year"),
    ("programmes/tests.yaml", "expr: vehicles <= vehicles_allowed", "expr: vehicles <= dwellings_allowed"),
    ("programmes/tests.yaml", "value: household_income / members\n", "value: household_income\n"),
    ("facts/assets.yaml", "more_than(financial_months * monthly_line)", "more_than(monthly_line)"),
    ("facts/people.yaml", "age >= elderly_age", "age >= supporters_allowed"),
    ("alerts/alerts.yaml", "近半年大额支出 > financial_months * monthly_line", "近半年大额支出 > monthly_line"),
]


@pytest.mark.parametrize(("file", "old", "new"), MIXED)
def test_what_has_another_unit_is_refused_at_its_line(file: str, old: str, new: str, tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    text = (rules / file).read_text(encoding="utf-8")
    assert old in text
    (rules / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        check_rules(rules)
    assert {problem.code for problem in refused.value.problems} <= {"E-FORMULA-UNIT", "E-RULE-UNUSED"}
    (told, *_) = [problem for problem in refused.value.problems if problem.code == "E-FORMULA-UNIT"]
    assert told.where.startswith(f"rules/{file}:")


@pytest.mark.parametrize(
    ("a", "b", "product", "quotient"),
    [
        ("元/人/月", "人", "元/月", "元/人/人/月"),
        ("元/年", "月/年", "元·月/年/年", "元/月"),
        ("倍", "元", "元", "1/元"),
        ("比", "倍", "1", "1"),
        ("月/年", "月/年", "月·月/年/年", "1"),
    ],
)
def test_products_and_quotients_of_units(a: str, b: str, product: str, quotient: str) -> None:
    assert str(unit_of(a).times(unit_of(b))) == product
    assert str(unit_of(a).times(unit_of(b), -1)) == quotient


def test_a_unit_written_in_another_order_is_the_same() -> None:
    assert unit_of("元/人/月") == unit_of("元/月/人")
    assert unit_of("元/人/月") != unit_of("元/人/年")
