"""Commits of the unbounded graph: weighed batches, in the order of their offsets, as runs of kind `stream`.

A batch is committed where it begins at the offset up to which its partition is committed; what lies before that is
left out of it, and a batch that begins later waits for what lies between. Offsets, rows and labels are in one manifest,
which is there or not: whatever a runner repeats after a failure, in whatever batches, each message is committed once.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from pipeline.accounts import check_sums, manifest_of
from pipeline.errors import BusyStoreError
from pipeline.followed_store import FollowedStore
from pipeline.store import Store, locked
from pipeline.topic_ledger import TopicRange, range_digest, told_form
from pipeline.vacuum import clear_unfinished
from schemas import relations
from schemas.settings import Settings
from schemas.tables import CLEANED, FURNITURE, LABEL, MATCH, SCHEMA_VERSION, SKETCH
from transforms import staging
from transforms.commit_batches import Committed
from transforms.functions.furniture import KNOWN
from transforms.functions.joining import handles_of
from transforms.functions.message_batches import MessageRange
from transforms.functions.posting_index import unpack_parts
from transforms.functions.provisional import provisional_labels
from transforms.functions.publishing import PublishedPart, constant, counts_of, label_rows, publish_part
from transforms.functions.refusals import REFUSED
from transforms.functions.signing import scheme
from transforms.functions.topics import Topic
from transforms.publish_run import PublishTask, write_table
from transforms.stage_batches import GraphTask

STREAM = "stream"
"""The `kind` of a manifest of the unbounded graph; its labels are provisional."""
STAGED = {"articles": CLEANED, "sketches": SKETCH, "furniture": FURNITURE, "refused": REFUSED}


@dataclass(frozen=True)
class Feed:
    """What a stream reads.

    Attributes:
        topic: and how its values are written.
        topic_id: its identity (`topics.TopicReader.identity`), by which manifests know what they have of it.
        starts: by partition, the offset that is read first where the store holds nothing of it.
    """

    topic: Topic
    topic_id: str
    starts: Mapping[int, int]


@dataclass(frozen=True)
class _Ready:
    """A batch that may be committed: its header, its evidence, and the first of its offsets that isn't yet."""

    header: dict[str, Any]
    evidence: pa.Table
    first: int

    @property
    def partition(self) -> int:
        return int(self.header["partition"])


def held_batches(task: GraphTask, feed: Feed) -> list[dict[str, Any]]:
    """The batches of a topic whose sketches are staged and that are committed, each its `step` and `name`."""
    found = []
    for one in FileSystems.match([f"{task.folder}/sketches/*/{feed.topic.name}-*"])[0].metadata_list:
        step, file = one.path.split("/")[-2:]
        span = MessageRange.of_name(file.removesuffix(".arrow"), int(step) * task.step_ms)
        if span.topic == feed.topic.name and span.end <= feed.starts.get(span.partition, 0):
            found.append({"step": int(step), "name": span.name})
    return sorted(found, key=lambda header: str(header["name"]))


