"""The same person bears one key from night to night, whatever became of their name, their ID, or their place on the roster.

A key says nothing of its bearer: it hashes the night on which it was first given and the place on the roster. It is kept where
the content says that it is the same person (an own ID, or the case with the name), by the rules in `people_keys.sql`; whoever is
only perhaps the same gets a new one, and the old is told. Where two people turn out to be one, the key of the larger part stays;
where one turns out to be two, the key stays with the part that has the ID. A key is never given to anybody else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from verify.candidates import NameGrades
from verify.faces import name_tables_of
from verify.rule_extracts import Retention
from verify.rulebook import Rulebook
from verify.store import Store, read_frame, statements, write_frame

_SQL = statements(Path(__file__).with_suffix(".sql"))
KEYED, KNOWN, PORTRAITS = "people_keys.parquet", "people_known.parquet", "portraits.parquet"  # below a night's tables
PERHAPS = 9  # of a tie: nobody can say
SCHEMA = {  # of what is known of keys; tonight's people have the same from case_id on, and person_id
    "person_key": pl.String,
    **dict.fromkeys(("since", "seen"), pl.Date),
    "here": pl.Boolean,
    "case_id": pl.String,
    "member_no": pl.Int32,
    **dict.fromkeys(("name_key", "id18", "id15"), pl.String),
    "birth": pl.Date,
    "sex": pl.String,
}


@dataclass(slots=True)
class Given:
    """A person's key: since when, what became of it tonight (kept, returned, new), the keys of last night that are theirs too,
    the key they were split from, and the keys of people who are perhaps the same."""

    person_key: str
    since: date
    how: str
    merged: list[str] = field(default_factory=list)
    split_from: str | None = None
    perhaps: list[str] = field(default_factory=list)


def write_people_keys(store: Store, book: Rulebook, *, tables: Path, before: Path | None, troubles: Path) -> None:
    """Write the keys of tonight's people (`people_keys`, a line for each place on the roster) and what is known of every key.

    Needs `portraits` below `tables` and the variable as_of; `before` holds the tables of the night before, None for the first.
    What is known of somebody who is not here is kept for as long as the rules keep the roster, so that who comes back is known.
    """
    known = before / KNOWN if before else None
    store.load("portraits", tables / PORTRAITS)
    store.load("known_keys", known if known and known.exists() else pl.DataFrame(schema=SCHEMA))
    store.run(f"SET VARIABLE kept_days = {_days(book)}")
    for name in ("named_alone", "born_alone", "ties"):
        store.table(name, _SQL[name])
    NameGrades(store, name_tables_of(book)).want(_SQL["names_of_ties"])
    places = store.frame("SELECT DISTINCT person_id, case_id, member_no FROM portraits ORDER BY ALL")
    given = given_keys(store.frame(_SQL["weighed"]), places, store.one("SELECT getvariable('as_of')::DATE"))
    store.load("given_keys", given)
    store.save(_SQL["keyed"], tables / KEYED)
    store.save(_SQL["known"], tables / KNOWN)
    for name in ("portraits", "known_keys", "named_alone", "born_alone", "ties", "name_grades", "given_keys"):
        store.run(f"DROP TABLE {name}")
    _tell(given, troubles)


def _days(book: Rulebook) -> int:
    """For how many days the rules keep what lists the people of cases; 0 where they do not say."""
    days = {entry.retention: entry.days for entry in book.all(Retention)}
    return max((days.get(extract.retention or "", 0) for extract in book.extracts.values() if extract.plays.roster), default=0)


def given_keys(weighed: pl.DataFrame, places: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Whom each key is given to, one line a person: person_id and the fields of `Given`.

    `weighed` has person_key, person_id, since, here, sure, best first: of each the first takes what is free. `places` has
    person_id, case_id, member_no, in order.
    """
    given, bearer = _taken(weighed)
    first = places.unique("person_id", keep="first", maintain_order=True)
    for person, case, number in first.iter_rows():
        if person not in given:
            given[person] = Given(_new_key(as_of, case, number), as_of, "new")
    joined: set[str] = set()
    for key, person, here, sure in weighed.select("person_key", "person_id", "here", "sure").iter_rows():
        one, theirs = given[person], bearer.get(key)
        if theirs == person:
            continue
        if sure == PERHAPS:
            one.perhaps += [key] if one.how == "new" and theirs is None else []
        elif theirs is None:
            one.merged += [key] if here and key not in joined else []
            joined.add(key)
        elif one.how == "new" and one.split_from is None:
            one.split_from = key
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"person_id": pl.String, "person_key": pl.String, "since": pl.Date, "how": pl.String}
    schema |= {"merged": pl.List(pl.String), "split_from": pl.String, "perhaps": pl.List(pl.String)}
    return pl.DataFrame([(who, *_plain(one)) for who, one in sorted(given.items())], schema=schema, orient="row")


def _taken(weighed: pl.DataFrame) -> tuple[dict[str, Given], dict[str, str]]:
    """By person the key that is sure and free, and by key its bearer."""
    given: dict[str, Given] = {}
    bearer: dict[str, str] = {}
    for key, person, since, here in weighed.filter(pl.col("sure") != PERHAPS).select("person_key", "person_id", "since", "here").iter_rows():
        if key not in bearer and person not in given:
            bearer[key] = person
            given[person] = Given(key, since, "kept" if here else "returned")
    return given, bearer


def _plain(one: Given) -> tuple[object, ...]:
    return one.person_key, one.since, one.how, sorted(set(one.merged)), one.split_from, sorted(set(one.perhaps))


def _new_key(as_of: date, case: str, number: int) -> str:
    """A key that nobody had: no two nights of one line have one date, no two people one place."""
    return "K" + hashlib.sha256(f"{as_of.isoformat()}\x1f{case}\x1f{number}".encode()).hexdigest()[:20]


def _tell(given: pl.DataFrame, troubles: Path) -> None:
    """Add to the night's troubles how many keys were joined, parted or left in doubt, if any were."""
    counts = {
        "merged": given.filter(pl.col("merged").list.len() > 0).height,
        "split": given["split_from"].count(),
        "perhaps": given.filter(pl.col("perhaps").list.len() > 0).height,
    }
    if any(counts.values()):
        known = read_frame(troubles)
        told = (None, None, "N-PEOPLE-KEYS", json.dumps({name: str(count) for name, count in counts.items()}))
        write_frame(pl.concat([known, pl.DataFrame([told], schema=known.schema, orient="row")]).sort(pl.all(), nulls_last=True), troubles)
