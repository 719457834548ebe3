"""The unbounded graph on a real Flink cluster with a real broker: a TaskManager is killed, and nothing is lost."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from pipeline.progress import Progress
from pipeline.run import reconcile
from pipeline.store import Store
from tests.benchmarks.month import month_of
from tests.engines.flink import flink_cluster
from tests.engines.graph import checkpoint_bytes, graph_on_flink, running_job
from tests.engines.kafka import Broker
from tests.engines.places import NEEDS_FLINK, NEEDS_PRISM, PRISM
from tests.engines.produce import make_topic, produce
from tests.engines.streaming import differences, records_of, start_stream, wait_until, whole_ranges
from tests.pipeline.store_reading import run_over, write_jsonl

DAYS, ARTICLES = 4, 500


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [row for day in month_of(DAYS, ARTICLES) for row in day]


def values(rows: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


@NEEDS_PRISM
def test_prism_runs_the_graph_and_goes_on_where_it_was_stopped(
    broker: Broker, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Two jobs after one another, the second of which knows the first by the store alone."""
    store, given = tmp_path / "store", rows[:300]
    make_topic(broker.address, "prism", 2)
    for reached in (150, 300):
        produce(broker.address, "prism", values(given[reached - 150 : reached]))
        flags = ("--every", "1", "--runner", "prism", "--prism-location", str(PRISM))
        process = start_stream(broker.address, "prism", store, *flags)
        wait_until(lambda reached=reached: store.exists() and records_of(store) >= reached)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert sum(whole_ranges(store).values()) == records_of(store) == len(given)
    run_over(tmp_path / "batch", write_jsonl(tmp_path / "all.jsonl", given))
    reconcile(str(store), 1, Progress(None))
    assert differences(tmp_path / "batch", store) == {}


@NEEDS_FLINK
def test_a_killed_task_manager_costs_nothing(broker: Broker, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """Killed with its workers between two checkpoints, while articles come; another one takes over."""
    run_over(tmp_path / "batch", write_jsonl(tmp_path / "all.jsonl", rows))
    store, half = tmp_path / "store", len(rows) // 2
    make_topic(broker.address, "news", 2)
    with (
        flink_cluster(tmp_path / "flink", task_managers=2, slots=2) as cluster,
        graph_on_flink(cluster, broker.address, "news", store, "--every", "1"),
    ):
        produce(broker.address, "news", values(rows[:half]), per_second=400)
        wait_until(lambda: store.exists() and records_of(store) > 0, 120)
        job = running_job(cluster)
        assert job is not None
        wait_until(lambda: checkpoint_bytes(cluster, job) > 0, 60)
        cluster.kill(1)
        produce(broker.address, "news", values(rows[half:]), per_second=400)
        wait_until(lambda: records_of(store) >= len(rows), 120, lambda: cluster.told(job))
        restarts = cluster.rest(f"/jobs/{job}/checkpoints")["counts"]["restored"]
    assert restarts > 0, "the job did not come back from a checkpoint"
    assert records_of(store) == len(rows)
    assert sum(whole_ranges(store).values()) == len(rows)
    assert len(Store(str(store)).manifests) > 1, "all came in one commit: nothing was tested"
    reconcile(str(store), 1, Progress(None))
    assert differences(tmp_path / "batch", store) == {}
