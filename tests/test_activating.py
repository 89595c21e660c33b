"""Nobody changes a rule unseen: what the gates refuse, the family that shows it, and whom a home goes by afterwards."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.tables import a_copy
from tests.test_cli import DROP, hedui
from tests.test_desk import ledger
from verify import Home, init_home
from verify.activations import Activation, add, kept_rules, must_be_activated, read_activations
from verify.plan import Plan, make_plan
from verify.problems import IntegrityError, UsageError
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.telling_families import telling_family

DAY = date(2026, 11, 20)
SPOILT = {  # file, what stood there, what stands there now, the code the gates say, what the family is told by
    "a limit by one fen": ("parameters/lines.yaml", 'value: "800"', 'value: "800.01"', "E-RULE-EXAMPLE", "monthly_line 800.00 ～ 800.00 → 800.01 ～ 800.01"),
    "a predicate dropped": (
        "facts/income.yaml",
        "when: 参保状态 = '参保缴费' and in_window(缴费月份)",
        "when: in_window(缴费月份)",
        "E-RULE-EXAMPLE",
        "insured_base",
    ),
    "月 for 年": (
        "programmes/tests.yaml",
        "expr: household_income < monthly_line * months_a_year * members",
        "expr: household_income < monthly_line * members",
        "E-FORMULA-UNIT",
        "income_below_line",
    ),
}


def spoilt(kind: str, to: Path) -> Path:
    file, old, new, _, _ = SPOILT[kind]
    rules = Path(shutil.copytree(rules_folder(), to / "rules"))
    text = (rules / file).read_text(encoding="utf-8")
    assert old in text
    (rules / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return rules


@pytest.fixture(scope="module")
def before() -> Plan:
    return make_plan(load_rulebook(rules_folder()), DAY)


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=() if "fen" in kind else pytest.mark.soak) for kind in SPOILT])
def test_a_small_mistake_shows_on_a_made_up_family(before: Plan, tmp_path: Path, kind: str) -> None:
    found = telling_family(before, make_plan(load_rulebook(spoilt(kind, tmp_path)), DAY))
    assert found is not None
    assert found.before != found.after or found.differs
    assert len(found.family.people) <= 3
    assert SPOILT[kind][4].split(" ")[0] in {name for _, name, _, _ in found.differs}


def test_from_the_first_activation_on_no_other_rules_make_a_night(tmp_path: Path) -> None:
    home, book = init_home(tmp_path / "home"), load_rulebook(rules_folder())
    assert must_be_activated(home, book) is None
    add(home, Activation(book.digest, book.wording, "", "0.99", 300, 0, "首次"), rules_folder())
    known = must_be_activated(home, book)
    assert known is not None
    assert (known.reason, bool(known.user), known.when[-6:]) == ("首次", True, "+00:00")
    assert load_rulebook(kept_rules(home, known)).digest == book.digest
    other = load_rulebook(spoilt("a limit by one fen", tmp_path))
    with pytest.raises(UsageError) as error:
        must_be_activated(home, other)
    assert error.value.problems[0].code == "E-RULES-NOT-ACTIVE"
    said = hedui("--rules", tmp_path / "rules", "night", "--home", home.folder, "--drop", DROP)
    assert (said.returncode, said.stderr.split()[0]) == (2, "E-RULES-NOT-ACTIVE")
    (home.folder / "activations.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(IntegrityError):
        read_activations(home)


def test_an_activation_needs_a_reason_and_a_night_says_what_it_goes_by(home: Home) -> None:
    assert hedui("rules", "activate", "--home", home.folder).stderr.startswith("E-REASON")
    assert "未启用" in hedui("nights", "show", "--home", home.folder).stdout


@pytest.mark.soak
def test_rules_are_let_in_and_mistakes_are_not(home: Home, tmp_path: Path) -> None:
    own = a_copy(home, tmp_path / "own")
    said = hedui("rules", "activate", "--home", own.folder, "--reason", "首次启用", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    told = json.loads(said.stdout)
    assert told["impact"]["moved"] == []
    assert float(told["percent"]) >= 95
    line = ledger(own)[-1]
    assert (line["command"], line["case"], line["purpose"]) == ("rules activate", told["digest"], "首次启用")
    for kind, (*_, code, part) in SPOILT.items():
        rules = spoilt(kind, tmp_path / kind)
        said = hedui("--rules", rules, "rules", "activate", "--home", own.folder, "--reason", "试")
        assert said.returncode == 2
        assert code in said.stderr
        assert "E-ACTIVATE-FAMILY" in said.stderr
        assert part in said.stderr
    assert len(read_activations(own)) == 1
    reads = Path(shutil.copytree(rules_folder(), tmp_path / "reads" / "rules"))
    extract = reads / "extracts" / "cl_canji.yaml"
    extract.write_text(extract.read_text(encoding="utf-8").replace("department: ", "department: 新 "), encoding="utf-8")
    other = a_copy(home, tmp_path / "other")
    refused = hedui("--rules", reads, "rules", "activate", "--home", other.folder, "--reason", "改名")
    assert refused.stderr.startswith("E-SIMULATE-READ")
    let_in = hedui("--rules", reads, "rules", "activate", "--home", other.folder, "--reason", "改名", "--reading-changes")
    assert (let_in.returncode, "取数或归属也变了" in let_in.stdout) == (0, True)
    bare = Path(shutil.copytree(rules_folder(), tmp_path / "bare" / "rules"))
    table = bare / "programmes" / "category.yaml"
    kept = [line for line in table.read_text(encoding="utf-8").splitlines() if "{example:" not in line]
    table.write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert "E-ACTIVATE-MUTATION" in hedui("--rules", bare, "rules", "activate", "--home", own.folder, "--reason", "试").stderr
    hedui("night", "--home", own.folder, "--drop", DROP, "--as-of", "2026-11-21")
    assert "首次启用" in hedui("nights", "show", "--home", own.folder).stdout
