"""What an officer has decided of a row and a person: it goes with what both say, and contradictions are told and never guessed."""

from __future__ import annotations

from datetime import date

from tests.stages.test_match import BANKS, HOMES, MAN, REGISTER, ROSTER, SON, STRANGER, TAX, WIFE, County, an_id, verdict, wrong
from verify.pair_decisions import OTHER, SAME

BANK_OF_ANOTHER = an_id("19800305", 13)


def a_family() -> County:
    """A man and his wife on the roster and in the register, and a stranger who is in the register only."""
    county = County()
    for name, number, household in (("王建国", MAN, "H1"), ("李秀英", WIFE, "H1"), ("王建国", STRANGER, "H9")):
        county.lives(name, number, household)
    county.declares("王建国", MAN)
    county.declares("李秀英", WIFE)
    return county


def test_a_dismissed_row_is_theirs_no_more_however_well_it_fits() -> None:
    county = a_family()
    row = county.banks("王建国", MAN)
    other = county.banks("李秀英", WIFE)
    assert verdict(county, BANKS, row) == ("accepted", "exact_id")
    assert county.decides(OTHER, BANKS, row, 1) == 1
    assert verdict(county, BANKS, row) == ("rejected", "officer_not")
    assert verdict(county, BANKS, other, member=2) == ("accepted", "exact_id")
    assert county.states() == {1: "held"}


def test_a_row_that_must_be_theirs_is_and_is_nobody_elses() -> None:
    county = a_family()
    lead = county.owns("王建国", None, "U1")
    theirs = county.banks("李秀英", WIFE)
    assert verdict(county, HOMES, lead) == ("rejected", "name_only")
    county.decides(SAME, HOMES, lead, 1)
    county.decides(SAME, BANKS, theirs, 1)
    assert verdict(county, HOMES, lead) == ("accepted", "officer")
    assert verdict(county, BANKS, theirs) == ("accepted", "officer")
    assert verdict(county, BANKS, theirs, member=2) == ("rejected", "officer_not")
    assert county.states() == {1: "held", 2: "held"}


def test_a_decision_goes_with_the_content_not_with_the_number() -> None:
    seen = a_family()
    seen.banks("王建囯", wrong(MAN))
    seen.owns("王建国", None, "U1")
    tonight = a_family()
    tonight.seen = seen
    tonight.banks("李秀英", WIFE)  # the same row has another number tonight
    again, more = tonight.banks("王建囯", wrong(MAN)), tonight.banks("王建囯", wrong(MAN, 12))
    another, same = tonight.owns("王建国", None, "U2"), tonight.owns("王建国", None, "U1")
    assert verdict(tonight, BANKS, again) == verdict(tonight, BANKS, more) == ("accepted", "corrected_id")
    tonight.decides(OTHER, BANKS, 1, 1)
    tonight.decides(SAME, HOMES, 1, 1)
    assert verdict(tonight, BANKS, again) == ("rejected", "officer_not")
    assert verdict(tonight, BANKS, more) == ("accepted", "corrected_id"), "another ID is new evidence"
    assert verdict(tonight, HOMES, same) == ("accepted", "officer")
    assert verdict(tonight, HOMES, another) == ("rejected", "name_only"), "a bare name on another deed is another row"


def test_a_person_who_declares_another_id_is_new_evidence() -> None:
    seen = a_family()
    seen.banks("王建国", MAN)
    tonight = County()
    tonight.lives("王建国", MAN, "H1")
    tonight.declares("王建国", MAN[:-1] + "0" if MAN[-1] != "0" else MAN[:-1] + "1")
    row = tonight.banks("王建国", MAN)
    tonight.seen = seen
    tonight.decides(OTHER, BANKS, 1, 1)
    assert (tonight.states(), tonight.codes) == ({1: "idle"}, {"N-PAIR-IDLE"})
    found = verdict(tonight, BANKS, row)
    assert found is not None
    assert found[1] != "officer_not"


