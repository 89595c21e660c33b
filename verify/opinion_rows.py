"""What the rows of a household come to, in plain Python: the second opinion on `fact_rows.py` and `fact_values.py`.

A row counts, may count, or does not; what a grey or doubtful row says is an upper bound only; silence is zero only where
an extract covers the person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from verify import interval
from verify.formulas_interpreter import Facts, amount, verdict
from verify.interval import Interval, Said, Verdict
from verify.plan import InputPlan
from verify.rule_extracts import Extract

MONEY_SCALE = 2
AMOUNTS = ("money", "number", "count")


@dataclass(frozen=True)
class Line:
    """One row of an extract as reading left it, and whether its link to the person is grey."""

    cells: Mapping[str, object]
    place: int
    grey: bool = False


@dataclass(frozen=True)
class Somebody:
    """One person on a case: certain, possible or out; `rows` are the rows linked to them, by extract."""

    number: int
    presence: str = "certain"
    authorised: bool = True
    id_known: bool = True
    age: int | None = 30
    relation: str | None = None
    rows: Mapping[str, Sequence[Line]] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """One case: where it is, its people, its own rows by extract, and how many members count.

    `late` names the extracts that give no facts tonight; `open_upwards` says that a roster row was lost.
    """

    region: str
    area: str | None
    people: Sequence[Somebody]
    rows: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    late: frozenset[str] = frozenset()
    open_upwards: bool = False

    @property
    def counted(self) -> list[Somebody]:
        """Everybody who counts or may count."""
        return [one for one in self.people if one.presence != "out"]

    @property
    def sure(self) -> list[Somebody]:
        """Everybody who surely counts."""
        return [one for one in self.people if one.presence == "certain"]

    @property
    def members(self) -> Interval:
        """How many count."""
        return Interval(len(self.sure), None if self.open_upwards else len(self.counted))


@dataclass(frozen=True)
class Taken:
    """What the rows of one input come to for one person or case: its amount, whether there is a row, and its amount if there is."""

    amount: Interval
    has: Verdict
    given: Interval



def sees(entry: InputPlan, family: Family, one: Somebody) -> bool:
    """Whether an extract covers a person tonight, so that its silence is a zero."""
    if entry.extract.extract in family.late or entry.extract.absence_means == "unknown":
        return False
    return one.id_known and (one.authorised or entry.extract.read_freely is not None)


def rows_of(entry: InputPlan, family: Family, one: Somebody) -> Sequence[Line]:
    """The rows of an input's extract that are linked to a person; a late extract gives none."""
    return () if entry.extract.extract in family.late else one.rows.get(entry.extract.extract, ())


def row_facts(extract: Extract, line: Line, case: Facts, zero: Iterable[str] = ()) -> Facts:
    """What a row's formulas may read: the columns of its extract and the values of its case."""
    names = dict(case.names)
    for page in extract.columns:
        cell = line.cells.get(page.column)
        if page.type not in AMOUNTS:
            names[page.column] = Said(cell)  # type: ignore[arg-type]
            continue
        assert cell is None or isinstance(cell, int)
        scale = MONEY_SCALE if page.type == "money" else page.decimals if page.type == "number" else 0
        names[page.column] = Interval(cell or 0, 0 if cell is None and page.column in zero else cell, scale)
    return Facts(names)


def _each(entry: InputPlan, lines: Iterable[Line], case: Facts) -> list[tuple[Line, bool, Interval]]:
    """Every row that may count, whether it surely does, and what it says."""
    found = []
    zero = {blank.column for blank in entry.input.blank}
    for line in lines:
        facts = row_facts(entry.extract, line, case, zero)
        counts = verdict(entry.when.tree, facts).holds if entry.when else True
        if counts is not False:
            says = interval.cut(amount(entry.amount.tree, facts)) if entry.amount else Interval(1, 1)
            found.append((line, counts is True and not line.grey, says))
    return found


