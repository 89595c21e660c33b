"""Which characters a font file has, read from its `cmap`: what it lacks is written as a code instead of a box.

OpenType 1.9, `ttcf`, `cmap` formats 4 and 12.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNICODE = {(3, 10): 2, (0, 6): 2, (0, 4): 2, (3, 1): 1, (0, 3): 1}  # platform and encoding, the fuller the higher
_BY_SEGMENTS, _BY_RANGES = 4, 12
_NOT_SHOWN = "\n\r\t\u200b"


@dataclass(frozen=True, slots=True)
class Cover:
    """The characters of a font: ranges by first and last code point, in order."""

    firsts: tuple[int, ...]
    lasts: tuple[int, ...]

    def has(self, sign: str) -> bool:
        """Whether the font can show a character."""
        at = bisect_right(self.firsts, ord(sign)) - 1
        return sign in _NOT_SHOWN or (at >= 0 and ord(sign) <= self.lasts[at])

    def written(self, told: Any) -> Any:
        """Texts in lists and mappings, each character that the font does not have as its code in brackets."""
        if isinstance(told, str):
            return told if all(map(self.has, told)) else "".join(sign if self.has(sign) else f"〔U+{ord(sign):04X}〕" for sign in told)
        if isinstance(told, dict):
            return {key: self.written(value) for key, value in told.items()}
        return [self.written(value) for value in told] if isinstance(told, list | tuple) else told


def cover_of(path: Path, index: int) -> Cover:
    """The characters of one font of a file (of a collection, that of the index)."""
    data = path.read_bytes()
    start = struct.unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == b"ttcf" else 0
    tables = {data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in _records(data, start)}
    cmap = tables[b"cmap"]
    found = []
    for at in range(struct.unpack_from(">H", data, cmap + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * at)
        found.append((_UNICODE.get((platform, encoding), 0), cmap + offset))
    spans = _spans(data, max(found)[1])
    return Cover(tuple(first for first, _ in spans), tuple(last for _, last in spans))


def _records(data: bytes, start: int) -> range:
    count = struct.unpack_from(">H", data, start + 4)[0]
    return range(start + 12, start + 12 + 16 * count, 16)


def _spans(data: bytes, at: int) -> list[tuple[int, int]]:
    kind = struct.unpack_from(">H", data, at)[0]
    if kind == _BY_RANGES:
        count = struct.unpack_from(">I", data, at + 12)[0]
        return [struct.unpack_from(">II", data, at + 16 + 12 * one) for one in range(count)]
    if kind == _BY_SEGMENTS:
        twice = struct.unpack_from(">H", data, at + 6)[0]
        lasts = struct.unpack_from(f">{twice // 2}H", data, at + 14)
        firsts = struct.unpack_from(f">{twice // 2}H", data, at + 16 + twice)
        return sorted(zip(firsts, lasts, strict=True))
    return []
