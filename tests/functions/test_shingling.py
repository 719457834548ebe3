"""Word and shingle hashes: the kernel agrees with the plain folding, and with naive references."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.functions.made_up import text_of, words_of
from transforms.functions.folding import TABLE_SIZE, fold_character, fold_words
from transforms.functions.shingling import distinct_shingles, hash_words, packed_text, shingle_at, sort_hashes

MASK = (1 << 64) - 1
MIXED = st.text(
    st.one_of(
        st.sampled_from(" \n.,12٣۴९ـ\u200f\u200c\u0301ةىأﻻﷺﬁßİ½²"),
        st.characters(min_codepoint=0x600, max_codepoint=0x6FF),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x4E20),
        st.characters(min_codepoint=0x3040, max_codepoint=0x30FF),
        st.characters(min_codepoint=0xE00, max_codepoint=0xE7F),
        st.characters(min_codepoint=0xFB50, max_codepoint=0xFEFF),
        st.sampled_from("\U00010400\U0001d7ce\U0001f600\U00020000\U000e0100\U0010fffd"),
    ),
    max_size=60,
)


def folds_beyond(text: str) -> bool:
    """Whether a character of the tables folds to one beyond them: see the bug below."""
    return any(ord(one) < TABLE_SIZE and any(ord(part) >= TABLE_SIZE for part in fold_character(one)) for one in text)


def unpacked(texts: list[str]) -> list[list[int]]:
    words, offsets = hash_words(pa.array(texts, pa.string()))
    return [words[start:end].tolist() for start, end in pairwise(offsets)]


def agree(texts: list[str]) -> None:
    """Words are as many as in the plain twin; the same word has the same hash everywhere, another word another one."""
    hash_of: dict[str, int] = {}
    for text, hashes in zip(texts, unpacked(texts), strict=True):
        words = fold_words(text)
        assert len(hashes) == len(words)
        for word, value in zip(words, hashes, strict=True):
            assert hash_of.setdefault(word, value) == value
    assert len(set(hash_of.values())) == len(hash_of)


@settings(max_examples=300)
@given(st.lists(st.text(max_size=60).filter(lambda text: not folds_beyond(text)), max_size=6))
@example(["", " ", "\x00", "a"])
@example(["word\ufdfaword", "\ufdfa" * 3, "\u3300", "½½½"])
@example(["ab \U00020000cd\U00020000\U00020001 ef", "漢a漢"])
def test_kernel_agrees_on_any_text(texts: list[str]) -> None:
    agree(texts)


@settings(max_examples=300)
@given(st.lists(MIXED, max_size=6))
def test_kernel_agrees_on_mixtures(texts: list[str]) -> None:
    agree(texts)


def test_kernel_agrees_on_every_code_point() -> None:
    codes = [code for code in [*range(0x20100), *range(0xE0000, 0xE01F0), 0x10FFFF] if not 0xD800 <= code <= 0xDFFF]
    texts = [f"a{chr(code)}b" for code in codes if not folds_beyond(chr(code))]
    assert [len(hashes) for hashes in unpacked(texts)] == [len(fold_words(text)) for text in texts]


def test_kernel_agrees_on_characters_that_fold_beyond_the_tables() -> None:
    texts = [f"a{chr(code)}b" for code in range(TABLE_SIZE) if folds_beyond(chr(code))]
    assert [len(hashes) for hashes in unpacked(texts)] == [len(fold_words(text)) for text in texts] == [3] * len(texts)


@given(st.lists(MIXED, min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_slices_and_wide_columns_are_the_same(texts: list[str], start: int, length: int) -> None:
    column = pa.array(texts, pa.string()).slice(start, length)
    words, offsets = hash_words(column)
    again, again_offsets = hash_words(pa.array(column.to_pylist(), pa.large_string()))
    assert (words.tolist(), offsets.tolist()) == (again.tolist(), again_offsets.tolist())


def test_lowest_bit_says_digit() -> None:
    words = ["boat", "12", "b12", "١٢", "１２", "²", "ⅻ", "x", "twelve"]
    assert [value & 1 for [value] in unpacked(words)] == [0, 1, 1, 1, 1, 1, 0, 0, 0]
    # A digit doesn't mark the words beside it, nor a character that is a word of its own.
    assert [value & 1 for value in unpacked(["漢1漢 boat 2 boat"])[0]] == [0, 1, 0, 0, 1, 0]


@given(MIXED)
def test_digit_bit_on_any_text(text: str) -> None:
    [hashes] = unpacked([text])
    assert [value & 1 for value in hashes] == [int(any("0" <= one <= "9" for one in word)) for word in fold_words(text)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([], pa.string()),
        pa.array(["a b"]).slice(1, 0),
        pa.array(["a"]).filter(pa.array([False])),
        pa.array(["", " "], pa.string()),
    ],
)
def test_no_words(column: pa.StringArray) -> None:
    words, offsets = hash_words(column)
    assert (len(words), offsets.tolist()) == (0, [0] * (len(column) + 1))


def test_nulls_are_refused() -> None:
    with pytest.raises(ValueError, match="1 texts are null; expected none"):
        packed_text(pa.array(["a", None]))


def test_word_hashes_are_stored_so_they_never_change() -> None:
    """A change here makes every store's fingerprints incomparable: raise signing.FOLDING_VERSION with it."""
    assert unpacked(["harbour 12 الوزير 漢"]) == [[2458975332, 3738848641, 4237975460, 2455421164]]


