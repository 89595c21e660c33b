"""The night's page: stands alone, points at nobody, says what is missing and what to do, the same bytes for the same night."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from tests.tables import table
from verify import Order, Outcome, init_home, run_night
from verify.model import Known
from verify.page import TEMPLATE, PageTables, few, write_page
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.workbook_guide import Guide, waiting

ROOT = Path(__file__).resolve().parent.parent
DROP = ROOT / "fixtures" / "county-a" / "drop"
NIGHT, DAY = "20261120-1a2b3c4d", date(2026, 11, 20)
LATE = "yb_jiesuan"
ALERT = {"case_id": pl.String, "alert": pl.String}
TROUBLE = dict.fromkeys(("extract", "file", "code", "detail"), pl.String)


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(rules_folder())


def page_of(path: Path, book: Rulebook, *, late: tuple[str, ...] = (), **others: pl.DataFrame) -> str:
    """The page of a small night: every extract brought nine rows of which one was refused, save the late."""
    lines = [(name, f"{name}.csv", *((0, 0, 0, 0, "late") if name in late else (9, 8, 1, 0, "loaded"))) for name in book.extracts]
    columns = {"extract": pl.String, "file": pl.String, **dict.fromkeys(("received", "kept", "refused", "duplicate"), pl.Int64), "state": pl.String}
    tables = {
        "cases": cases(),
        "alerts": pl.DataFrame(schema=ALERT),
        "files": pl.DataFrame(lines, schema=columns, orient="row"),
        "troubles": pl.DataFrame(schema=TROUBLE),
    }
    known = {name: Known(name, (), name in late, name not in late, None if name in late else DAY) for name in book.extracts}
    write_page(path, tables=PageTables(**{**tables, **others}, known=known), book=book, guide=Guide(NIGHT, DAY, bool(late), late))
    return path.read_text(encoding="utf-8")


def cases(*needs: list[str]) -> pl.DataFrame:
    """Three settled cases, and an undecided one for each list of needs."""
    rows = [(f"SQ202600000{n}", "none", []) for n in range(3)] + [(f"SQ202600001{n}", "cannot_tell", list(need)) for n, need in enumerate(needs)]
    return pl.DataFrame(rows, schema={"case_id": pl.String, "category": pl.String, "needs": pl.List(pl.String)}, orient="row")


def text_of(page: str) -> str:
    """What a reader sees, blanks as one."""
    body = re.sub(r"<title>.*?</title>|<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body).replace("&lt;", "<"))


def bars_of(page: str, heading: str) -> dict[str, tuple[str, int]]:
    """Figure and length of each bar of a panel, by its label."""
    panel = page.split(f"<h2>{heading} ")[1].split("</section>", maxsplit=1)[0]
    found = re.findall(r"<title>(.*) (\S+)</title><rect class=\"\w*\" width=\"(\d+)\"", panel)
    return {label: (figure.replace("&lt;", "<"), int(width)) for label, figure, width in found}


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether what was opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def late_night(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A whole night of the county of which one file did not come and one was damaged on its way."""
    drop = tmp_path_factory.mktemp("late") / "drop"
    shutil.copytree(DROP, drop)
    (drop / "yb_jiesuan_20261120.csv").unlink()
    damaged = drop / "gjj_zhanghu_20261120.csv"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    return run_night(init_home(drop.parent / "home"), Order(drop, rules_folder()), lambda _stage: None)


# --- a page that stands alone -----------------------------------------------------------------------------------------


def test_the_page_is_small_whole_and_asks_for_nothing(late_night: Outcome) -> None:
    page = late_night.page.read_text(encoding="utf-8")
    assert late_night.page.stat().st_size <= 60_000
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.tags & {"script", "img", "link", "iframe", "object", "embed", "form", "a", "base"}
    assert not set(tags.attributes) & {"src", "href", "srcset", "style", "xlink:href", "action"}
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert not re.search(r"//|url\(|@import|javascript:", page)
    assert "default-src 'none'" in page


def test_no_case_no_name_and_no_number_is_on_the_page(late_night: Outcome) -> None:
    page = late_night.page.read_text(encoding="utf-8")
    for case in table(late_night.folder / "results" / "cases.parquet")["case_id"]:
        assert case not in page
    names = set(table(late_night.folder / "tables" / "persons.parquet")["name"])
    assert len(names) > 300
    assert not [name for name in names if name and len(name) > 2 and name in page]
    assert not re.search(r"\d{15}", page)


def test_the_whole_night_is_told_incomplete_with_what_to_do(late_night: Outcome) -> None:
    said = text_of(late_night.page.read_text(encoding="utf-8"))
    for part in ("▲ 不完整 incomplete", "2026-11-20", late_night.night_id, "✕ 整份拒收 refused whole 公积金账户（公积金）", "▲ 未到 late 医疗结算（医保）"):
        assert part in said
    assert re.search(r"E-CHECKSUM 校验值与清单不符 .*E-MISSING-FILE", said)
    assert re.search(r"待核实的家庭里，\d+ 户要等这些数据", said)
    assert f"{late_night.counts['received']:,}" in said


def test_the_page_is_part_of_the_nights_manifest(late_night: Outcome) -> None:
    manifest = json.loads((late_night.folder / "manifest.json").read_text(encoding="utf-8"))
    assert late_night.page.name in manifest["files"]


