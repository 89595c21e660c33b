"""The spot check: what the published night says of one case, for the officer at the window.

It reads, masks and words; it decides nothing. What the officer does next comes from the alerts and from the needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verify.labels import amount, book_of, department_of, distance, extract_label, fact_label, span, test_label, verdict
from verify.layout import Block
from verify.manifest import Published
from verify.privacy import mask_name
from verify.problems import Problem, UsageError
from verify.speech import Speech
from verify.store_rows import Record, all_rows, rows_where
from verify.typed import safe

Two = tuple[list[Record], list[Record]]
STATES = {"loaded": "state_loaded", "unchanged": "state_unchanged", "refused": "state_refused", "late": "state_late"}


@dataclass(frozen=True, slots=True)
class Spot:
    """The rows of one case in the results of a night, and the night's files. Names in `people` are masked already.

    `people` maps a member's number to name, relation and whether they count; `batches` are those in use.
    """

    night: Published
    case: Record
    tests: list[Record]
    alerts: list[Record]
    people: Mapping[int, Record]
    files: list[Record]
    batches: list[Record]


def read_spot(night: Published, case_id: str) -> Spot:
    """Everything a night says of a case. Raises UsageError (E-NO-CASE) if it has none of that number."""
    results, tables = night.folder / "results", night.folder / "tables"
    found = rows_where(results / "cases.parquet", "case_id", case_id) if case_id.isprintable() else []
    if not found:
        raise UsageError(Problem("E-NO-CASE", safe(case_id), {"night": night.manifest.night}))
    persons = rows_where(tables / "persons.parquet", "case_id", case_id)
    said = [rows_where(results / f"{name}.parquet", "case_id", case_id) for name in ("tests", "alerts")]
    return spot_of(night, found[0], persons, said=(said[0], said[1]), known=files_of(night))


def files_of(night: Published) -> Two:
    """The files of a night, and the batches in use."""
    batches = [batch for batch in all_rows(night.folder / "tables" / "batches.parquet") if batch["in_use"]]
    return all_rows(night.folder / "results" / "files.parquet"), batches


def spot_of(night: Published, case: Record, persons: list[Record], *, said: Two, known: Two) -> Spot:
    """One case from its rows: its people (masked here), tests and alerts (`said`); `known` is what `files_of` gives."""
    people = {p["member_no"]: {"name": mask_name(p["name"] or ""), "relation": p["relation"], "counts": p["is_member"]} for p in persons}
    return Spot(night, case, said[0], said[1], people, *known)


# --- in words ---------------------------------------------------------------------------------------------------------


def spot_blocks(spot: Spot, voice: Speech) -> list[Block]:
    """The answer as headings, lines and tables."""
    untested = [] if spot.tests else [Block(voice.word("check_no_tests"))]
    rest = (part(spot, voice) for part in (alerts_block, open_block, next_block, sources_block))
    return [_opening(spot, voice), *untested, *branches(spot, voice), *rest]


def banner(spot: Spot, voice: Speech) -> tuple[str, ...]:
    """As of when, by which night, and whether all sources came."""
    manifest = spot.night.manifest
    state = voice.word("incomplete" if manifest.incomplete else "complete")
    lines = [voice.word("check_night", as_of=manifest.origin.as_of, night=manifest.night, state=state)]
    if manifest.late:
        lines.append(voice.word("night_late", extracts="、".join(extract_label(voice, name) for name in manifest.late)))
    return tuple(lines)


def _opening(spot: Spot, voice: Speech) -> Block:
    title = f"{spot.case['case_id']}  {voice.category(spot.case['category'])}"
    low, high = spot.case["members_low"], spot.case["members_high"]
    count = str(low) if low == high else f"{low} ～ {high}" if high is not None else f"≥ {low}"
    rows = tuple((str(no), one["name"], one["relation"] or "", "" if one["counts"] else voice.word("not_counted")) for no, one in sorted(spot.people.items()))
    return Block(title, (*banner(spot, voice), voice.word("check_members", count=count)), (), rows)


def branches(spot: Spot, voice: Speech) -> list[Block]:
    """A table for each category of the decision table, in its order."""
    head = tuple(voice.word(key) for key in ("head_verdict", "head_test", "head_value", "head_limit", "head_distance"))
    blocks = []
    for category in dict.fromkeys(test["category"] for test in spot.tests):
        tests = [test for test in spot.tests if test["category"] == category]
        rows = tuple((verdict(voice, t["verdict"]), test_label(voice, category, t["test"]), *_figures(t, voice)) for t in tests)
        title = voice.word("check_branch", category=voice.category(category), verdict=verdict(voice, branch_verdict(tests)))
        blocks.append(Block(title, (), head, rows, frozenset({2, 3, 4})))
    return blocks


def branch_verdict(tests: list[Record]) -> str:
    """A category fails if one of its tests fails, holds if all hold, and is open otherwise."""
    verdicts = {test["verdict"] for test in tests}
    return "fails" if "fails" in verdicts else "open" if "open" in verdicts else "holds"


def _figures(test: Record, voice: Speech) -> tuple[str, str, str]:
    """Value, limit and distance of a test; nothing where it is a plain question."""
    low, high, limit, unit = test["value_low"], test["value_high"], test["limit"], test["unit"]
    if unit == "yes_no":
        return "", "", ""
    high = high if test["value_bounded"] else None
    return span(voice, low, high, unit), "" if limit is None else amount(limit, unit), distance(low, high, limit, unit)


def alerts_block(spot: Spot, voice: Speech) -> Block:
    """What somebody must see, the most urgent first."""
    rows = []
    for alert in _worst_first(spot, voice):
        shape = _alert_shape(voice, alert["alert"])
        name = shape.label if shape and voice.lang == "zh" else alert["alert"]
        severity = voice.named("severity", str(shape.severity)) if shape else ""
        rows.append((severity, name, who(spot, voice, alert["member_no"]), alert["since"].isoformat() if alert["since"] else ""))
    head = tuple(voice.word(key) for key in ("head_severity", "head_alert", "head_member", "head_since"))
    return Block(voice.word("check_alerts"), () if rows else (voice.word("no_lines"),), head if rows else (), tuple(rows))


def _alert_shape(voice: Speech, name: str) -> Any:
    return next((alert for alert in book_of(voice).alerts if alert.alert == name), None)


def _worst_first(spot: Spot, voice: Speech) -> list[Record]:
    """Alerts by severity, the rest of their order kept."""
    severity = {alert.alert: alert.severity for alert in book_of(voice).alerts}
    return sorted(spot.alerts, key=lambda alert: -severity.get(alert["alert"], 0))


def open_block(spot: Spot, voice: Speech) -> Block:
    """The tests that are open, a line a category."""
    by: dict[str, list[str]] = {}
    for name in spot.case["open_tests"]:
        category, _, test = name.partition(".")
        by.setdefault(voice.category(category) if test else "", []).append(test_label(voice, category, test) if test else fact_label(voice, category))
    lines = [voice.word("check_open_line", category=category, tests="、".join(tests)) if category else "、".join(tests) for category, tests in by.items()]
    return Block(voice.word("check_open"), tuple(lines) or (voice.word("no_lines"),))


def who(spot: Spot, voice: Speech, number: int | None) -> str:
    """A member by number and masked name; the household for 0."""
    if not number:
        return voice.word("household")
    return f"{number} {spot.people.get(number, {}).get('name', '')}".strip()


def needs_of(spot: Spot) -> list[tuple[str, int, list[str]]]:
    """What would settle the case: extract, member (0: the household) and the facts to ask for, each pair once."""
    by: dict[tuple[str, int], list[str]] = {}
    for need in spot.case["needs"]:
        fact, member, extract = need.split("@")
        by.setdefault((extract, int(member)), []).append(fact)
    return [(extract, member, facts) for (extract, member), facts in sorted(by.items())]


def next_steps(spot: Spot, voice: Speech) -> list[str]:
    """What the officer does next, the most urgent first: what each alert asks, then whom to ask for what is open."""
    steps = []
    for alert in _worst_first(spot, voice):
        shape = _alert_shape(voice, alert["alert"])
        if shape is not None:
            steps.append(voice.word("check_ask", member=who(spot, voice, alert["member_no"]), alert=shape.label, ask=shape.ask))
    for extract, member, facts in needs_of(spot):
        person = voice.word("need_member", member=who(spot, voice, member)) if member else voice.word("household")
        told = {"who": person, "facts": "、".join(dict.fromkeys(fact_label(voice, fact) for fact in facts))}
        known = extract in book_of(voice).extracts
        steps.append(
            voice.word("need_ask", department=department_of(voice, extract), extract=extract_label(voice, extract), **told)
            if known
            else voice.word("need_open", **told)
        )
    return list(dict.fromkeys(steps))


def next_block(spot: Spot, voice: Speech) -> Block:
    """What the officer does next, numbered."""
    steps = tuple(f"{at}. {step}" for at, step in enumerate(next_steps(spot, voice), start=1))
    return Block(voice.word("check_next"), steps or (voice.word("check_nothing_next"),))


# --- sources ----------------------------------------------------------------------------------------------------------


def sources_of(spot: Spot) -> list[tuple[str, str, str]]:
    """Every extract, the date of what is known of it ('' if nothing), and its state tonight; by extract."""
    newest: dict[str, str] = {}
    for batch in spot.batches:
        newest[batch["extract"]] = max(newest.get(batch["extract"], ""), batch["as_of"].isoformat())
    states: dict[str, str] = dict.fromkeys(spot.night.manifest.late, "late")
    order = list(STATES)
    for file in spot.files:
        if (name := file["extract"]) is not None:
            states[name] = max(states.get(name, file["state"]), file["state"], key=order.index)
    return [(name, newest.get(name, ""), state) for name, state in sorted(states.items())]


def sources_block(spot: Spot, voice: Speech) -> Block:
    """The extracts together that have one date and one state."""
    by: dict[tuple[str, str], list[str]] = {}
    for name, as_of, state in sources_of(spot):
        by.setdefault((as_of, state), []).append(voice.word("source", extract=extract_label(voice, name), department=department_of(voice, name)))
    rows = tuple((as_of or "-", voice.word(STATES[state]), "、".join(names)) for (as_of, state), names in sorted(by.items()))
    head = tuple(voice.word(key) for key in ("head_as_of", "head_state", "head_sources"))
    return Block(voice.word("check_sources"), (), head, rows)


# --- for programs -----------------------------------------------------------------------------------------------------


def spot_json(spot: Spot, voice: Speech) -> Record:
    """The answer as one object of plain values; amounts are texts, so that nothing rounds them."""
    manifest = spot.night.manifest
    return {
        "case": spot.case["case_id"],
        "category": spot.case["category"],
        "category_label": voice.category(spot.case["category"]),
        "night": manifest.night,
        "as_of": manifest.origin.as_of.isoformat(),
        "incomplete": manifest.incomplete,
        "members": [{"member": no, **one} for no, one in sorted(spot.people.items())],
        "tests": [_test_json(test, voice) for test in spot.tests],
        "alerts": [_alert_json(alert) for alert in spot.alerts],
        "open": list(spot.case["open_tests"]),
        "needs": [{"extract": e, "department": department_of(voice, e), "member": member, "facts": facts} for e, member, facts in needs_of(spot)],
        "next": next_steps(spot, voice),
        "sources": [{"extract": name, "as_of": as_of or None, "state": state} for name, as_of, state in sources_of(spot)],
    }


def _alert_json(alert: Record) -> Record:
    plain = {key: alert[key] for key in ("alert", "extract", "file", "row")}
    return {**plain, "member": alert["member_no"], "since": alert["since"].isoformat() if alert["since"] else None}


def _test_json(test: Record, voice: Speech) -> Record:
    plain = {key: None if test[key] is None else str(test[key]) for key in ("value_low", "value_high", "limit")}
    named = {key: test[key] for key in ("category", "test", "verdict", "unit", "basis")}
    far = [None if bound is None or test["limit"] is None else str(bound - test["limit"]) for bound in (test["value_low"], test["value_high"])]
    return {**named, **plain, "label": test_label(voice, test["category"], test["test"]), "distance_low": far[0], "distance_high": far[1]}
