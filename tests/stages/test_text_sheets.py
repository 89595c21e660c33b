"""Text read in pieces says the same as text read whole, record by record; whatever the bytes, nothing is lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tables
from tests.small_drops import CARS, VALID, ZHANG, Bureau, Sent, car, csv_of, plates, refused
from verify import record_counts, text_pieces
from verify.archive import Archive
from verify.columns import BAD_BYTE
from verify.rule_extracts import Extract
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.text_forms import form_of
from verify.text_sheets import LineLongError, plan, sheets

CELLS = st.text(st.sampled_from('ab张,;"\n \t|'), max_size=6)
SIGNS = st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\r", b"\n\n", b'","', b'"\n"', b'""', b"\xff", b"\0", "张".encode(), "张".encode("gbk")])


@pytest.fixture(scope="module")
def extract() -> Extract:
    return load_rulebook(rules_folder()).extracts["ga_cheliang"]


@contextmanager
def small_pieces(size: int) -> Iterator[None]:
    """Pieces and windows so small that every border falls somewhere."""
    with ExitStack() as undo:
        for module, name in ((text_pieces, "PIECE"), (text_pieces, "STRETCH"), (record_counts, "CHUNK")):
            undo.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, size)
        yield


def read(data: bytes, extract: Extract, announced: int | None = None) -> tuple[int, list[tuple[object, ...]], list[int], list[int]]:
    """Rows counted on the bytes; the rows read; the odd and the spoilt ones."""
    file = io.BytesIO(data)
    way = plan(file, form_of(file, extract), announced)
    found = list(sheets(file, way))
    rows = [row for sheet in found for row in sheet.frame.fill_null("").rows()]
    assert sum(sheet.received for sheet in found) == way.received
    assert sum(sheet.frame.height + len(sheet.odd) for sheet in found) == way.received
    return way.received, rows, [row for sheet in found for row in sheet.odd], sorted(row for sheet in found for row in sheet.spoilt)


@given(
    table=st.lists(st.lists(CELLS, min_size=6, max_size=6), max_size=8),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    size=st.integers(1, 60),
)
@settings(deadline=None)
def test_well_written_csv_reads_back_cell_by_cell(table: list[list[str]], quoting: int, size: int, extract: Extract) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator="\n").writerows([CARS, *table])  # type: ignore[arg-type]
    with small_pieces(max(size * 8, 64)):
        count, rows, odd, spoilt = read(out.getvalue().encode(), extract, len(table))
    assert (count, odd, spoilt) == (len(table), [], [])
    assert [list(row[1:]) for row in rows] == table


@given(parts=st.lists(SIGNS, max_size=60), size=st.integers(1, 40), announced=st.none() | st.integers(0, 12))
@settings(deadline=None)
def test_any_bytes_are_read_the_same_in_pieces_and_nothing_is_lost(parts: list[bytes], size: int, announced: int | None, extract: Extract) -> None:
    data = csv_of([CARS, car("A")]) + b"".join(parts)
    whole = read(data, extract, announced)
    with small_pieces(size + 64):
        assert read(data, extract, announced) == whole


def test_empty_lines_behind_a_stray_quote_are_counted_as_they_are_read(extract: Extract) -> None:
    data = csv_of([CARS, car("A")]) + b'\n' * 8 + b'"\na\n\na'
    assert read(data, extract, 13)[0] == 13  # with the empty lines, as announced
    assert read(data, extract, 12)[0] == read(data, extract)[0] == 4


@given(parts=st.lists(st.sampled_from([b"a", b",", b'"x"', b"\n", b'"', b'""', b'"p,q"']), max_size=60))
@settings(deadline=None)
def test_the_quick_way_says_what_the_slow_way_says(parts: list[bytes], extract: Extract) -> None:
    data = csv_of([CARS, car("A")]) + b"".join(parts)
    quick = read(data, extract)
    assert read(data + b"\n\n", extract) == quick  # an empty line is no row, and sends it the slow way


def test_a_row_cut_short_cannot_hide_behind_an_empty_line(extract: Extract) -> None:
    data = csv_of([CARS, car("A"), car("B")]).replace(b"B,02,", b"B02,") + b"\n"
    assert read(data, extract)[2] == [2]


@pytest.mark.parametrize("start", ["x^", "x\x01", "\x1f\x8b"])
def test_text_that_begins_like_something_packed_is_text(start: str, extract: Extract) -> None:
    for table in ([CARS, car(f"{start}1"), car("2")], [CARS, car(f"{start}1"), ["2"]]):
        assert read(csv_of(table), extract)[1][0][1] == f"{start}1"


def test_a_line_that_is_no_record_of_anybody(extract: Extract) -> None:
    with pytest.raises(LineLongError):
        read(csv_of([CARS, ["x" * (5 << 20)]]), extract)


def test_a_mark_sent_as_text_and_a_mark_for_a_bad_byte_are_both_refused(extract: Extract) -> None:
    assert read(csv_of([CARS, car(BAD_BYTE), car("B"), car("C"), car("D"), car("E")]).replace(b"B,", b"\xff,"), extract)[3] == [1, 2]


def test_the_characters_that_chinese_standards_moved_are_read_as_today(extract: Extract) -> None:
    data = csv_of([CARS, ["A", "02", "", "#", "A", "1"]], "gb18030").replace(b"#", b"\xfe\x59\xa8\xbc") + "桂A1,02,,张,A,1\n".encode("gb18030")
    assert [row[4] for row in read(data, extract)[1]] == ["\u9fb4\u1e3f", "张"]


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_half_a_character_before_a_line_end_never_takes_the_line_end(end: bytes, extract: Extract) -> None:
    lines = [",".join(CARS).encode(), "桂A1,02,,张,A,1".encode("gb18030"), b"B,02,,\xed0", b"C,02,,\xed0,A,1", b"\xed0", b"D,02,,,A,\xed0"]
    for last in (b"", b"E,02,,,A,1"):
        data = end.join([*lines, last])
        whole = read(data, extract)
        assert (whole[0], whole[2], whole[3]) == (6 if last else 5, [2, 4], [2, 3, 4, 5])
        for size in range(64, 130, 5):
            with small_pieces(size):
                assert read(data, extract) == whole


def test_what_repeats_in_a_later_piece_is_a_duplicate_and_the_last_of_a_key_holds(tmp_path: Path) -> None:
    rows = [*(car(f"桂A{at}", str(at), VALID) for at in range(200)), car("桂A0", "0", VALID), car("桂A1", "7"), car("桂A0", "0", VALID), car("", "1")]
    once = Bureau(tmp_path / "once").night(Sent("ga_cheliang", csv_of([CARS, *rows]), len(rows)))
    with small_pieces(700):
        bureau = Bureau(tmp_path / "pieces")
        cut = bureau.night(Sent("ga_cheliang", csv_of([CARS, *rows]), len(rows)))
    for table in ("files", "refused", "warnings"):
        assert tables.table(getattr(cut, table)).equals(tables.table(getattr(once, table)))
    assert plates(cut) == plates(once)
    assert refused(cut) == [(204, "E-REQUIRED", "HPHM")]
    batches = [Archive(folder / "archive").kept(next((folder / "archive").glob("*.counts.parquet")).name.removesuffix(".counts.parquet"))
               for folder in (tmp_path / "once", tmp_path / "pieces")]  # fmt: skip
    assert batches[0].equals(batches[1])
    assert batches[1]["_last"][0] == 203


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["1", "2", "-3", ""]), st.sampled_from([ZHANG, ""])), max_size=40))
@settings(deadline=None, max_examples=25)
def test_pieces_account_as_the_whole_does(said: list[tuple[str, str, str]]) -> None:
    import tempfile  # noqa: PLC0415

    data = csv_of([CARS, *([plate, "02", owner, "", "A", price] for plate, price, owner in said)])
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, size in (("once", 1 << 20), ("pieces", 90)):
            with small_pieces(size):
                arrived = Bureau(Path(folder) / name).night(Sent("ga_cheliang", data, len(said)), Sent("ga_cheliang", csv_of([CARS, car("Z")]), 1, batch="2"))
            found.append([tables.table(path).rows() for path in (arrived.files, arrived.refused, arrived.warnings)])
    assert found[0] == found[1]
