"""The command `hedui` as people meet it: real processes, exit codes, both languages, never a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from verify.problems import Problem
from verify.speech import Speech, display_width, fill, speech, table

ROOT = Path(__file__).resolve().parent.parent
DROP = ROOT / "fixtures" / "county-a" / "drop"


def hedui(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEDUI_")}
    command = [sys.executable, "-m", "cli", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env={**clean, "PYTHONUTF8": "1", **env}, capture_output=True, text=True, timeout=300, check=False)


def test_help_names_every_command() -> None:
    said = hedui("--help")
    assert said.returncode == 0
    for command in ("init", "night", "demo", "rules", "check", "explain", "status", "nights", "config", "extract"):
        assert command in said.stdout


def test_a_home_is_made_and_told(tmp_path: Path) -> None:
    said = hedui("init", tmp_path / "h")
    assert (said.returncode, said.stderr) == (0, "")
    assert str(tmp_path / "h") in said.stdout
    assert hedui("init", HEDUI_HOME=str(tmp_path / "by-name")).returncode == 0
    assert (tmp_path / "by-name" / "nights").is_dir()


def test_no_home_is_said_in_both_languages_with_the_next_command(tmp_path: Path) -> None:
    zh = hedui("night", "--home", tmp_path, "--drop", DROP)
    en = hedui("night", "--home", tmp_path, "--drop", DROP, "--lang", "en")
    assert (zh.returncode, en.returncode, zh.stdout) == (2, 2, "")
    assert [line.split("：")[0].strip() for line in zh.stderr.splitlines()[1:]] == ["原因", "处理"]
    assert en.stderr.splitlines()[0] == f"E-NO-HOME  {tmp_path}: no home was made here"
    assert f"hedui init {tmp_path}" in en.stderr


def test_a_problem_as_json(tmp_path: Path) -> None:
    said = hedui("night", "--home", tmp_path, "--drop", DROP, "--json")
    assert json.loads(said.stderr)["problems"][0]["code"] == "E-NO-HOME"


@pytest.mark.parametrize("words", ["fly", "night", "night --home x --drop y --as-of today", "--lang fr init x", "rules bend"])
def test_wrong_usage_ends_with_2(words: str) -> None:
    said = hedui(*words.split())
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("E-USAGE")


def test_broken_rules_are_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("- word: a\n  zh: 甲\n  en: a\n  fr: a\n", encoding="utf-8")
    hedui("init", tmp_path / "h")
    said = hedui("night", "--home", tmp_path / "h", "--drop", DROP, "--rules", tmp_path / "rules")
    assert said.returncode == 2
    assert said.stderr.startswith("E-RULE-SHAPE  rules/a.yaml:4: ")


def test_our_own_mistake_exits_70_and_shows_no_row(tmp_path: Path) -> None:
    script = "import cli, verify.settings as s\ndef f(_): raise ValueError('450102199001011234')\ns.init_home = f\ncli.app(['init', 'x'])"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 70
    assert said.stderr.startswith("E-BUG  ")
    assert "4501" not in said.stderr + said.stdout
    assert "Traceback" not in said.stderr


def test_ctrl_c_exits_130() -> None:
    script = "import cli, verify.settings as s\ndef f(_): raise KeyboardInterrupt\ns.init_home = f\ncli.app(['init', 'x'])"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 130
    assert "E-INTERRUPTED" in said.stderr


def test_a_stream_that_cannot_write_chinese_does_not_fail(tmp_path: Path) -> None:
    assert hedui("init", tmp_path / "h", PYTHONUTF8="0", PYTHONIOENCODING="ascii").returncode == 0


# --- speech -----------------------------------------------------------------------------------------------------------


def test_wide_characters_line_up() -> None:
    said = table([("低保", "69"), ("低保边缘", "1,017"), ("dibao", "4")])
    assert len({display_width(line) for line in said.splitlines()}) == 1
    assert said.splitlines()[0] == "  低保         69"


def test_a_missing_value_is_a_dash_and_an_unknown_code_still_speaks() -> None:
    assert fill("{a} of {b}", {"a": 1}) == "1 of —"
    assert Speech("zh").problem(Problem("E-ODD", "a.csv", {"rows": "3"})) == "E-ODD  a.csv: rows=3"
    assert Speech("zh").word("why") == "why"


def test_broken_rules_are_told_in_the_words_that_were_shipped(tmp_path: Path) -> None:
    assert speech(tmp_path, "en").word("why") == "Why: "


def test_a_notice_takes_one_line() -> None:
    assert "\n" not in speech(ROOT / "rules", "zh").problem(Problem("N-EXTRA-COLUMN", "a.csv", {"columns": "x"}))


def test_categories_stand_in_the_order_of_the_decision_table() -> None:
    voice = speech(ROOT / "rules", "en")
    assert voice.categories({"none": 1, "dibao": 1200, "tekun": 0}) == [("tekun", "0"), ("dibao", "1,200"), ("none", "1")]


def test_braces_in_a_value_are_text() -> None:
    assert fill("{a}", {"a": "{b}"}) == "{b}"


# --- the whole night through the command ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    home = tmp_path_factory.mktemp("bureau") / "home"
    assert hedui("init", home).returncode == 0
    return home, hedui("night", "--home", home, "--drop", DROP, "--results", home.parent / "out", "--json")


def test_a_night_is_published_and_told_as_one_json_object(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home, said = first
    outcome = json.loads(said.stdout)
    assert said.returncode == (3 if outcome["incomplete"] else 0), said.stderr
    assert outcome["published"]
    assert (home / "current").read_text(encoding="utf-8").strip() == outcome["night"]
    folder = Path(outcome["folder"])
    assert {"manifest.json", "run.json", "results"} <= {p.name for p in folder.iterdir()}
    assert list(folder.glob("*.xlsx"))
    assert {p.name for p in (home.parent / "out").rglob("*.parquet")} >= {"cases.parquet", "files.parquet", "links.parquet"}


def test_the_same_night_again_does_nothing_and_says_so(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home, said = first
    again = json.loads(hedui("night", "--home", home, "--drop", DROP, "--json").stdout)
    assert again["published"] is False
    assert again["night"] == json.loads(said.stdout)["night"]


def test_a_folder_without_a_list_is_no_drop(first: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    said = hedui("night", "--home", first[0], "--drop", tmp_path, "--lang", "en")
    assert said.returncode == 10
    assert "Traceback" not in said.stderr


def test_the_demo_prints_what_the_readme_shows() -> None:
    demo = hedui("demo")
    assert demo.returncode == 0, demo.stderr
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- demo: begin -->\n```text\n")[1].split("\n```")[0]
    if "E-FONT" in demo.stderr:  # a machine without a font for Chinese has no reports, and is told so
        shown = "\n".join(line for line in shown.splitlines() if not line.startswith("核对报告"))
    assert without_places(demo.stdout) == without_places(shown)


def without_places(text: str) -> list[str]:
    """The lines of a night's outcome without its id and folder, which follow from every byte of the rules."""
    return [re.sub(r"\d{8}-[0-9a-f]{8}|/\S*/", "…", line) for line in text.strip().splitlines()]


def test_the_shipped_rules_are_sound_and_every_example_and_both_sides_of_every_test_hold() -> None:
    assert hedui("rules", "check").returncode == 0
    said = hedui("rules", "test")
    assert (said.returncode, said.stderr) == (0, "")
    examples, sides = (int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", said.stdout))
    assert min(examples, sides) > 100


def test_a_full_home_is_told_in_words() -> None:
    script = "import cli, verify.settings as s\ndef f(_): raise OSError(28, 'No space left on device')\ns.init_home = f\ncli.app(['init', 'x'])"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 130
    assert said.stderr.startswith("E-DISK-FULL  hedui: ")


@pytest.mark.parametrize("line", [["--help"], ["explain", "E-INTERRUPTED"], ["init", "{home}", "--json"]])
def test_a_full_disk_is_told_in_words(line: list[str], tmp_path: Path) -> None:
    """Linux keeps one for trying: /dev/full."""
    words = [word.format(home=tmp_path / "h") for word in line]
    with Path("/dev/full").open("w") as full:
        said = subprocess.run([sys.executable, ROOT / "cli.py", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert said.returncode == 130
    assert "E-DISK-FULL" in said.stderr
    assert "Traceback" not in said.stderr
