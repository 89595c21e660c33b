"""Two rule books side by side, of two regions or on two days: each value, rule, test and row of the table in which they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from verify.pack_gaps import bounds_told
from verify.parameters import value_in_force
from verify.rule_decisions import Decision, Rule
from verify.rule_facts import Input, Parameter
from verify.rulebook import Rulebook

KEYS = ("expr", "when", "amount", "per", "keep", "count", "value", "limit")


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that is not the same in both: what it is, its label, and what each says with its law ('' where it is not there)."""

    kind: str
    name: str
    label: str
    left: str
    right: str
    left_law: str
    right_law: str


@dataclass(frozen=True, slots=True)
class Side:
    """A rule book on a day."""

    book: Rulebook
    day: date


def compare(left: Side, right: Side) -> list[Difference]:
    """Every difference in what is decided, in order of kind and name. Labels, examples and places are not compared."""
    a, b = _said(left), _said(right)
    found = []
    for kind, name in sorted({*a, *b}):
        one, other = a.get((kind, name)), b.get((kind, name))
        if (one or ("", "", ""))[0] != (other or ("", "", ""))[0]:
            label = (one or other or ("", "", ""))[2]
            said = [(one or ("", ""))[0], (other or ("", ""))[0]], [(one or ("", ""))[1], (other or ("", ""))[1]]
            found.append(Difference(kind, name, label, said[0][0], said[0][1], said[1][0], said[1][1]))
    return found


def _said(side: Side) -> dict[tuple[str, str], tuple[str, str, str]]:
    """What each entry says on the day: its text, its law, its label."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for entry in side.book.entries.values():
        found |= dict(_of_entry(side, entry.shape))
    return found


def _of_entry(side: Side, shape: Any) -> Iterator[tuple[tuple[str, str], tuple[str, str, str]]]:
    if isinstance(shape, Parameter):
        yield ("parameter", shape.parameter), (*value_told(side, shape), shape.label)
    elif isinstance(shape, Rule):
        rule = shape.in_force(side.day)
        if rule is not None:
            yield ("test" if rule.type == "test" else "rule", rule.rule), (_text(rule), "；".join(rule.law), rule.label)
    elif isinstance(shape, Input):
        yield ("input", shape.input), (_text(shape), "；".join(shape.law), shape.label)
    elif isinstance(shape, Decision):
        for row in shape.rows:
            asked = [name for name, cell in zip(shape.columns, row.when, strict=False) if cell == "pass"]
            yield ("decision", row.then), ("、".join(asked), "；".join(row.law), row.label)


def _text(shape: Any) -> str:
    said = [(key, getattr(shape, key, None)) for key in KEYS]
    return "; ".join(f"{key}: {' '.join(str(text).split())}" for key, text in said if text)


def value_told(side: Side, parameter: Parameter) -> tuple[str, str]:
    """The value in force for the book's own division with its unit, or `?`; and its law."""
    value = value_in_force(parameter, side.book.membership.home_region, side.day)
    if value is None:
        return "?", ""
    plain = value.value
    told = "、".join(f"{area} {amount}" for area, amount in plain.items()) if isinstance(plain, dict) else bounds_told(value) if plain is None else str(plain)
    return f"{told} {parameter.unit}", "；".join(value.law)
