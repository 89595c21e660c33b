"""Drift guards: an ordinary next night passes, whatever its order and a tenth of rows more or less; a slip is held."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests import tables
from tests.altered import LIST, Change, altered
from tests.small_drops import CARS, ZHANG, Bureau, Sent, car, cars, codes, csv_of
from tests.test_cli import hedui
from verify.archive import Archive
from verify.batches import read_batches
from verify.guards import percent, seen
from verify.model import Arrived
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.stages.read import Shelf, read

DROPS = Path(__file__).resolve().parents[2] / "fixtures"
RIGHT = "11010519491231002X"
TEXT_FILES = [
    "bdc_fangwu", "cl_canji", "ga_huji", "ga_jiguan", "gjj_zhanghu", "jr_zhengquan", "mz_chengyuan", "mz_hunyin", "mz_shenqing", "mz_zaixiang",
    "rh_cunkuan", "rs_daiyu", "sc_zhuti", "sw_geshui", "yb_jiesuan", "mz_huohua", "ga_cheliang",
]  # fmt: skip


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(rules_folder())


@pytest.fixture(scope="module")
def first(book: Rulebook, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The made-up county's first night, as far as reading."""
    folder = tmp_path_factory.mktemp("first")
    shelf = Shelf(folder / "archive", folder / "work", None)
    arrived = read(DROPS / "county-a" / "drop", book, shelf=shelf)
    assert held(arrived) == []
    return Shelf(shelf.archive, folder / "next", arrived.batches)


def held(arrived: Arrived) -> list[tuple[str, str, str | None]]:
    """Extract, code and column of everything a guard has stopped."""
    told = tables.table(arrived.troubles).filter(pl.col("code").str.starts_with("E-HELD")).select("extract", "code", "detail").rows()
    return [(extract, code, json.loads(detail).get("column")) for extract, code, detail in told]


def renumbered(drop: Path, extracts: Iterable[str], as_of: str) -> Path:
    """A drop in which some extracts come as new batches of another day."""
    lines = list(csv.reader(io.StringIO((drop / LIST).read_text(encoding="utf-8-sig"))))
    for line in lines[1:]:
        if line[1] in extracts:
            line[3], line[4] = f"{line[1]}-next", as_of
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    (drop / LIST).write_text(text.getvalue(), encoding="utf-8-sig")
    return drop


def the_next(first: Shelf, book: Rulebook, to: Path, changes: dict[str, Change | None], as_of: str = "2026-11-21") -> Arrived:
    """The next night: the first one's drop with some extracts changed, those under new batch numbers."""
    drop = renumbered(altered(DROPS / "county-a" / "drop", to / "drop", changes), changes, as_of)
    return read(drop, book, shelf=Shelf(first.archive, to / "work", first.batches), as_of=date(2026, 11, 21))


def test_an_ordinary_next_night_is_not_held(first: Shelf, book: Rulebook) -> None:
    arrived = read(DROPS / "county-a-next" / "drop", book, shelf=first)
    assert held(arrived) == []
    assert not arrived.incomplete


def test_nor_are_the_nights_of_another_made_up_county(book: Rulebook, tmp_path: Path) -> None:
    """Its first changes are held against a whole state, which is made up otherwise than they are."""
    made = ["make", "--out", tmp_path / "1", "--as-of", "2026-11-20", "--persons", "4000", "--noise", "hard"]
    nexts = [["next", tmp_path / str(at - 1), "--out", tmp_path / str(at)] for at in (2, 3)]
    shelf = Shelf(tmp_path / "archive", tmp_path / "work", None)
    for at, words in enumerate([made, *nexts], start=1):
        assert hedui("county", *words).returncode == 0
        arrived = read(tmp_path / str(at) / "drop", book, shelf=shelf)
        assert held(arrived) == []
        shelf = Shelf(shelf.archive, tmp_path / f"work{at}", arrived.batches)


