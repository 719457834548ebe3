"""A stream of bytes in blocks of whole lines, at known offsets, with lines of any length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.functions.streams import PIECE_BYTES, ByteStream


@dataclass(frozen=True)
class LineBlock:
    """Whole lines; only a stream's last line may lack its newline. `position` is the first line's offset in bytes."""

    position: int
    data: memoryview


@dataclass(frozen=True)
class LongLine:
    """A line longer than allowed, of which only the head was held."""

    position: int
    length: int
    head: bytes
    sha256: str


def line_blocks(
    stream: ByteStream, start: int, end: int | None, block_bytes: int, max_line_bytes: int, head_bytes: int
) -> Iterator[LineBlock | LongLine]:
    """The lines that begin in [start, end), in order, in blocks of about `block_bytes`.

    The stream stands at `start`, or (for start > 0) at start - 1: then what belongs to the line before is passed over.
    A line longer than `max_line_bytes` is never held: it comes as a `LongLine` with `head_bytes` of it.

    Raises:
        BrokenStream: the stream broke; whole lines before the break were given, a cut line was not.
    """
    held = b""
    if start > 0:
        rest = _skip_line(stream, end)
        if rest is None:
            return
        held = rest
    while True:
        at = stream.offset - len(held)
        if end is not None and at >= end:
            return
        piece = stream.read(_wanted(stream.offset, end, block_bytes))
        data = held + piece
        if not data:
            return
        cut = len(data) if not piece else data.rfind(b"\n") + 1
        if end is not None and at + cut > end:
            first_past = data.find(b"\n", max(0, end - 1 - at)) + 1
            if first_past:
                yield LineBlock(at, memoryview(data)[:first_past])
                return
        if cut:
            yield LineBlock(at, memoryview(data)[:cut])
        if not piece:
            return
        held = data[cut:]
        if len(held) > max_line_bytes:
            line = _long_line(stream, at + cut, held, head_bytes)
            yield line[0]
            held = line[1]


def _wanted(offset: int, end: int | None, block_bytes: int) -> int:
    """How much to read: not far beyond the split's end, where only one line's rest is needed."""
    if end is None:
        return block_bytes
    return min(block_bytes, max(end - offset, min(block_bytes, PIECE_BYTES)))


def _skip_line(stream: ByteStream, end: int | None) -> bytes | None:
    """Reads through the next newline and returns what was read behind it; None where no newline follows before `end`,
    so that the splits of one line of gigabytes don't each read all of it."""
    while (end is None or stream.offset < end) and (piece := stream.read(PIECE_BYTES)):
        at = piece.find(b"\n")
        if at >= 0:
            return piece[at + 1 :]
    return None


def _long_line(stream: ByteStream, position: int, held: bytes, head_bytes: int) -> tuple[LongLine, bytes]:
    """Reads on to the line's end; gives the line's record and what was read behind it."""
    digest = hashlib.sha256(held)
    length = len(held)
    rest = b""
    while piece := stream.read(PIECE_BYTES):
        at = piece.find(b"\n")
        line = piece if at < 0 else piece[:at]
        digest.update(line)
        length += len(line)
        if at >= 0:
            rest = piece[at + 1 :]
            break
    return LongLine(position, length, held[:head_bytes], digest.hexdigest()), rest
