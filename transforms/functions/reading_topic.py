"""Ranges of offsets of a topic into batches of `schemas.tables.RAW`: the twin of `reading` for what is no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from schemas.settings import ReadSettings
from schemas.tables import RAW
from transforms.functions.messages import Message, MessageForm, read_messages
from transforms.functions.reading import ReadBatch
from transforms.functions.records import raw_batch
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split

TOPIC = "topic"
"""The form of a split whose `start` and `end` are offsets of a topic partition."""

GiveMessages = Callable[[int, int, int], Sequence[Message]]
"""The messages of a partition from an offset to another (not included): `topics.TopicReader.messages`."""


def topic_split(uri: str, first: int, end: int) -> Split:
    """A range of offsets of the topic partition that `uri` (`topics.Topic.uri`) names."""
    return Split(uri, TOPIC, None, first, end, 0)


def partition_of(uri: str) -> int:
    """The partition that an uri of `topics.Topic.uri` names."""
    return int(uri.rpartition("#")[2])


def read_range(split: Split, settings: ReadSettings, form: MessageForm, give: GiveMessages) -> Iterator[ReadBatch]:
    """Everything in one range, in batches of about `read.batch_bytes`; what can't be read becomes refused rows.

    Raises:
        TopicError: the range can't be had. RegistryError: the schema registry can't be asked.
    """
    refusals = Refusals(settings.payload_bytes)
    for messages in _in_batches(give(partition_of(split.uri), split.start, split.end), settings.batch_bytes):
        for records in read_messages(split.uri, messages, form, settings, refusals):
            raw = raw_batch(records, split.uri, settings, refusals)
            if raw.num_rows or len(refusals):
                yield ReadBatch(raw, refusals.take())
        if len(refusals):
            yield ReadBatch(pa.RecordBatch.from_pylist([], schema=RAW), refusals.take())


def _in_batches(messages: Sequence[Message], most_bytes: int) -> Iterator[Sequence[Message]]:
    first, held = 0, 0
    for number, message in enumerate(messages):
        held += len(message.value or b"")
        if held >= most_bytes:
            yield messages[first : number + 1]
            first, held = number + 1, 0
    if first < len(messages):
        yield messages[first:]
