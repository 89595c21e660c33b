"""Regional packs: what they inherit and change, that they change nothing by accident, and that what no document gives stays open."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from random import Random

import pytest

from tests.tables import table
from tests.test_cli import hedui
from tests.test_second_opinion import no_difference
from verify import Order, init_home, run_night
from verify.pack_checks import documents_in
from verify.pack_compare import Side, compare
from verify.pack_gaps import gaps
from verify.pack_page import page_of
from verify.packs import all_packs, documents_of, layers_of, pack_folder
from verify.parameters import bounds, parameter_table
from verify.plan import make_plan
from verify.problems import HeduiError
from verify.random_families import kinds_of, random_family
from verify.rule_checks import check_rules
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

DROP = Path(__file__).resolve().parent.parent / "fixtures" / "county-a" / "drop"
NIGHT = date(2026, 11, 20)
PACKS = [layer.name for layer in all_packs(rules_folder())]
DOCUMENT = "- document: 某文件\n  title: 某文件\n  seen: 2026-01-01\n  found: S1\n  evidence: read\n"


def pack(name: str) -> Path:
    return rules_folder() / "packs" / name


def made(tmp_path: Path, text: str, *, region: str = "450900", inherits: str = "guangxi") -> Path:
    """The shipped rules with a pack `mine` beside the others."""
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    (rules / "packs/mine").mkdir()
    head = f'- pack: mine\n  label: 某市\n  region: "{region}"\n  inherits: {inherits}\n'
    (rules / "packs/mine/pack.yaml").write_text(head + text, encoding="utf-8")
    return rules / "packs/mine"


def codes(folder: Path) -> set[str]:
    with pytest.raises(HeduiError) as error:
        check_rules(folder)
    return {problem.code for problem in error.value.problems}


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_is_whole_and_all_it_decides_by_names_a_document_with_a_day(name: str) -> None:
    book = check_rules(pack(name))
    known = {document.document: document for document in documents_of(dict(book.entries))}
    home = book.membership.home_region
    for parameter in book.parameters.values():
        for value in (v for v in parameter.values if home.startswith(v.region) or v.region.startswith(home) or v.region == "00"):
            found = [document for law in value.law for document in documents_in(law, known)]
            assert [document.in_force or document.issued or document.seen for document in found], (parameter.parameter, value.region)


def test_the_shared_rules_know_nothing_of_the_packs() -> None:
    book = load_rulebook(rules_folder())
    assert (book.name, book.packs) == ("459999", ())
    assert not any(entry.file.startswith("rules/packs") for entry in book.entries.values())


def test_a_pack_has_what_it_inherits_from_the_nearest_up() -> None:
    assert [layer.name for layer in layers_of(pack("yulin"))] == ["base", "guojia", "guangxi", "yulin"]
    book = load_rulebook(pack("yulin"))
    assert (book.name, book.membership.home_region, book.rules["no_supporter"].label) == ("yulin", "450900", "没有有赡养能力的法定赡养人")
    assert book.entry("rule", "no_supporter").layer == "guojia"
    line = book.parameters["line_urban_month"]
    told = {day: bounds(line, "450900", "城镇", day) for day in (date(2020, 12, 31), date(2022, 10, 31), date(2022, 11, 1))}
    assert list(told.values()) == [None, (72_000, None), (76_000, 76_000)]


def test_what_no_document_gives_is_unknown_and_stops_no_night() -> None:
    book = check_rules(pack("yulin"))
    row = parameter_table(book, [("450921", "城镇")], NIGHT).row(0, named=True)
    assert (row["line_urban_month__low"], row["line_urban_month__high"]) == (76_000, 76_000)
    assert (row["financial_months__low"], row["financial_months__high"]) == (0, None)


@pytest.mark.parametrize("region", ["459999", "430923"])
def test_a_pack_speaks_only_for_its_own_division_and_never_with_made_up_values(region: str) -> None:
    row = parameter_table(check_rules(pack("guangxi")), [(region, "城镇")], NIGHT).row(0, named=True)
    assert {row["line_urban_month__high"], row["margin_multiple__high"]} == {None}


def test_a_night_under_a_pack_reaches_the_workbook(tmp_path: Path) -> None:
    outcome = run_night(init_home(tmp_path / "home"), Order(DROP, pack("yulin")), lambda _stage: None)
    assert outcome.workbook.is_file()
    assert set(table(outcome.folder / "results/cases.parquet")["category"]) == {"none", "cannot_tell"}  # of another county nothing is known


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- parameter: margin_multiple\n  label: 倍数\n  unit: 倍\n  not_known: [{region: '45', why: 没有查到}]\n", "E-PACK-REPLACES"),
        ("- parameter: brand_new\n  replaces: base\n  label: 倍数\n  unit: 倍\n  not_known: [{region: '45', why: 没有查到}]\n", "E-PACK-REPLACES"),
        ("- {adds: brand_new, not_known: [{region: '45', why: 没有查到}]}\n", "E-PACK-ADDS"),
        ("- {cites: brand_new, law: 某文件}\n", "E-PACK-ADDS"),
        ("  leaves_out: [{kind: rule, name: brand_new, why: 没有}]\n", "E-PACK-LEFT"),
        ("- {adds: margin_multiple, values: [{region: '4509', from: 2026-01-01, value: '2', law: 没有声明的文件}]}\n", "E-PACK-DOCUMENT"),
        (DOCUMENT.replace("  seen: 2026-01-01\n", ""), "E-PACK-UNDATED"),
        ("- pack: another\n  label: 又一个\n  region: '45'\n", "E-PACK-FORM"),
        ("- {adds: margin_multiple, values: [{region: '4509', from: 2026-01-01, at_least: '2', at_most: '1', law: 某文件}]}\n" + DOCUMENT, "E-RULE-SHAPE"),
        ("- {adds: margin_multiple, values: [{region: '4509', from: 2026-01-01, value: '2', at_most: '3', law: 某文件}]}\n" + DOCUMENT, "E-RULE-SHAPE"),
    ],
)
def test_what_is_changed_by_accident_is_refused(text: str, code: str, tmp_path: Path) -> None:
    assert code in codes(made(tmp_path, text))


def test_inheriting_what_is_not_there_or_oneself_is_refused(tmp_path: Path) -> None:
    assert codes(made(tmp_path / "a", "", inherits="nowhere")) == {"E-PACK-CHAIN"}
    assert codes(made(tmp_path / "b", "", inherits="mine")) == {"E-PACK-CHAIN"}


def test_a_value_may_be_bounds_and_then_only_what_is_sure_is_settled(tmp_path: Path) -> None:
    text = "- {adds: margin_multiple, values: [{region: '4509', from: 2026-01-01, at_least: '1.5', at_most: '2', law: 某文件}]}\n" + DOCUMENT
    book = check_rules(made(tmp_path, text))
    assert bounds(book.parameters["margin_multiple"], "450900", None, NIGHT) == (15, 20)


def test_another_look_back_is_the_packs_own_and_both_ways_of_working_out_agree(tmp_path: Path) -> None:
    book = check_rules(pack("guangdong"))
    assert (book.look_back_months, load_rulebook(pack("yulin")).look_back_months) == (6, 12)
    ordered, draw = make_plan(book, NIGHT), Random(1)
    families = [random_family(kinds_of(ordered), draw) for _ in range(30)]
    compared, _ = no_difference([family for family in families if book.speaks_for(family.region)], tmp_path, frozenset(), ordered)
    assert compared > 500


def test_a_limit_said_by_the_line_of_one_person_needs_that_person(tmp_path: Path) -> None:
    said = "- {rule: car_limit, label: 车价, of: household, publish: yes, unit: 元, law: 某文件,\n  expr: financial_months * monthly_line * one_person}\n"
    text = said + DOCUMENT
    assert "car_limit" in check_rules(made(tmp_path / "a", text)).rules
    assert codes(made(tmp_path / "b", text.replace(" * one_person", ""))) == {"E-FORMULA-UNIT"}


def test_a_pack_is_asked_for_by_name_or_division() -> None:
    assert pack_folder(rules_folder(), "yulin") == pack_folder(rules_folder(), "450900") == pack("yulin")
    assert hedui("rules", "check", "--pack", "450900").returncode == 0


def test_a_pack_that_is_not_there() -> None:
    said = hedui("rules", "check", "--pack", "nowhere")
    assert (said.returncode, "E-PACK-NONE" in said.stderr, "yulin" in said.stderr) == (2, True, True)


@pytest.mark.parametrize("name", PACKS)
def test_the_page_of_a_pack_agrees_with_its_files(name: str) -> None:
    assert (pack(name) / "README.md").read_text(encoding="utf-8") == page_of(load_rulebook(pack(name)), NIGHT), f"hedui rules page {name} --as-of {NIGHT}"


def test_two_days_side_by_side_differ_where_the_law_was_changed() -> None:
    book = load_rulebook(pack("guangdong"))
    found = {(one.kind, one.name): (one.left, one.right) for one in compare(Side(book, date(2025, 12, 31)), Side(book, date(2026, 1, 1)))}
    assert found["parameter", "financial_months"] == ("24 月", "?")
    assert {("test", "income_first_stage"), ("rule", "vetoing_vehicles")} <= set(found)
    assert compare(Side(book, NIGHT), Side(book, NIGHT)) == []


def test_two_regions_side_by_side() -> None:
    said = hedui("rules", "compare", "yinzhou", "huli", "--json")
    told = {one["name"]: (one["left"], one["right"]) for one in json.loads(said.stdout)}
    assert told["financial_months_margin"] == ("96 月", "72 月")
    assert told["tier3"][0] == ""
    shown = hedui("rules", "compare", "yinzhou", "huli", COLUMNS="160").stdout
    assert "收入减去刚性支出不高于低保标准" in "".join(shown.split())
    assert "financial_within" not in shown
    assert "E-PACK-DAY" in hedui("rules", "compare", "yinzhou@soon", "huli").stderr


def test_gaps_say_what_is_not_known_and_what_was_last_seen_long_ago() -> None:
    found = {(one.kind, one.name) for one in gaps(load_rulebook(pack("yulin")), NIGHT)}
    assert {("absent", "financial_months"), ("seen", "line_urban_month"), ("bounds", "wage_share_counted"), ("cover", "")} <= found
    assert ("bounds", "line_urban_month") in {(one.kind, one.name) for one in gaps(load_rulebook(pack("anhua")), NIGHT)}
    assert [one.name for one in gaps(load_rulebook(rules_folder()), NIGHT)] == ["tekun_times"]  # what 特困 is paid, which moves no category
