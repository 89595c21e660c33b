"""Every figure of a case down to its rows: department, batch, file, row, how the row was found to be theirs, and the law.

First the values the law sets, with region, date and document; then the chain of worked-out values in the order of the rule
files, each with its formula's place; then, for every fact, the rows behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from verify.explain_grey import may_have_leads
from verify.explain_short import Told
from verify.labels import book_of, department_of, extract_label, fact_label, span, verdict
from verify.layout import Block
from verify.rule_facts import Parameter, Value
from verify.rule_texts import Entry
from verify.rulebook import Rulebook
from verify.speech import Speech
from verify.spot import Spot, banner, next_steps, who
from verify.store_rows import Record, all_rows, rows_where
from verify.terms import names_behind

VERDICT_OF = {True: "holds", False: "fails", None: "open"}


@dataclass(frozen=True, slots=True)
class Traced:
    """A case with its whole trace: the worked-out values and the rows of evidence, each with its link and batch."""

    spot: Spot
    values: list[Record]
    evidence: list[Record]


def rows_behind(spot: Spot) -> Traced:
    """The evidence of a case alone, which is all that the short form reads."""
    return Traced(spot, [], rows_where(spot.night.folder / "results" / "evidence.parquet", "case_id", spot.case["case_id"]))


def trace(spot: Spot) -> Traced:
    """Read the values, the evidence and the links of a case; evidence gains member_no, method, reasons and batch."""
    case, folder = spot.case["case_id"], spot.night.folder
    links, evidence = (rows_where(folder / "results" / f"{name}.parquet", "case_id", case) for name in ("links", "evidence"))
    return Traced(spot, rows_where(folder / "tables" / "values.parquet", "case_id", case), linked(spot, evidence, links))


def linked(spot: Spot, evidence: list[Record], links: list[Record]) -> list[Record]:
    """Evidence with member_no, method, reasons and batch beside each row."""
    by_row = {(link["extract"], link["file"], link["row"], link["person_id"]): link for link in links}
    batches: dict[tuple[str, str], str] = {}
    for batch in sorted(spot.batches, key=lambda one: one["position"]):
        batches[batch["extract"], batch["file"]] = batch["batch"]
        batches[batch["extract"], f"{batch['file']}#{batch['batch']}"] = batch["batch"]
    found = []
    for row in evidence:
        link = by_row.get((row["extract"], row["file"], row["row"], row["person_id"]), {})
        known = {key: link.get(key) for key in ("member_no", "method", "reasons")}
        found.append({**row, **known, "batch": batches.get((row["extract"], row["file"]), "")})
    return found


def case_blocks(traced: Traced, voice: Speech) -> list[Block]:
    """The trace as headings, lines and tables."""
    spot = traced.spot
    title = f"{spot.case['case_id']}  {voice.category(spot.case['category'])}"
    changed = book_of(voice).digest != spot.night.manifest.origin.rules
    notice = (voice.word("rules_changed"),) if changed else ()
    opening = (*banner(spot, voice), *notice, paid_line(spot.case["category"], traced.values, voice))
    return [Block(title, opening), _parameters(traced, voice), _chain(traced, voice), *_facts(traced, voice)]


def told_of(traced: Traced, voice: Speech) -> Told:
    """What the short form is made from."""
    spot, dates = traced.spot, dict[str, str]()
    for batch in spot.batches:
        dates[batch["extract"]] = max(dates.get(batch["extract"], ""), batch["as_of"].isoformat())
    steps = tuple(next_steps(spot, voice)) if spot.case["needs"] else ()
    people = {number: who(spot, voice, number) for number in (0, *spot.people)}
    leads = may_have_leads(spot.night, spot.case, traced.evidence)
    return Told(spot.case, spot.tests, traced.evidence, dates, banner(spot, voice), steps, people, leads)


def parameters_of(traced: Traced, book: Rulebook) -> list[tuple[Parameter, Record, Value | None]]:
    """Every parameter that the case's tests rest on: as the night used it (low, high at its scale), and the line it stands in."""
    from verify.parameters import value_in_force  # noqa: PLC0415 - it loads Polars, which the short form has no time for

    spot = traced.spot
    (place,) = rows_where(spot.night.folder / "tables" / "cases.parquet", "case_id", spot.case["case_id"])
    region = place["region"] or book.membership.home_region
    used = next((row for row in all_rows(spot.night.folder / "tables" / "parameters.parquet") if (row["region"], row["area"]) == (region, place["area"])), {})
    asked = {book.rules_of_tests.get(f"{test['category']}.{test['test']}", "") for test in spot.tests}
    names = sorted({name for rule in asked for name in names_behind(book, rule)} & book.parameters.keys())
    found = []
    for name in names:
        parameter = book.parameters[name]
        stored = {"low": used.get(f"{name}__low"), "high": used.get(f"{name}__high")}
        found.append((parameter, stored, value_in_force(parameter, region, spot.night.manifest.origin.as_of)))
    return found


