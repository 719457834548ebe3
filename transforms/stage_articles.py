"""Signed parts to files, so that no text goes through a shuffle."""

from __future__ import annotations

import json
from collections.abc import Iterable

import apache_beam as beam
import pyarrow as pa

from transforms import staging
from transforms.parts import Part


class StageArticles(beam.PTransform):
    """Writes each `Part` under a folder and gives a JSON row of what it wrote."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder

    def expand(self, parts: beam.PCollection[Part]) -> beam.PCollection[str]:
        return parts | "Stage" >> beam.ParDo(_Stage(self.folder)).with_output_types(str)


class _Stage(beam.DoFn):
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def process(self, part: Part) -> Iterable[str]:
        row = {
            "name": part.name, "uri": part.uri, "given": part.given, "articles": part.records.num_rows,
            "refused": part.refused.num_rows, "words": 0,
        }  # fmt: skip
        if part.refused.num_rows:
            staging.write_arrow(f"{self.folder}/refused/{part.name}.arrow", pa.Table.from_batches([part.refused]))
        if part.records.num_rows and part.sketches is not None and part.lines is not None:
            row["words"] = len(part.sketches.column("words").flatten())
            staging.write_arrow(f"{self.folder}/articles/{part.name}.arrow", pa.Table.from_batches([part.records]))
            staging.write_arrow(f"{self.folder}/sketches/{part.name}.arrow", pa.Table.from_batches([part.sketches]))
            staging.write_arrow(f"{self.folder}/furniture/{part.name}.arrow", pa.Table.from_batches([part.lines]))
        yield json.dumps(row)
