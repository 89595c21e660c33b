"""The first sheet of the review workbook: what this is, as of when, what is missing, and how to work with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.rule_files import Word
from verify.rulebook import Rulebook
from verify.speech import category_labels, fill
from verify.workbook_lines import ReviewTables


@dataclass(frozen=True, slots=True)
class Guide:
    """What the sheet says of the night itself."""

    night: str
    as_of: date
    incomplete: bool


def guide_lines(tables: ReviewTables, book: Rulebook, guide: Guide) -> list[tuple[str, str, str]]:
    """Label, text and tone of each line; the first line is the sheet's name and its title."""
    words = book.words
    state = words["incomplete" if guide.incomplete else "complete"]
    lines = [(words["guide_sheet"].zh, f"{words['guide_title'].zh}  {words['guide_title'].en}", "")]
    lines += [(_both(words["guide_as_of"]), guide.as_of.isoformat(), ""), (_both(words["guide_night"]), guide.night, "")]
    lines += [(_both(words["guide_state"]), _both(state), "warn" if guide.incomplete else "")]
    lines += [("", "", ""), *_sources(tables, book), ("", "", "")]
    lines += [(_both(words["guide_categories"]), _tally(tables.cases, "category", category_labels(book)), "")]
    lines += [(_both(words["guide_alerts"]), _tally(tables.alerts, "alert", {a.alert: a.label for a in book.alerts}) or words["no_lines"].zh, "")]
    lines += [("", "", "")]
    return lines + [(_both(words["guide_use"]) if at == 0 else "", text, "") for at, text in enumerate(_how_to_use(book))]


def _sources(tables: ReviewTables, book: Rulebook) -> Iterator[tuple[str, str, str]]:
    """Which extracts brought nothing tonight, and how many rows were refused of which."""
    files = tables.files.sort("extract", "file", nulls_last=True)
    extracts = book.extracts
    missing = files.filter(pl.col("state").is_in(["late", "refused"]))["extract"].unique(maintain_order=True).to_list()
    told = "、".join(f"{extracts[x].label}（{extracts[x].department}）" if x in extracts else str(x) for x in missing)
    yield _both(book.words["guide_late"]), told or book.words["no_lines"].zh, "warn" if missing else ""
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
