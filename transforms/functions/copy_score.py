"""How much a pair's evidence speaks for copying: a sum of six figures with weights of one sign each.

A logistic regression (L2, strength 1) whose weights are held to the sign that their meaning has. It was fitted on the
pairs read by eye of the developers' half (labelled_by_eye in context and labelled_hard: 159 copies and 43 others that
had evidence; partial ones left out), beside them 3,366 pairs of reuters_takes (containment .3 or more, or another text
of the same number) at weight .03 and 6,292 of saudinewsnet (containment .6 or more) at .01. Cross-validated in ten
parts by left article: F1 .982 and 3 of 42 false links on labelled_in_context, .940 and 0 of 36 on labelled_hard. Fitted
on one half of the articles and tested on the other: .978 and .951 on the first set, .939 and 1.0 on the second. All 24
desk rewrites, none of which it was fitted on, are copies by it. A pair is a copy from match.copy_score on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.functions.evidence import LEAD_WORDS

Figures = npt.NDArray[np.float64]

BIAS = -7.5
FULL_LENGTH_WORDS = 200
"""A text of so many words has as much to show as any longer one."""


@dataclass(frozen=True)
class Figure:
    """One figure of the score.

    Attributes:
        name: what it is.
        weight: what one unit of it adds.
        typical: its mean over the copies it was fitted on; what a pair falls short of it tells why it was refused.
        lacking: what is said of a pair that was refused for it.
    """

    name: str
    weight: float
    typical: float
    lacking: str


FIGURES = (
    Figure("contained", 3.055, 0.758, "too little of either text is in the other"),
    Figure("rare", 11.364, 0.744, "what they share is common language (a template or furniture), not rare"),
    Figure("lead", 1.352, 0.777, "what they share is not what the shorter one opens with"),
    Figure("numbers_replaced", -1.354, 0.079, "the same sentences with other numbers: a template, or later news"),
    Figure("length", 1.646, 0.818, "the shorter text is too short for so loose a likeness"),
    Figure("days_apart", -1.338, 0.353, "too alike for chance but days apart: a template, or background used again"),
)
"""`contained`: of word 3-shingles, the larger side's share. `rare`: of the rare ones, the side's with fewer. `lead`: of
the shorter's first LEAD_WORDS words, the share in common blocks. `numbers_replaced`: gaps with a number on both sides,
per 100 words of the shorter. `length`: words of the shorter, in FULL_LENGTH_WORDS, at most 1. `days_apart`: natural
logarithm of one more than the days between the two."""


def _share(part: npt.NDArray[np.int32], whole: npt.NDArray[np.int32]) -> Figures:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def figures(evidence: npt.NDArray[np.void]) -> Figures:
    """float64[n, 6], in the order of FIGURES, of EVIDENCE[n]."""
    words = np.minimum(evidence["left_words"], evidence["right_words"])
    return np.stack(
        [
            _share(evidence["shared3"], np.minimum(evidence["left_shingles3"], evidence["right_shingles3"])),
            _share(evidence["rare_shared"], np.minimum(evidence["left_rare"], evidence["right_rare"])),
            _share(evidence["lead_covered"], np.minimum(words, LEAD_WORDS)),
            100 * _share(evidence["number_substitutions"], words),
            np.minimum(1.0, words / FULL_LENGTH_WORDS),
            np.log1p(evidence["days_apart"]),
        ],
        axis=1,
    )


def scores(evidence: npt.NDArray[np.void]) -> Figures:
    """The score of each pair: float64[n]; a copy from match.copy_score on."""
    return figures(evidence) @ np.array([figure.weight for figure in FIGURES]) + BIAS


def most_lacking(evidence: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """Which of FIGURES each pair falls furthest short in: int64[n]."""
    weights = np.array([figure.weight for figure in FIGURES])
    typical = np.array([figure.typical for figure in FIGURES])
    return ((typical - figures(evidence)) * weights).argmax(axis=1)
