"""Messages of a topic into columns: JSON, Avro with a given schema, Avro containers, and with a registry's header."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import fastavro
import numpy as np
import orjson

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.gathered_records import GatheredRecords
from transforms.functions.json_columns import JsonBlock, parse_block
from transforms.functions.reading_avro import DAMAGED, AvroContainer, parsed_schema, record_fields
from transforms.functions.records import Records, aliases, has_content, no_content_message, too_large_message
from transforms.functions.refusals import Refusals
from transforms.functions.schema_registry import JSON, SchemaRegistry, UnknownSchemaError
from transforms.functions.streams import BrokenStream, PlainStream

REGISTRY_BYTE = 0
REGISTRY_BYTES = 5
"""Before a value of a schema registry: a zero byte and the schema's number, four bytes, big-endian."""
CONTAINER = b"Obj\x01"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Message(NamedTuple):
    """One message of a topic partition: its offset, its value (None for a tombstone), when it was written (ms since
    1970, -1 where that isn't known)."""

    offset: int
    value: bytes | None
    written_ms: int


@dataclass(frozen=True)
class MessageForm:
    """How values are written; JSON objects and Avro containers are known by how they begin.

    Attributes:
        schema: the Avro schema, as JSON, of values that are nothing but one record.
        registry: where the schemas are of values with a schema registry's header: its URL, or a folder.
        registry_user: `USER:PASSWORD`; never told or stored.
    """

    schema: str | None = None
    registry: str | None = None
    registry_user: str | None = field(default=None, repr=False)


def check_form(form: MessageForm, settings: ReadSettings) -> None:
    """Raises ValueError where the schema is none, holds no article, or the registry is none."""
    if form.schema is not None:
        try:
            schema = parsed_schema(orjson.loads(form.schema))
        except DAMAGED as error:
            raise ValueError(
                f"it is no Avro schema ({error!s:.200}); expected one as JSON, as .avsc files hold"
            ) from None
        names = aliases(settings)
        if not has_content(record_fields(schema), names):
            raise ValueError(no_content_message("its record", record_fields(schema), names))
    if form.registry is not None:
        SchemaRegistry(form.registry)


def read_messages(
    uri: str, messages: Sequence[Message], form: MessageForm, settings: ReadSettings, refusals: Refusals
) -> Iterator[Records]:
    """The records of some messages of one topic partition; `position` is the message's offset.

    Each message gives a record, or a row of `refusals`; an Avro container gives all that it holds.

    Raises:
        RegistryError: the schema registry can't be asked.
    """
    names = aliases(settings)
    lines: list[Message] = []
    gathered = GatheredRecords(uri, names, refusals)
    for message in messages:
        value = message.value
        try:
            if value is None:
                raise _PoisonError("the message has no value: it is a tombstone, which deletes; nothing here does")
            if len(value) > settings.max_record_bytes:
                raise _TooLargeError(too_large_message(len(value), settings))
            if value.startswith(CONTAINER):
                _add_container(value, message.offset, names, gathered)
            elif form.schema is not None:
                gathered.add(_avro(value, 0, _given_schema(form.schema)), message.offset)
            elif value[:1] == b"\0":
                json_value = _add_registered(value, message.offset, form, gathered)
                if json_value is not None:
                    lines.append(message._replace(value=json_value))
            else:
                lines.append(message._replace(value=_text(value)))
        except _PoisonError as error:
            refusals.add(uri, message.offset, None, reasons.STAGE_READ, error.reason, str(error), value)
    if lines:
        yield parse_block(_block(lines), uri, "utf-8", names, settings, refusals)
    if len(gathered):
        yield gathered.take()


class _PoisonError(ValueError):
    """A message that gives no record: the message is refused, its neighbours aren't."""

    reason = reasons.BAD_RECORD


class _TooLargeError(_PoisonError):
    reason = reasons.TOO_LARGE


def _text(value: bytes) -> bytes:
    text = value.removeprefix(BYTE_ORDER_MARK).strip()
    if not text:
        raise _PoisonError("the message is empty; expected a JSON object")
    return text


def _block(messages: Sequence[Message]) -> JsonBlock:
    values = [message.value or b"" for message in messages]
    ends = np.cumsum([len(value) + 1 for value in values], dtype=np.int64) - 1
    starts = ends - np.array([len(value) for value in values], np.int64)
    return JsonBlock(b"\n".join(values), starts, ends, np.array([message.offset for message in messages], np.int64))


def _avro(value: bytes, start: int, schema: Any) -> dict[str, Any]:
    content = io.BytesIO(value)
    content.seek(start)
    try:
        record: Any = fastavro.schemaless_reader(content, schema, None)
    except DAMAGED as error:
        raise _PoisonError(f"the message is not of the schema, or is cut ({error!r:.200})") from None
    if not isinstance(record, dict):
        raise _PoisonError(f"the schema is of {type(record).__name__}; expected one of a record")
    left = len(value) - content.tell()
    if left:
        raise _PoisonError(f"the message is not of the schema: {left} bytes are left over behind its record")
    return record


def _add_container(value: bytes, offset: int, names: dict[str, tuple[str, ...]], gathered: GatheredRecords) -> None:
    """Adds what a container holds; what stands behind damage is refused as one."""
    added = 0
    try:
        container = AvroContainer(PlainStream(io.BytesIO(value)))
        found = record_fields(container.schema)
        if not has_content(found, names):
            raise _PoisonError(no_content_message("the container", found, names))
        for record, _ in container.records():
            gathered.add(record, offset)
            added += 1
    except BrokenStream as error:
        raise _PoisonError(str(error)) from None
    if not added:
        raise _PoisonError("the message is an Avro container that holds no record")


def _add_registered(value: bytes, offset: int, form: MessageForm, gathered: GatheredRecords) -> bytes | None:
    """Adds a record of the schema that the header names; gives the JSON of a value that is that."""
    if len(value) <= REGISTRY_BYTES:
        raise _PoisonError(f"the message begins with a zero byte and has {len(value)} bytes; expected JSON or Avro")
    number = int.from_bytes(value[1:REGISTRY_BYTES], "big")
    if form.registry is None:
        raise _PoisonError(
            f"the message begins as those of a schema registry do (schema {number}); give --schema-registry, or "
            "--schema where its values are plain Avro"
        )
    try:
        schema = _registry(form.registry, form.registry_user).schema(number)
    except UnknownSchemaError as error:
        raise _PoisonError(str(error)) from None
    if schema.kind == JSON:
        return _text(value[REGISTRY_BYTES:])
    gathered.add(_avro(value, REGISTRY_BYTES, schema.parsed), offset)
    return None


@cache
def _given_schema(schema: str) -> Any:
    return parsed_schema(orjson.loads(schema))


@cache
def _registry(place: str, user: str | None) -> SchemaRegistry:
    return SchemaRegistry(place, user)