def _scale(entry: InputPlan, case: Facts) -> int:
    if entry.amount is None:
        return 0
    return amount(entry.amount.tree, row_facts(entry.extract, Line({}, 0), case)).scale


def of_rows(entry: InputPlan, lines: Sequence[Line], case: Facts, *, sees: bool) -> Taken:
    """A member's fact: the sum of what the rows say, or of the highest of each group."""
    scale, told = _scale(entry, case), _each(entry, lines, case)
    groups: dict[tuple[object, ...], list[tuple[Line, bool, Interval]]] = {}
    for at, row in enumerate(told):
        key: tuple[object, ...] = tuple(_key(row[0], name) for name in entry.input.per) if entry.input.keep else (at,)
        groups.setdefault(key, []).append(row)
    lows = [max((says.low or 0) if sure else 0 for _, sure, says in group) for group in groups.values()]
    highs = [None if any(says.high is None for _, _, says in group) else max(says.high or 0 for _, _, says in group) for group in groups.values()]
    high = None if not sees or None in highs else sum(bound or 0 for bound in highs)
    sure = any(row[1] for row in told)
    given = sum(lows) if sure else min((says.low or 0 for _, _, says in told), default=0)
    has = Verdict(holds=True) if sure else Verdict(None if told or not sees else False)
    return Taken(Interval(sum(lows), high, scale), has, Interval(given, high, scale))


def _key(line: Line, column: str) -> object:
    cell = line.cells.get(column)
    return ("row", line.place) if cell is None else str(cell)


def counted(entry: InputPlan, family: Family, case: Facts) -> Taken:
    """How many distinct things the rows of all members speak of: surely theirs, and possibly."""
    surely: set[tuple[object, ...]] = set()
    possibly: set[tuple[object, ...]] = set()
    for one in family.counted:
        for line, sure, _ in _each(entry, rows_of(entry, family, one), case):
            key = tuple(_key(line, name) for name in entry.input.count)
            possibly.add(key)
            if sure and one.presence == "certain":
                surely.add(key)
    blind = family.open_upwards or not all(sees(entry, family, one) for one in family.counted)
    nobody = not family.counted and not family.open_upwards  # of nobody an extract says nothing, late or not
    late = entry.extract.extract in family.late
    bounded = nobody or not (blind or late)
    return _counted(len(surely), len(possibly), bounded=bounded)


def _counted(low: int, high: int, *, bounded: bool) -> Taken:
    found = Interval(low, high if bounded else None)
    has = Verdict(holds=True) if low else Verdict(holds=False) if bounded and not high else Verdict(None)
    return Taken(found, has, found)


def of_case(entry: InputPlan, family: Family, case: Facts) -> Taken:
    """What a case's own rows say: a count of them, or one figure (two rows: anything that both allow)."""
    late = entry.extract.extract in family.late
    told = _each(entry, () if late else family.rows.get(entry.extract.extract, ()), case)
    if entry.input.count:
        distinct = {tuple(_key(line, name) for name in entry.input.count): False for line, _, _ in told}
        distinct |= {tuple(_key(line, name) for name in entry.input.count): True for line, sure, _ in told if sure}
        return _counted(sum(distinct.values()), len(distinct), bounded=not (late or family.open_upwards))
    scale = _scale(entry, case)
    if not told:
        return Taken(Interval(0, None, scale), Verdict(None), Interval(0, None, scale))
    highs = [says.high for _, _, says in told]
    found = Interval(min(says.low or 0 for _, _, says in told), None if None in highs else max(bound or 0 for bound in highs), scale)
    return Taken(found, Verdict(any(_is_known(entry, line) for line, _, _ in told)), found)


def _is_known(entry: InputPlan, line: Line) -> bool:
    read = entry.amount.names if entry.amount else frozenset()
    return all(line.cells.get(page.column) is not None for page in entry.extract.columns if page.column in read)
