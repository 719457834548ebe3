"""Which pairs of articles are worth weighing: joins over bands, digests and anchors, as packed numpy blocks.

An article in flight is a *handle*: the number of its sketch file and its row, in 48 bits. A *posting* is a key (an
anchor, or a band's hash) with the handle and the article's day. Postings and pairs travel as bytes; no text does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.minhash import Signature
from transforms.functions.rarity import NO_DAY
from transforms.functions.shingling import Offsets, ShingleHashes
from transforms.functions.stretches import stretches_of

Handles = npt.NDArray[np.uint64]
POSTING = np.dtype([("key", np.uint64), ("handle", np.uint64), ("day", np.int32)])
BAND_POSTING = np.dtype([("key", np.uint64), ("handle", np.uint64), ("rank", np.uint64)])
PAIR = np.dtype([("left", np.uint64), ("right", np.uint64), ("shared", np.int32)])
ROW_BITS = 24
MAX_ROWS = 1 << ROW_BITS


def handles_of(file_number: int, rows: npt.NDArray[np.int64]) -> Handles:
    """Handles of rows of a sketch file.

    Raises:
        ValueError: a file has more than 2^24 rows.
    """
    if len(rows) and int(rows[-1]) >= MAX_ROWS:
        raise ValueError(f"sketch file {file_number} has row {int(rows[-1])}; expected below {MAX_ROWS}: smaller parts")
    return (np.uint64(file_number) << np.uint64(ROW_BITS)) | rows.astype(np.uint64)


def file_and_row(handles: Handles) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The file numbers and rows of handles."""
    return (handles >> np.uint64(ROW_BITS)).astype(np.int64), (handles & np.uint64(MAX_ROWS - 1)).astype(np.int64)


def anchor_postings(
    anchors: ShingleHashes, offsets: Offsets, handles: Handles, days: npt.NDArray[np.int32]
) -> npt.NDArray[np.void]:
    """POSTING[total anchors] of n articles: anchors uint64[total], offsets int64[n + 1], days int32[n]."""
    lengths = np.diff(offsets)
    found = np.empty(int(lengths.sum()), POSTING)
    found["key"] = anchors[offsets[0] : offsets[-1]]
    found["handle"] = np.repeat(handles, lengths)
    found["day"] = np.repeat(days, lengths)
    return found


def keep_keys(anchors: ShingleHashes, offsets: Offsets, keys: ShingleHashes) -> tuple[ShingleHashes, Offsets]:
    """The anchors of n articles that are among `keys` (ascending), packed with their offsets."""
    marks = np.zeros(KEY_MARKS, np.bool_)
    marks[keys & np.uint64(KEY_MARKS - 1)] = True
    kept = np.flatnonzero(marks[anchors & np.uint64(KEY_MARKS - 1)])
    kept = kept[np.isin(anchors[kept], keys)]
    return anchors[kept], np.searchsorted(kept, offsets).astype(np.int64)


KEY_MARKS = 1 << 20
"""Marks of keys by their lower bits: of anchors that are not wanted all but one in a hundred fall at the first look."""


