"""The child behind the fence: what it may not do, and that the parent outlives whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pytest

from tests.faults.broken_files import PLAIN, zipped
from tests.small_drops import CARS, Bureau, cars, make_drop, plates
from tests.test_house import book
from verify import fenced
from verify.decoding import decode
from verify.fenced import FenceError, Limits, ask, ask_into, memory_file
from verify.foreign_sheets import Decoded, TornError
from verify.intake import FileRefusedError, _Told
from verify.manifest_list import Listed

LONG = b'{"HPHM": "A1"}\n' * 3_000_000  # some seconds of work
SCRIPT = """
import ctypes, socket, sys
sys.path.insert(0, {root!r})
from verify import fenced_child
{give_up}
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=2)
except OSError as error:
    print("refused", type(error).__name__)
else:
    print("connected")
"""
WAYS = {
    "as it is": "fenced_child.wall()",
    "the kernel's filter alone": "assert fenced_child._filtered(ctypes.CDLL(None, use_errno=True))",
    "the hook alone": "sys.addaudithook(fenced_child._no_sockets)",
}


def handed(data: bytes) -> BinaryIO:
    file = memory_file()
    file.write(data)
    return file


@pytest.fixture(autouse=True)
def child() -> Iterator[None]:
    """Each test has a child of its own."""
    fenced.close()
    yield
    fenced.close()


@pytest.mark.parametrize("way", WAYS)
def test_the_child_has_no_network(way: str) -> None:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as server:
        script = SCRIPT.format(root=str(Path(__file__).resolve().parents[2]), give_up=WAYS[way], port=server.getsockname()[1])
        said = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("refused")


def test_the_child_says_how_the_network_was_taken_away() -> None:
    with handed(zipped(("a.csv", PLAIN))) as given, memory_file() as out:
        assert ask("unpack", given, out, most=1 << 20, inside=False)["network"] in {"namespace", "filter", "hook"}


def test_the_child_inherits_nothing_but_its_socket(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("wb"), handed(zipped(("a.csv", PLAIN))) as given, memory_file() as out:
        ask("unpack", given, out, most=1 << 20, inside=False)
        found = sorted(str(one.readlink()) for one in Path(f"/proc/{fenced._running[0].process.pid}/fd").iterdir())
    assert [one.split(":")[0] for one in found] == ["/dev/null"] * 3 + ["socket"]


def test_a_child_that_works_too_long_is_ended() -> None:
    with handed(LONG) as given, memory_file() as out, pytest.raises(FenceError, match="E-FENCE-TIME"):
        ask("keys", given, out, limits=Limits(seconds=1), kind="jsonl", encoding="utf-8")


def test_a_child_that_hangs_is_ended() -> None:
    with handed(zipped(("a.csv", PLAIN))) as given, memory_file() as out:
        ask("unpack", given, out, most=1 << 20, inside=False)
        os.kill(fenced._running[0].process.pid, signal.SIGSTOP)
        with pytest.raises(FenceError, match="E-FENCE-TIME"):
            ask("unpack", given, out, limits=Limits(seconds=1), most=1 << 20, inside=False)


def test_a_child_that_is_killed_costs_its_file_alone() -> None:
    with handed(LONG) as given, handed(zipped(("a.csv", PLAIN))) as other, memory_file() as out:
        ask("unpack", other, out, most=1 << 20, inside=False)
        threading.Timer(0.3, os.kill, (fenced._running[0].process.pid, signal.SIGKILL)).start()
        with pytest.raises(FenceError, match="E-FENCE-CRASH"):
            ask("keys", given, out, kind="jsonl", encoding="utf-8")
        assert ask("unpack", other, out, most=1 << 20, inside=False)["size"] == len(PLAIN)


def test_a_child_that_swells_is_ended() -> None:
    with handed(LONG) as given, memory_file() as out, pytest.raises(FenceError, match="E-FENCE-MEMORY"):
        ask("book", given, out, limits=Limits(memory=64 << 20), kind="xlsx")


def test_what_is_too_long_for_memory_goes_to_a_file_without_a_name(tmp_path: Path) -> None:
    with handed(zipped(("a.csv", os.urandom(1 << 20) * 70))) as given:
        answer, out = ask_into("unpack", given, tmp_path, limits=Limits(), most=1 << 30, inside=False)
        with out:
            assert answer["size"] == out.seek(0, 2) == 70 << 20
        assert list(tmp_path.iterdir()) == []


def test_a_drop_in_an_archive_is_opened_behind_the_fence(tmp_path: Path) -> None:
    drop = make_drop(tmp_path / "drop", cars(["桂A1", "02", "", "张三", "A", "1"]))
    archive = tmp_path / "drop.zip"
    archive.write_bytes(zipped(*[(f"示范/{file.name}", file.read_bytes()) for file in drop.iterdir()]))
    assert plates(Bureau(tmp_path / "home").read(archive)) == [("桂A1", 100)]
    assert fenced._running == []


LISTED = Listed("f", "ga_cheliang", "1", None, 1, "全量", "", None)


@pytest.mark.parametrize(("received", "fen", "code"), [(1, {}, "E-GATE-PHYSICAL"), (0, {"GZJ": 1}, "E-GATE-FEN")])
def test_rows_or_fen_that_do_not_agree_with_the_file(received: int, fen: dict[str, int], code: str) -> None:
    told = _Told(book().extracts["ga_cheliang"], 0)
    told.fen |= fen
    with pytest.raises(FileRefusedError, match=code):
        told.counts(Decoded(tuple(CARS), received, iter(()), many=False), LISTED)


def test_a_reader_that_fails_costs_its_file_alone(tmp_path: Path) -> None:
    with (
        pytest.raises(TornError, match="E-READER"),
        handed(PLAIN) as given,
        decode(given, book().extracts["ga_cheliang"], announced=3, scratch=tmp_path),
    ):
        raise pl.exceptions.ComputeError("a cell of somebody")
