"""The command of the departments: extract check. It reads arguments, calls, prints, exits."""
# ruff: noqa: PLC0415 - the command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from verify.problems import EXIT_INCOMPLETE, InputError
from verify.shell import say, sound_voice, tell
from verify.usage import Command, Group

RowsOption = Annotated[int | None, typer.Option(min=0, help="The number of rows the list will give.")]
ChangesOption = Annotated[bool, typer.Option("--changes", help="The file holds changes, not the whole state.")]
WorkbookOption = Annotated[Path | None, typer.Option(help="Also write the refused rows, by their own numbers, to this .xlsx file.")]
AgainstOption = Annotated[Path | None, typer.Option(help="Also say whether the next night of this home would hold the file.")]

extract_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="For departments: check a file before sending it.")


@extract_app.command("check", cls=Command)
def extract_check(  # noqa: PLR0913 - a command has a parameter for each of its options
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to be sent.")],
    as_: Annotated[str | None, typer.Option("--as", help="The extract's code; else the one with which the file's name begins.")] = None,
    rows: RowsOption = None,
    *,
    changes: ChangesOption = False,
    workbook: WorkbookOption = None,
    against: AgainstOption = None,
) -> None:
    """Read a file as the night would; exit with 3 for refused rows, 10 for a refused file."""
    from verify.labels import book_of
    from verify.sending import check_file, checked_blocks, checked_json, code_in, extract_named, held_against
    from verify.settings import open_home
    from verify.typed import without_ids
    from verify.workbook_refused import write_refused

    voice = sound_voice(ctx)
    book = book_of(voice)
    extract = extract_named(book.extracts, as_ or code_in(file.name, book.extracts))
    try:
        checked = check_file(file, extract, rows=rows, changes=changes)
    except InputError as refusal:
        if workbook is not None:
            write_refused(workbook, book, without_ids(file.name), rows=(), whole=refusal.problems)
        raise
    if against is not None:
        checked = held_against(checked, extract, open_home(against))
    if workbook is not None:
        write_refused(workbook, book, checked.file, rows=checked.refused, whole=checked.held)
    tell(ctx, [*checked.notices, *checked.held])
    say(ctx, checked_blocks(checked, voice), checked_json(checked))
    raise typer.Exit(EXIT_INCOMPLETE if checked.refused or checked.held else 0)


GROUPS: Mapping[str, typer.Typer] = {"extract": extract_app}
