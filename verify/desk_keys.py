"""The commands of whoever keeps the key: key create, status and rotate; and results export, the one way out in clear."""
# ruff: noqa: PLC0415 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from verify.problems import EXIT_INTEGRITY
from verify.shell import HomeOption, say, tell, voice_of
from verify.usage import Command, Group

key_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="The site key, without which nothing kept can be read.")
results_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="The results of a night, for other programs.")


@key_app.command("create", cls=Command)
def key_create(ctx: typer.Context, home: HomeOption) -> None:
    """Make the key of a home of an older program, and encrypt what lies there; a key that is there is never overwritten."""
    from verify.settings import open_home

    opened, voice = open_home(home), voice_of(ctx)
    from verify.rotation import changed_blocks, changed_json, create_key

    made = create_key(opened)
    say(ctx, changed_blocks(made, voice), changed_json(made))


@key_app.command("status", cls=Command)
def key_status(ctx: typer.Context, home: HomeOption) -> None:
    """Say which key is in force and which files are under which; if one file does not open, exit with 13."""
    from verify.settings import open_home

    opened, voice = open_home(home), voice_of(ctx)
    from verify.rotation import key_status, status_blocks, status_json

    found = key_status(opened)
    tell(ctx, found.wrong)
    say(ctx, status_blocks(found, voice), status_json(found))
    raise typer.Exit(EXIT_INTEGRITY if found.wrong else 0)


@key_app.command("rotate", cls=Command)
def key_rotate(ctx: typer.Context, home: HomeOption) -> None:
    """Put everything under a new key, or go on where that was interrupted. No data is rewritten."""
    from verify.settings import open_home

    opened, voice = open_home(home), voice_of(ctx)
    from verify.rotation import changed_blocks, changed_json, rotate

    changed = rotate(opened)
    say(ctx, changed_blocks(changed, voice), changed_json(changed))


@results_app.command("export", cls=Command)
def results_export(
    ctx: typer.Context,
    to: Annotated[Path, typer.Argument(help="The folder for the tables, in clear; outside the home.")],
    home: HomeOption,
    night: Annotated[str | None, typer.Option(help="The id of a night; else the newest.")] = None,
) -> None:
    """Copy a night's results in clear to a folder; the night's run.json says when, by whom and where to."""
    from verify.settings import open_home

    opened, voice = open_home(home), voice_of(ctx)
    from verify.layout import Block
    from verify.nights import one_night
    from verify.stages.publish import hand_out, one_at_a_time

    with one_at_a_time(opened):
        found = one_night(opened, night)
        files = hand_out(found, to)
    told = voice.word("results_exported", night=found.manifest.night, files=len(files), folder=to)
    say(ctx, [Block(told)], {"night": found.manifest.night, "folder": str(to.absolute()), "files": files})


GROUPS: Mapping[str, typer.Typer] = {"key": key_app, "results": results_app}
