"""What a night used and left, under which name, and which night came before it.

`manifest.json` holds only what follows from the inputs: digests and counts, no time and no machine. `run.json` beside
it holds those.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from verify import __version__
from verify.problems import IntegrityError, Problem, UsageError
from verify.settings import Home

RESULTS, TABLES = "results", "tables"  # the folders of a night: what other programs read, and what only this one does
MANIFEST = "manifest.json"
RUN = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Everything a night's content follows from: same origin, same night.

    `inputs` maps a name inside the drop to its SHA-256; `rules` is the digest of the rules that decide, `wording` that of
    the sentences and sheets, `decisions` that of the officers' decisions ('' while there are none), `previous` the id of
    the night before ('' for the first), `model` the digest of the linkage model by which links are weighed.
    """

    as_of: date
    inputs: Mapping[str, str]
    rules: str
    program: str
    previous: str = ""
    decisions: str = ""
    wording: str = ""
    model: str = ""

    @property
    def night(self) -> str:
        """The night's id: the as-of date and 8 hex digits over all the rest."""
        told = _plain(self)
        for name in ("wording", "model"):
            if not told[name]:  # nights of before these were told keep their names
                del told[name]
        text = canonical(told)
        return f"{self.as_of:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A published night: its origin, the digest of every file it left, and its counts.

    `files` maps a path inside the night's folder to a SHA-256: over the plain, ordered rows of a table, over the bytes
    of anything else. `late` are the extracts that brought nothing.
    """

    night: str
    origin: Origin
    incomplete: bool
    late: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The manifest as canonical JSON, with a newline at its end."""
        return canonical({**asdict(self), "late": list(self.late), "origin": _plain(self.origin)})

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read back what `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        data = json.loads(text)
        origin = Origin(**{**data["origin"], "as_of": date.fromisoformat(data["origin"]["as_of"])})
        return cls(**{**data, "origin": origin, "late": tuple(data["late"])})


@dataclass(frozen=True, slots=True)
class Published:
    """One published night, and the how-many-eth publication of its home it was."""

    folder: Path
    manifest: Manifest
    number: int

    @property
    def rank(self) -> tuple[date, int]:
        """What makes a night newer than another: its as-of date, then the order of publication."""
        return self.manifest.origin.as_of, self.number


def _plain(origin: Origin) -> dict[str, Any]:
    """An origin as JSON can hold it."""
    return {**asdict(origin), "as_of": origin.as_of.isoformat(), "inputs": dict(origin.inputs)}


def canonical(data: Mapping[str, Any]) -> str:
    """JSON that is the same text for the same content: sorted keys, Chinese as it is, two spaces, newline at the end."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, indent=2) + "\n"


def published_nights(home: Home) -> list[Published]:
    """All published nights of a home, oldest first.

    Raises IntegrityError (E-NIGHT-BROKEN) for a folder that is not a whole night.
    """
    folders = sorted(p for p in home.nights.iterdir() if p.is_dir() and not p.name.startswith("."))
    return sorted((read_night(folder) for folder in folders), key=lambda night: night.rank)


def read_night(folder: Path) -> Published:
    """One published night. Raises IntegrityError (E-NIGHT-BROKEN) if its two JSON files are not whole or not its own,
    UsageError (E-NEWER) if a newer program than this one wrote it."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        _refuse_newer(folder, json.loads(text)["origin"]["program"])  # before its keys, of which a newer one may have more
        manifest = Manifest.from_json(text)
        number = int(json.loads((folder / RUN).read_text(encoding="utf-8"))["number"])
    except (OSError, KeyError, TypeError, ValueError):
        raise IntegrityError(Problem("E-NIGHT-BROKEN", folder.name)) from None
    if {manifest.night, manifest.origin.night} != {folder.name}:
        raise IntegrityError(Problem("E-NIGHT-BROKEN", folder.name))
    return Published(folder, manifest, number)


def _refuse_newer(folder: Path, program: str) -> None:
    """What a newer program meant by its tables nobody here can know; better say so than read them wrongly."""
    if _release(program) > _release(__version__):
        raise UsageError(Problem("E-NEWER", folder.name, {"program": program, "ours": __version__}))


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at the end: 0.10 is newer than 0.9, and 1.0 is 1."""
    plain = re.match(r"\d+(\.\d+)*", version)
    if plain is None:
        raise ValueError("a version begins with a number")
    return tuple(int(part) for part in re.sub(r"(\.0+)+$", "", plain[0]).split("."))


def previous_night(home: Home, as_of: date) -> Published | None:
    """The newest published night with an earlier as-of date, or None on the first."""
    earlier = [night for night in published_nights(home) if night.manifest.origin.as_of < as_of]
    return earlier[-1] if earlier else None


def current_night(home: Home) -> Published | None:
    """The night that `HOME/current` names, or None before the first. Raises IntegrityError (E-NIGHT-BROKEN)."""
    if not home.current.exists():
        return None
    name = home.current.read_text(encoding="utf-8").strip()
    if not name or "/" in name or name.startswith("."):
        raise IntegrityError(Problem("E-NIGHT-BROKEN", home.current.name))
    return read_night(home.nights / name)
