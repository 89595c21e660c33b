"""What every command of `hedui` shares: the shell that turns each ending into an exit code and a sentence, and its voice.

Heavy libraries are loaded by the command that needs them, so that `hedui --help` answers at once.
"""
# ruff: noqa: PLC0415, T201 - a shell prints, and loads what a command needs when it needs it

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.problems import EXIT_BUG, EXIT_INTERRUPTED, EXIT_USAGE, HeduiError, Problem, UsageError
from verify.typed import without_ids
from verify.usage import Group, narrow, problem_of, whole_line

if TYPE_CHECKING:
    from verify.layout import Block
    from verify.speech import Speech

PACKAGE = Path(__file__).resolve().parent

PROGRAM = "hedui"
FULL = {errno.ENOSPC, errno.EDQUOT}
SELDOM = 500_000  # objects made before Python's collector of circles looks at them; by default 700


class Shell(Group):
    """The root command: every ending of every command becomes one of our exit codes and the catalogue's sentence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the options of the whole program wherever they stand on the line."""
        _load_lightly()
        _never_stumble_over_an_encoding()
        ctx.info_name = PROGRAM  # however it was started: this is what our sentences tell people to type
        line, ctx.obj = whole_line(args)
        try:
            return super().parse_args(ctx, line)
        except typer.TyperException as error:
            raise _told(ctx, error) from None
        except OSError as error:  # the page of `--help` could not be written
            raise _unwritten(ctx, error) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the command; tell what went wrong in words, never with a traceback or a row's content."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # a reader that went away is noticed here, not at the interpreter's end
        except HeduiError as error:
            tell(ctx, error.problems)
            raise typer.Exit(error.exit_code) from None
        except typer.TyperException as error:
            raise _told(ctx, error) from None
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            tell(ctx, [Problem("E-INTERRUPTED", "Ctrl-C")])
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except OSError as error:
            raise _unwritten(ctx, error) from None
        except Exception as error:
            raise _our_mistake(ctx, error) from None


HomeOption = Annotated[Path, typer.Option(envvar="HEDUI_HOME", help="The bureau's private folder, made by `hedui init`.")]
FontsOption = Annotated[Path | None, typer.Option(envvar="HEDUI_FONTS", help="The folder of fonts for PDFs; else the system's.")]
PurposeOption = Annotated[str | None, typer.Option(help="What the look-up is for; it goes into the ledger.")]
DateOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="<YYYY-MM-DD>", help="As of this date; else the newest in the drop's list.")]

DayOption = Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], metavar="<YYYY-MM-DD>", help="On this day; else today.")]


def problems_as_json(voice: Speech, problems: Iterable[Problem]) -> list[Mapping[str, str]]:
    """Each problem with its code, place and the catalogue's sentences."""
    return [{"code": p.code, "where": p.where, **voice.sentence(p).model_dump()} for p in problems]


def tell(ctx: Any, problems: Iterable[Problem]) -> None:
    """Problems on stderr, in words or, where JSON was asked for, as one object."""
    voice, problems = voice_of(ctx), list(problems)
    if problems and (ctx.obj or {}).get("json"):
        print(without_ids(json.dumps({"problems": problems_as_json(voice, problems)}, ensure_ascii=False, sort_keys=True)), file=sys.stderr)
        return
    for problem in problems:
        print(without_ids(voice.problem(problem)), file=sys.stderr)


def voice_of(ctx: Any) -> Speech:
    """The catalogue in the language asked for."""
    from verify.speech import speech

    if "voice" not in (asked := ctx.obj or {}):
        try:
            folder = rules_of(ctx)
        except UsageError:  # it is this that is to be told
            folder = shared_rules_of(ctx)
        asked["voice"] = speech(folder, asked.get("lang", "zh"))
    voice: Speech = asked["voice"]
    return voice


def rules_of(ctx: Any) -> Path:
    """The rules folder asked for, or the one shipped; where a pack is asked for, that pack's. Raises UsageError (E-PACK-NONE)."""
    asked = ctx.obj or {}
    root = shared_rules_of(ctx)
    if not asked.get("pack"):
        return root
    from verify.packs import pack_folder

    return pack_folder(root, asked["pack"])


