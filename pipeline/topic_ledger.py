"""Which offsets of a topic the store has read, and which it reads next: the manifests say so, and nothing else."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipeline.store import Store
from pipeline.vacuum import unfinished_inputs
from transforms.functions.messages import Message, MessageForm
from transforms.functions.reading_topic import partition_of

MOST_BYTES = 64 << 20
"""Of messages in one batch, about 16,000 articles: they are in memory until they are committed, and so is what is made
of them."""


@dataclass(frozen=True)
class TopicRange:
    """An input that is a range of offsets of a topic partition.

    Attributes:
        path: `kafka:///TOPIC#PARTITION`, the `source_uri` of its articles.
        first_offset, end_offset: the range; the end is not included, and offsets may be without a message.
        messages, size: how many there were and the bytes of their values, when the range was planned.
        sha256: of the topic's identity and the range, which name the content: what stands at an offset never changes.
        topic_id: the topic's identity (`topics.TopicReader.identity`).
        broker: where it was read from.
        values: how the values were read (`told_form`).
    """

    path: str
    first_offset: int
    end_offset: int
    messages: int
    size: int
    sha256: str
    topic_id: str
    broker: str
    values: str
    unreadable: None = None
    also: tuple[str, ...] = ()

    @property
    def partition(self) -> int:
        return partition_of(self.path)


def range_digest(topic_id: str, path: str, first: int, end: int) -> str:
    """What a range is known by, as a file is by the digest of its content."""
    return sha256(f"{topic_id} {path} {first} {end}".encode()).hexdigest()


def told_form(form: MessageForm) -> str:
    """How values are read, in a word for the manifest; another one makes a killed run start anew."""
    if form.schema is not None:
        return f"avro {sha256(form.schema.encode()).hexdigest()[:16]}"
    return f"registry {form.registry}" if form.registry is not None else "json"


def is_range(entry: Mapping[str, Any]) -> bool:
    """Whether an input of a plan or manifest is a range of offsets, not a file."""
    return "end_offset" in entry


def read_offsets(store: Store, topic_id: str) -> dict[int, int]:
    """By partition, the offset behind the last one that a committed run has read of this topic."""
    return offsets_in(store.manifests, topic_id)


def offsets_in(manifests: Iterable[Mapping[str, Any]], topic_id: str) -> dict[int, int]:
    """By partition, the offset behind the last one that one of these runs has read of this topic."""
    ends: dict[int, int] = {}
    for manifest in manifests:
        for entry in manifest["inputs"]:
            if is_range(entry) and entry["topic_id"] == topic_id:
                partition = partition_of(entry["path"])
                ends[partition] = max(ends.get(partition, 0), entry["end_offset"])
    return ends


@dataclass(frozen=True)
class Lost:
    """Offsets of a partition that can't be read any more: the next one wanted, and what the broker has."""

    partition: int
    wanted: int
    low: int
    high: int

    def __str__(self) -> str:
        if self.wanted > self.high:
            return (
                f"partition {self.partition} ends at offset {self.high}, before the next one to read, {self.wanted}: "
                "it was cut or restored from a backup"
            )
        return (
            f"partition {self.partition} begins at offset {self.low}; the next one to read, {self.wanted}, is gone "
            f"({self.low - self.wanted} offsets)"
        )


def starts(read: Mapping[int, int], bounds: Mapping[int, tuple[int, int]]) -> tuple[dict[int, int], list[Lost]]:
    """By partition, the offset to read first, and what is lost before it.

    Args:
        read: what `read_offsets` gives; a partition that it lacks is read from the oldest message on.
        bounds: the oldest offset that the broker has and the one behind its newest, of each partition.
    """
    found: dict[int, int] = {}
    lost: list[Lost] = []
    for partition, (low, high) in bounds.items():
        wanted = read.get(partition, low)
        if not low <= wanted <= high:
            lost.append(Lost(partition, wanted, low, high))
        found[partition] = wanted if low <= wanted <= high else low
    return found, lost


def batch_ends(
    held: Mapping[int, Sequence[Message]], positions: Mapping[int, int], most: int, most_bytes: int = MOST_BYTES
) -> dict[int, tuple[int, int, int]]:
    """Up to where each partition is read in the next batch: end offset (not included), messages, bytes.

    The oldest messages come first, whatever their partition; of each partition they are those without a gap between
    them. At least one message is taken.

    Args:
        held: messages by partition, by offset.
        positions: the next offset that will be read, by partition: a partition that is taken whole ends there.
        most: messages at most.
    """
    queues = [_aged(partition, messages) for partition, messages in held.items()]
    taken: dict[int, int] = dict.fromkeys(held, 0)
    sizes: dict[int, int] = dict.fromkeys(held, 0)
    count = size = 0
    for _, partition, _, weight in heapq.merge(*queues):
        if count and (count >= most or size + weight > most_bytes):
            break
        taken[partition] += 1
        sizes[partition] += weight
        count, size = count + 1, size + weight
    return {
        partition: (
            positions[partition] if number == len(held[partition]) else held[partition][number].offset,
            number,
            sizes[partition],
        )
        for partition, number in taken.items()
        if number
    }


def _aged(partition: int, messages: Sequence[Message]) -> Iterator[tuple[int, int, int, int]]:
    """Ages that never fall within a partition, so that merging keeps the order of offsets."""
    oldest = 0
    for message in messages:
        oldest = max(oldest, message.written_ms)
        yield oldest, partition, message.offset, len(message.value or b"")


def unfinished_ranges(store: Store, topic_id: str, first: Mapping[int, int]) -> list[TopicRange]:
    """The inputs of a run that was killed and can be gone on with: those that come next now; else none."""
    for entries in unfinished_inputs(store):
        if not all(map(is_range, entries)):
            continue
        ranges = [TopicRange(**{**entry, "also": tuple(entry["also"])}) for entry in entries]
        if all(one.topic_id == topic_id and first.get(one.partition) == one.first_offset for one in ranges):
            return ranges
    return []
