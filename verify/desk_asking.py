"""The commands that ask the rules: whatif and fragile. They read arguments, call, print."""
# ruff: noqa: PLC0415, PLR0913, PLR0917 - each command loads what it needs when it needs it, and has the options its users need

from __future__ import annotations

from pathlib import Path
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
    say(ctx, whatif_blocks(found, voice), whatif_json(found, book_of(voice)))


@asking_app.command(cls=Command)
def fragile(
    ctx: typer.Context,
    home: HomeOption,
    case: Annotated[str | None, typer.Argument(help="The case's number; else every refusal of the night.")] = None,
    purpose: PurposeOption = None,
    workbook: Annotated[Path | None, typer.Option(help="Also write the list to this .xlsx file.")] = None,
) -> None:
    """List the refusals that hang on one row or link; of one case also what its doubtful links would change."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.fragile import doubts, hanging
    from verify.fragile_words import doubts_block, fragile_json, hanging_block, write_hanging
    from verify.labels import book_of
    from verify.looking import look, look_at_all

    why, book = purpose or voice.word("purpose"), book_of(voice)
    spot = look(opened, case, command="fragile", purpose=why) if case else None
    night = spot.night if spot else look_at_all(opened, command="fragile", purpose=why)
    number = spot.case["case_id"] if spot else None
    found = hanging(opened, night, book=book, case=number)
    links = doubts(opened, night, number, book=book) if number else None
    if workbook:
        write_hanging(workbook, found, voice)
    say(ctx, [hanging_block(found, voice), *([doubts_block(links, voice)] if links else [])], fragile_json(found, links))
