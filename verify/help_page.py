"""The page that `--help` prints: in Chinese, or in English where that is asked for.

The English sentences stand with their commands; `rules/messages/help.csv` (columns english, chinese) holds the Chinese
ones, and a sentence it lacks stays English. Nothing here may load a heavy library, for `hedui --help` answers at once;
this is also why the page breaks its own lines, and `layout` does not.
"""

from __future__ import annotations

import csv
import inspect
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

PACKAGE = Path(__file__).resolve().parent
SHIPPED = (PACKAGE / "installed" / "rules", PACKAGE.parent / "rules")  # as settings.rules_folder() has it, which loads pydantic
NARROWEST, WIDEST, GAP = 50, 80, 2
PIECES = re.compile(r"\s+|\[[^][]+\]|(?:[!-~]+|\S)[，。、：；）]*")  # what stands in brackets stays whole, and no closing sign begins a line


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language: `chinese` by English, or nothing where English is spoken."""

    chinese: Mapping[str, str]

    def say(self, english: str) -> str:
        """A sentence, on one line, in the language asked for."""
        plain = " ".join(english.split())
        return self.chinese.get(plain) or plain


def words_of(ctx: Any) -> Words:
    """The language asked for on the line, with the sentences shipped and those of the rules folder asked for over them."""
    asked = ctx.find_root().obj or {}
    if asked.get("lang") == "en":
        return Words({})
    shipped = next((folder for folder in SHIPPED if folder.is_dir()), SHIPPED[-1])
    return Words({**chinese(shipped), **(chinese(asked["rules"]) if asked.get("rules") else {})})


def chinese(rules: Path) -> dict[str, str]:
    """The Chinese sentences of a rules folder by their English; none where they cannot be read, for help must never fail."""
    try:
        with (rules / "messages" / "help.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["english"]: row["chinese"] for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, csv.Error):
        return {}


# --- the page ---------------------------------------------------------------------------------------------------------


def page(command: Any, ctx: Any) -> str:
    """Usage, what the command does, its arguments, options and commands; no line wider than the terminal or 80 columns."""
    say, width = words_of(ctx).say, max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    usage = " ".join(_piece(piece, say) for piece in command.collect_usage_pieces(ctx))
    lines = _broken(say("Usage: {}").replace("{}", f"{ctx.command_path} {usage}"), width)
    for paragraph in _paragraphs(command):
        lines += ["", *(" " * GAP + line for line in _broken(say(paragraph), width - GAP))]
    params = [param for param in command.get_params(ctx) if param.get_help_record(ctx)]
    for kind, heading in (("argument", "Arguments:"), ("option", "Options:")):
        lines += _section(say(heading), [_record(param, ctx, say) for param in params if param.param_type_name == kind], width)
    below = command.list_commands(ctx) if isinstance(command, TyperGroup) else []
    shown = [(name, found) for name in below if (found := command.get_command(ctx, name)) and not found.hidden]
    lines += _section(say("Commands:"), [(name, say(next(_paragraphs(found), ""))) for name, found in shown], width)
    return "\n".join(lines)


def _paragraphs(command: Any) -> Iterator[str]:
    """The paragraphs of what a command says of itself."""
    yield from (text for text in inspect.cleandoc(command.help or "").split("\n\n") if text)


def _piece(piece: str, say: Callable[[str], str]) -> str:
    """A piece of the usage line: a frame word, or an argument in its braces."""
    argument = re.fullmatch(r"([{[])([a-z_]+)([}\]].*)", piece)
    return f"{argument[1]}{say(argument[2])}{argument[3]}" if argument else say(piece)


def _record(param: Any, ctx: Any, say: Callable[[str], str]) -> tuple[str, str]:
    """An argument or option, and what is said of it."""
    told = [say(param.help or ""), *(in_brackets(note, say) for note in notes_of(param, ctx))]
    return name_of(param, ctx, say), "  ".join(filter(None, told))


def name_of(param: Any, ctx: Any, say: Callable[[str], str]) -> str:
    """An argument or option with the kind of its value, as the library writes it: `home <path>`, `--home <path>`."""
    name = param.get_help_record(ctx)[0]
    name = re.sub(r"<[^<>]+>", lambda found: say(found[0]), name)
    return name if param.param_type_name == "option" else re.sub(r"^\w+", lambda found: say(found[0]), name)


def notes_of(param: Any, ctx: Any) -> list[str]:
    """What the library adds to a parameter's own sentence in brackets: `env var: X`, `default: y`, `required`, a range."""
    added = param.get_help_record(ctx)[1].removeprefix(param.help or "").strip()
    return [note for note in added.removeprefix("[").removesuffix("]").split("; ") if note]


def in_brackets(note: str, say: Callable[[str], str]) -> str:
    """Such an addition in brackets of its own."""
    key, sign, value = note.partition(": ")
    return say(f"[{key}: {{}}]").replace("{}", value) if sign else say(f"[{key}]")


def _section(heading: str, rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """A heading and its rows, names to the left and sentences to the right; nothing without rows."""
    if not rows:
        return []
    left = max(_columns(name) for name, _ in rows) + 2 * GAP
    lines = ["", heading]
    for name, text in rows:
        first, *more = _broken(text, width - left)
        lines += [" " * GAP + name + " " * (left - GAP - _columns(name)) + first, *(" " * left + line for line in more)]
    return lines


def _columns(text: str) -> int:
    """The columns a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _broken(text: str, width: int) -> list[str]:
    """A text as lines of at most `width` columns, broken at blanks and between wide characters."""
    lines, line = [], ""
    for piece in PIECES.findall(text):
        if line and _columns(line) + _columns(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line = (line + piece) if line else piece.lstrip()
    return [*lines, line.rstrip()]
