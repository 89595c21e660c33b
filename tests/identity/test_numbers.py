"""Numbers of people against published ones, against python-stdnum where that is right, and against its known faults."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from verify.identity.credit_codes import check_of_body, check_of_code, credit_code_of
from verify.identity.divisions import divisions
from verify.identity.numbers import CITIZEN, CITIZEN_15, INVALID, PERMIT, REPAIRABLE, RESIDENT, VALID, check_of, number_of, repairs_of, to_eighteen, to_fifteen

TODAY = date(2026, 11, 20)
BIRTHS = st.dates(date(1930, 1, 1), date(1999, 12, 31))


def state(written: str, as_of: date = TODAY) -> str:
    found = number_of(written, as_of)
    return found.state if found else ""


def made(division: str, birth: date, sequence: int) -> str:
    body = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return body + check_of(body)


def test_the_examples_of_the_standard() -> None:
    woman, centenarian = number_of("11010519491231002X", TODAY), number_of("440524188001010014", date(1999, 7, 1))
    assert woman
    assert (woman.kind, woman.state, woman.birth, woman.sex, woman.division) == (CITIZEN, VALID, date(1949, 12, 31), "female", "110105")
    assert centenarian
    assert (centenarian.state, centenarian.sex) == (VALID, "male")
    assert state("440524188001010014") == INVALID  # nobody is 146


def test_the_permits_that_the_police_published() -> None:
    for number, birth in (("810000199408230021", date(1994, 8, 23)), ("830000199201300022", date(1992, 1, 30))):
        found = number_of(number, TODAY)
        assert found
        assert (found.kind, found.state, found.birth, found.division) == (PERMIT, VALID, birth, None)
        assert state(number, date(2018, 8, 31)) != VALID  # there were none before


def test_the_card_of_foreigners_begins_with_nine_and_has_the_same_check_character() -> None:
    found = number_of(made("911840", date(1981, 8, 3), 1), TODAY)
    assert found
    assert (found.kind, found.state, found.birth, found.division) == (RESIDENT, VALID, date(1981, 8, 3), None)


def test_fifteen_digits_and_eighteen_are_one_number() -> None:
    old = number_of("110105491231002", TODAY)
    assert old
    assert (old.kind, old.key, old.state) == (CITIZEN_15, "11010519491231002X", VALID)
    assert to_fifteen("11010519491231002X") == "110105491231002"
    assert to_fifteen(made("110105", date(2003, 1, 1), 2)) is None
    assert to_eighteen("110105850101999")[6:10] == "1885"  # the sequences kept for centenarians


@pytest.mark.parametrize("written", ["11010519491231002x", " １１０１０５１９４９１２３１００２Ｘ", "110105 19491231 002X", "'11010519491231002*"])
def test_noise_is_no_fault(written: str) -> None:
    assert state(written) == VALID


def test_one_fault_can_be_repaired_and_two_are_not_a_number() -> None:
    wrong = "110105194912310029"
    assert state(wrong) == REPAIRABLE
    assert "11010519491231002X" in repairs_of(wrong, TODAY)
    assert repairs_of("11010519491231002X", TODAY) == ()  # never one valid number into another
    assert state("1101O519491231002X") == REPAIRABLE  # O for 0
    assert [state(x) for x in ("000000000000000000", "91350100M000100Y43", "1234", "110105491331002")] == [INVALID, INVALID, INVALID, INVALID]
    assert number_of(" — ", TODAY) is None


def test_check_characters_want_their_digits() -> None:
    with pytest.raises(ValueError, match="seventeen"):
        check_of("1234")
    with pytest.raises(ValueError, match="fifteen"):
        to_eighteen("1234")


@given(birth=BIRTHS, sequence=st.integers(1, 995))
def test_stdnum_computes_the_same_check_character(birth: date, sequence: int) -> None:
    number = made("110105", birth, sequence)
    assert ric.calc_check_digit(number) == number[17]
    assert to_eighteen(to_fifteen(number) or "") == number


@given(body=st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9))
def test_stdnum_computes_the_same_credit_code(body: str) -> None:
    code = f"91350100{body}"
    assert uscc.calc_check_digit(code) == check_of_code(code)


def test_what_stdnum_refuses_though_it_is_valid() -> None:
    """Its table of places: residence permits are refused (known fault), and a made-up county's people."""
    for number in ("810000199408230021", "830000199201300022"):
        assert state(number) == VALID
        with pytest.raises((ValidationError, KeyError)):
            ric.get_birth_place(ric.validate(number))


def test_credit_codes_of_the_standard() -> None:
    found = credit_code_of("9135 0100 M000 100Y 43")
    assert found
    assert (found.valid, found.body_valid, found.division, found.body, found.person) == (True, True, "350100", "M000100Y4", False)
    assert check_of_body("D2143569") == "X"  # GB 11714-1997
    wrong, person = credit_code_of("91350100M000100Y44"), credit_code_of("11010519491231002X")
    assert wrong
    assert person
    assert (wrong.valid, wrong.person, person.valid, person.person) == (False, False, False, True)
    assert credit_code_of("—") is None


def test_a_code_is_held_against_the_days_on_which_it_could_be_given() -> None:
    table = divisions()
    assert table.today("510200", TODAY) == "500000"
    assert table.possible("500101", date(1950, 1, 1), TODAY) is True  # given after 1997, at any age
    assert table.possible("510200", date(1998, 1, 1), TODAY) is False  # born after the code was gone
    assert table.possible("460100", date(1960, 1, 1), date(1987, 1, 1)) is False  # before there was such a province
    assert table.possible("990000", date(1960, 1, 1), TODAY) is None
    found = table.province("450102", TODAY)
    assert found
    assert found.name == "广西壮族自治区"


def test_a_regions_own_table() -> None:
    table = divisions("code,name,from,to,successor\n459901,甲县,,1995-01-01,459902\n459902,乙县,1995-01-01,,\n")
    assert table.today("459901", TODAY) == "459902"
    assert table.on("459902", date(1994, 12, 31)) is None