def shared_rules_of(ctx: Any) -> Path:
    """The rules folder asked for, or the one shipped, whatever the pack."""
    from verify.settings import rules_folder

    root: Path = (ctx.obj or {}).get("rules") or rules_folder()
    return root


def sound_voice(ctx: Any) -> Speech:
    """The catalogue together with a whole rule book. Raises UsageError for one that could only be spoken from in part."""
    from verify.rulebook import load_rulebook
    from verify.speech import Speech

    book = load_rulebook(rules_of(ctx))
    if not any(kind == "decision" for kind, _ in book.entries):
        raise UsageError(Problem("E-RULES-ONE", "decision", {"kind": "decision", "found": "0"}))
    ctx.obj["voice"] = voice = Speech(ctx.obj["lang"], book.messages, book.words, book)
    return voice


def say(ctx: Any, blocks: Iterable[Block], plain: Mapping[str, Any] | list[Any]) -> None:
    """Print an answer: as one JSON object where that was asked for, else laid out for the terminal."""
    from verify.layout import laid_out, terminal_width

    text = json.dumps(plain, ensure_ascii=False, sort_keys=True) if ctx.obj.get("json") else laid_out(list(blocks), terminal_width())
    print(without_ids(text))


def _told(ctx: Any, error: typer.TyperException) -> Exception:
    """How to end after a line that cannot be read: with help where nothing was asked for, else the problem told and exit 2."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return error
    tell(ctx, [problem_of(error, ctx)])
    return typer.Exit(EXIT_USAGE)


def _unwritten(ctx: Any, error: OSError) -> Exception:
    """How to end where what was made could not be written: the reader went away (`| head`), or the disk is full; else it is our mistake."""
    if isinstance(error, BrokenPipeError):  # there is nobody left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif error.errno in FULL:
        tell(ctx, [Problem("E-DISK-FULL", Path(error.filename).name if isinstance(error.filename, str | Path) else PROGRAM)])
    else:
        return _our_mistake(ctx, error)
    return typer.Exit(EXIT_INTERRUPTED)


def _our_mistake(ctx: Any, error: Exception) -> Exception:
    """How to end after what nobody has foreseen."""
    tell(ctx, [Problem("E-BUG", _place_of(error), {"kind": type(error).__name__})])
    return typer.Exit(EXIT_BUG)


def _place_of(error: Exception) -> str:
    """File and line of our own code where an unexpected error arose; nothing of its message, which may hold a row."""
    frames = [(Path(f.filename).resolve(), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    ours = [(path, line) for path, line in frames if path.is_relative_to(PACKAGE) or path == PACKAGE.parent / "cli.py"]
    return f"{ours[-1][0].name}:{ours[-1][1]}" if ours else "hedui"


def _load_lightly() -> None:
    """Spare what Python and the libraries do as they come and go and nothing here needs."""
    gc.set_threshold(SELDOM)  # what is loaded stays: looking through it for circles again and again finds none
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy comes with pyarrow, and nobody multiplies matrices
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # nor has anybody else a say in how rules are read


def run(app: Any) -> None:
    """Run the program, and leave without taking apart what was loaded: .25 of the 4 CPU s of `check --again` (as mypy leaves, `hard_exit`)."""
    narrow(app, sys.argv[1:])
    try:
        app()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        atexit._run_exitfuncs()  # noqa: SLF001 - what was asked for at the end is done, as multiprocessing sees to it in its children
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # what was printed did not arrive, and there is nowhere left to say so but the exit code
            os._exit(ended.code or EXIT_BUG)
        os._exit(ended.code)


def _never_stumble_over_an_encoding() -> None:
    """Let a stream that cannot write a character escape it, for a crash there would exit 1 and read as a verdict."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower().replace("-", "") != "utf8":
            with contextlib.suppress(AttributeError):  # a test's stream may have no such call
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
