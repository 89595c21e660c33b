"""The one door to pypinyin: how a Chinese character is read, and how people type it."""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0304\u030c"))
_UMLAUT = "U\u0308"


@lru_cache(maxsize=65_536)
def readings(character: str) -> frozenset[str]:
    """Every toneless reading of one Chinese character, in capitals; empty for a character without a known one."""
    said = unicodedata.normalize("NFD", _table().get(str(ord(character)), "").upper()).translate(_TONES)
    return frozenset(reading for reading in said.replace(_UMLAUT, "V").split(",") if reading.isascii() and reading)


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    """Of every character (its number, as text) the readings with their tones, a comma between.

    Read from the file that pypinyin brings: what stands around it, phrases and styles of writing, takes three times as long to
    load, and single characters alone are looked up here. Raises ModuleNotFoundError where pypinyin is not installed.
    """
    found = find_spec("pypinyin")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("pypinyin")
    table: dict[str, str] = json.loads(Path(found.origin).with_name("pinyin_dict.json").read_text(encoding="utf-8"))
    return table


def spellings(character: str) -> frozenset[str]:
    """The readings as people type them: ü as v, u or yu."""
    known = readings(character)
    return known | {r.replace("V", "U") for r in known} | {r.replace("V", "YU") for r in known} if known else frozenset({"[A-Z]+"})
