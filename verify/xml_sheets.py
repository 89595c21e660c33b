"""XML batches in a stream: which elements are records, and each record with what stands around it. Runs in the child only.

The door to defusedxml: no DTD, no entities, nothing fetched. No tree is built; only the elements that are open are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from verify.fenced_child import RefusedError

LONGEST = 4 << 20  # characters of one leaf
DEPTH = 100
NOT_A_ROW = None
Record = dict[str, str] | None



class _Element:
    """An element that is open: its path, its text, what its leaves and attributes say, and records waiting for it to end."""

    __slots__ = ("children", "fields", "name", "parent", "text", "twice", "waiting")

    def __init__(self, name: str, attributes: Mapping[str, str], parent: _Element | None) -> None:
        self.name, self.parent, self.text = name, parent, ""
        self.fields = {_local(key): value for key, value in attributes.items() if not key.startswith("{")}
        self.twice: set[str] = set()
        self.children: dict[str, int] = {}
        self.waiting: list[Record] = []

    def say(self, name: str, value: str) -> None:
        """A leaf of that name; a second one makes the name ambiguous."""
        if name in self.fields:
            self.twice.add(name)
        self.fields[name] = value


class _Walk:
    """The target of the parser: keeps the open elements, and tells `ended` of each that is no leaf."""

    record = ""

    def __init__(self) -> None:
        self.open: list[_Element] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        parent = self.open[-1] if self.open else None
        name = _local(tag)
        if parent is not None:
            parent.children[name] = parent.children.get(name, 0) + 1
        if len(self.open) >= DEPTH:
            raise RefusedError("E-TORN")
        self.open.append(_Element(name, attributes, parent))

    def data(self, text: str) -> None:
        """Text inside the innermost element."""
        element = self.open[-1]
        element.text += text
        if len(element.text) > LONGEST:
            raise RefusedError("E-LINE-LONG")

    def end(self, _tag: str) -> None:
        """An element ends: a leaf tells its parent, anything else is told to `ended`."""
        element = self.open.pop()
        leaf = not element.children and (element.text.strip() or not element.fields)
        if leaf and element.parent is not None and element.name != self.record:
            element.parent.say(element.name, element.text.strip())
        else:
            self.ended(element)

    def close(self) -> None:
        """The document ends."""

    def ended(self, element: _Element) -> None:
        """An element with leaves, attributes or elements in it has ended."""
        raise NotImplementedError


class _Survey(_Walk):
    """What elements there are: how often, with which fields, where, and which of them repeat under one parent."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, None]] = {}
        self.count: dict[str, int] = {}
        self.paths: dict[str, tuple[str, ...]] = {}
        self.repeated: set[tuple[str, ...]] = set()

    def ended(self, element: _Element) -> None:
        """Note the element's fields, and which of its children repeat."""
        path = (*(one.name for one in self.open), element.name)
        self.fields.setdefault(element.name, {}).update(dict.fromkeys(element.fields))
        self.count[element.name] = self.count.get(element.name, 0) + 1
        self.paths.setdefault(element.name, path)
        self.repeated |= {(*path, name) for name, times in element.children.items() if times > 1}


class _Rows(_Walk):
    """The records, each with what stands around it; a record is whole when its unit ends."""

    def __init__(self, record: str, groups: Sequence[str], unit: int) -> None:
        super().__init__()
        self.record, self.groups, self.unit = record, frozenset(groups), unit
        self.whole: list[Record] = []

    def ended(self, element: _Element) -> None:
        """A record waits for the elements around it; a named group tells its parent; the unit lets its records go."""
        for one in element.waiting:
            for name, value in element.fields.items() if one is not NOT_A_ROW else ():
                one.setdefault(name, "" if name in element.twice else value)  # type: ignore[union-attr]
        if element.name == self.record:
            element.waiting.append(NOT_A_ROW if element.twice else dict(element.fields))
        parent = element.parent
        if parent is None or len(self.open) <= self.unit:
            self.whole += element.waiting
        else:
            parent.waiting += element.waiting
            if element.name in self.groups:
                for name, value in element.fields.items():
                    parent.say(name, value)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _fed(texts: Iterator[str], target: _Walk) -> Iterator[None]:
    """Feed the parser piece by piece. Refuses what has a DTD or entities, and what is not well formed."""
    parser = XMLParser(target=target, forbid_dtd=True)
    try:
        for text in texts:
            parser.feed(text.lstrip("\ufeff") if not target.open else text)
            yield
        parser.close()
        yield
    except DefusedXmlException:
        raise RefusedError("E-XML-DTD") from None
    except (ParseError, ValueError):
        raise RefusedError("E-TORN") from None


def keys_of_xml(texts: Iterator[str], *, record: str | None, groups: Sequence[str], known: Sequence[str]) -> dict[str, Any]:
    """The headers of all records, the element that is the record, and the depth at which its unit repeats."""
    survey = _Survey()
    for _ in _fed(texts, survey):
        pass
    wanted = set(known)
    likely = sorted(survey.fields, key=lambda name: (-len(wanted & set(survey.fields[name])), -survey.count[name], name))
    name = record or (likely[0] if likely else "")
    path = survey.paths.get(name, ())
    unit = next((depth for depth in range(2, len(path) + 1) if path[:depth] in survey.repeated), len(path))
    around = [*path[-2::-1], *(group for group in groups if group in survey.fields)]
    headers = dict(survey.fields.get(name, {}))
    for one in around:
        headers |= dict.fromkeys(survey.fields.get(one, {}))
    return {"headers": list(headers), "record": name, "unit": max(unit - 1, 0)}


def records_of_xml(texts: Iterator[str], *, record: str, groups: Sequence[str], unit: int) -> Iterator[Record]:
    """The records in their order; None for one that is not one row."""
    target = _Rows(record, groups, unit)
    for _ in _fed(texts, target):
        yield from target.whole
        target.whole.clear()


def counted(texts: Iterator[str], record: str) -> int:
    """How many elements of that name begin, outside comments and plain text; found without a parser."""
    sign = re.compile(rf"<!--(?:.*?-->|.*)|<!\[CDATA\[(?:.*?\]\]>|.*)|<(?:[^\s<>/:!?]+:)?{re.escape(record)}(?=[\s/>])", re.DOTALL)
    count, rest = 0, ""
    for text in texts:
        rest += text
        end = rest.rfind(">") + 1
        for match in sign.finditer(rest, 0, end):
            if match[0].startswith("<!"):
                if not match[0].endswith(("-->", "]]>")):
                    end = match.start()
                    break
            else:
                count += 1
        rest = rest[end:]
    return count
