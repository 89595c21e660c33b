"""Who the people of the roster are: find each in the household register, and gather what is known to be theirs.

An equal ID, an ID one slip away, name with birth date and sex, and at last name with the household of somebody of the
case who is already known; the last is repeated until nothing changes. What an officer has decided comes first. Leaves these tables in the store: people,
register, spoken, declared, person_rows, person_ids, doubtful_ids, known_people, person_names, crowd, households, family.
"""

from __future__ import annotations

from pathlib import Path

from verify.candidates import NameGrades, near_ids
from verify.crowds import leave_out_homes, leave_out_ids
from verify.store import Store, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))
_KNOWN = ("family_rows", "person_ids", "doubtful_ids", "known_people", "person_names", "crowd", "households", "family")


def identify(store: Store, grades: NameGrades, *, decided: bool = True) -> None:
    """Find the roster's people in the register and leave what is known of them in the store.

    Needs the views register_mentions and own_mentions, and the tables roster, applications, decided_rows and pair_marks. Where nothing
    was `decided`, what rests on these two is there already, and empty: officers_rows and barred.
    """
    for name in ("people", "register", "spoken", "declared"):
        store.table(name, _SQL[name])
    leave_out_ids(store)
    for name in ("decided", "register_decided", "register_void", "officers_rows", "barred") if decided else ():
        store.table(name, _SQL[name])
    store.run("CREATE OR REPLACE TABLE person_rows (pno BIGINT, rid BIGINT, method VARCHAR, status VARCHAR)")
    store.run("INSERT INTO person_rows SELECT pno, rid, 'officer', 'accepted' FROM officers_rows")
    near_ids(store, "near_register", "declared", "register")
    store.table("register_pairs", _SQL["register_pairs"])
    _grade(store, grades, "register_pairs")
    store.table("id_holders", "SELECT DISTINCT pno, rid, better FROM graded WHERE method <> 'name_birth_sex' AND grade > 0")
    for step in ("accept_exact", "accept_corrected"):
        _accept(store, step)
    store.table("birth_pairs", f"{_SQL['register_crowd']} UNION SELECT * FROM register_pairs WHERE method = 'name_birth_sex'")
    if _any(store, "birth_pairs"):
        _grade(store, grades, "birth_pairs")
        _accept(store, "accept_birth")
    leave_out_homes(store)
    _spread_over_households(store, grades)
    for name in _KNOWN:
        store.table(name, _SQL[name])


def _grade(store: Store, grades: NameGrades, pairs: str) -> None:
    """The table `graded`: the pairs with the grade of their names."""
    grades.want(_SQL["names_of_pairs"].format(pairs=pairs))
    store.table("graded", _SQL["graded"].format(pairs=pairs))


def _accept(store: Store, step: str) -> int:
    """Add a step's rows that are not known yet; how many of them are accepted."""
    store.table("found", f"SELECT f.* FROM ({_SQL[step]}) f ANTI JOIN person_rows k ON f.pno = k.pno AND f.rid = k.rid AND k.status = 'accepted'")
    store.run("INSERT INTO person_rows SELECT DISTINCT * FROM found")
    return int(store.one("SELECT count(*) FROM found WHERE status = 'accepted'"))


def _spread_over_households(store: Store, grades: NameGrades) -> None:
    """From those who are known to those of the same case in the same household, until nobody is added."""
    while True:
        store.table("family_rows", _SQL["family_rows"])
        store.table("household_pairs", _SQL["household_pairs"])
        store.run("DELETE FROM person_rows WHERE method = 'name_household' AND status = 'review'")
        if not _any(store, "household_pairs"):
            return
        _grade(store, grades, "household_pairs")
        if not _accept(store, "accept_household"):
            return


def _any(store: Store, pairs: str) -> bool:
    """Whether there is anything to compare: of one case there seldom is, and to find nothing takes five statements."""
    return bool(store.one(f"SELECT count(*) FROM {pairs}"))
