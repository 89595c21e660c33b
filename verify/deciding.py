"""What officers say of batches: which there are and how they stand, to accept a held one, to withdraw one, and whom that touches.

A decision is for the nights to come; a published night stays as it is. The ledger holds who decided before anything is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.archive import Archive
from verify.batches import Batch, chain, read_batches, told_apart
from verify.decisions import ACCEPTED, WITHDRAWN, Decision, Decisions, Key, decide, read_decisions
from verify.holding import is_waiting, key_of
from verify.labels import extract_label
from verify.layout import Block
from verify.ledger import Look, record
from verify.manifest import RESULTS, TABLES, Published
from verify.nights import newest_night
from verify.problems import Problem, UsageError
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.speech import Speech
from verify.store_rows import Record, all_rows, rows_where
from verify.typed import purpose_of, safe

IN_USE, SUPERSEDED, HELD = "in_use", "superseded", "held"
SHOWN = {IN_USE: "batch_in_use", SUPERSEDED: "batch_superseded", HELD: "batch_held", ACCEPTED: "batch_accepted", WITHDRAWN: "batch_withdrawn"}
COUNTED = frozenset({"accepted", "review"})


@dataclass(frozen=True, slots=True)
class Standing:
    """A batch and how it stands: in_use, superseded, held, accepted (from the next night on) or withdrawn.

    `batch` is None where it has left the newest night's list; `told` is then all that is known of it.
    """

    key: Key
    state: str
    told: Record
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal touches in the newest night: the families a row of the batch speaks for, and how many others rest on its
    silence, where silence means zero."""

    standing: Standing
    cases: tuple[str, ...]
    silent: int


def standings(home: Home, extract: str | None = None) -> list[Standing]:
    """Every batch of the newest night, and those that were withdrawn before it; by extract, in the order of loading.

    Raises UsageError (E-NO-NIGHT), IntegrityError (E-NIGHT-BROKEN, E-DECISIONS).
    """
    decisions, known = read_decisions(home), read_batches(_table(newest_night(home)))
    found = [_standing(batch, batches, decisions) for batches in known.values() for batch in batches]
    here = {standing.key for standing in found}
    found += [_gone(decision) for key, decision in decisions.by.items() if decision.what == WITHDRAWN and key not in here]
    wanted = [standing for standing in found if extract in {None, standing.key[0]}]
    return sorted(wanted, key=lambda one: (one.key[0], one.batch.position if one.batch else 0, one.key))


def accept(home: Home, name: str, *, extract: str | None, reason: str) -> Standing:
    """Let a held batch be loaded by the next night.

    Raises UsageError: E-REASON, E-BATCH-WHICH, E-BATCH-NOT-HELD; LedgerError; IntegrityError (E-DECISIONS).
    """
    found = _asked_for(home, name, extract, reason)
    if found.state != HELD:
        raise UsageError(Problem("E-BATCH-NOT-HELD", safe(found.key[1])))
    _decide(home, found, ACCEPTED, reason)
    return Standing(found.key, ACCEPTED, found.told, found.batch)


def withdraw(home: Home, name: str, *, extract: str | None, reason: str, book: Rulebook) -> Withdrawal:
    """Let later nights be as if a batch had never come; whom that touches in the newest night.

    Raises UsageError: E-REASON, E-BATCH-WHICH, E-BATCH-GONE for one that was withdrawn before; LedgerError; IntegrityError.
    """
    found = _asked_for(home, name, extract, reason)
    if found.state == WITHDRAWN:
        raise UsageError(Problem("E-BATCH-GONE", safe(found.key[1])))
    _decide(home, found, WITHDRAWN, reason)
    if found.state != IN_USE or found.batch is None:
        return Withdrawal(Standing(found.key, WITHDRAWN, found.told, found.batch), (), 0)
    shape = book.extracts.get(found.key[0])
    cases = _families(home, found.batch, shape)
    every = newest_night(home).manifest.counts.get("cases", 0)
    silent = every - len(cases) if shape is not None and shape.absence_means == "zero" else 0
    return Withdrawal(Standing(found.key, WITHDRAWN, found.told, found.batch), tuple(sorted(cases)), silent)


def _table(night: Published) -> Path:
    return night.folder / TABLES / "batches.parquet"


