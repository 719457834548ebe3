"""The article's own name: a digest of its content as given and its origin."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ID_DIGITS = 32
"""128 bits of SHA-256. One digest an article of 3.3 kB: SHA-256 2.8, SHA-1 2.7, BLAKE2b 5.1 microseconds measured."""


def article_ids(
    source_id: pa.StringArray,
    source: pa.StringArray,
    url: pa.StringArray,
    title: pa.StringArray,
    text: pa.StringArray,
    html: pa.StringArray,
) -> pa.StringArray:
    """Ids of 32 hex digits, from source, url, source_id, title and text (or page) exactly as given.

    All six columns have one length. Null and empty count as not given. Each value is written with its length before
    it, so that no two different records are written alike.
    """
    heads = _heads(source, url, source_id, title).to_pylist()
    texts, pages = _Values(text), _Values(html)
    digest = hashlib.sha256
    ids = []
    for row, head in enumerate(heads):
        body, kind = texts[row], b"text:"
        if not body:
            body, kind = pages[row], b"html:"
        ids.append(digest(b"".join((head, kind, body))).hexdigest()[:ID_DIGITS])
    return pa.array(ids, pa.string())


def _heads(*columns: pa.StringArray) -> pa.BinaryArray:
    parts = []
    for column in columns:
        given = pc.fill_null(column, "")
        parts += [pc.cast(pc.binary_length(given), pa.string()), given]
    return pc.cast(pc.binary_join_element_wise(*parts, ":"), pa.binary())


class _Values:
    """The bytes of a string column's values, without copies."""

    def __init__(self, column: pa.StringArray) -> None:
        if column.null_count:
            column = pc.fill_null(column, "")  # what lies under a null is not defined
        rows = len(column)
        _, offsets, data = column.buffers()
        self._offsets: list[int] = [0] * (rows + 1)
        if offsets is not None and rows:
            first = column.offset
            self._offsets = np.frombuffer(offsets, np.int32)[first : first + rows + 1].tolist()
        self._data = memoryview(b"") if data is None else memoryview(data)

    def __getitem__(self, row: int) -> memoryview:
        return self._data[self._offsets[row] : self._offsets[row + 1]]
