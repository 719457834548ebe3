"""What a stream's workers know of rarity: tables of days over what the store held when they last counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.followed_store import NewManifests
from pipeline.store import Store
from schemas.settings import MatchSettings
from transforms.functions.joining import handles_of
from transforms.functions.matching import count_stretch
from transforms.functions.rarity import DaysTable
from transforms.functions.sketch_files import SketchFiles, days_of, packed_bytes
from transforms.functions.stretches import DaysTables, stretches_of
from transforms.match_articles import read_sketches

GROWN = 1.5
"""Tables are counted anew when the store holds so many times the articles that they rest on: over a stream's life an
article is then counted three times, whatever the store grows to. What came since looks rarer than it is, until then."""

FEWEST = 2_000
"""Articles from which it is worth counting at all: in fewer no template stands on many days."""


class StoreRarity:
    """The tables of days of a store, counted when they are asked for; each process that it is pickled to has its own.

    Attributes:
        store: the store's path.
        settings: of matching; tables are of stretches of match.window_days.
    """

    def __init__(self, store: str, settings: MatchSettings) -> None:
        self.store, self.settings = store, settings
        self._reset()

    def _reset(self) -> None:
        self._manifests: NewManifests | None = None
        self._articles = self._counted = 0
        self._tables = DaysTables(lambda _: np.zeros(1, np.uint8), self.settings.window_days)

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store, "settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def tables(self) -> DaysTables:
        """The tables by what was known when the store had grown by GROWN."""
        self._manifests = self._manifests or NewManifests(self.store)
        for manifest in self._manifests:
            self._articles += manifest["counts"]["clean"] + manifest["counts"]["copies"]
        if self._articles >= max(FEWEST, GROWN * self._counted):
            self._counted = self._articles
            self._tables = DaysTables(_Counting(self.store, self.settings), self.settings.window_days)
        return self._tables


class _Counting:
    """Counts the table of a stretch over a store's sketches, each text once."""

    def __init__(self, store: str, settings: MatchSettings) -> None:
        self.store, self.settings = store, settings

    def __call__(self, stretch: int) -> DaysTable:
        # Columns are held only while the stretch is counted: words of many stretches would fill the memory.
        # The files are those of now: a compaction may have put others in the place of earlier ones.
        sketches = SketchFiles(Store(self.store).files("sketches"), read_sketches)
        handles, digests = [], []
        for number in range(len(sketches.paths)):
            table = sketches.table(number, ["day", "text_digest"])
            rows = np.flatnonzero(stretches_of(days_of(table), self.settings.window_days) == stretch)
            handles.append(handles_of(number, rows))
            digests.append(packed_bytes(table.column("text_digest").take(pa.array(rows)), 16))
        every = np.concatenate([np.empty(0, np.uint64), *handles])
        if not len(every):
            return np.zeros(1, np.uint8)
        _, firsts = np.unique(np.concatenate(digests).view("S16").reshape(-1), return_index=True)
        return count_stretch(sketches, np.sort(every[firsts]), self.settings.outlet_texts)
