"""Dates, codes, addresses and Latin texts compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.linkage.codes import FEW, Coded, Flags, Ints, Stack, coded
from verify.linkage.distances import jaro_winkler
from verify.linkage.plan import Levels, Rows

LUNAR = (17, 51)  # days that a birthday of the old calendar lies before its day of the new one
Days = npt.NDArray[np.int32]
NO_DAY = np.int32(-(2**31))
_NEAR = 3 * 366  # days; the same day of another year is at most two years off


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth date, and the one inside the row's ID (NULL where there is none).

    Levels: equal; by_id (the dates differ or one is missing, but the other's ID says this date); slip (day and month
    swapped, the first of January, up to two years off on the same day); lunar (17 to 51 days off: the old calendar); year;
    other.
    """

    column: str
    in_id: str
    name: str = "birth"
    levels: tuple[str, ...] = ("nothing", "equal", "by_id", "slip", "lunar", "year", "other")
    hopes: tuple[float, ...] = (0, 1, 0.9, 0.6, 0.5, 0.1, 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The date and the ID's date."""
        return (self.column, self.in_id)

    def prepare(self, stack: Stack, left: int) -> PreparedBirths:
        """Dates as days."""
        return PreparedBirths(_days(stack[self.column]), _days(stack[self.in_id]))


def _days(column: pl.Series) -> Days:
    days = column.to_physical()
    if len(days) <= FEW:
        return np.array([NO_DAY if day is None else day for day in days.to_list()], np.int32)
    return days.cast(pl.Int64).fill_null(int(NO_DAY)).to_numpy().astype(np.int32)


@dataclass(frozen=True, slots=True)
class PreparedBirths:
    """Birth dates of both tables, as days."""

    said: Days
    in_id: Days

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair.

        An ID's date stands for a missing one only where the other side has no ID: two IDs have been weighed as IDs, dates and all.
        """
        a, b, p, q = self.said[ours], self.said[theirs], self.in_id[ours], self.in_id[theirs]
        by_id = (p != q) & (((a == q) & (a != NO_DAY)) | ((b == p) & (b != NO_DAY)))
        a, b = np.where((a == NO_DAY) & (q == NO_DAY), p, a), np.where((b == NO_DAY) & (p == NO_DAY), q, b)
        nothing = (a == NO_DAY) | (b == NO_DAY)
        out = np.where((a == b) & (self.said[ours] == self.said[theirs]), 1, 6).astype(np.uint8)
        (at,) = np.nonzero((out == 6) & ~nothing)
        out[at] = np.where(by_id[at], 2, _unequal(a[at], b[at]))
        out[nothing] = 0
        return out

    def shares(self) -> None:
        """Dates are not weighed by how common they are."""


def _unequal(a: Days, b: Days) -> Levels:
    """The level of two dates that differ."""
    gap = np.abs(a.astype(np.int64) - b)
    out = np.full(len(a), 6, np.uint8)
    (near,) = np.nonzero(gap <= _NEAR)
    out[near] = _close(a[near], b[near], gap[near])
    return out


def _close(a: Days, b: Days, gap: npt.NDArray[np.int64]) -> Levels:
    """The same of dates that are not years apart."""
    x, y = a.astype("datetime64[D]"), b.astype("datetime64[D]")
    xm, ym = x.astype("datetime64[M]"), y.astype("datetime64[M]")
    xy, yy = (m.astype("datetime64[Y]").astype(np.int64) for m in (xm, ym))
    x_month, y_month = (m.astype(np.int64) % 12 + 1 for m in (xm, ym))
    x_day, y_day = ((d - m).astype(np.int64) + 1 for d, m in ((x, xm), (y, ym)))
    year = xy == yy
    swapped = year & (x_month == y_day) & (y_month == x_day)
    new_year = year & (((x_month == 1) & (x_day == 1)) | ((y_month == 1) & (y_day == 1)))
    same_day = (x_month == y_month) & (x_day == y_day) & (np.abs(xy - yy) <= 2)
    return np.select([swapped | new_year | same_day, (gap >= LUNAR[0]) & (gap <= LUNAR[1]), year], [3, 4, 5], 6).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Exact:
    """A column that agrees or does not. Levels: equal, other."""

    column: str
    name: str
    levels: tuple[str, ...] = ("nothing", "equal", "other")
    hopes: tuple[float, ...] = (0, 1, 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column read."""
        return (self.column,)

    def prepare(self, stack: Stack, left: int) -> PreparedExact:
        """Code the values."""
        values = coded(stack[self.column])
        return PreparedExact(values.codes, np.bincount(values.codes[:left], minlength=len(values.values) + 1) / max(left, 1))


@dataclass(frozen=True, slots=True)
class PreparedExact:
    """Values of both tables, and the share of left rows that have each."""

    codes: Ints
    bearers: npt.NDArray[np.float64]

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair."""
        a, b = self.codes[ours], self.codes[theirs]
        out = np.where(a == b, 1, 2).astype(np.uint8)
        out[(a == 0) | (b == 0)] = 0
        return out

    def shares(self) -> npt.NDArray[np.float64]:
        """The share of left rows with each row's value."""
        return self.bearers[self.codes]


@dataclass(frozen=True, slots=True)
class House:
    """An address in four columns: town, place, house numbers joined by `-`, and their first number.

    Levels: equal; near (the same place, and one's numbers begin the other's, or one has none); place; town; other.
    """

    town: str
    place: str
    house: str
    first: str
    name: str = "address"
    levels: tuple[str, ...] = ("nothing", "equal", "near", "place", "town", "other")
    hopes: tuple[float, ...] = (0, 1, 0.8, 0.3, 0.1, 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Its four columns."""
        return (self.town, self.place, self.house, self.first)

    def prepare(self, stack: Stack, left: int) -> PreparedHouses:
        """Code every part."""
        return PreparedHouses(*(coded(stack[column]).codes for column in self.columns))


@dataclass(frozen=True, slots=True)
class PreparedHouses:
    """Addresses of both tables, each part coded."""

    town: Ints
    place: Ints
    house: Ints
    first: Ints

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair."""
        place = (self.place[ours] == self.place[theirs]) & (self.place[ours] > 0)
        town = (self.town[ours] == self.town[theirs]) | (self.town[ours] == 0) | (self.town[theirs] == 0)
        house = self.house[ours] == self.house[theirs]
        near = (self.first[ours] == self.first[theirs]) | (self.first[ours] == 0) | (self.first[theirs] == 0)
        same_town = town & (self.town[ours] > 0) & (self.town[theirs] > 0)
        out = np.select([place & town & house, place & town & near, place & town, same_town], [1, 2, 3, 4], 5).astype(np.uint8)
        none: Flags = (self.place[ours] == 0) | (self.place[theirs] == 0)
        out[none] = 0
        return out

    def shares(self) -> None:
        """Addresses are not weighed by how common they are."""


@dataclass(frozen=True, slots=True)
class Text:
    """A Latin text by Jaro-Winkler likeness in hundredths. Levels: equal; likeness at least each of `at_least`; other."""

    column: str
    name: str
    at_least: tuple[int, ...] = (92, 85)

    @property
    def levels(self) -> tuple[str, ...]:
        """Their names."""
        return ("nothing", "equal", *(f"jw_{one}" for one in self.at_least), "other")

    @property
    def hopes(self) -> tuple[float, ...]:
        """Falling from equal to other."""
        return (0, 1, *(0.7 - 0.3 * at for at in range(len(self.at_least))), 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column read."""
        return (self.column,)

    def prepare(self, stack: Stack, left: int) -> PreparedText:
        """Code the texts."""
        values = coded(stack[self.column])
        bearers = np.bincount(values.codes[:left], minlength=len(values.values) + 1) / max(left, 1)
        return PreparedText(values, self.at_least, bearers)


@dataclass(frozen=True, slots=True)
class PreparedText:
    """Texts of both tables."""

    values: Coded
    at_least: tuple[int, ...]
    bearers: npt.NDArray[np.float64]

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair."""
        a, b = self.values.codes[ours], self.values.codes[theirs]
        out = np.ones(len(a), np.uint8)
        (at,) = np.nonzero((a != b) & (a > 0) & (b > 0))
        x, y = a[at].astype(np.int64) - 1, b[at].astype(np.int64) - 1
        likeness = jaro_winkler(self.values.values, x, y)
        out[at] = np.select([likeness >= one for one in self.at_least], [2 + at_ for at_ in range(len(self.at_least))], 2 + len(self.at_least))
        out[(a == 0) | (b == 0)] = 0
        return out

    def shares(self) -> npt.NDArray[np.float64]:
        """The share of left rows with each row's text."""
        return self.bearers[self.values.codes]

