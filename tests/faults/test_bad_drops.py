"""Every way a drop can be bad: the file or the row is refused with its code, the night goes on, nothing known is lost."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tests.small_drops import CARS, LI, ZHANG, Bureau, Sent, car, cars, codes, csv_of, make_drop, plates, refused, states, xlsx_of
from tests.tables import table
from verify.problems import InputError
from verify.stages.read import Shelf, read

TWO = (car("桂A1"), car("桂A2", "30000.5"))


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def said(**changes: object) -> Sent:
    return dataclasses.replace(cars(*TWO), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (said(checksum=""), "E-CHECKSUM"),
        (said(checksum="0" * 64), "E-CHECKSUM"),
        (said(rows=3), "E-ROWS"),
        (said(rows=1), "E-ROWS"),
        (said(data=b"", rows=0), "E-EMPTY"),
        (said(data=csv_of([CARS]), rows=0), "E-EMPTY"),
        (said(extract="ga_feiji"), "E-UNKNOWN-EXTRACT"),
        (said(mode="全部"), "E-LIST-LINE"),
        (said(as_of="2026-13-01", batch="x"), "E-LIST-LINE"),
        (said(mode="增量"), "E-NO-BASE"),
        (cars(car("桂A1"), header=["HPHM", "HPZL1", *CARS[2:]]), "E-DRIFT"),
        (cars(car("桂A1")[1:], header=CARS[1:]), "E-DRIFT"),
        (cars(car("桂A1"), header=["HPHM", "HPHM", *CARS[2:]]), "E-HEADER-TWICE"),
        (cars(["桂A1", "02", "张三"], header=["HPHM", "HPZL", "SYR"]), "E-DRIFT"),
    ],
)
def test_a_bad_file_is_refused_whole_and_what_was_known_stays(bureau: Bureau, sent: Sent, code: str) -> None:
    good = cars(car("桂B9"), batch="0", as_of="2026-11-19")
    if code != "E-NO-BASE":
        bureau.night(good)
    bad = bureau.night(sent, cars(car("桂C1"), batch="other", file="zero.csv", checksum="bad"))
    assert code in codes(bad)
    lines = table(bad.files).filter(pl.col("file") == sent.name)
    assert lines.select("kept", "state").row(0) == (0, "refused")
    assert lines["refused"].to_list() == lines["received"].to_list()
    assert refused(bad) == []
    assert bad.known["ga_cheliang"].late
    assert not bad.known["ga_cheliang"].usable
    assert bad.incomplete
    if code != "E-NO-BASE":
        assert plates(bad) == [("桂B9", 5_000_000)]


def test_the_renamed_column_is_named_with_the_header_it_may_have_become(bureau: Bureau) -> None:
    arrived = bureau.night(cars(car("桂A1"), header=["HPHM", "HPZL1", *CARS[2:]]))
    assert table(arrived.troubles)["detail"].to_list() == ['{"column": "HPZL", "near": "HPZL1"}']


def test_a_file_without_its_header_line_tells_nobodys_name(bureau: Bureau) -> None:
    rows = [["桂A1", "02", ZHANG, "张三", "A", "1"], ["桂A2", "02", LI, "李四", "A", "1"]]
    arrived = bureau.night(Sent("ga_cheliang", csv_of(rows), 1))
    assert codes(arrived) == {"E-DRIFT"}
    assert table(arrived.troubles)["detail"].to_list() == ['{"column": "HPHM, HPZL, SFZMHM"}']


def test_columns_may_come_in_any_order_with_spaces_and_company(bureau: Bureau) -> None:
    header = ["GZJ", "备注", " SYR ", "SFZMHM\u3000", "HPZL", "ZT", "HPHM", "备注"]
    arrived = bureau.night(cars(["1,000元", "x", "张三", ZHANG, "02", "A", "桂A1", ""], header=header))
    assert plates(arrived) == [("桂A1", 100_000)]
    assert table(arrived.troubles).select("code", "detail").rows()[-1] == ("N-EXTRA-COLUMN", '{"columns": "备注, 备注"}')


def test_one_bad_byte_refuses_its_row_alone(bureau: Bureau) -> None:
    data = csv_of([CARS, *TWO, car("桂A3")]).replace("桂A2".encode(), b"\xff\xe6A2")
    arrived = bureau.night(Sent("ga_cheliang", data, 3))
    assert refused(arrived) == [(2, "E-BYTE", "HPHM")]
    assert [plate for plate, _ in plates(arrived)] == ["桂A1", "桂A3"]


def test_a_replacement_character_that_was_sent_is_text(bureau: Bureau) -> None:
    arrived = bureau.night(cars(["桂A1", "02", ZHANG, "张\ufffd", "A", ""]))
    assert refused(arrived) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_encoding_is_read_whatever_the_rule_file_says(bureau: Bureau, encoding: str) -> None:
    arrived = bureau.night(dataclasses.replace(cars(), data=csv_of([CARS, *TWO], encoding), rows=2))
    assert plates(arrived) == [("桂A1", 5_000_000), ("桂A2", 3_000_050)]


def test_a_row_with_another_number_of_fields_is_refused_alone(bureau: Bureau) -> None:
    arrived = bureau.night(cars(car("桂A1"), [*car("桂A2"), "x"], ["桂A3", "02"], car("桂A4")))
    assert refused(arrived) == [(2, "E-FIELDS", None), (3, "E-FIELDS", None)]


def test_a_quote_that_is_never_closed_costs_one_row_not_the_file(bureau: Bureau) -> None:
    data = csv_of([CARS, *TWO, car("桂A3"), car("桂A4")]).replace("桂A2".encode(), '"桂A2'.encode())
    arrived = bureau.night(Sent("ga_cheliang", data, 4))
    assert refused(arrived) == [(2, "E-FIELDS", None)]
    assert [plate for plate, _ in plates(arrived)] == ["桂A1", "桂A3", "桂A4"]


def test_blank_lines_are_no_rows(bureau: Bureau) -> None:
    data = csv_of([CARS, *TWO]).replace(b"\n", b"\r\n\r\n")
    assert states(bureau.night(Sent("ga_cheliang", data, 2))) == ["loaded"]


def test_torn_workbooks_and_parquet_files_are_refused(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, "mz_huohua", "rs_canbao")
    book = xlsx_of([["火化证号", "身份证号", "死亡日期"], ["H1", ZHANG, "2026-01-02"]])
    table = tmp_path / "whole.parquet"
    pl.DataFrame({"社会保障号码": [ZHANG], "险种": ["失业"], "缴费月份": ["202610"], "缴费基数": [42.9]}).write_parquet(table)
    for sent in (book[: len(book) // 2], b"not a workbook"):
        arrived = bureau.night(Sent("mz_huohua", sent, 1, file="d.xlsx"), Sent("rs_canbao", table.read_bytes()[:-9], 1, file="p.parquet"))
        assert codes(arrived) == {"E-TORN"}
        assert states(arrived) == ["refused", "refused"]


def test_files_missing_and_not_listed(bureau: Bureau) -> None:
    drop = make_drop(bureau.folder / "drop", cars(*TWO), unlisted=["stray.csv"])
    (drop / "ga_cheliang_1.csv").unlink()
    arrived = bureau.read(drop)
    assert codes(arrived) == {"E-MISSING-FILE", "E-UNLISTED"}
    assert table(arrived.files).select("extract", "file", "state").rows() == [
        ("ga_cheliang", None, "late"),
        (None, "stray.csv", "refused"),
    ]


@pytest.mark.parametrize("name", ["../outside.csv", "a/b.csv", "a\\b.csv", "..", "/etc/passwd", "c:x.csv"])
def test_a_name_that_leads_out_of_the_drop_is_not_followed(bureau: Bureau, name: str) -> None:
    drop = make_drop(bureau.folder / "drop", cars(*TWO))
    (bureau.folder / "outside.csv").write_bytes(csv_of([CARS, *TWO]))
    text = (drop / "批次清单.csv").read_text(encoding="utf-8-sig").replace("ga_cheliang_1.csv", name)
    (drop / "批次清单.csv").write_text(text, encoding="utf-8-sig")
    assert "E-FILE-NAME" in codes(bureau.read(drop))


def test_a_link_out_of_the_drop_is_not_followed(bureau: Bureau) -> None:
    drop = make_drop(bureau.folder / "drop", cars(*TWO))
    (drop / "ga_cheliang_1.csv").rename(bureau.folder / "elsewhere.csv")
    (drop / "ga_cheliang_1.csv").symlink_to(bureau.folder / "elsewhere.csv")
    assert codes(bureau.read(drop)) == {"E-NOT-A-FILE"}


def test_a_drop_without_its_list_is_not_a_drop(bureau: Bureau) -> None:
    drop = make_drop(bureau.folder / "drop", cars(*TWO))
    (drop / "批次清单.csv").unlink()
    with pytest.raises(InputError, match="E-NO-LIST") as told:
        bureau.read(drop)
    assert told.value.exit_code == 10
    assert not (bureau.folder / "archive").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "E-LIST"), ("文件名,数据集\nx.csv,ga_cheliang\n", "E-LIST"), ("文件名,数据集,批次号,数据时点,记录数,模式,校验值\n", "E-LIST-DATE")],
)
def test_a_list_that_says_nothing_ends_the_night(bureau: Bureau, text: str, code: str) -> None:
    drop = make_drop(bureau.folder / "drop", cars(*TWO))
    (drop / "批次清单.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=code):
        bureau.read(drop)


def test_no_drop_and_a_torn_archive(bureau: Bureau) -> None:
    shelf = Shelf(bureau.folder / "a", bureau.folder / "w", None)
    with pytest.raises(InputError, match="E-NO-DROP"):
        read(bureau.folder / "nowhere", bureau.book, shelf=shelf)
    (bureau.folder / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(InputError, match="E-DROP-ZIP"):
        read(bureau.folder / "torn.zip", bureau.book, shelf=shelf)


def test_a_zip_of_the_folder_reads_as_the_folder(bureau: Bureau) -> None:
    drop = make_drop(bureau.folder / "drop", cars(*TWO))
    with zipfile.ZipFile(bureau.folder / "drop.zip", "w") as archive:
        for file in drop.iterdir():
            archive.write(file, f"2026-11-20/{file.name}")
    assert plates(bureau.read(bureau.folder / "drop.zip")) == [("桂A1", 5_000_000), ("桂A2", 3_000_050)]


def test_without_an_indispensable_extract_nothing_goes_on(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E-NEVER") as told:
        Bureau(tmp_path, "ga_cheliang", "mz_chengyuan").night(cars(*TWO))
    assert told.value.exit_code == 10


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        (["桂A1", "无", ZHANG, "张三", "A", ""], (1, "E-REQUIRED", "HPZL")),
        (["—", "", ZHANG, "张三", "A", "-5"], (1, "E-REQUIRED", "HPHM")),
        (["桂A1", "02", ZHANG, "张三", "A", "-0.01"], (1, "E-NEGATIVE", "GZJ")),
        (["桂A1", "02", "无", "\u3000", "A", "5"], (1, "E-NOBODY", None)),
        (["桂A1", "02", "N/A", "", "A", "-5"], (1, "E-NEGATIVE", "GZJ")),
    ],
)
def test_a_row_is_refused_for_its_first_fault(bureau: Bureau, row: list[str], refusal: tuple[int, str, str | None]) -> None:
    assert refused(bureau.night(cars(row))) == [refusal]
