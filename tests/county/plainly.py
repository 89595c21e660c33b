"""The facts of a made-up county's cases straight from its clean frames: points only, no doubt, written apart from the maker and from the engine."""

from __future__ import annotations

from datetime import date

import polars as pl

WINDOW = (date(2025, 11, 1), date(2026, 10, 31))  # of the as-of date 2026-11-20
MONTHS = (202511, 202610)
TODAY = date(2026, 11, 20)


def counted(members: pl.DataFrame, people: pl.DataFrame, lives: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The members who count: case_id, pid."""
    still = (pl.col("收押时间").dt.date() <= TODAY) & ((pl.col("释放时间").dt.date() > TODAY) | pl.col("释放时间").is_null())
    inside = lives["ga_jiguan"].filter(pl.col("类型").is_in(["服刑", "强制戒毒"]), still)
    dead = people.filter(pl.col("died") <= TODAY)
    here = members.filter(pl.col("role") == "共同生活成员").select("case_id", "pid", "urban", "line")
    return here.join(inside.select("pid"), on="pid", how="anti").join(dead.select("pid"), on="pid", how="anti")


def facts(members: pl.DataFrame, people: pl.DataFrame, lives: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a case with somebody who counts: n, line, urban and the facts, money in fen; declared figures taken in."""
    who = counted(members, people, lives)
    cases = who.group_by("case_id").agg(pl.len().alias("n"), pl.col("urban").first(), pl.col("line").first())
    for name, rows in (_income(lives) | _things(lives)).items():
        per_case = who.join(rows, on="pid").group_by("case_id").agg(pl.col("value").n_unique() if rows["value"].dtype == pl.String else pl.col("value").sum())
        cases = cases.join(per_case.rename({"value": name}), on="case_id", how="left").with_columns(pl.col(name).fill_null(0))
    declared = lives["mz_shenqing"].select(
        pl.col("申请编号").alias("case_id"), *(pl.col(column).fill_null(0).alias(f"said_{name}") for name, column in _DECLARED.items()))  # fmt: skip
    cases = cases.join(declared, on="case_id").with_columns(pl.col("wage") * 9 // 10)
    groups = [pl.max_horizontal(pl.col(name), pl.col(f"said_{name}") * 12) for name in ("wage", "business", "property", "transfer")]
    return cases.with_columns(pl.sum_horizontal(groups).alias("income"), pl.max_horizontal("financial", "said_financial").alias("financial"))


_DECLARED = {
    "wage": "申报月工资性收入",
    "business": "申报月经营净收入",
    "property": "申报月财产净收入",
    "transfer": "申报月转移净收入",
    "financial": "申报金融资产",
}


def _income(lives: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    tax = lives["sw_geshui"].filter(pl.col("税款所属期起") >= WINDOW[0], pl.col("税款所属期止") <= WINDOW[1])
    paid = lives["rs_daiyu"].filter(pl.col("发放月份").is_between(*MONTHS), ~pl.col("待遇类型").is_in(["城乡居民基础养老金", "工伤待遇"]))

    def of(*items: str) -> pl.DataFrame:
        return tax.filter(pl.col("所得项目").is_in(items)).select("pid", (pl.col("收入额") - pl.col("费用").fill_null(0)).clip(0).alias("value"))

    return {"wage": of("工资薪金所得", "劳务报酬所得"), "business": of("经营所得"), "property": of("财产租赁所得", "利息股息红利所得"),
            "transfer": paid.select("pid", pl.col("发放金额").alias("value"))}  # fmt: skip


def _things(lives: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    money = pl.concat([
        lives["rh_cunkuan"].select("pid", pl.col("true_余额").alias("value")), lives["jr_zhengquan"].select("pid", pl.col("市值").alias("value")),
        lives["gjj_zhanghu"].filter(pl.col("账户状态") != "销户").select("pid", pl.col("账户余额").alias("value")),
    ])  # fmt: skip
    gone, small = pl.col("ZT").is_in(["E", "M"]).fill_null(value=False), pl.col("HPZL").is_in(["07", "08", "22"])
    cars = lives["ga_cheliang"].filter(~gone, ~small, pl.col("pid").is_not_null())
    homes = lives["bdc_fangwu"].filter(pl.col("权属状态") == "现势")
    kind, role = pl.col("主体类型").is_in(["个体工商户", "农民专业合作社"]), pl.col("职务").is_in(["法定代表人", "股东"])
    firms = lives["sc_zhuti"].filter(pl.col("登记状态") == "在业", ~kind, role)
    bills = lives["yb_jiesuan"].filter(pl.col("结算日期").is_between(*WINDOW))
    net = pl.col("政策内自付") + pl.col("政策外自费").fill_null(0) - pl.col("医疗救助").fill_null(0)
    return {
        "financial": money, "vehicles": cars.select("pid", (pl.col("HPZL") + pl.col("HPHM")).alias("value")),
        "dwellings": homes.filter(pl.col("规划用途") == "住宅").select("pid", pl.col("不动产单元号").alias("value")),
        "premises": homes.filter(pl.col("规划用途") != "住宅").select("pid", pl.col("不动产单元号").alias("value")),
        "companies": firms.select("pid", pl.col("统一社会信用代码").alias("value")), "medical": bills.select("pid", net.clip(0).alias("value")),
    }  # fmt: skip


def _tests(limit: int) -> pl.Expr:
    return ((pl.col("financial") <= limit * pl.col("line") * pl.col("n")) & (pl.col("vehicles") == 0) & (pl.col("dwellings") <= 1) & (pl.col("companies") == 0))


def category(facts: pl.DataFrame) -> pl.DataFrame:
    """The category of each case by its points, tekun apart (it asks for ages, cards and supporters): adds `category`."""
    year = pl.col("line") * 12 * pl.col("n")
    disposable = pl.when("urban").then(4_300_000).otherwise(1_940_000) * pl.col("n")
    poor = _tests(24) & (pl.col("premises") == 0)
    ill = pl.col("medical") * 10 >= pl.max_horizontal(pl.col("income"), pl.lit(100)) * 6
    return facts.with_columns(
        pl.when(poor & (pl.col("income") < year)).then(pl.lit("dibao"))
        .when(poor & (pl.col("income") * 2 < year * 3)).then(pl.lit("margin"))
        .when(_tests(36) & (pl.col("income") < disposable) & ill).then(pl.lit("rigid"))
        .otherwise(pl.lit("none")).alias("category"))  # fmt: skip
