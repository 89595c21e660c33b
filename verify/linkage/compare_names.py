"""Chinese names compared character by character: sounds, like shapes, parts, what is hidden, what is romanised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.identity.name_keys import MASK, NameTables
from verify.identity.readings import readings
from verify.linkage.codes import Coded, Flags, Ints, Matrix, Overlap, Stack, Texts, coded, overlap, texts
from verify.linkage.distances import plain_edits
from verify.linkage.plan import Levels, Rows

_WIDTH = 16
_READINGS = 4
_FORMER = 10
_LONG = 6  # characters of a name of which two may differ
_PLANE = 1 << 16


@dataclass(frozen=True, slots=True)
class HanName:
    """A name made comparable (`identity.name_keys`), its sound (main readings, a space between) and its surname.

    `former` is a column of former names, made comparable likewise (all NULL where a table has none).

    Levels: equal; former (the name is the other's former one); homophone (every syllable may be said alike); lookalike (one
    character of like shape, or a variant); one_of_more, one_of_two (one other character of three and more, of two, the
    surname equal); part (contained, the same characters in another order, hidden ones, or spelt in Latin letters); near (one
    or two sounds off, or two of six characters); surname; other.
    """

    column: str
    sound: str
    surname: str
    former: str
    tables: NameTables
    name: str = "name"
    levels: tuple[str, ...] = ("nothing", "equal", "homophone", "lookalike", "one_of_more", "one_of_two", "part", "near", "surname", "other", "former")
    hopes: tuple[float, ...] = (0, 1, 0.9, 0.8, 0.5, 0.3, 0.5, 0.3, 0.1, 0, 0.9)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name, sound, surname and former name."""
        return (self.column, self.sound, self.surname, self.former)

    def prepare(self, stack: Stack, left: int) -> PreparedNames:
        """Code names, sounds and surnames, and gather what is known of every character."""
        both = coded(pl.concat([stack[self.column], stack[self.former].alias(self.column)]))
        names, former, sounds = Coded(both.codes[: stack.height], both.values), both.codes[stack.height :], coded(stack[self.sound])
        lines = texts(names.values, _WIDTH)
        place = np.zeros(_PLANE, np.uint16)
        for column in lines.ahead.T:
            place[column] = 1
        used = np.nonzero(place)[0].astype(np.uint16)
        place[used] = np.arange(len(used))
        known = [sorted(readings(chr(c)))[:_READINGS] for c in used.tolist()]
        syllables = {sound: number for number, sound in enumerate(sorted({r for found in known for r in found}), start=1)}
        table = np.zeros((len(used), _READINGS), np.uint16)
        for line, found in enumerate(known):
            table[line, : len(found)] = [syllables[sound] for sound in found]
        said = _Characters(place, table, _pairs_of(used, self.tables))
        spelt = np.append(coded(sounds.values.str.replace_all(" ", "", literal=True)).codes, np.int32(0))[sounds.codes - 1]
        bearers = np.bincount(names.codes[:left], minlength=len(names.values) + 1) / max(left, 1)
        sums, masked = lines.ahead.sum(axis=1, dtype=np.int32), (lines.ahead == ord(MASK)).any(axis=1)
        return PreparedNames(names, former, lines, said, sounds, spelt, coded(stack[self.surname]).codes, bearers, sums, masked)


def _pairs_of(used: npt.NDArray[np.uint16], tables: NameTables) -> npt.NDArray[np.int64]:
    """The pairs of characters (by their place in `used`) that stand for each other by shape or as variants, sorted."""
    place, beside = {chr(c): at for at, c in enumerate(used.tolist())}, _beside(tables.variants, tables.lookalikes)
    pairs = {(at, place[b]) for a, at in place.items() for b in beside.get(a, ()) if b in place}
    return np.array(sorted(a * 65_536 + b for a, b in pairs), np.int64)


@lru_cache(maxsize=4)
def _beside(*kinds: frozenset[tuple[str, str]]) -> dict[str, list[str]]:
    """For each character those that stand for it; the pairs are in both orders."""
    found: dict[str, list[str]] = {}
    for a, b in sorted(frozenset().union(*kinds)):
        found.setdefault(a, []).append(b)
    return found


@dataclass(frozen=True, slots=True)
class _Characters:
    """The place of every character (0 where it is not used), the readings of each place, and the pairs that look alike."""

    place: Matrix
    readings: Matrix
    alike: npt.NDArray[np.int64]

    def sound_alike(self, a: Matrix, b: Matrix) -> Flags:
        """Whether two characters share a reading."""
        x, y = self.readings[a], self.readings[b]
        found = np.zeros(len(a), np.bool_)
        for turn in range(_READINGS):
            found |= ((x == y[:, turn : turn + 1]) & (x > 0)).any(axis=1)
        return found

    def look_alike(self, a: Matrix, b: Matrix) -> Flags:
        """Whether two characters are of like shape or variants."""
        if not len(self.alike):
            return np.zeros(len(a), np.bool_)
        asked = a.astype(np.int64) * 65_536 + b
        at = np.minimum(np.searchsorted(self.alike, asked), len(self.alike) - 1)
        flags: Flags = self.alike[at] == asked
        return flags