def test_made_up_words_do_not_collide() -> None:
    words = sorted(set(words_of(5, 60_000)))
    hashes = {value for [value] in unpacked(words)}
    # 60,000 of 2^31: less than one collision expected.
    assert len(words) - len(hashes) <= 4


@given(st.lists(st.integers(0, MASK), max_size=200))
def test_sort_hashes_any_values(values: list[int]) -> None:
    given_values = np.array(values, np.uint64)
    assert sort_hashes(given_values.copy()).tolist() == sorted(values)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 66, 1000, 20_000])
@pytest.mark.parametrize(
    "shape", ["spread", "equal", "equal upper half", "two prefixes", "falling", "few values", "ends"]
)
def test_sort_hashes_adversarial(count: int, shape: str) -> None:
    drawn = np.random.Generator(np.random.PCG64(count)).integers(0, 1 << 64, count, np.uint64)
    values = {
        "spread": drawn,
        "equal": np.full(count, MASK, np.uint64),
        "equal upper half": (drawn & np.uint64(0xFFFFFFFF)) | np.uint64(0xABCD << 48),
        "two prefixes": (drawn & np.uint64(1)) << np.uint64(63) | (drawn >> np.uint64(40)),
        "falling": np.sort(drawn)[::-1].copy(),
        "few values": drawn % np.uint64(7),
        "ends": np.where(drawn & np.uint64(1), np.uint64(MASK), np.uint64(0)),
    }[shape]
    assert (sort_hashes(values.copy()) == np.sort(values)).all()


def naive_shingles(words: list[int], size: int) -> list[int]:
    """By the definition, over Python's integers."""

    def mix(value: int) -> int:
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
        value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
        return value ^ value >> 31

    def shingle(part: list[int]) -> int:
        value = len(part)
        for word in part:
            value = (value ^ word) * 0x9E3779B97F4A7C15 & MASK
            value ^= value >> 32
        return mix(value)

    if not words:
        return []
    return sorted({shingle(words[at : at + size]) for at in range(max(1, len(words) - size + 1))})


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 7), st.integers(0, 4))
def test_distinct_shingles_equal_the_naive_ones(words: list[int], size: int, before: int) -> None:
    packed = np.array([9] * before + words + [8, 8], np.uint32)
    found = distinct_shingles(packed, before, before + len(words), size)
    assert found.tolist() == naive_shingles(words, size)


def test_shingles_of_long_text() -> None:
    [words] = unpacked([text_of(1, 3000)])
    assert distinct_shingles(np.array(words, np.uint32), 0, 3000, 5).tolist() == naive_shingles(words, 5)


def test_a_short_text_is_one_shingle_of_all_its_words() -> None:
    words = np.array(unpacked(["harbour closed today"])[0], np.uint32)
    assert distinct_shingles(words, 0, 3, 5).tolist() == [int(shingle_at(words, 0, 3))]
    assert distinct_shingles(words, 0, 3, 5).tolist() != distinct_shingles(words, 0, 2, 5).tolist()
    assert distinct_shingles(words, 1, 1, 5).tolist() == []
    # The number of words is part of the hash: two words and a null word are no three words.
    padded = np.array([words[0], words[1], 0], np.uint32)
    assert shingle_at(padded, 0, 3) != shingle_at(padded, 0, 2)
