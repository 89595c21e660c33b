"""Dated administrative divisions (GB/T 2260): which codes stood when, and which one a place had before or after.

A code inside an ID is where somebody was registered on the day they were given it, in 1984 at the earliest and at any age:
it is held against the codes of all those days, and an unknown code is unknown, never wrong. The table is text with the
columns code, name, from, to (empty: still in force) and successor (empty: none, or split), so that a region's own table can
stand in its rules.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

OPEN_END = date.max
FIRST_NUMBERS = date(1984, 4, 6)


@dataclass(frozen=True, slots=True)
class Division:
    """One code for as long as it stood: from the first day, up to and without the day `until`."""

    code: str
    name: str
    since: date
    until: date
    successor: str


@dataclass(frozen=True, slots=True)
class Divisions:
    """A table of divisions by code."""

    by_code: Mapping[str, tuple[Division, ...]]

    def on(self, code: str, day: date) -> Division | None:
        """The division that had this code on a day; None where the table knows none."""
        return next((one for one in self.by_code.get(code, ()) if one.since <= day < one.until), None)

    def province(self, code: str, day: date) -> Division | None:
        """The province of a code of two to twelve digits on a day; a permit's region included."""
        return self.on(f"{code[:2]}0000", day)

    def possible(self, code: str, birth: date, as_of: date) -> bool | None:
        """Whether an ID of somebody born then may hold this code; None where the table knows neither it nor its county.

        Numbers were first given on 1984-04-06.
        """
        known = self.by_code.get(code) or self.by_code.get(f"{code[:2]}0000")
        first = max(birth, FIRST_NUMBERS)
        return any(one.since <= as_of and one.until > first for one in known) if known else None

    def today(self, code: str, day: date) -> str:
        """The code by which a place that was called `code` is known on a day: successors followed; itself where none is known."""
        seen = {code}
        while not self.on(code, day):
            ended = [one for one in self.by_code.get(code, ()) if one.until <= day and one.successor]
            if not ended or ended[-1].successor in seen:
                break
            code = ended[-1].successor
            seen.add(code)
        return code


@lru_cache(maxsize=4)
def divisions(table: str | None = None) -> Divisions:
    """The divisions of a CSV text; else the provinces that come with the program. Raises KeyError, ValueError for a bad table."""
    text = Path(__file__).with_name("provinces.csv").read_text(encoding="utf-8") if table is None else table
    found: dict[str, list[Division]] = {}
    for line in csv.DictReader(io.StringIO(text)):
        since = date.fromisoformat(line["from"]) if line["from"] else date.min
        until = date.fromisoformat(line["to"]) if line["to"] else OPEN_END
        found.setdefault(line["code"], []).append(Division(line["code"], line["name"], since, until, line["successor"]))
    return Divisions({code: tuple(sorted(ones, key=lambda one: one.since)) for code, ones in found.items()})
