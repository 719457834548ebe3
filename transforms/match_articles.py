"""Sketches to weighed pairs: postings, a join, and exact evidence. Only hashes and handles are shuffled."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.settings import MatchSettings
from transforms import staging
from transforms.functions.catalogue import Catalogue, read_catalogue
from transforms.functions.joining import (
    BAND_POSTING,
    PAIR,
    POSTING,
    ROW_BITS,
    Handles,
    by_partition,
    join_postings,
    star_buckets,
    sum_pairs,
)
from transforms.functions.matching import (
    WEIGHED,
    anchor_postings_of,
    band_postings_of,
    continue_stretch,
    count_stretch,
    weigh,
)
from transforms.functions.rarity import DaysTable
from transforms.functions.shingling import ShingleHashes
from transforms.functions.sketch_files import IdRanks, SketchFile, SketchFiles, days_of
from transforms.functions.stretches import Changed, DaysTables, Ends, handles_in

COUNTS = "counts"
PAIRS_AT_ONCE = 20_000
"""Pairs weighed in one go: their articles' words and shingles take about 300 MB at most where none is shared."""


@dataclass(frozen=True)
class MatchTask:
    """What every step of matching needs to know.

    Attributes:
        sketch_paths: all sketch files, in the order of their numbers; earlier runs' first.
        changed: which pairs are decided anew; only these are weighed.
        left_out_path: an array of handles that propose nothing.
        standing_path: STANDING, the articles that rarity counts.
        table_paths: stretches with the files of their tables of days.
        folder: where tables and weighed pairs are written.
    """

    sketch_paths: tuple[str, ...]
    changed: Changed
    left_out_path: str
    standing_path: str
    table_paths: tuple[tuple[int, str], ...]
    folder: str
    settings: MatchSettings


def load_array(path: str) -> npt.NDArray[Any]:
    """An array written by `save_array`: mapped where the file is local."""
    if staging.is_local(path):
        return np.load(path, mmap_mode="r")
    with staging.open_file(path) as source:
        return np.load(io.BytesIO(source.read()))


def save_array(path: str, values: npt.NDArray[Any]) -> None:
    staging.write_whole(path, lambda sink: np.save(sink, values, allow_pickle=False))


def read_sketches(path: str, columns: Sequence[str]) -> pa.Table:
    """Columns of a sketch file, of this run's staging (Arrow) or of the store (Parquet)."""
    return staging.read_arrow(path) if path.endswith(".arrow") else staging.read_parquet(path, columns)


_OPENED: dict[str, SketchFile] = {}
"""Files that this process has read from; the jobs of a run, and the runs of a stream, read the same ones again."""


def open_sketches(paths: Sequence[str]) -> SketchFiles:
    """The sketch files of a run; what this process has read of them before is at hand, other files are let go."""
    for path in set(_OPENED).difference(paths):
        _OPENED.pop(path, None)  # another thread may have done so
    return SketchFiles(paths, read_sketches, _OPENED)


_CATALOGUES: dict[tuple[tuple[str, ...], int, str, int], Catalogue] = {}


def open_catalogue(paths: tuple[str, ...], first_new: int, keep: str, first_undecided: int) -> Catalogue:
    """The catalogue of a run's sketch files (see `read_catalogue`); the last one read is at hand."""
    asked = (paths, first_new, keep, first_undecided)
    if asked not in _CATALOGUES:
        _CATALOGUES.clear()
        _CATALOGUES[asked] = read_catalogue(open_sketches(paths), *asked[1:])
    return _CATALOGUES[asked]


_COUNTED: dict[tuple[int, int], tuple[str, IdRanks, DaysTable]] = {}
"""The table of each stretch (by its number and length) as this process counted it last: the first sketch file that
it was counted over, the articles' id ranks, the table. A provisional run goes on from it."""


def open_tables(task: MatchTask, sketches: SketchFiles) -> DaysTables:
    """The tables of days: read where the run has written them, else counted when asked for."""
    paths = dict(task.table_paths)

    def table_of(stretch: int) -> DaysTable:
        if stretch in paths:
            return load_array(paths[stretch])
        handles = handles_in(load_array(task.standing_path), stretch)
        if not len(handles):
            return np.zeros(1, np.uint8)
        if task.changed.only_from is None:
            return count_stretch(sketches, handles, task.settings.outlet_texts)
        return _counted_on(sketches, handles, stretch, task.settings)

    return DaysTables(table_of, task.settings.window_days)


