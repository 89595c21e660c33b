"""What officers have decided about batches: one JSON line a decision in HOME/decisions.jsonl, only ever added, forced to disk.

A batch is named by its extract, its number and the SHA-256 of its file, so that corrected content under the same number
is another batch. The last decision about a batch holds. What cannot be read stops the night: a batch that was withdrawn
must never come back because a line was lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify.ledger import os_user
from verify.problems import IntegrityError, Problem
from verify.settings import Home, sync_folder

ACCEPTED, WITHDRAWN = "accepted", "withdrawn"
FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: what of which batch (see `Key`), what is told of the batch where it is gone, by whom, when and why."""

    what: str
    extract: str
    batch: str
    sha256: str
    file: str
    as_of: str
    mode: str
    received: int
    reason: str
    user: str = field(default_factory=os_user)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    @property
    def key(self) -> Key:
        """The batch it is about."""
        return self.extract, self.batch, self.sha256


@dataclass(frozen=True, slots=True)
class Decisions:
    """Every decision that holds, by batch."""

    by: Mapping[Key, Decision] = field(default_factory=dict)

    def of(self, key: Key) -> str:
        """What was decided about a batch; '' for nothing."""
        return self.by[key].what if key in self.by else ""

    @property
    def digest(self) -> str:
        """SHA-256 of what was decided, not of when, why and by whom; '' while there is nothing."""
        if not self.by:
            return ""
        told = sorted([*key, decision.what] for key, decision in self.by.items())
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def read_decisions(home: Home) -> Decisions:
    """Every decision of a home. A last line without its end was never confirmed to anybody and does not count.

    Raises IntegrityError (E-DECISIONS) with the number of a line that cannot be read.
    """
    try:
        data = home.decisions.read_bytes()
    except FileNotFoundError:
        return Decisions()
    except OSError as error:
        raise IntegrityError(Problem("E-DECISIONS", home.decisions.name, {"why": error.strerror or type(error).__name__})) from None
    by: dict[Key, Decision] = {}
    for at, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            decision = Decision(**_checked(json.loads(line)))
        except (ValueError, TypeError) as error:
            raise IntegrityError(Problem("E-DECISIONS", f"{home.decisions.name}:{at}", {"why": type(error).__name__})) from None
        by[decision.key] = decision
    return Decisions(by)


def decide(home: Home, decision: Decision) -> None:
    """Add one decision and force it to disk. Raises IntegrityError (E-DECISIONS) where that cannot be done."""
    line = json.dumps(asdict(decision), ensure_ascii=False, sort_keys=True).encode("utf-8", errors="backslashreplace") + b"\n"
    append_line(home.decisions, line)


def append_line(path: Path, line: bytes) -> None:
    """Add one whole line to a file of decisions and force it to disk. Raises IntegrityError (E-DECISIONS) where that cannot be done."""
    try:
        _append(path, line)
    except OSError as error:
        raise IntegrityError(Problem("E-DECISIONS", path.name, {"why": error.strerror or type(error).__name__})) from None


def _checked(plain: Any) -> dict[str, Any]:
    if not isinstance(plain, dict) or plain.get("what") not in {ACCEPTED, WITHDRAWN}:
        raise ValueError("not a decision")
    return plain


def _append(path: Path, line: bytes) -> None:
    """Write the line whole or not at all; what a crash left of a line before it is cut off first."""
    handle = os.open(path, FLAGS, 0o600)
    try:
        os.fchmod(handle, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        end = os.pread(handle, size, 0).rfind(b"\n") + 1
        os.ftruncate(handle, end)
        if os.write(handle, line) != len(line):
            os.ftruncate(handle, end)
            raise OSError(0, "No space left")
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)
