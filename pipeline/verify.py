"""Whether a store keeps its promises: files as committed, sums, ids, keepers, stories and evidence.

Columns only: a store of a million articles is checked in memory of its ids and labels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.compact import KEPT_WHOLE
from pipeline.labels import current_labels
from pipeline.store import COMPACTION, Store, written
from schemas import relations
from schemas.tables import ARTICLE_ID_PATTERN
from transforms import staging

SHOWN = 3


def verify(store: Store) -> Iterator[tuple[str, list[str]]]:
    """Each promise with what breaks it: nothing, where it holds."""
    changed = list(_changed_files(store))
    yield "every file is there as it was committed", changed
    if changed:
        return  # what damaged files say is not worth checking
    yield "records in = clean + copies + rejected, for every run and file", list(_wrong_sums(store))
    yield "a compaction holds as many rows as the files it supersedes", list(_wrong_compactions(store))
    ids = pa.concat_tables([store.read(table, ["article_id"]) for table in ("clean", "copies")]).column("article_id")
    yield "article ids are 32 hex digits, each once", _wrong_ids(ids)
    labels = current_labels(store)
    yield "every article has a label, and every label an article", _apart(ids, labels.column("article_id"))
    yield "every copy's keeper is kept", _lost_keepers(labels)
    yield "a copy shares its keeper's story, whose id is its smallest member's", _wrong_stories(labels)
    yield "every copy has an accepted match with its own keeper", _without_evidence(store, labels)
    yield "every article has its sketch", _apart(ids, store.read("sketches", ["article_id"]).column("article_id"))


def _changed_files(store: Store) -> Iterator[str]:
    for manifest in store.manifests:
        for entry in store.entries(manifest):
            path = staging.join(store.path, entry["path"])
            if not staging.exists(path):
                yield f"{entry['path']} is missing"
            elif staging.sha256(path) != entry["sha256"]:
                yield f"{entry['path']} has changed since it was committed"
            else:
                with staging.open_file(path) as source:
                    rows = pq.ParquetFile(source).metadata.num_rows
                if rows != entry["rows"]:
                    yield f"{entry['path']} has {rows} rows; the manifest says {entry['rows']}"


def _wrong_sums(store: Store) -> Iterator[str]:
    for manifest in store.runs:
        for entry in [*manifest["inputs"], {"path": "the run", **manifest["counts"]}]:
            out = entry["clean"] + entry["copies"] + entry["rejected"]
            if entry["records"] != out:
                yield f"{manifest['run_id']}, {entry['path']}: {entry['records']} records in, {out} out"
        for table in ("clean", "copies", "rejected"):
            rows = sum(entry["rows"] for entry in written(manifest) if entry["table"] == table)
            if rows != manifest["counts"][table]:
                yield f"{manifest['run_id']}: {rows} rows in {table}/, {manifest['counts'][table]} counted"


def _wrong_compactions(store: Store) -> Iterator[str]:
    rows = {entry["path"]: entry["rows"] for manifest in store.manifests for entry in written(manifest)}
    for manifest in store.manifests:
        for table in KEPT_WHOLE if manifest.get("kind") == COMPACTION else ():
            made = sum(entry["rows"] for entry in written(manifest) if entry["table"] == table)
            before = sum(rows[path] for path in manifest["supersedes"] if table in path.split("/")[:2])
            if made != before:
                yield f"{manifest['run_id']}: {made} rows in {table}/ of {before}"


def _wrong_ids(ids: pa.ChunkedArray) -> list[str]:
    wrong = ids.filter(pc.invert(pc.match_substring_regex(ids, f"^{ARTICLE_ID_PATTERN}$"))).to_pylist()
    counted = pc.value_counts(ids)
    twice = counted.field("values").filter(pc.greater(counted.field("counts"), 1)).to_pylist()
    return [*wrong, *(f"{one} comes more than once" for one in twice)]


def _apart(left: pa.ChunkedArray, right: pa.ChunkedArray) -> list[str]:
    """What only one of two columns of ids has."""
    only_left = left.filter(pc.invert(pc.is_in(left, right.combine_chunks()))).to_pylist()
    only_right = right.filter(pc.invert(pc.is_in(right, left.combine_chunks()))).to_pylist()
    return only_left + only_right


def _copies(labels: pa.Table) -> pa.Table:
    return labels.filter(pc.is_in(labels.column("relation"), pa.array(list(relations.COPY_RELATIONS))))


def _lost_keepers(labels: pa.Table) -> list[str]:
    kept = labels.filter(labels.column("is_kept")).column("article_id").combine_chunks()
    wrong = labels.filter(pc.invert(pc.is_in(labels.column("kept_id"), kept)))
    return [f"{row['article_id']} -> {row['kept_id']}" for row in wrong.to_pylist()]


def _wrong_stories(labels: pa.Table) -> list[str]:
    ids = labels.column("article_id")
    at = pc.index_in(labels.column("kept_id"), ids.combine_chunks())
    keepers = labels.column("story_id").take(at)
    is_copy = pc.is_in(labels.column("relation"), pa.array(list(relations.COPY_RELATIONS)))
    stray = pc.and_(is_copy, pc.not_equal(labels.column("story_id"), pc.fill_null(keepers, "")))
    smallest = labels.group_by("story_id").aggregate([("article_id", "min")])
    misnamed = smallest.filter(pc.not_equal(smallest.column("story_id"), smallest.column("article_id_min")))
    return ids.filter(stray).to_pylist() + misnamed.column("story_id").to_pylist()


def _without_evidence(store: Store, labels: pa.Table) -> list[str]:
    copies = _copies(labels)
    ids, keepers = copies.column("article_id"), copies.column("kept_id")
    swap = pc.greater(ids, keepers)
    low, high = pc.if_else(swap, keepers, ids), pc.if_else(swap, ids, keepers)
    matches = store.read("matches", ["left_id", "right_id", "accepted", "relation"])
    newest = matches.take(pa.array(np.arange(matches.num_rows)[::-1]))
    pairs = pc.binary_join_element_wise(newest.column("left_id"), newest.column("right_id"), " ").combine_chunks()
    found = newest.take(pc.index_in(pc.binary_join_element_wise(low, high, " "), pairs))
    copying = pc.is_in(found.column("relation"), pa.array(list(relations.COPY_RELATIONS)))
    held = pc.and_(pc.fill_null(found.column("accepted"), False), copying)
    return ids.filter(pc.invert(held)).to_pylist()


def told(promise: str, broken: list[str]) -> str:
    """One line for a promise, with the first few of what breaks it."""
    if not broken:
        return f"ok      {promise}"
    more = f" and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
    return f"BROKEN  {promise}: {len(broken)}: {'; '.join(broken[:SHOWN])}{more}"