def band_postings(
    signatures: Signature,
    handles: Handles,
    ranks: npt.NDArray[np.uint64],
    days: npt.NDArray[np.int32],
    *,
    bands: int,
    rows: int,
    window_days: int,
) -> npt.NDArray[np.void]:
    """BAND_POSTING[n * bands]: the key of a band is a hash of its number, its rows of the signature, and the window.

    Args:
        signatures: uint32[n, 128]; handles, ranks: uint64[n]; days: int32[n].
        window_days: articles of different stretches of so many days get different keys; what lies across a border
            is left to the anchors.
    """
    found = np.empty((bands, len(handles)), BAND_POSTING)
    stretch = (days // max(1, window_days)).astype(np.int64).view(np.uint64)
    for band in range(bands):
        key = (stretch + np.uint64(band + 1)) * np.uint64(0x9E3779B97F4A7C15)
        for row in range(band * rows, (band + 1) * rows):
            key = (key ^ signatures[:, row].astype(np.uint64)) * np.uint64(0xD6E8FEB86659FD93)
            key ^= key >> np.uint64(32)
        found[band]["key"] = key
        found[band]["handle"] = handles
        found[band]["rank"] = ranks
    return found.reshape(-1)


def by_partition(
    blocks: npt.NDArray[np.void], keys: npt.NDArray[np.uint64], partitions: int
) -> Iterator[tuple[bytes, bytes]]:
    """The rows of `blocks` by a hash of their key: (partition's name, packed rows), empty partitions left out."""
    mixed = (keys ^ (keys >> np.uint64(31))) * np.uint64(0xD6E8FEB86659FD93)
    partition = ((mixed >> np.uint64(40)) % np.uint64(partitions)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    ends = np.searchsorted(partition[order], np.arange(partitions + 1))
    for number in range(partitions):
        rows = order[ends[number] : ends[number + 1]]
        if len(rows):
            yield str(number).encode(), blocks[rows].tobytes()


@numba.njit(nogil=True, cache=True)
def _pair_within(
    keys: npt.NDArray[np.uint64],
    handles: Handles,
    days: npt.NDArray[np.int32],
    stretches: npt.NDArray[np.int64],
    window: int,
    cap: int,
    left: Handles,
    right: Handles,
) -> tuple[int, int, int]:
    """Pairs of postings of one key within the window. Returns pairs, capped postings, and pairs not made (counted)."""
    made = capped = lost = 0
    n = len(keys)
    crowded = np.zeros(n, np.bool_)
    start = 0
    while start < n:
        end = start + 1
        while end < n and keys[end] == keys[start]:
            end += 1
        dated = start
        while dated < end and days[dated] == NO_DAY:
            dated += 1
        # A crowd is what stands in one stretch (and what is undated): what comes later elsewhere changes nothing in it.
        first = start
        while first < end:
            last = first + 1
            while last < end and stretches[last] == stretches[first]:
                last += 1
            crowd = last - first + (dated - start if first >= dated else 0)
            if crowd > cap:
                crowded[first:last] = True
                capped += last - first
            first = last
        ahead = dated
        for one in range(start, end):
            if one < dated:
                last = end
            else:
                while ahead < end and days[ahead] - days[one] <= window:
                    ahead += 1
                last = ahead
            # Both ends must be uncrowded: which of the two comes first is an accident of arrival.
            if crowded[one]:
                # Counted, not walked: 100,000 articles that share a paragraph would be thousands of millions of steps.
                same = one + 1
                while same < last and handles[same] == handles[one]:
                    same += 1
                lost += last - same
                continue
            for other in range(one + 1, last):
                a, b = handles[one], handles[other]
                if a == b:
                    continue
                if crowded[other]:
                    lost += 1
                    continue
                if made < len(left):
                    left[made] = min(a, b)
                    right[made] = max(a, b)
                made += 1
        start = end
    return made, capped, lost


def join_postings(
    postings: npt.NDArray[np.void], *, window_days: int, cap: int
) -> tuple[npt.NDArray[np.void], int, int]:
    """Pairs of articles that share a key, at most `window_days` apart (undated ones with all).

    Args:
        postings: POSTING[n] of one partition.
        cap: a posting in a crowd of more of its key in its stretch of window_days (undated ones are in every crowd),
            itself counted, proposes nothing.

    Returns:
        pairs: PAIR[distinct pairs], `shared` keys each.
        capped: postings that proposed nothing because of the cap, and the pairs not made for it.
    """
    order = np.lexsort((postings["handle"], postings["day"], postings["key"]))
    keys, handles, days = (np.ascontiguousarray(postings[name][order]) for name in ("key", "handle", "day"))
    stretches = stretches_of(days, window_days)
    none = np.empty(0, np.uint64)
    made, capped, lost = _pair_within(keys, handles, days, stretches, window_days, cap, none, none)
    left, right = np.empty(made, np.uint64), np.empty(made, np.uint64)
    _pair_within(keys, handles, days, stretches, window_days, cap, left, right)
    pairs = np.empty(made, PAIR)
    pairs["left"], pairs["right"], pairs["shared"] = left, right, 1
    return sum_pairs(pairs), capped, lost


def star_buckets(postings: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Pairs of every posting with the lowest-ranked one of its key: a bucket of n gives n - 1 pairs, however large.

    Args:
        postings: BAND_POSTING[n]; the ranks come from the articles' ids, so that order of arrival doesn't matter.
    """
    order = np.lexsort((postings["handle"], postings["rank"], postings["key"]))
    keys, handles = postings["key"][order], postings["handle"][order]
    if not len(keys):
        return np.empty(0, PAIR)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    heads = np.repeat(handles[starts], np.diff(np.r_[starts, len(keys)]))
    pick = heads != handles
    pairs = np.empty(int(pick.sum()), PAIR)
    pairs["left"] = np.minimum(heads[pick], handles[pick])
    pairs["right"] = np.maximum(heads[pick], handles[pick])
    pairs["shared"] = 1
    return sum_pairs(pairs)


def sum_pairs(pairs: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Equal pairs made one, their `shared` added up; ascending by (left, right)."""
    if not len(pairs):
        return pairs
    order = np.lexsort((pairs["right"], pairs["left"]))
    pairs = pairs[order]
    new = np.r_[True, (pairs["left"][1:] != pairs["left"][:-1]) | (pairs["right"][1:] != pairs["right"][:-1])]
    starts = np.flatnonzero(new)
    out = pairs[starts].copy()
    out["shared"] = np.add.reduceat(pairs["shared"], starts)
    return out
