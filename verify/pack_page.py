"""The page of a pack in plain Chinese, made from its files: what it says, where that stands, and what it does not know.

It lies as README.md in the pack's folder; a test says that it agrees with the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from verify.pack_compare import Side, value_told
from verify.pack_files import Document
from verify.pack_gaps import bounds_told, gaps, why_not_known
from verify.packs import documents_of
from verify.plan import make_plan
from verify.rule_facts import Parameter, Value
from verify.rulebook import Rulebook


def _say(book: Rulebook, key: str, **told: object) -> str:
    """A sentence of the catalogue; the page is for people who work in Chinese."""
    return book.words[f"pack_page_{key}"].zh.format(**told)


def page_of(book: Rulebook, day: date) -> str:
    """The page as Markdown, as of a day. The book is of a pack."""
    pack = book.packs[-1]
    lines = [f"# {pack.label}", "", _say(book, "made", pack=pack.pack, day=day), ""]
    chain = " → ".join([_say(book, "shared"), *(one.label for one in book.packs[:-1])])
    lines += [_say(book, "region", region=pack.region, chain=chain, months=book.look_back_months), ""]
    known = (("decided", _rows(make_plan(book, day).book)), ("known", _values(book)), ("absent", _absent(book, day)))
    for title, told in (*known, ("not_covered", _not_covered(book)), ("documents", _documents(book))):
        lines += [f"## {_say(book, title)}", "", *told, ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(book: Rulebook) -> Iterator[str]:
    table, rules = book.decision, book.rules
    yield _say(book, "first_holds", unknown=table.unknown.label)
    yield ""
    for row in table.rows:
        asked = [rules[name].label for name, cell in zip(table.columns, row.when, strict=True) if cell == "pass"]
        yield _say(book, "row", category=row.label, tests="；".join(asked), law="；".join(row.law))
    yield _say(book, "otherwise", category=table.otherwise.label)


def _own(book: Rulebook) -> list[Parameter]:
    return sorted(book.parameters.values(), key=lambda parameter: parameter.label)


def _values(book: Rulebook) -> Iterator[str]:
    yield _say(book, "values_head")
    yield "|---|---|---|---|---|---|"
    for parameter in _own(book):
        for value in (one for one in sorted(parameter.values, key=lambda v: (v.region, v.from_)) if _speaks(book, one)):
            told = bounds_told(value) if value.value is None else str(value.value)
            yield f"| {parameter.label} | {value.region} | {value.from_} | {value.to or ''} | {told} {parameter.unit} | {'；'.join(value.law)} |"


def _speaks(book: Rulebook, value: Value) -> bool:
    home = book.membership.home_region
    return not value.region.startswith(book.shared_home) and (value.region == "00" or home.startswith(value.region) or book.speaks_for(value.region))


def _absent(book: Rulebook, day: date) -> Iterator[str]:
    yield _say(book, "no_guess")
    yield ""
    for parameter in _own(book):
        told, _ = value_told(Side(book, day), parameter)
        if told == "?":
            yield _say(book, "absent_line", label=parameter.label, why=why_not_known(parameter, book.membership.home_region))
    for gap in gaps(book, day):
        if gap.kind in {"seen", "ended"}:
            document, _, last = gap.why.rpartition(" ")
            yield _say(book, "seen" if gap.kind == "seen" else "ended", label=gap.label, day=last, document=document)


def _not_covered(book: Rulebook) -> Iterator[str]:
    yield from (f"* {said.rstrip('。')}。" for pack in reversed(book.packs) for said in pack.not_covered)


def _documents(book: Rulebook) -> Iterator[str]:
    yield _say(book, "documents_head")
    yield "|---|---|---|---|---|---|---|---|"
    for one in documents_of(dict(book.entries)):
        days = " | ".join(str(day or "") for day in (one.issued, one.in_force, one.ends, one.seen))
        yield f"| {one.document} | {one.title} | {days} | {'；'.join(one.found)} | {_sure(book, one)} |"


def _sure(book: Rulebook, one: Document) -> str:
    return _say(book, f"evidence_{one.evidence}") + (f"；{one.note}" if one.note else "")
