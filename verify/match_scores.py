"""A published night's links against the truth: precision, recall and calibration; by department, kind of noise and group of names.

For made-up counties (`hedui county make`) and for samples that people have judged by hand. The truth is one Parquet file, one
line a row and side: extract, file, row, side, case_id, member_no (NULL: nobody of the roster), and where they are known
recoverable, trap (what was done to the row) and group. People are told apart by the night's own person_id, so that somebody
in two cases is one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from verify.labels import extract_label
from verify.layout import Block
from verify.manifest import RESULTS, TABLES, Published
from verify.nights import newest_night
from verify.problems import Problem, UsageError
from verify.settings import Home
from verify.speech import Speech
from verify.store import read_frame
from verify.store_files import is_plain

KEY = ("extract", "file", "row", "side")
WHOSE = ("case_id", "member_no")
SCORE_BANDS = (0, 5_000, 10_000, 15_000)
TWICE, FEW = 2, 20  # a group of names with twice the errors of the rest, and enough rows to say so


@dataclass(frozen=True, slots=True)
class Counted:
    """One line: what is counted, its rows, how many are accepted rightly and wrongly, left to review, and missed."""

    what: str
    rows: int
    right: int
    wrong: int
    review: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Of the accepted, the share that is right; None where nothing was accepted."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def errors(self) -> int:
        """Recoverable rows that are not accepted, and rows that are accepted wrongly."""
        return self.rows - self.right + self.wrong

    @property
    def recall(self) -> float | None:
        """Of the recoverable, the share that is accepted."""
        return self.right / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class Scores:
    """The whole night, and the same by extract, by kind of noise, by group of names, by band of score; and what must be said of groups."""

    night: str
    whole: Counted
    by: dict[str, list[Counted]]
    unfair: tuple[str, ...]


def evaluate(home: Home, truth: Path) -> Scores:
    """Hold the newest night's links against the truth. Raises UsageError (E-NO-NIGHT, E-NO-FILE, E-MATCH-TRUTH)."""
    night = newest_night(home)
    compared = _compared(night, _truth(truth))
    by = {name: _each(compared, name) for name in ("extract", "trap", "group", "band")}
    return Scores(night.manifest.night, _count("", compared), by, _unfair(by["group"]))


def _truth(path: Path) -> pl.DataFrame:
    """The truth with the columns used. Raises UsageError."""
    if not path.is_file():
        raise UsageError(Problem("E-NO-FILE", str(path), {"why": os.strerror(errno.ENOENT)}))
    try:
        frame = pl.read_parquet(path) if is_plain(path) else pl.DataFrame()
    except (OSError, pl.exceptions.PolarsError):
        frame = pl.DataFrame()
    lacking = [name for name in (*KEY, *WHOSE) if name not in frame.columns]
    if lacking:
        raise UsageError(Problem("E-MATCH-TRUTH", str(path), {"lacking": ", ".join(lacking)}))
    if "status" in frame.columns:
        frame = frame.filter(pl.col("status").cast(pl.String) == "ok")
    optional = {"recoverable": pl.lit(value=True), "trap": pl.lit(""), "group": pl.lit(None, dtype=pl.String)}
    given = [pl.col(name) if name in frame.columns else value.alias(name) for name, value in optional.items()]
    texts = [pl.col(name).cast(pl.String) for name in ("extract", "file", "side", "case_id")]
    return frame.select(*texts, pl.col("row").cast(pl.Int64), pl.col("member_no").cast(pl.Int64), *given).with_columns(pl.col("trap").cast(pl.String))


def _compared(night: Published, truth: pl.DataFrame) -> pl.DataFrame:
    """One line for each true link and each link of the night: status, score, whether it is true and recoverable, and its groups."""
    best = pl.col("status").replace_strict({"accepted": 0, "review": 1}, default=2)
    links = read_frame(night.folder / RESULTS / "links.parquet").with_columns(pl.col("row").cast(pl.Int64)).sort(best, "case_id", "member_no")
    links = links.unique([*KEY, "person_id"], keep="first", maintain_order=True)  # of a person in two cases there is a link for each
    persons = read_frame(night.folder / TABLES / "persons.parquet").with_columns(pl.col("member_no").cast(pl.Int64))
    persons = persons.with_columns(pl.col("authorised").any().over("person_id"))
    freely = links.join(persons.filter(~pl.col("authorised")), on="person_id", how="semi")["extract"].unique()  # may be read of everybody
    members = persons.filter("is_member")  # of obligors only the number is used: nobody looks for their rows
    true = truth.drop_nulls(WHOSE).join(members.select(*WHOSE, "person_id", "authorised"), on=WHOSE, how="inner")
    true = true.filter(pl.col("extract").is_in(links["extract"].unique().implode()), pl.col("authorised") | pl.col("extract").is_in(freely.implode()))
    true = true.unique([*KEY, "person_id"], maintain_order=True)
    told = truth.group_by(KEY).agg(pl.col("trap").max(), pl.col("group").max())
    said = links.select(*KEY, "person_id", "status", "score")
    said = said.join(true.select(*KEY, "person_id", "recoverable"), on=[*KEY, "person_id"], how="full", coalesce=True)
    said = said.with_columns(true=pl.col("recoverable").is_not_null(), recoverable=pl.col("recoverable").fill_null(value=False))
    names = persons.sort(WHOSE).unique("person_id", keep="first", maintain_order=True).select("person_id", "name")
    said = said.join(told, on=list(KEY), how="left").join(names, on="person_id", how="left")
    band = sum((pl.col("score") >= least).cast(pl.Int32) for least in SCORE_BANDS)
    return said.with_columns(
        group=pl.coalesce("group", _group(pl.col("name"))),
        band=pl.when(pl.col("score").is_not_null()).then(band).cast(pl.String).fill_null("—"),
        trap=pl.col("trap").fill_null(""),
    )


