"""Refusals that hang on one row, and doubts that hang on one link: what the night would say if that row were not theirs, or surely were.

The stages behind the match run over copies of the cases, in each of which one row is otherwise. Grey links are tried in
every combination up to twelve of them; beyond that each is tried alone, the others staying doubtful, and that is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from verify.manifest import RESULTS, TABLES, Published
from verify.passing import passing_folder
from verify.plan import make_plan
from verify.problems import Problem, UsageError
from verify.rulebook import Rulebook
from verify.settings import Home, read_settings
from verify.stages import assess, group, standardise
from verify.store import Store, open_store, quoted, statements
from verify.terms import facts_behind
from verify.whole_night import arrived_whole

_SQL = statements(Path(__file__).with_suffix(".sql"))
MOST_LINKS = 12  # 4,096 combinations
GONE, THEIRS = "gone", "accepted"
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Hangs:
    """A refused case, the one row without which it would not be, what it would be then, and how the row was linked."""

    case: str
    place: Place
    member: int
    would_be: str
    method: str
    score: int | None


@dataclass(frozen=True, slots=True)
class Doubts:
    """A case's grey links and what it would be: `whole` says whether every combination was tried, `outcomes` how many of the
    combinations lead to which category; `by_link` gives each link's categories if it is theirs, and if it is not."""

    case: str
    links: tuple[tuple[Place, int], ...]
    whole: bool
    outcomes: Mapping[str, int]
    by_link: tuple[tuple[frozenset[str], frozenset[str]], ...]

    @property
    def deciding(self) -> tuple[int, ...]:
        """Which links the outcome turns on."""
        return tuple(at for at, (theirs, other) in enumerate(self.by_link) if theirs != other)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of a case: its number, and what is otherwise in it by row."""

    name: str
    case: str
    rows: Mapping[Place, str]


def hanging(home: Home, night: Published, *, book: Rulebook, case: str | None = None) -> list[Hangs]:
    """Every refusal of the night (or of one case) that hangs on one row, by case and row.

    Raises UsageError (E-AGAIN-RULES).
    """
    with passing_folder(home) as work, _stages(home, night, book, work) as (store, run):
        candidates = _candidates(store, night, book, case)
        copies = [_Copy(f"{one}\x1e{at}", one, {place: GONE}) for at, (one, place, *_) in enumerate(candidates)]
        found = run(copies)
        told = zip(candidates, copies, strict=True)
        return [
            Hangs(one, place, member, found[copy.name], method, score)
            for (one, place, member, method, score), copy in told
            if found.get(copy.name, book.decision.otherwise.then) != book.decision.otherwise.then
        ]


def doubts(home: Home, night: Published, case: str, *, book: Rulebook) -> Doubts:
    """What a case would be, whichever of its grey links are theirs. Raises UsageError (E-AGAIN-RULES)."""
    with passing_folder(home) as work, _stages(home, night, book, work) as (store, run):
        links = _grey(store, book, case)
        places, count = [place for place, _ in links], len(links)
        whole = count <= MOST_LINKS
        if whole:
            chosen = [dict(zip(places, said, strict=True)) for said in product((THEIRS, GONE), repeat=count)]
        else:
            chosen = [{place: said} for place in places for said in (THEIRS, GONE)]
        copies = [_Copy(f"{case}\x1e{at}", case, rows) for at, rows in enumerate(chosen)]
        found = run(copies)
    by_link = tuple(tuple(frozenset(found[one.name] for one in copies if one.rows.get(place) == said) for said in (THEIRS, GONE)) for place in places)
    outcomes = Counter(found[one.name] for one in copies)
    return Doubts(case, tuple(links), whole, outcomes, by_link)  # type: ignore[arg-type]


# --- the stages over copies -------------------------------------------------------------------------------------------


@contextmanager
def _stages(home: Home, night: Published, book: Rulebook, work: Path) -> Iterator[tuple[Store, Callable[[list[_Copy]], dict[str, str]]]]:
    """A store in which the night's people are grouped anew, and what gives the category of every copy of a case."""
    origin = night.manifest.origin
    if book.digest != origin.rules:
        raise UsageError(Problem("E-AGAIN-RULES", night.manifest.night, {"then": origin.rules[:12], "now": book.digest[:12]}))
    (work / TABLES).mkdir(mode=0o700)
    settings, plan = read_settings(home), make_plan(book, origin.as_of)
    with open_store(work, settings.threads, settings.memory) as store:
        arrived = arrived_whole(home, night, book, work / TABLES)
        standard = standardise.people(store, arrived, book=book, work=work / TABLES)
        published = night.folder / TABLES
        matched = group.Matched(standard.spoken, published / "persons.parquet", published / "links.parquet")
        group.cases(store, arrived, matched, book=book, work=work / TABLES)

        def run(copies: list[_Copy]) -> dict[str, str]:
            if not copies:
                return {}
            _copy(store, copies)
            decided = assess.cases(store, arrived, plan, work / TABLES).decisions.path
            return dict(store.rows(f"SELECT case_id, category FROM {store.source(decided)} ORDER BY case_id"))

        yield store, run


