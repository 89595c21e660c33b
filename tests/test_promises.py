"""Promises as properties: an interval always holds the truth, and learning more never flips a settled answer (P4, P7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from verify.formulas import parse
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import Operand, Span, integer, null
from verify.layers import selected, stored, width
from verify.problems import UsageError
from verify.store import Store, open_store

NAMES = ("wage", "pension", "rent")
Bounds = tuple[int, int | None]
SIZES = (0, 1, 2**31, 2**61 - 1, 2**62 - 1, 2**62)  # on both sides of what a sum of two still leaves in 64 bits


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("work")) as opened:
        yield opened


def amounts() -> st.SearchStrategy[str]:
    """Expressions that a rule may hold, over three amounts that are never negative."""
    leaf = st.sampled_from([*NAMES, "0", "1", "months_a_year"])

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inner, inner)
        return st.one_of(
            st.tuples(inner, st.sampled_from(["+", "*"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            pair.map(lambda p: f"max0({p[0]} - {p[1]})"),
            pair.map(lambda p: f"greater({p[0]}, {p[1]})"),
            pair.map(lambda p: f"lesser({p[0]}, {p[1]})"),
            st.tuples(inner, inner, inner, inner).map(lambda p: f"case when {p[0]} < {p[1]} then {p[2]} else {p[3]} end"),
        )

    return st.recursive(leaf, grown, max_leaves=6)


intervals = st.tuples(st.integers(0, 60), st.none() | st.integers(0, 60)).map(lambda p: (p[0], None if p[1] is None else p[0] + p[1]))


def scope(values: dict[str, Bounds]) -> Scope:
    names: dict[str, Operand] = {}
    for name, (low, high) in values.items():
        names[name] = Span(integer(low), null() if high is None else integer(high), most=1000)
    return Scope(names)


def bounds(store: Store, text: str, values: dict[str, Bounds]) -> Bounds:
    span = Compiler(scope(values), "here").span(parse(text, "here"))
    low, high = (bound.sql(dialect="duckdb") for bound in (span.low, span.high))
    return store.rows(f"SELECT {low}, {high}")[0]


def verdict(store: Store, text: str, values: dict[str, Bounds]) -> bool | None:
    truth: exp.Expr = Compiler(scope(values), "here").truth(parse(text, "here")).sql
    return store.one(f"SELECT {truth.sql(dialect='duckdb')}")


@st.composite
def narrowed(draw: st.DrawFn) -> tuple[dict[str, Bounds], dict[str, Bounds]]:
    """What is known of three amounts, and what is known after learning more."""
    before = {name: draw(intervals) for name in NAMES}
    after = {}
    for name, (low, high) in before.items():
        first = draw(st.integers(low, low + 90 if high is None else high))
        last = draw(st.integers(first, first + 90 if high is None else high))
        after[name] = (first, last)
    return before, after


@given(text=amounts(), known=narrowed())
@settings(max_examples=150, deadline=None)
def test_learning_more_stays_inside_what_was_said(store: Store, text: str, known: tuple[dict[str, Bounds], dict[str, Bounds]]) -> None:
    (low, high), (later_low, later_high) = (bounds(store, text, values) for values in known)
    assert later_low >= low
    assert high is None or (later_high is not None and later_high <= high)


@given(left=amounts(), right=amounts(), sign=st.sampled_from(["<", "<=", ">", ">=", "="]), known=narrowed())
@settings(max_examples=150, deadline=None)
def test_learning_more_never_flips_a_settled_test(store: Store, left: str, right: str, sign: str, known: tuple[dict[str, Bounds], dict[str, Bounds]]) -> None:
    before, after = (verdict(store, f"{left} {sign} {right}", values) for values in known)
    assert before is None or after is before


@given(text=amounts(), values=st.fixed_dictionaries({name: st.integers(0, 60) for name in NAMES}))
@settings(max_examples=100, deadline=None)
def test_what_is_known_exactly_has_no_width(store: Store, text: str, values: dict[str, int]) -> None:
    low, high = bounds(store, text, {name: (value, value) for name, value in values.items()})
    assert low == high == worked_out(text, values)


def worked_out(text: str, values: dict[str, int]) -> int:
    """The same expression in plain integers, read by Python: a second opinion, written apart from the SQL."""
    python = text.replace("case when", "choose(").replace(" then ", ", ").replace(" else ", ", ").replace(" end", ")")
    functions = {"max0": lambda a: max(a, 0), "greater": max, "lesser": min, "choose": lambda c, a, b: a if c else b, "months_a_year": 12}
    return int(eval(python, {"__builtins__": {}}, {**functions, **values}))


@given(left=amounts(), right=amounts(), values=st.fixed_dictionaries({name: st.sampled_from(SIZES) for name in NAMES}))
@settings(max_examples=150, deadline=None)
def test_numbers_as_large_as_they_are_said_to_be_never_run_out_of_bits(store: Store, left: str, right: str, values: dict[str, int]) -> None:
    source = ", ".join(f'{value}::{width(value)} AS "{name}__low", {value}::{width(value)} AS "{name}__high"' for name, value in values.items())
    read = Scope({name: stored(name, Span(null(), null(), most=value)) for name, value in values.items()})
    try:
        amount, test = Compiler(read, "here").span(parse(left, "here")), Compiler(read, "here").truth(parse(f"{left} < {right}", "here"))
    except UsageError as error:
        if all(problem.code == "E-FORMULA-SIZE" for problem in error.problems):
            return
        raise
    asked = f'SELECT {selected("amount", amount)}, {selected("test", test)} FROM (SELECT {source})'
    a, b = worked_out(left, values), worked_out(right, values)
    assert store.rows(asked) == [(a, a, a < b)]


@pytest.mark.parametrize("text", ["select 1", "(select wage)", "read_text('x')", "wage + 24", "wage.rent", "wage || rent", "random()"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="E-FORMULA"):
        parse(text, "here")
