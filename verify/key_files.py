"""The file in which a site key lies: 32 random bytes that nobody but their owner can read; made whole or not at all.

A key is asked for in a file (mode 0400, owned by whoever runs this) or as a credential that systemd hands to a service;
never on the command line, where every user of the machine could read it, and never in a variable.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from verify.problems import IntegrityError, Problem, UsageError

SIZE = 32  # bytes: an AES-256 key
MODE = 0o400
CREDENTIAL = "credential"  # what `site_key` says where systemd hands the key over
CREDENTIAL_NAME = "hedui-site-key"
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def credential_path() -> Path | None:
    """Where systemd puts the key for a service with `LoadCredential…=hedui-site-key`; None outside such a service."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / CREDENTIAL_NAME if folder else None


def read_key(path: Path, *, credential: bool = False) -> bytes:
    """The 32 bytes of a key.

    Raises IntegrityError: E-KEY-NONE if nothing is there, E-KEY-OPEN if others may read it or it is another user's,
    E-KEY-FORM if it is no plain file of 32 bytes.
    """
    try:
        handle = os.open(path, FLAGS)
    except FileNotFoundError:
        raise IntegrityError(Problem("E-KEY-NONE", str(path))) from None
    except OSError as error:
        raise IntegrityError(Problem("E-KEY-FORM", str(path), {"why": error.strerror or type(error).__name__})) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size != SIZE:
            raise IntegrityError(Problem("E-KEY-FORM", str(path), {"why": f"{found.st_size} bytes"}))
        if not _is_private(found, credential=credential):
            mode = f"{stat.S_IMODE(found.st_mode):04o}, uid {found.st_uid}"
            raise IntegrityError(Problem("E-KEY-OPEN", str(path), {"mode": mode, "file": str(path)}))
        return os.read(handle, SIZE)
    finally:
        os.close(handle)


def _is_private(found: os.stat_result, *, credential: bool) -> bool:
    """Whether nobody else can read it. A credential may be root's: systemd then admits the service by an access list,
    which shows as the group's bits."""
    mode = stat.S_IMODE(found.st_mode)
    if credential:
        return found.st_uid in {0, os.geteuid()} and not mode & (stat.S_IRWXO | stat.S_IWGRP)
    return found.st_uid == os.geteuid() and mode == MODE


def part_of(path: Path) -> Path:
    """Under which name a key is written before it is whole; a crash may leave it."""
    return path.with_name(path.name + ".part")


def make_key(path: Path) -> None:
    """Write a new random key, whole and on disk, or nothing; a file that is there is never touched.

    Raises UsageError: E-KEY-THERE if there is one, E-KEY-MAKE if it cannot be written.
    """
    part = part_of(path)
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        try:
            os.fchmod(handle, MODE)  # the umask may have cut the owner's bit too
            os.write(handle, os.urandom(SIZE))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            path.hardlink_to(part)  # unlike a rename this never takes the place of another key
        finally:
            part.unlink()
        _sync(path.parent)
    except FileExistsError:
        raise UsageError(Problem("E-KEY-THERE", str(path))) from None
    except OSError as error:
        raise UsageError(Problem("E-KEY-MAKE", str(path), {"why": error.strerror or type(error).__name__})) from None


def move_key(path: Path, to: Path) -> None:
    """Let a key take the place of another, on disk. Raises UsageError (E-KEY-MAKE)."""
    try:
        path.replace(to)
        _sync(to.parent)
    except OSError as error:
        raise UsageError(Problem("E-KEY-MAKE", str(to), {"why": error.strerror or type(error).__name__})) from None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
