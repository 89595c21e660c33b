"""A corpus of broken, odd and hostile files, each with what must become of it. Run as a script it writes them into a folder.

    python -m tests.faults.broken_files FOLDER

Every file speaks of the same made-up vehicles. `Broken.codes` are the codes the file must be refused with (none: it is
read); `refused` the rows refused, with their codes; `kept` how many rows are known after. What is known of the people in
them (`PEOPLE`) must never stand in a message.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import json
import os
import random
import socket
import struct
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import xlsxwriter

from tests.faults.old_books import locked_book, ods_of, xls_of
from tests.small_drops import CARS, LI, VALID, ZHANG, car, csv_of, xlsx_of

PEOPLE = (ZHANG, LI, VALID, "张三", "李四", "桂A1", "桂A2", "桂A3", "䶮")
THREE = [car("桂A1"), car("桂A2", "30000.5"), car("桂A3", "1,000")]
TABLE = [CARS, *THREE]
PLAIN = csv_of(TABLE)
ROW_TAG = "D204C21"


@dataclass(frozen=True)
class Broken:
    """One file: its bytes (or how to put it into a folder under a name), the count the list gives, and what must become of it."""

    name: str
    given: bytes | Callable[[], bytes] = b""
    code: str = ""
    rows: int = 3
    kept: int = 3
    refused: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    put: Callable[[Path], None] | None = None
    extract: str = "ga_cheliang"

    @property
    def data(self) -> bytes:
        """The bytes; the large ones are made when they are wanted."""
        return self.given if isinstance(self.given, bytes) else self.given()


def refused(name: str, data: bytes | Callable[[], bytes], code: str, **said: object) -> Broken:
    return Broken(name, data, code, kept=0, **said)  # type: ignore[arg-type]


def but(row: int, code: str) -> dict[str, object]:
    """One of three rows is refused."""
    return {"refused": ((row, code),), "kept": 2}


def text(table: Sequence[Sequence[str]] = TABLE, *, encoding: str = "utf-8", delimiter: str = ",", end: str = "\n") -> bytes:
    return end.join(delimiter.join(row) for row in [*table, []]).encode(encoding)


def quoted(table: Sequence[Sequence[str]] = TABLE) -> str:
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in table)


def lines(*records: object) -> bytes:
    return "".join((one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n" for one in records).encode()


def objects(table: Sequence[Sequence[str]] = THREE) -> list[dict[str, str]]:
    return [dict(zip(CARS, row, strict=True)) for row in table]


def element(row: dict[str, str], tag: str = ROW_TAG) -> str:
    return f"<{tag}>" + "".join(f"<{name}>{value}</{name}>" for name, value in row.items()) + f"</{tag}>"


def batch(*rows: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    """A batch as the verification systems send it: families, people, records (research/domain.md §4)."""
    base = "<BASE><委托代码>W1</委托代码></BASE>"
    people = "".join(f"<PEOPLE><D204A01><姓名x>张三</姓名x></D204A01>{row}</PEOPLE>" for row in rows)
    return f"{head}\n<ROWDATA><FAMILY>{base}{people}</FAMILY></ROWDATA>".encode()


def zipped(*members: tuple[str, bytes], **how: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = how.get("mode", 0o100644) << 16
            archive.writestr(info, data)
    return out.getvalue()


def named_in_gbk() -> bytes:
    """A zip as Chinese Windows makes it: the name in GBK, and no sign that it is not."""
    data = zipped(("#" * len("机动车.csv".encode("gbk")), PLAIN))
    return data.replace(b"#" * len("机动车.csv".encode("gbk")), "机动车.csv".encode("gbk"))


def locked_zip() -> bytes:
    data = bytearray(zipped(("a.csv", PLAIN)))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(sign) + at] |= 1
    return bytes(data)


def lying_zip() -> bytes:
    """A bomb that says it is small: the declared size in both headers is a lie."""
    data = bytearray(zipped(("a.csv", b"a" * (80 << 20))))
    for sign, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.find(sign) + at
        data[place : place + 4] = struct.pack("<I", 100)
    return bytes(data)


def corner_book() -> bytes:
    """Two cells, in the first and the last corner of a sheet: XFD1048576."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "HPHM")
        sheet.write(1_048_575, 16_383, "x")
    return out.getvalue()


