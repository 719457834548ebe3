"""Exact evidence for pairs of articles, from their word hashes: what is shared, how rarely, in what runs and order.

The shorter article (in words; where equal, the one of the lower word hashes) is walked along the longer one. A *block*
is a maximal run of at least three words that both have in a row. What stands between two neighbouring blocks is a
*gap*: a template differs in short gaps of numbers and names, a rewrite drops, adds and moves.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from schemas.tables import MATCH_COUNTS
from transforms.functions.counting_words import counting_words
from transforms.functions.rarity import DaysTable, days_seen
from transforms.functions.shingling import Offsets, ShingleHashes, WordHashes, distinct_shingles, shingle_at
from transforms.functions.stretches import Surroundings

EVIDENCE = np.dtype([(name, np.int32) for name in MATCH_COUNTS])
"""One record a pair; counts. Without a suffix: word 5-shingles; with 3: word 3-shingles, over which rarity is taken.

`pieces`: blocks of eight words or more. `covered3`, `covered8`, `covered15`: words of the shorter article in blocks
of so many words or more. `in_order`: words of the shorter in blocks that follow one another in both. `substitutions`:
gaps of 1 to 4 words on both sides, also before the first block and after the last one; `number_substitutions`: those
in which each side has a number or a date (`counting_words`) that the other side hasn't. `numbers`: words with a digit
in the shorter; `numbers_shared`: those that the longer has too. `lead_covered`, `long_lead_covered`: of the first
LEAD_WORDS words of the shorter and of the longer, those in blocks. `place`, `long_place`: where in the shorter and in
the longer the words in blocks of 8 or more stand on average, in thousandths of its length; 0 where there are none.
`days_apart`: days between the two, 0 where unknown; `matching` fills it in.
"""

LEAD_WORDS = 40
"""About the first paragraph of an agency story."""

_BLOCK = 3
_LONG_BLOCK = 8
_SHORT_GAP = 4


@numba.njit(nogil=True, cache=True)
def _shared(left: ShingleHashes, right: ShingleHashes) -> int:
    i = j = count = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            count += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return count


@numba.njit(nogil=True, cache=True)
def _rare(
    left: ShingleHashes,
    right: ShingleHashes,
    left_days: npt.NDArray[np.uint8],
    right_days: npt.NDArray[np.uint8],
    own_days: int,
    other_days: int,
) -> tuple[np.int64, np.int64, np.int64]:
    """Rare shingles shared, of the left, of the right. `own_days`: distinct days of the pair (1 or 2)."""
    i = j = 0
    both = only_left = only_right = np.int64(0)
    while i < len(left) or j < len(right):
        if j == len(right) or (i < len(left) and left[i] < right[j]):
            only_left += np.int64(left_days[i]) - 1 <= other_days
            i += 1
        elif i == len(left) or right[j] < left[i]:
            only_right += np.int64(right_days[j]) - 1 <= other_days
            j += 1
        else:
            both += np.int64(left_days[i]) - own_days <= other_days
            i += 1
            j += 1
    return both, both + only_left, both + only_right


@numba.njit(nogil=True, cache=True)
def _value(word: np.uint32, counting: tuple[WordHashes, WordHashes]) -> np.uint32:
    """What a number or a date stands for, however it is written; 0 for any other word."""
    found = np.searchsorted(counting[0], word)
    if found < len(counting[0]) and counting[0][found] == word:
        return counting[1][found]
    return word if word & np.uint32(1) else np.uint32(0)


@numba.njit(nogil=True, cache=True)
def _counts_more(one: WordHashes, other: WordHashes, counting: tuple[WordHashes, WordHashes]) -> bool:
    """Whether `one` has a number or a date that `other` hasn't."""
    for word in one:
        value = _value(word, counting)
        if value == 0:
            continue
        found = False
        for another in other:
            found |= _value(another, counting) == value
        if not found:
            return True
    return False


