"""Who belongs to a case's household by what the registers say, and what of it an officer should look at. It suggests and decides nothing.

Ties between the people of the case: one household of the register, a marriage, a joint document, one address. Of people
outside the case only numbers and relations are told: a household's others, a household split off from it, co-owners. Of other
cases their numbers: the same telephone or address, and somebody there who is this member under another spelling. Of a member's
company how many rows name it as owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from verify.archive import Archive
from verify.batches import chain, known_parts, read_batches
from verify.layout import Block
from verify.ledger import Look, record
from verify.manifest import RESULTS, TABLES, Published
from verify.match_household_bodies import owned_through
from verify.match_household_hints import Hint, Looking, hints_of
from verify.nights import newest_night
from verify.parts import known_rows_in
from verify.passing import passing_folder
from verify.privacy import mask_name
from verify.problems import Problem, UsageError
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.settings import Home, read_settings
from verify.speech import Speech
from verify.store import Store, open_store
from verify.store_rows import Record, rows_where
from verify.typed import purpose_of, safe


@dataclass(frozen=True, slots=True)
class Household:
    """A case: its people (number, masked name, relation), the ties of each two by kind, who is tied to the applicant, and the hints."""

    case: str
    night: str
    people: tuple[tuple[int, str, str], ...]
    ties: Mapping[tuple[int, int], tuple[str, ...]]
    suggested: frozenset[int]
    hints: tuple[Hint, ...]


def household_of(home: Home, case: str, book: Rulebook, purpose: str) -> Household:
    """The household of a case of the newest night, once the look-up is on record.

    Raises UsageError (E-NO-NIGHT, E-NO-CASE), LedgerError, IntegrityError.
    """
    record(home, Look("match household", safe(case), purpose_of(purpose)))
    night = newest_night(home)
    people = rows_where(night.folder / TABLES / "persons.parquet", "case_id", case)
    if not rows_where(night.folder / RESULTS / "cases.parquet", "case_id", case):
        raise UsageError(Problem("E-NO-CASE", safe(case), {"night": night.manifest.night}))
    links = rows_where(night.folder / RESULTS / "links.parquet", "case_id", case)
    with passing_folder(home) as work, open_store(work, threads=1, memory=read_settings(home).memory, few_rows=True) as store:
        looking = Looking(store, night, book, _known(store, night, Archive(home.archive), book=book, work=work), case, people, links)
        hints = (*hints_of(looking), *owned_through(looking))
    ties = {pair: tuple(sorted(kinds)) for pair, kinds in sorted(looking.ties.items())}
    told = tuple((one["member_no"], mask_name(one["name"] or ""), one["relation"]) for one in people)
    return Household(case, night.manifest.night, told, ties, _reachable(people, ties), hints)


def _known(store: Store, night: Published, archive: Archive, *, book: Rulebook, work: Path) -> dict[str, str]:
    """The known rows of the extracts that say who lives with whom and who owns with whom."""
    found = {}
    for name, batches in read_batches(night.folder / TABLES / "batches.parquet").items():
        shape = book.extracts.get(name)
        if shape and _wanted(shape) and chain(batches) and all(archive.holds(one.archived) for one in chain(batches)):
            found[name] = known_rows_in(store, known_parts(batches, archive, shape, work))
    return found


def _wanted(shape: Extract) -> bool:
    plays = shape.plays
    return any((plays.register_, plays.marriage, plays.application, plays.bodies, shape.joint_document, shape.owned_by_bodies))


def _reachable(people: Sequence[Record], ties: Mapping[tuple[int, int], object]) -> frozenset[int]:
    """The applicant and everybody tied to them, by way of others too."""
    found = {one["member_no"] for one in people if one["is_applicant"]}
    while more := {b for pair in ties for a, b in (pair, pair[::-1]) if a in found} - found:
        found |= more
    return frozenset(found)


# --- in words ---------------------------------------------------------------------------------------------------------


def household_blocks(found: Household, voice: Speech) -> list[Block]:
    """The people with their ties, who has none, and the hints."""
    head = tuple(voice.word(key) for key in ("household_member", "household_relation", "household_ties"))
    rows = tuple((f"{number} {name}", relation, _ties_of(found, number, voice)) for number, name, relation in found.people)
    loose = [str(number) for number, _, _ in found.people if number not in found.suggested]
    note = voice.word("household_loose", numbers="、".join(loose)) if loose else voice.word("household_whole")
    hints = tuple(_hint(one, voice) for one in found.hints) or (voice.word("no_lines"),)
    return [Block(voice.word("household_title", case=found.case), (note,), head, rows), Block(voice.word("household_hints"), hints)]


def _ties_of(found: Household, number: int, voice: Speech) -> str:
    told = []
    for pair, kinds in found.ties.items():
        if number in pair:
            other = pair[0] if pair[1] == number else pair[1]
            told.append(f"{other}: " + "、".join(voice.named("household_tie", kind) for kind in kinds))
    return "；".join(told) or "—"


def _hint(one: Hint, voice: Speech) -> str:
    others = "、".join(f"{relation} {count}".strip() for relation, count in one.others)
    told = {"member": str(one.member), "since": one.since.isoformat() if one.since else "—", "cases": "、".join(one.cases) or "—", "others": others or "0"}
    return voice.word(f"household_hint_{one.kind}", **told)


def household_json(found: Household) -> dict[str, Any]:
    """The same for programs."""
    people = [{"member": number, "name": name, "relation": relation, "suggested": number in found.suggested} for number, name, relation in found.people]
    ties = [{"members": list(pair), "ties": list(kinds)} for pair, kinds in found.ties.items()]
    hints = [asdict(one) | {"since": one.since.isoformat() if one.since else None, "others": dict(one.others)} for one in found.hints]
    return {"case": found.case, "night": found.night, "people": people, "ties": ties, "hints": hints}
