"""The night on one page of HTML, and the one door to Jinja2: how complete it is, what came, what was found, what to do next.

The page stands alone: no script, no picture, no address outside itself. It holds no personal data and no case number: it is
given the counts' tables only, a count that could point at a family reads `<5`, and no text that a department wrote (file
names, batch numbers, headers) is repeated. The same night gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined

from verify import __version__
from verify.model import Known
from verify.problems import Problem
from verify.rulebook import Rulebook
from verify.settings import write_whole
from verify.speech import Speech, category_labels
from verify.workbook_guide import Guide, asked_of, waiting

TEMPLATE = Path(__file__).with_name("page.html.jinja")
FEW = 5  # fewer families than this could be told apart
LONGEST_BAR = 1000
URGENT = 3
ROWS = {"received": "page_received", "kept": "page_kept", "refused": "page_refused", "duplicate": "page_duplicate"}
OURS = frozenset({"column", "announced", "found", "number"})  # values of a problem that the rule book or the engine wrote
USED = ("loaded", "unchanged")
WORST_FIRST = ("refused", "late", "gap", *USED)
TONES = {**dict.fromkeys(USED, "ok"), "refused": "bad"}


@dataclass(frozen=True)
class PageTables:
    """The results' `cases`, `alerts` and `files`, the night's `troubles`, and what is known of every extract."""

    cases: pl.DataFrame
    alerts: pl.DataFrame
    files: pl.DataFrame
    troubles: pl.DataFrame
    known: Mapping[str, Known]


@dataclass(frozen=True, slots=True)
class Source:
    """One extract as the page shows it: what came of it tonight, and what is used where nothing came."""

    extract: str
    label: str
    department: str
    state: str
    tone: str
    as_of: date | None
    carried: bool
    rows: Sequence[str]
    told: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its labels, the figure as it may be shown, its length in thousandths, and how it looks."""

    label: str
    label_en: str
    figure: str
    length: int
    look: str = ""
    tag: str = ""
    tone: str = ""


def write_page(path: Path, *, tables: PageTables, book: Rulebook, guide: Guide) -> None:
    """Write the page of a night; the file appears whole or not at all."""
    sources = [_source(name, tables, book) for name in sorted(book.extracts)]
    missing = [source for source in sources if source.state not in USED]
    stray = tables.files.filter(~pl.col("extract").is_in(list(book.extracts)).fill_null(value=False)).height
    zh, en = _voices(book)
    page = render(
        TEMPLATE,
        night=guide,
        zh=zh.word,
        en=en.word,
        columns=tuple(ROWS.values()),
        missing=missing,
        stray=stray,
        waiting=[few(n) for n in waiting(tables.cases, guide.late, book)],
        steps=_steps(tables, book, missing=missing, stray=stray),
        cards=_cards(tables, book),
        categories=_categories(tables.cases, book),
        asked=_asked(tables.cases, book),
        alerts=_alerts(tables.alerts, book),
        sources=sources,
        total=_rows(tables.files),
        program=__version__,
        rules=book.digest[:12],
    )
    write_whole(path, page)


def render(template: Path, **values: Any) -> str:
    """A template filled; every value escaped, a value that is not given an error."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)


def few(count: int) -> str:
    """A count of families as it may be shown: below five it does not say how many."""
    return f"<{FEW}" if 0 < count < FEW else f"{count:,}"


def _voices(book: Rulebook) -> tuple[Speech, Speech]:
    """The catalogue's voice in Chinese and in English."""
    return Speech("zh", book.messages, book.words, book), Speech("en", book.messages, book.words, book)


# --- what came --------------------------------------------------------------------------------------------------------


def _source(name: str, tables: PageTables, book: Rulebook) -> Source:
    """One extract with its worst state tonight and its rows over all its files."""
    extract, known = book.extracts[name], tables.known[name]
    files = tables.files.filter(pl.col("extract") == name)
    states = {*files["state"].to_list(), *(["gap"] if known.late else [])}
    state = next((state for state in WORST_FIRST if state in states), "late")
    told = _told(tables.troubles.filter(pl.col("extract") == name), book)
    carried = known.usable and known.as_of is not None
    return Source(name, extract.label, extract.department, state, TONES.get(state, "warn"), known.as_of, carried, _rows(files), told)


def _rows(files: pl.DataFrame) -> list[str]:
    """Rows received, kept, refused and duplicate over these files."""
    return [f"{files[column].fill_null(0).sum():,}" for column in ROWS]


def _told(troubles: pl.DataFrame, book: Rulebook) -> list[tuple[str, str, str]]:
    """Code and sentences of what is wrong with an extract, without any text that came with its file."""
    lines = troubles.filter(pl.col("code").str.starts_with("E-")).select("code", "detail").unique().sort("code", "detail").rows()
    told = []
    for code, detail in lines:
        values = {name: value for name, value in json.loads(detail).items() if name in OURS}
        zh, en = (voice.sentence(Problem(code, "", values)).what for voice in _voices(book))
        told.append((code, zh, en))
    return sorted(set(told))