def _counted_on(sketches: SketchFiles, handles: Handles, number: int, settings: MatchSettings) -> DaysTable:
    stretch, texts = (number, settings.window_days), settings.outlet_texts
    first, before, table = _COUNTED.get(stretch, ("", np.empty(0, np.uint64), np.zeros(1, np.uint8)))
    found = continue_stretch(sketches, before, table, handles, texts) if first == sketches.paths[0] else None
    table = count_stretch(sketches, handles, texts) if found is None else found
    _COUNTED[stretch] = (sketches.paths[0], np.sort(sketches.gather_id_ranks(handles)), table)
    return table


class _WithSketches(beam.DoFn):
    """A step that opens the task's files once for each worker."""

    def __init__(self, task: MatchTask) -> None:
        self.task = task

    def setup(self) -> None:
        self.sketches = open_sketches(self.task.sketch_paths)


class CountRarity(beam.PTransform):
    """Stretches to files of their tables of days, a JSON row each."""

    def __init__(self, task: MatchTask) -> None:
        super().__init__()
        self.task = task

    def expand(self, stretches: beam.PCollection[int]) -> beam.PCollection[str]:
        count = _CountStretch(self.task)
        return stretches | "Spread" >> beam.Reshuffle() | "Count days" >> beam.ParDo(count).with_output_types(str)


class _CountStretch(_WithSketches):
    def setup(self) -> None:
        super().setup()
        self.tables = open_tables(self.task, self.sketches)

    def process(self, stretch: int) -> Iterable[str]:
        path = f"{self.task.folder}/days-{stretch}.npy"
        save_array(path, self.tables.table_of(stretch))
        yield json.dumps({"stretch": stretch, "path": path})


class MatchArticles(beam.PTransform):
    """Numbers of sketch files to files of weighed pairs, a JSON row each.

    Args:
        task: what is compared.
        propose: "bands" (near-identical texts, each with its bucket's first) or "anchors" (any text in common).
    """

    def __init__(self, task: MatchTask, propose: str) -> None:
        super().__init__()
        self.task, self.propose = task, propose

    def expand(self, numbers: beam.PCollection[int]) -> beam.PCollection[str]:
        joined = (
            numbers
            | "Spread" >> beam.Reshuffle()
            | "Postings" >> beam.ParDo(_Postings(self.task, self.propose)).with_output_types(tuple[bytes, bytes])
            | "By key" >> beam.GroupByKey()
            | "Join"
            >> beam.ParDo(_Join(self.task, self.propose))
            .with_output_types(tuple[bytes, bytes])
            .with_outputs(COUNTS, main="pairs")
        )
        weighed = (
            joined.pairs
            | "By pair" >> beam.GroupByKey()
            | "Weigh" >> beam.ParDo(_Weigh(self.task, self.propose)).with_output_types(str)
        )
        return (weighed, joined[COUNTS]) | "Both" >> beam.Flatten()


class _Postings(_WithSketches):
    def __init__(self, task: MatchTask, propose: str) -> None:
        super().__init__(task)
        self.propose = propose

    def setup(self) -> None:
        super().setup()
        self.left_out: Handles = np.array(load_array(self.task.left_out_path))
        self.keys = new_keys(self.task, self.sketches)

    def process(self, number: int) -> Iterable[tuple[bytes, bytes]]:
        if self.propose == "bands":
            postings = band_postings_of(self.sketches, number, self.left_out, self.task.settings)
        else:
            postings = anchor_postings_of(self.sketches, number, self.left_out, self.keys)
        yield from by_partition(postings, postings["key"], self.task.settings.partitions)


def new_keys(task: MatchTask, sketches: SketchFiles) -> ShingleHashes | None:
    """The anchors of the articles that a provisional run decides, ascending; None for any other run."""
    if task.changed.only_from is None:
        return None
    first = task.changed.only_from >> ROW_BITS
    anchors = [sketches.anchors(number)[0] for number in range(first, len(sketches.paths))]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *anchors]))


