"""Phone numbers: eleven digits of a mobile, or area code and number of a fixed line; what only fills a field is no number."""

from __future__ import annotations

import re
import unicodedata

_MOBILE = re.compile("1[3-9][0-9]{9}")
_FIXED = re.compile("0(?:10|2[0-57-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}")


def phone_of(written: str) -> str | None:
    """The digits of a number that could be somebody's: `+86`, `0086` and signs removed; None for anything else.

    Of several numbers in one field the first counts. Numbers of one repeated digit, or counting up, are fillers.
    """
    if _MOBILE.fullmatch(written) and written.isascii():
        return None if _filler(written) else written
    text = unicodedata.normalize("NFKC", written)
    for piece in re.split(r"[/,;，；、]|\s{2,}|转", text):
        digits = re.sub(r"[^0-9]", "", piece)
        digits = re.sub(r"^(?:00)?86(?=1[3-9][0-9]{9}$|0?[1-9][0-9]{9,10}$)", "", digits)
        if re.fullmatch("01[3-9][0-9]{9}", digits):  # a long-distance 0 before a mobile
            digits = digits[1:]
        if (_MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits)) and not _filler(digits):
            return digits
    return None


def _filler(digits: str) -> bool:
    tail = digits[-8:]
    return len(set(tail)) == 1 or tail in "0123456789012345678" or tail in "98765432109876543210"