def fewer(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_row_index("n").filter(pl.col("n") % 10 != 3).drop("n")


def more(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, rows.head(rows.height // 10)])


@pytest.mark.parametrize("change", [fewer, more])
@pytest.mark.parametrize("seed", [1, 2])
def test_nor_is_one_with_other_rows_in_another_order(first: Shelf, book: Rulebook, tmp_path: Path, change: Change, seed: int) -> None:
    def shaken(rows: pl.DataFrame) -> pl.DataFrame:
        columns = list(rows.columns)
        random.Random(seed).shuffle(columns)
        return change(rows).sample(fraction=1, shuffle=True, seed=seed).select(columns)

    arrived = the_next(first, book, tmp_path, dict.fromkeys(TEXT_FILES, shaken))
    assert held(arrived) == []
    assert not arrived.incomplete
    assert "N-HEADER-ORDER" in set(tables.table(arrived.troubles)["code"])


def times(column: str, number: int, by: int = 1) -> Change:
    value = pl.col(column).str.replace_all("[,元￥]", "").cast(pl.Decimal(38, 8), strict=False) * number / by
    return lambda rows: rows.with_columns(value.cast(pl.Decimal(38, 6)).cast(pl.String).alias(column))


def emptied(column: str, every: int) -> Change:
    return lambda rows: rows.with_row_index("n").with_columns(pl.when(pl.col("n") % every > 0).then(column).alias(column)).drop("n")


def cut_short(column: str) -> Change:
    return lambda rows: rows.with_columns(pl.col(column).str.slice(0, 16))


def half(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.head(rows.height // 2)


def twice(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, rows])


SLIPS: list[tuple[str, Change, tuple[str, str | None]]] = [
    ("rh_cunkuan", times("余额合计", 1, 10_000), ("E-HELD-MEDIAN", "余额合计")),
    ("rh_cunkuan", times("余额合计", 10_000), ("E-HELD-MEDIAN", "余额合计")),
    ("sw_geshui", times("收入额", 100), ("E-HELD-MEDIAN", "收入额")),
    ("yb_jiesuan", times("总费用", 1, 100), ("E-HELD-MEDIAN", "总费用")),
    ("sc_zhuti", times("注册资本", 10_000), ("E-HELD-MEDIAN", "注册资本")),
    ("bdc_fangwu", times("建筑面积", 100), ("E-HELD-MEDIAN", "建筑面积")),
    ("bdc_fangwu", half, ("E-HELD-ROWS", None)),
    ("bdc_fangwu", twice, ("E-HELD-ROWS", None)),
    ("yb_jiesuan", emptied("证件号码", 2), ("E-HELD-EMPTY", "证件号码")),
    ("ga_cheliang", emptied("SYR", 3), ("E-HELD-EMPTY", "SYR")),
    ("ga_huji", cut_short("公民身份号码"), ("E-HELD-IDS", "公民身份号码")),
    ("rs_daiyu", emptied("发放金额", 2), ("E-HELD-REFUSED", None)),
    ("ga_cheliang", lambda rows: rows.rename({"GZJ": "GZJG"}), ("E-HELD-HEADER", None)),
    ("ga_huji", lambda rows: rows.drop("曾用名"), ("E-HELD-HEADER", None)),
]


@pytest.mark.parametrize("case", SLIPS, ids=[f"{e}-{f[0]}-{at}" for at, (e, _, f) in enumerate(SLIPS)])
def test_a_slip_is_held(first: Shelf, book: Rulebook, tmp_path: Path, case: tuple[str, Change, tuple[str, str | None]]) -> None:
    extract, slip, found = case
    arrived = the_next(first, book, tmp_path, {extract: slip})
    assert (extract, *found) in held(arrived)
    assert {name for name, _, _ in held(arrived)} == {extract}
    assert arrived.known[extract].late
    assert arrived.incomplete
    line = tables.table(arrived.files).filter(pl.col("extract") == extract)
    assert line.select("kept", "state").rows() == [(0, "refused")]
    assert line["received"].to_list() == line["refused"].to_list()


def test_an_older_date_is_held(first: Shelf, book: Rulebook, tmp_path: Path) -> None:
    arrived = the_next(first, book, tmp_path, {"bdc_fangwu": lambda rows: rows}, as_of="2026-11-19")
    assert held(arrived) == [("bdc_fangwu", "E-HELD-DATE", None)]


def test_nothing_of_a_person_is_told(first: Shelf, book: Rulebook, tmp_path: Path) -> None:
    arrived = the_next(first, book, tmp_path, {"rh_cunkuan": times("余额合计", 10_000), "ga_huji": cut_short("公民身份号码")})
    told = tables.table(arrived.troubles).filter(pl.col("code").str.starts_with("E-HELD"))["detail"].to_list()
    assert {"column", "before", "now", "limit"} in [set(json.loads(one)) for one in told]
    assert not any(len(word) > 6 for one in told for word in pl.Series([one]).str.extract_all(r"\d+").item())


# --- a first batch, small ones, and changes ---------------------------------------------------------------------------


def many(count: int, price: str = "50000", owner: str = RIGHT, start: int = 0) -> list[list[str]]:
    return [car(f"桂A{at:05}", price, owner) for at in range(start, start + count)]


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def changed(rows: Sequence[list[str]], what: str, batch: str, as_of: str = "2026-11-21") -> Sent:
    return cars(*[[*row, what] for row in rows], header=[*CARS, "操作"], batch=batch, as_of=as_of, mode="增量")


@pytest.mark.parametrize(("sent", "code"), [(cars(*many(100, owner="91450100MA5K")), "E-HELD-IDS"), (cars(*many(30), as_of="2024-01-01"), "E-HELD-DATE")])
def test_of_a_first_batch_only_ids_and_date_are_asked(tmp_path: Path, sent: Sent, code: str) -> None:
    bureau = Bureau(tmp_path, "ga_cheliang", "gjj_zhanghu")
    fund = Sent("gjj_zhanghu", csv_of([["个人账号", "姓名", "身份证号"], ["1", "张三", ZHANG]]), 1)
    assert codes(bureau.night(sent, fund)) == {code}


def test_a_few_rows_say_nothing(bureau: Bureau) -> None:
    bureau.night(cars(*many(19)))
    assert codes(bureau.night(cars(car("桂B1", "1", ""), batch="2", as_of="2026-11-21"))) == set()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (changed(many(90), "删除", "2"), "E-HELD-REMOVED"),
        (changed(many(40, "5"), "更新", "2"), "E-HELD-MEDIAN"),
    ],
)
def test_changes_are_guarded_too(bureau: Bureau, sent: Sent, code: str) -> None:
    bureau.night(cars(*many(200)))
    assert codes(bureau.night(sent)) == {code}


def test_changes_that_become_fifty_times_as_many(bureau: Bureau) -> None:
    bureau.night(cars(*many(100)))
    bureau.night(changed(many(20), "更新", "2"))
    assert codes(bureau.night(changed(many(1_001), "更新", "3", "2026-11-22"))) == {"E-HELD-ROWS"}


def test_a_limit_is_changed_in_the_rule_file(bureau: Bureau) -> None:
    page = next((bureau.folder / "rules").glob("*.yaml"))
    page.write_text(page.read_text(encoding="utf-8").replace("ids_at_first: 300", "rows_shrink: 900"), encoding="utf-8")
    bureau.book = load_rulebook(page.parent)
    bureau.night(cars(*many(100)))
    assert codes(bureau.night(cars(*many(11), batch="2"))) == set()
    assert codes(bureau.night(cars(*many(300), batch="3"))) == set()  # 11 are too few to compare with


# --- the profile ------------------------------------------------------------------------------------------------------


def test_a_profile_counts_what_is_there(bureau: Bureau) -> None:
    dear = [car("桂A1", "3"), car("桂A2", "1"), car("桂A3", "0"), car("桂A4", "2", "450102900307123")]
    bureau.night(cars(*dear, car("桂A5", "", ""), car("桂A5", "", ""), ["", *car("x")[1:]]))
    (batch,) = read_batches(bureau.before)["ga_cheliang"]
    found = seen(batch, Archive(bureau.folder / "archive")).profile
    assert found is not None
    assert [found.of(name) for name in ("received", "rows", "refused", "removed")] == [7, 5, 1, 0]
    assert [found.of("empty", name) for name in ("HPHM", "SFZMHM", "GZJ")] == [0, 1, 1]
    assert (found.of("valid", "SFZMHM"), found.columns("valid")) == (1, ["SFZMHM"])
    assert (found.of("amounts", "GZJ"), found.of("median", "GZJ")) == (3, 200)
    assert found.columns("place") == CARS


@pytest.mark.parametrize(("per_mille", "text"), [(0, "0.0%"), (7, "0.7%"), (123, "12.3%"), (1000, "100.0%")])
def test_shares_are_told_as_people_read_them(per_mille: int, text: str) -> None:
    assert percent(per_mille) == text


