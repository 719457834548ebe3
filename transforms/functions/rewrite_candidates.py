"""Pairs of articles that may be rewrites: an inverted index over the terms of a block, walked article by article.

A term that stands in many articles proposes nothing; what an article has in common with the later ones near it is added
up over the lists of its other terms (term-at-a-time, Buckley and Lewit 1985), and enough of it makes a pair.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.rarity import NO_DAY
from transforms.functions.rewriting import Block, Indices, TermCounts, Weights
from transforms.functions.shingling import Offsets, WordHashes

Entries = npt.NDArray[np.int32]
Keys = npt.NDArray[np.uint64]

PROPOSING_WEIGHT = 400
"""A pair with less in common is not looked at: about two rare names. Of 48 rewrites made by hand the least has 404, the
next 533."""
PROPOSING_SHARE = 0.05
PROPOSING_LENGTH = 0.75
"""The shorter text's share of the longer: the least of 48 rewrites made by hand has .79."""

_DOCUMENT = np.uint64(0xFFFFFFFF)


@numba.njit(nogil=True, cache=True)
def _entries(
    terms: WordHashes, weights: Weights, offsets: Offsets, crowded: npt.NDArray[np.bool_]
) -> tuple[Keys, Weights, Offsets, Indices]:
    """What the index holds: a key an article and distinct term, with the term's weight, by article and then term.

    Returns:
        keys: uint64[k], the term above, the article below.
        weights: int32[k]. starts: int64[n + 1], where an article's begin. totals: int64[n], with crowded terms.
    """
    n = len(offsets) - 1
    keys = np.empty(len(terms), np.uint64)
    kept_weights = np.empty(len(terms), np.int32)
    starts = np.zeros(n + 1, np.int64)
    totals = np.zeros(n, np.int64)
    count = 0
    for document in range(n):
        before = np.uint32(0)
        for at in range(offsets[document], offsets[document + 1]):
            term = terms[at]
            if term == before or weights[at] <= 0:
                continue
            before = term
            totals[document] += weights[at]
            if not crowded[at]:
                keys[count] = (np.uint64(term) << np.uint64(32)) | np.uint64(document)
                kept_weights[count] = weights[at]
                count += 1
        starts[document + 1] = count
    return keys[:count].copy(), kept_weights[:count].copy(), starts, totals


@numba.njit(nogil=True, cache=True)
def _index(keys: Keys, starts: Offsets) -> tuple[Entries, Indices, Indices]:
    """The lists of all terms: documents (int32[k]) by term; for each entry, by article and then term, where it stands
    in its list, and where that ends."""
    count = len(keys)
    documents = np.empty(count, np.int32)
    ends = np.empty(count, np.int64)
    for at in range(count - 1, -1, -1):
        documents[at] = keys[at] & _DOCUMENT
        goes_on = at + 1 < count and keys[at] >> np.uint64(32) == keys[at + 1] >> np.uint64(32)
        ends[at] = ends[at + 1] if goes_on else at + 1
    place_of = np.empty(count, np.int64)
    end_of = np.empty(count, np.int64)
    filled = starts[:-1].copy()
    for at in range(count):
        entry = filled[documents[at]]
        filled[documents[at]] += 1
        place_of[entry] = at
        end_of[entry] = ends[at]
    return documents, place_of, end_of


@numba.njit(nogil=True, cache=True)
def _longer(values: Indices) -> Indices:
    out = np.empty(2 * len(values), np.int64)
    out[: len(values)] = values
    return out


@numba.njit(nogil=True, cache=True)
def _walk(
    documents: Entries,
    place_of: Indices,
    end_of: Indices,
    weights: Weights,
    starts: Offsets,
    totals: Indices,
    last_near: Indices,
    words: Indices,
    first: int,
    last: int,
) -> tuple[Indices, Indices]:
    """Pairs of articles, the earlier one in [first, last): those with enough weight of distinct terms in common."""
    shared = np.zeros(len(totals), np.int64)
    touched = np.empty(len(totals), np.int64)
    left, right = np.empty(1024, np.int64), np.empty(1024, np.int64)
    made = 0
    for document in range(first, last):
        found = 0
        near = last_near[document]
        for entry in range(starts[document], starts[document + 1]):
            weight = weights[entry]
            for at in range(place_of[entry] + 1, end_of[entry]):
                other = documents[at]
                if other > near:
                    break
                if shared[other] == 0:
                    touched[found] = other
                    found += 1
                shared[other] += weight
        for at in range(found):
            other = touched[at]
            enough = max(np.int64(PROPOSING_WEIGHT), np.int64(PROPOSING_SHARE * max(totals[document], totals[other])))
            shorter, longer = min(words[document], words[other]), max(words[document], words[other])
            if shared[other] >= enough and shorter >= PROPOSING_LENGTH * longer:
                if made == len(left):
                    left, right = _longer(left), _longer(right)
                left[made], right[made] = document, other
                made += 1
            shared[other] = 0
    return left[:made].copy(), right[:made].copy()


def propose(
    block: Block, own: TermCounts, first: int, last: int, window: int, max_term_articles: int
) -> tuple[Indices, Indices, int]:
    """Pairs of a block that may be rewrites, as indices (int64[n] each), and how many terms proposed nothing.

    Args:
        own: the counts of the stretch that the earlier articles are of.
        first, last: indices of the earlier articles.
        window: days between the two at most; undated ones have no days between them.
        max_term_articles: terms of more articles of the stretch propose nothing.
    """
    slots = (block.terms.astype(np.int64) >> 1) & (len(own.counts) - 1)
    crowded = own.counts[slots] > max_term_articles
    keys, weights, starts, totals = _entries(block.terms, block.weights, block.offsets, crowded)
    keys.sort()
    days = np.where(block.days == NO_DAY, 0, block.days).astype(np.int64)
    last_near = np.searchsorted(days, days + window, side="right") - 1
    left, right = _walk(*_index(keys, starts), weights, starts, totals, last_near, block.words, first, last)
    return left, right, int((crowded & (block.weights > 0)).sum())
