"""The site key of a home: made, told, and changed. A change rewrites the wrapped keys and no data, and survives a crash anywhere.

The new key lies beside the old one (`<key>.new`) from before the first file is touched until the last one is under it; then
it takes the old one's place. Whoever reads meanwhile knows both. Run again, an interrupted change goes on where it stood.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.key_files import make_key, move_key, part_of, read_key
from verify.keys import Ring, SiteKey, data_key, read_line, ring_of, site_keys, use, write_line
from verify.layout import Block
from verify.passing import sweep
from verify.problems import IntegrityError, Problem, UsageError
from verify.settings import Home, KeyPlace, key_place, sync_folder, tables_of
from verify.speech import Speech
from verify.stages.publish import one_at_a_time
from verify.store_files import is_plain, seal_plain


@dataclass(frozen=True, slots=True)
class Changed:
    """A key that was made or that took another's place: its id, the old one's ('': there was none), how many files it
    opens, and where it lies. `credential`: systemd still hands the old one over, and must be given the new one."""

    key: str
    before: str
    files: int
    path: Path
    credential: bool = False


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """Which key is in force and where it lies, the one that is taking its place ('': none), how many files are under
    which, and every file that it does not open."""

    key: str
    path: Path
    coming: str
    files: dict[str, int]
    wrong: tuple[Problem, ...]


def create_key(home: Home) -> Changed:
    """Make the key of a home of an older program, and encrypt what lies there in clear.

    Raises UsageError: E-KEY-THERE if there is one, E-KEY-CREDENTIAL, E-KEY-MAKE; IntegrityError (E-KEY-WRONG, …) if files
    are there under another key, which must be put back instead; LockedError.
    """
    with one_at_a_time(home):
        place = key_place(home)
        if place.credential:
            raise UsageError(Problem("E-KEY-CREDENTIAL", place.path.name))
        if place.path.exists():
            raise UsageError(Problem("E-KEY-THERE", str(place.path)))
        _clear_away(home, place)
        tables = tables_of(home)
        _never_had_another(home, place, tables)
        ring = use(home, _made(place))
        for path in tables:
            if is_plain(path):
                seal_plain(path)
        move_key(place.coming, place.path)
        return Changed(ring.keys[0].id, "", len(tables), place.path)


def rotate(home: Home) -> Changed:
    """Put every file of a home under a new key, or go on with what was begun.

    Raises IntegrityError before anything is changed if one file does not open: E-KEY-…, E-SEAL-…; LockedError;
    UsageError (E-KEY-MAKE).
    """
    with one_at_a_time(home):
        place = key_place(home)
        old = use(home, *site_keys(home)).keys[-1]
        _clear_away(home, place)
        tables = tables_of(home)
        _all_open(tables)
        ring = use(home, _made(place), old)
        new = ring.keys[0]
        for path in tables:
            if read_line(path, ring)[0] != new.id:
                write_line(ring, path, data_key(path), durable=True)
        for folder in sorted({path.parent for path in tables}):
            sync_folder(folder)
        _take_its_place(place, old, new)
        use(home)
        waits = place.credential and old != new
        return Changed(new.id, old.id, len(tables), place.coming if waits else place.path, credential=waits)


def _never_had_another(home: Home, place: KeyPlace, tables: Sequence[Path]) -> None:
    """Raises IntegrityError (E-KEY-WRONG) for files under a key that is not here: it must be put back, not replaced."""
    begun = SiteKey(read_key(place.coming)).id if place.coming.exists() else "-"
    ring = Ring(home.folder, ())
    ids = [(path, read_line(path, ring)[0]) for path in tables if not is_plain(path)]
    lost = [Problem("E-KEY-WRONG", ring.name_of(path), {"theirs": key, "ours": begun}) for path, key in ids if key != begun]
    if lost:
        raise IntegrityError(*lost)


def _take_its_place(place: KeyPlace, old: SiteKey, new: SiteKey) -> None:
    """Let the new key be the key. A credential only its administrator can change: the new key waits beside it until then."""
    if not place.credential:
        move_key(place.coming, place.path)
    elif old == new:
        place.coming.unlink()
        sync_folder(place.coming.parent)


def _made(place: KeyPlace) -> SiteKey:
    """The key that is to come: the one an interrupted change has made, else a new one."""
    if not place.coming.exists():
        make_key(place.coming)
    return SiteKey(read_key(place.coming))


def _clear_away(home: Home, place: KeyPlace) -> None:
    """Take away what crashed nights, look-ups and changes left half-written. Hold the lock."""
    sweep(home)
    for key in (place.path, place.coming):
        if not place.credential or key == place.coming:
            part_of(key).unlink(missing_ok=True)
    for left in sorted(home.nights.glob(".*.part")):
        shutil.rmtree(left)
    for left in sorted(home.archive.glob("*.part")):
        left.unlink()


def _all_open(tables: Sequence[Path]) -> None:
    """Raises IntegrityError with every file that the keys at hand do not open."""
    wrong = [found for path in tables if isinstance(found := _key_of(path), Problem)]
    if wrong:
        raise IntegrityError(*wrong)


def _key_of(path: Path) -> str | Problem | None:
    """The id of the site key that opens a file, what is wrong with it, or None where the file is gone meanwhile."""
    try:
        data_key(path)
        return read_line(path, ring_of(path))[0]
    except IntegrityError as error:
        return error.problems[0]
    except FileNotFoundError:
        return None


def key_status(home: Home) -> KeyStatus:
    """How the key of a home stands. Raises IntegrityError (E-KEY-…) if there is none that can be read."""
    place = key_place(home)
    ring = use(home, *site_keys(home))
    found = [_key_of(path) for path in tables_of(home)]
    counted = Counter(one for one in found if isinstance(one, str))
    wrong = tuple(one for one in found if isinstance(one, Problem))
    coming = ring.keys[0].id if len(ring.keys) > 1 else ""
    return KeyStatus(ring.keys[-1].id, place.path, coming, dict(sorted(counted.items())), wrong)


# --- in words ---------------------------------------------------------------------------------------------------------


def changed_blocks(changed: Changed, voice: Speech) -> list[Block]:
    """What was done, and what must be done by hand: a copy kept apart."""
    told = {"id": changed.key, "files": changed.files, "file": str(changed.path), "before": changed.before}
    lines = [voice.word("key_changed" if changed.before else "key_created", **told)]
    if changed.credential:
        lines.append(voice.word("key_credential", file=str(changed.path)))
    if changed.before and not changed.credential:
        lines.append(voice.word("key_old_copies", before=changed.before))
    return [Block("", (*lines, voice.word("key_copy", file=str(changed.path))))]


def changed_json(changed: Changed) -> dict[str, Any]:
    """The same for programs."""
    return {"key": changed.key, "before": changed.before or None, "files": changed.files, "path": str(changed.path), "credential": changed.credential}


def status_blocks(status: KeyStatus, voice: Speech) -> list[Block]:
    """Which key, which files, and what no key protects."""
    lines = [voice.word("key_in_force", id=status.key, file=str(status.path))]
    if status.coming:
        lines.append(voice.word("key_coming", id=status.coming))
    lines += [voice.word("key_files", id=key, files=files) for key, files in status.files.items()]
    lines.append(voice.word("key_all_open") if not status.wrong else voice.word("key_wrong", files=len(status.wrong)))
    return [Block(voice.word("key_title"), (*lines, voice.word("key_spill")))]


def status_json(status: KeyStatus) -> dict[str, Any]:
    """The same for programs."""
    wrong = [{"code": problem.code, "where": problem.where} for problem in status.wrong]
    return {"key": status.key, "path": str(status.path), "coming": status.coming or None, "files": status.files, "wrong": wrong, "spill": "plain"}
