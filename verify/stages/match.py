"""Which row speaks of which person of the roster: accepted, review or rejected, with the reasons (reference rules).

First the people are found in the register, then every other row is held against what is known to be theirs. Nothing is
ever accepted on a name alone, a valid ID is never corrected into another, and whatever also fits somebody else is grey.
What an officer has decided of a pair stands above all of it, save the law: without authorisation there is no link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from verify.candidates import NameGrades, near_ids
from verify.crowds import leave_out_of_faces, tell_crowds
from verify.faces import load_lines, load_spoken, name_tables_of
from verify.identities import identify
from verify.link_scores import NAMES, NO_NAMES, shipped_weights
from verify.model import Arrived, Spoken, Table
from verify.rulebook import Rulebook
from verify.stages.match_decided import decide_rows, load_decided, tell_decided
from verify.stages.match_margins import load_fitting, write_margins
from verify.store import Store, quoted, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))

# Which of two findings about one row and one person is told: the firmer, by the sum of both ranks. What a link weighs is the model's.
_METHOD_RANKS = {
    "officer": 40,
    "exact_id": 30,
    "exact_id15": 26,
    "corrected_id": 20,
    "name_birth_sex": 14,
    "name_household": 12,
    "name_document": 10,
    "doubtful_id": 8,
    "near_doubtful": 5,
    "id_damaged_name": 2,
    "name_birth": 2,
    "name_family_id": 0,
    "family_id": -4,
    "identity_conflict": -6,
    "name_only": -10,
    "other_id": -20,
    "officer_not": -40,
}
_NAME_RANKS = {
    "name_equal": 8,
    "name_agrees": 6,
    "name_former": 5,
    "name_variant": 5,
    "name_pinyin": 4,
    "name_homophone": 4,
    "name_lookalike": 4,
    "name_slip": 4,
    "name_absent": 0,
    "name_masked": 0,
    "name_romanised": 0,
    "name_damaged": -2,
    "name_foreign": -8,
}


@dataclass(frozen=True, slots=True)
class Linked:
    """The tables of this stage."""

    links: Table
    persons: Table
    portraits: Table


def links(store: Store, arrived: Arrived, spoken: Sequence[Spoken], *, book: Rulebook, work: Path) -> Linked:
    """Write `links`, `persons` and `portraits` below `work`; needs `roster` and `applications` there, and what rows say of people.

    Links are written of extracts that may be used tonight, for members who have authorised it; for the others only from
    extracts that the rules let be read freely to say who counts.
    """
    with _tables_of_its_own(store):
        _load_spoken(store, spoken, book)
        for name in ("roster", "applications"):
            store.load(name, work / f"{name}.parquet")
        _judge(store, arrived, spoken, book)
        write_margins(store, work)
        tell_decided(store, arrived, work)
        tell_crowds(store, arrived.troubles)
        written = {}
        for name in ("links", "persons", "portraits"):
            path = work / f"{name}.parquet"
            written[name] = Table(path, store.save(_SQL[name], path))
    return Linked(**written)


@contextmanager
def _tables_of_its_own(store: Store) -> Iterator[None]:
    """Tables that are gone at the end, all at once: later stages share the store, and its memory."""
    store.run("CREATE SCHEMA matching")
    store.run("SET search_path = 'matching,main'")
    try:
        yield
    finally:
        store.run("SET search_path = 'main'")
        store.run("DROP SCHEMA matching CASCADE")


def _judge(store: Store, arrived: Arrived, spoken: Sequence[Spoken], book: Rulebook) -> None:
    """Who everybody is and what is theirs: the table `best`, and those that it is made from."""
    grades = NameGrades(store, name_tables_of(book))
    load_decided(store, arrived, book)
    identify(store, grades, decided=arrived.decided is not None)
    decide_rows(store, arrived)
    _load_linkable(store, arrived, book)
    _judge_faces(store, grades)
    _judge_documents(store, grades)
    _load_weights(store, arrived)
    _load_pseudonyms(store)
    load_fitting(store)
    load_lines(store, spoken, "all_", "SELECT fno FROM verdicts UNION SELECT fno FROM fitting_faces")
    for name in ("worked_out", "names_say"):
        store.table(name, _SQL[name])
    decided = _SQL["all_verdicts"] if arrived.decided else "FROM worked_out"
    for name, sql in (("all_verdicts", decided), ("allowed", _SQL["allowed"]), ("scored", _SQL["scored"])):
        store.run(f"CREATE VIEW {name} AS {sql}")  # each read once: as tables they were a gigabyte of a million people
    store.table("one", _SQL["one"])
    store.run("DROP TABLE worked_out")
    store.table("best", _SQL["best"])


def _load_spoken(store: Store, spoken: Sequence[Spoken], book: Rulebook) -> None:
    """Views, for the whole county's rows are read where they lie, a few columns at a time; those of the register and of the
    cases' own extracts (roster, applications) for themselves as well."""
    plays = {name: extract.plays for name, extract in book.extracts.items()}
    load_spoken(store, spoken, "all_")
    load_spoken(store, [one for one in spoken if plays[one.extract].register_], "register_")
    load_spoken(store, [one for one in spoken if plays[one.extract].roster or plays[one.extract].application], "own_")
    registers = [name for name, extract in sorted(book.extracts.items()) if extract.plays.register_]
    store.run("CREATE OR REPLACE TABLE register_extracts AS SELECT unnest(?::VARCHAR[]) AS extract", [registers])