def _parameters(traced: Traced, voice: Speech) -> Block:
    """The values the law sets, as the night used them, each with region, date and document."""
    rows = []
    for parameter, stored, line in parameters_of(traced, book_of(voice)):
        low, high = (None if stored[end] is None else Decimal(stored[end]).scaleb(-parameter.scale) for end in ("low", "high"))
        shown = span(voice, low, high, "yuan" if parameter.unit.startswith("元") else "count")
        since = (line.region, line.from_.isoformat(), "；".join(line.law)) if line else ("", "", "")
        rows.append((fact_label(voice, parameter.parameter), f"{shown} {parameter.unit}", *since))
    head = tuple(voice.word(key) for key in ("head_parameter", "head_value", "head_region", "head_from", "head_law"))
    return Block(voice.word("explain_parameters"), (), head if rows else (), tuple(rows), frozenset({1}))


def _chain(traced: Traced, voice: Speech) -> Block:
    """Every worked-out value with the place and the law of its rule."""
    rows = []
    for where, law, value in _in_order(traced, book_of(voice)):
        person = who(traced.spot, voice, value["member_no"])
        rows.append((fact_label(voice, value["name"]), person, value_text(value, voice), where, "；".join(law)))
    head = tuple(voice.word(key) for key in ("head_figure", "head_member", "head_value", "head_rule", "head_law"))
    return Block(voice.word("explain_chain"), (), head, tuple(rows), frozenset({2}))


def _in_order(traced: Traced, book: Rulebook) -> Iterator[tuple[str, tuple[str, ...], Record]]:
    """The values of rules, their parts and inputs, as they stand in the rule files, the household before its members.

    Each with where what it said on the night's day stands, and its law.
    """
    found = []
    for value in traced.values:
        basis = book.basis(value["name"], traced.spot.night.manifest.origin.as_of)
        if basis is not None:
            entry, where, law = basis
            is_whole = value["name"] not in book.parts  # a rule comes after its parts
            line = int(where.rpartition(":")[2]) if not is_whole else 0
            found.append(((entry.file, entry.lines[()], value["member_no"], is_whole, line), (where, law, value)))
    yield from (line for _, line in sorted(found, key=lambda one: one[0]))


def value_text(value: Record, voice: Speech) -> str:
    """A worked-out value: a verdict, or an interval at its scale."""
    if value["scale"] is None:
        return verdict(voice, VERDICT_OF[value["truth"]])
    low, high = (None if value[end] is None else Decimal(value[end]).scaleb(-value["scale"]) for end in ("low", "high"))
    return span(voice, low, high, "yuan" if value["scale"] else "count")


def paid_line(category: str, values: list[Record], voice: Speech) -> str:
    """What a family of a category is paid a month, from its worked-out values; of one that is not settled that it cannot be told."""
    book = book_of(voice)
    if category == book.decision.unknown.then:
        return voice.word("paid_open")
    benefit = book.benefits.get(category)
    if category == book.decision.otherwise.then:
        return voice.word("paid_nothing", why=voice.category(category))
    if benefit is None:
        return voice.word("paid_unsaid")
    if benefit.nothing:
        return voice.word("paid_nothing", why=benefit.nothing)
    value = paid_value(category, values, book)
    return voice.word("paid_a_month", benefit=benefit.label, amount=value_text(value, voice) if value else voice.word("not_known"))


def paid_value(category: str, values: list[Record], book: Rulebook) -> Record | None:
    """The worked-out value that says what a family of a category is paid a month; None where no rule pays it."""
    benefit = book.benefits.get(category)
    return next((value for value in values if benefit and value["name"] == benefit.pays and value["member_no"] == 0), None)


def paid_json(category: str, values: list[Record], book: Rulebook) -> dict[str, str | None] | None:
    """What is paid a month for programs, in yuan as texts; None where no rule pays the category."""
    value = paid_value(category, values, book)
    return None if value is None else {end: None if value[end] is None else str(Decimal(value[end]).scaleb(-value["scale"])) for end in ("low", "high")}


