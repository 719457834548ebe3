"""A topic into a store by the unbounded graph, on a runner of Beam's: what `copydesk stream --runner` does."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import apache_beam as beam

from pipeline.build_stream import StreamOptions, build_stream
from pipeline.commit_stream import Feed
from pipeline.errors import UsageError
from pipeline.runners import FLINK, PRISM, Jobs, RunnerChoice
from pipeline.store import Store
from pipeline.stream_topic import told
from pipeline.topic_ledger import read_offsets, starts
from transforms.functions.signing import scheme
from transforms.functions.topics import Topic, TopicReader
from transforms.read_topic import BatchSize, PartitionRange, ReadTopic

JOB = "copydesk-stream"

STREAMING = ("streaming",)
ON_FLINK = (
    # Without a limit of time to its bundles the SDK's harness hands on nothing; see docs/unbounded.md.
    "max_bundle_time_mills=200",
    "checkpointing_interval=5000",
    # Else what a step gives while a checkpoint begins is kept until it is given something again, which may be never.
    "finish_bundle_before_checkpointing",
)
"""Beam's options for an unbounded job, where `--runner-option` doesn't give them."""


@dataclass(frozen=True)
class GraphOptions:
    """What a user asks of a stream on a runner.

    Attributes:
        stream: the graph's own options.
        batch: when a batch is handed on.
        until_now: end with what the topic holds at the beginning, instead of going on for ever.
    """

    topic: Topic
    stream: StreamOptions
    runner: RunnerChoice
    workers: int = 1
    batch: BatchSize = dataclasses.field(default_factory=BatchSize)
    until_now: bool = False


def stream_graph(options: GraphOptions) -> None:
    """Runs the graph until it is interrupted, or until all that the topic held is committed.

    Raises:
        UsageError: the topic, the store or the runner can't be used. Exception: whatever the runner raises of a job
            that failed.
    """
    if options.runner.name not in (PRISM, FLINK):
        raise UsageError(
            f"--runner {options.runner.name} is not one that the unbounded graph was tried on; expected {PRISM} or "
            f"{FLINK}, or no --runner: micro-batches on this machine"
        )
    store = Store(options.stream.store)
    store.check_scheme(scheme(options.stream.settings.sign))
    feed, ranges = feed_of(options.topic, store, until_now=options.until_now)

    def build(pipeline: beam.Pipeline) -> None:
        build_stream(pipeline | "Read topic" >> ReadTopic(options.topic, ranges, options.batch), feed, options.stream)

    Jobs(_streaming(options), options.workers).run(JOB, build)


def feed_of(topic: Topic, store: Store, *, until_now: bool = False) -> tuple[Feed, list[PartitionRange]]:
    """What is read of a topic, by what the store's manifests say that it was read up to.

    Raises:
        UsageError: there is no such topic, or the broker no longer has what comes next. RunError: it can't be reached.
    """
    with told():
        reader = TopicReader(topic)
        try:
            bounds = {partition: reader.bounds(partition) for partition in reader.partitions()}
        finally:
            reader.close()
    first, lost = starts(read_offsets(store, reader.identity), bounds)
    if lost:
        raise UsageError(
            f"kafka://{topic.broker}/{topic.name}: {'; '.join(map(str, lost))}. Expected is every message since the "
            "last commit; `copydesk stream --accept-loss` without --runner goes on behind them"
        )
    ends = {partition: high if until_now else None for partition, (_, high) in bounds.items()}
    ranges = [PartitionRange(partition, at, ends[partition]) for partition, at in sorted(first.items())]
    return Feed(topic, reader.identity, first), ranges


def _streaming(options: GraphOptions) -> RunnerChoice:
    """The runner with what an unbounded job needs, where the user doesn't say otherwise."""
    choice = options.runner
    given = {option.lstrip("-").partition("=")[0] for option in choice.options}
    wanted = [*STREAMING, *(ON_FLINK if choice.name == FLINK else ())]
    if options.until_now and choice.name == FLINK:
        wanted.append("shutdown_sources_after_idle_ms=1000")  # else a job with checkpoints never ends
    more = [option for option in wanted if option.partition("=")[0] not in given]
    return dataclasses.replace(choice, options=(*choice.options, *more))
