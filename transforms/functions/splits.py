"""Which files are read, as what, and in which parts, so that several workers can share a large file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.settings import ReadSettings

OpenFile = Callable[[str], BinaryIO]
"""Opens a path or URL as a seekable binary file, not decompressed. Raises FileNotFoundError."""

FORMS: dict[str, str] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".avro": "avro",
    ".parquet": "parquet",
    ".txt": "txt",
    ".html": "html",
    ".htm": "html",
    ".warc": "warc",
}
"""Form by the end of a file's name (letters' case does not matter)."""

COMPRESSIONS: dict[str, str] = {".gz": "gzip", ".zst": "zstd"}
"""Compression by a second ending after the form's."""

TO_THE_END = -1


@dataclass(frozen=True)
class Split:
    """One part of one file.

    `start` and `end` (not included) are bytes for plain JSONL, row groups for plain Parquet, and 0 and `TO_THE_END`
    for all else. `index` numbers the splits of a file from 0.
    """

    uri: str
    form: str
    compression: str | None
    start: int
    end: int
    index: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` gives the split back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Split:
        """The split that `as_dict` wrote.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**given)


def form_of(uri: str) -> tuple[str, str | None] | None:
    """Form and compression ("gzip", "zstd" or None) by the file's name; None where the name tells no known form."""
    name = uri.lower()
    if "://" in name:
        name = urlsplit(name).path
    compression = None
    for ending, known in COMPRESSIONS.items():
        if name.endswith(ending):
            name, compression = name.removesuffix(ending), known
    for ending, form in FORMS.items():
        if name.endswith(ending):
            return form, compression
    return None


def plan_splits(uri: str, size: int, settings: ReadSettings, open_file: OpenFile) -> list[Split]:
    """The parts of a file of `size` bytes, in order; together they hold every record once.

    A Parquet footer that can't be read gives one split, which then yields the refusal.

    Raises:
        ValueError: the name tells no known form.
        OSError: the file can't be opened.
    """
    found = form_of(uri)
    if found is None:
        known = ", ".join(FORMS)
        raise ValueError(f"{uri} has no known ending; expected one of {known}, with or without .gz or .zst")
    form, compression = found
    bounds = [(0, TO_THE_END)]
    if compression is None and form == "jsonl" and size > settings.split_bytes:
        bounds = _byte_ranges(uri, size, settings.split_bytes, open_file)
    if compression is None and form == "parquet":
        bounds = _row_groups(uri, settings.split_bytes, open_file)
    return [Split(uri, form, compression, start, end, index) for index, (start, end) in enumerate(bounds)]


def _byte_ranges(uri: str, size: int, split_bytes: int, open_file: OpenFile) -> list[tuple[int, int]]:
    with open_file(uri) as file:
        head = file.read(256)
    if b"\0" in head:  # UTF-16 or UTF-32: a newline is not one byte, so the file is read from its start
        return [(0, TO_THE_END)]
    edges = [*range(0, size, split_bytes), size]
    return list(pairwise(edges))


MOST_LISTED = 10_000
"""Columns, or row groups, in a Parquet footer. Arrow goes down into nested columns until the stack ends: 100,000
levels, which fit in 700 kB, end the process; 10,000 take half a second."""


def open_parquet(file: BinaryIO) -> pq.ParquetFile:
    """A Parquet file, its footer read.

    Raises:
        pyarrow.ArrowException, OSError, ValueError: it is no Parquet, is damaged, or lists more than `MOST_LISTED`.
    """
    return pq.ParquetFile(file, thrift_container_size_limit=MOST_LISTED)


def _row_groups(uri: str, split_bytes: int, open_file: OpenFile) -> list[tuple[int, int]]:
    with open_file(uri) as file:
        try:
            footer = open_parquet(file).metadata
        except (pa.ArrowException, OSError, ValueError):
            return [(0, TO_THE_END)]
        bounds: list[tuple[int, int]] = []
        first, held = 0, 0
        for group in range(footer.num_row_groups):
            held += footer.row_group(group).total_byte_size
            if held >= split_bytes:
                bounds.append((first, group + 1))
                first, held = group + 1, 0
        if first < footer.num_row_groups or not bounds:
            bounds.append((first, footer.num_row_groups))
    return bounds
