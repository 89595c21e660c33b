"""What a code means and how to mend it; what an entry of the rule book says, where it stands and on which law.

A name is looked for among codes, then among everything the rule book names: rules, inputs, facts, parameters, extracts,
alerts, categories, by name or by label.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from string import Formatter
from typing import Any

from verify.labels import book_of
from verify.layout import Block
from verify.problems import Problem, UsageError
from verify.rule_decisions import Benefit, Decision, Rule, TableVersion, Version
from verify.rule_extracts import Extract
from verify.rule_facts import Example, Input, InputVersion, Parameter, Value
from verify.rule_files import Alert, Message
from verify.rule_texts import Entry
from verify.speech import Speech
from verify.typed import safe

EXPLAINED = ("rule", "input", "parameter", "extract", "alert", "decision", "benefit", "membership", "matching", "report")


def code_block(voice: Speech, what: str) -> Block | None:
    """A code of the catalogue with its sentences, or None if it is none."""
    message = book_of(voice).messages.get(what.strip().upper())
    if message is None:
        return None
    said = voice.sentence(Problem(message.message, "", dict.fromkeys(_gaps(message), "…") | {n: f"<{n}>" for n in _gaps(message)}))
    return Block(f"{message.message}  {said.what}", (voice.word("why") + said.why, voice.word("mend") + said.mend))


def _gaps(message: Message) -> set[str]:
    """The names in braces, which a real problem would fill."""
    texts = [getattr(side, part) for side in (message.zh, message.en) for part in ("what", "why", "mend")]
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


def entries_of(voice: Speech, what: str) -> list[Entry]:
    """Every entry that is called so: by its name or label, by the name results show, by its fact, by a category in it."""
    wanted = what.strip()
    return [entry for entry in book_of(voice).entries.values() if entry.kind in EXPLAINED and wanted in _names(entry)]


def _names(entry: Entry) -> set[str]:
    """All names under which an entry is found."""
    shape: Any = entry.shape
    names = {entry.name, *(getattr(shape, key, None) for key in ("label", "shown_as", "fact"))}
    if isinstance(shape, Decision):
        ends = [(row.then, row.label) for row in shape.rows] + [(end.then, end.label) for end in (shape.otherwise, shape.unknown)]
        names |= {text for pair in ends for text in pair}
    return {name for name in names if name}


def unknown(voice: Speech, what: str) -> UsageError:
    """The error for a word that nothing is called by (E-EXPLAIN-WHAT), with the nearest names."""
    book = book_of(voice)
    names = {name for entry in book.entries.values() if entry.kind in EXPLAINED for name in _names(entry)} | set(book.messages)
    tries = ((what.strip(), sorted(names)), (what.strip().upper(), sorted(book.messages)))
    near = next((found for word, known in tries if (found := difflib.get_close_matches(word, known, n=3, cutoff=0.5))), [])
    return UsageError(Problem("E-EXPLAIN-WHAT", safe(what), {"near": ", ".join(near)} if near else {}))


def entry_block(voice: Speech, entry: Entry) -> Block:
    """One entry: what it is called, what it says, its values, its law, where it stands, its examples."""
    shape: Any = entry.shape
    label = getattr(shape, "label", "")
    lines = list(_SAYS[entry.kind](voice, shape)) if entry.kind in _SAYS else []
    lines += [voice.word("explain_law", law="；".join(shape.law))] if getattr(shape, "law", ()) else []
    lines += [voice.word("explain_where", where=entry.where())]
    lines += [line for at, example in enumerate(getattr(shape, "examples", ())) for line in _example(voice, entry, at, example)]
    head, rows = _table(voice, shape)
    return Block(f"{entry.name}  {label}  ({entry.kind})", tuple(lines), head, rows)


def entry_json(entry: Entry) -> dict[str, Any]:
    """One entry as it stands in its file, with its place."""
    return {"kind": entry.kind, "name": entry.name, "where": entry.where(), **entry.shape.model_dump(mode="json", by_alias=True, exclude_defaults=True)}


def _example(voice: Speech, entry: Entry, at: int, example: Example) -> Iterator[str]:
    told = {"as_of": str(example.as_of) if example.as_of else None, "region": example.region, "area": example.area}
    given = json.dumps({key: value for key, value in told.items() if value} | {"given": example.given}, ensure_ascii=False)
    expected = example.expect if isinstance(example.expect, str) else json.dumps(example.expect, ensure_ascii=False)
    yield voice.word("explain_example", name=example.example, given=given, expected=expected, where=entry.where("examples", at))


# --- what each kind says ----------------------------------------------------------------------------------------------


def _of_input(voice: Speech, shape: Input) -> Iterator[str]:
    extract = book_of(voice).extracts.get(shape.from_)
    yield voice.word("explain_from", extract=f"{shape.from_} {extract.label if extract else ''}".strip(), department=extract.department if extract else "")
    for version in shape.versions:
        text = " → ".join(said for said in (version.when, version.amount) if said)
        yield voice.word("explain_version", **_days(version), text=text, unit=shape.unit, law="；".join(version.law))
    if shape.when and not shape.versions:
        yield voice.word("explain_when", text=shape.when)
    if shape.amount and not shape.versions:
        yield voice.word("explain_amount", text=shape.amount, unit=shape.unit)
    if shape.count:
        yield voice.word("explain_count", text="、".join(shape.count), unit=shape.unit)
    for blank in shape.blank:
        yield voice.word("explain_blank", column=blank.column, why=blank.why, law="；".join(blank.law))


def _days(version: Version | InputVersion | TableVersion) -> dict[str, str]:
    return {"from": version.from_.isoformat(), "to": version.to.isoformat() if version.to else "…"}


def _of_rule(voice: Speech, shape: Rule) -> Iterator[str]:
    if shape.expr:
        yield voice.word("explain_expr", text=shape.expr, unit=shape.unit or "")
    yield from (voice.word("explain_part", name=name, label=part.label, text=part.expr, unit=part.unit) for name, part in shape.let.items())
    for version in shape.versions:
        told = {"text": version.expr, "unit": shape.unit or "", "law": "；".join(version.law or shape.law)}
        yield voice.word("explain_version", **_days(version), **told)
        yield from (voice.word("explain_part", name=name, label=part.label, text=part.expr, unit=part.unit) for name, part in version.let.items())
    if shape.value and shape.limit:
        yield voice.word("explain_shown", value=shape.value, limit=shape.limit)


def _of_extract(voice: Speech, shape: Extract) -> Iterator[str]:
    yield voice.word("explain_extract", department=shape.department, format=shape.format, columns="、".join(shape.key))
    yield voice.word("explain_silence_zero" if shape.absence_means == "zero" else "explain_silence_unknown")
    late = shape.when_late
    if late.use_last or late.use_when_late_days:
        yield voice.word("explain_late_last") if late.use_last else voice.word("explain_late_days", days=late.use_when_late_days)
    else:
        yield voice.word("explain_late_none")
    if shape.read_freely:
        yield voice.word("explain_free", why=shape.read_freely.why, law="；".join(shape.read_freely.law))


def _of_parameter(voice: Speech, shape: Parameter) -> Iterator[str]:
    if not shape.values:
        yield voice.word("explain_no_value")


def _of_alert(voice: Speech, shape: Alert) -> Iterator[str]:
    yield voice.word("explain_alert", severity=voice.named("severity", str(shape.severity)), ask=shape.ask)
    if shape.when:
        yield voice.word("explain_when", text=shape.when)


def _of_benefit(voice: Speech, shape: Benefit) -> Iterator[str]:
    yield voice.word("benefit_pays", rule=shape.pays) if shape.pays else voice.word("benefit_nothing", why=shape.nothing)


_SAYS: dict[str, Callable[[Speech, Any], Iterator[str]]] = {
    "input": _of_input,
    "rule": _of_rule,
    "parameter": _of_parameter,
    "extract": _of_extract,
    "alert": _of_alert,
    "benefit": _of_benefit,
}


def _table(voice: Speech, shape: Any) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The values of a parameter by date and region, the columns of an extract, or the rows of the decision table."""
    if isinstance(shape, Parameter):
        values = tuple(_value(value, shape.unit) for value in shape.values)
        return _words(voice, ("head_region", "head_from", "head_to", "head_value", "head_law")), values
    if isinstance(shape, Extract):
        columns = tuple((c.column, c.type, voice.word("yes") if c.required else "", "、".join(c.also_called)) for c in shape.columns)
        return _words(voice, ("head_column", "head_type", "head_required", "head_also")), columns
    if isinstance(shape, Decision):
        tables: list[tuple[str, Decision | TableVersion]] = [(f" {days['from']} – {days['to']}", one) for one in shape.versions for days in (_days(one),)]
        rows = [(r.then, r.label + days, "、".join(_asked(one.columns, r.when)), "；".join(r.law)) for days, one in tables or [("", shape)] for r in one.rows]
        last = [(end.then, end.label, "", "") for end in (shape.otherwise, shape.unknown)]
        return _words(voice, ("head_category", "head_label", "head_tests", "head_law")), (*rows, *last)
    return (), ()


def _asked(columns: tuple[str, ...], cells: tuple[str, ...]) -> list[str]:
    return [name for name, cell in zip(columns, cells, strict=True) if cell == "pass"]


def _words(voice: Speech, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(voice.word(key) for key in keys)


def _value(value: Value, unit: str) -> tuple[str, ...]:
    plain = value.value
    told = "、".join(f"{area} {amount}" for area, amount in plain.items()) if isinstance(plain, dict) else str(plain)
    if plain is None:
        told = f"{value.at_least or 0} ～ {'∞' if value.at_most is None else value.at_most}"
    return value.region, value.from_.isoformat(), value.to.isoformat() if value.to else "", f"{told} {unit}", "；".join(value.law)
