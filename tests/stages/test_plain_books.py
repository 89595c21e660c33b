"""Workbooks read by the quick reader say what the reader of all forms says, to the byte; whatever is unusual is left to that one."""

from __future__ import annotations

import io
import random
import re
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from tests.faults.old_books import ods_of
from verify import book_rows, book_sheets, plain_books
from verify.fenced_child import RefusedError
from verify.plain_books import plain_book

PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1"/><sheetData>'
EPILOG = '</sheetData><pageMargins left="0.7"/></worksheet>'
SHARED = ["姓名", " 前后 ", "a&amp;b&lt;", "十二个字的一个很长的地址", "", "x"]


def cell(name: str, value: str, kind: str = "", style: int | None = None) -> str:
    """One cell as Excel writes it; `name` empty: as programs write it that count on the order."""
    said = (("r", name), ("s", "" if style is None else str(style)), ("t", kind))
    tag = f"<c{''.join(f' {key}={chr(34)}{value}{chr(34)}' for key, value in said if value)}>"
    return tag + (f"<is><t>{value}</t></is></c>" if kind == "inlineStr" else f"<v>{value}</v></c>")


def row(number: int | None, *cells: str, more: str = "") -> str:
    return f"<row{'' if number is None else f' r={chr(34)}{number}{chr(34)}'}{more}>{''.join(cells)}</row>"


@cache
def frame_of(sheets: int) -> io.BytesIO:
    """A workbook with five styles: number, day, text, moment, and a format of its own."""
    whole = io.BytesIO()
    with xlsxwriter.Workbook(whole) as made:
        first, *_ = [made.add_worksheet() for _ in range(sheets)]
        for at, code in enumerate(("yyyy-mm-dd", "@", "yyyy-mm-dd hh:mm:ss", '[红色]0"元"')):
            first.write(at, 0, 1, made.add_format({"num_format": code}))
        first.write(9, 0, "x")
    return whole


def book_of(sheet: str, *, prolog: str = PROLOG, epilog: str = EPILOG, changed: dict[str, str] | None = None, sheets: int = 1) -> bytes:
    """A workbook with this in its sheet's data, and texts kept apart."""
    out = io.BytesIO()
    texts = "".join(f'<si><t xml:space="preserve">{text}</t></si>' if at % 2 else f"<si><t>{text}</t></si>" for at, text in enumerate(SHARED))
    written = {
        "xl/worksheets/sheet1.xml": prolog + sheet + epilog,
        "xl/sharedStrings.xml": f'<?xml version="1.0"?><sst count="9">{texts}</sst>',
        **(changed or {}),
    }
    with zipfile.ZipFile(frame_of(sheets)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as other:
        for name in book.namelist():
            other.writestr(name, written.get(name, book.read(name)))
    return out.getvalue()


def quick(data: bytes) -> tuple[pl.DataFrame, int | None] | None:
    found = plain_book(io.BytesIO(data), book_sheets._fit)
    return None if found is None else (pl.DataFrame(found[0]), found[1])


def thorough(data: bytes) -> pl.DataFrame:
    frame = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string").to_polars()
    return frame.rename({name: f"c{at}" for at, name in enumerate(frame.columns)})


def same(data: bytes) -> None:
    found = quick(data)
    assert found is not None
    assert found[0].to_dicts() == thorough(data).to_dicts()
    assert found[1] == found[0].height


NUMBERS = [
    "0", "1", "7.5", "0.5", "100", "1E+3", "1.5E3", "1.50", "-5", "-0.25", "1e-7", "0.1", "0.30000000000000004", "123456789012345",
    "999999999999999.9", "0.000001", "00012", "46268", "0.0", "1.1000000000000001", "12345678", "123456789", "1234567890.12345",
    "451481199001011234", "12345678.12", "999999.123456789", "1234567.89", "-0.0", "0.00000000049",
]  # fmt: skip
MOMENTS = ["61", "46268", "46268.5", "2958465", "99", "46268.123456", "46268.999999", "36526.000011574", "100.25"]


@pytest.mark.parametrize("named", [True, False])
def test_every_form_that_is_known_says_what_the_reader_of_all_forms_says(named: bool) -> None:
    def at(place: str) -> str:
        return place if named else ""

    rows = [
        row(
            1 if named else None,
            cell(at("A1"), "0", "s"),
            cell(at("B1"), "数&lt;值&quot;", "inlineStr"),
            cell(at("C1"), " 空 ", "str"),
            cell(at("D1"), "", "inlineStr"),
            more=' spans="1:3"',
        )
    ]
    for line, (number, moment) in enumerate(zip(NUMBERS, [*MOMENTS * 3], strict=False), 2):
        cells = (
            cell(at(f"A{line}"), number),
            cell(at(f"B{line}"), moment, "n", 1),
            cell(at(f"C{line}"), str(line % 4), "s", 2),
            cell(at(f"D{line}"), moment, "", 3),
        )
        rows.append(row(line if named else None, *cells))
    same(book_of("".join(rows)))


def test_cells_and_rows_may_be_missing_or_empty() -> None:
    rows = [
        row(3, '<c r="B3"/>', '<c r="C3" s="1"></c>', cell("D3", "头", "inlineStr")),
        '<row r="4"/>',
        row(5),
        row(6, cell("C6", "1"), cell("AB6", "二", "inlineStr")),
    ]
    same(book_of("".join([*rows, row(9, '<c r="A9" s="1"/>'), '<row r="1048576" hidden="1"/>'])))


def test_books_of_many_pieces_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_books, "PIECE", 777)
    chance = random.Random(7)
    names = [f"{'' if at < 26 else chr(64 + at // 26)}{chr(65 + at % 26)}" for at in range(40)]
    rows, line = [], 0
    for _ in range(60):
        line += chance.choice((1, 1, 1, 2, 9))
        filled = [name for name in names if chance.random() < 0.7]
        ways = (("s", "135"), ("", "4.20"), ("inlineStr", "文&amp;字"), ("inlineStr", "很长" * 40), ("str", "y"))
        rows.append(
            row(
                line, *(cell(f"{name}{line}", chance.choice(value) if kind == "s" else value, kind) for name in filled for kind, value in [chance.choice(ways)])
            )
        )
    same(book_of("".join(rows)))


