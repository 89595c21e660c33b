"""The commands `county make` and `county next`: made-up counties for training, demos and measurements. They read arguments, call, print, exit."""
# ruff: noqa: PLC0415 - each command loads what it needs when it needs it

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.shell import say, sound_voice
from verify.usage import Command, Group

if TYPE_CHECKING:
    from verify.speech import Speech

county_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, help="Make counties that do not exist, with the truth beside them.")

OutOption = Annotated[Path, typer.Option(help="The folder to make; drop/ and truth/ will lie in it.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the drop and the truth that lie there.")]
ProcessesOption = Annotated[int, typer.Option(help="How many processes work at once; the result is the same.")]


@county_app.command("make", cls=Command)
def county_make(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    out: OutOption,
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="<YYYY-MM-DD>", help="The as-of date of the first night.")],
    persons: Annotated[int, typer.Option(help="How many people live there.")] = 20_000,
    cases: Annotated[int | None, typer.Option(help="How many families applied; else 3 for every 100 people.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another county; the same, the same bytes.")] = 1,
    noise: Annotated[str, typer.Option(help="clean, normal or hard.")] = "normal",
    noise_off: Annotated[list[str] | None, typer.Option(help="A kind of noise that is not wanted; may be given more than once.")] = None,
    force: ForceOption = False,
    processes: ProcessesOption = 2,
) -> None:
    """Make a county and what its departments send on the first night."""
    voice = sound_voice(ctx)
    wanted = persons * 3 // 100 if cases is None else cases
    order = _part("order").Order(persons, wanted, seed, as_of.date(), noise)
    told = _part("rates").Noise(noise, frozenset(noise_off or ()))
    _write(ctx, _part("options").make(order, told, out, force=force, processes=processes), out, voice)


@county_app.command("next", cls=Command)
def county_next(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    county: Annotated[Path, typer.Argument(help="The county's folder of the night before.")],
    out: OutOption,
    late: Annotated[list[str] | None, typer.Option(help="An extract that does not come, or EXTRACT:TROUBLE; may be given more than once.")] = None,
    force: ForceOption = False,
    processes: ProcessesOption = 2,
) -> None:
    """Make what the departments of a made-up county send on the following night."""
    voice = sound_voice(ctx)
    _write(ctx, _part("options").following(county, out, late or [], force=force, processes=processes), out, voice)


def _part(name: str) -> Any:
    """A module of the county's maker: it comes inside the package, or lies beside it in a checkout."""
    from verify.settings import PACKAGE

    inside = (PACKAGE / "installed" / "fixtures" / "county").is_dir()
    return import_module(f"verify.installed.fixtures.county.{name}" if inside else f"fixtures.county.{name}")


def _write(ctx: typer.Context, request: Any, out: Path, voice: Speech) -> None:
    """Write the county and say what was made."""
    from verify.layout import Block
    from verify.speech import progress

    with progress(voice) as tell:
        written: Mapping[str, int] = _part("options").written(request, out, tell)
    as_of: date = request.order.as_of
    lines = tuple((voice.word(f"county_{name}"), f"{count:,}") for name, count in written.items())
    say(ctx, [Block(voice.word("county_made", folder=out, as_of=as_of), (), (), lines)], {"folder": str(out), "as_of": as_of.isoformat(), **written})


GROUPS: Mapping[str, typer.Typer] = {"county": county_app}
