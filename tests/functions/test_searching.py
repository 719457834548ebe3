from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.functions.packed_text import pack
from transforms.functions.searching import (
    Pieces,
    counts_to,
    find_heads,
    find_matches,
    find_whole,
    join_pieces,
    searcher,
    without_counts,
)

PATTERNS = [
    re2.compile("(?m)" + pattern)
    for pattern in (
        r"a+", r"\s*a+\s*", r"(?:^|\s)b(?:\s|$)", r"^a.*$", r"[^a]+b?", r"\bab\b", r"(?:a|[^b]{2})$", r"^\s*ب[^a]?",
    )
]  # fmt: skip


def alone(pattern: Any, text: bytes, *, every: bool) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    while at <= len(text):
        begin, stop = searcher(pattern)(text, at, len(text))[0]
        if begin < 0:
            break
        found.append((begin, stop))
        if not every:
            break
        at = max(stop, begin + 1)
    return found


def joined(texts: list[str], kinds: list[int], most: int) -> Pieces:
    packed = pack(pa.array(texts))
    return join_pieces(packed, packed.offsets[:-1], packed.offsets[1:], np.array(kinds, np.int64), most)


@given(
    st.lists(st.text(alphabet="aab ب.", max_size=9) | st.sampled_from(["a" * 200, "ab " * 60]), max_size=12),
    st.sampled_from(PATTERNS),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_pieces_match_as_each_does_alone(texts: list[str], pattern: Any, every: bool) -> None:
    pieces = joined(texts, [0] * len(texts), 1)
    assert len(pieces.starts) == len({text if len(text.encode()) <= 128 else k for k, text in enumerate(texts)})
    found: dict[int, list[tuple[int, int]]] = {}
    for piece, begin, stop in zip(*find_matches(pattern, pieces, 0, len(pieces.starts), every=every), strict=True):
        start = int(pieces.starts[piece])
        found.setdefault(piece, []).append((begin - start, stop - start))
    for text, piece in zip(texts, pieces.piece.tolist(), strict=True):
        assert found.get(piece, []) == alone(pattern, text.encode(), every=every), text


def test_kinds_stay_apart_and_are_searched_apart() -> None:
    pieces = joined(["ab", "b", "ab", "ab", "a"], [0, 0, 0, 2, 2], 4)
    assert pieces.first.tolist() == [0, 2, 2, 4, 4]
    assert pieces.piece.tolist() == [0, 1, 0, 2, 3]
    assert find_matches(PATTERNS[0], pieces, 2, 4, every=False)[0] == [2, 3]
    assert find_matches(PATTERNS[0], pieces, 2, 2, every=False) == ([], [], [])


@pytest.mark.parametrize("every", [False, True])
def test_no_pieces(every: bool) -> None:
    assert find_matches(PATTERNS[0], joined([], [], 1), 0, 0, every=every) == ([], [], [])


WHOLE = [r"a+", r"[ b]*a{2,}", r"a.{0,60}b", r".*\bb\b.*", r"(?:a|[^b]{2})", r"ب[^a]?", r""]


@given(st.lists(st.text(alphabet="aab ب.", max_size=9), min_size=1, max_size=12), st.sampled_from(WHOLE), st.booleans())
@settings(max_examples=400, deadline=None)
def test_whole_pieces_match_as_between_line_bounds(texts: list[str], body: str, sieved: bool) -> None:
    pattern = f"(?m)^(?:{body})$"
    pieces = joined(texts, [0] * len(texts), 1)
    sieve = re2.compile(without_counts(pattern)) if sieved else None
    found = find_whole(re2.compile(pattern), sieve, pieces, 0, len(pieces.starts))
    assert found == find_matches(re2.compile(pattern), pieces, 0, len(pieces.starts), every=False)[0]


@given(st.lists(st.text(alphabet="aab ب.", max_size=9), min_size=1, max_size=12), st.sampled_from(WHOLE))
@settings(max_examples=400, deadline=None)
def test_heads_are_matches_at_a_pieces_first_byte(texts: list[str], body: str) -> None:
    pieces = joined(texts, [0] * len(texts), 1)
    pattern = re2.compile(f"(?m)^(?:{body})")
    piece, _, stop = find_matches(pattern, pieces, 0, len(pieces.starts), every=False)
    assert find_heads(pattern, pieces) == (piece, stop)


@pytest.mark.parametrize(
    ("pattern", "uncounted", "most"),
    [
        (r"a{3}b", r"a{3}b", 0),
        (r"a{0,60}b{2,}c{1,4}?", r"a*b+c+?", 60),
        (r"\x{0621}{2,5}[{}\]]{1,9}\{2,4\}", r"\x{0621}+[{}\]]+\{2,4\}", 9),
        (r"\p{L}{40,}", r"\p{L}+", 40),
        (r"a{00,3}[[:alpha:]{2,3}]\Qa{2,3}\E", r"a*[[:alpha:]{2,3}]\Qa{2,3}\E", 3),
    ],
)
def test_counted_repetitions_are_found(pattern: str, uncounted: str, most: int) -> None:
    assert (without_counts(pattern), counts_to(pattern)) == (uncounted, most)
