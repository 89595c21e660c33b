"""The match of a night on people who cannot be told apart: CPU and memory beside the same people unspoilt.

    python -m bench.linkage.bad_nights [PEOPLE] [SPOILT …]

A register of PEOPLE (10,000) in households of four, all of them on the roster, with two bank rows and a deed each; then the same
with one thing spoilt for everybody. Each run is a process of its own. Printed: CPU seconds, times the unspoilt, peak MB, and links
by status. What may never be: more than three times the unspoilt, or a row accepted for two people (the gate would stop the night).
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from verify.identity.numbers import check_of
from verify.model import Arrived, Known, Part
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.stages import match, standardise
from verify.store import open_store, read_frame, write_frame

AS_OF = date(2026, 11, 20)
TYPES: dict[str, Any] = {"date": pl.Date, "month": pl.Date, "epoch_ms": pl.Date, "money": pl.Int64, "number": pl.Int64, "count": pl.Int64}
SPOILT = ("nothing", "id", "bad_id", "name", "name_and_birth", "household", "deed", "no_ids", "all_but_name", "blank", "roster_of_one")
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国志文斌"


def people(count: int) -> list[dict[str, Any]]:
    """Made-up people with valid IDs, in households of four."""
    draw, found = random.Random(7), []
    for at in range(count):
        born = date(1940, 1, 1) + timedelta(days=draw.randrange(28_000))
        body = f"4599{draw.randrange(1, 30):02d}{born:%Y%m%d}{at % 1000:03d}"
        name = draw.choice(SURNAMES) + "".join(draw.choice(GIVEN) for _ in range(draw.choice((1, 2, 2))))
        found.append(
            {
                "name": name,
                "id": body + check_of(body),
                "birth": born,
                "home": f"H{at // 4}",
                "case": f"C{at // 4}",
                "no": at % 4 + 1,
                "deed": f"U{at // 2}",
            }
        )
    return found


def spoil(found: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """The same with one thing alike, or blank, for everybody."""
    first = found[0]
    alike: dict[str, dict[str, Any]] = {
        "nothing": {},
        "id": {"id": first["id"]},
        "bad_id": {"id": first["id"][:17] + ("0" if first["id"][17] != "0" else "1")},
        "name": {"name": first["name"]},
        "name_and_birth": {"name": first["name"], "birth": first["birth"], "id": None},
        "household": {"home": "H0"},
        "deed": {"deed": "U0", "id": None},
        "no_ids": {"id": None},
        "all_but_name": {"id": None, "birth": None, "home": "H0", "deed": "U0"},
        "blank": {"name": "—", "id": None, "birth": None},
        "roster_of_one": {},
    }
    return [{**one, **alike[what]} for one in found]


def rows(found: list[dict[str, Any]], what: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of the shipped extracts."""
    listed = found[:1] if what == "roster_of_one" else found
    roster = [
        {
            "申请编号": p["case"],
            "序号": p["no"],
            "姓名": p["name"],
            "身份证号": p["id"],
            "人员身份": "共同生活成员",
            "授权状态": "有效",
            "与申请人关系": "本人" if p["no"] == 1 else "其他",
        }
        for p in listed
    ]
    register = [
        {
            "户号": p["home"],
            "姓名": p["name"],
            "公民身份号码": p["id"],
            "出生日期": p["birth"],
            "性别代码": None if p["id"] is None else "1" if int(p["id"][16]) % 2 else "2",
        }
        for p in found
    ]
    cases = [{"申请编号": case} for case in dict.fromkeys(p["case"] for p in listed)]
    banks = [{"客户姓名": p["name"], "证件号码": p["id"], "银行代码": str(bank)} for p in found for bank in (1, 2)]
    deeds = [{"不动产单元号": p["deed"], "权利人": p["name"], "证件号码": p["id"]} for p in found]
    return {"mz_chengyuan": roster, "mz_shenqing": cases, "ga_huji": register, "rh_cunkuan": banks, "bdc_fangwu": deeds}


def one_run(count: int, what: str) -> None:
    """Run the two stages once and print what they took."""
    book, stated = load_rulebook(rules_folder()), rows(spoil(people(count), what), what)
    with TemporaryDirectory() as folder:
        work, known = Path(folder), {}
        for code, extract in book.extracts.items():
            path = work / f"rows_{code}.parquet"
            schema = {"_file": pl.String, "_row": pl.Int32, "_as_of": pl.Date} | {c.column: TYPES.get(c.type, pl.String) for c in extract.columns}
            lines = [{"_file": f"{code}.csv", "_row": at, "_as_of": AS_OF} | row for at, row in enumerate(stated.get(code, []), 1)]
            write_frame(pl.DataFrame(lines, schema=schema, orient="row"), path)
            known[code] = Known(code, (Part(path),), late=False, usable=True, as_of=AS_OF) if lines else Known(code, (), late=True, usable=False, as_of=None)
        arrived = Arrived(AS_OF, known, work, work, work, work, 0, incomplete=False, troubles=work / "troubles.parquet", roster_refused=work)
        write_frame(pl.DataFrame(schema=dict.fromkeys(("extract", "file", "code", "detail"), pl.String)), work / "troubles.parquet")
        before = resource.getrusage(resource.RUSAGE_SELF)
        with open_store(work, threads=1, memory="2GB") as store:
            spoken = standardise.people(store, arrived, book=book, work=work).spoken
            made = match.links(store, arrived, spoken, book=book, work=work)
        after = resource.getrusage(resource.RUSAGE_SELF)
        statuses = dict(read_frame(made.links.path).group_by("status").len().sort("status").rows())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"what": what, "cpu": round(cpu, 2), "mb": after.ru_maxrss // 1024, "links": statuses}))


def main() -> None:
    """Every kind of spoilt people after the unspoilt, each in a process of its own."""
    if sys.argv[1:2] == ["--one"]:
        one_run(int(sys.argv[2]), sys.argv[3])
        return
    count, base = int(sys.argv[1]) if sys.argv[1:] else 10_000, None
    for what in dict.fromkeys(("nothing", *(sys.argv[2:] or SPOILT))):
        ran = subprocess.run(
            [sys.executable, "-m", "bench.linkage.bad_nights", "--one", str(count), what], capture_output=True, text=True, check=False, timeout=600
        )
        if ran.returncode:
            print(f"{what:16} failed: {ran.stderr.strip().splitlines()[-1][:160]}", flush=True)
            continue
        told = json.loads(ran.stdout)
        base = base or told["cpu"]
        print(f"{what:16} {told['cpu']:8.2f} s  {told['cpu'] / base:6.2f} x  {told['mb']:6} MB  {told['links']}", flush=True)


if __name__ == "__main__":
    main()
