"""How raw text becomes values: every written form reads back exactly, and what is no value never becomes zero."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify import columns
from verify.columns import MOST, read_cells
from verify.plain_cells import NO_VALUE
from verify.rule_extracts import Column

FORMS = ("{plain}", "{grouped}", "￥{plain}", "¥{grouped}", "{plain}元", "￥{grouped}元", " {plain}\u3000", "'{plain}", "{wide}", "{plain}00", "+{plain}")
WIDE_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")
KINDS: list[dict[str, object]] = [{"type": kind} for kind in ("text", "name", "id", "money", "count", "date", "month", "epoch_ms")]
KINDS += [{"type": "money", "unit": "万元"}, {"type": "number", "decimals": 1}, {"type": "code", "codes": ["1", "无"]}, {"type": "code"}]


def one(text: str | None, kind: str, **more: object) -> tuple[object, str | None]:
    """Value and fault of one cell."""
    cells = read_cells(pl.Series([text], dtype=pl.String), Column.model_validate({"column": "某列", "type": kind, **more}))
    return cells["value"][0], cells["fault"][0]


@given(fen=st.integers(0, 10**14), form=st.sampled_from(FORMS))
def test_every_written_form_of_an_amount_reads_back_to_the_fen(fen: int, form: str) -> None:
    whole, part = divmod(fen, 100)
    plain = f"{whole}.{part:02d}"
    text = form.format(plain=plain, grouped=f"{whole:,}.{part:02d}", wide=plain.translate(WIDE_DIGITS))
    assert one(text, "money") == (fen, None)


@given(mills=st.integers(0, 10**12))
def test_a_third_decimal_is_rounded_half_up(mills: int) -> None:
    assert one(f"{mills // 1000}.{mills % 1000:03d}", "money") == ((mills + 5) // 10, None)


@given(fen=st.integers(0, 10**13))
def test_floats_of_their_files_read_back_to_the_fen(fen: int) -> None:
    assert one(pl.Series([fen / 100]).cast(pl.String)[0], "money") == (fen, None)


@pytest.mark.parametrize(
    ("text", "unit", "found"),
    [
        ("50", "万元", (50_000_000, None)),
        ("12.3456785", "万元", (12_345_679, None)),
        ("3.5万元", "万元", (3_500_000, None)),
        ("3.5万元", "元", (None, "W-TEXT")),
        ("-1", "元", (None, "E-NEGATIVE")),
        ("￥-0.001", "元", (None, "E-NEGATIVE")),
        ("-0.00", "元", (0, None)),
        ("12,34", "元", (None, "W-TEXT")),
        ("若干", "元", (None, "W-TEXT")),
        ("1.5E+6", "元", (150_000_000, None)),
        ("9" * 30, "元", (MOST, None)),
        ("0", "元", (0, None)),
    ],
)
def test_amounts(text: str, unit: str, found: tuple[object, str | None]) -> None:
    assert one(text, "money", unit=unit) == found


@pytest.mark.parametrize("kind", ["text", "code", "name", "id", "date", "month", "epoch_ms", "money", "number", "count"])
@pytest.mark.parametrize("text", [None, "", "  ", "\u3000", "-", "—", "无", "NULL", "null", "N/A", " 无 "])
def test_no_value_is_never_a_value(text: str | None, kind: str) -> None:
    assert one(text, kind) == (None, None)


def test_a_token_that_the_list_names_is_a_value() -> None:
    assert one("无", "code", codes=["有", "部分", "无"]) == ("无", None)
    assert one("少许", "code", codes=["有", "部分", "无"]) == (None, "W-CODE")


@given(day=st.dates(date(1900, 3, 1), date(2173, 1, 1)))
def test_every_written_form_of_a_day_reads_back(day: date) -> None:
    y, m, d = day.year, day.month, day.day
    texts = [f"{day}", f"{day:%Y%m%d}", f"{y}/{m}/{d}", f"{y}年{m}月{d}日", f"{day} 00:00:00", f"{y}-{m}-{d}"]
    assert read_cells(pl.Series(texts), Column.model_validate({"column": "某列", "type": "date"})).rows() == [(day, None)] * len(texts)


@given(day=st.dates(date(1950, 1, 1), date(2100, 1, 1)), second=st.integers(0, 86_399))
def test_epoch_milliseconds_are_beijing_days(day: date, second: int) -> None:
    moment = ((day - date(1970, 1, 1)) // timedelta(days=1) * 86_400 + second - 8 * 3_600) * 1_000
    assert one(str(moment), "epoch_ms") == (day, None)


@pytest.mark.parametrize("text", ["2026-02-30", "20260231", "2026/13/1", "2025年2月29日", "0000-01-01", "昨天", "2026", "202611"])
def test_an_impossible_day_is_no_value_and_a_warning(text: str) -> None:
    assert one(text, "date") == (None, "W-DATE")


@pytest.mark.parametrize(
    ("text", "found"), [("2", (2, None)), ("2.0", (2, None)), ("2.5", (None, "W-TEXT")), ("-1", (None, "W-TEXT")), ("两辆", (None, "W-TEXT"))]
)
def test_counts(text: str, found: tuple[object, str | None]) -> None:
    assert one(text, "count") == found


def test_noise_around_values_goes() -> None:
    assert one(" '11010519491231002x ", "id") == ("11010519491231002X", None)
    assert one("\u00a0桂Ａ１２３\u3000", "text") == ("桂A123", None)
    assert one("89.505", "number", decimals=2) == (8_951, None)


@pytest.mark.parametrize("text", ["99999999999999999999999", "92233720368547758.07", "90000000000000000.01"])
def test_an_absurd_amount_is_much_and_never_nothing(text: str) -> None:
    assert one(text, "money") == (MOST, None)


SIGNS = st.text(st.sampled_from("0123456789.-/:,+ eExX张无年月日元￥'１Ａ\u3000"), max_size=10)
DAYS, AMOUNTS = st.dates(), st.decimals(-9, 10**13, places=2).map(str)
CELLS = st.none() | SIGNS | DAYS.map(str) | DAYS.map("{:%Y%m%d}".format) | AMOUNTS | st.sampled_from(NO_VALUE)


@settings(max_examples=60)
@given(st.lists(CELLS, max_size=12), st.sampled_from(KINDS))
def test_a_cell_read_at_once_says_what_it_says_when_it_is_looked_at(cells: list[str | None], kind: dict[str, object]) -> None:
    raw, column = pl.Series("raw", cells, dtype=pl.String), Column.model_validate({"column": "某列", **kind})
    assert read_cells(raw, column).equals(columns._read_distinct(raw, column))
