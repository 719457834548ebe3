"""Postings out of sketch files, and evidence for proposed pairs: the plain twins of `transforms.match_articles`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schemas.settings import MatchSettings
from transforms.functions.evidence import EVIDENCE, weigh_pairs
from transforms.functions.joining import Handles, anchor_postings, band_postings, keep_keys
from transforms.functions.outlet_crowds import crowded_by_outlet
from transforms.functions.rarity import (
    NO_DAY,
    DaysTable,
    count_days,
    count_rare,
    day_keys,
    slots_of,
    table_slots,
)
from transforms.functions.shingling import ShingleHashes
from transforms.functions.sketch_files import IdRanks, SketchFiles, days_of, packed_bytes
from transforms.functions.stretches import Days, DaysTables

WEIGHED = np.dtype([("left", np.uint64), ("right", np.uint64), ("asked", np.bool_), ("evidence", EVIDENCE)])
"""A pair with its evidence, proposed by what it shares or asked for by a story; left < right as handles."""


def band_postings_of(
    sketches: SketchFiles, number: int, left_out: Handles, settings: MatchSettings
) -> npt.NDArray[np.void]:
    """Band postings of a file's articles, without those in `left_out` (sorted)."""
    keep = present(sketches.handles(number), left_out)
    return band_postings(
        sketches.signatures(number)[keep], sketches.handles(number)[keep], sketches.id_ranks(number)[keep],
        sketches.days(number)[keep], bands=settings.lsh_bands, rows=settings.lsh_rows, window_days=settings.window_days,
    )  # fmt: skip


def anchor_postings_of(
    sketches: SketchFiles, number: int, left_out: Handles, keys: ShingleHashes | None = None
) -> npt.NDArray[np.void]:
    """Anchor postings of a file's articles, without those in `left_out` (sorted); only of the given keys, if any."""
    anchors, offsets = sketches.anchors(number)
    if keys is not None:
        anchors, offsets = keep_keys(anchors, offsets, keys)
    postings = anchor_postings(anchors, offsets, sketches.handles(number), sketches.days(number))
    return postings[present(postings["handle"], left_out)]


def present(handles: Handles, left_out: Handles) -> npt.NDArray[np.bool_]:
    """Which handles are not among `left_out` (ascending)."""
    if not len(left_out):
        return np.ones(len(handles), np.bool_)
    at = np.minimum(np.searchsorted(left_out, handles), len(left_out) - 1)
    return left_out[at] != handles


def weigh(
    sketches: SketchFiles, pairs: npt.NDArray[np.void], tables: DaysTables, settings: MatchSettings
) -> npt.NDArray[np.void]:
    """Evidence of proposed pairs.

    Args:
        pairs: PAIR[n].
        tables: where rarity is looked up.

    Returns:
        WEIGHED[n].
    """
    handles, places = np.unique(np.concatenate([pairs["left"], pairs["right"]]), return_inverse=True)
    table = sketches.gather(handles, ["day", "text_digest"])
    days = days_of(table)
    keys = day_keys(days, packed_bytes(table.column("text_digest"), 16))
    n = len(pairs)
    left, right = places[:n], places[n:]
    out = np.empty(n, WEIGHED)
    out["left"], out["right"], out["asked"] = pairs["left"], pairs["right"], False
    for rows, surroundings in tables.by_surroundings(days[left], days[right]):
        used, at = np.unique(np.concatenate([left[rows], right[rows]]), return_inverse=True)
        words, offsets = sketches.gather_words(handles[used])
        out["evidence"][rows] = weigh_pairs(
            words, offsets, at[: len(rows)], at[len(rows) :], keys[used], surroundings, settings.rare_days
        )
    out["evidence"]["days_apart"] = days_apart(days[left], days[right])
    return out


