"""Whether the night's links grow less sure: how many of those accepted are expected to be wrong, night by night, and by what method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.expected import expected_of, has_risen, in_all
from verify.layout import Block
from verify.manifest import TABLES, published_nights
from verify.settings import Home
from verify.speech import Speech
from verify.store_rows import Record

SHOWN = 10  # nights


@dataclass(frozen=True, slots=True)
class Drift:
    """The last nights, oldest first, each with what is expected to be wrong of it (thousandths of a link; None: not known); the newest by method."""

    nights: tuple[tuple[str, int | None], ...]
    methods: tuple[Record, ...]

    @property
    def risen(self) -> bool:
        """Whether the newest night expects far more than those before it."""
        return has_risen([wrong for _, wrong in self.nights if wrong is not None]) and self.nights[-1][1] is not None


def drift_of(home: Home) -> Drift:
    """What the published nights of a home expect. Raises IntegrityError (E-NIGHT-BROKEN)."""
    found = [(night, expected_of(night.folder / TABLES)) for night in published_nights(home)[-SHOWN:]]
    told = [(night.manifest.night, table) for night, table in found if table is not None]
    methods = told[-1][1].to_dicts() if told else []
    return Drift(tuple((night, in_all(table)) for night, table in told), tuple(methods))


def drift_blocks(drift: Drift, voice: Speech) -> list[Block]:
    """The newest night by method, then the nights; nothing where no night has told it."""
    if not drift.nights:
        return []
    head = tuple(voice.word(key) for key in ("drift_method", "drift_accepted", "drift_alike", "drift_wrong"))
    rows = tuple((voice.named("method", one["method"]), f"{one['accepted']:,}", _alike(one), _links(one["wrong"])) for one in drift.methods)
    note = [voice.word("drift_note"), *([voice.word("drift_risen")] if drift.risen else [])]
    nights = tuple((night, _links(wrong)) for night, wrong in reversed(drift.nights))
    return [
        Block(voice.word("drift_title", night=drift.nights[-1][0]), tuple(note), head, rows, frozenset({1, 2, 3})),
        Block(voice.word("drift_nights"), (), (voice.word("drift_night"), voice.word("drift_wrong")), nights, frozenset({1})),
    ]


def _alike(one: Record) -> str:
    """How many others of the register agree with one of its people, per million of them."""
    return f"{1_000_000 * one['pairs'] // one['people']:,}" if one["people"] else "—"


def _links(thousandths: int | None) -> str:
    return "—" if thousandths is None else f"{thousandths / 1_000:.3f}"


def drift_json(drift: Drift) -> dict[str, Any]:
    """The same for programs, in thousandths of a link."""
    nights = [{"night": night, "expected_false": wrong} for night, wrong in drift.nights]
    return {"nights": nights, "methods": list(drift.methods), "risen": drift.risen}
