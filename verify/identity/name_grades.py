"""Two comparable names held against each other: equal, one slip apart, damaged, or foreign, and by what.

The results depend on nothing but the names and the rule tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from verify.identity.name_keys import MASK, NameTables
from verify.identity.readings import readings, spellings

EQUAL = 4
FORMER = 3
AGREES = 2
DAMAGED = 1
FOREIGN = 0

_TOKENS = re.compile(r"[A-Z]+|[^A-Z]", re.DOTALL)


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
        spelt = len(latin) == 1 and han != MASK and (not readings(han) or latin[0] in spellings(han))
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
    spelt = "".join(f"(?:{'|'.join(sorted(spellings(piece)))})" for piece in name)
    return re.fullmatch(spelt, latin[0]) is not None
