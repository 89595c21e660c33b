"""The one door to rapidfuzz, pypinyin and OpenCC: names made comparable, names compared, IDs one slip apart.

Everything works on lists of distinct values; the results depend on nothing but the values and the rule tables.
"""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations

import polars as pl
from opencc import OpenCC
from rapidfuzz.distance import OSA

EQUAL = 4
FORMER = 3
AGREES = 2
DAMAGED = 1
FOREIGN = 0
MASK = "*"

# Signs that Unicode calls letters but that people type for the dot between the parts of a name.
_DOTS = frozenset("\u1427\u318d\u119e\ua78f\u30fc\uff70")
# Marks on a letter, digits and punctuation go; 〇 is a number to Unicode and a name to people.
_KEPT_KINDS = frozenset({"Lu", "Ll", "Lt", "Lo", "Lm"})
_KEPT = frozenset({MASK, "\u3007"})
# Characters younger than this Python's Unicode, and the private ones old systems gave to rare characters.
_RARE = ((0x20000, 0x3FFFF), (0xE000, 0xF8FF))
_HAN = "^[\u4e00-\u9fa5]*$"  # these are nobody's compatibility or small form
_TOKENS = re.compile(r"[A-Z]+|[^A-Z]", re.DOTALL)


@dataclass(frozen=True)
class NameTables:
    """Which characters are folded into another, and which pairs of characters agree (each pair in both orders)."""

    simplified: bool
    homophones: bool
    folds: dict[str, str] = field(repr=False)
    variants: frozenset[tuple[str, str]] = field(repr=False)
    lookalikes: frozenset[tuple[str, str]] = field(repr=False)

    @cached_property
    def plain(self) -> str:
        """All that makes a name's key what it is, as text."""
        return f"{self.simplified!r}, {sorted(self.folds.items())!r}"


@lru_cache(maxsize=4)
def name_tables(variants: str, lookalikes: str, *, simplified: bool = True, homophones: bool = True) -> NameTables:
    """The tables of a rule book: two CSV texts and two switches.

    `variants` has the columns character, stands_for, how (same: folded; agrees: compared); `lookalikes` has group,
    characters, why.
    """
    kinds: dict[str, list[tuple[str, str]]] = {"same": [], "agrees": []}
    for line in csv.DictReader(io.StringIO(variants)):
        kinds[line["how"]].append((line["character"], line["stands_for"]))
    alike = (pair for line in csv.DictReader(io.StringIO(lookalikes)) for pair in combinations(line["characters"], 2))
    return NameTables(simplified, homophones, dict(kinds["same"]), _both_ways(kinds["agrees"]), _both_ways(alike))


def _both_ways(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for a, b in pairs for pair in ((a, b), (b, a)))


def name_keys(names: pl.Series, tables: NameTables) -> pl.Series:
    """Each name made comparable: NFKC, upper case, letters only (and `*` of a masked name), one form per character.

    NULL where nothing is left. Every character is folded on its own, so that a name never depends on its neighbours.
    """
    plain = _composed(names.cast(pl.String))
    characters = sorted(set(plain.str.join("").item() or ""))
    folded = {c: _folded(c, tables) for c in characters}
    if tables.simplified and characters:
        converted = _simplifier().convert("\n".join(folded[c] for c in characters)).split("\n")
        folded = {c: tables.folds.get(s, s) for c, s in zip(characters, converted, strict=True)}
    changed = [c for c in characters if folded[c] != c]
    keys = plain.str.replace_many(changed, [folded[c] for c in changed]) if changed else plain
    return keys.set(keys == "", None)


def _composed(names: pl.Series) -> pl.Series:
    """NFKC and upper case, which leave most Chinese characters as they are: only the other names are looked at."""
    odd = (~names.str.contains(_HAN)).fill_null(value=False).arg_true()
    return names.clone().scatter(odd, names.gather(odd).str.normalize("NFKC").str.to_uppercase()) if odd.len() else names


