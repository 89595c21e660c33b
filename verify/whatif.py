"""What if: the night's own stages on one case, with some of its rows supposed otherwise, held against what was published.

Nothing is kept: the rows are changed in a passing folder that is gone afterwards. The ledger alone holds that it was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.explain_case import paid_json, paid_line
from verify.known_then import arrived_then
from verify.labels import span, test_label, verdict
from verify.layout import Block
from verify.manifest import RESULTS, TABLES, Published
from verify.passing import passing_folder
from verify.plan import make_plan
from verify.problems import Problem, UsageError
from verify.rulebook import Rulebook
from verify.settings import Home, read_settings
from verify.speech import Speech
from verify.spot import Spot, banner
from verify.store import open_store
from verify.store_rows import Record, rows_where
from verify.supposing import Change, Suppositions, changes_of, suppose
from verify.working import work_out

HEADS = ("head_category_label", "head_test", "head_then", "head_now", "head_value_then", "head_value_now", "head_limit_now")
SHOWN = ("value_low", "value_high", "limit", "verdict", "value_bounded")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What was supposed; the case, its tests and its worked-out values as published and as they would be. `tests` pairs those that differ."""

    spot: Spot
    changes: tuple[Change, ...]
    case: Record
    tests: tuple[tuple[Record | None, Record | None], ...]
    values: tuple[list[Record], list[Record]]

    @property
    def category(self) -> str:
        """The category that would follow."""
        return str(self.case["category"])


def what_if(home: Home, spot: Spot, asked: Suppositions, *, book: Rulebook) -> WhatIf:
    """Work the case out once more with what is supposed.

    Raises UsageError: E-AGAIN-RULES, E-WHATIF-…, E-MATCH-PERSON, E-MATCH-FILES, E-EXTRACT-WHAT; IntegrityError (E-AGAIN)
    where the archive no longer holds what was known.
    """
    night, case = spot.night, spot.case["case_id"]
    if book.digest != night.manifest.origin.rules:
        raise UsageError(Problem("E-AGAIN-RULES", night.manifest.night, {"then": night.manifest.origin.rules[:12], "now": book.digest[:12]}))
    as_of = night.manifest.origin.as_of
    people = rows_where(night.folder / TABLES / "persons.parquet", "case_id", case)
    changes = changes_of(asked, book, people, own=_own_rows(night, case, book), as_of=as_of)
    with passing_folder(home) as work:
        (work / TABLES).mkdir(mode=0o700)
        arrived = arrived_then(home, night, case, book=book, tables=work / TABLES)
        suppose(changes, book.extracts, work / TABLES, as_of)
        with open_store(work, threads=1, memory=read_settings(home).memory, few_rows=True) as store:
            work_out(store, arrived, make_plan(book, arrived.as_of), work, lambda _stage: None)
        (now,) = rows_where(work / RESULTS / "cases.parquet", "case_id", case) or [{}]
        tests = rows_where(work / RESULTS / "tests.parquet", "case_id", case)
        values = rows_where(work / TABLES / "values.parquet", "case_id", case)
    return WhatIf(spot, tuple(changes), now, _differing(spot.tests, tests), (rows_where(night.folder / TABLES / "values.parquet", "case_id", case), values))


def _own_rows(night: Published, case: str, book: Rulebook) -> dict[str, tuple[str, int]]:
    """Where the case's own application stands, by extract."""
    found = rows_where(night.folder / TABLES / "cases.parquet", "case_id", case)
    applied = [name for name, extract in book.extracts.items() if extract.plays.application]
    return {name: (row["file"], row["row"]) for name in applied for row in found if row["file"]}


def _differing(then: list[Record], now: list[Record]) -> tuple[tuple[Record | None, Record | None], ...]:
    """The tests whose verdict or figures differ, in the order of the decision table."""
    before, after = ({(test["category"], test["test"]): test for test in tests} for tests in (then, now))
    pairs = [(before.get(key), after.get(key)) for key in dict.fromkeys([*before, *after])]
    return tuple((old, new) for old, new in pairs if old is None or new is None or any(old[key] != new[key] for key in SHOWN))


# --- in words ---------------------------------------------------------------------------------------------------------


def whatif_blocks(found: WhatIf, voice: Speech) -> list[Block]:
    """What was supposed, what the case would be, and the tests that would say otherwise."""
    told = [voice.word("whatif_supposed", what=change.told) for change in found.changes]
    then, now = (voice.category(name) for name in (found.spot.case["category"], found.category))
    verdict_line = voice.word("whatif_same", category=then) if then == now else voice.word("whatif_moves", then=then, now=now)
    opening = Block(f"{found.spot.case['case_id']}  {verdict_line}", (*banner(found.spot, voice), *told, *_paid(found, voice), voice.word("whatif_note")))
    if not found.tests:
        return [opening, Block(voice.word("whatif_no_test"))]
    head = tuple(voice.word(key) for key in HEADS)
    return [opening, Block(voice.word("whatif_tests"), (), head, tuple(_line(old, new, voice) for old, new in found.tests))]


def _paid(found: WhatIf, voice: Speech) -> tuple[str, ...]:
    """What the family is paid a month, once where that stays as it is."""
    then, now = (paid_line(one, values, voice) for one, values in zip((found.spot.case["category"], found.category), found.values, strict=True))
    return (then,) if then == now else (voice.word("whatif_paid", then=then, now=now),)


def _line(old: Record | None, new: Record | None, voice: Speech) -> tuple[str, ...]:
    named = new or old
    assert named is not None
    verdicts = [verdict(voice, test["verdict"]) if test else "" for test in (old, new)]
    values = [_value(test, voice) if test else "" for test in (old, new)]
    limit = _value({**new, "value_low": new["limit"], "value_high": new["limit"], "value_bounded": True}, voice) if new else ""
    return voice.category(named["category"]), test_label(voice, named["category"], named["test"]), *verdicts, *values, limit


def _value(test: Record, voice: Speech) -> str:
    if test["unit"] == "yes_no" or test["value_low"] is None:
        return ""
    return span(voice, test["value_low"], test["value_high"] if test["value_bounded"] else None, test["unit"])


def whatif_json(found: WhatIf, book: Rulebook) -> dict[str, Any]:
    """The same for programs; figures as texts."""
    tests = []
    for old, new in found.tests:
        named = new or old
        assert named is not None
        sides = {side: _plain(test) for side, test in (("then", old), ("now", new))}
        tests.append({"category": named["category"], "test": named["test"], **sides})
    head = {"case": found.spot.case["case_id"], "night": found.spot.night.manifest.night, "supposed": [change.told for change in found.changes]}
    category = {"then": str(found.spot.case["category"]), "now": found.category}
    paid = {side: paid_json(category[side], values, book) for side, values in zip(category, found.values, strict=True)}
    return {**head, "category": category, "paid": paid, "tests": tests}


def _plain(test: Record | None) -> dict[str, Any] | None:
    return None if test is None else {key: test[key] if key in {"verdict", "value_bounded"} or test[key] is None else str(test[key]) for key in SHOWN}