def _standing(batch: Batch, batches: tuple[Batch, ...], decisions: Decisions) -> Standing:
    decided = decisions.of(key_of(batch))
    waits = batch.held and is_waiting([one for one in batches if one.in_use or one is batch])
    state = WITHDRAWN if decided == WITHDRAWN else IN_USE if batch.in_use else SUPERSEDED
    if waits and state == SUPERSEDED:
        state = ACCEPTED if decided == ACCEPTED else HELD
    told = {"file": batch.file, "as_of": batch.as_of.isoformat(), "mode": batch.mode, "received": batch.received}
    return Standing(key_of(batch), state, told, batch)


def _gone(decision: Decision) -> Standing:
    told = {"file": decision.file, "as_of": decision.as_of, "mode": decision.mode, "received": decision.received}
    return Standing(decision.key, WITHDRAWN, told)


def _asked_for(home: Home, name: str, extract: str | None, reason: str) -> Standing:
    """The one batch of that number: the one still on the list where content under it was withdrawn before."""
    if not reason.strip():
        raise UsageError(Problem("E-REASON", "--reason"))
    found = [one for one in standings(home, extract) if one.key[1] == name.strip()]
    found = [one for one in found if one.batch is not None] or found[-1:]
    if len(found) != 1:
        raise UsageError(Problem("E-BATCH-WHICH", safe(name), {"known": ", ".join(sorted({one.key[0] for one in found}))} if found else {}))
    return found[0]


def _decide(home: Home, found: Standing, what: str, reason: str) -> None:
    """The ledger first, then the decision."""
    command = "batch accept" if what == ACCEPTED else "batch withdraw"
    record(home, Look(command, f"{found.key[0]} {safe(found.key[1])}", purpose_of(reason)))
    extract, batch, sha256 = found.key
    decide(home, Decision(what, extract, batch, sha256, **found.told, reason=purpose_of(reason)))


def _families(home: Home, batch: Batch, extract: Extract | None) -> frozenset[str]:
    """The cases of the newest night that a row of the batch speaks for: in a figure, a link, an alert, or their own rows."""
    night = newest_night(home)
    results, batches = night.folder / RESULTS, read_batches(_table(night))[batch.extract]
    (file,) = (named.file for named in told_apart(chain(batches)) if named.position == batch.position)
    rows = [row for name in ("evidence", "alerts") for row in rows_where(results / f"{name}.parquet", "file", file)]
    rows += [link for link in rows_where(results / "links.parquet", "file", file) if link["status"] in COUNTED]
    named = {row["case_id"] for row in rows if row["extract"] == batch.extract}
    role = extract and (extract.plays.roster or extract.plays.application)
    if role:  # then a family's very being there rests on the batch
        listed = set(Archive(home.archive).kept(batch.archived)[role.case])
        named |= {row["case_id"] for row in all_rows(results / "cases.parquet")} & listed
    return frozenset(named)


# --- in words ---------------------------------------------------------------------------------------------------------


def standing_blocks(found: list[Standing], voice: Speech) -> list[Block]:
    """The batches as one table."""
    if not found:
        return [Block(voice.word("no_lines"))]
    head = tuple(voice.word(key) for key in ("head_sources", "head_batch", "head_as_of", "head_mode", "head_rows", "head_state"))
    return [Block(voice.word("batches"), (), head, tuple(_line(one, voice) for one in found), frozenset({4}))]


def _line(one: Standing, voice: Speech) -> tuple[str, ...]:
    extract, batch, _ = one.key
    return extract_label(voice, extract), batch, one.told["as_of"], one.told["mode"], f"{one.told['received']:,}", voice.word(SHOWN[one.state])


def standing_json(one: Standing) -> dict[str, Any]:
    """The same for programs."""
    extract, batch, sha256 = one.key
    return {"extract": extract, "batch": batch, "sha256": sha256, "state": one.state, **one.told}


def withdrawal_blocks(found: Withdrawal, voice: Speech) -> list[Block]:
    """What was withdrawn, and the families it touches."""
    lines = [voice.word("withdrawn_note")]
    if found.silent:
        lines.append(voice.word("withdrawn_silent", count=f"{found.silent:,}"))
    title = voice.word("withdrawn_families", count=f"{len(found.cases):,}")
    return [*standing_blocks([found.standing], voice), Block(title, (*lines,), (), tuple((case,) for case in found.cases))]


def withdrawal_json(found: Withdrawal) -> dict[str, Any]:
    """The same for programs; `silent` counts the other families, whose zero rested on the extract's silence."""
    return {**standing_json(found.standing), "cases": list(found.cases), "silent": found.silent}
