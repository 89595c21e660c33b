"""The first sheet of the review workbook: what this is, as of when, what is missing, and how to work with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.rule_files import Word
from verify.rulebook import Rulebook
from verify.speech import category_labels, fill
from verify.workbook_lines import ReviewTables


@dataclass(frozen=True, slots=True)
class Guide:
    """What sheet and page say of the night itself; `late` are the extracts that count as unknown tonight."""

    night: str
    as_of: date
    incomplete: bool
    late: tuple[str, ...] = ()


def guide_lines(tables: ReviewTables, book: Rulebook, guide: Guide) -> list[tuple[str, str, str]]:
    """Label, text and tone of each line; the first line is the sheet's name and its title."""
    words = book.words
    state = words["incomplete" if guide.incomplete else "complete"]
    lines = [(words["guide_sheet"].zh, f"{words['guide_title'].zh}  {words['guide_title'].en}", "")]
    lines += [(_both(words["guide_as_of"]), guide.as_of.isoformat(), ""), (_both(words["guide_night"]), guide.night, "")]
    lines += [(_both(words["guide_state"]), _both(state), "warn" if guide.incomplete else "")]
    lines += [("", "", ""), *_missing(tables, book, guide), *_rows(tables, book), ("", "", "")]
    lines += [(_both(words["guide_categories"]), _tally(tables.cases, "category", category_labels(book)), "")]
    lines += [(_both(words["guide_alerts"]), _tally(tables.alerts, "alert", {a.alert: a.label for a in book.alerts}) or words["no_lines"].zh, "")]
    lines += [("", "", "")]
    return lines + [(_both(words["guide_use"]) if at == 0 else "", text, "") for at, text in enumerate(_how_to_use(book))]


def waiting(cases: pl.DataFrame, late: Collection[str], book: Rulebook) -> tuple[int, int]:
    """How many undecided cases could be settled by a late extract, and how many of those by late extracts alone."""
    asked = asked_of(cases, book).group_by("case_id").agg(pl.col("extract").is_in(sorted(late)).alias("late"))
    some, only = (asked.filter(which).height for which in (pl.col("late").list.any(), pl.col("late").list.all()))
    return some, only


def asked_of(cases: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """For each undecided case the extracts that could settle it (`case_id`, `extract`; '' where only the family can)."""
    undecided = cases.filter(pl.col("category") == book.decision.unknown.then)
    parts = undecided.select("case_id", pl.col("needs").cast(pl.List(pl.String)).alias("need")).explode("need").drop_nulls("need")
    return parts.select("case_id", extract=pl.col("need").str.split("@").list.get(2, null_on_oob=True).fill_null(""))


def _missing(tables: ReviewTables, book: Rulebook, guide: Guide) -> Iterator[tuple[str, str, str]]:
    """Which extracts brought nothing that could be used tonight, from whom, and how many cases wait for them."""
    lost = tables.files.filter(pl.col("state").is_in(["late", "refused"])).sort("extract", "state", nulls_last=True)
    states = dict(lost.select("extract", "state").rows()) | {name: "gap" for name in guide.late if name not in set(lost["extract"])}
    told = "、".join(f"{_source(name, book)} {book.words[f'source_{state}'].zh}" for name, state in states.items())
    yield _both(book.words["guide_late"]), told or book.words["no_lines"].zh, "warn" if told else ""
    if guide.late:
        some, only = waiting(tables.cases, guide.late, book)
        told = fill(_both(book.words["guide_waiting_told"]), {"cases": f"{some:,}", "only": f"{only:,}"})
        yield _both(book.words["guide_waiting"]), told, "warn" if some else ""


def _source(name: str | None, book: Rulebook) -> str:
    """An extract's label and department, or how it was called where nobody knows it."""
    extract = book.extracts.get(name or "")
    return f"{extract.label}（{extract.department}）" if extract else name or book.words["page_unlisted"].zh


def _rows(tables: ReviewTables, book: Rulebook) -> Iterator[tuple[str, str, str]]:
    """How many rows were refused of which extract, and that all rows are accounted for."""
    files, extracts = tables.files.sort("extract", "file", nulls_last=True), book.extracts
    refused = files.group_by("extract", maintain_order=True).agg(pl.col("refused").sum()).filter(pl.col("refused") > 0)
    told = "、".join(f"{extracts[x].label if x in extracts else x} {n:,}" for x, n in refused.select("extract", "refused").rows())
    yield _both(book.words["guide_refused"]), told or book.words["no_lines"].zh, ""
    received, kept, turned_away, twice = (files[name].fill_null(0).sum() for name in ("received", "kept", "refused", "duplicate"))
    values = {"received": f"{received:,}", "kept": f"{kept:,}", "refused": f"{turned_away:,}", "duplicate": f"{twice:,}"}
    yield _both(book.words["guide_rows"]), fill(book.words["guide_rows_told"].zh, values), ""


def _tally(frame: pl.DataFrame, column: str, labels: dict[str, str]) -> str:
    """How many lines each value has, in the labels' order: 特困 4、低保 69."""
    counts = dict(frame.group_by(column).len().sort(column).rows())
    order = [name for name in labels if name in counts] + [name for name in counts if name not in labels]
    return "、".join(f"{labels.get(name, name)} {counts[name]:,}" for name in order)


def _how_to_use(book: Rulebook) -> list[str]:
    """The advice of the catalogue, `advice_1` onwards, each in both languages."""
    return [_both(book.words[key]) for key in sorted(book.words) if key.startswith("advice_")]


def _both(word: Word) -> str:
    """Chinese with English beside it."""
    return f"{word.zh}\n{word.en}" if len(word.zh) > 12 else f"{word.zh} {word.en}"
