"""Families made up from a rule book alone: rows with the words and days its rules ask about, and everything that is doubtful.

Seeded: the same rule book and seed give the same families. They are for checks of the rules (fuzz, mutants, boundaries);
they are not a county, and nothing about them is likely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from sqlglot import exp

from verify.formulas import month_before
from verify.opinion_rows import Family, Line, Somebody
from verify.plan import Plan
from verify.rule_extracts import Extract

_FAR = 40_000_00  # fen; most amounts of one row lie below it
_AGES = (0, 1, 15, 16, 17, 18, 30, 54, 59, 60, 61, 90)


@dataclass(frozen=True)
class Kinds:
    """What the cells of made-up rows are drawn from: the words each column is asked about, days, regions and areas."""

    plan: Plan
    words: dict[tuple[str, str], tuple[str, ...]]
    days: tuple[date, ...]
    regions: tuple[str, ...]
    areas: tuple[str | None, ...]
    relations: tuple[str | None, ...]
    read: dict[str, Extract]


def kinds_of(plan: Plan) -> Kinds:
    """Gather them from the formulas of a plan."""
    words: dict[tuple[str, str], set[str]] = {}
    for entry in plan.inputs.values():
        for formula in (entry.when, entry.amount):
            for column, word in _words_in(formula.tree) if formula else ():
                words.setdefault((entry.extract.extract, column), set()).add(word)
    texts = [word for rule in plan.rules("case") for column, word in _words_in(rule.formula.tree) if column == "area"]
    areas = {area for p in plan.book.parameters.values() for v in p.values if isinstance(v.value, dict) for area in v.value}
    regions = {value.region for parameter in plan.book.parameters.values() for value in parameter.values}
    edges = (month_before(plan.as_of, plan.book.look_back_months), plan.as_of.replace(day=1), plan.as_of)
    days = {edge + timedelta(days=by) for edge in edges for by in (-32, -1, 0, 1, 31)} | {month_before(plan.as_of, m) for m in range(14)}
    found = {entry.extract.extract: entry.extract for _, entry in sorted(plan.inputs.items())}
    home = plan.book.membership.home_region
    return Kinds(
        plan,
        {key: tuple(sorted(found)) for key, found in sorted(words.items())},
        tuple(sorted(days)),
        tuple(sorted({home, *regions})),
        (*sorted(areas | set(texts)), None),
        (*sorted({word for r in plan.rules("member") for column, word in _words_in(r.formula.tree) if column == "relation"}), "A", None),
        found,
    )


def _words_in(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """Each column that is compared with texts, and each text."""
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.In):
        columns = [column.name for column in node.find_all(exp.Column)]
        texts = [text.this for text in node.find_all(exp.Literal) if text.is_string and text.this]
        yield from ((column, text) for column in columns for text in texts)


def random_family(kinds: Kinds, draw: Random, late: frozenset[str] = frozenset()) -> Family:
    """One family; about half of them have something that is not certain."""
    doubt, seen = draw.choice((0.0, 0.02, 0.2)), draw.choice((0.0, 0.05, 0.3))
    people = []
    for number in range(1, draw.choice((1, 1, 1, 2, 3, 4)) + 1):
        rows = {name: _lines(kinds, extract, draw, doubt=doubt, count=draw.randint(0, 3)) for name, extract in kinds.read.items() if draw.random() < seen}
        presence = draw.choice(("possible", "out")) if draw.random() < doubt else "certain"
        age = None if draw.random() < doubt else draw.choice(_AGES)
        relation = draw.choice(kinds.relations)
        people.append(Somebody(number, presence, draw.random() >= doubt / 2, draw.random() >= doubt / 2, age, relation, rows))
    region = kinds.plan.book.membership.home_region if draw.random() < 0.9 else draw.choice(kinds.regions)
    area = draw.choice(kinds.areas) if draw.random() < doubt else kinds.areas[draw.randrange(max(1, len(kinds.areas) - 1))]
    return Family(region, area, people, _own_rows(kinds, draw, doubt), late, draw.random() < doubt / 4)


def _own_rows(kinds: Kinds, draw: Random, doubt: float) -> dict[str, Sequence[Line]]:
    """Rows under the case's own number: nobody has to find whose they are, so none is grey."""
    found: dict[str, Sequence[Line]] = {}
    for name, extract in kinds.read.items():
        if extract.plays.application or extract.plays.roster:
            most = 3 if extract.plays.roster else 2 if draw.random() < doubt else 1
            count = draw.randint(1 if extract.plays.application else 0, most)
            lines = _lines(kinds, extract, draw, doubt=max(doubt, 0.1), count=count)
            found[name] = tuple(replace(line, grey=False) for line in lines)
    return found


def _lines(kinds: Kinds, extract: Extract, draw: Random, *, doubt: float, count: int) -> Sequence[Line]:
    return tuple(Line(_cells(kinds, extract, draw, doubt), place, draw.random() < doubt) for place in range(1, count + 1))


def _cells(kinds: Kinds, extract: Extract, draw: Random, doubt: float) -> dict[str, object]:
    cells: dict[str, object] = {}
    for page in extract.columns:
        cell: object = None
        if page.type in {"date", "month", "epoch_ms"}:
            cell = draw.choice(kinds.days)
        elif page.type in {"money", "number"}:
            cell = draw.choice((0, 1, 100, 400_00, 9_000_00)) if draw.random() < 0.2 else int(_FAR ** draw.random()) * draw.choice((1, 7))
        elif page.type == "count":
            cell = draw.randint(0, 3)
        else:
            known = kinds.words.get((extract.extract, page.column), ())
            cell = draw.choice(known) if known and draw.random() < 0.8 else draw.choice(("A", "B", "C"))
        cells[page.column] = None if draw.random() < doubt / 3 else cell
    return cells


def smallest(family: Family, still: Callable[[Family], bool]) -> Family:
    """The family without every person, row and cell that `still` does not need, taken away one at a time."""
    found = True
    while found:
        found = False
        for less in _less(family):
            if still(less):
                family, found = less, True
                break
    return family


def _less(family: Family) -> Iterator[Family]:
    """The family with one thing taken away: a person, the rows of an extract, a row, a cell."""
    people = list(family.people)
    for at, one in enumerate(people):
        if len(people) > 1:
            yield replace(family, people=[*people[:at], *people[at + 1 :]])
        for rows in _fewer(one.rows):
            yield replace(family, people=[*people[:at], replace(one, rows=rows), *people[at + 1 :]])
    for rows in _fewer(family.rows):
        yield replace(family, rows=rows)


def _fewer(rows: Mapping[str, Sequence[Line]]) -> Iterator[dict[str, Sequence[Line]]]:
    yield from ({name: lines for name, lines in rows.items() if name != gone} for gone in rows)
    for name, lines in rows.items():
        if len(lines) > 1:
            yield from ({**rows, name: (*lines[:at], *lines[at + 1 :])} for at in range(len(lines)))
        for at, line in enumerate(lines):
            for column in [column for column, cell in line.cells.items() if cell is not None]:
                yield {**rows, name: (*lines[:at], replace(line, cells={**line.cells, column: None}), *lines[at + 1 :])}
