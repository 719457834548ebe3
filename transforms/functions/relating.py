"""From decided pairs to stories and keepers, over the integers of the matched articles only.

A *story* is one kept article and its copies. The members of a component of accepted copy matches are ranked by policy
and walked: an article whose own text is (nearly) all in an already kept one, by direct evidence, becomes its copy;
otherwise it is kept itself. So chains of resemblance never remove anything, and the outcome depends on nothing but
the set of articles and the evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from schemas import relations
from schemas.settings import RelateSettings
from transforms.functions.deciding import EXACT, NEAR, NONE, PARTIAL, RELATION_CODES, REWRITE

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
COMPLETENESS_STEP = 0.1
"""Completeness counts in steps of this share, so that a leftover line doesn't make a copy win over the wire's text."""

MAX_ASKED = 8
"""How many kept articles of its component an article without evidence is compared with, the best ranked first."""


@dataclass(frozen=True)
class Ranked:
    """What ranks n articles; all arrays of length n.

    Attributes:
        ids: article ids.
        completeness: int64, rare shingles of the cleaned text.
        origin_rank: int8, 0 the wire or outlet credited itself.
        published: int64, microseconds since 1970; a large number where unknown.
        removed_share: float32, how much boilerplate was taken out.
    """

    ids: Sequence[str]
    completeness: Ints
    origin_rank: npt.NDArray[np.int8]
    published: Ints
    removed_share: npt.NDArray[np.float32]


@dataclass(frozen=True)
class DecidedPairs:
    """m decided pairs of articles (indices into Ranked), each pair once, in any order."""

    left: Ints
    right: Ints
    relation: npt.NDArray[np.int8]
    left_in: npt.NDArray[np.bool_]
    right_in: npt.NDArray[np.bool_]
    akin: npt.NDArray[np.bool_]
    left_begun: npt.NDArray[np.bool_]
    right_begun: npt.NDArray[np.bool_]
    left_share: npt.NDArray[np.float32]
    right_share: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Labels:
    """The outcome for n articles: relation (index into relations.ARTICLE_RELATIONS), keeper and source (-1: none)."""

    relation: npt.NDArray[np.int8]
    kept: Ints
    derived_from: Ints
    story: Ints


def rank(articles: Ranked, policy: str, component: Ints | None = None) -> Ints:
    """Each article's rank, 0 the best: int64[n]. Depends on the articles alone, never on their order.

    Args:
        articles: n articles.
        policy: one of the choices of relate.keep.
        component: int64[n], among which articles each one is ranked; all together where it is None. Completeness
            counts in steps down from the most complete of the component.

    Raises:
        ValueError: the policy is unknown.
    """
    component = np.zeros(len(articles.ids), np.int64) if component is None else component
    most = np.zeros(int(component.max(initial=0)) + 1, np.int64)
    np.maximum.at(most, component, articles.completeness)
    lag = np.log((most[component] + 1.0) / (articles.completeness + 1.0)) / np.log(1.0 + COMPLETENESS_STEP)
    steps = np.floor(lag).astype(np.int64)
    by_id = np.empty(len(articles.ids), np.int64)
    by_id[sorted(range(len(articles.ids)), key=articles.ids.__getitem__)] = np.arange(len(articles.ids))
    keys: dict[str, tuple[npt.NDArray[np.generic], ...]] = {
        "most-complete": (steps, articles.origin_rank, articles.published, articles.removed_share),
        "earliest": (articles.published, steps, articles.origin_rank, articles.removed_share),
        "wire-first": (articles.origin_rank, steps, articles.published, articles.removed_share),
    }
    if policy not in keys:
        raise ValueError(f"keeper policy {policy!r}; expected one of {', '.join(keys)}")
    order = np.lexsort((by_id, *reversed(keys[policy])))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def components(n: int, left: Ints, right: Ints) -> Ints:
    """The component of each of n nodes under undirected edges: int64[n]."""
    graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def holders(left_in: Flags, right_in: Flags, left: Ints, right: Ints, n: int) -> Flags:
    """Which of n articles hold another one's text, as some pairs say, without being in it: bool[n]."""
    holds = np.zeros(n, np.bool_)
    holds[right[left_in & ~right_in]] = True
    holds[left[right_in & ~left_in]] = True
    return holds


def bonds(accepted: Flags, left_begun: Flags, right_begun: Flags, left: Ints, right: Ints, holds: Flags) -> Flags:
    """Pairs by which the label of one article can depend on the other: bool[m].

    These are the accepted ones, and the beginnings of stories in what holds another story whole (`round_ups`). What is
    refused otherwise decides nothing between two articles unless such pairs connect both with a third.

    Args:
        holds: bool[n], `holders` by all pairs there are.
    """
    found: Flags = accepted | (left_begun & holds[right]) | (right_begun & holds[left])
    return found


def reached_from(seeds: Ints, left: Ints, right: Ints, n: int) -> Flags:
    """Which of n nodes edges connect with a seed, the seeds included: bool[n]."""
    component = components(n, left, right)
    reached = np.zeros(n, np.bool_)
    reached[component[seeds]] = True
    return reached[component]


