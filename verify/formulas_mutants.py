"""One mistake at a time in an expression: what a rule's author might have written instead.

Each mutation says what kind of mistake it is; the mutated tree is a new one. Whether it still is a rule the compiler says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

Mutation = tuple[str, exp.Expr]  # the kind of mistake, and what then stands in the node's place
_TURNED: dict[type[exp.Expr], tuple[tuple[str, type[exp.Expr]], ...]] = {
    exp.LT: (("strictness", exp.LTE), ("direction", exp.GT)),
    exp.LTE: (("strictness", exp.LT), ("direction", exp.GTE)),
    exp.GT: (("strictness", exp.GTE), ("direction", exp.LT)),
    exp.GTE: (("strictness", exp.GT), ("direction", exp.LTE)),
    exp.EQ: (("equality", exp.NEQ),),
    exp.NEQ: (("equality", exp.EQ),),
    exp.Add: (("sign", exp.Sub),),
    exp.Sub: (("sign", exp.Add),),
    exp.Mul: (("factor", exp.Div),),
    exp.Div: (("factor", exp.Mul),),
    exp.And: (("connective", exp.Or),),
    exp.Or: (("connective", exp.And),),
}
_RENAMED = {
    "greater": ("greater or lesser", "lesser"),
    "lesser": ("greater or lesser", "greater"),
    "inside_window": ("window", "touches_window"),
    "touches_window": ("window", "inside_window"),
    "the_member": ("whose answer", "any_member"),
    "any_member": ("whose answer", "the_member"),
    "at_most": ("bound", "more_than"),
    "more_than": ("bound", "at_most"),
}
_TRANSPARENT = {"max0": "cut at zero", "at_most": "bound", "more_than": "bound", "lower_bound": "bound"}


def mutated(tree: exp.Expr, siblings: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, exp.Expr]]:
    """Every tree with one mistake in it, and the kind of mistake. `siblings` are the names one could have meant instead."""
    places = list(tree.walk())
    for at, node in enumerate(places):
        for kind, instead in _of_node(node, siblings):
            if at == 0:
                yield kind, instead.copy()
            else:
                copy = tree.copy()
                list(copy.walk())[at].replace(instead.copy())
                yield kind, copy


def _of_node(node: exp.Expr, siblings: dict[str, tuple[str, ...]]) -> Iterator[Mutation]:
    for kind, turned in _TURNED.get(type(node), ()):
        yield kind, turned(this=node.this, expression=node.expression)
    for type_, mutations in _BY_KIND.items():
        if isinstance(node, type_):
            yield from mutations(node, siblings)


def _operand_left_out(node: Any, _siblings: object) -> Iterator[Mutation]:
    yield "left out", node.this
    yield "left out", node.expression


def _case(node: exp.Case, _siblings: object) -> Iterator[Mutation]:
    branches, default = node.args["ifs"], node.args.get("default")
    for at, branch in enumerate(branches):
        others = [*branches[:at], *branches[at + 1 :]]
        if others:
            yield "branch left out", exp.Case(ifs=[b.copy() for b in others], default=default)
        elif default is not None:
            yield "branch left out", default
        yield "branch left out", branch.args["true"]
        turned = [b.copy() for b in branches]
        turned[at] = exp.If(this=exp.Not(this=exp.Paren(this=branch.this.copy())), true=branch.args["true"].copy())
        yield "condition turned", exp.Case(ifs=turned, default=default)


def _word_of_a_list(node: exp.In, _siblings: object) -> Iterator[Mutation]:
    for at in range(len(node.expressions)):
        rest = [*node.expressions[:at], *node.expressions[at + 1 :]]
        if rest:
            yield "word left out", exp.In(this=node.this, expressions=rest)


def _literal(node: exp.Literal, _siblings: object) -> Iterator[Mutation]:
    if node.is_string and node.this and isinstance(node.parent, exp.EQ | exp.NEQ | exp.In):
        yield "word", exp.Literal.string(f"{node.this}？")
    elif not node.is_string:
        yield "number", exp.Literal.number("1" if node.this == "0" else "0")


def _name(node: exp.Column, siblings: dict[str, tuple[str, ...]]) -> Iterator[Mutation]:
    if not isinstance(node.parent, exp.Sum | exp.Anonymous) or node.parent.name.lower() not in {"has", "the_member", "any_member"}:
        yield from (("name", exp.column(sibling)) for sibling in siblings.get(node.name, ()))
    if node.name == "months_a_year":
        yield "month or year", exp.Literal.number("1")


def _function(node: exp.Anonymous, _siblings: object) -> Iterator[Mutation]:
    name = str(node.this).lower()
    if name in _RENAMED:
        kind, other = _RENAMED[name]
        yield kind, exp.Anonymous(this=other, expressions=node.expressions)
    if name in _TRANSPARENT:
        yield _TRANSPARENT[name], node.expressions[0]
    if name in {"between_bounds", "greater", "lesser"}:
        yield from (("left out", given) for given in node.expressions)
    if name == "unknown":
        yield "missing is zero", exp.Literal.number("0")


def _negation(node: exp.Not, _siblings: object) -> Iterator[Mutation]:
    yield "negation left out", node.this


_BY_KIND: dict[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[[Any, dict[str, tuple[str, ...]]], Iterator[Mutation]]] = {
    (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.And, exp.Or): _operand_left_out,
    exp.Case: _case,
    exp.In: _word_of_a_list,
    exp.Literal: _literal,
    exp.Column: _name,
    exp.Anonymous: _function,
    exp.Not: _negation,
    exp.Coalesce: lambda node, _siblings: iter([("blank", node.this)]),
}
