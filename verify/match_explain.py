"""Why a row is, or is not, somebody's: field by field in words, the best other story, why not, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from verify.explain_case import link_text
from verify.faces import name_tables_of
from verify.labels import extract_label
from verify.layout import Block
from verify.ledger import Look, record
from verify.linkage.model import Model
from verify.linkage.people import normalised, plan_of_people
from verify.linkage.plan import Plan
from verify.linkage.telling import Told, tell, turning
from verify.match_decide import Told as Decided
from verify.match_decide import decided_json, decided_lines, decided_of
from verify.match_rows import Found, Side, as_table, asked_for
from verify.nights import newest_night
from verify.privacy import mask_id, mask_name
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.speech import Speech
from verify.store_rows import Record
from verify.typed import purpose_of, safe

FIELDS = ("id", "name", "birth", "sex", "phone", "address")
SAYS_NOT_SO = ("nothing", "other")  # levels of a field on which a pair cannot be said to agree: one side is blank, or they differ


@dataclass(frozen=True, slots=True)
class Explained:
    """One side held against some others: what was decided that night, and what the model says of each pair."""

    side: Side
    others: tuple[Side, ...]
    told: tuple[Told, ...]
    plan: Plan
    model: Model
    decided: tuple[Decided, ...] = ()  # what officers had said of it, and that night held


def explain_row(home: Home, book: Rulebook, model: Model, asked: tuple[str, int, str | None], purpose: str) -> list[Explained]:
    """A row against everybody of the cases it was linked to, once the look-up is on record; one for each of its sides.

    Raises UsageError: E-NO-NIGHT, E-EXTRACT-WHAT, E-MATCH-…; LedgerError (E-LEDGER).
    """
    extract, row, file = asked
    record(home, Look("match explain", safe(f"{extract}:{row}"), purpose_of(purpose)))
    found = Found(home, newest_night(home), book)
    explained = []
    for side in found.row(extract, row, file):
        people = [one for case in sorted({link["case_id"] for link in side.links}) for one in found.people(case)]
        explained.append(replace(_held(side, people, book, model), decided=tuple(decided_of(home, side.links))))
    return explained


def explain_pair(home: Home, book: Rulebook, model: Model, asked: tuple[str, str], purpose: str) -> list[Explained]:
    """Two rows or people against each other, once the look-up is on record. Raises as `explain_row`, and E-MATCH-WHAT."""
    record(home, Look("match pair", safe(f"{asked[0]} {asked[1]}"), purpose_of(purpose)))
    found = Found(home, newest_night(home), book)
    ours, theirs = (asked_for(text, found) for text in asked)
    return [_held(side, theirs, book, model) for side in ours]


def _held(side: Side, others: Sequence[Side], book: Rulebook, model: Model) -> Explained:
    tables = name_tables_of(book)
    plan = plan_of_people(tables, strict=True)
    told = tell(normalised(as_table(others), tables), normalised(as_table([side]), tables), plan, model)
    return Explained(side, tuple(others), tuple(told), plan, model)


# --- in words ---------------------------------------------------------------------------------------------------------


def explained_blocks(explained: Sequence[Explained], voice: Speech) -> list[Block]:
    """The answer as headings, lines and tables; names and IDs masked."""
    blocks = []
    for one in explained:
        blocks.append(
            Block(
                title_of(one.side, voice),
                (*_decided(one.side, voice), *decided_lines(one.decided, voice), voice.word("match_model_note", digest=one.model.digest[:12])),
            )
        )
        blocks += [_against(one, told, voice) for told in one.told[:3]]
        if len(one.told) > 3:
            blocks.append(Block(voice.word("match_more", count=len(one.told) - 3)))
    return blocks


def title_of(side: Side, voice: Speech) -> str:
    """Of which row or person it is told."""
    where = side.told_as if not side.extract else f"{extract_label(voice, side.extract)} {side.told_as}"
    return voice.word("match_title", where=f"{where} {side.side}".rstrip(), who=masked(side))


def masked(side: Side) -> str:
    """Name and ID of a side, masked."""
    return " ".join(part for part in (mask_name(side.said["name"] or ""), mask_id(side.said["id"] or "")) if part) or "—"


def _decided(side: Side, voice: Speech) -> list[str]:
    """What the night decided of it, a line a link; of a person only how many rows are theirs."""
    if not side.extract:
        return [voice.word("match_person_rows", count=sum(link["status"] == "accepted" for link in side.links))]
    lines = []
    for link in side.links:
        whose = f"{link['case_id']}/{link['member_no']}"
        lines.append(voice.word("match_decided", whose=whose, how=link_text(link | {"link_status": link["status"]}, voice)))
        if beside := link["beside"]:
            lines.append(_beside(whose, beside, voice))
    return lines


def _beside(whose: str, beside: Record, voice: Speech) -> str:
    """Who else the row could speak of, by the night, and by how many bits the one stands before the other."""
    who = f"{beside['second_case']}/{beside['second_member']}" if beside["second_case"] else voice.word("rival_outside")
    key = "match_ahead" if beside["ahead"] >= 0 else "match_behind"
    return voice.word(key, whose=whose, who=who, how=voice.named("method", beside["second_method"]), bits=f"{abs(beside['ahead']) / 1_000:.1f}")


def _against(one: Explained, told: Told, voice: Speech) -> Block:
    """One pair: a line a field, then the best other story and what would change it."""
    other = one.others[told.left]
    rows = []
    for name, level, bits in told.fields:
        ours, theirs = (shown_of(side, name) for side in (one.side, other))
        rows.append((voice.named("match", f"field_{name}"), ours, theirs, level_word(name, level, voice), in_bits(bits) if level != "nothing" else ""))
    head = tuple(voice.word(key) for key in ("match_field", "match_here", "match_there", "match_level", "match_weight"))
    lines = [voice.word("match_whole", bits=in_bits(told.bits), before=in_bits(told.before)), rival_of(told, voice), *why_not(told, voice)]
    lines += [
        voice.word("match_turning", field=voice.named("match", f"field_{name}"), bits=in_bits(bits)) for name, bits in turning(told, one.plan, one.model)[:2]
    ]
    return Block(voice.word("match_against", who=f"{other.told_as} {masked(other)}"), tuple(lines), head, tuple(rows), frozenset({4}))


def shown_of(side: Side, name: str) -> str:
    """What a side says in one field, as it may be seen."""
    value = side.said.get(name) or ""
    if not value:
        return "—"
    return mask_name(value) if name == "name" else mask_id(value) if name == "id" else _year(value) if name == "birth" else "✓"


def _year(value: str) -> str:
    """A birth date down to its year."""
    return f"{value[:4]}-**-**"


def rival_of(told: Told, voice: Speech) -> str:
    """The other story that fits best, in words, and how much better or worse it does; as shared it names only what this pair shares."""
    story, bits = told.stories[0]
    other = story_of(story, told, voice)
    return voice.word("match_rival" if bits >= 0 else "match_rival_better", story=other, power=f"2^{abs(bits) / 1_000:.0f}")


def story_of(story: str, told: Told, voice: Speech) -> str:
    """Another story in words; of what is alike in it only what this pair shares."""
    alike = [voice.named("match", f"field_{name}") for name in FIELDS if name in story.split("_") and told.level[name] not in SAYS_NOT_SO]
    return voice.word("match_story_alike", fields="、".join(alike)) if alike else voice.word("match_story_stranger")


def why_not(told: Told, voice: Speech) -> list[str]:
    """Why a pair is not accepted by its weight alone; nothing where it is."""
    if told.vetoed:
        return [voice.word("match_vetoed")]
    return [voice.word("match_light")] if told.bits < 2_000 else []


def level_word(field: str, level: str, voice: Speech) -> str:
    """A level in words: the field's own where it means something of its own there."""
    own = f"level_{field}_{level}"
    found = voice.named("match", own)
    return voice.named("match", f"level_{level}") if found == own else found


