"""A county of a few people for the stages after the match: rows, persons and links are stated, not found.

`County` takes rows by extract, each with `of` (the member it is linked to), `link` (accepted unless said) and page columns
as a reader would see them; money in yuan. `settled` runs group, assess and watch on it and gives their tables as frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from verify.faces import FACE, SAID
from verify.model import Arrived, Known, Part, Spoken
from verify.plan import Plan, make_plan
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.stages import assess, group, watch
from verify.store import open_store, read_frame, write_frame

AS_OF = date(2026, 11, 20)
CASE = "SQ1"
TYPES: dict[str, Any] = {"date": pl.Date, "month": pl.Date, "epoch_ms": pl.Date, "money": pl.Int64, "number": pl.Int64, "count": pl.Int64}
PERSON = {
    "case_id": pl.String, "member_no": pl.Int32, "person_id": pl.String, "is_member": pl.Boolean, "is_applicant": pl.Boolean,
    "authorised": pl.Boolean, "relation": pl.String, "file": pl.String, "row": pl.Int32, "name": pl.String, "name_key": pl.String,
    "ids": pl.List(pl.String), "id_known": pl.Boolean, "birth": pl.Date, "birth_basis": pl.String, "birth_status": pl.String,
    "sex": pl.String, "household": pl.String,
}
LINK = {
    "extract": pl.String, "file": pl.String, "row": pl.Int32, "side": pl.String, "case_id": pl.String, "member_no": pl.Int32,
    "person_id": pl.String, "status": pl.String, "score": pl.Int64, "method": pl.String, "reasons": pl.List(pl.String),
}
MENTION = {
    "extract": pl.String, "file": pl.String, "row": pl.Int32, "side": pl.String, "name_key": pl.String, "former_key": pl.String,
    "id_key": pl.String, "id_state": pl.String, "birth": pl.Date, "sex": pl.String, "household": pl.String, "document": pl.String, "id_birth": pl.Date,
}


@lru_cache
def book() -> Rulebook:
    """The shipped rules."""
    return load_rulebook(rules_folder())


@lru_cache
def plan() -> Plan:
    """The shipped rules, ordered, as of the test's day."""
    return make_plan(book(), AS_OF)


def person(no: int = 1, case: str = CASE, **other: Any) -> dict[str, Any]:
    """One person of a case: a member of forty who has signed, unless said otherwise."""
    plain: dict[str, Any] = {"case_id": case, "member_no": no, "person_id": f"P-{case}-{no}", "is_member": True, "is_applicant": no == 1}
    plain |= {"authorised": True, "relation": "本人", "file": "roster", "row": no, "name": f"甲{no}", "name_key": f"甲{no}"}
    plain |= {"ids": [f"ID{case}{no}"], "id_known": True, "birth": date(1986, 1, 1), "birth_basis": "id", "birth_status": "accepted"}
    return plain | {"sex": "male", "household": "H1"} | other


@dataclass
class County:
    """What is known of a few people tonight."""

    people: list[dict[str, Any]]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    lost_roster_rows: tuple[str | None, ...] = ()
    area: str | None = "城镇"


@dataclass(frozen=True)
class Settled:
    """The tables of the stages, as frames."""

    cases: pl.DataFrame
    members: pl.DataFrame
    findings: pl.DataFrame
    values: pl.DataFrame
    tests: pl.DataFrame
    decisions: pl.DataFrame
    alerts: pl.DataFrame
    evidence: pl.DataFrame

    def category(self, case: str = CASE) -> str:
        """What the case came to."""
        return str(self.decisions.filter(pl.col("case_id") == case)["category"].item())

    def open_tests(self, case: str = CASE) -> list[str]:
        """Its open tests."""
        return list(self.decisions.filter(pl.col("case_id") == case)["open_tests"].item())

    def needs(self, case: str = CASE) -> list[str]:
        """What would settle it."""
        return list(self.decisions.filter(pl.col("case_id") == case)["needs"].item())

    def value(self, name: str, member: int = 0, case: str = CASE) -> tuple[str, str | None]:
        """A value's bounds as text with two decimals; None for no bound."""
        found = self.values.filter((pl.col("case_id") == case) & (pl.col("member_no") == member) & (pl.col("name") == name))
        low, high, scale = found.select("low", "high", "scale").row(0)
        return f"{Decimal(low).scaleb(-scale):.2f}", None if high is None else f"{Decimal(high).scaleb(-scale):.2f}"

    def raised(self, case: str = CASE) -> set[tuple[str, int]]:
        """Its alerts and their members."""
        return set(self.alerts.filter(pl.col("case_id") == case).select("alert", "member_no").iter_rows())


