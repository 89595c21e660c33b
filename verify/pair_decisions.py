"""What officers have decided about whose a row is: one JSON line a decision in HOME/pair-decisions.jsonl, only ever added.

A decision names the row that the officer looked at by its place in the archive (extract, the batch's SHA-256, row, side) and
the person by person_id with the night it was read in: nothing of what they say stands in this file. `same` must be linked,
`other` must not; each has an author, a reason, a date, and a day until which it holds.

Where a night takes them: `standing(as_of)` is part of what the night is made from (its digest goes into the night's id, as
that of batches does). `match` asks for the standing decisions after its verdicts and before links are written. Tonight's row
is the one decided about if what it says, made comparable, is what the archived row says: `other` makes the pair rejected,
`same` accepted, by the method `officer`, whatever was worked out. If the row says something else now, or the person has a
new ID, that is new evidence: the decision lapses for it, and the pair comes back as a review that names the old decision.
A veto of the law (no authorisation) stands above every decision. A batch that a standing decision names is not pruned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from verify.decisions import append_line
from verify.ledger import os_user
from verify.problems import IntegrityError, Problem
from verify.settings import Home

SAME, OTHER = "same", "other"
FILE = "pair-decisions.jsonl"
Place = tuple[str, str, int, str]  # extract, SHA-256 of the batch's file, row, side


@dataclass(frozen=True, slots=True)
class PairDecision:
    """One decision: what of which row and person; in which night they were looked at; why, until when ('' for ever), by whom, when."""

    what: str
    extract: str
    sha256: str
    row: int
    side: str
    person_id: str
    night: str
    reason: str
    until: str = ""
    user: str = field(default_factory=os_user)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    @property
    def place(self) -> Place:
        """The row it is about."""
        return self.extract, self.sha256, self.row, self.side


@dataclass(frozen=True, slots=True)
class Standing:
    """The decisions that hold on a day, by row and person; and the rows about which they contradict each other.

    A row that must be two people's is nobody's by decision: none of its `same` holds, and it is to be reported.
    """

    decisions: tuple[PairDecision, ...]
    conflicts: tuple[Place, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of what was decided, not of when, why and by whom; '' while there is nothing."""
        if not self.decisions and not self.conflicts:
            return ""
        told = sorted([one.what, *map(str, one.place), one.person_id] for one in self.decisions)
        return hashlib.sha256(json.dumps([told, [list(place) for place in self.conflicts]], ensure_ascii=False).encode()).hexdigest()

    def of(self, place: Place) -> dict[str, str]:
        """What was decided of a row, by person."""
        return {one.person_id: one.what for one in self.decisions if one.place == place}


def decide_pair(home: Home, decision: PairDecision) -> None:
    """Add one decision and force it to disk. Raises IntegrityError (E-DECISIONS) where that cannot be done.

    Raises ValueError for one without a reason, of an unknown kind, or that ends before it begins.
    """
    plain = _checked(asdict(decision))
    append_line(_file(home), json.dumps(plain, ensure_ascii=False, sort_keys=True).encode("utf-8", errors="backslashreplace") + b"\n")


def read_pair_decisions(home: Home) -> tuple[PairDecision, ...]:
    """Every decision of a home, in the order in which they were taken.

    A last line without its end was never confirmed to anybody and does not count. Raises IntegrityError (E-DECISIONS) with the
    number of a line that cannot be read: a pair that was dismissed must never come back because a line was lost.
    """
    path = _file(home)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise IntegrityError(Problem("E-DECISIONS", path.name, {"why": error.strerror or type(error).__name__})) from None
    found = []
    for at, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            found.append(PairDecision(**_checked(json.loads(line))))
        except (ValueError, TypeError) as error:
            raise IntegrityError(Problem("E-DECISIONS", f"{path.name}:{at}", {"why": type(error).__name__})) from None
    return tuple(found)


def standing(decisions: Iterable[PairDecision], as_of: date) -> Standing:
    """The decisions that hold on a day: of each row and person the last one, if it has not expired."""
    last = {(one.place, one.person_id): one for one in decisions}
    held = [one for one in last.values() if not one.until or date.fromisoformat(one.until) >= as_of]
    same: dict[Place, int] = {}
    for one in held:
        same[one.place] = same.get(one.place, 0) + (one.what == SAME)
    conflicts = tuple(sorted(place for place, count in same.items() if count > 1))
    kept = [one for one in held if one.what == OTHER or one.place not in conflicts]
    return Standing(tuple(sorted(kept, key=lambda one: (one.place, one.person_id))), conflicts)


def _file(home: Home) -> Path:
    return home.folder / FILE


def _checked(plain: Any) -> dict[str, Any]:
    """A decision's fields. Raises ValueError, TypeError."""
    if not isinstance(plain, dict) or plain.get("what") not in {SAME, OTHER}:
        raise ValueError("not a decision")
    if not isinstance(plain.get("row"), int) or not str(plain.get("reason", "")).strip():
        raise ValueError("a decision has a row and a reason")
    if plain.get("until") and date.fromisoformat(plain["until"]) < datetime.fromisoformat(plain["when"]).date():
        raise ValueError("a decision ends after it begins")
    return plain
