"""A made-up county on disk: files as the page has them, the truth beside them, the same bytes again, and the night after."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.county.dialect import dialect_of, dressings
from fixtures.county.dressing import Dresser
from fixtures.county.drop import Request, write
from fixtures.county.lives import lives_of
from fixtures.county.manifest import TROUBLES
from fixtures.county.options import following, make, written
from fixtures.county.order import Order
from fixtures.county.page import NIGHTLY, PAGE
from fixtures.county.people import people_of
from fixtures.county.rates import Noise
from verify.problems import UsageError

AS_OF = date(2026, 11, 20)
SMALL = Order(2_000, 80, 4, AS_OF)
MESSAGES = Path(__file__).resolve().parents[2] / "rules" / "messages" / "county.yaml"
PLAIN = frozenset(dressings())
QUIET = Noise("clean")


def county(folder: Path, order: Order = SMALL, noise: Noise | None = None, processes: int = 1) -> Path:
    written(make(order, noise or Noise(order.noise), folder, processes=processes), folder, lambda _: None)
    return folder


def night_after(folder: Path, out: Path, *late: str) -> Path:
    written(following(folder, out, late, processes=1), out, lambda _: None)
    return out


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return county(tmp_path_factory.mktemp("county") / "a")


@pytest.fixture(scope="module")
def second(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return night_after(first, tmp_path_factory.mktemp("next") / "b")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("clean")
    one = county(folder / "a", noise=QUIET)
    return one, night_after(one, folder / "b")


def listed(folder: Path) -> dict[str, dict[str, str]]:
    text = (folder / "drop" / "批次清单.csv").read_text(encoding="utf-8-sig")
    return {line["数据集"]: line for line in csv.DictReader(io.StringIO(text))}


def rows_of(folder: Path, extract: str) -> list[dict[str, str]]:
    """A file's rows as plain text, read without anything of the maker's."""
    path = folder / "drop" / listed(folder)[extract]["文件名"]
    if path.suffix == ".csv":
        raw = path.read_bytes().replace(b"\xff", b"?")
        text = raw.decode("gb18030") if extract in ("mz_zaixiang", "mz_hunyin", "bdc_fangwu", "ga_huji") else raw.decode("utf-8-sig")
        return [{name.strip(): cell for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_excel(path, infer_schema_length=0)
    return [{name.strip(): "" if cell is None else str(cell) for name, cell in row.items()} for row in frame.iter_rows(named=True)]


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def owners(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "truth" / "owners.parquet").with_columns(pl.col(pl.Categorical).cast(pl.String))


# --- the first night --------------------------------------------------------------------------------------------------


def test_the_list_names_every_file_with_its_rows_and_checksum(first: Path) -> None:
    lines = listed(first)
    assert list(lines) == list(PAGE)
    assert {p.name for p in (first / "drop").iterdir()} == {line["文件名"] for line in lines.values()} | {"批次清单.csv"}
    for extract, line in lines.items():
        assert line["校验值"] == hashlib.sha256((first / "drop" / line["文件名"]).read_bytes()).hexdigest()
        assert int(line["记录数"]) == len(rows_of(first, extract)), extract
        assert (line["模式"], line["数据时点"], line["批次号"]) == ("全量", "2026-11-20", f"{extract}-20261120")


def test_the_truth_tells_the_owner_of_every_row(first: Path) -> None:
    told = owners(first)
    for extract, line in listed(first).items():
        sides = len(PAGE[extract].sides)
        rows = told.filter(pl.col("extract") == extract)
        assert rows["file"].unique().to_list() == [line["文件名"]]
        assert sorted(rows["row"]) == sorted(list(range(1, int(line["记录数"]) + 1)) * sides)
    files = pl.read_parquet(first / "truth" / "files.parquet")
    assert files.select(pl.col("kept") + pl.col("refused") + pl.col("duplicate") == pl.col("received")).to_series().all()
    assert files["received"].to_list() == [int(line["记录数"]) for line in listed(first).values()]
    assert pl.read_parquet(first / "truth" / "persons.parquet").height == SMALL.persons


def test_the_truth_has_the_tables_and_columns_of_county_a(first: Path) -> None:
    sample = Path(__file__).resolve().parents[2] / "fixtures" / "county-a" / "truth"
    for path in sample.glob("*.parquet"):
        assert pl.read_parquet(first / "truth" / path.name).columns == pl.read_parquet(path).columns, path.name
    assert set(json.loads((sample / "args.json").read_text())) <= set(json.loads((first / "truth" / "args.json").read_text()))


def test_nothing_of_the_truth_lies_in_the_drop(first: Path) -> None:
    for extract in PAGE:
        columns = {name for row in rows_of(first, extract)[:1] for name in row}
        assert not {c for c in columns if c.startswith("true_") or c in ("pid", "uid", "trap", "like", "recoverable", "status")}


def test_the_same_order_gives_the_same_bytes_by_one_process_or_two(tmp_path: Path) -> None:
    order = Order(20_150, 40, 9, AS_OF, "hard")  # two blocks, the second a small one
    assert digests(county(tmp_path / "a", order)) == digests(county(tmp_path / "b", order, processes=2))


def test_another_seed_is_another_county(first: Path, tmp_path: Path) -> None:
    other = digests(county(tmp_path / "a", Order(2_000, 80, 5, AS_OF)))
    assert not set(other.values()) & set(digests(first).values())


def test_a_clean_county_is_the_world_as_it_is(clean: tuple[Path, Path]) -> None:
    people = people_of(SMALL, 0)
    world = lives_of(SMALL, 0, people)["sw_geshui"]
    due = {
        n: (name, number, f"{fen // 100}.{fen % 100:02d}")
        for n, name, number, fen in world.select("申报序号", "纳税人姓名", "纳税人识别号", "收入额").iter_rows()
    }
    assert {r["申报序号"]: (r["纳税人姓名"], r["纳税人识别号"], r["收入额"]) for r in rows_of(clean[0], "sw_geshui")} == due
    told = owners(clean[0])
    assert told["status"].unique().to_list() == ["ok"]
    assert told["trap"].unique().to_list() == [""]


# --- dressing ---------------------------------------------------------------------------------------------------------


def money(cell: str) -> int:
    """Fen, as the page says amounts are read."""
    text = re.sub(r"[,，元￥¥\s']", "", unicodedata.normalize("NFKC", cell))
    return int((Decimal(text) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def day(cell: str) -> date:
    """A date, in any of the page's forms."""
    parts = re.findall(r"\d+", unicodedata.normalize("NFKC", cell))
    if len(parts) == 1:
        parts = [parts[0][:4], parts[0][4:6], parts[0][6:]]
    return date(*map(int, parts))


