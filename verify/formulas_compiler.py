"""Turn a parsed rule expression into interval SQL within a scope of names, with its types checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlglot import exp

from verify.formulas import CONSTANTS, Formula
from verify.formulas_spans import (
    Operand,
    Plain,
    Span,
    Truth,
    aligned,
    chosen,
    compared,
    divided,
    greater,
    integer,
    is_null,
    lesser,
    max0,
    minus,
    more_than,
    null,
    plus,
    times,
)
from verify.problems import Problem, UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Scope:
    """The names an expression may read, and what they become. `given` holds amounts knowing that the fact has a row."""

    names: Mapping[str, Operand]
    has: Mapping[str, Truth] = field(default_factory=dict)
    given: Mapping[str, Span] = field(default_factory=dict)
    sums: Mapping[str, Span] = field(default_factory=dict)
    the: Mapping[str, Truth] = field(default_factory=dict)
    any: Mapping[str, Truth] = field(default_factory=dict)


class Compiler:
    """Compiles one formula within one scope; `where` names the rule in refusals."""

    def __init__(self, scope: Scope, where: str) -> None:
        self.scope, self.where = scope, where

    def span(self, formula: Formula) -> Span:
        """The formula as an amount. Raises UsageError (E-FORMULA-TYPE) where it is none."""
        return self._span(formula.tree)

    def truth(self, formula: Formula) -> Truth:
        """The formula as a test. Raises UsageError (E-FORMULA-TYPE) where it is none."""
        return self._truth(formula.tree)

    def _refuse(self, node: exp.Expr, code: str = "E-FORMULA-TYPE") -> UsageError:
        return UsageError(Problem(code, self.where, {"text": node.sql(dialect="duckdb")}))

    def _operand(self, node: exp.Expr) -> Operand:
        if isinstance(node, exp.Paren):
            return self._operand(node.this)
        if isinstance(node, exp.Literal):
            return Plain(node) if node.is_string else Span(integer(int(node.this)), integer(int(node.this)))
        if isinstance(node, exp.Column):
            return self._named(node)
        if isinstance(node, exp.Coalesce):
            return Plain(exp.Coalesce(this=self._plain(node.this), expressions=[self._plain(n) for n in node.expressions]))
        arithmetic: dict[type[exp.Expr], Callable[[Span, Span], Span]] = {exp.Add: plus, exp.Sub: minus, exp.Mul: times, exp.Div: divided}
        if type(node) in arithmetic:
            return self._arithmetic(node, arithmetic[type(node)])
        if isinstance(node, exp.Case):
            return self._case(node)
        if isinstance(node, exp.Sum):
            return self._look_up(self.scope.sums, node.this)
        if isinstance(node, exp.Anonymous):
            return self._function(node)
        return Truth(self._test(node))

    def _named(self, node: exp.Column) -> Operand:
        if node.name in CONSTANTS:
            return Span(integer(CONSTANTS[node.name]), integer(CONSTANTS[node.name]))
        if node.name not in self.scope.names:
            raise self._refuse(node, "E-FORMULA-NAME")
        return self.scope.names[node.name]

    def _look_up(self, table: Mapping[str, T], node: exp.Expr) -> T:
        if node.name not in table:
            raise self._refuse(node, "E-FORMULA-NAME")
        return table[node.name]

    def _arithmetic(self, node: exp.Expr, operation: Callable[[Span, Span], Span]) -> Span:
        a, b = self._span(node.this), self._span(node.expression)
        if operation in (times, divided) and not (a.nonnegative and b.nonnegative):
            raise self._refuse(node, "E-FORMULA-SIGN")
        return operation(a, b)

    def _case(self, node: exp.Case) -> Span:
        result = self._span(node.args["default"]) if node.args.get("default") else Span(integer(0), null())
        for branch in reversed(node.args["ifs"]):
            condition, inner = self._truth(branch.this), self
            if isinstance(branch.this, exp.Anonymous) and branch.this.name.lower() == "has":
                named = branch.this.expressions[0].name
                if named in self.scope.given:
                    inner = Compiler(replace(self.scope, names={**self.scope.names, named: self.scope.given[named]}), self.where)
            result = chosen(condition, inner._span(branch.args["true"]), result)
        return result

    def _function(self, node: exp.Anonymous) -> Operand:
        name, given = node.name.lower(), node.expressions
        if name in {"has", "the_member", "any_member"}:
            return self._look_up({"has": self.scope.has, "the_member": self.scope.the, "any_member": self.scope.any}[name], given[0])
        if name in {"known", "inside_window", "touches_window", "in_window"}:
            return Truth(self._on_days(name, given))
        spans = [self._span(g) for g in given]
        return _AMOUNTS[name](*spans)

    def _on_days(self, name: str, given: list[exp.Expr]) -> exp.Expr:
        if name == "known":
            operand = self._operand(given[0])
            return exp.Not(this=is_null(operand.high if isinstance(operand, Span) else operand.sql))
        first, last = self._plain(given[0]), self._plain(given[-1])
        start, end = self._plain(exp.column("window_from")), self._plain(exp.column("window_to"))
        if name == "touches_window":
            return exp.and_(exp.LTE(this=first, expression=end), exp.GTE(this=last, expression=start))
        return exp.and_(exp.GTE(this=first, expression=start), exp.LTE(this=last, expression=end))

    def _test(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, (exp.And, exp.Or)):
            return type(node)(this=exp.paren(self._truth(node.this).sql), expression=exp.paren(self._truth(node.expression).sql))
        if isinstance(node, exp.Not):
            return exp.Not(this=exp.paren(self._truth(node.this).sql))
        if isinstance(node, exp.In):
            return exp.In(this=self._plain(node.this), expressions=[self._plain(n) for n in node.expressions])
        if isinstance(node, exp.Is):
            return is_null(self._plain(node.this))
        if isinstance(node, (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ)):
            return self._comparison(node)
        raise self._refuse(node)

    def _comparison(self, node: exp.Binary) -> exp.Expr:
        a, b = self._operand(node.this), self._operand(node.expression)
        if isinstance(a, Span) and isinstance(b, Span) and not isinstance(node, exp.NEQ):
            return compared(type(node), a, b).sql
        if isinstance(a, Plain) and isinstance(b, Plain):
            return type(node)(this=a.sql, expression=b.sql)
        raise self._refuse(node)

    def _span(self, node: exp.Expr) -> Span:
        operand = self._operand(node)
        if not isinstance(operand, Span):
            raise self._refuse(node)
        return operand

    def _truth(self, node: exp.Expr) -> Truth:
        operand = self._operand(node)
        if not isinstance(operand, Truth):
            raise self._refuse(node)
        return operand

    def _plain(self, node: exp.Expr) -> exp.Expr:
        operand = self._operand(node)
        if not isinstance(operand, Plain):
            raise self._refuse(node)
        return operand.sql


_AMOUNTS: dict[str, Callable[..., Span]] = {
    "max0": max0,
    "greater": greater,
    "lesser": lesser,
    "at_most": lambda a: Span(integer(0), a.high, a.scale),
    "more_than": more_than,
    "between_bounds": lambda a, b: Span(aligned(a, b)[0].low, aligned(a, b)[1].high, max(a.scale, b.scale), a.nonnegative),
    "lower_bound": lambda a: Span(a.low, a.low, a.scale, a.nonnegative),
    "unknown": lambda: Span(integer(0), null()),
}
