"""JSON records, one on each line of a block, into columns: all at once where they are well-formed, else one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from schemas import reasons
from schemas.settings import ReadSettings
from transforms.functions.encodings import UndecodableError, decode_text
from transforms.functions.field_lookup import ValueKindError, pick_column, pick_identifier, pick_values
from transforms.functions.records import Records, too_large_message
from transforms.functions.refusals import Refusals, harmless

Ints = npt.NDArray[np.int64]
NEWLINE, RETURN, OPEN, CLOSE = b"\n\r{}"
SHOWN_BYTES = 60
"""Of a bad record, in its message."""


@dataclass(frozen=True)
class JsonBlock:
    """Bytes with one JSON record from each start to each end (not included); no record holds a newline.

    Between two records stand only newlines, carriage returns and white space. `positions` are the records' places in
    their file.
    """

    data: bytes | memoryview
    starts: Ints
    ends: Ints
    positions: Ints


def block_of_lines(data: bytes | memoryview, position: int) -> JsonBlock:
    """The lines of a block that stands at byte `position`; empty lines are left out, and a carriage return is no part
    of a line."""
    signs = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(signs == NEWLINE)
    starts = np.concatenate([[0], newlines + 1])
    ends = np.concatenate([newlines, [len(data)]])
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    ends = ends - (signs[ends - 1] == RETURN)
    filled = ends > starts
    return JsonBlock(data, starts[filled], ends[filled], starts[filled] + position)


def parse_block(
    block: JsonBlock,
    source_uri: str,
    encoding: str,
    names: dict[str, tuple[str, ...]],
    settings: ReadSettings,
    refusals: Refusals,
) -> Records:
    """The block's records as columns; those that can't be read go to `refusals`.

    Args:
        encoding: of the file, for lines that aren't UTF-8.
        names: which names to look up for each field, in order (`records.aliases`).
    """
    sizes = block.ends - block.starts
    if len(sizes) and int(sizes.max()) > settings.max_record_bytes:
        large = sizes > settings.max_record_bytes
        for row in np.flatnonzero(large).tolist():
            payload = _line(block, row)
            message = too_large_message(len(payload), settings)
            position = int(block.positions[row])
            refusals.add(source_uri, position, None, reasons.STAGE_READ, reasons.TOO_LARGE, message, payload)
        block = _rejoined([_line(block, row) for row in np.flatnonzero(~large).tolist()], block.positions[~large])
    if not _is_utf8(block.data):
        block = _in_utf8(block, source_uri, encoding, refusals)
    columns = _parse_at_once(block, names) if _one_object_a_line(block) else None
    if columns is None:
        return _parse_one_by_one(block, source_uri, names, refusals)
    return Records(block.positions, columns, lambda row: _line(block, row), lambda row: _names(_line(block, row)))


def _line(block: JsonBlock, row: int) -> bytes:
    return bytes(block.data[block.starts[row] : block.ends[row]])


def _rejoined(lines: Sequence[bytes], positions: Ints) -> JsonBlock:
    ends = np.cumsum([len(line) + 1 for line in lines], dtype=np.int64) - 1
    starts = ends - np.array([len(line) for line in lines], np.int64)
    return JsonBlock(b"\n".join(lines), starts, ends, positions)


def _is_utf8(data: bytes | memoryview) -> bool:
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _in_utf8(block: JsonBlock, source_uri: str, encoding: str, refusals: Refusals) -> JsonBlock:
    lines: list[bytes] = []
    rows: list[int] = []
    for row in range(len(block.starts)):
        line = _line(block, row)
        if not _is_utf8(line):
            try:
                text, _ = decode_text(line, encoding)
            except UndecodableError as error:
                message = f"{error}: {_shown(line)}"
                position = int(block.positions[row])
                refusals.add(source_uri, position, None, reasons.STAGE_READ, reasons.BAD_ENCODING, message, line)
                continue
            line = text.encode("utf-8", errors="replace")
            if not line.strip():
                message = f"there is no record between its marks and spaces: {_shown(_line(block, row))}"
                position = int(block.positions[row])
                refusals.add(
                    source_uri, position, None, reasons.STAGE_READ, reasons.BAD_RECORD, message, _line(block, row)
                )
                continue
        lines.append(line)
        rows.append(row)
    return _rejoined(lines, block.positions[np.array(rows, np.int64)])


def _one_object_a_line(block: JsonBlock) -> bool:
    """Whether every line begins with { and ends with }: then as many objects as lines means one on each line, as no
    JSON string can hold a newline."""
    if not len(block.starts) or not (block.ends > block.starts).all():
        return False  # an array may have an empty element, before its closing bracket
    signs = np.frombuffer(block.data, np.uint8)
    return bool((signs[block.starts] == OPEN).all() and (signs[block.ends - 1] == CLOSE).all())


def _parse_at_once(block: JsonBlock, names: dict[str, tuple[str, ...]]) -> dict[str, pa.Array] | None:
    """All columns; None where a record is malformed or a value isn't of the kind that the first record has."""
    wanted = list(dict.fromkeys(name for field in names.values() for name in field))
    try:
        first = _record(_line(block, 0), names)
    except _NoRecordError:
        return None
    dates = names["published_at"]
    schema = pa.schema([(name, _sniffed(first.get(name), name in dates)) for name in wanted])
    try:
        table = _read_table(block.data, schema)
        if table.num_rows != len(block.starts):
            return None
        columns = {name: _whole(table[name]) for name in wanted}
        for column in columns.values():
            if pa.types.is_string(column.type):
                column.validate(full=True)
    except pa.ArrowInvalid:
        return None
    picked: dict[str, pa.Array] = {}
    for field, field_names in names.items():
        given = [columns[name] for name in field_names if columns[name].null_count < len(columns[name])]
        if any(pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py() for column in given):
            return None
        if given:
            picked[field] = pick_column([pc.cast(column, pa.string()) for column in given])
    return picked


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _sniffed(value: Any, is_date: bool) -> pa.DataType:
    """Only kinds that read back as given: anything else is read as text, or else one by one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return pa.int64()
    return pa.float64() if is_date and isinstance(value, float) else pa.string()


def _parse_one_by_one(
    block: JsonBlock, source_uri: str, names: dict[str, tuple[str, ...]], refusals: Refusals
) -> Records:
    found: dict[str, list[str | None]] = {field: [] for field in names}
    kept: list[int] = []
    for row in range(len(block.starts)):
        line = _line(block, row).strip()
        if not line:
            continue
        record: dict[str, Any] = {}
        try:
            record = _record(line, names)
            values = pick_values(_exact(record, line, names), names)
        except (ValueKindError, _NoRecordError) as error:
            position, identifier = int(block.positions[row]), pick_identifier(record, names)
            refusals.add(source_uri, position, identifier, reasons.STAGE_READ, reasons.BAD_RECORD, str(error), line)
            continue
        for field, column in found.items():
            column.append(values[field])
        kept.append(row)
    rows = np.array(kept, np.int64)
    columns = {field: pa.array(column, pa.string()) for field, column in found.items()}

    def given(row: int) -> bytes:
        return _line(block, int(rows[row]))

    return Records(block.positions[rows], columns, given, lambda row: _names(given(row)))


class _NoRecordError(ValueError):
    """A line that isn't a JSON object."""


