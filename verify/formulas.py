"""Read rule expressions: a checked subset of SQL scalar expressions, and the names each one uses.

The door to sqlglot, with `formulas_spans.py`. An expression may hold names, texts, the numbers 0 and 1, + − × ÷,
comparisons, IN, IS NULL, AND, OR, NOT, CASE, COALESCE and the functions below; anything else is refused by an
allow-list, so no query, no file and no unknown function can hide in a rule (design §5).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from verify.problems import Problem, UsageError

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it has to say of a text it says by refusing it

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
    "in_months": 2,
}
ASKED = ("has", "the_member", "any_member")  # they are asked of a name, not of an amount
CONSTANTS = {"months_a_year": 12, "one_month": 1, "one_person": 1}
LONGEST, DEEPEST_BRACKETS, DEEPEST_TREE = 2000, 20, 60  # an expression is read by people before it is read by us
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

    Raises UsageError: E-FORMULA (cannot be read), E-FORMULA-LONG (too long or too deep to be read by people),
    E-FORMULA-NODE (something that is not allowed), E-FORMULA-NUMBER (a bare number: the law's values are parameters).
    """
    tree = _tree_of(text, where)
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


def _tree_of(text: str, where: str) -> exp.Expr:
    """The one expression that the text is, without a character that is not seen and not too deep to be followed."""
    if len(text) > LONGEST or _brackets(text) > DEEPEST_BRACKETS:
        raise UsageError(Problem("E-FORMULA-LONG", where, {"most": str(LONGEST), "deepest": str(DEEPEST_BRACKETS)}))
    unseen = [c for c in text if unicodedata.category(c).startswith("C") and c not in "\n\t\r"]
    try:
        found = [] if unseen else sqlglot.parse(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise UsageError(Problem("E-FORMULA", where, {"text": _shown(text)})) from error
    if len(found) != 1 or found[0] is None or text.rstrip().endswith(";"):
        raise UsageError(Problem("E-FORMULA", where, {"text": _shown(text)}))
    level, depth = [found[0]], 0
    while level:
        level, depth = [child for node in level for child in node.iter_expressions()], depth + 1
    if depth > DEEPEST_TREE:
        raise UsageError(Problem("E-FORMULA-LONG", where, {"most": str(LONGEST), "deepest": str(DEEPEST_BRACKETS)}))
    return found[0]


def _brackets(text: str) -> int:
    """How deep brackets and cases stand in each other."""
    depth = deepest = 0
    for mark in re.findall(r"\(|\)|\bcase\b|\bend\b", text.lower()):
        depth += 1 if mark in {"(", "case"} else -1
        deepest = max(deepest, depth)
    return deepest


def _shown(text: str) -> str:
    """A text as an error may repeat it: on one line, not too long, nothing unseen in it."""
    plain = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return plain if len(plain) <= 80 else f"{plain[:80]}…"


def _check(node: exp.Expr, text: str, where: str) -> None:
    """Refuse one node that is not on the allow-list, or that says more than we would read."""
    narrower = next((narrow for kind, narrow in _NARROWER.items() if isinstance(node, kind)), None)
    if not isinstance(node, ALLOWED) or node.comments or (narrower is not None and not narrower(node)):
        found = str(node.this) if isinstance(node, exp.Identifier | exp.Anonymous) else type(node).__name__
        raise UsageError(Problem("E-FORMULA-NODE", where, {"text": _shown(text), "found": _shown(found)}))
    if isinstance(node, exp.Literal) and not node.is_string and node.this not in {"0", "1"}:
        raise UsageError(Problem("E-FORMULA-NUMBER", where, {"text": _shown(text), "found": _shown(node.this)}))


def _is_plain_name(node: exp.Identifier) -> bool:
    """Letters, digits and `_`, none of them a look-alike of another width; a quoted name may be anything."""
    name = str(node.this)
    return bool(node.args.get("quoted")) or (re.fullmatch(r"\w+", name) is not None and unicodedata.normalize("NFKC", name) == name)


def _is_known_function(node: exp.Anonymous) -> bool:
    name, given = str(node.this).lower(), node.expressions
    return FUNCTIONS.get(name) == len(given) and (name not in ASKED or isinstance(given[0], exp.Column))


_NARROWER: dict[type[exp.Expr], Callable[[Any], bool]] = {  # what an allowed kind of node may not say all the same
    exp.Column: lambda node: not node.table,
    exp.Identifier: _is_plain_name,
    exp.Anonymous: _is_known_function,
    exp.Sum: lambda node: isinstance(node.this, exp.Column),
    exp.Is: lambda node: isinstance(node.expression, exp.Null),
    exp.In: lambda node: bool(node.expressions) and not any(node.args.get(more) for more in ("query", "unnest", "field")),
    exp.Case: lambda node: node.this is None,
}


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


_COMPARING = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ, exp.In, exp.Is)
PLAIN = (exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Paren, exp.Coalesce, exp.And, exp.Or, exp.Not, *_COMPARING)


def parse_plain(expression: str, where: str) -> Formula:
    """A condition that only compares a row's own columns with texts and days. Raises UsageError as `parse` does."""
    formula = parse(expression, where)
    for node in formula.tree.walk():
        if not isinstance(node, PLAIN):
            raise UsageError(Problem("E-FORMULA-NODE", where, {"text": _shown(expression), "found": _shown(node.sql(dialect="duckdb"))}))
    return formula


def plain_condition(expression: str, as_of: date, where: str = "rules") -> str:
    """A condition over a row's own columns as DuckDB SQL: TRUE, FALSE, or NULL where a column it needs is blank."""
    tree = parse_plain(expression, where).tree.copy()
    named = days(as_of)

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return named.get(node.name, exp.column(node.name, quoted=True))
        return node

    return tree.transform(replace).sql(dialect="duckdb")
