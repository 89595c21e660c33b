"""The 核对报告 of a case as PDF, one file a family: what was found, by which tests and rows, from whom and as of when, and places to sign.

It says what the published night says; nothing is worked out again. Names and IDs are masked. The same night, the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from verify.explain_case import Traced, link_text, linked, paid_line, told_of, unit_of_row
from verify.explain_short import grounds, sentence
from verify.labels import amount, book_of, department_of, extract_label, fact_label, span
from verify.layout import Block
from verify.ledger import Look, record
from verify.looking import ALL
from verify.manifest import Published
from verify.nights import newest_night
from verify.paper import Document, Part, Press, open_press
from verify.problems import Problem, UsageError
from verify.settings import Home, write_whole
from verify.speech import Speech
from verify.spot import alerts_block, banner, branches, files_of, next_block, open_block, sources_block, spot_of, who
from verify.store_rows import all_rows, rows_by
from verify.terms import Terms, terms_of
from verify.typed import purpose_of, safe

AT_ONCE = 200  # families whose rows are read together
SIGNATURES = ("report_officer", "report_reviewer", "report_office", "report_day", "report_applicant", "report_day")
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Printing:
    """The press, the voice that reports speak with, and what hears how many of how many are written."""

    press: Press
    voice: Speech
    tell: Told = lambda _done, _all: None


def cases_of(night: Published) -> list[str]:
    """Every case of a night, in order."""
    return [row["case_id"] for row in all_rows(night.folder / "results" / "cases.parquet")]


def one_of_each(night: Published) -> list[str]:
    """The first case of each category that the night found."""
    found: dict[str, str] = {}
    for row in all_rows(night.folder / "results" / "cases.parquet"):
        found.setdefault(row["category"], row["case_id"])
    return sorted(found.values())


def reported(home: Home, cases: Sequence[str] | None, folder: Path, *, voice: Speech, asked: tuple[str, Path | None, Told]) -> list[Path]:
    """Write the reports of these cases of the newest night (None: of all), once it is on record that they are looked at.

    `asked` is the purpose, the folder of fonts (None: the system's) and what hears of the progress. Raises UsageError:
    E-REPORT-WHICH (no case is named), E-NO-NIGHT, E-NO-CASE, E-FONT, E-OUT-FILE; LedgerError.
    """
    purpose, fonts, tell = asked
    if cases is not None and not cases:
        raise UsageError(Problem("E-REPORT-WHICH", "report"))
    press = open_press(fonts)
    night = newest_night(home)
    wanted = cases_of(night) if cases is None else sorted({case.strip() for case in cases})
    for case in [ALL] if cases is None else wanted:
        record(home, Look("report", safe(case), purpose_of(purpose)))
    return write_reports(night, wanted, folder, Printing(press, voice, tell))


def write_reports(night: Published, cases: Sequence[str], folder: Path, printing: Printing) -> list[Path]:
    """Write a PDF for each case into the folder, each whole or not at all; their paths, in order of the cases.

    Raises UsageError: E-NO-CASE (before anything is written), E-OUT-FILE, E-FONT.
    """
    wanted = sorted(set(cases))
    missing = sorted(set(wanted) - set(cases_of(night)))
    if missing:
        raise UsageError(*(Problem("E-NO-CASE", safe(case), {"night": night.manifest.night}) for case in missing))
    written = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        terms = terms_of(book_of(printing.voice), printing.voice)
        for traced in traces_of(night, wanted):
            path = folder / f"{quote(traced.spot.case['case_id'], safe='')}.pdf"
            write_whole(path, printing.press.pdf(report_of(traced, printing.voice, terms)))
            path.chmod(0o600)  # a family's report is for the office that asked for it
            written.append(path)
            printing.tell(len(written), len(wanted))
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", safe(folder.name), {"why": error.strerror or os.strerror(error.errno or 0)})) from None
    return written


def traces_of(night: Published, cases: Sequence[str]) -> Iterator[Traced]:
    """The cases with their traces, some hundred read at a time."""
    results, tables = night.folder / "results", night.folder / "tables"
    known = files_of(night)
    for listed in (list(cases[at : at + AT_ONCE]) for at in range(0, len(cases), AT_ONCE)):
        rows = {name: rows_by(results / f"{name}.parquet", "case_id", listed) for name in ("cases", "tests", "alerts", "evidence", "links")}
        rows |= {name: rows_by(tables / f"{name}.parquet", "case_id", listed) for name in ("persons", "values")}
        for case in listed:
            spot = spot_of(night, rows["cases"][case][0], rows["persons"][case], said=(rows["tests"][case], rows["alerts"][case]), known=known)
            yield Traced(spot, rows["values"][case], linked(spot, rows["evidence"][case], rows["links"][case]))


def report_of(traced: Traced, voice: Speech, terms: Terms) -> Document:
    """What the report of one case says."""
    spot, manifest, book = traced.spot, traced.spot.night.manifest, book_of(voice)
    parts = [_family(traced, voice), _finding(traced, voice, terms), *_tests(traced, voice), _rows(traced, voice)]
    parts += [_part(block, voice) for block in (alerts_block(spot, voice), open_block(spot, voice), next_block(spot, voice), sources_block(spot, voice))]
    parts.append(Part(voice.word("report_notes"), lines=tuple(voice.word(key) for key in ("report_note_view", "report_note_object", "report_note_masked"))))
    return Document(
        title=voice.word("report_title"),
        subtitle=f"{spot.case['case_id']}  {voice.category(spot.case['category'])}",
        notice=(*banner(spot, voice), voice.word("report_view")),
        sections=tuple(parts),
        sign=tuple(voice.word(key) for key in SIGNATURES),
        header=voice.word("report_title"),
        stamp=spot.case["case_id"],
        footer=voice.word("report_footer", night=manifest.night, rules=manifest.origin.rules[:12], now=book.digest[:12]),
        lang=voice.lang,
    )


def _family(traced: Traced, voice: Speech) -> Part:
    """Who belongs to the family, where it lives, and by which line it is measured."""
    spot = traced.spot
    case = spot.case
    low, high = (None if case[end] is None else Decimal(case[end]) for end in ("members_low", "members_high"))
    count = span(voice, low, high, "count")
    line = voice.word("not_known") if case["monthly_line"] is None else amount(case["monthly_line"], "yuan")
    lines = (voice.word("report_place", region=case["region"] or "—", line=line), voice.word("check_members", count=count))
    head = tuple(voice.word(key) for key in ("report_number", "report_name", "report_relation", "report_counts"))
    rows = tuple(
        (str(number), one["name"], one["relation"] or "", voice.word("yes") if one["counts"] else voice.word("not_counted"))
        for number, one in sorted(spot.people.items())
    )
    return Part(voice.word("report_family"), lines=lines, head=head if rows else (), rows=rows)


def _finding(traced: Traced, voice: Speech, terms: Terms) -> Part:
    """The category, the tests that decide it as sentences, their law, and what is paid a month."""
    told = told_of(traced, voice)
    chosen = grounds(told, terms)
    laws = dict.fromkeys(law for ground in chosen for law in ground.test["basis"].split("；"))
    said = [sentence(ground, terms) for ground in chosen] if told.tests else [voice.word("check_no_tests")]
    law = (voice.word("explain_law", law="；".join(laws)),) if laws else ()
    category = voice.category(traced.spot.case["category"])
    return Part(voice.word("report_finding", category=category), lines=(*said, *law, paid_line(traced.spot.case["category"], traced.values, voice)))


def _tests(traced: Traced, voice: Speech) -> Iterator[Part]:
    """Each category's tests with figure, limit and distance."""
    title = voice.word("report_tests")
    for block in branches(traced.spot, voice):
        yield from (Part(title),) if title else ()
        title = ""
        yield Part(block.title, 2, head=block.head, rows=block.rows, right=tuple(sorted(block.right)), widths=(7, 28, 18, 11, 23))


def _rows(traced: Traced, voice: Speech) -> Part:
    """The rows behind the figures: whose, how much, from which department, of which day, and where; rows that say the same together."""
    same: dict[tuple[str, ...], list[int]] = {}
    for row in traced.evidence:
        source = voice.word("source", extract=extract_label(voice, row["extract"]), department=department_of(voice, row["extract"]))
        person = who(traced.spot, voice, row["member_no"]) if row["person_id"] else voice.word("household")
        figure = span(voice, row["low"], row["high"], unit_of_row(voice, row))
        told = (fact_label(voice, row["fact"]), person, figure, source, row["as_of"].isoformat(), row["file"], link_text(row, voice))
        same.setdefault(told, []).append(row["row"])
    rows = tuple((*told[:3], *told[3:5], voice.word("report_where", file=told[5], rows="、".join(map(str, found))), told[6]) for told, found in same.items())
    keys = ("head_figure", "head_member", "report_each", "head_sources", "head_as_of", "report_stands", "head_link")
    head = tuple(voice.word(key) for key in keys)
    lines = () if rows else (voice.word("explain_no_rows"),)
    return Part(voice.word("report_rows"), lines=lines, head=head if rows else (), rows=rows, right=(2,), widths=(17, 8, 13, 17, 12, 26, 17))


def _part(block: Block, voice: Speech) -> Part:
    """A block of the spot check as a part; the terminal's brackets around its heading are left out."""
    return Part(block.title.strip("【】[]"), lines=block.lines, head=block.head, rows=block.rows, right=tuple(sorted(block.right)))
