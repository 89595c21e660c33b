"""What a night's families are paid a month before and after: by category and by township, each a width from least to most.

What is paid to families that are not settled is told apart: nothing at least, and at most what any category still open would pay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple

from verify import kept_figures
from verify.benefits import paid_sql, paying, payment
from verify.formulas_compiler import Scope
from verify.model import SHADOW
from verify.plan import Plan
from verify.rulebook import Rulebook
from verify.simulate_figures import PAID
from verify.store import Store, quoted

BEFORE, AFTER = "before", "after"
_CENT = Decimal("0.01")


class Width(NamedTuple):
    """What some families are paid a month in yuan: least and most, how many families, and of how many no most is known (their
    least stands in both)."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    cases: int = 0
    boundless: int = 0

    def plus(self, other: Width) -> Width:
        """Both together."""
        return Width(self.least + other.least, self.most + other.most, self.cases + other.cases, self.boundless + other.boundless)


@dataclass(frozen=True, slots=True)
class Cost:
    """What is paid before and after: to settled families by category and by region, and to those that are open."""

    settled: Mapping[tuple[str, str], Width] = field(default_factory=dict)
    places: Mapping[tuple[str, str], Width] = field(default_factory=dict)
    open: Mapping[str, Width] = field(default_factory=dict)

    def total(self, side: str) -> Width:
        """What all settled families are paid on one side, BEFORE or AFTER."""
        return _sum(width for (at, _), width in self.settled.items() if at == side)


def _sum(widths: Iterable[Width]) -> Width:
    total = Width()
    for width in widths:
        total = total.plus(width)
    return total


def says_what_is_paid(book: Rulebook) -> bool:
    """Whether the rules say of any category what it is paid."""
    return bool(book.benefits)


class Tally(NamedTuple):
    """The cases of one region that go from one category to another, and what they are paid, at the decimals of the outcome:
    before and after, each the sum of the least, of the most (the least where there is no most), and of how many no most is known."""

    was: str
    now: str
    region: str
    cases: int
    paid: Mapping[str, tuple[int, int, int]]


def tallied(store: Store) -> list[Tally]:
    """The table `outcome` by categories and region: all that is counted of it comes from here, so that it is read once."""
    sums = (f"sum({least}), coalesce(sum(coalesce({most}, {least})), 0), count(*) FILTER ({most} IS NULL)" for least, most in (PAID[:2], PAID[2:]))
    rows = store.rows(f"SELECT was, now, region, count(*), {', '.join(sums)} FROM outcome GROUP BY was, now, region")
    return [Tally(was, now, region, cases, {BEFORE: (a, b, c), AFTER: (d, e, f)}) for was, now, region, cases, a, b, c, d, e, f in sorted(rows)]


def counted(tallies: list[Tally], plans: tuple[Plan, Plan], scale: int) -> Cost:
    """Add up what the cases are paid, at so many decimals."""
    settled: dict[tuple[str, str], Width] = {}
    places: dict[tuple[str, str], Width] = {}
    unsettled: dict[str, Width] = {}
    for side, plan in ((BEFORE, plans[0]), (AFTER, plans[1])):
        unknown = plan.book.decision.unknown.then
        benefits = plan.book.benefits
        for name, region, one in sorted((one.was if side == BEFORE else one.now, one.region, one) for one in tallies):
            low, high, boundless = one.paid[side]
            width = Width(_yuan(low, scale), _yuan(high, scale), one.cases, boundless)
            if name == unknown:
                unsettled[side] = unsettled.get(side, Width()).plus(width)
            elif name in benefits or boundless:
                settled[side, name] = settled.get((side, name), Width()).plus(width)
                places[side, region] = places.get((side, region), Width()).plus(width)
    return Cost(settled, places, unsettled)


def _yuan(amount: int, scale: int) -> Decimal:
    return Decimal(int(amount)).scaleb(-scale)


def rounded(amount: Decimal) -> Decimal:
    """An amount of yuan to the fen, half up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def from_both_figures(store: Store, plans: tuple[Plan, Plan], households: tuple[Scope, Scope], figures: tuple[Path, Path]) -> int:
    """Put what is paid beside each case of `outcome`, from the figures of the night and of the rows worked out anew.

    Returns the decimals of what is paid.
    """
    paid = [payment(plan, household, {name: name for name in paying(plan.book)}) for plan, household in zip(plans, households, strict=True)]
    scale = max(one.scale for one in paid)
    bare = f"CASE WHEN ends_with(case_id, {quoted(SHADOW)}) THEN left(case_id, -{len(SHADOW)}) ELSE case_id END"
    for one, path, category, called in zip(paid, figures, ("was", "now"), ("then", "now"), strict=True):
        truths = {name: f'"{name}__truth"' for name in one.plan.book.decision.columns}
        branches = kept_figures.branches_sql(one.plan, truths, called)
        columns = ", ".join(dict.fromkeys(one.columns))
        inner = f"SELECT case_id AS kept_as, {bare} AS case_id{', ' if columns else ''}{columns}, {branches} FROM {store.source(path)}"
        store.table(
            f"paid_{called}",
            f"""SELECT case_id, {paid_sql(one.at(scale), category, called)} FROM ({inner}) JOIN (SELECT case_id, {category} FROM outcome) USING (case_id)
                QUALIFY row_number() OVER (PARTITION BY case_id ORDER BY kept_as DESC) = 1""",  # the shadow, where there is one
        )
    store.run("ALTER TABLE outcome RENAME TO outcome_bare")
    store.table("outcome", "FROM outcome_bare LEFT JOIN paid_then USING (case_id) LEFT JOIN paid_now USING (case_id)")
    return scale
