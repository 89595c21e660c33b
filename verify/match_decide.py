"""What officers say of pairs: that a row is somebody's or is not, what has been said and how it stands, and taking it back.

A decision is for the nights to come; a published night stays as it is. The ledger holds who decided before anything is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from verify.archive import Archive
from verify.batches import chain, read_batches, told_apart
from verify.labels import extract_label
from verify.layout import Block
from verify.ledger import Look, record
from verify.manifest import RESULTS, TABLES
from verify.nights import newest_night
from verify.pair_decisions import OTHER, SAME, STANDING, PairDecision, PairDecisions, Place, Withdrawal, decide_pair, read_pair_decisions
from verify.problems import Problem, UsageError
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.speech import Speech
from verify.store_rows import Record, all_rows, rows_where
from verify.typed import purpose_of, safe

NEXT, HELD = "next", "held"  # stands, and no published night has been made with it; holds tonight


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which row what is said: its extract and number, its file where several have that number, its side where it has two."""

    extract: str
    row: int
    file: str | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A decision with its number and its state: held, conflict or idle in the newest night; next; expired, replaced, withdrawn."""

    number: int
    decision: PairDecision
    state: str


def decide_of(home: Home, asked: Asked, whom: str, *, said: tuple[bool, str, date | None], book: Rulebook) -> Told:
    """Decide that a row that the newest night linked to somebody is, or is not, one member's; `said` is that, why, and until when.

    Raises UsageError: E-REASON, E-PAIR-UNTIL, E-NO-NIGHT, E-EXTRACT-WHAT, E-MATCH-NONE, E-MATCH-FILES, E-MATCH-GONE,
    E-MATCH-WHAT, E-NO-CASE, E-MATCH-PERSON, E-PAIR-SIDE, and E-PAIR-TAKEN where it stands decided that the row is
    somebody else's; LedgerError; IntegrityError (E-DECISIONS).
    """
    same, reason, until = said
    if not reason.strip():
        raise UsageError(Problem("E-REASON", "--reason"))
    if until is not None and until < datetime.now(UTC).date():
        raise UsageError(Problem("E-PAIR-UNTIL", "--until"))
    row, person = _row(home, asked, book), _person(home, whom, book)
    one = PairDecision(
        *(SAME if same else OTHER, row, person[0], person[1]["case_id"], person[1]["member_no"]), purpose_of(reason), until.isoformat() if until else ""
    )
    before = read_pair_decisions(home)
    if same:
        _must_be_free(home, one, person[1]["person_id"], before)
    record(home, Look("match decide", f"{one.case} {row.extract}:{row.row}", one.reason))
    decide_pair(home, one)
    return Told(max(before.lines, default=0) + 1, one, NEXT)


def withdraw_pair(home: Home, number: int, reason: str) -> Told:
    """Take a standing decision back: nothing is decided of the pair from the next night on.

    Raises UsageError: E-REASON, E-PAIR-WHICH where no decision of that number stands; LedgerError; IntegrityError.
    """
    if not reason.strip():
        raise UsageError(Problem("E-REASON", "--reason"))
    decisions, today = read_pair_decisions(home), datetime.now(UTC).date()
    standing = decisions.standing(today)
    if number not in standing:
        raise UsageError(Problem("E-PAIR-WHICH", str(number), {"known": ", ".join(map(str, standing))}))
    record(home, Look("match withdraw", standing[number].case, purpose_of(reason)))
    decide_pair(home, Withdrawal(number, purpose_of(reason)))
    return Told(number, standing[number], "withdrawn")


def decisions_told(home: Home) -> list[Told]:
    """Every decision and how it stands, in the order in which they were taken. Raises IntegrityError (E-DECISIONS)."""
    decisions, states = read_pair_decisions(home), _states(home)
    today = datetime.now(UTC).date()
    found = []
    for number, one in decisions.decisions().items():
        state = decisions.state(number, today)
        found.append(Told(number, one, states.get(number, NEXT) if state == STANDING else state))
    return found


def decided_of(home: Home, links: Sequence[Record]) -> list[Told]:
    """The decisions that the newest night held of some links, each by its place and person."""
    decisions = read_pair_decisions(home).decisions()
    wanted = {(*(one[key] for key in ("extract", "file", "row", "side")), one["case_id"], one["member_no"]) for one in links}
    held = {
        line["number"] for line in _lines(home) if (*(line[key] for key in ("extract", "file", "row", "side")), line["case_id"], line["member_no"]) in wanted
    }
    return [Told(number, decisions[number], HELD) for number in sorted(held & decisions.keys())]


def _states(home: Home) -> dict[int, str]:
    return {line["number"]: line["state"] for line in _lines(home)}


def _lines(home: Home) -> list[Record]:
    """What the newest night made of the decisions it was made with."""
    path = newest_night(home).folder / TABLES / "pair_decisions.parquet"
    return all_rows(path) if path.exists() else []


def _row(home: Home, asked: Asked, book: Rulebook) -> Place:
    """The place in the archive of a row that the newest night linked to somebody."""
    if asked.extract not in book.extracts:
        raise UsageError(Problem("E-EXTRACT-WHAT", safe(asked.extract), {"known": ", ".join(sorted(book.extracts))}))
    night, where = newest_night(home), f"{asked.extract}:{asked.row}"
    links = [one for one in rows_where(night.folder / RESULTS / "links.parquet", "extract", asked.extract) if one["row"] == asked.row]
    links = [one for one in links if asked.file in {None, one["file"]}]
    if not links:
        raise UsageError(Problem("E-MATCH-NONE", where, {"night": night.manifest.night}))
    if len(files := sorted({one["file"] for one in links})) > 1:
        raise UsageError(Problem("E-MATCH-FILES", where, {"files": ", ".join(files)}))
    known = sorted({one["side"] for one in links})
    sides = [side for side in known if asked.side in {None, side}]
    if len(sides) != 1:
        raise UsageError(Problem("E-PAIR-SIDE", where, {"sides": ", ".join(known)}))
    return Place(asked.extract, _archived(home, asked.extract, files[0], where), asked.row, sides[0])


def _person(home: Home, whom: str, book: Rulebook) -> tuple[Place, Record]:
    """The roster's row of a member, written CASE/NUMBER, and what the newest night knows of them."""
    case, slash, number = whom.strip().rpartition("/")
    if not slash or not number.isdecimal():
        raise UsageError(Problem("E-MATCH-WHAT", safe(whom)))
    night = newest_night(home)
    persons = rows_where(night.folder / TABLES / "persons.parquet", "case_id", case)
    if not persons:
        raise UsageError(Problem("E-NO-CASE", safe(case), {"night": night.manifest.night}))
    found = [one for one in persons if one["member_no"] == int(number)]
    if not found:
        raise UsageError(Problem("E-MATCH-PERSON", safe(case), {"numbers": ", ".join(str(one["member_no"]) for one in persons)}))
    rosters = [name for name, extract in sorted(book.extracts.items()) if extract.plays.roster]
    batches = read_batches(night.folder / TABLES / "batches.parquet")
    named = [name for name in rosters if any(one.file == found[0]["file"] for one in told_apart(chain(batches.get(name, ()))))]
    place = Place(named[0], _archived(home, named[0], found[0]["file"], safe(case)), found[0]["row"])
    return place, found[0]


