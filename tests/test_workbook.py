"""The review workbook: nothing clear of a person, nothing that runs, worst first, readable on paper, same bytes twice."""

from __future__ import annotations

import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import workbook
from verify.privacy import mask_id, mask_name
from verify.problems import UsageError
from verify.rulebook import Rulebook, load_rulebook
from verify.workbook import row_height, write_review
from verify.workbook_guide import Guide
from verify.workbook_lines import ReviewTables, lines

RULES = Path(__file__).resolve().parent.parent / "rules"
GUIDE = Guide("20261120-1a2b3c4d", date(2026, 11, 20), incomplete=True)
YUAN = pl.Decimal(18, 2)
FACTS = ("monthly_income", "financial", "medical")
COUNTS = ("members", "vehicles", "dwellings", "premises", "companies")
HOSTILE = ["=1+1", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "http://x.example/", "＝1", "\t=1", "{=1}"]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(RULES)


def case(number: int, category: str = "dibao", **values: object) -> dict[str, object]:
    """One row of cases.parquet: amounts as (low, high) with None for no bound."""
    row: dict[str, object] = {"case_id": f"SQ{number}", "region": "459999", "category": category, "monthly_line": Decimal(800)}
    row |= {"open_tests": values.pop("open_tests", []), "needs": values.pop("needs", [])}
    for name in (*FACTS, *COUNTS):
        low, high = values.pop(name, (0, 0))  # type: ignore[misc]
        row |= {f"{name}_low": low, f"{name}_high": high, f"{name}_bounded": high is not None}
    return row


def tables(*cases: dict[str, object], alerts: list[tuple[str, int, str]] | None = None, **others: pl.DataFrame) -> ReviewTables:
    money = {f"{name}_{side}": YUAN for name in FACTS for side in ("low", "high")} | {"monthly_line": YUAN}
    counts = {f"{name}_{side}": pl.Int64 for name in COUNTS for side in ("low", "high")}
    lists = dict.fromkeys(("open_tests", "needs"), pl.List(pl.String))
    frame = pl.DataFrame(list(cases), schema_overrides={**money, **counts, **lists})
    raised = pl.DataFrame(alerts or [], schema={"case_id": pl.String, "member_no": pl.Int64, "alert": pl.String}, orient="row")
    two = ((1, "张三丰", "45010219900101123X"), (2, "李四", "450102200001011238"))
    people = pl.DataFrame(
        [(c["case_id"], number, name, card, number == 1) for c in cases for number, name, card in two],
        schema={"case_id": pl.String, "member_no": pl.Int64, "name": pl.String, "id": pl.String, "is_applicant": pl.Boolean},
        orient="row",
    )
    place = {"extract": pl.String, "file": pl.String, "row": pl.Int32}
    link = {"side": pl.String, "case_id": pl.String, "member_no": pl.Int64, "status": pl.String, "method": pl.String, "reasons": pl.List(pl.String)}
    rival = {"ahead": pl.Int64, "second_method": pl.String, "second_case": pl.String, "second_member": pl.Int64}
    empty = {
        "alerts": raised.with_columns(pl.lit(None, pl.Date).alias("since"), *(pl.lit(None, kind).alias(name) for name, kind in place.items())),
        "links": pl.DataFrame(schema={**place, **link}),
        "refused": pl.DataFrame(schema={**place, "code": pl.String, "column": pl.String}),
        "margins": pl.DataFrame(schema={**place, "side": pl.String, "case_id": pl.String, "member_no": pl.Int64, **rival}),
        "files": pl.DataFrame(schema={**place, "state": pl.String} | dict.fromkeys(("received", "kept", "refused", "duplicate"), pl.Int64)),
    }
    return ReviewTables(cases=frame, people=people, **{**empty, **others})


def written(path: Path, book: Rulebook, what: ReviewTables) -> dict[str, list[list[str]]]:
    """The workbook's sheets as read back: rows of texts, header first."""
    write_review(path, tables=what, book=book, guide=GUIDE)
    read = fastexcel.read_excel(path)
    return {name: [list(row) for row in read.load_sheet(name, header_row=None, dtypes="string").to_polars().fill_null("").rows()] for name in read.sheet_names}


def column(sheet: list[list[str]], heading: str) -> list[str]:
    at = [head.split("\n")[0] for head in sheet[0]].index(heading)
    return [row[at] for row in sheet[1:]]


# --- privacy ----------------------------------------------------------------------------------------------------------


def test_a_name_shows_its_first_character_and_an_id_its_ends() -> None:
    assert [mask_name(n) for n in ("张伟", "张伟强", " 欧阳娜娜 ", "张", "")] == ["张*", "张**", "欧***", "*", ""]
    assert [mask_id(i) for i in ("450102199001011234", "450102900101123", "4501", "")] == ["4501********1234", "4501********1123", "********", ""]


@given(st.text(alphabet="0123456789Xx", min_size=15, max_size=18))
def test_no_birth_date_is_left_of_an_id(number: str) -> None:
    assert mask_id(number)[4:-4] == "*" * 8


