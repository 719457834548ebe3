"""What the reading tests share: files made in a folder, and everything read back from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, BinaryIO

from schemas.settings import ReadSettings
from schemas.tables import RAW
from transforms.functions.reading import read_split
from transforms.functions.refusals import REFUSED
from transforms.functions.splits import Split, plan_splits

Row = dict[str, Any]


def open_local(uri: str) -> BinaryIO:
    return open(uri, "rb")


def splits_of(path: Path, **settings: Any) -> list[Split]:
    return plan_splits(str(path), path.stat().st_size, read_settings(**settings), open_local)


def read_settings(**settings: Any) -> ReadSettings:
    """Settings that may lie outside their bounds, so that small files have many splits and batches."""
    made = ReadSettings()
    known = {field.name for field in dataclasses.fields(ReadSettings)}
    for name, value in settings.items():
        assert name in known
        object.__setattr__(made, name, value)
    return made


def read_file(path: Path, **settings: Any) -> tuple[list[Row], list[Row]]:
    """All records and all refused rows of a file, over all its splits."""
    raw: list[Row] = []
    refused: list[Row] = []
    for split in splits_of(path, **settings):
        for batch in read_split(split, read_settings(**settings), open_local):
            assert batch.raw.schema.equals(RAW)
            assert batch.refused.schema.equals(REFUSED)
            batch.raw.validate(full=True)
            batch.refused.validate(full=True)
            assert batch.raw.num_rows or batch.refused.num_rows
            raw += batch.raw.to_pylist()
            refused += batch.refused.to_pylist()
    return raw, refused


def read_bytes(folder: Path, name: str, content: bytes, **settings: Any) -> tuple[list[Row], list[Row]]:
    """Writes a file and reads it."""
    path = folder / name
    path.write_bytes(content)
    return read_file(path, **settings)


def pick(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]
