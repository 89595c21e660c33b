"""How an amount rises with one of the names it rests on, whatever the others are: what lets a comparison be read at ends alone.

A leaf is what has one value wherever it stands in an expression: a name, a sum over members, a question to the members.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

from sqlglot import exp

from verify.formulas import ASKED, CONSTANTS

OPAQUE = (*ASKED, "known", "_upto", "_from")  # what stands inside is not looked at
Sense = str | tuple[str, frozenset["Sense"]]
Slope = tuple[Fraction | None, Fraction | None]  # at least and at most; None for no bound

_FLAT: Slope = (Fraction(0), Fraction(0))
_ANY: Slope = (None, None)


def text(node: exp.Expr) -> str:
    """An expression as one text, the same for the same expression (sqlglot's own writer takes twenty times as long)."""
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, (exp.Literal, exp.Boolean)):
        return repr(node.this)
    own = node.this if isinstance(node, exp.Anonymous) else type(node).__name__
    return f"{own}({','.join(map(text, node.iter_expressions()))})"


def sense(tree: exp.Expr) -> Sense:
    """What a test says: the same for two that differ only in brackets and in the order of what they join."""
    tree = _bare(tree)
    if not isinstance(tree, (exp.And, exp.Or)):
        return text(tree)
    joined, left = set[Sense](), [tree.this, tree.expression]
    while left:
        one = _bare(left.pop())
        if isinstance(one, type(tree)):
            left += [one.this, one.expression]
        else:
            joined.add(sense(one))
    return type(tree).__name__, frozenset(joined)


def contrary(tree: exp.Expr) -> exp.Expr:
    """A test turned round, as a copy; one that was turned round before, as it was."""
    bare = _bare(tree)
    return (_bare(bare.this) if isinstance(bare, exp.Not) else exp.Not(this=exp.Paren(this=bare))).copy()


def _bare(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def function_of(node: exp.Expr) -> str:
    """The name of the function that a node calls, or ''."""
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else ""


def leaf(node: exp.Expr) -> str:
    """The leaf that a node is, as it reads, or ''."""
    is_leaf = isinstance(node, (exp.Column, exp.Sum)) or function_of(node) in OPAQUE
    return text(node) if is_leaf and not (isinstance(node, exp.Column) and node.name in CONSTANTS) else ""


def leaves(node: exp.Expr) -> Counter[str]:
    """How often each leaf stands in an expression."""
    own = leaf(node)
    if own:
        return Counter([own])
    found: Counter[str] = Counter()
    for child in node.iter_expressions():
        found += leaves(child)
    return found


def slope_of(node: exp.Expr, name: str, most: Mapping[str, Fraction], used: set[str]) -> Slope:
    """How much an amount rises with a name, whatever else it rests on."""
    if leaf(node) == name:
        return Fraction(1), Fraction(1)
    if name not in leaves(node):
        return _FLAT
    if isinstance(node, exp.Paren):
        return slope_of(node.this, name, most, used)
    if isinstance(node, (exp.Add, exp.Sub)):
        a, b = (slope_of(side, name, most, used) for side in (node.this, node.expression))
        return _sum(a, b if isinstance(node, exp.Add) else _turned(b))
    if isinstance(node, exp.Mul):
        return _product(node, name, most, used)
    if isinstance(node, exp.Div) and name not in leaves(node.expression):
        return _times(slope_of(node.this, name, most, used), None)
    if isinstance(node, exp.Case) and not any(name in leaves(branch.this) for branch in node.args["ifs"]):
        branches = [branch.args["true"] for branch in node.args["ifs"]] + [one for one in (node.args.get("default"),) if one is not None]
        return _hull(*(slope_of(one, name, most, used) for one in branches), *([] if node.args.get("default") else [_FLAT]))
    if function_of(node) in {"greater", "lesser", "max0"}:
        cut = [_FLAT] if function_of(node) == "max0" else []
        return _hull(*(slope_of(one, name, most, used) for one in node.expressions), *cut)
    return _ANY


def _product(node: exp.Mul, name: str, most: Mapping[str, Fraction], used: set[str]) -> Slope:
    a, b = (slope_of(side, name, most, used) for side in (node.this, node.expression))
    if name in leaves(node.this) and name in leaves(node.expression):  # both are never negative
        return (Fraction(0), None) if all(low is not None and low >= 0 for low, _ in (a, b)) else _ANY
    slope, other = (a, node.expression) if name in leaves(node.this) else (b, node.this)
    while isinstance(other, exp.Paren):
        other = other.this
    if isinstance(other, exp.Column) and other.name in most:
        used.add(other.name)  # the slope holds while the parameter has a value
    return _times(slope, _largest(other, most))


def _largest(node: exp.Expr, most: Mapping[str, Fraction]) -> Fraction | None:
    """The most that a factor can be, where it is a number, a constant or a parameter."""
    if isinstance(node, exp.Literal):
        return Fraction(str(node.this))
    if isinstance(node, exp.Column):
        return Fraction(CONSTANTS[node.name]) if node.name in CONSTANTS else most.get(node.name)
    return None


def _times(slope: Slope, largest: Fraction | None) -> Slope:
    """A slope times anything from nothing to `largest`."""
    low = Fraction(0) if slope[0] is not None and slope[0] >= 0 else None if slope[0] is None or largest is None else slope[0] * largest
    high = Fraction(0) if slope[1] is not None and slope[1] <= 0 else None if slope[1] is None or largest is None else slope[1] * largest
    return low, high


def _sum(a: Slope, b: Slope) -> Slope:
    return (None if a[0] is None or b[0] is None else a[0] + b[0]), (None if a[1] is None or b[1] is None else a[1] + b[1])


def _turned(slope: Slope) -> Slope:
    return (None if slope[1] is None else -slope[1]), (None if slope[0] is None else -slope[0])


def _hull(*slopes: Slope) -> Slope:
    lows, highs = [low for low, _ in slopes if low is not None], [high for _, high in slopes if high is not None]
    return (min(lows) if len(lows) == len(slopes) else None), (max(highs) if len(highs) == len(slopes) else None)
