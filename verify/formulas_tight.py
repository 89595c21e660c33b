"""What a test is when a name that it reads more than once is one and the same value: the plain reading, or what cases settle.

Read plainly, every mention of a name runs through its interval by itself: `age >= a or age < b` is open where age is not known,
though any age may do. So a test gets a second reading for where the first leaves it open: (a) a comparison that rises or falls with
each name it repeats is read at the ends of their intervals; (b) a condition that others depend on is taken to hold, then to fail,
each time with what that says of the names in it; where both come to the same, that is the answer. Both readings hold for every
value, so the second never contradicts the first, and it never is looser. Its functions begin with `_`; no rule can name them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from sqlglot import exp

from verify.formulas import DAYS
from verify.formulas_slopes import contrary, leaf, leaves, sense, slope_of, text

CONDITIONS, LONGEST = 2, 400  # conditions taken both ways, each of which doubles the second reading; nodes of the longest
PLAIN = {*DAYS, "area", "relation"}
Key = tuple[str, ...]
_COMPARED = (exp.LT, exp.LTE, exp.GT, exp.GTE)


def tightened(tree: exp.Expr, most: Mapping[str, Fraction], parts: Sequence[tuple[str, exp.Expr]] = ()) -> exp.Expr:
    """The test with its second reading, or as it is where it has none.

    `most` is the largest value of each parameter; `parts` are what its names stand for, in order, which the second reading reads.
    """
    exact: set[str] = set()
    whole = _with_parts(tree, parts)
    if not any(count > 1 and name not in most for name, count in leaves(whole).items()):
        return tree
    other = _pieces(whole, _to_split(whole, most), most, exact)
    if other is whole or sum(1 for _ in other.walk()) > LONGEST:
        return tree
    other = _said(other)
    if sense(other) == sense(tree):  # nothing was gained: the same conditions in another order
        return tree
    for name in sorted(exact):  # a division without a value has no largest one, and one of two is not one and the same
        other = call("_where", call("_exact", exp.column(name)), other)
    return call("_first", tree, other)


def each_way(tree: exp.Expr) -> exp.Expr:
    """A condition over the outcomes of tests, read again with each of those it names twice taken both ways, one at a time."""
    whole, twice = tree, [node for node in tree.find_all(exp.Column) if leaves(tree)[text(node)] > 1]
    for node in {text(one): one for one in twice}.values():
        whole = call("_first", whole, _said(_pieces(tree, [node], {}, set())))
    return whole


def _said(tree: exp.Expr) -> exp.Expr:
    """What is settled whatever the values, as 1 = 1 or 1 = 0."""
    if not isinstance(tree, exp.Boolean):
        return tree
    return exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1 if tree.this else 0))


def _with_parts(tree: exp.Expr, parts: Sequence[tuple[str, exp.Expr]]) -> exp.Expr:
    said: dict[str, exp.Expr] = {}

    def put(node: exp.Expr) -> exp.Expr:
        return said[node.name].copy() if isinstance(node, exp.Column) and node.name in said else node

    for name, part in parts:
        said[name] = exp.Paren(this=part.transform(put))
    return tree.transform(put) if said else tree


def call(name: str, *given: exp.Expr) -> exp.Expr:
    """A function of some expressions, which are copied."""
    return exp.Anonymous(this=name, expressions=[one.copy() for one in given])


# --- conditions, taken both ways --------------------------------------------------------------------------------------


def _pieces(tree: exp.Expr, split: Sequence[exp.Expr], most: Mapping[str, Fraction], exact: set[str]) -> exp.Expr:
    """The test with its first condition taken both ways, and so on; what is left is read at the ends."""
    if not split:
        return _at_ends(tree, most, exact)
    first, *rest = split
    names = frozenset(most)
    sides = [(_assume(tree, first, names, holds=way), [_assume(one, first, names, holds=way) for one in rest]) for way in (True, False)]
    ways = [_pieces(side, [one for one in left if not isinstance(one, exp.Boolean)], most, exact) for side, left in sides]
    return ways[0] if ways[0] == ways[1] else _either(first, *ways)


def _either(condition: exp.Expr, then: exp.Expr, other: exp.Expr) -> exp.Expr:
    """One or the other by a condition; AND or OR where one of them is settled."""
    fails = contrary(condition)
    asked, settled, left = (condition.copy(), then, other) if isinstance(then, exp.Boolean) else (fails, other, then)
    if not isinstance(settled, exp.Boolean):
        return call("_case", condition, then, other)
    if isinstance(left, exp.Boolean):
        return asked if settled.this else contrary(asked)
    turned = asked if settled.this else contrary(asked)
    return (exp.Or if settled.this else exp.And)(this=exp.Paren(this=turned), expression=exp.Paren(this=left.copy()))


def _to_split(tree: exp.Expr, most: Mapping[str, Fraction]) -> list[exp.Expr]:
    """The conditions that others depend on: said twice, or about a name that is said elsewhere too; those inside amounts first."""
    found = sorted(_conditions(tree, inside=False), key=lambda one: not one[1])
    times = Counter(_key(node)[0] for node, _ in found)
    everywhere, chosen = leaves(tree), dict[Key, exp.Expr]()
    for node, _ in found:
        key, own = _key(node)[0], leaves(node)
        elsewhere = any(everywhere[name] > count * times[key] for name, count in own.items() if name not in most)
        if key != _key(tree)[0] and (times[key] > 1 or elsewhere):
            chosen.setdefault(key, node)
    return list(chosen.values())[:CONDITIONS]


def _conditions(node: exp.Expr, *, inside: bool) -> Iterator[tuple[exp.Expr, bool]]:
    """Every condition in a test, and whether it stands in an amount."""
    if isinstance(node, (exp.And, exp.Or)):
        yield from (*_conditions(node.this, inside=inside), *_conditions(node.expression, inside=inside))
    elif isinstance(node, (exp.Not, exp.Paren)):
        yield from _conditions(node.this, inside=inside)
    else:
        yield node, inside
        for case in node.find_all(exp.Case):
            yield from (one for branch in case.args["ifs"] for one in _conditions(branch.this, inside=True))


def _key(node: exp.Expr) -> tuple[Key, bool]:
    """A condition and its contrary have one key: every comparison of amounts is a < b or not; whether it is the key itself."""
    if isinstance(node, (exp.Paren, exp.Not)):
        key, same = _key(node.this)
        return key, same is isinstance(node, exp.Paren)
    if not isinstance(node, _COMPARED) or not _of_amounts(node):
        return (text(node),), True
    left, right = text(node.this), text(node.expression)
    turned = isinstance(node, (exp.GT, exp.LTE))
    return ("<", *((right, left) if turned else (left, right))), isinstance(node, (exp.LT, exp.GT))


def _of_amounts(node: exp.Expr) -> bool:
    """Whether both sides are amounts, not texts or days."""
    texts = any(literal.is_string for literal in node.find_all(exp.Literal))
    return not texts and not any(column.name in PLAIN for column in node.find_all(exp.Column)) and not list(node.find_all(exp.Coalesce))


def _assume(tree: exp.Expr, condition: exp.Expr, exact: frozenset[str], *, holds: bool) -> exp.Expr:
    """The tree where a condition holds, or fails: the condition is settled wherever it stands, its names are narrowed."""
    key, same = _key(condition)
    narrowed = {name: less for name, less in _narrowed(condition, holds=holds).items() if name not in exact}

    def settled(node: exp.Expr) -> exp.Expr:
        if isinstance(node, (*_COMPARED, exp.EQ, exp.NEQ, exp.In, exp.Is, exp.Column, exp.Anonymous)) and _key(node)[0] == key:
            return exp.Boolean(this=holds is (_key(node)[1] is same))
        return narrowed.get(leaf(node), node).copy() if leaf(node) else node  # a copy: what stands inside a leaf is left alone

    return _folded(tree.transform(settled))


def _folded(tree: exp.Expr) -> exp.Expr:
    """The tree without what is settled in it; a Boolean where all of it is."""
    for name, child in list(tree.args.items()):
        children = child if isinstance(child, list) else [child]
        folded = [_folded(one) if isinstance(one, exp.Expression) else one for one in children]
        tree.set(name, folded if isinstance(child, list) else folded[0])
    if isinstance(tree, exp.Case):
        return _folded_case(tree)
    if isinstance(tree, (exp.Paren, exp.Not)) and isinstance(tree.this, exp.Boolean):
        return exp.Boolean(this=tree.this.this is isinstance(tree, exp.Paren))
    if isinstance(tree, (exp.And, exp.Or)):
        deciding = isinstance(tree, exp.Or)
        for one, other in ((tree.this, tree.expression), (tree.expression, tree.this)):
            if isinstance(one, exp.Boolean):
                return one if one.this is deciding else other
    return tree


def _folded_case(tree: exp.Case) -> exp.Expr:
    """A case without the branches that are not taken; what the first one gives that surely is."""
    left, default = [], tree.args.get("default") or call("unknown")
    for branch in tree.args["ifs"]:
        if not isinstance(branch.this, exp.Boolean):
            left.append(branch)
        elif branch.this.this:
            default = branch.args["true"]
            break
    return exp.Case(ifs=left, default=default) if left else exp.Paren(this=default)


def _narrowed(condition: exp.Expr, *, holds: bool) -> dict[str, exp.Expr]:
    """What a comparison says of a name that is one side of it, where the other side does not rest on that name."""
    while isinstance(condition, (exp.Paren, exp.Not)):
        condition, holds = condition.this, holds is isinstance(condition, exp.Paren)
    if not isinstance(condition, _COMPARED) or not _of_amounts(condition):
        return {}
    below = isinstance(condition, (exp.LT, exp.LTE)) is holds
    sides = ((condition.this, condition.expression, below), (condition.expression, condition.this, not below))
    return {
        text(one): call("_upto" if under else "_from", one, other)
        for one, other, under in sides
        if leaf(one) and not leaves(one) & leaves(other)
    }


# --- comparisons, read at the ends of what they repeat ----------------------------------------------------------------


def _at_ends(tree: exp.Expr, most: Mapping[str, Fraction], exact: set[str]) -> exp.Expr:
    """The test with every comparison read at the ends that can be; the tree itself where none can."""
    if isinstance(tree, (exp.And, exp.Or)):
        left, right = _at_ends(tree.this, most, exact), _at_ends(tree.expression, most, exact)
        same = left is tree.this and right is tree.expression
        return tree if same else type(tree)(this=left.copy(), expression=right.copy())
    if isinstance(tree, (exp.Not, exp.Paren)):
        inner = _at_ends(tree.this, most, exact)
        return tree if inner is tree.this else type(tree)(this=inner.copy())
    return _comparison(tree, most, exact) if isinstance(tree, _COMPARED) and _of_amounts(tree) else tree


def _comparison(node: exp.Expr, most: Mapping[str, Fraction], exact: set[str]) -> exp.Expr:
    """a < b as a − b < 0, the difference at its least and at its most; itself where it does not rise or fall with all it repeats."""
    difference = exp.Sub(this=exp.Paren(this=node.this.copy()), expression=exp.Paren(this=node.expression.copy()))
    twice = [name for name, count in leaves(difference).items() if count > 1]
    repeated, used = [name for name in twice if name not in most], {name for name in twice if name in most}
    slopes = {name: slope_of(difference, name, most, used) for name in repeated}
    rises = {name: low is not None and low >= 0 for name, (low, _) in slopes.items()}
    if not repeated or any(not rises[name] and (high is None or high > 0) for name, (_, high) in slopes.items()):
        return node
    exact |= used
    flat = {name for name, slope in slopes.items() if not any(end is None or end for end in slope)}  # any value will do
    ends = [_ended(difference, {name: name in flat or up is least for name, up in rises.items()}) for least in (True, False)]
    return type(node)(this=call("between_bounds", *ends), expression=exp.Literal.number(0))


def _ended(tree: exp.Expr, low: Mapping[str, bool]) -> exp.Expr:
    """The tree with each of these names at its low bound, or at its high one."""

    def at_its_end(node: exp.Expr) -> exp.Expr:
        name = leaf(node)
        return call("lower_bound" if low[name] else "_high", node) if name in low else node.copy() if name else node

    return tree.transform(at_its_end)
