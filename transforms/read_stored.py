"""Files of a store to batches of raw records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tables import RAW
from transforms import staging
from transforms.functions.reading_stored import ARTICLE_COLUMNS, by_source, restore_records, restore_refused
from transforms.functions.refusals import REFUSED
from transforms.parts import Part

BATCH_ROWS = 2000
"""Articles read at once: about 6 MB of text; what cleaning costs an article no longer falls much from there on."""


class ReadStored(beam.PTransform):
    """Files of `clean/`, `copies/` and `rejected/` (JSON: number, table, path) to `Part`s, each of one input."""

    def expand(self, files: beam.PCollection[str]) -> beam.PCollection[Part]:
        return files | "Spread" >> beam.Reshuffle() | "Read" >> beam.ParDo(_ReadFile())


class _ReadFile(beam.DoFn):
    def process(self, numbered: str) -> Iterable[Part]:
        given = json.loads(numbered)
        refused = given["table"] == "rejected"
        none = pa.RecordBatch.from_pylist([], schema=RAW if refused else REFUSED)
        numbers = count()
        for rows in _read(given["path"], REFUSED.names if refused else list(ARTICLE_COLUMNS)):
            for uri, some in by_source(restore_refused(rows) if refused else restore_records(rows)):
                name = f"{given['number']:06d}-{next(numbers):05d}"
                yield Part(name, uri, some.num_rows, *((none, some) if refused else (some, none)))


def _read(path: str, columns: list[str]) -> Iterator[pa.Table]:
    with staging.open_file(path) as source:
        for batch in pq.ParquetFile(source).iter_batches(BATCH_ROWS, columns=columns):
            yield pa.Table.from_batches([batch])
