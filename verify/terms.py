"""What an answer to one case needs of the rule book, as plain texts of one language: labels, who sends what, what each test rests on.

It is made from a rule book once; an answer made from it needs none of the libraries that read rule files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from verify.rulebook import Rulebook
from verify.speech import Speech

_TEXTS = re.compile(r"'[^']*'")
_NAMES = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class TestTerm:
    """A test of a category: its rule, its label, and the facts it rests on, each with the extract its rows come from."""

    rule: str
    label: str
    facts: tuple[tuple[str, str], ...]
    law: tuple[str, ...]

    __test__ = False


@dataclass(frozen=True, slots=True)
class Terms:
    """One language's words of a rule book, by the names that results use.

    `tests` go by `category.test`, `extracts` are label and department by code; `otherwise` and `unknown` are the two
    categories that no row of the table decides; `roster` are the extracts that say who belongs to a case.
    """

    lang: str
    words: Mapping[str, str]
    categories: Mapping[str, str]
    tests: Mapping[str, TestTerm]
    extracts: Mapping[str, tuple[str, str]]
    otherwise: str
    unknown: str
    roster: tuple[str, ...]

    def word(self, key: str, **values: object) -> str:
        """A word of the catalogue, filled."""
        return self.words.get(key, key).format(**values)


def terms_of(book: Rulebook, voice: Speech) -> Terms:
    """The terms of a rule book in the language of a voice; labels are the law's own words and stand in Chinese."""
    zh, ends = voice.lang == "zh", (book.decision.otherwise, book.decision.unknown)
    names = [*(row.then for row in book.decision.rows), *(end.then for end in ends)]
    words = {key: word.zh if zh else word.en for key, word in book.words.items()}
    tests = {}
    for test, rule in book.rules_of_tests.items():
        shape = book.rules[rule]
        label = shape.label.split("（")[0] if zh else test.partition(".")[2]
        tests[test] = TestTerm(rule, label, facts_behind(book, rule), shape.law)
    extracts = {code: (one.label if zh else code, one.department) for code, one in book.extracts.items()}
    roster = tuple(sorted(code for code, one in book.extracts.items() if one.plays.roster))
    return Terms(voice.lang, words, {name: voice.category(name) for name in names}, tests, extracts, ends[0].then, ends[1].then, roster)


def facts_behind(book: Rulebook, rule: str) -> tuple[tuple[str, str], ...]:
    """Every fact that a rule rests on, through whatever rules lie between, with the extract of its rows; in order of name."""
    found = {name: book.inputs[name] for name in names_behind(book, rule) if name in book.inputs}
    return tuple(sorted({(fact, one.from_) for one in found.values() for fact in (one.input, one.fact or one.input)}))


def names_behind(book: Rulebook, rule: str) -> frozenset[str]:
    """Every rule, input and parameter that a rule's formulas name, and those that they name in turn."""
    seen: set[str] = set()
    left = [rule]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += [one for one in _named(book.rules.get(name) or book.inputs.get(name)) if one in book.rules or one in book.inputs or one in book.parameters]
    return frozenset(seen - {rule})


def _named(shape: Any) -> Iterable[str]:
    """The names in an entry's formulas, in its parts and its versions too. Texts in quotes are no names."""
    found: set[str] = set()
    for key in ("expr", "value", "limit", "when", "amount"):
        text = getattr(shape, key, None)
        found |= set(_NAMES.findall(_TEXTS.sub("", text))) if isinstance(text, str) else set()
    for inner in (*getattr(shape, "let", {}).values(), *getattr(shape, "versions", ())):
        found |= set(_named(inner))
    return found
