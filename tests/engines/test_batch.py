"""A batch on Prism and on Flink ends in the store of the local runner, also where a TaskManager is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.benchmarks.month import month_of
from tests.engines.comparing import differences
from tests.engines.flink import FlinkCluster, flink_cluster
from tests.engines.places import FLINK_JOB_SERVER, NEEDS_FLINK, NEEDS_PRISM, PRISM, ROOT
from tests.pipeline.store_reading import SEEDS, run_over, write_jsonl

pytestmark = pytest.mark.engines
SECONDS_A_RUN = 240
ON_FLINK = ("--runner", "flink", "--flink-job-server-jar", str(FLINK_JOB_SERVER))


def run_on(store: Path, inputs: Sequence[Path], *flags: str) -> subprocess.CompletedProcess[str]:
    """`copydesk run` in a process of its own, which must commit."""
    command = [sys.executable, "-m", "pipeline", "run", "--store", str(store), "--input", *map(str, inputs), *flags]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_A_RUN, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The seeds, and some 1,500 made-up articles with their copies in six files, so that there is work for several."""
    folder = tmp_path_factory.mktemp("news")
    rows = [row for day in month_of(15, 100) for row in day]
    files = [write_jsonl(folder / f"{number}.jsonl", rows[number::6]) for number in range(6)]
    return [SEEDS / "articles", SEEDS / "refused", *files]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, news: list[Path]) -> Path:
    """The store of the local runner: a run over half of the news, and another over all."""
    store = tmp_path_factory.mktemp("local") / "store"
    run_over(store, *news[:5])
    run_over(store, *news)
    return store


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> FlinkCluster:
    """A JobManager and two TaskManagers of one slot each."""
    with flink_cluster(tmp_path_factory.mktemp("flink"), task_managers=2, slots=1) as running:
        yield running


@NEEDS_PRISM
def test_prism_ends_in_the_same_store(tmp_path: Path, news: list[Path], local: Path) -> None:
    for inputs in (news[:5], news):
        run_on(tmp_path / "store", inputs, "--runner", "prism", "--prism-location", str(PRISM))
    assert differences(local, tmp_path / "store") == []


@NEEDS_FLINK
def test_flink_inside_the_run_ends_in_the_same_store(tmp_path: Path) -> None:
    run_over(tmp_path / "local", SEEDS / "articles")
    run_on(tmp_path / "store", [SEEDS / "articles"], *ON_FLINK)
    assert differences(tmp_path / "local", tmp_path / "store") == []


@NEEDS_FLINK
def test_a_cluster_that_loses_a_task_manager_ends_in_the_same_store(
    tmp_path: Path, news: list[Path], local: Path, cluster: FlinkCluster
) -> None:
    flags = [
        *ON_FLINK, "--flink-master", cluster.address, "--runner-option", "environment_type=PROCESS",
        "--runner-option", f"environment_config={cluster.process_environment()}", "--workers", "2",
    ]  # fmt: skip
    run_on(tmp_path / "store", news[:5], *flags)
    killed = threading.Event()

    def kill_in_the_middle() -> None:
        """Once the second run has staged something, which it does while its first job runs on both."""
        while not any((tmp_path / "store" / "_staging").glob("*/staged/articles/*.arrow")):
            time.sleep(0.05)
        cluster.kill(1)
        killed.set()

    killer = threading.Thread(target=kill_in_the_middle, daemon=True)
    killer.start()
    # What is left has one slot: a job asks for as many as it has workers.
    flags[-1] = "1"
    run_on(tmp_path / "store", news, *flags)
    assert killed.is_set()
    assert differences(local, tmp_path / "store") == []
