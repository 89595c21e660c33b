"""How much of a person may be seen: names and IDs masked for lists that leave the engine."""

from __future__ import annotations

HIDDEN = "*"
SHOWN_OF_ID = 4  # at each end, as courts and banks print it
SHORTEST_ID = 15  # the old form; anything shorter would show more than it hides


def mask_name(name: str) -> str:
    """The first character of a name and a star for every other one: 张*, 张**.

    A name of one character is hidden whole; an empty name stays empty.
    """
    shown = name.strip()
    if len(shown) <= 1:
        return HIDDEN * len(shown)
    return shown[0] + HIDDEN * (len(shown) - 1)


def mask_id(number: str) -> str:
    """The first and last four characters of an ID around eight stars: 4501********1234.

    The stars do not tell the length. Whatever is shorter than an ID is hidden whole; an empty ID stays empty.
    """
    shown = number.strip()
    if len(shown) < SHORTEST_ID:
        return HIDDEN * 8 if shown else ""
    return shown[:SHOWN_OF_ID] + HIDDEN * 8 + shown[-SHOWN_OF_ID:]
