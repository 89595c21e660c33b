"""A drop as it was put down: its files, and the list that names them (批次清单.csv). The list's columns are the contract.

The drop is a folder or one `.zip` of it, which is opened behind the fence. A name with a path in it is never followed, and
only a plain file is opened: no link, folder, pipe or device.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from verify.fenced import FenceError, Limits, ask_into
from verify.problems import InputError, Problem

LIST_NAME = "批次清单.csv"
FILE, EXTRACT, BATCH, AS_OF, ROWS, MODE, CHECKSUM = "文件名", "数据集", "批次号", "数据时点", "记录数", "模式", "校验值"
COLUMNS = (FILE, EXTRACT, "提交机构", BATCH, AS_OF, ROWS, MODE, CHECKSUM)
FULL, CHANGES = "全量", "增量"
OPERATION, DELETE = "操作", "删除"
NOISE = " \t\r\n\u3000\u00a0\ufeff"
ZIP_BYTES = 16 << 30  # a file of a zipped drop that would unfold to more than this is not read
LIST_BYTES = 16 << 20
DAY = re.compile(r"(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|年(\d{1,2})月|(\d{2}))(\d{1,2})日?")


class NotAFileError(OSError):
    """A name in the drop is that of a link, a folder, a pipe or a device."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The files of a drop by name, and how to open one for reading.

    `open` raises NotAFileError where the name is not that of a plain file, OSError where it cannot be read, FenceError
    where the drop is an archive and the file is not whole in it.
    """

    names: tuple[str, ...]
    open: Callable[[str], BinaryIO]


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list. `wrong` names the column that cannot be read, or is None."""

    file: str
    extract: str
    batch: str
    as_of: date | None
    rows: int
    mode: str
    checksum: str
    wrong: str | None

    @property
    def order(self) -> tuple[date, bool, str, str]:
        """Where the batch stands among those of its extract: by date, the whole state before changes."""
        return self.as_of or date.min, self.mode != FULL, self.batch, self.file


def open_drop(path: Path) -> Drop:
    """The drop that lies at `path`. Raises InputError: E-NO-DROP, E-DROP-ZIP, or E-NO-LIST if it has no list."""
    try:
        drop = _open_folder(path) if path.is_dir() else _open_zip(path)
    except FileNotFoundError:
        raise InputError(Problem("E-NO-DROP", path.name)) from None
    except (FenceError, OSError) as error:
        why = error.code if isinstance(error, FenceError) else type(error).__name__
        raise InputError(Problem("E-DROP-ZIP", path.name, {"why": why})) from None
    if LIST_NAME not in drop.names:
        raise InputError(Problem("E-NO-LIST", path.name))
    return drop


def read_list(drop: Drop) -> tuple[Listed, ...]:
    """Every line of the list, in the order in which the batches are to be loaded, whatever the order of its lines.

    Raises InputError (E-LIST) if the list cannot be read or lacks a column.
    """
    try:
        with drop.open(LIST_NAME) as file:
            text = _text_of(file.read(LIST_BYTES))
        records = [record for record in csv.reader(io.StringIO(text, newline="")) if record]
    except (csv.Error, UnicodeDecodeError, OSError, FenceError) as error:
        raise InputError(Problem("E-LIST", LIST_NAME, {"why": type(error).__name__})) from None
    headers = [name.strip(NOISE) for name in records[0]] if records else []
    missing = [name for name in (FILE, EXTRACT, BATCH, AS_OF, ROWS, MODE, CHECKSUM) if name not in headers]
    if missing:
        raise InputError(Problem("E-LIST", LIST_NAME, {"why": ", ".join(missing)}))
    lines = [dict(zip(headers, (field.strip(NOISE) for field in record), strict=False)) for record in records[1:]]
    return tuple(sorted((_listed(line) for line in lines if any(line.values())), key=lambda line: (line.order, line.extract, line.checksum)))


