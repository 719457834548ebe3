"""From text to word hashes and shingle hashes, on packed Arrow buffers.

A word hash is 32 bits, its lowest bit saying whether the word holds a digit. A shingle hash is 64 bits over the
hashes of consecutive words; a text shorter than a shingle is one shingle of all its words.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.functions import folding
from transforms.functions.terms import MAX_LETTERS, term_of

WordHashes = npt.NDArray[np.uint32]
ShingleHashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

_SKIP = np.uint32(folding.SKIP)
_EXPANSION = np.uint32(folding.EXPANSION)
_UNSPACED = np.uint32(folding.UNSPACED)
_DIGIT = np.uint32(folding.DIGIT)
_ALPHABETIC = np.uint32(folding.ALPHABETIC)
_CODE_POINT = np.uint32(folding.CODE_POINT)
_SPECIAL = np.uint32(folding.EXPANSION | folding.UNSPACED)
_TABLE_SIZE = folding.TABLE_SIZE
_FIRST_SELECTOR, _LAST_SELECTOR = folding.SELECTORS
_WORD_SEED = np.uint64(0xCBF29CE484222325)
_WORD_PRIME = np.uint64(0x100000001B3)
_CUT1, _CUT2 = (np.uint64(value) for value in folding.CUT_MULTIPLIERS)
_CUT_QUARTERS = np.uint64(folding.CUT_QUARTERS)
_CUT_QUARTERS_ALPHABETIC = np.uint64(folding.CUT_QUARTERS_ALPHABETIC)
_OUTSIDE, _SPACED, _UNSPACED_RUN = range(3)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def packed_text(texts: pa.StringArray) -> tuple[npt.NDArray[np.uint8], Offsets]:
    """The bytes of a string column and the offsets of its values; nulls must have been filled."""
    if texts.null_count:
        raise ValueError(f"{texts.null_count} texts are null; expected none, fill or reject them before signing")
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    offsets = np.frombuffer(texts.buffers()[1], width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = texts.buffers()[2]
    return (np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)), offsets


@numba.njit(nogil=True, cache=True)
def _mix64(value: np.uint64) -> np.uint64:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014), a bijection: every bit changes half of the rest."""
    value = (value ^ (value >> np.uint64(30))) * _MIX1
    value = (value ^ (value >> np.uint64(27))) * _MIX2
    return value ^ (value >> np.uint64(31))


@numba.njit(nogil=True, cache=True)
def _close(state: np.uint64, has_digit: np.uint64) -> np.uint32:
    flag = np.uint64(1) if has_digit != 0 else np.uint64(0)
    return np.uint32(((_mix64(state) >> np.uint64(32)) & np.uint64(0xFFFFFFFE)) | flag)


@numba.njit(nogil=True, cache=True)
def _cuts_between(left: np.uint32, right: np.uint32) -> bool:
    """As `folding.cuts_between`, of two entries."""
    value = (np.uint64(left & _CODE_POINT) << np.uint64(21) | np.uint64(right & _CODE_POINT)) * _CUT1
    value = (value ^ (value >> np.uint64(32))) * _CUT2
    return bool(value >> np.uint64(62) < (_CUT_QUARTERS_ALPHABETIC if right & _ALPHABETIC else _CUT_QUARTERS))


@numba.njit(nogil=True, cache=True)
def _hash_words(
    data: npt.NDArray[np.uint8],
    offsets: Offsets,
    entries: npt.NDArray[np.uint32],
    expansions: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int32],
    out: WordHashes,
    out_offsets: Offsets,
    terms: WordHashes,
) -> int:
    count = 0
    letters = np.empty(MAX_LETTERS, np.uint32)
    length = 0
    with_terms = len(terms) > 0
    for document in range(len(offsets) - 1):
        out_offsets[document] = count
        state = _WORD_SEED
        inside = _OUTSIDE
        before = np.uint32(0)
        digit = np.uint64(0)
        at = offsets[document]
        end = offsets[document + 1]
        while at < end:
            lead = data[at]
            if lead < 0x80:
                code = np.int64(lead)
                at += 1
            elif lead < 0xE0:
                code = (np.int64(lead & 0x1F) << 6) | np.int64(data[at + 1] & 0x3F)
                at += 2
            elif lead < 0xF0:
                code = (
                    (np.int64(lead & 0x0F) << 12) | (np.int64(data[at + 1] & 0x3F) << 6) | np.int64(data[at + 2] & 0x3F)
                )
                at += 3
            else:
                code = (
                    (np.int64(lead & 0x07) << 18)
                    | (np.int64(data[at + 1] & 0x3F) << 12)
                    | (np.int64(data[at + 2] & 0x3F) << 6)
                    | np.int64(data[at + 3] & 0x3F)
                )
                at += 4
            if code < _TABLE_SIZE:
                entry = entries[code]
            elif _FIRST_SELECTOR <= code <= _LAST_SELECTOR:
                entry = _SKIP
            else:
                entry = np.uint32(code | _UNSPACED)
            if entry & _SPECIAL == 0:
                # The common case, kept free of calls: a letter or digit, or what stands between words.
                if entry != 0:
                    if inside == _UNSPACED_RUN:
                        out[count] = _close(state, digit)
                        if with_terms:
                            terms[count] = term_of(letters, length, digit != 0, inside == _UNSPACED_RUN)
                        length = 0
                        count += 1
                        state = _WORD_SEED
                    state = (state ^ np.uint64(entry & _CODE_POINT)) * _WORD_PRIME
                    if with_terms and length < MAX_LETTERS:
                        letters[length] = entry & _CODE_POINT
                        length += 1
                    digit |= np.uint64(entry & _DIGIT)
                    inside = _SPACED
                elif inside == _SPACED:
                    out[count] = _close(state, digit)
                    if with_terms:
                        terms[count] = term_of(letters, length, digit != 0, inside == _UNSPACED_RUN)
                    length = 0
                    count += 1
                    state = _WORD_SEED
                    digit = np.uint64(0)
                    inside = _OUTSIDE
                continue
            if entry == _SKIP:
                continue
            expands = entry & _EXPANSION != 0
            number = np.int64(entry & np.uint32(0x7FFFFFFF)) if expands else 0
            for place in range(starts[number], starts[number + 1] if expands else starts[number] + 1):
                one = expansions[place] if expands else entry
                unspaced = one & _UNSPACED != 0
                if inside == _UNSPACED_RUN:
                    ends = one != 0 and (not unspaced or _cuts_between(before, one))
                else:
                    ends = inside == _SPACED and (one == 0 or unspaced)
                if ends:
                    out[count] = _close(state, digit)
                    if with_terms:
                        terms[count] = term_of(letters, length, digit != 0, inside == _UNSPACED_RUN)
                    length = 0
                    count += 1
                    state = _WORD_SEED
                    digit = np.uint64(0)
                    inside = _OUTSIDE
                if one != 0:
                    state = (state ^ np.uint64(one & _CODE_POINT)) * _WORD_PRIME
                    if with_terms and length < MAX_LETTERS:
                        letters[length] = one & _CODE_POINT
                        length += 1
                    digit |= np.uint64(one & _DIGIT)
                    inside = _UNSPACED_RUN if unspaced else _SPACED
                    before = one
        if inside != _OUTSIDE:
            out[count] = _close(state, digit)
            if with_terms:
                terms[count] = term_of(letters, length, digit != 0, inside == _UNSPACED_RUN)
            length = 0
            count += 1
    out_offsets[len(offsets) - 1] = count
    return count


