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
    order: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint16],
    first_slot: int,
    slots: int,
    counts: npt.NDArray[np.uint8],
    last_key: npt.NDArray[np.int32],
) -> None:
    """Adds articles to the counts of one range of slots, in place.

    Args:
        words, offsets: packed word hashes of n articles.
        order: int64[n], the articles sorted by `keys`, which must continue the order of earlier calls.
        keys: uint16[n].
        first_slot, slots: the range counted here begins at first_slot; `slots` is the whole table's size.
        counts: uint8[range]; saturates at 255.
        last_key: int32[range], the key last counted in each slot, -1 at first.
    """
    size = len(counts)
    for place in range(len(order)):
        document = order[place]
        start, end = offsets[document], offsets[document + 1]
        key = np.int32(keys[document])
        length = min(SHINGLE_WORDS, end - start)
        if length == 0:
            continue
        for at in range(start, end - length + 1):
            slot = rarity_slot(shingle_at(words, at, length), slots) - first_slot
            if 0 <= slot < size and last_key[slot] != key:
                last_key[slot] = key
                if counts[slot] < 255:
                    counts[slot] += 1


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
