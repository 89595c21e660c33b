"""The SQL that decides and the plain Python that explains are two readings of one rule book: they never differ."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from tests.small_county import AS_OF, LINK, TYPES, plan
from verify.interval import Interval, Verdict, Worth
from verify.model import Arrived, Known, Part
from verify.opinion_rows import Family, Line, Somebody
from verify.plan import Plan
from verify.random_families import kinds_of, random_family
from verify.rule_extracts import Extract
from verify.second_opinion import opinion
from verify.stages import assess
from verify.store import open_store, read_frame, write_frame

CASE = {"case_id": pl.String, "own_id": pl.String, "region": pl.String, "area": pl.String, "open_upwards": pl.Boolean, "members_low": pl.Int64,
        "members_high": pl.Int64}  # fmt: skip
MEMBER = {"case_id": pl.String, "member_no": pl.Int32, "person_id": pl.String, "authorised": pl.Boolean, "id_known": pl.Boolean,
          "presence": pl.String, "age": pl.Int64, "relation": pl.String}  # fmt: skip
NIGHTS = [(), ("sw_geshui",), ("rh_cunkuan", "bdc_fangwu"), ("sc_zhuti", "rs_daiyu", "mz_shenqing"), ("rs_canbao", "cl_canji", "mz_chengyuan")]


def by_sql(families: list[Family], work: Path, late: frozenset[str], of: Plan | None = None) -> tuple[dict[str, dict[tuple[int, str], Worth]], dict[str, str]]:
    """The values and categories of all families by the stage that decides, in one run."""
    ordered = of or plan()
    cases, members, links = [], [], []
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ordered.book.extracts}
    for at, family in enumerate(families):
        case = f"K{at}"
        members_ = family.members
        cases.append((case, case, family.region, family.area, family.open_upwards, members_.low, members_.high))
        for one in family.people:
            members.append((case, one.number, f"{case}-{one.number}", one.authorised, one.id_known, one.presence, one.age, one.relation))
            for extract, lines in one.rows.items():
                for line in lines:
                    rows[extract].append({"_file": "f", "_row": len(rows[extract]) + 1, "_as_of": AS_OF, **line.cells})
                    place = {"extract": extract, "file": "f", "row": len(rows[extract]), "side": "", "case_id": case, "member_no": one.number}
                    status = "review" if line.grey else "accepted"
                    links.append({**place, "person_id": f"{case}-{one.number}", "status": status, "score": 0, "method": "", "reasons": []})
        for extract, lines in family.rows.items():
            role = ordered.book.extracts[extract].plays.application or ordered.book.extracts[extract].plays.roster
            assert role is not None
            rows[extract] += [{"_file": "f", "_row": len(rows[extract]) + n, "_as_of": AS_OF, **line.cells, role.case: case} for n, line in enumerate(lines, 1)]
    known = {name: _known(ordered.book.extracts[name], lines, work, late=name in late) for name, lines in rows.items()}
    nowhere = work / "none.parquet"
    arrived = Arrived(AS_OF, known, nowhere, nowhere, nowhere, nowhere, 0, False, nowhere, nowhere)
    frames = {"cases": pl.DataFrame(cases, CASE, orient="row"), "members": pl.DataFrame(members, MEMBER, orient="row"), "links": pl.DataFrame(links, LINK)}
    with open_store(work, threads=2) as store:
        for name, frame in frames.items():
            write_frame(frame, work / f"{name}.parquet")
            store.load(name, work / f"{name}.parquet")
        store.table("leads", "SELECT case_id, member_no, extract, file, row, side FROM links WHERE FALSE")
        store.table("absent", "SELECT case_id, member_no, '' AS kind, extract, file, row, NULL::DATE AS since, FALSE AS sure FROM links WHERE FALSE")
        store.table("absences", "SELECT '' AS kind, extract, file, row, NULL::DATE AS since, FALSE AS applies FROM links WHERE FALSE")
        store.table("late", "SELECT '' AS extract, TRUE AS decides_members WHERE FALSE")
        done = assess.cases(store, arrived, ordered, work)
    values: dict[str, dict[tuple[int, str], Worth]] = {}
    for case, number, name, low, high, scale, truth in read_frame(done.values.path).iter_rows():
        worth = Verdict(truth) if scale is None else Interval(int(low), None if high is None else int(high), scale)
        values.setdefault(case, {})[number, name] = worth  # the SQL's
    return values, dict(read_frame(done.decisions.path).select("case_id", "category").iter_rows())


def _known(extract: Extract, lines: list[dict[str, Any]], work: Path, *, late: bool) -> Known:
    name, columns = extract.extract, extract.columns
    schema = {"_file": pl.String, "_row": pl.Int32, "_as_of": pl.Date, **{c.column: TYPES.get(c.type, pl.String) for c in columns}}
    path = work / f"rows_{name}.parquet"
    write_frame(pl.DataFrame(lines, schema=schema), path)
    return Known(name, (Part(path),), late=late, usable=not late, as_of=AS_OF)


def alike(said: Worth, seconded: Worth) -> bool:
    """Equal as figures: decimals do not matter."""
    if isinstance(said, Interval) and isinstance(seconded, Interval):
        scale = max(said.scale, seconded.scale)
        return all(
            a == b if a is None or b is None else a * 10 ** (scale - said.scale) == b * 10 ** (scale - seconded.scale)
            for a, b in ((said.low, seconded.low), (said.high, seconded.high))
        )
    return said == seconded


def no_difference(families: list[Family], work: Path, late: frozenset[str], of: Plan) -> tuple[int, set[str]]:
    """Hold every value and category of the families against each other; how many were compared, and the categories."""
    values, categories = by_sql(families, work, late, of)
    differences, compared = [], 0
    for at, family in enumerate(families):
        seconded, said = opinion(of, family), values[f"K{at}"]
        present = {0, *(one.number for one in family.counted)}
        assert {key for key in said if key[0] in present} == set(seconded.values)
        differences += [(at, key, said[key], worth) for key, worth in seconded.values.items() if not alike(said[key], worth)]
        differences += [(at, (0, "category"), categories[f"K{at}"], seconded.category)] if seconded.category != categories[f"K{at}"] else []  # type: ignore[list-item]
        compared += len(seconded.values) + 1
    assert differences[:5] == []
    return compared, set(categories.values())


@pytest.mark.parametrize("night", range(len(NIGHTS)))
def test_every_value_of_700_random_families_a_night_is_the_same_in_sql_and_in_python(night: int, tmp_path: Path) -> None:
    late, draw, kinds = frozenset(NIGHTS[night]), Random(night), kinds_of(plan())
    families = [random_family(kinds, draw, late) for _ in range(700)]
    compared, categories = no_difference(families, tmp_path, late, plan())
    assert compared > 20_000
    assert len(categories) >= (5 if not late else 2)


def test_a_doubt_about_one_row_is_the_same_doubt_in_both(tmp_path: Path) -> None:
    deposit = Line({"余额合计": 50_000_00}, 1, grey=True)
    family = Family("459999", "城镇", [Somebody(1, rows={"rh_cunkuan": [deposit]})], {"mz_shenqing": [Line({}, 1)]})
    values, categories = by_sql([family], tmp_path, frozenset())
    assert alike(opinion(plan(), family).values[0, "financial"], Interval(0, 50_000_00, 2))
    assert alike(values["K0"][0, "financial"], Interval(0, 50_000_00, 2))
    assert opinion(plan(), family).category == categories["K0"] == "cannot_tell"
