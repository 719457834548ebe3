"""The labels a store has now: of each article's rows in `labels/` the newest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store import Store
from schemas.tables import LABEL


def newest(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The last row of each value of `keys` (columns of text), in the order of the table.

    Args:
        table: rows of earlier runs before those of later ones.
    """
    # Two ids are 65 bytes: of 33 million rows more than a string column can address.
    joined = [table.column(name).cast(pa.large_string()) for name in keys]
    key = pc.binary_join_element_wise(*joined, pa.scalar(" ", pa.large_string())) if len(joined) > 1 else joined[0]
    codes = pc.index_in(key, pc.unique(key)).to_numpy()
    last = np.full(int(codes.max(initial=-1)) + 1, -1, np.int64)
    # Of several values for one place numpy keeps the last.
    last[codes] = np.arange(len(codes))
    return table.take(pa.array(np.sort(last)))


def current_labels(store: Store, articles: pa.Array | None = None) -> pa.Table:
    """The newest label of every article of a store, or of the given ones: LABEL, each article once."""
    rows = store.read("labels", LABEL.names)
    if articles is not None:
        rows = rows.filter(pc.is_in(rows.column("article_id"), articles))
    return newest(rows.combine_chunks(), ["article_id"])
