"""Answers of all partitions to a batch, gathered, to evidence: the batch's articles beside each that they meet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Protocol

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.coders import BytesCoder
from apache_beam.transforms.userstate import BagStateSpec

from schemas.settings import Settings
from transforms import staging
from transforms.functions.posting_index import SHARED, pack_parts, sum_shared, unpack_parts
from transforms.functions.provisional import EVIDENCE_ROWS, weigh_batch
from transforms.functions.sketch_files import SketchFiles
from transforms.functions.stretches import DaysTables
from transforms.match_articles import read_sketches
from transforms.stage_batches import GraphTask

STORE_KEY = b"store"
MOST_OPEN = 2_000
"""Sketch files held open by a worker; they are mapped, so this bounds addresses and file handles, not memory."""


class KnownRarity(Protocol):
    """Where a worker learns what is rare."""

    def tables(self) -> DaysTables:
        """The tables of days by what is known now."""


class WeighCandidates(beam.PTransform):
    """(name of a batch, answer) to (STORE_KEY, `pack_parts` of the batch's header and its EVIDENCE_ROWS as Arrow IPC).

    The words of both sides are read from the staged sketches, where they lie for as long as the state refers to them:
    neither text nor words are in the state or in a shuffle.
    """

    def __init__(self, task: GraphTask, settings: Settings, known: KnownRarity) -> None:
        super().__init__()
        self.task, self.settings, self.known = task, settings, known

    def expand(self, answers: beam.PCollection[tuple[bytes, bytes]]) -> beam.PCollection[tuple[bytes, bytes]]:
        weigh = _Weigh(self.task, self.settings, self.known)
        return answers | "Weigh" >> beam.ParDo(weigh).with_output_types(tuple[bytes, bytes])


class _Weigh(beam.DoFn):
    ANSWERS = BagStateSpec("answers", BytesCoder())

    def __init__(self, task: GraphTask, settings: Settings, known: KnownRarity) -> None:
        self.task, self.settings, self.known = task, settings, known

    def setup(self) -> None:
        self.gone = beam.metrics.Metrics.counter("stream", "blocks_gone")
        self._close()

    def _close(self) -> None:
        self.paths: list[str] = []
        self.numbers: dict[str, int] = {}
        self.sketches = SketchFiles(self.paths, read_sketches)

    def process(
        self, element: tuple[bytes, bytes], answers: Any = beam.DoFn.StateParam(ANSWERS)
    ) -> Iterable[tuple[bytes, bytes]]:
        # Partitions are told apart by their number: an answer that comes again counts once.
        gathered = {unpack_parts(packed)[0]["block"]: packed for packed in (*answers.read(), element[1])}
        if len(gathered) < self.task.partitions:
            answers.add(element[1])
            return
        answers.clear()
        header, rows = self._weighed(list(gathered.values()))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        yield STORE_KEY, pack_parts(header, sink.getvalue().to_pybytes())

    def _weighed(self, answers: list[bytes]) -> tuple[dict[str, Any], pa.Table]:
        header: dict[str, Any] = {}
        parts = []
        for answer in answers:
            header, rest = unpack_parts(answer)
            parts.append((header.pop("blocks"), np.frombuffer(rest, SHARED)))
        blocks, shared = sum_shared(parts)
        if not len(shared):
            return header, EVIDENCE_ROWS.empty_table()
        if len(self.paths) > MOST_OPEN:
            self._close()
        own = self._number(json.dumps({name: header[name] for name in ("step", "name")}))
        others = [self._number(block) for block in blocks]
        return header, weigh_batch(self.sketches, own, others, shared, self.known.tables(), self.settings)

    def _number(self, name: str) -> int:
        """The number of a block's sketch file, -1 where it is there no more: it has expired on the way."""
        if name not in self.numbers:
            path = self.task.staged("sketches", json.loads(name))
            if not staging.exists(path):
                self.gone.inc()
                return -1
            self.numbers[name] = len(self.paths)
            self.paths.append(path)
        return self.numbers[name]
