"""Check a rule book without data: everything a night would trip over is found here, all of it, with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from verify import decision_sql, fact_values, layers
from verify.benefits import benefit_problems
from verify.fact_rows import row_scope
from verify.formulas import DAYS, parse_plain
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import Truth
from verify.formulas_units import unit_problems
from verify.pack_checks import document_problems
from verify.plan import Plan, make_plan
from verify.problems import Problem, UsageError
from verify.rule_decisions import versions_of
from verify.rule_extracts import Extract, Retention
from verify.rule_reading import nothing_to_collect
from verify.rule_uses import basis_problems, use_problems
from verify.rule_values import value_problems, version_problems
from verify.rulebook import Rulebook, load_rulebook


@nothing_to_collect()
def check_rules(folder: Path) -> Rulebook:
    """Load the rule book below `folder` and compile all of it.

    Raises UsageError with every mistake found: shapes, names, columns, circles, types, roles that nobody plays, and
    divisions without a value.
    """
    book = load_rulebook(folder)
    problems = [*_role_problems(book), *_singles(book), *_class_problems(book), *basis_problems(book), *document_problems(book)]
    if not any(problem.code == "E-RULES-ONE" for problem in problems):
        problems += [*value_problems(book), *version_problems(book), *benefit_problems(book)]
    if problems:
        raise UsageError(*problems)
    plans = make_plan(book, newest_day(book)).each_period()
    for plan in plans:
        compile_all(plan)
    problems = []
    for problem in (*(p for plan in plans for p in unit_problems(plan)), *use_problems(plans)):
        problems += [] if problem in problems else [problem]  # what several periods share is told once
    if problems:
        raise UsageError(*problems)
    return book


def newest_day(book: Rulebook) -> date:
    """The latest day on which a value or a version of a rule comes into force: the day on which examples are run that name none."""
    values = (value.from_ for parameter in book.parameters.values() for value in parameter.values)
    return max((*values, *(version.from_ for entry in book.entries.values() for version in versions_of(entry.shape))), default=date.min)


def compile_all(plan: Plan) -> tuple[Scope, Scope, Scope]:
    """Compile every formula of the plan against names alone. Raises UsageError with every formula that is refused."""
    problems: list[Problem] = []
    case = layers.case_scope(plan)
    _try(problems, lambda: [layers.compile_rule(rule, case) for rule in plan.rules("case")])
    member = Scope(layers.named(case.names, fact_values.own_names()))
    household = Scope(layers.named(case.names, {"members": fact_values.member_count()}))
    for entry in plan.inputs.values():
        layer = member if entry.input.of == "member" else household
        _try(problems, lambda e=entry, known=layer: fact_values.know_input(e, known, case))  # type: ignore[misc]
    if problems:
        raise UsageError(*problems)
    for rule in plan.rules("member"):
        _try(problems, lambda r=rule: layers.compile_rule(r, member))  # type: ignore[misc]
    fact_values.know_sums(plan, member, household)
    for rule in plan.rules("household"):
        _try(problems, lambda r=rule: layers.compile_rule(r, household))  # type: ignore[misc]
    if not problems:
        problems += _table_problems(plan, household)
    if not problems:
        _try(problems, lambda: decision_sql.tests(plan, household))
        for alert in plan.alerts:
            layer = row_scope(alert.extract, (), case) if alert.extract else household
            _try(problems, lambda a=alert, known=layer: Compiler(known, a.where).truth(a.when))  # type: ignore[misc]
    if problems:
        raise UsageError(*problems)
    return case, member, household


def _table_problems(plan: Plan, household: Scope) -> Iterator[Problem]:
    """The decision table names tests that exist, a cell for each column, and no row that can never be reached."""
    table, stands = plan.book.decision, plan.book.entry("decision", plan.book.decision.decision)
    for name in table.columns:
        if not isinstance(household.names.get(name), Truth):
            yield Problem("E-DECISION-COLUMN", stands.where("columns"), {"name": name})
    for at, row in enumerate(table.rows):
        where = stands.where("rows", at)
        if len(row.when) != len(table.columns):
            yield Problem("E-DECISION-CELLS", where, {"cells": str(len(row.when)), "columns": str(len(table.columns))})
        for earlier in table.rows[:at]:
            if all(a in {"any", b} for a, b in zip(earlier.when, row.when, strict=False)):
                yield Problem("E-DECISION-UNREACHABLE", where, {"name": row.then, "earlier": earlier.then})


def _try(problems: list[Problem], attempt: Callable[[], object]) -> None:
    """Note what a formula is refused for, and go on to the next."""
    try:
        attempt()
    except UsageError as error:
        problems.extend(p for p in error.problems if p not in problems)


def _singles(book: Rulebook) -> Iterator[Problem]:
    """Of some kinds there must be exactly one; of roster and application at least one."""
    for kind in ("decision", "membership", "matching"):
        found = [entry for entry in book.entries.values() if entry.kind == kind]
        if len(found) != 1:
            yield Problem("E-RULES-ONE", kind, {"kind": kind, "found": str(len(found))})
    for role in ("roster", "application"):
        if sum(getattr(extract.plays, role) is not None for extract in book.extracts.values()) != 1:
            yield Problem("E-RULES-ONE", role, {"kind": role, "found": "0"})


def _class_problems(book: Rulebook) -> Iterator[Problem]:
    """An extract names a class of retention that there is."""
    classes = {entry.retention for entry in book.all(Retention)}
    for name, extract in book.extracts.items():
        if extract.retention is not None and extract.retention not in classes:
            yield Problem("E-RULE-CLASS", book.entry("extract", name).where("retention"), {"name": extract.retention, "known": ", ".join(sorted(classes))})


def _role_problems(book: Rulebook) -> Iterator[Problem]:
    """Every column that a role, a key or a person's side names must be on the extract's page."""
    for name, extract in book.extracts.items():
        stands = book.entry("extract", name)
        known = {column.column for column in extract.columns}
        for path, used in _named_columns(extract):
            if used not in known:
                yield Problem("E-RULE-COLUMN", stands.where(*path), {"name": used, "extract": name})
        for path, condition in _conditions(extract):
            try:
                formula = parse_plain(condition, stands.where(*path))
            except UsageError as error:
                yield from error.problems
                continue
            for used in sorted(formula.names - known - set(DAYS)):
                yield Problem("E-RULE-COLUMN", stands.where(*path), {"name": used, "extract": name})
    for entry in book.inputs.values():
        extract_of = book.extracts.get(entry.from_)
        if entry.of == "case" and extract_of and not (extract_of.plays.roster or extract_of.plays.application):
            yield Problem("E-RULE-NO-CASE", book.entry("input", entry.input).where("from"), {"extract": entry.from_})


def _named_columns(extract: Extract) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every place of an extract's entry that names a column, and the name."""
    for key in ("key", "joint_document"):
        yield from (((key,), name) for name in getattr(extract, key))
    for at, person in enumerate(extract.people):
        for key in ("name", "former_name", "id", "birth", "household"):
            if getattr(person, key):
                yield ("people", at, key), getattr(person, key)
        if person.sex:
            yield ("people", at, "sex"), person.sex.column
    columns_of_role = {
        "roster": ("case", "number", "relation"),
        "application": ("case", "area", "region", "day", "phone", "address"),
        "register_": ("household", "relation", "moved", "address"),
        "death": ("since",),
        "absence": ("since",),
        "marriage": ("date",),
        "running_aid": ("kind", "since"),
        "bodies": ("code",),
    }
    for role, keys in columns_of_role.items():
        shape = getattr(extract.plays, role)
        for key in keys:
            if shape is not None and getattr(shape, key):
                yield ("plays", role.rstrip("_"), key), getattr(shape, key)


def _conditions(extract: Extract) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every condition of an extract's roles, and where it stands."""
    for role in ("roster", "death", "absence", "marriage", "running_aid", "bodies"):
        shape = getattr(extract.plays, role)
        for key in ("when", "member_when", "applicant_when", "authorised_when", "married_when"):
            if shape is not None and getattr(shape, key, None):
                yield ("plays", role, key), getattr(shape, key)
