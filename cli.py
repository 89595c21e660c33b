"""The command `hedui`: read arguments, call `verify`, print, choose the exit code. No logic lives here.

What it prints to people comes from `rules/messages/`. Heavy libraries are loaded by the command that needs them, so
that `hedui --help` answers at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from verify.problems import EXIT_BUG, EXIT_DONE, EXIT_INCOMPLETE, EXIT_INTERRUPTED, HeduiError, Problem, UsageError

if TYPE_CHECKING:
    from verify.pipeline import Outcome
    from verify.speech import Speech

WITH_VALUE, FLAGS = ("--lang", "--rules"), ("--json",)


class Shell(TyperGroup):
    """The root command: every ending of every command becomes one of our exit codes and the catalogue's sentence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the options of the whole program wherever they stand on the line."""
        front: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            if word in WITH_VALUE:
                front += [word, *([value] if (value := next(words, None)) is not None else [])]
            else:
                ours = word in FLAGS or word.startswith(tuple(f"{name}=" for name in WITH_VALUE))
                (front if ours else rest).append(word)
        return super().parse_args(ctx, front + rest)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; tell what went wrong in words, never with a traceback or a row's content."""
        _never_stumble_over_an_encoding()
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # a reader that went away is noticed here, not at the interpreter's end
        except HeduiError as error:
            _tell(ctx, error.problems)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            _tell(ctx, [Problem("E-INTERRUPTED", "Ctrl-C")])
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:  # the reader went away (`| head`); there is nobody left to tell
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except Exception as error:
            if type(error).__module__.startswith(("typer", "click")):
                raise
            _tell(ctx, [Problem("E-BUG", _place_of(error), {"kind": type(error).__name__})])
            raise typer.Exit(EXIT_BUG) from None