def _group(name: pl.Expr) -> pl.Expr:
    """The group a name belongs to by its form alone: of parts, of four characters and more, Latin, or as most are."""
    dots = name.str.contains("[·•・．.‧]")
    form = pl.when(dots).then(pl.lit("dotted")).when(name.str.contains("^[A-Za-z ]+$")).then(pl.lit("latin"))
    return form.when(name.str.len_chars() > 3).then(pl.lit("long")).otherwise(pl.lit("usual"))


def _each(compared: pl.DataFrame, column: str) -> list[Counted]:
    return [_count(str(name), part) for (name,), part in sorted(compared.group_by(column), key=lambda one: str(one[0][0]))]


def _count(what: str, part: pl.DataFrame) -> Counted:
    wanted, accepted = part["true"] & part["recoverable"], (part["status"] == "accepted").fill_null(value=False)
    review = (part["status"] == "review").fill_null(value=False)
    right = int((accepted & wanted).sum())
    return Counted(
        what,
        int(wanted.sum()),
        right,
        int((accepted & ~part["true"]).sum()),
        int((review & wanted).sum()),
        int(wanted.sum()) - right - int((review & wanted).sum()),
    )


def _unfair(groups: Sequence[Counted]) -> tuple[str, ...]:
    """The groups that miss or mistake at least twice as often as all the others together."""
    found = []
    for one in groups:
        others = [other for other in groups if other is not one]
        rows, wrong = (sum(counts) for counts in zip(*((other.rows, other.errors) for other in others), strict=True)) if others else (0, 0)
        if one.rows >= FEW and rows >= FEW and one.errors * rows > TWICE * (wrong + 1) * one.rows:  # one more, so that a clean few accuse nobody
            found.append(one.what)
    return tuple(found)


# --- in words ---------------------------------------------------------------------------------------------------------


def score_blocks(scores: Scores, voice: Speech) -> list[Block]:
    """The whole, then a table for each division."""
    head = ("", *(voice.word(key) for key in ("match_rows", "match_precision", "match_recall", "match_wrong", "match_review", "match_missed")))
    right = frozenset(range(1, 7))
    lines = tuple(voice.word("match_unfair", group=voice.named("match", f"group_{name}")) for name in scores.unfair)
    blocks = [Block(voice.word("match_scores", night=scores.night), lines, head, (_line(scores.whole, voice.word("match_all")),), right)]
    for division, counted in scores.by.items():
        rows = tuple(_line(one, _called(division, one.what, voice)) for one in counted)
        blocks.append(Block(voice.named("match", f"by_{division}"), (), head, rows, right))
    return blocks


def _called(division: str, what: str, voice: Speech) -> str:
    if division == "extract":
        return extract_label(voice, what)
    if division == "group":
        return voice.named("match", f"group_{what}")
    if division == "band" and what.isdigit():
        edges = [0, *(edge // 1_000 for edge in SCORE_BANDS)]
        return f"≥ {edges[int(what)]}" if int(what) else f"< {edges[1]}"
    return what or "—"


def _line(one: Counted, name: str) -> tuple[str, ...]:
    shares = tuple("—" if share is None else f"{share:.5f}" for share in (one.precision, one.recall))
    return (name, f"{one.rows:,}", *shares, f"{one.wrong:,}", f"{one.review:,}", f"{one.missed:,}")


def score_json(scores: Scores) -> dict[str, Any]:
    """The same for programs."""

    def plain(one: Counted) -> dict[str, Any]:
        told = {"what": one.what, "rows": one.rows, "right": one.right, "wrong": one.wrong, "review": one.review, "missed": one.missed}
        return {**told, "precision": one.precision, "recall": one.recall}

    by = {name: [plain(one) for one in lines] for name, lines in scores.by.items()}
    return {"night": scores.night, "all": plain(scores.whole), "unfair": list(scores.unfair), "by": by}