def days_apart(left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The days between articles, 0 where either has no date: int32[n]."""
    known = (left != NO_DAY) & (right != NO_DAY)
    return np.where(known, np.abs(left.astype(np.int64) - right), 0).astype(np.int32)


def count_stretch(sketches: SketchFiles, handles: Handles, outlet_texts: int) -> DaysTable:
    """The table of days of the articles of one stretch; its size depends on their number of words alone.

    Args:
        outlet_texts: what stands in so many texts of one outlet on one day counts as seen on more days than any other.
    """
    seen = np.zeros(_slots_for(sketches, handles), np.uint32)
    table = sketches.gather(handles, ["day", "text_digest"])
    keys = day_keys(days_of(table), packed_bytes(table.column("text_digest"), 16))
    # Day by day over all files, so that a day is counted once wherever its articles stand.
    order = np.argsort(keys, kind="stable")
    for start in range(0, len(order), ARTICLES_AT_ONCE):
        chunk = order[start : start + ARTICLES_AT_ONCE]
        words, offsets = sketches.gather_words(handles[chunk])
        count_days(words, offsets, keys[chunk], seen)
    counted = (seen & np.uint32(255)).astype(np.uint8)
    counted[crowded_by_outlet(sketches, handles, keys, outlet_texts, len(counted))] = 255
    return counted


def continue_stretch(
    sketches: SketchFiles, before: IdRanks, table: DaysTable, handles: Handles, outlet_texts: int
) -> DaysTable | None:
    """The table of a stretch that has got more articles, from the one it had: what `count_stretch` would count.

    Args:
        before: the id ranks of the articles counted in `table`, ascending.
        handles: the articles to be counted.
        outlet_texts: see `count_stretch`.

    Returns:
        None where counting anew is as quick, or the only way: an article is gone, or the table must be larger.
    """
    is_new = ~np.isin(sketches.gather_id_ranks(handles), before, assume_unique=True)
    new = int(is_new.sum())
    if new * 8 > len(handles) or len(handles) - new != len(before) or _slots_for(sketches, handles) != len(table):
        return None
    rows = sketches.gather(handles, ["day", "text_digest"])
    keys = day_keys(days_of(rows), packed_bytes(rows.column("text_digest"), 16))
    table = table.copy()
    for key in np.unique(keys[is_new]).tolist():
        of_day = keys == key
        slots = slots_of(*sketches.gather_words(handles[of_day & is_new]), len(table))
        known = slots_of(*sketches.gather_words(handles[of_day & ~is_new]), len(table))
        slots = np.setdiff1d(slots, known, assume_unique=True)
        table[slots] = np.minimum(table[slots].astype(np.uint16) + 1, 255)
    of_days = np.isin(keys, keys[is_new])
    table[crowded_by_outlet(sketches, handles[of_days], keys[of_days], outlet_texts, len(table))] = 255
    return table


def _slots_for(sketches: SketchFiles, handles: Handles) -> int:
    return table_slots(int(sketches.gather_lengths(handles, "words").sum()))


def completeness_of(
    sketches: SketchFiles, handles: Handles, tables: DaysTables, settings: MatchSettings
) -> npt.NDArray[np.int64]:
    """How many rare 3-shingles each article has, what its completeness is measured by: int64[n]."""
    table = sketches.gather(handles, ["day", "completeness"])
    days = days_of(table)
    settled = table.column("completeness").is_valid().to_numpy()
    found = table.column("completeness").fill_null(0).to_numpy().astype(np.int64)
    if settled.all():
        return found
    open_at = np.flatnonzero(~settled)
    found[open_at] = _rare_shingles(sketches, handles[open_at], days[open_at], tables, settings)
    return found


def _rare_shingles(
    sketches: SketchFiles, handles: Handles, days: Days, tables: DaysTables, settings: MatchSettings
) -> npt.NDArray[np.int64]:
    found = np.zeros(len(handles), np.int64)
    for rows, surroundings in tables.by_surroundings(days, days):
        words, offsets = sketches.gather_words(handles[rows])
        found[rows] = count_rare(words, offsets, surroundings, settings.rare_days)
    return found


ARTICLES_AT_ONCE = 5000
"""Articles counted at once: their shingles take about 100 MB, and fewer at once keep more of that in the cache."""
