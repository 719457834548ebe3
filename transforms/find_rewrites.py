"""Sketches to pairs that are the same report in other words: one step over the terms of a stretch and the next."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from schemas.rewrite_settings import RewriteSettings
from transforms.functions.joining import Handles
from transforms.functions.labelling import Collapsed
from transforms.functions.matching import present
from transforms.functions.rewrites import find_rewrites
from transforms.functions.rewriting import TermTables, count_terms
from transforms.functions.sketch_files import SketchFiles
from transforms.functions.stretches import Ends, handles_in, stretches_of
from transforms.match_articles import MatchTask, load_array, open_sketches, open_tables, save_array

REWRITES = "rewrites"
ARTICLES_AT_ONCE = 20_000
"""Articles of a stretch that one element looks at; each looks them up among all of the stretch."""


@dataclass(frozen=True)
class RewriteTask:
    """What the search for rewrites needs to know.

    Attributes:
        match: the run's sketches, its tables of days, and which articles propose nothing.
        collapsed_paths: arrays of handles, and of those that stand for them (`labelling.Collapsed`).
        elements: stretches in parts: the stretch, the part, and of how many.
    """

    match: MatchTask
    collapsed_paths: tuple[str, str]
    elements: tuple[tuple[int, int, int], ...]
    settings: RewriteSettings


def plan_rewrites(
    match: MatchTask, collapsed: Collapsed, proposing: Ends, folder: str, settings: RewriteSettings
) -> RewriteTask:
    """The task over the articles that propose pairs; what it needs of them is written to the folder.

    Args:
        collapsed: articles that are compared through another one; they are left out of `match` already.
    """
    paths = (f"{folder}/collapsed.npy", f"{folder}/collapsed-into.npy")
    for path, handles in zip(paths, (collapsed.handles, collapsed.representatives), strict=True):
        save_array(path, handles)
    deciding = proposing.days[match.changed.decides(proposing, proposing)] if settings.days >= 0 else proposing.days[:0]
    stretches, articles = np.unique(stretches_of(deciding, match.settings.window_days), return_counts=True)
    elements = [
        (stretch, part, parts)
        for stretch, parts in zip(stretches.tolist(), (-(-articles // ARTICLES_AT_ONCE)).tolist(), strict=True)
        for part in range(parts)
    ]
    return RewriteTask(match, paths, tuple(elements), settings)


def is_of_rewrites(path: str) -> bool:
    """Whether a file of weighed pairs is one that FindRewrites wrote."""
    return path.rpartition("/")[2].startswith(REWRITES)


class FindRewrites(beam.PTransform):
    """Parts of stretches (`RewriteTask.elements`) to files of weighed pairs, a JSON row each."""

    def __init__(self, task: RewriteTask) -> None:
        super().__init__()
        self.task = task

    def expand(self, elements: beam.PCollection[tuple[int, int, int]]) -> beam.PCollection[str]:
        find = beam.ParDo(_Find(self.task)).with_output_types(str)
        return elements | "Spread" >> beam.Reshuffle() | "Find" >> find


class _Find(beam.DoFn):
    def __init__(self, task: RewriteTask) -> None:
        self.task = task

    def setup(self) -> None:
        match = self.task.match
        self.sketches = open_sketches(match.sketch_paths)
        self.days, self.terms = open_tables(match, self.sketches), open_terms(match, self.sketches)
        self.left_out: Handles = np.array(load_array(match.left_out_path))
        self.collapsed = Collapsed(*(np.array(load_array(path)) for path in self.task.collapsed_paths))

    def _proposing(self, stretch: int) -> Handles:
        handles = np.array(handles_in(load_array(self.task.match.standing_path), stretch))
        kept: npt.NDArray[np.uint64] = handles[present(handles, self.left_out)]
        return kept

    def process(self, element: tuple[int, int, int]) -> Iterable[str]:
        stretch, part, parts = element
        match = self.task.match
        found, crowded = find_rewrites(
            self.sketches, (stretch, part, parts), self._proposing, self.collapsed, self.terms, self.days,
            match.changed, match.settings, self.task.settings,
        )  # fmt: skip
        path = f"{match.folder}/{REWRITES}-{stretch}-{part:04d}.npy"
        save_array(path, found)
        yield json.dumps({"path": path, "rewrites": len(found), "crowded_terms": crowded})


def open_terms(task: MatchTask, sketches: SketchFiles) -> TermTables:
    """The counts of terms of each stretch, made when asked for."""
    return TermTables(lambda stretch: count_terms(sketches, handles_in(load_array(task.standing_path), stretch)))
