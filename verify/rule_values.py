"""Check the law's values by date and division, and the versions of its rules by date.

No two are in force on one day, no day between two is without one, no value lies below the floor above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from verify.problems import Problem
from verify.rule_decisions import versions_of
from verify.rule_facts import Parameter, Value
from verify.rule_texts import Entry
from verify.rulebook import Rulebook

_DAY = timedelta(days=1)
FEN = 2  # decimals of money


def value_problems(book: Rulebook) -> Iterator[Problem]:
    """Everything that is wrong with the values of parameters, each with the line of the value."""
    home = book.membership.home_region
    for name, parameter in book.parameters.items():
        entry = book.entry("parameter", name)
        at = {id(value): position for position, value in enumerate(parameter.values)}
        yield from _amounts(parameter, entry)
        for region, chain in parameter.by_region.items():
            yield from _overlaps(chain, entry, at, name=name)
            yield from _gaps(chain, parameter, entry, at, name=name)
            if parameter.combine == "at_least_parent":
                for above in _prefixes(region):
                    yield from _below_the_floor(chain, parameter.by_region.get(above, []), entry, at, name=name)
        if not parameter.is_not_known(home) and not any(home.startswith(region) or region == "00" for region in parameter.by_region):
            yield Problem("E-VALUE-HOME", entry.where("values"), {"name": name, "region": home})


def _amounts(parameter: Parameter, entry: Entry) -> Iterator[Problem]:
    """A value for each area where the entry says so, and only there; money to the fen."""
    money, by_area = parameter.unit.startswith("元"), parameter.by == "area"
    fine: dict[Decimal, bool] = {}  # a country has few different amounts
    for position, value in enumerate(parameter.values):
        amounts = value.amounts
        for amount in amounts:
            if amount not in fine:
                fine[amount] = money and -int(amount.as_tuple().exponent) > FEN
        if isinstance(value.value, dict) is not by_area or not amounts or any(fine[amount] for amount in amounts):
            yield Problem("E-VALUE-FORM", entry.where("values", position, "value"), {"name": parameter.parameter})
        if value.to is not None and value.to < value.from_:
            yield Problem("E-VALUE-DAYS", entry.where("values", position, "to"), {"from": value.from_.isoformat(), "to": value.to.isoformat()})


def _prefixes(region: str) -> list[str]:
    """Every division that this one lies in: prefecture, province, the whole country."""
    return list(dict.fromkeys(prefix for prefix in (region[:4], region[:2], "00") if prefix != region))


def _overlaps(chain: list[Value], entry: Entry, at: Mapping[int, int], *, name: str) -> Iterator[Problem]:
    for earlier, later in pairwise(chain):
        if earlier.to is None or earlier.to >= later.from_:
            told = {"name": name, "region": later.region, "day": later.from_.isoformat(), "other": entry.where("values", at[id(earlier)])}
            yield Problem("E-VALUE-OVERLAP", entry.where("values", at[id(later)]), told)


def _gaps(chain: list[Value], parameter: Parameter, entry: Entry, at: Mapping[int, int], *, name: str) -> Iterator[Problem]:
    """Days between two values of a division on which neither holds, nor one of a division above."""
    for earlier, later in pairwise(chain):
        if earlier.to is None or earlier.to >= later.from_ or (later.from_ - earlier.to).days == 1:
            continue
        above = [value for prefix in _prefixes(later.region) for value in parameter.by_region.get(prefix, ())]
        missing = _not_covered(earlier.to + _DAY, later.from_ - _DAY, above)
        if missing:
            told = {"name": name, "region": later.region, "from": missing[0].isoformat(), "to": missing[1].isoformat()}
            yield Problem("E-VALUE-GAP", entry.where("values", at[id(later)]), told)


def _not_covered(first: date, last: date, by: list[Value]) -> tuple[date, date] | None:
    """The first stretch of days from `first` to `last` on which none of the values is in force."""
    for value in sorted(by, key=lambda v: v.from_):
        if value.from_ > first:
            return first, min(last, value.from_ - _DAY)
        if value.to is None:
            return None
        first = max(first, value.to + _DAY)
        if first > last:
            return None
    return first, last


def _below_the_floor(chain: list[Value], floors: list[Value], entry: Entry, at: Mapping[int, int], *, name: str) -> Iterator[Problem]:
    """Values smaller than one of a division above that is in force on one of their days; both in order of their days."""
    first, plain = 0, getattr(entry.shape, "by", None) is None
    for value in chain:
        while first < len(floors) and (floors[first].to or date.max) < value.from_:
            first += 1
        for position in range(first, len(floors)):
            floor = floors[position]
            if value.to is not None and floor.from_ > value.to:
                break
            if value.amounts[0] < floor.amounts[0] if plain else _less(value, floor):
                told = {"name": name, "region": value.region, "floor": floor.region, "other": entry.where("values", at[id(floor)])}
                yield Problem("E-VALUE-FLOOR", entry.where("values", at[id(value)]), told)


def _less(value: Value, floor: Value) -> bool:
    if isinstance(value.value, dict) and isinstance(floor.value, dict):
        return any(amount < floor.value[area] for area, amount in value.value.items() if area in floor.value)
    return not isinstance(value.value, dict) and not isinstance(floor.value, dict) and value.amounts[0] < floor.amounts[0]


def version_problems(book: Rulebook) -> Iterator[Problem]:
    """Versions of a rule, a fact or the table that end before they begin, that hold on one day, or leave days between them; each with its line."""
    for stands in book.entries.values():
        for at, version in enumerate(versions_of(stands.shape)):
            if version.to is not None and version.to < version.from_:
                yield Problem("E-VALUE-DAYS", stands.where("versions", at, "to"), {"from": version.from_.isoformat(), "to": version.to.isoformat()})
        yield from _between_versions(stands)


def _between_versions(stands: Entry) -> Iterator[Problem]:
    in_order = sorted(enumerate(versions_of(stands.shape)), key=lambda one: (one[1].from_, one[0]))
    for (before, earlier), (after, later) in pairwise(in_order):
        where = stands.where("versions", after)
        if earlier.to is None or earlier.to >= later.from_:
            told = {"name": stands.name, "day": later.from_.isoformat(), "other": stands.where("versions", before)}
            yield Problem("E-VERSION-OVERLAP", where, told)
        elif earlier.to + _DAY < later.from_:
            gap = earlier.to + _DAY, later.from_ - _DAY
            yield Problem("E-VERSION-GAP", where, {"name": stands.name, "from": gap[0].isoformat(), "to": gap[1].isoformat()})
