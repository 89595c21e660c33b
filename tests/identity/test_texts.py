"""Names, addresses and phone numbers taken apart."""

from __future__ import annotations

import pytest

from verify.identity.addresses import Address, address_of, number_in, same_house
from verify.identity.names import main_sounds, name_of, sound_alike, surname_of, surname_readings
from verify.identity.phones import phone_of
from verify.identity.readings import readings


@pytest.mark.parametrize(
    ("written", "text", "surname"),
    [
        ("欧阳娜娜", "欧阳娜娜", "欧阳"),
        ("欧阳", "欧阳", "欧"),  # no given name would be left
        ("王　伟", "王伟", "王"),
        ("王伟（已故）", "王伟", "王"),
        ("王伟1", "王伟", "王"),
        ("*伟", "*伟", ""),
        ("买买提・吐尔逊", "买买提·吐尔逊", ""),
        ("买买提 吐尔逊", "买买提·吐尔逊", ""),
        ("古丽.阿不都", "古丽·阿不都", ""),
        ("Zhang  Wei", "ZHANG WEI", ""),
    ],
)
def test_a_name_in_pieces(written: str, text: str, surname: str) -> None:
    found = name_of(written)
    assert found
    assert (found.text, found.surname) == (text, surname)


def test_nothing_is_no_name() -> None:
    assert [name_of(x) for x in ("", "  ", "123", "（空）")] == [None, None, None, None]


def test_parts_hidden_characters_and_sounds() -> None:
    found = name_of("张*")
    assert found
    assert found.hidden == 1
    assert found.sounds[1] == frozenset()
    parts = name_of("买买提·吐尔逊")
    assert parts
    assert parts.parts == ("买买提", "吐尔逊")


def test_a_surname_is_read_as_surnames_are() -> None:
    assert main_sounds("单田芳", "单")[0] == "SHAN"
    assert main_sounds("尉迟恭", surname_of("尉迟恭"))[:2] == ("YU", "CHI")
    assert sound_alike("单田芳", "山天方")
    assert sound_alike("单田芳", "丹天方")  # and as the character itself
    assert not sound_alike("王伟", "汪卫国")
    assert all(len(surname) == len(reading.split()) for surname, reading in surname_readings().items())


def test_an_address_however_it_is_written() -> None:
    long, short = address_of("贵州省黔东南苗族侗族自治州凯里市上下镇大小村三组12号"), address_of("凯里市上下镇大小3村民小组")
    assert long == Address("贵州省黔东南苗族侗族自治州凯里市", "上下镇", "大小", ("3", "12"))
    assert short == Address("凯里市", "上下镇", "大小", ("3",))
    assert same_house(long, short)
    estate, dashes = address_of("凯里市城北街道平坝社区路12号3栋2单元1502室"), address_of("凯里市城北街道平坝路12号3-2-1502")
    assert estate
    assert estate == dashes
    other = address_of("凯里市城南街道平坝路12号")
    assert other
    assert not same_house(estate, other)
    assert address_of("，。") is None


def test_numerals() -> None:
    assert [number_in(x) for x in ("三", "十", "十二", "二十", "二百三十", "一百零五", "一二三")] == [3, 10, 12, 20, 230, 105, 123]


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+86 138-0013-8001", "13800138001"),
        ("0086 13800138001", "13800138001"),
        ("010-62770001", "01062770001"),
        ("0771-5851234/13900001112", "07715851234"),
        ("013800138001", "13800138001"),
        ("13800000000", None),
        ("12345678901", None),
        ("无", None),
    ],
)
def test_phone_numbers(written: str, digits: str | None) -> None:
    assert phone_of(written) == digits


def test_characters_are_read_as_pypinyin_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin  # noqa: PLC0415 - without its phrases, which take longest to load

    for character in [*"吕重单女略呒欸誒絕〇\u3400\U00020000王Aü，", *map(chr, range(0x4E00, 0x9FFF, 53))]:
        found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
        assert readings(character) == {said.upper() for syllable in found for said in syllable if said.isascii()}
