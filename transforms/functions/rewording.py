"""Whether two texts that share no phrases are the same report in other words, and how it shows.

Three ways, each by few figures with generous margins. The bounds were chosen on rewrites made by hand (`rewrites`,
developers' half, stories of even number; each has a spun text, a heavy rewrite and another outlet's own report) and
tested on those of odd number; what else they keep out was found by reading pairs among 15,800 other articles.

- IN_STEP: the common terms stand in the same order, at the same height and pace, in texts of the same length with the
  same figures. So do spun and back-translated texts.
- SAME_FIGURES: the order is another, but the names and, above all, nearly all of three or more numbers are the same.
- MOST_IN_COMMON: about half of what either has to say is in the other.

What shares many phrases that are common language is a template (telegrams, markets, weather), and what shares many
phrases at all was weighed as text taken over, and refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.functions.likeness import Evidence, Figures, containment3, share

Mask = npt.NDArray[np.bool_]

REASONS = (
    "the same report in other words: names, numbers and unusual words in the same order, in step throughout",
    "the same report told anew: the same figures, and most of the names",
    "the same report told anew: about half of the unusual words and names of either are in the other",
)
IN_STEP, SAME_FIGURES, MOST_IN_COMMON = range(3)
NO_WAY = -1

MOST_PHRASES = 0.3
"""Share of the shorter text's 3-shingles: what has more in common is for `deciding` alone."""


def common(evidence: Evidence) -> Figures:
    """Of the weight of the side that has more, the share that both have."""
    return share(evidence["shared_weight"], np.maximum(evidence["left_weight"], evidence["right_weight"]))


def level(evidence: Evidence) -> Figures:
    """Of the shared weight, the share in the same order and at the same height."""
    return share(evidence["level_weight"], evidence["shared_weight"])


def paced(evidence: Evidence) -> Figures:
    """Of the shared weight, the share in the same order and in step with a neighbour."""
    return share(evidence["paced_weight"], evidence["shared_weight"])


def length_ratio(evidence: Evidence) -> Figures:
    """Words of the shorter by words of the longer."""
    words = evidence["left_words"], evidence["right_words"]
    return share(np.minimum(*words), np.maximum(*words))


def figures_kept(evidence: Evidence) -> Figures:
    """Of the distinct numbers of the side that has fewer, the share that the other has too; 1 where it has none."""
    fewer = np.minimum(evidence["left_figures"], evidence["right_figures"])
    return np.where(fewer > 0, share(evidence["figures_shared"], fewer), 1.0)


def figures_alike(evidence: Evidence) -> Figures:
    """Of all distinct numbers of the two, the share that both have; 0 where there are none."""
    both = evidence["figures_shared"]
    return share(both, evidence["left_figures"] + evidence["right_figures"] - both)


def common_phrases(evidence: Evidence) -> Figures:
    """Of the shorter text's 3-shingles, the share that the other has too and that are not rare."""
    shared = evidence["shared3"] - evidence["rare_shared"]
    return share(np.maximum(0, shared), np.minimum(evidence["left_shingles3"], evidence["right_shingles3"]))


def told_again(evidence: Evidence) -> npt.NDArray[np.int8]:
    """In which way each pair is the same report in other words: int8[n], NO_WAY where it is not.

    Args:
        evidence: EVIDENCE[n]; of pairs that were not compared as rewrites all counts of REWRITE_COUNTS are 0.
    """
    days = evidence["days_apart"].astype(np.float64)
    found, ratio, phrases = common(evidence), length_ratio(evidence), common_phrases(evidence)
    in_step = (level(evidence) + paced(evidence)) / 2
    same_day, next_day = days == 0, days <= 1
    kept = figures_kept(evidence) >= 0.8
    way = np.full(len(evidence), NO_WAY, np.int8)

    # A pace at all: two lists of the same countries have none.
    half = (found >= 0.5) & (paced(evidence) >= 0.25) & same_day
    half |= (found >= 0.45) & (paced(evidence) >= 0.75) & next_day
    way[half & kept & (ratio >= 0.75) & (phrases <= 0.05)] = MOST_IN_COMMON

    figures = (evidence["figures_shared"] >= 3) & (figures_alike(evidence) >= 0.65)
    way[figures & (found >= 0.26) & next_day & (ratio >= 0.78) & (phrases <= 0.06)] = SAME_FIGURES

    # The more days between them, the more must fit: a running story's next report opens like the last one.
    step = (in_step >= 0.8 + 0.05 * days) & (in_step + found >= 0.98) & (found >= 0.07)
    way[step & kept & (ratio >= 0.9) & (phrases <= 0.115) & (evidence["shared_weight"] >= 900)] = IN_STEP

    way[(evidence["shared_weight"] == 0) | (containment3(evidence) >= MOST_PHRASES)] = NO_WAY
    return way
