"""Weighed pairs to stories, keepers and match rows: one step over integers, in one place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import relations
from schemas.settings import Settings
from transforms import staging
from transforms.functions.joining import Handles
from transforms.functions.labelling import RelatedRun, relate_run
from transforms.functions.matching import WEIGHED, completeness_of, weigh
from transforms.match_articles import MatchTask, load_array, open_catalogue, open_sketches, open_tables, save_array


@dataclass(frozen=True)
class RelateTask:
    """Where relating reads and writes.

    Attributes:
        match: the sketches and tables of the run.
        weighed_paths: files of weighed pairs.
        stored_path: what earlier runs weighed and this one doesn't decide anew, WEIGHED.
        first_new: handles from here on are this run's: of a repeat the earlier run's article counts.
        first_undecided: handles from here on are of articles that no run has decided for good.
        folder: `labels.arrow`, `matches.arrow` and `touched.npy` (which articles were related anew, in the order of
            the catalogue) are written here.
    """

    match: MatchTask
    weighed_paths: tuple[str, ...]
    stored_path: str
    folder: str
    settings: Settings
    first_new: int = 0
    first_undecided: int = 0


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
    sketches = open_sketches(task.match.sketch_paths)
    tables, settings = open_tables(task.match, sketches), task.settings
    catalogue = open_catalogue(task.match.sketch_paths, task.first_new, settings.relate.keep, task.first_undecided)
    changed = task.match.changed
    weighed = np.concatenate([np.empty(0, WEIGHED), *(load_array(path) for path in task.weighed_paths)])
    pairs = np.concatenate([weighed[catalogue.decided_anew(weighed, changed)], load_array(task.stored_path)])
    seeds = catalogue.seeds(changed, task.first_new)

    def completeness(handles: Handles) -> npt.NDArray[np.int64]:
        return completeness_of(sketches, handles, tables, settings.match)

    def weigh_now(asked: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        return weigh(sketches, asked, tables, settings.match)

    related = relate_run(catalogue, pairs, seeds, completeness, weigh_now, settings)
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
    save_array(f"{task.folder}/touched.npy", related.touched)
    return related
