"""Two made-up lists of Chinese people with known truth: a nearly clean register, and a programme's list with clerks' mistakes.

Households with shared surname, address and telephone; Uyghur and Tibetan forms of names; one in four of the second list is not
in the register, many of them relatives of people who are; 4 % of it stands twice. The rates of mistakes are those of the
research recipe ("normal" and "hard"); nothing of them was measured on real files.

    python -m bench.linkage.recipe ROWS {normal|hard} SEED FOLDER
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from verify.identity.numbers import check_of

WORDS = Path(__file__).resolve().parents[2] / "fixtures" / "county" / "words"
WRITTEN = ("name", "id", "birth", "sex", "phone", "address")
GIVEN = (
    "芳娜敏静丽艳娟霞秀英兰梅玲燕红琴萍莉婷雪颖倩慧莹琳洁晶欣怡佳梦雨涵婧璐瑶蕾薇琪思悦诗语嘉欢晓小文玉春桂凤珍素云花香月珠翠美爱群菊惠淑贞莲芬蓉彩",
    "伟强磊军洋勇杰涛明超刚平辉鹏华飞斌波鑫宇浩凯俊健峰建国志海文永德成林东亮龙毅松子豪轩博睿泽昊晨宏鸣彬旭朝庆兴祥福贵生财根树云全胜金玉忠义正光荣",
)
USUAL = ("敏静秀英桂英婷婷丽艳娟霞玉兰海燕梓涵欣怡", "伟强磊军勇建国建军志强浩宇子轩浩然国强")
UYGHUR = ("阿卜杜拉", "买买提", "吐尔逊", "艾合买提", "阿不力孜", "热合曼", "玉素甫", "伊敏", "古丽娜尔", "帕提古丽", "阿依古丽", "木合塔尔", "赛买提", "努尔")
UYGHUR_OTHER = {"阿卜杜拉": "阿布都拉", "买买提": "麦麦提", "吐尔逊": "图尔逊", "艾合买提": "艾海提", "热合曼": "热合满", "伊敏": "依明", "赛买提": "萨买提"}
TIBETAN = ("扎西", "次仁", "卓玛", "央金", "多吉", "平措", "拉姆", "顿珠", "旺堆", "曲珍", "尼玛", "达瓦", "白玛", "洛桑", "丹增", "格桑", "德吉", "仁青")
VILLAGES = "上下大小新老东西南北高平白红石龙马羊牛花水井坪塘坝寨岩坡湾冲溪河山岭田园林桥沙金银"
_COUNTIES = ("凯里市", "黄平县", "施秉县", "三穗县", "镇远县", "岑巩县", "天柱县", "锦屏县", "剑河县", "台江县")
COUNTIES = {f"5226{c:02d}": n for c, n in zip((1, 22, 23, 24, 25, 26, 27, 28, 29, 30), _COUNTIES, strict=True)}
ELSEWHERE = [f"{p}{c}" for p in (43, 45, 50, 51, 53, 44) for c in ("0102", "0123", "0221", "0324", "0425")]
NUMERALS = "零一二三四五六七八九十"
PREFIXES = ("130", "133", "135", "136", "138", "139", "150", "152", "158", "177", "180", "182", "185", "186", "189", "199")


@cache
def alike(table: str) -> dict[str, str]:
    """What stands for a character: homophones.csv, lookalikes.csv or variants.csv of the made-up county's words."""
    lines = (WORDS / f"{table}.csv").read_text(encoding="utf-8").splitlines()
    return dict(line.split(",", 1) for line in lines if "," in line and not line.startswith(("#", "character")))


@cache
def surnames() -> tuple[list[str], list[float]]:
    """Surnames and how common they are."""
    lines = [line.split(",") for line in (WORDS / "surnames.csv").read_text(encoding="utf-8").splitlines() if not line.startswith(("#", "surname"))]
    return [line[0] for line in lines], [float(line[1]) for line in lines]


