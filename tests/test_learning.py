"""Learning more never flips a settled answer (P7), on whole families: doubts are lifted one at a time, in any order.

Worked out by the second opinion, which `test_second_opinion.py` holds against the SQL. What a family declares, and a
blank that a rule file says is zero, are facts and are not learnt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlglot import exp

from tests.small_county import plan
from verify.interval import Interval, Verdict, Worth, alike
from verify.opinion_rows import Family, Line, Somebody
from verify.random_families import Kinds, kinds_of, random_family
from verify.second_opinion import Opinion, opinion

EXTRACTS = ("sw_geshui", "rs_canbao", "rh_cunkuan", "bdc_fangwu", "sc_zhuti", "rs_daiyu", "ga_cheliang", "yb_jiesuan", "cl_canji", "jr_zhengquan")


def lessons(kinds: Kinds, family: Family, draw: Random) -> Iterator[Family]:
    """The family after one doubt is lifted, whichever way it may fall; one for each doubt."""
    for at, one in enumerate(family.people):
        for learnt in about_somebody(kinds, one, draw):
            yield replace(family, people=[*family.people[:at], learnt, *family.people[at + 1 :]])
    for extract in sorted(family.late):
        come = [replace(one, rows={**one.rows, extract: stranger(kinds, draw).rows.get(extract, ())}) for one in family.people]
        yield replace(family, late=family.late - {extract}, people=come)
    if family.area is None:
        yield replace(family, area=draw.choice([area for area in kinds.areas if area]))
    if family.open_upwards:
        lost = [replace(stranger(kinds, draw), number=90 + n) for n in range(draw.randint(0, 2))]
        yield replace(family, open_upwards=False, people=[*family.people, *lost])


def stranger(kinds: Kinds, draw: Random) -> Somebody:
    """Anybody at all, with rows of their own."""
    return random_family(kinds, draw).people[0]


def about_somebody(kinds: Kinds, one: Somebody, draw: Random) -> Iterator[Somebody]:
    if one.presence == "possible":
        yield replace(one, presence=draw.choice(("certain", "out")))
    if one.age is None:
        yield replace(one, age=draw.choice((0, 15, 16, 30, 59, 60, 90)))
    if not one.authorised:
        yield replace(one, authorised=True, rows={**stranger(kinds, draw).rows, **one.rows})
    if not one.id_known:
        yield replace(one, id_known=True, rows={**stranger(kinds, draw).rows, **one.rows})
    for extract, lines in one.rows.items():
        for at, line in enumerate(lines):
            for learnt in about_a_row(kinds, extract, line, draw):
                yield replace(one, rows={**one.rows, extract: [*lines[:at], *learnt, *lines[at + 1 :]]})


def about_a_row(kinds: Kinds, extract: str, line: Line, draw: Random) -> Iterator[list[Line]]:
    """A grey row is theirs or is not; a blank is filled in."""
    if line.grey:
        yield [replace(line, grey=False)] if draw.random() < 0.5 else []
    zero = STATED_OF_BLANKS.get(extract, set())
    for column in kinds.read[extract].columns if extract in kinds.read else ():
        if line.cells.get(column.column) is None and not column.required and column.column not in zero:
            others = [other for other in stranger(kinds, draw).rows.get(extract, ()) if other.cells[column.column] is not None]
            if others:
                yield [replace(line, cells={**line.cells, column.column: others[0].cells[column.column]})]


def whole_keys(kinds: Kinds, family: Family) -> Family:
    """Required columns are never blank: reading has refused such a row."""

    def filled(extract: str, line: Line) -> Line:
        cells: dict[str, Any] = dict(line.cells)
        for column in kinds.read[extract].columns:
            if column.required and cells[column.column] is None:
                cells[column.column] = 0 if column.type in {"money", "count"} else kinds.days[3] if column.type in {"date", "month"} else f"K{line.place}"
        return replace(line, cells=cells)

    people = [replace(one, rows={name: [filled(name, line) for line in lines] for name, lines in one.rows.items()}) for one in family.people]
    return replace(family, people=people)


def inside(before: Worth, after: Worth) -> bool:
    """Whether what is known after lies in what was said before."""
    if isinstance(before, Verdict) or isinstance(after, Verdict):
        return before == Verdict(None) or before == after
    assert isinstance(before, Interval)
    assert isinstance(after, Interval)
    a, b = alike(before, after)
    return (a.low or 0) <= (b.low or 0) and (a.high is None or (b.high is not None and b.high <= a.high))


def stated_of_blanks() -> dict[str, set[str]]:
    """Columns whose blank a rule file gives a meaning of its own: a zero, `coalesce`, or `known` (which asks what else the row says)."""
    found: dict[str, set[str]] = {}
    for entry in plan().inputs.values():
        columns = found.setdefault(entry.extract.extract, {blank.column for blank in entry.input.blank})
        for formula in (entry.when, entry.amount):
            for node in formula.tree.find_all(exp.Coalesce, exp.Anonymous) if formula else ():
                if isinstance(node, exp.Coalesce) or str(node.this) == "known":
                    columns |= {column.name for column in node.find_all(exp.Column)}
    return found


STATED_OF_BLANKS = stated_of_blanks()
# What is asked of the one member a case may consist of is asked of nobody once there are two (`fails unless n can be 1`), and
# `lower_bound` is for alerts, which speak only of what is certain so far.
ASKED_OF_ONE = {rule.rule.rule for rule in plan().rules("household") if rule.formula.tested or "lower_bound" in rule.formula.text}


def learn_everything(seed: int, kinds: Kinds) -> tuple[int, bool]:
    """Lift the doubts of one family one after another; how many there were, and whether it was open at first."""
    draw = Random(seed)
    late = frozenset(draw.sample(EXTRACTS, draw.choice((0, 0, 1, 3))))
    family = whole_keys(kinds, random_family(kinds, draw, late))
    before: Opinion = opinion(plan(), family)
    at_first, unsettled = before.category, plan().book.decision.unknown.then
    for step in range(12):
        found = list(lessons(kinds, family, draw))
        if not found:
            return step, at_first == unsettled
        family = whole_keys(kinds, draw.choice(found))
        after = opinion(plan(), family)
        wrong = {key: (worth, after.values[key]) for key, worth in before.values.items() if not key[0] and not inside(worth, after.values[key])}
        wrong = {key: flipped for key, flipped in wrong.items() if key[1] not in ASKED_OF_ONE}
        assert wrong == {}, (seed, step)
        assert before.category in (unsettled, after.category), (seed, step)
        before = after
    return 12, at_first == unsettled


def test_what_is_learnt_of_200_families_never_flips_what_was_settled() -> None:
    kinds = kinds_of(plan())
    done = [learn_everything(seed, kinds) for seed in range(200)]
    assert sum(steps for steps, _ in done) > 200
    assert sum(was_open for _, was_open in done) > 20


@pytest.mark.soak
def test_what_is_learnt_of_10_000_families_never_flips_what_was_settled() -> None:
    kinds = kinds_of(plan())
    for seed in range(10_000):
        learn_everything(seed, kinds)