def _load_linkable(store: Store, arrived: Arrived, book: Rulebook) -> None:
    """The extracts that links are written of, and which of them may be read before anybody has authorised it."""
    codes = dict(_linkable(arrived, book))
    store.run("CREATE OR REPLACE TABLE linkable AS SELECT unnest(?::VARCHAR[]) AS extract, unnest(?::BOOLEAN[]) AS freely", [[*codes], [*codes.values()]])


def _linkable(arrived: Arrived, book: Rulebook) -> Iterator[tuple[str, bool]]:
    for code, extract in sorted(book.extracts.items()):
        plays, known = extract.plays, arrived.known.get(code)
        if known is None or not known.usable or not known.parts or plays.roster or plays.application:
            continue
        says_who_counts = plays.register_ or plays.death or plays.absence
        yield code, bool(extract.read_freely and says_who_counts)


def _judge_faces(store: Store, grades: NameGrades) -> None:
    """Verdicts on what rows say of somebody, wherever they stand: the table `verdicts`."""
    for name in ("faces", "compared"):
        store.table(name, _SQL[name])
    leave_out_of_faces(store)
    for name in ("kin_ids", "bad_faces", "good_or_bad_faces"):
        store.table(name, _SQL[name])
    near_kin = near_ids(store, "near_kin", "bad_faces", "kin_ids")
    near_ids(store, "near_doubtful", "good_or_bad_faces", "doubtful_ids")
    store.table("hits", f"{_SQL['hits']} UNION {_SQL['hits_near_kin']}" if near_kin else _SQL["hits"])
    grades.want(_SQL["names_of_hits"])
    store.table("graded_hits", _SQL["graded_hits"])
    grades.want(_SQL["names_of_conflicts"])
    store.table("to_tell_apart", _SQL["to_tell_apart"])
    store.table("valid_crowd", "SELECT id_key, id_state FROM crowd WHERE id_state = 'valid18'")
    if near_ids(store, "near_crowd", "to_tell_apart", "valid_crowd"):
        grades.want(_SQL["names_of_near_crowd"])
    if store.table("rivals_wanted", _SQL["rivals_wanted"]):
        grades.want(_SQL["names_of_rivals"])
    store.table("rivals", _SQL["rivals"])
    for name in ("by_id", "by_rivals", "by_family"):
        store.table(name, _SQL[f"verdicts_{name}"])
    store.table("grey", _SQL["verdicts_grey"])
    store.table("namesakes", _SQL["verdicts_of_namesakes"])
    store.table("verdicts", _SQL["verdicts"])


def _judge_documents(store: Store, grades: NameGrades) -> None:
    """Verdicts on rows whose joint document ties them to a household: the table `document_verdicts`."""
    store.table("documents", _SQL["said_by_faces"])
    grades.want(_SQL["names_of_anchors"])
    store.table("document_anchors", _SQL["document_anchors"])
    if store.table("document_pairs", _SQL["document_pairs"]):
        grades.want(_SQL["names_of_documents"])
        store.table("document_verdicts", _SQL["document_verdicts"])
    else:
        store.run(_SQL["no_document_verdicts"])


def _load_weights(store: Store, arrived: Arrived) -> None:
    """What findings weigh tonight, and how firm they are."""
    store.load("link_weights", arrived.weights or shipped_weights())
    names = arrived.weights.with_name(NAMES) if arrived.weights else None
    store.load("name_weights", names if names and names.exists() else NO_NAMES)
    for name, key, ranks in (("method_ranks", "method", _METHOD_RANKS), ("name_ranks", "name_reason", _NAME_RANKS)):
        lines = ", ".join(f"({quoted(word)}, {value})" for word, value in ranks.items())
        store.table(name, f"SELECT * FROM (VALUES {lines}) t({key}, rank)")


def _load_pseudonyms(store: Store) -> None:
    """The table `pseudonyms`: a person's name in every output, equal for one person in two cases.

    SHA-256 of the best valid ID, else of the first case and number; a pseudonym only, to be keyed by an HMAC once keys
    exist.
    """
    people = store.frame(_SQL["known_as"])
    hashed = ["P" + hashlib.sha256(known.encode()).hexdigest()[:12] for known in people["known_as"]]
    store.load("pseudonyms", people.select("pno", person_id=pl.Series(hashed, dtype=pl.String)))
