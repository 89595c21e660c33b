"""The fence: spreadsheets, archives and trees of others are opened in a child process that may crash, hang or swell alone.

One child serves a whole reading, because starting one costs more than most files. It inherits nothing but one socket,
through which each request hands it the open files it may use; what comes back is a short answer, and the content in the
file that was handed over for it. See `fenced_child` for what the child may not do.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

HELD = 64 << 20  # what unfolds to no more than this never touches a disk
MESSAGE = 1 << 16
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
MEMORY = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_TOP_PAD_": str(64 << 20)}  # a tenth less CPU for a long workbook (measured)
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from verify.fenced_child import serve; serve(int(sys.argv[2]))"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may use: bytes of address space, CPU seconds (twice as many by the clock), bytes written."""

    memory: int = 2 << 30
    seconds: int = 60
    written: int = 16 << 30

    def for_size(self, size: int) -> Limits:
        """The same with a second more for each MiB of the file."""
        return Limits(self.memory, self.seconds + (size >> 20), self.written)


class FenceError(Exception):
    """The child did not come back with an answer, or its answer was a refusal: the code and what fills its sentence."""

    def __init__(self, code: str, **detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


class _Child:
    """The running child and our end of its socket."""

    def __init__(self) -> None:
        self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = str(Path(__file__).resolve().parent.parent)
        self.scratch = tempfile.mkdtemp(prefix="hedui-fence-")
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own module
                [sys.executable, "-I", "-c", BOOT, root, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),), cwd=self.scratch, start_new_session=True,
                env={"LC_ALL": "C.UTF-8", "TMPDIR": self.scratch, **ONE_THREAD, **MEMORY},
            )  # fmt: skip

    def ended(self) -> int:
        """End the child however it is, and say how it ended: an exit code, or minus the signal."""
        self.link.close()
        try:
            code = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        with contextlib.suppress(OSError):
            Path(self.scratch).rmdir()
        return code


_running: list[_Child] = []  # none or one


def ask(request: str, given: BinaryIO, out: BinaryIO | None = None, *, limits: Limits | None = None, **how: Any) -> dict[str, Any]:
    """Have the child do one request of `fenced_child` with an open file, its content written to `out`.

    Raises FenceError: the code the child refuses with, or E-FENCE-MEMORY, E-FENCE-TIME, E-FENCE-CRASH.
    """
    allowed = limits or Limits()
    if not _running:
        _running.append(_Child())
    child = _running[0]
    files = [given.fileno(), *([out.fileno()] if out else [])]
    message = {"request": request, "memory": allowed.memory, "seconds": allowed.seconds, "written": allowed.written, "how": how}
    try:
        child.link.settimeout(2 * allowed.seconds)
        socket.send_fds(child.link, [json.dumps(message).encode()], files)
        answer = child.link.recv(MESSAGE)
    except TimeoutError:
        answer = b"{}"
        os.killpg(child.process.pid, signal.SIGKILL)
    except OSError:
        answer = b""
    said: dict[str, Any] = json.loads(answer) if answer else {}
    if not said:
        _running.clear()
        ended = child.ended()
        raise FenceError("E-FENCE-TIME" if answer or ended == -signal.SIGXCPU else "E-FENCE-MEMORY" if ended == -signal.SIGABRT else "E-FENCE-CRASH")
    if "code" in said:
        raise FenceError(said["code"], **said.get("detail", {}))
    return said


def ask_into(request: str, given: BinaryIO, scratch: Path, *, limits: Limits, long: bool = False, **how: Any) -> tuple[dict[str, Any], BinaryIO]:
    """The same with a file made for the content: in memory, or without a name in `scratch` where it is too long for that.

    `long`: it will be, so that the work is not done in vain for one in memory.
    """
    out = nameless_file(scratch) if long else memory_file()
    try:
        answer = ask(request, given, out, limits=limits if long else Limits(limits.memory, limits.seconds, HELD), **how)
    except FenceError as error:
        out.close()
        if long or error.code != "E-PACK-SIZE" or limits.written <= HELD:
            raise
        out = nameless_file(scratch)
        try:
            answer = ask(request, given, out, limits=limits, **how)
        except FenceError:
            out.close()
            raise
    out.seek(0)
    return answer, out


def memory_file() -> BinaryIO:
    """An empty file that lies in memory only."""
    return os.fdopen(os.memfd_create("hedui", os.MFD_CLOEXEC), "w+b", buffering=0)


def nameless_file(folder: Path) -> BinaryIO:
    """An empty file on the folder's disk without a name there: it is gone when it is closed, or the process killed."""
    return cast(BinaryIO, tempfile.TemporaryFile(dir=folder, buffering=0))


def close() -> None:
    """End the child, where one is running."""
    while _running:
        _running.pop().ended()


atexit.register(close)
