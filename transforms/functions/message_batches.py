"""Messages of a topic in packed batches: what a reader hands on, as bytes, and the records they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from schemas.settings import ReadSettings
from schemas.tables import RAW
from transforms.functions.messages import Message, MessageForm, read_messages
from transforms.functions.reading import ReadBatch
from transforms.functions.records import raw_batch
from transforms.functions.refusals import Refusals

MESSAGES = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("time_ms", pa.int64(), nullable=False),
        pa.field("value", pa.binary()),
    ]
)
"""Messages in flight: offset in the partition, the broker's time (ms since 1970, -1 if unknown), the value's bytes."""

MAX_MESSAGES = 1 << 16
"""Of a batch; what flows and is staged is a batch, so more would only cost memory."""


@dataclass(frozen=True)
class MessageRange:
    """A stretch of one partition of a topic that was read in one go.

    Attributes:
        first, end: offsets; the range before it ended where this one begins. A broker leaves offsets out (of compacted
            or transactional topics), so a range may hold fewer messages than offsets, or none.
        time_ms: the latest broker's time of its messages, in milliseconds since 1970.
    """

    topic: str
    partition: int
    first: int
    end: int
    time_ms: int

    @property
    def name(self) -> str:
        """Of its files: the same in any run over the same range."""
        return f"{self.topic}-{self.partition:05d}-{self.first:016d}-{self.end:016d}"

    @classmethod
    def of_name(cls, name: str, time_ms: int) -> MessageRange:
        """The range of a name, which says all but the time."""
        topic, partition, first, end = name.rsplit("-", 3)
        return cls(topic, int(partition), int(first), int(end), time_ms)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `MessageRange(**it)` gives the range back."""
        return dict(self.__dict__)


def pack_messages(span: MessageRange, messages: Sequence[Message]) -> bytes:
    """A batch as bytes: an Arrow IPC stream of MESSAGES whose metadata holds the range.

    Args:
        messages: ascending by offset.

    Raises:
        ValueError: there are more than MAX_MESSAGES, or an offset lies outside the range.
    """
    if len(messages) > MAX_MESSAGES:
        raise ValueError(f"{len(messages)} messages in a batch; expected at most {MAX_MESSAGES}: read smaller ones")
    if messages and not span.first <= messages[0].offset <= messages[-1].offset < span.end:
        first, last = messages[0].offset, messages[-1].offset
        raise ValueError(f"offsets {first} to {last} in a batch; expected them from {span.first} to below {span.end}")
    schema = MESSAGES.with_metadata({"range": json.dumps(span.as_dict())})
    columns = {
        "offset": [message.offset for message in messages],
        "time_ms": [message.written_ms for message in messages],
        "value": [message.value for message in messages],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in MESSAGES]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return sink.getvalue().to_pybytes()


def unpack_messages(packed: bytes) -> tuple[MessageRange, pa.RecordBatch]:
    """What `pack_messages` packed."""
    with pa.ipc.open_stream(packed) as reader:
        table = reader.read_all().combine_chunks()
        span = MessageRange(**json.loads(reader.schema.metadata[b"range"]))
    batches = table.cast(MESSAGES).to_batches()
    return span, batches[0] if batches else pa.RecordBatch.from_pylist([], schema=MESSAGES)


def read_batch(messages: pa.RecordBatch, uri: str, form: MessageForm, settings: ReadSettings) -> ReadBatch:
    """The records of a batch of messages and what could not be read; a message's offset is its `position`.

    Args:
        messages: MESSAGES.
        uri: of the partition, for `source_uri`.
        form: how values are written.
        settings: of the group `read`.

    Raises:
        RegistryError: the schema registry can't be asked.
    """
    refusals = Refusals(settings.payload_bytes)
    given = [Message(*row) for row in zip(*(messages.column(name).to_pylist() for name in _FIELDS), strict=True)]
    raw = [
        raw_batch(records, uri, settings, refusals) for records in read_messages(uri, given, form, settings, refusals)
    ]
    whole = pa.Table.from_batches(raw, RAW).combine_chunks().to_batches()
    return ReadBatch(whole[0] if whole else pa.RecordBatch.from_pylist([], schema=RAW), refusals.take())


_FIELDS = ("offset", "value", "time_ms")
