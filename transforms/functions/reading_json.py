"""A JSON document: records in an array, one after the other, in a service's answer, or on lines."""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Iterator
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
OPEN, OPEN_LIST, COMMA, QUOTE = b'{[,"'

LISTS = (b"articles", b"items", b"results", b"data", b"docs", b"entries", b"records")
"""Under what name a document without a text of its own holds a list of records: the answers of news services (NewsAPI
says articles), JSON Feed and search engines."""


def read_json(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """The document's records: elements of arrays, or objects one after the other; an object without a text of its own
    may hold its records in a list (`LISTS`). `position` is the record's number, and the byte offset where the file
    holds one object a line.

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
    elif data[first.start()] == OPEN and _is_lines(data, first.start(), _content(aliases(settings))):
        yield from read_lines(split, settings, PlainStream(io.BytesIO(data)), encoding, refusals)
    else:
        yield from _read_document(data, first.start(), split, encoding, settings, refusals)


def _content(names: dict[str, tuple[str, ...]]) -> set[bytes]:
    return {name.encode() for field in ("text", "html") for name in names[field]}


def _is_lines(data: bytes, start: int, content: set[bytes]) -> bool:
    """Whether the first line is a record by itself and more follows."""
    end = data.find(b"\n", start)
    if end < 0 or not _NO_SPACE.search(data, end) or _object(data, start, content)[1] is not None:
        return False
    try:
        return isinstance(orjson.loads(data[start:end]), dict)
    except orjson.JSONDecodeError:
        return False


def _read_document(
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

    for element_start, element_end, whole in _records_in(data, start, names):
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


def _records_in(data: bytes, start: int, names: dict[str, tuple[str, ...]]) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each record, and whether it is whole: the elements of arrays, and objects, or what is in them.

    Only brackets are counted: whether a record is JSON is for others to find. The rest after something that is cut, or
    neither array nor object, comes last.
    """
    content = _content(names)
    at: int | None = start
    while at is not None:
        if data[at] == OPEN_LIST:
            end = yield from _elements(data, at + 1)
        elif data[at] == OPEN:
            end, listed = _object(data, at, content)
            if listed is not None:
                if (yield from _elements(data, listed)) is None:
                    return
            else:
                yield at, len(data) if end is None else end, True
        else:
            end = None
            yield at, len(data), True
        if end is None:
            return
        behind = _NO_SPACE.search(data, end)
        at = behind.start() if behind else None


def _object(data: bytes, start: int, content: set[bytes]) -> tuple[int | None, int | None]:
    """The end of the object that opens at `start` (None where it is cut), and, for one without text that holds a list
    of records, where that list's elements begin."""
    depth = 0
    key = b""
    is_key = False
    listed: int | None = None
    has_content = False
    for token in _TOKEN.finditer(data, start):
        sign = data[token.start()]
        if sign == QUOTE:
            if depth == 1 and is_key:
                key = token.group()[1:-1]
                has_content = has_content or key in content
            is_key = False
        elif sign in b"[{":
            if depth == 1 and sign == OPEN_LIST and listed is None and key in LISTS:
                inside = _NO_SPACE.search(data, token.end())
                listed = token.end() if inside and data[inside.start()] == OPEN else None
            depth += 1
            is_key = depth == 1
        elif sign in b"]}":
            depth -= 1
            if depth == 0:
                return token.end(), None if has_content else listed
        elif depth == 1:  # a comma
            is_key = True
    return None, None if has_content else listed


def _elements(data: bytes, start: int) -> Generator[tuple[int, int, bool], None, int | None]:
    """Start and end of each element of the array that opened just before `start`, and whether it is whole.

    What is cut comes last and isn't whole. Returns where the array ends, None where it is cut.
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
                return token.end()
        elif sign == COMMA and depth == 1:
            yield begin, token.start(), True
            begin, first = token.end(), False
    yield begin, len(data), False
    return None
