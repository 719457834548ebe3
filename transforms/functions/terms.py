"""Terms: a word's form that survives inflection and another transliteration, as a hash of 32 bits.

Names that are written another way each time (Barak, Barack; Nikolas, Nicholas; كاسانو, كاسّانو) have one term, and so
have many inflections of a word. The first letter counts, of the rest only consonants, alike ones (c, k, q; ق, غ, ج, ك)
as one; in Arabic what is written in one with a word (و, ب, ل, ف, ك, ال) and the commonest endings are taken off. Short
words, which are mostly grammar, have no term; words with a digit are their own.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Letters = npt.NDArray[np.uint32]

MAX_LETTERS = 32
"""Letters of a word that are looked at: the rest of a longer one (an address) tells nothing more."""
NO_TERM = np.uint32(0)

_SEED = np.uint64(0x9AE16A3B2F90404F)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0xD6E8FEB86659FD93)

_LATIN_SHORTEST, _SHORTEST = 4, 3
_LATIN_FIRST, _LATIN_LAST = ord("a"), ord("z")
_ARABIC_FIRST, _ARABIC_LAST = 0x600, 0x6FF

DROPPED = 0
"""In a table of letters: counts only at the beginning, as one letter with all others that are dropped."""


def _latin_letters() -> npt.NDArray[np.uint32]:
    alike = dict(zip("cjqvwxz", "kgkvvks", strict=True))
    return np.array([DROPPED if one in "aeiouyh" else ord(alike.get(one, one)) for one in map(chr, range(97, 123))])


def _arabic_letters() -> npt.NDArray[np.uint32]:
    alike = dict(zip("طضذثصظقغجچڤگپح", "تددتسزككككفكبه", strict=True))
    dropped = "اويىءهة"
    codes = map(chr, range(_ARABIC_FIRST, _ARABIC_LAST + 1))
    return np.array([DROPPED if one in dropped else ord(alike.get(one, one)) for one in codes])


LATIN, ARABIC = _latin_letters().astype(np.uint32), _arabic_letters().astype(np.uint32)


def _affixes(*texts: str) -> Letters:
    """Letter sequences as uint32[n, 3], the longer ones first, filled up with 0."""
    rows = [[ord(letter) for letter in text] + [0] * (3 - len(text)) for text in texts]
    return np.array(rows, np.uint32)


_LATIN_ENDINGS = _affixes("ing", "ed", "es", "s")
_ARABIC_BEGINNINGS = _affixes("وال", "بال", "فال", "كال", "لل", "ال")
_ARABIC_SINGLE = _affixes("و", "ب", "ل", "ف", "ك")
_ARABIC_ENDINGS = _affixes("يه", "ات", "ون", "ين", "ان", "ها", "هم", "ه", "ي")


@numba.njit(nogil=True, cache=True)
def _affix_length(letters: Letters, start: int, end: int, affixes: Letters, at_end: bool, left: int) -> int:
    """The length of the first affix that stands at an end of letters[start:end] and leaves so many letters."""
    for row in range(len(affixes)):
        length = 0
        while length < 3 and affixes[row, length] != 0:
            length += 1
        if end - start < length + left:
            continue
        first = end - length if at_end else start
        same = True
        for place in range(length):
            same &= letters[first + place] == affixes[row, place]
        if same:
            return length
    return 0


@numba.njit(nogil=True, cache=True)
def _hashed(letters: Letters, count: int, flag: np.uint64) -> np.uint32:
    state = _SEED
    for place in range(count):
        state = (state ^ np.uint64(letters[place])) * _PRIME
    state = (state ^ (state >> np.uint64(32))) * _MIX
    found = np.uint32(((state >> np.uint64(32)) & np.uint64(0xFFFFFFFE)) | flag)
    return found if found != NO_TERM else np.uint32(2)


@numba.njit(nogil=True, cache=True)
def term_of(letters: Letters, count: int, has_digit: bool, unspaced: bool) -> np.uint32:
    """The term of a folded word; NO_TERM where it has none. Bit 0 is set where the word holds a digit.

    Args:
        letters: uint32, its code points from 0 to `count`; overwritten.
        unspaced: a piece of a script without spaces, which stands as it is.
    """
    if has_digit or unspaced:
        return _hashed(letters, count, np.uint64(1) if has_digit else np.uint64(0))
    first = letters[0]
    if _LATIN_FIRST <= first <= _LATIN_LAST:
        return _latin_term(letters, count) if count >= _LATIN_SHORTEST else NO_TERM
    if count < _SHORTEST:
        return NO_TERM
    if _ARABIC_FIRST <= first <= _ARABIC_LAST:
        return _arabic_term(letters, count)
    return _hashed(letters, count, np.uint64(0))


@numba.njit(nogil=True, cache=True)
def _latin_term(letters: Letters, count: int) -> np.uint32:
    count -= _affix_length(letters, 0, count, _LATIN_ENDINGS, True, 4)
    kept = 0
    before = np.uint32(0)
    for place in range(count):
        letter = letters[place]
        after = letters[place + 1] if place + 1 < count else np.uint32(0)
        one = letter
        if _LATIN_FIRST <= letter <= _LATIN_LAST:
            one = LATIN[letter - _LATIN_FIRST]
            if letter == 112 and after == 104:  # ph
                one = np.uint32(102)
            elif letter == 99 and (after == 101 or after == 105 or after == 121):  # ce, ci, cy
                one = np.uint32(115)
            elif letter == 99 and after == 104 and before == 115:  # sch
                one = np.uint32(DROPPED)
        before = letter
        if one == DROPPED:
            if place > 0:
                continue
            one = letter if letter == 104 else np.uint32(97)
        if kept == 0 or letters[kept - 1] != one:
            letters[kept] = one
            kept += 1
    return _hashed(letters, kept, np.uint64(0))


@numba.njit(nogil=True, cache=True)
def _arabic_term(letters: Letters, count: int) -> np.uint32:
    start = _affix_length(letters, 0, count, _ARABIC_BEGINNINGS, False, 3)
    if start == 0:
        start = _affix_length(letters, 0, count, _ARABIC_SINGLE, False, 4)
    count -= _affix_length(letters, start, count, _ARABIC_ENDINGS, True, 3)
    kept = 0
    for place in range(start, count):
        one = letters[place]
        if _ARABIC_FIRST <= one <= _ARABIC_LAST:
            one = ARABIC[one - _ARABIC_FIRST]
        if one == DROPPED:
            if place > start:
                continue
            one = np.uint32(0x627)
        if kept == 0 or letters[kept - 1] != one:
            letters[kept] = one
            kept += 1
    return _hashed(letters, kept, np.uint64(0))
