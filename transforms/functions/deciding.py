"""From evidence to a decision: what two articles are to each other, and why. Small, monotone, and re-doable.

More text in common never makes a pair less of a copy, and more that is rare never does either. Nothing here looks at
anything but the counts of a match and the settings, so `relabel` can decide again without reading an article.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas import relations
from schemas.settings import MatchSettings
from transforms.functions import rewording
from transforms.functions.evidence import LEAD_WORDS
from transforms.functions.likeness import (
    COPY,
    TAKEN_OVER,
    containment3,
    lead_share,
    rare_containment,
    runs_to_both_ends,
    share,
)

Mask = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]

RELATION_CODES = (
    relations.NONE, relations.REWRITE, relations.PARTIAL, relations.CONTAINED, relations.NEAR, relations.EXACT,
)  # fmt: skip
NONE, REWRITE, PARTIAL, CONTAINED, NEAR, EXACT = range(6)

REASONS = (
    "the folded words are the same",
    "both texts are for the most part in each other",
    "one text is for the most part in the other",
    "a good part of one text is taken from the other",
    "too little text in common",
    "too short to be sure: only an almost identical text would count",
    "one unbroken piece in the middle and nothing else: a quoted statement, or a page's insert",
    *(figure.lacking for figure in COPY.figures),
    *rewording.REASONS,
)
(SAME_WORDS, BOTH_IN, ONE_IN, PART_IN, TOO_LITTLE, TOO_BRIEF, ONE_PIECE, FIRST_LACKING) = range(8)
COMMON_LANGUAGE, OTHER_NUMBERS = FIRST_LACKING + 1, FIRST_LACKING + 3
FIRST_REWORDED = FIRST_LACKING + len(COPY.figures)


@dataclass(frozen=True)
class Decisions:
    """Decisions on n pairs.

    Attributes:
        relation: int8[n], index into RELATION_CODES.
        reason: int8[n], index into REASONS.
        left_in, right_in: bool[n], accepted, and so much of that side's text is in the other that it may be removed.
        akin: bool[n], accepted, or refused but with a good part of rare language in common all the same.
    left_begun, right_begun: bool[n], akin, and the other has that side's beginning, but not most of its text: what a
        round-up takes of a story.
    """

    relation: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    left_in: Mask
    right_in: Mask
    akin: Mask
    left_begun: Mask
    right_begun: Mask

    @property
    def accepted(self) -> Mask:
        return self.relation != NONE


def jaccard(evidence: npt.NDArray[np.void]) -> Shares:
    """Jaccard over distinct word 5-shingles."""
    return share(evidence["shared"], evidence["left_shingles"] + evidence["right_shingles"] - evidence["shared"])


def containment(evidence: npt.NDArray[np.void]) -> Shares:
    """The larger side's containment over distinct word 5-shingles."""
    return share(evidence["shared"], np.minimum(evidence["left_shingles"], evidence["right_shingles"]))


def decide(evidence: npt.NDArray[np.void], settings: MatchSettings) -> Decisions:
    """What each pair is.

    Args:
        evidence: EVIDENCE[n].
    """
    n = len(evidence)
    relation = np.full(n, NONE, np.int8)
    reason = np.full(n, TOO_LITTLE, np.int8)
    left3 = share(evidence["shared3"], evidence["left_shingles3"])
    right3 = share(evidence["shared3"], evidence["right_shingles3"])
    words = np.minimum(evidence["left_words"], evidence["right_words"])
    same = (evidence["left_words"] == evidence["right_words"]) & (evidence["longest_run"] == evidence["left_words"])
    brief = words < settings.brief_words
    enough = np.where(brief, settings.brief_containment, settings.copy_containment)
    left_in, right_in = left3 >= enough, right3 >= enough
    overlap = left_in | right_in
    opens = (lead_share(evidence) >= settings.lead_share) | (containment3(evidence) >= settings.whole_containment)
    copy = overlap & opens & (COPY.of(evidence) >= settings.copy_score) & (~brief | (left_in & right_in))
    relation[copy] = CONTAINED
    reason[copy] = ONE_IN
    removable = np.where(brief, settings.brief_containment, settings.removal_containment)
    left_gone, right_gone = copy & (left3 >= removable), copy & (right3 >= removable)
    # Where one side is wholly in the other and the other is not, the one is a part; else they are versions of a text.
    near = copy & left_in & right_in & (left_gone == right_gone)
    relation[near], reason[near] = NEAR, BOTH_IN
    one_piece = ~opens & (share(evidence["longest_run"], evidence["covered3"]) >= settings.piece_share)
    one_piece &= ~runs_to_both_ends(evidence)
    # Of a text with every third word edited more shingles of three words are left than of five.
    much = np.maximum(left3, right3) >= settings.partial_containment3
    much |= containment(evidence) >= settings.partial_containment
    partial = ~copy & ~brief & ~one_piece & much & (TAKEN_OVER.of(evidence) >= settings.partial_score)
    relation[partial], reason[partial] = PARTIAL, PART_IN
    relation[same], reason[same] = EXACT, SAME_WORDS
    alike = (relation == NONE) & (containment(evidence) >= settings.partial_containment)
    reason[alike] = FIRST_LACKING + COPY.most_lacking(evidence[alike])
    reason[alike & one_piece] = ONE_PIECE
    reason[alike & brief] = TOO_BRIEF
    way = rewording.told_again(evidence)
    rewrite = (relation == NONE) & (way != rewording.NO_WAY)
    relation[rewrite], reason[rewrite] = REWRITE, FIRST_REWORDED + way[rewrite]
    akin = (containment(evidence) >= settings.partial_containment) & (
        rare_containment(evidence) >= settings.partial_containment
    )
    akin |= relation != NONE
    left_begins, right_begins = beginnings(evidence)
    left_begun, right_begun = (
        akin & (begins >= MOST_OF_A_BEGINNING) & (of_text < settings.removal_containment)
        for begins, of_text in ((left_begins, left3), (right_begins, right3))
    )
    return Decisions(relation, reason, left_gone | same, right_gone | same, akin, left_begun, right_begun)


MOST_OF_A_BEGINNING = 0.6
"""Share of a text's first words that a round-up has of it: a desk cuts them a little. Not tuned."""


def beginnings(evidence: npt.NDArray[np.void]) -> tuple[Shares, Shares]:
    """Of the left's and of the right's first LEAD_WORDS words, the share in common blocks: float64[n] each.

    Of two texts of the same length the evidence doesn't say which was walked: the lesser of the two counts for both.
    """
    shorter, longer = (
        share(evidence[covered], np.minimum(of_words(evidence["left_words"], evidence["right_words"]), LEAD_WORDS))
        for covered, of_words in (("lead_covered", np.minimum), ("long_lead_covered", np.maximum))
    )
    as_long = evidence["left_words"] == evidence["right_words"]
    shorter, longer = (np.where(as_long, np.minimum(shorter, longer), one) for one in (shorter, longer))
    left_shorter = evidence["left_words"] < evidence["right_words"]
    return np.where(left_shorter, shorter, longer), np.where(left_shorter, longer, shorter)
