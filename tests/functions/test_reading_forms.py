"""JSON, Parquet, Avro, text, pages and web archives: exact rows, and refusals for what isn't what its name says."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.functions.files import pick, read_bytes, read_file, splits_of

WHEN = datetime(2015, 7, 21, 15, 4, tzinfo=UTC)


def test_json_array_object_and_lines(tmp_path: Path) -> None:
    array = b'[\n {"text":"one",\n  "id":5}, {"text":"a,]b\\"", "x":[1,{"y":[]}]}, 5, {"text":"z"} ]\n'
    raw, refused = read_bytes(tmp_path, "a.json", array)
    assert pick(raw, "position", "text", "source_id") == [(0, "one", "5"), (1, 'a,]b"', None), (3, "z", None)]
    assert pick(refused, "position", "reason", "payload") == [(2, "bad_record", b"5")]
    raw, refused = read_bytes(tmp_path, "b.json", b'{"text":\n"one"}\n')
    assert (pick(raw, "position", "text"), refused) == ([(0, "one")], [])
    raw, refused = read_bytes(tmp_path, "c.json", b'{"text":"one"}\n{bad\n{"text":"two"}')
    assert pick(raw, "position", "text") == [(0, "one"), (20, "two")]
    assert pick(refused, "position", "reason") == [(15, "bad_record")]


def test_json_array_in_small_batches_is_the_same(tmp_path: Path) -> None:
    content = json.dumps([{"id": n, "text": "t" * n} for n in range(1, 40)], indent=1).encode()
    whole, _ = read_bytes(tmp_path, "a.json", content)
    parted, _ = read_bytes(tmp_path, "a.json", content, batch_bytes=50)
    assert whole == parted
    assert [row["position"] for row in whole] == list(range(39))


@pytest.mark.parametrize(
    ("content", "position"), [(b"[" * 1_000_000, 0), (b'[{"text":"a"},{"te', 1), (b"", -1), (b"{", 0), (b"[1", 0)]
)
def test_broken_json_is_refused(tmp_path: Path, content: bytes, position: int) -> None:
    raw, refused = read_bytes(tmp_path, "a.json", content)
    assert len(raw) == (position == 1)
    assert pick(refused, "position", "reason") == [(position, "bad_record")]


def test_deep_json_does_not_crash(tmp_path: Path) -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    raw, refused = read_bytes(tmp_path, "a.jsonl", b'{"text":' + deep + b'}\n{"text":"next"}\n')
    assert pick(raw, "text") == [("next",)]
    assert pick(refused, "reason") == [("bad_record",)]


def parquet(folder: Path, table: pa.Table, **options: Any) -> Path:
    path = folder / "a.parquet"
    pq.write_table(table, path, **options)
    return path


def test_parquet_kinds_and_positions(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2, 3, 4]),
            "content": pa.array(["a", "b", None, "d"]).dictionary_encode(),
            "body": pa.array([None, None, "c", "not this"], pa.large_string()).cast(pa.large_binary()),
            "date": pa.array([WHEN, None, WHEN, None], pa.timestamp("ms")),
            "title": pa.array([b"x", b"\xff", None, b"y"], pa.binary()),
            "ignored": pa.array([[1], [], None, [2]]),
        }
    )
    for options in ({}, {"row_group_size": 1}):
        raw, refused = read_file(parquet(tmp_path, table, **options), split_bytes=1)
        assert pick(raw, "position", "source_id", "text", "title", "published_at") == [
            (0, "1", "a", "x", WHEN),
            (2, "3", "c", None, WHEN),
            (3, "4", "not this", "y", None),
        ]
        assert pick(refused, "position", "reason") == [(1, "bad_record")]
        assert "title" in refused[0]["message"]


def test_parquet_splits_by_row_groups(tmp_path: Path) -> None:
    path = parquet(tmp_path, pa.table({"text": [f"text {n}" for n in range(100)]}), row_group_size=10)
    assert [(split.start, split.end) for split in splits_of(path, split_bytes=1)] == [(n, n + 1) for n in range(10)]
    assert len(splits_of(path)) == 1
    raw, _ = read_file(path, split_bytes=250)
    assert [row["position"] for row in raw] == list(range(100))


def test_columns_without_text_are_refused_by_name(tmp_path: Path) -> None:
    path = parquet(tmp_path, pa.table({"headline": ["x"], "story": ["y"]}))
    raw, refused = read_file(path)
    assert raw == []
    assert pick(refused, "position", "reason") == [(-1, "bad_record")]
    assert "headline, story" in refused[0]["message"]
    assert "body" in refused[0]["message"]
    raw, refused = read_file(path, fields=("text=story",))
    assert (pick(raw, "text", "title"), refused) == ([("y", "x")], [])


def test_damaged_parquet_keeps_earlier_row_groups(tmp_path: Path) -> None:
    path = parquet(tmp_path, pa.table({"text": ["a" * 200, "b" * 200, "c" * 200]}), row_group_size=1)
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(1).column(0).dictionary_page_offset
    content[start : start + 40] = b"\xff" * 40
    raw, refused = read_bytes(tmp_path, "b.parquet", bytes(content), split_bytes=1 << 30)
    assert pick(raw, "position") == [(0,)]
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]


SCHEMA = {
    "type": "record",
    "name": "Article",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "text", "type": ["null", "string"]},
        {"name": "published", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
    ],
}


def avro(records: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(SCHEMA), records, **options)
    return out.getvalue()


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_avro(tmp_path: Path, codec: str) -> None:
    records = [{"id": n, "text": f"text {n}" if n != 3 else None, "published": WHEN} for n in range(9)]
    content = avro(records, codec=codec, sync_interval=30)
    raw, refused = read_bytes(tmp_path, "a.avro", content)
    expected = [(n, str(n), f"text {n}", WHEN) for n in range(9) if n != 3]
    assert pick(raw, "position", "source_id", "text", "published_at") == expected
    assert pick(refused, "position", "source_id", "reason") == [(3, "3", "no_text")]
    again, _ = read_bytes(tmp_path, "a.avro", content, batch_bytes=1)
    assert again == raw


def test_a_cut_avro_keeps_whole_blocks(tmp_path: Path) -> None:
    content = avro([{"id": n, "text": f"text {n}", "published": None} for n in range(9)], sync_interval=1)
    raw, refused = read_bytes(tmp_path, "a.avro", content[:-3])
    assert [row["position"] for row in raw] == list(range(8))
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]


def test_an_avro_type_that_holds_itself_is_refused(tmp_path: Path) -> None:
    schema = {
        "type": "record",
        "name": "Node",
        "fields": [{"name": "text", "type": "string"}, {"name": "next", "type": ["null", "Node"]}],
    }
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), [{"text": "a", "next": None}])
    raw, refused = read_bytes(tmp_path, "a.avro", out.getvalue())
    assert (raw, pick(refused, "reason")) == ([], [("unreadable_file",)])


def test_text_files(tmp_path: Path) -> None:
    raw, refused = read_bytes(tmp_path, "a.txt", b"\xef\xbb\xbfFirst line.\nSecond line.\n")
    assert pick(raw, "position", "text", "title", "source_id") == [(0, "First line.\nSecond line.\n", None, None)]
    assert refused == []
    cases = {b"": "no_text", b" \n\t": "no_text", b"\x00\x01\x02" * 50: "bad_encoding", b"%PDF-1.7 x": "bad_encoding"}
    for content, reason in cases.items():
        raw, refused = read_bytes(tmp_path, "b.txt", content)
        assert (raw, pick(refused, "position", "reason", "payload")) == ([], [(0, reason, content)])
    _, refused = read_bytes(tmp_path, "c.txt.gz", gzip.compress(b"a" * 5000), max_record_bytes=2000)
    assert pick(refused, "reason", "payload") == [("too_large", b"a" * 2001)]


def test_pages_in_declared_encodings(tmp_path: Path) -> None:
    for declared in ('<meta charset="windows-1256">', '<?xml version="1.0" encoding="windows-1256"?>'):
        page = declared + "<p>قال الوزير</p>"
        raw, refused = read_bytes(tmp_path, "a.html", page.encode("cp1256"))
        assert (pick(raw, "html", "text", "url"), refused) == ([(page, None, None)], [])
    page = '<meta charset="shift_jis"><p>déjà vu, mise à jour</p>'
    raw, _ = read_bytes(tmp_path, "b.htm", page.encode())
    assert pick(raw, "html") == [(page,)]


def warc_record(kind: str, body: bytes, url: str = "http://news.example/1") -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n\r\n"


def http(body: bytes, kind: str = "text/html; charset=utf-8", more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}\r\n".encode() + body


def test_web_archives(tmp_path: Path) -> None:
    packed = gzip.compress(b"<p>zwei</p>")
    chunked = f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
    parts = [
        warc_record("warcinfo", b"software: x"),
        warc_record("response", http(b"<p>one</p>")),
        warc_record("request", b"GET / HTTP/1.1\r\n\r\n"),
        warc_record("response", http(b"\x89PNG", "image/png")),
        warc_record("response", http(chunked, more="Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")),
        warc_record("response", http("<p>قال الوزير</p>".encode("cp1256"), "text/html; charset=windows-1256")),
        warc_record("response", http(b"<p>" + b"x" * 200_000)),
    ]
    at = [sum(map(len, parts[:n])) for n in range(len(parts))]
    for name, content in {"a.warc": b"".join(parts), "a.warc.gz": b"".join(map(gzip.compress, parts))}.items():
        raw, refused = read_bytes(tmp_path, name, content, max_record_bytes=50_000)
        assert pick(raw, "position", "html") == [
            (at[1], "<p>one</p>"), (at[4], "<p>zwei</p>"), (at[5], "<p>قال الوزير</p>")]  # fmt: skip
        assert {(row["url"], row["source"]) for row in raw} == {("http://news.example/1", "news.example")}
        assert pick(refused, "position", "reason") == [(at[6], "too_large")]
    raw, refused = read_bytes(tmp_path, "b.warc", parts[1] + parts[1][:-20])
    assert pick(raw, "position") == [(0,)]
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]


@pytest.mark.parametrize("name", ["a.parquet", "a.avro", "a.warc", "a.parquet.gz"])
@pytest.mark.parametrize("content", [b"plain text", b"<html><p>page</p></html>", bytes(range(256)) * 300])
def test_containers_that_are_something_else(tmp_path: Path, name: str, content: bytes) -> None:
    raw, refused = read_bytes(tmp_path, name, content)
    assert (raw, pick(refused, "position", "reason")) == ([], [(-1, "unreadable_file")])


def test_the_same_article_has_the_same_id_in_every_form(tmp_path: Path) -> None:
    record = {"id": "7", "title": "Port", "text": "The port reopened.\nShips came.", "url": "http://a.example/7"}
    lines, _ = read_bytes(tmp_path, "a.jsonl", json.dumps(record).encode())
    array, _ = read_bytes(tmp_path, "b.json", json.dumps([{**record, "date": "2015-07-21", "source": ""}]).encode())
    table, _ = read_file(parquet(tmp_path, pa.table({name: [value] for name, value in record.items()})))
    assert lines[0]["article_id"] == array[0]["article_id"] == table[0]["article_id"]
    for field in record:
        other, _ = read_bytes(tmp_path, "c.jsonl", json.dumps({**record, field: record[field] + "x"}).encode())
        assert other[0]["article_id"] != lines[0]["article_id"]
    moved = {**record, "id": "7P", "title": "ort"}
    other, _ = read_bytes(tmp_path, "d.jsonl", json.dumps(moved).encode())
    assert other[0]["article_id"] != lines[0]["article_id"]
