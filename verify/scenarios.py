"""A scenario: values set or scaled, or another rules folder, to be tried on a published night. It is a file, never a rule.

scenario: 边缘倍数提高到 2 倍，标准上调 5%
set: {margin_multiple: "2"}
scale: {line_urban_month: "1.05"}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from verify.problems import Problem, UsageError
from verify.rule_checks import check_rules
from verify.rule_facts import Parameter, Value
from verify.rule_shapes import Amount, Name, Shape
from verify.rule_texts import plain_mapping
from verify.rulebook import Rulebook

FINEST = Decimal("0.0001")  # a scaled share or multiple; money is rounded to the fen


class Scenario(Shape):
    """What is tried: `set` a value (or one an area), `scale` a value by a factor, or `rules`, another folder."""

    scenario: str
    set: dict[Name, Amount | dict[str, Amount]] = Field(default_factory=dict)
    scale: dict[Name, Amount] = Field(default_factory=dict)
    rules: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A scenario's name and the rule book it comes to."""

    name: str
    book: Rulebook


def read_scenario(path: Path, book: Rulebook, as_of: date) -> Tried:
    """The rule book that a scenario file comes to, from the one in force.

    Raises UsageError: E-NO-FILE, E-SCENARIO, and whatever the other rules are refused for.
    """
    try:
        shape = Scenario.model_validate(plain_mapping(path.name, path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(Problem("E-NO-FILE", path.name, {"why": getattr(error, "strerror", None) or type(error).__name__})) from None
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False, include_input=False)]
        raise UsageError(Problem("E-SCENARIO", path.name, {"why": "; ".join(told)})) from None
    if not (shape.set or shape.scale or shape.rules):
        raise UsageError(Problem("E-SCENARIO", path.name, {"why": "set, scale, rules"}))
    tried = check_rules((path.parent / shape.rules).resolve()) if shape.rules else book
    for name, value in shape.set.items():
        tried = _with(tried, name, path.name, lambda _old, wanted=value: wanted, as_of)  # type: ignore[misc]
    for name, factor in shape.scale.items():
        tried = _with(tried, name, path.name, lambda old, by=factor: old * by, as_of)  # type: ignore[misc]
    return Tried(shape.scenario, tried)


def _with(book: Rulebook, name: str, file: str, changed: Callable[[Decimal], Any], as_of: date) -> Rulebook:
    """The book with every value of a parameter that is in force on the day changed."""
    if name not in book.parameters:
        raise UsageError(Problem("E-SCENARIO", file, {"why": name}))
    entry, parameter = book.entry("parameter", name), book.parameters[name]
    in_force = [value.from_ <= as_of and (value.to is None or as_of <= value.to) for value in parameter.values]
    values = tuple(_value(value, parameter, changed) if holds else value for value, holds in zip(parameter.values, in_force, strict=True))
    fresh = Parameter.model_validate(parameter.model_dump(by_alias=True, exclude={"values"})).model_copy(update={"values": values})
    return replace(book, entries={**book.entries, ("parameter", name): replace(entry, shape=fresh)})


def _value(value: Value, parameter: Parameter, changed: Callable[[Decimal], Any]) -> Value:
    step = Decimal("0.01") if parameter.unit.startswith("元") else FINEST

    def fresh(old: Decimal) -> Any:
        found = changed(old)
        return Decimal(f"{found.quantize(step, ROUND_HALF_UP).normalize():f}") if isinstance(found, Decimal) else found  # 840, never 8.4E+2

    if isinstance(value.value, Mapping):
        by = {area: (fresh(old), old) for area, old in value.value.items()}
        return value.model_copy(update={"value": {area: one.get(area, old) if isinstance(one, dict) else one for area, (one, old) in by.items()}})
    if value.value is None:  # the law gives bounds
        bounds = {key: fresh(old) for key in ("at_least", "at_most") if (old := getattr(value, key)) is not None}
        return value.model_copy(update=bounds)
    return value.model_copy(update={"value": fresh(value.value)})
