"""The hour in which somebody writes a pack, as rules/README.md tells it: every block and every command, in its order."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.test_cli import hedui
from verify.settings import rules_folder

SECTION = re.compile(r"^## Your own pack in an hour\n(.*?)^## ", flags=re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(yaml|sh)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_the_hour_of_the_readme_word_by_word(tmp_path: Path, *, slow: bool) -> None:
    """Trying every example and every mistake takes long: those two commands are for the soak."""
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    told = SECTION.search((rules / "README.md").read_text(encoding="utf-8"))
    assert told is not None
    pack = rules / "packs" / "mine" / "pack.yaml"
    pack.parent.mkdir()
    said = {}
    for kind, text in BLOCK.findall(told[1]):
        if kind == "yaml":
            pack.write_text((pack.read_text(encoding="utf-8") if pack.exists() else "") + text, encoding="utf-8")
            continue
        for line in text.splitlines():
            words = line.split()
            assert words[0] == "hedui"
            if words[2] in {"test", "mutate"} and not slow:
                continue
            answer = hedui(*words[1:], "--rules", rules, *(["--json"] if words[2] in {"mutate", "coverage", "gaps"} else []))
            assert answer.returncode == 0, answer.stderr
            said[words[2]] = answer.stdout
    assert not slow or json.loads(said["mutate"])["packs"]["mine"]["score"] >= 0.95
    assert json.loads(said["coverage"])["missed"] == []
    known = {gap["name"] for gap in json.loads(said["gaps"])["packs"]["mine"]}
    assert "rigid_ratio" in known
    assert not {"line_urban_month", "financial_months"} & known
    assert {"check", "compare"} <= set(said)
