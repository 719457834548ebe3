"""`copydesk stream` from a real broker: what it reads, refuses and goes on from."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from pipeline.errors import RunError, UsageError
from pipeline.progress import Progress
from pipeline.store import Store
from pipeline.stream import StreamOptions, stream
from pipeline.stream_topic import TopicSource
from schemas.settings import Settings
from tests.benchmarks.month import day_of
from tests.engines.kafka import Broker
from tests.engines.produce import make_topic, produce
from tests.engines.streaming import (
    differences,
    ranges_of,
    reasons_of,
    stream_topic,
    wait_until,
    whole_ranges,
)
from tests.pipeline.store_reading import rows_of, run_over, write_jsonl
from transforms.functions.messages import MessageForm
from transforms.functions.topics import Topic, reader_of

ROWS = day_of(0, 60)
FIELDS = ("id", "source", "title", "language", "text", "published_at")
SCHEMA = {
    "type": "record",
    "name": "Article",
    "fields": [{"name": name, "type": ["null", "string"]} for name in FIELDS],
}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of one batch over the same articles."""
    folder = tmp_path_factory.mktemp("batch")
    run_over(folder / "store", write_jsonl(folder / "articles.jsonl", ROWS))
    return folder / "store"


def as_json(rows: Sequence[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


def as_avro(row: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    fastavro.schemaless_writer(sink, SCHEMA, {name: row.get(name) for name in FIELDS})
    return sink.getvalue()


def as_container(rows: Sequence[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, SCHEMA, [{name: row.get(name) for name in FIELDS} for row in rows])
    return sink.getvalue()


def test_json_ends_as_one_batch_with_its_offsets_in_the_manifests(broker: Broker, tmp_path: Path, batch: Path) -> None:
    make_topic(broker.address, "json", 3)
    # Batches begin when they are full, never by the clock: partitions arrive one after another, some later than 0.1 s.
    produce(broker.address, "json", as_json(ROWS[:40]))
    first = stream_topic(broker.address, "json", tmp_path / "store", most=20, every=60)
    assert (first.runs, first.counts["records"]) == (2, 40)
    produce(broker.address, "json", as_json(ROWS[40:]))
    again = stream_topic(broker.address, "json", tmp_path / "store", most=20, every=60)
    assert (again.runs, again.counts["records"]) == (1, len(ROWS) - 40)
    assert differences(batch, tmp_path / "store") == {}
    ends = whole_ranges(tmp_path / "store")
    assert sorted(ends) == [f"kafka:///json#{number}" for number in range(3)]
    reader = Consumer({"bootstrap.servers": broker.address, "group.id": "test"})
    for path, end in ends.items():
        assert end == reader.get_watermark_offsets(TopicPartition("json", int(path[-1])))[1]
    reader.close()
    assert stream_topic(broker.address, "json", tmp_path / "store").runs == 0
    [row] = [row for row in rows_of(tmp_path / "store", "clean") if row["source_uri"] == "kafka:///json#0"][:1]
    assert 0 <= row["position"] < ends["kafka:///json#0"]


REGISTERED = {
    "/schemas/ids/7": {"schema": json.dumps(SCHEMA)},
    "/schemas/ids/9": {"schema": "syntax = 'proto3';", "schemaType": "PROTOBUF"},
    "/schemas/ids/10": {"schema": "{}", "schemaType": "JSON"},
}


class _Registry(BaseHTTPRequestHandler):
    """A schema registry that knows an Avro schema, and two of other kinds."""

    def do_GET(self) -> None:
        found = REGISTERED.get(self.path)
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(found or {"error_code": 40403, "message": "Schema not found"}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing between the dots of the tests."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("kind", ["plain", "container", "registry", "folder"])
def test_avro_ends_as_one_batch(kind: str, broker: Broker, tmp_path: Path, batch: Path, registry: str) -> None:
    header = b"\0" + (7).to_bytes(4, "big")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "7.avsc").write_text(json.dumps(SCHEMA))
    values, form = {
        "plain": ([as_avro(row) for row in ROWS], MessageForm(schema=json.dumps(SCHEMA))),
        "container": ([as_container(ROWS[:30]), *(as_container([row]) for row in ROWS[30:])], MessageForm()),
        "registry": ([header + as_avro(row) for row in ROWS], MessageForm(registry=registry)),
        "folder": ([header + as_avro(row) for row in ROWS], MessageForm(registry=str(tmp_path / "schemas"))),
    }[kind]
    make_topic(broker.address, f"avro-{kind}", 2)
    produce(broker.address, f"avro-{kind}", values)
    done = stream_topic(broker.address, f"avro-{kind}", tmp_path / "store", form=form)
    assert done.counts["records"] == len(ROWS)
    assert differences(batch, tmp_path / "store") == {}


def test_poison_is_refused_at_its_place(broker: Broker, tmp_path: Path, registry: str) -> None:
    good = as_json(ROWS[:5])
    avro = as_avro(ROWS[5])
    poison: dict[bytes | None, str] = {
        None: "tombstone",
        b"": "empty",
        b"{not json": "not JSON",
        b"[1, 2]": "expected a JSON object",
        b'{"byline": "no text"}': "no field for the article's text",
        b"\x89PNG\r\n\x1a\n\x01\x02\x03\x04\xfe": "encoding",
        b"\0\0\0": "zero byte",
        b"\0" + (404).to_bytes(4, "big") + avro: "no schema 404",
        b"\0" + (9).to_bytes(4, "big") + avro: "PROTOBUF",
        b"\0" + (7).to_bytes(4, "big") + avro[: len(avro) // 2]: "cut",
        b"\0" + (7).to_bytes(4, "big") + avro + b"x": "left over",
        as_container(ROWS[6:7])[:-30]: "damaged",
    }
    registered_json = b"\0" + (10).to_bytes(4, "big") + as_json(ROWS[7:8])[0]
    values = [good[0], *poison, *good[1:], registered_json]
    make_topic(broker.address, "poison", 1)
    produce(broker.address, "poison", values, partition=0)
    done = stream_topic(broker.address, "poison", tmp_path / "store", form=MessageForm(registry=registry))
    counts = done.counts
    assert counts["records"] == len(values)
    assert counts["clean"] + counts["copies"] == len(good) + 1
    rejected = {row["position"]: row for row in rows_of(tmp_path / "store", "rejected")}
    assert sorted(rejected) == list(range(1, 1 + len(poison)))
    for offset, (value, said) in enumerate(poison.items(), 1):
        row = rejected[offset]
        assert said in row["message"], (value, row["message"])
        assert (row["source_uri"], row["payload"]) == ("kafka:///poison#0", value)
    assert set(reasons_of(rejected.values())) <= {"bad_record", "no_text", "bad_encoding"}


def test_a_registry_that_is_away_fails_the_batch_and_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    make_topic(broker.address, "away", 1)
    produce(broker.address, "away", [b"\0" + (7).to_bytes(4, "big") + as_avro(row) for row in ROWS[:3]])
    with pytest.raises(RunError, match="can't be asked"):
        stream_topic(broker.address, "away", tmp_path / "store", form=MessageForm(registry="http://127.0.0.1:9"))
    assert Store(str(tmp_path / "store")).manifests == []


def test_what_retention_took_is_told_and_passed_over_only_when_asked(broker: Broker, tmp_path: Path) -> None:
    make_topic(broker.address, "retention", 1)
    values = as_json(ROWS)
    produce(broker.address, "retention", values[:10], partition=0)
    stream_topic(broker.address, "retention", tmp_path / "store")
    produce(broker.address, "retention", values[10:30], partition=0)
    admin = AdminClient({"bootstrap.servers": broker.address})
    for one in admin.delete_records([TopicPartition("retention", 0, 20)]).values():
        one.result()
    with pytest.raises(UsageError, match=r"begins at offset 20; .* 10, is gone \(10 offsets\).*--accept-loss"):
        stream_topic(broker.address, "retention", tmp_path / "store")
    done = stream_topic(broker.address, "retention", tmp_path / "store", accept_loss=True)
    assert done.counts["records"] == 10
    assert [(one["first_offset"], one["end_offset"]) for one in ranges_of(tmp_path / "store")] == [(0, 10), (20, 30)]


def test_a_topic_made_anew_is_read_from_its_beginning(broker: Broker, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": broker.address})
    values = as_json(ROWS[:12])
    make_topic(broker.address, "anew", 1)
    produce(broker.address, "anew", values[:8])
    stream_topic(broker.address, "anew", tmp_path / "store")
    admin.delete_topics(["anew"])["anew"].result()
    while "anew" in admin.list_topics(timeout=10).topics:
        pass
    make_topic(broker.address, "anew", 1)
    produce(broker.address, "anew", values)
    done = stream_topic(broker.address, "anew", tmp_path / "store")
    assert done.counts["records"] == 12
    assert reasons_of(rows_of(tmp_path / "store", "rejected")) == {"repeat": 8}


def test_reprocess_begins_at_the_oldest_message(broker: Broker, tmp_path: Path) -> None:
    make_topic(broker.address, "again", 1)
    produce(broker.address, "again", as_json(ROWS[:4]))
    assert stream_topic(broker.address, "again", tmp_path / "store").counts["rejected"] == 0
    assert stream_topic(broker.address, "again", tmp_path / "store", reprocess=True).counts["rejected"] == 4
    assert stream_topic(broker.address, "again", tmp_path / "store").runs == 0


def test_aborted_transactions_are_not_read_and_leave_no_lag(broker: Broker, tmp_path: Path) -> None:
    """Ranges begin and end at offsets that have no message: marks of transactions, and what was aborted."""
    make_topic(broker.address, "transactions", 2)
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": "copydesk-test"})
    producer.init_transactions(30)
    for number in range(8):
        producer.begin_transaction()
        for partition, value in enumerate(as_json(ROWS[4 * number : 4 * number + 4])):
            producer.produce("transactions", value, partition=partition % 2)
        producer.flush(30)
        (producer.abort_transaction if number % 4 == 1 else producer.commit_transaction)(30)
    lags: list[int] = []

    class Watched(TopicSource):
        def close(self) -> None:
            lags.append(self.lag().count)
            super().close()

    options = StreamOptions(str(tmp_path / "store"), Settings(), every=0.0, most=9, until_idle=0.5)
    done = stream(options, Watched(Topic(broker.address, "transactions")), Progress(None))
    assert (done.counts["records"], lags) == (24, [0])
    assert done.runs >= 3
    assert reasons_of(rows_of(tmp_path / "store", "rejected")) == {}
    # Two messages and a mark in each partition for each transaction; whether the last mark was seen depends on when
    # the last batch began.
    assert {end in (23, 24) for end in whole_ranges(tmp_path / "store").values()} == {True}


def came(source: TopicSource) -> int:
    """Polls once; how many messages wait then."""
    source.poll(0.1)
    return source.waiting


def test_two_streams_of_one_topic_read_nothing_twice(broker: Broker, tmp_path: Path) -> None:
    make_topic(broker.address, "shared", 2)
    produce(broker.address, "shared", as_json(ROWS[:20]))
    slow = TopicSource(Topic(broker.address, "shared", (("client.id", "slow"),)))
    slow.start(Store(str(tmp_path / "store")))
    wait_until(lambda: came(slow) == 20)
    stream_topic(broker.address, "shared", tmp_path / "store")
    store = Store(str(tmp_path / "store"))
    assert [slow.inputs(store, 100), slow.waiting] == [[], 0]
    produce(broker.address, "shared", as_json(ROWS[20:25]))
    wait_until(lambda: came(slow) == 5)
    assert sum(one.messages for one in slow.inputs(store, 100)) == 5
    slow.close()


@pytest.mark.parametrize("accept_loss", [False, True])
def test_what_goes_while_the_stream_runs(accept_loss: bool, broker: Broker, tmp_path: Path) -> None:
    name = f"going-{accept_loss}"
    make_topic(broker.address, name, 1)
    produce(broker.address, name, as_json(ROWS[:30]))
    source = TopicSource(Topic(broker.address, name), accept_loss=accept_loss)
    source.start(Store(str(tmp_path / "store")))
    admin = AdminClient({"bootstrap.servers": broker.address})
    for one in admin.delete_records([TopicPartition(name, 0, 20)]).values():
        one.result()
    reader_of(Topic(broker.address, name)).start({0: 3})  # as if it had read up to there
    if accept_loss:
        wait_until(lambda: came(source) == 10)
        assert [one.first_offset for one in source.inputs(Store(str(tmp_path / "store")), 100)] == [20]
    else:
        with pytest.raises(UsageError, match=r"no longer has what comes next.*--accept-loss"):
            wait_until(lambda: came(source) == 10)
    source.close()


@pytest.mark.parametrize(
    ("place", "options", "kind", "said"),
    [
        ("kafka://127.0.0.1:9/articles", {}, RunError, "127.0.0.1:9 does not answer.*Connection refused.*HOST:PORT"),
        ("kafka://{broker}/artcles", {}, UsageError, "no topic 'artcles'.*expected one of .*errors-topic"),
        ("kafka://{broker}/errors-topic", {"sasl.usrname": "x"}, UsageError, "sasl.usrname.*CONFIGURATION.md"),
        ("kafka://{broker}/errors-topic", {"enable.auto.commit": "true"}, UsageError, "copydesk sets that itself"),
        (
            "kafka://{password}/errors-topic",
            {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "reader",
             "sasl.password": "wrong"},
            UsageError, "refuses this client.*uthentication.*sasl.username",
        ),
    ],
)  # fmt: skip
def test_errors_say_value_expectation_and_remedy(
    place: str, options: dict[str, str], kind: type[Exception], said: str, broker: Broker, tmp_path: Path
) -> None:
    make_topic(broker.address, "errors-topic", 1)
    url = place.format(broker=broker.address, password=broker.password_address)
    address, _, name = url.removeprefix("kafka://").rpartition("/")
    source = TopicSource(Topic(address, name, tuple(options.items())))
    with pytest.raises(kind, match=said) as error:
        stream(StreamOptions(str(tmp_path / "store"), Settings(), 0.1, 10, 0.5), source, Progress(None))
    assert "=wrong" not in str(error.value)
    assert not (tmp_path / "store" / "manifest").exists()


def test_a_password_opens_the_door_and_is_stored_nowhere(broker: Broker, tmp_path: Path) -> None:
    make_topic(broker.address, "secured", 1)
    produce(broker.address, "secured", as_json(ROWS[:3]))
    options = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "reader"}
    topic = Topic(broker.password_address, "secured", (*options.items(), ("sasl.password", "secret")))
    asked = StreamOptions(str(tmp_path / "store"), Settings(), 0.1, 10, 0.5)
    assert stream(asked, TopicSource(topic), Progress(None)).counts["records"] == 3
    told = [path for path in (tmp_path / "store").rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    assert (told, "secret" in repr(topic)) == ([], False)
