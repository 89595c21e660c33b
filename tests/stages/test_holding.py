"""Batches that a guard holds, that an officer accepts or withdraws: what is known on the nights after."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from tests import tables
from tests.small_drops import Bureau, Sent, cars, codes, csv_of, make_drop, plates, rows_of
from tests.stages.test_guards import RIGHT, changed, many
from verify.decisions import ACCEPTED, WITHDRAWN
from verify.model import Arrived
from verify.store_files import digest_of

WHOLE = cars(*many(100), batch="1")
DEAR = cars(*many(100, "90000000"), batch="2", as_of="2026-11-21")  # every price is 1,800 times what it was
GOOD = cars(*many(100, "60000"), batch="3", as_of="2026-11-22")
FUND = Sent("gjj_zhanghu", csv_of([["个人账号", "姓名", "身份证号"], ["1", "张三", RIGHT]]), 1)
REMOVING = changed(many(60), "删除", "2")
ADDING = changed(many(5, start=500), "更新", "3a", "2026-11-22")


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path, "ga_cheliang", "gjj_zhanghu")


def late(arrived: Arrived) -> bool:
    return arrived.known["ga_cheliang"].late


def price(arrived: Arrived) -> set[int | None]:
    return {price for _, price in plates(arrived)}


def state(arrived: Arrived) -> str:
    """The state of the vehicles' one line tonight."""
    return str(tables.table(arrived.files).filter(pl.col("extract") == "ga_cheliang")["state"].item())


def known(bureau: Bureau) -> list[tuple[str, bool, bool, bool]]:
    """Batch, in use, held, chain broken, of the vehicles."""
    table = tables.table(bureau.before).filter(pl.col("extract") == "ga_cheliang")
    return table.select("batch", "in_use", "held", "chain_broken").rows()


