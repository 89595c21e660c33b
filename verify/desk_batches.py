"""The commands about batches and the archive: batch list, accept, withdraw; archive prune. They read arguments, call, print."""
# ruff: noqa: PLC0415 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from verify.shell import HomeOption, say, sound_voice
from verify.usage import Command, Group

BatchArgument = Annotated[str, typer.Argument(help="The batch's number, as the drop's list has it.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept with the decision and in the ledger.")]
OfOption = Annotated[str | None, typer.Option("--as", help="The extract's code, where several have a batch of this number.")]

batch_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="The departments' batches: see, accept, withdraw.")
archive_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="The archive of all batches.")


@batch_app.command("list", cls=Command)
def batch_list(
    ctx: typer.Context, home: HomeOption, extract: Annotated[str | None, typer.Argument(help="An extract's code; else all of them.")] = None
) -> None:
    """List the batches and how each stands."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.deciding import standing_blocks, standing_json, standings

    if extract is not None:
        from verify.labels import book_of
        from verify.sending import extract_named

        extract_named(book_of(voice).extracts, extract)
    found = standings(opened, extract)
    say(ctx, standing_blocks(found, voice), [standing_json(one) for one in found])


@batch_app.command("accept", cls=Command)
def batch_accept(ctx: typer.Context, batch: BatchArgument, home: HomeOption, reason: ReasonOption, as_: OfOption = None) -> None:
    """Accept a batch that a guard has held; the next night loads it."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.deciding import accept, standing_blocks, standing_json

    found = accept(opened, batch, extract=as_, reason=reason)
    say(ctx, standing_blocks([found], voice), standing_json(found))


@batch_app.command("withdraw", cls=Command)
def batch_withdraw(ctx: typer.Context, batch: BatchArgument, home: HomeOption, reason: ReasonOption, as_: OfOption = None) -> None:
    """Withdraw a batch: later nights are as if it had never come. Lists the families it speaks for."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.deciding import withdraw, withdrawal_blocks, withdrawal_json
    from verify.labels import book_of

    found = withdraw(opened, batch, extract=as_, reason=reason, book=book_of(voice))
    say(ctx, withdrawal_blocks(found, voice), withdrawal_json(found))


@archive_app.command("prune", cls=Command)
def archive_prune(
    ctx: typer.Context,
    home: HomeOption,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; without it nothing is deleted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them, which is what happens anyway without --yes.")] = False,
) -> None:
    """List the batches whose time is over and that nothing needs any more, or delete them."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.pruning import over, prune, pruned_blocks, pruned_json

    done, today = yes and not dry_run, datetime.now(UTC).astimezone().date()
    found = (prune if done else over)(opened, book_of(voice), today)
    say(ctx, pruned_blocks(found, voice, done=done), pruned_json(found, done=done))


GROUPS: Mapping[str, typer.Typer] = {"batch": batch_app, "archive": archive_app}
