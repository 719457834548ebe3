"""Files to batches of raw records."""

from __future__ import annotations

import json
from collections.abc import Iterable

import apache_beam as beam

from schemas.settings import ReadSettings
from transforms import staging
from transforms.functions.reading import read_split
from transforms.functions.splits import Split
from transforms.parts import Part


class ReadArticles(beam.PTransform):
    """Splits of files (numbered, as JSON) to `Part`s of RAW records and refused ones."""

    def __init__(self, settings: ReadSettings) -> None:
        super().__init__()
        self.settings = settings

    def expand(self, splits: beam.PCollection[str]) -> beam.PCollection[Part]:
        return splits | "Spread" >> beam.Reshuffle() | "Read" >> beam.ParDo(_ReadSplit(self.settings))


class _ReadSplit(beam.DoFn):
    def __init__(self, settings: ReadSettings) -> None:
        self.settings = settings

    def process(self, numbered: str) -> Iterable[Part]:
        given = json.loads(numbered)
        split = Split.from_dict(given["split"])
        batches = read_split(split, self.settings, staging.open_file)
        for number, batch in enumerate(batches):
            name = f"{given['number']:06d}-{number:05d}"
            yield Part(name, split.uri, batch.raw.num_rows + batch.refused.num_rows, batch.raw, batch.refused)