app = typer.Typer(cls=Shell, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
rules_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Check the rule files, and run the examples that stand in them.")
app.add_typer(rules_app, name="rules")

HomeOption = Annotated[Path, typer.Option(envvar="HEDUI_HOME", help="The bureau's private folder, made by `hedui init`.")]
DateOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As of this date; else the newest in the drop's list.")]


@app.callback()
def root(
    ctx: typer.Context,
    lang: Annotated[str, typer.Option(envvar="HEDUI_LANG", help="zh or en.")] = "zh",
    rules: Annotated[Path | None, typer.Option(envvar="HEDUI_RULES", help="Another rules folder than the one shipped.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Verify the economic status of low-income applicants, every night, from the departments' extracts.

    The options below may stand anywhere on the line.
    """
    if lang not in {"zh", "en"}:
        raise typer.BadParameter("zh | en", param_hint="--lang")
    ctx.obj = {"lang": lang, "rules": rules, "json": as_json}


@app.command()
def init(ctx: typer.Context, home: Annotated[Path, typer.Argument(envvar="HEDUI_HOME", help="The folder to make.")]) -> None:
    """Make a bureau's private folder (mode 0700)."""
    from verify.settings import init_home

    made = init_home(home)
    print(_voice(ctx).word("home_made", folder=made.folder))


@app.command()
def night(
    ctx: typer.Context,
    home: HomeOption,
    drop: Annotated[Path, typer.Option(help="The folder (or .zip) the departments filled.")],
    as_of: DateOption = None,
    results: Annotated[Path | None, typer.Option(help="Also copy the results tables to this folder.")] = None,
) -> None:
    """Run one night and publish it whole, or change nothing."""
    _show(ctx, _run(ctx, home=home, drop=drop, as_of=as_of.date() if as_of else None, results=results))


@app.command()
def demo(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Keep the demo here; else in a new folder for temporary files.")] = None,
) -> None:
    """Run a night of the made-up county that comes with the program."""
    from verify.settings import demo_drop, init_home

    made = init_home(home or Path(tempfile.mkdtemp(prefix="hedui-demo-")))
    _show(ctx, _run(ctx, home=made.folder, drop=demo_drop()))


@rules_app.command("check")
def rules_check(ctx: typer.Context) -> None:
    """Load every rule file; tell all mistakes with file and line."""
    from verify.rule_checks import check_rules

    book = check_rules(_rules(ctx))
    print(_voice(ctx).word("rules_whole", entries=len(book.entries), digest=book.digest[:12]))


@rules_app.command("test")
def rules_test(ctx: typer.Context) -> None:
    """Run every example that stands in a rule file."""
    from verify.rule_examples import test_rules

    found = test_rules(_rules(ctx))
    wrong = [Problem("E-RULE-EXAMPLE", r.where, {"name": r.name, "expected": str(r.expected), "got": str(r.got)}) for r in found if not r.passed]
    if wrong:
        raise UsageError(*wrong)
    print(_voice(ctx).word("examples_hold", count=len(found)))


def _run(ctx: typer.Context, *, home: Path, drop: Path, as_of: date | None = None, results: Path | None = None) -> Outcome:
    """One night through the pipeline, with its stages named on a terminal."""
    from verify.settings import open_home

    opened = open_home(home)  # told before the heavy libraries are loaded
    from verify.pipeline import Order, run_night
    from verify.speech import progress

    with progress(_voice(ctx)) as tell:
        return run_night(opened, Order(drop, _rules(ctx), as_of=as_of, results=results), tell)


def _show(ctx: typer.Context, outcome: Outcome) -> None:
    """Print the night's outcome and end the command with its exit code."""
    if ctx.obj.get("json"):
        print(json.dumps(_as_json(_voice(ctx), outcome), ensure_ascii=False, sort_keys=True))
    else:
        _print_outcome(ctx, outcome)
    raise typer.Exit(EXIT_INCOMPLETE if outcome.incomplete else EXIT_DONE)


def _print_outcome(ctx: typer.Context, outcome: Outcome) -> None:
    """The night's outcome in a few lines, the most important last."""
    from verify.speech import table

    voice = _voice(ctx)
    _tell(ctx, outcome.troubles)
    print(voice.word("night_counts"))
    print(table(voice.counted("count", outcome.counts)))
    print(voice.word("night_categories"))
    print(table(voice.categories(outcome.categories)))
    if outcome.late:
        print(voice.word("night_late", extracts="、".join(outcome.late)))
    print(voice.word("night_folder", folder=outcome.folder / "results"))
    print(voice.word("night_workbook", workbook=outcome.workbook))
    state = voice.word("incomplete" if outcome.incomplete else "complete")
    print(voice.word("night_published" if outcome.published else "night_there", night=outcome.night_id, as_of=outcome.as_of, state=state))


def _as_json(voice: Speech, outcome: Outcome) -> Mapping[str, Any]:
    """The stable form for programs; its keys stay, more may come."""
    told = {name: getattr(outcome, name) for name in ("published", "incomplete", "counts", "categories", "late")}
    where = {"night": outcome.night_id, "as_of": outcome.as_of.isoformat(), "folder": str(outcome.folder)}
    return {**where, **told, "troubles": _problems_as_json(voice, outcome.troubles)}


def _problems_as_json(voice: Speech, problems: Iterable[Problem]) -> list[Mapping[str, str]]:
    """Each problem with its code, place and the catalogue's sentences."""
    return [{"code": p.code, "where": p.where, **voice.sentence(p).model_dump()} for p in problems]


def _tell(ctx: Any, problems: Iterable[Problem]) -> None:
    """Problems on stderr, in words or, where JSON was asked for, as one object."""
    voice, problems = _voice(ctx), list(problems)
    if problems and (ctx.obj or {}).get("json"):
        print(json.dumps({"problems": _problems_as_json(voice, problems)}, ensure_ascii=False, sort_keys=True), file=sys.stderr)
        return
    for problem in problems:
        print(voice.problem(problem), file=sys.stderr)


def _voice(ctx: Any) -> Speech:
    """The catalogue in the language asked for."""
    from verify.speech import speech

    if "voice" not in (asked := ctx.obj or {}):
        asked["voice"] = speech(_rules(ctx), asked.get("lang", "zh"))
    voice: Speech = asked["voice"]
    return voice


def _rules(ctx: Any) -> Path:
    """The rules folder asked for, or the one shipped."""
    from verify.settings import rules_folder

    return (ctx.obj or {}).get("rules") or rules_folder()


def _place_of(error: Exception) -> str:
    """File and line of our own code where an unexpected error arose; nothing of its message, which may hold a row."""
    here = Path(__file__).resolve().parent
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).resolve().is_relative_to(here)]
    ours = [f for f in frames if "site-packages" not in Path(f.filename).resolve().relative_to(here).parts]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "hedui"


def _never_stumble_over_an_encoding() -> None:
    """Let a stream that cannot write a character escape it, for a crash there would exit 1 and read as a verdict."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower().replace("-", "") != "utf8":
            with contextlib.suppress(AttributeError):  # a test's stream may have no such call
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


if __name__ == "__main__":
    app()
