"""Turn a parsed rule expression into interval SQL within a scope of names, with its types checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlglot import exp

from verify.formulas import CONSTANTS, Formula
from verify.formulas_readings import NARROWED, READ_TWICE
from verify.formulas_spans import (
    LARGEST,
    NARROW,
    QUOTIENT_SCALE,
    Operand,
    Plain,
    RowSql,
    Span,
    Truth,
    aligned,
    between,
    cased,
    compared,
    divided,
    exactly,
    greater,
    lesser,
    max0,
    minus,
    more_than,
    plus,
    times,
)
from verify.formulas_trees import all_of, any_of, integer, is_null, null, when
from verify.problems import Problem, UsageError

T = TypeVar("T")
LONGEST_WINDOW = 1200  # months


@dataclass
class Scope:
    """The names a formula may read, and what they become; a level fills it as it is compiled.

    `has` says whether a fact has a row, `given` holds its amount knowing that it has one; `sums`, `the` and `any` are what
    household formulas ask of the members; `rows` are the inputs compiled against
    the names of cases, and `beside` those names as a query reads them that joins a case to its rows.
    """

    names: dict[str, Operand]
    has: dict[str, Truth] = field(default_factory=dict)
    given: dict[str, Span] = field(default_factory=dict)
    sums: dict[str, Span] = field(default_factory=dict)
    the: dict[str, Truth] = field(default_factory=dict)
    any: dict[str, Truth] = field(default_factory=dict)
    rows: dict[str, RowSql] = field(default_factory=dict)
    beside: dict[str, Operand] = field(default_factory=dict)


@dataclass(frozen=True)
class Compiler:
    """Compiles formulas within one scope; `where` names the rule in refusals, `sizes` are those of all amounts met."""

    scope: Scope
    where: str
    sizes: list[int] = field(default_factory=list)

    def span(self, formula: Formula) -> Span:
        """The formula as an amount. Raises UsageError: E-FORMULA-TYPE where it is none, E-FORMULA-SIZE where 128 bits may not hold it."""
        span = _of_size(self, formula.tree, _span(self, formula.tree))
        return replace(span, narrow=max(self.sizes) < NARROW)

    def truth(self, formula: Formula) -> Truth:
        """The formula as a test. Raises UsageError (E-FORMULA-TYPE) where it is none."""
        return replace(_truth(self, formula.tree), narrow=max(self.sizes, default=0) < NARROW)


def _refuse(at: Compiler, node: exp.Expr, code: str = "E-FORMULA-TYPE") -> UsageError:
    return UsageError(Problem(code, at.where, {"text": node.sql(dialect="duckdb")}))


def _operand(at: Compiler, node: exp.Expr) -> Operand:
    for kind, compiled in _BY_KIND.items():
        if isinstance(node, kind):
            operand = compiled(at, node)
            at.sizes.append(operand.most if isinstance(operand, Span) else 0)
            return operand
    return Truth(_test(at, node))


def _literal(at: Compiler, node: exp.Literal) -> Operand:
    if node.is_string:
        return Plain(node)
    if not node.this.isdigit():
        raise _refuse(at, node)
    return exactly(int(node.this))


def _coalesce(at: Compiler, node: exp.Coalesce) -> Plain:
    return Plain(exp.Coalesce(this=_plain(at, node.this), expressions=[_plain(at, n) for n in node.expressions]))


def _named(at: Compiler, node: exp.Column) -> Operand:
    if node.name in CONSTANTS:
        return exactly(CONSTANTS[node.name])
    if node.name not in at.scope.names:
        raise _refuse(at, node, "E-FORMULA-NAME")
    return at.scope.names[node.name]


def _look_up(at: Compiler, table: Mapping[str, T], node: exp.Expr) -> T:
    if node.name not in table:
        raise _refuse(at, node, "E-FORMULA-NAME")
    return table[node.name]


def _arithmetic(at: Compiler, node: exp.Binary) -> Span:
    a, b = _span(at, node.this), _span(at, node.expression)
    if isinstance(node, (exp.Mul, exp.Div)) and not (a.nonnegative and b.nonnegative):
        raise _refuse(at, node, "E-FORMULA-SIGN")
    return _of_size(at, node, _ARITHMETIC[type(node)](a, b))


def _of_size(at: Compiler, node: exp.Expr, span: Span) -> Span:
    """The amount, if it stays a 128-bit number for every row there can be, shown decimals and all."""
    at.sizes.append(span.most)
    if span.most * 10 ** max(0, QUOTIENT_SCALE - span.scale) > LARGEST:
        raise _refuse(at, node, "E-FORMULA-SIZE")
    return span


def _case(at: Compiler, node: exp.Case) -> Span:
    branches = []
    for branch in node.args["ifs"]:
        condition, inner = _truth(at, branch.this), at
        if isinstance(branch.this, exp.Anonymous) and branch.this.name.lower() == "has":
            named = branch.this.expressions[0].name
            if named in at.scope.given:
                inner = replace(at, scope=replace(at.scope, names={**at.scope.names, named: at.scope.given[named]}))
        branches.append((condition, _span(inner, branch.args["true"])))
    return cased(branches, _span(at, node.args["default"]) if node.args.get("default") else _ANYTHING)


def _function(at: Compiler, node: exp.Anonymous) -> Operand:
    name, given = node.name.lower(), node.expressions
    if name in {"has", "the_member", "any_member"}:
        return _look_up(at, {"has": at.scope.has, "the_member": at.scope.the, "any_member": at.scope.any}[name], given[0])
    if name == "in_months":
        return Truth(_in_months(at, given[0], given[1]))
    if name in {"known", "inside_window", "touches_window", "in_window"}:
        return Truth(_on_days(at, name, given))
    if name in READ_TWICE:
        return READ_TWICE[name](*(_truth(at, g) for g in given))
    return _AMOUNTS[name](*(_span(at, g) for g in given))


def _in_months(at: Compiler, day: exp.Expr, months: exp.Expr) -> exp.Expr:
    """Whether a day lies in so many whole months before the month of the as-of date; open where it is not known in how many."""
    count, tested = _span(at, months), _plain(at, day)
    if count.scale or count.most > LONGEST_WINDOW:
        raise _refuse(at, months, "E-FORMULA-SIZE")
    back = exp.Anonymous(this="to_months", expressions=[exp.cast(count.low, "INTEGER")])
    first = exp.cast(exp.Paren(this=exp.Sub(this=_plain(at, exp.column("as_of_month")), expression=back)), "DATE")
    start = when((exp.EQ(this=count.low, expression=count.high), first), other=exp.Null())
    return all_of(exp.GTE(this=tested, expression=start), exp.LTE(this=tested, expression=_plain(at, exp.column("window_to"))))


def _on_days(at: Compiler, name: str, given: list[exp.Expr]) -> exp.Expr:
    if name == "known":
        operand = _operand(at, given[0])
        return exp.Not(this=is_null(operand.high if isinstance(operand, Span) else operand.sql))
    ends = [_plain(at, node) for node in dict.fromkeys((given[0], given[-1]))]
    start, end = _plain(at, exp.column("window_from")), _plain(at, exp.column("window_to"))
    after, before = [exp.GTE(this=day, expression=start) for day in ends], [exp.LTE(this=day, expression=end) for day in ends]
    if name == "touches_window":  # a period whose ends stand in the wrong order is still a period
        return all_of(any_of(*after), any_of(*before))
    return all_of(*after, *before)


def _test(at: Compiler, node: exp.Expr) -> exp.Expr:
    if isinstance(node, (exp.And, exp.Or)):
        return type(node)(this=exp.Paren(this=_truth(at, node.this).sql), expression=exp.Paren(this=_truth(at, node.expression).sql))
    if isinstance(node, exp.Not):
        return exp.Not(this=exp.Paren(this=_truth(at, node.this).sql))
    if isinstance(node, exp.In):
        return exp.In(this=_plain(at, node.this), expressions=[_plain(at, n) for n in node.expressions])
    if isinstance(node, exp.Is):
        return is_null(_plain(at, node.this))
    if isinstance(node, (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ)):
        return _comparison(at, node)
    raise _refuse(at, node)


def _comparison(at: Compiler, node: exp.Binary) -> exp.Expr:
    a, b = _operand(at, node.this), _operand(at, node.expression)
    if isinstance(a, Span) and isinstance(b, Span) and not isinstance(node, exp.NEQ):
        for side in aligned(a, b):
            _of_size(at, node, side)
        return compared(type(node), a, b).sql
    if isinstance(a, Plain) and isinstance(b, Plain):
        return type(node)(this=a.sql, expression=b.sql)
    raise _refuse(at, node)


def _span(at: Compiler, node: exp.Expr) -> Span:
    operand = _operand(at, node)
    if not isinstance(operand, Span):
        raise _refuse(at, node)
    return operand


def _truth(at: Compiler, node: exp.Expr) -> Truth:
    operand = _operand(at, node)
    if not isinstance(operand, Truth):
        raise _refuse(at, node)
    return operand


def _plain(at: Compiler, node: exp.Expr) -> exp.Expr:
    operand = _operand(at, node)
    if not isinstance(operand, Plain):
        raise _refuse(at, node)
    return operand.sql


_ANYTHING = Span(integer(0), null(), most=0, some=True)
_AMOUNTS: dict[str, Callable[..., Operand]] = {
    "max0": max0,
    "greater": greater,
    "lesser": lesser,
    "at_most": lambda a: Span(integer(0), a.high, a.scale, most=a.most, bounded=a.bounded, some=a.some),
    "more_than": more_than,
    "between_bounds": between,
    "lower_bound": lambda a: Span(a.low, a.low, a.scale, a.nonnegative, a.most),
    "unknown": lambda: _ANYTHING,
    **NARROWED,
}
_ARITHMETIC: dict[type[exp.Expr], Callable[[Span, Span], Span]] = {exp.Add: plus, exp.Sub: minus, exp.Mul: times, exp.Div: divided}
_BY_KIND: dict[type[exp.Expr], Callable[[Compiler, Any], Operand]] = {
    exp.Paren: lambda at, node: _operand(at, node.this),
    exp.Literal: _literal,
    exp.Column: _named,
    exp.Coalesce: _coalesce,
    exp.Case: _case,
    exp.Sum: lambda at, node: _look_up(at, at.scope.sums, node.this),
    exp.Anonymous: _function,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
}
