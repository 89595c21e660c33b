"""The shapes of rule files on rules, the decision table and what a category is paid."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from verify.rule_facts import Example, Input, InputVersion
from verify.rule_shapes import Day, Name, Shape, Texts


class Part(Shape):
    """A named part of one rule: it is stored and explained like a rule of its own, and only its rule may read it."""

    label: str
    type: Literal["amount", "test"] = "amount"
    unit: str
    expr: str


class Version(Shape):
    """What a rule says from a day on, to a last day if there is one; what it leaves out is what the rule says at all times."""

    from_: Day = Field(alias="from")
    to: Day | None = None
    review_by: Day | None = None
    expr: str
    let: dict[Name, Part] = Field(default_factory=dict)
    value: str | None = None
    limit: str | None = None
    law: Texts = ()


class Rule(Shape):
    """A value or a test worked out from other names. Tests name what is shown beside their verdict.

    It has one `expr`, or `versions` by date. `let` names parts of it.
    """

    rule: Name
    label: str
    fact: Name | None = None
    publish: bool = False
    of: Literal["case", "member", "household"]
    type: Literal["amount", "test"] = "amount"
    unit: str | None = None
    let: dict[Name, Part] = Field(default_factory=dict)
    expr: str = ""
    versions: tuple[Version, ...] = ()
    shown_as: str | None = None
    value: str | None = None
    limit: str | None = None
    decimals: int | None = None
    law: Texts
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> Rule:
        if bool(self.expr) is bool(self.versions):
            raise ValueError("a rule has either an expr or versions")
        return self

    def as_of(self, at: int) -> Rule:
        """The rule as one of its versions says it."""
        one = self.versions[at]
        own = {"value": one.value or self.value, "limit": one.limit or self.limit, "law": one.law or self.law}
        return self.model_copy(update={"expr": one.expr, "let": {**self.let, **one.let}, "versions": (), **own})

    def in_force(self, day: date) -> Rule | None:
        """The rule as it stands on a day, or None where none of its versions does."""
        found = (at for at, one in enumerate(self.versions) if one.from_ <= day <= (one.to or date.max))
        return self if not self.versions else next((self.as_of(at) for at in found), None)


class Row(Shape):
    """One line of the decision table: the tests that must pass, and the category that follows."""

    when: tuple[Literal["pass", "any"], ...]
    then: Name
    label: str
    law: Texts


class Outcome(Shape):
    """A category that follows where no row decides."""

    then: Name
    label: str


class TableVersion(Shape):
    """The tests and rows of the decision table from a day on, to a last day if there is one."""

    from_: Day = Field(alias="from")
    to: Day | None = None
    review_by: Day | None = None
    columns: Texts
    rows: tuple[Row, ...]


class Decision(Shape):
    """The decision table: the first row that holds, provided no earlier row is open; `split` reads its rows together.

    With `versions` its own columns and rows are those of all of them, as words and results may show any; a plan's are those of its day.
    """

    decision: Name
    label: str
    hit: Literal["first"]
    columns: Texts = ()
    rows: tuple[Row, ...] = ()
    versions: tuple[TableVersion, ...] = ()
    otherwise: Outcome
    unknown: Outcome
    split: bool = False
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _is_one_table(self) -> Decision:
        if bool(self.versions) is bool(self.rows) or bool(self.columns) is not bool(self.rows):
            raise ValueError("a decision has either columns and rows, or versions")
        if not self.versions:
            return self
        columns = tuple(dict.fromkeys(name for one in self.versions for name in one.columns))
        cells = [(row, dict(zip(one.columns, row.when, strict=False))) for one in self.versions for row in one.rows]
        rows = tuple(row.model_copy(update={"when": tuple(said.get(name, "any") for name in columns)}) for row, said in cells)
        return self.model_copy(update={"columns": columns, "rows": rows})

    def as_of(self, at: int) -> Decision:
        """The table as one of its versions has it, which it still names."""
        return self.model_copy(update={"columns": self.versions[at].columns, "rows": self.versions[at].rows})


def versions_of(shape: Shape) -> tuple[Version | InputVersion | TableVersion, ...]:
    """The versions of an entry that may have some."""
    return shape.versions if isinstance(shape, Rule | Input | Decision) else ()


class Benefit(Shape):
    """What a family of one category is paid a month: by a household's rule (元/月), or nothing and why.

    `benefit` is the category. A category without one is paid nobody knows what.
    """

    benefit: Name
    label: str
    pays: Name | None = None
    nothing: str | None = None
    law: Texts

    @model_validator(mode="after")
    def _is_one_thing(self) -> Benefit:
        if bool(self.pays) is bool(self.nothing):
            raise ValueError("a benefit either pays by a rule, or is nothing and says why")
        return self