def test_books_as_xlsxwriter_writes_them() -> None:
    for constant in (True, False):
        whole = io.BytesIO()
        with xlsxwriter.Workbook(whole, {"constant_memory": constant}) as book:
            day, sheet = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_worksheet()
            for at in range(300):
                sheet.write_row(at, 1, [f"张{at}", at / 4, "451481199001011234", None, " 左"])
                sheet.write_number(at, 9, 40_000 + at, day)
        same(whole.getvalue())


def test_the_books_of_the_made_up_county_are_plain() -> None:
    found = sorted((Path(__file__).parents[2] / "fixtures").glob("*/drop/*.xlsx"))
    assert found
    for path in found:
        same(path.read_bytes())


PLAIN = row(1, cell("A1", "甲", "inlineStr"), cell("B1", "1")) + row(2, cell("A2", "乙", "inlineStr"), cell("B2", "2"))
UNUSUAL = {
    "formula": PLAIN.replace("<v>2", "<f>1+1</f><v>2"),
    "truth": PLAIN.replace('<c r="B2">', '<c r="B2" t="b">'),
    "error": PLAIN.replace('<c r="B2"><v>2', '<c r="B2" t="e"><v>#N/A'),
    "runs": PLAIN.replace("<t>乙</t>", "<r><t>乙</t></r>"),
    "remark": PLAIN.replace("<v>2", "<!-- --><v>2"),
    "CDATA": PLAIN.replace("乙", "<![CDATA[乙]]>"),
    "return": PLAIN.replace("乙", "乙\r\n"),
    "escape": PLAIN.replace("乙", "乙_x000D_"),
    "entity": PLAIN.replace("乙", "&name;"),
    "spaces": PLAIN.replace("</row>", "</row>\n"),
    "text between": PLAIN.replace("</c><c", "</c>丢<c"),
    "text in a row's tag": PLAIN.replace('<row r="2">', '<row r="2">丢'),
    "spaces that are not kept": PLAIN.replace("乙", "乙 "),
    "torn attributes": PLAIN.replace('<row r="2">', '<row r="2" ht="3>'),
    "a point with nothing behind it": PLAIN.replace("<v>2", "<v>2."),
    "not a number": PLAIN.replace("<v>2", "<v>2x"),
    "nothing": PLAIN.replace("<v>2", "<v>"),
    "no names": PLAIN.replace(' r="B2"', ""),
    "another row's": PLAIN.replace('"B2"', '"B3"'),
    "backwards": PLAIN.replace('"2"', '"1"').replace("2", "1"),
    "beyond the last column": PLAIN.replace('"B2"', '"XFE2"'),
    "twice": PLAIN.replace('"B2"', '"A2"'),
    "unclosed": PLAIN.replace("</row>", "", 1),
    "a number's format": PLAIN.replace('<c r="B2"', '<c r="B2" s="4"'),
    "no such style": PLAIN.replace('<c r="B2"', '<c r="B2" s="77"'),
    "no such text": PLAIN.replace('<c r="B2"', '<c r="B2" t="s"').replace("<v>2", "<v>6"),
    "greater": PLAIN.replace("乙", "乙>"),
    "prefix": PLAIN.replace("<row", "<x:row").replace("</row", "</x:row"),
    "a day before March 1900": PLAIN.replace('<c r="B2"', '<c r="B2" s="1"'),
    "no value at all": '<row r="1"/>',
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_the_other_reader(name: str) -> None:
    assert quick(book_of(PLAIN)) is not None
    assert UNUSUAL[name] != PLAIN
    assert quick(book_of(UNUSUAL[name])) is None


def test_a_book_with_something_unusual_around_its_cells_is_left_to_the_other_reader() -> None:
    rich = '<?xml version="1.0"?><sst><si><r><t>a</t></r></si></sst>'
    books = [book_of(PLAIN, sheets=2), *(book_of(PLAIN, prolog=PROLOG.replace(*way)) for way in (("UTF-8", "GBK"), ("<worksheet", "<!DOCTYPE a><worksheet"))),
             book_of(PLAIN, epilog=""), book_of(PLAIN, epilog="<row></row>" + EPILOG), book_of(PLAIN, changed={"xl/sharedStrings.xml": rich}), ods_of([["a"]]),
             book_of(PLAIN, changed={"xl/workbook.xml": '<workbook><workbookPr date1904="1"/><sheets><sheet r:id="rId1"/></sheets></workbook>'})]  # fmt: skip
    assert [quick(data) for data in books] == [None] * len(books)
    with zipfile.ZipFile(io.BytesIO(book_of(PLAIN))) as book:
        at = book.getinfo("xl/worksheets/sheet1.xml").header_offset
    torn = bytearray(book_of(PLAIN))
    torn[at + 70] ^= 1
    assert quick(bytes(torn)) is None


def test_formats_of_conditional_formats_are_not_those_of_numbers() -> None:
    styles = (
        '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="2"/></cellXfs><dxfs><dxf><numFmt numFmtId="2" formatCode="yyyy-mm-dd"/></dxf></dxfs></styleSheet>'
    )
    same(book_of(row(1, cell("A1", "7", style=1)), changed={"xl/styles.xml": styles}))


def test_bytes_that_are_no_text_are_left_to_the_other_reader() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book_of(PLAIN))) as book, zipfile.ZipFile(out, "w") as other:
        for name in book.namelist():
            other.writestr(name, book.read(name).replace("乙".encode(), b"\xff\xfe"))
    assert quick(out.getvalue()) is None


