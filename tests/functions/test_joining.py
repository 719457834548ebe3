"""Joins against brute force: windows, undated articles, caps, and whatever order postings come in."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.functions.joining import (
    BAND_POSTING,
    MAX_ROWS,
    PAIR,
    POSTING,
    anchor_postings,
    band_postings,
    by_partition,
    file_and_row,
    handles_of,
    join_postings,
    star_buckets,
    sum_pairs,
)
from transforms.functions.rarity import NO_DAY

Posting = tuple[int, int, int]
Pairs = dict[tuple[int, int], int]

DAYS = st.one_of(st.just(NO_DAY), st.integers(-3, 12))
# An article has one day, and an anchor once.
ARTICLES = st.lists(st.tuples(DAYS, st.sets(st.integers(0, 3), max_size=4)), max_size=12)
SHAPE = {"window": st.integers(0, 6), "cap": st.integers(2, 9)}


def postings_of(articles: list[tuple[int, set[int]]]) -> list[Posting]:
    return [(key, handle, day) for handle, (day, keys) in enumerate(articles) for key in keys]


def packed(postings: list[Posting]) -> npt.NDArray[np.void]:
    return np.array(postings, POSTING)


def as_dict(pairs: npt.NDArray[np.void]) -> Pairs:
    return {(left, right): shared for left, right, shared in pairs.tolist()}


def near(one: int, other: int, window: int) -> bool:
    return NO_DAY in (one, other) or abs(one - other) <= window


def brute_force(postings: list[Posting], window: int, cap: int) -> tuple[Pairs, int, int]:
    """Pairs, capped postings and pairs not made, by the definition."""
    of_key: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key, handle, day in postings:
        of_key[key].append((handle, day))
    pairs: Counter[tuple[int, int]] = Counter()
    capped = lost = 0
    for members in of_key.values():
        undated, length = sum(day == NO_DAY for _, day in members), max(1, window)
        dated = Counter(day // length for _, day in members if day != NO_DAY)
        # An undated article is crowded by undated ones alone, a dated one by its stretch too.
        crowds = [undated + (0 if day == NO_DAY else dated[day // length]) for _, day in members]
        capped += sum(crowd > cap for crowd in crowds)
        for a, b in combinations(range(len(members)), 2):
            (left, day), (right, other) = members[a], members[b]
            if not near(day, other, window):
                continue
            if max(crowds[a], crowds[b]) > cap:
                lost += 1
            else:
                pairs[min(left, right), max(left, right)] += 1
    return dict(pairs), capped, lost


@settings(max_examples=400)
@given(ARTICLES, SHAPE["window"], SHAPE["cap"], st.randoms(use_true_random=False))
def test_join_equals_brute_force(articles, window, cap, random) -> None:  # type: ignore[no-untyped-def]
    postings = postings_of(articles)
    random.shuffle(postings)
    pairs, capped, _ = join_postings(packed(postings), window_days=window, cap=cap)
    wanted, wanted_capped, _ = brute_force(postings, window, cap)
    assert (as_dict(pairs), capped) == (wanted, wanted_capped)
    assert [row[:2] for row in pairs.tolist()] == sorted(wanted)


@settings(max_examples=200)
@given(ARTICLES, SHAPE["window"], SHAPE["cap"], st.randoms(use_true_random=False))
def test_renumbered_handles_give_the_same_pairs(articles, window, cap, random) -> None:  # type: ignore[no-untyped-def]
    postings = postings_of(articles)
    new = list(range(100, 100 + len(articles)))
    random.shuffle(new)
    renumbered = [(key, new[handle], day) for key, handle, day in postings]
    random.shuffle(renumbered)
    first = join_postings(packed(postings), window_days=window, cap=cap)
    second = join_postings(packed(renumbered), window_days=window, cap=cap)
    moved = {tuple(sorted((new[a], new[b]))): shared for (a, b), shared in as_dict(first[0]).items()}
    assert (moved, first[1:]) == (as_dict(second[0]), second[1:])
    assert first[1:] == brute_force(postings, window, cap)[1:]


def test_join_examples() -> None:
    def pairs_of(postings: list[Posting], cap: int = 60) -> Pairs:
        return as_dict(join_postings(packed(postings), window_days=3, cap=cap)[0])

    assert pairs_of([]) == {}
    assert pairs_of([(7, 1, 0)]) == {}
    assert pairs_of([(7, 1, 0), (7, 2, 3), (7, 3, 4)]) == {(1, 2): 1, (2, 3): 1}
    assert pairs_of([(7, 1, 0), (7, 2, NO_DAY), (7, 3, 400)]) == {(1, 2): 1, (2, 3): 1}
    assert pairs_of([(7, 1, 0), (7, 2, 0), (8, 2, 0), (8, 1, 0)]) == {(1, 2): 2}
    # Three on a day are too many, whichever comes first; on its own day a pair of the same anchor still meets.
    crowd = [(7, 1, 0), (7, 2, 0), (7, 3, 0), (7, 4, 50), (7, 5, 50)]
    assert pairs_of(crowd, cap=2) == {(4, 5): 1}
    # A crowd is of one stretch of three days: 2 and 3 stand in the next one, 4 in the one after.
    assert pairs_of([(7, 1, 0), (7, 2, 3), (7, 3, 4), (7, 4, 6)], cap=1) == {}
    assert pairs_of([(7, 1, 0), (7, 2, 3), (7, 3, 4), (7, 4, 6)], cap=2) == {(1, 2): 1, (2, 3): 1, (2, 4): 1, (3, 4): 1}
    # An undated article is crowded by other undated ones alone, however long the archive; a dated one by both.
    assert pairs_of([(7, 1, 0), (7, 2, 100), (7, 3, NO_DAY)], cap=2) == {(1, 3): 1, (2, 3): 1}
    assert pairs_of([(7, 1, 0), (7, 2, 0), (7, 3, NO_DAY)], cap=2) == {}
    assert pairs_of([(7, 1, 0), (7, 2, NO_DAY), (7, 3, NO_DAY)], cap=1) == {}


def test_days_at_the_ends_of_their_range() -> None:
    postings = [(7, 1, 2**31 - 1), (7, 2, NO_DAY + 1), (7, 3, NO_DAY)]
    found = join_postings(packed(postings), window_days=36500, cap=60)[0]
    assert as_dict(found) == {(1, 3): 1, (2, 3): 1}


def test_lost_pairs_are_counted() -> None:
    _, capped, lost = join_postings(packed([(7, n, 0) for n in range(5)]), window_days=3, cap=4)
    assert (capped, lost) == (5, 10)


def test_a_crowd_costs_no_more_than_its_size() -> None:
    """200,000 postings of one key on one day: no pair, no quadratic time (2 x 10^10 pairs otherwise)."""
    postings = np.zeros(200_000, POSTING)
    postings["handle"] = np.arange(200_000)
    pairs, capped, lost = join_postings(postings, window_days=30, cap=60)
    assert (len(pairs), capped, lost) == (0, 200_000, 200_000 * 199_999 // 2)


BUCKETS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=40, unique=True)


@settings(max_examples=200)
@given(BUCKETS, st.permutations(list(range(10))), st.randoms(use_true_random=False))
def test_stars_equal_brute_force(bucket, ranks, random) -> None:  # type: ignore[no-untyped-def]
    random.shuffle(bucket)
    postings = np.array([(key, handle, ranks[handle]) for key, handle in bucket], BAND_POSTING)
    wanted: Counter[tuple[int, int]] = Counter()
    for key in {key for key, _ in bucket}:
        members = sorted((handle for one, handle in bucket if one == key), key=ranks.__getitem__)
        for other in members[1:]:
            wanted[min(members[0], other), max(members[0], other)] += 1
    assert as_dict(star_buckets(postings)) == dict(wanted)


def test_stars_follow_ranks_not_handles() -> None:
    postings = np.array([(5, 1, 30), (5, 2, 10), (5, 3, 20), (6, 9, 1)], BAND_POSTING)
    assert as_dict(star_buckets(postings)) == {(1, 2): 1, (2, 3): 1}
    assert len(star_buckets(postings[:0])) == 0
    many = np.zeros(100_000, BAND_POSTING)
    many["handle"] = many["rank"] = np.arange(100_000)
    assert len(star_buckets(many)) == 99_999


@given(st.lists(st.integers(0, 2**64 - 1), max_size=80), st.integers(1, 20))
def test_partitions_lose_nothing_and_keep_keys_together(keys: list[int], partitions: int) -> None:
    postings = packed([(key, number, 0) for number, key in enumerate(keys)])
    parts = dict(by_partition(postings, postings["key"], partitions))
    blocks = [np.frombuffer(block, POSTING) for block in parts.values()]
    assert sorted(row for block in blocks for row in block.tolist()) == sorted(postings.tolist())
    assert all(len(block) for block in blocks)
    assert {int(name) for name in parts} <= set(range(partitions))
    places = [key for block in blocks for key in set(block["key"].tolist())]
    assert len(places) == len(set(places))
    # A key's partition depends on the key alone.
    again = dict(by_partition(postings[::-1], postings["key"][::-1], partitions))
    assert {name: set(np.frombuffer(block, POSTING)["key"].tolist()) for name, block in again.items()} == {
        name: set(np.frombuffer(block, POSTING)["key"].tolist()) for name, block in parts.items()
    }


def test_partitions_are_even_enough() -> None:
    keys = np.random.Generator(np.random.PCG64(1)).integers(0, 1 << 61, 80_000, np.uint64)
    postings = np.zeros(80_000, POSTING)
    postings["key"] = keys
    sizes = [len(block) // POSTING.itemsize for _, block in by_partition(postings, keys, 8)]
    assert len(sizes) == 8
    assert max(sizes) < 10_600


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9), st.integers(1, 5)), max_size=40))
def test_sum_pairs(rows: list[tuple[int, int, int]]) -> None:
    wanted: Counter[tuple[int, int]] = Counter()
    for left, right, shared in rows:
        wanted[left, right] += shared
    found = sum_pairs(np.array(rows, PAIR))
    assert found.tolist() == [(*pair, wanted[pair]) for pair in sorted(wanted)]


def test_handles() -> None:
    handles = handles_of(70_000, np.array([0, 5, MAX_ROWS - 1]))
    files, rows = file_and_row(handles)
    assert (files.tolist(), rows.tolist()) == ([70_000] * 3, [0, 5, MAX_ROWS - 1])
    assert handles_of(3, np.array([MAX_ROWS - 1]))[0] < handles_of(4, np.array([0]))[0]
    with pytest.raises(ValueError, match="smaller parts"):
        handles_of(1, np.array([0, MAX_ROWS]))


def test_anchor_postings() -> None:
    anchors, offsets = np.array([99, 3, 5, 7], np.uint64), np.array([1, 3, 3, 4])
    found = anchor_postings(anchors, offsets, np.array([10, 11, 12], np.uint64), np.array([1, 2, NO_DAY], np.int32))
    assert found.tolist() == [(3, 10, 1), (5, 10, 1), (7, 12, NO_DAY)]


def test_band_postings_meet_where_a_band_is_equal() -> None:
    drawn = np.random.Generator(np.random.PCG64(3)).integers(0, 1 << 32, (1, 128), np.uint32)
    signatures = np.repeat(drawn, 5, axis=0)
    signatures[1, 8:] += np.uint32(1)  # only band 0 is the same
    signatures[2, ::8] += np.uint32(1)  # no band is the same
    handles = np.arange(5, dtype=np.uint64)
    days = np.array([4, 4, 4, 5, 10], np.int32)
    found = band_postings(signatures, handles, handles, days, bands=16, rows=8, window_days=10)
    keys = {one: set(found["key"][found["handle"] == one].tolist()) for one in range(5)}
    assert [len(keys[0] & keys[other]) for other in range(5)] == [16, 1, 0, 16, 0]
    # The same rows in another band are another key.
    same_rows = np.ones((1, 128), np.uint32)
    alone = band_postings(same_rows, handles[:1], handles[:1], days[:1], bands=16, rows=8, window_days=10)
    assert len(set(alone["key"].tolist())) == 16


def test_a_crowd_costs_a_step_a_posting() -> None:
    """300,000 articles that share an anchor: walking their pairs would be 45 thousand million steps, a minute or so."""
    postings = np.zeros(300_000, POSTING)
    postings["handle"] = np.arange(300_000)
    join_postings(postings[:10], window_days=30, cap=2)  # compiles
    started = time.process_time()
    pairs, capped, lost = join_postings(postings, window_days=30, cap=60)
    assert (len(pairs), capped, lost) == (0, 300_000, 300_000 * 299_999 // 2)
    assert time.process_time() - started < 5
