"""Whether two stores hold the same: articles, kept set, stories, keepers, relations and refusals; texts apart.

Columns only, joined by article_id: a million labels a store take seconds, and the memory of their ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.labels import current_labels
from pipeline.store import Store
from schemas import reasons
from transforms import staging

LABEL_KINDS = {
    "kept": "is_kept", "story": "story_id", "keeper": "kept_id", "relation": "relation", "source": "derived_from",
}  # fmt: skip
"""Kinds of difference between the labels of one article, and the column that tells."""

TITLES = {
    "only_in_a": "articles that only A holds",
    "only_in_b": "articles that only B holds",
    "kept": "articles kept in one and not in the other",
    "story": "articles in another story",
    "keeper": "articles that another one stands for",
    "relation": "articles with another relation",
    "source": "articles derived from another one",
    "rejected": "reasons for which another number was refused",
    "repeat": "records given again",
    "text": "articles with another published text",
}

APART = ("repeat", "text")
"""Kinds that don't make two stores differ: how often a record was given, and text, from which what is learned later
(furniture) is not yet taken out. An export of both is equal all the same."""


@dataclass(frozen=True)
class Difference:
    """One kind of difference: how many, and the first few by id, each as {"id", "a", "b"} with the two values."""

    count: int
    examples: list[dict[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """What differs between two stores, by kind; kinds without a difference have a count of 0.

    Attributes:
        articles: how many articles A and B hold.
    """

    articles: tuple[int, int]
    kinds: dict[str, Difference]

    @property
    def same(self) -> bool:
        """Whether both hold the same but for what is shown apart."""
        return not any(found.count for kind, found in self.kinds.items() if kind not in APART)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        kinds = {kind: asdict(found) for kind, found in self.kinds.items()}
        return {"same": self.same, "articles": list(self.articles), "differences": kinds}


def compare(a: Store, b: Store, examples: int = 3, *, texts: bool = True) -> Comparison:
    """Compares two stores by their newest labels.

    Args:
        examples: how many differences of each kind are shown.
        texts: whether published texts are read and compared too.
    """
    left, right = (current_labels(store).sort_by("article_id") for store in (a, b))
    kinds = {
        "only_in_a": _alone(left, right, examples),
        "only_in_b": _alone(right, left, examples),
    }
    ours, theirs = _shared(left, right)
    ids = ours.column("article_id")
    for kind, column in LABEL_KINDS.items():
        kinds[kind] = _differing(ids, ours.column(column), theirs.column(column), examples)
    before, after = _by_reason(a), _by_reason(b)
    kinds["rejected"] = _counted({*before, *after} - {reasons.REPEAT}, before, after, examples)
    kinds["repeat"] = _counted({reasons.REPEAT}, before, after, examples)
    if texts:
        ours, theirs = _shared(_texts(a), _texts(b))
        found = _differing(ours.column("article_id"), ours.column("digest"), theirs.column("digest"), examples)
        kinds["text"] = Difference(found.count, [{"id": row["id"]} for row in found.examples])
    return Comparison((left.num_rows, right.num_rows), kinds)


def _alone(left: pa.Table, right: pa.Table, examples: int) -> Difference:
    """Articles of the left that the right doesn't hold."""
    ids = left.column("article_id")
    alone = ids.filter(pc.is_null(pc.index_in(ids, right.column("article_id"))))
    return Difference(len(alone), [{"id": one} for one in alone.slice(0, examples).to_pylist()])


def _shared(left: pa.Table, right: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows of articles that both have, in the order of the left."""
    at = pc.index_in(left.column("article_id"), right.column("article_id"))
    return left.filter(at.is_valid()), right.take(at.drop_null())


def _differing(ids: pa.ChunkedArray, left: pa.ChunkedArray, right: pa.ChunkedArray, examples: int) -> Difference:
    missing = pc.not_equal(left.is_valid(), right.is_valid())
    differs = pc.or_(missing, pc.fill_null(pc.not_equal(left, right), False))
    # In numpy: pyarrow 25.0.1's indices_nonzero crashes on a chunked column of a million rows.
    found = np.flatnonzero(differs.to_numpy())
    first = pa.array(found[:examples])
    rows = zip(*(column.take(first).to_pylist() for column in (ids, left, right)), strict=True)
    return Difference(len(found), [{"id": one, "a": was, "b": now} for one, was, now in rows])


def _by_reason(store: Store) -> dict[str, int]:
    counted = pc.value_counts(store.read("rejected", ["reason"]).column("reason"))
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


def _counted(names: set[str], left: dict[str, int], right: dict[str, int], examples: int) -> Difference:
    rows = [{"id": name, "a": left.get(name, 0), "b": right.get(name, 0)} for name in sorted(names)]
    rows = [row for row in rows if row["a"] != row["b"]]
    return Difference(len(rows), rows[:examples])


def _texts(store: Store) -> pa.Table:
    """Each article with a digest of its published text, read a batch at a time."""
    parts = [pa.table({"article_id": pa.array([], pa.string()), "digest": pa.array([], pa.binary(16))})]
    for table in ("clean", "copies"):
        for path in store.files(table):
            parts += list(_digests(path))
    return pa.concat_tables(parts)


def _digests(path: str) -> Iterator[pa.Table]:
    with staging.open_file(path) as source:
        for batch in pq.ParquetFile(source).iter_batches(BATCH_ROWS, columns=["article_id", "text"]):
            # 3 microseconds an article of 3 kB: a digest of the library costs less than a kernel of our own would save.
            digests = [blake2b(text.encode(), digest_size=16).digest() for text in batch.column("text").to_pylist()]
            yield pa.table({"article_id": batch.column("article_id"), "digest": pa.array(digests, pa.binary(16))})


BATCH_ROWS = 4096


def told(comparison: Comparison) -> str:
    """The comparison for a person to read."""
    lines = [f"A holds {comparison.articles[0]:,} articles, B {comparison.articles[1]:,}"]
    for kind, found in comparison.kinds.items():
        if not found.count:
            continue
        apart = ", shown apart" if kind in APART else ""
        lines.append(f"{found.count:>9,}  {TITLES[kind]}{apart}")
        lines += [f"             {_example(row)}" for row in found.examples]
    lines.append("the same" if comparison.same else "different")
    return "\n".join(lines)


def _example(row: dict[str, Any]) -> str:
    return f"{row['id']}: A {row['a']}, B {row['b']}" if "a" in row else str(row["id"])
