"""The unbounded flow, one expression: the composites of `build`, with state in the place of jobs.

A run stages everything, then joins everything, then decides. Here batches of messages go through one by one: they are
cleaned and signed by the same composites and staged; their postings meet those of the window in keyed state; what they
meet is weighed by the same evidence, and a single key commits what is weighed, with provisional labels. `reconcile`
makes the labels final. docs/unbounded.md says what each step promises and rests on.
"""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from pipeline.commit_stream import Feed, StreamCommitter, held_batches
from pipeline.known_rarity import StoreRarity
from pipeline.store import STREAMED
from schemas.settings import Settings
from transforms import staging
from transforms.clean_articles import CleanArticles
from transforms.commit_batches import CommitBatches
from transforms.hold_batches import HoldBatches
from transforms.propose_copies import ProposeCopies
from transforms.read_messages import ReadMessages
from transforms.sign_articles import SignArticles
from transforms.stage_batches import GraphTask, StageBatches
from transforms.weigh_candidates import WeighCandidates


@dataclass(frozen=True)
class StreamOptions:
    """What a user asks of a stream.

    Attributes:
        store: where runs are committed.
        every_seconds: between commits.
        partitions: keys of the state of matching. 4 keep two workers busy, and an article's sixty anchors are few
            enough that each batch has something for each.
        steps: parts of match.window_days by which state is dropped: with 4 it holds at most a quarter more than the
            window.
        sole_writer: the user's word that nobody else writes a store on a filesystem that can't promise it.
    """

    store: str
    settings: Settings
    every_seconds: float = 5.0
    partitions: int = 4
    steps: int = 4
    sole_writer: bool = False

    @property
    def task(self) -> GraphTask:
        """What the steps need to know."""
        folder = staging.join(self.store, STREAMED)
        return GraphTask(folder, self.partitions, self.settings.match.window_days, self.steps)


def build_stream(batches: beam.PCollection[bytes], feed: Feed, options: StreamOptions) -> beam.PCollection[str]:
    """Packed batches of messages (`message_batches`), bounded or not, to the ids of the runs that are committed.

    What an earlier job has staged and committed of the window is held from the beginning.

    Args:
        feed: the topic, and where reading begins.
    """
    task, settings = options.task, options.settings
    held = batches.pipeline | "Hold batches" >> HoldBatches(task, held_batches(task, feed))
    committer = StreamCommitter(
        options.store, task, settings, feed, options.every_seconds, sole_writer=options.sole_writer
    )
    new = (
        batches
        | "Read messages" >> ReadMessages(feed.topic, settings.read)
        | "Clean articles" >> CleanArticles(settings)
        | "Sign articles" >> SignArticles(settings.sign)
        | "Stage batches" >> StageBatches(task)
    )
    return (
        (held, new)
        | "Both" >> beam.Flatten()
        | "Propose copies" >> ProposeCopies(task, settings.match)
        | "Weigh candidates" >> WeighCandidates(task, settings, StoreRarity(options.store, settings.match))
        | "Commit batches" >> CommitBatches(committer)
    )
