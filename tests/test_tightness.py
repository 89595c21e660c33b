"""A test that reads a name twice is settled where every value settles it: never against one of them, never looser, the same in SQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random

import pytest
from sqlglot import exp

from tests.small_county import AS_OF
from tests.test_second_opinion import no_difference
from verify.formulas import parse
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_interpreter import Facts, verdict
from verify.formulas_spans import Operand, Span, Truth, integer, null
from verify.formulas_tight import each_way, tightened
from verify.interval import Interval, Verdict, Worth
from verify.layers import sql_of
from verify.opinion_rows import Family, Line, Somebody
from verify.plan import make_plan
from verify.random_families import kinds_of, random_family
from verify.rulebook import load_rulebook
from verify.second_opinion import opinion
from verify.settings import rules_folder
from verify.store import Store, open_store

LARGEST = {"share": Fraction(1, 2), "step": Fraction(30), "cap": Fraction(5)}
SHARE = {"share": Interval(50, 50, 2), "step": Interval(30_00, 30_00, 2), "cap": Interval(5_00, 5_00, 2)}

Box = dict[str, tuple[int, int | None]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("work")) as opened:
        yield opened


def facts(box: Box, truths: dict[str, bool | None], values: dict[str, Interval] | None = None) -> Facts:
    names: dict[str, Worth] = {**(SHARE if values is None else values), **{name: Interval(low, high) for name, (low, high) in box.items()}}
    return Facts({**names, **{name: Verdict(truth) for name, truth in truths.items()}})


def readings(text: str, box: Box, truths: dict[str, bool | None] | None = None) -> tuple[bool | None, bool | None]:
    """What a test comes to when read plainly, and with its second reading."""
    tree, known = parse(text, "here").tree, facts(box, truths or {})
    return verdict(tree, known).holds, verdict(tightened(tree, LARGEST), known).holds


@pytest.mark.parametrize(
    ("text", "box", "second"),
    [
        ("x - lesser(x * share, cap) <= cap", {"x": (2, 8)}, True),  # 1 … 4
        ("x - lesser(x * share, cap) <= 1 * step", {"x": (20, 36)}, None),  # 15 … 31
        ("x - lesser(x * share, cap) > 0", {"x": (3, None)}, True),  # at least 1.5, whatever the most
        ("x * share <= x", {"x": (0, 50)}, True),
        ("x <= x * share", {"x": (1, 50)}, False),
        ("x >= step or x < step", {"x": (0, None)}, True),
        ("x > step and x <= step", {"x": (0, None)}, False),
        ("x >= step or x < cap", {"x": (0, None)}, None),
        ("case when x <= step then x * share else x - step + step * share end <= x", {"x": (1, None)}, True),
        ("case when x <= step then x else step * 1 end <= step", {"x": (0, None)}, True),
        ("case when t then x else y end <= case when t then x + cap else y + cap end", {"x": (0, 9), "y": (40, 60)}, True),
        ("t or not t", {}, True),
    ],
)
def test_a_name_said_twice_is_one_value(text: str, box: Box, second: bool | None) -> None:
    assert readings(text, box, {"t": None}) == (None, second)


def test_a_parameter_without_a_value_has_no_largest_one() -> None:
    tree = parse("x * share <= x", "here").tree
    unknown = facts({"x": (0, 50)}, {}, {**SHARE, "share": Interval(0, None, 2)})
    assert verdict(tightened(tree, LARGEST), unknown).holds is None


def test_a_test_that_says_every_name_once_is_read_once() -> None:
    for text in ("x <= step", "x * share + y <= step and t", "case when t then x else y end <= step"):
        tree = parse(text, "here").tree
        assert tightened(tree, LARGEST) is tree


def test_conditions_that_only_change_places_are_not_read_twice() -> None:
    tree = parse("known(x) and (x + y < z + cap and x + cap < z + y)", "here").tree
    assert tightened(tree, LARGEST) is tree


def some_amount(draw: Random, deep: int) -> str:
    if deep == 0 or draw.random() < 0.3:
        return draw.choice(("x", "y", "z", "step", "cap", "1"))
    a, b = some_amount(draw, deep - 1), some_amount(draw, deep - 1)
    shapes = ("({a} + {b})", "({a} - {b})", "({n} * share)", "({n} * {m})", "lesser({a}, {b})", "greater({a}, {b})", "max0({a} - {b})")
    if draw.random() < 0.25:
        return f"case when {some_test(draw, deep - 1)} then {a} else {b} end"
    return draw.choice(shapes).format(a=a, b=b, n=draw.choice("xyz"), m=draw.choice("xyz"))


def some_test(draw: Random, deep: int) -> str:
    if deep > 0 and draw.random() < 0.4:
        joined = draw.choice(("({a} and {b})", "({a} or {b})", "not ({a})"))
        return joined.format(a=some_test(draw, deep - 1), b=some_test(draw, deep - 1))
    if draw.random() < 0.2:
        return draw.choice(("t", "u"))
    return f"{some_amount(draw, deep)} {draw.choice(('<', '<=', '>', '>='))} {some_amount(draw, deep)}"


def some_box(draw: Random) -> tuple[Box, dict[str, bool | None]]:
    lows = {name: draw.choice((0, 0, 1, 3, 29, 30)) for name in "xyz"}
    highs = {name: low + draw.choice((0, 0, 1, 4)) for name, low in lows.items()}
    return {name: (lows[name], highs[name]) for name in "xyz"}, {name: draw.choice((True, False, None)) for name in "tu"}


def worlds(box: Box, truths: dict[str, bool | None]) -> Iterator[Facts]:
    """Every way it may be, in whole numbers."""
    for values in product(*(range(low, (high or 0) + 1) for low, high in box.values())):
        for found in product(*([truth] if truth is not None else [True, False] for truth in truths.values())):
            yield facts({name: (value, value) for name, value in zip(box, values, strict=True)}, dict(zip(truths, found, strict=True)))


def narrower(box: Box, truths: dict[str, bool | None], draw: Random) -> tuple[Box, dict[str, bool | None]]:
    """The same with something learnt."""
    less = {}
    for name, (low, high) in box.items():
        assert high is not None
        ends = sorted((draw.randint(low, high), draw.randint(low, high)))
        less[name] = (ends[0], ends[1])
    return less, {name: draw.choice((True, False)) if truth is None and draw.random() < 0.5 else truth for name, truth in truths.items()}


def hold_against_every_world(seed: int, tests: int) -> tuple[int, int]:
    """Make up tests and families; how many were settled, and how many by the second reading only."""
    draw, gained, settled = Random(seed), 0, 0
    for _ in range(tests):
        tree = parse(some_test(draw, 2), "here").tree
        box, truths = some_box(draw)
        whole = tightened(tree, LARGEST)
        first, second = verdict(tree, facts(box, truths)).holds, verdict(whole, facts(box, truths)).holds
        assert first in (None, second), tree.sql()
        if second is None:
            continue
        gained, settled = gained + (first is None), settled + 1
        assert {verdict(tree, world).holds for world in worlds(box, truths)} == {second}, (tree.sql(), box, truths)
        assert verdict(whole, facts(*narrower(box, truths, draw))).holds is second, (tree.sql(), box, truths)
    return settled, gained


def test_of_400_made_up_tests_none_is_settled_against_a_world_nor_looser_nor_forgotten_when_more_is_learnt() -> None:
    settled, gained = hold_against_every_world(11, 400)
    assert settled > 200
    assert gained > 2


@pytest.mark.soak
def test_of_20_000_made_up_tests_none_is_settled_against_a_world_nor_looser_nor_forgotten_when_more_is_learnt() -> None:
    settled, gained = hold_against_every_world(12, 20_000)
    assert settled > 10_000
    assert gained > 200


def scope(box: Box, truths: dict[str, bool | None]) -> Scope:
    names: dict[str, Operand] = {name: Span(integer(low), null() if high is None else integer(high), most=100) for name, (low, high) in box.items()}
    names |= {name: Span(integer(v.low or 0), integer(v.high or 0), v.scale, most=10_000) for name, v in SHARE.items()}
    return Scope(names | {name: Truth(exp.null() if truth is None else exp.Boolean(this=truth)) for name, truth in truths.items()})


def test_of_100_made_up_tests_sql_and_python_say_the_same(store: Store) -> None:
    draw, asked, expected = Random(12), [], []
    while len(asked) < 100:
        tree = tightened(parse(some_test(draw, 2), "here").tree, LARGEST)
        box, truths = some_box(draw)
        box["x"] = (box["x"][0], draw.choice((None, box["x"][1])))
        if "_FIRST" in tree.sql():
            compiled = Compiler(scope(box, truths), "here").truth(replace(parse("t", "here"), tree=tree))
            asked.append(f"({sql_of(compiled.sql)})::BOOLEAN")
            expected.append(verdict(tree, facts(box, truths)).holds)
    said = [answer for at in range(0, 100, 50) for answer in store.rows(f"SELECT {', '.join(asked[at : at + 50])}")[0]]
    assert said == expected


def test_what_holds_either_way_is_settled_in_a_table_too() -> None:
    whole = each_way(parse("t or not t", "here").tree)
    assert verdict(whole, facts({}, {"t": None})).holds is True
    assert sql_of(Compiler(scope({}, {"t": None}), "here").truth(replace(parse("t", "here"), tree=whole)).sql)


def test_a_table_read_as_one_is_settled_where_every_way_leads_to_one_category(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    path = rules / "programmes/category.yaml"
    text = path.read_text(encoding="utf-8")
    same = text.replace("then: margin, label: 低保边缘", "then: dibao, label: 低保")
    path.write_text(same.replace("  hit: first\n", "  hit: first\n  split: yes\n"), encoding="utf-8")
    split, draw = make_plan(load_rulebook(rules), AS_OF), Random(4)
    decision = split.book.decision
    assert decision.split
    entry = split.book.entry("decision", decision.decision)
    plain = replace(entry, shape=decision.model_copy(update={"split": False}))
    apart = replace(split.book, entries={**split.book.entries, ("decision", entry.name): plain})
    may_be_a_wage = {"所得项目": "工资薪金所得", "税款所属期起": date(2026, 9, 1), "税款所属期止": date(2026, 9, 30), "收入额": 12_000_00}
    wages = Somebody(1, rows={"sw_geshui": [Line(may_be_a_wage, 1, grey=True)]})  # below the line without it, below the margin with it
    families = [Family("459999", "城镇", [wages], {"mz_shenqing": [Line({}, 1)]}), *(random_family(kinds_of(split), draw) for _ in range(80))]
    no_difference(families, tmp_path, frozenset(), split)
    both = [(opinion(replace(split, book=apart), family).category, opinion(split, family).category) for family in families]
    assert all(one in ("cannot_tell", together) for one, together in both)
    assert both[0] == ("cannot_tell", "dibao")
