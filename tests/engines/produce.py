"""Sends the records of JSON Lines files to a topic, which is made where it isn't there.

    python -m tests.engines.produce --broker HOST:PORT --topic NAME [--partitions 3] [--per-second N] [--wait S] FILE...

--wait waits so many seconds for a broker that is just starting. Without a file the topic is made, and that is all.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import zstandard
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

FLUSH_SECONDS = 30.0


def wait_for_broker(broker: str, seconds: float) -> bool:
    """Until the broker answers, so many seconds at most; gives whether it did."""
    admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            admin.list_topics(timeout=1)
        except KafkaException:
            time.sleep(0.2)
        else:
            return True
    return False


def make_topic(broker: str, topic: str, partitions: int = 3, **settings: str) -> None:
    """Makes a topic; one that is there stays as it is."""
    admin = AdminClient({"bootstrap.servers": broker})
    made = admin.create_topics([NewTopic(topic, partitions, 1, config=settings)])[topic]
    try:
        made.result(timeout=FLUSH_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def produce(broker: str, topic: str, values: Iterable[bytes | None], partition: int = -1, per_second: float = 0) -> int:
    """Sends values, spread over the partitions or to one; gives how many when all are written."""
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 5, "partitioner": "random"})
    count = 0
    for value in values:
        count += 1
        producer.produce(topic, value, partition=partition)
        producer.poll(0)
        if per_second:
            time.sleep(1 / per_second)
    left = producer.flush(FLUSH_SECONDS)
    if left:
        raise RuntimeError(f"{left} of {count} messages were not written within {FLUSH_SECONDS:.0f} s")
    return count


def lines_of(paths: Sequence[Path]) -> list[bytes]:
    """The lines of files, also of compressed ones; those that aren't empty."""
    opened = {".gz": gzip.open, ".zst": zstandard.open}
    lines: list[bytes] = []
    for path in paths:
        with opened.get(path.suffix, open)(path, "rb") as file:
            lines += [line for line in file.read().splitlines() if line.strip()]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, default=3)
    parser.add_argument("--per-second", type=float, default=0)
    parser.add_argument("--wait", type=float, default=0)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    wait_for_broker(given.broker, given.wait)
    make_topic(given.broker, given.topic, given.partitions)
    if not given.files:
        return 0
    count = produce(given.broker, given.topic, lines_of(given.files), per_second=given.per_second)
    print(f"produce: {count} messages are in {given.topic}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
