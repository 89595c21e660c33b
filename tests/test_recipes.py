"""What regions ask for beside the reference county is said in the language as it is: no code for one region."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest

from tests.small_county import AS_OF
from tests.test_second_opinion import no_difference
from verify.plan import make_plan
from verify.random_families import kinds_of, random_family
from verify.rule_checks import check_rules
from verify.rule_examples import test_rules as run_examples
from verify.settings import rules_folder

RECIPES = Path(__file__).with_name("recipes.yaml")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The shipped rules with the recipes beside them."""
    made = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    shutil.copy(RECIPES, made / "facts/recipes.yaml")
    return made


def test_support_steps_caps_selected_members_imputed_income_and_gradual_exit_are_rules_like_any_other(rules: Path) -> None:
    book = check_rules(rules)
    assert {"support", "minor_children", "stepped_wage", "imputed_wage", "may_exit_gradually"} <= {*book.inputs, *book.rules}
    found = [result for result in run_examples(rules) if result.where.startswith("rules/facts/recipes.yaml")]
    assert len(found) == 45
    assert [(r.name, r.expected, r.got) for r in found if not r.passed] == []


def test_of_250_random_families_the_recipes_say_the_same_in_sql_and_in_python(rules: Path, tmp_path: Path) -> None:
    ordered, draw = make_plan(check_rules(rules), AS_OF), Random(1)
    families = [random_family(kinds_of(ordered), draw) for _ in range(250)]
    compared, _ = no_difference(families, tmp_path, frozenset(), ordered)
    assert compared > 8_000
