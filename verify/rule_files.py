"""The shape of every kind of rule file: closed, frozen, read as text; an unknown or repeated key is refused.

Each class is one kind of entry under `rules/`. `rules/README.md` explains the keys; `rulebook.py` loads and checks.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _as_list(value: Any) -> Any:
    """One text where a list is asked for means a list of one."""
    return [value] if isinstance(value, str) else value


def _as_day(value: Any) -> Any:
    """A day is written 2026-07-01 and in no other way (a bare number would be read as seconds)."""
    if isinstance(value, str) and not DAY.fullmatch(value):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


def _as_amount(value: Any) -> Any:
    """An amount is plain digits: no sign, no exponent, no leading zero, nothing of another width, and below a million million."""
    if isinstance(value, str) and not AMOUNT.fullmatch(value):
        raise ValueError("an amount is written in plain digits, without a leading zero, below 1000000000000")
    return value


DAY = re.compile(r"[12]\d{3}-\d{2}-\d{2}", flags=re.ASCII)
REGION = re.compile(r"00|\d{2}|\d{4}|\d{6}", flags=re.ASCII)
AMOUNT = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,6})?", flags=re.ASCII)
Day = Annotated[date, BeforeValidator(_as_day)]
Amount = Annotated[Decimal, BeforeValidator(_as_amount)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Region = Annotated[str, Field(pattern=r"^(00|[0-9]{2}|[0-9]{4}|[0-9]{6})$")]


class Shape(BaseModel):
    """What all entries share: no unknown key, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


# --- extracts ---------------------------------------------------------------------------------------------------------


class Column(Shape):
    """One column of an extract: its name on the department's page, its type, and what else it may be called.

    Types: `text` and `code` stay text (a `code` value outside `codes` is no value, with a warning); `name` and `id` speak
    of a person; `date` is a day; `month` the first day of a month; `epoch_ms` milliseconds turned into a Beijing day;
    `money` integer fen (unit 元 or 万元, never negative); `number` an integer scaled by `decimals`; `count` an integer.
    """

    column: str
    type: Literal["text", "code", "name", "id", "date", "month", "epoch_ms", "money", "number", "count"] = "text"
    required: bool = False
    also_called: Texts = ()
    codes: Texts = ()
    unit: Literal["元", "万元"] = "元"
    decimals: Annotated[int, Field(ge=0, le=6)] = 2


class Sexes(Shape):
    """Which values of a column mean male and female."""

    column: str
    male: Texts
    female: Texts


class Person(Shape):
    """Whom a row speaks of, on one side of it: the columns that hold name, ID and what else tells people apart."""

    side: str = ""
    name: str | None = None
    former_name: str | None = None
    id: str | None = None
    id_part: Literal["whole", "first_18"] = "whole"
    birth: str | None = None
    sex: Sexes | None = None
    sex_is: Literal["male", "female"] | None = None
    household: str | None = None


class Roster(Shape):
    """The extract that lists the people of each case."""

    case: str
    number: str
    relation: str
    member_when: str
    applicant_when: str
    authorised_when: str


class Application(Shape):
    """The extract that holds one row a case: who applies, where, and what is declared; when, and how to reach them."""

    case: str
    area: str
    region: str
    day: str | None = None
    phone: str | None = None
    address: str | None = None


class Register(Shape):
    """The household register: the crowd from which a person is told apart, and who is whose child."""

    household: str
    relation: str
    head: Texts
    spouse: Texts
    child: Texts
    moved: str | None = None
    address: str | None = None


class Absence(Shape):
    """A row that says that a person does not count on the as-of date: dead, or inside."""

    when: str
    since: str | None = None


class Marriage(Shape):
    """A register of couples: the latest row of a couple says whether they are married."""

    date: str
    married_when: str


class RunningAid(Shape):
    """A register of aid already granted."""

    when: str
    kind: str
    since: str | None = None


class Bodies(Shape):
    """A register of companies and other bodies, one row a person of one: who has a say in it stands where `when` holds."""

    code: str
    when: str


class Roles(Shape):
    """What parts an extract plays beside feeding facts. Stages ask for these, never for an extract by name."""

    roster: Roster | None = None
    application: Application | None = None
    register_: Register | None = Field(default=None, alias="register")
    death: Absence | None = None
    absence: Absence | None = None
    marriage: Marriage | None = None
    running_aid: RunningAid | None = None
    bodies: Bodies | None = None


class ReadFreely(Shape):
    """Why rows of an extract may be read before a person has authorised it, or for a person who has not."""

    law: Texts
    why: str


class WhenLate(Shape):
    """What is done on a night without a loadable file: the known rows stay usable for some days, or to the end."""

    use_when_late_days: Annotated[int, Field(ge=0)] = 0
    use_last: bool = False
    indispensable: bool = False


PerMille = Annotated[int, Field(ge=0, le=1000)]
Whole = Annotated[int, Field(ge=0)]


class Guards(Shape):
    """How far a batch may stray from the one before it until an officer has looked at it; shares are per mille of rows.

    A change that concerns fewer than `fewest` rows says nothing. `rows_shrink` and `rows_grow` are for whole states,
    `changes_grow`, `changes_median_times` and `removed` (of the whole state) for changes, which differ more from day to
    day. `empty`, `ids` and `refused` are points by which a share may rise or, of valid IDs, fall; `ids_at_first` is the
    share a first batch must have. `days_back` is how far an as-of date may go back, `oldest_days` how much older than the
    newest of its drop a first batch may be.
    """

    fewest: Annotated[int, Field(ge=1)] = 20
    headers: bool = True
    rows_shrink: PerMille = 300
    rows_grow: Whole = 500
    changes_grow: Whole = 49_000
    removed: PerMille = 300
    refused: PerMille = 100
    empty: PerMille = 150
    ids: PerMille = 150
    ids_at_first: PerMille = 500
    median_times: Annotated[int, Field(ge=2)] = 10
    changes_median_times: Annotated[int, Field(ge=2)] = 50
    days_back: Whole = 0
    oldest_days: Whole = 366


