"""Streams in tests: in this process, or as a command that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pipeline.compare import compare
from pipeline.progress import Progress
from pipeline.store import Store
from pipeline.stream import StreamOptions, stream
from pipeline.stream_status import Committed
from pipeline.stream_topic import TopicSource
from pipeline.verify import verify
from schemas.settings import Settings
from tests.pipeline.store_reading import ROOT
from transforms.functions.messages import MessageForm
from transforms.functions.topics import Topic

WAIT_SECONDS = 60


def stream_topic(
    broker: str, name: str, store: Path, *, every: float = 0.1, most: int = 1000, form: MessageForm | None = None,
    **source: bool,
) -> Committed:  # fmt: skip
    """Reads a topic until it is idle, in this process."""
    topic = Topic(broker, name, (), form or MessageForm())
    options = StreamOptions(str(store), Settings(), every=every, most=most, until_idle=0.5)
    return stream(options, TopicSource(topic, **source), Progress(None))


def start_stream(broker: str, name: str, store: Path, *flags: str, ready: bool = True) -> subprocess.Popen[bytes]:
    """The command, in a process of its own; waits until it reads. Its log grows beside the store."""
    command = [sys.executable, "-m", "pipeline", "stream", "--from", f"kafka://{broker}/{name}", "--store", str(store)]
    log = store.with_suffix(".log")
    with log.open("ab") as sink:
        start = sink.tell()
        process = subprocess.Popen([*command, *flags], cwd=ROOT, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
    if ready:
        wait_until(lambda: b"copydesk: reading" in log.read_bytes()[start:] or process.poll() is not None)
        assert process.poll() is None, log.read_text()[-2000:]
    return process


def wait_until(held: Callable[[], Any], seconds: float = WAIT_SECONDS, told: Callable[[], str] = str) -> None:
    """Until `held()` is true; fails after so many seconds, with what `told()` says then."""
    end = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < end, f"waited {seconds} s in vain\n{told()}"
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process as nothing can be heard of it."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def ranges_of(store: Path) -> list[dict[str, Any]]:
    """The ranges of offsets of all runs, in their order."""
    return [entry for manifest in Store(str(store)).manifests for entry in manifest["inputs"]]


def whole_ranges(store: Path) -> dict[str, int]:
    """By partition up to where it was read; fails where a range doesn't begin where the one before ended."""
    ends: dict[str, int] = {}
    for entry in ranges_of(store):
        assert entry["first_offset"] == ends.get(entry["path"], 0), entry
        ends[entry["path"]] = entry["end_offset"]
    return ends


def differences(left: Path, right: Path) -> dict[str, int]:
    """What differs between two stores, and what promises the second breaks."""
    found = compare(Store(str(left)), Store(str(right)))
    # A text lacks the furniture that was known when it came: batches of a stream know less than one batch of all.
    wrong = {kind: one.count for kind, one in found.kinds.items() if one.count and kind != "text"}
    return wrong | {promise: len(broken) for promise, broken in verify(Store(str(right))) if broken}


def records_of(store: Path) -> int:
    return sum(manifest["counts"]["records"] for manifest in Store(str(store)).manifests)


def reasons_of(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(row["reason"] for row in rows)
