"""A few hundred made-up people in households, and a second list of them with the mistakes that clerks make. Truth beside both."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl

from verify.identity.numbers import check_of
from verify.linkage.people import WRITTEN

SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英兰玉梅国建文志海云辉春林华"
SOUNDS = {"伟": "玮", "静": "晶", "丽": "莉", "明": "鸣", "英": "瑛", "玉": "钰", "国": "帼", "志": "智", "辉": "晖", "林": "琳"}
SCHEMA = dict.fromkeys(WRITTEN, pl.String)


def people(count: int, seed: int) -> list[dict[str, str | None]]:
    """People of households of three who share address and telephone, and often the surname."""
    draw = random.Random(seed)
    made = []
    for at in range(count):
        if at % 3 == 0:
            surname, village, house = draw.choice(SURNAMES), draw.choice(GIVEN) + draw.choice(GIVEN), draw.randint(1, 90)
            phone = f"13{draw.randint(10**8, 10**9 - 1)}"
        born, male = date(1940, 1, 1) + timedelta(draw.randint(0, 27_000)), draw.random() < 0.5
        body = f"4501{draw.randint(1, 30):02d}{born:%Y%m%d}{draw.randint(0, 499) * 2 + male:03d}"
        name = (surname if draw.random() < 0.7 else draw.choice(SURNAMES)) + draw.choice(GIVEN) + (draw.choice(GIVEN) if draw.random() < 0.8 else "")
        made.append(
            {"name": name, "id": body + check_of(body), "birth": f"{born:%Y-%m-%d}", "sex": "男" if male else "女", "phone": phone}
            | {"address": f"南宁市江南区苏圩镇{village}村{house % 9 + 1}组{house}号"}
        )
    return made


def spoilt(person: dict[str, str | None], draw: random.Random) -> dict[str, str | None]:
    """One person as another office wrote them down."""
    other, ident, name = dict(person), str(person["id"]), str(person["name"])
    turn = draw.random()
    if turn < 0.10:
        other["id"] = None
    elif turn < 0.18:
        at = draw.randint(6, 16)
        other["id"] = ident[:at] + str((int(ident[at]) + 3) % 10) + ident[at + 1 :]
    elif turn < 0.20:
        other["id"] = ident[:6] + ident[8:17]
    if draw.random() < 0.10:
        other["name"] = "".join(SOUNDS.get(character, character) for character in name)
    if draw.random() < 0.2:
        other["phone"] = None
    if draw.random() < 0.1:
        other["birth"] = None
    return other


def two_lists(count: int = 900, seed: int = 3) -> tuple[pl.DataFrame, pl.DataFrame, list[int], list[int]]:
    """A register (three in four of the people) and a second list (others three in four), with the person of each row."""
    draw, everybody = random.Random(seed + 1), people(count, seed)
    ours = [at for at in range(count) if draw.random() < 0.75]
    theirs = [at for at in range(count) if draw.random() < 0.75]
    left = pl.DataFrame([everybody[at] for at in ours], schema=SCHEMA)
    return left, pl.DataFrame([spoilt(everybody[at], draw) for at in theirs], schema=SCHEMA), ours, theirs
