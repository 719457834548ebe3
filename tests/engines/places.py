"""Where `.ci/setup_engines` has put the engines, and how a test is skipped without them."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ROOT / ".engines"
PRISM = ENGINES / "bin" / "prism"
BOOT = ENGINES / "bin" / "boot"
FLINK_LIB = ENGINES / "flink" / "lib"
FLINK_JOB_SERVER = ENGINES / "flink-job-server.jar"


def needs(engine: str, *paths: Path, tools: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Skips what lacks an engine's files or the tools it runs with, and says which."""
    missing = [f"`{tool}` is not installed" for tool in tools if shutil.which(tool) is None]
    missing += [
        f"{path.relative_to(ROOT)} is missing (.ci/setup_engines {engine})" for path in paths if not path.exists()
    ]
    return pytest.mark.skipif(bool(missing), reason="; ".join(missing))


NEEDS_PRISM = needs("prism", PRISM)
NEEDS_FLINK = needs("flink", BOOT, FLINK_LIB, FLINK_JOB_SERVER, tools=("java",))


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def worker_environment() -> dict[str, str]:
    """The environment of a worker process that runs this tree's code with this interpreter."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT": "1",
    }
