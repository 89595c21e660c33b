"""What families are paid a month: checked by name and unit, and worked out for every case over a night's figures.

A settled family is paid what the benefit of its category says: a width where its income is one. One that is not settled may be paid
nothing, or as much as any category that it may still fall into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from verify.formulas_compiler import Scope
from verify.formulas_spans import Span
from verify.formulas_units import unit_of
from verify.plan import Plan
from verify.problems import Problem
from verify.rulebook import Rulebook
from verify.store import quoted

A_MONTH = "元/月"


def benefit_problems(book: Rulebook) -> Iterator[Problem]:
    """Benefits of a category that the decision table does not have, or paid by what is no household's amount in 元/月."""
    categories = [row.then for row in book.decision.rows]
    for name, benefit in book.benefits.items():
        stands = book.entry("benefit", name)
        if name not in categories:
            yield Problem("E-BENEFIT-CATEGORY", stands.where("benefit"), {"name": name, "known": ", ".join(dict.fromkeys(categories))})
        if benefit.pays is None:
            continue
        rule = book.rules.get(benefit.pays)
        if rule is None or (rule.of, rule.type) != ("household", "amount") or unit_of(rule.unit or "") != unit_of(A_MONTH):
            yield Problem("E-BENEFIT-RULE", stands.where("pays"), {"name": benefit.pays, "unit": A_MONTH})


def paying(book: Rulebook) -> tuple[str, ...]:
    """The rules by which somebody is paid, in order of name."""
    return tuple(sorted({benefit.pays for benefit in book.benefits.values() if benefit.pays}))


@dataclass(frozen=True, slots=True)
class Payment:
    """The plan that pays, the decimals at which all its amounts are told, and where each paying rule's amount stands with its own."""

    plan: Plan
    scale: int
    stands: Mapping[str, tuple[str, int]]

    def at(self, scale: int) -> Payment:
        """The same, told with more decimals."""
        return Payment(self.plan, scale, self.stands)

    def end(self, name: str, which: str) -> str:
        """A rule's low or high."""
        column, own = self.stands[name]
        return f'"{column}__{which}"' + (f" * {10 ** (self.scale - own)}" if own < self.scale else "")

    @property
    def columns(self) -> list[str]:
        """Every column that the amounts stand in."""
        return [f'"{column}__{which}"' for column, _ in self.stands.values() for which in ("low", "high")]


def payment(plan: Plan, household: Scope, columns: Mapping[str, str]) -> Payment:
    """How a plan pays, from columns named `<…>__low` and `<…>__high` by rule."""
    stands = {}
    for name in paying(plan.book):
        operand = household.names[name]
        assert isinstance(operand, Span), name
        stands[name] = columns[name], operand.scale
    return Payment(plan, max((scale for _, scale in stands.values()), default=0), stands)


def paid_sql(paid: Payment, category: str, called: str) -> str:
    """The bounds of what each case is paid a month, as columns `<called> least` and `<called> most` (NULL: nobody knows).

    `category` is the column of the category; the branches of the table are columns as `kept_figures.branches_sql` names them.
    """
    table = paid.plan.book.decision
    amounts = [_of(paid, row.then) for row in table.rows]
    by = dict(zip((row.then for row in table.rows), amounts, strict=True))
    low, high = (" ".join(f"WHEN {quoted(name)} THEN {two[end]}" for name, two in by.items()) for end in (0, 1))
    # Of one that is open, the most that any branch which does not fail would pay; NULL where that is unbounded.
    may = [(f'"{called} {at}" IS NOT FALSE', most) for at, (_, most) in enumerate(amounts) if most != "0"]
    boundless = " OR ".join(f"({branch} AND {most} IS NULL)" for branch, most in may) or "FALSE"
    greatest = ", ".join(["0", *(f"CASE WHEN {branch} THEN {most} ELSE 0 END" for branch, most in may)])
    unknown = f"WHEN {quoted(table.unknown.then)} THEN CASE WHEN {boundless} THEN NULL ELSE greatest({greatest}) END"
    return f'CASE {category} {low} ELSE 0 END AS "{called} least", CASE {category} {high} {unknown} ELSE 0 END AS "{called} most"'


def _of(paid: Payment, category: str) -> tuple[str, str]:
    """Least and most of one category; of what nobody says, nothing and no most."""
    benefit = paid.plan.book.benefits.get(category)
    if benefit is None:
        return "0", "NULL::BIGINT"
    return (paid.end(benefit.pays, "low"), paid.end(benefit.pays, "high")) if benefit.pays else ("0", "0")
