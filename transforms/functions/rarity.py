"""On how many distinct days each word 3-shingle was seen.

A story printed by fifty papers in two days is rare language; a template comes back week after week. So days are
counted, not articles. The counts stand in a table indexed by the shingle's hash: two shingles that meet in a slot
make each other look more common, never rarer.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.evidence import rarity_slot
from transforms.functions.shingling import Offsets, WordHashes, shingle_at

NO_DAY = -(2**31)
SHINGLE_WORDS = 3
_UNDATED = 0x8000


def day_keys(days: npt.NDArray[np.int32], digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """A day's key of 16 bits for each article: the day itself, or for an undated article one made of its text.

    Args:
        days: int32[n], days since 1970, NO_DAY where unknown.
        digests: uint8[n, 16], the texts' digests: undated articles of the same text share a day.
    """
    of_text = (digests[:, 0].astype(np.uint16) << np.uint16(8) | digests[:, 1]) | np.uint16(_UNDATED)
    return np.where(days == NO_DAY, of_text, (days & 0x7FFF).astype(np.uint16)).astype(np.uint16)


def table_slots(total_words: int) -> int:
    """Slots for a corpus of so many words: a power of two, at least twice the words, 64 Ki to 256 Mi."""
    return int(min(1 << 28, max(1 << 16, 1 << int(2 * total_words).bit_length())))


@numba.njit(nogil=True, cache=True)
def count_days(
    words: WordHashes,
    offsets: Offsets,
    keys: npt.NDArray[np.uint16],
    first_slot: int,
    slots: int,
    seen: npt.NDArray[np.uint32],
) -> None:
    """Adds articles to the counts of one range of slots, in place.

    Args:
        words, offsets: packed word hashes of n articles.
        keys: uint16[n], ascending, and not below those of earlier calls.
        first_slot, slots: the range counted here begins at first_slot; `slots` is the whole table's size.
        seen: uint32[range]; the day's key last counted in the upper bits, the days so far (at most 255) in the lower
            eight, so that a slot costs one access to memory. 0 at first.
    """
    size = len(seen)
    for document in range(len(keys)):
        start, end = offsets[document], offsets[document + 1]
        length = min(SHINGLE_WORDS, end - start)
        if length == 0:
            continue
        # One more than the key, so that no key looks like a slot that was never seen.
        key = np.uint32((np.uint32(keys[document]) + np.uint32(1)) << np.uint32(8))
        for at in range(start, end - length + 1):
            slot = rarity_slot(shingle_at(words, at, length), slots) - first_slot
            if 0 <= slot < size:
                before = seen[slot]
                if before & np.uint32(0xFFFFFF00) != key:
                    seen[slot] = key | min(np.uint32(255), (before & np.uint32(255)) + np.uint32(1))


@numba.njit(nogil=True, cache=True)
def count_rare(
    words: WordHashes, offsets: Offsets, days: npt.NDArray[np.uint8], other_days: int
) -> npt.NDArray[np.int64]:
    """How many 3-shingles of each article are rare: int64[n]. What an article's completeness is measured by.

    Args:
        words, offsets: packed word hashes of n articles.
        days: uint8[slots], the table of days.
        other_days: on at most this many days besides the article's own.
    """
    found = np.zeros(len(offsets) - 1, np.int64)
    slots = len(days)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        length = min(SHINGLE_WORDS, end - start)
        if length == 0:
            continue
        for at in range(start, end - length + 1):
            count = np.int64(days[rarity_slot(shingle_at(words, at, length), slots)])
            found[document] += count - 1 <= other_days
    return found
