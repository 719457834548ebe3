"""Parquet: groups of row groups, and of their columns only those that are fields of an article."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import reasons
from schemas.settings import ReadSettings
from schemas.tables import TIMESTAMP
from transforms.functions.field_lookup import pick_column
from transforms.functions.records import Records, aliases, has_content, no_content_message
from transforms.functions.refusals import Refusals, as_json
from transforms.functions.splits import Split, open_parquet
from transforms.functions.streams import WHOLE_FILE_BYTES, BrokenStream, open_stream, read_whole

Bools = npt.NDArray[np.bool_]

MOST_ROWS = 2048
"""In a batch, however small the footer says they are: it gives sizes before repeated values are spelled out."""

MOST_ROWS_A_BYTE = 100
"""Rows of distinct articles take hundreds of bytes each; a thousand million nulls fit in 1 kB."""

UNREADABLE = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises for a damaged file (an OSError is also its word for damaged compression)."""


def read_parquet(split: Split, settings: ReadSettings, file: BinaryIO, refusals: Refusals) -> Iterator[Records]:
    """The records of the split's row groups. `position` is the row's number in the file.

    Raises:
        BrokenStream: the file is damaged; what came before the damage was yielded.
    """
    names = aliases(settings)
    source: BinaryIO = file
    if split.compression is not None:
        data, more = read_whole(open_stream(file, split.compression), WHOLE_FILE_BYTES)
        if more:
            message = f"a compressed Parquet file is held whole, and this one has more than {WHOLE_FILE_BYTES} bytes"
            refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.TOO_LARGE, message, None)
            return
        source = io.BytesIO(data)
    try:
        parquet = open_parquet(source)
        columns = parquet.schema_arrow.names
    except UNREADABLE as error:
        raise BrokenStream(0, f"the file is not Parquet, or its footer is damaged ({_first_line(error)})") from None
    size = source.seek(0, io.SEEK_END)
    if parquet.metadata.num_rows > MOST_ROWS_A_BYTE * size:
        if split.index == 0:
            message = (
                f"its footer tells of {parquet.metadata.num_rows} rows in {size} bytes, as decompression bombs do; "
                f"at most {MOST_ROWS_A_BYTE} a byte are read"
            )
            refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.TOO_LARGE, message, None)
        return
    if not has_content(columns, names):
        message = no_content_message("the file", columns, names)
        refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.BAD_RECORD, message, "\n".join(columns).encode())
        return
    wanted = [name for name in dict.fromkeys(one for field in names.values() for one in field) if name in columns]
    footer = parquet.metadata
    last = split.end if split.end >= 0 else footer.num_row_groups
    row = sum(footer.row_group(group).num_rows for group in range(split.start))
    for group in range(split.start, last):
        end = row + footer.row_group(group).num_rows
        rows = max(1, footer.row_group(group).num_rows)
        row_bytes = max(1, footer.row_group(group).total_byte_size // rows)
        size = max(1, min(MOST_ROWS, settings.batch_bytes // row_bytes))
        try:
            batches = parquet.iter_batches(size, row_groups=[group], columns=wanted, use_threads=False)
            for batch in batches:
                yield _records(batch, row, names, columns, split, refusals)
                row += batch.num_rows
        except UNREADABLE as error:
            raise BrokenStream(
                0, f"row group {group} is damaged ({_first_line(error)}); rows {row} and on are lost"
            ) from None
        if row != end:
            raise BrokenStream(0, f"row group {group} is damaged: it ends at row {row}, its footer says {end}")
    if last == footer.num_row_groups and row != footer.num_rows:
        raise BrokenStream(0, f"the footer is damaged: its row groups end at row {row}, the file at {footer.num_rows}")


def _records(
    batch: pa.RecordBatch,
    row: int,
    names: dict[str, tuple[str, ...]],
    seen: list[str],
    split: Split,
    refusals: Refusals,
) -> Records:
    positions = np.arange(row, row + batch.num_rows, dtype=np.int64)
    held: dict[str, pa.Array] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        held.setdefault(name, column)  # of two columns of one name the first
    columns: dict[str, pa.Array] = {}
    bad = np.zeros(batch.num_rows, np.bool_)
    why: dict[int, str] = {}
    for field, field_names in names.items():
        given: list[pa.Array] = []
        taken = np.zeros(batch.num_rows, np.bool_)
        for name in field_names:
            column = held.get(name)
            if column is None or column.null_count == batch.num_rows:
                continue
            converted, wrong = _as_column(column, field)
            for at in np.flatnonzero(wrong & ~taken).tolist():
                why.setdefault(at, f"{name} holds {column.type}; expected text (UTF-8)")
            bad |= wrong & ~taken
            taken |= wrong | np.asarray(converted.is_valid())
            given.append(converted)
        if given:
            one_kind = given if len({str(column.type) for column in given}) == 1 else [_text(c) for c in given]
            columns[field] = pick_column(one_kind)

    def payload(at: int) -> bytes:
        return as_json({name: _value(column, at) for name, column in held.items()})

    if bad.any():
        ids = columns.get("id")
        for at in np.flatnonzero(bad).tolist():
            refusals.add(
                split.uri, int(positions[at]), None if ids is None else ids[at].as_py(), reasons.STAGE_READ,
                reasons.BAD_RECORD, why[at], payload(at),
            )  # fmt: skip
        keep = np.flatnonzero(~bad)
        mask = pa.array(~bad)
        kept = {field: column.filter(mask) for field, column in columns.items()}
        return Records(positions[keep], kept, lambda at: payload(int(keep[at])), lambda _: seen)
    return Records(positions, columns, payload, lambda _: seen)


def _value(column: pa.Array, at: int) -> Any:
    """One value for a payload, though Python can't hold it: bytes that are called text, or a year beyond 9999 (as the
    number that is stored)."""
    try:
        return column[at].as_py()
    except (ValueError, OverflowError):
        kind = column.type
        if pa.types.is_temporal(kind):
            return column.slice(at, 1).view(pa.int32() if kind.bit_width == 32 else pa.int64())[0].as_py()
        try:
            shown = column.slice(at, 1).cast(pa.string()).cast(pa.binary())[0].as_py()
        except pa.ArrowException:
            return f"a {kind} that can't be shown"
        return shown.decode(errors="backslashreplace")


def _unwrapped(column: pa.Array, field: str) -> tuple[pa.Array, Bools]:
    """What `field_lookup.pick_values` takes a value for: the element of a list of one, the name of a source that is an
    object; and which rows are lists of more."""
    several = np.zeros(len(column), np.bool_)
    kind = column.type
    if pa.types.is_fixed_size_list(kind):
        column = column.cast(pa.list_(kind.value_type))
    elif pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        column = column.cast(pa.large_list(kind.value_type))
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0))
        several = lengths > 1
        first = np.asarray(column.offsets)[:-1]
        column = column.values.take(pa.array(np.where(lengths == 1, first, 0), mask=lengths != 1))
    if field == "source" and pa.types.is_struct(column.type) and column.type.get_field_index("name") >= 0:
        column = pc.struct_field(column, "name")
    return column, several


def _as_column(column: pa.Array, field: str) -> tuple[pa.Array, Bools]:
    """The column as text (or as UTC timestamps, for dates given as such), and which values can't be."""
    kind = column.type
    if pa.types.is_nested(kind):
        inner, several = _unwrapped(column, field)
        if not pa.types.is_nested(inner.type):
            converted, wrong = _as_column(inner, field)
            return converted, wrong | several
        return pa.nulls(len(column), pa.string()), np.asarray(inner.is_valid()) | several
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    fine = np.zeros(len(column), np.bool_)
    if field == "published_at" and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        try:
            return _utc(column), fine
        except pa.ArrowInvalid:
            return pa.nulls(len(column), TIMESTAMP), np.asarray(column.is_valid())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        try:
            return column.cast(pa.binary()).cast(pa.string()), fine
        except pa.ArrowInvalid:
            return _utf8_only(column)
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if plain or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_temporal(kind):
        text = _text(column)
        try:
            text.validate(full=True)  # a file may call its bytes text
        except pa.ArrowInvalid:
            return _utf8_only(text)
        return text, fine
    if str(kind) in ("string_view", "binary_view"):
        return _as_column(column.cast(pa.large_binary()), field)
    return pa.nulls(len(column), pa.string()), np.asarray(column.is_valid())


def _utc(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        return column.cast(pa.timestamp("us"), safe=column.type.unit != "ns").cast(TIMESTAMP)
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("us")).cast(TIMESTAMP)
    return column.cast(TIMESTAMP, safe=column.type.unit != "ns")


def _text(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _utf8_only(column: pa.Array) -> tuple[pa.Array, Bools]:
    values: list[str | None] = []
    wrong = np.zeros(len(column), np.bool_)
    for at, value in enumerate(column.cast(pa.binary()).to_pylist()):
        try:
            values.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            values.append(None)
            wrong[at] = True
    return pa.array(values, pa.string()), wrong


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
