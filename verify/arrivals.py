"""What a night has taken from its drop so far, and what each file that comes, or does not, does to its extract's state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from verify.batches import Batch, chain, is_broken, with_again, with_new
from verify.decisions import WITHDRAWN, Decisions, Key
from verify.holding import decided_upon, is_waiting, key_of, missed, with_held, without_held
from verify.intake import ABSENT, EXTRA, STRANGE, Taken
from verify.manifest_list import FULL, Listed

LOADED, UNCHANGED, REFUSED, LATE = "loaded", "unchanged", "refused", "late"


@dataclass(slots=True)
class Arrivals:
    """What has been taken from the drop so far: every extract's batches, the tables' lines, what came, what was missed.

    `at` is the newest date of the drop's list and what was decided; `admitted` are batches that an officer has accepted since the night before;
    `made_good` are extracts whose whole state came again, so that a batch held before it no longer matters tonight; `twice`
    files that contradict another of the drop (see `find_contradictions`).
    """

    batches: dict[str, tuple[Batch, ...]]
    at: tuple[date, Decisions]
    files: list[tuple[str | None, str | None, str | None, date | None, int, int, int, int, str]] = field(default_factory=list)
    troubles: list[tuple[str | None, str | None, str, str]] = field(default_factory=list)
    came: list[Batch] = field(default_factory=list)
    brought: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    made_good: set[str] = field(default_factory=set)
    admitted: set[Key] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)

    def told(self, extract: str | None, file: str | None, code: str, detail: Mapping[str, str] | None = None) -> None:
        """Note something that must be told about a file or an extract."""
        self.troubles.append((extract, file, code, json.dumps(detail or {}, ensure_ascii=False, sort_keys=True)))


def do_as_decided(arrivals: Arrivals) -> None:
    """Before anything comes: withdrawn batches leave the list, and held ones that were accepted take their place in it."""
    for name, known in arrivals.batches.items():
        arrivals.batches[name], admitted = decided_upon(known, arrivals.at[1])
        arrivals.admitted |= {key_of(batch) for batch in admitted}


def find_contradictions(listed: Iterable[Listed], arrivals: Arrivals) -> None:
    """New files that give one extract two whole states of one day: the one would replace the other, and its rows be lost."""
    known = {(name, batch.batch) for name, batches in arrivals.batches.items() for batch in batches}
    new = [line for line in listed if line.mode == FULL and (line.extract, line.batch) not in known]
    new = [line for line in new if arrivals.at[1].of((line.extract, line.batch, line.checksum)) != WITHDRAWN]
    states: dict[tuple[str, date | None], set[str]] = {}
    for line in new:
        states.setdefault((line.extract, line.as_of), set()).add(line.checksum)
    arrivals.twice = {line.file for line in new if len(states[line.extract, line.as_of]) > 1}


def load_admitted(arrivals: Arrivals) -> None:
    """Accepted batches that did not come again tonight are loaded from the archive, unless a newer whole state came."""
    came = {key_of(batch) for batch in arrivals.came}
    for key in sorted(arrivals.admitted - came):
        for batch in chain(arrivals.batches[key[0]]):
            if key_of(batch) == key:
                _note(batch, arrivals, LOADED)
                arrivals.told(batch.extract, batch.file, "N-ACCEPTED", {"batch": batch.batch})


def put_down(taken: Taken, known: Sequence[Batch], arrivals: Arrivals) -> None:
    """Put a taken batch on top of what is known of its extract; a whole state makes up for files missed before it."""
    batch = taken.batch
    after = with_again(known, batch) if taken.again else with_new(without_held(known, batch), batch)
    arrivals.batches[batch.extract] = after
    if batch.mode == FULL and (not taken.again or not is_broken(after)):
        arrivals.missed.discard(batch.extract)
        arrivals.made_good.add(batch.extract)
    admitted = taken.again and key_of(batch) in arrivals.admitted
    _note(batch, arrivals, UNCHANGED if taken.again and not admitted else LOADED)
    if admitted:
        arrivals.told(batch.extract, batch.file, "N-ACCEPTED", {"batch": batch.batch})
    if not taken.again:
        _tell_columns(taken, arrivals)


def _note(batch: Batch, arrivals: Arrivals, state: str) -> None:
    """A line of the files' table, and the batch among those whose rows are told tonight."""
    arrivals.brought.add(batch.extract)
    arrivals.came.append(batch)
    counts = (batch.received, batch.kept, batch.refused, batch.duplicate)
    arrivals.files.append((batch.extract, batch.file, batch.batch, batch.as_of, *counts, state))


def _tell_columns(taken: Taken, arrivals: Arrivals) -> None:
    """What is to be said of a file's columns."""
    batch = taken.batch
    for code, columns in ((EXTRA, taken.extra), (ABSENT, taken.absent)):
        if columns:
            arrivals.told(batch.extract, batch.file, code, {"columns": ", ".join(columns)})
    for code, found in taken.notes:
        arrivals.told(batch.extract, batch.file, code, {"found": found})
    for column, rows in taken.strange:
        arrivals.told(batch.extract, batch.file, STRANGE, {"column": column, "rows": str(rows)})


def hold(taken: Taken, known: Sequence[Batch], arrivals: Arrivals) -> None:
    """A guard's limit is passed: told as a refused file, but its rows lie in the archive and wait for an officer."""
    batch = taken.batch
    arrivals.batches[batch.extract] = with_held(known, batch)
    arrivals.held.add(batch.extract)
    arrivals.made_good.discard(batch.extract)
    arrivals.files.append((batch.extract, batch.file, batch.batch, batch.as_of, batch.received, 0, batch.received, 0, REFUSED))
    _tell_columns(taken, arrivals)


def mark_late(extracts: Iterable[str], arrivals: Arrivals) -> set[str]:
    """The extracts that are late tonight; each of them stays late until its next whole state."""
    late = set()
    with_line = {line[0] for line in arrivals.files}
    for name in extracts:
        batches = arrivals.batches.get(name, ())
        if name in arrivals.brought and is_broken(batches):
            arrivals.told(name, None, "E-GAP")
        came = name in arrivals.brought or name in arrivals.held
        if not came or name in arrivals.missed or is_broken(batches):
            late.add(name)
            arrivals.batches[name] = missed(batches, certain=name in arrivals.missed)
        elif name not in arrivals.brought or (is_waiting(batches) and name not in arrivals.made_good):
            late.add(name)  # only an officer's word is missing: nothing is lost of it
        if name not in with_line:
            arrivals.files.append((name, None, None, None, 0, 0, 0, 0, LATE))
    return late
