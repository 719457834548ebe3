"""Time cut into stretches: what decides a pair lies near it in time, so that a run's cost grows with the window.

A *stretch* is match.window_days days, counted from 1970; undated articles are a stretch of their own. A pair is decided
by what its *surroundings* hold: the stretch of its earlier article and the ones before and after it, and the undated
articles where one of the two is undated. New articles change some stretches; the pairs whose surroundings hold one of
these are decided anew, and every other pair stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.functions.rarity import NO_DAY, DaysTable

Days = npt.NDArray[np.int32]
Stretches = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

UNDATED = NO_DAY
"""The stretch of the undated articles."""

Surroundings = tuple[DaysTable, DaysTable, DaysTable, DaysTable]

_EMPTY: DaysTable = np.zeros(1, np.uint8)
_EMPTY.setflags(write=False)


def stretches_of(days: Days, window_days: int) -> Stretches:
    """The stretch of each day: int64[n]."""
    return np.where(days == NO_DAY, UNDATED, days.astype(np.int64) // max(1, window_days))


def earlier_stretch(left: Stretches, right: Stretches) -> tuple[Stretches, Mask]:
    """The stretch that a pair's surroundings are those of, UNDATED where both are; and which pairs have one undated."""
    earlier = np.where((left == UNDATED) | (right == UNDATED), np.maximum(left, right), np.minimum(left, right))
    return earlier, (left == UNDATED) != (right == UNDATED)


class Ends(NamedTuple):
    """One article of each of n pairs: handles uint64[n], days int32[n]."""

    handles: npt.NDArray[np.uint64]
    days: Days


@dataclass(frozen=True)
class Changed:
    """What a run changes.

    Attributes:
        stretches: those whose standing articles are not the ones they were; None: all of them.
        window_days: the length of a stretch.
        not_before: the first day of which sketches are whole; pairs of which the surroundings hold an earlier one stay
            what they are. None: all are.
        only_from: decided are only pairs with an article of this handle or a later one, whatever else the stretches
            hold: what a provisional run settles for. None: all pairs that the stretches change.
    """

    stretches: frozenset[int] | None
    window_days: int
    only_from: int | None = None
    not_before: int | None = None

    def decides(self, left: Ends, right: Ends) -> Mask:
        """Which pairs are decided anew: bool[n]."""
        earlier, mixed = earlier_stretch(*(stretches_of(end.days, self.window_days) for end in (left, right)))
        whole = self._are_whole(earlier)
        if self.only_from is not None:
            return whole & (self.is_new(left.handles) | self.is_new(right.handles))
        if self.stretches is None:
            return whole
        around = self._within(earlier, -1, 1) & (earlier != UNDATED)
        return whole & (around | ((mixed | (earlier == UNDATED)) & (UNDATED in self.stretches)))

    def are_near(self, left: Days, right: Days) -> Mask:
        """Which pairs can be compared: of one stretch, of two beside each other, or with one undated: bool[n]."""
        ends = [stretches_of(days, self.window_days) for days in (left, right)]
        return (ends[0] == UNDATED) | (ends[1] == UNDATED) | (np.abs(ends[0] - ends[1]) <= 1)

    def _are_whole(self, stretches: Stretches) -> Mask:
        """Which stretches have surroundings of which every sketch is whole."""
        if self.not_before is None:
            return np.ones(len(stretches), np.bool_)
        return (stretches == UNDATED) | ((stretches - 1) * max(1, self.window_days) >= self.not_before)

    def concerns(self, days: Days) -> Mask:
        """Which articles propose pairs: those of pairs to be decided, and those that may crowd them: bool[n]."""
        if self.stretches is None or UNDATED in self.stretches:
            return np.ones(len(days), np.bool_)
        stretches = stretches_of(days, self.window_days)
        if self.only_from is not None:
            return self._within(stretches, -1, 1) | (stretches == UNDATED)
        # A pair's earlier article lies up to one stretch off, its later one a stretch more; crowds are of one stretch.
        return self._within(stretches, -1, 2) | (stretches == UNDATED)

    def is_cut(self, days: Days) -> Mask:
        """Of which articles the sketches are cut short: bool[n]."""
        return (days != NO_DAY) & (days < (NO_DAY if self.not_before is None else self.not_before))

    def is_new(self, handles: npt.NDArray[np.uint64]) -> Mask:
        """Which articles a provisional run decides; none where all that changed is decided: bool[n]."""
        if self.only_from is None:
            return np.zeros(len(handles), np.bool_)
        return handles >= np.uint64(self.only_from)

    def relates(self, articles: Ends) -> Mask:
        """Which articles may stand otherwise now, so that all that is connected with them is related anew: bool[n]."""
        return self.concerns(articles.days) if self.only_from is None else self.is_new(articles.handles)

    def surroundings(self, stretches: Stretches) -> Stretches:
        """Those of the given stretches that pairs to be decided have in their surroundings."""
        if self.stretches is None or UNDATED in self.stretches:
            return stretches
        return stretches[self._within(stretches, -2, 2) | (stretches == UNDATED)]

    def _within(self, stretches: Stretches, first: int, last: int) -> Mask:
        assert self.stretches is not None
        near = [one + offset for one in self.stretches if one != UNDATED for offset in range(first, last + 1)]
        return np.isin(stretches, np.array(near, np.int64))