@dataclass
class Person:
    """Somebody, with the place of their household."""

    name: str
    ident: str
    birth: date
    male: bool
    home: int
    phone: str
    kind: int


@dataclass
class Home:
    """A household's address in parts."""

    county: str
    town: str
    village: str
    group: int
    number: int
    flat: tuple[int, int, int] | None
    phone: str

    def written(self, draw: random.Random) -> str:
        """The address as some clerk writes it."""
        full, style = draw.randint(0, 3), draw.randint(0, 2)
        start = ("", COUNTIES[self.county], "贵州省" + COUNTIES[self.county], "贵州省黔东南苗族侗族自治州" + COUNTIES[self.county])[full]
        if self.flat:
            house = "{}栋{}单元{}室".format(*self.flat) if style < 2 else "{}-{}-{}".format(*self.flat)
            return f"{start}{self.town}街道{self.village}{'社区' if style != 1 else ''}路{self.number}号{house}"
        group = (f"{self.group}组", f"{han(self.group)}组", f"{self.group}村民小组")[style]
        return f"{start}{self.town}镇{self.village}{'村' if style != 1 else ''}{group}{f'{self.number}号' if style != 1 else ''}"


def han(number: int) -> str:
    """A number below twenty in Chinese."""
    return NUMERALS[number] if number <= 10 else "十" + NUMERALS[number - 10]


def people(count: int, draw: random.Random) -> tuple[list[Person], list[Home]]:
    """Everybody, household by household."""
    everybody: list[Person] = []
    homes: list[Home] = []
    seen: set[str] = set()
    names, weights = surnames()
    while len(everybody) < count:
        county = draw.choice(list(COUNTIES))
        flat = (draw.randint(1, 30), draw.randint(1, 4), draw.randint(1, 18) * 100 + draw.randint(1, 4)) if draw.random() < 0.35 else None
        town, village = (draw.choice(VILLAGES) + draw.choice(VILLAGES) for _ in range(2))
        homes.append(Home(county, town, village, draw.randint(1, 19), draw.randint(1, 120), flat, draw.choice(PREFIXES) + f"{draw.randrange(10**8):08d}"))
        kind, family = draw.choices((0, 1, 2), (0.955, 0.03, 0.015))[0], draw.choices(names, weights)[0]
        age, generation = draw.randint(24, 82), draw.choice(GIVEN[1])
        size, before = draw.choices(range(1, 8), (12, 22, 24, 20, 12, 7, 3))[0], date(2026, 1, 1)
        for at in range(size):
            male = draw.random() < (0.78, 0.2)[at] if at < 2 else draw.random() < 0.52
            years = max(0, min(98, age if at == 0 else age + draw.randint(-6, 4) if at == 1 else age - draw.randint(20, 36)))
            born = before - timedelta(int(years * 365.25) + draw.randrange(365))
            if at >= 3 and draw.random() < 0.03:  # twins
                born = everybody[-1].birth
            surname = draw.choices(names, weights)[0] if at in {1, 4} else family
            name = named(draw, kind, male=male, surname=surname, generation=generation if at >= 2 and draw.random() < 0.35 else "")
            division = county if draw.random() < 0.87 else draw.choice(ELSEWHERE)
            own = draw.random() < 0.65
            phone = draw.choice(PREFIXES) + f"{draw.randrange(10**8):08d}" if own else homes[-1].phone
            everybody.append(Person(name, number(draw, division, born, male, seen), born, male, len(homes) - 1, phone, kind))
    return everybody[:count], homes


def named(draw: random.Random, kind: int, *, male: bool, surname: str, generation: str) -> str:
    """A name of the kind of the household."""
    if kind == 1:
        return f"{draw.choice(UYGHUR)}·{draw.choice(UYGHUR)}"
    if kind == 2:
        return draw.choice(TIBETAN) + draw.choice(TIBETAN)
    letters, turn = GIVEN[male], draw.random()
    skewed = letters[int(len(letters) * draw.random() ** 1.8)]
    if turn < 0.14:
        return surname + skewed
    if generation:
        return surname + generation + skewed
    return surname + (draw.choice(USUAL[male]) if turn < 0.25 else skewed) + letters[int(len(letters) * draw.random() ** 1.8)]


