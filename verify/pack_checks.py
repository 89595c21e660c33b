"""Check that everything a regional pack decides by names a document that the pack declares, with a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verify.pack_files import Document
from verify.packs import documents_of
from verify.problems import Problem
from verify.rule_texts import Entry
from verify.rulebook import Rulebook

LISTED = ("values", "rows", "blank", "versions")


def document_problems(book: Rulebook) -> Iterator[Problem]:
    """Laws that name no declared document, and documents without a day; nothing where the book is of no pack.

    Of an inherited entry one law has to name a document; of what a pack says itself each of them.
    """
    if not book.packs:
        return
    known = {document.document: document for document in documents_of(dict(book.entries))}
    for name, document in known.items():
        if not (document.issued or document.in_force or document.seen):
            yield Problem("E-PACK-UNDATED", book.entry("document", name).where(), {"name": name})
    for entry in book.entries.values():
        if not isinstance(entry.shape, Document):
            yield from _undocumented(entry, known)


def _undocumented(entry: Entry, known: Mapping[str, Document]) -> Iterator[Problem]:
    parts = [((key, at), part) for key in LISTED for at, part in enumerate(getattr(entry.shape, key, ()))]
    for path, part in [((), entry.shape), *parts]:
        laws: tuple[str, ...] = tuple(getattr(part, "law", ()))
        missing = [law for law in laws if not documents_in(law, known)]
        if missing and (entry.layer or ("law",) in entry.added or len(missing) == len(laws)):
            yield Problem("E-PACK-DOCUMENT", entry.where(*path, "law"), {"name": entry.name, "law": missing[0]})


def documents_in(law: str, known: Mapping[str, Document]) -> list[Document]:
    """The declared documents that a law text names."""
    return [document for name, document in known.items() if name in law]