def settled(county: County, work: Path) -> Settled:
    """Run group, assess and watch on a county."""
    work.mkdir(parents=True, exist_ok=True)
    rows = {name: list(stated) for name, stated in county.rows.items()}
    for case in dict.fromkeys(p["case_id"] for p in county.people):
        rows.setdefault("mz_shenqing", []).append({"申请编号": case, "城乡类别": county.area, "乡镇区划代码": "459999100000"})
    standing = {True: "共同生活成员", False: "法定赡养人"}
    rows["mz_chengyuan"] = [{"申请编号": p["case_id"], "序号": p["member_no"], "人员身份": standing[p["is_member"]]} for p in county.people]
    known = {name: _known(extract, rows.get(name, []), work, late=name in county.late) for name, extract in book().extracts.items()}
    links, mentions = _links_and_mentions(county, rows)
    for name, frame in (("persons", pl.DataFrame(county.people, schema=PERSON)), ("links", links)):
        write_frame(frame, work / f"{name}.parquet")
    spoken = _spoken(mentions, known, work)
    lost = [{"extract": "mz_chengyuan", "file": "roster", "row": 90 + at, "case_id": case} for at, case in enumerate(county.lost_roster_rows)]
    schema = {"extract": pl.String, "file": pl.String, "row": pl.Int32, "case_id": pl.String}
    write_frame(pl.DataFrame(lost, schema=schema), work / "roster_refused.parquet")
    nowhere = work / "none.parquet"
    arrived = Arrived(AS_OF, known, nowhere, nowhere, nowhere, nowhere, 0, False, nowhere, work / "roster_refused.parquet")
    with open_store(work, threads=1) as store:
        matched = group.Matched(spoken, work / "persons.parquet", work / "links.parquet")
        grouped = group.cases(store, arrived, matched, book=book(), work=work)
        assessed = assess.cases(store, arrived, plan(), work)
        alerts = watch.alerts(store, arrived, plan(), layers=assessed.layers, work=work)
    tables = {"cases": grouped.cases, "members": grouped.members, "findings": grouped.findings, "alerts": alerts}
    tables |= {"values": assessed.values, "tests": assessed.tests, "decisions": assessed.decisions, "evidence": assessed.evidence}
    return Settled(**{name: read_frame(table.path) for name, table in tables.items()})


def _known(extract: Extract, rows: list[dict[str, Any]], work: Path, *, late: bool) -> Known:
    """The extract's known rows as reading would leave them. A late extract that never came has none."""
    if late and not extract.when_late.use_last:
        return Known(extract.extract, (), late=True, usable=False, as_of=None)
    lines = [{"_file": extract.extract, "_row": at, "_as_of": AS_OF, **_typed(extract, row)} for at, row in enumerate(rows, 1)]
    schema = {"_file": pl.String, "_row": pl.Int32, "_as_of": pl.Date, **{c.column: TYPES.get(c.type, pl.String) for c in extract.columns}}
    path = work / f"rows_{extract.extract}.parquet"
    write_frame(pl.DataFrame(lines, schema=schema), path)
    return Known(extract.extract, (Part(path),), late=late, usable=True, as_of=AS_OF)


def _spoken(mentions: pl.DataFrame, known: Mapping[str, Known], work: Path) -> tuple[Spoken, ...]:
    """What the rows say of people as standardising would leave it: here every line has a face of its own."""
    found = []
    for name, one in known.items():
        nothing = {column: pl.lit(None, pl.String) for column in ("id15", "id_sex")}
        lines = mentions.filter(extract=name).with_columns(face=pl.int_range(pl.len(), dtype=pl.Int32), **nothing)
        said, faces = work / f"said_{name}.parquet", work / f"faces_{name}.parquet"
        write_frame(lines.select("file", *SAID), said)
        write_frame(lines.select(FACE), faces)
        found += [Spoken(name, part, said, faces) for part in one.parts]
    return tuple(found)


def _typed(extract: Extract, row: dict[str, Any]) -> dict[str, Any]:
    typed = {}
    for column in extract.columns:
        value = row.get(column.column)
        if value is not None and column.type in {"money", "number"}:
            value = int(Decimal(str(value)).scaleb(2 if column.type == "money" else column.decimals))
        typed[column.column] = value
    return typed


def _links_and_mentions(county: County, rows: dict[str, list[dict[str, Any]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A link for each row that says whose it is, and what each row says of the person on each side."""
    people = {(p["case_id"], p["member_no"]): p for p in county.people}
    links, mentions = [], []
    for name, stated in rows.items():
        for at, row in enumerate(stated, 1):
            place = {"extract": name, "file": name, "row": at, "side": row.get("side", "")}
            if "of" in row:
                owner = people[row.get("case", CASE), row["of"]]
                link = {"status": row.get("link", "accepted"), "score": 0, "method": row.get("method", "exact_id"), "reasons": row.get("reasons", [])}
                links.append(place | {k: owner[k] for k in ("case_id", "member_no", "person_id")} | link)
            said = row.get("says", {})
            mentions.append(place | {"name_key": None, "id_key": None, "id_state": "none", "birth": None, "household": row.get("户号")} | said)
            if "other" in row:
                mentions.append(place | {"side": row["other"]["side"], "id_state": "none"} | row["other"])
    plain = [{k: m.get(k) for k in MENTION} for m in mentions]
    return pl.DataFrame(links, schema=LINK), pl.DataFrame(plain, schema=MENTION)
