"""Numbers of people: citizen IDs of 18 and 15 digits, residence permits, permanent residence cards, old and new.

GB 11643-1999 with its check character (ISO 7064 MOD 11-2). The permits for residents of Hong Kong, Macao and Taiwan (since
2018-09-01) follow it with 81, 82, 83 and four zeros in place of a division; the permanent residence card of foreigners
(since 2023-12-01) with 9, two digits of the province and the three digits of ISO 3166-1; its older form has three letters
and twelve digits, whose last one is not checked here: no published number to hold a formula against was found.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

CITIZEN, CITIZEN_15, PERMIT, RESIDENT, RESIDENT_OLD = "citizen", "citizen_15", "permit", "resident", "resident_old"
VALID, REPAIRABLE, INVALID = "valid", "repairable", "invalid"
MALE, FEMALE = "male", "female"
OLDEST = 130  # nobody on any list is older

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NOISE = re.compile(r"[^0-9A-Z]")
_PERMITS = ("810000", "820000", "830000")
_PERMITS_SINCE = date(2018, 9, 1)
_LOOKS_LIKE = str.maketrans("OILSBZ", "011582")  # letters that are read or typed for a digit; X alone has a place of its own


@dataclass(frozen=True, slots=True)
class Number:
    """One number: its kind, the number made comparable, what it is worth, and what it says.

    `state`: valid; repairable (a number of the right length whose only fault is one character, or a date nobody can tell);
    invalid. `key` has 18 characters for every citizen, whichever form was written. `division` is the six digits as they
    stand, and never says where somebody lives now.
    """

    kind: str
    key: str
    state: str
    division: str | None = None
    birth: date | None = None
    sex: str | None = None


def number_of(written: str, as_of: date) -> Number | None:
    """What a written number is; None where nothing of a number is left of it.

    Numbers of companies, plates and the like are invalid here, not unknown: this is asked of columns of IDs.
    """
    key = cleaned(written)
    if not key:
        return None
    if re.fullmatch("[A-Z]{3}[0-9]{12}", key):
        return _old_resident(key, as_of)
    if re.fullmatch("[0-9]{15}", key):
        return _of_eighteen(to_eighteen(key), as_of, kind=CITIZEN_15)
    return _of_eighteen(key, as_of, kind=CITIZEN)


def cleaned(written: str) -> str:
    """A number with its noise removed: NFKC, upper case, letters and digits only; `*` for the X of a check character."""
    plain = unicodedata.normalize("NFKC", written).upper().strip()
    if re.fullmatch(r"\D*[0-9]{17}\*", plain):
        plain = plain[:-1] + "X"
    return _NOISE.sub("", plain)


def check_of(seventeen: str) -> str:
    """The check character of seventeen digits. Raises ValueError where they are not seventeen ASCII digits."""
    if not re.fullmatch("[0-9]{17}", seventeen):
        raise ValueError("seventeen digits stand before a check character")
    return _CHECKS[sum(int(d) * w for d, w in zip(seventeen, WEIGHTS, strict=True)) % 11]


def to_eighteen(fifteen: str) -> str:
    """The eighteen characters of a fifteen-digit number. Raises ValueError where it has not fifteen ASCII digits.

    The century is 19: numbers of fifteen digits ended in 1999 (996 to 999 as sequence, given to centenarians, meant 18).
    """
    if not re.fullmatch("[0-9]{15}", fifteen):
        raise ValueError("an old number has fifteen digits")
    century = "18" if fifteen[12:] in {"996", "997", "998", "999"} else "19"
    body = fifteen[:6] + century + fifteen[6:]
    return body + check_of(body)


def to_fifteen(eighteen: str) -> str | None:
    """The fifteen digits of a number; None for whoever was born after they ended."""
    return eighteen[:6] + eighteen[8:17] if len(eighteen) == 18 and eighteen[6:8] in {"18", "19"} else None


def repairs_of(key: str, as_of: date) -> tuple[str, ...]:
    """Every valid number that is one substituted character or one swap of neighbours away; sorted.

    A list to look up, never an answer: about one in eleven random slips has several. Empty for a number that is valid, for
    a valid number is never corrected into another.
    """
    if len(key) != 18 or _state(key, as_of) == VALID:
        return ()
    found = set()
    for at in range(18):
        others = "0123456789X" if at == 17 else "0123456789"
        found |= {key[:at] + other + key[at + 1 :] for other in others if other != key[at]}
        if at < 17:
            found.add(key[:at] + key[at + 1] + key[at] + key[at + 2 :])
    return tuple(sorted(one for one in found if one != key and _state(one, as_of) == VALID))


def _of_eighteen(key: str, as_of: date, *, kind: str) -> Number:
    """A number of eighteen characters, or of a wrong length."""
    state, said = _state(key, as_of), key.translate(_LOOKS_LIKE) if len(key) == 18 else key
    if state == INVALID and said != key and _state(said, as_of) == VALID:
        key, state = said, REPAIRABLE
    if state == INVALID and re.fullmatch("[1-9][0-9]{16}[0-9X]", key) and _birth(key, as_of):
        state = REPAIRABLE
    if not re.fullmatch("[1-9][0-9]{16}[0-9X]", key):
        near = 17 <= len(key) <= 19 and sum(c.isdigit() for c in key) >= len(key) - 1 and len(set(key)) > 3
        return Number(kind, key, REPAIRABLE if near else INVALID)
    if key[0] == "9":
        kind = RESIDENT
    elif key[:6] in _PERMITS:
        kind = PERMIT
    division = None if kind in {RESIDENT, PERMIT} else key[:6]
    return Number(kind, key, state, division, _birth(key, as_of), MALE if int(key[16]) % 2 else FEMALE)


def _state(key: str, as_of: date) -> str:
    right = re.fullmatch("[1-9][0-9]{16}[0-9X]", key) and check_of(key[:17]) == key[17] and _birth(key, as_of)
    if right and key[:6] in _PERMITS and as_of < _PERMITS_SINCE:
        return INVALID
    return VALID if right else INVALID


def _birth(key: str, as_of: date) -> date | None:
    """The birth date inside a number; None where it is not real, lies in the future, or is older than anybody."""
    try:
        found = date(int(key[6:10]), int(key[10:12]), int(key[12:14]))
    except ValueError:
        return None
    return found if found <= as_of and as_of.year - found.year <= OLDEST else None


def _old_resident(key: str, as_of: date) -> Number:
    """The card of before 2023-12: three letters, four digits of the place, six of the birth date, two more."""
    try:
        year = int(key[7:9])
        born = date((2000 if 2000 + year <= as_of.year else 1900) + year, int(key[9:11]), int(key[11:13]))
    except ValueError:
        return Number(RESIDENT_OLD, key, INVALID)
    if born > as_of:
        return Number(RESIDENT_OLD, key, INVALID)
    return Number(RESIDENT_OLD, key, VALID, key[3:7] + "00", born)