def newest_date(listed: Iterable[Listed]) -> date:
    """The newest as-of date in the list: the night's. Raises InputError (E-LIST-DATE) if no line has one."""
    dates = [line.as_of for line in listed if line.as_of is not None]
    if not dates:
        raise InputError(Problem("E-LIST-DATE", LIST_NAME))
    return max(dates)


def digests(drop: Drop, listed: Iterable[Listed]) -> dict[str, str]:
    """SHA-256 of the list and of every file it names, by name; what is not listed, or cannot be read, counts by its name."""
    named = {line.file for line in listed} | {LIST_NAME}
    return {name: _digest(drop, name) if name in named else "not listed" for name in drop.names}


def _digest(drop: Drop, name: str) -> str:
    try:
        with drop.open(name) as file:
            return sha256_of(file)
    except (OSError, FenceError):
        return "not readable"


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of an open file from its beginning, in lower-case hex."""
    file.seek(0)
    return hashlib.file_digest(cast(Any, file), "sha256").hexdigest()


def is_plain_name(name: str) -> bool:
    """Whether a name is that of a file inside the drop and of nothing outside it."""
    return bool(name) and not name.startswith(".") and not any(sign in name for sign in "/\\:\0") and name.isprintable()


def _listed(line: Mapping[str, str]) -> Listed:
    as_of = _day(line.get(AS_OF, ""))
    rows = line.get(ROWS, "")
    mode = line.get(MODE, "")
    checks = (
        (EXTRACT, bool(line.get(EXTRACT))),
        (BATCH, bool(line.get(BATCH))),
        (AS_OF, as_of is not None),
        (ROWS, rows.isascii() and rows.isdecimal() and len(rows) < 12),
        (MODE, mode in {FULL, CHANGES}),
    )
    wrong = next((name for name, fine in checks if not fine), None)
    return Listed(
        file=line.get(FILE, ""),
        extract=line.get(EXTRACT, ""),
        batch=line.get(BATCH, ""),
        as_of=as_of,
        rows=int(rows) if wrong != ROWS and checks[3][1] else 0,
        mode=mode,
        checksum=line.get(CHECKSUM, "").lower(),
        wrong=wrong,
    )


def _day(text: str) -> date | None:
    """A day written in one of the forms of the drop's page; None where it is none."""
    match = DAY.fullmatch(text)
    if match is None:
        return None
    year, *months, number = match.groups()
    try:
        return date(int(year), int(next(part for part in months if part)), int(number))
    except ValueError:
        return None


def _text_of(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _open_folder(path: Path) -> Drop:
    names = tuple(sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".")))
    return Drop(names, lambda name: open_plain(path / name))


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file. A link is not followed, and a pipe that nobody writes to is not waited for. Raises NotAFileError, OSError."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise NotAFileError(path.name) if error.errno in {errno.ELOOP, errno.ENXIO} else error from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotAFileError(path.name)
    return os.fdopen(number, "rb", buffering=0)


def _open_zip(path: Path) -> Drop:
    """The files of the folder inside the archive in which the list lies; names written on Chinese Windows are read."""
    path = path.resolve()
    with open_plain(path) as archive:
        _, said = ask_into("names", archive, Path(tempfile.gettempdir()), limits=Limits().for_size(_size(archive)))
        with said:
            members: list[str] = json.loads(said.read())
    lists = sorted((name for name in members if PurePosixPath(name).name == LIST_NAME), key=lambda name: (name.count("/"), name))
    inside = lists[0][: -len(LIST_NAME)] if lists else ""
    inner = {name[len(inside) :]: name for name in members if name.startswith(inside)}
    names = tuple(sorted(name for name in inner if not name.startswith(".")))
    return Drop(names, lambda name: _open_member(path, inner[name]))


def _open_member(path: Path, member: str) -> BinaryIO:
    with open_plain(path) as archive:
        limits = Limits().for_size(_size(archive))
        return ask_into("member", archive, Path(tempfile.gettempdir()), limits=limits, name=member, most=ZIP_BYTES)[1]


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)