def test_a_held_batch_leaves_what_was_known_and_makes_the_extract_late(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    arrived = bureau.night(DEAR, FUND)
    assert (late(arrived), state(arrived), price(arrived)) == (True, "refused", {5_000_000})
    assert known(bureau) == [("1", True, False, False), ("2", False, True, False)]
    assert tables.table(arrived.refused).is_empty()


def test_it_stays_held_while_it_comes_again_and_gives_way_to_the_next_good_one(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    for _ in range(2):
        bureau.night(DEAR, FUND)
        assert known(bureau) == [("1", True, False, False), ("2", False, True, False)]
    arrived = bureau.night(GOOD, FUND)
    assert (late(arrived), codes(arrived)) == (False, set())
    assert bureau.night(GOOD, FUND).incomplete is False


def test_corrected_content_under_its_number_takes_its_place(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(DEAR, FUND)
    arrived = bureau.night(dataclasses.replace(GOOD, batch="2"), FUND)
    assert (late(arrived), state(arrived)) == (False, "loaded")
    assert known(bureau) == [("1", False, False, False), ("2", True, False, False)]


def test_accepted_it_is_loaded_when_it_comes_again(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(DEAR, FUND)
    bureau.decide(ACCEPTED, DEAR)
    arrived = bureau.night(DEAR, FUND)
    assert (late(arrived), state(arrived), price(arrived)) == (False, "loaded", {9_000_000_000})
    assert "N-ACCEPTED" in tables.table(arrived.troubles)["code"].to_list()
    again = bureau.night(DEAR, FUND)
    assert (state(again), again.incomplete) == ("unchanged", False)


def test_accepted_it_is_loaded_from_the_archive_where_it_does_not_come(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(DEAR, FUND)
    bureau.night(FUND)
    bureau.decide(ACCEPTED, DEAR)
    arrived = bureau.night(FUND)
    assert (late(arrived), state(arrived), price(arrived), arrived.incomplete) == (False, "loaded", {9_000_000_000}, False)
    assert late(bureau.night(FUND)), "loaded once; after that it is like any file that does not come"


def test_accepted_before_it_is_read_it_is_never_held(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.decide(ACCEPTED, DEAR)
    assert state(bureau.night(DEAR, FUND)) == "loaded"


def test_what_was_accepted_is_what_the_next_is_held_against(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.decide(ACCEPTED, DEAR)
    bureau.night(DEAR, FUND)
    assert codes(bureau.night(GOOD, FUND)) == {"E-HELD-MEDIAN"}


def test_held_changes_take_their_own_place_once_accepted(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    assert codes(bureau.night(REMOVING, FUND)) == {"E-HELD-REMOVED"}
    waiting = bureau.night(ADDING, FUND)
    assert (late(waiting), len(plates(waiting))) == (True, 105)
    bureau.decide(ACCEPTED, REMOVING)
    arrived = bureau.night(changed(many(1, start=500), "删除", "4", "2026-11-23"), FUND)
    assert (late(arrived), len(plates(arrived))) == (False, 44)


def test_changes_missed_after_a_held_whole_state_are_not_forgotten(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(DEAR, FUND)
    bureau.night(dataclasses.replace(ADDING, checksum="wrong"), FUND)
    bureau.decide(ACCEPTED, DEAR)
    arrived = bureau.night(FUND)
    assert (late(arrived), price(arrived)) == (True, {9_000_000_000})
    assert "E-GAP" in codes(arrived)


# --- withdrawn --------------------------------------------------------------------------------------------------------


def test_a_withdrawn_whole_state_falls_back_to_the_one_before(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(GOOD, FUND)
    bureau.decide(WITHDRAWN, GOOD)
    arrived = bureau.night(FUND)
    assert (late(arrived), price(arrived)) == (True, {5_000_000})
    assert known(bureau) == [("1", True, False, True)]
    assert late(bureau.night(WHOLE, FUND)) is False


def test_with_its_changes_before_and_after(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(dataclasses.replace(ADDING, batch="1b", as_of="2026-11-21"), FUND)
    bureau.night(GOOD, FUND)
    bureau.night(changed(many(1), "删除", "4", "2026-11-23"), FUND)
    bureau.decide(WITHDRAWN, GOOD)
    arrived = bureau.night(FUND)
    assert (late(arrived), len(plates(arrived)), price(arrived)) == (True, 104, {5_000_000})


def test_where_nothing_is_left_the_extract_is_unknown(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(ADDING, FUND)
    bureau.decide(WITHDRAWN, WHOLE)
    arrived = bureau.night(FUND)
    assert (late(arrived), arrived.known["ga_cheliang"].parts) == (True, ())
    assert "E-NO-BASE" in codes(bureau.night(ADDING, FUND))


def test_it_stays_withdrawn_when_it_comes_again_and_corrected_content_does_not(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(GOOD, FUND)
    bureau.decide(WITHDRAWN, GOOD)
    for _ in range(2):
        arrived = bureau.night(GOOD, FUND)
        assert (late(arrived), state(arrived), codes(arrived)) == (True, "refused", {"E-WITHDRAWN"})
    corrected = cars(*many(100, "61000"), batch="3", as_of="2026-11-23")
    arrived = bureau.night(corrected, FUND)
    assert (late(arrived), price(arrived)) == (False, {6_100_000})


def test_a_held_batch_can_be_withdrawn(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(DEAR, FUND)
    bureau.decide(WITHDRAWN, DEAR)
    assert codes(bureau.night(DEAR, FUND)) == {"E-WITHDRAWN"}
    assert known(bureau) == [("1", True, False, True)]


def test_one_that_is_no_longer_used_can_be_withdrawn_without_harm(bureau: Bureau) -> None:
    bureau.night(WHOLE, FUND)
    bureau.night(GOOD, FUND)
    bureau.decide(WITHDRAWN, WHOLE)
    arrived = bureau.night(GOOD, FUND)
    assert (late(arrived), known(bureau)) == (False, [("3", True, False, False)])


@pytest.mark.parametrize("nights", [[[WHOLE], [GOOD], [ADDING]], [[WHOLE], [DEAR], [GOOD]], [[WHOLE, ADDING], [GOOD], []], [[WHOLE], [REMOVING], [ADDING]]])
def test_later_nights_are_as_if_it_had_never_come(tmp_path: Path, nights: list[list[Sent]]) -> None:
    """Withdrawing the batch of the second night, or a county that never got it: the nights after are the same."""
    second = nights[1][0]
    came, never = (Bureau(tmp_path / name, "ga_cheliang", "gjj_zhanghu") for name in ("came", "never"))
    for sent in nights:
        came.night(*sent, FUND)
        never.read(make_drop(never.folder / f"drop{never.nights}", *(one for one in sent if one is not second), FUND))
    came.decide(WITHDRAWN, second)
    for sent in ([], [cars(*many(110), batch="9", as_of="2026-11-24")]):
        one, other = came.night(*sent, FUND), never.night(*sent, FUND)
        assert late(one) == late(other)
        assert digest_of(one.files) == digest_of(other.files)
        assert rows_of(one) == rows_of(other)
