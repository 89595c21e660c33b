"""Reading a drop: what is kept, what repeats, what changes bring, and which extract is late on which night."""

from __future__ import annotations

import dataclasses
import random
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.small_drops import CARS, LI, ZHANG, Bureau, Sent, car, cars, codes, csv_of, make_drop, plates, refused, rows_of, states, xlsx_of
from tests.tables import known_rows, table
from verify.rulebook import load_rulebook
from verify.store_files import digest_of

WHOLE = cars(car("桂A1"), car("桂A2"), batch="1")


def changes(*rows: list[str], batch: str, as_of: str) -> Sent:
    """Changes of vehicles: every row says in 操作 whether it removes."""
    return cars(*rows, header=[*CARS, "操作"], batch=batch, as_of=as_of, mode="增量")


def upsert(plate: str, price: str) -> list[str]:
    return [*car(plate, price), "更新"]


def gone(plate: str) -> list[str]:
    return [plate, "02", "", "", "", "", "删除"]


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def counts(bureau: Bureau, *sent: Sent) -> list[tuple[int, ...]]:
    files = table(bureau.night(*sent).files)
    return files.select("received", "kept", "refused", "duplicate").rows()


def test_a_repeated_row_is_a_duplicate_as_read_not_as_written(bureau: Bureau) -> None:
    again = ["桂A1 ", "０２", f"'{ZHANG}", " 张三", "A", "￥50,000.00元"]
    assert counts(bureau, cars(car("桂A1"), again, car("桂A1", "1"), ["", "02", ZHANG, "张三", "A", "1"])) == [(4, 2, 1, 1)]


def test_an_equal_key_with_other_content_is_kept_with_a_warning(bureau: Bureau) -> None:
    arrived = bureau.night(cars(car("桂A1"), car("桂A1", "1"), car("桂A2")))
    assert table(arrived.warnings).select("row", "column", "code").rows() == [(2, "HPZL+HPHM", "W-KEY")]


def test_rows_without_a_key_are_never_duplicates(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, "ga_huji")
    header = ["户号", "姓名", "公民身份号码"]
    wrong, right = "450102199003071234", "11010519491231002X"
    rows = [["1", "张三", wrong], ["1", "张三", wrong], ["1", "李四", ""], ["1", "李四", ""], ["1", "王五", right], ["1", "王五", right.lower()]]
    assert counts(bureau, Sent("ga_huji", csv_of([header, *rows], "gb18030"), 6)) == [(6, 5, 0, 1)]


def test_the_rows_known_are_typed_and_name_their_file_and_row(bureau: Bureau) -> None:
    arrived = bureau.night(cars(["桂A1", "02", ZHANG, "张三", "A", "1.005"], ["桂A2", "9", "", "李四", "A", "不详"]))
    rows = known_rows(arrived, "ga_cheliang")
    assert rows.columns[:3] == ["_file", "_row", "_as_of"]
    assert rows.select("_file", "_row", "_as_of", "GZJ", "CCDJRQ").rows() == [
        ("ga_cheliang_1.csv", 1, date(2026, 11, 20), 101, None),
        ("ga_cheliang_1.csv", 2, date(2026, 11, 20), None, None),
    ]
    assert table(arrived.warnings).select("row", "column", "code").rows() == [(2, "GZJ", "W-TEXT"), (2, "HPZL", "W-CODE")]
    assert codes(arrived) == {"W-CODE"}


def test_workbooks_bring_dates_as_cells_and_as_serials(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, "mz_huohua")
    died = datetime(2026, 11, 2)  # noqa: DTZ001 - a cell of a workbook has no zone
    book = xlsx_of([["火化证号", "身份证号", "死亡日期"], ["H1", ZHANG, died], ["H2", LI, 46328], ["H3", "", "2026年11月2日"], ["H4", ZHANG, "没有"]])
    arrived = bureau.night(Sent("mz_huohua", book, 4, file="d.xlsx"))
    assert refused(arrived) == [(3, "E-NOBODY", None), (4, "E-REQUIRED", "死亡日期")]
    assert set(known_rows(arrived, "mz_huohua")["死亡日期"]) == {date(2026, 11, 2)}


def test_parquet_floats_are_exact_to_the_fen(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, "rs_canbao")
    sent = pl.DataFrame(
        {"社会保障号码": [ZHANG] * 4, "险种": ["失业"] * 4, "缴费月份": [202607, 202608, 202609, 202610], "缴费基数": [42.9, 0.1 + 0.2, 1e7, None]}
    )
    sent.write_parquet(tmp_path / "t.parquet")
    arrived = bureau.night(Sent("rs_canbao", (tmp_path / "t.parquet").read_bytes(), 4, file="p.parquet"))
    assert known_rows(arrived, "rs_canbao")["缴费基数"].to_list() == [4_290, 30, 1_000_000_000]
    assert refused(arrived) == [(4, "E-REQUIRED", "缴费基数")]


