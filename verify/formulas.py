"""Read rule expressions: a checked subset of SQL scalar expressions, and the names each one uses.

The door to sqlglot, with `formulas_spans.py`. An expression may hold names, texts, the numbers 0 and 1, + − × ÷,
comparisons, IN, IS NULL, AND, OR, NOT, CASE, COALESCE and the functions below; anything else is refused by an
allow-list, so no query, no file and no unknown function can hide in a rule (design §5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from verify.problems import Problem, UsageError

ALLOWED = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Paren,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.EQ,
    exp.NEQ,
    exp.In,
    exp.Is,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Anonymous,
    exp.Sum,
)

FUNCTIONS = {
    "max0": 1,
    "greater": 2,
    "lesser": 2,
    "at_most": 1,
    "more_than": 1,
    "between_bounds": 2,
    "lower_bound": 1,
    "unknown": 0,
    "known": 1,
    "has": 1,
    "the_member": 1,
    "any_member": 1,
    "inside_window": 2,
    "touches_window": 2,
    "in_window": 1,
}
CONSTANTS = {"months_a_year": 12}
DAYS = ("as_of", "as_of_month", "window_from", "window_to")


@dataclass(frozen=True)
class Formula:
    """A parsed expression and the names it reads. `sums` and `members` are names gathered over a case's members."""

    text: str
    tree: exp.Expr
    names: frozenset[str]
    sums: frozenset[str]
    tested: frozenset[str]
    has: frozenset[str]


def parse(text: str, where: str) -> Formula:
    """Parse one expression and hold every node of it against the allow-list.

    Raises UsageError: E-FORMULA (cannot be read), E-FORMULA-NODE (something that is not allowed), E-FORMULA-NUMBER (a
    bare number: the law's values are parameters).
    """
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        raise UsageError(Problem("E-FORMULA", where, {"text": text})) from error
    sums, tested, has = set(), set(), set()
    for node in tree.walk():
        _check(node, text, where)
        if isinstance(node, exp.Sum):
            sums.add(node.this.name)
        elif isinstance(node, exp.Anonymous) and node.name.lower() in {"the_member", "any_member"}:
            tested.add(node.expressions[0].name)
        elif isinstance(node, exp.Anonymous) and node.name.lower() == "has":
            has.add(node.expressions[0].name)
    names = {node.name for node in tree.find_all(exp.Column)}
    return Formula(text, tree, frozenset(names), frozenset(sums), frozenset(tested), frozenset(has))


def _check(node: exp.Expr, text: str, where: str) -> None:
    """Refuse one node that is not on the allow-list."""
    if not isinstance(node, ALLOWED) or (isinstance(node, exp.Column) and node.table):
        raise UsageError(Problem("E-FORMULA-NODE", where, {"text": text, "found": type(node).__name__}))
    if isinstance(node, exp.Anonymous) and FUNCTIONS.get(node.name.lower()) != len(node.expressions):
        raise UsageError(Problem("E-FORMULA-NODE", where, {"text": text, "found": node.name}))
    if isinstance(node, exp.Literal) and not node.is_string and node.this not in {"0", "1"}:
        raise UsageError(Problem("E-FORMULA-NUMBER", where, {"text": text, "found": node.this}))


def in_order(needs: dict[str, Iterable[str]], where: dict[str, str]) -> list[list[str]]:
    """Names in levels: each level reads only names of levels before it, or names that are not in `needs`.

    Raises UsageError (E-RULE-CYCLE) where names read each other in a circle.
    """
    levels: list[list[str]] = []
    left = {name: {n for n in read if n in needs} for name, read in needs.items()}
    done: set[str] = set()
    while left:
        level = sorted(name for name, read in left.items() if read <= done)
        if not level:
            circle = sorted(left)
            raise UsageError(*(Problem("E-RULE-CYCLE", where[name], {"names": ", ".join(circle)}) for name in circle))
        levels.append(level)
        done |= set(level)
        left = {name: read for name, read in left.items() if name not in done}
    return levels


def month_before(day: date, months: int) -> date:
    """The first day of the month that lies `months` before the month of `day`."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def days(as_of: date, window_months: int = 12) -> dict[str, exp.Expr]:
    """The dates a rule may name: the as-of date, its month, and the look-back window of whole calendar months."""
    month = as_of.replace(day=1)
    last = date.fromordinal(month.toordinal() - 1)
    found = {"as_of": as_of, "as_of_month": month, "window_from": month_before(as_of, window_months), "window_to": last}
    return {name: _day(value) for name, value in found.items()}


def _day(value: date) -> exp.Expr:
    return exp.cast(exp.Literal.string(value.isoformat()), "DATE")


def plain_condition(expression: str, as_of: date, where: str = "rules") -> str:
    """A condition over a row's own columns as DuckDB SQL: TRUE, FALSE, or NULL where a column it needs is blank."""
    tree = parse(expression, where).tree.copy()
    named = days(as_of)

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return named.get(node.name, exp.column(node.name, quoted=True))
        return node

    return tree.transform(replace).sql(dialect="duckdb")
