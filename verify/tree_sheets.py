"""XML batches and JSON lines made into records, behind the fence and in a stream. Runs in the child only.

The shape of an XML batch (research/domain.md §4): `ROWDATA / FAMILY / BASE + PEOPLE[] / record*`. One record is one row:
its own leaves and attributes, the leaves of the elements around it, and of the groups beside them that the rule file
names. What comes out is CSV in UTF-8, so that one reader reads it all; a record that cannot be one row (a leaf twice, an
object in an object, a line that is no object) comes out with a field too many and is refused there.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, BinaryIO

from verify.fenced_child import RefusedError

CHUNK = 1 << 20
LONGEST = 4 << 20  # characters of one line
HEADERS = 1_000
BAD_BYTE = "\U0010ffff"
NOT_A_ROW = None


def keys(given: BinaryIO, out: BinaryIO, *, kind: str, **how: Any) -> dict[str, Any]:
    """The headers of all records, as JSON: `headers`, and for XML `record` (the element), `unit` (the depth it repeats at).

    `how`: `encoding`; of XML also `record` and `groups` (as the rule file says) and `known` (names a header may have), by
    which the record is found where the rule file does not name it. Refuses E-TORN, E-LINE-LONG, E-XML-DTD.
    """
    texts = _texts(given, how.pop("encoding"))
    found = _xml().keys_of_xml(texts, **how) if kind == "xml" else {"headers": _keys_of_lines(texts)}
    if len(found["headers"]) > HEADERS:
        raise RefusedError("E-TORN")
    out.write(json.dumps(found, ensure_ascii=False).encode())
    return {}


def rows(given: BinaryIO, out: BinaryIO, *, kind: str, headers: Sequence[str], **how: Any) -> dict[str, Any]:
    """The records as CSV, a header first. `counted`: the records of XML counted by other means (None for lines)."""
    encoding = how.pop("encoding")
    texts = _texts(given, encoding)
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow([" ".join(header.split()) for header in headers])
    for record in _xml().records_of_xml(texts, **how) if kind == "xml" else _records_of_lines(texts):
        writer.writerow([""] * (len(headers) + 1) if record is NOT_A_ROW else [record.get(header, "") for header in headers])
        if page.tell() > CHUNK:
            _turn(page, out)
    _turn(page, out)
    return {"counted": _xml().counted(_texts(given, encoding), how["record"]) if kind == "xml" else None}


def _turn(page: io.StringIO, out: BinaryIO) -> None:
    """Write what is on the page, whole, and begin a new one."""
    left = memoryview(page.getvalue().encode())
    while left:
        left = left[out.write(left) :]
    page.seek(0)
    page.truncate()


def _xml() -> ModuleType:
    """The reader of XML; loaded when it is first wanted, because lines need none."""
    from verify import xml_sheets  # noqa: PLC0415

    return xml_sheets


def _texts(given: BinaryIO, encoding: str) -> Iterator[str]:
    """The file as text, a piece at a time; bytes that are not of the encoding are marked, one mark a run."""
    decoder = codecs.getincrementaldecoder(encoding)("hedui-bad-byte")
    given.seek(0)
    while data := given.read(CHUNK):
        yield decoder.decode(data)
    yield decoder.decode(b"", final=True)


# --- lines of JSON ----------------------------------------------------------------------------------------------------


def _lines(texts: Iterator[str]) -> Iterator[str]:
    rest = ""
    for text in texts:
        *whole, rest = (rest + text).split("\n")
        yield from whole
        if len(rest) > LONGEST:
            raise RefusedError("E-LINE-LONG")
    yield rest


def _records_of_lines(texts: Iterator[str]) -> Iterator[dict[str, str] | None]:
    for line in _lines(texts):
        bare = line.strip("\ufeff\r")
        if bare:
            yield _flat(bare)


def _flat(line: str) -> dict[str, str] | None:
    """One object without objects in it, every value as it is written; None for anything else."""
    try:
        pairs = json.loads(line, object_pairs_hook=list, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return NOT_A_ROW
    if not line.lstrip().startswith("{") or any(isinstance(value, list) for _, value in pairs) or len(dict(pairs)) != len(pairs):
        return NOT_A_ROW
    return {key: _plain(value) for key, value in pairs}


def _plain(value: str | bool | None) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else value
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text  # half of a surrogate pair is no text


def _keys_of_lines(texts: Iterator[str]) -> list[str]:
    found: dict[str, None] = {}
    for record in _records_of_lines(texts):
        if record is not NOT_A_ROW and not found.keys() >= record.keys():
            found |= dict.fromkeys(record)
            if len(found) > HEADERS:
                raise RefusedError("E-TORN")
    return list(found)


def _mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BAD_BYTE, error.end


codecs.register_error("hedui-bad-byte", _mark_bad_bytes)
