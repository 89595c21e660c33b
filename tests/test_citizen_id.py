"""Citizen IDs: GB 11643 check character, real birth dates, fifteen digits, and what an ID says of its holder."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.citizen_id import VALID_15, VALID_18, as_fifteen, birth_of, id_key, id_keys, id_state, said_by, sex_of, valid_id18
from verify.identity.numbers import check_of

AS_OF = date(2026, 11, 20)


def states(*ids: str | None) -> list[str]:
    frame = pl.DataFrame({"raw": ids}, schema={"raw": pl.String}).with_columns(key=id_key(pl.col("raw")))
    return frame.select(id_state(pl.col("key"), AS_OF)).to_series().to_list()


def one(expression: pl.Expr, key: str) -> object:
    return pl.DataFrame({"key": [key]}).select(expression).item()


def test_the_standards_own_example_is_valid() -> None:
    assert states("11010519491231002X") == ["valid18"]


def test_a_wrong_check_character_is_invalid() -> None:
    assert states("110105194912310021") == ["invalid"]


@pytest.mark.parametrize("written", ["11010519491231002x", "'11010519491231002X", " １１０１０５１９４９１２３１００２Ｘ　", "110105 19491231 002X"])
def test_what_is_noise_does_not_matter(written: str) -> None:
    assert states(written) == ["valid18"]


def test_no_id_is_none_and_signs_alone_are_no_id() -> None:
    assert states(None, "", "——") == ["none", "none", "none"]


def test_a_birth_date_that_is_not_real_or_lies_in_the_future_is_invalid() -> None:
    unreal, future = "11010519490231002", "11010520261121002"
    assert states(unreal + check_of(unreal), future + check_of(future)) == ["invalid", "invalid"]


def test_fifteen_digits_are_valid_with_a_real_date_of_the_last_century() -> None:
    assert states("110105491231002", "110105491331002", "11010549123100X") == ["valid15", "invalid", "invalid"]


def test_company_codes_are_no_citizen_ids() -> None:
    assert states("91459999MA000212XH") == ["invalid"]


def test_what_an_id_says_of_its_holder() -> None:
    assert one(birth_of(pl.col("key")), "11010519491231002X") == date(1949, 12, 31)
    assert one(birth_of(pl.col("key")), "110105491231002") == date(1949, 12, 31)
    assert one(sex_of(pl.col("key")), "11010519491231002X") == "female"
    assert one(sex_of(pl.col("key")), "110105491231003") == "male"


def test_the_fifteen_digits_of_an_id() -> None:
    assert one(as_fifteen(pl.col("key")), "11010519491231002X") == "110105491231002"
    assert one(as_fifteen(pl.col("key")), "110105491231002") == "110105491231002"
    assert one(as_fifteen(pl.col("key")), "110105200012310027") is None


def test_check_character_wants_seventeen_digits() -> None:
    with pytest.raises(ValueError, match="seventeen"):
        check_of("1234")


@given(st.integers(10**16, 10**17 - 1), st.integers(0, 16), st.integers(1, 9))
def test_no_mistyped_digit_stays_valid(body: int, at: int, step: int) -> None:
    right = f"{body}{check_of(str(body))}"
    wrong = right[:at] + str((int(right[at]) + step) % 10) + right[at + 1 :]
    valid = pl.DataFrame({"key": [right, wrong]}).select(valid_id18(pl.col("key"))).to_series().to_list()
    assert valid == [True, False]


@given(st.lists(st.none() | st.text(max_size=4) | st.from_regex(r"[0-9]{17}[0-9Xx]", fullmatch=True), max_size=6))
def test_a_column_of_ids_is_made_comparable_as_each_is(ids: list[str | None]) -> None:
    raw = pl.Series("raw", ids, dtype=pl.String)
    assert id_keys(raw).to_list() == raw.to_frame().select(id_key(pl.col("raw"))).to_series().to_list()


@given(st.from_regex(r"[1-9][0-9]{16}", fullmatch=True), st.sampled_from("0123456789X"))
def test_one_check_character_alone_is_right(digits: str, last: str) -> None:
    assert one(valid_id18(pl.col("key")), digits + last) == (last == check_of(digits))


BODIES = st.builds(
    lambda year, day, rest: f"110105{year:04d}{day:04d}{rest:03d}", st.integers(0, 9999) | st.integers(1895, 2030), st.integers(101, 1232), st.integers(0, 999)
)
NUMBERS = BODIES.map(lambda body: body + check_of(body)) | BODIES.map(lambda body: body + "0") | BODIES.map(lambda body: body[:6] + body[8:])


@settings(max_examples=40)
@given(st.lists(st.none() | NUMBERS | st.text("0189X+-A张", min_size=1, max_size=19), max_size=20))
def test_a_column_of_ids_says_what_each_of_them_says(ids: list[str | None]) -> None:
    keys = pl.Series("key", ids, dtype=pl.String)
    key, valid = pl.col("key"), pl.col("id_state").is_in([VALID_18, VALID_15])
    each = keys.to_frame().with_columns(id_state=id_state(key, date.max), right=valid_id18(key))
    said = {"id15": as_fifteen(key), "id_birth": birth_of(key), "id_sex": sex_of(key)}
    assert said_by(keys).equals(each.select("id_state", **{name: pl.when(valid).then(one) for name, one in said.items()}))
    shaped = [text is not None and re.fullmatch("[1-9][0-9]{16}[0-9X]", text) is not None and check_of(text[:17]) == text[17] for text in ids]
    assert each["right"].to_list() == shaped
