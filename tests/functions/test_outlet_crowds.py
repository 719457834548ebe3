"""What stands in many texts of one outlet on one day is furniture; a story that many outlets print is not."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest

from tests.functions.made_up import Article, sketch_files, text_of
from transforms.functions import outlet_crowds
from transforms.functions.matching import continue_stretch, count_stretch
from transforms.functions.rarity import rarity_slot
from transforms.functions.shingling import hash_words, shingle_at
from transforms.functions.signing import source_hashes

TICKER = "markets close higher as harbour reopens"
TEXTS = 25


def table_of(articles: list[Article], texts: int = TEXTS, files: int = 1) -> np.ndarray:
    sketches = sketch_files([articles[file::files] for file in range(files)])
    handles = np.concatenate([sketches.handles(number) for number in range(files)])
    return count_stretch(sketches, handles, texts)


def slot_of(phrase: str, slots: int) -> int:
    words, _ = hash_words(pa.array([phrase]))
    return int(rarity_slot(np.uint64(shingle_at(words, 0, len(words))), slots))


def pages(count: int, source: str | None = "The Page", day: int | None = 100) -> list[Article]:
    first = 1000 * (day or 0)
    return [Article(f"{source} {day} {at}", f"{text_of(first + at, 30)} {TICKER}", day, source) for at in range(count)]


@pytest.mark.parametrize(
    ("articles", "days"),
    [
        (pages(TEXTS), 255),
        (pages(TEXTS - 1), 1),
        ([*pages(30)[:12], *(dataclasses.replace(one, source=" the page ") for one in pages(30)[12:25])], 255),
        ([*pages(13), *pages(13, day=101)], 2),
        (pages(60, None), 1),
        ([Article(str(at), f"{text_of(at, 30)} {TICKER}", 100, f"paper {at}") for at in range(60)], 1),
    ],
    ids=["a page's", "one too few", "whatever the case", "two days", "unknown outlets", "sixty papers"],
)
def test_a_ticker_of_one_day(articles: list[Article], days: int) -> None:
    for files in (1, 3):
        table = table_of(articles, files=files)
        assert table[slot_of("as harbour reopens", len(table))] == days
        # What a text alone has stays as rare as it was.
        assert table[slot_of(" ".join(articles[0].text.split()[:3]), len(table))] == 1


def test_a_phrase_that_a_text_repeats_counts_once() -> None:
    articles = [Article(str(at), f"{TICKER} {text_of(at, 20)} {TICKER}", 100, "The Page") for at in range(13)]
    table = table_of(articles)
    assert table[slot_of("as harbour reopens", len(table))] == 1


def test_crowds_equal_a_naive_count() -> None:
    chance = random.Random(5)
    letters = "abcd"
    articles = [
        Article(str(at), " ".join(chance.choices(letters, k=9)) + f" {at}", chance.randrange(3), chance.choice("xyz"))
        for at in range(120)
    ]  # fmt: skip
    found: dict[str, dict[tuple[int | None, str | None], set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in articles:
        words = one.text.split()
        for at in range(len(words) - 2):
            found[" ".join(words[at : at + 3])][one.day, one.source].add(one.name)
    table = table_of(articles, texts=5)
    crowded = {phrase for phrase, groups in found.items() if max(map(len, groups.values())) >= 5}
    assert 0 < len(crowded) < len(found)
    assert {phrase for phrase in found if table[slot_of(phrase, len(table))] == 255} == crowded
    rest = {phrase: len({day for day, _ in groups}) for phrase, groups in found.items() if phrase not in crowded}
    assert {phrase: int(table[slot_of(phrase, len(table))]) for phrase in rest} == rest


def test_of_a_very_large_crowd_some_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet_crowds, "MOST_TEXTS", 30)
    table = table_of(pages(200))
    assert table[slot_of("as harbour reopens", len(table))] == 255


def test_a_table_that_goes_on_counts_what_one_count_does() -> None:
    """The ticker crosses the line with the new articles only, and an old day's does not change."""
    old = [*pages(20), *pages(30, day=102), *(Article(f"old {at}", text_of(900 + at, 200), 101) for at in range(150))]
    new = [Article(f"new {at}", f"{text_of(500 + at, 30)} {TICKER}", 100, "The Page") for at in range(8)]
    sketches = sketch_files([old, new])
    handles = [sketches.handles(number) for number in (0, 1)]
    before = count_stretch(sketches, handles[0], TEXTS)
    after = count_stretch(sketches, np.concatenate(handles), TEXTS)
    ranks = np.sort(sketches.gather_id_ranks(handles[0]))
    found = continue_stretch(sketches, ranks, before, np.concatenate(handles), TEXTS)
    assert found is not None
    assert np.array_equal(found, after)
    assert not np.array_equal(before, after)
    assert Counter(after.tolist())[255] > 0


def test_outlets_are_known_by_their_names() -> None:
    found = source_hashes(pa.array(["The Page", None, " the page", "The Wire"])).to_pylist()
    assert found[0] == found[2] != found[3]
    assert found[1] is None
    assert source_hashes(pa.nulls(2, pa.string())).to_pylist() == [None, None]
