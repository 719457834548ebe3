"""The table of days: days are counted, not articles, wherever they stand."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.functions.made_up import Article, sketch_files, text_of
from transforms.functions.matching import count_stretch
from transforms.functions.rarity import NO_DAY, count_rare, day_keys, days_seen, rarity_slot, table_slots
from transforms.functions.shingling import hash_words, shingle_at
from transforms.functions.stretches import UNDATED, Changed, DaysTables, Ends, stretches_of

NONE = np.empty(0, np.uint64)
SLOTS = 1 << 16


def table_of(files: list[list[Article]], left_out: npt.NDArray[np.uint64] = NONE) -> npt.NDArray[np.uint8]:
    sketches = sketch_files(files)
    handles = np.concatenate([sketches.handles(number) for number in range(len(files))])
    table = count_stretch(sketches, handles[~np.isin(handles, left_out)], 25)
    assert len(table) == SLOTS
    return table


def days_on(table: npt.NDArray[np.uint8], phrase: str) -> int:
    words, _ = hash_words(pa.array([phrase]))
    return int(table[rarity_slot(np.uint64(shingle_at(words, 0, len(words))), len(table))])


def test_fifty_papers_in_two_days_are_two_days() -> None:
    papers = [Article(f"paper {number}", "the harbour closed again", day=100 + number % 2) for number in range(50)]
    weekly = [Article(f"week {number}", "the tides for today", day=100 + 7 * number) for number in range(20)]
    table = table_of([papers, weekly])
    assert (days_on(table, "the harbour closed"), days_on(table, "harbour closed again")) == (2, 2)
    assert days_on(table, "the tides for") == 20
    assert days_on(table, "closed again never") == 0
    assert int((table > 0).sum()) == 4


def test_a_phrase_twice_in_an_article_counts_once() -> None:
    assert days_on(table_of([[Article("a", "so it was so it was so it was")]]), "so it was") == 1


def test_a_day_with_others_between_counts_once() -> None:
    """Articles of a day stand in several files, others between them."""
    files = [[Article(f"{file} {day}", "the harbour closed", day) for day in (3, 1, 2)] for file in range(4)]
    assert days_on(table_of(files), "the harbour closed") == 3


def test_undated_articles_have_a_day_by_their_text() -> None:
    same = [Article(f"s{number}", "the harbour closed", None) for number in range(9)]
    other = [Article(f"o{number}", f"the harbour closed {text_of(number, 3)}", None) for number in range(3)]
    assert days_on(table_of([same]), "the harbour closed") == 1
    assert days_on(table_of([same, other]), "the harbour closed") == 4
    assert days_on(table_of([same, [Article("dated", "the harbour closed", 5)]]), "the harbour closed") == 2


def test_counts_stop_at_255() -> None:
    daily = [Article(str(day), "the harbour closed", day) for day in range(400)]
    assert days_on(table_of([daily]), "the harbour closed") == 255


def test_short_texts_count_as_one_shingle() -> None:
    table = table_of([[Article("a", "harbour closed", 1), Article("b", "harbour", 1), Article("c", "", 1)]])
    assert (days_on(table, "harbour closed"), days_on(table, "harbour"), int((table > 0).sum())) == (1, 1, 2)


def test_left_out_articles_do_not_count() -> None:
    files = [[Article("a", "the harbour closed", 1), Article("b", "the harbour closed", 2)]]
    assert days_on(table_of(files, np.array([1], np.uint64)), "the harbour closed") == 1


ARTICLES = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(-2, 4)), st.lists(st.sampled_from("abcd"), max_size=8).map(" ".join)),
    max_size=10,
).map(lambda rows: [Article(str(place), text, day) for place, (day, text) in enumerate(rows)])


@settings(max_examples=60)
@given(ARTICLES, st.integers(1, 4), st.integers(0, 10**6))
def test_order_and_files_are_irrelevant(articles: list[Article], files: int, seed: int) -> None:
    shuffled = random.Random(seed).sample(articles, len(articles))
    one, many = table_of([articles]), table_of([shuffled[number::files] for number in range(files)])
    assert (one == many).all()


@settings(max_examples=60)
@given(ARTICLES)
def test_table_equals_brute_force(articles: list[Article]) -> None:
    wanted: dict[int, set[object]] = {}
    for article in articles:
        words, _ = hash_words(pa.array([article.text]))
        length = min(3, len(words))
        for at in range(len(words) - length + 1 if length else 0):
            slot = int(rarity_slot(np.uint64(shingle_at(words, at, length)), SLOTS))
            wanted.setdefault(slot, set()).add(article.text if article.day is None else article.day)
    table = table_of([articles])
    assert {slot: int(table[slot]) for slot in np.flatnonzero(table).tolist()} == {
        slot: len(days) for slot, days in wanted.items()
    }


EMPTY = np.zeros(1, np.uint8)


def test_rare_shingles_of_articles() -> None:
    words, offsets = hash_words(pa.array(["the harbour closed again", "", "the harbour", "tides for today"]))
    table = np.full(SLOTS, 4, np.uint8)
    table[rarity_slot(np.uint64(shingle_at(words, 0, 3)), SLOTS)] = 3
    assert count_rare(words, offsets, (table, EMPTY, EMPTY, EMPTY), 2).tolist() == [1, 0, 0, 0]
    assert count_rare(words, offsets, (table, EMPTY, EMPTY, EMPTY), 3).tolist() == [2, 0, 1, 1]


def test_day_keys() -> None:
    digests = np.zeros((4, 16), np.uint8)
    digests[2:, 0] = 7
    keys = day_keys(np.array([0, 20_000, NO_DAY, NO_DAY], np.int32), digests)
    assert keys.tolist() == [0, 20_000, 0x8700, 0x8700]
    # No dated article shares its key with an undated one, whatever its day.
    days = np.arange(-40_000, 40_000, dtype=np.int32)
    assert int(day_keys(days, np.zeros((len(days), 16), np.uint8)).max()) < 0x8000


@pytest.mark.parametrize("words", [0, 1, 1 << 15, (1 << 15) + 1, 10**6, 10**9, 10**12])
def test_table_slots(words: int) -> None:
    slots = table_slots(words)
    assert slots & (slots - 1) == 0
    assert 1 << 16 <= slots <= 1 << 32
    assert slots >= min(2 * words, 1 << 32)


def test_days_of_several_tables_add_up_to_255() -> None:
    words, _ = hash_words(pa.array(["the harbour closed"]))
    shingle = np.array([shingle_at(words, 0, 3)], np.uint64)
    tables = [np.zeros(size, np.uint8) for size in (64, 128, 64)]
    for table, days in zip(tables, (3, 4, 5), strict=True):
        table[rarity_slot(shingle[0], len(table))] = days
    assert days_seen(shingle, (*tables, EMPTY)).tolist() == [12]
    tables[1][:] = 250
    assert days_seen(shingle, (*tables, EMPTY)).tolist() == [255]


def test_stretches() -> None:
    days = np.array([0, 29, 30, -1, NO_DAY], np.int32)
    assert stretches_of(days, 30).tolist() == [0, 0, 1, -1, UNDATED]
    assert stretches_of(days[:2], 0).tolist() == [0, 29]


DAY = st.one_of(st.just(NO_DAY), st.integers(-100, 100))


@settings(max_examples=300)
@given(DAY, DAY, st.lists(DAY, max_size=4), st.integers(1, 9))
def test_what_a_run_decides_anew(left: int, right: int, new: list[int], window: int) -> None:
    """A pair is decided anew exactly if a table it looks into has changed; and what it needs proposes."""
    days = [np.array([day], np.int32) for day in (left, right)]
    ends = [Ends(np.zeros(1, np.uint64), one) for one in days]
    stretches = frozenset(stretches_of(np.array(new, np.int32), window).tolist())
    changed = Changed(stretches, window)
    looked_into: list[int] = []

    def table_of(stretch: int) -> npt.NDArray[np.uint8]:
        looked_into.append(stretch)
        return np.zeros(2, np.uint8)

    [(rows, _)] = DaysTables(table_of, window).by_surroundings(*days)
    assert rows.tolist() == [0]
    decided = bool(changed.decides(*ends)[0])
    assert decided == bool(stretches & set(looked_into))
    if decided:
        # Both ends propose, and so does all of their stretches, which may crowd them.
        for day in (left, right):
            first = day // window * window
            near = [day] if day == NO_DAY else list(range(first, first + window))
            if abs(left - right) <= window or NO_DAY in (left, right):
                assert changed.concerns(np.array(near, np.int32)).all()
        known = set(changed.surroundings(np.array(sorted(set(looked_into)), np.int64)).tolist())
        assert known == set(looked_into)
    elif stretches & set(stretches_of(np.array([left, right], np.int32), window).tolist()):
        # What stands in a changed stretch may be crowded or collapsed otherwise now: no pair with it is left as it was.
        assert NO_DAY not in (left, right)
        assert abs(left - right) > window
    assert Changed(None, window).decides(*ends).all()
    assert Changed(None, window).concerns(days[0]).all()
