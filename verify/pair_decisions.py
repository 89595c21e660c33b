"""What officers have decided about whose a row is: one JSON line a decision in HOME/pair-decisions.jsonl, only ever added.

A decision names the row that the officer looked at, and the roster's row of the person, by their places in the archive
(batch, row, side): nothing of what they say stands in this file. `same` must be linked, `other` must not; each has an
author, a reason, a date, and a day until which it holds. It is known by its number, that of its line.

A night holds it against what its own rows say (`pair_marks`), so that it goes with the content and not with a row's number.
What says something else now, or somebody whose ID has changed, is new evidence: the decision has nothing to hold on.
A veto of the law (no authorisation) stands above every decision. A batch that a standing decision names is not pruned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from verify.decisions import append_line
from verify.ledger import os_user
from verify.problems import IntegrityError, Problem
from verify.settings import Home

SAME, OTHER, WITHDRAWN = "same", "other", "withdrawn"
REPLACED, EXPIRED, STANDING = "replaced", "expired", "standing"
FILE = "pair-decisions.jsonl"


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the archive: its extract, its batch's name there, its number, and on which side of it the person stands."""

    extract: str
    archived: str
    row: int
    side: str = ""


@dataclass(frozen=True, slots=True)
class PairDecision:
    """One decision: what of which row and person (`case`/`member`, and the roster's row); why, until when ('' for ever), by whom, when."""

    what: str
    of: Place
    roster: Place
    case: str
    member: int
    reason: str
    until: str = ""
    user: str = field(default_factory=os_user)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What takes a decision back: its number, why, by whom, when. Nothing is decided of the pair from then on."""

    number: int
    reason: str
    what: str = WITHDRAWN
    user: str = field(default_factory=os_user)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


@dataclass(frozen=True, slots=True)
class PairDecisions:
    """Every line of a home, by its number."""

    lines: Mapping[int, PairDecision | Withdrawal] = field(default_factory=dict)

    def decisions(self) -> dict[int, PairDecision]:
        """The decisions, whether they stand or not."""
        return {number: one for number, one in self.lines.items() if isinstance(one, PairDecision)}

    def standing(self, as_of: date) -> dict[int, PairDecision]:
        """Those that hold on a day: of each pair the last one, if it was not withdrawn and has not expired."""
        return {number: one for number, one in self.decisions().items() if self.state(number, as_of) == STANDING}

    def state(self, number: int, as_of: date) -> str:
        """How a decision stands on a day: standing, replaced (by a later one of the same pair), withdrawn or expired."""
        one = self.decisions()[number]
        if any(isinstance(other, Withdrawal) and other.number == number for other in self.lines.values()):
            return WITHDRAWN
        if any(at > number and (other.of, other.roster) == (one.of, one.roster) for at, other in self.decisions().items()):
            return REPLACED
        return EXPIRED if one.until and date.fromisoformat(one.until) < as_of else STANDING


def digest_of_pairs(standing: Mapping[int, PairDecision]) -> str:
    """SHA-256 of what was decided, not of when, why and by whom; '' while there is nothing."""
    if not standing:
        return ""
    told = [[number, one.what, asdict(one.of), asdict(one.roster), one.case] for number, one in sorted(standing.items())]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def decide_pair(home: Home, said: PairDecision | Withdrawal) -> None:
    """Add one line and force it to disk. Raises IntegrityError (E-DECISIONS) where that cannot be done.

    Raises ValueError for one without a reason, of an unknown kind, or that ends before it begins.
    """
    plain = asdict(said)
    _parsed(plain)
    append_line(home.folder / FILE, json.dumps(plain, ensure_ascii=False, sort_keys=True).encode("utf-8", errors="backslashreplace") + b"\n")


def read_pair_decisions(home: Home) -> PairDecisions:
    """Every decision of a home.

    A last line without its end was never confirmed to anybody and does not count. Raises IntegrityError (E-DECISIONS) with the
    number of a line that cannot be read: a pair that was dismissed must never come back because a line was lost.
    """
    path = home.folder / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return PairDecisions()
    except OSError as error:
        raise IntegrityError(Problem("E-DECISIONS", path.name, {"why": error.strerror or type(error).__name__})) from None
    found: dict[int, PairDecision | Withdrawal] = {}
    for at, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            found[at] = _parsed(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError(Problem("E-DECISIONS", f"{path.name}:{at}", {"why": type(error).__name__})) from None
    return PairDecisions(found)


def _parsed(plain: Any) -> PairDecision | Withdrawal:
    """One line. Raises ValueError, TypeError, KeyError."""
    if not isinstance(plain, dict) or plain.get("what") not in {SAME, OTHER, WITHDRAWN}:
        raise ValueError("not a decision")
    if not str(plain.get("reason", "")).strip():
        raise ValueError("a decision has a reason")
    if plain["what"] == WITHDRAWN:
        return Withdrawal(**plain)
    one = PairDecision(**{**plain, "of": Place(**plain["of"]), "roster": Place(**plain["roster"])})
    if not isinstance(one.of.row, int) or not isinstance(one.roster.row, int):
        raise TypeError("a row has a number")
    if one.until and date.fromisoformat(one.until) < datetime.fromisoformat(one.when).date():
        raise ValueError("a decision ends after it begins")
    return one
