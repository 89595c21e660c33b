"""An outside oracle: what the DMN kit expects of first-hit tables and of three-valued logic, by our SQL and by our Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlglot import exp

from tests.small_county import plan
from verify import decision_sql, needs_sql
from verify.formulas import parse
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_interpreter import Facts, amount, verdict
from verify.formulas_spans import Plain, Span, Truth, integer
from verify.interval import Interval, Said, Verdict, both
from verify.layers import sql_of
from verify.rule_decisions import Decision, Outcome, Row
from verify.second_opinion import category
from verify.store import Store, open_store, quoted

KIT = yaml.load(Path(__file__).with_name("dmn_tck.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
VALUES: dict[str, bool | None] = {"T": True, "F": False, "?": None}
WORDS = {True: "holds", False: "fails", None: "open"}
NUMBERS = {f"n{value}": value for value in (0, 1, 2, 3, 4, 5, 12, 18, 19)}
LOGIC = [(f"a {word} b", line[0], line[1], line[at]) for line in KIT["ternary"]["and_or"] for word, at in (("and", 2), ("or", 3))]
LOGIC += [("not a", line[0], "T", line[1]) for line in KIT["ternary"]["not"]]
TABLES = [(table, case) for table in KIT["tables"] for case in table["cases"]]
LISTS = [(table, case) for table in KIT["lists"] for case in table["cases"]]
AMOUNTS = [(entry, case) for entry in KIT["amounts"] for case in entry["cases"]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("work")) as opened:
        yield opened


def truth(value: str) -> Truth:
    return Truth(exp.null() if VALUES[value] is None else exp.Boolean(this=VALUES[value]))


@pytest.mark.parametrize(("text", "a", "b", "expected"), LOGIC)
def test_logic_with_an_unknown(store: Store, text: str, a: str, b: str, expected: str) -> None:
    compiled = Compiler(Scope({"a": truth(a), "b": truth(b)}), "here").truth(parse(text, "here"))
    assert store.one(f"SELECT {sql_of(compiled.sql)}") is VALUES[expected]
    assert verdict(parse(text, "here").tree, Facts({"a": Verdict(VALUES[a]), "b": Verdict(VALUES[b])})).holds is VALUES[expected]


def scene(age: str, risk: str, affordable: str) -> tuple[Scope, Facts]:
    """The same case for the SQL and for the second opinion."""
    amounts = {"age": int(age), **NUMBERS}
    scope = Scope({**{n: Span(integer(v), integer(v)) for n, v in amounts.items()}, "risk": Plain(exp.Literal.string(risk)), "affordable": truth(affordable)})
    return scope, Facts({**{n: Interval(v, v) for n, v in amounts.items()}, "risk": Said(risk), "affordable": Verdict(VALUES[affordable])})


def test_all_72_results_that_can_be_said_in_our_language_are_here() -> None:
    assert len(LOGIC) + len(TABLES) + len(LISTS) + len(AMOUNTS) == 72


@pytest.mark.parametrize(("table", "case"), LISTS, ids=lambda value: value["source"] if isinstance(value, dict) else "-".join(value[:3]))
def test_all_rows_that_hold(store: Store, table: dict[str, Any], case: list[Any]) -> None:
    scope, facts = scene(*case[:3])
    formulas = [(row["then"], parse(row["when"], "here")) for row in table["rows"]]
    assert [then for then, formula in formulas if store.one(f"SELECT {sql_of(Compiler(scope, 'here').truth(formula).sql)}")] == case[3]
    assert [then for then, formula in formulas if verdict(formula.tree, facts).holds] == case[3]


@pytest.mark.parametrize(("entry", "case"), AMOUNTS, ids=lambda value: value["source"] if isinstance(value, dict) else "-".join(value))
def test_amounts_collected(store: Store, entry: dict[str, Any], case: list[str]) -> None:
    formula = parse(entry["expr"], "here")
    names = {"years": Interval(int(case[0]), int(case[0])), **{n: Interval(v, v) for n, v in NUMBERS.items()}}
    names |= {name: Interval(int(name[1:]), int(name[1:]), 2) for name in formula.names if name.startswith("p")}
    span = Compiler(Scope({n: Span(integer(v.low or 0), integer(v.high or 0), v.scale) for n, v in names.items()}), "here").span(formula)
    seconded = amount(formula.tree, Facts(names))
    by_sql = [Decimal(str(store.one(f"SELECT {sql_of(bound)}"))).scaleb(-span.scale) for bound in (span.low, span.high)]
    by_python = [Decimal(bound or 0).scaleb(-seconded.scale) for bound in (seconded.low, seconded.high)]
    assert by_sql == by_python == [Decimal(case[1])] * 2


@pytest.mark.parametrize(("table", "case"), TABLES, ids=lambda value: value["source"] if isinstance(value, dict) else "-".join(value))
def test_first_hit_tables(store: Store, table: dict[str, Any], case: list[str]) -> None:
    expected = case[3]
    scope, facts = scene(*case[:3])
    names = [f"row_{at}" for at in range(len(table["rows"]))]
    cells = [tuple("pass" if other == name else "any" for other in names) for name in names]
    rows = [Row(when=when, then=row["then"], label="-", law="-") for when, row in zip(cells, table["rows"], strict=True)]  # type: ignore[arg-type]
    none, unknown = Outcome(then="none", label="-"), Outcome(then="cannot_tell", label="-")
    decision = Decision(decision="category", label="-", hit="first", columns=tuple(names), rows=tuple(rows), otherwise=none, unknown=unknown)
    book = plan().book
    entry = replace(book.entry("decision", "category"), shape=decision)
    ours = replace(plan(), book=replace(book, entries={**book.entries, ("decision", "category"): entry}), reads=dict.fromkeys(names, frozenset()))
    lines = []
    for at, (name, row) in enumerate(zip(names, table["rows"], strict=True)):
        said = store.one(f"SELECT {sql_of(Compiler(scope, 'here').truth(parse(row['when'], 'here')).sql)}")
        assert both(verdict(parse(row["when"], "here").tree, facts)).holds is said
        lines.append(f"('K', {quoted(row['then'])}, {at}, '{name}', 0, '{name}', {quoted(WORDS[said])})")
    store.table("tests", f"FROM (VALUES {', '.join(lines)}) AS t(case_id, category, category_at, test, test_at, rule, verdict)")
    store.table("cases", "SELECT 'K' AS case_id, FALSE AS open_upwards")
    store.table("members", "SELECT 'K' AS case_id, 1 AS member_no, 'certain' AS presence")
    store.table("unsure", "SELECT NULL::VARCHAR AS case_id, 0 AS member_no, '' AS fact, '' AS input, '' AS extract WHERE FALSE")
    store.table("test_reads", needs_sql.test_reads(ours))
    assert store.one(f"SELECT category FROM ({decision_sql.decisions(ours)})") == expected
    held = {name: verdict(parse(row["when"], "here").tree, facts) for name, row in zip(names, table["rows"], strict=True)}
    assert category(ours, held) == expected
