"""What encryption at rest costs: CPU seconds of the reading stage as it is, beside the same stage writing in clear.

The stage in clear is this program with its three calls for encryption taken out, in a process of its own; both run in turn
on the same drop, in fresh homes. The larger drop is the made-up county's with every CSV's rows repeated under other keys.

    python -m bench.encryption [--runs 5] [--times 12]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from verify.rulebook import load_rulebook

ROOT = Path(__file__).resolve().parent.parent
DROP = ROOT / "fixtures" / "county-a" / "drop"
LIST = "批次清单.csv"
IN_CLEAR = """
import pyarrow.parquet.encryption as pe, verify.store_files, verify.store_rows
pe.create_encryption_properties = pe.create_decryption_properties = lambda key: None
verify.store_files.keep_key = lambda path, key, durable: None
verify.store_rows.data_key, verify.store_rows._ENCRYPTED = lambda path: b'', b'PAR1'
"""
STAGE = """
import sys, time
from pathlib import Path
from verify.rulebook import load_rulebook
from verify.settings import init_home
from verify.stages.read import Shelf, read
{change}
book, home = load_rulebook(Path('rules')), init_home(Path(sys.argv[2]))
before, wall = time.process_time(), time.perf_counter()
rows = read(Path(sys.argv[1]), book, shelf=Shelf(home.archive, home.nights / '.n.part', None)).received
print(rows, time.process_time() - before, time.perf_counter() - wall)
"""


def repeated(drop: Path, to: Path, times: int) -> Path:
    """A copy of a drop whose CSV files hold their rows so many times, each time under other keys, with its list."""
    shutil.copytree(drop, to)
    extracts = load_rulebook(ROOT / "rules").extracts
    lines = list(csv.DictReader(io.StringIO((drop / LIST).read_text(encoding="utf-8-sig"))))
    for line in lines:
        path, extract = to / line["文件名"], extracts[line["数据集"]]
        if path.suffix != ".csv":
            continue
        encoding = "gb18030" if path.read_bytes()[:3] != b"\xef\xbb\xbf" and not is_utf8(path) else "utf-8"
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding=encoding, errors="replace"), newline=""))
        names = {name for column in extract.columns if column.column == extract.key[0] for name in (column.column, *column.also_called)}
        at = next(at for at, name in enumerate(header) if name.strip("\ufeff ") in names)
        out = io.StringIO()
        whole = [row for row in rows if len(row) > at]
        copies = ([*row[:at], f"{n or ''}{row[at]}", *row[at + 1 :]] for n in range(times) for row in whole)
        csv.writer(out, lineterminator="\n").writerows([header, *copies])
        path.write_bytes(out.getvalue().encode(encoding, errors="replace"))
        line |= {"记录数": str(times * len(whole)), "校验值": hashlib.sha256(path.read_bytes()).hexdigest()}
    with (to / LIST).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return to


def is_utf8(path: Path) -> bool:
    """Whether a file's header is UTF-8."""
    try:
        path.read_bytes().split(b"\n", 1)[0].decode()
    except UnicodeDecodeError:
        return False
    return True


def one_pair(drop: Path) -> tuple[int, float, float]:
    """Rows, and CPU seconds of the stage, encrypted and in clear."""
    found = []
    for change in ("", IN_CLEAR):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", STAGE.format(change=change), str(drop), str(Path(folder) / "home")]
            said = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout.split()
        found.append((int(said[0]), float(said[1])))
    (rows, sealed), (_, clear) = found
    return rows, sealed, clear


def main() -> None:
    """Run the pairs on both drops and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--times", type=int, default=12)
    args = asked.parse_args()
    print(f"reading stage, {args.runs} pairs; CPU seconds (user + system), medians")
    with tempfile.TemporaryDirectory() as folder:
        larger = repeated(DROP, Path(folder) / "drop", args.times)
        for drop in (DROP, larger):
            pairs = [one_pair(drop) for _ in range(args.runs)]
            rows, sealed, clear = pairs[0][0], statistics.median(p[1] for p in pairs), statistics.median(p[2] for p in pairs)
            ratio = statistics.median(p[1] / p[2] for p in pairs)
            print(f"  {rows:>10,} rows: encrypted {sealed:6.2f}  in clear {clear:6.2f}  ratio, median of pairs {ratio:.2f}")


if __name__ == "__main__":
    main()