def number(draw: random.Random, division: str, born: date, male: bool, seen: set[str]) -> str:
    """A citizen ID that nobody else has."""
    while True:
        body = f"{division}{born:%Y%m%d}{draw.randrange(500) * 2 + male:03d}"
        if body not in seen:
            seen.add(body)
            return body + check_of(body)


def slipped(ident: str, draw: random.Random) -> str:
    """An ID with one or two slips of the keyboard."""
    turn, at = draw.random(), draw.randrange(16)
    other = ident[:at] + str((int(ident[at]) + draw.randint(1, 9)) % 10) + ident[at + 1 :]
    if turn < 0.5:
        return other
    if turn < 0.75 and ident[at] != ident[at + 1]:
        return ident[:at] + ident[at + 1] + ident[at] + ident[at + 2 :]
    if turn < 0.85:
        return ident[:at] + ident[at + 1 :]
    if turn < 0.92:
        return ident[:at] + ident[at] + ident[at:]
    at = draw.randrange(16)
    return other[:at] + str((int(other[at]) + draw.randint(1, 9)) % 10) + other[at + 1 :]


def one_for_another(name: str, table: str, draw: random.Random) -> str:
    """A name in which one character is another by a table, if any can be."""
    places = [at for at, character in enumerate(name) if character in alike(table)]
    if not places:
        return name
    at = draw.choice(places[1:] or places) if draw.random() < 0.85 else places[0]
    return name[:at] + draw.choice(alike(table)[name[at]]) + name[at + 1 :]


def miswritten(person: Person, draw: random.Random, times: float) -> str:  # noqa: C901 - a list of mistakes
    """A name as a clerk writes it; `times` is how much more goes wrong than normally."""
    name, turn = person.name, draw.random()
    if person.kind == 1:
        first, second = name.split("·")
        if turn < 0.2:
            return first + draw.choice("•・.． ") + second
        if turn < 0.32:
            return UYGHUR_OTHER.get(first, first) + "·" + second
        if turn < 0.42:
            return first + "·" + UYGHUR_OTHER.get(second, second)
        return first if turn < 0.46 else name
    turn /= times
    for edge, table in ((0.02, "homophones"), (0.03, "lookalikes"), (0.035, "variants")):
        if turn < edge:
            return one_for_another(name, table, draw)
    if turn < 0.039:
        return name[:-1] if len(name) > 2 else name
    if turn < 0.042 and len(name) > 2:
        return name[0] + name[2] + name[1] + name[3:]
    if turn < 0.052:
        return name[0] + draw.choice((" ", "  ", "\u3000")) + name[1:]
    if turn < 0.055:
        return name[0] + "*" + name[2:]
    return name + draw.choice(("(大)", "1")) if turn < 0.058 else name


def misdated(born: date, draw: random.Random) -> str | None:
    """A birth date as a clerk writes it."""
    turn, said = draw.random(), f"{born:%Y-%m-%d}"
    if turn < 0.03:
        return None
    if turn < 0.045 and born.day <= 12:
        said = f"{born.year}-{born.day:02d}-{born.month:02d}"
    elif turn < 0.06:
        said = f"{born + timedelta(draw.randint(18, 49)):%Y-%m-%d}"  # of the old calendar, written as of the new one
    elif turn < 0.07:
        said = f"{born.year + draw.randint(-2, 2)}{said[4:]}"
    elif turn < 0.075:
        said = f"{born.year}-01-01"
    return draw.choice((said,) * 3 + (said.replace("-", ""), said.replace("-", "/")))


