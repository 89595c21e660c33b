"""Which rules a home goes by: who let them in, when and why; one JSON line an activation in HOME/activations.jsonl, only ever added.

Beside it `activated/<digest>/` keeps the files themselves, so that what was decided can be explained and compared when the
rules have moved on. A home in which nothing was ever activated runs under any rules and says so; from the first activation
on a night under other rules is refused.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from verify.decisions import append_line
from verify.ledger import os_user
from verify.packs import PACKS, layers_of
from verify.problems import IntegrityError, Problem, UsageError
from verify.rulebook import Rulebook
from verify.settings import Home

FILE, KEPT, RULES = "activations.jsonl", "activated", "rules"


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation: the digest of what decides, of the wording, the pack ('' for none), what the gates said, by whom, when, why."""

    digest: str
    wording: str
    pack: str
    mutation: str
    cases: int
    moved: int
    reason: str
    user: str = field(default_factory=os_user)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


def read_activations(home: Home) -> list[Activation]:
    """Every activation, oldest first. Raises IntegrityError (E-DECISIONS) for a line that cannot be read."""
    path = home.folder / FILE
    if not path.exists():
        return []
    found = []
    for at, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            found.append(Activation(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise IntegrityError(Problem("E-DECISIONS", f"{FILE}:{at}", {"why": type(error).__name__})) from None
    return found


def must_be_activated(home: Home, book: Rulebook) -> Activation | None:
    """The activation that a night goes by, or None in a home that knows none. Raises UsageError (E-RULES-NOT-ACTIVE) for other rules."""
    listed = read_activations(home)
    if not listed:
        return None
    if listed[-1].digest != book.digest:
        raise UsageError(Problem("E-RULES-NOT-ACTIVE", book.digest[:12], {"ours": listed[-1].digest[:12], "now": book.digest[:12]}))
    return listed[-1]


def add(home: Home, activation: Activation, folder: Path) -> None:
    """Keep the files of the rules, then the line that lets them in. Raises IntegrityError (E-DECISIONS)."""
    layers = layers_of(folder)
    to = home.folder / KEPT / activation.digest
    part = to.with_name(f".{to.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for layer in layers:
        for path in layer.files():
            place = part / RULES / path.relative_to(layers[0].root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
    shutil.rmtree(to, ignore_errors=True)
    part.rename(to)
    append_line(home.folder / FILE, json.dumps(asdict(activation), ensure_ascii=False, sort_keys=True).encode() + b"\n")


def kept_rules(home: Home, activation: Activation) -> Path:
    """Where the files of activated rules lie, as a rules folder."""
    root = home.folder / KEPT / activation.digest / RULES
    return root / PACKS / activation.pack if activation.pack else root
