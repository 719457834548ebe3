"""Parquet: groups of row groups, and of their columns only those that are fields of an article."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import reasons
from schemas.settings import ReadSettings
from schemas.tables import TIMESTAMP
from transforms.functions.field_lookup import pick_column
from transforms.functions.records import Records, aliases, has_content, no_content_message
from transforms.functions.refusals import Refusals
from transforms.functions.splits import Split
from transforms.functions.streams import WHOLE_FILE_BYTES, BrokenStream, open_stream, read_whole

MOST_ROWS = 2048
"""In a batch, however small the footer says they are: it gives sizes before repeated values are spelled out."""

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
        parquet = pq.ParquetFile(source)
        columns = parquet.schema_arrow.names
    except UNREADABLE as error:
        raise BrokenStream(0, f"the file is not Parquet, or its footer is damaged ({_first_line(error)})") from None
    if not has_content(columns, names):
        message = no_content_message(columns, names)
        refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.BAD_RECORD, message, "\n".join(columns).encode())
        return
    wanted = [name for name in dict.fromkeys(one for field in names.values() for one in field) if name in columns]
    footer = parquet.metadata
    last = split.end if split.end >= 0 else footer.num_row_groups
    row = sum(footer.row_group(group).num_rows for group in range(split.start))
    for group in range(split.start, last):
        rows = max(1, footer.row_group(group).num_rows)
        row_bytes = max(1, footer.row_group(group).total_byte_size // rows)
        size = max(1, min(MOST_ROWS, settings.batch_bytes // row_bytes))
        try:
            batches = parquet.iter_batches(size, row_groups=[group], columns=wanted, use_threads=False)
            for batch in batches:
                yield _records(batch, row, names, split, refusals)
                row += batch.num_rows
        except UNREADABLE as error:
            raise BrokenStream(
                row, f"row group {group} is damaged ({_first_line(error)}); rows {row} and on are lost"
            ) from None


def _records(
    batch: pa.RecordBatch, row: int, names: dict[str, tuple[str, ...]], split: Split, refusals: Refusals
) -> Records:
    positions = np.arange(row, row + batch.num_rows, dtype=np.int64)
    columns: dict[str, pa.Array] = {}
    bad = np.zeros(batch.num_rows, np.bool_)
    why: dict[int, str] = {}
    for field, field_names in names.items():
        given: list[pa.Array] = []
        taken = np.zeros(batch.num_rows, np.bool_)
        for name in field_names:
            if name not in batch.schema.names or batch.column(name).null_count == batch.num_rows:
                continue
            column = batch.column(name)
            present = np.asarray(column.is_valid())
            converted, wrong = _as_column(column, field)
            for at in np.flatnonzero(wrong & ~taken).tolist():
                why.setdefault(at, f"{name} holds {column.type}; expected text (UTF-8)")
            bad |= wrong & ~taken
            taken |= present
            given.append(converted)
        if given:
            one_kind = given if len({str(column.type) for column in given}) == 1 else [_text(c) for c in given]
            columns[field] = pick_column(one_kind)

    def payload(at: int) -> bytes:
        shown = {name: value for name, value in batch.slice(at, 1).to_pylist()[0].items() if value is not None}
        return orjson.dumps(shown, default=repr)

    if bad.any():
        for at in np.flatnonzero(bad).tolist():
            refusals.add(
                split.uri, int(positions[at]), None, reasons.STAGE_READ, reasons.BAD_RECORD, why[at], payload(at)
            )
        keep = np.flatnonzero(~bad)
        mask = pa.array(~bad)
        kept = {field: column.filter(mask) for field, column in columns.items()}
        return Records(positions[keep], kept, lambda at: payload(int(keep[at])))
    return Records(positions, columns, payload)


def _as_column(column: pa.Array, field: str) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The column as text (or as UTC timestamps, for dates given as such), and which values can't be."""
    kind = column.type
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


def _utf8_only(column: pa.Array) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
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
