"""Group people into cases: who counts, how many may count, and who is there that the family did not declare.

Turns persons, links and the role rows (death, absence, register, marriage, running aid) into three tables: `cases`,
`members` and `findings`. A doubt about one member's death or absence makes that member `possible`; a late extract that
decides who counts makes everybody possible; a lost roster row opens the case upwards (reference rules, *Who counts*).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from verify.faces import load_spoken
from verify.formulas import plain_condition
from verify.model import Arrived, Known, Spoken, Table
from verify.parameters import bounds
from verify.parts import known_rows_in
from verify.rule_extracts import Absence, Application, Extract, Roles
from verify.rulebook import Rulebook
from verify.store import Store, quoted, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, slots=True)
class Matched:
    """The tables of the match that later stages read."""

    spoken: tuple[Spoken, ...]
    persons: Path
    links: Path


@dataclass(frozen=True, slots=True)
class Grouped:
    """The three tables of this stage."""

    cases: Table
    members: Table
    findings: Table


def cases(store: Store, arrived: Arrived, matched: Matched, *, book: Rulebook, work: Path) -> Grouped:
    """Write `cases`, `members` and `findings` below `work`. Promises: every case of the night has exactly one row."""
    for name in ("persons", "links"):  # the gate named them as views
        store.run(f"DROP VIEW IF EXISTS {name}")
    store.load("persons", matched.persons)
    store.load("links", matched.links)
    store.run("SET VARIABLE as_of = ?::DATE", [arrived.as_of])
    load_spoken(store, [one for one in matched.spoken if _tells_who_counts(book.extracts[one.extract].plays)])
    store.run("SET VARIABLE roster = ?", [next(name for name, extract in sorted(book.extracts.items()) if extract.plays.roster)])
    store.run("SET VARIABLE few_bearers = ?", [book.matching.few_bearers])
    registers = [name for name, extract in sorted(book.extracts.items()) if extract.plays.register_]
    store.run("CREATE OR REPLACE TABLE registers AS SELECT unnest(?::VARCHAR[]) AS extract", [registers])
    _load_late(store, arrived, book)
    roles = _load_roles(store, arrived, book)
    _load_refused_members(store, arrived, book)
    store.table("cases", _SQL["cases"])
    _load_minor_ages(store, book, arrived.as_of)
    absent = store.table("absent", _SQL["absent"])
    store.table("members", _SQL["members"])
    store.table("leads", _SQL["leads"])
    store.table("cases", _WITH_COUNTS)
    _find(store, roles | {"absent": absent})
    written = {}
    for name, sql in {"cases": "FROM cases ORDER BY case_id", "members": _MEMBERS_OUT, "findings": "FROM findings ORDER BY ALL"}.items():
        path = work / f"{name}.parquet"
        written[name] = Table(path, store.save(sql, path))
    return Grouped(**written)


def _tells_who_counts(plays: Roles) -> bool:
    return any((plays.register_, plays.death, plays.absence, plays.marriage))


_WITH_COUNTS = """
SELECT c.case_id, c.own_id, c.region, c.area, c.file, c.row, c.open_upwards,
       count(*) FILTER (WHERE m.presence = 'certain')::BIGINT AS members_low,
       CASE WHEN NOT c.open_upwards THEN count(*) FILTER (WHERE m.presence <> 'out')::BIGINT END AS members_high
