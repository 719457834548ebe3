"""From weighed pairs to the rows of `labels/` and `matches/`: the plain twin of `transforms.relate_articles`.

Articles of the same folded words form one node, so that two hundred thousand identical ones cost no more than one:
whatever holds for one of them holds for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import relations
from schemas.settings import Settings
from schemas.tables import MATCH, MATCH_COUNTS
from transforms.functions.catalogue import Catalogue
from transforms.functions.deciding import (
    NONE,
    REASONS,
    RELATION_CODES,
    containment,
    decide,
    jaccard,
)
from transforms.functions.evidence import EVIDENCE
from transforms.functions.joining import PAIR, Handles
from transforms.functions.likeness import rare_containment, share
from transforms.functions.matching import WEIGHED
from transforms.functions.relating import DecidedPairs, Ints, Ranked, bonds, holders, reached_from, relate

Weigh = Callable[[npt.NDArray[np.void]], npt.NDArray[np.void]]


@dataclass(frozen=True)
class Collapsed:
    """Articles so like another one that their candidates are found through it; both uint64[n], `handles` ascending."""

    handles: Handles
    representatives: Handles


def collapse(catalogue: Catalogue, weighed: npt.NDArray[np.void], threshold: float) -> Collapsed:
    """Which articles are compared with the rest through a representative.

    Walked by id: an article is a representative unless it is alike (jaccard >= threshold) to an earlier one.
    """
    alike = weighed[jaccard(weighed["evidence"]) >= threshold]
    left, right = catalogue.index(alike["left"]), catalogue.index(alike["right"])
    involved = np.unique(np.concatenate([left, right]))
    names = dict(zip(involved.tolist(), catalogue.ids.take(pa.array(involved)).to_pylist(), strict=True))
    neighbours: dict[int, list[int]] = {one: [] for one in involved.tolist()}
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        neighbours[a].append(b)
        neighbours[b].append(a)
    stands: dict[int, int] = {}
    for one in sorted(neighbours, key=names.__getitem__):
        heads = [other for other in neighbours[one] if stands.get(other) == other]
        stands[one] = min(heads, key=names.__getitem__) if heads else one
    through = sorted(one for one, head in stands.items() if head != one)
    heads = [stands[one] for one in through]
    return Collapsed(catalogue.handles[np.array(through, np.int64)], catalogue.handles[np.array(heads, np.int64)])


def complete(weighed: npt.NDArray[np.void], collapsed: Collapsed, settings: Settings) -> npt.NDArray[np.void]:
    """Pairs still to be weighed: what is collapsed with all its representative's relations.

    Within a cluster (a representative and what is collapsed into it) every pair; between the clusters of two
    representatives that are akin, every pair too: a version without the representative's furniture or later paragraphs
    may be a copy where that is none. Where that would be more than MAX_CLUSTER_PAIRS nothing is added: relating then
    asks for the pairs it needs.

    Returns:
        PAIR[n], none of which is in `weighed`.
    """
    members: dict[int, list[int]] = {}
    for one, head in zip(collapsed.handles.tolist(), collapsed.representatives.tolist(), strict=True):
        members.setdefault(head, [head]).append(one)
    wanted: set[tuple[int, int]] = set()
    for cluster in members.values():
        if len(cluster) * len(cluster) <= MAX_CLUSTER_PAIRS:
            wanted.update((min(a, b), max(a, b)) for i, a in enumerate(cluster) for b in cluster[i + 1 :])
    related = weighed[decide(weighed["evidence"], settings.match).akin]
    for left, right in zip(related["left"].tolist(), related["right"].tolist(), strict=True):
        first, second = members.get(left, [left]), members.get(right, [right])
        if 1 < len(first) * len(second) <= MAX_CLUSTER_PAIRS:
            wanted.update((min(a, b), max(a, b)) for a in first for b in second if a != b)
    wanted.difference_update(zip(weighed["left"].tolist(), weighed["right"].tolist(), strict=True))
    pairs = np.array(sorted(wanted), np.uint64).reshape(-1, 2)
    found = np.zeros(len(pairs), PAIR)
    found["left"], found["right"] = pairs[:, 0], pairs[:, 1]
    return found


MAX_CLUSTER_PAIRS = 400
"""Pairs weighed between two clusters: 20 versions of one text by 20 of another."""

MAX_TWIN_ROWS = 64
"""Match rows written for one pair because articles of the very same words have the very same evidence."""


@dataclass(frozen=True)
class RelatedRun:
    """What relating gives.

    Attributes:
        articles: int64[m], indices into the catalogue of every article that has a match.
        relation: int8[m] into relations.ARTICLE_RELATIONS; kept, derived_from, story: int64[m] catalogue indices,
            derived_from -1 where there is none.
        matches: MATCH without run_id and schema_version, sorted by (left_id, right_id).
        touched: bool[n] over the catalogue: articles that were related anew; the labels of the others stay.
    """

    articles: Ints
    relation: npt.NDArray[np.int8]
    kept: Ints
    derived_from: Ints
    story: Ints
    matches: pa.Table
    touched: npt.NDArray[np.bool_]


def relate_run(
    catalogue: Catalogue,
    weighed: npt.NDArray[np.void],
    seeds: npt.NDArray[np.bool_],
    completeness: Callable[[Handles], Ints],
    weigh: Weigh,
    settings: Settings,
) -> RelatedRun:
    """Stories and keepers of the articles with a match, as far as the run can change them.

    Args:
        weighed: WEIGHED, those of earlier runs too.
        seeds: bool[n] over the catalogue: articles that are new or may stand otherwise now. Related are all that
            bonds (`relating.bonds`) connect with them.
        completeness: rare shingles of articles.
        weigh: weighs further pairs (PAIR-like, `left` < `right` handles).
    """
    pairs, touched = _connected_with(seeds, _unique(weighed, catalogue), catalogue, settings)
    left, right = _ends(catalogue, pairs)
    sizes = np.bincount(catalogue.node[catalogue.counted & touched], minlength=len(catalogue.node))
    nodes = np.unique(np.concatenate([left, right, np.flatnonzero(sizes > 1)]))
    articles = Ranked(
        ids=catalogue.ids.take(pa.array(nodes)).to_pylist(),
        completeness=completeness(catalogue.handles[nodes]),
        origin_rank=catalogue.origin_rank[nodes],
        published=catalogue.published[nodes],
        removed_share=catalogue.removed_share[nodes],
    )
    extra: list[npt.NDArray[np.void]] = []

    def ask(wanted: list[tuple[int, int]]) -> DecidedPairs:
        places = nodes[np.array(wanted, np.int64)]
        # Where sketches were cut short there are no words to weigh: such pairs stay what they were.
        ends = catalogue.handles[places[~catalogue.settled[places].any(axis=1)]]
        asked = np.empty(len(ends), WEIGHED)
        asked["left"], asked["right"] = ends.min(axis=1), ends.max(axis=1)
        found = weigh(asked)
        found["asked"] = True
        extra.append(found)
        return _decided(found, catalogue, nodes, settings)

    labels, _ = relate(articles, _decided(pairs, catalogue, nodes, settings), settings.relate, ask)
    pairs = np.concatenate([pairs, *extra])
    return _expand(catalogue, nodes, touched, labels.relation, labels.kept, labels.derived_from, pairs, weigh, settings)


def _connected_with(
    seeds: npt.NDArray[np.bool_], pairs: npt.NDArray[np.void], catalogue: Catalogue, settings: Settings
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.bool_]]:
    """The pairs among articles that bonds connect with a seed, and which articles these are."""
    left, right = _ends(catalogue, pairs)
    found = decide(pairs["evidence"], settings.match)
    holds = holders(found.left_in, found.right_in, left, right, len(catalogue.node))
    bond = bonds(found.accepted, found.left_begun, found.right_begun, left, right, holds)
    touched = reached_from(catalogue.node[seeds & catalogue.counted], left[bond], right[bond], len(catalogue.node))
    touched = touched[catalogue.node]
    return pairs[touched[left] & touched[right]], touched & catalogue.counted


def _unique(pairs: npt.NDArray[np.void], catalogue: Catalogue) -> npt.NDArray[np.void]:
    """Each pair of nodes once (the first given), pairs within a node left out."""
    left, right = catalogue.node[catalogue.index(pairs["left"])], catalogue.node[catalogue.index(pairs["right"])]
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((np.arange(len(pairs)), high, low))
    first = np.r_[True, (low[order[1:]] != low[order[:-1]]) | (high[order[1:]] != high[order[:-1]])]
    pick = np.sort(order[: len(pairs)][first[: len(pairs)] & (low[order] != high[order])]) if len(pairs) else order
    return pairs[pick]


def _decided(pairs: npt.NDArray[np.void], catalogue: Catalogue, nodes: Ints, settings: Settings) -> DecidedPairs:
    """Decisions over positions in `nodes`."""
    evidence = pairs["evidence"]
    decisions = decide(evidence, settings.match)
    return DecidedPairs(
        np.searchsorted(nodes, catalogue.node[catalogue.index(pairs["left"])]),
        np.searchsorted(nodes, catalogue.node[catalogue.index(pairs["right"])]),
        decisions.relation, decisions.left_in, decisions.right_in, decisions.akin,
        decisions.left_begun, decisions.right_begun,
        share(evidence["shared3"], evidence["left_shingles3"]).astype(np.float32),
        share(evidence["shared3"], evidence["right_shingles3"]).astype(np.float32),
    )  # fmt: skip


def _expand(
    catalogue: Catalogue,
    nodes: Ints,
    touched: npt.NDArray[np.bool_],
    relation: npt.NDArray[np.int8],
    kept: Ints,
    derived: Ints,
    pairs: npt.NDArray[np.void],
    weigh: Weigh,
    settings: Settings,
) -> RelatedRun:
    """From nodes to all their articles, with a match row for each copy and its keeper."""
    place = np.full(len(catalogue.node), -1, np.int64)
    place[nodes] = np.arange(len(nodes))
    members = np.flatnonzero((place[catalogue.node] >= 0) & catalogue.counted)
    at = place[catalogue.node[members]]
    of_node = members != catalogue.node[members]
    keeper = nodes[kept[at]]
    exact = relations.ARTICLE_RELATIONS.index(relations.EXACT)
    own = relation[at].copy()
    # A further article of the same words is an exact copy where its node is kept, else what its node is.
    own[of_node & (kept[at] == at)] = exact
    source = np.where(derived[at] >= 0, nodes[derived[at]], -1)
    source[own == exact] = -1
    story = _stories(catalogue, members, keeper)
    of_members = _member_pairs(catalogue, members[of_node], keeper[of_node], pairs, weigh)
    dropped = np.isin(own, [relations.ARTICLE_RELATIONS.index(name) for name in settings.relate.drop])
    stood, keeper = keeper, _keepers_of_dropped(members, keeper, source, dropped)
    # What was a copy of one that leaves clean/ is to the source what that one is.
    head = np.searchsorted(members, stood)
    follows = (stood != members) & dropped[head]
    own[follows], source[follows], keeper[follows] = own[head][follows], source[head][follows], keeper[head][follows]
    pairs = _first_of_each(np.concatenate([pairs, of_members, _twin_pairs(catalogue, members, pairs, settings)]))
    return RelatedRun(members, own, keeper, source, story, match_rows(catalogue, pairs, settings), touched)


def _keepers_of_dropped(members: Ints, keeper: Ints, source: Ints, dropped: npt.NDArray[np.bool_]) -> Ints:
    """Keepers where a partial article or a rewrite leaves clean/: what it derives from stands for it, or its keeper."""
    keeper = keeper.copy()
    place = {article: at for at, article in enumerate(members.tolist())}
    for at in np.flatnonzero(dropped & (keeper == members) & (source >= 0)).tolist():
        standing = int(source[at])
        # Nothing derives from what derives from it, so this ends.
        while standing in place and (keeper[place[standing]] != standing or dropped[place[standing]]):
            ahead = int(keeper[place[standing]])
            standing = ahead if ahead != standing else int(source[place[standing]])
        keeper[at] = standing
    return keeper


def _stories(catalogue: Catalogue, members: Ints, keeper: Ints) -> Ints:
    """For each member the article of the lowest id in its story."""
    ids = catalogue.ids.take(pa.array(members))
    ranks = pc.rank(ids, sort_keys="ascending", tiebreaker="first").to_numpy().astype(np.int64)
    order = np.lexsort((ranks, keeper))
    if not len(order):
        return members
    starts = np.flatnonzero(np.r_[True, keeper[order[1:]] != keeper[order[:-1]]])
    story = np.empty(len(members), np.int64)
    story[order] = np.repeat(members[order[starts]], np.diff(np.r_[starts, len(order)]))
    return story


def _member_pairs(
    catalogue: Catalogue, members: Ints, keepers: Ints, pairs: npt.NDArray[np.void], weigh: Weigh
) -> npt.NDArray[np.void]:
    """Evidence of articles with their keepers, copied from what stands for them: their words are the same."""
    if not len(members):
        return pairs[:0]
    stands = catalogue.node[members]
    n = len(catalogue.node)
    known = np.minimum(*_ends(catalogue, pairs)) * n + np.maximum(*_ends(catalogue, pairs))
    order = np.argsort(known, kind="stable")
    wanted = np.minimum(stands, keepers) * n + np.maximum(stands, keepers)
    alone = stands == keepers
    itself = np.empty(int(alone.sum()), WEIGHED)
    # What stands for them may have no words any more: then the last of them to come has.
    last = np.arange(n)
    np.maximum.at(last, stands, members)
    texts = np.where(catalogue.settled[stands], last[stands], stands)
    itself["left"] = itself["right"] = catalogue.handles[texts[alone]]
    distinct, back = np.unique(itself["left"], return_inverse=True)
    asked = np.empty(len(distinct), WEIGHED)
    asked["left"] = asked["right"] = distinct
    found = np.empty(len(members), WEIGHED)
    found["asked"] = False
    found["evidence"][alone] = weigh(asked)["evidence"][back] if len(distinct) else itself["evidence"]
    others = np.flatnonzero(~alone)
    if len(others):
        source = order[np.searchsorted(known[order], wanted[others])]
        record = pairs[source]
        found["asked"][others] = record["asked"]
        swapped = catalogue.node[catalogue.index(record["left"])] != stands[others]
        found["evidence"][others] = np.where(swapped, swap_sides(record["evidence"]), record["evidence"])
    # So far the member is the left side.
    member, keeper = catalogue.handles[members], catalogue.handles[keepers]
    backwards = member > keeper
    found["left"], found["right"] = np.minimum(member, keeper), np.maximum(member, keeper)
    found["evidence"] = np.where(backwards, swap_sides(found["evidence"]), found["evidence"])
    return found


def _twin_pairs(
    catalogue: Catalogue, members: Ints, pairs: npt.NDArray[np.void], settings: Settings
) -> npt.NDArray[np.void]:
    """Related pairs again for articles of the same words as either side, up to MAX_TWIN_ROWS a pair."""
    sizes = np.bincount(catalogue.node[members], minlength=len(catalogue.node))
    left, right = _ends(catalogue, pairs)
    related = decide(pairs["evidence"], settings.match).relation != NONE
    many = np.flatnonzero(related & (sizes[left] * sizes[right] > 1) & (sizes[left] * sizes[right] <= MAX_TWIN_ROWS))
    if not len(many):
        return pairs[:0]
    order = members[np.argsort(catalogue.node[members], kind="stable")]
    starts = np.searchsorted(catalogue.node[order], np.arange(len(catalogue.node) + 1))
    counts = sizes[left[many]] * sizes[right[many]]
    at = np.repeat(many, counts)
    # Every one of the left side's articles with every one of the right side's.
    place = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    first, second = np.divmod(place, sizes[right[at]])
    one = catalogue.handles[order[starts[left[at]] + first]]
    other = catalogue.handles[order[starts[right[at]] + second]]
    rows = pairs[at]
    rows["evidence"] = np.where(one > other, swap_sides(rows["evidence"]), rows["evidence"])
    rows["left"], rows["right"] = np.minimum(one, other), np.maximum(one, other)
    return rows


def _first_of_each(pairs: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Each pair of handles once, the first given."""
    order = np.lexsort((np.arange(len(pairs)), pairs["right"], pairs["left"]))
    left, right = pairs["left"][order], pairs["right"][order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    return pairs[np.sort(order[new])]


def _ends(catalogue: Catalogue, pairs: npt.NDArray[np.void]) -> tuple[Ints, Ints]:
    return catalogue.node[catalogue.index(pairs["left"])], catalogue.node[catalogue.index(pairs["right"])]


def swap_sides(evidence: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The evidence of pairs with left and right exchanged."""
    swapped = evidence.copy()
    for name in EVIDENCE.names or ():
        if name.startswith("left_"):
            swapped[name], swapped["right_" + name[5:]] = evidence["right_" + name[5:]], evidence[name]
    return swapped


def match_rows(catalogue: Catalogue, pairs: npt.NDArray[np.void], settings: Settings) -> pa.Table:
    """Rows of `matches/` (without run_id and schema_version), the refused ones above the floor included."""
    ids = catalogue.ids
    left_at, right_at = catalogue.index(pairs["left"]), catalogue.index(pairs["right"])
    left_ids, right_ids = ids.take(pa.array(left_at)), ids.take(pa.array(right_at))
    swap = pc.greater(left_ids, right_ids).to_numpy(zero_copy_only=False)
    evidence = np.where(swap, swap_sides(pairs["evidence"]), pairs["evidence"])
    decisions = decide(evidence, settings.match)
    contained = containment(evidence)
    sides = np.array([None, "left", "right", "both"], object)[decisions.left_in + 2 * decisions.right_in]
    columns: dict[str, pa.Array] = {
        "left_id": pc.if_else(pa.array(swap), right_ids, left_ids),
        "right_id": pc.if_else(pa.array(swap), left_ids, right_ids),
        "relation": pa.array(np.array(RELATION_CODES, object)[decisions.relation], pa.string()),
        "accepted": pa.array(decisions.relation != NONE),
        "reason": pa.array(np.array(REASONS, object)[decisions.reason], pa.string()),
        "contained_side": pa.array(sides, pa.string()),
        "asked": pa.array(pairs["asked"]),
        "jaccard": pa.array(jaccard(evidence).astype(np.float32)),
        "containment": pa.array(contained.astype(np.float32)),
        "rare_containment": pa.array(rare_containment(evidence).astype(np.float32)),
    } | {name: pa.array(np.ascontiguousarray(evidence[name])) for name in MATCH_COUNTS}
    names = [name for name in MATCH.names if name in columns]
    table = pa.table([columns[name] for name in names], schema=pa.schema([MATCH.field(name) for name in names]))
    worth = pa.array((decisions.relation != NONE) | (contained >= settings.match.floor_containment))
    table = table.filter(worth)
    return table.sort_by([("left_id", "ascending"), ("right_id", "ascending")])


def evidence_of(matches: pa.Table) -> npt.NDArray[np.void]:
    """The counts of rows of `matches/`: EVIDENCE[n]."""
    out = np.empty(matches.num_rows, EVIDENCE)
    for name in MATCH_COUNTS:
        out[name] = matches.column(name).to_numpy()
    return out


def stored_pairs(catalogue: Catalogue, matches: pa.Table) -> npt.NDArray[np.void]:
    """The store's matches as WEIGHED, each pair of nodes once (the first row counts), with the nodes' handles of now.

    Pairs of articles that the catalogue doesn't hold, and of articles of the same words, are left out.
    """
    ends = [catalogue.index_of_ids(matches.column(name)) for name in ("left_id", "right_id")]
    known = (ends[0] >= 0) & (ends[1] >= 0)
    out = np.empty(matches.num_rows, WEIGHED)
    out["asked"] = matches.column("asked").to_numpy()
    out["evidence"] = evidence_of(matches)
    if len(catalogue.handles):
        left, right = (catalogue.handles[catalogue.node[np.maximum(end, 0)]] for end in ends)
        backwards = left > right
        out["left"], out["right"] = np.minimum(left, right), np.maximum(left, right)
        out["evidence"] = np.where(backwards, swap_sides(out["evidence"]), out["evidence"])
    return _unique(out[known], catalogue)
