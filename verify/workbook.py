"""The review workbook an officer opens in the morning, and the one door to xlsxwriter.

Every cell is written as text, so that nothing in an extract can become a formula or a link; the same night gives the
same bytes. Layout learnt by looking: `rules/reports/` and the tests hold the limits (width, header, row heights).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from verify.rule_files import Report
from verify.rulebook import Rulebook
from verify.speech import display_width, fill
from verify.workbook_guide import Guide, guide_lines
from verify.workbook_lines import TONE, ReviewTables, lines, shown

NO_DAY = date(2000, 1, 1)  # when a workbook was made that belongs to no night
LAST_ROW = 1_048_575  # of a sheet, counted from 0: Excel's limit less the header
LONGEST = 32_000  # characters in a cell; Excel refuses more than 32,767
HEADER_HEIGHT = 44  # lower, and the filter buttons cover the text (seen)
LINE_HEIGHT = 14
TALLEST = 405
TEXT = 49  # the built-in format "@": whatever stands in the cell is text
FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top", "text_wrap": True}
FORMATS: dict[str, dict[str, Any]] = {
    "": {"num_format": TEXT, "border": 1, "border_color": "#D0D0D0"},
    "bad": {"num_format": TEXT, "border": 1, "border_color": "#D0D0D0", "bg_color": "#F8D7DA", "bold": True},
    "warn": {"num_format": TEXT, "border": 1, "border_color": "#D0D0D0", "bg_color": "#FFF0C8"},
    "figure": {"num_format": TEXT, "border": 1, "border_color": "#D0D0D0", "align": "right"},
    "answer": {"num_format": TEXT, "border": 1, "border_color": "#D0D0D0", "bg_color": "#FFFDE7", "locked": False},
    "head": {"num_format": TEXT, "bold": True, "border": 1, "bg_color": "#DCE6F1", "valign": "vcenter"},
    "title": {"num_format": TEXT, "bold": True, "font_size": 16, "text_wrap": False},
    "label": {"num_format": TEXT, "bold": True},
    "text": {"num_format": TEXT},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One column as it is laid out: its heading, its width in characters, and the frame's column it takes."""

    heading: str
    width: int
    source: str | None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, its columns, how many of them stay in view, and its lines as text."""

    name: str
    cells: Sequence[Cell]
    frozen: int
    lines: pl.DataFrame
    nothing: str = field(default="")


def write_review(path: Path, *, tables: ReviewTables, book: Rulebook, guide: Guide) -> dict[str, int]:
    """Write the review workbook and return how many lines each sheet has, by report name.

    Names and IDs are masked. Raises UsageError (E-REPORT-COLUMN) before anything is written. The file appears whole or
    not at all.
    """
    reports = sorted(book.reports, key=lambda report: (report.position, report.report))
    sheets = {report.report: _sheet(report, shown(report, lines(report, tables, book), book), book) for report in reports}
    first = guide_lines(tables, book, guide)
    edges = (guide.night, fill(book.words["page_footer"].zh, {"page": "&P", "pages": "&N"}))
    with _book(path, guide.night, guide.as_of) as (out, formats):
        _write_guide(out, formats, first, edges=edges)
        for sheet in sheets.values():
            for piece in _pieces(sheet):
                _write_sheet(out, formats, piece, edges=edges)
    return {name: sheet.lines.height for name, sheet in sheets.items()}


def write_sheets(path: Path, sheets: Sequence[Sheet], *, title: str, footer: str) -> None:
    """Write a workbook of lists that belong to no night; the same lists give the same bytes. It appears whole or not at all.

    Raises OSError where it cannot be written.
    """
    with _book(path, title, NO_DAY) as (out, formats):
        for sheet in sheets:
            for piece in _pieces(sheet):
                _write_sheet(out, formats, piece, edges=(title, footer))


@contextmanager
def _book(path: Path, title: str, as_of: date) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A new workbook and its formats; what it says of its making follows from its content alone."""
    part = path.with_name(path.name + ".part")
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    part.touch()  # so that a place that cannot be written to is an OSError, and known before any work is done
    try:
        with xlsxwriter.Workbook(str(part), options) as out:
            out.set_properties({"title": title, "author": "hedui", "created": _fixed(as_of)})
            yield out, {name: out.add_format({**FONT, **extra}) for name, extra in FORMATS.items()}
        part.replace(path)
    except OSError:
        part.unlink()
        raise