def dressed(frame: pl.DataFrame, extract: str, seed: int) -> pl.DataFrame:
    draws, noise = Order(2_000, 0, seed, AS_OF).draws, Noise("hard")
    columns = tuple(column for column in frame.columns if column not in ("uid", "raw", "spoil"))
    return Dresser(dialect_of(extract, columns, draws, noise), draws, noise).texts(frame)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 10**13), st.dates(date(1900, 1, 1), date(2027, 12, 31))), min_size=1, max_size=200), st.integers(0, 10**6))
def test_dressing_never_changes_a_value(values: list[tuple[int, date]], seed: int) -> None:
    fen, days = zip(*values, strict=True)
    plain = {"uid": pl.Series(range(len(values)), dtype=pl.UInt64), "raw": pl.Series([None] * len(values), dtype=pl.String), "spoil": [""] * len(values)}
    number = pl.Series(["45999919800101001X"] * len(values))
    frame = pl.DataFrame({**plain, "收入额": pl.Series(fen, dtype=pl.Int64), "税款所属期起": days, "纳税人识别号": number})
    text = dressed(frame, "sw_geshui", seed)
    assert [money(cell) for cell in text["收入额"]] == list(fen)
    assert [day(cell) for cell in text["税款所属期起"]] == list(days)
    assert {unicodedata.normalize("NFKC", cell).strip(" '").upper() for cell in text["纳税人识别号"]} == {"45999919800101001X"}