def _facts(traced: Traced, voice: Speech) -> list[Block]:
    """A table for each fact and extract: its rows, and how each was found to be this person's."""
    blocks = []
    head = tuple(voice.word(key) for key in ("head_file", "head_row", "head_member", "head_value", "head_link", "head_batch"))
    for fact, extract in dict.fromkeys((row["fact"], row["extract"]) for row in traced.evidence):
        rows = [row for row in traced.evidence if (row["fact"], row["extract"]) == (fact, extract)]
        source = voice.word("source", extract=extract_label(voice, extract), department=department_of(voice, extract))
        as_of = "、".join(dict.fromkeys(row["as_of"].isoformat() for row in rows))
        title = voice.word("explain_fact", fact=fact_label(voice, fact), source=source, as_of=as_of)
        blocks.append(Block(title, tuple(_basis(voice, fact, extract)), head, tuple(_line(traced.spot, row, voice) for row in rows), frozenset({1, 3})))
    if not blocks:
        blocks.append(Block(voice.word("explain_no_rows")))
    return blocks


def inputs_of(book: Rulebook, fact: str, extract: str) -> list[Entry]:
    """The inputs that take a fact's rows from an extract."""
    entries = [book.entry("input", name) for name, one in book.inputs.items() if one.from_ == extract and fact in {one.input, one.fact}]
    own = [entry for entry in entries if entry.name == fact]
    return own or [entry for entry in entries if getattr(entry.shape, "amount", None) or getattr(entry.shape, "count", None)] or entries


def _basis(voice: Speech, fact: str, extract: str) -> Iterator[str]:
    for entry in inputs_of(book_of(voice), fact, extract):
        law = "；".join(entry.shape.law)  # type: ignore[attr-defined]
        yield voice.word("explain_basis", name=entry.name, where=entry.where(), law=law)


def _line(spot: Spot, row: Record, voice: Speech) -> tuple[str, ...]:
    person = who(spot, voice, row["member_no"]) if row["person_id"] else voice.word("household")
    shown = span(voice, row["low"], row["high"], unit_of_row(voice, row))
    return (row["file"], str(row["row"]), person, shown, link_text(row, voice), row["batch"])


def unit_of_row(voice: Speech, row: Record) -> str:
    """How a row's figure is to be read: as money where its input is money, else as a count."""
    entries = inputs_of(book_of(voice), row["fact"], row["extract"])
    return "yuan" if not entries or any(entry.shape.unit.startswith("元") for entry in entries) else "count"  # type: ignore[attr-defined]


def link_text(row: Record, voice: Speech) -> str:
    """How sure it is that a row is theirs, by which way it was found, and what was seen on it."""
    if not row["method"]:
        return voice.word("own_row")
    seen = [voice.named("reason", reason) for reason in row["reasons"] or [] if reason != row["method"]]
    told = "、".join([voice.named("method", row["method"]), *seen])
    return f"{voice.named('status', row['link_status'])}：{told}" if voice.lang == "zh" else f"{voice.named('status', row['link_status'])}: {told}"


def case_json(traced: Traced, voice: Speech) -> Record:
    """The trace as one object of plain values; amounts are texts, person ids stay inside."""
    manifest, book = traced.spot.night.manifest, book_of(voice)
    figures = [
        {"name": v["name"], "member": v["member_no"], "value": value_text(v, voice), "rule": where, "law": list(law)}
        for where, law, v in _in_order(traced, book)
    ]
    keys = ("fact", "extract", "batch", "file", "row", "link_status", "link_score", "method", "reasons")
    rows = [
        {**{key: row[key] for key in keys}, "member": row["member_no"] or 0, "department": department_of(voice, row["extract"])}
        | {"as_of": row["as_of"].isoformat(), "low": str(row["low"]), "high": None if row["high"] is None else str(row["high"])}
        | {"rules": [entry.where() for entry in inputs_of(book, row["fact"], row["extract"])]}
        for row in traced.evidence
    ]
    head = {"case": traced.spot.case["case_id"], "category": traced.spot.case["category"], "night": manifest.night}
    values = [
        {"parameter": one.parameter, "unit": one.unit, "scale": one.scale, **stored}
        | ({"region": line.region, "from": line.from_.isoformat(), "law": list(line.law)} if line else {})
        for one, stored, line in parameters_of(traced, book)
    ]
    rest = {"as_of": manifest.origin.as_of.isoformat(), "incomplete": manifest.incomplete, "parameters": values}
    paid = paid_json(traced.spot.case["category"], traced.values, book)
    return {**head, **rest, "paid": paid, "figures": figures, "evidence": rows}
