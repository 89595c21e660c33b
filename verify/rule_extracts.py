"""The shapes of rule files on extracts: what departments send, who is spoken of there, what holds a batch back, how long it is kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from verify.rule_shapes import Name, Shape, Texts


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
