"""Evidence of pairs: against naive references, on small examples told by hand, and on very long texts."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.functions.made_up import text_of
from transforms.functions.evidence import EVIDENCE, LEAD_WORDS, weigh_pairs
from transforms.functions.labelling import swap_sides
from transforms.functions.rarity import rarity_slot
from transforms.functions.shingling import hash_words, shingle_at

SLOTS = 1 << 12
NEVER_SEEN = np.ones(SLOTS, np.uint8)
"""A table in which every shingle was seen on one day only."""


def weighed(
    texts: list[str],
    pairs: list[tuple[int, int]],
    days: npt.NDArray[np.uint8] = NEVER_SEEN,
    keys: list[int] | None = None,
    other_days: int = 2,
) -> npt.NDArray[np.void]:
    words, offsets = hash_words(pa.array(texts, pa.string()))
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    day_keys = np.array(keys or [0] * len(texts), np.uint16)
    empty = np.zeros(1, np.uint8)
    return weigh_pairs(words, offsets, left, right, day_keys, (days, empty, empty, empty), other_days)


def counts(left: str, right: str) -> dict[str, int]:
    [record] = weighed([left, right], [(0, 1)])
    return dict(zip(EVIDENCE.names or (), record.tolist(), strict=True))


def check(left: str, right: str, **wanted: int) -> None:
    found = counts(left, right)
    assert {name: found[name] for name in wanted} == wanted


def shingle_set(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + size]) for at in range(max(1, len(words) - size + 1))} if words else set()


def slot_of(shingle: tuple[str, ...]) -> int:
    words, _ = hash_words(pa.array([" ".join(shingle)]))
    return int(rarity_slot(np.uint64(shingle_at(words, 0, len(words))), SLOTS))


WORDS = st.lists(st.sampled_from([*"abcdefgh", "1", "22"]), max_size=25).map(" ".join)


@settings(max_examples=150)
@given(WORDS, WORDS, st.integers(0, 2**32), st.booleans(), st.integers(0, 3))
def test_shared_and_rare_equal_sets(left: str, right: str, seed: int, same_day: bool, other_days: int) -> None:
    days = np.random.Generator(np.random.PCG64(seed)).integers(1, 7, SLOTS).astype(np.uint8)
    [found] = weighed([left, right], [(0, 1)], days, [5, 5 if same_day else 6], other_days)
    for size, suffix in ((5, ""), (3, "3")):
        mine, other = shingle_set(left, size), shingle_set(right, size)
        assert found[f"left_shingles{suffix}"] == len(mine)
        assert found[f"right_shingles{suffix}"] == len(other)
        assert found[f"shared{suffix}"] == len(mine & other)
    own = 1 if same_day else 2
    both = {one for one in mine & other if int(days[slot_of(one)]) - own <= other_days}
    assert found["rare_shared"] == len(both)
    assert found["left_rare"] == len(both) + sum(int(days[slot_of(one)]) - 1 <= other_days for one in mine - other)
    assert found["right_rare"] == len(both) + sum(int(days[slot_of(one)]) - 1 <= other_days for one in other - mine)
    assert (found["left_words"], found["right_words"]) == (len(left.split()), len(right.split()))


@settings(max_examples=150)
@given(WORDS, WORDS)
def test_walk_keeps_its_bounds(left: str, right: str) -> None:
    found = counts(left, right)
    short, long = sorted([left.split(), right.split()], key=len)
    assert 0 <= found["covered15"] <= found["covered8"] <= found["covered3"] <= len(short)
    assert found["longest_run"] <= found["covered3"]
    assert found["pieces"] <= found["blocks"]
    assert 8 * found["pieces"] <= found["covered8"]
    assert found["in_order"] <= found["covered3"]
    assert found["lead_covered"] <= min(LEAD_WORDS, found["covered3"])
    assert found["number_substitutions"] <= found["substitutions"] <= (found["blocks"] + 1 if found["blocks"] else 0)
    assert (found["blocks"] == 0) == (found["longest_run"] == 0)
    in_both = max((run for run in range(len(short) + 1) if runs(short, run) & runs(long, run)), default=0)
    assert found["longest_run"] <= in_both
    if len(left.split()) != len(right.split()):
        fewer, more = (left, right) if len(left.split()) < len(right.split()) else (right, left)
        numbers = [word for word in fewer.split() if word.isdigit()]
        assert found["numbers"] == len(numbers)
        assert found["numbers_shared"] == sum(word in more.split() for word in numbers)


def runs(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def test_same_text() -> None:
    text = text_of(1, 50)
    check(
        text, text, shared=46, left_shingles=46, shared3=48, longest_run=50, blocks=1, covered3=50, covered8=50,
        covered15=50, in_order=50, substitutions=0, lead_covered=LEAD_WORDS, numbers=0, left_words=50, right_words=50,
    )  # fmt: skip


def test_nothing_in_common() -> None:
    check("one two three four five", "six seven eight nine ten", shared=0, shared3=0, blocks=0, longest_run=0)
    check("", "six seven eight", left_shingles=0, right_shingles=1, left_words=0, blocks=0)
    check("", "", left_shingles=0, longest_run=0)


def test_blocks_and_gaps_by_hand() -> None:
    story = "the harbour was closed on monday after 3 boats sank in the storm officials said on tuesday"
    # One number for another, and one word for two.
    edited = "the harbour was closed on monday after 5 boats sank in the great gale officials said on tuesday again"
    check(
        story, edited, blocks=3, longest_run=7, covered3=15, covered8=0, in_order=15, substitutions=2,
        number_substitutions=1, numbers=1, numbers_shared=0, lead_covered=15,
    )  # fmt: skip


def test_a_gap_of_four_words_is_short_and_one_of_five_is_not() -> None:
    head, tail = "alpha beta gamma delta", "kappa lambda mu nu"
    check(f"{head} a b c d {tail}", f"{head} 1 {tail} end end end end", substitutions=1, number_substitutions=0)
    check(f"{head} a b c d e {tail}", f"{head} 1 {tail} end end end end end", blocks=2, substitutions=0)
    # Left out on one side: a gap on the other alone is no substitution.
    check(f"{head} {tail}", f"{head} x {tail}", blocks=2, substitutions=0)


def test_words_replaced_at_the_beginning_and_the_end_count() -> None:
    body = "load of medicine came by road from the south"
    check(f"the second {body} on monday", f"today the third {body} on friday evening", substitutions=2, blocks=1)
    check(f"a second {body} a 5", f"a third {body} a 6", number_substitutions=2)
    # Nothing before it on one side; five words before it; and in the middle of a longer text there is no beginning.
    check(body, f"the third {body}", substitutions=0)
    check(f"a b c d 5 {body}", f"6 {body} and so on and on", substitutions=0)
    check(f"5 {body}", f"{text_of(1, 9)} 6 {body}", substitutions=0)


def test_pieces_are_runs_of_eight_words() -> None:
    seven, eight, nine = text_of(1, 7), text_of(2, 8), text_of(3, 9)
    check(f"{seven} a {eight} b {nine}", f"{seven} x y {eight} z {nine} u v w", pieces=2, blocks=3, covered8=17)
    check(seven, f"{seven} x", pieces=0, blocks=1)


def test_moved_paragraphs_are_out_of_order() -> None:
    first, second = text_of(1, 12), text_of(2, 9)
    check(f"{first} {second}", f"{second} {first} x", blocks=2, in_order=12, covered3=21, covered8=21, longest_run=12)
    check(f"{first} {second}", f"{first} {second} x", blocks=1, in_order=21, covered15=21)


def test_a_repeated_phrase_is_found_after_the_last_block() -> None:
    """`said the minister on monday` stands twice in the longer one; the second time it comes after the last block."""
    phrase = "said the minister on monday"
    long = f"{phrase} {text_of(3, 10)} {phrase} {text_of(4, 10)}"
    check(f"{text_of(3, 10)} {phrase}", long, blocks=1, longest_run=15, in_order=15)
    check(f"{text_of(3, 10)} x {phrase}", long, blocks=2, in_order=15)


def test_short_texts() -> None:
    check("harbour closed", "harbour closed", shared=1, shared3=1, longest_run=2, blocks=1, left_shingles=1)
    check("harbour closed", "the harbour closed again", shared=0, longest_run=2, blocks=1)
    check("harbour", "harbour closed today", longest_run=1, blocks=1, covered3=1)


def test_lead_counts_the_first_words_only() -> None:
    text = text_of(5, 100)
    tail = " ".join(text.split()[30:])
    check(text, f"{text_of(6, 60)} {tail}", left_words=100, right_words=130, covered3=70, lead_covered=10)


def test_numbers_count_each_time() -> None:
    check("12 boats 12 men 7 dogs", "12 horses and 8 cats and 9 cows", numbers=3, numbers_shared=2)
    check("١٢ boats", "12 horses again", numbers=1, numbers_shared=1)


UNEQUAL = st.tuples(WORDS, WORDS).filter(lambda pair: len(pair[0].split()) != len(pair[1].split()))


@settings(max_examples=150)
@given(UNEQUAL, st.booleans())
def test_exchanging_sides_exchanges_counts(pair: tuple[str, str], same_day: bool) -> None:
    days = (np.arange(SLOTS) % 6 + 1).astype(np.uint8)
    found = weighed(list(pair), [(0, 1), (1, 0)], days, [5, 5 if same_day else 6])
    assert swap_sides(found[:1]) == found[1:]
    assert swap_sides(swap_sides(found)).tolist() == found.tolist()


def test_exchanging_sides_of_texts_equally_long() -> None:
    found = weighed(["a b c a b c x x", "a b c y a b d y"], [(0, 1), (1, 0)])
    assert swap_sides(found[:1]) == found[1:]


@given(st.lists(WORDS, min_size=2, max_size=5), st.data())
def test_pairs_do_not_touch_each_other(texts: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(texts) - 1)
    pairs = data.draw(st.lists(st.tuples(places, places), max_size=6))
    together = weighed(texts, pairs)
    alone = [weighed([texts[a], texts[b]], [(0, 1)])[0].tolist() for a, b in pairs]
    assert together.tolist() == alone


def cpu_seconds_of(left: str, right: str) -> tuple[float, dict[str, int]]:
    counts("warm up the kernel now", "warm up the kernel then")
    start = time.process_time()
    found = counts(left, right)
    return time.process_time() - start, found


@pytest.mark.parametrize("kind", ["story", "one word", "three words in turn", "reversed"])
def test_long_texts_finish(kind: str) -> None:
    words = text_of(7, 200_000).split()
    left = {
        "story": words, "one word": ["boat"] * 200_000, "three words in turn": ["a", "b", "c"] * 66_667,
        "reversed": words,
    }[kind]  # fmt: skip
    right = left[::-1] if kind in ("reversed", "three words in turn") else left
    seconds, found = cpu_seconds_of(" ".join(left), " ".join(right))
    assert seconds < 10
    assert found["longest_run"] == (len(left) if right == left else found["longest_run"])


def test_slots() -> None:
    assert rarity_slot(np.uint64(0xFFFFFFFFFFFFFFFF), 1 << 28) == (1 << 28) - 1
    assert rarity_slot(np.uint64(0xFFFFF), 1 << 16) == 0


def test_places_say_where_the_common_words_stand() -> None:
    """A block of ten in the middle of the shorter and at the end of the longer."""
    common = text_of(1, 10)
    left, right = f"{text_of(2, 10)} {common} {text_of(3, 10)}", f"{text_of(4, 30)} {common}"
    check(left, right, place=500, long_place=875, lead_covered=10, long_lead_covered=10)
    check(text_of(2, 10), text_of(3, 10), place=0, long_place=0)
