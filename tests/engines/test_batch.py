"""A batch on Prism and on Flink ends in the store of the local runner, also where a TaskManager is killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.benchmarks.month import month_of
from tests.engines.comparing import differences
from tests.engines.flink import flink_cluster
from tests.engines.places import FLINK_JOB_SERVER, NEEDS_FLINK, NEEDS_PRISM, PRISM, ROOT
from tests.pipeline.store_reading import SEEDS, run_over, write_jsonl

pytestmark = pytest.mark.engines
SECONDS_A_RUN = 500
ON_FLINK = ("--runner", "flink", "--flink-job-server-jar", str(FLINK_JOB_SERVER))


STRICTER = ("--set", "match.copy_score=12")


def command(name: str, store: Path, *flags: str) -> str:
    """A command of the program in a process of its own, which must end well; gives what it printed."""
    asked = [sys.executable, "-m", "pipeline", name, "--store", str(store), *flags]
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_A_RUN, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


def run_on(store: Path, inputs: Sequence[Path], *flags: str) -> None:
    """`copydesk run`, which must commit."""
    command("run", store, "--input", *map(str, inputs), *flags)


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The seeds, and some 600 made-up articles with their copies in six files, so that there is work for several."""
    folder = tmp_path_factory.mktemp("news")
    rows = [row for day in month_of(15, 40) for row in day]
    files = [write_jsonl(folder / f"{number}.jsonl", rows[number::6]) for number in range(6)]
    return [SEEDS / "articles", SEEDS / "refused", *files]


@NEEDS_PRISM
def test_prism_ends_in_the_same_store(tmp_path: Path, news: list[Path]) -> None:
    for inputs in (news[:5], news):
        run_over(tmp_path / "local", *inputs)
        run_on(tmp_path / "store", inputs, "--runner", "prism", "--prism-location", str(PRISM))
    assert differences(tmp_path / "local", tmp_path / "store") == []


@NEEDS_PRISM
def test_prism_reconciles_relabels_and_upgrades_alike(tmp_path: Path, news: list[Path]) -> None:
    """What is made of a store without reading inputs, on an engine and here."""
    run_over(tmp_path / "local", *news[:5])
    run_over(tmp_path / "local", *news[5:], provisional=True)
    shutil.copytree(tmp_path / "local", tmp_path / "store")
    on_prism = ("--runner", "prism", "--prism-location", str(PRISM))
    for name, *flags in (("reconcile",), ("relabel", *STRICTER)):
        assert "Nothing new" not in command(name, tmp_path / "local", *flags)
        command(name, tmp_path / "store", *flags, *on_prism)
        assert differences(tmp_path / "local", tmp_path / "store") == []
    command("upgrade", tmp_path / "local", "--to", str(tmp_path / "anew"))
    command("upgrade", tmp_path / "store", "--to", str(tmp_path / "anew on prism"), *on_prism)
    assert differences(tmp_path / "anew", tmp_path / "anew on prism") == []


@NEEDS_FLINK
def test_flink_inside_the_run_ends_in_the_same_store(tmp_path: Path) -> None:
    run_over(tmp_path / "local", SEEDS / "articles")
    run_on(tmp_path / "store", [SEEDS / "articles"], *ON_FLINK)
    assert differences(tmp_path / "local", tmp_path / "store") == []
    assert "Nothing new" not in command("relabel", tmp_path / "local", *STRICTER)
    command("relabel", tmp_path / "store", *STRICTER, *ON_FLINK)
    assert differences(tmp_path / "local", tmp_path / "store") == []


@NEEDS_FLINK
def test_a_cluster_that_loses_a_task_manager_ends_in_the_same_store(tmp_path: Path, news: list[Path]) -> None:
    run_over(tmp_path / "local", *news)
    # Two slots each: what is left has room for the job's two workers.
    with flink_cluster(tmp_path / "flink", task_managers=2, slots=2) as cluster:
        killed = threading.Event()

        def kill_in_the_middle() -> None:
            """Once something is staged, which the first job does on both."""
            while not any((tmp_path / "store" / "_staging").glob("*/staged/articles/*.arrow")):
                time.sleep(0.05)
            cluster.kill(1)
            killed.set()

        threading.Thread(target=kill_in_the_middle, daemon=True).start()
        run_on(
            tmp_path / "store", news, *ON_FLINK, "--flink-master", cluster.address, "--workers", "2",
            "--runner-option", "environment_type=PROCESS",
            "--runner-option", f"environment_config={cluster.process_environment()}",
        )  # fmt: skip
        assert killed.is_set()
        assert cluster.task_managers() == 1
        assert set(cluster.jobs().values()) == {"FINISHED"}
        assert any(cluster.rest(f"/jobs/{job}")["timestamps"]["RESTARTING"] for job in cluster.jobs())
    assert differences(tmp_path / "local", tmp_path / "store") == []
