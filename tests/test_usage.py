"""What `--help` says and what a wrong line is answered: Chinese unless English is asked for, and never what was typed."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import cli
from tests.test_cli import ROOT, hedui
from verify import __version__, help_page, usage
from verify.help_page import Words, chinese
from verify.layout import display_width
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.usage import Command, Group, narrow, whole_line

AN_ID = "450102199001011234"
CODE_WORDS = {"hedui", "zh", "en", "zip", "JSON", "HEDUI", "LANG", "RULES", "PACK", "base", "HOME", "clean", "normal", "hard", "drop", "truth"}
CODE_WORDS |= {"FONTS", "pdf", "html"}


def sentences() -> list[tuple[str, str]]:
    """The lines of help.csv."""
    with (rules_folder() / "messages" / "help.csv").open(encoding="utf-8", newline="") as file:
        return [(row["english"], row["chinese"]) for row in csv.DictReader(file)]


def commands(lang: str, ctx: Any = None) -> Iterator[Any]:
    """The context of every command of the tree, the root's first."""
    if ctx is None:
        root = get_command(cli.app)
        ctx = root.context_class(root, info_name="hedui", obj={"lang": lang})
    yield ctx
    for name, command in getattr(ctx.command, "commands", {}).items():
        yield from commands(lang, command.context_class(command, info_name=name, parent=ctx))


def pages(lang: str) -> list[str]:
    return [ctx.get_help() for ctx in commands(lang)]


# --- the page of --help -----------------------------------------------------------------------------------------------


def test_every_sentence_has_its_chinese_and_none_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    class Noted(dict[str, str]):
        def get(self, english: str, _default: object = None) -> str:  # type: ignore[override]
            asked.add(english)
            return super().get(english, english)

    for module in (help_page, usage):
        monkeypatch.setattr(module, "words_of", lambda _ctx: Words(Noted(sentences())))
    pages("zh")
    for line in (["--json"], ["--json=yes"]):
        with pytest.raises(SystemExit):
            cli.app(line)
    told = [english for english, _ in sentences()]
    assert asked - {""} - set(told) == set(), "sentences without their Chinese in rules/messages/help.csv"
    assert set(told) - asked == set(), "sentences that nothing says"
    assert len(told) == len(set(told))
    assert all(text for _, text in sentences())


def test_the_chinese_pages_hold_no_english_and_the_english_ones_no_chinese() -> None:
    typed = [" ".join([ctx.info_name, *(o for p in ctx.command.get_params(ctx) for o in (*p.opts, *p.secondary_opts))]) for ctx in commands("zh")]
    names = {word for line in typed for word in re.findall("[a-z]+", line)}
    for said in pages("zh"):
        assert set(re.findall("[A-Za-z]+", said)) - names - CODE_WORDS == set(), said
        assert not [english for english, _ in sentences() if " " in english and english in " ".join(said.split())]
    for said in pages("en"):
        assert said.isascii(), said
        assert said.startswith("Usage: hedui")


@pytest.mark.parametrize("columns", [50, 80, 200])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_line_is_too_wide(lang: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for said in pages(lang):
        assert max(map(display_width, said.splitlines())) <= min(columns, 80), said
        assert not re.search(r"^\s*[，。、：；）]", said, flags=re.MULTILINE)


def test_every_command_lists_what_it_takes() -> None:
    assert [ctx.command_path for ctx in commands("zh") if not isinstance(ctx.command, Command | Group)] == [], "commands without cls=Command or cls=Group"
    for lang in ("zh", "en"):
        for ctx, said in zip(commands(lang), pages(lang), strict=True):
            assert all(option in said for param in ctx.command.get_params(ctx) if param.param_type_name == "option" for option in param.opts)
            assert all(f"  {name} " in said for name in getattr(ctx.command, "commands", {}))


def test_help_is_chinese_by_default_and_english_where_that_is_asked_for() -> None:
    assert hedui("--help").stdout.startswith("用法：hedui [选项] 命令")
    assert "--home <路径>" in hedui("night", "--help").stdout
    for said in (hedui("--lang", "en", "--help"), hedui("--help", "--lang=en"), hedui("rules", "test", "--help", HEDUI_LANG="en")):
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith("Usage: hedui")
    assert "用法：" in hedui("night", "--help", "--lang", "zh", HEDUI_LANG="en").stdout
    nothing_asked = hedui("nights", "--lang", "en")
    assert (nothing_asked.returncode, nothing_asked.stdout) == (2, "")
    assert nothing_asked.stderr.startswith("Usage: hedui nights")


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'duckdb', 'polars', 'pydantic', 'pyarrow', 'yaml', 'rich', 'jinja2', 'sqlglot'}"
    for line in (["--help"], ["--help", "--lang", "en"], []):
        script = f"import sys, cli\ntry: cli.app({line})\nexcept SystemExit: pass\nprint(sorted({heavy} & set(sys.modules)))"
        said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONUTF8": "1"})
        assert said.stdout.rstrip().endswith("[]")