def test_every_dressing_occurs_in_a_hard_county_and_none_in_a_plain_one() -> None:
    n = 4_000
    plain = {"uid": pl.Series(range(n), dtype=pl.UInt64), "raw": pl.Series([None] * n, dtype=pl.String), "spoil": [""] * n}
    fen = pl.Series(np.arange(n) * 777_777 + 123_456, dtype=pl.Int64)
    given_ = {"收入额": fen, "税款所属期起": [AS_OF] * n, "纳税人识别号": ["45999919800101001X"] * n, "费用": pl.Series([None] * n, dtype=pl.Int64)}
    frame = pl.DataFrame({**plain, **given_})
    text = dressed(frame, "sw_geshui", 1)
    for mark in ("￥", "元", ","):
        assert text["收入额"].str.contains(mark, literal=True).any(), mark
    assert text["收入额"].str.contains(r"\.\d{3}").any()
    assert text["收入额"].str.contains("[０-９]").any()
    numbers = text["纳税人识别号"]
    assert all(numbers.str.contains(mark).any() for mark in ("^'", "x$", "^ ", "\u3000"))
    assert len({re.sub(r"\d+", "9", cell.strip()) for cell in text["税款所属期起"]}) >= 4
    assert {"-", "—", "NULL", "null", "N/A", "无"} <= set(text["费用"].drop_nulls())
    draws, noise = SMALL.draws, Noise("hard", PLAIN)
    bare = Dresser(dialect_of("sw_geshui", tuple(given_), draws, noise), draws, noise).texts(frame)
    assert bare["税款所属期起"].unique().to_list() == ["2026-11-20"]
    assert bare["收入额"].str.contains(r"^\d+\.\d\d$").all()
    assert bare["费用"].is_null().all()


def test_a_row_spoilt_on_purpose_is_written_spoilt(first: Path) -> None:
    broken = owners(first).filter((pl.col("extract") == "rs_daiyu") & (pl.col("refused") == "negative"))["row"].to_list()
    rows = rows_of(first, "rs_daiyu")
    assert all(rows[at - 1]["发放金额"].startswith("-") for at in broken)
    struck = owners(first).filter((pl.col("refused") == "bytes") & (pl.col("side") != "女方"))
    files = [first / "drop" / line["文件名"] for line in listed(first).values() if line["文件名"].endswith(".csv")]
    assert struck.height == sum(path.read_bytes().count(b"\xff") for path in files)


# --- the next night ---------------------------------------------------------------------------------------------------


def test_twelve_files_come_again_as_they_were(first: Path, second: Path) -> None:
    before, now = listed(first), listed(second)
    for extract in PAGE:
        same = before[extract] == now[extract]
        assert same == (extract not in NIGHTLY), extract
        if same:
            name = now[extract]["文件名"]
            assert (first / "drop" / name).read_bytes() == (second / "drop" / name).read_bytes()
    modes = {extract: line["模式"] for extract, line in now.items()}
    assert [extract for extract in PAGE if modes[extract] == "增量"] == ["ga_cheliang", "rs_canbao", "sw_geshui"]


def test_a_constant_file_made_anew_has_the_same_bytes(first: Path, second: Path, tmp_path: Path) -> None:
    request = following(first, tmp_path / "b", processes=1)
    write(Request(request.order, request.noise, request.nights, None, 1), tmp_path / "b")
    assert digests(tmp_path / "b") == digests(second)


@pytest.mark.parametrize("extract", ["sw_geshui", "ga_cheliang", "rs_canbao"])
def test_changes_applied_to_what_was_known_give_the_world_of_the_next_night(clean: tuple[Path, Path], extract: str) -> None:
    page = PAGE[extract]

    def keyed(rows: list[dict[str, str]]) -> dict[tuple[str, ...], dict[str, str]]:
        return {tuple(row[column] for column in page.key): {c: v for c, v in row.items() if c != "操作"} for row in rows}

    known = keyed(rows_of(clean[0], extract))
    changes = rows_of(clean[1], extract)
    assert {row["操作"] for row in changes} == {"更新", "删除"}
    for row in changes:
        key = tuple(row[column] for column in page.key)
        if row["操作"] == "删除":
            known.pop(key)
            assert {c for c, v in row.items() if v} <= {*page.key, "操作"}
        else:
            known[key] = {c: v for c, v in row.items() if c != "操作"}
    tonight = Order(SMALL.persons, SMALL.cases, SMALL.seed, AS_OF + timedelta(days=1), "clean", 1)
    world = lives_of(tonight, 0, people_of(tonight, 0))[extract]
    assert len(known) == world.height
    assert set(known) == {tuple(map(str, key)) for key in world.select(page.key).iter_rows()}
    assert 0.002 < len(changes) / world.height < 0.03
    amount = {"sw_geshui": "收入额", "ga_cheliang": "GZJ", "rs_canbao": "缴费基数"}[extract]
    due = {tuple(map(str, row[:-1])): row[-1] for row in world.select(*page.key, amount).iter_rows()}
    assert {key: money(row[amount]) if row[amount] else None for key, row in known.items()} == due


