"""Weighed pairs to stories, keepers and match rows: one step over integers, in one place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import relations
from schemas.settings import Settings
from transforms import staging
from transforms.functions.joining import Handles
from transforms.functions.labelling import RelatedRun, read_catalogue, relate_run
from transforms.functions.matching import WEIGHED, weigh
from transforms.functions.rarity import count_rare
from transforms.functions.sketch_files import SketchFiles
from transforms.match_articles import MatchTask, load_array, read_rarity, read_sketches


@dataclass(frozen=True)
class RelateTask:
    """Where relating reads and writes.

    Attributes:
        match: the sketches and tables of the run.
        weighed_paths: files of weighed pairs.
        first_new: handles from here on are this run's: of a repeat the earlier run's article counts.
        folder: `labels.arrow` and `matches.arrow` are written here.
    """

    match: MatchTask
    weighed_paths: tuple[str, ...]
    folder: str
    settings: Settings
    first_new: int = 0


class RelateArticles(beam.PTransform):
    """One element (anything) to a JSON row that counts what was related; labels and matches go to files."""

    def __init__(self, task: RelateTask) -> None:
        super().__init__()
        self.task = task

    def expand(self, once: beam.PCollection[int]) -> beam.PCollection[str]:
        return once | "Relate" >> beam.ParDo(_Relate(self.task)).with_output_types(str)


class _Relate(beam.DoFn):
    def __init__(self, task: RelateTask) -> None:
        self.task = task

    def process(self, _once: int) -> Iterable[str]:
        related = relate_files(self.task)
        yield json.dumps({"articles": len(related.articles), "matches": related.matches.num_rows})


def relate_files(task: RelateTask) -> RelatedRun:
    """Relates the run's articles and writes `labels.arrow` (by article id) and `matches.arrow`."""
    sketches = SketchFiles(task.match.sketch_paths, read_sketches)
    rarity = read_rarity(task.match.rarity_paths)
    catalogue = read_catalogue(sketches, task.first_new)
    parts = [load_array(path) for path in task.weighed_paths]
    weighed = np.concatenate(parts) if parts else np.empty(0, WEIGHED)

    def completeness(handles: Handles) -> npt.NDArray[np.int64]:
        words, offsets = sketches.gather_words(handles)
        return count_rare(words, offsets, rarity, task.settings.match.rare_days)

    weigh_now = partial(_weigh_pairs, sketches, rarity, task.settings)
    related = relate_run(catalogue, weighed, completeness, weigh_now, task.settings)
    names = np.array(relations.ARTICLE_RELATIONS, object)
    derived = catalogue.ids.take(pa.array(related.derived_from, mask=related.derived_from < 0))
    labels = pa.table(
        {
            "article_id": catalogue.ids.take(pa.array(related.articles)),
            "story_id": catalogue.ids.take(pa.array(related.story)),
            "relation": pa.array(names[related.relation], pa.string()),
            "kept_id": catalogue.ids.take(pa.array(related.kept)),
            "derived_from": derived,
        }
    )
    staging.write_arrow(f"{task.folder}/labels.arrow", labels)
    staging.write_arrow(f"{task.folder}/matches.arrow", related.matches)
    return related


def _weigh_pairs(
    sketches: SketchFiles, rarity: npt.NDArray[np.uint8], settings: Settings, pairs: npt.NDArray[np.void]
) -> npt.NDArray[np.void]:
    return weigh(sketches, pairs, rarity, settings.match)