def test_nothing_clear_of_a_person_is_in_the_file(tmp_path: Path, book: Rulebook) -> None:
    what = tables(case(1, "cannot_tell", needs=["wage@2@sw_geshui", "vehicles@0@ga_cheliang"]), alerts=[("SQ1", 2, "not_authorised")])
    write_review(tmp_path / "w.xlsx", tables=what, book=book, guide=GUIDE)
    with zipfile.ZipFile(tmp_path / "w.xlsx") as parts:
        text = "".join(parts.read(name).decode() for name in parts.namelist())
    assert "张**" in text
    assert "4501********123X" in text
    assert not re.search(r"三丰|李四|\d{17}[\dX]", text)


# --- what an officer reads --------------------------------------------------------------------------------------------


def test_the_worst_case_stands_first(tmp_path: Path, book: Rulebook) -> None:
    grave = next(a.alert for a in book.alerts if a.severity == 3)
    slight = next(a.alert for a in book.alerts if a.severity < 3)
    what = tables(case(1), case(2, "cannot_tell"), case(3), case(4), alerts=[("SQ3", 1, slight), ("SQ4", 1, grave)])
    assert column(written(tmp_path / "w.xlsx", book, what)["待核实清单"], "申请编号") == ["SQ4", "SQ3", "SQ2", "SQ1"]


@pytest.mark.parametrize(
    ("interval", "said"),
    [((1234, 1234), "1,234.00"), ((1000, 2000), "1,000.00 ～ 2,000.00"), ((1000, None), "≥ 1,000.00"), ((0, None), "待核实"), ((0, 5), "0.00 ～ 5.00")],
)
def test_an_interval_in_words(tmp_path: Path, book: Rulebook, interval: object, said: str) -> None:
    assert column(written(tmp_path / "w.xlsx", book, tables(case(1, financial=interval)))["待核实清单"], "金融资产") == [said]


def test_needs_name_the_department_the_member_and_the_fact(tmp_path: Path, book: Rulebook) -> None:
    needs = ["wage@2@sw_geshui", "business@2@sw_geshui", "vehicles@0@ga_cheliang", "wage@1@"]
    what = tables(case(1, "cannot_tell", needs=needs, open_tests=["dibao.income", "members"]))
    sheet = written(tmp_path / "w.xlsx", book, what)["待核实清单"]
    asked = column(sheet, "要核实什么、向谁")[0].split("\n")
    tax = book.extracts["sw_geshui"]
    assert asked[0] == f"向{tax.department}（{tax.label}）核实成员2 李*：工资、经营净收入"
    assert "核实全家：机动车" in asked[1]
    assert asked[2] == "请家庭补充成员1 张**：工资"
    assert column(sheet, "未定条件") == ["低保：月人均收入低于保障标准\n家庭人数"]


def test_leads_are_those_in_question_and_those_with_the_name_only(tmp_path: Path, book: Rulebook) -> None:
    judged = [("rejected", "name_only", ["name_only", "name_equal", "no_id"]), ("rejected", "other_id", [])]
    judged += [("review", "new_method", ["new_reason"]), ("accepted", "exact_id", [])]
    rows = [("sc_zhuti", "s.xlsx", row, "", "SQ1", 2, *how) for row, how in enumerate(judged, start=7)]
    what = tables(case(1))
    what = tables(case(1), links=pl.DataFrame(rows, schema=what.links.schema, orient="row"))
    sheet = written(tmp_path / "w.xlsx", book, what)["线索"]
    assert column(sheet, "行号") == ["9", "7"]
    assert column(sheet, "依据") == ["new_method", "只有姓名相同"]
    assert column(sheet, "细节") == ["new_reason", "姓名相同、没有证件号"]


def test_refused_rows_say_why(tmp_path: Path, book: Rulebook) -> None:
    code = min(book.messages)
    rows = [("rs_daiyu", "d.csv", 3, code, None), ("rs_daiyu", "d.csv", 2, "E-NOT-IN-THE-CATALOGUE", "姓名")]
    what = tables(case(1))
    sheet = written(tmp_path / "w.xlsx", book, tables(case(1), refused=pl.DataFrame(rows, schema=what.refused.schema, orient="row")))["拒收记录"]
    assert column(sheet, "行号") == ["2", "3"]
    assert column(sheet, "代码") == ["E-NOT-IN-THE-CATALOGUE", code]
    assert column(sheet, "原因")[1]


def test_the_first_sheet_says_what_is_missing(tmp_path: Path, book: Rulebook) -> None:
    rows = [("ga_cheliang", None, None, "late", 0, 0, 0, 0), ("rs_daiyu", "d.csv", None, "loaded", 9, 6, 2, 1)]
    files = pl.DataFrame(rows, schema=tables(case(1)).files.schema, orient="row")
    text = "\n".join("\t".join(row) for row in written(tmp_path / "w.xlsx", book, tables(case(1), files=files))["说明"])
    for part in ("2026-11-20", GUIDE.night, "不完整", "机动车（公安）", "收到 9 ＝ 采用 6 ＋ 拒收 2 ＋ 重复 1", "低保 1"):
        assert part in text


