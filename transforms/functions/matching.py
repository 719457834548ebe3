"""Postings out of sketch files, and evidence for proposed pairs: the plain twins of `transforms.match_articles`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schemas.settings import MatchSettings
from transforms.functions.evidence import EVIDENCE, weigh_pairs
from transforms.functions.joining import Handles, anchor_postings, band_postings
from transforms.functions.rarity import NO_DAY, count_days, day_keys
from transforms.functions.sketch_files import SketchFiles, days_of, packed_bytes

WEIGHED = np.dtype([("left", np.uint64), ("right", np.uint64), ("evidence", EVIDENCE)])
"""A proposed pair with its evidence; left < right as handles."""


def band_postings_of(
    sketches: SketchFiles, number: int, left_out: Handles, settings: MatchSettings
) -> npt.NDArray[np.void]:
    """Band postings of a file's articles, without those in `left_out` (sorted)."""
    keep = present(sketches.handles(number), left_out)
    return band_postings(
        sketches.signatures(number)[keep], sketches.handles(number)[keep], sketches.id_ranks(number)[keep],
        sketches.days(number)[keep], bands=settings.lsh_bands, rows=settings.lsh_rows, window_days=settings.window_days,
    )  # fmt: skip


def anchor_postings_of(sketches: SketchFiles, number: int, left_out: Handles) -> npt.NDArray[np.void]:
    """Anchor postings of a file's articles, without those in `left_out` (sorted)."""
    anchors, offsets = sketches.anchors(number)
    postings = anchor_postings(anchors, offsets, sketches.handles(number), sketches.days(number))
    return postings[present(postings["handle"], left_out)]


def present(handles: Handles, left_out: Handles) -> npt.NDArray[np.bool_]:
    """Which handles are not among `left_out` (ascending)."""
    if not len(left_out):
        return np.ones(len(handles), np.bool_)
    at = np.minimum(np.searchsorted(left_out, handles), len(left_out) - 1)
    return left_out[at] != handles


def weigh(
    sketches: SketchFiles, pairs: npt.NDArray[np.void], rarity: npt.NDArray[np.uint8], settings: MatchSettings
) -> npt.NDArray[np.void]:
    """Evidence of proposed pairs.

    Args:
        pairs: PAIR[n].
        rarity: uint8[slots], the days table.

    Returns:
        WEIGHED[n].
    """
    handles, places = np.unique(np.concatenate([pairs["left"], pairs["right"]]), return_inverse=True)
    words, offsets = sketches.gather_words(handles)
    table = sketches.gather(handles, ["day", "text_digest"])
    days = days_of(table)
    keys = day_keys(days, packed_bytes(table.column("text_digest"), 16))
    n = len(pairs)
    out = np.empty(n, WEIGHED)
    out["left"], out["right"] = pairs["left"], pairs["right"]
    out["evidence"] = weigh_pairs(words, offsets, places[:n], places[n:], keys, rarity, settings.rare_days)
    out["evidence"]["days_apart"] = days_apart(days[places[:n]], days[places[n:]])
    return out


def days_apart(left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The days between articles, 0 where either has no date: int32[n]."""
    known = (left != NO_DAY) & (right != NO_DAY)
    return np.where(known, np.abs(left.astype(np.int64) - right), 0).astype(np.int32)


def count_rarity(
    sketches: SketchFiles, left_out: Handles, first_slot: int, size: int, slots: int
) -> npt.NDArray[np.uint8]:
    """One range of the days table, over all articles but those in `left_out` (ascending)."""
    seen = np.zeros(size, np.uint32)
    handles = np.concatenate([sketches.handles(number) for number in range(len(sketches.paths))] or [NONE])
    every_key = [day_keys(sketches.days(number), sketches.digests(number)) for number in range(len(sketches.paths))]
    keys = np.concatenate(every_key) if every_key else np.zeros(0, np.uint16)
    keep = present(handles, left_out)
    handles, keys = handles[keep], keys[keep]
    # Day by day over all files, so that a day is counted once wherever its articles stand.
    order = np.argsort(keys, kind="stable")
    for start in range(0, len(order), ARTICLES_AT_ONCE):
        chunk = order[start : start + ARTICLES_AT_ONCE]
        words, offsets = sketches.gather_words(handles[chunk])
        count_days(words, offsets, keys[chunk], first_slot, slots, seen)
    return (seen & np.uint32(255)).astype(np.uint8)


NONE = np.empty(0, np.uint64)
ARTICLES_AT_ONCE = 5000
"""Articles counted at once: their shingles take about 100 MB, and fewer at once keep more of that in the cache."""
