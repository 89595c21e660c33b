"""The figures of every household in one row, as exact as they were decided on: what other rules can be tried on afterwards.

`figures` has a row a case, and one for the shadow of each case with leads (`assess.sql`): everything that rules of
households read, and what they said. Parameters are left out: they are what is tried otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from verify.formulas_compiler import Scope
from verify.formulas_spans import NARROW
from verify.layers import rule_operand, selected
from verify.plan import Plan
from verify.store import Store, quoted

_NOT_KEPT = ("own_id", "file", "row")


def household(store: Store, plan: Plan) -> str:
    """The query of the table `figures`. Whole numbers stay whole: BIGINT where all of a column fit, which is read four times as fast, else DECIMAL(38,0)."""
    skipped = {*_NOT_KEPT, *(f"{name}__{end}" for name in plan.book.parameters for end in ("low", "high"))}
    kinds = {name: kind for name, kind, *_ in store.rows("DESCRIBE household_values") if name not in skipped}
    wide = [name for name, kind in kinds.items() if kind == "HUGEINT"]
    asked = [f"coalesce(max(abs({_quoted(name)})) < {NARROW}, TRUE)" for name in wide]
    (fits,) = store.rows(f"SELECT {', '.join(asked)} FROM household_values") if wide else ((),)
    stored = {name: "BIGINT" if small else "DECIMAL(38,0)" for name, small in zip(wide, fits, strict=True)}
    items = [f"{_quoted(name)}::{stored[name]} AS {_quoted(name)}" if name in stored else _quoted(name) for name in kinds]
    return f"SELECT {', '.join(items)} FROM household_values ORDER BY case_id"


def _quoted(name: str) -> str:
    return f'"{name}"'


def recomputed(plan: Plan, names: Collection[str], scopes: tuple[Scope, Scope], *, placed: bool) -> str:
    """`kept` beside the parameters of its place, and the rules of these names worked out anew over both.

    The scopes of cases and households know every name by its columns; needs the tables `kept` (without these names) and,
    if `placed`, `places`. DuckDB cannot see how many rows a file of ours has, takes it for the smaller side and lays all
    of it into the join: a third of the whole query, so it is joined only for parameters that are not one number everywhere.
    """
    joined = "(SELECT k.*, p.* EXCLUDE (region, area) FROM kept k JOIN places p ON p.region = k.region AND p.area IS NOT DISTINCT FROM k.area)"
    sql = joined if placed else "kept"
    for of, layer in zip(("case", "household"), scopes, strict=True):
        for level in plan.levels[of]:
            items = [selected(rule.rule.rule, rule_operand(rule, layer)) for rule in level if rule.rule.rule in names]
            sql = f"(SELECT *, {', '.join(items)} FROM {sql})" if items else sql
    return sql


def branches_sql(plan: Plan, truths: Mapping[str, str], called: str) -> str:
    """Whether each row of the table holds, fails or is open, as columns `<called> 0`, `<called> 1` and on."""
    table = plan.book.decision
    asked = [[truths[name] for name, cell in zip(table.columns, row.when, strict=True) if cell == "pass"] for row in table.rows]
    return ", ".join(f'({" AND ".join(tests)}) AS "{called} {at}"' for at, tests in enumerate(asked))


def category_sql(plan: Plan, called: str) -> str:
    """The category from the branches, as a value of the type `category`: the first row that holds, unless an earlier one is open."""
    table = plan.book.decision
    ends = [(f'"{called} {at}"', row.then) for at, row in enumerate(table.rows)]
    cases = " ".join(f"WHEN {branch} THEN {_category(then)} WHEN {branch} IS NULL THEN {_category(table.unknown.then)}" for branch, then in ends)
    return f"CASE {cases} ELSE {_category(table.otherwise.then)} END"


def category_type(plans: Iterable[Plan]) -> str:
    """The statement that makes the type `category`, of a byte, with every category of these plans: a million texts are slow to hold and to count."""
    tables = [plan.book.decision for plan in plans]
    names = {name for table in tables for name in (*(row.then for row in table.rows), table.unknown.then, table.otherwise.then)}
    return f"CREATE TYPE category AS ENUM ({', '.join(map(quoted, sorted(names)))})"


def _category(name: str) -> str:
    return f"{quoted(name)}::category"