def round_ups(pairs: DecidedPairs) -> set[int]:
    """Articles that hold two or more others which have nothing to do with each other: they absorb nobody.

    The parts an article holds fall into groups that are connected by pairs of any relation, and by refused ones that
    share rare language all the same (two cuts of one text that overlap); one group is one story in several versions,
    two are two stories side by side. Of a round-up of beginnings it is enough that one part is held whole, where with
    those that it has the beginning of there are BEGINNINGS groups.
    """
    holds: dict[int, set[int]] = defaultdict(set)
    begins: dict[int, set[int]] = defaultdict(set)
    related: dict[int, set[int]] = defaultdict(set)
    for left, right, akin, left_in, right_in, left_begun, right_begun, left_share, right_share in zip(
        *(
            getattr(pairs, name).tolist()
            for name in (
                *("left", "right", "akin", "left_in", "right_in"),
                *("left_begun", "right_begun", "left_share", "right_share"),
            )
        ),
        strict=True,
    ):
        if akin:
            related[left].add(right)
            related[right].add(left)
        # A part that covers most of its holder leaves no room for another story.
        if right_share <= MOST_OF_A_ROUND_UP and not right_in:
            if left_in:
                holds[right].add(left)
            elif left_begun:
                begins[right].add(left)
        if left_share <= MOST_OF_A_ROUND_UP and not left_in:
            if right_in:
                holds[left].add(right)
            elif right_begun:
                begins[left].add(right)
    return {
        holder
        for holder, parts in holds.items()
        if len(_groups(parts, related)) > 1
        or (holder in begins and len(_groups(parts | begins[holder], related)) >= BEGINNINGS)
    }


def _groups(parts: set[int], related: dict[int, set[int]]) -> list[set[int]]:
    """The parts by what reaches what through related parts."""
    groups, left = [], set(parts)
    while left:
        ahead = [min(left)]
        reached = set(ahead)
        while ahead:
            found = (related[ahead.pop()] & parts) - reached
            reached |= found
            ahead += found
        groups.append(reached)
        left -= reached
    return groups


BEGINNINGS = 3
"""Stories in a round-up of beginnings: one whole and one begun is also an article with a paragraph of background."""

MOST_OF_A_ROUND_UP = 0.7
"""One story may be this share of a round-up's shingles; above it the rest is local additions, not another story."""


def relate(
    articles: Ranked,
    pairs: DecidedPairs,
    settings: RelateSettings,
    ask: Callable[[list[tuple[int, int]]], DecidedPairs] | None = None,
) -> tuple[Labels, DecidedPairs]:
    """Stories, keepers and relations of articles that have matches.

    Args:
        articles: what ranks them.
        pairs: the decided pairs.
        settings: the keeper policy.
        ask: weighs further pairs on demand (an article and a kept one of its component that were never compared);
            None: only the given pairs count.

    Returns:
        labels, and the pairs with those asked for added.
    """
    n = len(articles.ids)
    gathered = [pairs]
    asked: set[tuple[int, int]] = set()
    while True:
        every = _concatenate(gathered)
        walk = _Walk(articles, every, settings.keep, n)
        walk.run()
        wanted = sorted(walk.wanted - asked) if ask is not None else []
        if not wanted or ask is None:
            return walk.labels(), every
        asked.update(wanted)
        gathered.append(ask(wanted))


