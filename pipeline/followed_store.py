"""A store followed commit by commit: what a long-lived writer has to know of it, kept in memory and brought up to date.

Only manifests that are new since the last look are read, and of their files the labels alone: every article has one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from pipeline.labels import current_labels
from pipeline.store import COMPACTION, MANIFESTS, Store, written
from pipeline.topic_ledger import offsets_in
from transforms import staging
from transforms.functions.provisional import Standing

LABELS_READ = ("article_id", "relation", "kept_id", "derived_from")


@dataclass
class KnownIds:
    """The ids of a store's articles, 16 bytes each: sorted runs, each at least twice as long as the next."""

    runs: list[npt.NDArray[np.bytes_]] = field(default_factory=list)

    def add(self, ids: list[str]) -> None:
        """Takes in further ids; known ones do no harm."""
        if not ids:
            return
        self.runs.append(np.sort(_binary(ids)))
        while len(self.runs) > 1 and len(self.runs[-2]) < 2 * len(self.runs[-1]):
            last = self.runs.pop()
            self.runs[-1] = np.sort(np.concatenate([self.runs[-1], last]), kind="stable")

    def has(self, ids: list[str]) -> npt.NDArray[np.bool_]:
        """Which of the ids are known."""
        asked = _binary(ids)
        found = np.zeros(len(asked), np.bool_)
        for run in self.runs:
            at = np.minimum(np.searchsorted(run, asked), len(run) - 1)
            found |= run[at] == asked
        return found


def _binary(ids: list[str]) -> npt.NDArray[np.bytes_]:
    return np.frombuffer(bytes.fromhex("".join(ids)), "S16")


class NewManifests:
    """Manifests that were committed since one last asked."""

    def __init__(self, store: str) -> None:
        self.store = store
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        folder = staging.join(self.store, MANIFESTS)
        if staging.is_local(folder):
            names = os.listdir(folder) if os.path.isdir(folder) else []
            paths = [staging.join(folder, name) for name in names if name.endswith(".json")]
        else:
            paths = [found.path for found in FileSystems.match([folder + "/*.json"])[0].metadata_list]
        for path in sorted(set(paths) - self._seen):
            self._seen.add(path)
            yield staging.read_json(path)


class FollowedStore:
    """What a writer has to know of a store: ids, labels, offsets, the next number.

    Attributes:
        ids: of every article.
        standing: their labels.
        offsets: by partition of the topic, the offset behind the last one that is committed.
        next_number: of the next run.
    """

    def __init__(self, path: str, topic_id: str) -> None:
        self.path, self.topic_id = path, topic_id
        store = Store(path)
        self.ids, self.standing, self.next_number = KnownIds(), Standing(), 1
        self.offsets: dict[int, int] = {}
        self._learn(current_labels(store))
        self._manifests = NewManifests(path)
        for manifest in self._manifests:
            self._count(manifest)

    def follow(self) -> None:
        """Takes in what was committed since; a writer does so holding the store's lock."""
        for manifest in self._manifests:
            self._count(manifest)
            if manifest.get("kind") != COMPACTION:
                paths = [entry["path"] for entry in written(manifest) if entry["table"] == "labels"]
                for path in paths:
                    self._learn(staging.read_parquet(staging.join(self.path, path), LABELS_READ))

    def _learn(self, labels: pa.Table) -> None:
        self.ids.add(labels.column("article_id").to_pylist())
        self.standing.learn(labels)

    def _count(self, manifest: dict[str, Any]) -> None:
        self.next_number = manifest["number"] + 1
        for partition, end in offsets_in([manifest], self.topic_id).items():
            self.offsets[partition] = max(end, self.offsets.get(partition, 0))
