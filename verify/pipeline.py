"""The night, top to bottom. Read this file first: one line, one stage.

read → standardise → match → group → assess → watch → report → publish. Nothing an officer can see changes until the
last line of `run_night`, and it is reached only when every gate above it found nothing.
"""

from __future__ import annotations

import json
import platform
import resource
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from verify import __version__
from verify.activations import Activation, must_be_activated
from verify.archive import Archive
from verify.decisions import Decisions, read_decisions
from verify.expected import EXPECTED, expected_of, in_all, write_expected
from verify.keys import must_open, remove_sealed
from verify.link_scores import NAMES, WEIGHTS, link_weights, name_weights
from verify.linkage.model import Model
from verify.manifest import RESULTS, TABLES, Manifest, Origin, Published, previous_night
from verify.manifest_list import digests, newest_date, open_drop, read_list
from verify.match_model import model_in_force
from verify.pair_decisions import PairDecisions, digest_of_pairs, read_pair_decisions
from verify.pair_marks import MARKS_FILE, write_marks
from verify.passing import sweep
from verify.people_keys import write_people_keys
from verify.plan import make_plan
from verify.problems import Problem, UsageError
from verify.rule_checks import check_rules
from verify.rule_reviews import overdue
from verify.rulebook import Rulebook
from verify.settings import Home, read_settings
from verify.stages import publish, read, report
from verify.store import open_store, read_frame, write_frame
from verify.workbook_guide import Guide
from verify.working import Tell, work_out

