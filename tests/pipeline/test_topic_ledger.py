"""Offsets: what was read by the manifests, what comes next, what a batch takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands.stream import kafka_options
from pipeline.errors import UsageError
from pipeline.store import Store
from pipeline.stream_topic import parse_topic
from pipeline.topic_ledger import (
    TopicRange,
    batch_ends,
    is_range,
    range_digest,
    read_offsets,
    starts,
    unfinished_ranges,
)
from transforms.functions.messages import Message


def entry(partition: int, first: int, end: int, topic_id: str = "T") -> dict[str, Any]:
    path = f"kafka:///news#{partition}"
    return {
        "path": path, "first_offset": first, "end_offset": end, "messages": end - first, "size": 10,
        "topic_id": topic_id, "sha256": range_digest(topic_id, path, first, end), "broker": "b:1", "values": "json",
        "unreadable": None,
        "also": [],
    }  # fmt: skip


def store_of(path: Path, *runs: list[dict[str, Any]]) -> Store:
    (path / "manifest").mkdir(parents=True)
    for number, inputs in enumerate(runs, 1):
        manifest = {"number": number, "schema_version": 2, "inputs": inputs, "run_id": f"{number:08d}-x", "files": []}
        (path / "manifest" / f"{number:08d}.json").write_text(json.dumps(manifest))
    return Store(str(path))


FILE = {"path": "a.jsonl", "size": 3, "sha256": "ab", "unreadable": None, "also": []}


def test_offsets_come_from_the_manifests(tmp_path: Path) -> None:
    runs = [[entry(0, 0, 5), entry(1, 2, 4)], [FILE], [entry(0, 5, 9), entry(2, 0, 7, "other")], [entry(0, 0, 3)]]
    store = store_of(tmp_path / "store", *runs)
    assert read_offsets(store, "T") == {0: 9, 1: 4}
    assert read_offsets(store, "other") == {2: 7}
    assert [is_range(one) for one in (FILE, entry(0, 0, 1))] == [False, True]


def test_starts_tell_what_is_lost() -> None:
    bounds = {0: (0, 20), 1: (12, 30), 2: (0, 4), 3: (7, 9), 4: (6, 6)}
    found, lost = starts({0: 9, 1: 4, 2: 6, 4: 6}, bounds)
    assert found == {0: 9, 1: 12, 2: 0, 3: 7, 4: 6}
    assert [(one.partition, one.wanted) for one in lost] == [(1, 4), (2, 6)]
    assert "the next one to read, 4, is gone (8 offsets)" in str(lost[0])
    assert "ends at offset 4" in str(lost[1])


def test_a_batch_takes_the_oldest_first() -> None:
    held = {
        0: [Message(offset, b"xx", 1000 + offset) for offset in (3, 4, 8)],
        1: [Message(offset, None, 1003) for offset in (0, 1)],
        2: [],
    }
    positions = {0: 9, 1: 5, 2: 0}
    assert batch_ends(held, positions, 1) == {0: (4, 1, 2)}
    assert batch_ends(held, positions, 3) == {0: (4, 1, 2), 1: (5, 2, 0)}
    # A partition that is taken whole ends where the reading stands: offsets without a message lie between.
    assert batch_ends(held, positions, 10) == {0: (9, 3, 6), 1: (5, 2, 0)}
    assert batch_ends(held, positions, 10, most_bytes=3) == {0: (4, 1, 2), 1: (5, 2, 0)}
    assert batch_ends({0: []}, {0: 4}, 10) == {}


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 3), st.integers(-1, 50)), max_size=8), min_size=1, max_size=4),
    st.integers(1, 12),
)
def test_batches_one_after_the_other_take_every_message_once(
    partitions: list[list[tuple[int, int]]], most: int
) -> None:
    held: dict[int, list[Message]] = {}
    for partition, steps in enumerate(partitions):
        offset, held[partition] = 0, []
        for step, written in steps:
            offset += step
            held[partition].append(Message(offset, b"v", written))
    positions = {partition: messages[-1].offset + 2 if messages else 0 for partition, messages in held.items()}
    expected = {(partition, one.offset) for partition, messages in held.items() for one in messages}
    first = dict.fromkeys(held, 0)
    taken: list[tuple[int, int]] = []
    while ends := batch_ends(held, positions, most):
        assert sum(count for _, count, _ in ends.values()) <= most
        for partition, (end, count, size) in ends.items():
            inside = [one for one in held[partition] if first[partition] <= one.offset < end]
            assert (len(inside), size) == (count, count)
            taken += [(partition, one.offset) for one in inside]
            held[partition] = [one for one in held[partition] if one.offset >= end]
            first[partition] = end
    assert len(taken) == len(set(taken))
    assert set(taken) == expected


def test_a_killed_batch_is_gone_on_with_only_where_it_comes_next(tmp_path: Path) -> None:
    store = store_of(tmp_path / "store", [entry(0, 0, 5)])
    staged = tmp_path / "store" / "_staging" / "00000002-abc"
    staged.mkdir(parents=True)
    plan = {"kind": "run", "number": 2, "inputs": [entry(0, 5, 9), entry(1, 3, 4)]}
    (staged / "plan.json").write_text(json.dumps(plan))
    going_on = unfinished_ranges(store, "T", {0: 5, 1: 3})
    assert going_on == [TopicRange(**{**one, "also": ()}) for one in plan["inputs"]]
    assert [one.partition for one in going_on] == [0, 1]
    assert unfinished_ranges(store, "T", {0: 5, 1: 4}) == []
    assert unfinished_ranges(store, "other", {0: 5, 1: 3}) == []
    (staged / "plan.json").write_text(json.dumps({"kind": "run", "number": 2, "inputs": [FILE]}))
    assert unfinished_ranges(store, "T", {0: 5, 1: 3}) == []


def test_places_of_topics() -> None:
    assert parse_topic("kafka://a:9092/news") == ("a:9092", "news")
    assert parse_topic("kafka://a:9092,[::1]:9093/news.raw-1_x") == ("a:9092,[::1]:9093", "news.raw-1_x")
    for wrong in ("kafka://a/news", "kafka://a:9092", "kafka://u:p@a:9092/news", "http://a:9092/n", "kafka://a:9092/n/m",
                  "kafka://a:9092/n?x=1", "kafka://a:b/news", "kafka://[::1/news"):  # fmt: skip
        with pytest.raises(UsageError, match="expected kafka://HOST:PORT/TOPIC"):
            parse_topic(wrong)


def test_options_of_kafka(tmp_path: Path) -> None:
    file = tmp_path / "kafka.conf"
    file.write_text("# broker\nsasl.username = reader\n\nsasl.password=a=b\n")
    assert kafka_options(["sasl.username=me"], str(file)) == {"sasl.username": "me", "sasl.password": "a=b"}
    with pytest.raises(UsageError, match="--kafka-option verbose: expected NAME=VALUE"):
        kafka_options(["verbose"], None)
    file.write_text("x=1\nsecret password\n")
    with pytest.raises(UsageError, match=r"line 2 of .*kafka.conf: expected NAME=VALUE") as error:
        kafka_options([], str(file))
    assert "secret" not in str(error.value)
