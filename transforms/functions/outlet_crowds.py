"""Which language stands in many different texts of one outlet on one day: furniture of that day, however rare else.

Rarity counts days, so that a story printed by fifty papers stays rare. A ticker of one day is on as few days, but it
stands in many texts of one page, where a story stands once or in a few versions.
"""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.joining import Handles
from transforms.functions.rarity import rarity_slot, shingles_of
from transforms.functions.shingling import Offsets, WordHashes
from transforms.functions.sketch_files import SketchFiles, packed_bytes

MOST_TEXTS = 2000
"""Of one outlet and day that are looked through, those of the lowest digests: of 500 words each they take 30 MB."""


@numba.njit(nogil=True, cache=True)
def crowded_slots(words: WordHashes, offsets: Offsets, texts: int, slots: int) -> npt.NDArray[np.uint32]:
    """The slots of the 3-shingles that stand in so many of n articles or more, in any order.

    Args:
        words, offsets: packed word hashes of n articles.
        slots: of the table of days, a power of two.
    """
    shingles, ends = shingles_of(words, offsets)
    size = 1
    while size < 2 * len(shingles):
        size *= 2
    mask = np.uint64(size - 1)
    held = np.zeros(size, np.uint64)
    last = np.full(size, -1, np.int32)
    counts = np.zeros(size, np.int32)
    found = np.empty(len(shingles), np.uint32)
    many = 0
    for document in range(len(offsets) - 1):
        for at in range(ends[document], ends[document + 1]):
            shingle = shingles[at]
            place = (shingle >> np.uint64(20)) & mask
            while last[place] >= 0 and held[place] != shingle:
                place = (place + np.uint64(1)) & mask
            if last[place] != document:
                held[place], last[place] = shingle, document
                counts[place] += 1
                if counts[place] == texts:
                    found[many] = rarity_slot(shingle, slots)
                    many += 1
    return found[:many]


def crowded_by_outlet(
    sketches: SketchFiles, handles: Handles, keys: npt.NDArray[np.uint16], texts: int, slots: int
) -> npt.NDArray[np.uint32]:
    """The slots of what stands in so many texts or more of one outlet on one day: uint32[m].

    Args:
        handles: uint64[n], articles of which no two have the same words; those of unknown outlets count nowhere.
        keys: uint16[n] of their days, from `rarity.day_keys`.
        slots: of the table of days, a power of two.
    """
    table = sketches.gather(handles, ["source", "text_digest"])
    sources = table.column("source")
    known = np.flatnonzero(sources.is_valid().to_numpy())
    outlets = sources.take(known).to_numpy().astype(np.uint64)
    digests = packed_bytes(table.column("text_digest"), 16)[known].view(np.uint64).reshape(-1, 2)
    order = np.lexsort((digests[:, 1], digests[:, 0], outlets, keys[known]))
    days, outlets = keys[known][order], outlets[order]
    edges = np.flatnonzero((days[1:] != days[:-1]) | (outlets[1:] != outlets[:-1])) + 1
    found = [np.empty(0, np.uint32)]
    for start, end in pairwise([0, *edges.tolist(), len(order)]):
        if end - start >= texts:
            group = known[order[start : min(end, start + MOST_TEXTS)]]
            found.append(crowded_slots(*sketches.gather_words(handles[group]), texts, slots))
    return np.concatenate(found)
