"""Weighed batches to commits, every few seconds, by one key: a store has one sequence of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.coders import BooleanCoder, BytesCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import Timestamp


@dataclass(frozen=True)
class Committed:
    """What came of a commit.

    Attributes:
        runs: ids of the runs made.
        waiting: batches that are to be given again, with what comes next.
        busy: the store could not be written: they are to be given again in any case.
    """

    runs: tuple[str, ...] = ()
    waiting: tuple[bytes, ...] = ()
    busy: bool = False


class Committer(Protocol):
    """What commits batches to the store; made once a worker."""

    def due_seconds(self) -> float:
        """When the next commit is due, in seconds since 1970."""

    def commit(self, ready: Sequence[bytes]) -> Committed:
        """Commits what can be."""


class CommitBatches(beam.PTransform):
    """(STORE_KEY, packed batch) to the ids of the runs that were committed.

    A batch may come any number of times, and of overlapping ranges each offset is committed once: the offsets that are
    committed stand in the store's manifests, which a commit claims by number. So nothing rests on what the runner
    does over again, and no stable input is asked of it; state only holds what waits for the next commit, or for a
    range before its own.
    """

    def __init__(self, committer: Committer) -> None:
        super().__init__()
        self.committer = committer

    def expand(self, batches: beam.PCollection[tuple[bytes, bytes]]) -> beam.PCollection[str]:
        return batches | "Commit" >> beam.ParDo(_Commit(self.committer)).with_output_types(str)


class _Commit(beam.DoFn):
    READY = BagStateSpec("ready", BytesCoder())
    WAITS = ReadModifyWriteStateSpec("waits", BooleanCoder())
    SOON = TimerSpec("soon", TimeDomain.REAL_TIME)
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, committer: Committer) -> None:
        self.committer = committer

    def process(
        self,
        element: tuple[bytes, bytes],
        ready: Any = beam.DoFn.StateParam(READY),
        waits: Any = beam.DoFn.StateParam(WAITS),
        soon: Any = beam.DoFn.TimerParam(SOON),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> None:
        ready.add(element[1])
        if not waits.read():
            waits.write(True)
            soon.set(Timestamp(self.committer.due_seconds()))
            # Where the input ends, what is left is committed then.
            end.set(GlobalWindow().max_timestamp())

    @on_timer(SOON)
    def on_soon(
        self,
        ready: Any = beam.DoFn.StateParam(READY),
        waits: Any = beam.DoFn.StateParam(WAITS),
        soon: Any = beam.DoFn.TimerParam(SOON),
    ) -> Iterable[str]:
        done = self._commit(ready)
        if done.busy:
            soon.set(Timestamp(self.committer.due_seconds()))
        else:
            waits.clear()
        yield from done.runs

    @on_timer(END)
    def on_end(
        self, ready: Any = beam.DoFn.StateParam(READY), waits: Any = beam.DoFn.StateParam(WAITS)
    ) -> Iterable[str]:
        waits.clear()
        yield from self._commit(ready).runs

    def _commit(self, ready: Any) -> Committed:
        done = self.committer.commit(list(ready.read()))
        ready.clear()
        for packed in done.waiting:
            ready.add(packed)
        return done
