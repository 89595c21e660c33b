"""The commands that write documents on paper: report. They read arguments, call, print."""
# ruff: noqa: PLC0415, PLR0913, PLR0917 - each command loads what it needs when it needs it, and has the options its users need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verify.shell import FontsOption, HomeOption, PurposeOption, say, sound_voice
from verify.usage import Command

paper_app = typer.Typer()


@paper_app.command(cls=Command)
def report(
    ctx: typer.Context,
    home: HomeOption,
    out: Annotated[Path, typer.Option(help="The folder for the PDFs, one a family.")],
    cases: Annotated[list[str] | None, typer.Argument(help="The cases' numbers.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every case of the newest night.")] = False,
    purpose: PurposeOption = None,
    fonts: FontsOption = None,
) -> None:
    """Write the report of each case as PDF, from the newest published night."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.case_report import reported
    from verify.layout import Block
    from verify.speech import counted

    with counted(voice, "report_progress") as tell:
        written = reported(opened, None if every else cases or [], out, voice=voice, asked=(purpose or voice.word("purpose"), fonts, tell))
    say(ctx, [Block(voice.word("report_written", count=f"{len(written):,}", folder=out))], {"folder": str(out), "reports": [path.name for path in written]})
