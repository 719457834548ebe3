"""On how many distinct days each word 3-shingle was seen.

A story printed by fifty papers in two days is rare language; a template comes back week after week. So days are
counted, not articles. The counts stand in tables indexed by the shingle's hash, one a stretch of time (`stretches`):
two shingles that meet in a slot make each other look more common, never rarer.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.shingling import Offsets, ShingleHashes, WordHashes, shingle_at

DaysTable = npt.NDArray[np.uint8]

NO_DAY = -(2**31)
SHINGLE_WORDS = 3
MOST_SLOTS = 1 << 32
"""Enough for two thousand million words in one stretch; counting sorts slots as 32 bits. A table takes at most half of
what its words do."""
_UNDATED = 0x8000


@numba.njit(nogil=True, cache=True)
def rarity_slot(shingle: np.uint64, slots: int) -> np.int64:
    """The place of a 3-shingle in the table of days; `slots` is a power of two."""
    return np.int64((shingle >> np.uint64(20)) & np.uint64(slots - 1))


def day_keys(days: npt.NDArray[np.int32], digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """A day's key of 16 bits for each article: the day itself, or for an undated article one made of its text.

    Args:
        days: int32[n], days since 1970, NO_DAY where unknown.
        digests: uint8[n, 16], the texts' digests: undated articles of the same text share a day.
    """
    of_text = (digests[:, 0].astype(np.uint16) << np.uint16(8) | digests[:, 1]) | np.uint16(_UNDATED)
    return np.where(days == NO_DAY, of_text, (days & 0x7FFF).astype(np.uint16)).astype(np.uint16)


def table_slots(total_words: int) -> int:
    """Slots for a corpus of so many words: a power of two, at least twice the words, 64 Ki to MOST_SLOTS."""
    return int(min(MOST_SLOTS, max(1 << 16, 1 << int(2 * total_words).bit_length())))


@numba.njit(nogil=True, cache=True)
def shingles_of(words: WordHashes, offsets: Offsets) -> tuple[ShingleHashes, Offsets]:
    """The 3-shingles of each article in order, repeated ones too, packed with offsets."""
    ends = np.zeros(len(offsets), np.int64)
    for document in range(len(offsets) - 1):
        count = offsets[document + 1] - offsets[document]
        ends[document + 1] = ends[document] + (max(1, count - SHINGLE_WORDS + 1) if count else 0)
    found = np.empty(ends[-1], np.uint64)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        size = min(SHINGLE_WORDS, end - start)
        for at in range(ends[document + 1] - ends[document]):
            found[ends[document] + at] = shingle_at(words, start + at, size)
    return found, ends


@numba.njit(nogil=True, cache=True)
def _by_bucket(shingles: ShingleHashes, slots: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Places and slots of shingles, sorted by stretches of the table that fit a core's cache, in order within each.

    The table is larger than any cache: going through it stretch by stretch costs a fifth of going to and fro.
    """
    shift = np.uint64(0)
    while (slots >> np.int64(shift)) > BUCKETS:
        shift += np.uint64(1)
    ends = np.zeros(BUCKETS + 1, np.int64)
    for shingle in shingles:
        ends[(np.uint64(rarity_slot(shingle, slots)) >> shift) + np.uint64(1)] += 1
    for bucket in range(BUCKETS):
        ends[bucket + 1] += ends[bucket]
    places = np.empty(len(shingles), np.uint32)
    sorted_slots = np.empty(len(shingles), np.uint32)
    for place in range(len(shingles)):
        slot = np.uint64(rarity_slot(shingles[place], slots))
        stretch = slot >> shift
        places[ends[stretch]] = place
        sorted_slots[ends[stretch]] = slot
        ends[stretch] += 1
    return places, sorted_slots


BUCKETS = 256
"""Stretches of the table: at 32 Mi slots each takes 512 kB while counting."""


@numba.njit(nogil=True, cache=True)
def count_days(
    words: WordHashes,
    offsets: Offsets,
    keys: npt.NDArray[np.uint16],
    seen: npt.NDArray[np.uint32],
) -> None:
    """Adds articles to the counts, in place.

    Args:
        words, offsets: packed word hashes of n articles.
        keys: uint16[n], ascending, and not below those of earlier calls.
        seen: uint32[slots]; the day's key last counted in the upper bits, the days so far (at most 255) in the lower
            eight, so that a slot costs one access to memory. 0 at first.
    """
    slots = len(seen)
    shingles, ends = shingles_of(words, offsets)
    places, sorted_slots = _by_bucket(shingles, slots)
    # One more than the key, so that no key looks like a slot that was never seen.
    marks = np.empty(len(shingles), np.uint32)
    for document in range(len(keys)):
        mark = np.uint32((np.uint32(keys[document]) + np.uint32(1)) << np.uint32(8))
        marks[ends[document] : ends[document + 1]] = mark
    for at in range(len(places)):
        slot = sorted_slots[at]
        before = seen[slot]
        mark = marks[places[at]]
        if before & np.uint32(0xFFFFFF00) != mark:
            seen[slot] = mark | min(np.uint32(255), (before & np.uint32(255)) + np.uint32(1))


@numba.njit(nogil=True, cache=True)
def slots_of(words: WordHashes, offsets: Offsets, slots: int) -> npt.NDArray[np.uint32]:
    """The slots of all shingles of n articles, ascending, each once."""
    shingles = shingles_of(words, offsets)[0]
    found = np.empty(len(shingles), np.uint32)
    for at in range(len(shingles)):
        found[at] = rarity_slot(shingles[at], slots)
    return np.unique(found)


@numba.njit(nogil=True, cache=True)
def days_seen(
    shingles: ShingleHashes, tables: tuple[DaysTable, DaysTable, DaysTable, DaysTable]
) -> npt.NDArray[np.uint8]:
    """On how many days each 3-shingle was seen, at most 255: uint8[n], the sum of what the tables say."""
    found = np.zeros(len(shingles), np.uint8)
    for table in tables:
        if len(table) > 1:
            places, sorted_slots = _by_bucket(shingles, len(table))
            for at in range(len(places)):
                more = np.uint16(found[places[at]]) + np.uint16(table[sorted_slots[at]])
                found[places[at]] = min(np.uint16(255), more)
    return found


@numba.njit(nogil=True, cache=True)
def count_rare(
    words: WordHashes,
    offsets: Offsets,
    tables: tuple[DaysTable, DaysTable, DaysTable, DaysTable],
    other_days: int,
) -> npt.NDArray[np.int64]:
    """How many 3-shingles of each article are rare: int64[n]. What an article's completeness is measured by.

    Args:
        words, offsets: packed word hashes of n articles.
        tables: of the articles' surroundings (`stretches`).
        other_days: on at most this many days besides the article's own.
    """
    shingles, ends = shingles_of(words, offsets)
    seen = days_seen(shingles, tables)
    found = np.zeros(len(offsets) - 1, np.int64)
    for document in range(len(found)):
        for at in range(ends[document], ends[document + 1]):
            found[document] += np.int64(seen[at]) - 1 <= other_days
    return found
