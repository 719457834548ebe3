"""Files that hold one article each: plain text, or an HTML page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.encodings import UndecodableError, decode_page, decode_text
from transforms.functions.magic import known_content
from transforms.functions.records import Records, too_large_message
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.streams import PIECE_BYTES, open_stream, read_whole


def read_text(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """One record at position 0: the whole of a .txt file as `text`, or of an .html file as `html`.

    Raises:
        BrokenStream: the compressed file can't be read to its end.
    """
    stream = open_stream(file, split.compression)
    data, more = read_whole(stream, settings.max_record_bytes)
    if more:
        digest, size = hashlib.sha256(data), len(data)
        while piece := stream.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
        head = data[: settings.payload_bytes]
        message = too_large_message(size, settings)
        refusals.add(
            split.uri, 0, None, reasons.STAGE_READ, reasons.TOO_LARGE, message, head, digest=digest.hexdigest()
        )
        return
    decode = decode_page if split.form == "html" else decode_text
    content = known_content(data)
    try:
        if content is not None:
            raise UndecodableError(f"the file is {content}, not text")
        text, _ = decode(data)
    except UndecodableError as error:
        refusals.add(split.uri, 0, None, reasons.STAGE_READ, reasons.BAD_ENCODING, str(error), data)
        return
    field = "html" if split.form == "html" else "text"
    column = pa.array([text.encode("utf-8", errors="replace")], pa.binary()).cast(pa.string())
    yield Records(np.zeros(1, np.int64), {field: column}, lambda _: data)
