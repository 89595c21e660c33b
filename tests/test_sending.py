"""A department's own check: the workbook it mends its file by, and whether the next night would hold the file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import fastexcel
import pytest

from tests.altered import altered
from tests.small_drops import LI, ZHANG, car, cars
from tests.stages.test_guards import cut_short, half
from tests.test_cli import DROP, hedui
from verify import Home

HEADS = ["行号", "表格里的行（表头在第1行时）", "列", "代码", "原因", "怎样改"]


def check(file: Path, code: str, *words: object) -> subprocess.CompletedProcess[str]:
    return hedui("extract", "check", file, "--as", code, *words)


def lines(book: Path) -> list[tuple[str | None, ...]]:
    """The one sheet of a workbook, its header first."""
    read = fastexcel.read_excel(book)
    assert read.sheet_names == ["拒收的行"]
    return read.load_sheet(0, header_row=None, dtypes="string").to_polars().rows()


def test_each_refused_row_stands_in_the_workbook_by_its_own_number(tmp_path: Path) -> None:
    rows = [car("桂A1"), ["", "02", ZHANG, "张三", "A", "1"], car("桂A3"), ["桂A4", "02", LI, "李四", "A", "-1"]]
    (tmp_path / "c.csv").write_bytes(cars(*rows).data)
    said = check(tmp_path / "c.csv", "ga_cheliang", "--workbook", tmp_path / "out.xlsx")
    assert said.returncode == 3
    head, *found = lines(tmp_path / "out.xlsx")
    assert [str(text).split("\n")[0] for text in head] == HEADS
    assert [line[:4] for line in found] == [("2", "3", "HPHM", "E-REQUIRED"), ("4", "5", "GZJ", "E-NEGATIVE")]
    assert found[0][4:] == ("必填的“HPHM”没有值或读不出", "请提交机构补上")
    text = (tmp_path / "out.xlsx").read_bytes()
    first = check(tmp_path / "c.csv", "ga_cheliang", "--workbook", tmp_path / "again.xlsx")
    assert first.returncode == 3
    assert (tmp_path / "again.xlsx").read_bytes() == text
    assert not any(secret in str(found) for secret in (ZHANG, LI, "张三", "李四", "桂A"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.xlsx", "c.csv", "out.xlsx"]


def test_nothing_refused_and_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes(cars(car("桂A1")).data)
    assert check(tmp_path / "c.csv", "ga_cheliang", "--workbook", tmp_path / "out.xlsx").returncode == 0
    assert lines(tmp_path / "out.xlsx")[1][0] == "没有记录"
    (tmp_path / "d.csv").write_bytes(cars(car("桂A1")[1:], header=["HPZL", "SFZMHM", "SYR", "ZT", "GZJ"]).data)
    assert check(tmp_path / "d.csv", "ga_cheliang", "--workbook", tmp_path / "out.xlsx").returncode == 10
    assert [line[3] for line in lines(tmp_path / "out.xlsx")[1:]] == ["E-DRIFT"]


@pytest.mark.parametrize("place", ["nowhere/out.xlsx", "folder"])
def test_a_workbook_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    said = check(DROP / "ga_jiguan_20261120.csv", "ga_jiguan", "--workbook", tmp_path / place)
    assert (said.returncode, said.stderr.split()[0]) == (2, "E-OUT-FILE")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_next_night_would_hold_it_and_the_check_says_so(home: Home, tmp_path: Path) -> None:
    drop = altered(DROP, tmp_path / "drop", {"bdc_fangwu": half, "yb_jiesuan": cut_short("证件号码")})
    houses, bills = drop / "bdc_fangwu_20261120.csv", drop / "yb_jiesuan_20261120.csv"
    assert "E-HELD" not in check(houses, "bdc_fangwu").stderr, "alone, a file has nothing to be held against"
    said = check(houses, "bdc_fangwu", "--against", home.folder, "--workbook", tmp_path / "out.xlsx", "--json")
    assert said.returncode == 3
    (held,) = json.loads(said.stdout)["held"]
    assert (held["code"], held["before"], held["now"]) == ("E-HELD-ROWS", "2343", "1171")
    assert lines(tmp_path / "out.xlsx")[1][3] == "E-HELD-ROWS"
    assert check(bills, "yb_jiesuan", "--against", home.folder).stderr.startswith("E-HELD-IDS")


def test_one_that_the_night_would_load_is_fine_against_it(home: Home) -> None:
    same = check(DROP / "gjj_zhanghu_20261120.csv", "gjj_zhanghu", "--against", home.folder)
    assert "E-HELD" not in same.stderr
    later = check(DROP.parents[1] / "county-a-next" / "drop" / "rh_cunkuan_20261121.csv", "rh_cunkuan", "--against", home.folder)
    assert "E-HELD" not in later.stderr


def test_a_home_that_is_none(tmp_path: Path) -> None:
    said = check(DROP / "ga_jiguan_20261120.csv", "ga_jiguan", "--against", tmp_path)
    assert (said.returncode, said.stderr.split()[0]) == (2, "E-NO-HOME")
