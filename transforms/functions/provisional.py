"""Provisional labels: what a new article is to those that came before it, from the evidence of its own pairs alone.

A run decides over all articles at once; a stream can't wait for what comes later. So an article is labelled once, when
it comes: a copy of a kept one whose text holds its own, or kept. What came before is not labelled anew, however much
more complete a later version is; `reconcile` does that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import relations
from schemas.settings import Settings
from schemas.tables import MATCH
from transforms.functions.catalogue import Catalogue
from transforms.functions.joining import PAIR, ROW_BITS
from transforms.functions.labelling import match_rows
from transforms.functions.matching import WEIGHED, weigh
from transforms.functions.sketch_files import SketchFiles
from transforms.functions.stretches import DaysTables

EVIDENCE_ROWS = pa.schema([field for field in MATCH if field.name not in ("run_id", "schema_version")])
"""`matches/` as a function knows it."""

PAIRS_AT_ONCE = 5_000
"""Pairs weighed in one go: a batch's articles and those they meet, about 80 MB where none is shared."""


def weigh_batch(
    sketches: SketchFiles,
    own: int,
    others: Sequence[int],
    shared: npt.NDArray[np.void],
    tables: DaysTables,
    settings: Settings,
) -> pa.Table:
    """The evidence of a batch's pairs: EVIDENCE_ROWS, refused ones above the floor included.

    Args:
        own: number of the batch's sketch file; others: those of the blocks that `shared` refers to, -1 for one that
            is there no more.
        shared: posting_index.SHARED.
        tables: where rarity is looked up.
    """
    numbers = np.array(others, np.int64)
    shared = shared[(numbers[shared["block"]] >= 0) & (shared["shared"] >= settings.match.min_shared_anchors)]
    mine = (np.uint64(own) << np.uint64(ROW_BITS)) | shared["row"].astype(np.uint64)
    theirs = (numbers[shared["block"]].astype(np.uint64) << np.uint64(ROW_BITS)) | shared["other"].astype(np.uint64)
    lengths = [sketches.gather_lengths(handles, "anchors") for handles in (mine, theirs)]
    enough = shared["shared"] >= settings.match.min_shared_share * np.minimum(*lengths)
    pairs = np.empty(int(enough.sum()), PAIR)
    pairs["left"], pairs["right"] = np.minimum(mine, theirs)[enough], np.maximum(mine, theirs)[enough]
    pairs["shared"] = shared["shared"][enough]
    weighed = [
        weigh(sketches, pairs[start : start + PAIRS_AT_ONCE], tables, settings.match)
        for start in range(0, len(pairs), PAIRS_AT_ONCE)
    ]
    return _rows(sketches, np.concatenate([np.empty(0, WEIGHED), *weighed]), settings)


def _rows(sketches: SketchFiles, weighed: npt.NDArray[np.void], settings: Settings) -> pa.Table:
    handles = np.unique(np.concatenate([weighed["left"], weighed["right"]]))
    ids = pa.concat_arrays([pa.array([], pa.string()), *sketches.gather(handles, ["article_id"]).column(0).chunks])
    n = len(handles)
    nothing, every = np.zeros(n, np.int64), np.ones(n, np.bool_)
    catalogue = Catalogue(
        handles, ids, nothing.astype(np.int8), nothing, nothing.astype(np.float32), nothing.astype(np.int32),
        np.arange(n), every, ~every, ~every,
    )  # fmt: skip
    rows = match_rows(catalogue, weighed, settings)
    return rows.filter(pc.not_equal(rows.column("left_id"), rows.column("right_id")))


