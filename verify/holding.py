"""Which batches stand between the drop and today's state: held by a guard, accepted by an officer, withdrawn again.

A held batch keeps its place in the order of loading, so that one that is accepted later lies where it would have lain.
A withdrawn one leaves the list: later nights are as if it had never come, and its extract as after a night it missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from verify.archive import Archive
from verify.batches import Batch, chain, is_broken, marked_broken
from verify.decisions import ACCEPTED, WITHDRAWN, Decisions, Key
from verify.guards import before, seen, strays
from verify.manifest_list import CHANGES, FULL
from verify.problems import Problem
from verify.rule_extracts import Extract

OVER = "E-HELD-"


@dataclass(frozen=True, slots=True)
class Judged:
    """What guards and officers say of a batch that was read: whether it is withdrawn or held, and what must be told."""

    withdrawn: bool = False
    held: bool = False
    told: tuple[Problem, ...] = ()


def key_of(batch: Batch) -> Key:
    """What names a batch: extract, number, content."""
    return batch.extract, batch.batch, batch.sha256


def open_to_all(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    """The batches that were accepted: all but the held ones."""
    return tuple(batch for batch in batches if not batch.held)


def is_waiting(batches: Sequence[Batch]) -> bool:
    """Whether a held batch would change today's state: it came after the whole state that is in use."""
    base = max((batch.position for batch in chain(batches) if batch.mode == FULL), default=0)
    return any(batch.held and batch.position > base for batch in batches)


def judge(batch: Batch, known: Sequence[Batch], extract: Extract, *, archive: Archive, at: tuple[date, Decisions]) -> Judged:
    """What becomes of a batch that was read for the first time; `at` is the newest date of its drop and what was decided."""
    newest, decisions = at
    decided = decisions.of(key_of(batch))
    if decided == WITHDRAWN:
        return Judged(withdrawn=True)
    accepted = open_to_all(known)
    found = strays(seen(batch, archive), before(accepted, batch.mode, archive), extract, newest=newest, file=batch.file)
    over = any(problem.code.startswith(OVER) for problem in found)
    if over and decided == ACCEPTED:
        return Judged(told=(Problem("N-ACCEPTED", batch.file, {"batch": batch.batch}),))
    return Judged(held=over, told=tuple(found))


def with_held(batches: Sequence[Batch], new: Batch) -> tuple[Batch, ...]:
    """The batches after a guard has stopped a new one. One that was held under its number before gives way to it."""
    same = next((batch for batch in batches if batch.held and key_of(batch) == key_of(new)), None)
    if same is not None:
        return tuple(replace(new, position=same.position, held=True, chain_broken=same.chain_broken) if batch is same else batch for batch in batches)
    left = without_held(batches, new)
    return (*left, replace(new, position=len(left) + 1, in_use=False, held=True))


def without_held(batches: Sequence[Batch], new: Batch) -> tuple[Batch, ...]:
    """The batches without one that was held under the number of a new one."""
    return _numbered([batch for batch in batches if not (batch.held and batch.batch == new.batch)])


def missed(batches: Sequence[Batch], *, certain: bool) -> tuple[Batch, ...]:
    """The batches after a night on which a file was missed: the chain is broken until the next whole state.

    A held whole state mends it unless changes were missed after it: `certain` says that a file was, else one may have
    been where the extract sends changes at all.
    """
    marked = marked_broken(batches, broken=True)
    spoilt = certain or any(batch.mode == CHANGES for batch in batches)
    return tuple(now if spoilt or not was.held else was for was, now in zip(batches, marked, strict=True))


def decided_upon(batches: Sequence[Batch], decisions: Decisions) -> tuple[tuple[Batch, ...], tuple[Batch, ...]]:
    """The batches of an extract once what was decided has been done, and those of them that are newly in use by it."""
    gone = [batch for batch in batches if decisions.of(key_of(batch)) == WITHDRAWN]
    after = _withdrawn(batches, gone) if gone else tuple(batches)
    admitted = [batch.position for batch in after if batch.held and decisions.of(key_of(batch)) == ACCEPTED]
    for position in admitted:
        after = _admitted(after, position)
    return after, tuple(batch for batch in after if batch.position in admitted and batch.in_use)


def _withdrawn(batches: Sequence[Batch], gone: Sequence[Batch]) -> tuple[Batch, ...]:
    """What remains without the withdrawn batches. One that counted, or was to, is a file that did not come."""
    base = max((batch.position for batch in chain(batches) if batch.mode == FULL), default=0)
    counted = any(batch.in_use or (batch.held and batch.position > base) for batch in gone)
    left = rebuilt(_numbered([batch for batch in batches if batch not in gone]))
    return missed(left, certain=True) if counted else left


def _admitted(batches: Sequence[Batch], position: int) -> tuple[Batch, ...]:
    """The batches once a held one is accepted; a whole state mends the chain up to the files that were missed after it."""
    after = rebuilt([replace(batch, held=False) if batch.position == position else batch for batch in batches])
    found = next(batch for batch in batches if batch.position == position)
    base = next((batch for batch in chain(after) if batch.mode == FULL), None)
    broken = found.chain_broken if base is not None and base.position == position else is_broken(batches)
    return tuple(batch if batch.held else replace(batch, chain_broken=broken) for batch in after)


def rebuilt(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    """The batches with today's chain worked out anew: the last whole state and the changes after it; none without one."""
    whole = [batch.position for batch in batches if batch.mode == FULL and not batch.held]
    base = whole[-1] if whole else len(batches) + 1
    return tuple(replace(batch, in_use=not batch.held and batch.position >= base) for batch in batches)


def _numbered(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    return tuple(replace(batch, position=at) for at, batch in enumerate(batches, start=1))