def bomb_book() -> bytes:
    """A workbook whose sheet unfolds to a gigabyte of nothing."""
    small = zipfile.ZipFile(io.BytesIO(xlsx_of(TABLE)))
    out = io.BytesIO()
    with small, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        for name in small.namelist():
            data = small.read(name)
            book.writestr(name, data.replace(b"<sheetData>", b" " * (300 << 20) + b"<sheetData>") if "sheet1" in name else data)
    return out.getvalue()


def spoilt_book(member: str, old: bytes, new: bytes) -> bytes:
    whole = zipfile.ZipFile(io.BytesIO(xlsx_of(TABLE)))
    out = io.BytesIO()
    with whole, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name in whole.namelist():
            book.writestr(name, whole.read(name).replace(old, new) if member in name else whole.read(name))
    return out.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def spoilt_parquet(*, use_dictionary: bool = False) -> bytes:
    out = io.BytesIO()
    pq.write_table(frame().to_arrow(), out, use_dictionary=use_dictionary, compression="none", write_statistics=False)
    return out.getvalue().replace("桂A2".encode(), b"\xff\xe6\xa1A2")


def in_bytes(second: bytes) -> pl.DataFrame:
    return frame().with_columns(HPHM=pl.Series(["桂A1".encode(), second, "桂A3".encode()]))


def frame(table: Sequence[Sequence[str]] = THREE) -> pl.DataFrame:
    return pl.DataFrame([list(row) for row in table], schema=CARS, orient="row")


def laughs() -> str:
    return '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)) + "]>"


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one, contextlib.chdir(path.parent):  # its address may not be long
        one.bind(path.name)


