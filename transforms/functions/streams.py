"""Files as forward streams of bytes, decompressed piece by piece, so that no file is ever held whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

import zstandard

PIECE_BYTES = 1 << 18
"""Read from a file at a time, and taken from gzip at a time."""

ZSTD_INPUT_BYTES = 1 << 8
"""Given to zstd at a time: it hands back all that follows from it, at most 128 KiB from every 4 bytes (8 MiB)."""

MOST_SWELLING = 250
"""Times as large as it was given, a stream is taken for a bomb. The developers' sets of news and pages as JSON are
3 to 12 times as large (gzip) or 3 to 18 (zstd), a page of 150,000 made-up links 205; gzip can reach 1,032, zstd more
than 30,000."""

HARMLESS_BYTES = 64 << 20
"""Decompressed, before swelling is looked at: a small file may well be one line many times."""

WHOLE_FILE_BYTES = 512 << 20
"""The largest file of a form that must be held whole (.json, compressed .parquet), so that a worker of 2 GB can hold it
and a batch beside it."""


class BrokenStream(Exception):  # noqa: N818 - it says what the stream is, and is never shown to a user
    """The bytes that follow can't be read; all that came before were handed over."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


class ByteStream(Protocol):
    """A forward reader. `read(size)` gives exactly `size` bytes unless the stream ends or breaks."""

    offset: int

    def read(self, size: int) -> bytes: ...


class PlainStream:
    """A file as it stands, from byte `start` on."""

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        if start:
            file.seek(start)
        self._file = file
        self.offset = start

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        pieces: list[bytes] = []
        missing = size
        while missing > 0 and (piece := self._file.read(missing)):
            pieces.append(piece)
            missing -= len(piece)
        self.offset += size - missing
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class DecompressedStream:
    """What a gzip or zstd file holds; `offset` counts decompressed bytes.

    A break in the compressed bytes is raised as `BrokenStream` by the `read` after the one that handed over the last
    good byte.
    """

    def __init__(self, file: BinaryIO, compression: str) -> None:
        given = _Counted(file)
        self._given = given
        self._pieces = _gunzip(given) if compression == "gzip" else _unzstd(given)
        self._held = bytearray()
        self._broken: str | None = None
        self._ended = False
        self.offset = 0

    def read(self, size: int) -> bytes:
        """The next `size` decompressed bytes, fewer only at the end.

        Raises:
            BrokenStream: nothing more can be decompressed though the stream has not ended.
        """
        while len(self._held) < size and not self._ended and self._broken is None:
            try:
                self._held += next(self._pieces)
            except StopIteration:
                self._ended = True
            except _Corrupt as error:
                self._broken = str(error)
            else:
                swollen = self.offset + len(self._held)
                if swollen > HARMLESS_BYTES and swollen > MOST_SWELLING * self._given.count:
                    self._broken = (
                        f"it swells to more than {MOST_SWELLING} times its size, as decompression bombs do; if it is "
                        "meant, decompress it first"
                    )
        if self._broken is not None and not self._held and size > 0:
            raise BrokenStream(self.offset, self._broken)
        taken = bytes(memoryview(self._held)[:size])
        del self._held[:size]
        self.offset += len(taken)
        return taken


def open_stream(file: BinaryIO, compression: str | None) -> ByteStream:
    """A forward stream over an open file; `compression` is "gzip", "zstd" or None."""
    return PlainStream(file) if compression is None else DecompressedStream(file, compression)


def read_whole(stream: ByteStream, limit: int) -> tuple[bytes, bool]:
    """All bytes of a stream, and whether there are more than `limit`.

    Where there are more, those read so far are returned (more than `limit`), and the stream stands behind them.

    Raises:
        BrokenStream: see `DecompressedStream.read`.
    """
    pieces: list[bytes] = []
    held = 0
    while held <= limit and (piece := stream.read(min(PIECE_BYTES, limit + 1 - held))):
        pieces.append(piece)
        held += len(piece)
    return b"".join(pieces), held > limit


class _Counted:
    """A file of which the bytes read are counted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.count += len(piece)
        return piece


class _Corrupt(Exception):  # noqa: N818
    """Compressed bytes that can't be decompressed; becomes `BrokenStream`."""


def _gunzip(file: _Counted) -> Iterator[bytes]:
    """The content of all gzip members, in pieces of at most `PIECE_BYTES`."""
    given = file.read(PIECE_BYTES)
    if not given:
        raise _Corrupt("the file is empty, not gzip")
    members = 0
    while True:
        if members:  # zero bytes pad tapes and blocks; gzip itself ignores them
            given = given.lstrip(b"\0")
            while not given:
                given = file.read(PIECE_BYTES)
                if not given:
                    return
                given = given.lstrip(b"\0")
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                piece = member.decompress(given, PIECE_BYTES)
            except zlib.error as error:
                what = "the file is not gzip" if not members else f"after gzip member {members}"
                raise _Corrupt(f"{what} ({error})" if members else f"{what}, or is damaged ({error})") from None
            if piece:
                yield piece
            given = member.unconsumed_tail
            if not given and len(piece) < PIECE_BYTES and not member.eof:
                given = file.read(PIECE_BYTES)
                if not given:
                    raise _Corrupt("the gzip stream is truncated")
        given = member.unused_data
        members += 1


def _unzstd(file: _Counted) -> Iterator[bytes]:
    """The content of all zstd frames, at most `ZSTD_INPUT_BYTES` of input at a time."""
    given = file.read(PIECE_BYTES)
    if not given:
        raise _Corrupt("the file is empty, not zstd")
    at = 0
    while given:
        frame = zstandard.ZstdDecompressor().decompressobj()
        while not frame.eof:
            if at >= len(given):
                given, at = file.read(PIECE_BYTES), 0
                if not given:
                    raise _Corrupt("the zstd stream is truncated")
            try:
                piece = frame.decompress(given[at : at + ZSTD_INPUT_BYTES])
            except zstandard.ZstdError as error:
                raise _Corrupt(f"the file is not zstd, or is damaged ({error})") from None
            at += ZSTD_INPUT_BYTES
            if piece:
                yield piece
        at = min(at, len(given)) - len(frame.unused_data)
        if at >= len(given):
            given, at = file.read(PIECE_BYTES), 0
