"""Where a stream takes its batches from: what a source tells, and what it gives to a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.inputs import InputFile
from pipeline.store import Store
from pipeline.topic_ledger import TopicRange
from transforms.functions.topics import Topic


@dataclass(frozen=True)
class Lag:
    """What was given and isn't committed: how many `what` (messages, files), and how old the oldest is, in seconds."""

    count: int
    seconds: float
    what: str


class Source(Protocol):
    """An unbounded source of articles.

    Attributes:
        place: what it is called in what the stream tells.
        topic: the topic that its inputs are ranges of, if they are.
    """

    place: str
    topic: Topic | None

    @property
    def waiting(self) -> int:
        """How much can go into the next batch: messages, or files."""
        ...

    def full(self, most: int) -> bool:
        """Whether a batch of about `most` articles need not wait for more."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing may come just now; None while all is well."""
        ...

    def start(self, store: Store) -> Sequence[str]:
        """Finds where to go on from; gives lines to tell. Raises UsageError or RunError where it can't."""
        ...

    def poll(self, seconds: float) -> int:
        """Waits for what comes, so long at most; gives how much came."""
        ...

    def inputs(self, store: Store, most: int) -> Sequence[InputFile | TopicRange]:
        """What the next run reads, about `most` articles at most; the store is locked and was opened since.

        None where there is nothing new in it, or where another command has read on: the source goes on behind that.
        """
        ...

    def committed(self, inputs: Sequence[InputFile | TopicRange]) -> None:
        """These were committed."""
        ...

    def failed(self, inputs: Sequence[InputFile | TopicRange]) -> bool:
        """A run of these failed; whether the stream can go on, as it does where a file vanished."""
        ...

    def lag(self) -> Lag:
        """May be asked from another thread."""
        ...

    def close(self) -> None: ...