def _sheet(report: Report, frame: pl.DataFrame, book: Rulebook) -> Sheet:
    """A report's lines as a sheet: identity columns, then the officer's decision and note, then the rest."""
    cells = [Cell(f"{c.heading}\n{c.heading_en}", c.width, str(at)) for at, c in enumerate(report.columns)]
    identity = [cell for cell, c in zip(cells, report.columns, strict=True) if c.identity]
    others = [cell for cell, c in zip(cells, report.columns, strict=True) if not c.identity]
    answers = []
    if report.decisions:
        heads = [f"{word.zh}\n{word.en}" for word in (book.words["decision"], book.words["note"])]
        answers = [Cell(heads[0], 10, None, report.decisions), Cell(heads[1], 10, None)]
    return Sheet(report.label, [*identity, *answers, *others], len(identity), frame, book.words["no_lines"].zh)


def _pieces(sheet: Sheet) -> Iterator[Sheet]:
    """The sheet itself, or numbered sheets where it has more lines than one can hold."""
    if sheet.lines.height <= LAST_ROW:
        yield sheet
        return
    for at in range(0, sheet.lines.height, LAST_ROW):
        name = f"{sheet.name} {at // LAST_ROW + 1}"
        yield Sheet(name, sheet.cells, sheet.frozen, sheet.lines.slice(at, LAST_ROW), sheet.nothing)


def _write_sheet(out: Any, formats: dict[str, Any], sheet: Sheet, *, edges: tuple[str, str]) -> None:
    """Lay out one sheet and write its lines, top to bottom."""
    page = out.add_worksheet(sheet.name)
    _lay_out(page, sheet, edges=edges)
    page.set_row(0, HEADER_HEIGHT)
    for column, cell in enumerate(sheet.cells):
        page.write_string(0, column, cell.heading, formats["head"])
    height = sheet.lines.height
    if height == 0:
        page.write_string(1, 0, sheet.nothing, formats["text"])
        return
    sources = [sheet.lines[c.source].to_list() if c.source else None for c in sheet.cells]
    tones = [sheet.lines[f"{c.source}{TONE}"].to_list() if f"{c.source}{TONE}" in sheet.lines.columns else None for c in sheet.cells]
    widths = [cell.width for cell in sheet.cells]
    for row in range(height):
        texts = [(values[row] if values else "")[:LONGEST] for values in sources]
        page.set_row(row + 1, row_height(texts, widths))
        for column, text in enumerate(texts):
            found = tones[column]
            tone = ("" if sources[column] else "answer") if found is None else found[row] or ""
            (page.write_string if text else page.write_blank)(row + 1, column, text, formats[tone])


def _lay_out(page: Any, sheet: Sheet, *, edges: tuple[str, str]) -> None:
    """Frozen heads and identity, filters, drop-downs, and how it prints: A4 landscape, one page wide, head on each page."""
    last = max(sheet.lines.height, 1)
    page.freeze_panes(1, sheet.frozen)
    page.autofilter(0, 0, last, len(sheet.cells) - 1)
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{LAST_ROW + 1}"})
    for column, cell in enumerate(sheet.cells):
        page.set_column(column, column, cell.width)
        if cell.choices:
            page.data_validation(1, column, last, column, {"validate": "list", "source": list(cell.choices)})
            page.set_selection(1, column, 1, column)
    _print_set_up(page, sheet.name, edges)
    page.repeat_rows(0)


def _print_set_up(page: Any, name: str, edges: tuple[str, str]) -> None:
    """A4 landscape, fitted to one page's width, with the night and the page number on every page."""
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    night, pages = edges
    page.set_header("&L&9 " + f"{night} · {name}".replace("&", "&&"))  # the blank keeps the size apart from the night's digits
    page.set_footer(f"&C&9 {pages}")


def _write_guide(out: Any, formats: dict[str, Any], first: Sequence[tuple[str, str, str]], *, edges: tuple[str, str]) -> None:
    """The first sheet: what this is, as of when, what is missing, and how to work with it."""
    name = first[0][0]
    page = out.add_worksheet(name)
    page.hide_gridlines(2)
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 110)
    _print_set_up(page, name, edges)
    page.set_row(0, 28)
    page.write_string(0, 0, first[0][1], formats["title"])
    for row, (label, text, tone) in enumerate(first[1:], start=1):
        page.set_row(row, row_height([label, text], [24, 110]))
        page.write_string(row, 0, label, formats["label"])
        page.write_string(row, 1, text[:LONGEST], formats[tone or "text"])


def row_height(texts: Sequence[str], widths: Sequence[int]) -> int:
    """Points a row needs for its longest wrapped cell, for no program computes it again when printing."""
    most = 1
    for text, width in zip(texts, widths, strict=True):
        if len(text) * 2 > width or "\n" in text:
            most = max(most, sum(-(-max(display_width(line), 1) // width) for line in text.split("\n")))
    return min(most * LINE_HEIGHT + 3, TALLEST)


def _fixed(as_of: date) -> datetime:
    """A creation time that follows from the night alone, so that equal nights give equal bytes."""
    return datetime(as_of.year, as_of.month, as_of.day)  # noqa: DTZ001 - a label, not a time
