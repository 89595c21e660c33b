"""What stands on each line of the review workbook: the night's results as text, in the order an officer works.

Nothing clear of a person passes this module: names and IDs are masked where they come in. Every function works on whole
columns; Python sees distinct values only.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from verify.labels import fact_labels, test_labels
from verify.privacy import mask_id, mask_name
from verify.problems import Problem, UsageError
from verify.rule_files import Report
from verify.rulebook import Rulebook
from verify.speech import category_labels, fill
from verify.workbook_text import filled, per_distinct, swap, text_of

URGENT = 3
TONE = "_tone"  # <column>_tone says how a cell looks beside its word: bad, warn, figure or nothing
FIGURE = "figure"


@dataclass(frozen=True)
class ReviewTables:
    """The results tables as `spec/results.md` has them, `people` (case_id, member_no, name, id, is_applicant), and `margins`: of links
    whose row more than one person is in question for, how far the next one is (see `stages.match_margins`)."""

    cases: pl.DataFrame
    alerts: pl.DataFrame
    links: pl.DataFrame
    refused: pl.DataFrame
    files: pl.DataFrame
    people: pl.DataFrame
    margins: pl.DataFrame


def lines(report: Report, tables: ReviewTables, book: Rulebook) -> pl.DataFrame:
    """The lines of one sheet, worst first: every value the report may show, as it lies in the tables or worked out.

    Lines of any kind but `refused` also hold whatever the case table says of their case.
    """
    maker = {"case": _cases, "alert": _alerts, "lead": _leads, "refused": _refused}[report.lines]
    return maker(tables, book)


def shown(report: Report, frame: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """The report's columns of those lines as text, in order, with their tones.

    Raises UsageError (E-REPORT-COLUMN) with file and line for a column that shows what is not there.
    """
    entry = book.entry("report", report.report)
    missing = [
        Problem("E-REPORT-COLUMN", entry.where("columns", at, "shows"), {"shows": column.shows})
        for at, column in enumerate(report.columns)
        if column.shows not in frame.columns and f"{column.shows}_low" not in frame.columns
    ]
    if missing:
        raise UsageError(*missing)
    columns = []
    for at, column in enumerate(report.columns):
        text = text_of(frame, column.shows, masked=column.masked, not_known=_word(book, "not_known"))
        columns.append(text.alias(str(at)))
        if column.shows + TONE in frame.columns:
            columns.append(frame[column.shows + TONE].alias(f"{at}{TONE}"))
        elif column.shows not in frame.columns or frame[column.shows].dtype.is_numeric():
            columns.append(pl.repeat(FIGURE, frame.height, eager=True).alias(f"{at}{TONE}"))
    return pl.DataFrame(columns)


# --- the four kinds of lines ------------------------------------------------------------------------------------------


def _cases(tables: ReviewTables, book: Rulebook) -> pl.DataFrame:
    """One line a case: urgent alerts first, then open before settled, then by number of alerts."""
    alerts = tables.alerts.join(_alert_words(book), on="alert", how="left").sort("case_id", "severity", "label", descending=[False, True, False])
    told = alerts.group_by("case_id").agg(
        pl.col("label").unique(maintain_order=True).str.join("\n").alias("alerts"), pl.col("severity").max(), pl.len().alias("alert_count")
    )
    frame = _case_facts(tables, book).join(told, on="case_id", how="left")
    frame = frame.with_columns(
        pl.col("severity", "alert_count").fill_null(0),
        pl.when(pl.col("severity") >= URGENT).then(pl.lit("bad")).alias("alerts" + TONE),
    )
    return frame.sort("severity", "open", "alert_count", "case_id", descending=[True, True, True, False])


def _alerts(tables: ReviewTables, book: Rulebook) -> pl.DataFrame:
    """One line an alert: gravest first."""
    frame = tables.alerts.join(_alert_words(book), on="alert", how="left").join(_case_facts(tables, book), on="case_id", how="left")
    frame = _with_source(_with_member(frame, tables.people), book)
    order = ["case_id", "member_no", "alert", "since", "extract", "file", "row"]
    frame = frame.sort("severity", *order, descending=[True] + [False] * len(order), nulls_last=True)
    grave = pl.col("severity")
    return frame.with_columns(
        alert=pl.col("label"),
        severity=swap(grave.cast(pl.String), {str(n): _word(book, f"severity_{n}") for n in (1, 2, URGENT)}),
        severity_tone=pl.when(grave >= URGENT).then(pl.lit("bad")).when(grave == URGENT - 1).then(pl.lit("warn")),
    )


def _leads(tables: ReviewTables, book: Rulebook) -> pl.DataFrame:
    """One line a record that may be a person's: those in question first, then those with nothing but the name."""
    wanted = (pl.col("status") == "review") | ((pl.col("status") == "rejected") & (pl.col("method") == "name_only"))
    order = ["case_id", "member_no", "extract", "file", "row", "side"]
    frame = tables.links.filter(wanted).with_columns(pl.col("row", "member_no").cast(pl.Int64)).join(_rivals(tables.margins, book), on=order, how="left")
    frame = frame.join(_case_facts(tables, book), on="case_id", how="left")
    frame = _with_source(_with_member(frame, tables.people), book)
    frame = frame.sort("status", *order, descending=[True] + [False] * len(order), nulls_last=True)
    words = {key: word.zh for key, word in book.words.items()}
    frame = frame.with_columns(
        pl.when(pl.col("status") == "review").then(pl.lit("warn")).alias("status" + TONE),
        *(swap(pl.lit(family + "_") + pl.col(family), words, pl.col(family)).alias(family) for family in ("status", "method")),
    )
    methods = [key.removeprefix("method_") for key in words if key.startswith("method_")]
    details = {key.removeprefix("reason_"): text for key, text in words.items() if key.startswith("reason_")}
    told = pl.element().filter(~pl.element().is_in(methods)).replace(details)  # the method stands in its own column
    return frame.with_columns(pl.col("reasons").list.eval(told))


