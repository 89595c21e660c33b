"""What a crowd shares tells nobody apart: no row is held against all of them, nobody is accepted by it, and the night says so."""

from __future__ import annotations

import polars as pl

from tests.stages.test_match import BANKS, HOMES, MAN, ROSTER, County, an_id, verdict, wrong

NAMES = [f"{surname}{given}" for surname in "王李张刘陈" for given in ("伟", "芳", "娜", "敏", "静")]  # 25, more than may share a number


def crowd(number: str | None, *, homes: int = 25, **said: object) -> County:
    """Twenty-five people on the roster and in the register, all with one number; a bank row and a deed each."""
    county = County()
    for at, name in enumerate(NAMES):
        county.lives(name, number, f"H{at % homes}")
        county.declares(name, number, case=f"C{at}")
        county.banks(name, number)
        county.owns(name, number, "U1")
    for rows in county.rows.values():
        for row in rows:
            row |= {key: value for key, value in said.items() if key in row}
    return county


def test_a_number_that_everybody_was_given_is_nobodys() -> None:
    for number in (MAN, wrong(MAN)):
        links, persons = crowd(number).run()
        assert links.filter(pl.col("status") != "rejected").is_empty()
        assert links.height <= 4 * len(NAMES), "a lead by name each, never all against all"
        assert persons["person_id"].n_unique() == len(NAMES)
        assert persons["birth"].null_count() == len(NAMES), "nor does it say when anybody was born"


def test_the_night_says_that_it_was_left_out_and_few_may_share_one() -> None:
    county = crowd(MAN)
    county.run()
    assert county.codes == {"N-CROWDED"}
    few = County()
    for at, name in enumerate(NAMES[:3]):
        few.declares(name, MAN, case=f"C{at}")
    row = few.banks(NAMES[0], MAN)
    few.lives(NAMES[0], MAN)
    assert verdict(few, BANKS, row, case="C0") == ("accepted", "exact_id")
    assert few.codes == set()


def test_all_of_one_name_without_a_number_lead_nowhere() -> None:
    county = crowd(None, 姓名="王伟", 客户姓名="王伟", 权利人="王伟")
    links, persons = county.run()
    assert links.is_empty()
    assert persons["person_id"].n_unique() == len(NAMES)


def test_everybody_in_one_household_is_found_by_their_own_number() -> None:
    county, numbers = County(), [an_id("19800101", 100 + at) for at in range(120)]
    for at, number in enumerate(numbers):
        county.lives(f"{NAMES[at % 25]}{'甲乙丙丁戊'[at // 25]}", number, "H0")
    county.declares(f"{NAMES[7]}甲", numbers[7])
    county.declares(f"{NAMES[8]}甲", None)  # by name and household; but so many do not live together
    row = county.banks(f"{NAMES[7]}甲", numbers[7])
    assert verdict(county, BANKS, row) == ("accepted", "exact_id")
    links, _ = county.run()
    assert "name_household" not in set(links["method"])
    assert county.codes == {"N-CROWDED"}


def test_a_roster_of_one_and_rows_that_say_nothing() -> None:
    county = County()
    county.lives("王建国", MAN)
    county.declares("王建国", MAN)
    blank = [county.banks(None, MAN), county.owns("王建国", None, "U1")]
    assert verdict(county, BANKS, blank[0]) == ("accepted", "exact_id")
    assert verdict(county, HOMES, blank[1]) == ("rejected", "name_only")
    assert len(county.rows[ROSTER]) == 1