class Records(Shape):
    """Which element of an XML batch is a row, and which elements beside it (the family, the person) belong to each row."""

    element: str | None = None
    groups: Texts = ()


class Extract(Shape):
    """One department extract: its layout, its key, whom its rows speak of and what its silence means."""

    extract: Name
    label: str
    department: str
    format: Literal["csv", "xlsx", "xls", "ods", "parquet", "xml", "jsonl"]
    encoding: Literal["utf-8", "gb18030", "utf-16"] = "utf-8"
    delimiter: Literal[",", ";", "tab", "|"] = ","
    records: Records = Records()
    key: Texts
    key_needs_valid_id: bool = False
    columns: tuple[Column, ...]
    people: tuple[Person, ...] = ()
    joint_document: Texts = ()
    owned_by_bodies: bool = False
    plays: Roles = Roles()
    absence_means: Literal["zero", "unknown"]
    when_late: WhenLate = WhenLate()
    guards: Guards = Guards()
    retention: Name | None = None
    allow_empty: bool = False
    read_freely: ReadFreely | None = None
    law: Texts

    def column(self, name: str) -> Column:
        """The column of that name on the page. Raises KeyError."""
        for column in self.columns:
            if column.column == name:
                return column
        raise KeyError(name)


class Retention(Shape):
    """A class of extracts, and for how many days after its as-of date a batch of it that nothing needs any more is kept."""

    retention: Name
    label: str
    days: Annotated[int, Field(ge=1)]
    why: str
    law: Texts


# --- parameters, facts, rules, programmes -----------------------------------------------------------------------------


class Example(Shape):
    """A stated case of one entry: what is given, as of when, and what must come out.

    `given` holds rows (for an input) or values of names (for a rule); `expect` an interval `[low, high]` with `null`
    for no bound, one exact amount, or holds / fails / open / a category. Every entry's examples are run by the tests.
    """

    example: str
    as_of: Day | None = None
    region: Region | None = None
    area: str | None = None
    given: dict[str, Any] | list[dict[str, Any]] = {}
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
    let: dict[Name, Part] = {}
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
    let: dict[Name, Part] = {}
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


# --- alerts, matching, reports, messages ------------------------------------------------------------------------------


class Alert(Shape):
    """Something an officer must see. `each` says of what: a linked row, a member, a case, or a finding of a stage."""

    alert: Name
    label: str
    each: Literal["row", "member", "case", "finding"]
    from_: Name | None = Field(default=None, alias="from")
    finding: Name | None = None
    when: str | None = None
    since: str | None = None
    one_a_case: bool = False
    severity: Annotated[int, Field(ge=1, le=3)]
    ask: str
    law: Texts
    examples: tuple[Example, ...] = ()


class Matching(Shape):
    """How names and IDs are made comparable, and which tables of characters are used."""

    matching: Name
    label: str
    traditional_to_simplified: bool
    homophones: bool
    lookalikes: str
    variants: str
    few_bearers: Annotated[int, Field(ge=0)]
    split_days: Annotated[int, Field(ge=0)] = 365
    law: Texts


class ReportColumn(Shape):
    """One column of a workbook: its heading and the name of the value shown.

    `shows` is a column of the table whose lines are shown, or the name of an interval (`x` for `x_low` and `x_high`).
    `identity` columns stand first and stay in view; `masked` hides a value beyond what is hidden always.
    """

    heading: str
    heading_en: str
    shows: Name
    width: Annotated[int, Field(ge=4, le=80)] = 12
    identity: bool = False
    masked: Literal["no", "name", "id"] = "no"


class Report(Shape):
    """One sheet of the review workbook: what a line is, and its columns in order; sheets stand in order of `position`.

    `decisions` are the words an officer may choose from; they stand, with a note, after the identity columns.
    """

    report: Name
    label: Annotated[str, Field(max_length=28, pattern=r"^[^\[\]:*?/\\]+$")]
    label_en: str
    position: int = 0
    lines: Literal["case", "alert", "lead", "refused"]
    columns: tuple[ReportColumn, ...]
    decisions: Texts = ()
    law: Texts


class Sentence(Shape):
    """The sentences of one code in one language."""

    what: str
    why: str
    mend: str


class Message(Shape):
    """One code's sentences in Chinese and English."""

    message: str
    zh: Sentence
    en: Sentence


class Word(Shape):
    """One word or heading shown to people, in Chinese and English."""

    word: str
    zh: str
    en: str


class Membership(Shape):
    """Who counts as a member of a case: the law behind death, absence and authorisation, and who is a minor."""

    membership: Name
    label: str
    home_region: Region
    minor_below: Name
    law: Texts


class Supposed(Shape):
    """A row that `hedui whatif` adds for something supposed of a member: of which extract, and what stands in its cells.

    `amount` is the column (in 元) that takes the supposed amount a month, `months` times; a cell may name a day that
    formulas know.
    """

    supposed: Name
    label: str
    extract: Name
    amount: str
    months: Annotated[int, Field(ge=1)] = 1
    cells: dict[str, str] = {}
    law: Texts


KINDS: dict[str, type[Shape]] = {
    "extract": Extract,
    "retention": Retention,
    "parameter": Parameter,
    "input": Input,
    "rule": Rule,
    "decision": Decision,
    "benefit": Benefit,
    "alert": Alert,
    "matching": Matching,
    "membership": Membership,
    "supposed": Supposed,
    "report": Report,
    "message": Message,
    "word": Word,
}
