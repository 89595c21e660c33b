"""The golden night (`fixtures/golden/`): its drop, its results byte for byte, and every family judged by what was written of it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fixtures.golden.families import Family, Row, families, rows_of
from fixtures.golden.layouts import layouts
from fixtures.golden.make import DROP, EXPECTED, drop
from fixtures.golden.results import night, tables

FIGURES = {name: name for name in ("members", "financial", "vehicles", "dwellings", "premises", "companies", "medical")} | {"income": "monthly_income"}
OF_THE_CASE = {"undeclared_minor_child", "declared_below_verified", "late_source"}
OWN_FILES = {"mz_shenqing", "mz_chengyuan"}
ANY = "any"

Place = tuple[str, int, str]  # extract, row, side


@dataclass(frozen=True)
class Night:
    """What the night said: cases by number, alerts, links by row, refused rows, rows of evidence, files, cases that have tests."""

    cases: dict[str, dict[str, Any]]
    alerts: set[tuple[str, str, int]]
    links: dict[Place, dict[tuple[str, int], str]]
    refused: set[tuple[str, int]]
    evidence: set[tuple[str, int]]
    files: list[dict[str, Any]]
    tested: set[str]


def test_the_readme_says_who_every_family_is() -> None:
    told = (DROP.parents[1] / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in told if line[:5].strip("| ").isdigit()] == [family.line for family in families()]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return night(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def said(results: Path) -> Night:
    read = {path.stem: pl.read_parquet(path) for path in results.glob("*.parquet")}
    links: dict[Place, dict[tuple[str, int], str]] = {}
    for extract, row, side, case, member, status in read["links"].select("extract", "row", "side", "case_id", "member_no", "status").iter_rows():
        links.setdefault((extract, row, side), {})[case, member] = status
    return Night(
        cases={case["case_id"]: case for case in read["cases"].iter_rows(named=True)},
        alerts=set(read["alerts"].select("case_id", "alert", "member_no").iter_rows()),
        links=links,
        refused=set(read["refused"].select("extract", "row").iter_rows()),
        evidence=set(read["evidence"].select("extract", "row").iter_rows()),
        files=read["files"].to_dicts(),
        tested=set(read["tests"]["case_id"]),
    )


@pytest.fixture(scope="module")
def as_text(results: Path) -> dict[str, bytes]:
    """Every table of the night as text."""
    return tables(results)


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_the_drop_is_what_the_families_make() -> None:
    assert {path.name: path.read_bytes() for path in DROP.iterdir()} == drop()


@pytest.mark.parametrize("table", sorted(path.name for path in EXPECTED.iterdir()))
def test_the_night_says_what_was_accepted(table: str, as_text: Mapping[str, bytes]) -> None:
    """After a change that is meant: `python -m fixtures.golden.make --accept`, and read the diff."""
    said, accepted = as_text[table], (EXPECTED / table).read_bytes()
    assert sorted({*said.split(b"\n")} ^ {*accepted.split(b"\n")}) == []  # first, so that a failure shows the lines and not the file
    assert said == accepted


def test_no_table_is_missing_or_new(as_text: Mapping[str, bytes]) -> None:
    assert set(as_text) == {path.name for path in EXPECTED.iterdir()}


# --- what was written by hand -----------------------------------------------------------------------------------------


def judged(check: str) -> list[Any]:
    """Every family, for one check; a disagreement that is on record must be seen."""
    found = []
    for family in families():
        known = family.said.get("disagreement", {}).get(check)
        marks = [pytest.mark.xfail(reason=known, strict=True)] if known else []
        found.append(pytest.param(family, id=f"{family.case} {family.said['english']}", marks=marks))
    return found


@pytest.mark.parametrize("family", judged("category"))
def test_category(family: Family, said: Night) -> None:
    assert said.cases[family.case]["category"] == family.said["expect"]["category"]


@pytest.mark.parametrize("family", judged("figures"))
def test_figures(family: Family, said: Night) -> None:
    case, wanted = said.cases[family.case], family.said["expect"]
    found = {name: (case[f"{of}_low"], case[f"{of}_high"] if case[f"{of}_bounded"] else None) for name, of in FIGURES.items()}
    assert found == {name: found[name] if wanted.get(name) == ANY else bounds(wanted.get(name, "0")) for name in FIGURES}


def bounds(written: str | list[str]) -> tuple[Decimal, Decimal | None]:
    low, high = (written, written) if isinstance(written, str) else written
    return Decimal(low), None if high == "∞" else Decimal(high)


@pytest.mark.parametrize("family", judged("open"))
def test_open_tests(family: Family, said: Night) -> None:
    if family.said["expect"].get("open") != ANY:
        assert set(said.cases[family.case]["open_tests"]) == family.open_tests


@pytest.mark.parametrize("family", judged("needs"))
def test_what_would_settle_it(family: Family, said: Night) -> None:
    wanted = family.said["expect"].get("needs")
    assert wanted is None or set(said.cases[family.case]["needs"]) == set(wanted)


@pytest.mark.parametrize("family", judged("alerts"))
def test_alerts(family: Family, said: Night) -> None:
    found = {f"{alert}@{0 if alert in OF_THE_CASE else member}" for case, alert, member in said.alerts if case == family.case}
    expect = family.said["expect"]
    due, may = set(expect.get("alerts", [])), set(expect.get("optional", []))
    assert found - may == due - may


@pytest.mark.parametrize("family", judged("rows"))
def test_whose_rows_they_are(family: Family, said: Night) -> None:
    assert {where(row): fate(row, said) for row in judgeable(family)} == {where(row): row.link for row in judgeable(family)}


@pytest.mark.parametrize("family", judged("strangers"))
def test_rows_of_strangers_are_nobodys(family: Family, said: Night) -> None:
    strange = [where(row) for row in family.rows if not row.owner.no]
    assert [place for place in strange if "accepted" in said.links.get(place, {}).values()] == []


@pytest.mark.parametrize("family", judged("evidence"))
def test_what_entered_no_figure_is_no_evidence(family: Family, said: Night) -> None:
    foreign = [row for row in family.rows if row.extract not in OWN_FILES]
    beside = {where(row)[:2] for row in foreign if not (row.enters and row.owner.no) or row.link in {"none", "refused", "duplicate"}}
    assert beside & said.evidence == set()


def judgeable(family: Family) -> Iterator[Row]:
    """Rows whose fate is written; applications and roster are not linked, nor is what supporters have."""
    own = (row for row in family.rows if row.extract not in OWN_FILES and row.owner.no)
    return (row for row in own if row.owner.role == "共同生活成员" or row.link != "accepted")


@cache
def places() -> dict[int, Place]:
    """Extract, number and side of every row of the drop, by the row's identity."""
    return {id(row): (extract, at, row.side) for extract in layouts() for at, row in enumerate(rows_of(extract), 1)}


def where(row: Row) -> Place:
    return places()[id(row)]


def fate(row: Row, said: Night) -> str:
    """What became of a row for its owner; a duplicate is told from a row without a link by the count of its file only."""
    if where(row)[:2] in said.refused:
        return "refused"
    found = said.links.get(where(row), {}).get((row.owner.case, row.owner.no), "none")
    return "duplicate" if found == "none" and row.link == "duplicate" else found


# --- the whole night --------------------------------------------------------------------------------------------------


def test_every_row_is_accounted_for(said: Night) -> None:
    wanted, found = {}, {}
    for file in said.files:
        links = [row.link for row in rows_of(file["extract"])]
        wanted[file["extract"]] = (len(links), links.count("refused"), links.count("duplicate"), "loaded")
        found[file["extract"]] = (file["received"], file["refused"], file["duplicate"], file["state"])
    assert found == wanted
    assert len(found) == 18


def test_refused_rows_are_those_written(said: Night) -> None:
    assert said.refused == {where(row)[:2] for family in families() for row in family.rows if row.link == "refused"}


def test_nobody_left_has_no_tests(said: Night) -> None:
    empty = {family.case for family in families() if family.said["expect"]["members"] == "0"}
    assert said.tested == {family.case for family in families()} - empty
