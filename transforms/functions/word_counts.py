"""Counts words the way readers would: runs of letters and digits, or single characters where a script has no spaces."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.packed_text import Bytes, Offsets, PackedText

_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x323AF),
)  # fmt: skip
"""Blocks of scripts written without spaces between words: Thai, Lao, Burmese, Khmer, kana and Han."""


@functools.cache
def _kinds() -> Bytes:
    """Per code point below U+20000: 0 no part of a word, 1 part of one, 2 a word by itself."""
    kinds = np.fromiter((chr(code).isalnum() or code == 0x5F for code in range(0x20000)), np.uint8, 0x20000)
    kinds[0xAD] = 1  # a soft hyphen stands inside a word
    # A mark belongs to the word it stands in: Arabic and Indic vowel signs would otherwise cut words in pieces.
    for low, high in ((0x300, 0x36F), (0x483, 0x487), (0x591, 0x5BD), (0x610, 0x61A), (0x64B, 0x65F), (0x900, 0xDFF)):
        kinds[low : high + 1] |= 1
    for low, high in _UNSPACED:
        kinds[low : min(high + 1, 0x20000)] *= 2
    return kinds


def count_words(packed: PackedText, enough: int) -> npt.NDArray[np.int32]:
    """Words of each text: int32[n].

    Args:
        enough: counting stops at so many.
    """
    return _count(packed.data, packed.offsets, _kinds(), enough)


@numba.njit(nogil=True, cache=True)
def _count(data: Bytes, offsets: Offsets, kinds: Bytes, enough: int) -> npt.NDArray[np.int32]:
    counts = np.zeros(len(offsets) - 1, np.int32)
    for row in range(len(offsets) - 1):
        words = np.int64(0)
        inside = np.int64(0)
        i, stop = offsets[row], offsets[row + 1]
        while i < stop and words < enough:
            byte = data[i]
            if byte < 0x80:
                now = np.int64(kinds[byte])
                words += now & ~inside
                inside = now
                i += 1
                continue
            if byte < 0xE0:
                now = np.int64(kinds[((byte & 31) << 6) | (data[i + 1] & 63)])
                i += 2
            elif byte < 0xF0:
                now = np.int64(kinds[((byte & 15) << 12) | ((data[i + 1] & 63) << 6) | (data[i + 2] & 63)])
                i += 3
            else:
                code = ((byte & 7) << 18) | ((data[i + 1] & 63) << 12) | ((data[i + 2] & 63) << 6) | (data[i + 3] & 63)
                now = np.int64(kinds[code]) if code < 0x20000 else np.int64(2)
                i += 4
            words += now == 2 or (now == 1 and inside != 1)
            inside = now & 1
        counts[row] = words
    return counts
