"""Values of other kinds than text, and what is said of a record without a text: the same in every form."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.functions.files import Row, pick, read_bytes

NEWS = [
    {"source": {"id": None, "name": "The Echo"}, "title": "Port", "content": "The port reopened."},
    {"source": {"id": "courier", "name": "The Courier"}, "title": "Ferry", "content": "The ferry sank."},
]


def as_json(records: list[Row]) -> bytes:
    return json.dumps(records).encode()


def as_lines(records: list[Row]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


def as_parquet(records: list[Row]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), out)
    return out.getvalue()


def kind_of(value: Any) -> Any:
    if isinstance(value, dict):
        fields = [{"name": name, "type": kind_of(one)} for name, one in value.items()]
        return ["null", {"type": "record", "name": "Inner", "fields": fields}]
    return ["null", {"type": "array", "items": "string"} if isinstance(value, list) else "string"]


def as_avro(records: list[Row]) -> bytes:
    fields = [{"name": name, "type": kind_of(value)} for name, value in records[-1].items()]
    out = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "Article", "fields": fields})
    fastavro.writer(out, schema, records)
    return out.getvalue()


FORMS = {"a.jsonl": as_lines, "a.json": as_json, "a.parquet": as_parquet, "a.avro": as_avro}
every_form = pytest.mark.parametrize("name", FORMS)


def read(folder: Path, name: str, records: list[Row], **settings: Any) -> tuple[list[Row], list[Row]]:
    return read_bytes(folder, name, FORMS[name](records), **settings)


@every_form
def test_a_source_that_is_an_object_is_its_name(tmp_path: Path, name: str) -> None:
    raw, refused = read(tmp_path, name, NEWS)
    assert refused == []
    assert pick(raw, "source", "title", "text") == [
        ("The Echo", "Port", "The port reopened."),
        ("The Courier", "Ferry", "The ferry sank."),
    ]


@every_form
def test_a_list_of_one_is_its_element(tmp_path: Path, name: str) -> None:
    titles = [["Port"], [], None, ["Two", "titles"], ["Last"]]
    records = [{"id": f"n{n}", "text": f"Text {n}.", "title": title} for n, title in enumerate(titles)]
    raw, refused = read(tmp_path, name, records)
    assert pick(raw, "source_id", "title") == [("n0", "Port"), ("n1", None), ("n2", None), ("n4", "Last")]
    assert pick(refused, "position" if "jsonl" not in name else "stage", "source_id", "reason") == [
        ("read" if "jsonl" in name else 3, "n3", "bad_record")
    ]
    assert json.loads(refused[0]["payload"]) == {"id": "n3", "text": "Text 3.", "title": ["Two", "titles"]}


@every_form
def test_an_object_without_a_name_is_refused_under_its_id(tmp_path: Path, name: str) -> None:
    raw, refused = read(tmp_path, name, [{"id": "n1", "text": "Text.", "source": {"code": "x"}}])
    assert raw == []
    assert pick(refused, "source_id", "reason") == [("n1", "bad_record")]
    assert "source" in refused[0]["message"]


@every_form
def test_a_record_without_text_says_which_fields_it_has(tmp_path: Path, name: str) -> None:
    """Parquet and Avro have one set of columns, so that the whole file is refused where none is the text."""
    raw, refused = read(tmp_path, name, [{"id": "n1", "headline": "Port", "story_text": "The port reopened."}])
    assert raw == []
    assert "found id, headline, story_text; expected one of text, body" in refused[0]["message"]
    assert refused[0]["message"].endswith("or name yours with --field text=NAME")
    raw, refused = read(tmp_path, name, [{"id": "n1", "story_text": "The port reopened."}], fields=("text=story_text",))
    assert (pick(raw, "text"), refused) == ([("The port reopened.",)], [])


@every_form
def test_a_record_with_an_empty_text_says_so(tmp_path: Path, name: str) -> None:
    _, refused = read(tmp_path, name, [{"id": "n1", "body": " \n", "headline": " "}])
    assert pick(refused, "source_id", "reason", "message") == [
        ("n1", "no_text", "the record has no text: nothing stands in body")
    ]


@every_form
@pytest.mark.parametrize("text", [{"body": " \n"}, {"body": ""}, {"html": ""}, {}])
def test_a_headline_without_a_text_is_the_text(tmp_path: Path, name: str, text: dict[str, str]) -> None:
    """Where no other field could be the text under a name that nobody knows."""
    record = {"id": "n1", "headline": "Port\n reopens", **text}
    raw, refused = read(tmp_path, name, [record])
    assert (pick(raw, "source_id", "title", "text", "html"), refused) == (
        [("n1", "Port reopens", "Port reopens", None)],
        [],
    )
    raw, refused = read(tmp_path, name, [record | {"told": "The port reopened."}])
    assert (len(raw), len(refused)) == ((1, 0) if text else (0, 1))


def test_a_hundred_fields_leave_room_for_the_remedy(tmp_path: Path) -> None:
    record = {f"{n:03}" + "x" * 70: "y" for n in range(100)}
    for name in FORMS:
        if name != "a.avro":
            _, refused = read(tmp_path, name, [record])
            assert refused[0]["message"].endswith("--field text=NAME")
            assert "and 90 more" in refused[0]["message"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize("digits", ["123456789012345678901234567890", "18446744073709551616", "-9223372036854775809"])
def test_large_numbers_keep_their_digits(tmp_path: Path, name: str, digits: str) -> None:
    for before in ('{"id":1,"text":"zero"}', '{"id":"a","text":"zero"}'):
        lines = [before, f'{{"id":{digits},"text":"one"}}', '{"id":7,"text":"two"}']
        content = "\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]"
        raw, refused = read_bytes(tmp_path, name, content.encode())
        assert refused == []
        assert [row["source_id"] for row in raw][1:] == [digits, "7"]
    deep = '{"id":%s,"text":"one","x":%s}' % (digits, "[" * 990 + "]" * 990)  # noqa: UP031 - braces
    raw, refused = read_bytes(tmp_path, "a.jsonl", deep.encode())
    assert [row["source_id"] for row in raw] in ([digits], []), "never other digits"
    assert len(raw) + len(refused) == 1


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_half_an_emoji_is_read(tmp_path: Path, name: str) -> None:
    lines = ['{"id":"a","text":"cut \\ud83d"}', '{"id":"b","title":["\\udc00"],"text":"whole \\ud83d\\ude00"}']
    content = "\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]"
    raw, refused = read_bytes(tmp_path, name, content.encode())
    assert refused == []
    assert pick(raw, "text", "title") == [("cut \ufffd", None), ("whole \U0001f600", "\ufffd")]


def test_payloads_of_parquet_rows_are_json(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([Decimal("12345678901234567890.10")] * 3, pa.decimal256(40, 2)),
            "text": pa.array([None, b"\xff\xfe", None], pa.binary()),
            "title": pa.array([None, "Bridge", "Dam"]),
            "date": pa.array([1, 2, 1 << 61], pa.timestamp("us", "UTC")),
            "source": pa.array([None, None, [("a", 1)]], pa.map_(pa.string(), pa.int64())),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    raw, refused = read_bytes(tmp_path, "a.parquet", out.getvalue())
    assert raw == []
    number = "12345678901234567890.10"
    by_title = {json.loads(row["payload"]).get("title"): row for row in refused}
    assert {title: (row["source_id"], row["reason"]) for title, row in by_title.items()} == {
        None: (number, "no_text"),
        "Bridge": (number, "bad_record"),
        "Dam": (number, "bad_record"),
    }
    assert json.loads(by_title[None]["payload"])["id"] == number
    assert json.loads(by_title["Bridge"]["payload"])["text"] == "//4="
    assert json.loads(by_title["Dam"]["payload"])["date"] == 1 << 61


def test_bytes_that_are_called_text_do_no_harm_to_the_rows_beside(tmp_path: Path) -> None:
    offsets, data = pa.array([0, 4, 6, 8], pa.int32()).buffers()[1], pa.py_buffer(b"good\xff\xfeok")
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, data])
    out = io.BytesIO()
    pq.write_table(pa.table({"text": text, "id": ["a", "b", "c"]}), out)
    raw, refused = read_bytes(tmp_path, "a.parquet", out.getvalue())
    assert pick(raw, "source_id", "text") == [("a", "good"), ("c", "ok")]
    assert pick(refused, "source_id", "reason") == [("b", "bad_record")]
    assert json.loads(refused[0]["payload"])["id"] == "b"


def test_every_field_counts_for_the_size_of_a_record(tmp_path: Path) -> None:
    rows = [{"id": "a", "title": "T" * 1200, "text": "x"}, {"id": "b", "title": "T", "text": "x"}]
    for name in ("a.parquet", "a.avro"):
        raw, refused = read(tmp_path, name, rows, max_record_bytes=1000)
        assert pick(raw, "source_id") == [("b",)]
        assert pick(refused, "source_id", "reason") == [("a", "too_large")]


def test_a_host_is_found_in_a_long_address(tmp_path: Path) -> None:
    url = "https://www.echo.example/" + "a." * 50_000
    raw, _ = read(tmp_path, "a.json", [{"id": "a", "text": "x", "url": url}])
    assert pick(raw, "source", "url") == [("echo.example", url)]
