"""The referee: holds a night's results against the truth that lies beside a made-up drop.

A `grey` case has a row that is beyond recovery: nobody can be asked to get it right, so it is left out where said.
`ideal` is what follows from the reference rules when every recoverable row is found and nothing else is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tests.tables import table

RANK = {"none": 0, "rigid": 1, "margin": 2, "dibao": 3, "tekun": 4}
FACTS = ("monthly_income", "financial", "vehicles", "dwellings", "premises", "companies", "medical")
OF_THE_CASE = ("undeclared_minor_child", "declared_below_verified", "late_source")
OWN_FILES = ("mz_shenqing", "mz_chengyuan")
READ_FREELY = (*OWN_FILES, "ga_huji", "mz_huohua", "ga_jiguan")
ROW = ["extract", "file", "row", "side"]
A_CENT = 0.011  # the truth is kept in floats of yuan; the results are exact


@dataclass(frozen=True)
class Night:
    """The results of a night and the truth of its drop, as frames."""

    cases: pl.DataFrame
    links: pl.DataFrame
    alerts: pl.DataFrame
    refused: pl.DataFrame
    files: pl.DataFrame
    tests: pl.DataFrame
    true_cases: pl.DataFrame
    owners: pl.DataFrame
    members: pl.DataFrame
    true_alerts: pl.DataFrame
    true_files: pl.DataFrame
    true_tests: pl.DataFrame
    late: list[str]


def load(results: Path, truth: Path) -> Night:
    """Read both sides; amounts as floats of yuan, as the truth keeps them."""
    said = {name: _read(results / f"{name}.parquet") for name in ("cases", "links", "alerts", "refused", "files", "tests")}
    is_so = {name: _read(truth / f"{name}.parquet") for name in ("cases", "owners", "members", "alerts", "files", "tests")}
    late = {entry.split(":")[0] for entry in json.loads((truth / "args.json").read_text())["late"]}
    late |= set(is_so["files"].filter(pl.col("state") == "late")["extract"])
    return Night(
        **said,
        true_cases=is_so["cases"],
        owners=is_so["owners"],
        members=is_so["members"],
        true_alerts=is_so["alerts"],
        true_files=is_so["files"],
        true_tests=is_so["tests"],
        late=sorted(late),
    )


def _read(path: Path) -> pl.DataFrame:
    frame = table(path).with_columns(pl.col(pl.Categorical).cast(pl.String))
    return frame.with_columns(pl.col(c).cast(pl.Float64) for c, t in frame.schema.items() if t.is_decimal())


def judged(night: Night) -> pl.DataFrame:
    """Every true case with what was said of it, and both categories as ranks (cannot_tell has none)."""
    both = night.true_cases.join(night.cases, on="case_id", how="left", suffix="_said")
    return both.with_columns(
        pl.col(column).replace_strict(RANK, default=None, return_dtype=pl.Int32).alias(name)
        for name, column in (("said", "category"), ("true", "true_category"), ("ideal", "ideal_category"))
    )


def wrongful_denials(night: Night) -> list[str]:
    """Clear cases that got less than they are due."""
    less = (pl.col("said") < pl.col("true")).fill_null(False) | (pl.col("said") < pl.col("ideal")).fill_null(False)
    return judged(night).filter(less & ~pl.col("grey"))["case_id"].to_list()


def wrongful_grants(night: Night) -> list[str]:
    """Clear cases that got more than they are due."""
    more = (pl.col("said") > pl.col("true")).fill_null(False) | (pl.col("said") > pl.col("ideal")).fill_null(False)
    return judged(night).filter(more & ~pl.col("grey"))["case_id"].to_list()


def agreement(night: Night) -> float:
    """The share of clear cases whose category is the ideal one."""
    clear = judged(night).filter(~pl.col("grey"))
    return (clear["category"] == clear["ideal_category"]).sum() / clear.height


def settled_too_soon(night: Night) -> list[str]:
    """Cases that were settled where the ideal is open."""
    settled = (pl.col("category") != "cannot_tell") & (pl.col("ideal_category") == "cannot_tell")
    return judged(night).filter(settled)["case_id"].to_list()


@dataclass(frozen=True)
class Width:
    """How one fact's intervals compare with the truth and with the ideal."""

    unsound: list[str]
    same: float
    unbounded_too_often: list[str]
    over_ideal: float


def width(night: Night, fact: str) -> Width:
    """Compare one fact over all cases. Unsound: the truth lies outside (clear cases)."""
    no_bound = float("inf")
    high = pl.when(pl.col(f"{fact}_bounded")).then(pl.col(f"{fact}_high").cast(pl.Float64)).fill_null(no_bound)
    k = judged(night).select(
        "case_id",
        "grey",
        t=pl.col(f"true_{fact}"),
        low=pl.col(f"{fact}_low").cast(pl.Float64),
        high=high,
        ideal_low=pl.col(f"ideal_{fact}_low"),
        ideal_high=pl.col(f"ideal_{fact}_high").fill_null(no_bound),
    )
    sound = (pl.col("low") <= pl.col("t") + A_CENT) & (pl.col("high") >= pl.col("t") - A_CENT)
    ends = ((pl.col("high") - pl.col("ideal_high")).abs() <= A_CENT) | ((pl.col("high") == no_bound) & (pl.col("ideal_high") == no_bound))
    same = ((pl.col("low") - pl.col("ideal_low")).abs() <= A_CENT) & ends
    wide = k.filter((pl.col("high") < no_bound) & (pl.col("ideal_high") < no_bound) & (pl.col("ideal_high") > pl.col("ideal_low")))
    over = ((wide["high"] - wide["low"]) / (wide["ideal_high"] - wide["ideal_low"])).mean() if wide.height else 1.0
    return Width(
        unsound=k.filter(~sound & ~pl.col("grey"))["case_id"].to_list(),
        same=k.filter(same).height / night.true_cases.height,
        unbounded_too_often=k.filter((pl.col("high") == no_bound) & (pl.col("ideal_high") < no_bound))["case_id"].to_list(),
        over_ideal=float(over),  # type: ignore[arg-type]
    )


