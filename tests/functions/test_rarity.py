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
from transforms.functions.matching import count_rarity
from transforms.functions.rarity import NO_DAY, count_rare, day_keys, rarity_slot, table_slots
from transforms.functions.shingling import hash_words, shingle_at
from transforms.functions.sketch_files import SketchFiles

NONE = np.empty(0, np.uint64)
SLOTS = 1 << 16


def table_of(files: list[list[Article]], left_out: npt.NDArray[np.uint64] = NONE) -> npt.NDArray[np.uint8]:
    return count_rarity(sketch_files(files), left_out, 0, SLOTS, SLOTS)


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


@pytest.mark.parametrize("ranges", [1, 2, 8])
def test_ranges_put_together_are_the_whole(ranges: int) -> None:
    files = [[Article(f"{file} {n}", text_of(n % 7, 80), n) for n in range(30)] for file in range(3)]
    sketches, size = sketch_files(files), SLOTS // ranges
    parts = [count_rarity(sketches, NONE, number * size, size, SLOTS) for number in range(ranges)]
    assert (np.concatenate(parts) == table_of(files)).all()


def test_no_files() -> None:
    assert not count_rarity(SketchFiles([], dict.__getitem__), NONE, 0, 64, 64).any()  # type: ignore[arg-type]


def test_rare_shingles_of_articles() -> None:
    words, offsets = hash_words(pa.array(["the harbour closed again", "", "the harbour", "tides for today"]))
    table = np.full(SLOTS, 4, np.uint8)
    table[rarity_slot(np.uint64(shingle_at(words, 0, 3)), SLOTS)] = 3
    assert count_rare(words, offsets, table, 2).tolist() == [1, 0, 0, 0]
    assert count_rare(words, offsets, table, 3).tolist() == [2, 0, 1, 1]


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
    assert 1 << 16 <= slots <= 1 << 28
    assert slots >= min(2 * words, 1 << 28)
