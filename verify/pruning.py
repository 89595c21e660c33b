"""Which batches of the archive nothing needs any more and whose class's time is over, and how they are deleted.

Kept however old: what the newest night uses (the last whole state of every extract and the changes after it), what waits
for an officer's word, what a standing decision about a pair names, and every extract whose rules name no class. A past
night whose batches are gone stays readable; it can no longer be worked out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from verify.batches import Batch, read_batches
from verify.holding import is_waiting
from verify.layout import Block
from verify.ledger import Look, record
from verify.manifest import Published, published_nights
from verify.nights import newest_night
from verify.pair_decisions import read_pair_decisions
from verify.rule_extracts import Retention
from verify.rulebook import Rulebook
from verify.settings import Home, sync_folder
from verify.speech import Speech
from verify.stages.publish import one_at_a_time

ROWS = ".parquet"
NAME_ENDS = "."  # a batch's name in the archive has no dot, and each of its files goes on with one


@dataclass(frozen=True, slots=True)
class Over:
    """One file whose time is over: its name, its size in bytes, and of which class it is ('' where no night knows it)."""

    file: Path
    size: int
    retention: str


def over(home: Home, book: Rulebook, today: date) -> list[Over]:
    """The files that may go, in order of name. Raises UsageError (E-NO-NIGHT), IntegrityError (E-NIGHT-BROKEN).

    A batch's time runs from its newest as-of date; of one that no published night knows (a night failed, the layout was
    changed) from the day it was written, with the longest time of any class.
    """
    days = {entry.retention: entry.days for entry in book.all(Retention)}
    classes = {name: extract.retention for name, extract in book.extracts.items()}
    newest = newest_night(home)
    needed, known = _needed(newest) | _decided(home, min(today, newest.manifest.origin.as_of)), _known(published_nights(home))
    found: list[Over] = []
    for name, files in _archived(home).items():
        batches = known.get(name, [])
        named = {classes.get(batch.extract) for batch in batches} if batches else set(days)
        if name in needed or not named or not named <= days.keys():
            continue
        last = max((one for one in named if one), key=lambda one: (days[one], one))
        since = max((batch.as_of for batch in batches), default=None) or _written(files)
        if (today - since).days > days[last]:
            found += [Over(file, file.stat().st_size, last if batches else "") for file in files]
    return found


def _written(files: list[Path]) -> date:
    """The day on which the last of some files was written."""
    return max(datetime.fromtimestamp(file.stat().st_mtime, UTC).date() for file in files)


def prune(home: Home, book: Rulebook, today: date) -> list[Over]:
    """Delete them: the ledger first, no night at the same time, and of each batch the kept rows first, without which it is
    not there. Raises LockedError (E-LOCKED), LedgerError, and what `over` raises."""
    with one_at_a_time(home):
        found = over(home, book, today)
        if found:
            record(home, Look("archive prune", "", f"{len(found)} files, {sum(one.size for one in found)} bytes"))
        for one in sorted(found, key=lambda one: (_batch_of(one.file), one.file.name != _batch_of(one.file) + ROWS, one.file.name)):
            one.file.unlink()
        sync_folder(home.archive)
    return found


def _batch_of(file: Path) -> str:
    return file.name.partition(NAME_ENDS)[0]


def _archived(home: Home) -> dict[str, list[Path]]:
    """The files of every batch in the archive, by its name there."""
    found: dict[str, list[Path]] = {}
    for file in sorted(path for path in home.archive.iterdir() if path.is_file()):
        found.setdefault(_batch_of(file), []).append(file)
    return found


def _needed(night: Published) -> set[str]:
    """What the newest night uses or may use yet."""
    names = set()
    for batches in read_batches(_table(night)).values():
        for batch in batches:
            if batch.in_use or is_waiting([one for one in batches if one.in_use or one is batch]):
                names.add(batch.archived)
    return names


def _decided(home: Home, day: date) -> set[str]:
    """What officers' standing decisions about pairs are known by."""
    return {place.archived for one in read_pair_decisions(home).standing(day).values() for place in (one.of, one.roster)}


def _known(nights: list[Published]) -> dict[str, list[Batch]]:
    """Every batch that a published night knows, by its name in the archive."""
    known: dict[str, list[Batch]] = {}
    for night in nights:
        if _table(night).exists():
            for batches in read_batches(_table(night)).values():
                for batch in batches:
                    known.setdefault(batch.archived, []).append(batch)
    return known


def _table(night: Published) -> Path:
    return night.folder / "tables" / "batches.parquet"


# --- in words ---------------------------------------------------------------------------------------------------------


def pruned_blocks(found: list[Over], voice: Speech, *, done: bool) -> list[Block]:
    """Every file by name and size, then the sum of it."""
    head = tuple(voice.word(key) for key in ("head_file", "head_label", "head_bytes"))
    rows = tuple((one.file.name, one.retention or voice.word("prune_unknown"), f"{one.size:,}") for one in found)
    told = {"files": f"{len(found):,}", "bytes": f"{sum(one.size for one in found):,}"}
    last = voice.word("pruned", **told) if done else voice.word("prune_would", **told)
    return [*([Block(voice.word("archive"), (), head, rows, frozenset({2}))] if rows else []), Block(last)]


def pruned_json(found: list[Over], *, done: bool) -> dict[str, Any]:
    """The same for programs."""
    files = [{"file": one.file.name, "bytes": one.size, "retention": one.retention} for one in found]
    return {"deleted": done, "files": files, "bytes": sum(one.size for one in found)}
