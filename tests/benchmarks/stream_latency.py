"""From message to `clean/`: how long a micro-batch of a stream takes while the store holds many articles.

    .venv/bin/python -m tests.benchmarks.stream_latency [--articles 100000] [--batches 10] [--size 100] [--store STORE]

A broker is started (`.ci/setup_engines kafka` first), a store is made of one run over fifty made-up days (or STORE is
taken, linked and left as it is), and `copydesk stream` is started as a command of its own. A batch is sent when the one
before is committed and a second has passed: articles of the day after, a twentieth of them undated. Its time runs from
before its first message is sent until the manifest that names its last offset is there. The first batch warms up. In
the end what the stream left undecided is reconciled, and timed too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from pipeline.store import Store
from tests.benchmarks.month import day_of
from tests.benchmarks.speed import measure
from tests.engines.kafka import running_broker
from tests.engines.produce import make_topic, produce
from tests.engines.streaming import start_stream
from tests.pipeline.store_reading import write_jsonl

DAYS = 50
TOPIC = "latency"
WAIT_SECONDS = 300


def make_store(folder: Path, articles: int) -> Path:
    """A store of so many articles in one run."""
    for day in range(DAYS):
        write_jsonl(folder / "in" / f"{day:03d}.jsonl", day_of(day, articles // DAYS))
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--input", str(folder / "in"), "--store"]
    cpu, wall, _ = measure([*command, str(folder / "store")])
    print(f"store of {articles:,} articles made in {wall:.0f} s ({cpu:.0f} CPU s)", flush=True)
    return folder / "store"


def read_messages(store: Path) -> int:
    """How many messages the manifests say were read; those of before the stream are files."""
    manifests = sorted((store / "manifest").glob("*.json"), reverse=True)
    count = 0
    for path in manifests:
        entries = [entry for entry in json.loads(path.read_bytes())["inputs"] if "end_offset" in entry]
        count += sum(entry["messages"] for entry in entries)
    return count


def timed_batch(broker: str, store: Path, values: list[bytes]) -> float:
    """Sends a batch; seconds until the store has all of it."""
    wanted = read_messages(store) + len(values)
    held = len(os.listdir(store / "manifest"))
    started = time.perf_counter()
    produce(broker, TOPIC, values)
    while time.perf_counter() - started < WAIT_SECONDS:
        if len(os.listdir(store / "manifest")) > held:
            now = time.perf_counter()
            if read_messages(store) >= wanted:
                return now - started
            held = len(os.listdir(store / "manifest"))
        time.sleep(0.005)
    raise RuntimeError(f"a batch was not committed within {WAIT_SECONDS} s; see {store.with_suffix('.log')}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=3)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.store.parent if given.store else None) as name:
        folder = Path(name)
        store = folder / "linked"
        shutil.copytree(given.store or make_store(folder, given.articles), store, copy_function=os.link)
        rows = day_of(DAYS, max(2000, given.size * (given.batches + 1)))
        values = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
        with running_broker(folder / "broker") as broker:
            make_topic(broker.address, TOPIC, given.partitions)
            flags = ("--every", "0.5", "--max-articles", str(given.size), "--reconcile-after", "1000000")
            process = start_stream(broker.address, TOPIC, store, *flags)
            taken: list[float] = []
            for number in range(given.batches + 1):
                batch = values[number * given.size : (number + 1) * given.size]
                taken.append(timed_batch(broker.address, store, batch))
                counts = Store(str(store)).manifests[-1]["counts"]
                told = ", ".join(f"{counts[key]} {key}" for key in ("clean", "copies", "rejected", "relabelled"))
                print(
                    f"batch {number:2} {taken[-1]:6.2f} s   {told}{'   (warms up)' if not number else ''}", flush=True
                )
                time.sleep(1)
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_SECONDS)
        warm = sorted(taken[1:])
        print(
            f"message to clean/, {given.size} articles a batch: median {statistics.median(warm):.2f} s, "
            f"least {warm[0]:.2f}, most {warm[-1]:.2f}"
        )
        cpu, wall, _ = measure([sys.executable, "-m", "pipeline", "reconcile", "--store", str(store)])
        print(f"reconcile afterwards: {wall:.1f} s ({cpu:.1f} CPU s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
