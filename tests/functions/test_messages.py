"""Messages into columns: which form each has, and what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from schemas.settings import ReadSettings
from transforms.functions.messages import Message, MessageForm, check_form, read_messages
from transforms.functions.reading_topic import partition_of, read_range, topic_split
from transforms.functions.refusals import Refusals
from transforms.functions.schema_registry import RegistryError, SchemaRegistry, UnknownSchemaError

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Article",
    "fields": [{"name": name, "type": ["null", "string"]} for name in ("id", "body")],
}
URI = "kafka:///news#3"


def avro(body: str, schema: dict[str, Any] = SCHEMA) -> bytes:
    sink = io.BytesIO()
    fastavro.schemaless_writer(sink, schema, {"id": f"id of {body}", "body": body})
    return sink.getvalue()


def read(*values: bytes | None, form: MessageForm | None = None) -> tuple[dict[int, str | None], dict[int, str]]:
    """Texts by offset, and what was said of refused ones by offset; offsets begin at 10."""
    refusals = Refusals(1000)
    messages = [Message(offset, value, -1) for offset, value in enumerate(values, 10)]
    texts: dict[int, str | None] = {}
    for records in read_messages(URI, messages, form or MessageForm(), ReadSettings(), refusals):
        texts |= dict(zip(records.positions.tolist(), records.columns["text"].to_pylist(), strict=True))
    rows = refusals.batch().to_pylist()
    assert {row["source_uri"] for row in rows} <= {URI}
    return texts, {row["position"]: row["message"] for row in rows}


def test_json_messages_may_be_laid_out_over_lines() -> None:
    texts, refused = read(b'{"text": "a"}', b'{\n "body": "b",\n "id": 7\n}\n', '\ufeff{"article": "ن"}'.encode())
    assert (texts, refused) == ({10: "a", 11: "b", 12: "ن"}, {})


def test_neighbours_of_poison_are_read() -> None:
    texts, refused = read(b'{"text": "a"}', None, b" \n", b'{"text": "b"}', b"[]", b'{"text": ["x", "y"]}', b"{")
    assert texts == {10: "a", 13: "b"}
    assert {offset: said.split(";")[0][:28] for offset, said in refused.items()} == {
        11: "the message has no value: it", 12: "the message is empty",
        14: "expected a JSON object, foun", 15: "text is a list", 16: "not JSON (unexpected end of ",
    }  # fmt: skip


def test_plain_avro_by_its_schema() -> None:
    form = MessageForm(schema=json.dumps(SCHEMA))
    texts, refused = read(avro("a"), avro("b")[:-1], avro("c") + b"\0", b"", avro("d"), form=form)
    assert texts == {10: "a", 14: "d"}
    assert list(refused) == [11, 12, 13]
    assert "1 bytes are left over" in refused[12]


def test_containers_are_known_under_any_form() -> None:
    sink = io.BytesIO()
    fastavro.writer(sink, SCHEMA, [{"id": "1", "body": "a"}, {"id": "2", "body": "b"}])
    for form in (MessageForm(), MessageForm(schema=json.dumps(SCHEMA))):
        refusals = Refusals(100)
        [records] = read_messages(URI, [Message(5, sink.getvalue(), 0)], form, ReadSettings(), refusals)
        assert (records.positions.tolist(), records.columns["text"].to_pylist()) == ([5, 5], ["a", "b"])
    empty = io.BytesIO()
    fastavro.writer(empty, SCHEMA, [])
    assert "holds no record" in read(empty.getvalue())[1][10]


def test_header_of_a_registry(tmp_path: Path) -> None:
    (tmp_path / "258.avsc").write_text(json.dumps(SCHEMA))
    form = MessageForm(registry=str(tmp_path))
    header = b"\0\0\0\1\2"
    texts, refused = read(header + avro("a"), b"\0\0\0\0\7" + avro("b"), b'{"text": "c"}', b"\0\0", form=form)
    assert texts == {10: "a", 12: "c"}
    assert "has no schema 7" in refused[11]
    assert "zero byte" in refused[13]
    assert "--schema-registry" in read(header + avro("a"))[1][10]


def test_a_large_message_is_refused() -> None:
    refusals = Refusals(10)
    messages = [Message(0, b'{"text": "' + b"a" * 2000 + b'"}', 0), Message(1, b'{"text": "b"}', 0)]
    [records] = read_messages(URI, messages, MessageForm(), ReadSettings(max_record_bytes=1024), refusals)
    assert records.positions.tolist() == [1]
    assert refusals.batch().column("reason").to_pylist() == ["too_large"]


def test_a_range_is_read_in_batches() -> None:
    values = [json.dumps({"text": f"text {number} " + "x" * 400}).encode() for number in range(20)]
    given: list[tuple[int, int, int]] = []

    def give(partition: int, first: int, end: int) -> list[Message]:
        given.append((partition, first, end))
        return [Message(first + number, value, 0) for number, value in enumerate(values)] + [
            Message(first + 20, None, 0)
        ]

    split = topic_split(URI, 100, 121)
    batches = list(read_range(split, ReadSettings(batch_bytes=1024), MessageForm(), give))
    assert given == [(3, 100, 121)] == [(partition_of(URI), split.start, split.end)]
    assert [row["position"] for batch in batches for row in batch.raw.to_pylist()] == list(range(100, 120))
    assert [row["position"] for batch in batches for row in batch.refused.to_pylist()] == [120]
    assert len(batches) == 7


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (MessageForm(schema="{"), "no Avro schema"),
        (MessageForm(schema='{"type": "record", "name": "A", "fields": []}'), "no field for the article's text"),
        (MessageForm(schema='"string"'), "no field for the article's text"),
        (MessageForm(registry="nowhere"), "'nowhere' is no schema registry"),
        (MessageForm(registry="http://user:secret@host"), "registry.basic.auth.user.info"),
    ],
)
def test_wrong_forms_are_told(form: MessageForm, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        check_form(form, ReadSettings())
    assert "secret" not in str(error.value) + repr(form).replace("user:secret", "")


def test_a_registry_that_can_not_be_asked_is_no_fault_of_the_message(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="can't be asked"):
        SchemaRegistry("http://127.0.0.1:9").schema(1)
    (tmp_path / "1.json").write_text("{}")
    with pytest.raises(UnknownSchemaError, match="schema 1 of the registry is no Avro schema"):
        SchemaRegistry(str(tmp_path)).schema(1)
