"""A batch in a few figures: the same whole or in pieces, in any order, and near enough where only some IDs are looked at."""

from __future__ import annotations

import random

import polars as pl
import pytest

from verify.archive import Counts
from verify.identity.numbers import check_of
from verify.profiles import Measuring
from verify.rule_extracts import Extract
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

ROWS = 60_000


@pytest.fixture(scope="module")
def extract() -> Extract:
    return load_rulebook(rules_folder()).extracts["jr_zhengquan"]


@pytest.fixture(scope="module")
def kept(extract: Extract) -> pl.DataFrame:
    """Accounts of whose IDs a quarter cannot be and a tenth are not there."""
    dice = random.Random(20261120)
    digits = [f"45010219{dice.randrange(100):02}0307{dice.randrange(1000):03}" for _ in range(ROWS)]
    ids = [None if at % 10 == 3 else one[:-1] if at % 4 == 0 else one + check_of(one) for at, one in enumerate(digits)]
    worth = [dice.randrange(1, 10 ** dice.randrange(1, 18)) if at % 3 else None for at in range(ROWS)]
    nothing = dict.fromkeys([column.column for column in extract.columns], None)
    rows = pl.DataFrame({"_row": range(1, ROWS + 1), "_delete": False, **nothing}, schema_overrides={"_row": pl.Int32})
    return rows.with_columns(证件号码=pl.Series(ids), 市值=pl.Series(worth, dtype=pl.Int64))


def table(extract: Extract, *pieces: pl.DataFrame, announced: int = 1) -> pl.DataFrame:
    measuring = Measuring(extract, {column.column: at for at, column in enumerate(extract.columns)}, announced=announced)
    for piece in pieces:
        measuring.add(piece)
    return measuring.table(Counts(ROWS, ROWS, 0, 0))


def test_pieces_and_order_change_nothing(extract: Extract, kept: pl.DataFrame) -> None:
    whole = table(extract, kept)
    mixed = kept.sample(fraction=1, shuffle=True, seed=7)
    assert table(extract, mixed.head(1), mixed.slice(1, 20_000), mixed.slice(20_001)).equals(whole)
    for announced in (200_000, 5_000_000):
        assert table(extract, mixed.slice(30_000), mixed.head(30_000), announced=announced).equals(table(extract, kept, announced=announced))


def test_a_share_of_the_ids_tells_nearly_as_much_as_all(extract: Extract, kept: pl.DataFrame) -> None:
    def valid(announced: int) -> int:
        return int(table(extract, kept, announced=announced).filter(pl.col("measure") == "valid")["value"].item())

    assert valid(1) == ROWS - ROWS // 4 - ROWS // 10 + sum(at % 4 == 0 and at % 10 == 3 for at in range(ROWS))
    assert abs(valid(1_000_000) - valid(1)) < ROWS // 50


def test_the_median_is_the_true_one_to_two_figures_and_nobodys_amount(extract: Extract, kept: pl.DataFrame) -> None:
    figures = {(of, column): value for of, column, value in table(extract, kept).iter_rows()}
    amounts = sorted(kept["市值"].drop_nulls())
    middle = amounts[(len(amounts) - 1) // 2]
    zeros = 10 ** (len(str(middle)) - 2)
    assert figures["median", "市值"] == middle // zeros * zeros
    assert figures["amounts", "市值"] == len(amounts)