def programme_row(person: Person, place: int, everybody: list[Person], homes: list[Home], how: tuple[random.Random, bool]) -> dict[str, str | None]:
    """A person as the second list has them."""
    draw, hard = how
    missing, typed = (0.30, 0.08) if hard else (0.03, 0.045)
    turn, ident = draw.random(), person.ident
    if turn < missing:
        ident = ""
    elif turn < missing + 0.005:
        ident = draw.choice(("000000000000000000", "无", "111111111111111111", "不详"))
    elif turn < missing + 0.012:  # another of the household's
        beside = everybody[max(0, place - 6) : place + 7]
        ident = draw.choice([one.ident for one in beside if one.home == person.home and one is not person] or [ident])
    elif turn < missing + 0.012 + typed:
        ident = slipped(ident, draw)
    elif turn < missing + 0.022 + typed and person.birth.year < 1999:
        ident = ident[:6] + ident[8:17]
    if len(ident) > 14 and draw.random() < 0.01:
        ident = f"{ident[:6]} {ident[6:14]} {ident[14:]}"
    if ident.endswith("X") and draw.random() < 0.4:
        ident = ident[:-1] + draw.choice("xxx*")
    home = homes[person.home if draw.random() > 0.06 else draw.randrange(len(homes))]
    phone, turn = person.phone, draw.random()
    phone = "" if turn < 0.2 else phone if turn < 0.85 else homes[person.home].phone if turn < 0.92 else draw.choice(PREFIXES) + f"{draw.randrange(10**8):08d}"
    sex = "" if draw.random() < 0.05 else "男" if person.male != (draw.random() < 0.005) else "女"
    said = {"name": miswritten(person, draw, 2.5 if hard else 1), "id": ident, "birth": misdated(person.birth, draw), "sex": sex, "phone": phone}
    return {key: value or None for key, value in {**said, "address": home.written(draw) if draw.random() > 0.05 else ""}.items()}


def register_row(person: Person, homes: list[Home], draw: random.Random) -> dict[str, str | None]:
    """A person as the register has them: a few IDs missing or slipped, a few names misheard."""
    turn = draw.random()
    ident = None if turn < 0.006 else slipped(person.ident, draw) if turn < 0.009 else person.ident
    name = one_for_another(person.name, "homophones", draw) if draw.random() < 0.003 else person.name
    child = person.birth.year > 2013
    said = {"name": name, "id": ident, "birth": f"{person.birth:%Y-%m-%d}", "sex": "男" if person.male else "女"}
    return {**said, "phone": None if child or draw.random() < 0.1 else person.phone, "address": homes[person.home].written(random.Random(0))}


def two_lists(rows: int, noise: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray, np.ndarray]:
    """The register, the second list, and the person of each of their rows; about `rows` each."""
    draw = random.Random(f"{seed}/{noise}/{rows}")
    everybody, homes = people(int(rows * 1.333), draw)
    ours = [at for at in range(len(everybody)) if draw.random() < 0.75]
    theirs = [at for at in range(len(everybody)) if draw.random() < 0.72 for _ in range(1 + (draw.random() < 0.04))]
    draw.shuffle(theirs)
    schema = dict.fromkeys(WRITTEN, pl.String)
    left = pl.DataFrame([register_row(everybody[at], homes, draw) for at in ours], schema=schema)
    right = pl.DataFrame([programme_row(everybody[at], at, everybody, homes, (draw, noise == "hard")) for at in theirs], schema=schema)
    return left, right, np.array(ours), np.array(theirs)


def main() -> None:
    """Write left.parquet and right.parquet, with the person of each row in `pid`."""
    rows, noise, seed, folder = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    left, right, ours, theirs = two_lists(rows, noise, seed)
    folder.mkdir(parents=True, exist_ok=True)
    left.with_columns(pid=pl.Series(ours)).write_parquet(folder / "left.parquet")
    right.with_columns(pid=pl.Series(theirs)).write_parquet(folder / "right.parquet")


if __name__ == "__main__":
    main()