STANDING = np.dtype([("stretch", np.int64), ("handle", np.uint64)])
"""The articles that are counted (all but repeats and further articles of the same words), by stretch."""


def standing_by_stretch(handles: npt.NDArray[np.uint64], days: Days, window_days: int) -> npt.NDArray[np.void]:
    """STANDING[n], ascending by stretch and handle."""
    found = np.empty(len(handles), STANDING)
    found["stretch"], found["handle"] = stretches_of(days, window_days), handles
    return found[np.lexsort((found["handle"], found["stretch"]))]


def handles_in(standing: npt.NDArray[np.void], stretch: int) -> npt.NDArray[np.uint64]:
    """The handles of one stretch."""
    first, last = np.searchsorted(standing["stretch"], [stretch, stretch + 1])
    handles: npt.NDArray[np.uint64] = standing["handle"][first:last]
    return handles


@dataclass
class DaysTables:
    """The table of each stretch, counted or read when first asked for.

    Attributes:
        table_of: gives the table of a stretch, on how many of its days each 3-shingle was seen.
        window_days: the length of a stretch.
    """

    table_of: Callable[[int], DaysTable]
    window_days: int
    _held: dict[int, DaysTable] = field(default_factory=dict)

    def surroundings(self, stretch: int, with_undated: bool = False) -> Surroundings:
        """The tables that decide pairs whose earlier article is of this stretch."""
        if stretch == UNDATED:
            return (self._table(UNDATED), _EMPTY, _EMPTY, _EMPTY)
        near = (self._table(stretch - 1), self._table(stretch), self._table(stretch + 1))
        return (*near, self._table(UNDATED) if with_undated else _EMPTY)

    def by_surroundings(self, left: Days, right: Days) -> Iterator[tuple[npt.NDArray[np.int64], Surroundings]]:
        """Rows of pairs with the same surroundings, and these."""
        earlier, mixed = earlier_stretch(*(stretches_of(days, self.window_days) for days in (left, right)))
        for with_undated in (False, True):
            rows = np.flatnonzero(mixed == with_undated)
            for stretch in np.unique(earlier[rows]).tolist():
                yield rows[earlier[rows] == stretch], self.surroundings(stretch, with_undated)

    def _table(self, stretch: int) -> DaysTable:
        if stretch not in self._held:
            table = self.table_of(stretch)
            table.setflags(write=False)
            self._held[stretch] = table
        return self._held[stretch]