@dataclass(frozen=True, slots=True)
class PreparedNames:
    """Names of both tables."""

    names: Coded
    former: Ints
    lines: Texts
    said: _Characters
    sounds: Coded
    spelt: Ints
    surnames: Ints
    bearers: npt.NDArray[np.float64]
    sums: npt.NDArray[np.int32]  # of the characters of each name
    masked: Flags

    def levels_of(self, ours: Rows, theirs: Rows) -> Levels:
        """The level of each pair."""
        a, b = self.names.codes[ours], self.names.codes[theirs]
        out = np.ones(len(a), np.uint8)
        (at,) = np.nonzero((a != b) & (a > 0) & (b > 0))
        out[at] = self._unequal(ours[at], theirs[at])
        was = (out > 1) & (((a == self.former[theirs]) & (a > 0)) | ((b == self.former[ours]) & (b > 0)))
        out[was] = _FORMER
        out[(a == 0) | (b == 0)] = 0
        return out

    def shares(self) -> npt.NDArray[np.float64]:
        """The share of left rows with each row's name."""
        return self.bearers[self.names.codes]

    def _unequal(self, ours: Rows, theirs: Rows) -> Levels:
        a, b = self.names.codes[ours], self.names.codes[theirs]
        shared = overlap(self.lines, a, b)
        surname = (self.surnames[ours] == self.surnames[theirs]) & (self.surnames[ours] > 0)
        changed = shared.one_changed()
        homophone, lookalike = self._one_character(shared, changed, a, b)
        one = (changed | shared.one_slip(self.lines, a, b)) & (np.maximum(shared.ours, shared.theirs) >= 2)
        more = np.maximum(shared.ours, shared.theirs) >= 3
        same_sound = self.sounds.codes[ours] == self.sounds.codes[theirs]
        sorted_alike = self._same_characters(shared, a, b)
        contained = (shared.ours != shared.theirs) & ((shared.begin == shared.shorter) | (shared.end == shared.shorter)) & (shared.shorter >= 2)
        hidden = self._hidden(shared, a, b)
        plain = one & surname & ~contained & ~hidden
        spelt = (self.spelt[ours] == self.spelt[theirs]) & ~same_sound
        out = np.select(
            [same_sound | homophone, lookalike, plain & more, plain, sorted_alike | contained | hidden | spelt, one & more],
            [2, 3, 4, 5, 6, 7],
            np.where(surname, 8, 9),
        ).astype(np.uint8)
        (rest,) = np.nonzero(out >= 8)
        out[rest[self._near(ours[rest], theirs[rest])]] = 7
        return out

    def _one_character(self, shared: Overlap, changed: Flags, a: Ints, b: Ints) -> tuple[Flags, Flags]:
        """Of pairs with one other character: whether it sounds alike, whether it looks alike."""
        (at,) = np.nonzero(changed & (shared.ours >= 2))
        place = shared.begin[at]
        x, y = (self.said.place[self.lines.ahead[of[at], place]] for of in (a, b))
        sound, look = np.zeros(len(a), np.bool_), np.zeros(len(a), np.bool_)
        sound[at], look[at] = self.said.sound_alike(x, y), self.said.look_alike(x, y)
        return sound, look

    def _same_characters(self, shared: Overlap, a: Ints, b: Ints) -> Flags:
        """Whether names of one length have the same characters in another order."""
        same = np.zeros(len(a), np.bool_)
        (at,) = np.nonzero((shared.ours == shared.theirs) & (self.sums[a] == self.sums[b]))
        same[at] = (np.sort(self.lines.ahead[a[at]], axis=1) == np.sort(self.lines.ahead[b[at]], axis=1)).all(axis=1)
        return same

    def _hidden(self, shared: Overlap, a: Ints, b: Ints) -> Flags:
        """Whether names of one length agree wherever neither is hidden, and one is hidden somewhere but not everywhere."""
        star = ord(MASK)
        found = np.zeros(len(a), np.bool_)
        (at,) = np.nonzero((shared.ours == shared.theirs) & (self.masked[a] | self.masked[b]))
        x, y = self.lines.ahead[a[at]], self.lines.ahead[b[at]]
        covered = (x == star) | (y == star)
        found[at] = ((x == y) | covered).all(axis=1) & ((x == y) & (x > 0) & ~covered).any(axis=1)
        return found

    def _near(self, ours: Rows, theirs: Rows) -> Flags:
        """Of the rest: two letters off in sound where a syllable agrees, or two of six and more characters."""
        a, b = self.names.codes[ours], self.names.codes[theirs]
        longer = np.minimum(self.lines.lengths[a], self.lines.lengths[b]) >= _LONG
        some = np.zeros(len(a), np.bool_)
        (at,) = np.nonzero(~longer & (np.abs(self.lines.lengths[a] - self.lines.lengths[b]) <= 1))
        x, y = (self.said.readings[:, 0][self.said.place[self.lines.ahead[of[at], : _LONG - 1]]] for of in (a, b))
        some[at] = ((x == y) & (x > 0)).sum(axis=1) + 1 >= np.maximum(self.lines.lengths[a[at]], self.lines.lengths[b[at]])
        near = np.zeros(len(a), np.bool_)
        (at,) = np.nonzero(longer)
        near[at] = plain_edits(self.names.values, (a[at] - 1).astype(np.int64), (b[at] - 1).astype(np.int64), 2) <= 2 if len(at) else near[at]
        (at,) = np.nonzero(some & (self.sounds.codes[ours] > 0) & (self.sounds.codes[theirs] > 0))
        p, q = self.sounds.codes[ours[at]].astype(np.int64) - 1, self.sounds.codes[theirs[at]].astype(np.int64) - 1
        near[at] = plain_edits(self.sounds.values, p, q, 2) <= 2 if len(at) else near[at]
        return near