def _record(line: bytes, names: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        lenient = _leniently(line, names)
        if lenient is None:
            hint = "; expected one record a line (is it a document, for a name in .json?)" if line in _OPENERS else ""
            raise _NoRecordError(f"not JSON ({_reason(error)}): {_shown(line)}{hint}") from None
        return lenient
    if not isinstance(value, dict):
        raise _NoRecordError(f"expected a JSON object, found {type(value).__name__}: {_shown(line)}")
    return value


_OPENERS = (b"[", b"{", b"[{")
"""Lines that a document begins with, laid out over many."""


def _exact(record: dict[str, Any], line: bytes, names: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """The record with all digits of whole numbers beyond 64 bits, which orjson gives as floats.

    Raises:
        _NoRecordError: they can't be told, in a line that only orjson reads.
    """
    dates = names["published_at"]
    wanted = {name for field in names.values() for name in field if name not in dates}
    large = [name for name in wanted if isinstance(value := record.get(name), float) and abs(value) >= 1 << 63]
    if not large:
        return record
    try:
        again = json.loads(line, parse_int=str)
    except (ValueError, RecursionError):
        raise _NoRecordError(f"{large[0]} is a number of more than 64 bits; expected text: {_shown(line)}") from None
    return record | {name: again[name] for name in large}


def _names(line: bytes) -> list[str]:
    """The names of a record's fields, null ones left out."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return []
    return [name for name, given in value.items() if given is not None] if isinstance(value, dict) else []


def _leniently(line: bytes, names: dict[str, tuple[str, ...]]) -> dict[str, Any] | None:
    """What orjson refuses though Arrow takes it, so that a record doesn't depend on its neighbours: NaN and Infinity
    (read as null: Python writes them for what is missing), and deep nesting in fields that nobody reads. And half a
    surrogate pair, which programs write that cut a text within an emoji: read as U+FFFD, as half a character is."""
    if line[:1] != b"{":
        return None
    if b"NaN" in line or b"Infinity" in line or _SURROGATE.search(line):
        try:
            value = json.loads(line, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            pass
        else:
            return _without_surrogates(value) if isinstance(value, dict) else None
    for identifier in (pa.string(), pa.int64()):
        for moment in (pa.string(), pa.int64(), pa.float64()):
            kinds = {"id": identifier, "published_at": moment}
            wanted = {name: kinds.get(field, pa.string()) for field, given in names.items() for name in given}
            try:
                table = _read_table(line, pa.schema(list(wanted.items())))
                table.validate(full=True)
            except pa.ArrowException:
                continue
            if table.num_rows == 1:
                record: dict[str, Any] = table.to_pylist()[0]
                return record
    return None


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_HALVES = re.compile("[\ud800-\udfff]")


def _without_surrogates(record: dict[str, Any]) -> dict[str, Any]:
    replaced: dict[str, Any] = json.loads(_HALVES.sub("\ufffd", json.dumps(record, ensure_ascii=False)))
    return replaced


def _read_table(data: bytes | memoryview, schema: pa.Schema) -> pa.Table:
    """The schema's fields of all records of `data`. Raises pa.ArrowInvalid.

    Always with a schema: to infer one, Arrow goes down into nested values until the stack ends.
    """
    return pj.read_json(
        pa.BufferReader(data),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _reason(error: orjson.JSONDecodeError) -> str:
    return f"{error.msg} at character {error.pos + 1}"


def _shown(line: bytes) -> str:
    head = harmless(line[:SHOWN_BYTES].decode("utf-8", errors="backslashreplace"))
    return head if len(line) <= SHOWN_BYTES else head + "…"
