"""How many of a night's accepted links are expected to be wrong, from the register held against itself.

No two people of the register are one person; so each pair of them that the evidence of some method would take for one tells
how often that evidence lies. Counted are pairs with equal names; times the links that the method accepted, as if the owner of
the row were never in the register, it is a bound from above. What an officer has decided is counted as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from verify.rulebook import Rulebook
from verify.store import Store, read_frame, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))
EXPECTED = "expected_false.parquet"  # below a night's tables
RISEN = 2  # a night's expectation against what those before it had in the middle
FEWEST = 500  # thousandths of a link below which no rise is told


def write_expected(store: Store, book: Rulebook, links: Path, path: Path) -> None:
    """Write the table by method: links accepted, people of the register, pairs of them alike, and links expected to be wrong (thousandths).

    Needs the view `mentions`.
    """
    registers = [name for name, extract in sorted(book.extracts.items()) if extract.plays.register_]
    store.load("accepted_links", links, whole=False)
    store.table("crowd_alike", _SQL["crowd_alike"], [registers])
    store.save(_SQL["expected_false"], path)
    store.run("DROP TABLE crowd_alike")


def expected_of(tables: Path) -> pl.DataFrame | None:
    """The table of a night; None for a night of before there was one."""
    path = tables / EXPECTED
    return read_frame(path) if path.exists() else None


def in_all(expected: pl.DataFrame) -> int | None:
    """All methods together, in thousandths of a link; None where no register could tell."""
    return None if expected["wrong"].null_count() else int(expected["wrong"].sum())


def has_risen(nights: Sequence[int]) -> bool:
    """Whether the last of some nights expects more than twice what those before it had in the middle."""
    *before, last = nights
    if not before:
        return False
    middle = sorted(before)[len(before) // 2]
    return last >= FEWEST and last > RISEN * middle
