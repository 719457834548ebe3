"""What flows between the composites: parts of a split, and the lists of files that a job leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms import staging


@dataclass(frozen=True)
class Part:
    """A batch of a split on its way to staging.

    Attributes:
        name: of its files, from the split's and the batch's number: the same in any run over the same input.
        uri: the file it is from.
        given: records read, refused ones included.
        records: RAW, later CLEANED.
        refused: REFUSED.
        removed_share: float32, with CLEANED records.
        sketches: SKETCH, with CLEANED records.
        lines: FURNITURE, with CLEANED records.
    """

    name: str
    uri: str
    given: int
    records: pa.RecordBatch
    refused: pa.RecordBatch
    removed_share: npt.NDArray[np.float32] | None = None
    sketches: pa.RecordBatch | None = None
    lines: pa.RecordBatch | None = None

    def with_refused(self, more: pa.RecordBatch, **changes: Any) -> Part:
        """The part with further refused rows and other fields changed."""
        both = pa.Table.from_batches([self.refused, more]).combine_chunks()
        refused = both.to_batches()[0] if both.num_rows else self.refused
        return replace(self, refused=refused, **changes)


class WriteListing(beam.PTransform):
    """Writes the JSON rows a job yields as one sorted list, last of all: the sign that the job is finished."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def expand(self, rows: beam.PCollection[str]) -> beam.PCollection[None]:
        return (
            rows
            | "Gather" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
            | "Write" >> beam.ParDo(_WriteListing(self.path))
        )


class _WriteListing(beam.DoFn):
    def __init__(self, path: str) -> None:
        self.path = path

    def process(self, rows: Iterable[str]) -> Iterable[None]:
        staging.write_json(self.path, [json.loads(row) for row in sorted(rows)])
        yield None