WORKBOOK, PAGE = "review.xlsx", "summary.html"
FIRST_YEAR, LAST_YEAR = 1950, 2200  # an as-of date beyond them is a slip of the hand


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: the drop, the rules, the as-of date (None: the newest of the drop's list), and where else the
    plain results go (None: nowhere)."""

    drop: Path
    rules: Path
    as_of: date | None = None
    results: Path | None = None


@dataclass(frozen=True, slots=True)
class Tonight:
    """The night that is being made: what it is made from, and the unpublished folder it is made in."""

    home: Home
    drop: Path
    book: Rulebook
    origin: Origin
    decisions: Decisions
    pairs: PairDecisions
    work: Path
    model: Model

    @property
    def tables(self) -> Path:
        """Where the stages write their tables."""
        return self.work / TABLES

    @property
    def before(self) -> Path | None:
        """Where the tables of the night before lie; None on the first."""
        found = previous_night(self.home, self.origin.as_of)
        return found.folder / TABLES if found else None

    def shelf(self) -> read.Shelf:
        """Where reading finds the archive and what the night before knew."""
        self.tables.mkdir(mode=0o700)
        return read.Shelf(self.home.archive, self.tables, self.before / "batches.parquet" if self.before else None, self.decisions)

    def weights(self) -> Path:
        """Where it stands what links weigh by the model in force."""
        write_frame(link_weights(self.model), self.tables / WEIGHTS)
        if self.model.names:
            write_frame(name_weights(self.model), self.tables / NAMES)
        return self.tables / WEIGHTS

    def marks(self) -> Path | None:
        """Where it stands by what the officers' decisions about pairs are known; None while there are none."""
        if not (standing := self.pairs.standing(self.origin.as_of)):
            return None
        write_marks(standing, Archive(self.home.archive), self.book, self.tables / MARKS_FILE)
        return self.tables / MARKS_FILE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a night came to. `published` is False where the same night was there already and nothing was done."""

    night_id: str
    as_of: date
    published: bool
    incomplete: bool
    folder: Path
    counts: dict[str, int]
    categories: dict[str, int]
    late: list[str]
    troubles: list[Problem]

    @property
    def workbook(self) -> Path:
        """The officers' review workbook."""
        return self.folder / WORKBOOK

    @property
    def page(self) -> Path:
        """The night on one page, without personal data."""
        return self.folder / PAGE


def run_night(home: Home, order: Order, tell: Tell) -> Outcome:
    """Run one night and publish it whole, or change nothing; `tell` hears the name of each stage as it begins.

    Raises UsageError (rules, settings, E-RULES-NOT-ACTIVE), InputError (nothing can be loaded), LockedError, IntegrityError (a gate, the site key).
    """
    started = datetime.now(UTC)
    must_open(home)
    tell("rules")
    book = check_rules(order.rules)
    activation = must_be_activated(home, book)
    with publish.one_at_a_time(home):
        sweep(home)
        decisions, pairs, model = read_decisions(home), read_pair_decisions(home), model_in_force(home, book).model
        origin = replace(_origin(home, order, book, decisions, pairs), model=model.digest)
        night = publish.already_published(home, origin.night)
        fresh = night is None
        if night is None:
            tonight = Tonight(home, order.drop, book, origin, decisions, pairs, publish.begin(home, origin.night), model)
            with publish.left_clean(tonight.work):
                manifest = _stages(tonight, tell)
            tell("publish")
            night = publish.publish(home, tonight.work, manifest=manifest, run={**_run_facts(started, activation), **_expected(tonight.tables)})
        if order.results is not None:
            publish.hand_out(night, order.results)
    return _outcome(night, book, fresh=fresh)


def _stages(tonight: Tonight, tell: Tell) -> Manifest:
    """Every stage in order, each behind the gate of the one before; what the night left, but not yet visible."""
    book, origin, tables = tonight.book, tonight.origin, tonight.tables
    plan, settings = make_plan(book, origin.as_of), read_settings(tonight.home)
    tell("read")
    arrived = read.read(tonight.drop, book, shelf=tonight.shelf(), as_of=origin.as_of)
    arrived = replace(arrived, decided=tonight.marks(), weights=tonight.weights())
    with open_store(tonight.work, settings.threads, settings.memory) as store:
        made = work_out(store, arrived, plan, tonight.work, tell)
        write_expected(store, book, tables / "links.parquet", tables / EXPECTED)
        write_people_keys(store, book, tables=tables, before=tonight.before, troubles=arrived.troubles)
        late = tuple(sorted(name for name, known in arrived.known.items() if known.late))
        guide = Guide(origin.night, origin.as_of, arrived.incomplete, late)
        report.workbook(tonight.work / WORKBOOK, book, guide, results=tonight.work / RESULTS, tables=tables)
        report.page(tonight.work / PAGE, book, guide, results=tonight.work / RESULTS, arrived=arrived)
    for passing in sorted(tables.glob("rows_*.parquet")):
        remove_sealed(passing)  # the whole county's rows lie in the archive once; a night keeps what it made of them
    counts = made.counts | {"received": arrived.received, **{f"category.{name}": n for name, n in made.categories.items()}}
    return Manifest(night=origin.night, origin=origin, incomplete=arrived.incomplete, late=late, counts=counts)


def _origin(home: Home, order: Order, book: Rulebook, decisions: Decisions, pairs: PairDecisions) -> Origin:
    """What the night's content follows from: every file of the drop, the rules, what was decided, the night before, this program."""
    opened = open_drop(order.drop)
    listed = read_list(opened)
    day = order.as_of or newest_date(listed)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(Problem("E-AS-OF", day.isoformat(), {"first": str(FIRST_YEAR), "last": str(LAST_YEAR)}))
    before = previous_night(home, day)
    decided = "+".join(one for one in (decisions.digest, digest_of_pairs(pairs.standing(day))) if one)
    told = {"rules": book.digest, "wording": book.wording, "decisions": decided, "program": __version__}
    return Origin(as_of=day, inputs=digests(opened, listed), previous=before.manifest.night if before else "", **told)


def _run_facts(started: datetime, activation: Activation | None) -> Mapping[str, Any]:
    """When, where, how long, and who let the rules in (None: nobody): in `run.json`, in no digest."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu_ms": int((used.ru_utime + used.ru_stime) * 1000),
        "peak_kb": used.ru_maxrss,
        "process_ms": time.process_time_ns() // 1_000_000,
        "host": platform.node(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "activated": asdict(activation) if activation else None,
    }


def _expected(tables: Path) -> Mapping[str, Any]:
    """How many accepted links are expected to be wrong, in thousandths; None where no register is known (see `expected`)."""
    found = expected_of(tables)
    return {} if found is None else {"expected_false": in_all(found)}


def _outcome(night: Published, book: Rulebook, *, fresh: bool) -> Outcome:
    """What is told of a published night, whether it was made now or lay there already."""
    manifest = night.manifest
    categories = {name.removeprefix("category."): n for name, n in manifest.counts.items() if name.startswith("category.")}
    counts = {name: n for name, n in manifest.counts.items() if not name.startswith("category.")}
    troubles = read_frame(night.folder / TABLES / "troubles.parquet").sort("code", "extract", "file")
    lines = troubles.select("extract", "file", "code", "detail").rows()
    told = [Problem(code, file or extract or "", json.loads(detail)) for extract, file, code, detail in lines]
    told += overdue(book, manifest.origin.as_of)
    return Outcome(manifest.night, manifest.origin.as_of, fresh, manifest.incomplete, night.folder, counts, categories, list(manifest.late), told)
