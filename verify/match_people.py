"""By which key each person of a case is known from night to night, and what became of it on the newest one (`people_keys`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verify.layout import Block
from verify.ledger import Look, record
from verify.manifest import RESULTS, TABLES
from verify.nights import newest_night
from verify.people_keys import KEYED
from verify.privacy import mask_name
from verify.problems import Problem, UsageError
from verify.settings import Home
from verify.speech import Speech
from verify.store_rows import Record, rows_where
from verify.typed import purpose_of, safe


@dataclass(frozen=True, slots=True)
class People:
    """The people of a case on the newest night: number and masked name of each, and what `people_keys` says of them."""

    case: str
    night: str
    people: tuple[tuple[int, str, Record], ...]


def people_of(home: Home, case: str, purpose: str) -> People:
    """The keys of a case's people, once the look-up is on record.

    Raises UsageError (E-NO-NIGHT, E-NO-CASE; a night of before there were keys has none), LedgerError, IntegrityError.
    """
    record(home, Look("match people", safe(case), purpose_of(purpose)))
    night = newest_night(home)
    if not rows_where(night.folder / RESULTS / "cases.parquet", "case_id", case):
        raise UsageError(Problem("E-NO-CASE", safe(case), {"night": night.manifest.night}))
    names = {one["member_no"]: mask_name(one["name"] or "") for one in rows_where(night.folder / TABLES / "persons.parquet", "case_id", case)}
    path = night.folder / TABLES / KEYED
    keyed = rows_where(path, "case_id", case) if path.exists() else []
    return People(case, night.manifest.night, tuple((one["member_no"], names[one["member_no"]], one) for one in keyed))


def people_blocks(found: People, voice: Speech) -> list[Block]:
    """A line for each person."""
    head = tuple(voice.word(key) for key in ("household_member", "people_key", "people_since", "people_how"))
    rows = tuple((f"{number} {name}", one["person_key"], one["since"].isoformat(), _became(one, voice)) for number, name, one in found.people)
    return [Block(voice.word("people_title", case=found.case), (voice.word("people_note"),), head, rows)]


def _became(one: Record, voice: Speech) -> str:
    told = [voice.named("people_how", one["how"])]
    for word, keys in (("people_merged", one["merged"]), ("people_split", _listed(one["split_from"])), ("people_perhaps", one["perhaps"])):
        told += [voice.word(word, keys="、".join(keys))] if keys else []
    return "；".join(told)


def _listed(key: str | None) -> Sequence[str]:
    return [key] if key else []


def people_json(found: People) -> dict[str, Any]:
    """The same for programs."""
    people = [{"member": number, "name": name, **_plain(one)} for number, name, one in found.people]
    return {"case": found.case, "night": found.night, "people": people}


def _plain(one: Record) -> dict[str, Any]:
    return {name: one[name] for name in ("person_key", "how", "merged", "split_from", "perhaps")} | {"since": one["since"].isoformat()}
