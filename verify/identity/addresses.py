"""Addresses taken apart: division words, town, village or road, and the numbers of the house, however they are written.

三组 is 3组, 三号楼二单元502 is 3-2-502, a province left out is no difference. Nothing is looked up: what cannot be told apart
stays in `place`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_NUMERALS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = "组|村民小组|号|栋|幢|座|单元|室|楼|层|队|社|弄|巷|排|户|屯"
_HAN_NUMBER = re.compile(f"([零〇一二两三四五六七八九十百]+)(?=(?:{_UNITS}|门|期))")
_PROVINCE = re.compile(r"^(.{2,7}?(?:省|自治区|特别行政区))")
_CITY = re.compile(r"^(.{2,12}?(?:自治州|地区|盟|市))(?=.*?(?:县|区|市|旗))")
_COUNTY = re.compile(r"^(.{1,9}?(?:自治县|县|林区|自治旗|旗|市|(?<!社)(?<!小)区))(?!域|段)")
_TOWN = re.compile(r"^(.{1,8}?(?:街道办事处|街道|镇|民族乡|乡|苏木|农场|林场))")
_DROPPED = re.compile(r"办事处|村民委员会|居民委员会|居委会|村委会|社区|行政村|自然村|村民小组|小组|附近|旁边")
_NOISE = re.compile(r"[\s,，。、;；:：()（）#]+")
_ENDING = re.compile(r"(村|路|街|第)$")
_NUMBER = re.compile(r"[0-9]+[A-Z]?")


@dataclass(frozen=True, slots=True)
class Address:
    """An address in pieces; '' for each that is not there.

    `division` is what stands before the town (province, city, county, as written); `place` is the village, estate or road
    without its endings; `house` its numbers from large to small, without leading zeros.
    """

    division: str
    town: str
    place: str
    house: tuple[str, ...]


def address_of(written: str) -> Address | None:
    """A written address in pieces; None where nothing is left of it."""
    text = _NOISE.sub("", unicodedata.normalize("NFKC", written)).upper()
    if not text:
        return None
    text = _HAN_NUMBER.sub(lambda found: str(number_in(found[1])), text)
    division, text = _divided(text)
    town, text = _cut(_TOWN, text)
    numbers_at = _NUMBER.search(text)
    place, tail = (text[: numbers_at.start()], text[numbers_at.start() :]) if numbers_at else (text, "")
    place = _DROPPED.sub("", place)
    place = _ENDING.sub("", place) or place
    house = tuple(number.lstrip("0") or "0" for number in _NUMBER.findall(tail))
    return Address(division, town.replace("办事处", ""), place, house)


def number_in(numerals: str) -> int:
    """The number that Chinese numerals below a thousand say: 十二, 二十, 一百零五, 一二三."""
    if not any(unit in numerals for unit in "十百"):
        return int("".join(str(_NUMERALS[c]) for c in numerals))
    hundreds, _, rest = numerals.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    total = 100 * number_in(hundreds or "一") if "百" in numerals else 0
    if ten:
        tens = tens.strip("零〇")
        total += 10 * (number_in(tens) if tens else 1)
    ones = ones.strip("零〇")
    return total + (number_in(ones) if ones else 0)


def same_house(one: Address, other: Address) -> bool:
    """Whether two addresses name one house: the same place, and the numbers of one begin those of the other, at least one."""
    shorter = min(len(one.house), len(other.house))
    towns = {one.town, other.town} - {""}
    return shorter > 0 and one.place == other.place and len(towns) < 2 and one.house[:shorter] == other.house[:shorter]


def _divided(text: str) -> tuple[str, str]:
    """What stands before the town, and the rest."""
    found = []
    for pattern, signs in ((_PROVINCE, "省区"), (_CITY, "州区盟市"), (_COUNTY, "县区旗市")):
        if any(sign in text for sign in signs):
            part, text = _cut(pattern, text)
            found.append(part)
    return "".join(found), text


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.match(text)
    return (found[1], text[found.end() :]) if found and len(text) > found.end() else ("", text)
