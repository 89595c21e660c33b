"""What hangs on one row, in words: a line a refusal and row, and for one case what each grey link would change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from verify.fragile import MOST_LINKS, Doubts, Hangs, Place
from verify.labels import department_of, extract_label
from verify.layout import Block
from verify.problems import Problem, UsageError
from verify.speech import Speech
from verify.typed import safe
from verify.workbook import Cell, Sheet, write_sheets

HEADS = ("head_case", "fragile_row", "head_department", "head_member", "head_link", "fragile_then")
WIDTHS = (16, 44, 16, 8, 24, 16)


def hanging_block(found: list[Hangs], voice: Speech) -> Block:
    """Every refusal that hangs on one row."""
    rows = tuple(_line(one, voice) for one in found)
    head = tuple(voice.word(key) for key in HEADS)
    title = voice.word("fragile_title", cases=len({one.case for one in found}), rows=len(found))
    return Block(title, (voice.word("fragile_note"),), head if rows else (), rows, frozenset({3}))


def _line(one: Hangs, voice: Speech) -> tuple[str, ...]:
    link = voice.named("method", one.method)
    return one.case, _row(one.place, voice), department_of(voice, one.place[0]), str(one.member), link, voice.category(one.would_be)


def _row(place: Place, voice: Speech) -> str:
    extract, file, row = place
    return f"{extract_label(voice, extract)} {file}:{row}"


def doubts_block(found: Doubts, voice: Speech) -> Block:
    """What a case would be, whichever of its grey links are theirs, and which of them decide."""
    if not found.links:
        return Block(voice.word("doubts_title"), (voice.word("doubts_none"),))
    key = "doubts_whole" if found.whole else "doubts_bounded"
    outcomes = "、".join(f"{voice.category(name)} {count}" for name, count in sorted(found.outcomes.items()))
    lines = [voice.word(key, links=len(found.links), most=MOST_LINKS, tried=sum(found.outcomes.values()), outcomes=outcomes)]
    if not found.deciding:
        lines.append(voice.word("doubts_indifferent"))
    for at in found.deciding:
        place, member = found.links[at]
        theirs, other = ("、".join(sorted(map(voice.category, side))) for side in found.by_link[at])
        lines.append(voice.word("doubts_deciding", row=_row(place, voice), member=member, theirs=theirs, other=other))
    return Block(voice.word("doubts_title"), tuple(lines))


def fragile_json(hangs: list[Hangs], doubts: Doubts | None) -> dict[str, Any]:
    """The same for programs."""
    listed = [{"case": one.case, **_place(one.place), "member": one.member, "then": one.would_be, "method": one.method, "score": one.score} for one in hangs]
    if doubts is None:
        return {"hanging": listed}
    links = [
        {**_place(place), "member": member, "theirs": sorted(theirs), "not_theirs": sorted(other), "deciding": theirs != other}
        for (place, member), (theirs, other) in zip(doubts.links, doubts.by_link, strict=True)
    ]
    return {"hanging": listed, "doubts": {"case": doubts.case, "exact": doubts.whole, "outcomes": dict(sorted(doubts.outcomes.items())), "links": links}}


def _place(place: Place) -> dict[str, Any]:
    return dict(zip(("extract", "file", "row"), place, strict=True))


def write_hanging(path: Path, found: list[Hangs], voice: Speech) -> None:
    """Write the list as a workbook. Raises UsageError (E-OUT-FILE)."""
    rows = [_line(one, voice) for one in found]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(map(str, range(len(HEADS))), pl.String), orient="row")
    cells = [Cell(voice.word(key), width, str(at)) for at, (key, width) in enumerate(zip(HEADS, WIDTHS, strict=True))]
    sheet = Sheet(voice.word("fragile_sheet"), cells, 1, frame, voice.word("no_lines"))
    try:
        write_sheets(path, [sheet], title=voice.word("fragile_sheet"), footer=voice.word("page_footer", page="&P", pages="&N"))
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", safe(path.name), {"why": error.strerror or type(error).__name__})) from None
