"""A private folder for a moment: it holds people's rows while one case is worked out, and is gone whatever happens.

Whoever has such a folder holds a shared lock on the home's `lock.again`. A process that was killed leaves its folder
but not its lock: the next one that finds itself alone sweeps what lies there. Small files are held in memory; what is written
there is encrypted under a key of the process, which dies with it.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from verify.keys import passing
from verify.settings import Home
from verify.store_held import holding

_PREFIX = ".again-"
_LOCK = "lock.again"


@contextmanager
def passing_folder(home: Home) -> Iterator[Path]:
    """An empty folder inside the home (mode 0700) that is removed at the end, with whatever killed look-ups left."""
    with (home.folder / _LOCK).open("a", encoding="utf-8") as lock:
        _sweep(home, lock)
        fcntl.flock(lock, fcntl.LOCK_SH)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=home.folder) as folder, passing(Path(folder)), holding(Path(folder)):
            yield Path(folder)


def sweep(home: Home) -> None:
    """Remove the folders of look-ups that were killed; those of running ones stay."""
    with (home.folder / _LOCK).open("a", encoding="utf-8") as lock:
        _sweep(home, lock)


def _sweep(home: Home, lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody is at work; whoever comes last sweeps
    for left in sorted(home.folder.glob(f"{_PREFIX}*")):
        shutil.rmtree(left)
    fcntl.flock(lock, fcntl.LOCK_UN)
