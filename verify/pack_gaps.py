"""What a rule book does not know on a day: values that no document gives, bounds, documents that are old or only restated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from verify.pack_checks import documents_in
from verify.pack_files import Document
from verify.packs import documents_of
from verify.parameters import value_in_force
from verify.rule_facts import Parameter, Value
from verify.rulebook import Rulebook

ABSENT, BOUNDS, SEEN, ENDED, COVER = "absent", "bounds", "seen", "ended", "cover"


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is not known: of what kind, about what (a label; '' for the pack as a whole), and why or since when."""

    kind: str
    name: str
    label: str
    why: str
    where: str


def gaps(book: Rulebook, day: date) -> list[Gap]:
    """Everything that the book does not know for its own division on a day, in order of kind and name."""
    found = [gap for parameter in book.parameters.values() for gap in _of_parameter(book, parameter, day)]
    said = [(book.entry("pack", pack.pack).where("not_covered", at), told) for pack in book.packs for at, told in enumerate(pack.not_covered)]
    found += [Gap(COVER, "", "", told, where) for where, told in said]
    return sorted(found, key=lambda gap: (gap.kind, gap.name, gap.where))


def _of_parameter(book: Rulebook, parameter: Parameter, day: date) -> Iterator[Gap]:
    home, entry = book.membership.home_region, book.entry("parameter", parameter.parameter)
    value = value_in_force(parameter, home, day)

    def gap(kind: str, why: str, at: int | None = None) -> Gap:
        return Gap(kind, parameter.parameter, parameter.label, why, entry.where() if at is None else entry.where("values", at))

    if value is None:
        yield gap(ABSENT, why_not_known(parameter, home))
        return
    at = next(at for at, one in enumerate(parameter.values) if one is value)
    if value.value is None:
        yield gap(BOUNDS, bounds_told(value), at)
    known = {document.document: document for document in documents_of(dict(book.entries))}
    for document in (one for law in value.law for one in documents_in(law, known)):
        yield from (gap(kind, why, at) for kind, why in _old(document, day))


def _old(document: Document, day: date) -> Iterator[tuple[str, str]]:
    if document.ends is not None and document.ends < day:
        yield ENDED, f"{document.document} {document.ends}"
    elif document.seen is not None and document.seen < day:
        yield SEEN, f"{document.document} {document.seen}"


def why_not_known(parameter: Parameter, region: str) -> str:
    """Why a division has no value, as the longest division that fits says it; '' where nothing is said."""
    told = [one for one in parameter.not_known if region.startswith(one.region) or one.region == "00"]
    return max(told, key=lambda one: (one.region != "00", len(one.region))).why if told else ""


def bounds_told(value: Value) -> str:
    """Bounds as people read them."""
    return f"{value.at_least or 0} ～ {'∞' if value.at_most is None else value.at_most}"
