"""The SQL trees that interval arithmetic is written in, simplified as they are built.

What a constant settles is worked out here and not asked of every row: a vector is laid out for each node of a query's
expressions, which for one household costs more than all else that is done for it (profiled).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

# Trees are built from the node classes themselves: sqlglot's own operators copy both sides each time (half of the CPU of a
# night's planning, measured). Parts are shared between trees, so nothing here may ever change a node in place.
WHOLE = exp.DataType.build("HUGEINT")


def integer(value: int) -> exp.Expr:
    """A whole number as a 128-bit SQL literal, so that products cannot overflow unseen."""
    return whole(exp.Literal.number(value))


def null() -> exp.Expr:
    """No bound."""
    return whole(exp.Null())


def whole(tree: exp.Expr) -> exp.Expr:
    """A 128-bit whole number."""
    return exp.Cast(this=tree, to=WHOLE)


def number_of(tree: exp.Expr) -> int | None:
    """The number that a tree of `integer` is, None for every other tree."""
    inner = tree.this if isinstance(tree, exp.Cast) and tree.args["to"] is WHOLE else None
    return int(inner.this) if isinstance(inner, exp.Literal) else None


def is_no_bound(tree: exp.Expr) -> bool:
    """Whether a tree is that of `null`: no bound, for every row."""
    return isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Null)


def when(*pairs: tuple[exp.Expr, exp.Expr], other: exp.Expr | None) -> exp.Expr:
    """CASE WHEN … END; without `other` NULL where no condition holds."""
    return exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in pairs], default=other)


def is_null(tree: exp.Expr) -> exp.Expr:
    """IS NULL."""
    return exp.Is(this=exp.Paren(this=tree), expression=exp.Null())


def is_not(tree: exp.Expr, *, truth: bool) -> exp.Expr:
    """IS NOT TRUE, or IS NOT FALSE."""
    return exp.Not(this=exp.Is(this=exp.Paren(this=tree), expression=exp.Boolean(this=truth)))


def all_of(*tests: exp.Expr) -> exp.Expr:
    """AND."""
    return _joined(exp.And, tests)


def any_of(*tests: exp.Expr) -> exp.Expr:
    """OR."""
    return _joined(exp.Or, tests)


def _joined(kind: type[exp.Expr], tests: Sequence[exp.Expr]) -> exp.Expr:
    first, *others = tests
    joined: exp.Expr = exp.Paren(this=first) if others else first
    for test in others:
        joined = kind(this=joined, expression=exp.Paren(this=test))
    return joined


def is_zero(tree: exp.Expr) -> exp.Expr:
    """Whether a number is nothing."""
    return exp.EQ(this=tree, expression=integer(0))


def product(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """a × b; nothing times no bound is nothing."""
    x, y = number_of(a), number_of(b)
    if x is not None and y is not None:
        return integer(x * y)
    if 0 in (x, y):
        return integer(0)
    if is_no_bound(a) or is_no_bound(b):
        return null()
    if x == 1 or y == 1:
        return b if x == 1 else a
    if x is not None:
        a, b, x, y = b, a, y, x
    if y is not None and isinstance(a, exp.Paren) and isinstance(a.this, exp.Mul):  # two known factors are one
        before = number_of(a.this.expression)
        return product(a.this.this, integer(before * y)) if before is not None else _of(exp.Mul, a, b)
    return _of(exp.Mul, a, b)


def total(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """a + b."""
    x, y = number_of(a), number_of(b)
    if is_no_bound(a) or is_no_bound(b):
        return null()
    if x is not None and y is not None:
        return integer(x + y)
    if x == 0 or y == 0:
        return b if x == 0 else a
    return _of(exp.Add, a, b)


def less(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """a − b."""
    if is_no_bound(a) or is_no_bound(b):
        return null()
    return a if number_of(b) == 0 else _of(exp.Sub, a, b)


def quotient(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """a ÷ b of whole numbers, cut."""
    return a if number_of(b) == 1 else _of(exp.IntDiv, a, b)


def _of(kind: type[exp.Expr], a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """An arithmetic operation in parentheses."""
    return exp.Paren(this=kind(this=a, expression=b))


def extreme(*trees: exp.Expr, smallest: bool) -> exp.Expr:
    """The smallest or greatest of those that are not NULL; NULL where all are."""
    different = list(dict.fromkeys(tree for tree in trees if not is_no_bound(tree)))
    if len(different) < 2:
        return different[0] if different else null()
    return exp.Anonymous(this="least" if smallest else "greatest", expressions=different)


def unless_any_null(*trees: exp.Expr, tree: exp.Expr) -> exp.Expr:
    """NULL where any of `trees` is, else `tree`."""
    if any(is_no_bound(one) for one in trees):
        return null()
    asked = [is_null(one) for one in dict.fromkeys(trees) if number_of(one) is None]
    return when((any_of(*asked), null()), other=tree) if asked else tree
