"""The commands about whose row it is, all below `hedui match`. They read arguments, call, print."""
# ruff: noqa: PLC0415 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from verify.shell import HomeOption, PurposeOption, say, sound_voice
from verify.usage import Command, Group

match_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="Whose row it is: why, why not, and by which model.")
RowArgument = Annotated[int, typer.Argument(min=0, help="The row's number, as the results have it.")]
FileOption = Annotated[str | None, typer.Option(help="The file's name, where several have a row of this number.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept with the decision and in the ledger.")]
WHOM = "A row as EXTRACT:ROW (or EXTRACT:FILE:ROW), or a person as CASE/NUMBER."


@match_app.command("explain", cls=Command)
def match_explain(  # noqa: PLR0913, PLR0917 - its options are its users'
    ctx: typer.Context,
    extract: Annotated[str, typer.Argument(help="The extract's code.")],
    row: RowArgument,
    home: HomeOption,
    file: FileOption = None,
    purpose: PurposeOption = None,
) -> None:
    """Say whose a row is and why, field by field, and what else it could be."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.match_explain import explain_row, explained_blocks, explained_json
    from verify.match_model import model_in_force

    book = book_of(voice)
    told = explain_row(opened, book, model_in_force(opened, book).model, (extract, row, file), purpose or voice.word("purpose"))
    say(ctx, explained_blocks(told, voice), explained_json(told))


@match_app.command("pair", cls=Command)
def match_pair(  # noqa: PLR0913, PLR0917 - its options are its users'
    ctx: typer.Context,
    one: Annotated[str, typer.Argument(help=WHOM)],
    other: Annotated[str, typer.Argument(help=WHOM)],
    home: HomeOption,
    html: Annotated[Path | None, typer.Option(help="Also draw it on one page; the .html file to write.")] = None,
    purpose: PurposeOption = None,
) -> None:
    """Hold two rows or people against each other."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.match_explain import explain_pair, explained_blocks, explained_json
    from verify.match_model import model_in_force

    book = book_of(voice)
    told = explain_pair(opened, book, model_in_force(opened, book).model, (one, other), purpose or voice.word("purpose"))
    if html is not None:
        from verify.match_chart import write_chart

        write_chart(told, html, voice)
    say(ctx, explained_blocks(told, voice), explained_json(told))


@match_app.command("decide", cls=Command)
def match_decide(  # noqa: PLR0913, PLR0917 - its options are its users'
    ctx: typer.Context,
    extract: Annotated[str, typer.Argument(help="The extract's code.")],
    row: RowArgument,
    member: Annotated[str, typer.Argument(help="The member, as CASE/NUMBER.")],
    same: Annotated[bool, typer.Option("--same/--different", help="Whether the row is theirs.")],
    home: HomeOption,
    reason: ReasonOption,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="<YYYY-MM-DD>", help="The last day it holds; else until withdrawn.")] = None,
    file: FileOption = None,
    side: Annotated[str | None, typer.Option(help="On which side of the row they stand, where it speaks of two people.")] = None,
) -> None:
    """Decide that a row is a member's, or is not; from the next night on."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.match_decide import Asked, decide_of, decided_blocks, decided_json

    found = decide_of(opened, Asked(extract, row, file, side), member, said=(same, reason, until.date() if until else None), book=book_of(voice))
    say(ctx, decided_blocks([found], voice), decided_json(found))


@match_app.command("decisions", cls=Command)
def match_decisions(ctx: typer.Context, home: HomeOption) -> None:
    """List what was decided of rows and members, and how each decision stands."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.match_decide import decided_blocks, decided_json, decisions_told

    found = decisions_told(opened)
    say(ctx, decided_blocks(found, voice), [decided_json(one) for one in found])


@match_app.command("withdraw", cls=Command)
def match_withdraw(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(min=1, help="The decision's number, as `hedui match decisions` has it.")],
    home: HomeOption,
    reason: ReasonOption,
) -> None:
    """Take a decision back, from the next night on."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.match_decide import decided_blocks, decided_json, withdraw_pair

    found = withdraw_pair(opened, number, reason)
    say(ctx, decided_blocks([found], voice), decided_json(found))


@match_app.command("household", cls=Command)
def match_household(
    ctx: typer.Context, case: Annotated[str, typer.Argument(help="The case's number.")], home: HomeOption, purpose: PurposeOption = None
) -> None:
    """Say who belongs to a case's household by the registers, and what of it to look at."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.match_household import household_blocks, household_json, household_of

    found = household_of(opened, case.strip(), book_of(voice), purpose or voice.word("purpose"))
    say(ctx, household_blocks(found, voice), household_json(found))


@match_app.command("people", cls=Command)
def match_people(
    ctx: typer.Context, case: Annotated[str, typer.Argument(help="The case's number.")], home: HomeOption, purpose: PurposeOption = None
) -> None:
    """Say by which key each person of a case is known from night to night."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.match_people import people_blocks, people_json, people_of

    found = people_of(opened, case.strip(), purpose or voice.word("purpose"))
    say(ctx, people_blocks(found, voice), people_json(found))


@match_app.command("model", cls=Command)
def match_model(
    ctx: typer.Context,
    home: HomeOption,
    fit: Annotated[bool, typer.Option("--fit", help="Fit it anew on the newest night's rows, and keep it in the home.")] = False,
) -> None:
    """Show the model by which pairs are weighed, and how many accepted rows are expected to be wrong."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.labels import book_of
    from verify.match_drift import drift_blocks, drift_json, drift_of
    from verify.match_model import fit_model, model_blocks, model_in_force, model_json

    found = fit_model(opened, book_of(voice)) if fit else model_in_force(opened, book_of(voice))
    drift = drift_of(opened)
    say(ctx, [*model_blocks(found, voice), *drift_blocks(drift, voice)], model_json(found) | {"drift": drift_json(drift)})


@match_app.command("evaluate", cls=Command)
def match_evaluate(
    ctx: typer.Context,
    home: HomeOption,
    truth: Annotated[Path, typer.Option(help="The Parquet file that says whose each row is.")],
) -> None:
    """Hold the newest night's links against the truth."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.match_scores import evaluate, score_blocks, score_json

    found = evaluate(opened, truth)
    say(ctx, score_blocks(found, voice), score_json(found))


GROUPS: Mapping[str, typer.Typer] = {"match": match_app}
