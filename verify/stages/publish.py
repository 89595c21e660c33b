"""Publish: a finished night becomes visible by one rename and one pointer, or nothing changes.

A half-built night lies in `HOME/nights/.<id>.part`. When it is whole it loses the dot; then `HOME/current` is moved to
it, unless `current` already names a newer one. A crash between the two is mended by the next run of the same night.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify.keys import SUFFIX
from verify.ledger import os_user
from verify.manifest import MANIFEST, RESULTS, RUN, Manifest, Published, canonical, current_night, published_nights, read_night
from verify.problems import IntegrityError, LockedError, Problem, UsageError
from verify.settings import Home, sync_folder, write_whole
from verify.store_files import digest_of, write_plain


@contextmanager
def one_at_a_time(home: Home) -> Iterator[None]:
    """Hold the home's lock. Raises LockedError (E-LOCKED) at once if another night holds it.

    The kernel lets go of the lock when the process ends, however it ends; the file itself stays.
    """
    with home.lock.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(Problem("E-LOCKED", home.lock.name)) from None
        yield


def already_published(home: Home, night: str) -> Published | None:
    """The published night of that id, with `current` put right if a crash had kept it behind; None if there is none."""
    folder = home.nights / night
    if not folder.is_dir():
        return None
    found = read_night(folder)
    _point(home, found)
    return found


def begin(home: Home, night: str) -> Path:
    """An empty private folder for the unpublished night; what crashed nights left is removed. Hold the lock."""
    for left in sorted(home.nights.glob(".*.part")):
        shutil.rmtree(left)
    work = home.nights / f".{night}.part"
    (work / RESULTS).mkdir(parents=True, mode=0o700)
    work.chmod(0o700)
    return work


@contextmanager
def left_clean(work: Path) -> Iterator[None]:
    """Take the unpublished folder away where the night fails: it holds the rows of a whole county."""
    try:
        yield
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def publish(home: Home, work: Path, *, manifest: Manifest, run: Mapping[str, Any]) -> Published:
    """Make the finished night in `work` visible, and return it where it now lies. Hold the lock.

    The manifest gains the digest of every file of the night. `run` (times, host) goes to `run.json` with the number
    of the publication. Raises IntegrityError: E-NIGHT-NAME if id, origin and folder do not belong together,
    E-NIGHT-THERE if such a night is published already.
    """
    folder = home.nights / manifest.night
    if manifest.origin.night != manifest.night or work.name != f".{manifest.night}.part":
        raise IntegrityError(Problem("E-NIGHT-NAME", manifest.night))
    if folder.exists():
        raise IntegrityError(Problem("E-NIGHT-THERE", manifest.night))
    for left in sorted(work.rglob("*.part")):
        left.unlink()
    number = max((night.number for night in published_nights(home)), default=0) + 1
    write_whole(work / MANIFEST, replace(manifest, files=digests_of(work)).to_json())
    write_whole(work / RUN, canonical({**run, "number": number}))
    _sync_tree(work)
    work.rename(folder)
    sync_folder(home.nights)
    night = read_night(folder)
    _point(home, night)
    return night


def digests_of(work: Path) -> dict[str, str]:
    """SHA-256 of every file below a night's folder by its path there: of a table's rows, of other files' bytes.

    The manifest and the run's times are not among them, nor the wrapped keys: they change while nothing else does.
    """
    files = sorted(p for p in work.rglob("*") if p.is_file() and p.name not in {MANIFEST, RUN} and p.suffix != SUFFIX)
    return {p.relative_to(work).as_posix(): digest_of(p) if p.suffix == ".parquet" else _sha256(p) for p in files}


def verify_night(night: Published) -> None:
    """Compare every file of a published night with its manifest.

    Raises IntegrityError (E-NIGHT-CHANGED) naming each file that differs, is missing or was added.
    """
    found, wanted = digests_of(night.folder), dict(night.manifest.files)
    changed = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if changed:
        raise IntegrityError(*(Problem("E-NIGHT-CHANGED", f"{night.folder.name}/{name}") for name in changed))


def hand_out(night: Published, to: Path) -> list[str]:
    """Copy the results in clear for other programs to a folder of theirs; each file appears whole or not at all.

    `run.json` of the night says first when, by whom and where to. Returns the names of the files. Hold the lock. Raises
    UsageError (E-RESULTS-INSIDE): a home keeps nothing in clear.
    """
    home, to = night.folder.parent.parent, to.absolute()
    if to.resolve().is_relative_to(home.resolve()):
        raise UsageError(Problem("E-RESULTS-INSIDE", str(to)))
    sources = sorted((night.folder / RESULTS).glob("*.parquet"))
    names = [source.name for source in sources]
    run = json.loads((night.folder / RUN).read_text(encoding="utf-8"))
    line = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "user": os_user(), "to": str(to), "files": names}
    write_whole(night.folder / RUN, canonical({**run, "handed_out": [*run.get("handed_out", []), line]}))
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in sources:
        write_plain(source, to / source.name)
    return names


def _point(home: Home, night: Published) -> None:
    """Let `current` name this night, unless it names a newer one."""
    now = current_night(home)
    if now is None or now.rank < night.rank:
        write_whole(home.current, night.folder.name + "\n")


def _sync_tree(folder: Path) -> None:
    """Make every file and every name below a folder survive a power cut."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            sync_folder(path)
    sync_folder(folder)


def _sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
