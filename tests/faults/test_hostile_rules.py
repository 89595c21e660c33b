"""Hostile rule files: every one is refused at check, with its file and line, before anything of it is run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from verify.formulas import parse
from verify.problems import UsageError
from verify.rule_checks import check_rules
from verify.settings import rules_folder

LISTED = (Path(__file__).parent / "hostile_expressions.txt").read_text(encoding="utf-8").splitlines()[1:]


def plain(line: str) -> str:
    """The expression that a line means: its escapes resolved, its Chinese kept."""
    return line.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")


DEEP = ["(" * 3000 + "members" + ")" * 3000, "max0(" * 40 + "members" + ")" * 40, "not " * 900 + "members", "- " * 900 + "members"]
DEEP += [" + ".join(["members"] * 3000), "case when members = 1 then " * 30 + "1" + " else 0 end" * 30, "members" * 400, "[" * 500 + "]" * 500]
HOSTILE = [plain(line) for line in LISTED] + DEEP


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to be attacked."""
    return Path(shutil.copytree(rules_folder(), tmp_path / "rules"))


def quoted(text: str) -> str:
    """A text as a double-quoted YAML scalar on one line."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


def refused(rules: Path, file: str, text: str) -> dict[str, set[str]]:
    """The codes of what is refused with that file added, by place."""
    (rules / file).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        check_rules(rules)
    found: dict[str, set[str]] = {}
    for problem in error.value.problems:
        found.setdefault(problem.where, set()).add(problem.code)
    return found


def rules_with(expressions: list[str]) -> Iterator[str]:
    for at, text in enumerate(expressions):
        yield f"- {{rule: hostile_{at}, label: 试, publish: yes, of: household, unit: 元, law: 试, expr: {quoted(text)}}}"


def test_more_than_200_hostile_expressions_are_each_refused_at_their_own_line(rules: Path) -> None:
    left = dict(enumerate(HOSTILE))
    assert len(left) > 200
    for _ in range(2):  # first what cannot be read, then what can be read and means nothing
        lines = list(rules_with(list(left.values())))
        found = refused(rules, "facts/hostile.yaml", "\n".join(lines))
        assert all(code.startswith("E-FORMULA") for codes in found.values() for code in codes)
        left = {at: text for line, (at, text) in enumerate(left.items(), 1) if f"rules/facts/hostile.yaml:{line}" not in found}
        if not left:
            break
    assert list(left.values()) == []


def test_no_refusal_repeats_more_than_a_line_of_what_was_written() -> None:
    long = [text for text in HOSTILE if not text.isprintable() or len(text) > 80]
    assert len(long) > 10
    for text in long:
        with pytest.raises(UsageError) as error:
            parse(text, "here")
        assert all(len(value) <= 90 and value.isprintable() for problem in error.value.problems for value in problem.values.values())


@pytest.mark.parametrize("text", DEEP[:2] + DEEP[4:6])
def test_what_nobody_could_read_is_too_long(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text, "here")
    assert [problem.code for problem in error.value.problems] == ["E-FORMULA-LONG"]


@pytest.mark.parametrize("text", ["in_window(死亡日期)", "has(deposits)", "死亡日期 + 1 > 1", "sum(死亡日期) > 1", "死亡日期 is not null; drop table links"])
def test_a_role_compares_a_rows_own_columns_and_nothing_else(text: str, rules: Path) -> None:
    path = rules / "extracts/mz_huohua.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("死亡日期 <= as_of", text, 1), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        check_rules(rules)
    assert {problem.code for problem in error.value.problems} <= {"E-FORMULA", "E-FORMULA-NODE"}


ENTRY = "- parameter: odd\n  label: 试\n  unit: 元\n  values:\n    - {{region: {region}, from: {day}, value: {value}, law: 试}}\n"
PLAIN = {"region": "459999", "day": "2024-01-01", "value": "1"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("region", "45999"), ("region", "4162.0"), ("region", "0o10102"), ("region", "４５９９９９"), ("region", "45-99")]
    + [("day", "1704067200"), ("day", "20240101"), ("day", "2024-1-1"), ("day", "2024-02-30"), ("day", "２０２４-01-01"), ("day", "0000-01-01")]
    + [("value", v) for v in ("0760", "0x1F", "1_000", "1e3", "-1", "+1", "７６０", "NaN", "Infinity", "12:30", "yes", "1,000", "1.1234567")]
    + [("value", "1000000000000000")],
)
def test_a_number_a_day_or_a_code_is_what_it_looks_like_or_refused(key: str, value: str, rules: Path) -> None:
    found = refused(rules, "parameters/odd.yaml", ENTRY.format(**(PLAIN | {key: value})))
    assert found == {"rules/parameters/odd.yaml:5": {"E-RULE-SHAPE"}}


def test_a_code_that_looks_octal_is_the_code_that_it_looks_like(rules: Path) -> None:
    found = refused(rules, "parameters/odd.yaml", ENTRY.format(**(PLAIN | {"region": "010102"})))
    assert found == {"rules/parameters/odd.yaml:4": {"E-VALUE-HOME"}}  # 010102 is another county than ours, and not 4162


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("- parameter: odd\n  label: 试\n  label: 试\n  unit: 元\n  values: []\n", 3, "E-RULE-KEY-TWICE"),
        ("- &x {parameter: odd, label: 试, unit: 元}\n- *x\n", 1, "E-RULE-YAML"),
        ("- parameter: odd\n  label: [&a [1], *a]\n", 2, "E-RULE-YAML"),
        ("- !!python/object/apply:os.system [ls]\n", 1, "E-RULE-KIND"),
        ("- parameter: odd\n  label: 试\n  unit: 元\n  __class__: 试\n  values: []\n", 4, "E-RULE-SHAPE"),
        ("- " + "[" * 400 + "]" * 400 + "\n", 1, "E-RULE-KIND"),
        ("%YAML 9.9\n---\n- {}\n", 1, "E-RULE-YAML"),
        ("- parameter: odd\n  label: 试\n  unit: 元\n  table: ../../etc/passwd\n", 4, "E-RULE-SHAPE"),
        ("- parameter: odd\n  label: 试\n  unit: 元\n  table: none.csv\n", 4, "E-RULE-TABLE"),
        ("- parameter: odd\n  label: 试\n  unit: 元\n", 1, "E-RULE-TABLE"),
    ],
)
def test_a_file_that_is_more_than_it_seems_is_refused_at_its_line(text: str, line: int, code: str, rules: Path) -> None:
    found = refused(rules, "parameters/odd.yaml", text)
    assert any(code in codes and where == f"rules/parameters/odd.yaml:{line}" for where, codes in found.items()), found


def test_a_file_in_another_encoding_is_refused_at_its_line(rules: Path) -> None:
    (rules / "parameters/odd.yaml").write_bytes("# 标准\n".encode("gb18030"))
    with pytest.raises(UsageError) as error:
        check_rules(rules)
    assert [(p.code, p.where) for p in error.value.problems] == [("E-RULE-YAML", "rules/parameters/odd.yaml:1")]


def test_what_may_leave_128_bits_is_refused(rules: Path) -> None:
    rule = "- {rule: vast, label: 试, publish: yes, of: household, unit: 元, law: 试, expr: %s}"
    found = refused(rules, "facts/vast.yaml", rule % "household_income * household_income")
    assert "rules/facts/vast.yaml:1" in found
    assert "E-FORMULA-SIZE" in found["rules/facts/vast.yaml:1"]