def _archived(home: Home, extract: str, file: str, where: str) -> str:
    """The name in the archive of the batch that a file of the newest night is. Raises UsageError (E-MATCH-GONE)."""
    batches = read_batches(newest_night(home).folder / TABLES / "batches.parquet").get(extract, ())
    found = [one.archived for one in told_apart(chain(batches)) if one.file == file]
    if not found or not Archive(home.archive).holds(found[0]):
        raise UsageError(Problem("E-MATCH-GONE", where))
    return found[0]


def _must_be_free(home: Home, one: PairDecision, person_id: str, before: PairDecisions) -> None:
    """That it does not stand decided that the row is somebody else's; a person listed by two cases is one."""
    persons = newest_night(home).folder / TABLES / "persons.parquet"
    for number, other in before.standing(datetime.now(UTC).date()).items():
        if other.what == SAME and other.of == one.of:
            mine = [p["person_id"] for p in rows_where(persons, "case_id", other.case) if p["member_no"] == other.member]
            if mine != [person_id]:
                raise UsageError(Problem("E-PAIR-TAKEN", f"{one.of.extract}:{one.of.row}", {"number": str(number)}))


# --- in words ---------------------------------------------------------------------------------------------------------


def decided_blocks(found: Sequence[Told], voice: Speech) -> list[Block]:
    """The decisions as one table."""
    if not found:
        return [Block(voice.word("no_lines"))]
    head = tuple(voice.word(key) for key in ("match_number", "pair_row", "pair_whose", "pair_said", "head_state", "pair_until", "pair_by", "pair_why"))
    return [Block(voice.word("pair_title"), (), head, tuple(_line(one, voice) for one in found))]


def _line(one: Told, voice: Speech) -> tuple[str, ...]:
    said = one.decision
    row = f"{extract_label(voice, said.of.extract)} {said.of.row} {said.of.side}".rstrip()
    what = voice.word("pair_same" if said.what == SAME else "pair_other")
    by = f"{said.user} {said.when[:10]}"
    return str(one.number), row, f"{said.case}/{said.member}", what, voice.named("pair_state", one.state), said.until or "—", by, said.reason


def decided_lines(found: Sequence[Told], voice: Speech) -> list[str]:
    """The same as sentences, to stand beside a link."""
    return [
        voice.word(
            "pair_line",
            number=str(one.number),
            what=voice.word("pair_same" if one.decision.what == SAME else "pair_other"),
            by=one.decision.user,
            when=one.decision.when[:10],
            until=one.decision.until or voice.word("pair_for_ever"),
            why=one.decision.reason,
        )
        for one in found
    ]


def decided_json(one: Told) -> dict[str, Any]:
    """The same for programs."""
    plain = asdict(one.decision)
    of = plain.pop("of")
    plain.pop("roster")
    return {"number": one.number, "state": one.state, "extract": of["extract"], "row": of["row"], "side": of["side"], **plain}
