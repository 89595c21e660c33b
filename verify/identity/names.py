"""Names taken apart: surname (compound ones too), characters, toneless readings, parts between middle dots, what hides them.

A surname is read as surnames are (单 Shan, 解 Xie, 尉迟 Yuchi), by a table of its own; every other character with all its
readings. What a name is compared by is `name_keys`; this says what its pieces are.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from verify.identity.name_keys import LETTER_DOTS, MASK
from verify.identity.readings import readings

DOT = "·"
DOTS = re.compile("[" + "".join(sorted(LETTER_DOTS)) + "\u00b7\u2022\u30fb\u2027\u2219\u22c5\u25cf\u25cb\u16eb\u2e31\uff65\uff0e.\u3002]")
_USUAL = re.compile("[\u4e00-\u9fff]{2,4}")  # what nearly every name is, and nothing can be wrong with
_SPACES = re.compile(r"\s+")
_ASIDE = re.compile(r"[(\[（【<《][^)\]）】>》]*[)\]）】>》]?")  # (大), （已故）, [曾用名…]
_NOISE = re.compile(r"[0-9'\"`~!@#$%^&+=|\\/;:,?<>{}、，；：？！“”‘’_\-—]+")


@dataclass(frozen=True, slots=True)
class NameParts:
    """A name in pieces.

    `text` has its parts joined by `·`; `parts` are those parts; `surname` is empty where the name has none (a name of parts,
    a Latin one, a masked first character); `given` is the rest. `sounds` has the toneless readings of each character, in
    capitals; empty for a hidden one. `hidden` says how many characters are masked.
    """

    text: str
    parts: tuple[str, ...]
    surname: str
    given: str
    sounds: tuple[frozenset[str], ...]
    hidden: int


def name_of(written: str) -> NameParts | None:
    """A written name in pieces; None where nothing of a name is left of it.

    What stands in brackets is an aside. A space inside a name of four letters or fewer is noise, in a longer one it stands
    for the dot between two parts. Characters are kept as written: variants and traditional forms fold in `name_keys`.
    """
    text = plain_name(written)
    if not text:
        return None
    parts = tuple(text.split(DOT))
    whole = "".join(parts)
    surname = "" if len(parts) > 1 or whole.isascii() else surname_of(whole)
    return NameParts(text, parts, surname, whole[len(surname) :], sounds_of(whole, surname), whole.count(MASK))


def plain_name(written: str) -> str:
    """A written name without noise and asides, its parts joined by `·`; '' where nothing is left."""
    if _USUAL.fullmatch(written):
        return written
    text = unicodedata.normalize("NFKC", _ASIDE.sub("", written).replace("\u3000", " ").replace("\u30fb", DOT)).strip().upper()
    text = _NOISE.sub("", text.replace("＊", MASK).replace("×", MASK))
    spread = _SPACES.split(text)
    latin = text.isascii() and len(spread) > 1
    long = len("".join(spread)) > 4 and not latin
    text = (DOT if long else "" if not latin else " ").join(spread)
    text = DOTS.sub(DOT, text)
    return re.sub(f"{DOT}+", DOT, text).strip(DOT + " ")


def surname_of(name: str) -> str:
    """The surname a name begins with: a compound one where it is in the table and leaves a given name; '' for a hidden one."""
    if not name or name[0] == MASK:
        return ""
    return name[:2] if len(name) > 2 and name[:2] in surname_readings() else name[0]


def sounds_of(name: str, surname: str = "") -> tuple[frozenset[str], ...]:
    """The readings of every character of a name; those of a surname in the table come from there, beside the character's own.

    Both count: people read 单 as Dan on the telephone, and write it so.
    """
    known = surname_readings().get(surname)
    found = [readings(character) if not character.isascii() else frozenset({character} - {MASK}) for character in name]
    if known:
        said = known.split()
        found[: len(said)] = [found[at] | {sound} for at, sound in enumerate(said)]
    return tuple(found)


def main_sounds(name: str, surname: str = "") -> tuple[str, ...]:
    """One reading of every character: of a surname in the table that one, else the first in the alphabet; '' for none."""
    said = surname_readings().get(surname, "").split()
    return tuple(said[at] if at < len(said) else min(sounds, default="") for at, sounds in enumerate(sounds_of(name, surname)))


def sound_alike(one: str, other: str) -> bool:
    """Whether two names of the same length may be said alike, character by character; an unknown reading agrees with itself only."""
    if len(one) != len(other):
        return False
    ours, theirs = sounds_of(one, surname_of(one)), sounds_of(other, surname_of(other))
    return all(a == b or sounds & others for a, b, sounds, others in zip(one, other, ours, theirs, strict=True))


@lru_cache(maxsize=1)
def surname_readings() -> dict[str, str]:
    """Every surname of the table with its reading as a surname: compound ones, and single ones not read as the character is."""
    text = Path(__file__).with_name("surnames.csv").read_text(encoding="utf-8")
    return {line["surname"]: line["reading"] for line in csv.DictReader(io.StringIO(text))}
