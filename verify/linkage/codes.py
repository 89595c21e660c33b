"""Values as numbers: distinct values coded once, texts as matrices of characters, common beginnings and ends of pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
_WORD = 64
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
    known = column.drop_nulls()
    if known.is_empty():
        return Coded(np.zeros(len(column), np.int32), known)
    first, back = _grouped(known.hash(seed=3).to_numpy())
    values = known.gather(first)
    if not (values.gather(back) == known).all():  # two values of one hash
        values = known.unique().sort()
        back = known.cast(pl.Enum(values)).to_physical().to_numpy()
    codes = np.zeros(len(column), np.int32)
    codes[column.is_not_null().to_numpy()] = back + 1
    return Coded(codes, values)


def _few_coded(said: list[str | None], kind: pl.DataType) -> Coded:
    """The same of a few values, for which a dozen calls into another library cost more than they do."""
    values = sorted({value for value in said if value is not None})
    numbers: dict[str | None, int] = {value: at for at, value in enumerate(values, 1)}
    return Coded(np.array([numbers.get(value, 0) for value in said], np.int32), pl.Series(values, dtype=kind))


def _grouped(hashes: Hashes) -> tuple[npt.NDArray[np.int64], Ints]:
    """A place of each distinct hash, in order of the hashes, and for each place the number of its hash."""
    order, ranked = ordered(hashes)
    new = np.concatenate(([True], ranked[1:] != ranked[:-1]))
    back = np.empty(len(hashes), np.int32)
    back[order] = np.cumsum(new, dtype=np.int32) - np.int32(1)
    return order[new], back


def ordered(hashes: Hashes) -> tuple[npt.NDArray[np.int64], Hashes]:
    """The places of hashes in their order, and the hashes in it.

    Sorted are the heads of the hashes, each with its place in what would be its tail: numbers that are sorted by themselves, not
    their places by them, and three times as fast. Where two hashes have one head and come out in the wrong order, places are sorted.
    """
    tail = np.uint64(len(hashes).bit_length())
    heads = hashes >> tail << tail
    heads |= np.arange(len(hashes), dtype=np.uint64)
    heads.sort()
    heads &= (np.uint64(1) << tail) - np.uint64(1)
    order = heads.view(np.int64)
    ranked = hashes[order]
    if (ranked[1:] < ranked[:-1]).any():
        order = np.argsort(hashes)
        ranked = hashes[order]
    return order, ranked


@dataclass(frozen=True, slots=True)
class Texts:
    """Distinct texts as characters: one line a text (line 0 is empty), and their lengths.

    Longer texts than `width` are cut at their end; characters are Unicode's of the basic plane, others fold into its private
    area by their value, which two of a name never share in practice.
    """

    ahead: Matrix
    lengths: Ints

    @property
    def words(self) -> Hashes:
        """The lines as numbers of eight bytes, the first character lowest."""
        return self.ahead.view("<u8")

    @property
    def bits(self) -> int:
        """Of a character."""
        return self.ahead.itemsize * 8


def texts(values: pl.Series, width: int) -> Texts:
    """The distinct texts, of which the first `width` characters count, as a matrix of whole words of eight bytes."""
    if len(values) <= FEW:
        few = [value[:width] for value in values.to_list()]
        lengths, joined = np.array([0, *map(len, few)], np.int32), "".join(few)
    else:
        cut = values.str.slice(0, width)
        lengths, joined = np.concatenate(([0], cut.str.len_chars().to_numpy())).astype(np.int32), cut.str.join("").item()
    return Texts(_lines(joined, lengths, width), lengths)


def _lines(joined: str, lengths: Ints, width: int) -> Matrix:
    """Texts, one behind the other, as lines."""
    words = -(-width // 8) * 8
    there = np.arange(words, dtype=np.int32) < lengths[:, None]
    if joined.isascii():
        narrow = np.zeros(there.shape, np.uint8)
        narrow[there] = np.frombuffer(joined.encode("ascii"), np.uint8)
        return narrow
    matrix = np.zeros(there.shape, np.uint16)
    wide = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    matrix[there] = np.where(wide > 0xFFFF, 0xE000 + wide % 0x1900, wide)
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
        x, y = a[at], b[at]
        swapped[at] = (of.ahead[x, first] == of.ahead[y, first + 1]) & (of.ahead[x, first + 1] == of.ahead[y, first])
        flags: Flags = self.one_changed() | lost | swapped
        return flags


def overlap(of: Texts, a: Ints, b: Ints) -> Overlap:
    """The common beginnings and ends of pairs of lines."""
    ours, theirs = of.lengths[a], of.lengths[b]
    least, end = np.minimum(ours, theirs), np.zeros(len(a), np.int32)
    short = np.maximum(ours, theirs) <= _WORD // of.bits
    (at,) = np.nonzero(short)
    x, y = (of.words[lines[at], 0] << (_WORD - of.lengths[lines[at]] * of.bits).astype(np.uint64) for lines in (a, b))
    end[at] = _agreeing((x ^ y).byteswap()[:, None], of.bits)
    rest = ~short & (least > 0)
    for by in np.unique((theirs - ours)[rest]).tolist():  # the ends of texts that are so much longer lie so far to the right of the others'
        (at,) = np.nonzero(rest & (theirs - ours == by))
        both = of.ahead.shape[1] - abs(by)
        p, q = of.ahead[a[at], max(0, -by) :][:, :both], of.ahead[b[at], max(0, by) :][:, :both]
        end[at] = _run(p[:, ::-1], q[:, ::-1]) - (both - least[at])
    return Overlap(ours, theirs, beginnings(of, a, b), np.minimum(end, least))


def beginnings(of: Texts, a: Ints, b: Ints) -> Ints:
    """How many characters of pairs of lines agree before the first that does not."""
    return np.minimum(_agreeing(of.words[a] ^ of.words[b], of.bits), np.minimum(of.lengths[a], of.lengths[b]))


def changes(of: Texts, a: Ints, b: Ints) -> npt.NDArray[np.int64]:
    """In how many places the characters of pairs of lines differ."""
    differing = of.words[a] ^ of.words[b]
    for by in (8, 4, 2, 1):
        if by < of.bits:
            differing |= differing >> np.uint64(by)  # until the lowest bit of a character tells of all of them
    lowest = np.uint64(sum(1 << at for at in range(0, _WORD, of.bits)))
    return np.asarray(np.bitwise_count(differing & lowest).sum(axis=1, dtype=np.int64))


def _agreeing(differing: Hashes, bits: int) -> Ints:
    """How many characters agree before the first that does not, by the bits in which words of them differ; all where none does."""
    found = np.zeros(len(differing), np.int32)
    for at in reversed(range(differing.shape[1])):
        word = differing[:, at]
        below = np.bitwise_count(word - np.uint64(1) & ~word) // np.uint8(bits)  # the bits below the lowest that is set
        found = np.where(below == _WORD // bits, found + below, below)
    return found


def _run(x: Matrix, y: Matrix) -> Ints:
    """How many characters agree before the first that does not."""
    unequal = x != y
    first = unequal.argmax(axis=1)
    return np.asarray(np.where(unequal[np.arange(len(x)), first], first, x.shape[1]), np.int32)
