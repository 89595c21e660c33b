"""Small drops made by hand, for the tests of reading: real files in a real folder, with their 批次清单.csv."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from tests.tables import known_rows, table
from verify.decisions import Decision, Decisions
from verify.model import Arrived
from verify.rulebook import Rulebook, load_rulebook
from verify.stages.read import Shelf, read

RULES = Path(__file__).resolve().parent.parent / "rules" / "extracts"
CARS = ["HPHM", "HPZL", "SFZMHM", "SYR", "ZT", "GZJ"]
ZHANG, LI = "450102199003071231", "450102198801022345"
VALID = "450102199003071238"  # with the right check character


@dataclass(frozen=True)
class Sent:
    """One file as a department sends it, and what the list says of it."""

    extract: str
    data: bytes
    rows: int
    file: str = ""
    batch: str = "1"
    as_of: str = "2026-11-20"
    mode: str = "全量"
    checksum: str | None = None

    @property
    def name(self) -> str:
        return self.file or f"{self.extract}_{self.batch}.csv"


def csv_of(rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding)


def cars(*rows: Sequence[str], header: Sequence[str] = CARS, **said: str) -> Sent:
    """A file of vehicles with the headers of the public security."""
    return Sent("ga_cheliang", csv_of([header, *rows]), len(rows), **said)


def car(plate: str, price: str = "50000", owner: str = ZHANG) -> list[str]:
    return [plate, "02", owner, "张三", "A", price]


def xlsx_of(rows: Sequence[Sequence[object]], *, texts_apart: bool = True) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd", "remove_timezone": True, "constant_memory": not texts_apart}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return out.getvalue()


def make_drop(folder: Path, *sent: Sent, unlisted: Sequence[str] = ()) -> Path:
    """Put files and their list into a folder."""
    folder.mkdir(parents=True)
    lines = [["文件名", "数据集", "提交机构", "批次号", "数据时点", "记录数", "模式", "校验值"]]
    for one in sent:
        (folder / one.name).write_bytes(one.data)
        checksum = hashlib.sha256(one.data).hexdigest() if one.checksum is None else one.checksum
        lines.append([one.name, one.extract, "某局", one.batch, one.as_of, str(one.rows), one.mode, checksum])
    for name in unlisted:
        (folder / name).write_bytes(b"?")
    (folder / "批次清单.csv").write_bytes(csv_of(lines, "utf-8-sig"))
    return folder


class Bureau:
    """A home with a rule book of a few extracts, and its nights one after the other."""

    def __init__(self, folder: Path, *extracts: str) -> None:
        self.folder, self.nights = folder, 0
        rules = folder / "rules"
        rules.mkdir(parents=True)
        for name in extracts or ("ga_cheliang",):
            shutil.copy(RULES / f"{name}.yaml", rules)
        self.book: Rulebook = load_rulebook(rules)
        self.before: Path | None = None
        self.decisions = Decisions()

    def decide(self, what: str, sent: Sent) -> None:
        """What an officer says of a file that was sent."""
        told = {"file": sent.name, "as_of": sent.as_of, "mode": sent.mode, "received": sent.rows, "reason": "看过", "user": "u", "when": "w"}
        decision = Decision(what, sent.extract, sent.batch, hashlib.sha256(sent.data).hexdigest(), **told)  # type: ignore[arg-type]
        self.decisions = Decisions({**self.decisions.by, decision.key: decision})

    def night(self, *sent: Sent) -> Arrived:
        """One night with these files."""
        return self.read(make_drop(self.folder / f"drop{self.nights}", *sent))

    def read(self, drop: Path) -> Arrived:
        self.nights += 1
        shelf = Shelf(archive=self.folder / "archive", work=self.folder / f"work{self.nights}", batches=self.before, decisions=self.decisions)
        arrived = read(drop, self.book, shelf=shelf)
        self.before = arrived.batches
        return arrived


def codes(arrived: Arrived) -> set[str]:
    """The codes of what must be told about files, notes left aside."""
    return {code for code in table(arrived.troubles)["code"] if not code.startswith("N-")}


def states(arrived: Arrived) -> list[str]:
    return table(arrived.files)["state"].to_list()


def refused(arrived: Arrived) -> list[tuple[int, str, str | None]]:
    """Row, code and column of every refused row."""
    return table(arrived.refused).select("row", "code", "column").rows()


def plates(arrived: Arrived) -> list[tuple[str, int | None]]:
    """Plate and price in fen of every known vehicle, in order."""
    return sorted(known_rows(arrived, "ga_cheliang").select("HPHM", "GZJ").rows())


def rows_of(arrived: Arrived) -> tuple[tuple[object, ...], ...]:
    """All that is known of the vehicles, row by row."""
    return tuple(known_rows(arrived, "ga_cheliang").rows()) if arrived.known["ga_cheliang"].parts else ()
