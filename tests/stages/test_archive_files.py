"""Long files of the archive: written column by column as it fits them, read back as they were, by way of a home of before too."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from verify.store import frames_into, frames_of, frames_where, read_frame, write_frame
from verify.store_files import ROWS_PER_PAGE

ROWS = ROWS_PER_PAGE + 70_000


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Texts that repeat, with gaps; texts that do not; numbers and days of both kinds; nothing at all."""
    at = pl.int_range(ROWS, eager=True)
    return pl.DataFrame({
        "_row": at.cast(pl.Int32),
        "_delete": at % 3 == 0,
        "险种": [None if number % 11 == 0 else ("企业养老", "城乡居民养老", "")[number % 3] for number in range(ROWS)],
        "号码": "41" + (at * 7_919 % 1_000_003).cast(pl.String),
        "月份": [date(2026, 1, 1) + timedelta(days=31 * (number % 9)) for number in range(ROWS)],
        "金额": pl.select(pl.when(at % 5 > 0).then(at * 104_729 % 900_001 - 7)).to_series(),
        "空": pl.Series([None] * ROWS, dtype=pl.String),
    })  # fmt: skip


@pytest.fixture(scope="module", params=["long", "before"])
def kept(rows: pl.DataFrame, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows as the archive has them: in pieces of which the later ones are not like the first; and as programs before wrote them."""
    path = tmp_path_factory.mktemp(request.param) / "rows.parquet"
    if request.param == "before":
        write_frame(rows, path)
        return path
    with frames_into(path) as keep:
        keep(rows[:0])
        keep(rows[:50_000])
        keep(rows[50_000:])
    return path


def test_it_is_read_as_it_was_written(kept: Path, rows: pl.DataFrame) -> None:
    """Every value, every gap and every type."""
    assert read_frame(kept).equals(rows)
    assert read_frame(kept).schema == rows.schema
    assert pl.concat(frames_of(kept, ["险种", "_row"], 100_000)).equals(rows.select("险种", "_row"))
    assert read_frame(kept, ["险种"]).equals(rows.select("险种"))


@pytest.mark.parametrize("column", ["险种", "号码", "月份", "金额", "_row"])
def test_rows_are_found_by_a_value(kept: Path, rows: pl.DataFrame, column: str) -> None:
    """By a text, folded in the file or not, by a day, an amount and by its place, in the first, a middle and the last row group; a gap is nobody's."""
    wanted = rows[column].gather([5, 100_003, ROWS - 1]).drop_nulls()
    found = pl.concat(frames_where(kept, column, wanted, ["_row", "险种", "号码"]))
    expected = rows.filter(pl.col(column).is_in(wanted.implode()).fill_null(value=False))
    assert found.select("_row", "险种", "号码").equals(expected.select("_row", "险种", "号码"))
    assert pl.concat(frames_where(kept, column, wanted)).select(rows.columns).equals(expected)
    assert pl.concat(frames_where(kept, column, rows[column].clear(), ["空"])).columns == [column, "空"]