class _Join(beam.DoFn):
    def __init__(self, task: MatchTask, propose: str) -> None:
        self.task, self.propose = task, propose

    def process(self, block: tuple[bytes, Iterable[bytes]]) -> Iterable[Any]:
        settings = self.task.settings
        if self.propose == "bands":
            postings = np.frombuffer(b"".join(block[1]), BAND_POSTING)
            pairs = star_buckets(postings)
        else:
            postings = np.frombuffer(b"".join(block[1]), POSTING)
            pairs, capped, lost = join_postings(
                postings, window_days=settings.window_days, cap=settings.max_anchor_postings
            )
            yield beam.pvalue.TaggedOutput(
                COUNTS, json.dumps({"capped": capped, "lost": lost, "postings": len(postings), "at": block[0].decode()})
            )
        keys = pairs["left"] * np.uint64(0x9E3779B97F4A7C15) ^ pairs["right"]
        yield from by_partition(pairs, keys, settings.partitions)


class _Weighing(_WithSketches):
    """A step that weighs pairs and writes them to a file."""

    def setup(self) -> None:
        super().setup()
        self.tables = open_tables(self.task, self.sketches)

    def weigh_into(self, name: str, pairs: npt.NDArray[np.void]) -> str:
        parts = [
            weigh(self.sketches, pairs[start : start + PAIRS_AT_ONCE], self.tables, self.task.settings)
            for start in range(0, len(pairs), PAIRS_AT_ONCE)
        ]
        path = f"{self.task.folder}/{name}.npy"
        save_array(path, np.concatenate(parts) if parts else np.empty(0, WEIGHED))
        return json.dumps({"path": path, "pairs": len(pairs)})


class _Weigh(_Weighing):
    def __init__(self, task: MatchTask, propose: str) -> None:
        super().__init__(task)
        self.propose = propose

    def _anchors(self, handles: Handles) -> npt.NDArray[np.int64]:
        return self.sketches.gather_lengths(handles, "anchors")

    def _ends(self, handles: Handles) -> Ends:
        return Ends(handles, days_of(self.sketches.gather(handles, ["day"])))

    def process(self, block: tuple[bytes, Iterable[bytes]]) -> Iterable[str]:
        pairs = sum_pairs(np.frombuffer(b"".join(block[1]), PAIR))
        if self.propose == "anchors":
            pairs = pairs[pairs["shared"] >= self.task.settings.min_shared_anchors]
            fewer = np.minimum(self._anchors(pairs["left"]), self._anchors(pairs["right"]))
            pairs = pairs[pairs["shared"] >= self.task.settings.min_shared_share * fewer]
            pairs = pairs[self.task.changed.decides(self._ends(pairs["left"]), self._ends(pairs["right"]))]
        yield self.weigh_into(f"{self.propose}-{int(block[0]):04d}", pairs)


class WeighPairs(beam.PTransform):
    """Numbers of ranges of a file of pairs to files of weighed pairs, a JSON row each."""

    def __init__(self, task: MatchTask, pairs_path: str, ranges: int) -> None:
        super().__init__()
        self.task, self.pairs_path, self.ranges = task, pairs_path, ranges

    def expand(self, numbers: beam.PCollection[int]) -> beam.PCollection[str]:
        weigh_range = _WeighRange(self.task, self.pairs_path, self.ranges)
        return numbers | "Spread" >> beam.Reshuffle() | "Weigh" >> beam.ParDo(weigh_range).with_output_types(str)


class _WeighRange(_Weighing):
    def __init__(self, task: MatchTask, pairs_path: str, ranges: int) -> None:
        super().__init__(task)
        self.pairs_path, self.ranges = pairs_path, ranges

    def process(self, number: int) -> Iterable[str]:
        pairs = load_array(self.pairs_path)
        edges = np.linspace(0, len(pairs), self.ranges + 1).astype(np.int64)
        yield self.weigh_into(f"pairs-{number:04d}", np.array(pairs[edges[number] : edges[number + 1]]))