def in_bits(thousandths: int) -> str:
    """A weight in bits with its sign and one decimal; nothing has no sign."""
    told = f"{thousandths / 1_000:+.1f}"
    return told if float(told) else "0.0"


def _beside_json(beside: Record | None) -> dict[str, Any] | None:
    """The next person for programs; `case_id` and `member_no` are null for somebody who is on no list."""
    if beside is None:
        return None
    whose = {"case_id": beside["second_case"], "member_no": beside["second_member"], "method": beside["second_method"]}
    return whose | {key: beside[key] for key in ("score", "second", "ahead")}


def explained_json(explained: Sequence[Explained]) -> list[dict[str, Any]]:
    """The same for programs: weights in thousandths of a bit, names and IDs masked."""
    return [
        {
            "of": one.side.told_as,
            "side": one.side.side,
            "who": masked(one.side),
            "model": one.model.digest,
            "links": [
                {key: link[key] for key in ("case_id", "member_no", "status", "method", "reasons", "score")} | {"next": _beside_json(link["beside"])}
                for link in one.side.links
                if one.side.extract
            ],
            "decided": [decided_json(decided) for decided in one.decided],
            "against": [
                {
                    "who": one.others[told.left].told_as,
                    "bits": told.bits,
                    "vetoed": told.vetoed,
                    "fields": [{"field": name, "level": level, "bits": bits} for name, level, bits in told.fields],
                    "stories": [{"story": name, "bits": bits} for name, bits in told.stories],
                    "would_change": [{"field": name, "bits": bits} for name, bits in turning(told, one.plan, one.model)],
                }
                for told in one.told
            ],
        }
        for one in explained
    ]