class StreamCommitter:
    """Commits batches to a store; made anew where it is unpickled, and then reads what the store holds.

    Args:
        feed: what is read, and from where.
        every_seconds: between commits.
        sole_writer: the user's word that nobody else writes the store, where its filesystem can't promise it.
    """

    def __init__(
        self, store: str, task: GraphTask, settings: Settings, feed: Feed, every_seconds: float, *,
        sole_writer: bool = False,
    ) -> None:  # fmt: skip
        self.store, self.task, self.settings, self.feed = store, task, settings, feed
        self.every_seconds, self.sole_writer = every_seconds, sole_writer
        self._followed: FollowedStore | None = None
        self._newest_ms: dict[int, int] = {}
        self._swept = -1

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_followed": None, "_newest_ms": {}, "_swept": -1}

    def due_seconds(self) -> float:
        """When the next commit is due, in seconds since 1970."""
        return time.time() + self.every_seconds

    def commit(self, ready: Sequence[bytes]) -> Committed:
        """Commits what follows on what is committed, as one run.

        Raises:
            RunError: a sum is wrong, or more was refused than the settings allow; nothing was committed.
        """
        if not ready:
            return Committed()
        followed, self._followed = self._followed, None  # what fails on the way leaves nothing half known
        try:
            with locked(self.store, sole_writer=self.sole_writer):
                if followed is None:
                    if staging.is_local(self.store):
                        clear_unfinished(Store(self.store))
                    followed = FollowedStore(self.store, self.feed.topic_id)
                else:
                    followed.follow()
                batches, held = self._in_order(ready, followed.offsets)
                runs = [_Commit(self, followed, batches).run()] if batches else []
        except BusyStoreError:
            # Another run holds the store, or has taken the number: these batches come again.
            return Committed(waiting=tuple(ready), busy=True)
        self._followed = followed
        self._clear(batches)
        return Committed(tuple(runs), tuple(held))

    def _in_order(self, ready: Sequence[bytes], offsets: Mapping[int, int]) -> tuple[list[_Ready], list[bytes]]:
        """The batches to commit, and those that wait for a range before theirs; what is committed already is in
        neither."""
        opened = [(unpack_parts(packed), packed) for packed in ready]
        opened.sort(key=lambda one: (one[0][0]["partition"], one[0][0]["first"], one[0][0]["end"]))
        reached = dict(self.feed.starts) | dict(offsets)
        batches, held = [], []
        for (header, rest), packed in opened:
            at = reached.get(header["partition"], 0)
            if header["end"] <= at:
                continue
            if header["first"] > at:
                held.append(packed)
                continue
            with pa.ipc.open_stream(rest) as reader:
                batches.append(_Ready(header, reader.read_all(), at))
            reached[header["partition"]] = header["end"]
        return batches, held

    def _clear(self, batches: Sequence[_Ready]) -> None:
        """Removes what was staged of committed batches; their sketches stay while articles are compared with them."""
        paths = [
            self.task.staged(table, batch.header)
            for batch in batches
            for table, filled in (("articles", "articles"), ("furniture", "articles"), ("refused", "refused"))
            if batch.header[filled]
        ]
        FileSystems.delete([path for path in paths if staging.exists(path)])
        for batch in batches:
            self._newest_ms[batch.partition] = max(batch.header["time_ms"], self._newest_ms.get(batch.partition, 0))
        if len(self._newest_ms) == len(self.feed.starts):
            self._sweep(min(self._newest_ms.values()))

    def _sweep(self, reached_ms: int) -> None:
        """Removes staged sketches that nothing is compared with any more, once a step of event time."""
        step = reached_ms // self.task.step_ms
        if step <= self._swept:
            return
        self._swept = step
        folder = staging.join(self.task.folder, "sketches")
        found = [one.path for one in FileSystems.match([f"{folder}/*/*"])[0].metadata_list]
        FileSystems.delete([path for path in found if self.task.due_ms(int(path.split("/")[-2])) <= reached_ms])


