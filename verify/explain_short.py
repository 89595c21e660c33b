"""Why a case is what it is, in at most twelve lines that an officer can put into a letter: the tests that decide.

Everything is read from what the night published: each deciding test with its value, limit and distance, the extracts
behind it with their dates, and its law. Nothing is worked out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from verify.explain_grey import Behind, grey_json, grey_lines, greys
from verify.figures import amount, distance_told, span_of
from verify.layout import GAP, Block, wrapped
from verify.terms import Terms

MOST_LINES = 12
Record = dict[str, Any]
AMOUNTS = frozenset({"yuan", "ratio"})
_ASKED = 2  # steps that are told of an open case


@dataclass(frozen=True, slots=True)
class Told:
    """What the night says of one case: the case, its tests and evidence, the newest date of each extract, what to do next,
    and its members (number and masked name) by number; `leads`: rows that bear a name alone may leave it open too."""

    case: Record
    tests: list[Record]
    evidence: list[Record]
    dates: Mapping[str, str]
    banner: tuple[str, ...]
    steps: tuple[str, ...]
    people: Mapping[int, str]
    leads: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """One deciding test: for which categories it was asked, and by which extracts it was answered (rows None: nothing found)."""

    test: Record
    categories: tuple[str, ...]
    sources: tuple[tuple[str, str, int], ...]


def grounds(told: Told, terms: Terms) -> tuple[Ground, ...]:
    """The deciding tests, the weightiest first.

    Of a refusal: the fewest failing tests by which every category fails. Of a category that holds: its own tests, those
    with amounts first. Of what cannot be told: the tests that are open.
    """
    by: dict[str, list[Record]] = {}
    for test in told.tests:
        by.setdefault(test["category"], []).append(test)
    category = told.case["category"]
    if category == terms.unknown:
        open_now = set(told.case["open_tests"])
        chosen = _grouped((test for test in told.tests if f"{test['category']}.{test['test']}" in open_now), terms)
    elif category in by:
        chosen = _grouped(sorted(by[category], key=lambda test: test["unit"] not in AMOUNTS), terms)
    else:
        chosen = _cover(_grouped((test for test in told.tests if test["verdict"] == "fails"), terms), set(by))
    return tuple(Ground(tests[0], tuple(test["category"] for test in tests), _sources(tests[0], told, terms)) for tests in chosen)


def others(told: Told, terms: Terms, chosen: Iterable[Ground]) -> tuple[str, ...]:
    """The labels of what else fails: of a refusal, beyond its grounds; of a category, why none above it holds."""
    said = {_rule(ground.test, terms) for ground in chosen}
    category, before = told.case["category"], []
    for test in told.tests:
        if test["category"] == category:
            break
        before.append(test)
    listed = [] if category == terms.unknown else before
    return tuple(dict.fromkeys(_label(test, terms) for test in listed if test["verdict"] == "fails" and _rule(test, terms) not in said))


def _rule(test: Record, terms: Terms) -> str:
    known = terms.tests.get(f"{test['category']}.{test['test']}")
    return known.rule if known else str(test["test"])


def _label(test: Record, terms: Terms) -> str:
    known = terms.tests.get(f"{test['category']}.{test['test']}")
    return known.label if known else str(test["test"])


def _grouped(tests: Iterable[Record], terms: Terms) -> list[list[Record]]:
    """Tests by rule: one asked for several categories is told once."""
    by: dict[str, list[Record]] = {}
    for test in tests:
        by.setdefault(_rule(test, terms), []).append(test)
    return list(by.values())


def _cover(groups: list[list[Record]], categories: set[str]) -> list[list[Record]]:
    """The test by which most of the categories fail, then the one by which most of the others do, until all are told."""
    chosen, left = [], set(categories)
    while left and groups:
        best = max(groups, key=lambda tests: len(left & {test["category"] for test in tests}))  # of equals the first
        found = left & {test["category"] for test in best}
        if not found:
            break
        chosen.append(best)
        left -= found
    return chosen


def _sources(test: Record, told: Told, terms: Terms) -> tuple[tuple[str, str, int], ...]:
    """The extracts that answered a test: code, date, rows that entered; where none did, those that were looked through."""
    known = terms.tests.get(f"{test['category']}.{test['test']}")
    facts = frozenset(known.facts) if known else frozenset()
    rows = {(row["extract"], row["file"], row["row"]) for row in told.evidence if (row["fact"], row["extract"]) in facts}
    counts: dict[str, int] = {}
    for extract, *_ in sorted(rows):
        counts[extract] = counts.get(extract, 0) + 1
    found = counts or dict.fromkeys(sorted({extract for _, extract in facts}) or terms.roster, 0)
    return tuple((extract, told.dates.get(extract, ""), count) for extract, count in found.items())


# --- in words ---------------------------------------------------------------------------------------------------------


def short_block(told: Told, terms: Terms, width: int) -> Block:
    """The short form: a heading and at most eleven lines at this width (a very narrow terminal breaks them further)."""
    chosen = grounds(told, terms)
    title = f"{told.case['case_id']}  {terms.categories.get(told.case['category'], told.case['category'])}"
    last = terms.word("short_long", case=told.case["case_id"])
    room = MOST_LINES - sum(len(wrapped(text, width - GAP)) for text in (*told.banner, last)) - len(wrapped(title, width))
    lines: list[str] = []
    optional = list(_lines(told, terms, chosen))
    for at, line in enumerate(optional):
        rest = terms.word("short_rest", count=len(optional) - at)
        needed = len(wrapped(line, width - GAP))
        if needed + (at + 1 < len(optional)) > room:
            lines.append(rest)
            break
        lines.append(line)
        room -= needed
    return Block(title, (*told.banner, *lines, last))


def _lines(told: Told, terms: Terms, chosen: tuple[Ground, ...]) -> Iterator[str]:
    """The sentences in order of weight: the grounds, their law, what else holds or fails, what to do next."""
    if not told.tests:
        yield terms.word("check_no_tests")
        return
    counts = [ground for ground in chosen if ground.test["verdict"] == "holds" and ground.test["unit"] not in AMOUNTS]
    weighty = [ground for ground in chosen if ground not in counts]
    steps = told.steps[:_ASKED] if told.case["category"] == terms.unknown else ()
    for at, ground in enumerate(weighty):
        yield sentence(ground, terms, known=weighty[at - 1].sources if at else ())
        yield from grey_lines(_greys(told, terms, chosen), told.case, tests=told.tests, people=told.people, terms=terms) if not at else ()
        yield from steps if not at else ()  # whom to ask is worth more than the second doubt
    if chosen:
        laws = dict.fromkeys(law for ground in chosen for law in ground.test["basis"].split("；"))
        yield terms.word("explain_law", law="；".join(laws))
    if counts:
        yield terms.word("short_counts", tests="、".join(_count(ground.test, terms) for ground in counts))
    other = others(told, terms, chosen)
    if other:
        yield terms.word("short_others", tests="、".join(other))
    yield from () if weighty else steps


def _greys(told: Told, terms: Terms, chosen: tuple[Ground, ...]) -> tuple[Behind, ...]:
    return greys([ground.test for ground in chosen], told.case, evidence=told.evidence, leads=told.leads, terms=terms)


def _count(test: Record, terms: Terms) -> str:
    if test["unit"] == "yes_no" or test["limit"] is None:
        return _label(test, terms)
    value = span_of(terms.word("not_known"), test["value_low"], _high(test), test["unit"])
    return terms.word("short_count", test=_label(test, terms), value=value, limit=amount(test["limit"], test["unit"]))


def _high(test: Record) -> Decimal | None:
    high: Decimal | None = test["value_high"]
    return high if test["value_bounded"] else None


def sentence(ground: Ground, terms: Terms, *, known: tuple[tuple[str, str, int], ...] = ()) -> str:
    """One deciding test as a sentence: what it asks, what was found, the limit, how far apart, by which sources of which day.

    `known` are the sources of the sentence before: where all of them are here again they are not told again.
    """
    test = ground.test
    categories = "、".join(terms.categories.get(name, name) for name in ground.categories)
    again = bool(known) and set(known) <= set(ground.sources)
    listed = [_source(one, terms) for one in ground.sources if not (again and one in known)]
    sources = "、".join([terms.word("short_same"), *listed] if again else listed)
    told = {"test": _label(test, terms), "categories": categories, "sources": sources}
    if test["unit"] == "yes_no" or test["limit"] is None:
        return terms.word(f"short_{test['verdict']}_plain", **told)
    high = _high(test)
    value = span_of(terms.word("not_known"), test["value_low"], high, test["unit"])
    figures = {"value": _with_unit(value, test["unit"], terms), "limit": _with_unit(amount(test["limit"], test["unit"]), test["unit"], terms)}
    key, far = distance_told(test["value_low"], high, test["limit"], test["unit"])
    return terms.word(f"short_{test['verdict']}", **told, **figures, distance=terms.word(key, far=_with_unit(far, test["unit"], terms)))


def _with_unit(text: str, unit: str, terms: Terms) -> str:
    return terms.word("short_yuan", amount=text) if unit == "yuan" and text[-1:].isdigit() else text


def _source(source: tuple[str, str, int], terms: Terms) -> str:
    extract, as_of, rows = source
    label, department = terms.extracts.get(extract, (extract, extract))
    silent = "short_roster" if extract in terms.roster else "short_silent"
    return terms.word("short_source" if rows else silent, extract=label, department=department, as_of=as_of or "—", rows=rows)


def short_json(told: Told, terms: Terms) -> Record:
    """The same for programs: the deciding tests with figures as texts."""
    found, chosen = [], grounds(told, terms)
    for ground in chosen:
        test = ground.test
        plain = {key: None if test[key] is None else str(test[key]) for key in ("value_low", "value_high", "limit")}
        sources = [{"extract": extract, "as_of": as_of or None, "rows": rows} for extract, as_of, rows in ground.sources]
        named = {"test": test["test"], "label": _label(test, terms), "verdict": test["verdict"], "unit": test["unit"], "law": test["basis"].split("；")}
        found.append({**named, **plain, "categories": list(ground.categories), "sources": sources, "sentence": sentence(ground, terms)})
    doubtful = grey_json(_greys(told, terms, chosen), told.tests, terms)
    return {"grounds": found, "others": list(others(told, terms, chosen)), "doubtful_links": doubtful}
