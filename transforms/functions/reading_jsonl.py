"""JSON Lines: one record a line, blocks of lines at a time."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

import numpy as np

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.encodings import SAMPLE_BYTES, byte_order_mark, sniff_encoding
from transforms.functions.json_columns import JsonBlock, block_of_lines, parse_block
from transforms.functions.lines import LongLine, line_blocks
from transforms.functions.magic import known_content
from transforms.functions.records import Records, aliases, too_large_message
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.streams import BrokenStream, ByteStream, PlainStream, open_stream


def read_jsonl(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """The records of the lines that begin in the split. `position` is the line's offset in (decompressed) bytes.

    Raises:
        BrokenStream: the compressed file can't be read on.
    """
    head = _head(split, file)
    content = known_content(head)
    if content is not None:
        if split.index == 0:
            message = f"the file is {content}, not JSON Lines"
            refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.UNREADABLE_FILE, message, head)
        return
    marked = byte_order_mark(head)
    encoding, mark = marked if marked is not None else (sniff_encoding(head), 0)
    file.seek(0)
    if encoding.startswith(("utf-16", "utf-32")):
        # Read whole, by the first split: what cut the file in several looked at fewer bytes, and saw none of it.
        if split.index == 0:
            yield from _read_wide(split, settings, open_stream(file, split.compression), encoding, mark, refusals)
        return
    stream: ByteStream
    if split.compression is None:
        stream = PlainStream(file, split.start - 1 if split.start else mark)
        yield from read_lines(split, settings, stream, encoding, refusals)
    else:
        stream = open_stream(file, split.compression)
        stream.read(mark)
        yield from read_lines(split, settings, stream, encoding, refusals)


def _head(split: Split, file: BinaryIO) -> bytes:
    try:
        return open_stream(file, split.compression).read(SAMPLE_BYTES)
    except BrokenStream:
        return b""  # reading the records will say so


def read_lines(
    split: Split, settings: ReadSettings, stream: ByteStream, encoding: str, refusals: Refusals
) -> Iterator[Records]:
    """The records of the lines that begin in the split, from a stream that stands at its start (or, for a start above
    0, one byte before)."""
    names = aliases(settings)
    end = split.end if split.end >= 0 else None
    for block in line_blocks(
        stream, split.start, end, settings.batch_bytes, settings.max_record_bytes, settings.payload_bytes
    ):
        if isinstance(block, LongLine):
            _refuse(split, block, block.position, settings, refusals)
            yield _nothing()
        else:
            lines = block_of_lines(block.data, block.position)
            yield parse_block(lines, split.uri, encoding, names, settings, refusals)


def _read_wide(
    split: Split, settings: ReadSettings, stream: ByteStream, encoding: str, mark: int, refusals: Refusals
) -> Iterator[Records]:
    """UTF-16 and UTF-32, where a newline is not one byte: read as UTF-8, with the offsets they had."""
    names = aliases(settings)
    stream.read(mark)
    offset = mark
    narrow = _Transcoded(stream, encoding)
    for block in line_blocks(narrow, 0, None, settings.batch_bytes, settings.max_record_bytes, settings.payload_bytes):
        if isinstance(block, LongLine):
            _refuse(split, block, offset, settings, refusals)
            offset += narrow.original_bytes(block.length)
            yield _nothing()
            continue
        lines = block_of_lines(block.data, 0)
        edges = [0, *(lines.starts.tolist()), len(block.data)]
        sizes = [len(bytes(block.data[a:b]).decode().encode(encoding)) for a, b in pairwise(edges)]
        positions = offset + np.cumsum(sizes)[:-1]
        offset += sum(sizes)
        located = JsonBlock(lines.data, lines.starts, lines.ends, positions)
        yield parse_block(located, split.uri, "utf-8", names, settings, refusals)


def _refuse(split: Split, line: LongLine, position: int, settings: ReadSettings, refusals: Refusals) -> None:
    message = too_large_message(line.length, settings)
    refusals.add(
        split.uri, position, None, reasons.STAGE_READ, reasons.TOO_LARGE, message, line.head, digest=line.sha256
    )


def _nothing() -> Records:
    return Records(np.zeros(0, np.int64), {}, lambda _: b"")


class _Transcoded:
    """A stream of UTF-16 or UTF-32 as UTF-8; what is broken in it becomes U+FFFD."""

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._stream = stream
        self._unit = 4 if encoding.startswith("utf-32") else 2
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self.offset = 0

    def read(self, size: int) -> bytes:
        """About `size` bytes, none only at the end."""
        while True:
            given = self._stream.read(size)
            text = self._decoder.decode(given, final=not given)
            if text or not given:
                written = text.encode()
                self.offset += len(written)
                return written

    def original_bytes(self, length: int) -> int:
        """About how long `length` bytes of a line too long to hold were; exact for ASCII."""
        return (length + 1) * self._unit