def test_an_empty_night_has_sheets_that_say_so(tmp_path: Path, book: Rulebook) -> None:
    sheets = written(tmp_path / "w.xlsx", book, tables(case(1)))
    assert list(sheets) == ["说明", "待核实清单", "预警", "线索", "拒收记录"]
    assert sheets["预警"][1][0] == "没有记录"


# --- rule files alone -------------------------------------------------------------------------------------------------


def with_column(tmp_path: Path, shows: str) -> Rulebook:
    """The rule book with one more column on the first sheet."""
    for source in RULES.rglob("*"):
        if source.suffix in {".yaml", ".csv"}:
            target = tmp_path / "rules" / source.relative_to(RULES)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text(encoding="utf-8")
            head = "    - {heading: 自负医疗,"
            target.write_text(text.replace(head, f"    - {{heading: 新列, heading_en: New, shows: {shows}}}\n{head}", 1), encoding="utf-8")
    return load_rulebook(tmp_path / "rules")


@pytest.mark.parametrize(("shows", "said"), [("region", "459999"), ("members", "2"), ("medical_low", "3.50")])
def test_a_report_column_is_a_line_in_a_rule_file(tmp_path: Path, shows: str, said: str) -> None:
    what = tables(case(1, members=(2, 2), medical=(Decimal("3.5"), None)))
    assert column(written(tmp_path / "w.xlsx", with_column(tmp_path, shows), what)["待核实清单"], "新列") == [said]


def test_a_column_that_shows_nothing_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"E-REPORT-COLUMN rules/reports/review\.yaml:\d+"):
        write_review(tmp_path / "w.xlsx", tables=tables(case(1)), book=with_column(tmp_path, "moon"), guide=GUIDE)
    assert not (tmp_path / "w.xlsx").exists()


# --- the file itself --------------------------------------------------------------------------------------------------


def test_no_text_becomes_a_formula_or_a_link(tmp_path: Path, book: Rulebook) -> None:
    what = tables(case(1))
    rows = [("rs_daiyu", text, n, text, text) for n, text in enumerate(HOSTILE)]
    write_review(tmp_path / "w.xlsx", tables=tables(case(1), refused=pl.DataFrame(rows, schema=what.refused.schema, orient="row")), book=book, guide=GUIDE)
    with zipfile.ZipFile(tmp_path / "w.xlsx") as parts:
        pages = [parts.read(name).decode() for name in parts.namelist() if "worksheets/" in name]
        styles = parts.read("xl/styles.xml").decode()
    assert not any("<f>" in page or "<hyperlink" in page for page in pages)
    assert any("cmd|" in page for page in pages)
    assert set(re.findall(r'<xf numFmtId="(\d+)"[^>]*xfId', styles)) <= {"0", "49"}


def test_equal_nights_give_equal_bytes(tmp_path: Path, book: Rulebook) -> None:
    what = tables(case(1, "cannot_tell", needs=["wage@2@sw_geshui"]), case(2), alerts=[("SQ2", 1, "two_cases"), ("SQ1", 1, "two_cases")])
    turned = ReviewTables(**{name: getattr(what, name).reverse() for name in ("cases", "alerts", "links", "refused", "files", "people", "margins")})
    write_review(tmp_path / "a.xlsx", tables=what, book=book, guide=GUIDE)
    write_review(tmp_path / "b.xlsx", tables=turned, book=book, guide=GUIDE)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.xlsx", "b.xlsx"]


def test_sheets_print_and_filter(tmp_path: Path, book: Rulebook) -> None:
    write_review(tmp_path / "w.xlsx", tables=tables(case(1)), book=book, guide=GUIDE)
    with zipfile.ZipFile(tmp_path / "w.xlsx") as parts:
        page = parts.read("xl/worksheets/sheet2.xml").decode()
        names = parts.read("xl/workbook.xml").decode()
    for piece in ('xSplit="3" ySplit="1"', 'orientation="landscape"', 'paperSize="9"', 'fitToHeight="0"', "<autoFilter", "<dataValidation", GUIDE.night):
        assert piece in page
    assert "Print_Titles" in names
    assert float(re.findall(r'<row r="1"[^>]* ht="([\d.]+)"', page)[0]) >= 44


def test_more_lines_than_a_sheet_holds_go_to_numbered_sheets(tmp_path: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LAST_ROW", 2)
    sheets = written(tmp_path / "w.xlsx", book, tables(*(case(n) for n in range(5))))
    assert [len(rows) - 1 for name, rows in sheets.items() if name.startswith("待核实清单 ")] == [2, 2, 1]


def test_every_sheet_of_the_rule_book_fits_the_paper(book: Rulebook) -> None:
    for report in book.reports:
        assert sum(c.width for c in report.columns) + (20 if report.decisions else 0) <= 190, report.report
        assert any(c.identity for c in report.columns)
        assert len(",".join(report.decisions)) <= 255
        assert lines(report, tables(case(1)), book) is not None


def test_a_row_is_as_high_as_its_longest_cell() -> None:
    assert row_height(["短"], [10]) < row_height(["很长很长很长很长"], [10]) < row_height(["很长很长很长很长\n再一行"], [10])
    assert row_height(["长" * 5000], [10]) <= 409