def test_a_sheet_with_one_cell_at_its_far_end_is_refused_before_it_is_laid_out() -> None:
    wide = row(1, cell("A1", "1")) + row(1048576, cell("XFD1048576", "1"))
    with pytest.raises(RefusedError, match="E-BOOK-SIZE"):
        quick(book_of(wide))


def test_a_book_that_was_tampered_with_is_read_as_the_other_reader_reads_it_or_left_to_it() -> None:
    chance, whole = random.Random(11), PLAIN + row(4, '<c r="A4" s="1"/>', cell("B4", "3", "s"), cell("C4", "46268", "", 1))
    parts = ["<", ">", "/", '"', "<c/>", "</c>", "<v>", "</v>", "<row>", "</row>", ' t="s"', "&amp;", *"123456789-. EA"]
    read = 0
    for _ in range(200):
        at, length, part = chance.randrange(len(whole)), chance.choice((0, 0, 1, 2, 9)), chance.choice(parts)
        if chance.random() < 0.5:  # a value or a name, one sign for another
            at, length, part = chance.choice([found.start() for found in re.finditer(r"[0-9甲乙]", whole)]), 1, chance.choice(parts[-15:])
        data = book_of(whole[:at] + part + whole[at + length :])
        found = quick(data)
        if found is not None:
            read += 1
            assert found[0].to_dicts() == thorough(data).to_dicts()
    assert read > 5  # not all of it is left to the other


def test_long_books_go_to_the_quick_reader_and_short_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    data = book_of(PLAIN)
    assert book_sheets._plain(io.BytesIO(data)) is None
    monkeypatch.setattr(book_rows, "LONG", len(PLAIN))
    answers = []
    for _ in range(2):
        with tempfile.TemporaryFile(buffering=0) as out:
            answer = book_sheets.book(io.BytesIO(data), out, kind="xlsx")
            out.seek(0)
            answers.append((answer, pl.read_ipc_stream(out.read()).rows()))
        monkeypatch.setattr(book_rows, "LONG", 1 << 40)
    assert answers[0] == answers[1] == ({"counted": 2}, [("甲", "1"), ("乙", "2")])
