"""Signed batches of messages to staged files and blocks of postings: text goes no further."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from schemas.tables import SKETCH
from transforms import staging
from transforms.functions.posting_index import blocks_of
from transforms.functions.sketch_files import days_of, packed_bytes, packed_lists
from transforms.read_messages import MessagePart

MILLISECONDS_A_DAY = 86_400_000


@dataclass(frozen=True)
class GraphTask:
    """What the steps of the unbounded graph need to know.

    Attributes:
        folder: where batches are staged: `articles/`, `furniture/` and `refused/` until they are committed, `sketches/`
            until they expire.
        partitions: keys of the anchors' state; fixed while a job lives.
        window_days: what arrives further apart is not compared.
        steps: parts of the window by which state is dropped: it holds what arrived within the window and one such step.
    """

    folder: str
    partitions: int
    window_days: int
    steps: int

    @property
    def step_ms(self) -> int:
        """A step of event time, in milliseconds."""
        return max(1, self.window_days * MILLISECONDS_A_DAY // self.steps)

    def due_ms(self, step: int) -> int:
        """The event time from which a step's articles are compared no more."""
        return (step + 1) * self.step_ms + self.window_days * MILLISECONDS_A_DAY

    def staged(self, table: str, header: dict[str, Any]) -> str:
        """Where a table of a batch is staged."""
        return f"{self.folder}/{table}/{header['step']}/{header['name']}.arrow"


class StageBatches(beam.PTransform):
    """`MessagePart`s, cleaned and signed, to (partition of the anchors, packed `posting_index.Block`).

    Each batch gives a block to every partition, also where it is empty. Files are written before blocks flow on, under
    names made of topic, partition and offsets: a batch that comes again writes the same.
    """

    def __init__(self, task: GraphTask) -> None:
        super().__init__()
        self.task = task

    def expand(self, parts: beam.PCollection[MessagePart]) -> beam.PCollection[tuple[bytes, bytes]]:
        return parts | "Stage" >> beam.ParDo(_Stage(self.task)).with_output_types(tuple[bytes, bytes])


class _Stage(beam.DoFn):
    def __init__(self, task: GraphTask) -> None:
        self.task = task

    def process(self, part: MessagePart) -> Iterable[tuple[bytes, bytes]]:
        assert part.span is not None
        tables = {"articles": part.records, "sketches": part.sketches, "furniture": part.lines}
        tables = tables if part.records.num_rows else {}
        if part.refused.num_rows:
            tables["refused"] = part.refused
        header: dict[str, Any] = {
            **part.span.as_dict(), "name": part.name, "uri": part.uri, "step": part.span.time_ms // self.task.step_ms,
            "articles": part.records.num_rows, "refused": part.refused.num_rows, "messages": part.messages,
            "size": part.size, "words": 0 if part.sketches is None else len(part.sketches.column("words").flatten()),
        }  # fmt: skip
        for name, batch in tables.items():
            assert batch is not None
            staging.write_arrow(self.task.staged(name, header), pa.Table.from_batches([batch]))
        sketches = SKETCH.empty_table()
        if part.records.num_rows and part.sketches is not None:
            sketches = pa.Table.from_batches([part.sketches])
        yield from keyed_blocks(header, sketches, self.task.partitions)


def keyed_blocks(header: dict[str, Any], sketches: pa.Table, partitions: int) -> Iterator[tuple[bytes, bytes]]:
    """The blocks of a batch, each with the partition of its anchors; `block` in the header is that one's number."""
    anchors, offsets = packed_lists(sketches.column("anchors"))
    digests = np.ascontiguousarray(packed_bytes(sketches.column("text_digest"), 16)[:, :8]).view(np.uint64)
    blocks = blocks_of(header, days_of(sketches), digests.reshape(-1), anchors.astype(np.uint64), offsets, partitions)
    for number, block in enumerate(blocks):
        numbered = dataclasses.replace(block, header=header | {"block": number})
        yield str(number).encode(), numbered.pack()
