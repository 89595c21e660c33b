"""One pair as a picture: what each field adds to, or takes from, the weight of "the same person", from what stood before to the end.

A page that stands alone: one drawing of its own, no script, nothing fetched; names and IDs masked; the same pair gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from verify.linkage.telling import Told
from verify.match_explain import Explained, in_bits, level_word, masked, rival_of, shown_of, story_of, title_of, why_not
from verify.page import render
from verify.problems import Problem, UsageError
from verify.settings import write_whole
from verify.speech import Speech, display_width

TEMPLATE = Path(__file__).with_name("match_chart.html.jinja")
WIDTH, LINE = 520, 34  # of the drawing, in its own units: the breadth of all bars, and the height of one
ROOM = 44  # columns of text left of the bars
LEAST = 2  # the breadth of a bar that weighs nothing


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the drawing: its words, what it weighs, where its bar stands and where the next one goes on from."""

    label: str
    said: str
    bits: str
    tone: str
    left: int
    width: int
    end: int
    top: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One pair: against whom, its bars, where nothing weighs, how high the drawing is, the sentences below, and every other story."""

    title: str
    bars: tuple[Bar, ...]
    zero: int
    height: int
    lines: tuple[str, ...]
    stories: tuple[tuple[str, str], ...]


def write_chart(explained: Sequence[Explained], path: Path, voice: Speech) -> int:
    """Write the page, whole or not at all; how many pairs it shows. Raises UsageError (E-OUT-FILE) where it cannot be written."""
    charts = [(title_of(one.side, voice), [_chart(one, told, voice) for told in one.told[:3]]) for one in explained]
    words = {key.removeprefix("chart_"): voice.word(key) for key in ("chart_title", "chart_for", "chart_against", "chart_story", "chart_better")}
    note = voice.word("match_model_note", digest=explained[0].model.digest[:12] if explained else "")
    page = render(TEMPLATE, charts=charts, words=words, note=note, lang="zh-Hans" if voice.lang == "zh" else "en", width=WIDTH, line=LINE)
    try:
        write_whole(path, page)
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", path.name, {"why": error.strerror or type(error).__name__})) from None
    return sum(len(found) for _, found in charts)


def _chart(one: Explained, told: Told, voice: Speech) -> Chart:
    """The steps add up to the weight against the best other story; the weight against all of them together stands in words."""
    other = one.others[told.left]
    steps = [(voice.word("chart_before"), "", told.before)]
    for name, level, bits in told.fields:
        ours, theirs = (shown_of(side, name) for side in (one.side, other))
        alike = level_word(name, level, voice)
        both = f"{alike}  {ours} | {theirs}"
        said = both if level != "nothing" and display_width(both) <= ROOM else alike
        steps.append((voice.named("match", f"field_{name}"), said, bits))
    bars, zero = _bars(steps, (voice.word("chart_whole"), voice.word("chart_against_best")))
    lines = (voice.word("match_whole", bits=in_bits(told.bits), before=in_bits(told.before)), rival_of(told, voice), *why_not(told, voice))
    stories: dict[str, str] = {}
    for name, bits in told.stories:  # the best first; two that differ only in what this pair does not share are one to the reader
        stories.setdefault(story_of(name, told, voice), in_bits(bits))
    return Chart(voice.word("match_against", who=f"{other.told_as} {masked(other)}"), bars, zero, LINE * len(bars) + 6, lines, tuple(stories.items()))


def _bars(steps: Sequence[tuple[str, str, int]], whole: tuple[str, str]) -> tuple[tuple[Bar, ...], int]:
    """Every step from where the one before ended, then the sum from nothing; and where nothing stands."""
    ends, at = [0], 0
    for _, _, bits in steps:
        at += bits
        ends.append(at)
    low, high = min(ends), max(ends)
    spread = max(high - low, 1)

    def place(bits: int) -> int:
        return (bits - low) * WIDTH // spread

    bars = []
    for row, ((label, said, bits), start, end) in enumerate(zip(steps, ends, ends[1:], strict=False)):
        here, there = sorted((place(start), place(end)))
        tone = "for" if bits > 0 else "against" if bits < 0 else "none"
        bars.append(Bar(label, said, in_bits(bits) if bits or not said else "", tone, here, max(there - here, LEAST), place(end), row * LINE))
    here, there = sorted((place(0), place(at)))
    bars.append(Bar(*whole, in_bits(at), "for" if at > 0 else "against", here, max(there - here, LEAST), place(at), len(steps) * LINE))
    return tuple(bars), place(0)
