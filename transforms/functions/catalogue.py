"""The catalogue of a run: what names and ranks every article of it and of the store, without their texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.functions.joining import Handles
from transforms.functions.relating import Ints
from transforms.functions.sketch_files import SketchFiles, days_of, packed_bytes
from transforms.functions.stretches import Changed, Ends, stretches_of

NO_TIME = np.int64(2**62)
"""The publication time of an article without one: after all others."""


@dataclass(frozen=True)
class Catalogue:
    """What ranks and names every article of the run and the store; all of length n, in the order of `handles`.

    Attributes:
        handles: uint64, ascending.
        ids: string column.
        origin_rank: int8. published: int64 microseconds, NO_TIME where unknown. removed_share: float32.
        day: int32, NO_DAY where unknown.
        node: int64, index of the article that stands for all of the same folded words.
        counted: bool, False for repeats, which are no articles.
        settled: bool, of which the completeness is stored; they may have no words any more.
        stood: bool, which articles stood for theirs when labels were last decided for good.
    """

    handles: Handles
    ids: pa.StringArray
    origin_rank: npt.NDArray[np.int8]
    published: Ints
    removed_share: npt.NDArray[np.float32]
    day: npt.NDArray[np.int32]
    node: Ints
    counted: npt.NDArray[np.bool_]
    settled: npt.NDArray[np.bool_]
    stood: npt.NDArray[np.bool_]

    @property
    def stands(self) -> npt.NDArray[np.bool_]:
        """Which articles stand for all of the same words: bool[n]."""
        stands: npt.NDArray[np.bool_] = self.counted & (self.node == np.arange(len(self.node)))
        return stands

    def index(self, handles: Handles) -> Ints:
        """Indices of handles, all of which must be in the catalogue."""
        return np.searchsorted(self.handles, handles)

    def ends(self, handles: Handles) -> Ends:
        """Articles as one side of pairs."""
        return Ends(handles, self.day[self.index(handles)])

    def decided_anew(self, pairs: npt.NDArray[np.void], changed: Changed) -> npt.NDArray[np.bool_]:
        """Which pairs (with `left` and `right` handles) a run decides anew: bool[n]."""
        return changed.decides(self.ends(pairs["left"]), self.ends(pairs["right"]))

    def seeds(self, changed: Changed, first_new: int) -> npt.NDArray[np.bool_]:
        """Which articles may stand otherwise by a run, or are new (handles from `first_new` on): bool[n]."""
        return changed.relates(self.ends(self.handles)) | (self.handles >= np.uint64(first_new))

    def index_of_ids(self, ids: pa.ChunkedArray) -> Ints:
        """Indices of article ids; -1 for an unknown one."""
        return pc.fill_null(pc.index_in(ids, self.ids), -1).to_numpy().astype(np.int64)


def read_catalogue(
    sketches: SketchFiles, first_new: int, keep: str = "most-complete", first_undecided: int | None = None
) -> Catalogue:
    """The catalogue of all sketch files.

    An article_id that comes again is a repeat: of a run's own records the one with the lowest publication time and
    then the lowest handle counts, and an article of an earlier run always does. Of articles with the same words the
    one stands for all of nearest origin, then earliest (these swapped by `keep` earliest), then cleanest, lowest id.

    Args:
        first_new: handles from here on are this run's.
        first_undecided: handles from here on are of articles that no run has decided for good; those of the run where
            None.
    """
    columns = ["article_id", "origin_rank", "published_at", "removed_share", "text_digest", "day", "completeness"]
    tables = [sketches.table(number, columns) for number in range(len(sketches.paths))]
    if not tables:
        empty = np.empty(0, np.int64)
        return Catalogue(
            empty.astype(np.uint64), pa.array([], pa.string()), empty.astype(np.int8), empty,
            empty.astype(np.float32), empty.astype(np.int32), empty, *(empty.astype(np.bool_) for _ in range(3)),
        )  # fmt: skip
    table = pa.concat_tables(tables)
    handles = np.concatenate([sketches.handles(number) for number in range(len(tables))])
    ids = pa.concat_arrays(table.column("article_id").chunks)
    origin = table.column("origin_rank").to_numpy()
    published = table.column("published_at").cast(pa.int64()).fill_null(NO_TIME).to_numpy()
    removed = table.column("removed_share").to_numpy()
    digests = packed_bytes(table.column("text_digest"), 16).view(np.uint64).reshape(-1, 2)
    codes = pc.rank(ids, sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.int64)
    counted = np.ones(len(handles), np.bool_)
    order = np.lexsort((handles, published, handles >= first_new, codes))
    counted[order[1:][codes[order[1:]] == codes[order[:-1]]]] = False
    ranking = (origin, published) if keep == "earliest" else (published, origin)  # the last counts first
    order = np.lexsort((codes, removed, *ranking, digests[:, 1], digests[:, 0]))
    before = handles < (first_new if first_undecided is None else first_undecided)
    settled = table.column("completeness").is_valid().to_numpy()
    stood = before & counted & (_nodes(order, before & counted, digests) == np.arange(len(handles)))
    nodes = _nodes(order, counted, digests)
    return Catalogue(handles, ids, origin, published, removed, days_of(table), nodes, counted, settled, stood)


def _nodes(order: Ints, counted: npt.NDArray[np.bool_], digests: npt.NDArray[np.uint64]) -> Ints:
    """For each article the first in `order` of the same digest, among those counted; itself where it isn't."""
    node = np.arange(len(order))
    order = order[counted[order]]
    if len(order):
        same = np.r_[False, (digests[order[1:]] == digests[order[:-1]]).all(axis=1)]
        node[order] = order[np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))]
    return node


def changes(catalogue: Catalogue, window_days: int) -> Changed:
    """What the run's articles change: the stretches in which not the same articles stand for theirs as before."""
    other = catalogue.stands != catalogue.stood
    stretches = stretches_of(catalogue.day[other], window_days)
    return Changed(frozenset(np.unique(stretches).tolist()), window_days)
