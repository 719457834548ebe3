"""Staged sketches of an earlier job to blocks of postings: what a job without a checkpoint begins with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam

from transforms import staging
from transforms.stage_batches import GraphTask, keyed_blocks

HELD = "held"
"""Of a block's header: it is held by the state, and nothing is answered to it."""


class HoldBatches(beam.PTransform):
    """A pipeline's beginning to (partition of the anchors, packed `posting_index.Block`) of staged batches.

    Args:
        headers: of the batches, each its `step` and `name`.
    """

    def __init__(self, task: GraphTask, headers: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self.task, self.headers = task, headers

    def expand(self, begin: Any) -> beam.PCollection[tuple[bytes, bytes]]:
        return (
            begin
            | "Batches" >> beam.Create([json.dumps(header) for header in self.headers]).with_output_types(str)
            | "Spread" >> beam.Reshuffle()
            | "Hold" >> beam.ParDo(_Hold(self.task)).with_output_types(tuple[bytes, bytes])
        )


class _Hold(beam.DoFn):
    def __init__(self, task: GraphTask) -> None:
        self.task = task

    def process(self, element: str) -> Iterable[tuple[bytes, bytes]]:
        header = json.loads(element)
        try:
            sketches = staging.read_arrow(self.task.staged("sketches", header))
        except FileNotFoundError:
            return  # it has expired since the job was made
        yield from keyed_blocks(header | {HELD: True}, sketches, self.task.partitions)
