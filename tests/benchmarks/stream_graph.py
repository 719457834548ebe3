"""What the unbounded graph sustains with broker, Flink and workers on one machine, and how much state it holds.

    .venv/bin/python -m tests.benchmarks.stream_graph [--days 4] [--articles 15000] [--window-days 1]
        [--input FILE.jsonl] [--partitions 4] [--workers 2] [--every 5] [--folder KEPT]

Made-up days of news (or a file's records, spread over so many days) are put into a topic, each message with its time of
publication as the broker's time; then `copydesk stream --runner flink` reads them as fast as it can. A line every few
seconds: messages committed, the rate since the line before, the size of the last checkpoint, how long it took, and the
event time reached in windows. In the end the rate from the first batch staged to the last commit, that from the first
commit on, when all that is loaded once is loaded, and the CPU time an article took of Flink and of the workers. Needs
`.ci/setup_engines flink kafka`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from pipeline.store import Store
from pipeline.verify import verify
from tests.benchmarks.month import FIRST_DAY, day_of
from tests.engines.flink import FlinkCluster, flink_cluster
from tests.engines.graph import graph_on_flink, running_job
from tests.engines.kafka import running_broker
from tests.engines.produce import make_topic

DAY_MS = 86_400_000
FIRST_MS = int(datetime.datetime.combine(FIRST_DAY, datetime.time(), datetime.UTC).timestamp()) * 1000
LOOK_SECONDS = 5.0
TOPIC = "articles"


def timed_rows(given: argparse.Namespace) -> Iterator[tuple[int, bytes]]:
    """Each record as JSON with its time, in the order of time."""
    if given.input is not None:
        lines = [line for line in given.input.read_bytes().splitlines() if line.strip()]
        for number, line in enumerate(lines):
            ms = FIRST_MS + number * given.days * DAY_MS // len(lines)
            day = datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC).isoformat()
            yield ms, json.dumps(json.loads(line) | {"date": day}, ensure_ascii=False).encode()
        return
    for day in range(given.days):
        rows = day_of(day, given.articles)
        for number, row in enumerate(rows):
            ms = FIRST_MS + day * DAY_MS + number * DAY_MS // len(rows)
            yield ms, json.dumps(row, ensure_ascii=False).encode()


def fill(broker: str, given: argparse.Namespace) -> tuple[int, int]:
    """Puts all records into the topic; gives how many, and their bytes."""
    # The broker would delete messages of another month.
    make_topic(broker, TOPIC, given.partitions, **{"retention.ms": "-1"})
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 20, "queue.buffering.max.messages": 500_000})
    count = size = 0
    for ms, value in timed_rows(given):
        producer.produce(TOPIC, value, partition=count % given.partitions, timestamp=ms)
        producer.poll(0)
        count, size = count + 1, size + len(value)
    if producer.flush(60):
        raise RuntimeError("not all messages were written within 60 s")
    return count, size


class Committed:
    """What the store holds, read commit by commit."""

    def __init__(self, store: Path) -> None:
        self.store, self.seen = store, set[str]()
        self.records = 0
        self.commits: list[tuple[datetime.datetime, int]] = []
        self.began = self.ended = datetime.datetime.now(datetime.UTC)

    def look(self) -> int:
        """Records committed by now."""
        for path in sorted((self.store / "manifest").glob("*.json")):
            if path.name not in self.seen:
                self.seen.add(path.name)
                manifest: dict[str, Any] = json.loads(path.read_text())
                self.records += manifest["counts"]["records"]
                self.ended = datetime.datetime.fromisoformat(manifest["committed_at"])
                self.commits.append((self.ended, self.records))
        return self.records

    def sustained(self) -> float:
        """Articles a second from the first commit to the last one; 0 where there was but one."""
        (first, held), (last, reached) = self.commits[0], self.commits[-1]
        return (reached - held) / (last - first).total_seconds() if last > first else 0.0


def worker_cpu(cluster: FlinkCluster) -> dict[str, float]:
    """CPU seconds so far of the cluster's processes and their workers: of Java, and of Python."""
    found = {"java": 0.0, "python": 0.0}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, _, rest = (entry / "stat").read_text().partition(") ")
                fields = rest.split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            kind = next((one for one in found if f"({one}" in name), None)
            if kind and int(fields[3]) in {process.pid for process in cluster.processes.values()}:
                found[kind] += (int(fields[11]) + int(fields[12])) / 100
    return found


def watch(cluster: FlinkCluster, store: Path, count: int, given: argparse.Namespace) -> Committed:
    """Prints what happens until all is committed."""
    committed, before, job = Committed(store), (time.monotonic(), 0), None
    print("seconds committed rate checkpoint_kB checkpoint_ms windows", flush=True)
    started = time.monotonic()
    while not (store / "_stream").exists() and time.monotonic() - started < given.most_seconds:
        time.sleep(0.05)
    committed.began = datetime.datetime.now(datetime.UTC)
    while committed.look() < count:
        time.sleep(LOOK_SECONDS)
        job = job or running_job(cluster)
        done = cluster.rest(f"/jobs/{job}/checkpoints")["latest"]["completed"] if job else None
        now, records = time.monotonic(), committed.look()
        rate = (records - before[1]) / (now - before[0])
        before = now, records
        reached = records / count * given.days / given.window_days
        size, took = (done["state_size"] / 1000, done["end_to_end_duration"]) if done else (0, 0)
        print(f"{now - started:.0f} {records} {rate:.0f} {size:.0f} {took} {reached:.2f}", flush=True)
        if now - started > given.most_seconds:
            print(f"gave up after {given.most_seconds} s", file=sys.stderr)
            break
    return committed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--articles", type=int, default=15_000)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--window-days", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", default="5")
    parser.add_argument("--most-seconds", type=int, default=400)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        broker = stack.enter_context(running_broker(folder / "kafka"))
        count, size = fill(broker.address, given)
        print(f"{count} messages of {size / count:.0f} bytes over {given.days} days, window {given.window_days}")
        cluster = stack.enter_context(flink_cluster(folder / "flink", task_managers=2, slots=1))
        store = folder / "store"
        flags = ("--every", given.every, "--set", f"match.window_days={given.window_days}")
        with graph_on_flink(cluster, broker.address, TOPIC, store, *flags, workers=given.workers):
            committed = watch(cluster, store, count, given)
            cpu = worker_cpu(cluster)
        took = (committed.ended - committed.began).total_seconds()
        print(f"{committed.records / took:.0f} articles a second: {committed.records} in {took:.1f} s")
        print(f"{committed.sustained():.0f} a second from the first of {len(committed.commits)} commits on")
        opened = Store(str(store))
        print("CPU milliseconds an article:", {kind: round(1000 * took / count, 3) for kind, took in cpu.items()})
        broken = [promise for promise, found in verify(opened) if found]
        print("verify:", broken or "every promise holds")
    return bool(broken) or committed.records != count


if __name__ == "__main__":
    raise SystemExit(main())
