"""Families made by hand, a row at a time, for tests of the truth: clean frames, dirty frames and members of one small block.

Everybody's rows carry the right name and ID unless a test says otherwise; the as-of date is 2026-11-20, so the window is
2025-11 to 2026-10 and the lines are 800 (urban) and 530 (rural) yuan. Amounts are fen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from fixtures.county.claims import IDENTITY, MEMBER
from fixtures.county.ideal import Block
from fixtures.county.order import Order
from fixtures.county.truth import judged

AS_OF = date(2026, 11, 20)
CASE = "SQ20260000001"
FREE_DAY = date(2020, 1, 1)
OLD = "1966-11-20"  # sixty on the as-of date


def at(when: str) -> datetime:
    """A time of day in Beijing, without a zone as in the frames."""
    return datetime.fromisoformat(when)


# what a row says where a test says nothing; the type of a column is that of its value, of a null one it is text
USUAL: dict[str, dict[str, Any]] = {
    "mz_shenqing": {"申请编号": CASE, "城乡类别": "城镇", "申请人姓名": None, "申请人身份证号": None}
    | dict.fromkeys(("申报月工资性收入", "申报月经营净收入", "申报月财产净收入", "申报月转移净收入", "申报金融资产"), 0),
    "mz_chengyuan": {"申请编号": CASE, "序号": 1, "姓名": None, "身份证号": None, "与申请人关系": "本人", "人员身份": MEMBER, "授权状态": "有效"},
    "mz_zaixiang": {"救助业务名称": "城市低保", "享受截止年月": 202612},
    "mz_hunyin": {"登记类型": "结婚", "登记日期": FREE_DAY, "男方姓名": None, "男方身份证号": None, "女方姓名": None, "女方身份证号": None},
    "mz_huohua": {"性别": "男", "出生日期": FREE_DAY, "死亡日期": FREE_DAY},
    "cl_canji": {"残疾类别": "肢体", "残疾等级": 4, "证件状态": "有效"},
    "ga_huji": {"户号": "H1", "与户主关系": "户主", "性别代码": "1", "出生日期": FREE_DAY, "注销标识": "0", "注销日期": FREE_DAY, "曾用名": None},
    "ga_jiguan": {"类型": "服刑", "收押时间": at("2026-01-05T09:00"), "释放时间": at("2030-01-01T09:00")},
    "ga_cheliang": {"HPHM": "桂A00001", "HPZL": "02", "ZT": "A"},
    "rs_canbao": {"缴费月份": 202605, "缴费基数": 0, "参保状态": "参保缴费"},
    "rs_daiyu": {"待遇类型": "企业职工养老金", "发放月份": 202605, "发放金额": 0},
    "bdc_fangwu": {"不动产单元号": "U1", "规划用途": "住宅", "权属状态": "现势"},
    "gjj_zhanghu": {"账户余额": 0, "账户状态": "正常"},
    "sc_zhuti": {"统一社会信用代码": "C1", "主体类型": "有限责任公司", "登记状态": "在业", "职务": "股东"},
    "sw_geshui": {"所得项目": "工资薪金所得", "税款所属期起": date(2026, 1, 1), "税款所属期止": date(2026, 1, 31), "收入额": 0, "费用": 0},
    "rh_cunkuan": {"余额合计": 0, "是否超限": None, "近半年大额支出": 0},
    "jr_zhengquan": {"市值": 0},
    "yb_jiesuan": {"结算日期": date(2026, 3, 3), "政策内自付": 0, "政策外自费": 0, "医疗救助": 0},
}
NOISE: dict[str, Any] = {"status": "ok", "recoverable": True, "like": 0, "raw": None}


@dataclass
class Town:
    """One block in the making. Person 1 is the applicant, born in 1980; pids count from 1."""

    people: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {extract: [] for extract in USUAL})

    def person(self, birth: str = "1980-05-05", **told: Any) -> int:
        """Somebody of the one household, with a row in the register unless `book` is None."""
        pid = len(self.people) + 1
        day = date.fromisoformat(birth)
        body = f"450102{day:%Y%m%d}{pid:02d}1"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        check = "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]
        self.people.append(
            {"pid": pid, "household": 1, "name": "韦" + "一二三四五六七八"[pid] + "民", "former_name": None, "id": body + check, "sex": 1, "birth": day}
            | {"father": None, "mother": None}
            | {k: v for k, v in told.items() if k in ("household", "name", "former_name", "father", "mother")}
        )
        if told.get("book", "H1"):
            self.row("ga_huji", pid, 户号=told.get("book", "H1"), 出生日期=day, 注销日期=None, 与户主关系=told.get("relation", "户主"))
        return pid

    def case(self, *members: int, urban: bool = True, supporters: tuple[int, ...] = (), case: str = CASE, **declared: Any) -> Town:
        """A case of these people; who is in `unauthorised` has no valid authorisation."""
        unauthorised = declared.pop("unauthorised", ())
        if members:
            self.row("mz_shenqing", members[0], 申请编号=case, 城乡类别="城镇" if urban else "农村", **declared)
        for no, pid in enumerate((*members, *supporters), 1):
            role = MEMBER if pid in members else "法定赡养人"
            words = {"人员身份": role, "与申请人关系": "本人" if no == 1 else "其他", "授权状态": "未签" if pid in unauthorised else "有效"}
            self.row("mz_chengyuan", pid, 申请编号=case, 序号=no, **words)
        return self

    def row(self, extract: str, pid: int | None, **says: Any) -> Town:
        """A row of an extract; `pid` is its owner. For mz_hunyin give pid_m and pid_f."""
        own = self.people[pid - 1] if pid else {}
        name, number = IDENTITY.get(extract, ("姓名", "身份证号"))[:2] if extract != "mz_shenqing" else ("申请人姓名", "申请人身份证号")
        who = {} if extract == "mz_hunyin" else {name: own.get("name"), number: own.get("id"), "pid": pid}
        self.rows[extract].append(USUAL[extract] | who | NOISE | says)
        return self

    def couple(self, man: int, woman: int | None, **says: Any) -> Town:
        """A registration of two people."""
        m, f = (self.people[p - 1] if p else {"name": "外乡人", "id": None} for p in (man, woman))
        names = {"男方姓名": m["name"], "男方身份证号": m["id"], "女方姓名": f["name"], "女方身份证号": f["id"], "pid_m": man, "pid_f": woman}
        return self.row("mz_hunyin", None, **({"recoverable_m": True, "recoverable_f": True} | names | says))

    def block(self) -> Block:
        """The block as the makers would hand it over."""
        dirty = {extract: self._frame(extract) for extract in USUAL}
        clean = {extract: frame.filter(pl.col("status") != "duplicate") for extract, frame in dirty.items()}
        told = {"case_id": "申请编号", "member_no": "序号", "pid": "pid", "role": "人员身份"}
        books = clean["mz_chengyuan"]
        members = books.select(**told, authorised=pl.col("授权状态") == "有效")
        people = pl.DataFrame(self.people, schema_overrides=dict.fromkeys(("pid", "household", "father", "mother"), pl.Int64) | {"former_name": pl.String})
        return Block(people, clean, dirty, members)

    def _frame(self, extract: str) -> pl.DataFrame:
        sides = ("pid_m", "pid_f", "recoverable_m", "recoverable_f") if extract == "mz_hunyin" else ("pid",)
        usual = USUAL[extract] | NOISE | {side: side.startswith("rec") or 0 for side in sides}
        kinds: dict[type, Any] = {str: pl.String, int: pl.Int64, date: pl.Date, datetime: pl.Datetime("ms"), bool: pl.Boolean, type(None): pl.String}
        names = dict.fromkeys([*USUAL[extract], *IDENTITY.get(extract, ())[:2], *NOISE, *sides])
        schema: dict[str, Any] = {name: kinds[type(usual.get(name))] for name in names}
        frame = pl.DataFrame([{name: row.get(name) for name in names} for row in self.rows[extract]], schema=schema)
        return frame.with_columns(pl.col("like").replace(0, None), uid=pl.int_range(pl.len()).cast(pl.UInt64))


@dataclass(frozen=True)
class Told:
    """The truth of the town's first case."""

    tables: dict[str, pl.DataFrame]

    def __getattr__(self, column: str) -> Any:
        return self.tables["cases"].row(0, named=True)[column]

    def due(self, mode: str = "ideal") -> set[tuple[str, int]]:
        """The alerts that must be raised."""
        found = self.tables["alerts"].filter((pl.col("mode") == mode) & ~pl.col("optional"))
        return set(found.select("alert", "member_no").iter_rows())

    def allowed(self) -> set[tuple[str, int]]:
        """The alerts that may be raised or left."""
        return set(self.tables["alerts"].filter(pl.col("optional")).select("alert", "member_no").iter_rows())

    def verdict(self, test: str) -> str:
        """One test's verdict, named as in open_tests."""
        category, name = test.split(".")
        return str(self.tables["tests"].filter((pl.col("category") == category) & (pl.col("test") == name))["verdict"][0])


def told(town: Town, *late: str, as_of: date = AS_OF) -> Told:
    """Judge a town."""
    return Told(judged(Order(20_000, 10, 1, as_of), town.block(), late))


def alone(birth: str = "1980-05-05", *, urban: bool = True, **declared: Any) -> Town:
    """A case of one."""
    town = Town()
    return town.case(town.person(birth), urban=urban, **declared)


def two(**declared: Any) -> Town:
    """A case of 户主 and 配偶."""
    town = Town()
    return town.case(town.person(), town.person("1982-01-01", relation="配偶"), **declared)


def paid(town: Town, fen: int, pid: int = 1, **says: Any) -> Town:
    """A tax row."""
    return town.row("sw_geshui", pid, 收入额=fen, **says)


def pension(town: Town, fen: int) -> Town:
    """A workers' pension."""
    return town.row("rs_daiyu", 1, 发放金额=fen)


def saved(town: Town, fen: int) -> Town:
    """A deposit."""
    return town.row("rh_cunkuan", 1, 余额合计=fen)