def texts() -> list[Broken]:
    swallowed = [car(f"桂A{at}", owner=VALID) for at in range(1, 2001)]
    stray = text([CARS, *swallowed]).replace("\n桂A5,".encode(), '\n"桂A5,'.encode(), 1)
    whole = [CARS, car("桂A1"), car("桂A2"), car("桂A3")]
    scripts = csv_of([["户号", "姓名", "公民身份号码"], ["1", "张三", "45010219900307123\u0663"], ["1", "李四", "１" * 18]], "gb18030")
    tricky = ["桂A3", "02", LI, "驆\u4e8a", "A", "1"]  # characters of which a byte is a bar
    two_lines = [CARS, car("桂A1"), ["桂A2", "02", ZHANG, "张三\n李四", "A", "1"], car("桂A3")]
    return [
        Broken("utf-8", PLAIN),
        Broken("utf-8 with a mark", b"\xef\xbb\xbf" + PLAIN),
        Broken("gbk", text(encoding="gbk").replace(b"1,000", b"1000"), notes=("N-ENCODING",)),
        Broken("gb18030, four bytes", text([CARS, *THREE[:2], ["桂A3", "02", LI, "䶮𠮷", "A", "5"]], encoding="gb18030"), notes=("N-ENCODING",)),
        *(Broken(f"{name} with a mark", csv_of(TABLE, name), notes=("N-ENCODING",)) for name in ("utf-16",)),
        Broken("utf-16-be with a mark", b"\xfe\xff" + csv_of(TABLE, "utf-16-be"), notes=("N-ENCODING",)),
        Broken("utf-16-le without a mark", csv_of(TABLE, "utf-16-le"), notes=("N-ENCODING",)),
        Broken("utf-16-be without a mark", csv_of(TABLE, "utf-16-be"), notes=("N-ENCODING",)),
        Broken("utf-16 cut in a character", csv_of(TABLE, "utf-16")[:-1], **but(3, "E-BYTE"), notes=("N-ENCODING",)),
        Broken("parted by semicolons", text(whole, delimiter=";"), notes=("N-DELIMITER",)),
        Broken("parted by tabs", text(whole, delimiter="\t"), notes=("N-DELIMITER",)),
        Broken("parted by bars", text(whole, delimiter="|"), notes=("N-DELIMITER",)),
        Broken("gbk parted by bars", text([*whole[:3], tricky], encoding="gbk", delimiter="|"), notes=("N-DELIMITER", "N-ENCODING")),
        Broken("all quoted", quoted().encode()),
        Broken("all quoted, crlf", quoted().replace("\n", "\r\n").encode()),
        Broken("quoted and parted by semicolons", quoted().replace('","', '";"').encode(), notes=("N-DELIMITER",)),
        Broken("a doubled quote", quoted([CARS, *THREE[:2], ["桂A3", "02", LI, '张"三', "A", "1"]]).encode()),
        Broken("crlf", csv_of(TABLE).replace(b"\n", b"\r\n")),
        Broken("cr alone", csv_of(TABLE).replace(b"\n", b"\r")),
        Broken("no line end at the end", PLAIN.rstrip(b"\n")),
        Broken("many line ends at the end", PLAIN + b"\n\r\n\n"),
        Broken("empty lines before the header", b"\n\r\n" + PLAIN),
        Broken("empty lines counted as rows", PLAIN.replace(b"\n", b"\n\n"), rows=7, kept=3, refused=tuple((at, "E-FIELDS") for at in (1, 3, 5, 7))),
        Broken("a line end inside quotes", csv_of(two_lines)),
        Broken("a quote that never closes", text(whole).replace("桂A2".encode(), '"桂A2'.encode()), **but(2, "E-FIELDS")),
        Broken("a quote that never closes, among 2,000", stray, rows=2000, refused=((5, "E-FIELDS"),), kept=1999),
        Broken("a stray quote beside a line end inside quotes", csv_of(two_lines) + '"桂A4,02,,,,\n'.encode(), rows=4, refused=((4, "E-FIELDS"),)),
        Broken("a quote inside a field", text([CARS, *THREE[:2], ["桂A3", "02", LI, '张"三', "A", "1"]])),
        Broken("text behind a closing quote", text([CARS, car("桂A1"), ["桂A2", "02", LI, '"张"三', "A", "1"], car("桂A3")])),
        Broken("two stray quotes that meet", text([CARS, ['"桂A1', *car("")[1:]], car("桂A2"), [*car("桂A3")[:-1], '1"']]), **but(1, "E-FIELDS")),
        Broken("a comma too many", text([CARS, car("桂A1"), [*car("桂A2"), "x"], car("桂A3")]), **but(2, "E-FIELDS")),
        Broken("a row cut short", text([CARS, *THREE[:1], car("桂A2"), ["桂A3", "02"]]), **but(3, "E-FIELDS")),
        Broken("a comma too many, one too few", text([CARS, car("桂A1"), [*car("桂A2"), "x"], ["桂A3"]]), refused=((2, "E-FIELDS"), (3, "E-FIELDS")), kept=1),
        Broken("one bad byte", PLAIN.replace("桂A2".encode(), b"\xff\xe6A2"), **but(2, "E-BYTE")),
        Broken("a zero byte", PLAIN.replace("桂A2".encode(), b"A\x002"), **but(2, "E-BYTE")),
        Broken("a block of zero bytes", text(whole).replace("桂A2".encode(), bytes(600)), **but(2, "E-BYTE")),
        Broken("the sign put for bad bytes", text([CARS, *THREE[:1], ["桂A2", "02", LI, "\U0010ffff", "A", "1"], whole[3]]), **but(2, "E-BYTE")),
        Broken("control signs", text([CARS, *THREE[:1], ["桂A2", "02", LI, "a\x1fb\x1ec", "A", "1"], car("桂A3")])),
        Broken("a return inside a line", text([CARS, *THREE[:1], ["桂A2", "02", LI, "a\rb", "A", "1"], car("桂A3")])),
        Broken("an ID in digits of another script", text([CARS, *THREE[:1], ["桂A2", "02", "45010219900307123\u0663", "李四", "A", "1"], car("桂A3")])),
        Broken("an ID that is the key, in digits of another script", scripts, extract="ga_huji", rows=2, kept=2),
        Broken("a negative amount", text([CARS, *THREE[:1], car("桂A2", "-5"), car("桂A3")]), **but(2, "E-NEGATIVE")),
        Broken("nobody", text([CARS, *THREE[:1], ["桂A2", "02", "", "无", "A", "1"], car("桂A3")]), **but(2, "E-NOBODY")),
        Broken("nothing required", text([CARS, *THREE[:1], ["", "02", LI, "李四", "A", "1"], car("桂A3")]), **but(2, "E-REQUIRED")),
        Broken("amounts beyond all measure", text([CARS, car("桂A1", "9" * 40), car("桂A2", "1e300"), car("桂A3", "0.005")])),
        Broken("named .xlsx but text", PLAIN),
        refused("cut in the middle", PLAIN[: PLAIN.find("桂A3".encode())], "E-ROWS"),
        refused("the list says fewer", PLAIN, "E-ROWS", rows=2),
        refused("nothing at all", b"", "E-EMPTY", rows=0),
        refused("a mark and nothing", b"\xef\xbb\xbf", "E-EMPTY", rows=0),
        refused("line ends only", b"\n\r\n\n", "E-EMPTY", rows=0),
        refused("a header only", csv_of([CARS]), "E-EMPTY", rows=0),
        refused("zero bytes only", bytes(5000), "E-EMPTY", rows=0),
        refused("no header", csv_of(THREE), "E-DRIFT", rows=2),
        refused("another header", csv_of([[name + "1" for name in CARS], *THREE]), "E-DRIFT"),
        refused("a header twice", csv_of([["HPHM", "HPHM", *CARS[2:]], *THREE]), "E-HEADER-TWICE"),
        refused("a line of 200 MB", lambda: PLAIN + b"x" * (200 << 20), "E-LINE-LONG", rows=4),
        refused("a line of 8 MB in quotes", lambda: PLAIN + b'"' + b"x" * (8 << 20) + b'"', "E-LINE-LONG", rows=4),
        refused("a web page", b"\n <!DOCTYPE html>\n<html><body>502</body></html>\n", "E-HTML", rows=0),
        refused("a web page in utf-16", "<html><body>502</body></html>".encode("utf-16"), "E-HTML", rows=0),
        refused("a picture", b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(3000).replace(b"\n", b""), "E-DRIFT", rows=2),
        refused("a pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n", "E-DRIFT", rows=4),
    ]  # fmt: skip