def test_a_terminal_that_knows_no_chinese_is_no_reason_to_fail() -> None:
    for encoding in ("ascii", "gbk"):
        command = [sys.executable, "-m", "cli", "night", "--help"]
        said = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}, capture_output=True, check=False)
        assert said.returncode == 0, said.stderr
    assert "工作目录" in said.stdout.decode("gbk")


def test_a_bureau_words_its_help_itself_and_a_broken_file_does_no_harm(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    path = rules / "messages" / "help.csv"
    path.write_text("english,chinese\nThe settings in force.,本局的设置。\n", encoding="utf-8")
    said = hedui("--help", "--rules", rules).stdout
    assert "本局的设置。" in said
    assert "已发布的各夜。" in said
    for broken in (b"\xff\xfe\x00", b"a,b\n1,2\n", b'english,chinese\n"', b""):
        path.write_bytes(broken)
        assert hedui("--help", "--rules", rules).stdout == hedui("--help").stdout
    assert chinese(tmp_path / "nowhere") == {}


def test_what_help_says_decides_nothing(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    with (rules / "messages" / "help.csv").open("a", encoding="utf-8") as file:
        file.write("More.,更多。\n")
    was, now = load_rulebook(rules_folder()), load_rulebook(rules)
    assert now.digest == was.digest
    assert now.wording != was.wording
    with (rules / "matching" / "variants.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert load_rulebook(rules).digest != was.digest


# --- the language of a line that is not yet read ----------------------------------------------------------------------


def test_the_options_of_the_whole_program_are_found_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEDUI_LANG", raising=False)
    monkeypatch.delenv("HEDUI_RULES", raising=False)
    line, asked = whole_line(["night", "--lang=en", "--home", "x", "--json", "--rules", "r", "--pack", "p"])
    assert line == ["--lang", "en", "--json", "--rules", "r", "--pack", "p", "night", "--home", "x"]
    assert asked == {"lang": "en", "rules": Path("r"), "json": True, "pack": "p"}
    assert whole_line(["night", "--lang"])[0] == ["--lang"]
    assert whole_line(["--lang", "fr"])[1]["lang"] == "zh"
    monkeypatch.setenv("HEDUI_LANG", "en")
    assert whole_line(["x"])[1]["lang"] == "en"
    assert whole_line(["x", "--lang", "zh"])[1]["lang"] == "zh"


# --- a line that cannot be read ---------------------------------------------------------------------------------------

WRONG = [
    ("chek", "E-USAGE-COMMAND  chek", ["check", "extract", "hedui --help"]),
    ("nights lst", "E-USAGE-COMMAND  lst", ["list", "show", "hedui nights --help"]),
    ("rules -- --x", "E-USAGE-COMMAND  --x", ["hedui rules --help"]),
    ("night --hom x", "E-USAGE-OPTION  --hom", ["--home", "hedui night --help"]),
    ("night --lan en", "E-USAGE-OPTION  --lan", ["--lang", "hedui night --help"]),
    ("-x", "E-USAGE-OPTION  -x", ["hedui --help"]),
    ("night", "E-USAGE-MISSING  hedui night", ["--home <", "--drop <", "hedui night --help"]),
    ("night --home", "E-USAGE-MISSING  hedui night", ["--home <"]),
    ("check --home x", "E-USAGE-MISSING  hedui check", ["<", "hedui check --help"]),
    ("night --lang", "E-USAGE-MISSING  hedui", ["--lang <", "hedui --help"]),
    ("rules --", "E-USAGE-MISSING  hedui rules", ["hedui rules --help"]),
    ("night --home x --drop y --as-of today", "E-USAGE-VALUE  --as-of", ["hedui night --help"]),
    ("extract check x --as y --rows -1", "E-USAGE-VALUE  --rows", ["0", "hedui extract check --help"]),
    ("extract check x --as y --rows many", "E-USAGE-VALUE  --rows", ["0"]),
    ("status --json=yes", "E-USAGE-VALUE  --json", []),
    ("check SQ1 --home x --again=yes", "E-USAGE-VALUE  --again", []),
    ("check SQ1 SQ2 --home x", "E-USAGE  SQ2", ["hedui check --help"]),
]


@pytest.mark.parametrize(("words", "opening", "parts"), WRONG, ids=[words for words, _, _ in WRONG])
def test_a_wrong_line_is_told_as_every_other_problem(words: str, opening: str, parts: list[str]) -> None:
    zh, en = hedui(*words.split(), HEDUI_LANG="zh"), hedui(*words.split(), HEDUI_LANG="en")
    for said in (zh, en):
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr.startswith(f"{opening}: ")
        assert [part for part in parts if part not in said.stderr] == []
        assert not re.search("Error|Try |Traceback|None", said.stderr)
    assert [line.split("：")[0].strip() for line in zh.stderr.splitlines()[1:]] == ["原因", "处理"]
    assert en.stderr.isascii() or "—" in en.stderr


def test_a_language_that_nobody_speaks_is_refused_in_chinese() -> None:
    for said in (hedui("--lang", "fr", "status"), hedui("status", HEDUI_LANG="fr")):
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr.startswith("E-USAGE-VALUE  --lang: 这一项的值不能用；应为：zh | en")


@pytest.mark.parametrize("words", ["fly", "night", "night --fly", "nights show a b c", "--lang fr status"])
def test_a_wrong_line_as_json_is_one_object(words: str) -> None:
    said = hedui(*words.split(), "--json")
    (problem,) = json.loads(said.stderr)["problems"]
    assert (said.returncode, said.stdout) == (2, "")
    assert problem["code"].startswith("E-USAGE")
    assert all(problem[key] for key in ("where", "what", "why", "mend"))


PLACES = ["", "check", "check SQ1 --home x", "night --as-of", "extract check x --as y --rows", "--lang", "status --json=", "rules", "nights show a"]


@pytest.mark.parametrize("before", PLACES)
def test_what_was_typed_is_never_repeated(before: str, capsys: pytest.CaptureFixture[str]) -> None:
    for typed in (AN_ID, f"--{AN_ID}", f"-x{AN_ID}", "4501 0219 9001 0112 34", "张伟国"):
        with pytest.raises(SystemExit) as end:
            cli.app([before + typed] if before.endswith("=") else [*before.split(), typed])
        said = capsys.readouterr()
        assert (end.value.code, said.out) == (2, "")
        assert said.err.startswith(("E-USAGE", "E-NO-HOME", "E-EXTRACT-WHAT"))
        assert not re.search(f"{AN_ID}|1990|9001|伟", said.err)


@pytest.mark.parametrize("line", [["--version"], ["night", "--version"]])
def test_the_release_is_told(line: list[str]) -> None:
    said = hedui(*line)
    assert (said.returncode, said.stdout) == (0, f"hedui {__version__}\n")


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("check SQ1 --home H", {"check"}),
        ("--lang en --json check SQ1", {"check"}),
        ("rules simulate", {"rules"}),
        ("--rules check --help", None),  # a folder of that name
        ("--help", None),
        ("chekc", None),
        ("", None),
    ],
)
def test_of_a_program_only_what_a_line_names_is_made_ready(line: str, left: set[str] | None) -> None:
    app, whole = cli.typer.Typer(), set(commands_of(cli.app))
    app.registered_commands, app.registered_groups = [*cli.app.registered_commands], [*cli.app.registered_groups]
    narrow(app, line.split())
    assert set(commands_of(app)) == (left or whole)


def commands_of(app: Any) -> list[str]:
    return [one.name or one.callback.__name__ for one in (*app.registered_commands, *app.registered_groups)]
