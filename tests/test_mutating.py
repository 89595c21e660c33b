"""How good the examples are: mistakes they notice, sides they show, what they reach."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.test_cli import hedui
from verify.coverage import cover
from verify.mutating import mutate_rules
from verify.problems import UsageError
from verify.rule_examples import try_both_sides
from verify.settings import rules_folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to be weakened."""
    return Path(shutil.copytree(rules_folder(), tmp_path / "rules"))


def without(rules: Path, file: str, *examples: str) -> None:
    """Take the examples of these names out of a rule file."""
    path = rules / file
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not any(f"{{example: {name}," in line for name in examples)]
    text = "\n".join(kept) + "\n"
    path.write_text(re.sub(r"  examples:\n(?!    - )", "", text), encoding="utf-8")


def changed(rules: Path, file: str, old: str, new: str) -> None:
    path = rules / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_examples_notice_at_least_95_of_100_mistakes_of_at_least_12_kinds() -> None:
    said = hedui("rules", "mutate", "--json")
    assert said.returncode == 0
    (pack,) = json.loads(said.stdout)["packs"].values()
    assert pack["score"] >= 0.95
    assert pack["score"] == round(pack["killed"] / pack["mutants"], 4)
    assert len(pack["kinds"]) >= 12
    assert pack["mutants"] > 500


def test_a_mistake_that_nobody_notices_is_shown_with_an_example_and_a_family_that_tell(rules: Path) -> None:
    without(rules, "facts/people.yaml", "过期不算")
    said = hedui("--lang", "en", "--rules", rules, "rules", "mutate").stdout
    told = "\n".join(line.strip() for line in said.splitlines())
    assert "severe_card: left out\n(残疾等级" in told
    assert "an example that would notice it: - {example:" in told
    assert "a made-up family it would touch: 459999" in told
    assert re.search(r"its severe_card@\d is", told.replace("\n", " "))


def test_every_fact_rule_test_value_and_row_of_the_shipped_rules_is_reached() -> None:
    assert [(point.name, point.what) for point in cover(rules_folder()) if not point.hit] == []


def test_what_no_example_reaches_is_listed(rules: Path) -> None:
    without(rules, "parameters/lines.yaml", "首日", "末日")
    without(rules, "facts/people.yaml", "身份看不清")
    missed = {(point.kind, point.name, point.what) for point in cover(rules) if not point.hit}
    assert ("input", "supporters", "unknown") in missed
    assert ("parameter", "minor_age", "459999 2024-01-01") in missed
    said = json.loads(hedui("rules", "coverage", "--json", "--rules", rules).stdout)
    assert said["points"] - said["hit"] == len(said["missed"]) == len(missed)


def test_a_figure_shown_that_is_not_what_was_judged_is_told(rules: Path) -> None:
    changed(rules, "programmes/tests.yaml", "  limit: financial_months * monthly_line * members", "  limit: financial_months_rigid * monthly_line * members")
    with pytest.raises(UsageError) as refused:
        try_both_sides(rules)
    assert {problem.code for problem in refused.value.problems} == {"E-RULE-SIDE"}


def test_a_test_of_which_no_line_is_found_is_told(rules: Path) -> None:
    changed(rules, "programmes/tests.yaml", "expr: dwellings <= dwellings_allowed", "expr: dwellings <= dwellings_allowed or dwellings >= 0")
    with pytest.raises(UsageError) as refused:
        try_both_sides(rules)
    assert "E-RULE-ONE-SIDED" in {problem.code for problem in refused.value.problems}


def test_survivors_cost_nothing_where_nobody_asks_for_them() -> None:
    found = mutate_rules(rules_folder(), shown=False)
    assert all(one.example is None and one.family is None for one in found.survivors)