@numba.njit(nogil=True, cache=True)
def _replaced(short_gap: WordHashes, long_gap: WordHashes, counting: tuple[WordHashes, WordHashes]) -> tuple[int, int]:
    """Whether words were replaced by others in a gap, and whether a number or a date was: 0 or 1 each."""
    if not (1 <= len(short_gap) <= _SHORT_GAP and 1 <= len(long_gap) <= _SHORT_GAP):
        return 0, 0
    return 1, int(_counts_more(short_gap, long_gap, counting) and _counts_more(long_gap, short_gap, counting))


@numba.njit(nogil=True, cache=True)
def _walk(
    short: WordHashes, long: WordHashes, counting: tuple[WordHashes, WordHashes], out: npt.NDArray[np.void]
) -> None:
    """Fills the figures about blocks and gaps."""
    n, m = len(short), len(long)
    size = min(_BLOCK, n, m)
    if size == 0:
        return
    slots = 1
    while slots < 2 * m:
        slots *= 2
    mask = np.uint64(slots - 1)
    keys = np.zeros(slots, np.uint64)
    places = np.full(slots, -1, np.int32)
    for at in range(m - size + 1):
        value = shingle_at(long, at, size)
        slot = value & mask
        while places[slot] >= 0 and keys[slot] != value:
            slot = (slot + np.uint64(1)) & mask
        if places[slot] < 0:
            keys[slot] = value
            places[slot] = at
    at = 0
    longest = blocks = covered3 = covered8 = covered15 = in_order = 0
    substitutions = number_substitutions = lead = long_lead = 0
    pieces = places_short = places_long = 0
    end_short = end_long = 0
    while at <= n - size:
        value = shingle_at(short, at, size)
        slot = value & mask
        while places[slot] >= 0 and keys[slot] != value:
            slot = (slot + np.uint64(1)) & mask
        place = places[slot]
        if place >= 0 and end_long > place:
            # A phrase that repeats: the place right after the last block is likelier than its first one.
            for ahead in range(end_long, min(end_long + _SHORT_GAP + 1, m - size + 1)):
                if shingle_at(long, ahead, size) == value:
                    place = ahead
                    break
        if place < 0:
            at += 1
            continue
        run = size
        while at + run < n and place + run < m and short[at + run] == long[place + run]:
            run += 1
        blocks += 1
        longest = max(longest, run)
        covered3 += run
        covered8 += run if run >= _LONG_BLOCK else 0
        covered15 += run if run >= 15 else 0
        in_order += run if place >= end_long else 0
        lead += max(0, min(at + run, LEAD_WORDS) - at)
        long_lead += max(0, min(place + run, LEAD_WORDS) - place)
        if run >= _LONG_BLOCK:
            pieces += 1
            places_short += run * (2 * at + run)
            places_long += run * (2 * place + run)
        if place >= end_long:
            replaced, counted = _replaced(short[end_short:at], long[end_long:place], counting)
            substitutions += replaced
            number_substitutions += counted
        at += run
        end_short, end_long = at, place + run
    if blocks:
        replaced, counted = _replaced(short[end_short:], long[end_long:], counting)
        substitutions += replaced
        number_substitutions += counted
    in_long = np.sort(long[(long & np.uint32(1)) != 0])
    numbers = numbers_shared = 0
    for word in range(n):
        if short[word] & np.uint32(1):
            numbers += 1
            found = np.searchsorted(in_long, short[word])
            numbers_shared += found < len(in_long) and in_long[found] == short[word]
    out["longest_run"] = longest
    out["blocks"] = blocks
    out["pieces"] = pieces
    out["covered3"] = covered3
    out["covered8"] = covered8
    out["covered15"] = covered15
    out["in_order"] = in_order
    out["substitutions"] = substitutions
    out["number_substitutions"] = number_substitutions
    out["numbers"] = numbers
    out["numbers_shared"] = numbers_shared
    out["lead_covered"] = lead
    out["long_lead_covered"] = long_lead
    if covered8:
        out["place"] = 500 * places_short // (covered8 * n)
        out["long_place"] = 500 * places_long // (covered8 * m)