def _rivals(margins: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """Who else each row could speak of, and which of the two fits better by how much, in words (`rival`)."""
    methods = {key.removeprefix("method_"): word.zh for key, word in book.words.items() if key.startswith("method_")}
    listed = pl.concat_str("second_case", pl.lit("/"), pl.col("second_member").cast(pl.String))
    told = margins.with_columns(
        pl.col("row", "member_no").cast(pl.Int64),
        who=listed.fill_null(_word(book, "rival_outside")),
        how=swap(pl.col("second_method"), methods),
        power=((pl.col("ahead").abs() + 500) // 1_000).cast(pl.String),
    )
    rival = pl.when(pl.col("ahead") >= 0).then(filled(_word(book, "rival_behind"))).otherwise(filled(_word(book, "rival_ahead")))
    return told.select("extract", "file", "row", "side", "case_id", "member_no", rival=rival)


def _refused(tables: ReviewTables, book: Rulebook) -> pl.DataFrame:
    """One line a refused row, with the catalogue's sentences for its code."""
    frame = _with_source(tables.refused, book)
    if "column" not in frame.columns:
        frame = frame.with_columns(column=pl.lit(None, pl.String))
    cells = frame.select("code", "column").unique().sort("code", "column", nulls_last=True)
    told = [book.messages.get(code) for code in cells["code"]]
    values = [{"column": column or "", "columns": column or ""} for column in cells["column"]]
    cells = cells.with_columns(
        pl.Series("what", [fill(m.zh.what, v) if m else "" for m, v in zip(told, values, strict=True)], pl.String),
        pl.Series("mend", [fill(m.zh.mend, v) if m else "" for m, v in zip(told, values, strict=True)], pl.String),
    )
    frame = frame.join(cells, on=["code", "column"], how="left", nulls_equal=True)
    return frame.sort("extract", "file", "row", "code", "column", nulls_last=True)


# --- what is said of a case -------------------------------------------------------------------------------------------


def _case_facts(tables: ReviewTables, book: Rulebook) -> pl.DataFrame:
    """The case table with the applicant, the category's label, whether it is open, and the open tests and needs in words."""
    people = _masked(tables.people)
    applicants = people.filter("is_applicant").sort("case_id", "member_no").unique("case_id", keep="first", maintain_order=True)
    frame = tables.cases.join(applicants.select("case_id", applicant="name", applicant_id="id"), on="case_id", how="left")
    frame = frame.join(_open_tests(tables.cases, book), on="case_id", how="left").join(_needs(tables.cases, people, book), on="case_id", how="left")
    still_open = (pl.col("category") == book.decision.unknown.then).fill_null(value=False)
    return (
        frame.drop("open_tests", "needs")
        .rename({"open_words": "open_tests", "need_words": "needs"})
        .with_columns(
            swap(pl.col("category"), category_labels(book)).alias("category"),
            still_open.alias("open"),
            pl.when(still_open).then(pl.lit("warn")).alias("category" + TONE),
        )
    )


def _open_tests(cases: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """Per case the open tests in words, a line a category: 低保：月人均收入低于保障标准、家庭金融资产."""
    categories, tests = category_labels(book), test_labels(book)
    parts = cases.select("case_id", pl.col("open_tests").alias("test")).explode("test").drop_nulls("test")
    parts = parts.with_columns(category=swap(pl.col("test").str.split(".").list.first(), categories), said=swap(pl.col("test"), tests))
    by = parts.group_by("case_id", "category", maintain_order=True).agg(pl.col("said").str.join("、"))
    bare = ~pl.col("category").is_in(list(categories.values()))
    line = pl.when(bare).then("said").otherwise(pl.concat_str("category", pl.lit("："), "said"))
    return by.group_by("case_id", maintain_order=True).agg(line.str.join("\n").alias("open_words"))


def _needs(cases: pl.DataFrame, people: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """Per case a sentence for each department and member to ask: `fact@member_no@extract` in words."""
    parts = cases.select("case_id", pl.col("needs").alias("need")).explode("need").drop_nulls("need")
    split = pl.col("need").str.split_exact("@", 2).struct
    parts = parts.select("case_id", fact=split.field("field_0"), member_no=split.field("field_1").cast(pl.Int64, strict=False), extract=split.field("field_2"))
    parts = parts.with_columns(fact=swap(pl.col("fact"), fact_labels(book))).unique(maintain_order=True)
    by = parts.group_by("case_id", "extract", "member_no", maintain_order=True).agg(facts=pl.col("fact").str.join("、"))
    by = _with_source(_with_member(by, people), book, keep="extract_code").with_columns(
        who=pl.when(pl.col("member_no") > 0).then(filled(_word(book, "need_member"))).otherwise(pl.lit(_word(book, "household")))
    )
    asked = pl.when(pl.col("extract_code").fill_null("") == "").then(filled(_word(book, "need_open"))).otherwise(filled(_word(book, "need_ask")))
    return by.group_by("case_id", maintain_order=True).agg(asked.str.join("\n").alias("need_words"))


def _with_member(frame: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Each line with its member as number and masked name, and the masked ID."""
    number = pl.col("member_no").cast(pl.Int64)
    people = _masked(people).select("case_id", number, "name", member_id="id").unique(["case_id", "member_no"], keep="first", maintain_order=True)
    frame = frame.with_columns(number).join(people, on=["case_id", "member_no"], how="left")
    return frame.with_columns(member=pl.concat_str(number.cast(pl.String), "name", separator=" ", ignore_nulls=True)).drop("name")


def _with_source(frame: pl.DataFrame, book: Rulebook, keep: str = "extract_code") -> pl.DataFrame:
    """Each line with its extract's label and department; the extract's code stays under `keep`."""
    if "extract" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("extract"), pl.lit(None, pl.String).alias("file"), pl.lit(None, pl.Int64).alias("row"))
    labels = {e.extract: e.label for e in book.extracts.values()}
    departments = {e.extract: e.department for e in book.extracts.values()}
    code = pl.col("extract")
    return frame.with_columns(code.alias(keep), swap(code, departments).alias("department"), swap(code, labels).alias("extract"))


def _masked(people: pl.DataFrame) -> pl.DataFrame:
    """The people with nothing clear left of name and ID."""
    return people.with_columns(per_distinct(people["name"], mask_name), per_distinct(people["id"], mask_id)).sort("case_id", "member_no", "name", "id")


def _alert_words(book: Rulebook) -> pl.DataFrame:
    """Label, severity and question of every alert."""
    rows = [(a.alert, a.label, a.severity, a.ask, "；".join(a.law)) for a in book.alerts]
    return pl.DataFrame(rows, schema={"alert": pl.String, "label": pl.String, "severity": pl.Int64, "ask": pl.String, "law": pl.String}, orient="row")


def _word(book: Rulebook, key: str) -> str:
    """A word of the catalogue; the key itself where a rule book has none."""
    return book.words[key].zh if key in book.words else key