def hash_words(texts: pa.StringArray) -> tuple[WordHashes, Offsets]:
    """Hashes of the folded words of each text, in order.

    Args:
        texts: n strings, none null.

    Returns:
        words: uint32[total words], all texts one after another; bit 0 set where the word holds a digit.
        offsets: int64[n + 1] into `words`.

    FNV-1a (Fowler, Noll, Vo) over folded code points, finished by SplitMix64 and cut to 32 bits.
    """
    words, offsets, _ = _hashed_words(texts, with_terms=False)
    return words, offsets


def hash_words_and_terms(texts: pa.StringArray) -> tuple[WordHashes, Offsets, WordHashes]:
    """As `hash_words`, with the term of each word (`terms`), 0 where it has none: uint32[total words]."""
    return _hashed_words(texts, with_terms=True)


def _hashed_words(texts: pa.StringArray, *, with_terms: bool) -> tuple[WordHashes, Offsets, WordHashes]:
    data, offsets = packed_text(texts)
    entries, expansions, starts = folding.fold_tables()
    # A one-byte character can become one word at most, and an expansion (3 bytes or more) at most 18 letters.
    longest = int(np.diff(starts).max()) if len(starts) > 1 else 1
    room = int(offsets[-1] - offsets[0]) * max(1, -(-longest // 3)) + len(texts)
    out = np.empty(room, np.uint32)
    terms = np.empty(room if with_terms else 0, np.uint32)
    out_offsets = np.zeros(len(texts) + 1, np.int64)
    count = _hash_words(data, offsets, entries, expansions, starts, out, out_offsets, terms)
    return out[:count].copy(), out_offsets, terms[:count].copy()


@numba.njit(nogil=True, cache=True)
def shingle_at(words: WordHashes, at: int, size: int) -> np.uint64:
    """The hash of the `size` words from `at`."""
    value = np.uint64(size)
    for place in range(at, at + size):
        value = (value ^ np.uint64(words[place])) * _GOLDEN
        value ^= value >> np.uint64(32)
    return _mix64(value)


@numba.njit(nogil=True, cache=True)
def sort_hashes(values: ShingleHashes) -> ShingleHashes:
    """Hashes in ascending order, in linear time because they are spread evenly: one bucket a value, then insertion.

    Values that are not spread (an adversary's) would cost quadratic time in a bucket; a bucket of more than 64 makes
    it fall back to an ordinary sort.
    """
    n = len(values)
    ends = np.zeros(n + 1, np.int64)
    for value in values:
        ends[((value >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)) + np.uint64(1)] += 1
    if n == 0 or ends.max() > 64:
        return np.sort(values)
    for bucket in range(n):
        ends[bucket + 1] += ends[bucket]
    out = np.empty(n, np.uint64)
    for value in values:
        bucket = (value >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)
        out[ends[bucket]] = value
        ends[bucket] += 1
    for at in range(1, n):
        value = out[at]
        place = at
        while place > 0 and out[place - 1] > value:
            out[place] = out[place - 1]
            place -= 1
        out[place] = value
    return out


@numba.njit(nogil=True, cache=True)
def distinct_shingles(words: WordHashes, start: int, end: int, size: int) -> ShingleHashes:
    """The distinct shingle hashes of words[start:end], ascending; one of all the words where they are fewer."""
    count = end - start
    if count == 0:
        return np.empty(0, np.uint64)
    if count < size:
        return np.full(1, shingle_at(words, start, count), np.uint64)
    found = np.empty(count - size + 1, np.uint64)
    for at in range(count - size + 1):
        found[at] = shingle_at(words, start + at, size)
    found = sort_hashes(found)
    kept = 1
    for at in range(1, len(found)):
        if found[at] != found[kept - 1]:
            found[kept] = found[at]
            kept += 1
    return found[:kept]
