"""Values as numbers: distinct values coded once, texts as matrices of characters, common beginnings and ends of pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
FEW = 4_096  # values that plain Python codes faster than the libraries of columns are called


@dataclass(frozen=True, slots=True)
class Stack:
    """Tables one below the other, a column at a time: no second copy of all of them is ever made."""

    tables: tuple[pl.DataFrame, ...]

    @property
    def height(self) -> int:
        """Rows of all tables."""
        return sum(table.height for table in self.tables)

    def __getitem__(self, column: str) -> pl.Series:
        """One column of all tables."""
        return self.tables[0][column] if len(self.tables) == 1 else self.frame([column])[column]

    def frame(self, columns: list[str]) -> pl.DataFrame:
        """A few columns of all tables."""
        if len(self.tables) == 1:
            return self.tables[0].select(columns)
        return pl.concat([table.select(columns) for table in self.tables], how="vertical_relaxed").rechunk()


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of the stack: each row's code (0: nothing), and the distinct values; value of code c is c - 1.

    The order of the codes follows from the values, not from where they stand.
    """

    codes: Ints
    values: pl.Series


def coded(column: pl.Series) -> Coded:
    """Code the distinct values of a column of texts: by their hashes, held against the values, and else by the values themselves."""
    if len(column) <= FEW:
        return _few_coded(column.to_list(), column.dtype)
    there = column.is_not_null().to_numpy()
    codes = np.zeros(len(column), np.int32)
    known = column.filter(column.is_not_null())
    if known.is_empty():
        return Coded(codes, known)
    first, back = _grouped(known.hash(seed=3).to_numpy())
    values = known.gather(first)
    if not (values.gather(back) == known).all():  # two values of one hash
        values = known.unique().sort()
        back = known.cast(pl.Enum(values)).to_physical().to_numpy()
    codes[there] = back + 1
    return Coded(codes, values)


def _few_coded(said: list[str | None], kind: pl.DataType) -> Coded:
    """The same of a few values, for which a dozen calls into another library cost more than they do."""
    values = sorted({value for value in said if value is not None})
    numbers: dict[str | None, int] = {value: at for at, value in enumerate(values, 1)}
    return Coded(np.array([numbers.get(value, 0) for value in said], np.int32), pl.Series(values, dtype=kind))


def _grouped(hashes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """A place of each distinct hash, in order of the hashes, and for each place the number of its hash."""
    order = np.argsort(hashes)
    ranked = hashes[order]
    new = np.concatenate(([True], ranked[1:] != ranked[:-1]))
    back = np.empty(len(hashes), np.int64)
    back[order] = np.cumsum(new) - 1
    return order[new], back


@dataclass(frozen=True, slots=True)
class Texts:
    """Distinct texts as characters: one line a text (line 0 is empty), from the left and from the right, and their lengths.

    Longer texts than `width` are cut at their end; characters are Unicode's of the basic plane, others fold into its private
    area by their value, which two of a name never share in practice.
    """

    ahead: Matrix
    back: Matrix
    lengths: Ints


def texts(values: pl.Series, width: int) -> Texts:
    """The distinct texts as matrices of `width` characters."""
    if len(values) <= FEW:
        few = [value[:width] for value in values.to_list()]
        return Texts(_lines(few, width), _lines([value[::-1] for value in few], width), np.array([0, *map(len, few)], np.int32))
    cut = values.str.slice(0, width)
    lengths = np.concatenate(([0], cut.str.len_chars().to_numpy())).astype(np.int32)
    return Texts(_matrix(cut, width), _matrix(cut.str.reverse(), width), lengths)


def _matrix(cut: pl.Series, width: int) -> Matrix:
    """Texts of at most `width` characters, a line each, below an empty line."""
    return _characters(cut.str.pad_end(width, "\0").str.join("").item() if len(cut) else "", len(cut), width)


def _lines(cut: list[str], width: int) -> Matrix:
    """The same of a few."""
    return _characters("".join(text.ljust(width, "\0") for text in cut), len(cut), width)


def _characters(joined: str, count: int, width: int) -> Matrix:
    """Texts of one width, one behind the other, as lines below an empty line."""
    if joined.isascii():
        narrow = np.zeros((count + 1, width), np.uint8)
        narrow[1:] = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(count, width)
        return narrow
    matrix = np.zeros((count + 1, width), np.uint16)
    wide = np.frombuffer(joined.encode("utf-32-le"), np.uint32).reshape(count, width)
    matrix[1:] = np.where(wide > 0xFFFF, 0xE000 + wide % 0x1900, wide)
    return matrix


@dataclass(frozen=True, slots=True)
class Overlap:
    """For pairs of texts: lengths, common beginning, common end (each at most the shorter length)."""

    ours: Ints
    theirs: Ints
    begin: Ints
    end: Ints

    @property
    def shorter(self) -> Ints:
        """The length of the shorter text."""
        return np.minimum(self.ours, self.theirs)

    def one_changed(self) -> Flags:
        """One character stands for another, and all else is equal."""
        flags: Flags = (self.ours == self.theirs) & (self.begin + self.end == self.ours - 1)
        return flags

    def one_slip(self, of: Texts, a: Ints, b: Ints) -> Flags:
        """One character changed, lost or added, or two neighbours swapped; `a` and `b` are the lines of `of`."""
        lost = (np.abs(self.ours - self.theirs) == 1) & (self.begin + self.end >= self.shorter)
        swapped = np.zeros(len(lost), np.bool_)
        (at,) = np.nonzero((self.ours == self.theirs) & (self.begin + self.end == self.ours - 2))
        first = self.begin[at]
        x, y = of.ahead[a[at]], of.ahead[b[at]]
        row = np.arange(len(at))
        swapped[at] = (x[row, first] == y[row, first + 1]) & (x[row, first + 1] == y[row, first])
        flags: Flags = self.one_changed() | lost | swapped
        return flags


def overlap(of: Texts, a: Ints, b: Ints) -> Overlap:
    """The common beginnings and ends of pairs of lines."""
    ours, theirs = of.lengths[a], of.lengths[b]
    least = np.minimum(ours, theirs)
    return Overlap(ours, theirs, np.minimum(_run(of.ahead, a, b), least), np.minimum(_run(of.back, a, b), least))


def _run(matrix: Matrix, a: Ints, b: Ints) -> Ints:
    """How many characters agree before the first that does not."""
    unequal = matrix[a] != matrix[b]
    first = unequal.argmax(axis=1)
    return np.asarray(np.where(unequal[np.arange(len(a)), first], first, matrix.shape[1]), np.int32)
