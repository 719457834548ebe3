"""Running the unbounded graph in tests: batches of messages by TestStream or as they are, on Beam's direct runners."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue

from pipeline.build_stream import StreamOptions, build_stream
from pipeline.commit_stream import Feed
from pipeline.progress import Progress
from pipeline.run import reconcile
from schemas.settings import Settings
from transforms.functions.message_batches import MessageRange, pack_messages
from transforms.functions.messages import Message
from transforms.functions.topics import Topic

TOPIC = Topic("broker:9092", "news")
DAY_MS = 86_400_000
START_MS = 20_648 * DAY_MS
"""2026-07-14."""


@dataclass(frozen=True)
class Sent:
    """A batch of messages of a partition, the first at an offset, all sent at one time."""

    packed: bytes
    seconds: float


@dataclass
class Script:
    """What a test's stream does, step by step."""

    steps: TestStream = field(default_factory=lambda: TestStream(coder=BytesCoder()))

    def send(self, *batches: Sent) -> Script:
        """Batches arrive, together."""
        self.steps = self.steps.add_elements([TimestampedValue(one.packed, one.seconds) for one in batches])
        return self

    def reach(self, ms: int) -> Script:
        """The watermark comes to a time."""
        self.steps = self.steps.advance_watermark_to(ms / 1000)
        return self

    def wait(self) -> Script:
        """Processing time goes on until every timer of it has fired."""
        self.steps = self.steps.advance_processing_time(4e9)
        return self


def batch_of(rows: Sequence[Any], first: int, *, partition: int = 0, ms: int = START_MS) -> Sent:
    """Rows (objects, or bytes as they are) as messages from an offset on."""
    values = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    messages = [Message(first + number, value, ms) for number, value in enumerate(values)]
    return Sent(pack_messages(MessageRange("news", partition, first, first + len(rows), ms), messages), ms / 1000)


def batches_of(rows: Sequence[Any], size: int, *, first: int = 0, partition: int = 0) -> list[Sent]:
    """All rows in batches of a size, each a minute after the one before."""
    return [
        batch_of(rows[at : at + size], first + at, partition=partition, ms=START_MS + at * 60_000)
        for at in range(0, len(rows), size)
    ]


def options_of(store: Path, **assignments: str) -> StreamOptions:
    """What the graph is asked to do."""
    settings = Settings().replace({key.replace("__", "."): value for key, value in assignments.items()})
    return StreamOptions(str(store), settings)


def feed_of(*starts: int) -> Feed:
    """The topic, read from an offset of each of its partitions."""
    return Feed(TOPIC, "topic-1", dict(enumerate(starts)))


def play(script: Script, options: StreamOptions, feed: Feed | None = None) -> None:
    """Runs the graph over a script until its end; the topic has one partition unless told otherwise."""
    beam_options = PipelineOptions([])
    beam_options.view_as(StandardOptions).streaming = True
    pipeline = beam.Pipeline(runner=BundleBasedDirectRunner(), options=beam_options)
    source = pipeline | "Script" >> script.steps.advance_watermark_to_infinity().with_output_types(bytes)
    build_stream(source, feed or feed_of(0), options)
    pipeline.run().wait_until_finish()


def reconciled(store: Path) -> dict[str, Any]:
    """Makes a store's labels final; gives the manifest."""
    return reconcile(str(store), 1, Progress(None))
