"""The commands about rules: rules check, test, mutate and coverage. They read arguments, call, print."""
# ruff: noqa: PLC0415, T201, PLR0913, PLR0917 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from verify.problems import Problem, UsageError
from verify.shell import DayOption, FontsOption, HomeOption, PurposeOption, rules_of, say, shared_rules_of, sound_voice, tell, voice_of
from verify.usage import Command, Group

rules_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="Check the rule files, and run the examples that stand in them.")


AllOption = Annotated[bool, typer.Option("--all", help="Of the shared rules and of every region's pack.")]


def folders_of(ctx: typer.Context, *, every: bool) -> list[Path]:
    """The rule book asked for, or the shared rules and every pack. Raises UsageError (E-PACK-…)."""
    from verify.packs import all_packs

    root = shared_rules_of(ctx)
    return [root, *(layer.folder for layer in all_packs(root))] if every else [rules_of(ctx)]


@rules_app.command("check", cls=Command)
def rules_check(ctx: typer.Context, as_of: DayOption = None, every: AllOption = False) -> None:
    """Load every rule file; tell all mistakes with file and line."""
    from verify.rule_checks import check_rules
    from verify.rule_reviews import must_hold_on, overdue

    for folder in folders_of(ctx, every=every):
        book = check_rules(folder)
        if as_of is not None:
            must_hold_on(book, as_of.date())
        tell(ctx, overdue(book, as_of.date() if as_of else _today()))
        print((f"{book.name}  " if every else "") + voice_of(ctx).word("rules_whole", entries=len(book.entries), digest=book.digest[:12]))


@rules_app.command("test", cls=Command)
def rules_test(ctx: typer.Context, every: AllOption = False) -> None:
    """Run every example that stands in a rule file, and cases on both sides of every test."""
    from verify.rule_examples import test_rules, try_both_sides

    for folder in folders_of(ctx, every=every):
        found = test_rules(folder)
        wrong = [Problem("E-RULE-EXAMPLE", r.where, {"name": r.name, "expected": str(r.expected), "got": str(r.got)}) for r in found if not r.passed]
        if wrong:
            raise UsageError(*wrong)
        sides, named = try_both_sides(folder), f"{folder.name}  " if every else ""
        print(named + voice_of(ctx).word("examples_hold", count=len(found)))
        print(named + voice_of(ctx).word("sides_hold", count=sides))


@rules_app.command("mutate", cls=Command)
def rules_mutate(
    ctx: typer.Context,
    only_score: Annotated[bool, typer.Option("--only-score", help="Do not look for what would tell survivors apart.")] = False,
    every: AllOption = False,
) -> None:
    """Make one mistake at a time in the rules, and say which ones no example notices."""
    voice = sound_voice(ctx)
    from verify.mutating import mutate_rules, score_json
    from verify.mutating_words import score_blocks

    found = [mutate_rules(folder, shown=not (only_score or ctx.obj.get("json"))) for folder in folders_of(ctx, every=every)]
    say(ctx, [block for one in found for block in score_blocks(one, voice)], score_json(found))


@rules_app.command("coverage", cls=Command)
def rules_coverage(ctx: typer.Context, every: AllOption = False) -> None:
    """Say which facts, rules, values and rows of the table no example reaches."""
    voice = sound_voice(ctx)
    from verify.coverage import cover, coverage_json
    from verify.mutating_words import coverage_blocks

    found = {folder.name: cover(folder) for folder in folders_of(ctx, every=every)}
    plain = {name: coverage_json(points) for name, points in found.items()}
    say(ctx, [block for points in found.values() for block in coverage_blocks(points, voice)], {"packs": plain} if every else next(iter(plain.values())))


@rules_app.command("show", cls=Command)
def rules_show(ctx: typer.Context, rule: Annotated[str, typer.Argument(help="Anything the rules name: a rule, a value, an extract, a category.")]) -> None:
    """Show what the rules say of something: its formula, values by date and region, law, place and examples."""
    from verify.explain import entries_of, entry_block, entry_json, unknown

    voice = sound_voice(ctx)
    entries = entries_of(voice, rule)
    if not entries:
        raise unknown(voice, rule)
    say(ctx, [entry_block(voice, entry) for entry in entries], [entry_json(entry) for entry in entries])


