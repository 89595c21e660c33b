"""The commands about regional packs: rules compare, gaps and page. They read arguments, call, print."""
# ruff: noqa: PLC0415, T201 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from verify.desk_rules import AllOption, folders_of, rules_app
from verify.problems import Problem, UsageError
from verify.shell import DayOption, rules_of, say, shared_rules_of, sound_voice
from verify.usage import Command

if TYPE_CHECKING:
    from verify.pack_compare import Side

SideArgument = Annotated[str, typer.Argument(help="A pack's name or division code, or base; with @YYYY-MM-DD, on that day.")]


@rules_app.command("compare", cls=Command)
def rules_compare(ctx: typer.Context, left: SideArgument, right: SideArgument) -> None:
    """Show two regions, or one on two days, side by side: every value and rule in which they differ."""
    voice = sound_voice(ctx)
    from verify.layout import Block
    from verify.pack_compare import KEYS, compare
    from verify.printed_book import in_words, spoken

    sides = _side(ctx, left), _side(ctx, right)
    found, keys = compare(*sides), {key: voice.word(f"pack_said_{key}") for key in KEYS}
    head = (voice.word("pack_kind"), voice.word("pack_label"), left, right)
    words = [spoken(voice, side.book) | keys for side in sides]
    said = [[told if one.kind == "parameter" else in_words(told, by) for told, by in zip((one.left, one.right), words, strict=True)] for one in found]
    rows = tuple((voice.word(f"pack_kind_{one.kind}"), one.label, a or "—", b or "—") for one, (a, b) in zip(found, said, strict=True))
    plain = [{key: getattr(one, key) for key in ("kind", "name", "label", "left", "right", "left_law", "right_law")} for one in found]
    say(ctx, [Block(voice.word("pack_differences", count=len(found), left=left, right=right), (), head if rows else (), rows)], plain)


@rules_app.command("gaps", cls=Command)
def rules_gaps(ctx: typer.Context, as_of: DayOption = None, every: AllOption = False) -> None:
    """Show what a region's rules do not know on a day, and why."""
    voice, day = sound_voice(ctx), as_of.date() if as_of else _today()
    from verify.layout import Block
    from verify.pack_gaps import gaps
    from verify.rulebook import load_rulebook

    blocks, plain = [], {}
    for folder in folders_of(ctx, every=every):
        book = load_rulebook(folder)
        found = gaps(book, day)
        rows = tuple((voice.word(f"gap_{one.kind}"), one.label or "—", one.why, one.where) for one in found)
        title = voice.word("pack_gaps", pack=book.name, day=day, count=len(found))
        blocks.append(Block(title, (), tuple(map(voice.word, ("pack_kind", "pack_label", "pack_why", "pack_where"))) if rows else (), rows))
        plain[book.name] = [{key: getattr(one, key) for key in ("kind", "name", "label", "why", "where")} for one in found]
    say(ctx, blocks, {"as_of": day.isoformat(), "packs": plain})


@rules_app.command("page", cls=Command)
def rules_page(ctx: typer.Context, name: Annotated[str, typer.Argument(help="A pack's name or division code.")], as_of: DayOption = None) -> None:
    """Print a pack's page in plain Chinese: what it says, on what, and what it does not know."""
    from verify.pack_page import page_of
    from verify.packs import pack_folder
    from verify.rulebook import load_rulebook

    print(page_of(load_rulebook(pack_folder(shared_rules_of(ctx), name)), as_of.date() if as_of else _today()), end="")


def _side(ctx: typer.Context, said: str) -> Side:
    """A rule book and a day, as `name@day` says it. Raises UsageError (E-PACK-NONE, E-PACK-DAY)."""
    from verify.pack_compare import Side
    from verify.packs import pack_folder
    from verify.rulebook import load_rulebook

    name, _, told = said.partition("@")
    try:
        day = date.fromisoformat(told) if told else _today()
    except ValueError:
        raise UsageError(Problem("E-PACK-DAY", said, {"day": told})) from None
    root = shared_rules_of(ctx)
    return Side(load_rulebook(root if name == "base" else pack_folder(root, name) if name else rules_of(ctx)), day)


def _today() -> date:
    """The day in the office, not in Greenwich."""
    return datetime.now().astimezone().date()


GROUPS: Mapping[str, typer.Typer] = {}  # its commands have joined those of the rules
