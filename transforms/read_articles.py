"""Files to batches of raw records."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import BinaryIO

import apache_beam as beam
import pyarrow as pa

from schemas import reasons
from schemas.settings import ReadSettings
from schemas.tables import RAW
from transforms import staging
from transforms.functions.reading import ReadBatch, read_split
from transforms.functions.reading_topic import TOPIC, read_range
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.topics import Topic, reader_of
from transforms.parts import Part


class ReadArticles(beam.PTransform):
    """Splits of files, or of the topic (numbered, as JSON), to `Part`s of RAW records and refused ones."""

    def __init__(self, settings: ReadSettings, topic: Topic | None = None) -> None:
        super().__init__()
        self.settings, self.topic = settings, topic

    def expand(self, splits: beam.PCollection[str]) -> beam.PCollection[Part]:
        return splits | "Spread" >> beam.Reshuffle() | "Read" >> beam.ParDo(_ReadSplit(self.settings, self.topic))


class _ReadSplit(beam.DoFn):
    def __init__(self, settings: ReadSettings, topic: Topic | None) -> None:
        self.settings, self.topic = settings, topic
        # Paths are as the user gave them, relative to where that was; a worker may have been started elsewhere.
        self.folder = os.getcwd()

    def process(self, numbered: str) -> Iterable[Part]:
        given = json.loads(numbered)
        if "unreadable" in given["split"]:
            yield self._unreadable(given["number"], **given["split"])
            return
        split = Split.from_dict(given["split"])
        batches = self._read(split)
        for number, batch in enumerate(batches):
            name = f"{given['number']:06d}-{number:05d}"
            yield Part(name, split.uri, batch.raw.num_rows + batch.refused.num_rows, batch.raw, batch.refused)

    def _open(self, path: str) -> BinaryIO:
        return staging.open_file(os.path.join(self.folder, path) if staging.is_local(path) else path)

    def _read(self, split: Split) -> Iterable[ReadBatch]:
        if split.form != TOPIC:
            return read_split(split, self.settings, self._open)
        assert self.topic is not None
        return read_range(split, self.settings, self.topic.form, reader_of(self.topic).messages)

    def _unreadable(self, number: int, uri: str, unreadable: str) -> Part:
        """A file that couldn't be opened when the run was planned: one refused record stands for it."""
        refusals = Refusals(self.settings.payload_bytes)
        refusals.add(uri, -1, None, reasons.STAGE_READ, reasons.UNREADABLE_FILE, unreadable, None)
        none = pa.RecordBatch.from_pylist([], schema=RAW)
        return Part(f"{number:06d}-00000", uri, 1, none, refusals.batch())
