"""Bytes that need a look, marked many at once: a kernel that reads a whole text byte by byte and writes one mark each
is compiled to vector instructions (.1 nanoseconds a byte; a branch for each byte takes 1 to 2), and what lies between
two marks is skipped or copied as a whole.

Marks are 1 or 0, a uint8 for each byte of a text, with a 1 behind the last.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.packed_text import Bytes, Offsets

Words = npt.NDArray[np.uint64]


@numba.njit(nogil=True, cache=True)
def room_for_marks(offsets: Offsets) -> Bytes:
    """Marks for the longest of some packed texts, one more, and what makes whole words of 8 bytes of them."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return np.zeros((longest // 8 + 2) * 8, np.uint8)


@numba.njit(nogil=True, cache=True)
def next_mark(marks: Bytes, words: Words, i: int) -> int:
    """Where the next mark from i on is.

    Args:
        words: `marks` as words of 8 bytes.
    """
    while i & 7:
        if marks[i]:
            return i
        i += 1
    word = i >> 3
    while words[word] == 0:
        word += 1
    i = word << 3
    while marks[i] == 0:
        i += 1
    return i
