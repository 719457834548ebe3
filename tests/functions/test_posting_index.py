"""The index of postings that grows block by block: what it pairs, beside a naive join of all articles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from transforms.functions.posting_index import SHARED, PostingIndex, blocks_of, sum_shared
from transforms.functions.rarity import NO_DAY

PARTITIONS = 3
Article = tuple[int, int, tuple[int, ...]]
"""Day, digest, anchors."""


def some_articles(count: int, seed: int) -> list[Article]:
    chance = np.random.default_rng(seed)
    return [
        (NO_DAY if chance.random() < 0.1 else int(chance.integers(0, 60)), int(chance.integers(0, 3 * count)),
         tuple(sorted({int(anchor) for anchor in chance.integers(0, 50, 8)})))
        for _ in range(count)
    ]  # fmt: skip


def added(indices: list[PostingIndex], name: str, articles: list[Article]) -> list[tuple[str, int, int, int]]:
    """Adds a batch to an index for each partition; what it shares: (block, row there, row, anchors in common)."""
    offsets = np.cumsum([0, *(len(anchors) for _, _, anchors in articles)])
    anchors = np.array([anchor for _, _, every in articles for anchor in every], np.uint64)
    days = np.array([day for day, _, _ in articles], np.int32)
    digests = np.array([digest for _, digest, _ in articles], np.uint64)
    header = {"name": name, "step": 0}
    answers = []
    for index, block in zip(indices, blocks_of(header, days, digests, anchors, offsets, PARTITIONS), strict=True):
        packed = block.pack()
        again = type(block).unpack(packed)
        assert again.header == header
        assert (again.postings == block.postings).all()
        shared, names, _ = index.add(again, packed)
        answers.append((names, shared))
    names, shared = sum_shared(answers)
    return sorted((names[block], other, row, count) for row, block, other, count in shared.tolist())


def naive(batches: list[list[Article]], window: int) -> list[list[tuple[str, int, int, int]]]:
    """What each batch shares with those before it and with its own earlier rows, pair by pair."""
    before: list[tuple[str, int, Article]] = []
    firsts: dict[int, tuple[str, int]] = {}
    found = []
    for number, batch in enumerate(batches):
        name = f'{{"step": 0, "name": "batch-{number}"}}'
        rows = []
        for row, (day, digest, anchors) in enumerate(batch):
            if digest in firsts:
                rows.append((*firsts[digest], row, len(anchors)))
                continue
            firsts[digest] = (name, row)
            for block, other, (other_day, _, others) in before:
                near = NO_DAY in (day, other_day) or abs(day - other_day) <= window
                if near and set(anchors) & set(others):
                    rows.append((block, other, row, len(set(anchors) & set(others))))
            before.append((name, row, (day, digest, anchors)))
        found.append(sorted(rows))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_those_of_a_naive_join(seed: int) -> None:
    articles = some_articles(120, seed)
    batches = [articles[at : at + 1 + 13 * (at % 3)] for at in (0, 40, 80)] + [[], articles[100:]]
    indices = [PostingIndex(10, 10_000) for _ in range(PARTITIONS)]
    found = [added(indices, f"batch-{number}", batch) for number, batch in enumerate(batches)]
    assert found == naive(batches, 10)
    assert sum(map(len, found)) > 20


def test_a_crowded_anchor_proposes_nothing_and_holds_no_more() -> None:
    indices = [PostingIndex(10, 3) for _ in range(PARTITIONS)]
    counts = [len(added(indices, str(number), [(0, number, (7,))])) for number in range(7)]
    assert counts == [0, 1, 2, 3, 0, 0, 0]
    assert len(added(indices, "later", [(50, 99, (7,))])) == 0, "others than those of its window crowd it"
    assert len(added(indices, "after", [(51, 98, (7,))])) == 1


def test_versions_tell_what_an_index_holds() -> None:
    def indices_of(*numbers: int) -> list[bytes]:
        indices = [PostingIndex(10, 60) for _ in range(PARTITIONS)]
        for number in numbers:
            added(indices, str(number), [(0, number, (number, 2 * number))])
        return [index.version for index in indices]

    assert indices_of(1, 2, 3) == indices_of(1, 2, 3)
    for other in itertools.permutations((1, 2, 3)):
        assert (indices_of(*other) == indices_of(1, 2, 3)) == (other == (1, 2, 3))


def test_nothing_is_shared_by_nobody() -> None:
    names, shared = sum_shared([([], np.empty(0, SHARED))])
    assert (names, len(shared)) == ([], 0)
