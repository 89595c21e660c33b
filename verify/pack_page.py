"""The page of a pack in plain Chinese, made from its files: what it says, where that stands, and what it does not know.

It lies as README.md in the pack's folder; a test says that it agrees with the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from verify.pack_compare import Side, value_told
from verify.pack_files import Document
from verify.pack_gaps import bounds_told, gaps, why_not_known
from verify.packs import documents_of
from verify.plan import make_plan
from verify.rule_files import Parameter, Value
from verify.rulebook import Rulebook

EVIDENCE = {"read": "查到原文或官方发布", "restated": "只查到转述", "knowledge": "一般知识，未查到", "estimate": "推断", "own": "本项目自定，不是法规"}


def page_of(book: Rulebook, day: date) -> str:
    """The page as Markdown, as of a day. The book is of a pack."""
    pack = book.packs[-1]
    lines = [f"# {pack.label}", "", f"由 `hedui rules page {pack.pack}` 从规则文件生成，勿手改。数字按 {day} 有效的写。", ""]
    lines += [f"区划 {pack.region}；承用：{' → '.join(['共用规则', *(one.label for one in book.packs[:-1])])}；收入回看 {book.look_back_months} 个月。", ""]
    known = (("类别怎么定", _rows(make_plan(book, day).book)), ("有数的", _values(book)), ("没有查到的", _absent(book, day)))
    for title, told in (*known, ("没有写进来的", _not_covered(book)), ("文件", _documents(book))):
        lines += [f"## {title}", "", *told, ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(book: Rulebook) -> Iterator[str]:
    table, rules = book.decision, book.rules
    yield f"自上而下，第一类成立的即是；前面一类尚不能定，就答“{table.unknown.label}”。条件全部满足才成立。"
    yield ""
    for row in table.rows:
        asked = [rules[name].label for name, cell in zip(table.columns, row.when, strict=True) if cell == "pass"]
        yield f"* **{row.label}**：{'；'.join(asked)}。依据：{'；'.join(row.law)}。"
    yield f"* **{table.otherwise.label}**：以上每一类都有条件不成立。"


def _own(book: Rulebook) -> list[Parameter]:
    return sorted(book.parameters.values(), key=lambda parameter: parameter.label)


def _values(book: Rulebook) -> Iterator[str]:
    yield "| 标准 | 区划 | 起 | 止 | 数 | 依据 |"
    yield "|---|---|---|---|---|---|"
    for parameter in _own(book):
        for value in (one for one in sorted(parameter.values, key=lambda v: (v.region, v.from_)) if _speaks(book, one)):
            told = bounds_told(value) if value.value is None else str(value.value)
            yield f"| {parameter.label} | {value.region} | {value.from_} | {value.to or ''} | {told} {parameter.unit} | {'；'.join(value.law)} |"


def _speaks(book: Rulebook, value: Value) -> bool:
    home = book.membership.home_region
    return not value.region.startswith(book.shared_home) and (value.region == "00" or home.startswith(value.region) or book.speaks_for(value.region))


def _absent(book: Rulebook, day: date) -> Iterator[str]:
    yield "没有查到的不猜：与它有关的条件答“待核实”（没有那样财产的家庭除外）。"
    yield ""
    for parameter in _own(book):
        told, _ = value_told(Side(book, day), parameter)
        if told == "?":
            yield f"* {parameter.label}：{why_not_known(parameter, book.membership.home_region)}。"
    for gap in gaps(book, day):
        if gap.kind in {"seen", "ended"}:
            said = "最后见到有效的日子" if gap.kind == "seen" else "已到期"
            yield f"* {gap.label}：{said} {gap.why.rpartition(' ')[2]}，此后是否变动没有查到（{gap.why.rpartition(' ')[0]}）。"


def _not_covered(book: Rulebook) -> Iterator[str]:
    yield from (f"* {said.rstrip('。')}。" for pack in reversed(book.packs) for said in pack.not_covered)


def _documents(book: Rulebook) -> Iterator[str]:
    yield "| 文件 | 全称 | 印发 | 施行 | 止 | 最后见到 | 出处 | 可靠程度 |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in documents_of(dict(book.entries)):
        days = " | ".join(str(day or "") for day in (one.issued, one.in_force, one.ends, one.seen))
        yield f"| {one.document} | {one.title} | {days} | {'；'.join(one.found)} | {_sure(one)} |"


def _sure(one: Document) -> str:
    return EVIDENCE[one.evidence] + (f"；{one.note}" if one.note else "")
