"""Avro object container files, block by block, so that what stands before a damaged or swollen block is read."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import fastavro
import orjson
import pyarrow as pa
import zstandard
from fastavro.schema import SchemaParseException

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.gathered_records import GatheredRecords
from transforms.functions.records import Records, aliases, has_content, no_content_message
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.streams import ZSTD_INPUT_BYTES, BrokenStream, ByteStream, open_stream

BLOCK_BYTES = 256 << 20
"""The largest block, before and after decompression. Writers make blocks of 16 kB to 64 MB."""

_HEADER = fastavro.parse_schema(
    {
        "type": "record",
        "name": "copydesk.AvroHeader",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "copydesk.Magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "copydesk.Sync", "size": 16}},
        ],
    }
)

DAMAGED = (
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    OSError,
    pa.ArrowException,
    SchemaParseException,
    fastavro.schema.UnknownType,
)
"""What fastavro and the decompressors raise for bytes that are not what they should be."""


def read_avro(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """The file's records. `position` is the record's number in the file.

    Raises:
        BrokenStream: the file is no Avro or is damaged; what came before the damage was yielded.
    """
    names = aliases(settings)
    container = AvroContainer(open_stream(file, split.compression))
    found = record_fields(container.schema)
    if not has_content(found, names):
        message = no_content_message("the file", found, names)
        refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.BAD_RECORD, message, "\n".join(found).encode())
        return
    gathered = GatheredRecords(split.uri, names, refusals)
    held = 0
    try:
        for position, (record, size) in enumerate(container.records()):
            gathered.add(record, position)
            held += size
            if held >= settings.batch_bytes:
                yield gathered.take()
                held = 0
    except BrokenStream:
        yield gathered.take()
        raise
    yield gathered.take()


class AvroContainer:
    """An Avro object container; its header is read at once.

    Attributes:
        schema: the writer's, parsed.

    Raises:
        BrokenStream: it is no Avro, or its header is damaged.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.schema, self._codec, self._sync = _header(stream)

    def records(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Each record, and how many bytes it takes.

        Raises:
            BrokenStream: what follows is damaged.
        """
        number = 0
        for block, count in _blocks(self._stream, self._codec, self._sync):
            content = io.BytesIO(block)
            for _ in range(count):
                start = content.tell()
                try:
                    record: Any = fastavro.schemaless_reader(content, self.schema, None)
                except DAMAGED as error:
                    raise BrokenStream(self._stream.offset, f"record {number} is damaged ({error!r})") from None
                yield record, content.tell() - start
                number += 1


def record_fields(schema: Any) -> list[str]:
    """Names of the fields of a parsed schema's record; none where it is no record's."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return []
    return [field["name"] for field in schema["fields"]]


def parsed_schema(schema: Any, named: dict[str, Any] | None = None) -> Any:
    """A schema as fastavro wants it.

    Args:
        schema: as JSON gives it.
        named: schemas that it refers to, by name; its own are added.

    Raises:
        one of `DAMAGED`: it is no schema, or a type in it holds itself.
    """
    parsed = fastavro.parse_schema(schema, named_schemas={} if named is None else named)
    _refuse_recursion(parsed, ())
    return parsed


class _Guarded:
    """A stream for fastavro, which asks for as many bytes as the file says it should."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        if not 0 <= size <= BLOCK_BYTES:
            raise ValueError(f"a length of {size} bytes")
        return self._stream.read(size)


def _header(stream: ByteStream) -> tuple[Any, str, bytes]:
    try:
        header: Any = fastavro.schemaless_reader(_Guarded(stream), _HEADER, None)
        if header["magic"] != b"Obj\x01":
            raise ValueError("it does not begin with Obj and 1")
        schema = parsed_schema(orjson.loads(header["meta"]["avro.schema"]))
        codec = header["meta"].get("avro.codec", b"null").decode()
    except DAMAGED as error:
        raise BrokenStream(0, f"the file is not Avro, or its header is damaged ({error!s:.200})") from None
    return schema, codec, header["sync"]


def _refuse_recursion(schema: Any, within: tuple[str, ...]) -> None:
    """fastavro reads nested records on the C stack, without a limit: a type must not hold itself."""
    if isinstance(schema, list):
        for one in schema:
            _refuse_recursion(one, within)
    elif isinstance(schema, str) and schema in within:
        raise ValueError(f"the type {schema} holds itself, which is not supported")
    elif isinstance(schema, dict):
        inner = (*within, schema["name"]) if schema.get("type") == "record" else within
        for field in schema.get("fields", ()):
            _refuse_recursion(field["type"], inner)
        for key in ("items", "values"):
            _refuse_recursion(schema.get(key), inner)
        if not isinstance(schema.get("type"), str):
            _refuse_recursion(schema.get("type"), inner)


def _blocks(stream: ByteStream, codec: str, sync: bytes) -> Iterator[tuple[bytes, int]]:
    """The decompressed blocks, and how many records each holds."""
    while first := stream.read(1):
        at = stream.offset - 1
        try:
            count, size = _long(stream, first), _long(stream, stream.read(1))
            if not 0 <= size <= BLOCK_BYTES:
                raise ValueError(f"a block of {size} bytes")
            given = stream.read(size)
            if len(given) < size or stream.read(16) != sync:
                raise EOFError("it is cut, or its end mark is wrong")
            block = _decompressed(given, codec)
            if not 0 <= count <= len(block):  # a record with a text takes a byte at least
                raise ValueError(f"{count} records in {len(block)} bytes")
        except DAMAGED as error:
            raise BrokenStream(at, f"a block is damaged ({error!s:.200})") from None
        yield block, count


def _long(stream: ByteStream, byte: bytes) -> int:
    """A zigzag number of up to ten bytes, of which the first was read."""
    value = 0
    for shift in range(0, 70, 7):
        if not byte:
            raise EOFError("it is cut")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        byte = stream.read(1)
    raise ValueError("a number of more than ten bytes")


def _decompressed(given: bytes, codec: str) -> bytes:
    if codec == "null":
        return given
    if codec == "snappy":
        return _unsnapped(given)
    if codec == "zstandard":
        return _unzstd(given)
    makers: dict[str, Any] = {
        "deflate": lambda: zlib.decompressobj(-15),
        "bzip2": bz2.BZ2Decompressor,
        "xz": lzma.LZMADecompressor,
    }
    if codec not in makers:
        raise ValueError(f"its codec is {codec}; known are null, snappy, zstandard, {', '.join(makers)}")
    decompressor = makers[codec]()
    block: bytes = decompressor.decompress(given, BLOCK_BYTES)
    if not decompressor.eof:
        raise ValueError(f"a block that is cut, or larger than {BLOCK_BYTES} bytes")
    return block


def _unzstd(given: bytes) -> bytes:
    frame = zstandard.ZstdDecompressor().decompressobj()
    block = bytearray()
    for at in range(0, len(given), ZSTD_INPUT_BYTES):
        block += frame.decompress(given[at : at + ZSTD_INPUT_BYTES])
        if len(block) > BLOCK_BYTES:
            raise ValueError(f"a block larger than {BLOCK_BYTES} bytes")
    if not frame.eof:
        raise EOFError("a block that is cut")
    return bytes(block)


def _unsnapped(given: bytes) -> bytes:
    body, checksum = given[:-4], given[-4:]
    size, shift = 0, 0
    for byte in body[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > BLOCK_BYTES:
        raise ValueError(f"a block larger than {BLOCK_BYTES} bytes")
    block: bytes = pa.decompress(body, size, codec="snappy", asbytes=True)
    if zlib.crc32(block) != int.from_bytes(checksum, "big"):
        raise ValueError("its checksum is wrong")
    return block
