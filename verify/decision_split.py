"""A table whose rows are read together, where its rule book asks for it (`split: yes`): what follows whichever way an open test falls.

Read row by row, a row that is open keeps every later one from deciding, even where both lead to the same category.
Here each category is one condition over all tests of the table, read again with every test taken to hold, then to fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from sqlglot import exp

from verify.formulas_compiler import Compiler, Scope
from verify.formulas_interpreter import Facts, verdict
from verify.formulas_tight import each_way
from verify.layers import sql_of
from verify.plan import Plan
from verify.store import quoted


def outcomes(plan: Plan) -> tuple[tuple[str, exp.Expr], ...]:
    """Each category, and the condition under which it follows, in the order of the table; none in a table without `split`."""
    table = plan.book.decision
    if not table.split:
        return ()
    asked = ((row.then, tuple(name for name, cell in zip(table.columns, row.when, strict=True) if cell == "pass")) for row in table.rows)
    return _conditions(tuple(asked), table.otherwise.then)


@lru_cache(maxsize=16)
def _conditions(asked: tuple[tuple[str, tuple[str, ...]], ...], otherwise: str) -> tuple[tuple[str, exp.Expr], ...]:
    rows = [_all(map(exp.column, names)) for _, names in asked]
    firsts: dict[str, list[exp.Expr]] = {}
    for at, (category, _) in enumerate(asked):
        firsts.setdefault(category, []).append(_all([rows[at], *(_not(earlier) for earlier in rows[:at])]))
    firsts.setdefault(otherwise, []).append(_all(map(_not, rows)))
    whole = {category: _not(_all(map(_not, ways))) if len(ways) > 1 else ways[0] for category, ways in firsts.items()}
    return tuple((category, each_way(tree)) for category, tree in whole.items())


def _all(tests: Iterable[exp.Expr]) -> exp.Expr:
    joined: exp.Expr | None = None
    for test in tests:
        one = exp.Paren(this=test.copy())
        joined = one if joined is None else exp.And(this=joined, expression=one)
    return joined if joined is not None else exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1))


def _not(test: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Paren(this=test.copy()))


def settled(plan: Plan, facts: Facts) -> str | None:
    """The category that follows whichever way open tests fall, in plain Python."""
    return next((category for category, tree in outcomes(plan) if verdict(tree, facts).holds), None)


def split_decisions(plan: Plan, household: Scope) -> str:
    """The decisions, with the category of those that are settled when the table is read as one; nothing is open in them then."""
    compiler, unknown = Compiler(household, plan.book.entry("decision", plan.book.decision.decision).where()), plan.book.decision.unknown.then
    ways = []
    for category, tree in outcomes(plan):
        formula = replace(plan.rules("household")[0].formula, tree=tree)
        ways.append(f"WHEN {sql_of(compiler.truth(formula).sql)} THEN {quoted(category)}")
    found = f"SELECT case_id, CASE {' '.join(ways)} END AS split_category FROM household_values"
    none, is_split = "[]::VARCHAR[]", f"d.category = {quoted(unknown)} AND s.split_category IS NOT NULL"
    return f"""
        SELECT d.case_id, CASE WHEN {is_split} THEN s.split_category ELSE d.category END AS category,
               CASE WHEN {is_split} THEN {none} ELSE d.open_tests END AS open_tests, CASE WHEN {is_split} THEN {none} ELSE d.needs END AS needs
        FROM decisions d LEFT JOIN ({found}) s ON d.case_id = s.case_id
    """
