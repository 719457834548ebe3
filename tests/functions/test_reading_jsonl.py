"""JSON Lines: exact rows, exact refusals, and the same records however the file is cut."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functions.files import open_local, pick, read_bytes, read_file, read_settings, splits_of
from transforms.functions.reading import read_split
from transforms.functions.splits import Split, form_of

GOOD = b'{"id":"a","title":"Port","text":"The port reopened.","url":"https://www.Example.org/1","date":"2015-07-21"}'


def test_a_record_has_every_field(tmp_path: Path) -> None:
    raw, refused = read_bytes(tmp_path, "a.jsonl", GOOD + b"\n")
    assert refused == []
    (row,) = raw
    identifier = row.pop("article_id")
    assert len(identifier) == 32
    assert set(identifier) <= set("0123456789abcdef")
    assert row == {
        "source_id": "a",
        "source_uri": str(tmp_path / "a.jsonl"),
        "position": 0,
        "source": "example.org",
        "url": "https://www.Example.org/1",
        "title": "Port",
        "language": None,
        "published_at": datetime(2015, 7, 21, tzinfo=UTC),
        "text": "The port reopened.",
        "html": None,
        "byline": None,
        "agency": None,
    }


def test_bad_lines_are_refused_and_their_neighbours_read(tmp_path: Path) -> None:
    lines = [
        GOOD,
        b"{bad",
        b'{"id": "b", "text": ["two", "parts"]}',
        b"[1]",
        b'{"text": "\\udXYZ"}',
        b'{"id": 7, "text": "  "}',
        b'{"id": "d", "text": "x", "date": "yesterday"}',
        b"",
        b'{"text": "\xff\xfe\xff"}',
        b'{"article": "Last."}',
    ]
    raw, refused = read_bytes(tmp_path, "a.jsonl", b"\n".join(lines))
    starts = [sum(len(line) + 1 for line in lines[:at]) for at in range(len(lines))]
    assert pick(raw, "position", "text") == [(0, "The port reopened."), (starts[9], "Last.")]
    assert sorted(pick(refused, "position", "reason", "source_id", "payload")) == [
        (starts[1], "bad_record", None, lines[1]),
        (starts[2], "bad_record", "b", lines[2]),
        (starts[3], "bad_record", None, lines[3]),
        (starts[4], "bad_record", None, lines[4]),
        (starts[5], "no_text", "7", lines[5]),
        (starts[6], "bad_date", "d", lines[6]),
        (starts[8], "bad_encoding", None, lines[8]),
    ]
    assert all(row["payload_sha256"] == hashlib.sha256(row["payload"]).hexdigest() for row in refused)
    assert all(row["stage"] == "read" for row in refused)
    dated = next(row for row in refused if row["reason"] == "bad_date")
    assert "'yesterday'" in dated["message"]
    assert "2015-07-21" in dated["message"]


def test_numbers_become_text(tmp_path: Path) -> None:
    content = b'{"id":12,"text":"one","date":1437491040}\n{"id":-3,"text":"two","date":1437491040}\n'
    raw, refused = read_bytes(tmp_path, "a.jsonl", content)
    when = datetime(2015, 7, 21, 15, 4, tzinfo=UTC)
    assert pick(raw, "source_id", "published_at") == [("12", when), ("-3", when)]
    assert refused == []


def test_the_first_name_present_and_not_null_wins(tmp_path: Path) -> None:
    content = b'{"text":null,"body":"from body","content":"no"}\n{"content":"from content","story":"mine"}\n'
    raw, _ = read_bytes(tmp_path, "a.jsonl", content)
    assert pick(raw, "text") == [("from body",), ("from content",)]
    raw, _ = read_bytes(tmp_path, "a.jsonl", content, fields=("text=story",))
    assert pick(raw, "text") == [("from body",), ("mine",)]


def test_a_record_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    line = b'{"id":5,"text":"one","weight":NaN,"language":"EN_us"}'
    alone, _ = read_bytes(tmp_path, "a.jsonl", line)
    among, _ = read_bytes(tmp_path, "b.jsonl", line + b'\n{"id":"x","text":"two"}\n{broken\n')
    for row in (alone[0], among[0]):
        del row["source_uri"]
    assert alone[0] == among[0]
    assert alone[0]["language"] == "en-US"


def test_lines_that_are_too_long_are_never_held(tmp_path: Path) -> None:
    long = b'{"text":"' + b"x" * 30_000_000 + b'"}'
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + long + b"\n" + GOOD + b"\n")
    tracemalloc.start()
    raw, refused = read_file(path, max_record_bytes=100_000, batch_bytes=50_000, split_bytes=1 << 40)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert pick(raw, "position") == [(0,), (len(GOOD) + len(long) + 2,)]
    (row,) = refused
    assert (row["position"], row["reason"]) == (len(GOOD) + 1, "too_large")
    assert row["payload"] == long[:4096]
    assert row["payload_sha256"] == hashlib.sha256(long).hexdigest()


def test_too_long_within_a_batch(tmp_path: Path) -> None:
    long = b'{"text":"' + b"x" * 500 + b'"}'
    raw, refused = read_bytes(tmp_path, "a.jsonl", GOOD + b"\n" + long + b"\n" + GOOD, max_record_bytes=300)
    assert len(raw) == 2
    assert pick(refused, "position", "reason", "payload") == [(len(GOOD) + 1, "too_large", long)]


TEXTS = st.lists(
    st.one_of(
        st.builds(lambda text: orjson.dumps({"text": "t" + text}), st.text(max_size=40)),
        st.builds(lambda n: orjson.dumps({"id": n, "body": "b"}), st.integers(-5, 10**12)),
        st.sampled_from([b"", b"\r", b"{bad", b'{"text":""}', b'{"text":5}', b" ", b'{"text":"caf\xe9 du port"}']),
    ),
    max_size=12,
)


@given(lines=TEXTS, cut=st.integers(1, 60), batch=st.integers(1, 80), ended=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_splits_partition_the_lines(tmp_path: Path, lines: list[bytes], cut: int, batch: int, ended: bool) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines) + (b"\n" if ended else b""))
    whole = read_file(path, split_bytes=1 << 30)
    parted = read_file(path, split_bytes=cut, batch_bytes=batch)
    assert parted[0] == whole[0]
    key = ("position", "reason", "payload", "message")
    assert sorted(pick(parted[1], *key)) == sorted(pick(whole[1], *key))
    filled = [line for line in lines if line.strip()]
    assert len(whole[0]) + len(whole[1]) == len(filled)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1256"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    texts = ["قال وزير الخارجية اليوم إن المحادثات مستمرة", "وأضاف أن الاجتماع القادم يوم الأحد"]
    lines = [json.dumps({"id": "1 a", "text": text}, ensure_ascii=False) for text in texts]
    content = "\n".join(lines).encode(encoding)
    raw, refused = read_bytes(tmp_path, "a.jsonl", content, split_bytes=1 << 20)
    assert refused == []
    assert [row["text"] for row in raw] == texts
    mark = len(content) - len("\n".join(lines).encode(raw_name(encoding)))
    second = mark + len((lines[0] + "\n").encode(raw_name(encoding)))
    assert [row["position"] for row in raw] == [mark, second]


def raw_name(encoding: str) -> str:
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding)


def test_compressed_members_and_frames(tmp_path: Path) -> None:
    one, two = b'{"text":"one"}\n', b'{"text":"two"}\n'
    for name, content in {
        "a.jsonl.gz": gzip.compress(one) + gzip.compress(two) + b"\0" * 512,
        "a.jsonl.zst": zstandard.compress(one) + zstandard.compress(two),
        "a.ndjson.gz": gzip.compress(one + two),
    }.items():
        raw, refused = read_bytes(tmp_path, name, content)
        assert pick(raw, "position", "text") == [(0, "one"), (15, "two")]
        assert refused == []


def test_a_truncated_file_keeps_what_came_before(tmp_path: Path) -> None:
    lines = [orjson.dumps({"text": hashlib.sha256(bytes([n])).hexdigest() * 20}) for n in range(100)]
    packed = gzip.compress(b"\n".join(lines))
    raw, refused = read_bytes(tmp_path, "a.jsonl.gz", packed[: len(packed) // 2])
    assert 10 < len(raw) < 90
    assert [row["text"] for row in raw] == [orjson.loads(line)["text"] for line in lines[: len(raw)]]
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]
    offset = int(refused[0]["message"].split("byte ")[1].split()[0])
    assert sum(len(line) + 1 for line in lines[: len(raw)]) <= offset
    assert offset < sum(len(line) + 1 for line in lines[: len(raw) + 1])


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.txt.gz", "a.warc.gz", "a.json.zst"])
def test_a_name_that_lies_about_compression(tmp_path: Path, name: str) -> None:
    for content in (b"", GOOD):
        raw, refused = read_bytes(tmp_path, name, content)
        assert raw == []
        assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]


def test_other_content_is_refused_once(tmp_path: Path) -> None:
    content = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
    raw, refused = read_bytes(tmp_path, "a.jsonl", content, split_bytes=1024)
    assert raw == []
    assert pick(refused, "position", "reason") == [(-1, "unreadable_file")]
    assert "PNG" in refused[0]["message"]


def test_a_bomb_stays_small(tmp_path: Path) -> None:
    line = b'{"text":"' + b"a" * 60_000_000 + b'"}\n'
    for name, content in {"a.jsonl.gz": gzip.compress(line), "a.jsonl.zst": zstandard.compress(line)}.items():
        tracemalloc.start()
        raw, refused = read_bytes(tmp_path, name, content, max_record_bytes=1_000_000, batch_bytes=100_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert raw == []
        assert pick(refused, "reason", "payload_sha256") == [("too_large", hashlib.sha256(line[:-1]).hexdigest())]
        assert peak < 45_000_000


def test_a_file_that_vanished(tmp_path: Path) -> None:
    split = Split(str(tmp_path / "gone.jsonl"), "jsonl", None, 0, -1, 0)
    with pytest.raises(FileNotFoundError, match=r"gone\.jsonl"):
        list(read_split(split, read_settings(), open_local))


def test_names_tell_forms() -> None:
    assert form_of("s3://x/A.NDJSON.GZ") == ("jsonl", "gzip")
    assert form_of("/x/page.htm") == ("html", None)
    assert form_of("b.warc.zst") == ("warc", "zstd")
    assert form_of("notes.md") is None
    assert form_of("archive.gz") is None


def test_a_split_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 30)
    for split in splits_of(path, split_bytes=1000):
        assert Split.from_dict(json.loads(json.dumps(split.as_dict()))) == split


def test_a_file_that_turns_out_to_be_wide_after_it_was_split_is_read_once(tmp_path: Path) -> None:
    """Its beginning says nothing of UTF-16, so it is split by bytes; what follows does, and each part would read it."""
    content = GOOD + b"\n" + (GOOD.decode() + "\n").encode("utf-16-le") * 20
    assert b"\0" not in content[: len(GOOD)]
    path = tmp_path / "turned.jsonl"
    path.write_bytes(b" " * 300 + content)
    assert len(splits_of(path, split_bytes=1000)) > 2
    raw, refused = read_file(path, split_bytes=1000)
    places = [row["position"] for row in [*raw, *refused]]
    assert places
    assert len(places) == len(set(places))
