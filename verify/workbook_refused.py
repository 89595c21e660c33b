"""The workbook a department mends its file by: each refused row by its own number, what is wrong with it, and how to mend it.

It holds no value of any row: whoever has the file has the row, and nobody else needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from verify.problems import Problem, UsageError
from verify.rulebook import Rulebook
from verify.speech import fill
from verify.typed import safe
from verify.workbook import Cell, Sheet, write_sheets

HEADS = (("head_row", 12), ("head_line", 30), ("head_column", 22), ("head_code", 16), ("head_what", 46), ("head_mend", 60))


def write_refused(path: Path, book: Rulebook, title: str, *, rows: Sequence[tuple[int, str, str | None]], whole: Sequence[Problem] = ()) -> None:
    """Write the refused rows, (row, code, column), of a file called `title`; `whole` is what is wrong with it as a whole.

    Rows are counted from 1 behind the header; beside the number stands that of the line in a sheet whose header is in line
    1. In Chinese and English. Raises UsageError (E-OUT-FILE) where it cannot be written.
    """
    lines = [("", "", problem.values.get("column", ""), problem) for problem in whole]
    lines += [(str(row), str(row + 1), column or "", Problem(code, "", {"column": column or "", "rows": "1"})) for row, code, column in rows]
    told = [(row, line, column, problem.code, *_said(book, problem)) for row, line, column, problem in lines]
    frame = pl.DataFrame(told, schema=dict.fromkeys(map(str, range(len(HEADS))), pl.String), orient="row")
    cells = [Cell("\n".join(_both(book, key)), width, str(at)) for at, (key, width) in enumerate(HEADS)]
    sheet = Sheet(book.words["refused_sheet"].zh, cells, 2, frame, book.words["no_lines"].zh)
    try:
        write_sheets(path, [sheet], title=title, footer=fill(book.words["page_footer"].zh, {"page": "&P", "pages": "&N"}))
    except OSError as error:
        raise UsageError(Problem("E-OUT-FILE", safe(path.name), {"why": error.strerror or type(error).__name__})) from None


def _both(book: Rulebook, key: str) -> tuple[str, str]:
    word = book.words[key]
    return word.zh, word.en


def _said(book: Rulebook, problem: Problem) -> tuple[str, str]:
    """What is wrong and how to mend it, in Chinese; the code alone where the catalogue does not know it."""
    message = book.messages.get(problem.code)
    return (fill(message.zh.what, problem.values), fill(message.zh.mend, problem.values)) if message else (problem.code, "")
