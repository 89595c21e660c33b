"""Values of a parameter from a CSV file beside its entry: for a whole country, where YAML would be read for seconds.

The first line names the columns: `region`, `from`, `law`, and either `value` or one column an area; `to` and `review_by`
where there are any. A line is held to what an entry in YAML is held to.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, cast

from verify.problems import Problem, UsageError
from verify.rule_facts import Parameter, Value
from verify.rule_shapes import AMOUNT, DAY, REGION

_NOTHING = (Decimal(0),)
PLAIN = ("region", "from", "to", "law", "review_by")


def with_table(parameter: Parameter, file: str, text: str) -> tuple[Parameter, dict[int, str]]:
    """The parameter with the values of its table after its own, and where each of those stands (`file:line`) by position.

    Raises UsageError (E-RULE-TABLE) with every line that is wrong.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    head = next(lines, [])
    areas = [name for name in head if name not in (*PLAIN, "value")]
    if {"region", "from", "law"} - set(head) or len(set(head)) < len(head) or ("value" in head) == bool(areas) or bool(areas) != (parameter.by == "area"):
        raise UsageError(Problem("E-RULE-TABLE", f"{file}:1", {"why": "region, from, law + value | " + ", ".join(areas or ["…"])}))
    reader, places, problems = _Reader(head, areas), {}, []
    values = list(parameter.values)
    for line in lines:
        read = reader.value(line)
        if isinstance(read, str):
            problems.append(Problem("E-RULE-TABLE", f"{file}:{lines.line_num}", {"why": read}))
        else:
            places[len(values)] = f"{file}:{lines.line_num}"
            values.append(read)
    if problems:
        raise UsageError(*problems)
    return parameter.model_copy(update={"values": tuple(values)}), places


class Dated(NamedTuple):
    """A value of a table: what `Value` is, at a tenth of its cost (a country has 27,000 of them)."""

    region: str
    from_: date
    to: date | None
    value: Decimal | dict[str, Decimal]
    law: tuple[str, ...]
    review_by: date | None
    amounts: Sequence[Decimal]
    at_least: None = None  # a table gives amounts; bounds are for what is written out
    at_most: None = None


class _Reader:
    """Reads the lines of one table, which has few different days and laws."""

    def __init__(self, head: list[str], areas: list[str]) -> None:
        self._columns, self._areas = len(head), areas
        at = {name: at for at, name in enumerate(head)}
        self._region, self._from, self._law_at = at["region"], at["from"], at["law"]
        self._to, self._review_by = at.get("to"), at.get("review_by")
        self._amounts = [at[name] for name in areas or ["value"]]
        self._days: dict[str, date | None] = {"": None}
        self._laws: dict[str, tuple[str, ...]] = {}
        self._said: dict[str, tuple[Decimal, ...]] = {}
        self._regions: set[str] = set()

    def value(self, line: list[str]) -> Value | str:
        """The value of a line, or the names of the columns that do not hold what they must."""
        if len(line) != self._columns:
            return f"{len(line)} ≠ {self._columns}"
        wrong: list[str] = []
        first = self._day(line[self._from], wrong)
        last = None if self._to is None else self._day(line[self._to], wrong)
        review_by = None if self._review_by is None else self._day(line[self._review_by], wrong)
        region, law = line[self._region], self._law(line[self._law_at])
        if region not in self._regions:
            wrong += [] if REGION.fullmatch(region) else ["region"]
            self._regions |= {region} - set(wrong)
        if not law:
            wrong.append("law")
        amounts = self._amount(line[self._amounts[0]], wrong)
        for at in self._amounts[1:]:
            amounts += self._amount(line[at], wrong)
        if first is None or wrong:
            return ", ".join(wrong or ["from"])
        value = dict(zip(self._areas, amounts, strict=True)) if self._areas else amounts[0]
        return cast("Value", Dated(region, first, last, value, law, review_by, amounts))

    def _amount(self, cell: str, wrong: list[str]) -> tuple[Decimal, ...]:
        if cell not in self._said:
            if not AMOUNT.fullmatch(cell):
                wrong.append(cell[:20])
                return _NOTHING
            self._said[cell] = (Decimal(cell),)
        return self._said[cell]

    def _day(self, cell: str, wrong: list[str]) -> date | None:
        if cell not in self._days:
            try:
                self._days[cell] = date.fromisoformat(cell if DAY.fullmatch(cell) else "")
            except ValueError:
                wrong.append(cell[:20])
                return None
        return self._days[cell]

    def _law(self, cell: str) -> tuple[str, ...]:
        if cell not in self._laws:
            if ";" in cell or "；" in cell:
                self._laws[cell] = tuple(part.strip() for part in re.split("[;；]", cell) if part.strip())
            else:
                self._laws[cell] = (cell.strip(),) if cell.strip() else ()
        return self._laws[cell]
