"""The names that formulas may read at each level, and how a computed name is kept in columns and read back.

A level is case, member or household; `fact_rows.py` and `fact_values.py` fill it, `assess` runs the SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from verify.formulas import days
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import NARROW, Operand, Plain, Span, Truth, exactly
from verify.formulas_trees import WHOLE, whole
from verify.parameters import scale_of
from verify.plan import Plan
from verify.rule_plans import RulePlan


class _Writer(DuckDBGenerator):
    """DuckDB's writer, with the one cast that our trees are full of written straight away (half of the time of writing, measured)."""

    width = "HUGEINT"

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        """A cast to a whole number needs none of the questions that other casts are asked."""
        if expression.args["to"] is WHOLE:
            return f"CAST({self.sql(expression, 'this')} AS {self.width})"
        return super().cast_sql(expression, safe_prefix)


class _Narrow(_Writer):
    """The same in 64 bits, which DuckDB works out in half the time and keeps in half the room (bench/rules/against_sql.py)."""

    width = "BIGINT"


_WRITER, _NARROW = _Writer(dialect=DuckDB()), _Narrow(dialect=DuckDB())


def column(name: str, table: str = "") -> exp.Expr:
    """A quoted column."""
    return exp.column(name, table=table or None, quoted=True)


def stored(name: str, operand: Operand, table: str = "") -> Operand:
    """The operand as it is read back from the columns that `selected` made."""
    if isinstance(operand, Truth):
        return Truth(column(f"{name}__truth", table))
    assert isinstance(operand, Span)
    ends = whole(column(f"{name}__low", table)), whole(column(f"{name}__high", table))
    return replace(operand, low=ends[0], high=ends[1], factors=())


def selected(name: str, operand: Operand) -> str:
    """The select items that keep an operand under its name."""
    if isinstance(operand, Truth):
        return f'{sql_of(operand.sql, narrow=operand.narrow)} AS "{name}__truth"'
    assert isinstance(operand, Span)
    low, high = (sql_of(end, narrow=operand.narrow) for end in (operand.low, operand.high))
    return f'{low} AS "{name}__low", {high} AS "{name}__high"'


def sql_of(tree: exp.Expr, *, narrow: bool = False) -> str:
    """A tree as text for DuckDB, its whole numbers in 128 bits, or in 64 where they are known to fit."""
    return (_NARROW if narrow else _WRITER).generate(tree, copy=False)


def width(most: int) -> str:
    """The type of a column of whole numbers none of which is larger."""
    return "BIGINT" if most < NARROW else "HUGEINT"


def parameter_names(plan: Plan, table: str = "", known: Mapping[str, int] | None = None) -> dict[str, Operand]:
    """Every parameter at its scale: a number where it is `known` to be the same for all cases, else two columns of the parameter table."""
    found: dict[str, Operand] = {}
    for name, parameter in plan.book.parameters.items():
        if known and name in known:
            found[name] = exactly(known[name], scale_of(parameter))
            continue
        low, high = (whole(column(f"{name}__{end}", table)) for end in ("low", "high"))
        found[name] = Span(low, high, scale_of(parameter), most=parameter.most, some=parameter.least > 0)
    found |= {name: Plain(sql) for name, sql in days(plan.as_of, plan.book.look_back_months).items()}
    return found


def rule_operand(rule: RulePlan, layer: Scope) -> Operand:
    """One rule in its layer, as an amount or a test."""
    compiler = Compiler(layer, rule.where)
    return compiler.truth(rule.decided_by) if rule.rule.type == "test" else compiler.span(rule.formula)


def compile_rule(rule: RulePlan, layer: Scope) -> Operand:
    """One rule in its layer, as an amount or a test; the layer then knows it by its stored columns."""
    operand = rule_operand(rule, layer)
    layer.names[rule.rule.rule] = stored(rule.rule.rule, operand)
    return operand


def level_sql(source: str, rules: Iterable[RulePlan], layer: Scope) -> str:
    """SELECT everything of `source` and the rules of one level beside it."""
    items = [selected(rule.rule.rule, compile_rule(rule, layer)) for rule in rules]
    return f"SELECT *, {', '.join(items)} FROM {source}"


def case_scope(plan: Plan, known: Mapping[str, int] | None = None) -> Scope:
    """What case-level formulas may read: parameters, those `known` to be one number for all cases as such; dates, the area."""
    return Scope({**parameter_names(plan, known=known), "area": Plain(column("area"))})


def columns_of(layer: Scope) -> list[str]:
    """The columns that the names of a layer are read from."""
    ends = ((each.low, each.high) if isinstance(each, Span) else (each.sql,) for each in layer.names.values())
    return sorted({node.name for trees in ends for tree in trees for node in tree.find_all(exp.Column)})


def named(names: Mapping[str, Operand], extra: Mapping[str, Operand]) -> dict[str, Operand]:
    """Both sets of names."""
    return {**names, **extra}
