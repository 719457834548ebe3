"""Broken files, by number: what a case holds follows from its number and the seeds alone."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from transforms.functions.splits import form_of

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
FORMS = ("jsonl", "json", "avro", "parquet", "txt", "html", "warc")
ENDINGS = {None: "", "gzip": ".gz", "zstd": ".zst"}
LARGEST_BASE_BYTES = 20_000
MOST_SPLITS = 30


@dataclass(frozen=True)
class Case:
    """A file to read: its name, its bytes as they lie on the disk, and settings of the group `read` that differ.

    `broken` says whether anything was changed; `made` what was done.
    """

    number: int
    name: str
    content: bytes
    settings: dict[str, int]
    broken: bool
    made: str


def make_case(number: int) -> Case:
    """The case of a number."""
    chance = random.Random(number)
    own_form, base = chance.choice(bases())
    form = own_form if chance.random() < 0.93 else chance.choice(FORMS)
    compression = chance.choice([None, None, "gzip", "zstd"])
    made: list[str] = []
    mutations = 0 if chance.random() < 0.04 else chance.choice([1, 1, 1, 2, 3, 6])
    after = compression is not None and chance.random() < 0.4
    content = base if after else mutated(base, mutations, chance, made)
    content = compressed(content, compression)
    if after:
        content = mutated(content, mutations, chance, made)
    settings: dict[str, int] = {}
    if chance.random() < 0.5:
        settings["batch_bytes"] = chance.choice([1, 50, 700, 5000])
        settings["split_bytes"] = max(chance.choice([64, 1000, 3000, 1 << 24]), len(content) // MOST_SPLITS)
    if chance.random() < 0.1:
        settings["max_record_bytes"] = chance.choice([40, 300, 1500])
    name = f"case{number}.{form}{ENDINGS[compression]}"
    told = f"{own_form} {len(base)} bytes: {', '.join(made) or 'as it is'}{' after compression' if after else ''}"
    return Case(number, name, content, settings, bool(made), told)


def compressed(content: bytes, compression: str | None) -> bytes:
    """The same bytes in every run: gzip without a time."""
    if compression == "gzip":
        return gzip.compress(content, 1, mtime=0)
    return zstandard.compress(content, 1) if compression == "zstd" else content


Mutation = Callable[[bytearray, random.Random], bytearray]


def mutated(content: bytes, times: int, chance: random.Random, made: list[str]) -> bytes:
    """`content` after so many mutations, whose names are added to `made`."""
    held = bytearray(content)
    for _ in range(times):
        mutation = chance.choice(MUTATIONS)
        held = mutation(held, chance)
        made.append(mutation.__name__.strip("_"))
    return bytes(held)


def _noise(held: bytearray, chance: random.Random) -> bytearray:
    keep = chance.choice([0, 0, 4, 8, 16, len(held) // 2])
    return held[:keep] + chance.randbytes(chance.choice([0, 1, 10, 300, 3000]))


def _cut(held: bytearray, chance: random.Random) -> bytearray:
    return held[: chance.randint(0, len(held))]


def _tail(held: bytearray, chance: random.Random) -> bytearray:
    return held[chance.randint(0, min(64, len(held))) :]


def _flips(held: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 1, 2, 8, 40]) if held else 0):
        held[chance.randrange(len(held))] ^= 1 << chance.randrange(8)
    return held


def _bytes(held: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 3, 20]) if held else 0):
        held[chance.randrange(len(held))] = chance.choice(b"\x00\xff\x7f\x80\r\n\"\\{}[],:<>\x1b&;'=/")
    return held


def _left_out(held: bytearray, chance: random.Random) -> bytearray:
    start, length = _range(held, chance)
    return held[:start] + held[start + length :]


def _twice(held: bytearray, chance: random.Random) -> bytearray:
    start, length = _range(held, chance)
    return held[:start] + held[start : start + length] * chance.choice([2, 2, 5, 50]) + held[start + length :]


def _overwritten(held: bytearray, chance: random.Random) -> bytearray:
    start, length = _range(held, chance)
    filling = chance.choice([b"\x00", b"\xff", b"\x80", b"\x7f", b"[", b"<a>", b" ", b"\xe2\x80\xae", b"\x01"])
    length = min(length, 200)
    held[start : start + length] = (filling * length)[:length]
    return held


def _number(held: bytearray, chance: random.Random) -> bytearray:
    """A size or a count that isn't true, in the ways that headers write it."""
    size = chance.choice([2, 4, 8])
    value = chance.choice([0, 1, 0x7F, 1 << 15, (1 << 31) - 1, 1 << 31, (1 << 63) - 1, (1 << 64) - 1])
    start = chance.randint(0, len(held))
    order = chance.choice(["little", "big"])
    held[start : start + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, order)  # type: ignore[arg-type]
    return held


def _token(held: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 1, 4])):
        at = chance.randint(0, len(held))
        held[at:at] = chance.choice(TOKENS)
    return held


def _value(held: bytearray, chance: random.Random) -> bytearray:
    """A string of JSON, or what stands between two tags, for something else."""
    sign = chance.choice([b'"', b">", b"\n"])
    first = held.find(sign, chance.randint(0, len(held)))
    end = held.find(chance.choice([b'"', b"<", b"\n"]), first + 1)
    if first >= 0 and end >= 0:
        held[first + 1 : end] = chance.choice(TOKENS)
    return held


def _spliced(held: bytearray, chance: random.Random) -> bytearray:
    _, other = chance.choice(bases())
    start, length = _range(bytearray(other), chance)
    at = chance.randint(0, len(held))
    return held[:at] + other[start : start + length] + held[chance.randint(at, len(held)) :]


