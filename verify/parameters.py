"""The law's dated, regional values: which value is in force for a division on a day, and the table of them for the cases.

A region is a division code; the longest prefix with a value in force on the day wins (459999100000 → 459999 → 4599 → 45
→ 00). A parameter by area has one value for each area; a case whose area is not known gets the hull of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import polars as pl

from verify.problems import Problem, UsageError
from verify.rule_facts import Parameter, Value
from verify.rulebook import Rulebook


def scale_of(parameter: Parameter) -> int:
    """How many decimals the parameter is kept at."""
    return parameter.scale


def value_in_force(parameter: Parameter, region: str, as_of: date) -> Value | None:
    """The most specific value in force, or None. `from` and `to` are the first and last day."""
    for prefix in (region[:6], region[:4], region[:2], "00"):
        found = [v for v in parameter.by_region.get(prefix, ()) if v.from_ <= as_of and (v.to is None or as_of <= v.to)]
        if found:
            return max(found, key=lambda v: v.from_)
    return None


def bounds(parameter: Parameter, region: str, area: str | None, as_of: date) -> tuple[int, int | None] | None:
    """The parameter as integers at `scale_of`: (low, high), equal where the value is known; None where none is in force.

    `high` is None where the law gives only a lower bound.
    """
    value = value_in_force(parameter, region, as_of)
    if value is None:
        return None
    if value.value is None:
        low, high = value.at_least, value.at_most
        return int((low or Decimal(0)).scaleb(scale_of(parameter))), None if high is None else int(high.scaleb(scale_of(parameter)))
    by_area = value.value if isinstance(value.value, dict) else {}
    amounts = [by_area[area]] if area in by_area else value.amounts
    scaled = [int(amount.scaleb(scale_of(parameter))) for amount in amounts]
    return min(scaled), max(scaled)


def missing_values(book: Rulebook, as_of: date) -> list[Problem]:
    """E-NO-VALUE for every parameter that has no value in force on the day for the bureau's own division."""
    home = book.membership.home_region
    told = {"region": home, "as_of": as_of.isoformat()}
    missing = [name for name, parameter in book.parameters.items() if value_in_force(parameter, home, as_of) is None and not parameter.is_not_known(home)]
    return [Problem("E-NO-VALUE", book.entry("parameter", name).where("values"), {"name": name, **told}) for name in missing]


def same_everywhere(table: pl.DataFrame, names: Iterable[str]) -> dict[str, int]:
    """The parameters that are one known number in every row of a parameter table."""
    found = {}
    for name in names:
        lows, highs = table[f"{name}__low"].unique().to_list(), table[f"{name}__high"].unique().to_list()
        if len(lows) == 1 and lows == highs:
            found[name] = int(lows[0])
    return found


def parameter_table(book: Rulebook, places: list[tuple[str, str | None]], as_of: date) -> pl.DataFrame:
    """One row for each (region, area) of tonight's cases, with `<name>__low` and `<name>__high` of every parameter.

    A division for which the book says nothing has no known value, [0, no bound): its cases stay open. Raises UsageError
    (E-NO-VALUE) with every parameter that has no value in force on the day for the bureau's own division.
    """
    problems = missing_values(book, as_of)
    if problems:
        raise UsageError(*problems)
    rows = []
    for region, area in places:
        row: dict[str, object] = {"region": region, "area": area}
        for name, parameter in book.parameters.items():
            row[f"{name}__low"], row[f"{name}__high"] = (book.speaks_for(region) and bounds(parameter, region, area, as_of)) or (0, None)
        rows.append(row)
    schema: dict[str, pl.DataType] = {"region": pl.String(), "area": pl.String()}
    schema |= {f"{name}__{end}": pl.Int64() for name in book.parameters for end in ("low", "high")}
    return pl.DataFrame(rows, schema=schema).sort("region", "area", nulls_last=False)
