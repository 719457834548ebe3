from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.functions.packed_text import pack
from transforms.functions.searching import Pieces, find_matches, join_pieces, searcher

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
