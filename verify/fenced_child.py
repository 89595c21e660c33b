"""The child behind the fence: one request after the other, each with limits of memory, CPU and bytes written; no network.

It never opens a path: it reads and writes only the files handed to it. What it imports (the readers of books, packings
and trees) it imports when it is first asked for. Everything it may say of a file is in a few fixed words and numbers.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import platform
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

MESSAGE = 1 << 16
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
COLUMN_LIMIT = 1_000  # of a book or a table
SOCKET_CALLS = {"x86_64": (0xC000003E, (41, 42, 53)), "aarch64": (0xC00000B7, (198, 203, 199))}  # socket, connect, socketpair
ALLOW, REFUSE, SECCOMP_FILTER = 0x7FFF0000, 0x00050000 | errno.EPERM, 2


WORK = {
    **dict.fromkeys(("names", "member", "unpack"), "packings"),
    **dict.fromkeys(("keys", "rows"), "tree_sheets"),
    "book": "book_sheets",
    "table": "parquet_sheets",
}


class RefusedError(Exception):
    """What was handed over is refused: its code, and what fills the code's sentence."""

    def __init__(self, code: str, **detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def serve(number: int) -> None:
    """Answer requests on the socket of that number until the parent closes it."""
    link = socket.socket(fileno=number)
    network = wall()
    while True:
        message, files, _, _ = socket.recv_fds(link, MESSAGE, 2)
        if not message:
            return
        answer = _answer(json.loads(message), [os.fdopen(file, "r+b" if at else "rb", buffering=0) for at, file in enumerate(files)], network)
        link.send(json.dumps(answer).encode()[:MESSAGE])


def wall() -> str:
    """Give up what the child must not have. Says how the network was taken away: namespace, filter or hook."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_PDEATHSIG, signal.SIGKILL), (PR_SET_DUMPABLE, 0), (PR_SET_NO_NEW_PRIVS, 1)):
        libc.prctl(option, value, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if libc.unshare(CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        return "namespace"
    if _filtered(libc):
        return "filter"
    sys.addaudithook(_no_sockets)
    return "hook"


def _filtered(libc: ctypes.CDLL) -> bool:
    """Have the kernel refuse to make sockets. False where the machine is not known or the kernel cannot."""
    if platform.machine() not in SOCKET_CALLS:
        return False
    machine, calls = SOCKET_CALLS[platform.machine()]
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, machine), (0x06, 0, 0, REFUSE), (0x20, 0, 0, 0)]  # load, jump if equal, return
    steps += [(0x15, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    steps += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_FILTER, program, 0, 0) == 0)


def _no_sockets(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in {"socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo"}:
        raise PermissionError(errno.EPERM, "no network behind the fence")


def _answer(message: dict[str, Any], files: list[BinaryIO], network: str) -> dict[str, Any]:
    with contextlib.ExitStack() as opened:
        for file in files:
            opened.enter_context(file)
        try:
            _limit(message)
            return {"network": network, **_work(message["request"])(*files, **message["how"])}
        except RefusedError as refused:
            return {"code": refused.code, "detail": refused.detail}
        except (MemoryError, ImportError):  # a library that cannot be loaded for want of memory
            return {"code": "E-FENCE-MEMORY"}
        except RecursionError:
            return {"code": "E-TORN"}
        except OSError as error:
            return {"code": "E-PACK-SIZE" if error.errno in {errno.EFBIG, errno.ENOSPC} else "E-TORN"}
        except BaseException:  # a reader's own words, or its panic, may hold what stands in the file: none of them leaves
            return {"code": "E-TORN"}


def _limit(message: dict[str, Any]) -> None:
    """Limits of this request alone: the hard ones stay open so that the next may have others."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + 1 + int(message["seconds"])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for what, most in ((resource.RLIMIT_AS, message["memory"]), (resource.RLIMIT_CPU, cpu), (resource.RLIMIT_FSIZE, message["written"])):
        resource.setrlimit(what, (int(most), resource.getrlimit(what)[1]))


def _work(request: str) -> Callable[..., dict[str, Any]]:
    """The function of a request. Its module is loaded here, so that a night without spreadsheets pays for none."""
    module = importlib.import_module(f"verify.{WORK[request]}")
    found: Callable[..., dict[str, Any]] = getattr(module, request)
    return found
