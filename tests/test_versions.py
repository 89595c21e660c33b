"""What a rule says by date, and the parts it names: checked, tried, stored and explained like rules of their own."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.test_cli import hedui
from verify.coverage import cover
from verify.example_answers import all_examples
from verify.mutants import mutants
from verify.mutating import noticed
from verify.plan import make_plan
from verify.problems import UsageError
from verify.rule_checks import check_rules, compile_all, newest_day
from verify.rule_examples import try_both_sides
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

WHOLE = """
- rule: shown
  label: 试
  publish: yes
  of: household
  unit: 元/年
  law: 试
  versions:
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The shipped rules with the recipes beside them, two of which change on a day."""
    made = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    shutil.copy(Path(__file__).with_name("recipes.yaml"), made / "facts/recipes.yaml")
    return made


def told(rules: Path, text: str) -> list[tuple[str, int]]:
    """The codes of what check says of the shipped rules and one more file, and the lines of it."""
    (rules / "facts/recipes.yaml").write_text(text.lstrip("\n"), encoding="utf-8")
    try:
        check_rules(rules)
    except UsageError as error:
        return [(problem.code, int(problem.where.rpartition(":")[2])) for problem in error.problems]
    return []


def versions(*lines: str, head: str = WHOLE) -> str:
    return head + "".join(f"    - {{{line}}}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["from: 2024-01-01, expr: household_income"], []),
        (["from: 2024-01-01, to: 2024-12-31, expr: household_income", "from: 2025-01-01, expr: wage_income"], []),
        (["from: 2024-01-01, expr: household_income", "from: 2025-01-01, expr: wage_income"], [("E-VERSION-OVERLAP", 9)]),
        (["from: 2024-01-01, to: 2025-01-01, expr: household_income", "from: 2025-01-01, expr: wage_income"], [("E-VERSION-OVERLAP", 9)]),
        (["from: 2024-01-01, to: 2024-12-30, expr: household_income", "from: 2025-01-01, expr: wage_income"], [("E-VERSION-GAP", 9)]),
        (["from: 2024-01-01, to: 2023-12-31, expr: household_income"], [("E-VALUE-DAYS", 8)]),
        (["from: 2024-01-01, to: 2024-12-31, expr: no_such_name", "from: 2025-01-01, expr: wage_income"], [("E-FORMULA-NAME", 8)]),
        (["from: 2024-01-01, to: 2024-12-31, expr: monthly_line", "from: 2025-01-01, expr: wage_income"], [("E-FORMULA-UNIT", 8)]),
        (["from: 2024-01-01, to: 2024-12-31, expr: shown", "from: 2025-01-01, expr: wage_income"], [("E-RULE-CYCLE", 8)]),
        (["from: 2024-01-01, expr: wage_income, law: ''"], [("E-RULE-NO-BASIS", 8)]),
        (["from: 2024-01-01, law: 试"], [("E-RULE-SHAPE", 8)]),
        (["from: 2024-01-01, expr: wage_income, let: {a: {label: 甲, unit: 元/年, expr: household_income}}"], [("E-RULE-UNUSED", 8)]),
        (["from: 2024-01-01, expr: a, let: {a: {label: 甲, unit: 元/月, expr: household_income}}"], [("E-FORMULA-UNIT", 8), ("E-FORMULA-UNIT", 8)]),
        (["from: 2024-01-01, expr: wage, let: {wage: {label: 甲, unit: 元/年, expr: household_income}}"], [("E-RULE-TWICE", 8)]),
    ],
)
def test_versions_by_day_and_the_parts_in_them(lines: list[str], expected: list[tuple[str, int]], rules: Path) -> None:
    assert told(rules, versions(*lines)) == expected


def test_a_part_is_known_to_its_own_rule_only(rules: Path) -> None:
    text = versions("from: 2024-01-01, expr: a, let: {a: {label: 甲, unit: 元/年, expr: household_income}}")
    other = "- {rule: other, label: 试, publish: yes, of: household, unit: 元/年, law: 试, expr: a}\n"
    assert told(rules, text + other) == [("E-RULE-PART", 9)]


def test_a_rule_says_one_thing(rules: Path) -> None:
    rule = "- {rule: other, label: 试, publish: yes, of: household, unit: 元/年, law: 试}\n"
    assert [code for code, _ in told(rules, rule)] == ["E-RULE-SHAPE"]


def test_on_a_day_of_no_version_nothing_is_worked_out(rules: Path) -> None:
    plan = make_plan(load_rulebook(rules), date(2026, 11, 20))
    with pytest.raises(UsageError) as refused:
        plan.on(date(2023, 12, 31))
    assert [(p.code, p.values["name"]) for p in refused.value.problems] == [("E-NO-VERSION", "wage_after_costs"), ("E-NO-VERSION", "wages_at_most")]


def test_every_version_is_tried_on_both_sides_and_every_outcome_of_it_is_asked_for(rules: Path) -> None:
    sides = try_both_sides(rules)
    points = [point for point in cover(rules) if point.name in {"wage_after_costs", "wages_at_most"}]
    assert len(points) == 10
    assert {point.what for point in points if not point.hit} == set()
    path = rules / "facts/recipes.yaml"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if "修订前" not in line]
    path.write_text("\n".join(kept), encoding="utf-8")
    assert {point.what for point in cover(rules) if not point.hit and point.name == "wages_at_most"} == {f"2024-01-01 {w}" for w in ("holds", "fails", "open")}
    with pytest.raises(UsageError) as refused:
        try_both_sides(rules)
    assert [problem.code for problem in refused.value.problems] == ["E-RULE-ONE-SIDED"]
    assert sides > 0


def test_mistakes_in_a_version_its_days_and_its_parts_are_noticed(rules: Path) -> None:
    book = check_rules(rules)
    plan, listed = make_plan(book, newest_day(book)), all_examples(book.entries)
    own = [m for m in mutants(plan, compile_all) if m.entry[1] in {"wage_after_costs", "wages_at_most"}]
    assert {"days", "factor", "strictness", "connective", "greater or lesser"} <= {m.kind for m in own}
    assert [(m.kind, m.reads) for m in own if not noticed(m, listed, newest_day(book))] == []


def test_a_rule_is_explained_with_its_versions_and_parts(rules: Path) -> None:
    said = " ".join(hedui("--rules", rules, "explain", "wage_after_costs").stdout.split())
    assert "2024-01-01 至 2025-06-30：wage * share_many" in said
    assert "其中 kept_back（就业成本）：lesser(wage * share_many, most_counted) 元/年" in said
    book = load_rulebook(rules)
    found = book.basis("kept_back", date(2026, 11, 20))
    before = book.basis("wage_after_costs", date(2025, 6, 30))
    assert found is not None
    assert before is not None
    assert (found[2], before[2]) == (("示例修订",), ("示例",))
    assert found[1] != before[1]