MUTATIONS: tuple[Mutation, ...] = (
    *(_noise, _cut, _tail, _flips, _flips, _bytes, _left_out, _twice),
    *(_overwritten, _number, _token, _token, _value, _value, _spliced),
)


def _range(held: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(held))
    return start, chance.choice([1, 4, 30, 400, chance.randint(0, max(0, len(held) - start))])


TOKENS: tuple[bytes, ...] = (
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"123456789012345678901234567890", b"[]", b"{}"),
    *(b'["x"]', b'{"name":"x"}', b'{"name":["x",1]}', b"\\ud83d", b"\\udc00\\ud800", b"\\u0000", b'\\"', b"\\", b'"'),
    *(b',"text":1.5', b',"text":null', b',"date":"31 Feb 2015"', b',"date":1e300', b',"date":-9223372036854775808'),
    *(b'"published_at":"99999999999999999999"', b'"articles":[', b'"source":{"name":null}', b'"id":[["a"]]'),
    *("\u202e\u2066\u200f".encode(), "\ufeff".encode(), "\u0301".encode() * 300, "\ufdfa".encode() * 50),
    *("ﷺ".encode(), "\U0001f468\u200d\U0001f469".encode(), "\u0640".encode() * 100, "İ".encode(), "ß".encode()),
    *(
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\x80",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\x00\x00\xfe\xff",
        b"\x1a",
        b"\x00",
    ),
    *(b"\x1b[31m", b"\x9b31m", b"\x07", b"\x08" * 20, b"\r", b"\r\n\r\n", b"\n" * 50, b"\x0b\x0c", b"\xc2\x85"),
    *(
        b"../../etc/passwd",
        b"=cmd|' /C calc'!A0",
        b"<script>alert(1)</script>",
        b"<!--",
        b"]]>",
        b"<![CDATA[",
        b"&#x0;",
    ),
    *(
        b"&#xd800;",
        b"&#99999999999;",
        b"&" * 200,
        b"<div>" * 200,
        b"</div>" * 200,
        b"<table><tr><td>" * 60,
        b"<p" * 100,
    ),
    *(b"<title>", b"<textarea>", b"<plaintext>", b"<svg><math>", b"<base href='x'>", b'<meta charset="utf-16">'),
    *(
        b'<meta charset="x-none">',
        b'<html lang="x',
        b'"datePublished":"2015-13-45T99:99:99Z"',
        b"a" * 5000,
        b"( " * 900,
    ),
    *(
        b"Content-Length: 99999999999999999\r\n",
        b"Content-Length: -1\r\n",
        b"WARC/1.0\r\n",
        b"Content-Encoding: br\r\n",
    ),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"WARC-Type: response\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ),
    *(
        b"By By By ",
        b"(Reuters) - " * 40,
        b"Read more: " * 80,
        b"http://" * 100,
        b"- " * 300,
        "—".encode() * 300,
        b"@" * 300,
    ),
)


@cache
def bases() -> tuple[tuple[str, bytes], ...]:
    """Form and bytes (not compressed) of the files that cases are made of: the seeds, and forms that they lack."""
    found: list[tuple[str, bytes]] = []
    for path in sorted((SEEDS / "articles").rglob("*.*")) + sorted((SEEDS / "refused").glob("*.*")):
        known = form_of(path.name)
        if known is None:
            continue
        content = path.read_bytes()
        if known[1] == "gzip" and "truncated" not in path.name:
            content = gzip.decompress(content)
        elif known[1] == "zstd":
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        if len(content) <= LARGEST_BASE_BYTES:
            found.append((known[0], content))
    return (*found, *_made())


def _made() -> list[tuple[str, bytes]]:
    text = "The ferry Aurora left Harrowby at nine on Monday, the harbour office said.\nNobody was hurt, it said."
    records: list[dict[str, Any]] = [
        {"id": f"m{n}", "title": f"Ferry {n}", "text": f"{text} Boat {n}.", "date": f"2026-07-{10 + n}"}
        for n in range(6)
    ]
    answer = {"status": "ok", "articles": [{**one, "source": {"id": None, "name": "The Echo"}} for one in records]}
    lines = "\n".join(json.dumps(one) for one in records)
    made = [
        ("json", json.dumps(answer, indent=1).encode()),
        ("json", "".join(json.dumps(one, indent=2) for one in records).encode()),
        ("jsonl", lines.encode("utf-16")),
        ("jsonl", lines.encode("utf-32-be")),
        ("jsonl", lines.replace("ferry", "عبارة").encode("cp1256")),
        ("jsonl", lines.replace("\n", "\r\n\r\n").encode("utf-8-sig")),
    ]
    table = pa.table(
        {
            "id": pa.array(range(6)),
            "text": pa.array([one["text"] for one in records], pa.large_string()),
            "title": pa.array([[one["title"]] for one in records]),
            "source": pa.array([{"id": None, "name": "The Echo"}] * 6),
            "language": pa.array(["en"] * 6).dictionary_encode(),
            "date": pa.array(range(6), pa.timestamp("ns")),
        }
    )
    for options in ({"compression": "none", "row_group_size": 2}, {"compression": "zstd", "data_page_version": "2.0"}):
        out = io.BytesIO()
        pq.write_table(table, out, **options)
        made.append(("parquet", out.getvalue()))
    fields = [{"name": name, "type": ["null", "string"]} for name in ("id", "title", "text", "date")]
    schema = fastavro.parse_schema({"type": "record", "name": "Article", "fields": fields})
    for codec in ("null", "deflate", "bzip2", "xz"):
        out = io.BytesIO()
        fastavro.writer(out, schema, records, codec=codec, sync_interval=200, sync_marker=b"0123456789abcdef")
        made.append(("avro", out.getvalue()))
    return made