def test_the_truth_of_the_next_night_holds_rows_of_both_nights(first: Path, second: Path) -> None:
    told = owners(second).filter(pl.col("extract") == "sw_geshui")
    count = dict(told.group_by("file", "status").len().select(pl.concat_str("file", "status", separator=" "), "len").iter_rows())
    old, new = listed(first)["sw_geshui"]["文件名"], listed(second)["sw_geshui"]["文件名"]
    assert count[f"{old} ok"] > 0.9 * told.height
    assert count[f"{old} superseded"] >= count[f"{new} delete"] > 0
    assert told.filter(pl.col("file") == new).height == int(listed(second)["sw_geshui"]["记录数"])
    assert told.filter(pl.col("file") == old).height == int(listed(first)["sw_geshui"]["记录数"])


def test_a_late_extract_stays_away_and_a_ledger_comes_whole_afterwards(first: Path, tmp_path: Path) -> None:
    gap = night_after(first, tmp_path / "b", "rs_canbao", "mz_zaixiang")
    assert set(PAGE) - set(listed(gap)) == {"rs_canbao", "mz_zaixiang"}
    files = {row["extract"]: row for row in pl.read_parquet(gap / "truth" / "files.parquet").iter_rows(named=True)}
    assert (files["rs_canbao"]["state"], files["rs_canbao"]["file"], files["yb_jiesuan"]["state"]) == ("late", None, "unchanged")
    after = listed(night_after(gap, tmp_path / "c"))
    assert (after["rs_canbao"]["模式"], after["sw_geshui"]["模式"]) == ("全量", "增量")
    assert after["mz_zaixiang"] == listed(first)["mz_zaixiang"]


def test_a_file_may_come_to_grief_in_many_ways(first: Path, tmp_path: Path) -> None:
    struck = dict(zip(("ga_jiguan", "cl_canji", "gjj_zhanghu", "sw_geshui", "rh_cunkuan", "yb_jiesuan", "jr_zhengquan", "rs_daiyu"), TROUBLES, strict=True))
    grief = night_after(first, tmp_path / "b", *(f"{extract}:{trouble}" for extract, trouble in struck.items()))
    lines, drop = listed(grief), grief / "drop"
    where = {trouble: extract for extract, trouble in struck.items()}
    assert {where["absent"], where["unlisted"]} == set(PAGE) - set(lines)
    assert not (drop / lines[where["missing"]]["文件名"]).exists()
    assert list(drop.glob(f"{where['unlisted']}_*"))
    for trouble in ("truncated", "checksum"):
        line = lines[where[trouble]]
        assert hashlib.sha256((drop / line["文件名"]).read_bytes()).hexdigest() != line["校验值"]
    assert rows_of(grief, where["empty"]) == []
    assert int(lines[where["count"]]["记录数"]) != len(rows_of(grief, where["count"]))
    assert "字段一" in rows_of(grief, where["header"])[0]
    late = pl.read_parquet(grief / "truth" / "files.parquet").filter(pl.col("state") == "late")["extract"]
    assert set(late) == set(struck)
    again = listed(night_after(grief, tmp_path / "c"))
    assert {extract: again[extract] for extract in struck if extract not in NIGHTLY} == {x: listed(first)[x] for x in struck if x not in NIGHTLY}


# --- what cannot be made ----------------------------------------------------------------------------------------------


def codes(error: pytest.ExceptionInfo[UsageError]) -> set[str]:
    return {problem.code for problem in error.value.problems}


