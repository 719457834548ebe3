"""Packed batches of messages to parts of raw records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import pyarrow.compute as pc

from schemas.settings import ReadSettings
from transforms.functions.message_batches import MessageRange, read_batch, unpack_messages
from transforms.functions.topics import Topic
from transforms.parts import Part


@dataclass(frozen=True)
class MessagePart(Part):
    """A `Part` of a batch of messages: its range, how many there were, and the bytes of their values."""

    span: MessageRange | None = None
    messages: int = 0
    size: int = 0


class ReadMessages(beam.PTransform):
    """Packed batches (`message_batches`) of a topic to `MessagePart`s of RAW records and refused ones, one each."""

    def __init__(self, topic: Topic, settings: ReadSettings) -> None:
        super().__init__()
        self.topic, self.settings = topic, settings

    def expand(self, batches: beam.PCollection[bytes]) -> beam.PCollection[MessagePart]:
        return batches | "Read" >> beam.ParDo(_Read(self.topic, self.settings))


class _Read(beam.DoFn):
    def __init__(self, topic: Topic, settings: ReadSettings) -> None:
        self.topic, self.settings = topic, settings

    def process(self, packed: bytes) -> Iterable[MessagePart]:
        span, messages = unpack_messages(packed)
        uri = self.topic.uri(span.partition)
        batch = read_batch(messages, uri, self.topic.form, self.settings)
        size = pc.sum(pc.binary_length(messages.column("value"))).as_py() or 0
        given = batch.raw.num_rows + batch.refused.num_rows
        yield MessagePart(
            span.name, uri, given, batch.raw, batch.refused, span=span, messages=messages.num_rows, size=size
        )
