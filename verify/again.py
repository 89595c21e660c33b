"""One case again: the night's own stages on the rows that can touch it, held against what the night published.

What was known that night is put together anew from the night's batches and the archive; everything below happens in a
private folder of the home that is gone afterwards, whatever happens.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from verify.known_then import arrived_then
from verify.manifest import RESULTS, TABLES, Published
from verify.passing import passing_folder
from verify.problems import IntegrityError, Problem, UsageError
from verify.rule_reading import nothing_to_collect
from verify.rulebook import Rulebook
from verify.settings import Home, read_settings
from verify.store import open_store
from verify.store_rows import Record, rows_where

COMPARED = (
    *(f"{RESULTS}/{name}" for name in ("cases", "tests", "alerts", "evidence", "links")),
    *(f"{TABLES}/{name}" for name in ("values", "persons", "margins")),
)
LATER = {f"{TABLES}/margins"}  # what older nights do not have


def must_agree(home: Home, night: Published, case: str, *, book: Rulebook) -> int:
    """Work the case out again and hold it against the published night; how many rows were compared.

    Raises UsageError (E-AGAIN-RULES) where the rules are not those of the night, IntegrityError (E-AGAIN) with the names
    of the tables that differ, never with what stands in them.
    """
    if book.digest != night.manifest.origin.rules:
        raise UsageError(Problem("E-AGAIN-RULES", night.manifest.night, {"then": night.manifest.origin.rules[:12], "now": book.digest[:12]}))
    with passing_folder(home) as work, nothing_to_collect():
        _work_out(home, night, case, book=book, work=work)
        kept = [name for name in COMPARED if name not in LATER or (night.folder / f"{name}.parquet").exists()]
        pairs = {name: (_of_case(night.folder, name, case), _of_case(work, name, case)) for name in kept}
    differing = [name for name, (then, now) in pairs.items() if then != now]
    if differing:
        raise IntegrityError(Problem("E-AGAIN", night.manifest.night, {"tables": ", ".join(differing)}))
    return sum(len(then) for then, _ in pairs.values())


def _work_out(home: Home, night: Published, case: str, *, book: Rulebook, work: Path) -> None:
    """The night's stages on what was known. While the archive is read, which leaves the interpreter free, they are loaded and the rules planned."""
    tables = work / TABLES
    tables.mkdir(mode=0o700)
    with ThreadPoolExecutor(1) as reader:
        arrived = reader.submit(arrived_then, home, night, case, book=book, tables=tables)
        from verify.plan import make_plan  # noqa: PLC0415 - a quarter of a second among a million people
        from verify.working import work_out  # noqa: PLC0415

        plan = make_plan(book, night.manifest.origin.as_of)
        with open_store(work, threads=1, memory=read_settings(home).memory, few_rows=True) as store:
            work_out(store, arrived.result(), plan, work, lambda _stage: None)


def _of_case(folder: Path, name: str, case: str) -> list[Record]:
    return rows_where(folder / f"{name}.parquet", "case_id", case)
