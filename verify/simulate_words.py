"""What a simulation says to people: on the terminal, for programs, as a workbook with every case that moves, and as a page.

The page may go round: it holds no case number, and a count that could point at a family, or would give one
away, reads as a sign (`withheld`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from verify.labels import book_of, fact_label
from verify.layout import Block
from verify.page import FEW, render
from verify.problems import Problem, UsageError
from verify.settings import write_whole
from verify.simulate import Moved, Simulation
from verify.simulate_cost_words import COST_HEADS, cost_block, cost_cells, cost_json, page_cost_block
from verify.speech import Speech, category_labels
from verify.typed import safe
from verify.withheld import Key, Sum, withheld
from verify.workbook import Cell, Sheet, write_sheets
from verify.workbook_lines import TONE

TEMPLATE = Path(__file__).with_name("simulation.html.jinja")
Counted = Callable[[Key, int], str]
ALL, SIGN = "*", "＊"
MOVED: Key = ("moved",)


def simulation_blocks(found: Simulation, voice: Speech, page: OnPage | None = None) -> list[Block]:
    """How many go where, who moves and why, what it costs, and by township; `page` as it may go round (None: all of it)."""
    total, deep = sum(found.matrix.values()), "、".join(fact_label(voice, name) for name in found.deep)
    told = voice.word("simulate_whole", names=deep) if deep else voice.word("simulate_fast")
    count = page or _plainly
    lines = [told, voice.word("simulate_total", cases=f"{total:,}", moved=count(MOVED, len(found.moved)))]
    manifest = found.night.manifest
    state = voice.word("incomplete" if manifest.incomplete else "complete")
    night = voice.word("check_night", as_of=manifest.origin.as_of, night=manifest.night, state=state)
    notice = (voice.word("simulate_withheld"),) if page and page.withheld else ()
    opening = Block(voice.word("simulate_title", name=found.name), (night, *lines, *notice))
    cost = page_cost_block(found.cost, len(found.moved), voice) if page else cost_block(found.cost, voice)
    return [opening, _changes(found, voice), _matrix(found, voice, count), cost, _why(found, voice, count), _places(found, voice, page)]


def _plainly(_key: Key, count: int) -> str:
    return f"{count:,}"


@dataclass(frozen=True, slots=True)
class OnPage:
    """Words a count for a page that goes round: one that is too small, or that would give one away, as a sign."""

    withheld: frozenset[Key]

    def __call__(self, key: Key, count: int) -> str:
        """A count in words."""
        return SIGN if key in self.withheld else f"{count:,}"


def on_page(found: Simulation) -> OnPage:
    """What a page may show of a simulation, by every sum in it."""
    names = sorted({name for pair in found.matrix for name in pair})
    counts: dict[Key, int] = {("cell", then, now): found.matrix.get((then, now), 0) for then in names for now in names}
    cells = {(then, now): ("cell", then, now) for then in names for now in names}
    sums: list[Sum] = [(("cell", then, ALL), tuple(cells[then, now] for now in names)) for then in names]
    sums += [(("cell", ALL, now), tuple(cells[then, now] for then in names)) for now in names]
    whole: Key = ("cell", ALL, ALL)
    sums += [(whole, tuple(("cell", then, ALL) for then in names)), (whole, tuple(("cell", ALL, now) for now in names))]
    groups, placed = Counter((one.then, one.now, one.tests) for one in found.moved), Counter(one.region for one in found.moved)
    sums.append((MOVED, tuple(cells[pair] for pair in cells if pair[0] != pair[1])))
    for pair in sorted({(then, now) for then, now, _ in groups}):
        sums.append((cells[pair], tuple(("why", *pair, *tests) for then, now, tests in sorted(groups) if (then, now) == pair)))
    sums += [(whole, tuple(("place", region) for region in found.regions)), (MOVED, tuple(("placed", region) for region in found.regions))]
    counts |= {("why", then, now, *tests): count for (then, now, tests), count in groups.items()}
    counts |= {("place", region): count for region, count in found.regions.items()}
    counts |= {("placed", region): placed[region] for region in found.regions}
    for total, parts in sums:
        counts.setdefault(total, sum(counts[part] for part in parts if part in counts))
    return OnPage(withheld(counts, sums, FEW))


def _changes(found: Simulation, voice: Speech) -> Block:
    """What is supposed: each value and rule that is not as it is in force."""
    rows = tuple((one.label if voice.lang == "zh" else one.name, one.left or "—", one.right or "—") for one in found.changes)
    head = tuple(voice.word(key) for key in ("head_figure", "head_before", "head_after"))
    return Block(voice.word("simulate_changes"), () if rows else (voice.word("simulate_no_changes"),), head if rows else (), rows)


def _matrix(found: Simulation, voice: Speech, count: Counted) -> Block:
    order = [name for name in category_labels(book_of(voice)) if any(name in pair for pair in found.matrix)]
    order += sorted({name for pair in found.matrix for name in pair} - set(order))
    rows = []
    for then in order:
        cells = [found.matrix.get((then, now), 0) for now in order]
        told = (count(("cell", then, now), cell) if cell else "" for now, cell in zip(order, cells, strict=True))
        rows.append((voice.category(then), *told, count(("cell", then, ALL), sum(cells))))
    sums = {now: sum(found.matrix.get((then, now), 0) for then in order) for now in order}
    rows.append((voice.word("head_total"), *(count(("cell", ALL, now), number) for now, number in sums.items()), f"{sum(sums.values()):,}"))
    head = ("", *(voice.category(name) for name in order), voice.word("head_total"))
    return Block(voice.word("simulate_matrix"), (), head, tuple(rows), frozenset(range(1, len(head))))


def _why(found: Simulation, voice: Speech, count: Counted) -> Block:
    groups = Counter((one.then, one.now, one.tests) for one in found.moved)
    ordered = sorted(groups.items(), key=lambda group: (-group[1], group[0]))
    rows = tuple(
        (voice.category(then), voice.category(now), _tests(tests, voice), count(("why", then, now, *tests), number)) for (then, now, tests), number in ordered
    )
    head = tuple(voice.word(key) for key in ("head_before", "head_after", "head_why", "simulate_counts"))
    return Block(voice.word("simulate_why"), () if rows else (voice.word("no_lines"),), head if rows else (), rows, frozenset({3}))


def _tests(tests: tuple[str, ...], voice: Speech) -> str:
    return "、".join(fact_label(voice, name) for name in tests) or voice.word("simulate_table")


def _places(found: Simulation, voice: Speech, page: OnPage | None) -> Block:
    """Families, who moves and, but on a page, what is paid in each township."""
    moved, count = Counter(one.region for one in found.moved), page or _plainly
    cost = None if page else found.cost
    paid = {region: cost_cells(cost, region, voice) if cost else () for region in found.regions}
    rows = tuple(
        (region, count(("place", region), number), count(("placed", region), moved[region]) if moved[region] else "", *paid[region])
        for region, number in found.regions.items()
    )
    head = tuple(voice.word(key) for key in ("head_place", "simulate_counts", "head_moved", *(COST_HEADS if cost else ())))
    return Block(voice.word("simulate_places"), (), head, rows, frozenset(range(1, len(head))))


def simulation_json(found: Simulation) -> dict[str, Any]:
    """The same for programs; `cost` is None where no rule says what is paid."""
    matrix = [{"then": then, "now": now, "cases": count} for (then, now), count in sorted(found.matrix.items())]
    moved = [{"case": one.case, "region": one.region, "then": one.then, "now": one.now, "tests": list(one.tests)} for one in found.moved]
    manifest = found.night.manifest
    head: dict[str, Any] = {"scenario": found.name, "night": manifest.night, "as_of": manifest.origin.as_of.isoformat(), "deep": list(found.deep)}
    head["changes"] = [{"kind": one.kind, "name": one.name, "then": one.left, "now": one.right} for one in found.changes]
    return {**head, "cases": sum(found.matrix.values()), "matrix": matrix, "moved": moved, "regions": dict(found.regions), "cost": cost_json(found.cost)}


def write_simulation_page(path: Path, found: Simulation, voice: Speech) -> None:
    """Write the page, whole or not at all. Raises UsageError (E-OUT-FILE)."""
    blocks = simulation_blocks(found, voice, on_page(found))
    page = render(TEMPLATE, blocks=blocks, title=blocks[0].title, lang="zh-Hans" if voice.lang == "zh" else "en")
    try:
        write_whole(path, page)
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", safe(path.name), {"why": error.strerror or type(error).__name__})) from None


def write_simulation_workbook(path: Path, found: Simulation, voice: Speech) -> None:
    """Write every case that moves, with the tests for whose sake, and how many go where. Raises UsageError (E-OUT-FILE)."""
    heads = tuple(voice.word(key) for key in ("head_case", "head_place", "head_before", "head_after", "head_why"))
    cases = [_case(one, voice) for one in found.moved]
    matrix, changes = _matrix(found, voice, _plainly), _changes(found, voice)
    corner = (voice.word("simulate_corner"), *matrix.head[1:])
    sheets = [
        _sheet(voice.word("simulate_cases"), Block("", (), heads, tuple(cases)), (16, 16, 16, 16, 60), voice),
        _sheet(voice.word("simulate_counts"), replace(matrix, head=corner), (20,) + (16,) * (len(corner) - 1), voice),
        _sheet(voice.word("simulate_supposed"), replace(changes, head=changes.head or corner[:1]), (40,) * (len(changes.head) or 1), voice),
    ]
    try:
        write_sheets(path, sheets, title=voice.word("simulate_title", name=found.name), footer=voice.word("page_footer", page="&P", pages="&N"))
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", safe(path.name), {"why": error.strerror or type(error).__name__})) from None


def _case(one: Moved, voice: Speech) -> tuple[str, ...]:
    return one.case, one.region, voice.category(one.then), voice.category(one.now), _tests(one.tests, voice)


def _sheet(title: str, block: Block, widths: tuple[int, ...], voice: Speech) -> Sheet:
    frame = pl.DataFrame(block.rows, schema=dict.fromkeys(map(str, range(len(block.head))), pl.String), orient="row")
    frame = frame.with_columns(pl.lit("figure").alias(f"{at}{TONE}") for at in sorted(block.right))
    cells = [Cell(head, width, str(at)) for at, (head, width) in enumerate(zip(block.head, widths, strict=True))]
    return Sheet(title, cells, 1, frame, voice.word("no_lines"))
