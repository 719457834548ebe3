"""A topic to packed batches of messages, without an end: a splittable DoFn over a plain consumer.

One element a partition, whose restriction is its range of offsets. What flows on is a batch of some hundred messages,
never a message, and a claim is of a whole batch: where a reader is stopped, the next one begins at the batch after.

The broker's time of a message is the event time: it tells when an article came, which state is kept by; when an article
was published only decides what it is compared with, so an article that comes late, or dated in the future, moves
nothing. A partition where nothing comes takes over the newest time of the whole topic, so that it holds nothing up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms.functions.message_batches import MessageRange, pack_messages
from transforms.functions.messages import Message
from transforms.functions.topics import Topic, TopicError, TopicReader

NO_END = 2**62

WAIT_SECONDS = 0.1
IDLE_WAITS = 40
"""Where nothing comes in so many waits, the broker is asked for the topic's newest time and the turn ends."""


@dataclass(frozen=True)
class PartitionRange:
    """What is read of a partition: from `first` on, to before `end` if there is one."""

    partition: int
    first: int
    end: int | None = None

    def to_json(self) -> str:
        """As an element."""
        return json.dumps(self.__dict__, sort_keys=True)


@dataclass(frozen=True)
class BatchSize:
    """When a batch is handed on.

    Attributes:
        messages: as soon as it holds so many. In batches of 500 an article takes 10 % more than in batches of 2,000,
            and waits a fourth of the time.
        size: or so many bytes.
        waits: or after so many waits of WAIT_SECONDS since its first message, with what there is.
        at_once: batches that are read before the runner has its turn: a checkpoint waits for them. Fewer would cost
            state where a runner keeps something of each turn (see docs/unbounded.md).
    """

    messages: int = 500
    size: int = 16 << 20
    waits: int = 4
    at_once: int = 6


class ReadTopic(beam.PTransform):
    """A pipeline's beginning to packed batches of messages (`message_batches`).

    Args:
        ranges: the partitions, each from where reading begins; endless where a range has no end.
    """

    def __init__(self, topic: Topic, ranges: Sequence[PartitionRange], batch: BatchSize) -> None:
        super().__init__()
        self.topic, self.ranges, self.batch = topic, ranges, batch

    def expand(self, begin: Any) -> beam.PCollection[bytes]:
        return (
            begin
            | "Partitions" >> beam.Create([one.to_json() for one in self.ranges]).with_output_types(str)
            | "Spread" >> beam.Reshuffle()
            | "Read partition" >> beam.ParDo(_ReadPartition(self.topic, self.batch)).with_output_types(bytes)
        )


class _Tracker(OffsetRestrictionTracker):
    def is_bounded(self) -> bool:
        return bool(self.current_restriction().stop < NO_END)

    def try_split(self, fraction_of_remainder: float) -> tuple[OffsetRange, OffsetRange] | None:
        # Half of what has no end is an offset that never comes: only what stands behind the last claim is given away.
        return super().try_split(0) if fraction_of_remainder == 0 else None


class _Ranges(RestrictionProvider):
    def initial_restriction(self, element: str) -> OffsetRange:
        given = json.loads(element)
        return OffsetRange(given["first"], NO_END if given["end"] is None else given["end"])

    def create_tracker(self, restriction: OffsetRange) -> _Tracker:
        return _Tracker(restriction)

    def restriction_size(self, _element: str, restriction: OffsetRange) -> int:
        return min(restriction.size(), 1 << 20)


_RANGES = _Ranges()
_BY_HAND = ManualWatermarkEstimator.default_provider()


class _ReadPartition(beam.DoFn):
    def __init__(self, topic: Topic, batch: BatchSize) -> None:
        self.topic, self.batch = topic, batch

    def setup(self) -> None:
        # A reader a partition: bundles of several partitions come by turns, and each reader reads ahead.
        self.readers: dict[int, TopicReader] = {}
        self.reached: dict[int, int] = {}

    def teardown(self) -> None:
        for reader in self.readers.values():
            reader.close()
        self.readers = {}

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: str,
        tracker: Any = beam.DoFn.RestrictionParam(_RANGES),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_BY_HAND),
    ) -> Iterable[TimestampedValue]:
        partition = json.loads(element)["partition"]
        restriction = tracker.current_restriction()
        first, stop = restriction.start, restriction.stop
        if first >= stop:
            return
        reader = self._reader(partition, first)
        for _ in range(self.batch.at_once):
            self._wait(reader, partition, stop)
            batch, end = self._next(reader, partition, stop)
            if end == first:
                _advance(watermark, _newest_ms(reader, partition))
                break
            if not tracker.try_claim(end - 1):
                return
            newest = max((message.written_ms for message in batch), default=-1)
            if batch:
                span = MessageRange(self.topic.name, partition, first, end, max(0, newest))
                yield TimestampedValue(pack_messages(span, batch), Timestamp(micros=span.time_ms * 1000))
            reader.forget(partition, end)
            self.reached[partition] = first = end
            _advance(watermark, newest)
            if end >= stop:
                return
        tracker.defer_remainder(Duration(seconds=0))

    def _wait(self, reader: TopicReader, partition: int, stop: int) -> None:
        """Until a batch is full, or has waited long enough, or nothing has come for IDLE_WAITS."""
        waited = 0
        for _ in range(IDLE_WAITS):
            full = len(reader.held(partition)) >= self.batch.messages or reader.held_bytes >= self.batch.size
            if full or reader.positions[partition] >= stop or waited >= self.batch.waits:
                return
            reader.poll(WAIT_SECONDS)
            waited += bool(reader.held(partition))

    def _reader(self, partition: int, first: int) -> TopicReader:
        """A reader that holds the partition's messages from the offset on, or gives them next.

        Raises:
            LostMessagesError: the broker no longer has it. TopicError: the topic can't be read.
        """
        if partition not in self.readers:
            self.readers[partition] = TopicReader(self.topic)
        if self.reached.get(partition) != first:
            self.readers[partition].start({partition: first})
            self.reached[partition] = first
        return self.readers[partition]

    def _next(self, reader: TopicReader, partition: int, stop: int) -> tuple[list[Message], int]:
        """The messages of the next batch, and the offset that the one after it begins with."""
        batch: list[Message] = []
        size = 0
        for message in reader.held(partition):
            if message.offset >= stop:
                return batch, stop
            if batch and (len(batch) >= self.batch.messages or size >= self.batch.size):
                return batch, message.offset
            batch.append(message)
            size += len(message.value or b"")
        # Offsets behind the last message can be without one, which the reader's position says.
        return batch, min(stop, reader.positions[partition])


def _newest_ms(reader: TopicReader, partition: int) -> int:
    """The time of the topic's newest message, for a partition that is read to its end.

    -1 where it isn't (its reader may only have begun), where there is no message, or the broker is away for a while.

    Raises:
        TopicError: there is no such topic any more, or no right to ask.
    """
    try:
        # Asked for first: what comes between the two questions is newer.
        newest = reader.newest_ms()
        return newest if reader.positions[partition] >= reader.bounds(partition)[1] else -1
    except TopicError as error:
        if error.mend:
            raise
        return -1


def _advance(watermark: Any, newest_ms: int) -> None:
    """Moves the watermark to the broker's time, never back."""
    reached = Timestamp(micros=newest_ms * 1000)
    if newest_ms >= 0 and (watermark.current_watermark() is None or reached > watermark.current_watermark()):
        watermark.set_watermark(reached)
