"""Which of the law's values are to be looked at again, and which end with nothing after them: by a day, never by the clock.

A value past its `review_by` stays in force: the law has not ended because nobody looked. It is told of until it is reviewed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from verify.layout import Block
from verify.parameters import missing_values, value_in_force
from verify.plan import make_plan
from verify.problems import Problem, UsageError
from verify.rule_decisions import versions_of
from verify.rule_facts import Parameter, Value
from verify.rule_texts import Entry
from verify.rulebook import Rulebook
from verify.speech import Speech

REVIEW, ENDS = "review", "ends"


@dataclass(frozen=True, slots=True)
class Due:
    """One value or version: the day by which it is to be looked at (`review`) or after which nothing follows it (`ends`)."""

    day: date
    why: str
    name: str
    region: str
    where: str
    law: tuple[str, ...]


def due(book: Rulebook, until: date) -> list[Due]:
    """Every value and version whose day comes by `until`, in order of day, name and division."""
    return sorted(_due(book, until), key=lambda one: (one.day, one.name, one.region, one.why, one.where))


def _due(book: Rulebook, until: date) -> Iterator[Due]:
    for name, parameter in book.parameters.items():
        entry = book.entry("parameter", name)
        for at, value in enumerate(parameter.values):
            ended = value.to is not None and value.to <= until
            if value.review_by is not None and value.review_by <= until and not ended:
                yield Due(value.review_by, REVIEW, name, value.region, entry.where("values", at), tuple(value.law))
            if value.to is not None and ended and not _followed(parameter, value):
                yield Due(value.to, ENDS, name, value.region, entry.where("values", at), tuple(value.law))
    for stands in book.entries.values():
        yield from _versions_due(stands, until)


def _versions_due(stands: Entry, until: date) -> Iterator[Due]:
    versions = versions_of(stands.shape)
    for at, version in enumerate(versions):
        ended = version.to is not None and version.to <= until
        law = getattr(version, "law", ()) or getattr(stands.shape, "law", ())
        if version.review_by is not None and version.review_by <= until and not ended:
            yield Due(version.review_by, REVIEW, stands.name, "", stands.where("versions", at), tuple(law))
        if ended and version.to is not None and version.from_ == max(one.from_ for one in versions):
            yield Due(version.to, ENDS, stands.name, "", stands.where("versions", at), tuple(law))


def _followed(parameter: Parameter, value: Value) -> bool:
    """Whether on the day after its last a value of its division or of one above is in force."""
    return value.to is not None and value_in_force(parameter, value.region, value.to + timedelta(days=1)) is not None


def overdue(book: Rulebook, day: date) -> list[Problem]:
    """W-REVIEW for every value in force for the bureau's own division on a day that should have been reviewed before it."""
    found = []
    for name, parameter in book.parameters.items():
        value = value_in_force(parameter, book.membership.home_region, day)
        if value is not None and value.review_by is not None and value.review_by < day:
            at = next(at for at, one in enumerate(parameter.values) if one is value)
            told = {"name": name, "region": value.region, "day": value.review_by.isoformat()}
            found.append(Problem("W-REVIEW", book.entry("parameter", name).where("values", at), told))
    for stands in book.entries.values():
        for at, version in enumerate(versions_of(stands.shape)):
            if version.review_by is not None and version.review_by < day and version.from_ <= day <= (version.to or date.max):
                told = {"name": stands.name, "region": book.membership.home_region, "day": version.review_by.isoformat()}
                found.append(Problem("W-REVIEW", stands.where("versions", at), told))
    return found


def must_hold_on(book: Rulebook, day: date) -> None:
    """Refuse a day on which a night could not be run. Raises UsageError (E-NO-VALUE, E-NO-VERSION)."""
    make_plan(book, day)
    problems = missing_values(book, day)
    if problems:
        raise UsageError(*problems)


def due_blocks(found: list[Due], until: date, voice: Speech) -> list[Block]:
    """The list as a table, or that there is nothing."""
    if not found:
        return [Block(voice.word("reviews_none", until=until))]
    head = tuple(voice.word(key) for key in ("head_day", "head_kind", "head_name", "head_region", "head_rule", "head_law"))
    rows = ((d.day.isoformat(), voice.word(f"due_{d.why}"), d.name, d.region, d.where, "；".join(d.law)) for d in found)
    return [Block(voice.word("reviews_due", count=len(found), until=until), (), head, tuple(rows))]


def due_json(found: list[Due]) -> list[dict[str, Any]]:
    """The stable form for programs."""
    return [{"day": d.day.isoformat(), "why": d.why, "name": d.name, "region": d.region, "where": d.where, "law": list(d.law)} for d in found]
