"""`copydesk stream` killed, stopped and started again, as a command of its own."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

from pipeline.store import Store
from pipeline.vacuum import vacuum
from tests.benchmarks.month import month_of
from tests.engines.kafka import Broker, running_broker
from tests.engines.places import free_ports
from tests.engines.produce import make_topic, produce
from tests.engines.streaming import (
    differences,
    kill,
    records_of,
    start_stream,
    wait_until,
    whole_ranges,
)
from tests.pipeline.store_reading import run_over, write_jsonl

KILLS = 20
LONGEST_LIFE = 5.0
"""Seconds from when the stream reads: a batch or two, and on a busy machine a part of one that is gone on with."""
ROWS = [row for day in month_of(3, 80) for row in day]


def test_killed_twenty_times_nothing_is_missing_and_nothing_doubled(broker: Broker, tmp_path: Path) -> None:
    store, chance = tmp_path / "store", random.Random(7)
    make_topic(broker.address, "kills", 3)
    values = [json.dumps(row).encode() for row in ROWS]
    for number in range(KILLS):
        # Some come before, some while it runs.
        produce(broker.address, "kills", values[len(values) * number // KILLS : len(values) * (number + 1) // KILLS])
        process = start_stream(broker.address, "kills", store, "--every", "0.1", "--max-articles", "12")
        time.sleep(chance.uniform(0.0, LONGEST_LIFE))
        assert process.poll() is None, store.with_suffix(".log").read_text()[-2000:]
        kill(process)
    log = store.with_suffix(".log").read_text()
    went_on = log.count("a batch had not finished")
    committed = len(Store(str(store)).manifests)
    print(f"{KILLS} kills, {committed} runs committed, {went_on} unfinished batches gone on with")
    assert committed >= 2, "it was killed too early to have done anything"
    assert went_on > 3, "no kill hit a batch at work"
    last = start_stream(broker.address, "kills", store, "--every", "0.1", "--until-idle", "1")
    assert last.wait(120) == 0
    assert records_of(store) == len(ROWS) == sum(whole_ranges(store).values())
    run_over(tmp_path / "batch", write_jsonl(tmp_path / "articles.jsonl", ROWS))
    assert differences(tmp_path / "batch", store) == {}
    assert [one.path for one in vacuum(str(store), 0, dry_run=True)] == []


def test_a_broker_that_goes_and_comes_back_ends_nothing(broker: Broker, tmp_path: Path) -> None:
    del broker  # it shows that Java is there; this one is stopped
    store, ports = tmp_path / "store", free_ports(3)
    values = [json.dumps(row).encode() for row in ROWS[:20]]
    with running_broker(tmp_path / "broker", ports) as mine:
        make_topic(mine.address, "away", 1)
        produce(mine.address, "away", values[:10])
        process = start_stream(mine.address, "away", store, "--every", "0")
        wait_until(lambda: Store(str(store)).manifests)
    wait_until(lambda: "Connection refused" in store.with_suffix(".log").read_text())
    assert process.poll() is None
    with running_broker(tmp_path / "broker", ports) as mine:
        produce(mine.address, "away", values[10:])
        wait_until(lambda: records_of(store) == 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert whole_ranges(store) == {"kafka:///away#0": 20}


def test_sigterm_finishes_the_batch_in_hand(broker: Broker, tmp_path: Path) -> None:
    store = tmp_path / "store"
    make_topic(broker.address, "stopped", 2)
    produce(broker.address, "stopped", [json.dumps(row).encode() for row in ROWS[:60]])
    process = start_stream(broker.address, "stopped", store, "--every", "0", "--max-articles", "30")
    staged = store / "_staging"
    wait_until(lambda: staged.is_dir() and any((one / "1-stage.json").exists() for one in staged.iterdir()))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert 0 < records_of(store) <= 30, "what was there when the batch was begun, and no more"
    assert "ending with the batch in hand" in store.with_suffix(".log").read_text()
    assert [one.name for one in staged.iterdir()] == ["lock"]
    again = start_stream(broker.address, "stopped", store, "--every", "0", "--until-idle", "1", ready=False)
    assert again.wait(60) == 0
    assert records_of(store) == 60 == sum(whole_ranges(store).values())


def test_a_second_signal_ends_at_once(broker: Broker, tmp_path: Path) -> None:
    store = tmp_path / "store"
    make_topic(broker.address, "twice", 1)
    produce(broker.address, "twice", [json.dumps(row).encode() for row in ROWS])
    process = start_stream(broker.address, "twice", store, "--every", "0")
    staged = store / "_staging"
    wait_until(lambda: staged.is_dir() and any((one / "plan.json").exists() for one in staged.iterdir()))
    process.send_signal(signal.SIGINT)
    wait_until(lambda: "ending with" in store.with_suffix(".log").read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert Store(str(store)).manifests == []
