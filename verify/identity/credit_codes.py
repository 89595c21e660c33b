"""Unified social credit codes of companies and other bodies (GB 32100-2015), and the organisation codes inside (GB 11714).

Eighteen characters of an alphabet without I, O, S, V, Z: department, kind, six digits of division, nine of organisation code
(its own check character under weights 3 7 9 10 5 8 4 2), and a check character under powers of 3 modulo 31.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = tuple(3**at % 31 for at in range(17))
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_SHAPE = re.compile(f"[1-9A-HJ-NPQRTUWXY][{ALPHABET}][0-9]{{6}}[{ALPHABET}]{{10}}")


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A credit code: as written, whether its check characters are right, its division and its organisation code.

    `valid` speaks of the code's own check character. `body_valid` of the organisation code's, which bodies registered
    before 2015 may rightly fail where theirs was given out of order.
    """

    key: str
    valid: bool
    body_valid: bool
    division: str | None
    body: str | None
    person: bool


def credit_code_of(written: str) -> CreditCode | None:
    """What a written code is; None where nothing is left of it.

    `person` says that the text is shaped like a citizen's ID, as columns of owners hold either.
    """
    key = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", written).upper())
    if not key:
        return None
    person = re.fullmatch("[1-8][0-9]{16}[0-9X]|[1-8][0-9]{14}", key) is not None
    if not _SHAPE.fullmatch(key):
        return CreditCode(key, valid=False, body_valid=False, division=None, body=None, person=person)
    valid, body = check_of_code(key[:17]) == key[17], key[8:17]
    return CreditCode(key, valid, check_of_body(body[:8]) == body[8], key[2:8], body, person and not valid)


def check_of_code(seventeen: str) -> str:
    """The check character of a credit code. Raises KeyError for a character outside its alphabet."""
    return ALPHABET[-sum(_VALUE[c] * w for c, w in zip(seventeen, _WEIGHTS, strict=True)) % 31]


def check_of_body(eight: str) -> str:
    """The check character of an organisation code, X for ten (GB 11714-1997); letters count from A = 10, none left out."""
    total = sum((int(c) if c.isdigit() else ord(c) - 55) * w for c, w in zip(eight, _BODY_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