# --- what it says -----------------------------------------------------------------------------------------------------


def test_a_complete_night_says_so_in_word_sign_and_colour(tmp_path: Path, book: Rulebook) -> None:
    page = page_of(tmp_path / "p.html", book)
    assert "✓ 完整 complete" in text_of(page)
    assert 'class="wide banner complete"' in page
    assert "未到" not in text_of(page)


def test_cases_that_wait_for_late_sources_are_counted(tmp_path: Path, book: Rulebook) -> None:
    only, other, both = [f"medical@1@{LATE}"], ["wage@1@sw_geshui"], [f"medical@2@{LATE}", "wage@1@sw_geshui"]
    some = cases(*[only] * 6, *[both] * 3, other, ["members@0@"])
    assert waiting(some, (LATE,), book) == (9, 6)
    assert waiting(some, (), book) == (0, 0)
    assert waiting(cases(), (LATE,), book) == (0, 0)
    said = text_of(page_of(tmp_path / "p.html", book, late=(LATE,), cases=some))
    assert "待核实的家庭里，9 户要等这些数据；其中 6 户只等这些数据。" in said
    assert "家庭自己" in said


def test_a_source_that_lives_on_yesterdays_rows_is_told_so(tmp_path: Path, book: Rulebook) -> None:
    lines = [(name, "late" if name == LATE else "loaded") for name in book.extracts]
    files = pl.DataFrame(lines, schema=["extract", "state"], orient="row").with_columns(
        *(pl.lit(0, pl.Int64).alias(name) for name in ("received", "kept", "refused", "duplicate"))
    )
    assert "沿用 2026-11-20 的数据" in text_of(page_of(tmp_path / "p.html", book, files=files))


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (1200, "1,200")])
def test_few_families_are_not_counted_out(count: int, shown: str) -> None:
    assert few(count) == shown


def test_neither_figure_nor_length_of_a_bar_tells_how_few(tmp_path: Path, book: Rulebook) -> None:
    kinds = [a.alert for a in book.alerts][:3]
    many = [(f"SQ{n}", kinds[0]) for n in range(40)]
    drawn = []
    for few_of_them in (1, 4):
        rows = many + [(f"SQ{n}", kinds[1]) for n in range(few_of_them)] + [("SQ1", kinds[2])] * 9  # nine alerts of one family are one family
        alerts = pl.DataFrame(rows, schema=ALERT, orient="row")
        drawn.append(page_of(tmp_path / "p.html", book, alerts=alerts))
    assert drawn[0] == drawn[1]
    bars = bars_of(drawn[0], "预警")
    assert sorted(bars.values()) == [("40", 1000), ("<5", 125), ("<5", 125)]


def test_every_category_has_its_bar(tmp_path: Path, book: Rulebook) -> None:
    bars = bars_of(page_of(tmp_path / "p.html", book, cases=cases(["wage@1@sw_geshui"])), "认定类别")
    assert bars["不符合"] == ("3", 1000)
    assert bars["待核实"] == ("1", 333)
    assert len(bars) == len(book.decision.rows) + 2


def test_nothing_a_department_wrote_is_repeated(tmp_path: Path, book: Rulebook) -> None:
    detail = json.dumps({"near": "张三丰450102199001011234", "column": "姓名", "why": "<script>alert(1)</script>"}, ensure_ascii=False)
    troubles = pl.DataFrame([(LATE, "450102199001011234.csv", "E-DRIFT", detail)], schema=TROUBLE, orient="row")
    page = page_of(tmp_path / "p.html", book, late=(LATE,), troubles=troubles)
    assert "E-DRIFT" in page
    assert "找不到列 姓名；相近的表头：—" in page
    assert not re.search(r"张三丰|4501|<script", page)


def test_an_unlisted_file_is_counted_and_not_named(tmp_path: Path, book: Rulebook) -> None:
    lines = [(name, "loaded", 1) for name in book.extracts] + [(None, "refused", 0), ("a_stranger", "refused", 2)]
    files = pl.DataFrame(lines, schema=["extract", "state", "refused"], orient="row")
    files = files.with_columns(*(pl.lit(0, pl.Int64).alias(name) for name in ("received", "kept", "duplicate")))
    said = text_of(page_of(tmp_path / "p.html", book, files=files))
    assert "2 个，均未读" in said
    assert "a_stranger" not in said


def test_the_order_of_rows_changes_no_byte(tmp_path: Path, book: Rulebook) -> None:
    some = cases([f"medical@1@{LATE}", "wage@1@sw_geshui"], ["wage@2@sw_geshui"], ["members@0@"])
    alerts = pl.DataFrame([(f"SQ{n % 7}", a.alert) for n, a in enumerate(book.alerts)], schema=ALERT, orient="row")
    one = page_of(tmp_path / "a.html", book, late=(LATE,), cases=some, alerts=alerts)
    assert one == page_of(tmp_path / "b.html", book, late=(LATE,), cases=some.reverse(), alerts=alerts.reverse())


def test_the_template_speaks_only_through_the_catalogue() -> None:
    body = TEMPLATE.read_text(encoding="utf-8").split("</style>")[1]
    assert not re.search(r"[\u4e00-\u9fff]", body)
    assert not re.search(r">\s*[A-Za-z]{3,}", re.sub(r"\{[%{].*?[%}]\}", "", body))