# --- what to do -------------------------------------------------------------------------------------------------------


def _steps(tables: PageTables, book: Rulebook, *, missing: Iterable[Source], stray: int) -> list[tuple[str, dict[str, str]]]:
    """What is to be done next, first things first: a word of the catalogue and what fills it."""
    sheets = {report.lines: report.label for report in sorted(book.reports, key=lambda report: report.position, reverse=True)}
    urgent, undecided = _urgent(tables.alerts, book), _undecided(tables.cases, book)
    rows = tables.files.filter(pl.col("state").is_in(USED))["refused"].sum()  # files refused whole are asked for above
    steps = [("page_do_send", {"department": source.department, "extract": source.label, "code": source.extract}) for source in missing]
    if stray:
        steps.append(("page_do_files", {}))
    if urgent:
        steps.append(("page_do_urgent", {"cases": few(urgent), "sheet": sheets.get("alert", "")}))
    if undecided:
        steps.append(("page_do_open", {"cases": f"{undecided:,}", "sheet": sheets.get("case", "")}))
    if rows:
        steps.append(("page_do_refused", {"rows": f"{rows:,}", "sheet": sheets.get("refused", "")}))
    return steps or [("page_do_nothing", {})]


def _cards(tables: PageTables, book: Rulebook) -> list[tuple[str, str, str]]:
    """The four figures at the top: word, figure, unit."""
    cases, rows = "page_unit_cases", "page_unit_rows"
    return [
        ("page_card_cases", f"{tables.cases.height:,}", cases),
        ("page_card_open", f"{_undecided(tables.cases, book):,}", cases),
        ("page_card_urgent", few(_urgent(tables.alerts, book)), cases),
        ("page_card_refused", f"{tables.files['refused'].fill_null(0).sum():,}", rows),
    ]


def _urgent(alerts: pl.DataFrame, book: Rulebook) -> int:
    """How many families have an urgent alert."""
    return alerts.filter(pl.col("alert").is_in([a.alert for a in book.alerts if a.severity >= URGENT]))["case_id"].n_unique()


def _undecided(cases: pl.DataFrame, book: Rulebook) -> int:
    """How many families cannot be told."""
    return cases.filter(pl.col("category") == book.decision.unknown.then).height


# --- bars -------------------------------------------------------------------------------------------------------------


def _categories(cases: pl.DataFrame, book: Rulebook) -> list[Bar]:
    """Families by category in the decision table's order. The categories of a whole county point at nobody."""
    counts = dict(cases.group_by("category").len().rows())
    looks = {book.decision.otherwise.then: "muted", book.decision.unknown.then: "open"}
    labels, most = category_labels(book), max(counts.values(), default=1)
    return [Bar(label, _plain(name), f"{counts.get(name, 0):,}", _length(counts.get(name, 0), most), looks.get(name, "")) for name, label in labels.items()]


def _alerts(alerts: pl.DataFrame, book: Rulebook) -> list[Bar]:
    """Families by kind of alert, gravest first; a family counts once in each kind."""
    counts = _families(alerts, "alert")
    tones = {URGENT: "bad", URGENT - 1: "warn"}
    bars = []
    for alert in sorted(book.alerts, key=lambda a: (-a.severity, -_shown(counts.get(a.alert, 0)), a.alert)):
        if alert.alert in counts:
            tag = book.words[f"severity_{alert.severity}"].zh
            bars.append(_family_bar(counts, alert.alert, (alert.label, _plain(alert.alert)), (tag, tones.get(alert.severity, ""))))
    return bars


def _asked(cases: pl.DataFrame, book: Rulebook) -> list[Bar]:
    """Undecided families by the extract that could settle them, or the family itself where no extract can."""
    counts = _families(asked_of(cases, book), "extract")
    family = book.words["page_family"]
    bars = []
    for name in sorted(counts, key=lambda name: (-_shown(counts[name]), name)):
        extract = book.extracts.get(name)
        bars.append(_family_bar(counts, name, (f"{extract.department}（{extract.label}）", name) if extract else (family.zh, family.en)))
    return bars


def _families(frame: pl.DataFrame, column: str) -> dict[str, int]:
    """How many different families each value of a column has."""
    return dict(frame.group_by(column).agg(pl.col("case_id").n_unique()).rows())


def _family_bar(counts: Mapping[str, int], name: str, labels: tuple[str, str], tag: tuple[str, str] = ("", "")) -> Bar:
    """A bar of families. Below five neither its figure nor its length tells how many."""
    most = max(map(_shown, counts.values()))
    return Bar(*labels, few(counts[name]), _length(_shown(counts[name]), most), "", *tag)


def _shown(count: int) -> int:
    """A count as length and order may follow it."""
    return max(count, FEW)


def _length(count: int, most: int) -> int:
    """A bar's length in thousandths of the longest; what is there can be seen."""
    return max(LONGEST_BAR * count // most, 4) if count else 0


def _plain(name: str) -> str:
    """The name of a rule entry as English words."""
    return name.replace("_", " ")
