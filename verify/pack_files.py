"""The shapes of a regional pack: what it inherits, the documents it rests on, and the values it adds to inherited parameters.

`packs.py` puts packs over the rules they inherit; `rule_files.py` has the shapes of everything else.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from verify import rule_files
from verify.rule_facts import Example, NotKnown, Value
from verify.rule_shapes import Day, Name, Region, Shape, Texts

BASE = "base"


class LeftOut(Shape):
    """An inherited entry that the pack does not have, and why."""

    kind: Literal["parameter", "input", "rule", "alert", "benefit"]
    name: Name
    why: str


class Pack(Shape):
    """One region's pack: its division, what it inherits (another pack, or the rules beside `packs`: `base`), what it leaves out.

    `look_back_months` is how many whole months the window has, of a pack that says nothing that of the pack it inherits, else
    12. `not_covered` says in words what its documents ask for and no extract shows, or what was not found.
    """

    pack: Name
    label: str
    region: Region
    inherits: Name = BASE
    look_back_months: Annotated[int, Field(ge=1, le=12)] | None = None
    leaves_out: tuple[LeftOut, ...] = ()
    not_covered: Texts = ()


class Document(Shape):
    """A document that the law of entries names: its number, days, where it was read, and how sure we are of what it says.

    `evidence`: `read` (retrieved), `restated` (only another text that restates it), `knowledge` (from general knowledge, not
    checked), `estimate`, or `own` (this project's own reading; no law). `seen` is the last day on which it is known to hold.
    """

    document: str
    title: str
    number: str = ""
    issued: Day | None = None
    in_force: Day | None = None
    ends: Day | None = None
    seen: Day | None = None
    found: Texts
    evidence: Literal["read", "restated", "knowledge", "estimate", "own"]
    note: str = ""


class Adds(Shape):
    """Values that a pack adds to an inherited parameter, or the statement that nobody found one; and its own label, if need be."""

    adds: Name
    label: str | None = None
    values: tuple[Value, ...] = ()
    not_known: tuple[NotKnown, ...] = ()
    examples: tuple[Example, ...] = ()


class Cites(Shape):
    """The pack's own basis, and if need be its own label and cases, of an inherited rule or fact that it leaves as it is."""

    cites: Name
    law: Texts
    label: str | None = None
    examples: tuple[Example, ...] = ()


PACK_KINDS: dict[str, type[Shape]] = {"pack": Pack, "document": Document, "adds": Adds, "cites": Cites}
KINDS = {**rule_files.KINDS, **PACK_KINDS}
