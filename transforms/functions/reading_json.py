"""A JSON document: an array of records, one record, or lines of them under the wrong name."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import orjson

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.encodings import UndecodableError, byte_order_mark, decode_text, sniff_encoding
from transforms.functions.json_columns import JsonBlock, parse_block
from transforms.functions.magic import known_content
from transforms.functions.reading_jsonl import read_lines
from transforms.functions.records import Records, aliases
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.streams import WHOLE_FILE_BYTES, PlainStream, open_stream, read_whole

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""Possessive, so that it never goes back over text: strings are passed over whole, linear in their length."""

_NO_SPACE = re.compile(rb"[^ \t\r\n]")


def read_json(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """The document's records. `position` is the index in the array, 0 for a single object, and the byte offset where
    the file holds one object a line.

    Raises:
        BrokenStream: the compressed file can't be read to its end.
    """
    data, more = read_whole(open_stream(file, split.compression), WHOLE_FILE_BYTES)

    def refuse(reason: str, message: str, payload: bytes | None) -> None:
        refusals.add(split.uri, -1, None, reasons.STAGE_READ, reason, message, payload)

    if more:
        refuse(
            reasons.TOO_LARGE,
            f"a .json file is held whole, and this one has more than {WHOLE_FILE_BYTES} bytes; "
            "JSON Lines (.jsonl) can have any size",
            None,
        )
        return
    content = known_content(data)
    if content is not None:
        refuse(reasons.UNREADABLE_FILE, f"the file is {content}, not JSON", data)
        return
    marked = byte_order_mark(data)
    encoding = marked[0] if marked is not None else sniff_encoding(data)
    if marked is not None or encoding.startswith("utf-16"):
        try:
            data = decode_text(data)[0].encode("utf-8", errors="replace")
        except UndecodableError as error:
            refuse(reasons.BAD_ENCODING, str(error), data)
            return
        encoding = "utf-8"
    first = _NO_SPACE.search(data)
    if first is None:
        refuse(reasons.BAD_RECORD, "the file is empty; expected a JSON array or object", data)
    elif data[first.start()] == ord("["):
        yield from _read_array(data, first.end(), split, encoding, settings, refusals)
    elif _is_lines(data, first.start()):
        yield from read_lines(split, settings, PlainStream(io.BytesIO(data)), encoding, refusals)
    else:
        whole = data.strip()
        block = JsonBlock(whole, *(np.array([n], np.int64) for n in (0, len(whole), 0)))
        yield parse_block(block, split.uri, encoding, aliases(settings), settings, refusals)


def _is_lines(data: bytes, start: int) -> bool:
    """Whether the first line is an object by itself and more follows."""
    end = data.find(b"\n", start)
    if end < 0 or not _NO_SPACE.search(data, end):
        return False
    try:
        return isinstance(orjson.loads(data[start:end]), dict)
    except orjson.JSONDecodeError:
        return False


def _read_array(
    data: bytes, start: int, split: Split, encoding: str, settings: ReadSettings, refusals: Refusals
) -> Iterator[Records]:
    names = aliases(settings)
    elements: list[bytes] = []
    held, index = 0, 0

    def parsed() -> Records:
        sizes = np.array([len(element) for element in elements], np.int64)
        ends = np.cumsum(sizes + 1) - 1
        positions = np.arange(index - len(elements), index, dtype=np.int64)
        block = JsonBlock(b"\n".join(elements), ends - sizes, ends, positions)
        return parse_block(block, split.uri, encoding, names, settings, refusals)

    for element_start, element_end, whole in _elements(data, start):
        element = data[element_start:element_end].strip()
        if not whole:
            if elements:
                yield parsed()
            message = f"the array is cut or malformed at byte {element_start}; what follows it could not be read"
            refusals.add(split.uri, index, None, reasons.STAGE_READ, reasons.BAD_RECORD, message, element)
            elements = []
            break
        elements.append(element)
        index += 1
        held += len(element)
        if held >= settings.batch_bytes:
            yield parsed()
            elements, held = [], 0
    if elements:
        yield parsed()


def _elements(data: bytes, start: int) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each element of the array that opened just before `start`, and whether it is whole.

    Only brackets are counted: whether an element is JSON is for others to find. What is cut, or follows the array,
    comes last and isn't whole.
    """
    depth = 1
    begin = start
    first = True
    for token in _TOKEN.finditer(data, start):
        sign = data[token.start()]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            if depth == 0:
                if not first or _NO_SPACE.search(data, begin, token.start()):
                    yield begin, token.start(), True
                behind = _NO_SPACE.search(data, token.end())
                if behind:
                    yield behind.start(), len(data), False
                return
        elif sign == 44 and depth == 1:  # a comma
            yield begin, token.start(), True
            begin, first = token.end(), False
    yield begin, len(data), False