def verdicts_off(night: Night) -> list[tuple[str, str, str]]:
    """Tests of clear cases, in cases that are settled as the ideal is, whose verdict or limit is not the ideal's."""
    both = night.true_tests.join(night.tests, on=["case_id", "category", "test"], how="left", suffix="_said")
    alike = judged(night).filter(~pl.col("grey") & (pl.col("category") == pl.col("ideal_category"))).select("case_id")
    limit = (pl.col("limit") - pl.col("limit_said")).abs() > A_CENT
    off = both.join(alike, on="case_id").filter((pl.col("verdict") != pl.col("verdict_said")).fill_null(True) | limit.fill_null(True))
    return off.select("case_id", "category", "test").rows()


def due_links(night: Night) -> pl.DataFrame:
    """Every recoverable row of an authorised member who counts, and the status it got (null: no link at all)."""
    counted = night.members.filter((pl.col("role") == "共同生活成员") & pl.col("counts") & pl.col("authorised"))
    own = pl.col("extract").is_in(OWN_FILES) | pl.col("extract").is_in(night.late)
    due = night.owners.filter((pl.col("status") == "ok") & pl.col("recoverable") & pl.col("pid").is_not_null() & ~own).drop("case_id", "member_no")
    got = night.links.select(*ROW, "case_id", "member_no", said="status").unique([*ROW, "case_id", "member_no"])
    keyed = due.join(counted.select("pid", "case_id", pl.col("member_no").cast(pl.Int32)), on="pid")
    return keyed.join(got.with_columns(pl.col("member_no").cast(pl.Int32)), on=[*ROW, "case_id", "member_no"], how="left")


def false_accepts(night: Night) -> pl.DataFrame:
    """Accepted links whose row is another person's, nobody's, or was never kept."""
    mine = night.members.select("case_id", pl.col("member_no").cast(pl.Int32), mine="pid")
    accepted = night.links.filter(pl.col("status") == "accepted").with_columns(pl.col("member_no").cast(pl.Int32))
    known = accepted.join(mine, on=["case_id", "member_no"], how="left").join(night.owners.select(*ROW, "pid", row_status="status"), on=ROW, how="left")
    lost = pl.col("row_status").is_in(["refused", "duplicate", "superseded", "delete"])
    return known.filter(pl.col("row_status").is_null() | ~pl.col("pid").eq_missing(pl.col("mine")) | lost)


def unauthorised_reads(night: Night) -> pl.DataFrame:
    """Links of people without a valid authorisation, from extracts that may not be read without one."""
    without = night.members.filter(~pl.col("authorised")).select("case_id", pl.col("member_no").cast(pl.Int32))
    used = night.links.filter((pl.col("status") != "rejected") & ~pl.col("extract").is_in(READ_FREELY))
    return used.with_columns(pl.col("member_no").cast(pl.Int32)).join(without, on=["case_id", "member_no"])


def review_share(night: Night) -> float:
    """The share of the rows that touch a case which an officer is asked to look at."""
    rows = night.links.group_by(ROW).agg(grey=(pl.col("status") == "review").any())
    return rows["grey"].sum() / rows.height


def alert_scores(night: Night) -> tuple[float, float]:
    """Precision and recall over all alerts; an optional alert is neither missed nor wrong."""
    must = _alert_keys(night.true_alerts.filter((pl.col("mode") == "ideal") & ~pl.col("optional")))
    may, said = _alert_keys(night.true_alerts), _alert_keys(night.alerts)
    right = len(must & said)
    return right / (right + len(said - must - may)), right / len(must)


def _alert_keys(alerts: pl.DataFrame) -> set[tuple[str, str, int]]:
    number = pl.when(pl.col("alert").is_in(OF_THE_CASE)).then(0).otherwise(pl.col("member_no").cast(pl.Int32).fill_null(0))
    return set(alerts.select("case_id", "alert", number.cast(pl.Int32).alias("n")).iter_rows())


def files_off(night: Night) -> list[str]:
    """Files whose row accounting or state differs from the truth."""
    both = night.true_files.join(night.files, on=["extract", "file"], how="left", suffix="_said", nulls_equal=True)
    late = (pl.col("state") == "late") & (pl.col("state_said").is_null() | pl.col("state_said").is_in(["late", "refused"]))
    counts = [pl.col(c).cast(pl.Int64).eq_missing(pl.col(f"{c}_said")) for c in ("received", "kept", "refused", "duplicate")]
    right = late | ((pl.col("state") == pl.col("state_said")) & (pl.all_horizontal(counts) | (pl.col("state") != "loaded")))
    return both.filter(~right.fill_null(False))["file"].to_list()


def refused_off(night: Night) -> set[tuple[str, str, int]]:
    """Rows refused that should be kept, or kept that should be refused, in the files loaded tonight."""
    loaded = pl.col("file").is_in(night.true_files.filter(pl.col("state") == "loaded")["file"].to_list())
    row = ["extract", "file", pl.col("row").cast(pl.Int64)]
    due = set(night.owners.filter((pl.col("status") == "refused") & loaded).select(row).unique().iter_rows())
    return due ^ set(night.refused.filter(loaded).select(row).unique().iter_rows())