@pytest.mark.parametrize(
    ("code", "order", "noise", "processes"),
    [
        ("E-COUNTY-PERSONS", Order(99, 0, 1, AS_OF), QUIET, 1),
        ("E-COUNTY-PERSONS", Order(-5, 0, 1, AS_OF), QUIET, 1),
        ("E-COUNTY-CASES", Order(1_000, 126, 1, AS_OF), QUIET, 1),
        ("E-COUNTY-CASES", Order(1_000, -1, 1, AS_OF), QUIET, 1),
        ("E-COUNTY-CASES", Order(10_000_000, 400_000, 1, AS_OF), QUIET, 1),
        ("E-COUNTY-SEED", Order(1_000, 1, -1, AS_OF), QUIET, 1),
        ("E-COUNTY-DATE", Order(1_000, 1, 1, date(2024, 12, 31)), QUIET, 1),
        ("E-COUNTY-DATE", Order(1_000, 1, 1, date(2028, 1, 1)), QUIET, 1),
        ("E-COUNTY-NOISE", Order(1_000, 1, 1, AS_OF), Noise("loud"), 1),
        ("E-COUNTY-KIND", Order(1_000, 1, 1, AS_OF), Noise("hard", frozenset({"digits"})), 1),
        ("E-COUNTY-PROCESSES", Order(1_000, 1, 1, AS_OF), QUIET, 0),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, code: str, order: Order, noise: Noise, processes: int) -> None:
    with pytest.raises(UsageError) as error:
        make(order, noise, tmp_path / "out", processes=processes)
    assert codes(error) == {code}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("code", "late"),
    [
        ("E-COUNTY-EXTRACT", ("rs_nowhere",)),
        ("E-COUNTY-TROUBLE", ("rs_daiyu:burnt",)),
        ("E-COUNTY-TROUBLE", ("rs_canbao:empty",)),
        ("E-COUNTY-TWICE", ("rs_daiyu", "rs_daiyu:count")),
        ("E-COUNTY-ALL-LATE", tuple(PAGE)),
    ],
)
def test_a_lateness_that_cannot_be_is_refused(first: Path, tmp_path: Path, code: str, late: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as error:
        following(first, tmp_path / "out", late)
    assert codes(error) == {code}


def test_a_folder_with_anything_in_it_is_left_alone(first: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(UsageError) as error:
        make(SMALL, QUIET, tmp_path)
    assert codes(error) == {"E-COUNTY-OUT"}
    with pytest.raises(UsageError) as error:
        make(SMALL, QUIET, tmp_path / "diary.txt")
    assert codes(error) == {"E-COUNTY-OUT-FILE"}
    with pytest.raises(UsageError) as error:
        following(first, first, force=True)
    assert codes(error) == {"E-COUNTY-SAME"}
    with pytest.raises(UsageError) as error:
        following(tmp_path, tmp_path / "next")
    assert codes(error) == {"E-COUNTY-NONE"}
    assert [p.name for p in tmp_path.iterdir()] == ["diary.txt"]


def test_force_replaces_the_county_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a" / "drop").mkdir(parents=True)
    (tmp_path / "a" / "drop" / "old.csv").write_text("old")
    (tmp_path / "a" / "diary.txt").write_text("mine")
    request = make(Order(500, 10, 1, AS_OF), QUIET, tmp_path / "a", force=True, processes=1)
    assert written(request, tmp_path / "a", lambda _: None)["files"] == len(PAGE)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["diary.txt", "drop", "truth"]
    assert not (tmp_path / "a" / "drop" / "old.csv").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a"], "nothing half-made is left beside it"


def test_a_disk_that_does_not_let_us_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as error:
        written(make(Order(500, 10, 1, AS_OF), QUIET, tmp_path / "new"), tmp_path / "file" / "out", lambda _: None)
    assert codes(error) == {"E-COUNTY-WRITE"}


def test_every_code_of_the_catalogue_is_raised_here_and_said_in_both_languages() -> None:
    entries = yaml.safe_load(MESSAGES.read_text(encoding="utf-8"))
    told = {entry["message"]: entry for entry in entries if "message" in entry}
    assert set(told) == set(re.findall(r"E-COUNTY-[A-Z-]*[A-Z]", Path(__file__).read_text(encoding="utf-8")))
    for entry in told.values():
        assert all(entry[language][part] for language in ("zh", "en") for part in ("what", "why", "mend"))
