"""A topic of a broker as the source of a stream."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from pipeline.errors import RunError, UsageError
from pipeline.inputs import InputFile
from pipeline.store import Store
from pipeline.stream_sources import Lag
from pipeline.topic_ledger import (
    MOST_BYTES,
    Lost,
    TopicRange,
    batch_ends,
    range_digest,
    read_offsets,
    starts,
    told_form,
    unfinished_ranges,
)
from transforms.functions.topics import LostMessagesError, Topic, TopicError, TopicReader, reader_of

SCHEME = "kafka"
NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
MOST_HELD = 100_000
"""Messages read and not yet given to a batch."""
PARTITIONS_SECONDS = 30.0
"""Between looks for partitions that were added; a look is one question to the broker."""


def parse_topic(url: str) -> tuple[str, str]:
    """Broker and topic of `kafka://HOST:PORT[,HOST:PORT...]/TOPIC`.

    Raises:
        UsageError: it isn't one.
    """
    try:
        parts = urlsplit(url)
        ports = [urlsplit(f"//{one}").port for one in parts.netloc.split(",")]
    except ValueError:
        ports = [None]
        parts = urlsplit("")
    name = parts.path.strip("/")
    if parts.scheme != SCHEME or None in ports or "@" in parts.netloc or not NAME.fullmatch(name) or parts.query:
        raise UsageError(
            f"--from {url!r}: expected kafka://HOST:PORT/TOPIC (several brokers: kafka://A:9092,B:9092/TOPIC), or a "
            "folder; users and passwords go into --kafka-option"
        )
    return parts.netloc, name


@contextmanager
def told() -> Iterator[None]:
    """Errors of topics as those of a command."""
    try:
        yield
    except TopicError as error:
        raise (UsageError if error.mend else RunError)(str(error)) from error


class TopicSource:
    """Reads a topic from where the store's manifests say that it was read up to.

    Args:
        accept_loss: goes on where the broker no longer has what comes next, instead of refusing.
        reprocess: begins at the oldest message that the broker has, whatever the store has read.
    """

    def __init__(self, topic: Topic, *, accept_loss: bool = False, reprocess: bool = False) -> None:
        self.topic: Topic | None = topic
        self.place = f"{SCHEME}://{topic.broker}/{topic.name}"
        self._topic, self._accept_loss, self._reprocess = topic, accept_loss, reprocess
        self._opened: TopicReader | None = None
        self._next: dict[int, int] = {}
        self._going_on: list[TopicRange] = []
        self._oldest_ms: tuple[int, ...] = ()
        self._behind = 0
        self._looked = 0.0

    @property
    def _reader(self) -> TopicReader:
        assert self._opened is not None, "the source was not started"
        return self._opened

    @property
    def trouble(self) -> str | None:
        return self._reader.trouble

    @property
    def waiting(self) -> int:
        """Messages that can go into the next batch."""
        if self._going_on:
            return sum(one.messages for one in self._going_on)
        return sum(len(self._reader.held(partition)) for partition in self._next)

    def full(self, most: int) -> bool:
        """Whether so many messages wait, or as many bytes as a batch can have."""
        return bool(self._going_on) or self.waiting >= most or self._reader.held_bytes >= MOST_BYTES

    def start(self, store: Store) -> Sequence[str]:
        """Connects, and finds where to go on from; gives lines to tell.

        Raises:
            UsageError: there is no such topic, or messages are lost and that wasn't accepted. RunError: the broker
                can't be reached.
        """
        with told():
            self._opened = reader_of(self._topic)
            return self._begin(store)

    def _begin(self, store: Store) -> list[str]:
        read = {} if self._reprocess else read_offsets(store, self._reader.identity)
        bounds = {partition: self._reader.bounds(partition) for partition in self._reader.partitions()}
        self._looked = time.monotonic()
        self._next, lost = starts(read, bounds)
        lines = self._tell_lost(lost) if lost else []
        known = {entry.get("topic_id") for manifest in store.manifests for entry in manifest["inputs"]
                 if entry["path"] in map(self._topic.uri, bounds)}  # fmt: skip
        if known and self._reader.identity not in known:
            lines.append(
                f"{self.place} is not the topic of this name that the store has read, but one made anew, or another "
                "broker's: it is read from its beginning, and articles that the store holds become repeats"
            )
        self._going_on = unfinished_ranges(store, self._reader.identity, self._next)
        if self._going_on:
            lines.append("a batch had not finished; it comes first")
        self._reader.start(self._next)
        return lines

    def _tell_lost(self, lost: Sequence[Lost]) -> list[str]:
        message = f"{self.place}: {'; '.join(map(str, lost))}"
        if not self._accept_loss:
            raise UsageError(
                f"{message}. Expected is every message since the last commit: was its retention shorter than the "
                "stream was down? With --accept-loss the stream goes on with the oldest that there is"
            )
        return [f"{message}. The stream goes on with the oldest that there is (--accept-loss)"]

    def poll(self, seconds: float) -> int:
        """Waits for messages, so long at most; gives how many came."""
        if self._going_on or self._reader.held_bytes >= MOST_BYTES or self.waiting >= MOST_HELD:
            return 0  # the rest waits in librdkafka's own queue, and at the broker
        with told():
            try:
                came = self._reader.poll(seconds)
            except LostMessagesError as error:
                if self._accept_loss:
                    self._pass_over_lost()
                    return 0
                raise UsageError(
                    f"{error}. With --accept-loss the stream goes on with the oldest that there is"
                ) from error
            if time.monotonic() - self._looked > PARTITIONS_SECONDS:
                self._look_for_partitions()
        self._note_lag()
        return came

    def _pass_over_lost(self) -> None:
        """Goes on with the oldest message where the next one went while the stream ran."""
        bounds = {partition: self._reader.bounds(partition) for partition in self._next}
        self._next, lost = starts(self._next, bounds)
        self._reader.start(self._next)
        self._reader.trouble = "; ".join(map(str, lost)) or None

    def _look_for_partitions(self) -> None:
        self._looked = time.monotonic()
        try:
            added = [one for one in self._reader.partitions() if one not in self._next]
            if added:
                self._next |= {partition: self._reader.bounds(partition)[0] for partition in added}
                self._reader.start(self._next)
        except TopicError as error:
            if error.mend:
                raise
            # A broker that is away comes back: librdkafka goes on trying, and the status says so.
            self._reader.trouble = str(error)

    def _note_lag(self) -> None:
        """For whoever asks from another thread: there, a question to the consumer would wait for this one's."""
        self._behind = sum(map(self._reader.behind, self._next))
        heads = [held[0].written_ms for partition in self._next if (held := self._reader.held(partition))]
        self._oldest_ms = tuple(one for one in heads if one >= 0)

    def inputs(self, store: Store, most: int) -> Sequence[TopicRange]:
        """The next ranges; none where another command has read on meanwhile: then this goes on behind it."""
        read = {} if self._reprocess else read_offsets(store, self._reader.identity)
        if any(end > self._next.get(partition, end) for partition, end in read.items()):
            with told():
                self._begin(store)
            return []
        if self._going_on:
            return self._going_on
        held = {partition: self._reader.held(partition) for partition in self._next}
        ends = batch_ends(held, self._reader.positions, most)
        return [
            self._range(partition, end, messages, size) for partition, (end, messages, size) in sorted(ends.items())
        ]

    def _range(self, partition: int, end: int, messages: int, size: int) -> TopicRange:
        path, first, identity = self._topic.uri(partition), self._next[partition], self._reader.identity
        digest = range_digest(identity, path, first, end)
        form = told_form(self._topic.form)
        return TopicRange(path, first, end, messages, size, digest, identity, self._topic.broker, form)

    def committed(self, inputs: Sequence[InputFile | TopicRange]) -> None:
        """Forgets what was committed, and tells the broker, for those who watch its groups."""
        ends = {one.partition: one.end_offset for one in inputs if isinstance(one, TopicRange)}
        self._going_on = []
        self._next |= ends
        for partition, end in ends.items():
            self._reader.forget(partition, end)
        self._reader.told(ends)
        self._note_lag()

    def failed(self, inputs: Sequence[InputFile | TopicRange]) -> bool:  # noqa: ARG002 - other sources look at them
        """What was read stays held: nothing that the next attempt would do otherwise."""
        return False

    def lag(self) -> Lag:
        """Messages that the broker had when it was last asked and the store has not; the age of the oldest one read."""
        count = self.waiting + self._behind
        oldest = min(self._oldest_ms, default=None)
        return Lag(count, max(0.0, time.time() - oldest / 1000) if oldest is not None and count else 0.0, "messages")

    def close(self) -> None:
        """Ends the connection."""
        if self._opened is not None:
            reader_of.cache_clear()
            self._opened.close()
