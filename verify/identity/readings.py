"""The one door to pypinyin: how a Chinese character is read, and how people type it."""

from __future__ import annotations

import os
from functools import lru_cache


@lru_cache(maxsize=65_536)
def readings(character: str) -> frozenset[str]:
    """Every toneless reading of one Chinese character, in capitals; empty for a character without a known one."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # single characters alone are looked up here, and its phrases take longest to load
    from pypinyin import Style, pinyin  # noqa: PLC0415 - a check of one case seldom needs it, and has three seconds

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(reading.upper() for syllable in found for reading in syllable if reading.isascii())


def spellings(character: str) -> frozenset[str]:
    """The readings as people type them: ü as v, u or yu."""
    known = readings(character)
    return known | {r.replace("V", "U") for r in known} | {r.replace("V", "YU") for r in known} if known else frozenset({"[A-Z]+"})
