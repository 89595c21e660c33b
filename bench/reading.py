"""What reading costs: a first reading of a large county, beside DuckDB that only copies the same files to Parquet.

The drop is the made-up county's, every row repeated with other IDs and keys until it is large, or that of a county made by
`hedui county make` (`--county`). Ours: decode, count on the bytes, check and type every row, write the archive encrypted,
make names and IDs comparable and write those, one process. The peer: `read_csv(all_varchar)` of the same text files
already in UTF-8, copied to zstd Parquet. CPU seconds of whole processes, in turn.

Workbooks apart, beside fastexcel alone: the same bytes made into columns of text, each process with all that it loads. Ours
starts the child behind the fence, sees whether a book is one and no bomb, reads it (the count of its rows past the reader
included) and hands the cells over. What the night loads once for all its files (rules, libraries) is told apart ("starting"), as
`hedui` loads it. Then the whole way of the same books into the archive, for which fastexcel has no counterpart.

    python bench/reading.py [--runs 3] [--times 40 | --county FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import xlsxwriter

ROOT = Path(__file__).resolve().parent.parent
COUNTY = ROOT / "fixtures" / "county-a" / "drop"
LIST = "批次清单.csv"
OURS = """
import sys
from pathlib import Path
from verify import fenced
from verify.archive import Archive
from verify.faces import name_tables_of, spoken_of
from verify.intake import take
from verify.manifest_list import open_drop, read_list
from verify.model import Part
from verify.rulebook import load_rulebook
from verify.settings import init_home, rules_folder
book, drop = load_rulebook(rules_folder()), open_drop(Path(sys.argv[1]))
archive, tables = Archive(init_home(Path(sys.argv[2])).archive), name_tables_of(book)
for line in read_list(drop):
    extract = book.extracts[line.extract]
    taken = take(line, drop, extract, known=(), archive=archive)
    if extract.people:
        spoken_of(Part(archive.path(taken.batch.archived), line.file, line.as_of), extract, tables)
fenced.close()
"""
DUCKDB = """
import sys, duckdb
from pathlib import Path
Path(sys.argv[2]).mkdir()
con = duckdb.connect()
con.execute("SET threads=2; SET enable_progress_bar=false")
for path in sorted(Path(sys.argv[1]).glob("*.csv")):
    con.execute(f"COPY (SELECT * FROM read_csv('{path}', header=true, auto_detect=false, delim=',', quote='\\"', escape='\\"', columns={columns_of(path)})) "
                f"TO '{sys.argv[2]}/{path.stem}.parquet' (FORMAT parquet, COMPRESSION zstd)")
"""
COLUMNS = """
def columns_of(path):
    header = path.open(encoding="utf-8").readline().rstrip("\\n").split(",")
    return "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in header) + "}"
"""
OPENED = """
import sys
from pathlib import Path
from verify import fenced
from verify.decoding import decode
from verify.manifest_list import open_drop, read_list
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
book, drop = load_rulebook(rules_folder()), open_drop(Path(sys.argv[1]))
Path(sys.argv[2]).mkdir()
for line in read_list(drop):
    with drop.open(line.file) as file, decode(file, book.extracts[line.extract], announced=line.rows, scratch=Path(sys.argv[2])) as found:
        assert sum(sheet.received for sheet in found.sheets) == found.received == line.rows
fenced.close()
"""
NOTHING = """
import sys
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.stages import read
load_rulebook(rules_folder())
"""
FASTEXCEL = """
import sys, fastexcel
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.xlsx")):
    fastexcel.read_excel(path.read_bytes()).load_sheet(0, header_row=None, dtypes="string").to_polars()
"""
ID = re.compile(r"(?<!\d)(\d{6})(\d{11})([\dXx])(?!\d)")


def text_of(path: Path) -> str:
    """A file of the county as text."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    return text if text.count("\ufffd") < 10 else path.read_bytes().decode("gb18030", errors="replace")


def repeated(rows: list[list[str]], time: int) -> list[list[str]]:
    """The rows once more, of other people and documents: every long number has another beginning."""
    return [[re.sub(r"\d{6}", f"{(410000 + time):06d}", cell, count=1) if re.search(r"\d{8}", cell) and not re.fullmatch(r"(19|20)\d{6}|\d{13}", cell)
             else cell for cell in row] for row in rows]  # fmt: skip


def enlarge(folder: Path, times: int, kinds: tuple[str, ...]) -> tuple[Path, Path, int]:
    """The drop as departments send it, the text files in UTF-8, and the bytes of these."""
    drop, plain = folder / "drop", folder / "plain"
    drop.mkdir()
    plain.mkdir()
    listed = list(csv.DictReader(io.StringIO(text_of(COUNTY / LIST))))
    lines = []
    for line in listed:
        path = COUNTY / line["文件名"]
        if path.suffix not in kinds:
            continue
        rows = ENLARGED[path.suffix](path, times, drop / path.name, plain / path.name)
        lines.append({**line, "记录数": str(rows), "校验值": hashlib.sha256((drop / path.name).read_bytes()).hexdigest()})
    return _listed(drop, plain, lines)