def books() -> list[Broken]:
    book = xlsx_of(TABLE)
    note = ("N-FORMAT",)
    torn_ods = zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", b"<a>"))
    return [
        Broken("a workbook", book, notes=note),
        Broken("an old workbook", xls_of(TABLE), notes=note),
        Broken("an open document", ods_of(TABLE), notes=note),
        Broken("a workbook with empty rows at its end", xlsx_of([*TABLE, [""], ["", " "]]), rows=5, refused=((4, "E-REQUIRED"), (5, "E-REQUIRED")), notes=note),
        Broken("a workbook with an empty row inside", xlsx_of([CARS, *THREE[:1], [], *THREE[1:]]), rows=4, refused=((2, "E-REQUIRED"),), notes=note),
        Broken("a workbook in a zip", zipped(("a.xlsx", book)), notes=note),
        Broken("an open document in a gz", gzip.compress(ods_of(TABLE)), notes=note),
        refused("a workbook cut in half", book[: len(book) // 2], "E-TORN"),
        refused("a workbook without its sheet", spoilt_book("workbook.xml", b"sheet1", b"sheet9"), "E-TORN", extract="mz_huohua"),
        refused("a workbook with torn XML", spoilt_book("sheet1", b"</row>", b"</r"), "E-TORN"),
        refused("a locked workbook", locked_book(), "E-PASSWORD"),
        refused("an old workbook cut in half", xls_of(TABLE)[:1400], "E-TORN"),
        refused("the sign of an old workbook and noise", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.Random(2).randbytes(4000), "E-TORN"),
        refused("two cells in the corners of a sheet", corner_book, "E-FENCE-MEMORY", rows=1),
        refused("a workbook that unfolds to 300 MB", bomb_book, "E-PACK-SIZE"),
        refused("a workbook of 1,001 columns", xlsx_of([[f"c{at}" for at in range(1001)], ["x"] * 1001]), "E-BOOK-SIZE", rows=1),
        refused("an empty workbook", xlsx_of([]), "E-TORN", rows=0),
        refused("a workbook with a header only", xlsx_of([CARS]), "E-EMPTY", rows=0),
        refused("an open document with torn content", torn_ods, "E-TORN"),
        Broken("parquet", parquet(frame()), notes=note),
        Broken("parquet in a gz", gzip.compress(parquet(frame())), notes=note),
        Broken("parquet with a bad byte", spoilt_parquet(), **but(2, "E-BYTE"), notes=note),
        Broken("parquet with a bad byte among the values of a dictionary", spoilt_parquet(use_dictionary=True), **but(2, "E-BYTE"), notes=note),
        Broken("parquet with a bad byte in a binary column", parquet(in_bytes(b"\xff\xe6A2")), **but(2, "E-BYTE"), notes=note),
        Broken("parquet with texts as bytes", parquet(in_bytes("桂A2".encode())), notes=note),
        refused("parquet cut off", parquet(frame())[:-9], "E-TORN"),
        refused("parquet with a torn middle", parquet(frame())[:40] + b"\xff" * 60 + parquet(frame())[100:], "E-TORN"),
        refused("the sign of parquet and noise", b"PAR1" + random.Random(3).randbytes(400) + b"PAR1", "E-TORN"),
        refused("parquet with lists", parquet(frame().with_columns(SYR=pl.lit([1, 2]))), "E-TORN"),
        refused("text where a workbook was agreed", b"not a workbook", "E-TORN", extract="mz_huohua", rows=0),
    ]  # fmt: skip


def trees() -> list[Broken]:
    rows = [element(row) for row in objects()]
    note = ("N-FORMAT",)
    twice = rows[1].replace("<ZT>", "<ZT>A</ZT><ZT>")
    hidden = rows[1].replace("张三", f"<![CDATA[<{ROW_TAG}>]]>")
    flat = "<ROWS>" + "".join("<R " + " ".join(f'{name}="{value}"' for name, value in row.items()) + "/>" for row in objects()) + "</ROWS>"
    nested = '{"HPHM": ' + "[" * 100_000 + "]" * 100_000 + "}"
    return [
        Broken("a batch in XML", batch(*rows), notes=note),
        Broken("XML with attributes", flat.encode(), notes=note),
        Broken("XML in gbk", batch(*rows).decode().replace("UTF-8", "GBK").encode("gbk"), notes=(*note, "N-ENCODING")),
        Broken("XML in utf-16", batch(*rows).decode().replace("UTF-8", "UTF-16").encode("utf-16"), notes=(*note, "N-ENCODING")),
        Broken("XML with a comment and character data", batch(rows[0], f"<!-- {rows[0]} -->", hidden, rows[2]), notes=note),
        Broken("XML with an item twice in a row", batch(rows[0], twice, rows[2]), **but(2, "E-RECORD"), notes=note),
        Broken("XML with an empty row", batch(rows[0], f"<{ROW_TAG}/>", rows[2]), **but(2, "E-REQUIRED"), notes=note),
        Broken("XML with a bad byte", batch(*rows).replace("桂A2".encode(), b"A\xff2"), **but(2, "E-BYTE"), notes=note),
        Broken("XML in a zip", zipped(("b.xml", batch(*rows))), notes=note),
        refused("XML cut off", batch(*rows)[:-30], "E-TORN"),
        refused("XML with laughs", batch("<D204C21><HPHM>&j;</HPHM></D204C21>", head=laughs()), "E-XML-DTD"),
        refused("XML with a file in it", batch(*rows, head='<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "E-XML-DTD"),
        refused("XML with a DTD from elsewhere", batch(*rows, head='<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">'), "E-XML-DTD"),
        refused("XML of a thousand floors", b"<?xml version='1.0'?>" + b"<a>" * 1000 + b"</a>" * 1000, "E-TORN", rows=0),
        refused("XML of something else", b"<?xml version='1.0'?><feed><entry><title>x</title></entry></feed>", "E-TORN", rows=1),
        refused("XML with fewer rows than listed", batch(*rows[:2]), "E-ROWS"),
        Broken("JSON lines", lines(*objects()), notes=note),
        Broken("JSON lines with numbers", lines(*[{**row, "GZJ": 50000.10} for row in objects()]), notes=note),
        Broken("JSON lines with empty lines", lines(objects()[0], "", objects()[1], "\r", objects()[2]), notes=note),
        Broken("JSON lines that leave out what is empty", lines({k: v for k, v in objects()[0].items() if k != "ZT"}, *objects()[1:]), notes=note),
        Broken("JSON lines with a line end in a value", lines(objects()[0], {**objects()[1], "SYR": "张\n三"}, objects()[2]), notes=note),
        Broken("JSON lines with a torn line", lines(objects()[0], '{"HPHM": "桂A2", "HP', objects()[2]), **but(2, "E-RECORD"), notes=note),
        Broken("JSON lines with a list", lines(objects()[0], "[1, 2]", objects()[2]), **but(2, "E-RECORD"), notes=note),
        Broken("JSON lines with an object in an object", lines(objects()[0], {"SYR": {"a": "b"}}, objects()[2]), **but(2, "E-RECORD"), notes=note),
        Broken("JSON lines with a key twice", lines(objects()[0], '{"HPHM": "1", "HPHM": "2"}', objects()[2]), **but(2, "E-RECORD"), notes=note),
        Broken("JSON lines of 100,000 floors", lines(objects()[0], nested, objects()[2]), **but(2, "E-RECORD"), notes=note),
        Broken("JSON lines with half a character", lines(objects()[0], '{"HPHM": "\\ud800", "HPZL": "02", "SYR": "x"}', objects()[2]), notes=note),
        Broken("JSON lines in a gz", gzip.compress(lines(*objects())), notes=note),
        refused("JSON lines with a line of 20 MB", lambda: lines(*objects(), {"HPHM": "x" * (20 << 20)}), "E-LINE-LONG", rows=4),
        refused("JSON that is one list", json.dumps(objects()).encode(), "E-EMPTY", rows=0),
    ]  # fmt: skip


def packs() -> list[Broken]:
    gz = gzip.compress(PLAIN)
    return [
        Broken("a zip", zipped(("a.csv", PLAIN))),
        Broken("a zip in a folder", zipped(("2026/a.csv", PLAIN))),
        Broken("a zip with what a Mac adds", zipped(("a.csv", PLAIN), ("__MACOSX/._a.csv", b"x"), (".DS_Store", b"x"))),
        Broken("a zip with its name in GBK", named_in_gbk()),
        Broken("a zip of gbk", zipped(("a.csv", csv_of(TABLE, "gb18030"))), notes=("N-ENCODING",)),
        Broken("a gz", gz),
        Broken("a gz of two members", gzip.compress(PLAIN[:30]) + gzip.compress(PLAIN[30:])),
        Broken("a gz with zeros behind it", gz + bytes(512)),
        refused("an empty zip", zipped(), "E-PACK-EMPTY", rows=0),
        refused("a zip of two files", zipped(("a.csv", PLAIN), ("b.csv", PLAIN)), "E-PACK-MANY"),
        refused("a zip in a zip", zipped(("a.zip", zipped(("a.csv", PLAIN)))), "E-PACK-NESTED"),
        refused("a gz in a zip", zipped(("a.gz", gz)), "E-PACK-NESTED"),
        refused("a gz in a gz", gzip.compress(gz), "E-PACK-NESTED"),
        refused("a zip that leads up", zipped(("../../outside.csv", PLAIN)), "E-PACK-NAME"),
        refused("a zip with a whole path", zipped(("/tmp/outside.csv", PLAIN)), "E-PACK-NAME"),
        refused("a zip with a drive", zipped(("c:outside.csv", PLAIN)), "E-PACK-NAME"),
        refused("a zip with back strokes", zipped(("a\\..\\b.csv", PLAIN)), "E-PACK-NAME"),
        refused("a zip with a link", zipped(("a.csv", b"/etc/passwd"), mode=0o120777), "E-PACK-NAME"),
        refused("a locked zip", locked_zip(), "E-PASSWORD"),
        refused("a zip cut in half", zipped(("a.csv", PLAIN * 50))[:150], "E-TORN"),
        refused("a zip with a flipped bit", flipped(zipped(("a.csv", PLAIN * 50)), 60), "E-TORN"),
        refused("a gz cut in half", gz[: len(gz) // 2], "E-TORN"),
        refused("a gz with a flipped bit", flipped(gz, 40), "E-TORN"),
        refused("a gz bomb", lambda: gzip.compress(bytes(200 << 20)), "E-PACK-SIZE"),
        refused("a zip bomb", lambda: zipped(("a.csv", b"a" * (200 << 20))), "E-PACK-SIZE"),
        refused("a zip bomb that lies", lying_zip, "E-TORN"),
        refused("a web page in a zip", zipped(("a.csv", b"<html><body>502</body></html>")), "E-HTML", rows=0),
        refused("nothing in a gz", gzip.compress(b""), "E-EMPTY", rows=0),
    ]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def places() -> list[Broken]:
    """What lies under a file's name and is no file."""
    return [
        Broken("a pipe", code="E-NOT-A-FILE", kept=0, put=os.mkfifo),
        Broken("a folder", code="E-NOT-A-FILE", kept=0, put=lambda path: path.mkdir()),
        Broken("a link", code="E-NOT-A-FILE", kept=0, put=lambda path: path.symlink_to("/etc/passwd")),
        Broken("a link to nothing", code="E-NOT-A-FILE", kept=0, put=lambda path: path.symlink_to("nowhere")),
        Broken("a link to an endless device", code="E-NOT-A-FILE", kept=0, put=lambda path: path.symlink_to("/dev/zero")),
        Broken("a socket", code="E-NOT-A-FILE", kept=0, put=a_socket),
    ]


def corpus() -> list[Broken]:
    """All of them, each under a number."""
    files = [*texts(), *books(), *trees(), *packs(), *places()]
    return [dataclasses.replace(one, name=f"{at:03} {one.name}") for at, one in enumerate(files)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for one in corpus():
        if one.put is None:
            (folder / f"{one.name.replace('/', ' ')}.bin").write_bytes(one.data)
