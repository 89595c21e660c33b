"""Which doubtful link leaves an answer open, where what the night published proves it: the row, and what follows either way.

A grey row widens a figure and never settles one, so no refusal rests on it; only what is open can turn on it. A test turns
on one row where all that could settle it leads to that row alone. Anything less is counted, and `hedui fragile` tries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from verify.figures import amount
from verify.manifest import Published
from verify.model import SHADOW
from verify.store_rows import is_in
from verify.terms import Terms

GREY = "review"
MONEY = frozenset({"yuan", "ratio"})  # the units of tests whose rows say amounts of money
_MOST_TESTS = 6  # whose answers are put together; 64 ways
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Behind:
    """The doubtful rows behind tests that are open, by extract, file and row; `member` is set where they turn on the one row alone."""

    tests: tuple[Record, ...]
    rows: tuple[Record, ...]
    member: int | None


def greys(tests: Sequence[Record], case: Record, *, evidence: Sequence[Record], leads: bool, terms: Terms) -> tuple[Behind, ...]:
    """The doubtful rows behind deciding tests: first the tests that turn on one row, together by row, then all others as one.

    Where there are `leads`, which may leave a test open without being among the evidence, no row is said to decide.
    """
    alone: dict[tuple[object, ...], Behind] = {}
    others: list[Behind] = []
    for test in tests:
        found = _behind(test, case, evidence=evidence, terms=terms)
        if found.member is not None and not leads:
            key = _place(found.rows[0])
            before = alone[key].tests if key in alone else ()
            alone[key] = Behind((*before, test), found.rows, found.member)
        elif found.rows:
            others.append(found)
    rows = {_place(row): row for found in others for row in found.rows}
    rest = Behind(tuple(test for found in others for test in found.tests), tuple(rows[key] for key in sorted(rows)), None)
    return (*alone.values(), *([rest] if others else []))


def _place(row: Record) -> tuple[str, str, int]:
    return row["extract"], row["file"], row["row"]


def _behind(test: Record, case: Record, *, evidence: Sequence[Record], terms: Terms) -> Behind:
    """The doubtful rows behind one test, and whether it turns on the one."""
    known = terms.tests.get(f"{test['category']}.{test['test']}")
    facts = frozenset(known.facts) if known and test["verdict"] == "open" else frozenset()
    rows = [row for row in evidence if (row["fact"], row["extract"]) in facts]
    grey = [row for row in rows if row["link_status"] == GREY]
    needs = _needs(case, facts, terms)
    places = {_place(row): row for row in grey}
    proven = len(grey) == len(needs) == 1 and needs[0][::2] == (grey[0]["fact"], grey[0]["extract"]) and _all_of_it(test, grey[0], rows)
    return Behind((test,), tuple(places[key] for key in sorted(places)), int(needs[0][1]) if proven else None)


def _needs(case: Record, facts: frozenset[tuple[str, str]], terms: Terms) -> list[tuple[str, str, str]]:
    """What could settle a test: fact, member, extract. What no test names, such as who counts, stands behind every test."""
    names, sources = {name for name, _ in facts}, {extract for _, extract in facts}
    everywhere = {name for one in terms.tests.values() for name, _ in one.facts}
    told = (need.split("@") for need in case["needs"])
    return [(fact, member, extract) for fact, member, extract in told if extract in sources or fact in names or fact not in everywhere]


def _all_of_it(test: Record, grey: Record, rows: Sequence[Record]) -> bool:
    """Whether a test's value is open by this row alone: it is bounded, no row beside it is vague, and no other extract says the same fact.

    Several extracts may say it where the row's own amount is the whole width. A plain question has no width to show it.
    """
    if test["unit"] == "yes_no" or test["limit"] is None or not test["value_bounded"] or grey["high"] is None:
        return False
    if any(row["low"] != row["high"] for row in rows if row is not grey and row["fact"] == grey["fact"]):
        return False
    only = {row["extract"] for row in rows if row["fact"] == grey["fact"]} == {grey["extract"]}
    whole = test["unit"] != "ratio" and test["value_high"] - test["value_low"] == grey["high"] - grey["low"]
    return only or bool(whole)


def may_have_leads(night: Published, case: Record, evidence: Sequence[Record]) -> bool:
    """Whether rows that bear a name alone may leave an open case with doubtful links open too; yes where the night kept no figures."""
    if not case["needs"] or all(row["link_status"] != GREY for row in evidence):
        return False
    kept = night.folder / "tables" / "figures.parquet"
    return not kept.exists() or is_in(kept, "case_id", case["case_id"] + SHADOW)


# --- what would follow ------------------------------------------------------------------------------------------------


def outcomes(turning: Sequence[Record], tests: Sequence[Record], terms: Terms) -> tuple[str, ...]:
    """The categories that can follow once these tests are settled, first if all hold, last if all fail; () where more than they is open."""
    rules = list(dict.fromkeys(_rule(test, terms) for test in turning))[:_MOST_TESTS]
    ways = [dict(zip(rules, said, strict=True)) for said in product(("holds", "fails"), repeat=len(rules))]
    found = tuple(dict.fromkeys(_category(tests, way, terms) for way in ways))
    return () if terms.unknown in found else found


def _rule(test: Record, terms: Terms) -> str:
    known = terms.tests.get(f"{test['category']}.{test['test']}")
    return known.rule if known else str(test["test"])


def _category(tests: Sequence[Record], way: Mapping[str, str], terms: Terms) -> str:
    """The first category that does not fail, with some rules answered so."""
    by: dict[str, set[str]] = {}
    for test in tests:
        by.setdefault(test["category"], set()).add(way.get(_rule(test, terms), test["verdict"]))
    first = next((category for category, said in by.items() if "fails" not in said), terms.otherwise)
    return terms.unknown if "open" in by.get(first, ()) else first


# --- in words ---------------------------------------------------------------------------------------------------------


def grey_lines(found: Sequence[Behind], case: Record, *, tests: Sequence[Record], people: Mapping[int, str], terms: Terms) -> Iterator[str]:
    """A sentence for each row that tests turn on, and one for what only trying can tell."""
    for one in found:
        labels = "、".join(dict.fromkeys(_label(test, terms) for test in one.tests))
        if one.member is None:
            yield terms.word("short_grey_many", tests=labels, rows=len(one.rows), case=case["case_id"])
            continue
        row = one.rows[0]
        extract, department = terms.extracts.get(row["extract"], (row["extract"], row["extract"]))
        place = {"extract": extract, "department": department, "as_of": row["as_of"], "file": row["file"], "row": row["row"]}
        most = amount(row["high"], "yuan" if one.tests[0]["unit"] in MONEY else "count")
        key = "short_grey_money" if one.tests[0]["unit"] in MONEY else "short_grey_count"
        change = terms.word(key, most=most) + _followed(outcomes(one.tests, tests, terms), terms)
        yield terms.word("short_grey_one", tests=labels, who=people.get(one.member, one.member), change=change, **place)


def _followed(categories: tuple[str, ...], terms: Terms) -> str:
    """What the case would be, if that is all that is open."""
    named = [terms.categories.get(name, name) for name in categories]
    return terms.word("short_grey_then", categories=" / ".join(named)) if named else ""


def _label(test: Record, terms: Terms) -> str:
    known = terms.tests.get(f"{test['category']}.{test['test']}")
    return known.label if known else str(test["test"])


def grey_json(found: Sequence[Behind], tests: Sequence[Record], terms: Terms) -> list[Record]:
    """The same for programs: the tests, the rows, whether they turn on the one row, and the categories that may follow."""
    listed = []
    for one in found:
        rows = [{**{key: row[key] for key in ("extract", "file", "row")}, "as_of": row["as_of"].isoformat(), "most": _text(row["high"])} for row in one.rows]
        named = [f"{test['category']}.{test['test']}" for test in one.tests]
        follow = [] if one.member is None else list(outcomes(one.tests, tests, terms))
        listed.append({"tests": named, "rows": rows, "decides": one.member is not None, "member": one.member, "categories": follow})
    return listed


def _text(figure: object) -> str | None:
    return None if figure is None else str(figure)
