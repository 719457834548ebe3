"""Small files that hold gigabytes, lines of gigabytes, endless nesting: little memory, little time, a reason."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from schemas.settings import ReadSettings
from tests.functions.files import Row, pick, read_bytes
from transforms.functions.reading import read_split
from transforms.functions.splits import plan_splits
from transforms.functions.streams import PIECE_BYTES

GIGA = 10**9
GOOD = b'{"id":"a","text":"The port reopened."}\n'


class Made(io.RawIOBase):
    """A file that is nowhere: a head, one block many times, a tail."""

    def __init__(self, head: bytes, block: bytes, times: int, tail: bytes) -> None:
        self._head, self._block, self._tail = head, block * (1 + (1 << 20) // len(block)), tail
        self._filled = len(head) + len(block) * times
        self._unit = len(block)
        self.size = self._filled + len(tail)
        self._at = 0
        self.given = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + {0: 0, 1: self._at, 2: self.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._at < len(self._head):
            piece = self._head[self._at :]
        elif self._at < self._filled:
            shift = (self._at - len(self._head)) % self._unit
            piece = self._block[shift : min(len(self._block), shift + self._filled - self._at)]
        else:
            piece = self._tail[self._at - self._filled :]
        piece = piece[:size] if size >= 0 else piece
        self._at += len(piece)
        self.given += len(piece)
        return piece


def read_made(name: str, made: Made) -> tuple[list[Row], list[Row]]:
    raw: list[Row] = []
    refused: list[Row] = []
    settings = ReadSettings()

    def open_made(_: str) -> BinaryIO:
        made.seek(0)
        made.__dict__["closed_by_reader"] = True
        return cast("BinaryIO", Unclosed(made))

    for split in plan_splits(name, made.size, settings, open_made):
        for batch in read_split(split, settings, open_made):
            raw += batch.raw.to_pylist()
            refused += batch.refused.to_pylist()
    return raw, refused


class Unclosed:
    """The file, opened once more."""

    def __init__(self, made: Made) -> None:
        self.read, self.seek, self.tell = made.read, made.seek, made.tell

    def __enter__(self) -> Unclosed:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@contextmanager
def bounded(peak_bytes: int, cpu_seconds: float) -> Iterator[None]:
    """Fails where more memory or time was taken."""
    tracemalloc.start()
    started = time.process_time()
    yield
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < peak_bytes, f"{peak:,} bytes"
    assert seconds < cpu_seconds, f"{seconds:.1f} s"


def gzip_zeros() -> tuple[bytes, int]:
    """A member of 100 MB of zeros."""
    return gzip.compress(bytes(10**8), 9, mtime=0), 100


def zstd_zeros() -> tuple[bytes, int]:
    return zstandard.ZstdCompressor(level=3).compress(bytes(10**8)), 100


BOMBS: dict[str, Callable[[], tuple[bytes, int]]] = {".gz": gzip_zeros, ".zst": zstd_zeros}


@pytest.mark.parametrize("form", ["jsonl", "json", "txt", "html", "warc", "avro", "parquet"])
@pytest.mark.parametrize("ending", BOMBS)
def test_ten_gigabytes_of_zeros(form: str, ending: str) -> None:
    block, times = BOMBS[ending]()
    bomb = Made(b"", block, times, b"")
    assert bomb.size < 12_000_000
    with bounded(150_000_000, 5.0):
        raw, refused = read_made(f"bomb.{form}{ending}", bomb)
    assert raw == []
    assert len(refused) == 1
    assert refused[0]["reason"] in ("unreadable_file", "too_large", "bad_encoding")
    assert bomb.given <= max(bomb.size / 10, 3 * PIECE_BYTES), "read no further than it takes to know"


@pytest.mark.parametrize("ending", BOMBS)
def test_what_stands_before_a_bomb_is_read(ending: str) -> None:
    block, times = BOMBS[ending]()
    head = gzip.compress(GOOD) if ending == ".gz" else zstandard.compress(GOOD)
    raw, refused = read_made(f"a.jsonl{ending}", Made(head, block, times, b""))
    assert pick(raw, "source_id") == [("a",)]
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]
    assert "bomb" in refused[0]["message"]
    assert "decompress it first" in refused[0]["message"]


def test_the_same_line_many_times_is_no_bomb(tmp_path: Path) -> None:
    lines = GOOD * 50_000
    for name, content in {"a.jsonl.gz": gzip.compress(lines), "a.jsonl.zst": zstandard.compress(lines)}.items():
        assert len(content) * 200 < len(lines) or name.endswith("gz")
        raw, refused = read_bytes(tmp_path, name, content)
        assert (len(raw), refused) == (50_000, [])


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.html"])
def test_a_line_of_two_gigabytes(name: str) -> None:
    head = GOOD + b'{"text":"' if name == "a.jsonl" else b""
    made = Made(head, b"word and ", 2 * GIGA // 9, b'"}\n' + GOOD)
    with bounded(80_000_000, 60.0):
        raw, refused = read_made(name, made)
    assert pick(raw, "source_id", "position") == ([("a", 0), ("a", made.size - len(GOOD))] if "jsonl" in name else [])
    position = len(GOOD) if name == "a.jsonl" else 0
    assert pick(refused, "position", "reason") == [(position, "too_large")]
    assert len(refused[0]["payload"]) == 4096
    assert made.given < 2.2 * made.size, "read once (and a little for each split)"


def test_a_document_of_two_gigabytes() -> None:
    made = Made(b'[{"text":"', b"word and ", 2 * GIGA // 9, b'"}]')
    with bounded(1_200_000_000, 20.0):
        raw, refused = read_made("a.json", made)
    assert raw == []
    assert pick(refused, "position", "reason") == [(-1, "too_large")]
    assert made.given < 600_000_000


DEEP = 100_000
NESTED = {
    "lists": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "open lists": b"[" * DEEP,
    "open objects": b'{"a":' * DEEP,
    "both": b'[{"a":' * DEEP + b"1" + b"}]" * DEEP,
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_json_of_a_hundred_thousand_levels(tmp_path: Path, name: str, kind: str) -> None:
    nested = NESTED[kind]
    closed = not kind.startswith("open")
    with bounded(60_000_000, 10.0):
        raw, refused = read_bytes(tmp_path, name, nested)
        assert (raw, len(refused)) == ([], 1)
        _, refused = read_bytes(tmp_path, name, b'{"id":"x","text":' + nested + (b"}" if closed else b""))
        assert pick(refused, "reason") == [("bad_record",)]
        raw, refused = read_bytes(tmp_path, name, b'{"id":"x","text":"fine","deep":' + nested + b"}\n" * closed)
    assert pick(raw + refused, "source_id") == ([("x",)] if closed else [(None,)])


def thrift(number: int) -> bytes:
    """An unsigned number as Parquet footers write it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def test_parquet_columns_of_a_hundred_thousand_levels(tmp_path: Path) -> None:
    """A footer by hand, as Arrow's own writer ends its process long before."""
    root, text = b"\x48\x01s\x15\x04\x00", b"\x15\x0c\x25\x02\x18\x04text\x00"
    level, leaf = b"\x35\x02\x18\x01a\x15\x02\x00", b"\x15\x0c\x25\x02\x18\x01t\x00"
    for depth, reasons in ((3, []), (DEEP, ["unreadable_file"])):
        elements = [root, text, *[level] * depth, leaf]
        listed = bytes([0x9C | 0x60]) if len(elements) > 14 else bytes([len(elements) << 4 | 0x0C])
        count = thrift(len(elements)) if len(elements) > 14 else b""
        footer = b"\x15\x02\x19" + listed + count + b"".join(elements) + b"\x16\x00\x19\x0c\x00"
        content = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
        raw, refused = read_bytes(tmp_path, "a.parquet", content)
        assert (raw, [row["reason"] for row in refused]) == ([], reasons)


