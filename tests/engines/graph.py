"""The unbounded graph in tests: `copydesk stream --runner flink` as a process, and what its checkpoints weigh."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines.flink import FlinkCluster
from tests.engines.places import FLINK_JOB_SERVER
from tests.engines.streaming import start_stream

STOP_SECONDS = 60


@contextmanager
def graph_on_flink(
    cluster: FlinkCluster, broker: str, topic: str, store: Path, *flags: str, workers: int = 2
) -> Iterator[subprocess.Popen[bytes]]:
    """A stream on a cluster, for as long as the block lasts; it is stopped as a user would stop it."""
    on_flink = (
        "--runner", "flink", "--flink-master", cluster.address, "--flink-job-server-jar", str(FLINK_JOB_SERVER),
        "--workers", str(workers), "--runner-option", "environment_type=PROCESS",
        "--runner-option", f"environment_config={cluster.process_environment()}",
    )  # fmt: skip
    process = start_stream(broker, topic, store, *on_flink, *flags)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def running_job(cluster: FlinkCluster) -> str | None:
    """The id of the job that runs, if one does."""
    return next((job for job, state in cluster.jobs().items() if state == "RUNNING"), None)


def checkpoint_bytes(cluster: FlinkCluster, job: str) -> int:
    """The size of the job's last checkpoint; 0 before the first."""
    done = cluster.rest(f"/jobs/{job}/checkpoints")["latest"]["completed"]
    return int(done["state_size"]) if done else 0
