"""The search for rewrites in one stretch of time: the plain twin of `transforms.find_rewrites`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from schemas.rewrite_settings import RewriteSettings
from schemas.settings import MatchSettings
from schemas.tables import REWRITE_COUNTS
from transforms.functions.deciding import REWRITE, decide
from transforms.functions.evidence import EVIDENCE
from transforms.functions.joining import PAIR, Handles
from transforms.functions.labelling import MAX_CLUSTER_PAIRS, Collapsed
from transforms.functions.matching import WEIGHED, days_apart, weigh
from transforms.functions.rewording import NO_WAY, told_again
from transforms.functions.rewrite_candidates import propose
from transforms.functions.rewriting import Block, Indices, TermTables, block_of, compare
from transforms.functions.sketch_files import SketchFiles, days_of
from transforms.functions.stretches import UNDATED, Changed, DaysTables, Ends


def find_rewrites(
    sketches: SketchFiles,
    element: tuple[int, int, int],
    proposing: Callable[[int], Handles],
    collapsed: Collapsed,
    terms: TermTables,
    tables: DaysTables,
    changed: Changed,
    match: MatchSettings,
    settings: RewriteSettings,
) -> tuple[npt.NDArray[np.void], int]:
    """The rewrites whose earlier article is of a stretch, and how many terms stood in too many articles to propose.

    Args:
        element: a stretch, which part of its articles is looked at, and of how many parts.
        proposing: the articles of a stretch that are compared; what is collapsed into one of them is compared with
            the rewrites of that one.
        terms, tables: the counts of terms, and of days, of each stretch.
        changed: which pairs are decided anew; the others are left out.

    Returns:
        WEIGHED[n], each a rewrite by `deciding`.
    """
    stretch, part, parts = element
    own = long_enough(sketches, proposing(stretch), settings)
    nothing = np.empty(0, WEIGHED)
    if not len(own) or settings.days < 0:
        return nothing, 0
    later = own[:0]
    if stretch != UNDATED:
        later = long_enough(sketches, proposing(stretch + 1), settings)
        last_day = (stretch + 1) * max(1, tables.window_days) - 1
        later = later[_days(sketches, later) <= last_day + settings.days]
    surroundings = terms.surroundings(stretch)
    handles = np.concatenate([own, later])
    block = block_of(sketches, handles, _days(sketches, handles), surroundings)
    edges = np.linspace(0, len(own), parts + 1).astype(np.int64)
    left, right, crowded = propose(
        block, surroundings[0], int(edges[part]), int(edges[part + 1]), settings.days, settings.max_term_articles
    )
    found = _decided(sketches, block, left, right, tables, changed, match)
    more = _of_collapsed(found, collapsed)
    if len(more):
        handles = np.unique(np.concatenate([more["left"], more["right"]]))
        block = block_of(sketches, handles, _days(sketches, handles), surroundings)
        at = np.argsort(block.handles)
        left, right = (at[np.searchsorted(block.handles[at], more[side])] for side in ("left", "right"))
        near = np.abs(block.days[left].astype(np.int64) - block.days[right]) <= settings.days
        further = _decided(sketches, block, left[near], right[near], tables, changed, match)
        found = np.concatenate([found, further])
    return found, crowded


def long_enough(sketches: SketchFiles, handles: Handles, settings: RewriteSettings) -> Handles:
    """Those articles that have enough words to be told apart."""
    return handles[sketches.gather_lengths(handles, "words") >= settings.min_words]


def _days(sketches: SketchFiles, handles: Handles) -> npt.NDArray[np.int32]:
    return days_of(sketches.gather(handles, ["day"]))


def _decided(
    sketches: SketchFiles,
    block: Block,
    left: Indices,
    right: Indices,
    tables: DaysTables,
    changed: Changed,
    match: MatchSettings,
) -> npt.NDArray[np.void]:
    """Of pairs of a block those that are rewrites, WEIGHED."""
    ends = (Ends(block.handles[side], block.days[side]) for side in (left, right))
    decides = changed.decides(*ends)
    left, right = left[decides], right[decides]
    swap = block.handles[left] > block.handles[right]
    left, right = np.where(swap, right, left), np.where(swap, left, right)
    for in_order in (False, True):
        reworded = compare(block, left, right, in_order=in_order)
        # Order that isn't looked at, and phrases in common, only speak against a rewrite: more are likely without.
        keep = told_again(_evidence(block, left, right, reworded)) != NO_WAY
        left, right, reworded = left[keep], right[keep], reworded[keep]
    pairs = np.zeros(len(left), PAIR)
    pairs["left"], pairs["right"] = block.handles[left], block.handles[right]
    weighed = weigh(sketches, pairs, tables, match)
    for name in REWRITE_COUNTS:
        weighed["evidence"][name] = reworded[name]
    return weighed[decide(weighed["evidence"], match).relation == REWRITE]


def _evidence(block: Block, left: Indices, right: Indices, reworded: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """EVIDENCE of pairs, as far as terms and lengths give it."""
    evidence = np.zeros(len(left), EVIDENCE)
    for name in REWRITE_COUNTS:
        evidence[name] = reworded[name]
    evidence["left_words"], evidence["right_words"] = block.words[left], block.words[right]
    evidence["days_apart"] = days_apart(block.days[left], block.days[right])
    return evidence


def _of_collapsed(found: npt.NDArray[np.void], collapsed: Collapsed) -> npt.NDArray[np.void]:
    """The pairs between what is collapsed into the two articles of each rewrite, PAIR; the rewrites themselves not."""
    members: dict[int, list[int]] = {}
    for one, head in zip(collapsed.handles.tolist(), collapsed.representatives.tolist(), strict=True):
        members.setdefault(head, [head]).append(one)
    wanted: set[tuple[int, int]] = set()
    for left, right in zip(found["left"].tolist(), found["right"].tolist(), strict=True):
        first, second = members.get(left, [left]), members.get(right, [right])
        if 1 < len(first) * len(second) <= MAX_CLUSTER_PAIRS:
            wanted.update((min(a, b), max(a, b)) for a in first for b in second if a != b)
    wanted.difference_update(zip(found["left"].tolist(), found["right"].tolist(), strict=True))
    pairs = np.zeros(len(wanted), PAIR)
    for side, ends in zip(("left", "right"), np.array(sorted(wanted), np.uint64).reshape(-1, 2).T, strict=True):
        pairs[side] = ends
    return pairs