def test_millions_of_rows_in_a_few_kilobytes(tmp_path: Path) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"text": pa.nulls(3_000_000, pa.string())}), out)
    assert len(out.getvalue()) < 10_000
    with bounded(20_000_000, 2.0):
        raw, refused = read_bytes(tmp_path, "a.parquet", out.getvalue())
    assert raw == []
    assert pick(refused, "position", "reason") == [(-1, "too_large")]


@pytest.mark.parametrize("codec", ["deflate", "bzip2", "xz"])
def test_an_avro_block_that_swells(tmp_path: Path, codec: str) -> None:
    schema = fastavro.parse_schema({"type": "record", "name": "A", "fields": [{"name": "text", "type": "string"}]})
    out = io.BytesIO()
    fastavro.writer(out, schema, [{"text": "small"}], codec=codec)
    fastavro.writer(out, schema, [{"text": "a" * 300_000_000}], codec=codec)
    with bounded(1_000_000_000, 20.0):
        raw, refused = read_bytes(tmp_path, "a.avro", out.getvalue())
    assert pick(raw, "text") == [("small",)]
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]


def test_an_avro_schema_of_many_levels(tmp_path: Path) -> None:
    schema: Any = "string"
    for level in range(3000):
        schema = {"type": "record", "name": f"R{level}", "fields": [{"name": "a", "type": schema}]}
    marker = b"0123456789abcdef"
    with pytest.raises(RecursionError):
        json.dumps(schema)
    nested = b'{"type":"record","name":"R","fields":[{"name":"text","type":' * 3000 + b'"string"' + b"}]}" * 3000
    meta = {"avro.schema": nested, "avro.codec": b"null"}
    out = io.BytesIO(b"Obj\x01")
    out.seek(4)
    fastavro.schemaless_writer(out, {"type": "map", "values": "bytes"}, meta)
    out.write(marker)
    raw, refused = read_bytes(tmp_path, "a.avro", out.getvalue())
    assert (raw, pick(refused, "reason")) == ([], [("unreadable_file",)])
