"""WARC: the pages among the responses of a web archive."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from fastwarc.warc import ArchiveIterator

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.encodings import UndecodableError, decode_page
from transforms.functions.records import Records, too_large_message
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.streams import PIECE_BYTES, BrokenStream, ByteStream, open_stream

HEADER_BYTES = 1 << 16
"""The longest WARC header, and room for a response's HTTP header beside its page. Real ones stay under 4 kB."""

_PAGE_KINDS = ("text/html", "application/xhtml+xml")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_KIND = re.compile(rb"^warc-type:[ \t]*([A-Za-z]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_TARGET = re.compile(rb"^warc-target-uri:[ \t]*<?([^\s<>]+)>?[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def read_warc(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """The HTML responses; records of other types, and responses of other kinds (images, redirects, pages that say
    that something failed), are none of ours.

    `position` is the record's offset in (decompressed) bytes, `url` its target.

    Raises:
        BrokenStream: the file is no WARC or is damaged; what came before the damage was yielded.
    """
    reader = _Reader(open_stream(file, split.compression))
    held: list[_Page] = []
    size = 0
    try:
        for found in _responses(reader, settings):
            if isinstance(found, _Refused):
                refusals.add(
                    split.uri, found.position, None, reasons.STAGE_READ, found.reason, found.message,
                    found.payload, digest=found.digest,
                )  # fmt: skip
                continue
            held.append(found)
            size += len(found.html)
            if size >= settings.batch_bytes:
                yield _records(held)
                held, size = [], 0
    except BrokenStream:
        yield _records(held)
        raise
    yield _records(held)


@dataclass(frozen=True)
class _Page:
    position: int
    url: str | None
    html: str
    body: bytes


@dataclass(frozen=True)
class _Refused:
    position: int
    url: str | None
    reason: str
    message: str
    payload: bytes
    digest: str | None = None


def _records(pages: list[_Page]) -> Records:
    html = [page.html.encode("utf-8", errors="replace") for page in pages]
    columns = {
        "url": pa.array([page.url for page in pages], pa.string()),
        "html": pa.array(html, pa.binary()).cast(pa.string()),
    }
    positions = np.array([page.position for page in pages], np.int64)
    return Records(positions, columns, lambda row: pages[row].body)


class _Reader:
    """A stream with a look ahead, for headers of unknown length."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._held = b""

    @property
    def offset(self) -> int:
        return self._stream.offset - len(self._held)

    def read(self, size: int) -> bytes:
        if len(self._held) < size:
            self._held += self._stream.read(size - len(self._held))
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def header(self) -> bytes | None:
        """Bytes up to and with the next empty line; None at the end of the file."""
        while True:
            blank = re.search(rb"\r?\n\r?\n", self._held)
            if blank:
                return self.read(blank.end())
            if len(self._held) > HEADER_BYTES:
                raise BrokenStream(self.offset, "the file is not WARC, or is damaged (no header is found)")
            piece = self._stream.read(1 << 12)
            if not piece:
                if not self._held.strip():
                    return None
                raise BrokenStream(self.offset, "the WARC file is cut within a header, or is no WARC")
            self._held += piece

    def skip_newlines(self) -> None:
        while True:
            self._held = self._held.lstrip(b"\r\n")
            if self._held:
                return
            self._held = self._stream.read(1 << 12)
            if not self._held:
                return


def _responses(reader: _Reader, settings: ReadSettings) -> Iterator[_Page | _Refused]:
    while True:
        reader.skip_newlines()
        position = reader.offset
        header = reader.header()
        if header is None:
            return
        length = _LENGTH.search(header)
        if not header.startswith(b"WARC/") or length is None:
            raise BrokenStream(position, "the file is not WARC, or a record is damaged")
        size = int(length[1])
        kind = _KIND.search(header)
        target = _TARGET.search(header)
        url = target[1].decode("utf-8", errors="replace") if target else None
        wanted = kind is not None and kind[1].lower() == b"response"
        if not wanted or size > settings.max_record_bytes + HEADER_BYTES:
            head, digest = _passed_over(reader, size, position, settings.payload_bytes)
            if wanted and _is_page(head):
                message = too_large_message(size, settings)
                yield _Refused(position, None, reasons.TOO_LARGE, message, head, digest)
            continue
        body = reader.read(size)
        if len(body) < size:
            raise BrokenStream(position, "the WARC file is cut within a record")
        found = _page(header, body, position, url, settings)
        if found is not None:
            yield found


def _passed_over(reader: _Reader, size: int, position: int, head_bytes: int) -> tuple[bytes, str]:
    digest, head, left = hashlib.sha256(), b"", size
    while left:
        piece = reader.read(min(PIECE_BYTES, left))
        if not piece:
            raise BrokenStream(position, "the WARC file is cut within a record")
        digest.update(piece)
        head = head or piece[: max(head_bytes, 1 << 12)]
        left -= len(piece)
    return head[:head_bytes], digest.hexdigest()


def _is_page(head: bytes) -> bool:
    http = head.split(b"\r\n\r\n", 1)[0].lower()
    return any(kind.encode() in http for kind in _PAGE_KINDS)


def _page(
    header: bytes, body: bytes, position: int, url: str | None, settings: ReadSettings
) -> _Page | _Refused | None:
    """The page of one response; None where it is none."""
    try:
        record = next(iter(ArchiveIterator(io.BytesIO(header + body + b"\r\n\r\n"), stream_detect=False,
                                           auto_decode="all")), None)  # fmt: skip
        if record is None or record.http_headers is None:
            return _Refused(position, None, reasons.BAD_RECORD, "the response has no HTTP header", body)
        if (record.http_content_type or "").lower() not in _PAGE_KINDS:
            return None
        status = record.http_headers.status_code
        if status is not None and not 200 <= status < 300:
            return None
        charset = record.http_charset
        content = record.reader.read(settings.max_record_bytes + 1)
    except (OSError, ValueError) as error:
        return _Refused(position, None, reasons.BAD_RECORD, f"the HTTP response is damaged ({error})", body)
    if len(content) > settings.max_record_bytes:
        message = too_large_message(len(content), settings).replace("has", "has at least")
        return _Refused(position, None, reasons.TOO_LARGE, message, body)
    try:
        html, _ = decode_page(content, charset)
    except UndecodableError as error:
        return _Refused(position, None, reasons.BAD_ENCODING, str(error), content)
    return _Page(position, url, html, body)
