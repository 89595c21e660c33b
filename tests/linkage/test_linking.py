"""Two lists of people linked: who is found, who is left for a human, and that nothing depends on order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.linkage.small_people import SCHEMA, people, two_lists
from verify.identity.name_keys import NameTables, name_tables
from verify.identity.numbers import check_of
from verify.linkage import Limits, Model, crowd_of, link
from verify.linkage.blocking import index_of
from verify.linkage.codes import FEW, Stack, coded, texts
from verify.linkage.linker import Linked, link_within
from verify.linkage.model import load_model, save_model
from verify.linkage.people import normalised, plan_of_people
from verify.rulebook import load_rulebook
from verify.settings import rules_folder

BIRTH, PLACE = "1980-02-03", "南宁市江南区苏圩镇白马村3组12号"
ROOT = Path(__file__).resolve().parents[2]
OWN, NEAR, FATHERS = (body + check_of(body) for body in ("45010219800203001", "45010219800203003", "45010219500203001"))


@pytest.fixture(scope="module")
def tables() -> NameTables:
    book = load_rulebook(rules_folder())
    return name_tables(book.tables[book.matching.variants], book.tables[book.matching.lookalikes])


@pytest.fixture(scope="module")
def lists(tables: NameTables) -> tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]]:
    left, right, ours, theirs = two_lists()
    return normalised(left, tables), normalised(right, tables), ours, theirs


@pytest.fixture(scope="module")
def linked(lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]], tables: NameTables) -> Linked:
    return link(lists[0], lists[1], plan_of_people(tables))


def rows(*people: dict[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(SCHEMA), **person} for person in people], schema=SCHEMA)


def test_almost_everybody_is_found_and_nobody_is_taken_for_another(linked: Linked, lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]]) -> None:
    _, _, ours, theirs = lists
    right = [ours[left] == theirs[at] for left, at, status in linked.links.select("left", "right", "status").iter_rows() if status == "accepted"]
    both = len(set(ours) & set(theirs))
    assert all(right)
    assert len(right) >= 0.97 * both
    assert linked.links.height - len(right) <= 0.02 * len(theirs)


def test_rows_in_another_order_give_the_same_links_and_the_same_model(
    linked: Linked, lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]], tables: NameTables
) -> None:
    left, right = lists[0], lists[1]
    again = link(left.reverse(), right.reverse(), plan_of_people(tables))
    assert again.model.digest == linked.model.digest
    turned = again.links.with_columns(left=left.height - 1 - pl.col("left"), right=right.height - 1 - pl.col("right"))
    assert turned.drop("second").sort("right").equals(linked.links.drop("second").sort("right"))


def test_weights_are_whole_thousandths_of_a_bit(linked: Linked) -> None:
    assert linked.links.schema["bits"] == pl.Int64
    assert linked.links.schema["ahead"] == pl.Int64
    assert isinstance(linked.expected_false, int)


def test_a_kept_model_is_the_model_and_a_changed_one_is_refused(linked: Linked, tmp_path: Path) -> None:
    save_model(linked.model, tmp_path / "model.json")
    assert load_model(tmp_path / "model.json") == linked.model
    told = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    told["model"]["shares"][0] += 1
    (tmp_path / "model.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ValueError, match="not the model"):
        load_model(tmp_path / "model.json")


def test_a_saved_model_weighs_the_same(linked: Linked, lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]], tables: NameTables) -> None:
    assert link(lists[0], lists[1], plan_of_people(tables), model=linked.model).links.equals(linked.links)
    with pytest.raises(ValueError, match="another plan"):
        link(lists[0], lists[1], plan_of_people(tables, Limits(classes=2)), model=linked.model)


def judged(model: Model, tables: NameTables, left: pl.DataFrame, right: pl.DataFrame, **how: bool) -> list[tuple[int, str]]:
    """Left row and status of each right row by a model fitted elsewhere."""
    plan = plan_of_people(tables, **how)
    found = link(normalised(left, tables), normalised(right, tables), plan, model=model)
    return list(found.links.select("left", "status").iter_rows())


def test_a_few_slips_among_many_certain_rows_keep_their_own_class(tables: NameTables) -> None:
    """Rows with a name and an ID and nothing else: what is left over is too little to look like a class of matches by itself."""
    everybody = pl.DataFrame(people(900, 7), schema=SCHEMA)
    place = pl.int_range(pl.len())
    slip = pl.col("id").str.slice(0, 14) + ((pl.col("id").str.slice(14, 1).cast(pl.Int8) + 3) % 10).cast(pl.String) + pl.col("id").str.slice(15)
    said = everybody.select("name", id=pl.when(place % 12 == 0).then(slip).otherwise("id"))
    found = link(normalised(everybody, tables), normalised(said, tables), plan_of_people(tables, strict=True)).links
    slipped = found.filter(pl.col("right") % 12 == 0, pl.col("status") == "accepted")
    assert (slipped["left"] == slipped["right"]).all()
    assert slipped.height >= 0.9 * 75


def test_a_valid_id_is_never_corrected_into_another(linked: Linked, tables: NameTables) -> None:
    register = rows({"name": "王建国", "id": OWN, "birth": BIRTH})
    other = rows({"name": "王建国", "id": NEAR})  # a digit and its check character away, and valid
    assert all(status != "accepted" for _, status in judged(linked.model, tables, register, other))


def test_an_equal_id_beside_a_foreign_name_is_a_conflict(linked: Linked, tables: NameTables) -> None:
    register = rows({"name": "王建国", "id": OWN, "birth": BIRTH, "address": PLACE})
    thief = rows({"name": "欧阳娜娜", "id": OWN, "address": PLACE})
    assert all(status != "accepted" for _, status in judged(linked.model, tables, register, thief))


def test_a_twin_is_not_the_other_one(linked: Linked, tables: NameTables) -> None:
    register = rows({"name": "王建国", "id": OWN, "birth": BIRTH, "sex": "男", "address": PLACE, "phone": "13900001112"})
    twin = rows({"name": "王建军", "birth": BIRTH, "sex": "男", "address": PLACE, "phone": "13700001113"})
    assert all(status != "accepted" for _, status in judged(linked.model, tables, register, twin))


def test_a_relatives_id_in_ones_own_field_is_a_review_where_rules_are_strict(linked: Linked, tables: NameTables) -> None:
    father = {"name": "王建国", "id": FATHERS, "birth": "1950-02-03", "sex": "男", "address": PLACE}
    son = {"name": "王小明", "id": OWN, "birth": BIRTH, "sex": "男", "address": PLACE, "phone": "13900001112"}
    row = rows({**son, "id": father["id"]})
    assert judged(linked.model, tables, rows(father, son), row, strict=True) == [(1, "review")]


def test_a_former_name_is_told_apart_from_another_name(linked: Linked, tables: NameTables) -> None:
    register = rows({"name": "王建国", "former": "王小明", "id": OWN, "birth": BIRTH, "sex": "男"})
    asked = rows({"name": "王小明", "id": OWN, "birth": BIRTH, "sex": "男"})
    plan = plan_of_people(tables)
    assert link(normalised(register, tables), normalised(asked, tables), plan, model=linked.model).links["level_name"].to_list() == ["former"]
    assert judged(linked.model, tables, register, asked) == [(0, "accepted")]


def test_each_account_has_one_owner(linked: Linked, tables: NameTables) -> None:
    one = {"name": "王建国", "birth": BIRTH, "sex": "男", "address": PLACE, "phone": "13900001112"}
    found = judged(linked.model, tables, rows({**one, "id": OWN}), rows(one, one), each_left_once=True)
    assert [status for _, status in found] == ["review", "review"]  # neither is ahead of the other


def test_one_table_within_itself(lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]], tables: NameTables) -> None:
    twice = pl.concat([lists[0].head(60), lists[0].head(5)])
    found = link_within(twice, plan_of_people(tables), keep_pairs=True)
    assert found.pairs is not None
    heavy = found.pairs.sort("bits", descending=True).head(5).sort("left")
    assert list(heavy.select("left", "right").iter_rows()) == [(at, 60 + at) for at in range(5)]


def test_a_few_rows_asked_of_a_crowd_are_linked_as_all_are(
    linked: Linked, lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]], tables: NameTables
) -> None:
    crowd = crowd_of(lists[0], plan_of_people(tables), linked.model)
    asked = crowd.ask(lists[1].head(120)).links.drop("certain")
    assert asked.equals(linked.links.filter(pl.col("right") < 120).drop("certain"))
    assert crowd.ask(lists[1].clear()).links.height == 0


def test_few_values_are_coded_as_many_are(lists: tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]], tables: NameTables) -> None:
    few, plan = lists[0].head(500), plan_of_people(tables)
    many = pl.concat([few] * (FEW // few.height + 1))
    for column in ("name", "id", "phone"):
        a, b = coded(few[column]), coded(many[column])
        assert [a.values[c - 1] if c else None for c in a.codes.tolist()] == [b.values[c - 1] if c else None for c in b.codes.tolist()][: few.height]
        line = {value: at for at, value in enumerate(b.values, 1)}
        mine, theirs = texts(a.values, 8), texts(pl.concat([b.values] * (FEW // len(b.values) + 1)), 8)
        for at, value in enumerate(a.values, 1):
            assert mine.lengths[at] == theirs.lengths[line[value]]
            assert (mine.ahead[at] == theirs.ahead[line[value]]).all()
    ours, all_of_them = index_of(Stack((few,)), plan, few.height), index_of(Stack((many,)), plan, many.height)
    assert all((hashes == all_of_them.hashes[name][: few.height]).all() for name, hashes in ours.hashes.items())


def test_what_was_cut_is_told(tables: NameTables) -> None:
    shared = rows(*({"name": f"王{chr(0x4E00 + at)}", "phone": "13900001112"} for at in range(300)))
    found = link(normalised(shared, tables), normalised(shared.head(30), tables), plan_of_people(tables))
    phone = next(one for one in found.blocked if one.key == "phone")
    assert (phone.pairs, phone.cut_blocks, phone.cut_pairs) == (0, 1, (30 + 300) * 300)


@pytest.mark.parametrize("same", ["id", "phone", "address", "name"])
def test_thousands_with_one_value_cost_no_more_pairs_than_the_budget(tables: NameTables, same: str) -> None:
    one = {"id": OWN, "phone": "13900001112", "address": PLACE, "name": "王伟"}[same]
    left, right, _, _ = two_lists(3_000)
    left, right = (table.with_columns(pl.lit(one).alias(same)) for table in (left, right))
    found = link(normalised(left, tables), normalised(right, tables), plan_of_people(tables))
    assert found.compared <= Limits().pairs * right.height


def test_neither_hash_seed_nor_threads_change_the_model(tmp_path: Path) -> None:
    script = (
        "from tests.linkage.small_people import two_lists\nfrom verify.linkage import link\nfrom verify.linkage.people import normalised, plan_of_people\n"
        "from verify.identity.name_keys import name_tables\n"
        "t = name_tables('character,stands_for,how\\n玙,与,agrees\\n', 'group,characters,why\\n1,丁了,x\\n')\n"
        "a, b, _, _ = two_lists()\nf = link(normalised(a, t), normalised(b, t), plan_of_people(t))\nprint(f.model.digest, f.links.hash_rows().sum())"
    )
    said = {
        subprocess.run([sys.executable, "-c", script], env={**os.environ, **env}, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for env in ({"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1"}, {"PYTHONHASHSEED": "2", "POLARS_MAX_THREADS": "3"})
    }
    assert len(said) == 1


def test_blank_and_tiny_tables(tables: NameTables) -> None:
    blank = normalised(rows({}, {}, {}), tables)
    plan = plan_of_people(tables)
    assert link(blank, blank, plan).links.height == 0
    one = normalised(rows({"name": "王建国", "id": OWN, "birth": BIRTH, "sex": "男"}), tables)
    assert link(one, one, plan).links["status"].to_list() == ["accepted"]
    assert link(one, one.clear(), plan).links.height == 0
    assert link(one.clear(), one, plan).links.height == 0