FROM cases c LEFT JOIN members m USING (case_id)
GROUP BY c.case_id, c.own_id, c.region, c.area, c.file, c.row, c.open_upwards
ORDER BY c.case_id
"""

_MEMBERS_OUT = """
SELECT case_id, member_no, person_id, authorised, id_known, presence, birth, age FROM members ORDER BY case_id, member_no
"""


def _load_late(store: Store, arrived: Arrived, book: Rulebook) -> None:
    """The extracts that are late tonight, and whether their lateness leaves open who counts."""
    store.run("CREATE OR REPLACE TABLE late (extract VARCHAR, decides_members BOOLEAN)")
    for name, known in sorted(arrived.known.items()):
        roles = book.extracts[name].plays
        if known.late:
            decides = (roles.death is not None or roles.absence is not None) and not known.usable
            store.run("INSERT INTO late VALUES (?, ?)", [name, decides])


def _playing(store: Store, book: Rulebook, known: Mapping[str, Known], role: str) -> Iterator[tuple[Extract, str]]:
    """The extracts that play a role and have usable rows tonight, and how SQL names these rows."""
    for name, extract in sorted(book.extracts.items()):
        if getattr(extract.plays, role) is not None and known[name].usable and known[name].parts:
            yield extract, known_rows_in(store, known[name].parts)


def _load_roles(store: Store, arrived: Arrived, book: Rulebook) -> dict[str, int]:
    """One table a role, with the columns that the role names, from every extract that plays it; how many rows each has."""
    known, as_of = arrived.known, arrived.as_of
    parts: dict[str, list[str]] = {name: [] for name in _ROLE_SHAPES}
    for extract, rows in _playing(store, book, known, "application"):
        application = extract.plays.application
        assert application is not None
        parts["applications"].append(_application_rows(application, rows))
    for kind, role in (("death", "death"), ("absence", "absence")):
        for extract, rows in _playing(store, book, known, role):
            parts["absences"].append(_absence_rows(extract, rows, kind=kind, role=getattr(extract.plays, role), as_of=as_of))
    for extract, rows in _playing(store, book, known, "marriage"):
        marriage = extract.plays.marriage
        assert marriage is not None
        condition = plain_condition(marriage.married_when, as_of)
        parts["marriages"].append(f'SELECT {quoted(extract.extract)}, _file, _row, "{marriage.date}", {condition} FROM {rows}')
    for extract, rows in _playing(store, book, known, "running_aid"):
        aid = extract.plays.running_aid
        assert aid is not None
        since = f'"{aid.since}"' if aid.since else "NULL::DATE"
        parts["aids"].append(f'SELECT {quoted(extract.extract)}, _file, _row, {plain_condition(aid.when, as_of)}, "{aid.kind}", {since} FROM {rows}')
    for extract, rows in _playing(store, book, known, "register_"):
        parts["register_rows"].append(_register_rows(extract, rows))
    for name, shape in _ROLE_SHAPES.items():
        store.run(f"CREATE OR REPLACE TABLE {name} ({shape})")
    return {name: sum(store.one(f"INSERT INTO {name} {part}") for part in found) for name, found in parts.items()}


def _find(store: Store, rows: Mapping[str, int]) -> None:
    """The table `findings`. What has no row to rest on is not looked for: of one case that is most of it, and half of this stage."""
    steps = ["other_findings"]
    store.table("deaths_of_anybody", _SQL["deaths_of_anybody"])
    if rows["marriages"] and store.table("marriage_rows", _SQL["marriage_rows"]):
        store.table("last_marriages", _SQL["last_marriages"])
        steps.append("undeclared_spouse")
    if rows["register_rows"] and store.one("SELECT count(*) FROM register_rows WHERE is_child"):
        steps.append("undeclared_minor_child")
    steps += [step for step, table in (("absence_findings", "absent"), ("aid_findings", "aids")) if rows[table]]
    for step in steps:
        store.table(step, _SQL[step])
    together = " UNION ALL ".join(f"FROM {step}" for step in steps)
    store.table("findings", f"FROM ({together}) ORDER BY case_id, member_no, finding, extract, file, row")


_ROLE_SHAPES = {
    "applications": "case_id VARCHAR, region VARCHAR, area VARCHAR, file VARCHAR, row INTEGER",
    "absences": "kind VARCHAR, extract VARCHAR, file VARCHAR, row INTEGER, since DATE, applies BOOLEAN",
    "marriages": "extract VARCHAR, file VARCHAR, row INTEGER, day DATE, married BOOLEAN",
    "aids": "extract VARCHAR, file VARCHAR, row INTEGER, running BOOLEAN, kind VARCHAR, since DATE",
    "register_rows": (
        "extract VARCHAR, file VARCHAR, row INTEGER, household VARCHAR, is_parent BOOLEAN, is_child BOOLEAN, birth DATE, id_key VARCHAR, name_key VARCHAR"
    ),
}


def _application_rows(role: Application, rows: str) -> str:
    """One row a case. Where two rows of a case differ, what they differ in is not known."""
    agreed = ", ".join(f'CASE WHEN count(DISTINCT "{name}") = 1 AND bool_and("{name}" IS NOT NULL) THEN min("{name}") END' for name in (role.region, role.area))
    return f'SELECT "{role.case}", {agreed}, min(_file), min(_row) FROM {rows} GROUP BY "{role.case}"'


def _absence_rows(extract: Extract, rows: str, *, kind: str, role: Absence, as_of: date) -> str:
    since = f'"{role.since}"' if role.since else "NULL::DATE"
    return f"SELECT {quoted(kind)}, {quoted(extract.extract)}, _file, _row, {since}, {plain_condition(role.when, as_of)} FROM {rows}"


def _register_rows(extract: Extract, rows: str) -> str:
    """Who is head or spouse and who is a child in each household of the register."""
    register = extract.plays.register_
    assert register is not None
    parents = ", ".join(quoted(word) for word in (*register.head, *register.spouse))
    children = ", ".join(quoted(word) for word in register.child)
    return f"""
        SELECT {quoted(extract.extract)}, r._file, r._row, r."{register.household}",
               coalesce(r."{register.relation}" IN ({parents}), FALSE), coalesce(r."{register.relation}" IN ({children}), FALSE),
               coalesce(m.birth, m.id_birth), m.id_key, m.name_key
        FROM {rows} r
        JOIN mentions m ON m.extract = {quoted(extract.extract)} AND m.file = r._file AND m.row = r._row
    """


def _load_refused_members(store: Store, arrived: Arrived, book: Rulebook) -> None:
    """Cases that lost a roster row, or that have one whose standing cannot be read; a row without a number: every case with a gap."""
    path = arrived.refused.with_name("roster_refused.parquet")
    store.load("roster_refused", path)
    store.table("refused_members", "SELECT DISTINCT case_id FROM roster_refused WHERE case_id IS NOT NULL")
    for extract, rows in _playing(store, book, arrived.known, "roster"):
        roster = extract.plays.roster
        assert roster is not None
        unread = f"({plain_condition(roster.member_when, arrived.as_of)}) IS NULL"  # a standing nobody can read may be a member's
        store.run(f'INSERT INTO refused_members SELECT "{roster.case}" FROM {rows} WHERE {unread}')
    if store.one("SELECT count(*) FROM roster_refused WHERE case_id IS NULL"):
        store.run(f"INSERT INTO refused_members {_SQL['gaps']}")


def _load_minor_ages(store: Store, book: Rulebook, as_of: date) -> None:
    """Below which age a child is a minor, for each division of tonight's cases."""
    home = book.membership.home_region
    parameter = book.parameters[book.membership.minor_below]
    store.run("CREATE OR REPLACE TABLE minor_ages (region VARCHAR, below BIGINT, home VARCHAR)")
    regions = {region or home for (region,) in store.rows("SELECT DISTINCT region FROM cases")}
    for region in sorted(regions):
        found = bounds(parameter, region, None, as_of)
        if found is not None:
            store.run("INSERT INTO minor_ages VALUES (?, ?, ?)", [region, found[0], home])