def _copy(store: Store, copies: list[_Copy]) -> None:
    """Put the copies in the place of all cases."""
    store.table("copies", f"FROM ({_values([(one.case, one.name) for one in copies])}) t(case_id, copy)")
    said = [(one.name, *place, status) for one in copies for place, status in one.rows.items()] or [("", "", "", 0, "")]
    store.table("otherwise", f"FROM ({_values(said)}) t(copy, extract, file, row, status)")
    for name in ("links", "absent", "members", "cases", "leads"):
        store.run(_SQL[name])
    for name in ("links", "absent", "members", "cases", "leads"):
        store.run(f"DELETE FROM {name} WHERE case_id NOT IN (SELECT copy FROM copies)")


def _values(lines: Sequence[tuple[str | int, ...]]) -> str:
    return "VALUES " + ", ".join(f"({', '.join(quoted(cell) if isinstance(cell, str) else str(cell) for cell in line)})" for line in lines)


# --- what to try ------------------------------------------------------------------------------------------------------

# A refusal can hang on a row only if, for some category, every test that fails rests on what the row says.
_CANDIDATES = """
WITH fails AS (
    SELECT DISTINCT t.case_id, t.category, a.rule FROM tests_before t JOIN asked a USING (category, test)
    JOIN refused_cases r USING (case_id) WHERE t.verdict = 'fails'
), all_fails AS (SELECT case_id, category, count(*) AS n FROM fails GROUP BY ALL), reached AS (
    SELECT e.case_id, e.extract, e.file, e.row, f.category, count(DISTINCT f.rule) AS n
    FROM evidence_before e JOIN fails f USING (case_id) JOIN behind b ON b.rule = f.rule AND b.fact = e.fact AND b.extract = e.extract
    WHERE e.person_id IS NOT NULL GROUP BY ALL
), chosen AS (SELECT DISTINCT case_id, extract, file, row FROM reached JOIN all_fails USING (case_id, category, n))
SELECT c.case_id, c.extract, c.file, c.row, min(l.member_no), min_by(l.method, l.member_no), min_by(l.score, l.member_no)
FROM chosen c JOIN links l ON l.case_id = c.case_id AND l.extract = c.extract AND l.file = c.file AND l.row = c.row AND l.status <> 'rejected'
GROUP BY c.case_id, c.extract, c.file, c.row ORDER BY ALL
"""


def _candidates(store: Store, night: Published, book: Rulebook, case: str | None) -> list[tuple[str, Place, int, str, int | None]]:
    """The rows without which a refused case might not be refused, with one of the links they have."""
    for name in ("tests", "evidence", "cases"):
        store.load(f"{name}_before", night.folder / RESULTS / f"{name}.parquet", whole=False)
    only = f" AND case_id = {quoted(case)}" if case else ""
    store.table("refused_cases", f"SELECT case_id FROM cases_before WHERE category = {quoted(book.decision.otherwise.then)}{only}")
    asked = [(*test.split(".", 1), rule) for test, rule in sorted(book.rules_of_tests.items())]
    store.table("asked", f"FROM ({_values(asked)}) t(category, test, rule)")
    behind = [(rule, fact, extract) for rule in sorted({rule for *_, rule in asked}) for fact, extract in facts_behind(book, rule)]
    store.table("behind", f"FROM ({_values(behind)}) t(rule, fact, extract)")
    return [(one, (extract, file, row), member, method, score) for one, extract, file, row, member, method, score in store.rows(_CANDIDATES)]


def _grey(store: Store, book: Rulebook, case: str) -> list[tuple[Place, int]]:
    """A case's grey links to rows that may enter a figure or say who counts; the register's are left doubtful."""
    registers = [name for name, extract in book.extracts.items() if extract.plays.register_] or [""]
    listed = ", ".join(map(quoted, sorted(registers)))
    sql = f"""SELECT extract, file, row, min(member_no) FROM links JOIN members USING (case_id, member_no)
              WHERE case_id = ? AND status = 'review' AND extract NOT IN ({listed}) GROUP BY ALL ORDER BY ALL"""
    return [((extract, file, row), member) for extract, file, row, member in store.rows(sql, [case])]
