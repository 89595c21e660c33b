"""Let a rule book in: only if it holds together, every example holds, mistakes would be noticed, and it is known who moves.

What is refused is refused with its reasons and, where the book can be read at all, with a made-up family that it would
treat otherwise than the rules in force.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from verify.activations import Activation, add, kept_rules, read_activations
from verify.ledger import Look, record
from verify.manifest import Published
from verify.mutating import mutate_rules
from verify.mutating_words import family_line
from verify.nights import newest_night
from verify.plan import make_plan
from verify.problems import HeduiError, Problem, UsageError
from verify.rule_checks import check_rules
from verify.rule_examples import test_rules, try_both_sides
from verify.rulebook import Rulebook, load_rulebook
from verify.scenarios import Tried
from verify.settings import Home, rules_folder
from verify.simulate import Simulation, simulate
from verify.simulate_reach import READ_BY
from verify.telling_families import telling_family
from verify.typed import purpose_of

UNTOLD = -1  # how many move where that cannot be told
LEAST = 0.95  # the share of mistakes that the examples must notice


@dataclass(frozen=True, slots=True)
class Activated:
    """What was let in, how many examples and cases on both sides held, and whom it moves in the newest night (None: cannot be told)."""

    activation: Activation
    examples: int
    sides: int
    impact: Simulation | None


def activate(home: Home, folder: Path, *, reason: str, reading: bool = False) -> Activated:
    """Try everything, then let the rules in; the ledger holds who asked for it before they are in force.

    `reading`: how rows are read or linked changes too, which no published night can show; the impact is then that of the
    rest, or none where the rest does not stand alone, and the activation says so (moved: -1).

    Raises UsageError: E-REASON, E-NO-NIGHT, whatever check and test refuse, E-RULE-EXAMPLE, E-ACTIVATE-MUTATION, each with
    E-ACTIVATE-FAMILY where one was found; E-AGAIN-RULES, E-SIMULATE-…; LedgerError.
    """
    if not reason.strip():
        raise UsageError(Problem("E-REASON", "--reason"))
    night = newest_night(home)
    try:
        book = check_rules(folder)
        examples, sides, score = _tried(folder)
    except UsageError as error:
        before = _before(home, night, None)
        raise UsageError(*error.problems, *_family(before, folder, night.manifest.origin.as_of)) from None
    impact = _impact(home, night, book, reading=reading)
    name = book.packs[-1].pack if book.packs else ""
    cases, moved = (sum(impact.matrix.values()), len(impact.moved)) if impact else (0, UNTOLD)
    activation = Activation(book.digest, book.wording, name, f"{score:.4f}", cases=cases, moved=moved, reason=purpose_of(reason))
    record(home, Look("rules activate", book.digest, purpose_of(reason)))
    add(home, activation, folder)
    return Activated(activation, examples, sides, impact)


def _impact(home: Home, night: Published, book: Rulebook, *, reading: bool) -> Simulation | None:
    """Whom the rules move in a published night. Raises UsageError (E-SIMULATE-READ) where reading changes and nobody said so."""
    before = _before(home, night, book) or book
    if not reading:
        return simulate(home, night, Tried(book.name, book), book=before)
    rest = {key: entry for key, entry in book.entries.items() if key[0] not in READ_BY}
    read = {key: entry for key, entry in before.entries.items() if key[0] in READ_BY}
    try:
        return simulate(home, night, Tried(book.name, replace(book, entries=rest | read, tables=before.tables)), book=before)
    except UsageError:
        return None


def _tried(folder: Path) -> tuple[int, int, float]:
    """How many examples and sides hold, and the mutation score. Raises UsageError: E-RULE-EXAMPLE, E-RULE-SIDE, E-ACTIVATE-MUTATION …"""
    found = test_rules(folder)
    wrong = [Problem("E-RULE-EXAMPLE", r.where, {"name": r.name, "expected": str(r.expected), "got": str(r.got)}) for r in found if not r.passed]
    if wrong:
        raise UsageError(*wrong)
    sides, score = try_both_sides(folder), mutate_rules(folder, shown=False)
    if score.score < LEAST:
        left = sum(score.mutants.values()) - sum(score.killed.values())
        raise UsageError(Problem("E-ACTIVATE-MUTATION", folder.name, {"score": f"{100 * score.score:.1f}", "least": f"{100 * LEAST:.0f}", "left": str(left)}))
    return len(found), sides, score.score


def _before(home: Home, night: Published, book: Rulebook | None) -> Rulebook | None:
    """The rules that the night went by: those asked for, those last activated, or those shipped; None if they are none of these."""
    folders = [kept_rules(home, one) for one in reversed(read_activations(home))] + [rules_folder()]
    for found in (*([book] if book else []), *(load_rulebook(folder) for folder in folders if folder.is_dir())):
        if found.digest == night.manifest.origin.rules:
            return found
    return None


def _family(before: Rulebook | None, folder: Path, as_of: date) -> list[Problem]:
    """A family that the refused rules would treat otherwise, as one more problem; nothing where they cannot be read so far."""
    if before is None:
        return []
    try:
        found = telling_family(make_plan(before, as_of), make_plan(load_rulebook(folder), as_of))
    except HeduiError:
        return []
    if found is None:
        return []
    differs = "; ".join(f"{name}{f'@{number}' if number else ''} {then} → {now}" for number, name, then, now in found.differs)
    values = {"family": family_line(found.family), "before": found.before, "after": found.after, "differs": differs}
    return [Problem("E-ACTIVATE-FAMILY", folder.name, values)]
