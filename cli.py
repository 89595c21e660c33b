"""The command `hedui`: read arguments, call `verify`, print, choose the exit code. No logic lives here.

What it prints to people comes from `rules/messages/`. Heavy libraries are loaded by the command that needs them, so
that `hedui --help` answers at once.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify import __version__, desk, desk_asking, desk_batches, desk_extract, desk_keys, desk_match, desk_packs, desk_paper, desk_rules, making
from verify.problems import EXIT_DONE, EXIT_INCOMPLETE
from verify.shell import PROGRAM, DateOption, HomeOption, Shell, problems_as_json, rules_of, run, tell, voice_of
from verify.usage import Command

if TYPE_CHECKING:
    from verify.pipeline import Outcome
    from verify.settings import Home
    from verify.speech import Speech

app = typer.Typer(cls=Shell, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

for module in (desk_rules, desk_packs, desk, desk_extract, desk_batches, desk_keys, desk_match, making):
    for name, group in module.GROUPS.items():
        app.add_typer(group, name=name)
for command in desk.COMMANDS:
    app.command(cls=Command)(command)
app.registered_commands += desk_asking.asking_app.registered_commands
app.registered_commands += desk_paper.paper_app.registered_commands


def tell_version(asked: bool) -> None:
    """Print which release this is, and end."""
    if asked:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit(EXIT_DONE)


@app.callback()
def root(  # noqa: PLR0913, PLR0917 - each is an option
    ctx: typer.Context,
    lang: Annotated[str, typer.Option(envvar="HEDUI_LANG", help="zh or en.")] = "zh",
    rules: Annotated[Path | None, typer.Option(envvar="HEDUI_RULES", help="Another rules folder than the one shipped.")] = None,
    pack: Annotated[str | None, typer.Option(envvar="HEDUI_PACK", help="A region's rules over the shared ones: its pack's name or division code.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Print which release this is.")] = False,
) -> None:
    """Verify the economic status of low-income applicants, every night, from the departments' extracts.

    The options below may stand anywhere on the line.
    """
    if lang not in {"zh", "en"}:
        raise typer.BadParameter("zh | en", param_hint="--lang")
    ctx.obj = {"lang": lang, "rules": rules, "pack": pack, "json": as_json}


@app.command(cls=Command)
def init(ctx: typer.Context, home: Annotated[Path, typer.Argument(envvar="HEDUI_HOME", help="The folder to make.")]) -> None:
    """Make a bureau's private folder (mode 0700), and beside it the key of all that is kept there (mode 0400)."""
    from verify.settings import init_home, key_place

    made = init_home(home)
    print(voice_of(ctx).word("home_made", folder=made.folder))
    print(voice_of(ctx).word("key_copy", file=key_place(made).path))


@app.command(cls=Command)
def night(
    ctx: typer.Context,
    home: HomeOption,
    drop: Annotated[Path, typer.Option(help="The folder (or .zip) the departments filled.")],
    as_of: DateOption = None,
    results: Annotated[Path | None, typer.Option(help="Also copy the results tables to this folder, in clear; the night records it.")] = None,
) -> None:
    """Run one night and publish it whole, or change nothing."""
    _show(ctx, _run(ctx, home=home, drop=drop, as_of=as_of.date() if as_of else None, results=results))


@app.command(cls=Command)
def demo(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Keep the demo here; else in a new folder for temporary files.")] = None,
) -> None:
    """Run a night of the made-up county that comes with the program."""
    from verify.settings import demo_drop, init_home

    made = init_home(home or Path(tempfile.mkdtemp(prefix="hedui-demo-")) / "home")  # its key lies beside it
    outcome = _run(ctx, home=made.folder, drop=demo_drop())
    _show(ctx, outcome, _some_reports(ctx, made))


def _some_reports(ctx: typer.Context, home: Home) -> Path | None:
    """Write a report of one case of each category beside the home; None, and why, where no font for Chinese is there."""
    from verify.case_report import one_of_each, reported
    from verify.nights import newest_night
    from verify.problems import UsageError

    voice, folder = voice_of(ctx), home.folder.parent / "reports"
    try:
        reported(home, one_of_each(newest_night(home)), folder, voice=voice, asked=(voice.word("purpose"), None, lambda _at, _of: None))
    except UsageError as error:
        tell(ctx, error.problems)
        return None
    return folder


def _run(ctx: typer.Context, *, home: Path, drop: Path, as_of: date | None = None, results: Path | None = None) -> Outcome:
    """One night through the pipeline, with its stages named on a terminal."""
    from verify.settings import open_home

    opened = open_home(home)  # told before the heavy libraries are loaded
    from verify.pipeline import Order, run_night
    from verify.speech import progress

    with progress(voice_of(ctx)) as tell:
        return run_night(opened, Order(drop, rules_of(ctx), as_of=as_of, results=results), tell)


def _show(ctx: typer.Context, outcome: Outcome, reports: Path | None = None) -> None:
    """Print the night's outcome, and where reports lie, and end the command with its exit code."""
    if ctx.obj.get("json"):
        print(json.dumps(_as_json(voice_of(ctx), outcome), ensure_ascii=False, sort_keys=True))
    else:
        _print_outcome(ctx, outcome, reports)
    raise typer.Exit(EXIT_INCOMPLETE if outcome.incomplete else EXIT_DONE)


def _print_outcome(ctx: typer.Context, outcome: Outcome, reports: Path | None) -> None:
    """The night's outcome in a few lines, the most important last."""
    from verify.speech import table

    voice = voice_of(ctx)
    tell(ctx, outcome.troubles)
    print(voice.word("night_counts"))
    print(table(voice.counted("count", outcome.counts)))
    print(voice.word("night_categories"))
    print(table(voice.categories(outcome.categories)))
    if outcome.late:
        print(voice.word("night_late", extracts="、".join(outcome.late)))
    print(voice.word("night_folder", folder=outcome.folder / "results"))
    print(voice.word("night_workbook", workbook=outcome.workbook))
    print(voice.word("night_page", page=outcome.page))
    if reports:
        print(voice.word("night_reports", folder=reports, count=len(list(reports.glob("*.pdf")))))
    state = voice.word("incomplete" if outcome.incomplete else "complete")
    print(voice.word("night_published" if outcome.published else "night_there", night=outcome.night_id, as_of=outcome.as_of, state=state))


def _as_json(voice: Speech, outcome: Outcome) -> Mapping[str, Any]:
    """The stable form for programs; its keys stay, more may come."""
    told = {name: getattr(outcome, name) for name in ("published", "incomplete", "counts", "categories", "late")}
    where = {"night": outcome.night_id, "as_of": outcome.as_of.isoformat(), "folder": str(outcome.folder)}
    return {**where, **told, "troubles": problems_as_json(voice, outcome.troubles)}


def main() -> None:
    """The command `hedui`."""
    run(app)


if __name__ == "__main__":
    main()
