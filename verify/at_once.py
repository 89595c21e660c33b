"""Files looked through two at a time: whoever decrypts and decodes one leaves the interpreter to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

One = TypeVar("One")
Made = TypeVar("Made")
_HANDS = 2  # more find nothing to do on the machines we know


def at_once(work: Callable[[One], Made], some: Iterable[One]) -> list[Made]:
    """What the work makes of each, in their order, two of them at a time. Raises what the work raises, of the first that fails."""
    with ThreadPoolExecutor(_HANDS) as hands:
        return list(hands.map(work, some))
