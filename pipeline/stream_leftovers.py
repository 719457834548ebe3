"""What the unbounded graph has staged in a store and no stream needs any more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

from pipeline.store import STREAMED, Store
from transforms import staging
from transforms.functions.message_batches import MessageRange
from transforms.staging import FoundFile

SKETCHES = "sketches"
DAY_SECONDS = 86_400.0
IDLE_SECONDS = DAY_SECONDS
"""A stream in which nothing was staged for so long doesn't work: what it has not committed is read again."""


def stream_leftovers(store: Store, before: datetime, now: datetime) -> list[FoundFile]:
    """Staged files that nobody needs, by path.

    Texts, once their offsets are committed, or where no stream works any more; sketches, which articles are compared
    with for as long as `match.window_days`, when they are older than that. None that was changed since `before`.
    """
    files = list(_staged(store))
    newest = max((file.changed_at for file in files), default=0.0)
    works = newest > min(before.timestamp(), now.timestamp() - IDLE_SECONDS)
    window = max((float(one["settings"].get("match.window_days", 0)) for one in store.runs), default=0.0)
    committed = _committed(store)

    def is_left(file: FoundFile) -> bool:
        if file.changed_at > before.timestamp():
            return False
        table, _, name = file.path.removeprefix(f"{store.path}/{STREAMED}/").split("/")
        if table == SKETCHES:
            return file.changed_at <= before.timestamp() - window * DAY_SECONDS
        span = MessageRange.of_name(name.removesuffix(".arrow"), 0)
        return not works or span.end <= committed.get((span.topic, span.partition), 0)

    return sorted((file for file in files if is_left(file)), key=lambda file: file.path)


def _staged(store: Store) -> Iterator[FoundFile]:
    folder = staging.join(store.path, STREAMED)
    if not staging.is_local(store.path):
        yield from (file for file in staging.list_files(folder) if file.path.endswith(".arrow"))
        return
    for inside, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(inside, name)
            if name.endswith(".arrow"):
                told = os.stat(path)
                yield FoundFile(path, told.st_size, told.st_mtime)


def _committed(store: Store) -> dict[tuple[str, int], int]:
    """Of each topic's partition, as it was read last, the offset up to which it is committed."""
    ends: dict[tuple[str, int], int] = {}
    last: dict[tuple[str, int], str] = {}
    for manifest in store.manifests:
        for entry in manifest["inputs"]:
            if "end_offset" not in entry:
                continue  # a file
            topic, _, partition = entry["path"].rpartition("/")[2].rpartition("#")
            key = (topic, int(partition))
            if last.get(key) != entry["topic_id"]:
                ends[key], last[key] = 0, entry["topic_id"]
            ends[key] = max(ends[key], entry["end_offset"])
    return ends