def as_sent(folder: Path, county: Path, kinds: tuple[str, ...]) -> tuple[Path, Path, int]:
    """A county's own files of these kinds, the text files in UTF-8, and the bytes of these."""
    drop, plain = folder / "drop", folder / "plain"
    drop.mkdir()
    plain.mkdir()
    lines = []
    for line in csv.DictReader(io.StringIO(text_of(county / "drop" / LIST))):
        path = county / "drop" / line["文件名"]
        if path.suffix in kinds:
            lines.append(line)
            shutil.copyfile(path, drop / path.name)
            if path.suffix == ".csv":
                in_utf8(path, plain / path.name)
    return _listed(drop, plain, lines)


def in_utf8(path: Path, to: Path) -> None:
    """A text file in UTF-8, a little at a time: the peak memory of a process that is started counts that of the one that starts it."""
    with path.open("rb") as file:
        gbk = file.read(1 << 20).decode("utf-8", errors="replace").count("\ufffd") >= 1_000  # a damaged byte here and there is none
    with path.open(encoding="gb18030" if gbk else "utf-8-sig", errors="replace", newline="") as file, to.open("w", encoding="utf-8", newline="") as out:
        shutil.copyfileobj(file, out, 1 << 20)


def _listed(drop: Path, plain: Path, lines: list[dict[str, str]]) -> tuple[Path, Path, int]:
    with (drop / LIST).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return drop, plain, sum(path.stat().st_size for path in plain.iterdir())


def _csv(path: Path, times: int, to: Path, plain: Path) -> int:
    header, *rows = csv.reader(io.StringIO(text_of(path)))
    width, out, count = len(header), io.StringIO(), 0
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    whole = [row for row in rows if len(row) == width]
    for time in range(times):
        writer.writerows(repeated(whole, time))
        count += len(whole)
    gbk = path.read_bytes().decode("utf-8", errors="replace").count("\ufffd") >= 10
    to.write_bytes(out.getvalue().encode("gb18030" if gbk else "utf-8"))
    plain.write_text(out.getvalue(), encoding="utf-8")
    return count


def _xlsx(path: Path, times: int, to: Path, _plain: Path) -> int:
    import fastexcel  # noqa: PLC0415

    header, *rows = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars().rows()
    count = 0
    with xlsxwriter.Workbook(to, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, header)
        for time in range(times):
            for row in repeated([[cell or "" for cell in row] for row in rows], time):
                count += 1
                sheet.write_row(count, 0, row)
    return count


def _parquet(path: Path, times: int, to: Path, _plain: Path) -> int:
    frame = pl.concat([pl.read_parquet(path)] * times)
    frame.write_parquet(to)
    return frame.height


ENLARGED = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}


def as_started() -> dict[str, str]:
    """The environment of `hedui` (see `shell`), without what Polars puts into it for its allocator: a night does not inherit that from a bench."""
    ours = {"OPENBLAS_NUM_THREADS": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
    return {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"} | ours


def cpu_seconds(script: str, *arguments: object) -> tuple[float, int]:
    """User and system CPU of one process and its children, and its peak memory in MB."""
    before = os.times()
    subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=True, cwd=ROOT, env=as_started())
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def pair(ours: str, theirs: str, drop: Path, plain: Path, runs: int) -> None:
    """Run both in turn and print the medians and the ratio pair by pair, ours without starting and loading the rules too."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as work:
            found.append((cpu_seconds(ours, drop, f"{work}/a"), cpu_seconds(theirs, plain, f"{work}/b"), cpu_seconds(NOTHING)))
    mine, peer, start = (statistics.median(cpu for cpu, _ in side) for side in zip(*found, strict=True))
    ratio = statistics.median(one[0][0] / one[1][0] for one in found)
    without = statistics.median((one[0][0] - one[2][0]) / one[1][0] for one in found)
    print(f"  ours {mine:7.2f} CPU s (starting {start:.2f}), peer {peer:7.2f}; ratio {ratio:.2f}, without starting {without:.2f}; peak {found[0][0][1]} MB")


def main() -> None:
    """Make the drops, run the pairs, print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--times", type=int, default=40)
    asked.add_argument("--county", type=Path)
    asked.add_argument("--only", default="", help="text or workbooks")
    args = asked.parse_args()
    asked_for = (("text", (".csv",), OURS, COLUMNS + DUCKDB), ("workbooks, read and counted", (".xlsx",), OPENED, FASTEXCEL))
    for name, kinds, ours, theirs in (*asked_for, ("workbooks, into the archive", (".xlsx",), OURS, FASTEXCEL)):
        if args.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder)
            drop, plain, size = as_sent(given, args.county, kinds) if args.county else enlarge(given, args.times, kinds)
            print(f"{name}: {size / 1e6 or sum(p.stat().st_size for p in drop.iterdir()) / 1e6:.0f} MB, {args.runs} pairs of whole processes")
            pair(ours, theirs, drop, plain if kinds == (".csv",) else drop, args.runs)


if __name__ == "__main__":
    main()
