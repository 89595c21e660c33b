"""Who belongs to a household by the registers, and what an officer should look at: a made-up family, and the golden night's cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.small_county import AS_OF, LINK, PERSON, book, person
from verify.identity.credit_codes import check_of_code
from verify.manifest import Manifest, Origin, Published
from verify.match_household_bodies import owned_through
from verify.match_household_hints import Hint, Looking, hints_of
from verify.store import open_store, write_frame

# Register: household, relation, moved, address, dead. The man and his wife live at one address; their grown son left it for a
# household of his own a month before they applied, a daughter is in the household and not in the case, a dead one does not count.
REGISTER = """(VALUES ('r', 1, 'H1', '户主', DATE '1990-01-01', '甲县乙镇丙村5号', '0'), ('r', 2, 'H1', '配偶', DATE '2026-09-01', '甲县乙镇丙村5号', '0'),
 ('r', 3, 'H1', '女', NULL, '甲县乙镇丙村5号', '0'), ('r', 4, 'H1', '子', NULL, '甲县乙镇丙村5号', '1'),
 ('r', 5, 'H2', '户主', DATE '2026-09-20', '甲县乙镇丙村5号', '0'), ('r', 6, 'H3', '户主', DATE '2026-09-20', '甲县乙镇丙村6号', '0'))
 AS t(_file, _row, 户号, 与户主关系, 迁入日期, 户籍地址, 注销标识), (SELECT NULL::DATE AS 注销日期) u"""
COUPLES = "(VALUES ('m', 1, DATE '2010-05-01', '结婚'), ('m', 2, DATE '2026-10-01', '离婚')) AS t(_file, _row, 登记日期, 登记类型)"
DEEDS = "(VALUES ('b', 1, 'U1'), ('b', 2, 'U1'), ('b', 3, 'U1'), ('b', 4, 'U1'), ('b', 5, 'U2')) AS t(_file, _row, 不动产单元号)"
CASES = """(VALUES ('SQ1', DATE '2026-10-20', '138 0013 8001', '甲县乙镇丙村5号'), ('SQ2', DATE '2026-10-21', '13800138001', '甲县乙镇丙村5号'),
 ('SQ3', DATE '2026-10-22', NULL, '甲县乙镇丙村'), ('SQ4', DATE '2026-10-22', '13900139000', '甲县乙镇丙村'))
 AS t(申请编号, 申请日期, 联系电话, 家庭住址)"""
ROWS = {
    "ga_huji": f"(SELECT * FROM {REGISTER})",
    "mz_hunyin": f"(SELECT * FROM {COUPLES})",
    "bdc_fangwu": f"(SELECT * FROM {DEEDS})",
    "mz_shenqing": f"(SELECT * FROM {CASES})",
}


def link(extract: str, row: int, member: int, case: str = "SQ1") -> dict[str, object]:
    place = {"extract": extract, "file": {"ga_huji": "r", "mz_hunyin": "m", "bdc_fangwu": "b", "sc_zhuti": "z"}[extract], "row": row, "side": ""}
    return place | {
        "case_id": case,
        "member_no": member,
        "person_id": f"P-{case}-{member}",
        "status": "accepted",
        "score": 0,
        "method": "exact_id",
        "reasons": [],
    }


PEOPLE = [
    person(1, sex="male"),
    person(2, relation="配偶", sex="female", birth=date(1988, 2, 2), household="H1", name_key="林小红"),
    person(3, relation="其他", household=None, birth=None),
    person(1, "SQ2", name_key="林小宏", birth=date(1988, 2, 2), sex="female", ids=[]),  # the wife, written otherwise, without a valid ID
    person(1, "SQ3", name_key="林小红", birth=date(1988, 2, 2), sex="female"),  # a namesake: two valid IDs are two people
]
LINKS = [link("ga_huji", 1, 1), link("ga_huji", 2, 2), link("mz_hunyin", 1, 1), link("mz_hunyin", 1, 2), link("mz_hunyin", 2, 1)]
LINKS += [link("bdc_fangwu", 1, 1), link("bdc_fangwu", 2, 2), link("bdc_fangwu", 3, 1, "SQ2")]


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[Looking]:
    """Case SQ1 of a night of three cases."""
    for folder in ("results", "tables"):
        (tmp_path / folder).mkdir()
    write_frame(pl.DataFrame(LINKS, schema=LINK), tmp_path / "results" / "links.parquet")
    write_frame(pl.DataFrame(PEOPLE, schema=PERSON), tmp_path / "tables" / "persons.parquet")
    origin = Origin(as_of=AS_OF, inputs={}, rules="", program="")
    night = Published(tmp_path, Manifest(night=origin.night, origin=origin, incomplete=False), 1)
    ours = [[one for one in lines if one["case_id"] == "SQ1"] for lines in (PEOPLE, LINKS)]
    with open_store(tmp_path / "work", threads=1) as store:
        yield Looking(store, night, book(), ROWS, "SQ1", *ours)


def test_what_ties_two_people_and_what_is_to_be_looked_at(looking: Looking) -> None:
    found = hints_of(looking)
    assert looking.ties == {(1, 2): {"register", "address", "marriage", "deed"}}
    assert found == [
        Hint("not_declared", others=(("女", 1),)),
        Hint("moved_in", 2, date(2026, 9, 1)),
        Hint("split_off", since=date(2026, 9, 20), others=(("", 1),)),
        Hint("divorced", 1, date(2026, 10, 1)),
        Hint("owns_with", cases=("SQ2",), others=(("", 1),)),
        Hint("same_phone", cases=("SQ2",)),
        Hint("same_address", cases=("SQ2",)),
        Hint("perhaps_two_cases", 2, cases=("SQ2",)),
    ]


def test_what_lies_longer_back_is_not_shortly_before(looking: Looking) -> None:
    days = looking.book.matching.split_days
    assert days == 365
    looking.rows = {**ROWS, "mz_shenqing": ROWS["mz_shenqing"].replace("2026-10-2", "2028-10-2")}
    assert {"moved_in", "split_off", "divorced"}.isdisjoint(one.kind for one in hints_of(looking))


def test_what_a_members_company_owns_is_counted_and_told(looking: Looking) -> None:
    code, other = (body + check_of_code(body) for body in ("91459999MA0000003", "91459999MA0000004"))
    companies = f"""(VALUES ('z', 1, '{code}', '在业', '法定代表人'), ('z', 2, '{other}', '注销', '股东'), ('z', 3, '{code[:-1]}0', '在业', '股东'))
                   AS t(_file, _row, 统一社会信用代码, 登记状态, 职务)"""
    cars = f"(VALUES ('{code.lower()}'), (' {code}'), ('{other}'), ('459901198003050017'), (NULL)) AS t(SFZMHM)"
    looking.rows = {**ROWS, "sc_zhuti": f"(SELECT * FROM {companies})", "ga_cheliang": f"(SELECT * FROM {cars})"}
    looking.links += [link("sc_zhuti", row, 2) for row in (1, 2, 3)]
    assert list(owned_through(looking)) == [Hint("owns_through", 2, others=(("机动车", 2),))]