@dataclass
class Standing:
    """The labels of a store, as far as articles don't stand for themselves alone: the rest needs no memory.

    Attributes:
        keeper_of: of each article that another one stands for, that one.
        relation_of: of each article that is not simply kept, its relation.
        derived_from: of each partial one, what it derives from.
        members: of each keeper, its copies.
    """

    keeper_of: dict[str, str] = field(default_factory=dict)
    relation_of: dict[str, str] = field(default_factory=dict)
    derived_from: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def learn(self, labels: pa.Table) -> None:
        """Takes over the label rows of a run (LABEL-like), each article once."""
        ids = labels.column("article_id")
        known = pc.is_in(ids, pa.array(list(self.relation_of), pa.string()))
        told = labels.filter(pc.or_(known, pc.not_equal(labels.column("relation"), relations.KEPT)))
        names = ("article_id", "relation", "kept_id", "derived_from")
        for row in zip(*(told.column(name).to_pylist() for name in names), strict=True):
            self.place(*row)

    def place(self, article: str, relation: str, keeper: str, derived: str | None) -> None:
        """Says what an article is."""
        self.members.get(self.keeper_of.pop(article, ""), set()).discard(article)
        self.relation_of.pop(article, None)
        self.derived_from.pop(article, None)
        if relation != relations.KEPT:
            self.relation_of[article] = relation
        if keeper != article:
            self.keeper_of[article] = keeper
        if relation in relations.COPY_RELATIONS:
            self.members.setdefault(keeper, set()).add(article)
        if derived is not None:
            self.derived_from[article] = derived

    def head(self, article: str) -> str:
        """The keeper of the article's story."""
        copy = self.relation_of.get(article) in relations.COPY_RELATIONS
        return self.keeper_of[article] if copy else article

    def story(self, article: str) -> str:
        """The id of the article's story, that of its smallest member."""
        head = self.head(article)
        return min((head, *self.members.get(head, ())))

    def labels(self, articles: Sequence[str]) -> pa.Table:
        """The labels of articles: LABEL without is_kept, run_id and schema_version."""
        rows = {
            "article_id": articles,
            "story_id": [self.story(one) for one in articles],
            "relation": [self.relation_of.get(one, relations.KEPT) for one in articles],
            "kept_id": [self.keeper_of.get(one, one) for one in articles],
            "derived_from": [self.derived_from.get(one) for one in articles],
        }
        return pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})


def provisional_labels(
    new: Sequence[str], evidence: pa.Table, standing: Standing, settings: Settings
) -> tuple[pa.Table, list[str]]:
    """Labels of new articles.

    Args:
        new: ids in the order in which they came, none of which the store holds.
        evidence: EVIDENCE_ROWS between articles that are all known by now.
        standing: of the store; what is decided here is added to it.

    Returns:
        the labels of the new articles (`Standing.labels`), and the earlier articles whose story has another id now.
    """
    place = {article: at for at, article in enumerate(new)}
    into, takes = _by_article(evidence, place)
    renamed: set[str] = set()
    for article in new:
        keepers = [one for one in into.get(article, ()) if one[2] not in standing.keeper_of]
        sources = takes.get(article)
        if keepers:
            _, _, keeper, relation = min(keepers)
            before = standing.story(keeper)
            standing.place(article, relation, keeper, None)
            if standing.story(keeper) != before:
                renamed.add(keeper)
        elif sources:
            source = min(sources)[1]
            dropped = relations.PARTIAL in settings.relate.drop
            keeper = standing.keeper_of.get(source, source) if dropped else article
            standing.place(article, relations.PARTIAL, keeper, source)
    earlier = {one for keeper in renamed for one in (keeper, *standing.members[keeper])}
    return standing.labels(new), sorted(one for one in earlier if one not in place)


_Into = dict[str, list[tuple[int, float, str, str]]]
_Takes = dict[str, list[tuple[float, str]]]


def _by_article(evidence: pa.Table, place: Mapping[str, int]) -> tuple[_Into, _Takes]:
    """For each new article what came before it and holds its text (best first by relation, then by share, then id), and
    what it takes text from (the largest share first)."""
    into: _Into = {}
    takes: _Takes = {}
    rows = evidence.filter(evidence.column("accepted"))
    names = ("left_id", "right_id", "relation", "contained_side", "shared3", "left_shingles3", "right_shingles3")
    for left, right, relation, side, shared, of_left, of_right in zip(
        *(rows.column(name).to_pylist() for name in names), strict=True
    ):
        for article, other, own_side, whole in ((left, right, "left", of_left), (right, left, "right", of_right)):
            if place.get(article, -1) <= place.get(other, -1):
                continue  # what came later, or came to the store before
            share = shared / max(1, whole)
            if relation in relations.COPY_RELATIONS and side in (own_side, "both"):
                into.setdefault(article, []).append((relations.COPY_RELATIONS.index(relation), -share, other, relation))
            takes.setdefault(article, []).append((-share, other))
    return into, takes
