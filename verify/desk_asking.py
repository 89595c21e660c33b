"""The commands that ask the rules: whatif. They read arguments, call, print."""
# ruff: noqa: PLC0415, PLR0913, PLR0917 - each command loads what it needs when it needs it, and has the options its users need

from __future__ import annotations

from typing import Annotated

import typer

from verify.shell import HomeOption, PurposeOption, say, sound_voice
from verify.usage import Command

asking_app = typer.Typer()


@asking_app.command(cls=Command)
def whatif(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="The case's number.")],
    home: HomeOption,
    purpose: PurposeOption = None,
    drop: Annotated[list[str] | None, typer.Option(help="A row left out: EXTRACT:ROW (or EXTRACT:FILE:ROW).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A cell that says something else: EXTRACT:ROW:COLUMN=VALUE.")] = None,
    relink: Annotated[list[str] | None, typer.Option(help="A row that is another member's, or nobody's: EXTRACT:ROW=NUMBER, or =0.")] = None,
    income: Annotated[list[str] | None, typer.Option(help="More income of a member, in yuan a month: NUMBER=AMOUNT.")] = None,
    region: Annotated[str | None, typer.Option(help="The case lives in another division.")] = None,
    area: Annotated[str | None, typer.Option(help="The case is of the other area, town or country.")] = None,
) -> None:
    """Work one case out with something supposed otherwise, and say which tests change; nothing is kept."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.looking import look
    from verify.supposing import Suppositions
    from verify.whatif import what_if, whatif_blocks, whatif_json

    place = {key: value for key, value in (("region", region), ("area", area)) if value is not None}
    asked = Suppositions(drop or (), set_ or (), relink or (), income or (), place)
    spot = look(opened, case, command="whatif", purpose=purpose or voice.word("purpose"))
    found = what_if(opened, spot, asked, book=book_of(voice))
    say(ctx, whatif_blocks(found, voice), whatif_json(found))
