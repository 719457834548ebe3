"""Rewrites in other words: which pairs may be ones, and what they have in common. No text, only terms (`terms`).

A spun or translated text keeps almost no phrase of its source. It keeps names, numbers and unusual words, in the same
order, and it keeps step: between two of these both texts take about as many words. A heavy rewrite moves sentences,
but has the same names and figures; another outlet's own report has some of them and others of its own.

What a term weighs is taken from the pair's surroundings (`stretches`): the logarithm of how much rarer than
COMMON_SHARE of the articles it is, in hundredths, so that all sums are exact. Near copies of a text count once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from schemas.tables import MINHASH_BYTES, REWRITE_COUNTS
from transforms.functions.common_words import common_terms
from transforms.functions.joining import Handles
from transforms.functions.shingling import Offsets, WordHashes
from transforms.functions.sketch_files import SketchFiles, packed_bytes
from transforms.functions.stretches import UNDATED

Counts = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.int32]
Indices = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]

REWORDED = np.dtype([(name, np.int32) for name in REWRITE_COUNTS])
"""One record a pair. Weights in hundredths: `left_weight`, `right_weight` of all terms of a side; `shared_weight` of
those that both have, as often as both have them; of these the heaviest sequence that stands in the same order in both
is taken, and of it counted what stands at about the same height (`level_weight`: within LEVEL of the texts' lengths)
and in step with a neighbour (`paced_weight`: both texts take about as many terms from the one to the other).
`left_figures`, `right_figures`, `figures_shared`: distinct terms with a digit."""

COMMON_SHARE = 0.2
"""A term in this share of the surrounding articles weighs nothing; of .1, .2 and .3 the spun texts of the sparse years
had the most weight to show at .2 and .3."""
FEWEST_ARTICLES = 300
"""Fewer surrounding articles are taken for so many: among ten articles even rare words look common."""
LEAST_SEEN = 2.0
"""Articles: the pair itself has the term."""
MOST_WEIGHT = 500
LEVEL_PARTS = 20
"""One part in twenty of the length is level."""
APART = 3
"""A term that comes often is matched with its occurrences up to so many further or less far on in the other text."""
MOST_MATCHED = 6000
"""Matches of occurrences that are put in order: those of 1,500 words in common; longer texts have shown enough."""


class TermCounts(NamedTuple):
    """In how many articles of a stretch each term stands, by the term's slot, and of how many articles."""

    counts: Counts
    articles: int


EMPTY = TermCounts(np.zeros(1, np.uint32), 0)
Surroundings = tuple[TermCounts, TermCounts, TermCounts]


@numba.njit(nogil=True, cache=True)
def _slot(term: np.uint32, slots: int) -> np.int64:
    return np.int64((np.uint64(term) >> np.uint64(1)) & np.uint64(slots - 1))


@numba.njit(nogil=True, cache=True)
def _count(terms: WordHashes, offsets: Offsets, counts: Counts) -> None:
    seen = np.zeros(len(counts), np.uint32)
    for document in range(len(offsets) - 1):
        for at in range(offsets[document], offsets[document + 1]):
            slot = _slot(terms[at], len(counts))
            if seen[slot] != document + 1:
                seen[slot] = document + 1
                counts[slot] += np.uint32(1)


FINGERPRINTS = (("minhash", MINHASH_BYTES), ("text_digest", 16))
"""By the beginning of the first near copies are known, by that of the second which one counts."""


def count_terms(sketches: SketchFiles, handles: Handles) -> TermCounts:
    """The counts of the articles of one stretch; of near copies the one of the lowest digest counts."""
    if not len(handles):
        return EMPTY
    table = sketches.gather(handles, [name for name, _ in FINGERPRINTS])
    columns = [packed_bytes(table.column(name), width) for name, width in FINGERPRINTS]
    likeness, digests = (column[:, :8].copy().view(np.uint64)[:, 0] for column in columns)
    order = np.lexsort((digests, likeness))
    first = order[np.r_[True, likeness[order[1:]] != likeness[order[:-1]]]]
    terms, offsets = sketches.gather_words(handles[first], "terms")
    slots = 1 << max(12, min(22, (2 * len(terms)).bit_length()))
    counts = np.zeros(slots, np.uint32)
    _count(terms, offsets, counts)
    return TermCounts(counts, len(first))


@dataclass
class TermTables:
    """The counts of each stretch, made when first asked for; only the last few are held."""

    count: Callable[[int], TermCounts]

    def __post_init__(self) -> None:
        self._held: dict[int, TermCounts] = {}

    def of(self, stretch: int) -> TermCounts:
        """The counts of a stretch."""
        if stretch not in self._held:
            while len(self._held) >= HELD_TABLES:
                del self._held[next(iter(self._held))]
            self._held[stretch] = self.count(stretch)
        return self._held[stretch]

    def surroundings(self, stretch: int) -> Surroundings:
        """What decides the pairs whose earlier article is of this stretch, its own counts first."""
        if stretch == UNDATED:
            return (self.of(UNDATED), EMPTY, EMPTY)
        return (self.of(stretch), self.of(stretch - 1), self.of(stretch + 1))


HELD_TABLES = 6


_LEAST_BITS = np.uint32(0xFFFF)


@numba.njit(nogil=True, cache=True)
def _weigh_terms(
    terms: WordHashes, one: Counts, other: Counts, third: Counts, scale: float, common: WordHashes
) -> Weights:
    # By how many articles have a term: the logarithms are taken once.
    by_seen = np.zeros(max(1, math.ceil(scale)), np.int32)
    for seen in range(len(by_seen)):
        weight = 100.0 * math.log(scale / max(float(seen), LEAST_SEEN))
        by_seen[seen] = np.int32(min(float(MOST_WEIGHT), max(0.0, weight)))
    may_be_common = np.zeros(_LEAST_BITS + 1, np.bool_)
    may_be_common[common & _LEAST_BITS] = True
    weights = np.zeros(len(terms), np.int32)
    for at in range(len(terms)):
        term = terms[at]
        articles = np.int64(one[_slot(term, len(one))])
        articles += other[_slot(term, len(other))] + third[_slot(term, len(third))]
        if articles >= len(by_seen):
            continue
        if may_be_common[term & _LEAST_BITS]:
            place = np.searchsorted(common, term)
            if place < len(common) and common[place] == term:
                continue
        weights[at] = by_seen[articles]
    return weights


@numba.njit(nogil=True, cache=True)
def _sort_terms(terms: WordHashes, offsets: Offsets) -> tuple[WordHashes, Places]:
    """The terms of each article in ascending order, those that are the same by their place, and their places."""
    places = np.empty(len(terms), np.int32)
    ordered = np.empty(len(terms), np.uint32)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        keys = np.empty(end - start, np.uint64)
        for at in range(start, end):
            keys[at - start] = (np.uint64(terms[at]) << np.uint64(32)) | np.uint64(at - start)
        keys.sort()
        for at in range(start, end):
            ordered[at] = np.uint32(keys[at - start] >> np.uint64(32))
            places[at] = np.int32(keys[at - start] & np.uint64(0xFFFFFFFF))
    return ordered, places


@dataclass(frozen=True)
class Block:
    """Articles to be compared, with what their terms weigh: all pairs of them have the same surroundings.

    Attributes:
        handles: uint64[n]. days: int32[n], ascending. words: int64[n], lengths in words.
        terms, weights, places: of all articles, packed, each article's by term and then by the place in its text;
            offsets: int64[n + 1].
    """

    handles: Handles
    days: npt.NDArray[np.int32]
    words: Indices
    terms: WordHashes
    weights: Weights
    places: Places
    offsets: Offsets


def block_of(sketches: SketchFiles, handles: Handles, days: npt.NDArray[np.int32], surroundings: Surroundings) -> Block:
    """The block of the given articles, sorted by day and handle."""
    by_day = np.lexsort((handles, days))
    handles, days = handles[by_day], days[by_day]
    in_text, offsets = sketches.gather_words(handles, "terms")
    terms, places = _sort_terms(in_text, offsets)
    articles = max(FEWEST_ARTICLES, sum(near.articles for near in surroundings))
    counts = (near.counts for near in surroundings)
    weights = _weigh_terms(terms, *counts, COMMON_SHARE * articles, common_terms())
    words = sketches.gather_lengths(handles, "words")
    return Block(handles, days, words, terms, weights, places, offsets)


@numba.njit(nogil=True, cache=True)
def _before(terms: WordHashes, places: Places, offsets: Offsets, one: int, other: int) -> bool:
    """Whether `one` is walked along `other`: the one with fewer terms, or of the lower ones; not by arrival."""
    count, others = offsets[one + 1] - offsets[one], offsets[other + 1] - offsets[other]
    if count != others:
        return count < others
    for at in range(count):
        left, right = offsets[one] + at, offsets[other] + at
        if terms[left] != terms[right]:
            return terms[left] < terms[right]
        if places[left] != places[right]:
            return places[left] < places[right]
    return True


@numba.njit(nogil=True, cache=True)
def heaviest_in_order(places: Indices, weights: Weights, most_place: int) -> Indices:
    """The heaviest strictly ascending subsequence of `places` (0 to below `most_place`): indices, ascending.

    A tree of prefix maxima (Fenwick 1994) over the places: n log n.
    """
    n = len(places)
    tree = np.full(most_place + 1, -1, np.int64)
    best = np.zeros(n, np.int64)
    link = np.full(n, -1, np.int64)
    top = -1
    for at in range(n):
        before = -1
        place = places[at]
        while place > 0:
            other = tree[place]
            if other >= 0 and (before < 0 or best[other] > best[before]):
                before = other
            place -= place & -place
        link[at] = before
        best[at] = weights[at] + (best[before] if before >= 0 else 0)
        if top < 0 or best[at] > best[top]:
            top = at
        place = places[at] + 1
        while place <= most_place:
            if tree[place] < 0 or best[at] > best[tree[place]]:
                tree[place] = at
            place += place & -place
    count = 0
    at = top
    while at >= 0:
        count += 1
        at = link[at]
    found = np.empty(count, np.int64)
    at = top
    while at >= 0:
        count -= 1
        found[count] = at
        at = link[at]
    return found


@numba.njit(nogil=True, cache=True)
def _in_step(chain: Indices, at: int, near: int, places: Indices, others: Indices) -> bool:
    one, two = chain[at], chain[near]
    step, other_step = abs(places[one] - places[two]), abs(others[one] - others[two])
    return 10 * abs(step - other_step) <= 20 + 2 * max(step, other_step)


@numba.njit(nogil=True, cache=True)
def _level_and_paced(keys: Indices, worth: Weights, a_count: int, b_count: int) -> tuple[np.int64, np.int64]:
    """What of the heaviest sequence in order is level, and what is in step, by weight.

    Args:
        keys: int64[k], pairs of places with one term: the place in the one, times the terms of the other, plus how far
            the place in the other is from its end. worth: their weights.
    """
    by_place = np.argsort(keys)
    places, others = keys[by_place] // b_count, b_count - 1 - keys[by_place] % b_count
    weight_of = worth[by_place]
    chain = heaviest_in_order(others, weight_of, b_count)
    level = paced = np.int64(0)
    for at in range(len(chain)):
        one = chain[at]
        if LEVEL_PARTS * abs(places[one] * b_count - others[one] * a_count) <= a_count * b_count:
            level += weight_of[one]
        if (at > 0 and _in_step(chain, at, at - 1, places, others)) or (
            at + 1 < len(chain) and _in_step(chain, at, at + 1, places, others)
        ):
            paced += weight_of[one]
    return level, paced


@numba.njit(nogil=True, cache=True)
def _compare(
    terms: WordHashes,
    weights: Weights,
    places: Places,
    offsets: Offsets,
    left: Indices,
    right: Indices,
    in_order: bool,
    out: npt.NDArray[np.void],
) -> None:
    keys = np.empty(MOST_MATCHED, np.int64)
    worth = np.empty(MOST_MATCHED, np.int32)
    for pair in range(len(left)):
        record = out[pair]
        swapped = not _before(terms, places, offsets, left[pair], right[pair])
        a, b = (right[pair], left[pair]) if swapped else (left[pair], right[pair])
        a_start, a_end, b_start, b_end = offsets[a], offsets[a + 1], offsets[b], offsets[b + 1]
        a_count, b_count = a_end - a_start, b_end - b_start
        a_weight = b_weight = shared_weight = np.int64(0)
        a_figures = b_figures = figures = np.int64(0)
        matched = 0
        i, j = a_start, b_start
        while i < a_end or j < b_end:
            in_a = j >= b_end or (i < a_end and terms[i] <= terms[j])
            in_b = i >= a_end or (j < b_end and terms[j] <= terms[i])
            term = terms[i] if in_a else terms[j]
            weight = weights[i] if in_a else weights[j]
            a_first, b_first = i, j
            while in_a and i < a_end and terms[i] == term:
                i += 1
            while in_b and j < b_end and terms[j] == term:
                j += 1
            a_weight += weight * (i - a_first)
            b_weight += weight * (j - b_first)
            if term & np.uint32(1):
                a_figures += in_a
                b_figures += in_b
                figures += in_a and in_b
            if weight <= 0 or not (in_a and in_b):
                continue
            shared_weight += weight * min(i - a_first, j - b_first)
            if not in_order:
                continue
            for one in range(a_first, i):
                rank = one - a_first
                for other in range(b_first + max(0, rank - APART), min(j, b_first + rank + APART + 1)):
                    if matched < MOST_MATCHED:
                        # By the place in the one, then the later ones in the other first: no place is taken twice.
                        keys[matched] = places[one] * b_count + b_count - 1 - places[other]
                        worth[matched] = weight
                        matched += 1
        level = paced = shared_weight
        if in_order:
            level, paced = _level_and_paced(keys[:matched], worth, a_count, b_count)
        record["left_weight"] = b_weight if swapped else a_weight
        record["right_weight"] = a_weight if swapped else b_weight
        record["left_figures"] = b_figures if swapped else a_figures
        record["right_figures"] = a_figures if swapped else b_figures
        record["shared_weight"] = shared_weight
        record["level_weight"] = level
        record["paced_weight"] = paced
        record["figures_shared"] = figures


def compare(block: Block, left: Indices, right: Indices, *, in_order: bool = True) -> npt.NDArray[np.void]:
    """What pairs of a block (indices) have in common: REWORDED[n].

    Args:
        in_order: if not, order is not looked at (which costs most), and all is called level and paced that is shared:
            the most that it could be.
    """
    out = np.zeros(len(left), REWORDED)
    _compare(block.terms, block.weights, block.places, block.offsets, left, right, in_order, out)
    return out
