"""The command line before a command runs: its language, its commands and groups, and what is said of a line that is wrong.

Whatever the library finds wrong becomes one of our own problems, told as every other one is and never repeating a value.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from typer import Typer, TyperException
from typer.core import TyperCommand, TyperGroup

from verify.help_page import in_brackets, name_of, notes_of, page, words_of
from verify.problems import Problem, UsageError
from verify.typed import safe

WITH_VALUE, FLAGS = ("--lang", "--rules", "--pack"), ("--json", "--version")  # the options of the whole program
LANGUAGES = ("zh", "en")
RANGE = re.compile(r"x[<>]=|<=x")


def whole_line(args: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The line with the options of the whole program moved to its front, and what they (or the environment) ask for.

    This is known before anything is parsed, so that whatever parsing has to say can be said in the language asked for.
    """
    front: list[str] = []
    rest: list[str] = []
    asked: dict[str, Any] = {"lang": os.environ.get("HEDUI_LANG"), "rules": os.environ.get("HEDUI_RULES"), "json": False}
    asked["pack"] = os.environ.get("HEDUI_PACK")
    words = iter(args)
    for word in words:
        name, sign, value = word.partition("=")
        if name in WITH_VALUE:
            given = value if sign else next(words, None)
            if given is None:  # the line ends here; no other word may be taken for the value
                return [*front, word], _settled(asked)
            front += [name, given]
            asked[name.lstrip("-")] = given
        else:
            asked["json"] = asked["json"] or word == "--json"
            (front if name in FLAGS else rest).append(word)
    return front + rest, _settled(asked)


def narrow(app: Typer, args: Sequence[str]) -> None:
    """Leave of a program only the command or group that a line names, if it names one: to read the options of all takes longer than a look-up."""
    line, _ = whole_line(args)
    words = [word for before, word in pairwise(["", *line]) if not word.startswith("-") and before not in WITH_VALUE]
    commands = [one for one in app.registered_commands if words and _called(one) == words[0]]
    groups = [one for one in app.registered_groups if words and one.name == words[0]]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups


def _called(command: Any) -> str:
    """What a command is typed as."""
    return command.name or str(command.callback.__name__).replace("_", "-")


def _settled(asked: Mapping[str, Any]) -> dict[str, Any]:
    lang = asked["lang"] if asked["lang"] in LANGUAGES else "zh"
    return {**asked, "lang": lang, "rules": Path(asked["rules"]) if asked["rules"] else None}


# --- commands and groups ----------------------------------------------------------------------------------------------


class Command(TyperCommand):
    """A command whose help is Chinese or English, and which says itself what is too much on its line."""

    allow_extra_args = True  # so that it is this class that refuses them

    def get_help(self, ctx: Any) -> str:
        """The page of `--help`."""
        return page(self, ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the line. Raises UsageError (E-USAGE) for words it has no place for."""
        with _placed(ctx):
            left = super().parse_args(ctx, args)
        if left and not ctx.resilient_parsing:
            raise UsageError(Problem("E-USAGE", _shown(left[0]), {"command": ctx.command_path, "help": _help(ctx)}))
        return left


class Group(TyperGroup):
    """A group of commands whose help is Chinese or English."""

    def get_help(self, ctx: Any) -> str:
        """The page of `--help`."""
        return page(self, ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the line up to the name of a command."""
        with _placed(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the line names. Raises UsageError (E-USAGE-COMMAND) if there is none."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            told = {"group": ctx.command_path, "known": ", ".join(known), "help": _help(ctx), **_near(args[0], known)}
            raise UsageError(Problem("E-USAGE-COMMAND", _shown(args[0]), told))
        return super().resolve_command(ctx, args)


@contextmanager
def _placed(ctx: Any) -> Iterator[None]:
    """Tell an error to which command's line it belongs, where the library does not."""
    try:
        yield
    except TyperException as error:
        vars(error)["ctx"] = getattr(error, "ctx", None) or ctx
        raise


# --- a line that cannot be read ---------------------------------------------------------------------------------------


def problem_of(error: Any, root: Any) -> Problem:
    """What the library found wrong with a line, as one of our problems; nothing that was typed as a value is in it."""
    ctx = getattr(error, "ctx", None) or root
    for kind in type(error).__mro__:  # by name, for the library keeps its own exceptions to itself
        if kind.__name__ in _SAID:
            return _SAID[kind.__name__](error, ctx)
    if type(error).__name__ == "UsageError" and isinstance(ctx.command, TyperGroup):  # all that a group says in plain words
        return _missing(ctx, [words_of(ctx).say("COMMAND")])
    return Problem("E-USAGE", ctx.command_path, {"command": ctx.command_path, "help": _help(ctx)})


def _no_such_option(error: Any, ctx: Any) -> Problem:
    commands = dict.fromkeys((ctx.command, ctx.find_root().command))
    known = [name for command in commands for param in command.get_params(ctx) if param.param_type_name == "option" for name in param.opts]
    near = _near(error.option_name, list(dict.fromkeys(known)))
    return Problem("E-USAGE-OPTION", _shown(error.option_name), {"command": ctx.command_path, "help": _help(ctx), **near})


def _bad_option(error: Any, ctx: Any) -> Problem:
    """A value that is missing, or a value for an option that takes none."""
    say = words_of(ctx).say
    params = {name: param for param in ctx.command.get_params(ctx) if param.param_type_name == "option" for name in param.opts}
    param = params[error.option_name]
    return _wrong(ctx, error.option_name, say("no value")) if param.is_flag else _missing(ctx, [name_of(param, ctx, say)])


def _missing_parameter(error: Any, ctx: Any) -> Problem:
    """Everything that is missing at once; what was given has been read before what was not."""
    say = words_of(ctx).say
    gone = [param for param in ctx.command.get_params(ctx) if param.required and param.name not in ctx.params and not param.value_from_envvar(ctx)]
    return _missing(ctx, [name_of(param, ctx, say) for param in gone or [error.param]])


def _bad_value(error: Any, ctx: Any) -> Problem:
    if error.param is None:  # one of ours, whose message is what was expected
        return _wrong(ctx, str(error.param_hint or ctx.command_path), error.message)
    say = words_of(ctx).say
    kind = name_of(error.param, ctx, say).partition("<")[2].rstrip(">")
    ranges = [in_brackets(note, say).strip("[]") for note in notes_of(error.param, ctx) if RANGE.search(note)]
    where = error.param.opts[0] if error.param.param_type_name == "option" else say(error.param.name)
    return _wrong(ctx, where, " ".join([kind, *ranges]))


_SAID: Mapping[str, Callable[[Any, Any], Problem]] = {
    "NoSuchOption": _no_such_option,
    "BadOptionUsage": _bad_option,
    "MissingParameter": _missing_parameter,
    "BadParameter": _bad_value,
}


def _missing(ctx: Any, names: Iterable[str]) -> Problem:
    return Problem("E-USAGE-MISSING", ctx.command_path, {"names": ", ".join(names), "help": _help(ctx)})


def _wrong(ctx: Any, where: str, expected: str) -> Problem:
    return Problem("E-USAGE-VALUE", where, {"expected": expected, "help": _help(ctx)})


def _near(typed: str, known: Sequence[str]) -> dict[str, str]:
    found = difflib.get_close_matches(typed, known, n=3)
    return {"near": ", ".join(found)} if found else {}


def _shown(typed: str) -> str:
    return safe(typed) or "?"


def _help(ctx: Any) -> str:
    return f"{ctx.command_path} --help"
