"""The shapes of rule files on parameters, dated and regional, and on inputs: the facts that are taken from rows."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from verify.rule_shapes import Amount, Day, Name, Region, Shape, Texts


class Example(Shape):
    """A stated case of one entry: what is given, as of when, and what must come out.

    `given` holds rows (for an input) or values of names (for a rule); `expect` an interval `[low, high]` with `null`
    for no bound, one exact amount, or holds / fails / open / a category. Every entry's examples are run by the tests.
    """

    example: str
    as_of: Day | None = None
    region: Region | None = None
    area: str | None = None
    given: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=dict)
    expect: Any


class Value(Shape):
    """One dated, regional value of a parameter with its basis: an amount, or bounds where the law itself gives only those."""

    region: Region
    from_: Day = Field(alias="from")
    to: Day | None = None
    value: Amount | dict[str, Amount] | None = None
    at_least: Amount | None = None
    at_most: Amount | None = None
    law: Texts
    review_by: Day | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Value:
        between = self.at_least is not None or self.at_most is not None
        if between is (self.value is not None) or (self.at_least or 0) > (self.at_most or self.at_least or 0):
            raise ValueError("a value is one amount, or lies between at_least and at_most")
        return self

    @property
    def amounts(self) -> list[Decimal]:
        """The value, that of each area, or the bounds between which it lies."""
        if self.value is None:
            return [amount for amount in (self.at_least, self.at_most) if amount is not None]
        return list(self.value.values()) if isinstance(self.value, dict) else [self.value]


class NotKnown(Shape):
    """A value that a division has or must set, and that no document we read gives: the engine then knows nothing of it."""

    region: Region
    why: str


class Parameter(Shape):
    """A value the law sets, by date, by division code and, where `by` says so, by the case's area.

    `table` names a CSV file beside the entry that holds further values, one a line. `combine: at_least_parent` says that
    no division may fall below the one above it.
    """

    parameter: Name
    label: str
    unit: str
    by: Literal["area"] | None = None
    combine: Literal["at_least_parent"] | None = None
    table: Annotated[str, Field(pattern=r"^\w[\w.-]*\.csv$")] | None = None
    values: tuple[Value, ...] = ()
    not_known: tuple[NotKnown, ...] = ()
    examples: tuple[Example, ...] = ()

    def is_not_known(self, region: str) -> bool:
        """Whether the rules say that no document gives this division a value."""
        return any(region.startswith(one.region) or one.region == "00" for one in self.not_known)

    @cached_property
    def _amounts(self) -> set[Decimal]:
        return {amount for value in self.values for amount in value.amounts}

    @cached_property
    def scale(self) -> int:
        """How many decimals it is kept at: two for money, else as many as its values need."""
        if self.unit.startswith("元"):
            return 2
        return max((max(0, -int(a.as_tuple().exponent)) for a in self._amounts), default=0)

    @cached_property
    def most(self) -> int:
        """The largest of its values, as it is kept."""
        return int(max(self._amounts, default=Decimal(0)).scaleb(self.scale))

    @cached_property
    def least(self) -> int:
        """The smallest of its values, as it is kept."""
        return int(min(self._amounts, default=Decimal(0)).scaleb(self.scale))

    @cached_property
    def by_region(self) -> dict[str, list[Value]]:
        """The values of each division, in order of their first day."""
        found: dict[str, list[Value]] = {}
        for value in sorted(self.values, key=lambda v: v.from_):
            found.setdefault(value.region, []).append(value)
        return found


class BlankZero(Shape):
    """A column whose blank counts as zero, and the reason, which reports print."""

    column: str
    why: str
    law: Texts


class InputVersion(Shape):
    """How a fact is read from a day on, to a last day if there is one; what it leaves out is what the input says at all times."""

    from_: Day = Field(alias="from")
    to: Day | None = None
    review_by: Day | None = None
    when: str | None = None
    amount: str | None = None
    blank: tuple[BlankZero, ...] = ()
    law: Texts = ()


class Input(Shape):
    """A fact taken from rows: which rows count, how much each says, and how they are put together.

    `of: member` sums the rows of a person (`per` with `keep: highest` counts each group once, at its highest);
    `of: household` with `count` counts distinct combinations over all members; `of: case` reads the case's own rows.
    With `versions` each of them is whole, and the input itself says what the newest says, or the one of the plan's day.
    """

    input: Name
    label: str
    fact: Name | None = None
    publish: bool = False
    of: Literal["member", "household", "case"]
    unit: str
    from_: Name = Field(alias="from")
    when: str | None = None
    amount: str | None = None
    per: Texts = ()
    keep: Literal["highest"] | None = None
    count: Texts = ()
    blank: tuple[BlankZero, ...] = ()
    law: Texts
    versions: tuple[InputVersion, ...] = ()
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _with_whole_versions(self) -> Input:
        if not self.versions:
            return self
        said = ("when", "amount", "blank", "law")
        whole = tuple(one.model_copy(update={key: getattr(one, key) or getattr(self, key) for key in said}) for one in self.versions)
        newest = max(range(len(whole)), key=lambda at: whole[at].from_)
        return self.model_copy(update={"versions": whole}).as_of(newest)

    def as_of(self, at: int) -> Input:
        """The input as one of its versions says it, which it still names."""
        one = self.versions[at]
        return self.model_copy(update={"when": one.when, "amount": one.amount, "blank": one.blank, "law": one.law})
