"""The ledger: who looked at which case, when and what for. One JSON line a look-up, on disk before anything is shown.

Lines are only ever added (`O_APPEND`), under a lock, and forced to disk. A line that cannot be written means that
nothing is shown: access fails closed (design §6, P5 and P6).
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from verify.problems import EXIT_NOT_PERMITTED, HeduiError, Problem
from verify.settings import Home, sync_folder

FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class LedgerError(HeduiError):
    """A look-up could not be written down, so its result is withheld (exit 12)."""

    exit_code = EXIT_NOT_PERMITTED


@dataclass(frozen=True, slots=True)
class Look:
    """One look-up: by which command, at which case (as typed, made safe, where there is no such case), what for."""

    command: str
    case: str
    purpose: str


def record(home: Home, look: Look) -> None:
    """Append one line and force it to disk. Raises LedgerError (E-LEDGER) if that cannot be done, whatever the reason."""
    try:
        _append(home, _line(look))
    except OSError as error:
        raise LedgerError(Problem("E-LEDGER", home.ledger.name, {"why": error.strerror or type(error).__name__})) from None


def os_user() -> str:
    """The user the system knows this process by; the environment, which anybody can set, is not asked."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _line(look: Look) -> bytes:
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    text = json.dumps({"when": when, "user": os_user(), **asdict(look)}, ensure_ascii=False)
    return text.encode("utf-8", errors="backslashreplace") + b"\n"


def _append(home: Home, line: bytes) -> None:
    """Write the line whole or not at all; a line torn by a crash before it is closed first."""
    fresh = not home.ledger.exists()
    handle = os.open(home.ledger, FLAGS, 0o600)
    try:
        os.fchmod(handle, 0o600)  # os.open's mode is cut by the umask and ignored where the file exists
        fcntl.flock(handle, fcntl.LOCK_EX)
        end = os.fstat(handle).st_size
        if end and os.pread(handle, 1, end - 1) != b"\n":
            line = b"\n" + line
        if os.write(handle, line) != len(line):
            os.ftruncate(handle, end)
            raise OSError(0, "No space left")
        os.fsync(handle)
    finally:
        os.close(handle)
    if fresh:
        sync_folder(home.folder)
