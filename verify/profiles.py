"""What a batch looks like in a few figures, measured once, when it is taken in, and kept with it in the archive.

Integers only, the same in whatever order the rows come: counts, and medians of the values above zero to two figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from verify.archive import Counts
from verify.citizen_id import birth_of, valid_id18
from verify.rule_extracts import Extract, Person

PROFILE = {"measure": pl.String, "column": pl.String, "value": pl.Int64}
RECEIVED, ROWS, REFUSED, REMOVED, PLACE, EMPTY, VALID, AMOUNTS, MEDIAN = (
    "received", "rows", "refused", "removed", "place", "empty", "valid", "amounts", "median",
)  # fmt: skip
ENOUGH_IDS = 50_000  # to know a share of valid ones to a fraction of the points any guard asks for
# Amounts are counted by their first two figures: enough for a guard, the same in any order, and nobody's amount is kept.
STEPS = pl.Series([*range(1, 10), *(first * 10**zeros for zeros in range(18) for first in range(10, 100) if first * 10**zeros < 2**63)], dtype=pl.Int64)


@dataclass(frozen=True, slots=True)
class Profile:
    """A batch in figures: by measure and column ('' for the batch as a whole).

    `received`, `refused` and `removed` rows; `rows` that are kept and remove nothing, and of these, by column, how many are
    `empty` and how many hold a `valid` ID; of amounts above zero how many (`amounts`) and their `median`; the `place` of
    every declared column among the headers.
    """

    figures: Mapping[tuple[str, str], int]

    def of(self, measure: str, column: str = "") -> int:
        """One figure; zero where it was not measured."""
        return self.figures.get((measure, column), 0)

    def columns(self, measure: str) -> list[str]:
        """The columns that have this figure; those of `place` in the order of the headers."""
        found = [column for of, column in self.figures if of == measure]
        return sorted(found, key=lambda column: (self.of(measure, column) if measure == PLACE else 0, column))


class Measuring:
    """The profile of one file in the making: it is given the kept rows, all at once or piece by piece, in any order.

    `places` says where each declared column stands, `announced` how many rows there will be: of many, IDs are looked at for
    one number in so many alone, chosen by what the number is and not by where it stands.
    """

    def __init__(self, extract: Extract, places: Mapping[str, int], *, announced: int) -> None:
        self._one_in = max(1, announced // ENOUGH_IDS)
        self._looked_at: Counter[str] = Counter()
        self._amounts = {column.column: Counter[int]() for column in extract.columns if column.type in {"money", "number"} and column.column in places}
        self._ids = {person.id: _key_of(person) for person in extract.people if person.id is not None and person.id in places}
        self._figures = {(measure, ""): 0 for measure in (ROWS, REMOVED)} | {(PLACE, name): place for name, place in places.items()}
        self._figures |= {(EMPTY, name): 0 for name in places} | {(VALID, name): 0 for name in self._ids}

    def add(self, kept: pl.DataFrame) -> None:
        """Count a piece of the kept rows: `_delete` and the declared columns."""
        standing = kept.filter(~pl.col("_delete")) if kept["_delete"].any() else kept
        self._figures[ROWS, ""] += standing.height
        self._figures[REMOVED, ""] += kept.height - standing.height
        for of, name in self._figures:
            if of == EMPTY:
                self._figures[of, name] += standing[name].null_count()
        for name, key in self._ids.items():
            numbers = standing.select(key.drop_nulls()).to_series()
            numbers = numbers.filter(numbers.hash(0) % self._one_in == 0) if self._one_in > 1 else numbers
            self._looked_at[name] += numbers.len()
            self._figures[VALID, name] += _valid(numbers)
        for name, found in self._amounts.items():
            above = standing[name].filter(standing[name] > 0)
            found.update(dict(STEPS.search_sorted(above, side="right").value_counts(name="n").iter_rows()))

    def table(self, counts: Counts) -> pl.DataFrame:
        """The profile (see `Profile`) as a table, ordered."""
        figures = self._figures | {(RECEIVED, ""): counts.received, (REFUSED, ""): counts.refused}
        for name in self._ids:
            figures[VALID, name] = figures[VALID, name] * (figures[ROWS, ""] - figures[EMPTY, name]) // max(1, self._looked_at[name])
        for name, found in self._amounts.items():
            figures[AMOUNTS, name] = found.total()
            if found:
                figures[MEDIAN, name] = _middle(found)
        return pl.DataFrame(sorted((of, column, value) for (of, column), value in figures.items()), schema=PROFILE, orient="row")


def _key_of(person: Person) -> pl.Expr:
    """The ID inside the column that holds it."""
    return pl.col(person.id or "").str.slice(0, 18) if person.id_part == "first_18" else pl.col(person.id or "")


def _middle(found: Counter[int]) -> int:
    """The step below the value in the middle, the lower of two."""
    left = (found.total() - 1) // 2
    for at in sorted(found):
        if left < found[at]:
            return int(STEPS[at - 1])
        left -= found[at]
    raise ValueError("no values")


def _valid(keys: pl.Series) -> int:
    """How many numbers can be a citizen's: eighteen characters with the right one at the end, or fifteen with a birth date."""
    length = keys.str.len_bytes()
    new, old = keys.filter(length == 18).to_frame("key"), keys.filter(length == 15).to_frame("key")
    shaped = pl.col("key").str.contains("^[1-9][0-9]{14}$") & birth_of(pl.col("key")).is_not_null()
    return int(new.select(valid_id18(pl.col("key")).sum()).item()) + int(old.select(shaped.sum()).item())
