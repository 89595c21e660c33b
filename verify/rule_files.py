"""The shape of every kind of rule file: closed, frozen, read as text; an unknown or repeated key is refused.

Each class is one kind of entry under `rules/`. `rules/README.md` explains the keys; `rulebook.py` loads and checks.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from verify.rule_decisions import Benefit, Decision, Rule
from verify.rule_extracts import Extract, Retention
from verify.rule_facts import Example, Input, Parameter
from verify.rule_shapes import Name, Region, Shape, Texts


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
    cells: dict[str, str] = Field(default_factory=dict)
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