def _concatenate(parts: Iterable[DecidedPairs]) -> DecidedPairs:
    parts = list(parts)
    names = DecidedPairs.__annotations__
    return DecidedPairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class _Walk:
    """One walk over the ranked members of every component."""

    def __init__(self, articles: Ranked, pairs: DecidedPairs, policy: str, n: int) -> None:
        self.n, self.articles = n, articles
        self.relation = np.zeros(n, np.int8)
        self.kept = np.arange(n, dtype=np.int64)
        self.derived = np.full(n, -1, np.int64)
        self.wanted: set[tuple[int, int]] = set()
        holders = round_ups(pairs)
        copy = pairs.relation > PARTIAL
        same = pairs.left_in & pairs.right_in
        held = np.isin(pairs.left, list(holders)) | np.isin(pairs.right, list(holders))
        joins = copy & (~held | same)
        self.component = components(n, pairs.left[joins], pairs.right[joins])
        self.ranks = rank(articles, policy, self.component)
        # into[x][k]: the pair's relation, where x's text is in k's.
        self.into: dict[int, dict[int, int]] = defaultdict(dict)
        self.known: dict[int, set[int]] = defaultdict(set)
        self.takes: dict[int, list[tuple[float, int]]] = defaultdict(list)
        self.reworded: dict[int, list[int]] = defaultdict(list)
        for left, right, relation, left_in, right_in, left_share, right_share, join in zip(
            pairs.left.tolist(), pairs.right.tolist(), pairs.relation.tolist(), pairs.left_in.tolist(),
            pairs.right_in.tolist(), pairs.left_share.tolist(), pairs.right_share.tolist(), joins.tolist(), strict=True,
        ):  # fmt: skip
            self.known[left].add(right)
            self.known[right].add(left)
            if join and left_in:
                self.into[left][right] = relation
            if join and right_in:
                self.into[right][left] = relation
            if relation == REWRITE:
                self.reworded[left].append(right)
                self.reworded[right].append(left)
            elif relation != NONE:
                self.takes[left].append((left_share, right))
                self.takes[right].append((right_share, left))

    def run(self) -> None:
        sizes = np.bincount(self.component, minlength=1)
        members = np.flatnonzero(sizes[self.component] > 1)
        order = members[np.lexsort((self.ranks[members], self.component[members]))]
        keepers: list[int] = []
        current = -1
        for article in order.tolist():
            if self.component[article] != current:
                current, keepers = self.component[article], []
            self._place(article, keepers)
        self._derive()
        self._derive_rewrites()

    def _place(self, article: int, keepers: list[int]) -> None:
        into = self.into.get(article, {})
        for keeper in keepers if len(keepers) <= len(into) else sorted(into, key=self.ranks.__getitem__):
            if keeper in into and self.kept[keeper] == keeper and self.ranks[keeper] < self.ranks[article]:
                self.kept[article] = keeper
                self.relation[article] = _COPY_RELATION[into[keeper]]
                return
        unknown = [keeper for keeper in keepers if keeper not in self.known[article]][:MAX_ASKED]
        self.wanted.update((min(article, keeper), max(article, keeper)) for keeper in unknown)
        keepers.append(article)

    def _derive(self) -> None:
        """A kept article that takes text from another one's story is partial; the later one is the derived one."""
        final: set[int] = set()
        for article in sorted(self.takes, key=self._date):
            if self.kept[article] != article:
                continue
            keys: list[tuple[float, int, str, int]] = []
            for part, other in self.takes[article]:
                source = int(self.kept[other])
                if source == article or self._date(other) > self._date(article):
                    continue
                if self._date(source) > self._date(article):
                    source = other  # the story's keeper came later: what was taken from is the earlier version
                keys.append((-part, *self._date(source), source))
            for *_, source in sorted(keys):
                # That later keeper may have taken text from this article in its turn.
                if not self._leads_to(article, source, final):
                    self.relation[article] = relations.ARTICLE_RELATIONS.index(relations.PARTIAL)
                    self.derived[article] = source
                    break

    def _leads_to(self, article: int, source: int, final: set[int]) -> bool:
        """Whether an article stands among a source, what stands for it, and what these derive from, and so on.

        Args:
            final: of which all of that is known to lie before the articles still to be asked about; added to.
        """
        found, ahead, earlier = set[int](), [source], True
        while ahead:
            one = ahead.pop()
            if one == article:
                return True
            if one >= 0 and one not in found and one not in final:
                found.add(one)
                earlier &= self._date(one) < self._date(article)
                ahead += [int(self.kept[one]), int(self.derived[one])]
        if earlier:
            final |= found
        return False

    def _date(self, article: int) -> tuple[int, str]:
        return int(self.articles.published[article]), self.articles.ids[article]

    def _derive_rewrites(self) -> None:
        """A kept article that tells another one's report in other words, and takes no text, is a rewrite of it.

        The source is the wire or outlet credited itself, else the earlier one; of several the first of these.
        """
        for article in sorted(self.reworded, key=self._origin):
            if self.kept[article] != article or self.derived[article] >= 0:
                continue
            for other in sorted(self.reworded[article], key=self._origin):
                keeper = int(self.kept[other])
                source = keeper if self._origin(keeper) < self._origin(article) else other
                if keeper == article or self._origin(source) >= self._origin(article):
                    continue
                # The wire goes before an earlier paper: by text taken over it may derive from this article itself.
                if article not in self._sources(source):
                    self.relation[article] = relations.ARTICLE_RELATIONS.index(relations.REWRITE)
                    self.derived[article] = source
                    break

    def _origin(self, article: int) -> tuple[bool, int, int, str]:
        """What orders articles of which one tells the other's report: lower is nearer to the source."""
        credited = int(self.articles.origin_rank[article])
        return credited != 0, int(self.articles.published[article]), credited, self.articles.ids[article]

    def _sources(self, article: int) -> set[int]:
        """The article, what stands for it, and what these derive from, and so on."""
        found: set[int] = set()
        ahead = [article]
        while ahead:
            one = ahead.pop()
            if one >= 0 and one not in found:
                found.add(one)
                ahead += [int(self.kept[one]), int(self.derived[one])]
        return found

    def labels(self) -> Labels:
        story = np.arange(self.n, dtype=np.int64)
        ids = self.articles.ids
        for article in range(self.n):
            keeper = int(self.kept[article])
            if ids[article] < ids[story[keeper]]:
                story[keeper] = article
        return Labels(self.relation, self.kept, self.derived, story[self.kept])


_COPY_RELATION = {
    code: relations.ARTICLE_RELATIONS.index(RELATION_CODES[code]) for code in range(PARTIAL + 1, EXACT + 1)
}
assert _COPY_RELATION[NEAR] == relations.ARTICLE_RELATIONS.index(relations.NEAR)
