"""What a page withholds cannot be found again from what it shows, by any adding and subtracting of its sums."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from verify.manifest import Published
from verify.settings import rules_folder
from verify.simulate import Moved, Simulation
from verify.simulate_cost import AFTER, BEFORE, Cost, Width
from verify.simulate_cost_words import page_cost_block
from verify.simulate_words import on_page
from verify.speech import speech
from verify.withheld import Key, Sum, found_out, withheld

SMALL = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 6, 9, 40])


def with_totals(table: list[list[int]]) -> tuple[dict[Key, int], list[Sum]]:
    """The counts of a table with its totals, and every sum in it: rows, columns, both totals."""
    rows, columns = range(len(table)), range(len(table[0]))
    counts: dict[Key, int] = {(f"r{a}", f"c{b}"): table[a][b] for a in rows for b in columns}
    sums: list[Sum] = []
    for a in rows:
        counts[f"r{a}", "*"] = sum(table[a])
        sums.append(((f"r{a}", "*"), tuple((f"r{a}", f"c{b}") for b in columns)))
    for b in columns:
        counts["*", f"c{b}"] = sum(line[b] for line in table)
        sums.append((("*", f"c{b}"), tuple((f"r{a}", f"c{b}") for a in rows)))
    counts["*", "*"] = sum(map(sum, table))
    sums.append((("*", "*"), tuple((f"r{a}", "*") for a in rows)))
    sums.append((("*", "*"), tuple(("*", f"c{b}") for b in columns)))
    return counts, sums


def rank(rows: list[list[Fraction]]) -> int:
    """The rank of a matrix, plainly."""
    left, found = [row[:] for row in rows], 0
    for at in range(len(left[0]) if left else 0):
        pivot = next((row for row in left[found:] if row[at]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        left.insert(found, pivot)
        for row in left[found + 1 :]:
            factor = row[at] / pivot[at]
            row[:] = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        found += 1
    return found


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(SMALL, min_size=width, max_size=width), min_size=1, max_size=4)))
def test_nothing_that_is_withheld_can_be_found_by_subtraction(table: list[list[int]]) -> None:
    counts, sums = with_totals(table)
    gone = withheld(counts, sums, 5)
    assert {key for key, count in counts.items() if 0 < count < 5} <= gone
    order = sorted(gone)
    system = [[Fraction((key in parts) - (key == total)) for key in order] for total, parts in sums]
    whole = rank(system)
    for at in range(len(order)):  # a count is free where the sums without it have as much to say
        assert rank([row[:at] + row[at + 1 :] for row in system]) == whole, order[at]
    for total, parts in sums:
        inside = [key for key in parts if key in gone]
        assert not inside or total in gone or sum(counts[key] for key in inside) >= 5


def test_a_table_without_small_counts_shows_everything() -> None:
    counts, sums = with_totals([[5, 0], [7, 12]])
    assert withheld(counts, sums, 5) == frozenset()


def test_the_one_small_count_of_a_row_takes_others_with_it() -> None:
    counts, sums = with_totals([[2, 60, 70], [50, 80, 90], [40, 41, 42]])
    gone = withheld(counts, sums, 5)
    assert len(gone) == 4
    assert found_out(sums, gone) == set()
    assert found_out(sums, gone - {("r0", "c1")})


def test_reasons_and_townships_give_no_cell_away() -> None:
    moves = [("none", "margin", ("a",), 3, "x"), ("none", "margin", ("b",), 9, "y"), ("margin", "dibao", ("c",), 40, "x"), ("none", "dibao", ("c",), 8, "y")]
    moved = tuple(Moved(f"{then}{now}{tests}{at}", place, then, now, tests) for then, now, tests, count, place in moves for at in range(count))
    matrix = {("none", "none"): 70, ("none", "margin"): 12, ("none", "dibao"): 8, ("margin", "margin"): 30, ("margin", "dibao"): 40, ("dibao", "dibao"): 90}
    night = Published(Path(), None, 1)  # type: ignore[arg-type]
    page = on_page(Simulation("x", night, matrix, moved, {"x": 100, "y": 150}, (), None))
    assert ("why", "none", "margin", "a") in page.withheld
    assert ("why", "none", "margin", "b") in page.withheld  # else 12 less 9
    assert page(("cell", "*", "*"), 250) == "250"


def test_a_page_tells_no_amount_that_few_families_share_and_counts_none_of_them() -> None:
    voice = speech(rules_folder(), "zh")
    paid, four = Width(Decimal(9000), Decimal(9000), 40), Width(Decimal(0), Decimal(0), 4, 4)
    settled = {(side, name): width for side in (BEFORE, AFTER) for name, width in (("dibao", paid), ("tekun", four))}
    few = Width(Decimal(0), Decimal(700), 3)
    shown = page_cost_block(Cost(settled, {}, {BEFORE: few, AFTER: few}), 12, voice)
    assert shown.rows == (("合计", "9,000.00，另有家庭不知道", "9,000.00，另有家庭不知道", "0.00", "不知道"),)
    assert "700" not in "".join(shown.lines)
    many = {BEFORE: few.plus(paid), AFTER: paid}
    assert "9,700.00" in "".join(page_cost_block(Cost(settled, {}, many), 12, voice).lines)
    for cost, moved in ((Cost(settled), 4), (Cost({**settled, (AFTER, "dibao"): few}), 12)):
        assert page_cost_block(cost, moved, voice).rows == ()
