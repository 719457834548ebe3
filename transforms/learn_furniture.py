"""What is held of articles' lines to the lines that are an outlet's furniture."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from schemas.settings import Settings
from schemas.tables import FURNITURE
from transforms import staging
from transforms.functions.furniture import KNOWN, edge_keys, learn_furniture
from transforms.functions.furniture_spans import is_switched_off
from transforms.functions.joining import handles_of
from transforms.functions.matching import present
from transforms.match_articles import load_array


@dataclass(frozen=True)
class FurnitureTask:
    """What learning needs to know.

    Attributes:
        held_paths: files of the store's furniture table.
        staged_paths: this run's, each with the number of its sketch file.
        repeats_path: handles of repeats, ascending; they were counted when they came first.
        path: where what is known is written.
    """

    held_paths: tuple[str, ...]
    staged_paths: tuple[tuple[int, str], ...]
    repeats_path: str
    path: str
    settings: Settings


class LearnFurniture(beam.PTransform):
    """One element (anything) to a JSON row that names the file of what is known (KNOWN) of this run's lines."""

    def __init__(self, task: FurnitureTask) -> None:
        super().__init__()
        self.task = task

    def expand(self, once: beam.PCollection[int]) -> beam.PCollection[str]:
        return once | "Learn" >> beam.ParDo(_Learn(self.task)).with_output_types(str)


class _Learn(beam.DoFn):
    def __init__(self, task: FurnitureTask) -> None:
        self.task = task

    def process(self, _once: int) -> Iterable[str]:
        known = learn_files(self.task)
        yield json.dumps({"furniture": known.num_rows})


def learn_files(task: FurnitureTask) -> pa.Table:
    """Learns from the store's files and the staged ones, and writes what is known."""
    new = pa.concat_tables([FURNITURE.empty_table(), *_counted(task)])
    known = KNOWN.empty_table()
    if not is_switched_off(task.settings.clean):
        wanted = edge_keys(new.column("source"), new.column("lines"), task.settings.furniture.edge_lines)
        held = [staging.read_parquet(path).cast(FURNITURE) for path in task.held_paths]
        known = learn_furniture(pa.concat_tables([*held, new]), task.settings.furniture, wanted)
    staging.write_arrow(task.path, known)
    return known


def _counted(task: FurnitureTask) -> Iterable[pa.Table]:
    repeats = np.array(load_array(task.repeats_path))
    for number, path in task.staged_paths:
        rows = staging.read_arrow(path)
        yield rows.filter(pa.array(present(handles_of(number, np.arange(rows.num_rows)), repeats)))