def test_a_row_of_the_register_says_who_they_are_by_decision() -> None:
    county = County()
    mine, namesake = county.lives("王建国", MAN, "H1"), county.lives("王建国", STRANGER, "H9")
    county.declares("王建国", STRANGER)
    saved, hers = county.banks("王建国", MAN), county.banks("王建国", STRANGER)
    assert verdict(county, REGISTER, namesake) == ("accepted", "exact_id")
    county.decides(SAME, REGISTER, mine, 1)
    assert verdict(county, REGISTER, mine) == ("accepted", "officer")
    assert verdict(county, REGISTER, namesake) is None, "whoever is one person of the register is not another"
    assert verdict(county, BANKS, saved) == ("accepted", "exact_id"), "what the register knows of them is theirs now"
    assert verdict(county, BANKS, hers) != ("accepted", "exact_id")
    _, persons = county.run()
    assert persons["birth"].to_list() == [date(1980, 3, 5)]


def test_a_row_of_the_register_that_is_not_theirs_gives_nothing() -> None:
    county = a_family()
    row, saved = 1, county.banks("王建国", MAN)
    county.decides(OTHER, REGISTER, row, 1)
    found = verdict(county, REGISTER, row)
    assert found is None or found[0] == "rejected"
    assert verdict(county, BANKS, saved) != ("accepted", "exact_id"), "then the number is the other's"


def test_one_row_that_must_be_two_peoples_is_told_and_worked_out_as_if_nobody_had_spoken() -> None:
    county = a_family()
    row = county.banks("王建国", MAN)
    county.decides(SAME, BANKS, row, 1)
    county.decides(SAME, BANKS, row, 2)
    assert (county.states(), county.codes) == ({1: "conflict", 2: "conflict"}, {"E-PAIR-CONFLICT"})
    assert verdict(county, BANKS, row) == ("accepted", "exact_id")
    assert verdict(county, BANKS, row, member=2) is None


def test_decisions_in_a_circle_are_told() -> None:
    """Two members of one case, two rows of the register, each said to be each: nobody can be both."""
    county = a_family()
    for row in (1, 2):
        for member in (1, 2):
            county.decides(SAME, REGISTER, row, member)
    assert set(county.states().values()) == {"conflict"}
    assert verdict(county, REGISTER, 1) == ("accepted", "exact_id")
    assert verdict(county, REGISTER, 2, member=2) == ("accepted", "exact_id")


def test_of_two_decisions_about_one_pair_the_later_holds_whichever_batch_it_was_seen_in() -> None:
    county = a_family()
    one, two = county.banks("王建国", MAN), county.banks("王建国", MAN)
    county.decides(OTHER, BANKS, one, 1)
    county.decides(SAME, BANKS, two, 1)
    assert county.states() == {1: "idle", 2: "held"}
    assert verdict(county, BANKS, one) == verdict(county, BANKS, two) == ("accepted", "officer")


def test_a_cannot_link_of_the_same_person_in_another_case_denies_a_must_link() -> None:
    county = a_family()
    county.declares("王建国", MAN, case="C2")
    row = county.banks("王建国", wrong(MAN))
    county.decisions = {}
    county.decides(SAME, BANKS, row, 1)
    assert verdict(county, BANKS, row, case="C2") == ("accepted", "officer"), "the same person, by name and valid ID"
    county.rows[ROSTER][2]["姓名"] = "王健国"
    county.made = None
    county.decides(OTHER, BANKS, row, 3)
    assert county.states() == {1: "conflict", 2: "held"}
    assert verdict(county, BANKS, row, case="C2") == ("rejected", "officer_not")


def test_without_an_authorisation_no_decision_links() -> None:
    county = County()
    county.lives("王建国", MAN)
    county.declares("王建国", MAN, 授权状态="未签")
    row = county.banks("王建国", MAN)
    county.decides(SAME, BANKS, row, 1)
    assert verdict(county, BANKS, row) is None


def test_a_dismissed_partner_ties_nobody_to_a_deed() -> None:
    county = a_family()
    anchor, other = county.owns("李秀英", WIFE, "U1"), county.owns("王建国", None, "U1")
    assert verdict(county, HOMES, other) == ("accepted", "name_document")
    county.decides(OTHER, HOMES, anchor, 2)
    found = verdict(county, HOMES, other)
    assert found is None or found[0] != "accepted"


def test_a_sons_payments_are_each_a_row_of_its_own() -> None:
    county = a_family()
    county.lives("王小明", SON, "H1")
    county.declares("王小明", SON)
    rows = [county.add(TAX, 纳税人姓名="王小明", 纳税人识别号=SON, 申报序号=str(at)) for at in range(3)]
    county.decides(OTHER, TAX, rows[0], 3)
    assert [verdict(county, TAX, row, member=3) for row in rows] == [("rejected", "officer_not")] * 3, "who the row is of is what was decided"