@rules_app.command("book", cls=Command)
def rules_book(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The .html or .pdf file to write.")],
    fonts: FontsOption = None,
) -> None:
    """Write the whole rule book to be printed."""
    voice = sound_voice(ctx)
    from verify.labels import book_of
    from verify.printed_book import write_book, write_paper_book

    paper = file.suffix.lower() == ".pdf"
    count = write_paper_book(file, voice, book_of(voice), fonts=fonts) if paper else write_book(file, voice, book_of(voice))
    print(voice.word("book_written", count=count, file=file))


@rules_app.command("reviews", cls=Command)
def rules_reviews(
    ctx: typer.Context,
    as_of: DayOption = None,
    within: Annotated[int, typer.Option("--within", min=0, help="And so many days ahead.")] = 90,
) -> None:
    """List the values of the law that somebody should look at again, and those that end with nothing after them."""
    voice = sound_voice(ctx)
    from verify.rule_reviews import due, due_blocks, due_json
    from verify.rulebook import load_rulebook

    until = (as_of.date() if as_of else _today()) + timedelta(days=within)
    found = due(load_rulebook(rules_of(ctx)), until)
    say(ctx, due_blocks(found, until, voice), due_json(found))


def _today() -> date:
    """The day in the office, not in Greenwich."""
    return datetime.now().astimezone().date()


@rules_app.command("simulate", cls=Command)
def rules_simulate(
    ctx: typer.Context,
    scenario: Annotated[Path, typer.Argument(help="The file that says which values or rules are tried.")],
    home: HomeOption,
    purpose: PurposeOption = None,
    workbook: Annotated[Path | None, typer.Option(help="Also write every case that moves to this .xlsx file.")] = None,
    page: Annotated[Path | None, typer.Option(help="Also write the counts, without case numbers, to this .html file.")] = None,
) -> None:
    """Try other values or rules on the newest night: who would move, from where to where, and why."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.asking import simulated
    from verify.simulate_words import simulation_blocks, simulation_json, write_simulation_page, write_simulation_workbook

    found = simulated(opened, scenario, rules_of(ctx), purpose=purpose or voice.word("purpose"))
    if workbook:
        write_simulation_workbook(workbook, found, voice)
    if page:
        write_simulation_page(page, found, voice)
    say(ctx, simulation_blocks(found, voice), simulation_json(found))


@rules_app.command("activate", cls=Command)
def rules_activate(
    ctx: typer.Context,
    home: HomeOption,
    reason: Annotated[str, typer.Option(help="Why the rules change; it goes into the ledger.")] = "",
    reading: Annotated[bool, typer.Option("--reading-changes", help="How rows are read or linked changes too, which no past night can show.")] = False,
) -> None:
    """Let the rules in, if check, tests, mutation and an impact report on the newest night allow it."""
    from verify.settings import open_home

    opened, voice = open_home(home), sound_voice(ctx)
    from verify.activating import activate
    from verify.layout import Block
    from verify.simulate_words import simulation_blocks, simulation_json

    found = activate(opened, rules_of(ctx), reason=reason, reading=reading)
    known = found.activation
    told = {"digest": known.digest, "user": known.user, "when": known.when, "percent": f"{100 * float(known.mutation):.1f}"}
    line = voice.word("activated", **{**told, "digest": known.digest[:12]}, examples=found.examples, sides=found.sides)
    blocks = simulation_blocks(found.impact, voice) if found.impact else []
    notice = (voice.word("activated_reading"),) if reading else ()
    impact = simulation_json(found.impact) if found.impact else None
    say(ctx, [*blocks, Block(line, notice)], {**told, "examples": found.examples, "impact": impact})


GROUPS: Mapping[str, typer.Typer] = {"rules": rules_app}
