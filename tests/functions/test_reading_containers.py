"""Avro, Parquet and WARC as other programs write them: kinds, codecs, encodings and records of every sort."""

from __future__ import annotations

import gzip
import io
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.functions.files import pick, read_bytes

MARK = b"0123456789abcdef"
UNIONS = {
    "type": "record",
    "name": "Article",
    "fields": [
        {"name": "id", "type": ["null", "long", "string"]},
        {"name": "text", "type": ["null", "string", {"type": "array", "items": "string"}]},
        {
            "name": "source",
            "type": [
                "null",
                "string",
                {"type": "record", "name": "Source", "fields": [{"name": "name", "type": "string"}]},
            ],
        },
        {"name": "title", "type": {"type": "enum", "name": "Kind", "symbols": ["NEWS", "SPORT"]}},
        {"name": "date", "type": ["null", {"type": "int", "logicalType": "date"}, "string"]},
    ],
}
ROWS = [
    {"id": 1, "text": "one", "source": {"name": "Echo"}, "title": "NEWS", "date": date(2026, 7, 14)},
    {"id": "b", "text": ["two"], "source": "Courier", "title": "SPORT", "date": "2026-07-15"},
    {"id": None, "text": None, "source": None, "title": "NEWS", "date": None},
]


def varint(number: int) -> bytes:
    """A zigzag number as Avro writes it."""
    number, out = number << 1, bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def avro(codec: str) -> bytes:
    """One block; what fastavro lacks a codec for is packed here."""
    schema = fastavro.parse_schema(UNIONS)
    out = io.BytesIO()
    if codec in ("null", "deflate", "bzip2", "xz"):
        fastavro.writer(out, schema, ROWS, codec=codec)
        return out.getvalue()
    body = io.BytesIO()
    for row in ROWS:
        fastavro.schemaless_writer(body, schema, row)
    given = body.getvalue()
    if codec == "snappy":
        packed = pa.compress(given, codec="snappy", asbytes=True) + zlib.crc32(given).to_bytes(4, "big")
    else:
        packed = zstandard.ZstdCompressor(write_content_size=False).compress(given)
    fastavro.writer(out, schema, [], codec="null", sync_marker=MARK)
    key = b"\x14avro.codec"
    head = out.getvalue().replace(key + b"\x08null", key + varint(len(codec)) + codec.encode())
    return head + varint(len(ROWS)) + varint(len(packed)) + packed + MARK


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "snappy", "zstandard"])
def test_avro_unions_in_every_codec(tmp_path: Path, codec: str) -> None:
    raw, refused = read_bytes(tmp_path, "a.avro", avro(codec))
    assert pick(raw, "source_id", "text", "source", "title") == [
        ("1", "one", "Echo", "NEWS"),
        ("b", "two", "Courier", "SPORT"),
        (None, "NEWS", None, "NEWS"),
    ]
    assert [row["published_at"].date() for row in raw[:2]] == [date(2026, 7, 14), date(2026, 7, 15)]
    assert refused == []


def test_an_unknown_avro_codec_is_named(tmp_path: Path) -> None:
    content = avro("null").replace(b"\x14avro.codec\x08null", b"\x14avro.codec\x08lzma")
    raw, refused = read_bytes(tmp_path, "a.avro", content)
    assert (raw, pick(refused, "reason")) == ([], [("unreadable_file",)])
    assert "its codec is lzma; known are null, snappy, zstandard, deflate" in refused[0]["message"]


def parquet(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_parquet_kinds(tmp_path: Path, codec: str, version: str) -> None:
    table = pa.table(
        {
            "id": pa.array([2**63, 7, None], pa.uint64()),
            "text": pa.array(["one", "two", "three"], pa.large_string()),
            "title": pa.array([["A"], [], ["C"]], pa.large_list(pa.string())),
            "source": pa.array([{"id": 1, "name": "Echo"}, {"id": 2, "name": None}, None]),
            "language": pa.array(["en", "ar", "en"]).dictionary_encode(),
            "date": pa.array([date(2026, 7, 14)] * 3),
            "tags": pa.array([[{"a": [1]}], [], None]),
        }
    )
    raw, refused = read_bytes(tmp_path, "a.parquet", parquet(table, compression=codec, data_page_version=version))
    assert refused == []
    assert pick(raw, "source_id", "text", "title", "source", "language") == [
        (str(2**63), "one", "A", "Echo", "en"),
        ("7", "two", None, None, "ar"),
        (None, "three", "C", None, "en"),
    ]


def test_of_two_parquet_columns_of_one_name_the_first_is_read(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["first", None]), pa.array(["second", "x"])], names=["text", "text"])
    raw, refused = read_bytes(tmp_path, "a.parquet", parquet(table))
    assert pick(raw, "text") == [("first",)]
    assert pick(refused, "position", "reason") == [(1, "no_text")]


