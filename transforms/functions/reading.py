"""Files of every form into batches of `schemas.tables.RAW`, and a row for everything that could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from schemas import reasons
from schemas.settings import ReadSettings
from schemas.tables import RAW
from transforms.functions.reading_avro import read_avro
from transforms.functions.reading_json import read_json
from transforms.functions.reading_jsonl import read_jsonl
from transforms.functions.reading_parquet import read_parquet
from transforms.functions.reading_text import read_text
from transforms.functions.reading_warc import read_warc
from transforms.functions.records import Records, raw_batch
from transforms.functions.refusals import Refusals
from transforms.functions.splits import OpenFile, Split
from transforms.functions.streams import BrokenStream


class ReadBatch(NamedTuple):
    """Records of schema `schemas.tables.RAW`, and refused ones of schema `refusals.REFUSED`; either may be empty."""

    raw: pa.RecordBatch
    refused: pa.RecordBatch


ReadForm = Callable[[Split, ReadSettings, BinaryIO, Refusals], Iterator[Records]]

READERS: dict[str, ReadForm] = {
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "json": read_json,
    "avro": read_avro,
    "warc": read_warc,
    "txt": read_text,
    "html": read_text,
}
"""How each of `splits.FORMS` is read."""


def read_split(split: Split, settings: ReadSettings, open_file: OpenFile) -> Iterator[ReadBatch]:
    """Everything in one split, in order, in batches of about `read.batch_bytes`.

    What can't be read becomes refused rows: this raises for no content of a file.

    Args:
        split: from `splits.plan_splits`.
        settings: of the group `read`.
        open_file: opens the split's uri as a seekable binary file, not decompressed.

    Raises:
        OSError: the file can't be opened or read (FileNotFoundError where it is gone).
        SettingError: `read.fields` names an unknown field.
    """
    refusals = Refusals(settings.payload_bytes)
    try:
        file = open_file(split.uri)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno, f"the file was there when the run was planned, now it is gone ({error})", split.uri
        ) from error
    with file:
        try:
            for records in READERS[split.form](split, settings, file, refusals):
                raw = raw_batch(records, split.uri, settings, refusals)
                if raw.num_rows or len(refusals):
                    yield ReadBatch(raw, refusals.take())
        except BrokenStream as error:
            message = f"{error} at byte {error.offset} of the content" if error.offset else str(error)
            refusals.add(split.uri, -1, None, reasons.STAGE_READ, reasons.UNREADABLE_FILE, message, None)
    if len(refusals):
        yield ReadBatch(pa.RecordBatch.from_pylist([], schema=RAW), refusals.take())
