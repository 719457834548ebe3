"""Signatures bit-equal to datasketch's, anchors by their definition, estimates within computed bounds."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.functions.made_up import text_of, words_of
from transforms.functions.minhash import EMPTY, Sketches, permutations, rebuild_minhash, sketch_words
from transforms.functions.shingling import distinct_shingles, hash_words

SIZE, SCALE, LEAST = 5, 8, 16


def sketches_of(texts: list[str], *, size: int = SIZE, scale: int = SCALE, least: int = LEAST) -> Sketches:
    words, offsets = hash_words(pa.array(texts, pa.string()))
    return sketch_words(words, offsets, size=size, scale=scale, min_anchors=least)


def shingles_of(text: str, size: int = SIZE) -> list[int]:
    words, _ = hash_words(pa.array([text], pa.string()))
    return distinct_shingles(words, 0, len(words), size).tolist()


def upper_half(value: bytes) -> int:
    return int.from_bytes(value, "little") >> 32


def datasketch_of(text: str) -> MinHash:
    """What a user of datasketch gets with its defaults from the same shingles."""
    made = MinHash(num_perm=128, hashfunc=upper_half)
    made.update_batch([value.to_bytes(8, "little") for value in shingles_of(text)])
    return made


def anchors_of(sketches: Sketches, row: int) -> list[int]:
    return sketches.anchors[sketches.anchor_offsets[row] : sketches.anchor_offsets[row + 1]].tolist()


@settings(max_examples=60)
@given(st.lists(st.text(st.sampled_from("ab 漢ة1\n"), max_size=80), min_size=1, max_size=4))
def test_bit_equal_to_datasketch(texts: list[str]) -> None:
    found = sketches_of(texts)
    for row, text in enumerate(texts):
        assert (found.minhash[row] == datasketch_of(text).hashvalues).all()
        assert found.shingles[row] == len(shingles_of(text))


def test_bit_equal_to_datasketch_on_long_texts() -> None:
    texts = [text_of(seed, count) for seed, count in enumerate([1, 4, 5, 6, 400, 3000])]
    found = sketches_of(texts)
    for row, text in enumerate(texts):
        assert (found.minhash[row] == datasketch_of(text).hashvalues).all()


def test_permutations_are_those_of_datasketch() -> None:
    for mine, theirs in zip(permutations(), MinHash(num_perm=128).permutations, strict=True):
        assert (mine == theirs).all()


def test_rebuilt_minhash_finds_its_text() -> None:
    texts = [text_of(seed, 300) for seed in range(20)]
    near = texts[7].split()
    near[150] = "changed"
    rows = sketches_of([*texts, " ".join(near)]).minhash.astype("<u4")
    index = MinHashLSH(threshold=0.7, num_perm=128)
    for number in range(20):
        index.insert(number, rebuild_minhash(rows[number].tobytes()))
    rebuilt = rebuild_minhash(rows[20].tobytes())
    assert index.query(rebuilt) == [7]
    assert rebuilt.jaccard(datasketch_of(texts[7])) > 0.85
    # It goes on as any MinHash does: more text, and a union.
    rebuilt.merge(datasketch_of(texts[3]))
    assert (rebuilt.hashvalues == np.minimum(rows[20], rows[3])).all()


@pytest.mark.parametrize("length", [0, 511, 513])
def test_rebuilding_refuses_other_lengths(length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} bytes; expected 512"):
        rebuild_minhash(b"\0" * length)


def naive_anchors(shingles: list[int], scale: int, least: int) -> list[int]:
    below = sorted(value for value in shingles if value < (2**64 - 1) // scale)
    return below if len(below) >= least else sorted(shingles)[:least]


@given(
    st.lists(st.lists(st.sampled_from(list("abcdef1")), max_size=150), min_size=1, max_size=4),
    st.sampled_from([1, 2, 8, 1024]),
    st.sampled_from([1, 3, 16]),
)
def test_anchors_equal_the_naive_ones(texts: list[list[str]], scale: int, least: int) -> None:
    joined = [" ".join(words) for words in texts]
    found = sketches_of(joined, scale=scale, least=least)
    for row, text in enumerate(joined):
        assert anchors_of(found, row) == naive_anchors(shingles_of(text), scale, least)


def test_anchors_of_long_texts() -> None:
    texts = [text_of(seed, count) for seed, count in enumerate([3, 10, 24, 60, 140, 500, 5000])]
    found = sketches_of(texts)
    for row, text in enumerate(texts):
        anchors = anchors_of(found, row)
        assert anchors == naive_anchors(shingles_of(text), SCALE, LEAST)
        assert len(anchors) >= min(LEAST, len(shingles_of(text)))
    # One in eight, within six standard deviations of the binomial.
    assert abs(len(anchors_of(found, 6)) - 4996 / 8) < 6 * math.sqrt(4996 / 8 * 7 / 8)


def test_texts_do_not_touch_each_other() -> None:
    texts = ["", text_of(1, 700), "one", text_of(2, 90), text_of(1, 700), ""]
    together = sketches_of(texts)
    for row, text in enumerate(texts):
        alone = sketches_of([text])
        assert (alone.minhash[0] == together.minhash[row]).all()
        assert anchors_of(alone, 0) == anchors_of(together, row)
        assert (alone.digests[0] == together.digests[row]).all()


def test_empty() -> None:
    found = sketches_of([""])
    assert (found.minhash == EMPTY).all()
    assert (found.shingles.tolist(), anchors_of(found, 0)) == ([0], [])
    none = sketches_of([])
    assert (none.minhash.shape, none.digests.shape, none.anchor_offsets.tolist()) == ((0, 128), (0, 16), [0])


def test_digests_tell_texts_apart() -> None:
    texts = ["", "a", "b", "a b", "b a", "a a", "a b c", "a c b", *(text_of(seed, 40) for seed in range(200))]
    digests = {row.tobytes() for row in sketches_of(texts).digests}
    assert len(digests) == len(texts)
    spelled = sketches_of(["The Harbour, closed!", "the HARBOUR closed", "مدينة أحمد", "مدينه احمد"]).digests
    assert (spelled[0] == spelled[1]).all()
    assert (spelled[2] == spelled[3]).all()


def test_estimates_are_within_the_bound() -> None:
    """Each of 300 pairs within Hoeffding's bound for 128 draws at one in a million; their mean error within 5 sigma."""
    estimates, truths = [], []
    for seed in range(300):
        words = words_of(seed, 260)
        taken = 20 + seed * 220 // 300
        texts = [" ".join(words[:240]), " ".join(words[240 - taken :] + words_of(seed + 1000, 240 - taken))]
        left, right = (set(shingles_of(text)) for text in texts)
        truths.append(len(left & right) / len(left | right))
        rows = sketches_of(texts).minhash
        estimates.append(float((rows[0] == rows[1]).mean()))
    errors = np.array(estimates) - np.array(truths)
    assert np.abs(errors).max() <= math.sqrt(math.log(2 * 300 * 1e6) / (2 * 128))
    variance = sum(truth * (1 - truth) / 128 for truth in truths)
    assert abs(errors.sum()) <= 5 * math.sqrt(variance)
    assert max(truths) - min(truths) > 0.5
