"""Who may read what is kept: one random data key a file, wrapped by the site key, in a line of text beside the file.

`cases.parquet.key` holds the wrapped key of `cases.parquet`, bound to the file's path inside its home: a file, or a file
with its key, that is copied over another is not opened. Changing the site key rewrites these lines and no data. What lies
outside every home, or in a passing folder, is kept under a key of this process that is never written: nothing that the
store writes is in clear by mistake. The door to `cryptography` (AES key wrap, RFC 3394).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from verify.key_files import SIZE, read_key
from verify.problems import IntegrityError, Problem
from verify.settings import Home, key_place

SUFFIX = ".key"
_MARK = "hedui-data-key-1"
_LINE = re.compile(rf"{_MARK} ([0-9a-f]{{8}}) ([0-9a-f]{{112}})\n")
_BOUND = 16  # bytes of the SHA-256 of a file's name that are wrapped together with its key


@dataclass(frozen=True, slots=True)
class SiteKey:
    """A key that wraps data keys. `id` may be shown: it says which key it is, and nothing of it."""

    material: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """First 8 hex digits of the SHA-256 of a value derived from the key."""
        return hashlib.sha256(self._derived("check")).hexdigest()[:8]

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """A data key made unreadable, together with the name of the file it belongs to."""
        return aes_key_wrap(self._derived("wrap"), data_key + _bound(name))

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The data key again. Raises IntegrityError: E-SEAL-BROKEN for a changed line, E-SEAL-MOVED for another file's."""
        try:
            plain = aes_key_unwrap(self._derived("wrap"), wrapped)
        except (InvalidUnwrap, ValueError):
            raise IntegrityError(Problem("E-SEAL-BROKEN", name)) from None
        if not hmac.compare_digest(plain[SIZE:], _bound(name)):
            raise IntegrityError(Problem("E-SEAL-MOVED", name))
        return plain[:SIZE]

    def _derived(self, use: str) -> bytes:
        return hmac.digest(self.material, f"hedui {use}".encode(), "sha256")


def _bound(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", errors="surrogateescape")).digest()[:_BOUND]


@dataclass(frozen=True, slots=True)
class Ring:
    """The site keys that open what lies below a folder. New files go under the first; more than one while it is changed."""

    folder: Path
    keys: tuple[SiteKey, ...]

    def name_of(self, path: Path) -> str:
        """A file's path inside the folder; a night that is not published yet already has the name it will have."""
        parts = path.absolute().relative_to(self.folder).parts
        return "/".join(part[1:-5] if part.startswith(".") and part.endswith(".part") else part for part in parts)


_PASSING = Ring(Path("/"), (SiteKey(os.urandom(SIZE)),))
_RINGS: dict[Path, Ring] = {}  # by home or passing folder; keys are read once a process


def site_keys(home: Home) -> tuple[SiteKey, ...]:
    """The site key of a home, and before it the one that is to take its place where a change is under way.

    Raises IntegrityError: E-KEY-NONE, E-KEY-OPEN, E-KEY-FORM, E-KEY-INSIDE.
    """
    place = key_place(home)
    key = SiteKey(read_key(place.path, credential=place.credential))
    return (SiteKey(read_key(place.coming)), key) if place.coming.exists() else (key,)


def must_open(home: Home) -> None:
    """See that the home's key is there and opens what is kept, before anything is done. Raises IntegrityError (E-KEY-…, E-SEAL-…)."""
    for folder in (home.archive, home.nights):
        first = next(folder.rglob(f"*.parquet{SUFFIX}"), None)
        if first is not None:
            data_key(first.with_suffix(""))
    ring_of(home.archive / "any")


def ring_of(path: Path) -> Ring:
    """The keys that a path's folder stands under: those of the nearest home above it, else this process's own."""
    for folder in path.absolute().parents:
        if folder in _RINGS:
            return _RINGS[folder]
        home = Home(folder)
        if home.config.is_file():
            return use(home, *site_keys(home))
    return _PASSING


def use(home: Home, *keys: SiteKey) -> Ring:
    """Let this process open a home with these keys from now on; none: read them anew when they are next needed."""
    ring = Ring(home.folder, keys)
    if keys:
        _RINGS[home.folder] = ring
    else:
        _RINGS.pop(home.folder, None)
    return ring


@contextmanager
def passing(folder: Path) -> Iterator[None]:
    """Keep what is written below a folder under this process's own key: nobody can read it afterwards."""
    _RINGS[folder.absolute()] = replace(_PASSING, folder=folder.absolute())
    try:
        yield
    finally:
        del _RINGS[folder.absolute()]


# --- a file's own key -------------------------------------------------------------------------------------------------


def key_line(path: Path) -> Path:
    """Where the wrapped key of a file lies."""
    return path.with_name(path.name + SUFFIX)


def keep_key(path: Path, key: bytes, *, durable: bool = False) -> None:
    """Write down a file's data key, wrapped, before the file itself appears: no file is ever without its key.

    A file that stands there already is taken away first, for its key goes. `durable`: on disk before this returns.
    """
    path.unlink(missing_ok=True)
    write_line(ring_of(path), path, key, durable=durable)


def write_line(ring: Ring, path: Path, key: bytes, *, durable: bool) -> None:
    """Put a file's data key under the first key of a ring; a reader sees the line before or the one after."""
    line, first = key_line(path), ring.keys[0]
    part = line.with_name(line.name + ".part")
    with part.open("w", encoding="ascii") as file:
        file.write(f"{_MARK} {first.id} {first.wrap(key, ring.name_of(path)).hex()}\n")
        file.flush()
        if durable:
            os.fsync(file.fileno())
    part.replace(line)


def data_key(path: Path) -> bytes:
    """The key of a file.

    Raises IntegrityError: E-SEAL-NONE if it has none, E-SEAL-BROKEN, E-SEAL-MOVED, E-KEY-WRONG; FileNotFoundError if
    there is no such file.
    """
    ring = ring_of(path)
    key_id, wrapped = read_line(path, ring)
    found = _of_id(ring, key_id)
    if found is None and (home := Home(ring.folder)).config.is_file():
        found = _of_id(use(home, *site_keys(home)), key_id)  # the key may have been changed since this process began
    if found is None:
        ours = ", ".join(key.id for key in ring.keys)
        raise IntegrityError(Problem("E-KEY-WRONG", ring.name_of(path), {"theirs": key_id, "ours": ours}))
    return found.unwrap(wrapped, ring.name_of(path))


def read_line(path: Path, ring: Ring) -> tuple[str, bytes]:
    """The id of the site key that a file's key is under, and the wrapped key. Raises as `data_key`."""
    try:
        found = _LINE.fullmatch(key_line(path).read_text(encoding="ascii"))
    except FileNotFoundError:
        if not path.exists():
            raise
        raise IntegrityError(Problem("E-SEAL-NONE", ring.name_of(path))) from None
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise IntegrityError(Problem("E-SEAL-BROKEN", ring.name_of(path)))
    return found[1], bytes.fromhex(found[2])


def _of_id(ring: Ring, key_id: str) -> SiteKey | None:
    return next((key for key in ring.keys if key.id == key_id), None)


def remove_sealed(path: Path) -> None:
    """Take a file away, and its key with it."""
    path.unlink()
    key_line(path).unlink(missing_ok=True)
