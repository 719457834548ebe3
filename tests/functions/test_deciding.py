"""Decisions: monotone in what is shared, right on short real-looking texts, and they say why."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import relations
from schemas.settings import MatchSettings
from tests.functions.made_up import text_of
from transforms.functions.deciding import (
    BOTH_IN,
    COMMON_LANGUAGE,
    CONTAINED,
    EXACT,
    FIRST_LACKING,
    NEAR,
    NONE,
    ONE_IN,
    ONE_PIECE,
    OTHER_NUMBERS,
    PART_IN,
    PARTIAL,
    REASONS,
    RELATION_CODES,
    SAME_WORDS,
    TOO_BRIEF,
    TOO_LITTLE,
    Decisions,
    containment,
    decide,
    jaccard,
)
from transforms.functions.evidence import EVIDENCE, weigh_pairs
from transforms.functions.labelling import swap_sides
from transforms.functions.likeness import COPY, TAKEN_OVER, Score, rare_containment, share
from transforms.functions.shingling import hash_words

SETTINGS = MatchSettings()


def evidence_of(left: str, right: str, *, days_seen: int = 1) -> npt.NDArray[np.void]:
    """Of two texts of a day, all of whose shingles were seen on so many days."""
    words, offsets = hash_words(pa.array([left, right]))
    empty = np.zeros(1, np.uint8)
    tables = (np.full(64, days_seen, np.uint8), empty, empty, empty)
    return weigh_pairs(words, offsets, np.array([0]), np.array([1]), np.zeros(2, np.uint16), tables, SETTINGS.rare_days)


def verdict(left: str, right: str, **how: int) -> tuple[str, int, bool, bool]:
    made = decide(evidence_of(left, right, **how), SETTINGS)
    return RELATION_CODES[made.relation[0]], int(made.reason[0]), bool(made.left_in[0]), bool(made.right_in[0])


WIRE = (
    "NORTH HAVEN (Coastal Wire) The harbour of North Haven was closed on Monday after a storm threw three fishing "
    "boats against the old lighthouse pier, the harbour master said. Nobody was hurt. Crews worked through the "
    "night to free the narrow entrance, where a crane barge lay aground since early evening. Two ferries waited "
    "outside until noon. The town council wants to know by Friday what repairs of the pier will cost, and whether "
    "the lamp can be saved."
)
BRIEF = "The harbour of North Haven was closed on Monday after a storm threw three fishing boats against the pier"
LOCAL = (
    " Anna Brill, who sells nets on the quay, had heard the noise from her kitchen. Her father built the pier in the "
    "year of the great frost and always said that it would outlive him. On Tuesday morning children stood along the "
    "railing to count the planks. The school gave them an hour for it, and the baker brought rolls for everyone."
)


def test_the_same_words_are_exact() -> None:
    assert verdict(WIRE, WIRE.upper().replace(",", " ;")) == (relations.EXACT, SAME_WORDS, True, True)
    # However common the language: the same text is the same text.
    assert verdict(WIRE, WIRE, days_seen=200) == (relations.EXACT, SAME_WORDS, True, True)
    assert verdict("harbour closed", "Harbour closed.") == (relations.EXACT, SAME_WORDS, True, True)


def test_the_same_words_in_another_order_are_not_exact() -> None:
    halves = WIRE.split(". ")
    moved = ". ".join(halves[2:] + halves[:2])
    assert verdict(WIRE, moved)[0] == relations.NEAR


def test_an_edited_copy_is_near() -> None:
    edited = WIRE.replace("three fishing boats", "several fishing boats").replace("(Coastal Wire) ", "")
    assert verdict(WIRE, edited) == (relations.NEAR, BOTH_IN, True, True)


def test_a_cut_copy_is_contained() -> None:
    cut = WIRE.split(" Crews")[0]
    assert verdict(cut, WIRE + LOCAL) == (relations.CONTAINED, ONE_IN, True, False)
    assert verdict(WIRE + LOCAL, cut) == (relations.CONTAINED, ONE_IN, False, True)


def test_a_longer_version_is_not_in_the_shorter_one() -> None:
    assert verdict(WIRE, WIRE + LOCAL) == (relations.CONTAINED, ONE_IN, True, False)


def test_two_versions_of_a_text_are_near_and_both_stay() -> None:
    shared = " ".join(WIRE.split()[:50])
    assert verdict(f"{shared} {text_of(1, 35)}", f"{shared} {text_of(2, 35)}") == (
        relations.NEAR, BOTH_IN, False, False,
    )  # fmt: skip


def test_part_of_a_text_taken_over_is_partial() -> None:
    taken, own = [text_of(seed, 30) for seed in (1, 2, 3)], [text_of(seed, 40) for seed in (4, 5, 6)]
    wire = f"{WIRE} {taken[0]} {text_of(7, 20)} {taken[1]} {text_of(8, 20)} {taken[2]} {text_of(9, 60)}"
    pieces = " ".join(f"{mine} {theirs}" for mine, theirs in zip(own, taken, strict=True))
    assert verdict(pieces, wire) == (relations.PARTIAL, PART_IN, False, False)
    # As much in one piece may be a statement that both quote, though other text follows it in both.
    whole = f"{WIRE} {' '.join(taken)} {text_of(9, 100)}"
    assert verdict(f"{own[0]} {own[1]} {' '.join(taken)} {own[2]}", whole)[0] == relations.NONE


def test_a_rest_under_a_new_lead_is_taken_over_though_in_one_piece() -> None:
    """Also of a brief of 60 words, of which nearly the half is left: at both ends it is no insert."""
    rest = text_of(1, 28)
    assert verdict(f"{text_of(2, 32)} {rest}", f"{text_of(3, 32)} {rest}")[:2] == (relations.PARTIAL, PART_IN)
    assert verdict(f"{text_of(2, 32)} {rest}", f"{text_of(3, 32)} {rest} {text_of(4, 30)}")[0] == relations.NONE


def test_a_text_with_three_words_in_ten_edited_is_taken_over() -> None:
    words, chance = text_of(1, 400).split(), random.Random(1)
    edited = [text_of(1000 + at, 1) if chance.random() < 0.3 else word for at, word in enumerate(words)]
    left, right = " ".join(words), " ".join(edited)
    record = evidence_of(left, right)
    assert (containment(record) < SETTINGS.partial_containment)[0]
    assert verdict(left, right)[0] == relations.PARTIAL


def test_the_beginning_of_a_story_is_what_a_round_up_takes_of_it() -> None:
    """Its end is not, nor is a story that is held whole, nor one that is no longer than its beginning."""
    story, others = text_of(1, 100), text_of(2, 70)
    beginning, end = " ".join(story.split()[:40]), " ".join(story.split()[60:])

    def begun(left: str, right: str) -> tuple[bool, bool]:
        record = evidence_of(left, right)
        made, turned = decide(record, SETTINGS), decide(swap_sides(record), SETTINGS)
        assert (made.left_begun[0], made.right_begun[0]) == (turned.right_begun[0], turned.left_begun[0])
        return bool(made.left_begun[0]), bool(made.right_begun[0])

    assert begun(story, f"{others} {beginning}") == (True, False)
    assert begun(story, f"{others} {beginning} {text_of(3, 60)}") == (True, False)
    assert begun(story, f"{others} {end}") == (False, False)
    assert begun(story, f"{others} {story}") == (False, False)
    assert begun(beginning, f"{others} {beginning}") == (False, False)


def test_another_story_is_refused() -> None:
    assert verdict(WIRE, LOCAL) == (relations.NONE, TOO_LITTLE, False, False)
    assert verdict("", WIRE) == (relations.NONE, TOO_LITTLE, False, False)


def template(town: str, low: int) -> str:
    return (
        f"Tide table for {town}: high water at {low + 6} and at {low + 18}, low water at {low} and at {low + 12}. "
        "Small craft should keep to the marked channel and mind the buoys at the mouth of the river. Times are given "
        f"without warranty. The harbour office of {town} answers questions on weekdays from nine to five "
        "except on holidays."
    )


def test_a_template_is_refused_as_common_language() -> None:
    left, right = template("North Haven", 2), template("Lowmarsh", 4)
    assert verdict(left, right, days_seen=30) == (relations.NONE, COMMON_LANGUAGE, False, False)
    # Rare or not, the same sentences with other numbers are no copy.
    assert verdict(left, right, days_seen=1)[0] in (relations.NONE, relations.PARTIAL)
    assert COPY.most_lacking(evidence_of(left, right, days_seen=1))[0] == OTHER_NUMBERS - FIRST_LACKING


def test_rarity_leaves_out_the_pairs_own_days() -> None:
    """rare_days 2: a shingle seen on the pair's day and two more is rare, on three more it isn't."""
    left, right = f"{WIRE} {text_of(1, 25)}", f"{WIRE} {text_of(2, 25)}"
    assert verdict(left, right, days_seen=3)[0] == relations.NEAR
    assert verdict(left, right, days_seen=4) == (relations.NONE, COMMON_LANGUAGE, False, False)


def test_briefs_need_almost_all_of_both() -> None:
    assert len(BRIEF.split()) < SETTINGS.brief_words
    assert verdict(BRIEF, BRIEF + " today")[0] == relations.NEAR
    # All of the brief is in the article, but a brief could be chance.
    assert verdict(BRIEF, WIRE) == (relations.NONE, TOO_BRIEF, False, False)
    assert verdict("harbour closed", WIRE)[0] == relations.NONE


@st.composite
def evidences(draw: st.DrawFn) -> npt.NDArray[np.void]:
    """Counts that two texts could have."""
    record = np.zeros(1, EVIDENCE)
    for side in ("left", "right"):
        words = draw(st.integers(1, 200))
        record[f"{side}_words"] = words
        record[f"{side}_shingles"] = draw(st.integers(1, max(1, words - 4)))
        record[f"{side}_shingles3"] = draw(st.integers(int(record[f"{side}_shingles"][0]), max(1, words - 2)))
        record[f"{side}_rare"] = draw(st.integers(0, int(record[f"{side}_shingles3"][0])))

    def upto(*names: str) -> int:
        return draw(st.integers(0, min(int(record[name][0]) for name in names)))

    record["shared"] = upto("left_shingles", "right_shingles")
    record["shared3"] = upto("left_shingles3", "right_shingles3")
    record["rare_shared"] = upto("left_rare", "right_rare", "shared3")
    record["longest_run"] = upto("left_words", "right_words")
    return record


def strength(made: Decisions) -> tuple[bool, bool, bool, bool]:
    """What more text in common must never take away: accepted, a copy, and each side removable."""
    copy = RELATION_CODES[made.relation[0]] in relations.COPY_RELATIONS
    return bool(made.accepted[0]), copy, bool(made.left_in[0]), bool(made.right_in[0])


@settings(max_examples=400)
@given(evidences(), st.sampled_from(["shared", "shared3", "rare_shared"]), st.integers(1, 60))
def test_more_in_common_never_weakens_a_decision(evidence: npt.NDArray[np.void], name: str, more: int) -> None:
    limits = {"shared": "shingles", "shared3": "shingles3", "rare_shared": "rare"}
    stronger = evidence.copy()
    most = min(int(evidence[f"{side}_{limits[name]}"][0]) for side in ("left", "right"))
    stronger[name] = min(most, int(evidence[name][0]) + more)
    before, after = strength(decide(evidence, SETTINGS)), strength(decide(stronger, SETTINGS))
    assert all(one <= other for one, other in zip(before, after, strict=True)), (before, after)


STRICTER = ["copy_containment", "copy_score", "removal_containment", "partial_containment", "partial_containment3"]


@settings(max_examples=200)
@given(evidences(), st.sampled_from(STRICTER))
def test_a_stricter_setting_accepts_no_more(evidence: npt.NDArray[np.void], name: str) -> None:
    stricter = dataclasses.replace(SETTINGS, **{name: 0.9})
    loose, strict = decide(evidence, SETTINGS), decide(evidence, stricter)
    assert all(one <= other for one, other in zip(strength(strict), strength(loose), strict=True))


@settings(max_examples=200)
@given(evidences())
def test_decisions_are_symmetric_and_consistent(evidence: npt.NDArray[np.void]) -> None:
    made, swapped = decide(evidence, SETTINGS), decide(swap_sides(evidence), SETTINGS)
    assert made.relation[0] == swapped.relation[0]
    assert (made.left_in[0], made.right_in[0]) == (swapped.right_in[0], swapped.left_in[0])
    assert made.reason[0] == swapped.reason[0]
    refused = made.relation[0] == NONE
    assert bool(made.accepted[0]) == (not refused)
    assert refused == (made.reason[0] >= TOO_LITTLE)
    # Rule 3: nobody may be removed without an accepted copy match.
    if RELATION_CODES[made.relation[0]] in (relations.NONE, relations.PARTIAL):
        assert not made.left_in[0]
        assert not made.right_in[0]
    assert (made.relation[0] == EXACT) == (made.reason[0] == SAME_WORDS)
    assert 0 <= jaccard(evidence)[0] <= containment(evidence)[0] <= 1
    assert 0 <= rare_containment(evidence)[0] <= 1


def test_many_pairs_are_decided_one_by_one() -> None:
    pairs = [(WIRE, WIRE), (WIRE, LOCAL), (WIRE, WIRE + LOCAL), (BRIEF, WIRE)]
    together = decide(np.concatenate([evidence_of(*pair) for pair in pairs]), SETTINGS)
    assert [RELATION_CODES[one] for one in together.relation] == [verdict(*pair)[0] for pair in pairs]
    assert len(decide(np.empty(0, EVIDENCE), SETTINGS).relation) == 0


def test_share_of_nothing_is_nothing() -> None:
    assert share(np.array([0, 1, 3], np.int32), np.array([0, 2, 3], np.int32)).tolist() == [0, 0.5, 1]


def test_every_reason_is_told() -> None:
    assert len(REASONS) == len(set(REASONS)) == 16


def test_a_threshold_itself_accepts() -> None:
    """A share equal to its threshold is enough."""
    record = np.zeros(1, EVIDENCE)
    for side in ("left", "right"):
        for whole in ("words", "shingles", "shingles3", "rare"):
            record[f"{side}_{whole}"] = 100
    record["shared3"] = record["rare_shared"] = 60
    copies = (CONTAINED, NEAR)
    assert decide(record, dataclasses.replace(SETTINGS, copy_containment=0.6)).relation[0] in copies
    assert decide(record, dataclasses.replace(SETTINGS, copy_containment=0.61)).relation[0] == NONE
    [score] = COPY.of(record)
    assert decide(record, dataclasses.replace(SETTINGS, copy_score=score)).relation[0] in copies
    assert decide(record, dataclasses.replace(SETTINGS, copy_score=score + 1e-6)).relation[0] == NONE
    record["pieces"] = 3
    apart = dataclasses.replace(SETTINGS, copy_containment=0.61, partial_containment=0.61)
    assert decide(record, dataclasses.replace(apart, partial_containment3=0.6)).relation[0] == PARTIAL
    assert decide(record, dataclasses.replace(apart, partial_containment3=0.61)).relation[0] == NONE


@pytest.mark.parametrize(
    ("score", "more_speaks_for", "more_speaks_against"),
    [
        (COPY, ("shared3", "rare_shared", "lead_covered"), ("number_substitutions", "days_apart")),
        (TAKEN_OVER, ("rare_shared", "pieces"), ("number_substitutions", "days_apart")),
    ],
)
def test_every_figure_of_a_score_has_the_sign_of_its_meaning(
    score: Score, more_speaks_for: tuple[str, ...], more_speaks_against: tuple[str, ...]
) -> None:
    """More in common adds, more that differs takes away, whatever else the pair has."""
    record = np.zeros(1, EVIDENCE)
    for side in ("left", "right"):
        for whole in ("words", "shingles", "shingles3", "rare"):
            record[f"{side}_{whole}"] = 100
    record["shared3"], record["rare_shared"], record["lead_covered"] = 50, 50, 20
    [before] = score.of(record)
    for name in (*more_speaks_for, *more_speaks_against):
        changed = record.copy()
        changed[name] += 1
        assert (score.of(changed)[0] > before) == (name in more_speaks_for)


def test_one_piece_that_neither_opens_with_is_an_insert() -> None:
    """A statement or a gallery of 100 words in two stories that share nothing else makes no relation."""
    insert, tales = text_of(9, 100), [text_of(seed, 160) for seed in (1, 2, 3, 4)]
    left, right = f"{tales[0]} {insert}", f"{tales[1]} {insert} {tales[2]}"
    assert verdict(left, right)[:2] == (relations.NONE, ONE_PIECE)
    # In two pieces, or at the top, it is text taken over.
    half = len(insert) // 2 + insert[len(insert) // 2 :].index(" ")
    assert verdict(f"{insert} {tales[0]}", f"{tales[1]} {insert} {tales[2]}")[0] != relations.NONE
    # A new lead over the old rest is no insert, however unbroken the rest.
    assert verdict(f"{tales[0]} {insert} {tales[3]}", f"{tales[1]} {insert} {tales[3]}")[0] != relations.NONE
    apart = f"{insert[:half]} {tales[3]} {insert[half:]}"
    assert verdict(f"{tales[0]} {insert}", apart)[1] != ONE_PIECE


def test_dates_and_number_words_count_as_numbers() -> None:
    """The second load on Monday, the third load on Friday: a template or later news, though no digit differs."""
    left = WIRE.replace("three fishing boats", "two fishing boats")
    right = left.replace("Monday", "Thursday").replace("two fishing boats", "seven fishing boats")
    assert evidence_of(left, right)["number_substitutions"][0] == 2
    other = left.replace("Monday", "arrival").replace("two fishing boats", "old fishing boats")
    assert evidence_of(left, other)["number_substitutions"][0] == 0


@pytest.mark.parametrize(
    ("one", "other", "replaced"),
    [
        ("3", "three", 0), ("three", "third", 0), ("ثلاثة", "3", 0), ("ثلاثة", "الثالثة", 0), ("12", "dozen", 0),
        ("10.25", "25.10", 0), ("on Friday", "(Friday)", 0), ("first of Friday", "first", 0),
        ("3", "four", 1), ("الثانية", "الثالثة", 1), ("10.25", "10.26", 1), ("Friday", "Monday", 1),
    ],
)  # fmt: skip
def test_a_number_written_otherwise_is_no_other_number(one: str, other: str, replaced: int) -> None:
    """Decimals of an Arabic text come backwards where a mark turns the line; a paper writes three, another 3."""
    left = WIRE.replace("three fishing boats", f"{one} fishing boats")
    right = WIRE.replace("three fishing boats", f"{other} fishing boats")
    assert evidence_of(left, right)["number_substitutions"][0] == replaced