def test_parquet_rows_that_the_footer_hides_are_missed(tmp_path: Path) -> None:
    """A row group, or the file, that says another number of rows than there are."""
    content = parquet(pa.table({"text": ["one", "two", "three", "four", "five"]}))
    footer = content.rindex(b"\x16\x0a")  # the number 5, as the row group (the last) has it
    for at in (footer, content.index(b"\x16\x0a", content.index(b"schema"))):
        changed = bytearray(content)
        changed[at + 1] = 0
        raw, refused = read_bytes(tmp_path, "a.parquet", bytes(changed))
        assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]
        assert "damaged" in refused[0]["message"]
        assert len(raw) in (0, 5)


def test_an_address_with_control_characters_names_no_outlet(tmp_path: Path) -> None:
    page = record("response", http(PAGE.encode()), 1).replace(b"news.example", b"ne\x00ws.example")
    raw, _ = read_bytes(tmp_path, "a.warc", page)
    assert pick(raw, "source", "url") == [(None, "http://ne ws.example/1")]


def record(kind: str, body: bytes, number: int, content: str = "application/http; msgtype=response") -> bytes:
    head = f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://news.example/{number}\r\n"
    return f"{head}Content-Type: {content}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n\r\n"


def http(body: bytes, more: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n{more}\r\n".encode() + body


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


PACKED, PAGE = gzip.compress(b"<p>The port reopened.</p>", mtime=0), "<p>The port reopened.</p>"
GZIP, CHUNKED = "Content-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst"])
def test_web_archive_encodings(tmp_path: Path, name: str) -> None:
    bodies = [
        http(chunked(PACKED), GZIP + CHUNKED),
        http(chunked(PACKED), "content-encoding: GZIP\r\ntransfer-encoding: Chunked\r\n"),
        http(PACKED, GZIP),
        http(chunked(PAGE.encode()), CHUNKED),
        http(zlib.compress(PAGE.encode()), "Content-Encoding: deflate\r\n"),
        http(PAGE.encode()),
    ]
    parts = [record("response", body, number) for number, body in enumerate(bodies)]
    pack = {"gz": lambda part: gzip.compress(part), "zst": zstandard.compress}.get(
        name.split(".")[-1], lambda part: part
    )
    raw, refused = read_bytes(tmp_path, name, b"".join(map(pack, parts)))
    assert refused == []
    assert pick(raw, "url", "html") == [(f"http://news.example/{n}", PAGE) for n in range(len(bodies))]


def test_web_archive_records_that_are_no_pages_and_damaged_ones(tmp_path: Path) -> None:
    whole = record("response", http(PAGE.encode()), 0)
    others = [
        record("revisit", http(b""), 1),
        record("revisit", http(PAGE.encode()), 2),
        record("metadata", b"a: b", 3, "application/warc-fields"),
        record("response", http(b"", "Location: /x\r\n", "301 Moved Permanently"), 4),
        record("response", http(b"<p>There is no such page here.</p>", status="404 Not Found"), 5),
        record("response", http(b"<p>The server is busy.</p>", status="503 Busy"), 6),
    ]
    damaged = [
        record("response", http(PAGE.encode(), GZIP + CHUNKED), 7),
        record("response", http(chunked(PACKED)[:-30], GZIP + CHUNKED), 9),
        record("response", http(gzip.compress(bytes(50_000_000)), GZIP), 10),
        record("response", http(b""), 11),
    ]
    raw, refused = read_bytes(tmp_path, "a.warc", b"".join([whole, *others, *damaged, whole]))
    assert pick(raw, "html") == [(PAGE,), (PAGE,)]
    starts, at = [], len(whole) + sum(map(len, others))
    for part in damaged:
        starts.append(at)
        at += len(part)
    reasons = ["bad_record", "bad_record", "too_large", "no_text"]
    assert sorted(pick(refused, "position", "reason")) == list(zip(starts, reasons, strict=True))


def test_a_cut_page_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    raw, refused = read_bytes(tmp_path, "a.warc", record("response", http(PACKED[:-12], GZIP), 1))
    assert refused == []
    assert PAGE.startswith(raw[0]["html"])
    assert len(raw[0]["html"]) > len(PAGE) // 2


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("iso8859-6", '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-6">'),
        ("cp1256", "<META CHARSET=windows-1256>"),
        ("cp1256", '<meta charset="utf-8">'),
        ("utf-16", ""),
        ("utf-8-sig", '<meta charset="windows-1256">'),
    ],
)
def test_pages_in_the_encoding_they_name_or_have(tmp_path: Path, encoding: str, head: str) -> None:
    page = f"<html><head>{head}</head><body><p>قال الوزير اليوم إن المحادثات مستمرة</p></body></html>"
    raw, refused = read_bytes(tmp_path, "a.html", page.encode(encoding))
    assert (pick(raw, "html"), refused) == ([(page,)], [])