class _Commit:
    """One commit of batches, of which each begins where its partition is committed."""

    def __init__(self, committer: StreamCommitter, followed: FollowedStore, batches: Sequence[_Ready]) -> None:
        self.followed, self.batches = followed, batches
        self.store, self.task, self.settings = committer.store, committer.task, committer.settings
        self.feed = committer.feed
        self.started = datetime.now(UTC).isoformat(timespec="microseconds")
        ranges = [(batch.partition, batch.first, batch.header["end"]) for batch in batches]
        # With the time of day: two workers that both believe to be the one write into different folders.
        asked = json.dumps([ranges, self.started, self.settings.as_json()])
        self.run_id = f"{followed.next_number:08d}-{sha256(asked.encode()).hexdigest()[:8]}"

    def run(self) -> str:
        """Writes the rows, then the manifest; gives the run's id."""
        staged = {name: self._staged(name) for name in STAGED}
        ids: list[str] = staged["articles"].column("article_id").to_pylist()
        known = self.followed.ids.has(ids)
        first = np.zeros(len(ids), np.bool_)
        first[list({article: at for at, article in reversed(list(enumerate(ids)))}.values())] = True
        new = first & ~known
        fresh = [ids[at] for at in np.flatnonzero(new).tolist()]
        evidence = self._evidence(fresh)
        labels, earlier = provisional_labels(fresh, evidence, self.followed.standing, self.settings)
        handles = handles_of(0, np.arange(len(ids)))
        published = publish_part(
            staged["articles"], staged["sketches"], staged["refused"], handles, handles[~new], labels,
            staged["furniture"], KNOWN.empty_table(), furniture=self.settings.furniture, run_id=self.run_id,
            ingested_at_micros=int(datetime.fromisoformat(self.started).timestamp() * 1_000_000),
            drop=self.settings.relate.drop,
        )  # fmt: skip
        files = self._write(published, labels, earlier, evidence)
        manifest = manifest_of(
            self._plan(), self.settings, self._given(), files, {"pairs": evidence.num_rows}, len(earlier),
            _stories(labels),
        )  # fmt: skip
        check_sums(manifest, self.settings)
        Store(self.store).commit(manifest)
        self.followed.ids.add(fresh)
        for batch in self.batches:
            self.followed.offsets[batch.partition] = batch.header["end"]
        self.followed.next_number += 1
        return self.run_id

    def _staged(self, name: str) -> pa.Table:
        """A table of all batches, without what is committed already; sketches and lines row by row with articles."""
        parts = [STAGED[name].empty_table()]
        for batch in self.batches:
            if batch.header["refused" if name == "refused" else "articles"]:
                part = staging.read_arrow(self.task.staged(name, batch.header))
                if batch.first > batch.header["first"]:
                    placed = part if "position" in part.column_names else self._articles(batch)
                    part = part.filter(pc.greater_equal(placed.column("position"), batch.first))
                parts.append(part)
        return pa.concat_tables(parts)

    def _articles(self, batch: _Ready) -> pa.Table:
        return staging.read_arrow(self.task.staged("articles", batch.header))

    def _evidence(self, fresh: list[str]) -> pa.Table:
        """Evidence of the new articles with those that the store, or this commit, holds."""
        rows = pa.concat_tables([batch.evidence for batch in self.batches]).combine_chunks()
        sides = [rows.column(name) for name in ("left_id", "right_id")]
        now = [pc.is_in(side, pa.array(fresh, pa.string())) for side in sides]
        held = [
            pc.or_(mine, pa.array(self.followed.ids.has(side.to_pylist())))
            for mine, side in zip(now, sides, strict=True)
        ]
        return rows.filter(pc.and_(pc.or_(*now), pc.and_(*held)))

    def _write(
        self, published: PublishedPart, labels: pa.Table, earlier: list[str], evidence: pa.Table
    ) -> list[dict[str, Any]]:
        metadata = {
            "scheme": scheme(self.settings.sign), "schema_version": str(SCHEMA_VERSION), "run_id": self.run_id,
            "writer": "copydesk",
        }  # fmt: skip
        task = PublishTask(
            staged="", sketch_paths=(), repeats_path="", labels_path="", furniture_path="", folder=self.store,
            run_id=self.run_id, ingested_at_micros=0, metadata=tuple(sorted(metadata.items())), settings=self.settings,
        )  # fmt: skip
        again = label_rows(pa.chunked_array([pa.array(earlier, pa.string())]), self._standing(earlier), self.run_id)
        named = label_rows(labels.column("article_id"), labels, self.run_id)
        matches = evidence.append_column(
            MATCH.field("run_id"), constant(self.run_id, evidence.num_rows, pa.string())
        ).append_column(MATCH.field("schema_version"), constant(SCHEMA_VERSION, evidence.num_rows, pa.int32()))
        tables = {name: getattr(published, name) for name in ("clean", "copies", "rejected", "sketches", "furniture")}
        tables["labels"] = pa.concat_tables([named, again]).sort_by("article_id").cast(LABEL)
        tables["matches"] = matches.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
        files = []
        for name, table in tables.items():
            if table.num_rows:
                path = f"{name}/run={self.run_id}/part-00000.parquet"
                files.append({"table": name, **write_table(task, name, path, table), **counts_of(name, table)})
        return files

    def _standing(self, articles: list[str]) -> pa.Table:
        return self.followed.standing.labels(articles)

    def _plan(self) -> dict[str, Any]:
        return {
            "kind": STREAM, "provisional": True, "number": self.followed.next_number, "run_id": self.run_id,
            "started_at": self.started, "settings": self.settings.as_dict(), "inputs": self._inputs(),
        }  # fmt: skip

    def _inputs(self) -> list[dict[str, Any]]:
        """The range of each partition that this run holds, as a run of `copydesk stream` names it."""
        found = []
        for partition in sorted({batch.partition for batch in self.batches}):
            mine = [batch for batch in self.batches if batch.partition == partition]
            path, first, end = self.feed.topic.uri(partition), mine[0].first, mine[-1].header["end"]
            messages, size = (sum(batch.header[name] for batch in mine) for name in ("messages", "size"))
            digest = range_digest(self.feed.topic_id, path, first, end)
            form = told_form(self.feed.topic.form)
            entry = TopicRange(
                path, first, end, messages, size, digest, self.feed.topic_id, self.feed.topic.broker, form
            )
            found.append(dataclasses.asdict(entry))
        return found

    def _given(self) -> list[dict[str, Any]]:
        """The records of each batch, counted in what was staged: each is an article or a refused row."""
        parts = []
        for batch in self.batches:
            given = 0
            for name in ("articles", "refused"):
                if batch.header[name]:
                    rows = staging.read_arrow(self.task.staged(name, batch.header)).column("position")
                    given += pc.sum(pc.greater_equal(rows, batch.first)).as_py()
            parts.append({"uri": batch.header["uri"], "given": given, "words": batch.header["words"]})
        return parts


def _stories(labels: pa.Table) -> pa.ChunkedArray:
    """The stories of articles with a match, which a manifest's warnings look at."""
    return labels.filter(pc.not_equal(labels.column("relation"), relations.KEPT)).column("story_id")
