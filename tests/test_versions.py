"""What a rule says by date, and the parts it names: checked, tried, stored and explained like rules of their own."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from itertools import takewhile
from pathlib import Path

import pytest

from tests.test_cli import hedui
from verify.coverage import cover
from verify.example_answers import all_examples
from verify.mutants import _of_table, _of_versions, mutants
from verify.mutating import noticed
from verify.plan import make_plan
from verify.problems import UsageError
from verify.rule_checks import check_rules, compile_all, newest_day
from verify.rule_examples import _run, try_both_sides
from verify.rule_reviews import due, overdue
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.store import open_store

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


# --- facts and the table by date --------------------------------------------------------------------------------------

CARS = "  when: coalesce(ZT, '') not in ('E', 'M') and HPZL not in ('07', '08', '22')\n"
BEFORE, AFTER = date(2026, 6, 30), date(2026, 7, 1)


def cars(*lines: str) -> str:
    """What stands in the place of the condition under which a car counts."""
    return "  versions:\n" + "".join(f"    - {{{line}}}\n" for line in lines)


def changed(rules: Path, file: str, old: str, new: str) -> Path:
    """A rule file with one text in the place of another."""
    path = rules / file
    assert path.read_text(encoding="utf-8").count(old) == 1
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return path


@pytest.fixture
def motorcycles(rules: Path) -> Path:
    """From July 2026 a motorcycle counts as a car does; before it did not."""
    small = """from: 2020-01-01, to: 2026-06-30, when: "coalesce(ZT, '') not in ('E', 'M') and HPZL not in ('07', '08', '22')\""""
    every = """from: 2026-07-01, review_by: 2027-06-30, law: 示例2026年修订, when: "coalesce(ZT, '') not in ('E', 'M')\""""
    path = changed(rules, "facts/assets.yaml", CARS, cars(small, every))
    text = path.read_text(encoding="utf-8").replace("摩托车不计, as_of: 2026-11-20", "摩托车不计, as_of: 2026-06-30")
    for number in ("08", "22"):
        text = text.replace(f"HPZL {number}, as_of: 2026-11-20", f"HPZL {number}, as_of: 2026-06-30")
    for day, example in (("2026-06-30", "前"), ("2026-07-01", "起")):
        for zt, count in (("A", 1), ("E", 0), ("M", 0)):
            kind = "02" if day < "2026-07" else "07"
            line = f'    - {{example: {example}{zt}, as_of: {day}, given: [{{HPZL: "{kind}", HPHM: 桂A00001, ZT: {zt}}}], expect: "{count}"}}\n'
            text = text.replace("    - {example: 小型汽车；ZT E", line + "    - {example: 小型汽车；ZT E", 1)
        line = f'    - {{example: {example}未到, as_of: {day}, given: {{late: "yes"}}, expect: ["0", null]}}\n'
        line += f'    - {{example: {example}空白, as_of: {day}, given: [{{HPZL: "02", HPHM: 桂A00001, ZT: null}}], expect: "1"}}\n'
        text = text.replace("    - {example: 小型汽车；ZT E", line + "    - {example: 小型汽车；ZT E", 1)
    path.write_text(text, encoding="utf-8")
    return rules


def test_a_fact_is_read_as_its_version_of_the_day_says(motorcycles: Path) -> None:
    assert failed(motorcycles, "vehicles") == []
    plan = make_plan(check_rules(motorcycles), AFTER)
    before, after = plan.on(BEFORE), plan.on(AFTER)
    assert plan.on(BEFORE).on(AFTER).inputs["vehicles"] is after.inputs["vehicles"]
    assert (before.inputs["vehicles"].input.law, after.inputs["vehicles"].input.law) == (("示范县参照规则·财产6",), ("示例2026年修订",))
    assert before.inputs["dwellings"] is after.inputs["dwellings"]
    laws = [found[2] for day in (BEFORE, AFTER) if (found := plan.book.basis("vehicles", day))]
    assert laws == [("示范县参照规则·财产6",), ("示例2026年修订",)]
    said = " ".join(hedui("--rules", motorcycles, "explain", "vehicles").stdout.split())
    assert said.index("2020-01-01 至 2026-06-30") < said.index("2026-07-01 至")
    with pytest.raises(UsageError) as refused:
        plan.on(date(2019, 12, 31))
    assert ("E-NO-VERSION", "vehicles") in [(p.code, p.values["name"]) for p in refused.value.problems]


def test_mistakes_in_every_version_of_a_fact_are_noticed_and_what_is_missing_is_told(motorcycles: Path) -> None:
    book = check_rules(motorcycles)
    plan, listed = make_plan(book, newest_day(book)), all_examples(book.entries)
    read = takewhile(lambda m: m.entry[0] == "input", mutants(plan, compile_all))
    own = [m for m in (*read, *_of_versions(plan)) if m.entry == ("input", "vehicles")]
    assert len({m.where for m in own if m.kind != "days"}) > 2  # both versions, each on its line
    assert sum(m.kind == "days" for m in own) == 3
    left = [m.reads for m in own if not noticed(m, listed, newest_day(book))]
    assert left == ["count …", "count …", "from 2020-01-02"]  # the older version has no example of two plates, nor of its first day
    points = [p for p in cover(motorcycles) if p.name == "vehicles"]
    assert [(p.what, p.hit) for p in points] == [(f"{day} {what}", True) for day in ("2020-01-01", "2026-07-01") for what in ("settled", "unknown")]
    assert [(d.name, d.day.isoformat(), d.why) for d in due(book, date(2027, 6, 30)) if d.name == "vehicles"] == [("vehicles", "2027-06-30", "review")]
    assert ("W-REVIEW", "vehicles") in [(p.code, p.values["name"]) for p in overdue(book, date(2027, 7, 1))]


