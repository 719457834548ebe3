"""A real broker for tests: one node, its data in a folder of its own, on free ports; ended by its process."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.places import free_ports
from tests.engines.produce import wait_for_broker
from tests.pipeline.store_reading import ROOT

START_SECONDS = 90
MISSING_TOOL = 3
"""What .ci/setup_engines ends with where Java or Maven isn't there."""


@dataclass(frozen=True)
class Broker:
    """A broker that runs: where it is reached, without a password and with one, and its process."""

    address: str
    password_address: str
    process: subprocess.Popen[bytes]


def install(engine: str) -> None:
    """Fetches an engine; skips the test where its tools are missing."""
    done = subprocess.run([ROOT / ".ci" / "setup_engines", engine], capture_output=True, text=True, check=False)
    if done.returncode == MISSING_TOOL:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-2000:]


@contextmanager
def running_broker(folder: Path, ports: Sequence[int] = ()) -> Iterator[Broker]:
    """Starts a broker and waits until it answers; ends it, and waits for that, in the end.

    Args:
        folder: where its data is, or is to be.
        ports: three that are free; found where none are given.
    """
    port, controller, password = ports or free_ports(3)
    command = [str(ROOT / ".ci" / "kafka_broker"), str(folder), str(port), str(controller), str(password)]
    log = folder.parent / "broker.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
    try:
        wait_for(f"127.0.0.1:{port}", process, log)
        yield Broker(f"127.0.0.1:{port}", f"127.0.0.1:{password}", process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the broker answers; fails with its log where it doesn't."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if wait_for_broker(address, 1.0):
            return
    pytest.fail(f"the broker did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests that ask for one; each makes topics of its own."""
    if shutil.which("java") is None:
        pytest.skip("Kafka needs Java, which is not installed")
    install("kafka")
    with running_broker(tmp_path_factory.mktemp("kafka") / "data") as found:
        yield found
