"""Which nights a home has published, what one was made of, and whether the last good one is recent enough."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from verify.labels import department_of, extract_label
from verify.layout import Block
from verify.manifest import RUN, Published, current_night, published_nights
from verify.problems import Problem, UsageError
from verify.settings import Home, read_settings
from verify.speech import Speech
from verify.typed import safe


@dataclass(frozen=True, slots=True)
class Status:
    """How a home stands: the newest night, the newest complete one, their age, and what became of a newer one.

    `age` is in days from the newest night's as-of date to today; `unfinished` names nights that were begun and never
    published; `running` says that one is being made now.
    """

    night: Published
    complete: Published | None
    age: int
    allowed: int
    unfinished: tuple[str, ...]
    running: bool

    @property
    def good(self) -> bool:
        """Whether the newest night is complete and recent enough."""
        return not self.night.manifest.incomplete and self.age <= self.allowed


def newest_night(home: Home) -> Published:
    """The night all readers see. Raises UsageError (E-NO-NIGHT) before the first, IntegrityError (E-NIGHT-BROKEN)."""
    night = current_night(home)
    if night is None:
        raise UsageError(Problem("E-NO-NIGHT", str(home.folder), {"home": str(home.folder)}))
    return night


def one_night(home: Home, name: str | None) -> Published:
    """The night of that id, or the newest. Raises UsageError: E-NO-NIGHT, E-NIGHT-WHICH for an id that is not there."""
    if name is None:
        return newest_night(home)
    for night in published_nights(home):
        if night.manifest.night == name:
            return night
    raise UsageError(Problem("E-NIGHT-WHICH", safe(name)))


def status_of(home: Home, today: date) -> Status:
    """How the home stands today. Raises UsageError (E-NO-NIGHT, E-CONFIG), IntegrityError (E-NIGHT-BROKEN)."""
    allowed = read_settings(home).oldest_good_night_days
    night = newest_night(home)
    complete = [one for one in published_nights(home) if not one.manifest.incomplete]
    running = _is_locked(home)
    left = tuple(sorted(path.name.strip(".").removesuffix(".part") for path in home.nights.glob(".*.part")))
    age = (today - night.manifest.origin.as_of).days
    return Status(night, complete[-1] if complete else None, age, allowed, left, running)


def _is_locked(home: Home) -> bool:
    """Whether a night is running: somebody holds the lock."""
    if not home.lock.exists():
        return False
    with home.lock.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


# --- in words ---------------------------------------------------------------------------------------------------------


def _state(voice: Speech, night: Published) -> str:
    return voice.word("incomplete" if night.manifest.incomplete else "complete")


def list_block(home: Home, voice: Speech) -> Block:
    """All published nights, newest first; the one that readers see is marked."""
    now = current_night(home)
    rows = []
    for night in reversed(published_nights(home)):
        mark = voice.word("current_mark") if now and now.folder == night.folder else ""
        manifest = night.manifest
        rows.append((manifest.night, manifest.origin.as_of.isoformat(), _state(voice, night), f"{manifest.counts.get('cases', 0):,}", mark))
    if not rows:
        return Block(voice.word("no_nights"))
    head = tuple(voice.word(key) for key in ("head_night", "head_as_of", "head_state", "head_cases", "head_current"))
    return Block(voice.word("nights"), (), head, tuple(rows), frozenset({3}))


def night_json(night: Published) -> dict[str, Any]:
    """A night's manifest without the digests of its files, and when it ran."""
    manifest = night.manifest
    origin = {"previous": manifest.origin.previous, "program": manifest.origin.program, "rules": manifest.origin.rules}
    told = {"night": manifest.night, "as_of": manifest.origin.as_of.isoformat(), "incomplete": manifest.incomplete, "late": list(manifest.late)}
    return {**told, **origin, "inputs": dict(manifest.origin.inputs), "counts": dict(manifest.counts), "run": _run(night), "folder": str(night.folder)}


def _run(night: Published) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((night.folder / RUN).read_text(encoding="utf-8"))
    return {key: facts[key] for key in ("started", "finished", "cpu_ms", "peak_kb", "number", "handed_out", "activated") if key in facts}


def night_blocks(night: Published, voice: Speech) -> list[Block]:
    """One night: as of when, from what, with which counts."""
    manifest, run = night.manifest, _run(night)
    rows = [
        (voice.word("guide_as_of"), manifest.origin.as_of.isoformat()),
        (voice.word("guide_state"), _state(voice, night)),
        (voice.word("guide_late"), _late(voice, night) or voice.word("no_lines")),
        (voice.word("night_before"), manifest.origin.previous or voice.word("no_lines")),
        (voice.word("night_rules"), manifest.origin.rules[:12]),
        (voice.word("night_activated"), _activated(voice, run)),
        (voice.word("night_program"), manifest.origin.program),
        (voice.word("night_model"), manifest.origin.model[:12] or voice.word("no_lines")),
        (voice.word("night_ran"), f"{run.get('started', '')} ～ {run.get('finished', '')}"),
        (voice.word("night_where"), str(night.folder)),
        *((voice.word("night_handed_out"), f"{line['when']}  {line['user']}  {line['to']}") for line in run.get("handed_out", [])),
    ]
    counts = {name: n for name, n in manifest.counts.items() if not name.startswith("category.")}
    categories = {name.removeprefix("category."): n for name, n in manifest.counts.items() if name.startswith("category.")}
    figures = frozenset({1})
    return [
        Block(manifest.night, (), (), tuple(rows)),
        Block(voice.word("night_counts"), (), (), tuple(voice.counted("count", counts)), figures),
        Block(voice.word("night_categories"), (), (), tuple(voice.categories(categories)), figures),
    ]


def _activated(voice: Speech, run: dict[str, Any]) -> str:
    """Who let the rules of a night in, and when."""
    known = run.get("activated")
    return voice.word("night_by", **known) if known else voice.word("night_not_activated")


def _late(voice: Speech, night: Published) -> str:
    return "、".join(voice.word("source", extract=extract_label(voice, name), department=department_of(voice, name)) for name in night.manifest.late)


def status_blocks(status: Status, voice: Speech) -> list[Block]:
    """The last good night, its age, late sources, and why there is none newer; the most important last."""
    manifest = status.night.manifest
    lines = [voice.word("check_night", as_of=manifest.origin.as_of, night=manifest.night, state=_state(voice, status.night))]
    if manifest.late:
        lines.append(voice.word("night_late", extracts=_late(voice, status.night)))
    if manifest.incomplete:
        known = status.complete
        lines.append(voice.word("status_complete", night=known.manifest.night) if known else voice.word("status_never_complete"))
    if status.running:
        lines.append(voice.word("status_running"))
    elif status.unfinished:
        lines.append(voice.word("status_unfinished", nights="、".join(status.unfinished)))
    age = {"age": status.age, "allowed": status.allowed}
    verdict = voice.word("status_fresh", **age) if status.age <= status.allowed else voice.word("status_old", **age)
    return [Block(voice.word("status"), (*lines, verdict))]


def status_json(status: Status) -> dict[str, Any]:
    """The same for programs."""
    manifest = status.night.manifest
    told = {"night": manifest.night, "as_of": manifest.origin.as_of.isoformat(), "incomplete": manifest.incomplete, "late": list(manifest.late)}
    newest = status.complete.manifest.night if status.complete else None
    rest = {"age_days": status.age, "oldest_good_night_days": status.allowed, "good": status.good, "last_complete": newest}
    return {**told, **rest, "unfinished": list(status.unfinished), "running": status.running}