@numba.njit(nogil=True, cache=True)
def _walks_first(one: WordHashes, other: WordHashes) -> bool:
    """Whether `one` is the article that is walked: the shorter, or by its words where both are as long."""
    if len(one) != len(other):
        return len(one) < len(other)
    for at in range(len(one)):
        if one[at] != other[at]:
            return one[at] < other[at]
    return True


@numba.njit(nogil=True, cache=True)
def _weigh(
    words: WordHashes,
    offsets: Offsets,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    day_keys: npt.NDArray[np.uint16],
    tables: tuple[DaysTable, DaysTable, DaysTable, DaysTable],
    other_days: int,
    counting: tuple[WordHashes, WordHashes],
    out: npt.NDArray[np.void],
) -> None:
    n = len(offsets) - 1
    room = offsets[n] + n
    fives = np.empty(room, np.uint64)
    threes = np.empty(room, np.uint64)
    five_ends = np.zeros(n + 1, np.int64)
    three_ends = np.zeros(n + 1, np.int64)
    for document in range(n):
        found = distinct_shingles(words, offsets[document], offsets[document + 1], 5)
        fives[five_ends[document] : five_ends[document] + len(found)] = found
        five_ends[document + 1] = five_ends[document] + len(found)
        found = distinct_shingles(words, offsets[document], offsets[document + 1], 3)
        threes[three_ends[document] : three_ends[document] + len(found)] = found
        three_ends[document + 1] = three_ends[document] + len(found)
    seen = days_seen(threes[: three_ends[n]], tables)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        record = out[pair]
        left5, right5 = fives[five_ends[a] : five_ends[a + 1]], fives[five_ends[b] : five_ends[b + 1]]
        left3, right3 = threes[three_ends[a] : three_ends[a + 1]], threes[three_ends[b] : three_ends[b + 1]]
        record["left_shingles"] = len(left5)
        record["right_shingles"] = len(right5)
        record["shared"] = _shared(left5, right5)
        record["left_shingles3"] = len(left3)
        record["right_shingles3"] = len(right3)
        record["shared3"] = _shared(left3, right3)
        own_days = 1 if day_keys[a] == day_keys[b] else 2
        both, of_left, of_right = _rare(
            left3,
            right3,
            seen[three_ends[a] : three_ends[a + 1]],
            seen[three_ends[b] : three_ends[b + 1]],
            own_days,
            other_days,
        )
        record["rare_shared"] = both
        record["left_rare"] = of_left
        record["right_rare"] = of_right
        left_words = words[offsets[a] : offsets[a + 1]]
        right_words = words[offsets[b] : offsets[b + 1]]
        record["left_words"] = len(left_words)
        record["right_words"] = len(right_words)
        if _walks_first(left_words, right_words):
            _walk(left_words, right_words, counting, record)
        else:
            _walk(right_words, left_words, counting, record)


def weigh_pairs(
    words: WordHashes,
    offsets: Offsets,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    day_keys: npt.NDArray[np.uint16],
    tables: Surroundings,
    other_days: int,
) -> npt.NDArray[np.void]:
    """The evidence of pairs of the given articles.

    Args:
        words: uint32[total] word hashes of n articles; offsets: int64[n + 1].
        left, right: int64[pairs], indices into the articles.
        day_keys: uint16[n] from `rarity.day_keys`.
        tables: on how many days each 3-shingle was seen around the pairs (`stretches`).
        other_days: a shingle seen on at most this many days besides the pair's own is rare.

    Returns:
        EVIDENCE[pairs].
    """
    out = np.zeros(len(left), EVIDENCE)
    _weigh(words, offsets, left, right, day_keys, tables, other_days, counting_words(), out)
    return out
