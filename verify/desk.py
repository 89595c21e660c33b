"""The commands of the desk: check, explain, status, nights and config. They read arguments, call, print, exit."""
# ruff: noqa: PLC0415 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from verify.problems import EXIT_INCOMPLETE, UsageError
from verify.shell import HomeOption, PurposeOption, rules_of, say, sound_voice
from verify.usage import Command, Group

OptionalHome = Annotated[Path | None, typer.Option(envvar="HEDUI_HOME", help="The bureau's private folder; needed for a case only.")]


def _group(about: str) -> typer.Typer:
    return typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help=about)


nights_app = _group("The published nights.")
config_app = _group("The settings in force.")


def check(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="The case's number.")],
    home: HomeOption,
    purpose: PurposeOption = None,
    again: Annotated[bool, typer.Option("--again", help="Also run the stages on this case again; they must agree.")] = False,
) -> None:
    """Say what the published night knows of a case, and what to do next."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.layout import Block
    from verify.looking import look
    from verify.spot import spot_blocks, spot_json

    spot = look(opened, case, command="check", purpose=purpose or voice.word("purpose"))
    blocks, plain = spot_blocks(spot, voice), spot_json(spot, voice)
    if again:
        from verify.again import must_agree
        from verify.labels import book_of

        rows = must_agree(opened, spot.night, spot.case["case_id"], book=book_of(voice))
        blocks, plain = [*blocks, Block(voice.word("check_again", rows=rows))], {**plain, "again": {"agrees": True, "rows": rows}}
    say(ctx, blocks, plain)


def explain(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help="A case's number, a code, or a name of the rules.")],
    home: OptionalHome = None,
    purpose: PurposeOption = None,
    every: Annotated[bool, typer.Option("--long", help="Every step, value, row and law instead of the short form.")] = False,
) -> None:
    """Explain a case's figures down to their rows, an error's code, or anything the rules name."""
    from verify.explain import code_block, entries_of, entry_block, entry_json, unknown

    voice = sound_voice(ctx)
    if (found := code_block(voice, what)) is not None:
        say(ctx, [found], {"code": found.title.split()[0], "said": [found.title, *found.lines]})
    elif entries := entries_of(voice, what):
        say(ctx, [entry_block(voice, entry) for entry in entries], [entry_json(entry) for entry in entries])
    elif home is None:
        raise unknown(voice, what)
    else:
        _explain_case(ctx, what, home, purpose=purpose or voice.word("purpose"), every=every)


def _explain_case(ctx: typer.Context, case: str, home: Path, *, purpose: str, every: bool) -> None:
    from verify.explain import unknown
    from verify.explain_case import case_blocks, case_json, rows_behind, told_of, trace
    from verify.explain_short import short_block, short_json
    from verify.labels import book_of
    from verify.layout import terminal_width
    from verify.looking import look
    from verify.settings import open_home
    from verify.terms import terms_of

    opened, voice = open_home(home), ctx.obj["voice"]
    try:
        spot = look(opened, case, command="explain", purpose=purpose)
    except UsageError as error:
        if error.problems[0].code == "E-NO-CASE":
            raise unknown(voice, case) from None
        raise
    whole = every or ctx.obj.get("json")
    traced = trace(spot) if whole else rows_behind(spot)
    told, terms = told_of(traced, voice), terms_of(book_of(voice), voice)
    blocks = case_blocks(traced, voice) if every else [short_block(told, terms, terminal_width())]
    say(ctx, blocks, case_json(traced, voice) | short_json(told, terms) if whole else {})


def status(ctx: typer.Context, home: HomeOption) -> None:
    """Say whether the last good night is recent enough; if not, exit with 3."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.nights import status_blocks, status_json, status_of

    found = status_of(opened, datetime.now(UTC).astimezone().date())
    say(ctx, status_blocks(found, voice), status_json(found))
    raise typer.Exit(0 if found.good else EXIT_INCOMPLETE)


@nights_app.command("list", cls=Command)
def nights_list(ctx: typer.Context, home: HomeOption) -> None:
    """List the published nights, newest first."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.manifest import published_nights
    from verify.nights import list_block, night_json

    say(ctx, [list_block(opened, voice)], [night_json(night) for night in reversed(published_nights(opened))])


@nights_app.command("show", cls=Command)
def nights_show(ctx: typer.Context, home: HomeOption, night: Annotated[str | None, typer.Argument(help="Its id; else the newest.")] = None) -> None:
    """Show what one night was made from and what it counted."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.nights import night_blocks, night_json, one_night

    found = one_night(opened, night)
    say(ctx, night_blocks(found, voice), night_json(found))


@config_app.command("show", cls=Command)
def config_show(
    ctx: typer.Context,
    home: HomeOption,
    origin: Annotated[bool, typer.Option("--origin", help="Also say where each value comes from.")] = False,
) -> None:
    """Show every setting in force."""
    from verify.layout import Block
    from verify.settings import open_home, origins

    opened, voice = open_home(home), sound_voice(ctx)
    told = [(key, value, where or voice.word("origin_default")) for key, value, where in origins(opened)]
    options = {"home": (ctx, opened.folder), "rules": (ctx.find_root(), rules_of(ctx)), "lang": (ctx.find_root(), ctx.obj["lang"])}
    told += [(name, str(value), voice.word(_source(of, name))) for name, (of, value) in options.items()]
    rows = tuple(line if origin else line[:2] for line in told)
    say(ctx, [Block(voice.word("settings"), (), (), rows)], {key: {"value": value, "origin": where} for key, value, where in told})


def _source(ctx: Any, name: str) -> str:
    """Whether an option was given on the line, in the environment, or not at all."""
    source = getattr(ctx.get_parameter_source(name), "name", "DEFAULT")
    return {"COMMANDLINE": "origin_option", "ENVIRONMENT": "origin_environment"}.get(source, "origin_default")


COMMANDS: tuple[Callable[..., None], ...] = (check, explain, status)
GROUPS: Mapping[str, typer.Typer] = {"nights": nights_app, "config": config_app}
