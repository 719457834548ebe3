"""Files on any filesystem that Beam opens: whole or absent, never half written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem
from apache_beam.io.filesystems import FileSystems

from transforms import s3_files

UNFINISHED = ".unfinished"


def is_local(path: str) -> bool:
    """Whether a path is on this machine's own filesystem."""
    return "://" not in path


def absolute(path: str) -> str:
    """A path that means the same in a process that was started elsewhere."""
    return os.path.abspath(path) if path.strip() and is_local(path) else path


def join(*parts: str) -> str:
    return FileSystems.join(*parts)


def open_file(path: str) -> BinaryIO:
    """Opens a file for reading, its bytes as they are (nothing decompressed).

    Raises:
        FileNotFoundError: there is no such file.
    """
    if is_local(path):
        return open(path, "rb")
    try:
        return _filesystem(path).open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except BeamIOError as error:
        raise FileNotFoundError(f"{path} can't be opened: {error}") from error


def exists(path: str) -> bool:
    return os.path.exists(path) if is_local(path) else bool(_filesystem(path).exists(path))


def _filesystem(path: str) -> FileSystem:
    """Beam's filesystem of a path that is not local."""
    return s3_files.filesystem() if path.startswith("s3://") else FileSystems.get_filesystem(path)


def write_whole(path: str, write: Callable[[BinaryIO], object]) -> int:
    """Writes a file so that it is there whole or not at all; returns its size in bytes.

    Locally it is written under another name, flushed to disk and renamed. Elsewhere an object appears when its writer
    closes, which an error makes it do too: so what is written is made first, and uploaded when it is whole.

    Raises:
        OSError: it can't be written, or what is there is not what was uploaded.
    """
    if not is_local(path):
        with tempfile.SpooledTemporaryFile(HELD_BYTES) as made:
            write(made)  # type: ignore[arg-type]
            size = made.tell()
            made.seek(0)
            with _filesystem(path).create(path, compression_type=CompressionTypes.UNCOMPRESSED) as sink:
                shutil.copyfileobj(made, sink, COPIED_BYTES)
        stored = file_at(path).size
        if stored != size:
            raise OSError(f"{path} should have {size} bytes, and has {stored}: it was not uploaded whole; run again")
        return size
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Of one host, process and thread: on a shared filesystem two workers may write the same file at the same time.
    unfinished = f"{path}.{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}{UNFINISHED}"
    with open(unfinished, "wb") as sink:
        write(sink)
        sink.flush()
        os.fsync(sink.fileno())
        size = sink.tell()
    os.replace(unfinished, path)
    return size


def sync_folder(folder: str) -> None:
    """Puts the names in a local folder on the disk: what was made, linked or renamed there outlasts a power loss."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def move_folder(source: str, target: str) -> None:
    """Renames a local folder, in the place of one that is there; its files' names and its own are then on the disk.

    What a killed writer left in it unfinished is not taken along.
    """
    for name in os.listdir(source):
        if name.endswith(UNFINISHED):
            os.unlink(os.path.join(source, name))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(target):
        shutil.rmtree(target)
    sync_folder(source)
    os.rename(source, target)
    sync_folder(os.path.dirname(target))


HELD_BYTES = 64 << 20
"""Of a file on its way to an object store, before it is made on disk: a published file is about 50 MB."""
COPIED_BYTES = 1 << 20


@dataclass(frozen=True)
class FoundFile:
    """A file on a filesystem: its size in bytes, and when it was last changed, in seconds since 1970."""

    path: str
    size: int
    changed_at: float


def file_at(path: str) -> FoundFile:
    """Size and time of a file of another filesystem. Raises OSError where there is none."""
    return _found(_filesystem(path).metadata(path))


def match_files(pattern: str) -> list[FoundFile]:
    """The files of another filesystem that fit a pattern (`*` within a name, `**` across folders), by path."""
    [found] = _filesystem(pattern).match([pattern])
    return sorted(map(_found, found.metadata_list), key=lambda file: file.path)


def list_files(folder: str) -> list[FoundFile]:
    """Every file under a folder of another filesystem, at any depth, by path."""
    return match_files(f"{folder.rstrip('/')}/**")


def _found(one: FileMetadata) -> FoundFile:
    return FoundFile(one.path, int(one.size_in_bytes), float(one.last_updated_in_seconds or 0))


def remove_folder(folder: str) -> None:
    """Removes all files under a folder of another filesystem."""
    remove([file.path for file in list_files(folder)])


def remove(paths: Sequence[str]) -> None:
    """Removes files of another filesystem, those that are still there."""
    if paths:
        _filesystem(paths[0]).delete(list(paths))


def copy(sources: Sequence[str], targets: Sequence[str]) -> None:
    """Copies files within another filesystem."""
    if sources:
        _filesystem(sources[0]).copy(list(sources), list(targets))


def sha256(path: str) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with open_file(path) as source:
        digest = hashlib.sha256()
        while block := source.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def write_json(path: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)
    write_whole(path, lambda sink: sink.write(text.encode()))


def read_json(path: str) -> Any:
    with open_file(path) as source:
        return json.loads(source.read())


def write_arrow(path: str, table: pa.Table) -> int:
    """Writes an uncompressed Arrow IPC file, which readers can map into memory."""

    def write(sink: BinaryIO) -> None:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    return write_whole(path, write)


def read_arrow(path: str) -> pa.Table:
    """The table of an Arrow IPC file: mapped, not read, where the file is local."""
    if is_local(path):
        return pa.ipc.open_file(pa.memory_map(path)).read_all()
    with open_file(path) as source:
        return pa.ipc.open_file(pa.py_buffer(source.read())).read_all()


def write_parquet(path: str, table: pa.Table, *, row_group_rows: int, zstd_level: int) -> int:
    """Writes a zstd Parquet file; returns its size in bytes."""

    def write(sink: BinaryIO) -> None:
        write_parquet_to(sink, [table], table.schema, row_group_rows=row_group_rows, zstd_level=zstd_level)

    return write_whole(path, write)


def write_parquet_to(
    sink: BinaryIO, tables: Iterable[pa.Table], schema: pa.Schema, *, row_group_rows: int, zstd_level: int
) -> None:
    """Writes tables of one schema as one zstd Parquet file, each in row groups of its own."""
    with pq.ParquetWriter(
        sink, schema, compression="zstd", compression_level=zstd_level,
        use_dictionary=[name for name in DICTIONARY_COLUMNS if name in schema.names],
        write_statistics=[name for name in schema.names if name not in UNSORTED_COLUMNS],
        coerce_timestamps="us", store_schema=True,
    ) as writer:  # fmt: skip
        for table in tables:
            writer.write_table(table, row_group_rows)


DICTIONARY_COLUMNS = ("source", "language", "agency", "relation", "run_id", "stage", "reason", "source_uri")
"""Columns of few values; the rest would only pay for a dictionary that overflows."""

UNSORTED_COLUMNS = ("text", "minhash", "anchors", "words", "payload", "removed", "story", "lines")
"""Columns by whose smallest and largest value nobody skips."""


def read_parquet(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A Parquet file's columns, those that it has; all where `columns` is None."""
    with open_file(path) as source:
        file = pq.ParquetFile(source)
        held = set(file.schema_arrow.names)
        return file.read(columns=None if columns is None else [name for name in columns if name in held])
