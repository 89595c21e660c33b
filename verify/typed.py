"""What somebody typed, made safe to be shown again or kept: no citizen ID and no name leaves by way of an error."""

from __future__ import annotations

import re

from verify.privacy import HIDDEN

LONGEST = 60
NUMBER = re.compile(r"\d(?:[\s-]?\d){13,}[\s-]?[\dXx]?")  # an ID of 15 or 18, however it is broken up
WHOLE_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
STARS = HIDDEN * 8


def safe(text: str) -> str:
    """A typed text as it may be shown: IDs become stars, anything beyond plain ASCII keeps its first character only."""
    shown = NUMBER.sub(STARS, text.strip())[:LONGEST]
    if shown.isascii() and shown.isprintable():
        return shown
    return (shown[:1] if shown[:1].isprintable() else "") + HIDDEN * (len(shown) - 1)


def purpose_of(text: str) -> str:
    """A stated purpose on one line, without an ID in it, at most 200 characters."""
    return NUMBER.sub(STARS, " ".join(text.split()))[:200]


def without_ids(text: str) -> str:
    """A finished text in which whatever reads as an 18-digit ID has become stars: the last net, below the masking."""
    return WHOLE_NUMBER.sub(STARS, text)
