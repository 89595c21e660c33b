"""What the names in results and rules are called, in the language of a voice: facts, tests, members, amounts, departments.

Labels are the law's own words and stand in the rule book in Chinese; in English a thing goes by its name, as in the tables.
"""

from __future__ import annotations

from decimal import Decimal

from verify.figures import amount, distance, span_of
from verify.rulebook import Rulebook
from verify.speech import Speech

__all__ = ["amount", "book_of", "department_of", "distance", "extract_label", "fact_label", "fact_labels", "span", "test_label", "test_labels", "verdict"]
VERDICTS = {"holds": "verdict_holds", "fails": "verdict_fails", "open": "verdict_open"}


def book_of(voice: Speech) -> Rulebook:
    """The rule book a voice speaks from. It has one whenever a command came so far as to read results."""
    assert voice.book is not None, "the rules were loaded before anything was looked up"
    return voice.book


def fact_labels(book: Rulebook) -> dict[str, str]:
    """Every input, rule and parameter by its label, and what the catalogue calls the rest."""
    words = [key.removeprefix("label_") for key in book.words if key.startswith("label_")]
    return {name: _label(book, name) for name in (*words, *book.parameters, *book.rules, *book.inputs)}


def _label(book: Rulebook, name: str) -> str:
    """A thing's own label without what stands in brackets, else the catalogue's word for it, else its name."""
    table = book.decision if name == book.decision.decision else None
    entry = book.inputs.get(name) or book.rules.get(name) or book.parameters.get(name) or table
    if entry is not None:
        return entry.label.split("（")[0]
    if name in book.parts:
        return book.parts[name][1].label
    word = book.words.get(f"label_{name}")
    return word.zh if word else name


def fact_label(voice: Speech, name: str) -> str:
    """A fact, an input, a rule or a parameter by its label."""
    return _label(book_of(voice), name) if voice.lang == "zh" else name


def test_labels(book: Rulebook) -> dict[str, str]:
    """`category.test`, as results show it: the label of its rule; and every other label."""
    return fact_labels(book) | {test: _label(book, rule) for test, rule in book.rules_of_tests.items()}


def test_label(voice: Speech, category: str, test: str) -> str:
    """A test of a category by its rule's label."""
    rule = book_of(voice).rules_of_tests.get(f"{category}.{test}")
    return _label(book_of(voice), rule) if rule and voice.lang == "zh" else test


def extract_label(voice: Speech, code: str) -> str:
    """An extract by its label; its code in English and where the rules no longer know it."""
    extract = book_of(voice).extracts.get(code)
    return extract.label if extract and voice.lang == "zh" else code


def department_of(voice: Speech, code: str) -> str:
    """The department whose extract it is; the code where the rules no longer know it."""
    extract = book_of(voice).extracts.get(code)
    return extract.department if extract else code


def verdict(voice: Speech, name: str) -> str:
    """holds, fails or open as a word."""
    return voice.word(VERDICTS.get(name, name))


def span(voice: Speech, low: Decimal | None, high: Decimal | None, unit: str) -> str:
    """An interval: one figure, from ～ to, ≥ from, or not known at all. `high` is None where there is no bound."""
    return span_of(voice.word("not_known"), low, high, unit)