def test_changes_replace_add_and_remove(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    arrived = bureau.night(changes(upsert("桂A1", "1"), gone("桂A2"), upsert("桂A3", "3"), upsert("桂A3", "4"), batch="2", as_of="2026-11-21"))
    assert plates(arrived) == [("桂A1", 100), ("桂A3", 400)]
    assert table(arrived.files).select("received", "kept", "state").rows() == [(4, 4, "loaded")]
    assert arrived.as_of == date(2026, 11, 21)
    assert not arrived.known["ga_cheliang"].late


def test_the_last_of_a_key_holds_even_where_it_repeats_an_earlier_row(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    arrived = bureau.night(changes(upsert("桂A1", "7"), gone("桂A1"), upsert("桂A1", "7"), gone("桂A2"), batch="2", as_of="2026-11-21"))
    assert plates(arrived) == [("桂A1", 700)]


def test_rows_of_two_files_with_one_name_are_told_apart(bureau: Bureau) -> None:
    bureau.night(dataclasses.replace(WHOLE, file="cars.csv"))
    arrived = bureau.night(dataclasses.replace(changes(upsert("桂A3", "1"), batch="2", as_of="2026-11-21"), file="cars.csv"))
    rows = known_rows(arrived, "ga_cheliang")
    assert rows.select("_file", "_row").rows() == [("cars.csv", 1), ("cars.csv#1", 1), ("cars.csv#1", 2)]


def test_a_removal_needs_its_key(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    arrived = bureau.night(changes(["桂A2", "", "", "", "", "", "删除"], batch="2", as_of="2026-11-21"))
    assert refused(arrived) == [(1, "E-REQUIRED", "HPZL")]
    assert len(plates(arrived)) == 2


def test_a_whole_state_replaces_all_that_was_known(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    assert plates(bureau.night(cars(car("桂Z1"), batch="2"))) == [("桂Z1", 5_000_000)]


def test_two_whole_states_of_one_day_are_both_refused_for_one_would_swallow_the_other(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    half = dataclasses.replace(cars(car("桂Z1"), batch="2"), as_of="2026-11-21", file="a.csv")
    rest = dataclasses.replace(cars(car("桂Z2"), batch="3"), as_of="2026-11-21", file="b.csv")
    arrived = bureau.night(half, rest)
    assert (states(arrived), codes(arrived)) == (["refused"] * 2, {"E-WHOLE-TWICE"})
    assert len(plates(arrived)) == 2
    assert arrived.known["ga_cheliang"].late
    assert codes(bureau.night(half, dataclasses.replace(half, batch="3", file="c.csv"))) == set()
    assert plates(bureau.night(half, dataclasses.replace(rest, batch="4"))) == [("桂Z2", 5_000_000)]  # corrected on another night


def test_a_withdrawn_whole_state_contradicts_nothing(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    bureau.decide("withdrawn", WHOLE)
    arrived = bureau.night(WHOLE, dataclasses.replace(cars(car("桂Z1"), batch="2"), file="b.csv"))
    assert (codes(arrived), plates(arrived)) == ({"E-WITHDRAWN"}, [("桂Z1", 5_000_000)])


def test_a_whole_state_in_several_files_is_the_first_whole_and_the_others_changes(bureau: Bureau) -> None:
    first = dataclasses.replace(cars(car("桂Z1"), batch="1"), file="a.csv")
    second = dataclasses.replace(cars(car("桂Z2"), batch="2"), file="b.csv", mode="增量")
    arrived = bureau.night(first, second)
    assert plates(arrived) == [("桂Z1", 5_000_000), ("桂Z2", 5_000_000)]
    assert not arrived.known["ga_cheliang"].late


def test_the_same_batch_again_is_unchanged_and_never_late(bureau: Bureau) -> None:
    bad_row = ["", "02", ZHANG, "张三", "A", ""]
    sent = cars(car("桂A1"), car("桂A1"), bad_row)
    first, second = bureau.night(sent), bureau.night(sent)
    assert (states(first), states(second)) == (["loaded"], ["unchanged"])
    assert refused(first) == refused(second) == [(3, "E-REQUIRED", "HPHM")]
    assert rows_of(first) == rows_of(second)
    assert not second.known["ga_cheliang"].late
    assert not second.incomplete


def test_a_batch_number_stands_for_one_content(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    arrived = bureau.night(cars(car("桂Z1"), batch="1"))
    assert codes(arrived) == {"E-BATCH-AGAIN"}
    assert len(plates(arrived)) == 2


def test_a_missed_change_keeps_the_extract_late_until_its_next_whole_state(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    missed = bureau.night(dataclasses.replace(changes(gone("桂A1"), batch="2", as_of="2026-11-21"), checksum="wrong"))
    assert missed.known["ga_cheliang"].late
    after = bureau.night(changes(upsert("桂A3", "1"), batch="3", as_of="2026-11-22"))
    assert states(after) == ["loaded"]
    assert codes(after) == {"E-GAP"}
    assert after.known["ga_cheliang"].late
    healed = bureau.night(cars(car("桂Z1"), batch="4", as_of="2026-11-23"))
    assert not healed.known["ga_cheliang"].late
    assert codes(healed) == set()


def test_a_night_without_the_extract_is_late_and_its_rows_stay(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, "ga_cheliang", "gjj_zhanghu")
    bureau.night(WHOLE)
    fund = Sent("gjj_zhanghu", csv_of([["个人账号", "姓名", "身份证号"], ["1", "张三", ZHANG]]), 1)
    arrived = bureau.night(fund)
    assert table(arrived.files).select("extract", "file", "state").rows() == [
        ("ga_cheliang", None, "late"),
        ("gjj_zhanghu", "gjj_zhanghu_1.csv", "loaded"),
    ]
    assert arrived.known["ga_cheliang"].late
    assert len(plates(arrived)) == 2
    assert not bureau.night(WHOLE, fund).known["ga_cheliang"].late


def people(*rows: list[str], **said: str) -> list[Sent]:
    header = ["申请编号", "序号", "姓名", "身份证号", "与申请人关系", "人员身份", "授权状态"]
    case = [["申请编号", "城乡类别", "申请人姓名", "申请人身份证号"], ["S1", "城镇", "张三", ZHANG]]
    return [
        Sent("mz_chengyuan", xlsx_of([header, *rows]), len(rows), file="m.xlsx", **said),
        Sent("mz_shenqing", xlsx_of(case), 1, file="c.xlsx"),
    ]


def test_refused_people_are_told_with_their_case_as_long_as_their_list_is_used(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, "ga_cheliang", "mz_chengyuan", "mz_shenqing")
    me = ["S1", "1", "张三", ZHANG, "本人", "共同生活成员", "有效"]
    bad = ["S1", "二", "李四", LI, "配偶", "共同生活成员", "有效"]
    lost = ["", "3", "李五", "", "子", "共同生活成员", "有效"]
    for sent in (people(me, bad, lost), [WHOLE]):
        arrived = bureau.night(*sent)
        doubtful = table(arrived.roster_refused).select("row", "case_id").rows()
        assert doubtful == [(2, "S1"), (3, None)]
    assert arrived.known["mz_chengyuan"].late
    assert arrived.known["mz_chengyuan"].usable


def test_the_order_of_rows_and_lines_changes_nothing(tmp_path: Path) -> None:
    lines = [WHOLE, changes(upsert("桂A1", "1"), batch="2", as_of="2026-11-21"), changes(gone("桂A1"), batch="3", as_of="2026-11-22")]
    found = set()
    for seed in range(3):
        bureau = Bureau(tmp_path / str(seed))
        random.Random(seed).shuffle(lines)
        arrived = bureau.read(make_drop(tmp_path / f"drop{seed}", *lines))
        found.add((digest_of(arrived.files), digest_of(arrived.batches), rows_of(arrived)))
    assert len(found) == 1


def test_a_changed_layout_reads_the_file_anew(bureau: Bureau) -> None:
    bureau.night(WHOLE)
    page = next((bureau.folder / "rules").glob("*.yaml"))
    page.write_text(page.read_text(encoding="utf-8").replace("{column: GZJ, type: money}", "{column: GZJ, type: money, unit: 万元}"), encoding="utf-8")
    changed = Bureau(bureau.folder / "new")
    changed.folder, changed.before, changed.nights = bureau.folder, bureau.before, 5
    changed.book = load_rulebook(bureau.folder / "rules")
    arrived = changed.night(WHOLE)
    assert states(arrived) == ["unchanged"]
    assert plates(arrived) == [("桂A1", 50_000_000_000), ("桂A2", 50_000_000_000)]
