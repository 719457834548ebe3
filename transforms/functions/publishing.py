"""From staged tables and labels to the rows of the store: the plain twin of `transforms.publish_run`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import reasons, relations
from schemas.settings import FurnitureSettings
from schemas.tables import ARTICLE, CLEANED, FURNITURE, LABEL, REJECTED, SCHEMA_VERSION, SKETCH, TIMESTAMP
from transforms.functions.furniture_spans import apply_furniture
from transforms.functions.joining import Handles
from transforms.functions.matching import present
from transforms.functions.refusals import REFUSED


@dataclass(frozen=True)
class PublishedPart:
    """The rows of one staged part, by table."""

    clean: pa.Table
    copies: pa.Table
    rejected: pa.Table
    sketches: pa.Table
    furniture: pa.Table


def constant(value: Any, length: int, kind: pa.DataType) -> pa.Array:
    """A column of one value."""
    return pa.repeat(pa.scalar(value, kind), length)


def labels_for(ids: pa.ChunkedArray, labels: pa.Table) -> dict[str, pa.Array]:
    """story_id, relation, kept_id and derived_from of articles; those without a label stand for themselves."""
    at = pc.index_in(ids, labels.column("article_id"))
    found = {name: labels.column(name).take(at) for name in ("story_id", "relation", "kept_id", "derived_from")}
    return {
        "story_id": pc.coalesce(found["story_id"], ids),
        "relation": pc.fill_null(found["relation"], relations.KEPT),
        "kept_id": pc.coalesce(found["kept_id"], ids),
        "derived_from": found["derived_from"],
    }


def publish_part(
    articles: pa.Table | None,
    sketches: pa.Table | None,
    refused: pa.Table | None,
    handles: Handles | None,
    repeats: Handles,
    labels: pa.Table,
    lines: pa.Table | None,
    known: pa.Table,
    *,
    furniture: FurnitureSettings,
    run_id: str,
    ingested_at_micros: int,
    drop: tuple[str, ...],
) -> PublishedPart:
    """Splits a staged part by label.

    Args:
        articles: CLEANED; sketches: SKETCH, the same rows; handles: theirs. All None if the part has no articles.
        refused: REFUSED or None.
        repeats: handles of records whose article is known already, ascending.
        labels: of articles that have a match.
        lines: FURNITURE, the same rows as `articles`.
        known: KNOWN, the lines to take out of the published text.
        drop: relations that go to `copies/`.
    """
    rejected = [refused] if refused is not None else []
    clean, copies, kept_sketches = ARTICLE.empty_table(), ARTICLE.empty_table(), SKETCH.empty_table()
    kept_lines = FURNITURE.empty_table()
    if articles is not None and sketches is not None and lines is not None and handles is not None:
        counted = present(handles, repeats)
        if not counted.all():
            rejected.append(repeat_rows(articles.filter(pa.array(~counted))))
            articles, sketches, lines = (table.filter(pa.array(counted)) for table in (articles, sketches, lines))
        articles = apply_furniture(articles, known, furniture, lines.column("lines"))
        n = articles.num_rows
        columns = {name: articles.column(name) for name in CLEANED.names}
        columns |= labels_for(articles.column("article_id"), labels)
        columns |= {
            "ingested_at": constant(ingested_at_micros, n, TIMESTAMP),
            "minhash": sketches.column("minhash"),
            "run_id": constant(run_id, n, pa.string()),
            "schema_version": constant(SCHEMA_VERSION, n, pa.int32()),
        }
        every = pa.table([columns[name] for name in ARTICLE.names], names=ARTICLE.names).cast(ARTICLE)
        dropped = pc.is_in(every.column("relation"), pa.array(list(drop), pa.string()))
        clean, copies, kept_sketches = every.filter(pc.invert(dropped)), every.filter(dropped), sketches
        kept_lines = lines
    table = pa.concat_tables(rejected).cast(REFUSED) if rejected else REFUSED.empty_table()
    table = table.append_column(REJECTED.field("run_id"), constant(run_id, table.num_rows, pa.string()))
    table = table.append_column(REJECTED.field("schema_version"), constant(SCHEMA_VERSION, table.num_rows, pa.int32()))
    return PublishedPart(clean, copies, table.cast(REJECTED), kept_sketches, kept_lines)


def repeat_rows(articles: pa.Table) -> pa.Table:
    """REFUSED rows for records whose article is known already; they name it and carry no payload."""
    n = articles.num_rows
    ids = articles.column("article_id")
    message = pc.binary_join_element_wise("article", ids, "is already held; nothing is lost", " ")
    columns = {
        "source_uri": articles.column("source_uri"),
        "position": articles.column("position"),
        "source_id": articles.column("source_id"),
        "stage": constant(reasons.STAGE_ADMIT, n, pa.string()),
        "reason": constant(reasons.REPEAT, n, pa.string()),
        "message": message,
        "payload": pa.nulls(n, pa.binary()),
        "payload_sha256": pa.nulls(n, pa.string()),
    }
    return pa.table([columns[name] for name in REFUSED.names], names=REFUSED.names).cast(REFUSED)


def label_rows(ids: pa.ChunkedArray, labels: pa.Table, run_id: str) -> pa.Table:
    """LABEL rows for articles."""
    found = labels_for(ids, labels)
    n = len(ids)
    columns = {"article_id": ids, **found, "is_kept": pc.equal(found["kept_id"], ids)}
    columns["run_id"] = constant(run_id, n, pa.string())
    columns["schema_version"] = constant(SCHEMA_VERSION, n, pa.int32())
    return pa.table([columns[name] for name in LABEL.names], names=LABEL.names).cast(LABEL)


def counts_of(name: str, table: pa.Table) -> dict[str, dict[str, int]]:
    """What the summary and the accounts need to know of a published table, by value."""
    wanted = {
        "clean": ("source_uri", "source", "relation", "language"),
        "copies": ("source_uri", "source", "relation", "language"),
        "rejected": ("source_uri", "reason"),
    }.get(name, ())
    counts = {f"by_{column}": value_counts(table.column(column)) for column in wanted}
    if name in ("clean", "copies"):
        counts["by_rule"] = value_counts(pc.struct_field(pc.list_flatten(table.column("removed")), "rule"))
        counts["by_agency"] = value_counts(table.column("agency").drop_null())
    return counts


def value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs; a null counts as an empty text."""
    counted = pc.value_counts(pc.fill_null(column, ""))
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


def changed_labels(old: pa.Table, new: pa.Table) -> np.ndarray:
    """Which rows of `new` differ from the label the article has in `old` (LABEL-like, each article once): bool[n]."""
    at = pc.index_in(new.column("article_id"), old.column("article_id"))
    changed = np.zeros(new.num_rows, np.bool_)
    for name in ("story_id", "relation", "kept_id", "derived_from"):
        before = pc.fill_null(old.column(name).take(at), "")
        changed |= pc.not_equal(before, pc.fill_null(new.column(name), "")).to_numpy()
    return changed