@lru_cache(maxsize=1)
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def _folded(character: str, tables: NameTables) -> str:
    """One character after folding, or nothing where it is no letter."""
    if character in _DOTS:
        return ""
    if character == "Ü":
        return "V"  # as pypinyin and keyboards write it
    letter = unicodedata.category(character) in _KEPT_KINDS or character in _KEPT
    if not letter and not any(low <= ord(character) <= high for low, high in _RARE):
        return ""
    return tables.folds.get(character, character)


def grade_names(pairs: Iterable[tuple[str, str]], tables: NameTables) -> list[tuple[int, str]]:
    """For each pair of comparable names a grade and the reason for it.

    EQUAL; AGREES (exactly one character differs and the two are variants, homophones, look-alikes, or one is written
    as its pinyin); DAMAGED (masked, romanised, or more than half shared); FOREIGN.
    """
    return [grade_name(a, b, tables) for a, b in pairs]


def grade_name(a: str, b: str, tables: NameTables) -> tuple[int, str]:
    """The grade of one pair of comparable names; symmetric."""
    if a == b:
        return EQUAL, "name_equal"
    ours, theirs = _TOKENS.findall(a), _TOKENS.findall(b)
    if len(ours) == len(theirs):
        differing = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
        how = _one_slip(*differing[0], tables) if len(differing) == 1 and len(ours) > 1 else None
        if how:
            return AGREES, how
    if _masked(a, b) or _masked(b, a):
        return DAMAGED, "name_masked"
    if _romanised(ours, theirs) or _romanised(theirs, ours):
        return DAMAGED, "name_romanised"
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return (DAMAGED, "name_damaged") if 2 * shared > max(len(ours), len(theirs)) else (FOREIGN, "name_foreign")


def _one_slip(one: str, other: str, tables: NameTables) -> str | None:
    """Why two pieces of a name may stand for each other; None where they may not."""
    latin = [piece for piece in (one, other) if piece.isascii() and piece != MASK]
    if latin:
        han = other if one in latin else one
        spelt = len(latin) == 1 and han != MASK and (not readings(han) or latin[0] in _spellings(han))
        return "name_pinyin" if spelt else None
    if MASK in (one, other):
        return None
    if (one, other) in tables.variants:
        return "name_variant"
    if tables.homophones and readings(one) & readings(other):
        return "name_homophone"
    return "name_lookalike" if (one, other) in tables.lookalikes else None


def _masked(pattern: str, name: str) -> bool:
    """Whether `pattern` is `name` with some characters hidden behind `*`, and at least one left to see."""
    if MASK not in pattern or MASK in name or not pattern.strip(MASK):
        return False
    pieces = re.escape(pattern).replace(re.escape(MASK), ".")
    return re.fullmatch(pieces, name) is not None


def _romanised(latin: list[str], name: list[str]) -> bool:
    """Whether the one Latin run is the whole name in pinyin."""
    if len(latin) != 1 or not latin[0].isascii() or len(name) < 2 or any(piece.isascii() for piece in name):
        return False
    spelt = "".join(f"(?:{'|'.join(sorted(_spellings(piece)))})" for piece in name)
    return re.fullmatch(spelt, latin[0]) is not None


@lru_cache(maxsize=65_536)
def readings(character: str) -> frozenset[str]:
    """Every toneless reading of one Chinese character, in capitals; empty for a character without a known one."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # single characters alone are looked up here, and its phrases take longest to load
    from pypinyin import Style, pinyin  # noqa: PLC0415 - a check of one case seldom needs it, and has three seconds

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(reading.upper() for syllable in found for reading in syllable if reading.isascii())


def _spellings(character: str) -> frozenset[str]:
    """The readings as people type them: ü as v, u or yu."""
    known = readings(character)
    return known | {r.replace("V", "U") for r in known} | {r.replace("V", "YU") for r in known} if known else frozenset({"[A-Z]+"})


def one_slip_apart(pairs: Iterable[tuple[str, str]]) -> list[bool]:
    """For each pair of IDs whether one is the other with one character changed, lost, added, or two neighbours swapped."""
    return [OSA.distance(a, b, score_cutoff=1) == 1 for a, b in pairs]