ONE = "from: 2020-01-01, to: 2026-06-30, when: ZT = 'A'"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ("from: 2026-06-30, when: ZT = 'A'", "E-VERSION-OVERLAP"),
        ("from: 2026-07-02, when: ZT = 'A'", "E-VERSION-GAP"),
        ("from: 2026-07-01, to: 2026-06-30, when: ZT = 'A'", "E-VALUE-DAYS"),
        ("from: 2026-07-01, when: 没有这一列 = 'A'", "E-FORMULA-NAME"),
        ("from: 2026-07-01, when: ZT = 'A', count: [HPHM]", "E-RULE-SHAPE"),
    ],
)
def test_versions_of_a_fact_are_held_to_what_those_of_a_rule_are(second: str, code: str, rules: Path) -> None:
    path = changed(rules, "facts/assets.yaml", CARS, cars(ONE, second))
    line = path.read_text(encoding="utf-8").splitlines().index(f"    - {{{second}}}") + 1
    with pytest.raises(UsageError) as refused:
        check_rules(rules)
    assert [(p.code, p.where.rpartition(":")[2]) for p in refused.value.problems] == [(code, str(line))]


@pytest.fixture
def new_table(rules: Path) -> Path:
    """From July 2026 one home more or less keeps nobody out of 低保边缘; before it did."""
    path = rules / "programmes/category.yaml"
    head, rest = path.read_text(encoding="utf-8").split("  columns:", 1)
    table, tail = rest.split("  otherwise:", 1)
    lines = ["  columns:" + table.split("\n", 1)[0], *table.split("\n", 1)[1].rstrip("\n").split("\n")]
    margin = next(line for line in lines if "then: margin" in line)
    later = [line.replace("pass, pass, pass, pass], then: margin", "pass, any, pass, pass], then: margin") if line is margin else line for line in lines]
    days = ("    - from: 2020-01-01\n      to: 2026-06-30", "    - from: 2026-07-01")
    said = "".join(f"{day}\n" + "".join(f"    {line}\n" for line in each) for day, each in zip(days, (lines, later), strict=True))
    tail = tail.replace("  examples:\n", f"  examples:\n{TWO_HOMES}", 1)
    tail = tail.replace("特困：只有“住房不超过一套”不成立,", "特困：只有“住房不超过一套”不成立, as_of: 2026-06-30,")
    path.write_text(f"{head}  versions:\n{said}  otherwise:{tail}", encoding="utf-8")
    return rules


TWO_HOMES = """\
    - {example: 边缘，两套住房，前一天, as_of: 2026-06-30, given: {one_member: fails, income_below_line: fails, one_dwelling: fails}, expect: none}
    - {example: 边缘，两套住房，首日, as_of: 2026-07-01, given: {one_member: fails, income_below_line: fails, one_dwelling: fails}, expect: margin}
"""


def failed(rules: Path, name: str) -> list[tuple[str, str, str]]:
    """The examples of one entry that do not come out by the SQL of a night and by the second opinion alike."""
    book = check_rules(rules)
    newest, own = newest_day(book), [asked for asked in all_examples(book.entries) if asked.entry.name == name]
    plan = make_plan(book, newest)
    with tempfile.TemporaryDirectory() as work, open_store(Path(work)) as store:
        results = [_run(store, plan.on(asked.example.as_of or newest), asked) for asked in own]
    assert len(results) > 10
    return [(one.name, one.expected, one.got) for one in results if not one.passed]


def test_the_table_of_the_day_decides(new_table: Path) -> None:
    assert failed(new_table, "category") == []
    book = check_rules(new_table)
    plan = make_plan(book, AFTER)
    assert [plan.on(day).book.decision.rows[2].when[10] for day in (BEFORE, AFTER)] == ["pass", "any"]
    points = {p.what: p.hit for p in cover(new_table) if p.kind == "decision"}
    assert points["2026-07-01 margin"]
    assert not points["2020-01-01 margin"]  # no example of its days says so


def test_mistakes_in_a_version_of_the_table_are_noticed(new_table: Path) -> None:
    book = check_rules(new_table)
    plan, listed = make_plan(book, newest_day(book)), all_examples(book.entries)
    tables = [plan.on(day).book.entry("decision", "category") for day in (BEFORE, AFTER)]
    own = [m for table in tables for m in _of_table(plan, table, set()) if m.kind == "cell" and "margin: one_dwelling" in m.reads]
    assert [(m.reads, noticed(m, listed, newest_day(book))) for m in own] == [("margin: one_dwelling any", True), ("margin: one_dwelling pass", True)]


def test_two_tables_on_one_day_are_refused_where_the_second_stands(new_table: Path) -> None:
    path = changed(new_table, "programmes/category.yaml", "      to: 2026-06-30\n", "")
    line = path.read_text(encoding="utf-8").splitlines().index("    - from: 2026-07-01") + 1
    with pytest.raises(UsageError) as refused:
        check_rules(new_table)
    assert [(p.code, p.where) for p in refused.value.problems] == [("E-VERSION-OVERLAP", f"rules/programmes/category.yaml:{line}")]
