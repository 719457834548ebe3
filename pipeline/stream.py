"""A stream: micro-batches of an unbounded source, each an ordinary run, in one process that stays warm."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.errors import BusyStoreError, RunError
from pipeline.progress import Progress
from pipeline.run import RunOptions, reconcile, run_inputs
from pipeline.store import Store, locked
from pipeline.stream_sources import Source
from pipeline.stream_status import Committed, StreamStatus
from schemas.settings import Settings
from transforms.functions.signing import scheme

POLL_SECONDS = 0.1
"""Of waiting for messages at a time: a signal, or the time of a batch, is noticed so soon."""
BUSY_SECONDS = 1.0
"""Between attempts to begin a batch while another command writes the store."""


@dataclass(frozen=True)
class StreamOptions:
    """What a user asks of a stream.

    Attributes:
        every: a batch begins when its oldest article has waited so many seconds, or
        most: when so many articles (of a folder: files) wait.
        until_idle: ends when nothing has come, and nothing waits, for so many seconds; None never.
        metrics: where figures for Prometheus are written.
        reconcile_after: what batches changed for older articles is decided when nothing has come for so many seconds,
            and before the stream ends because it is idle,
        reconcile_every: or, between two batches, when the first of them was so many seconds ago.
        sole_writer: the user's word that nobody else writes a store on a filesystem that can't promise it.
        workers: processes that reconcile; a batch is too small for more than one.
    """

    store: str
    settings: Settings
    every: float
    most: int
    until_idle: float | None = None
    metrics: str | None = None
    reconcile_after: float = 30.0
    reconcile_every: float = 21_600.0
    sole_writer: bool = False
    workers: int = 1


def stream(options: StreamOptions, source: Source, progress: Progress) -> Committed:
    """Commits batch after batch until a signal, or idleness, ends it; gives what was committed.

    The store is locked for each batch and not between them, so that other commands get their turn; what a batch reads
    is decided under the lock, from the manifests.

    Raises:
        UsageError: the source or the store can't be used as asked. RunError: a batch failed; nothing of it was
            committed. KeyboardInterrupt: a second signal came.
    """
    store = Store(options.store)
    store.check_scheme(scheme(options.settings.sign))
    status = StreamStatus(source, store.path, progress, options.metrics)
    with _asked_to_end(progress) as ending:
        try:
            lines = source.start(store)
            progress.say(f"reading {source.place} into {store.path}; Ctrl-C ends with the batch in hand")
            for line in lines:
                progress.say(line, level="warning")
            with status.shown():
                _Stream(options, source, progress, status, ending).run()
            return status.committed
        finally:
            source.close()


class _Stream:
    def __init__(
        self, options: StreamOptions, source: Source, progress: Progress, status: StreamStatus,
        ending: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.options, self.source, self.progress, self.status = options, source, progress, status
        self.ending = ending
        self.run_options = RunOptions(
            (), options.store, options.settings, topic=source.topic, provisional=True, sole_writer=options.sole_writer
        )
        # Since when there is something to reconcile; of what an earlier stream left, since now.
        self.undecided_since = time.monotonic() if Store(options.store).undecided else None

    def run(self) -> None:
        """Until it is asked to end, or nothing came for as long as was asked."""
        waits_since: float | None = None
        came_last = time.monotonic()
        while not self.ending():
            now = time.monotonic()
            if self.source.poll(POLL_SECONDS) or self.source.lag().count:
                came_last = time.monotonic()
            if self.undecided_since is not None and now - self.undecided_since >= self.options.reconcile_every:
                self._reconcile()
            if not self.source.waiting:
                waits_since = None
                idle, ends = now - came_last, self.options.until_idle
                if idle >= (self.options.reconcile_after if ends is None else min(ends, self.options.reconcile_after)):
                    self._reconcile()
                if ends is not None and idle >= ends:
                    self._end_idle()
                    return
                continue
            waits_since = waits_since or now
            due = now - waits_since >= self.options.every or self.source.full(self.options.most)
            if due and not self.ending():
                waits_since = None
                self._commit()
                came_last = time.monotonic()

    def _end_idle(self) -> None:
        if self.source.trouble is not None:
            raise RunError(
                f"{self.source.place} was idle for {self.options.until_idle:g} s, but it can't be reached "
                f"({self.source.trouble}); what was committed stays, and the same command goes on"
            )

    def _reconcile(self) -> None:
        """Decides what the batches left, if they left anything and the store is free."""
        if self.undecided_since is None:
            return
        started = time.monotonic()
        try:
            options = self.options
            manifest = reconcile(options.store, options.workers, Progress(None), sole_writer=options.sole_writer)
        except BusyStoreError:
            return
        self.undecided_since = None
        if not manifest.get("nothing_new"):
            self.progress.say(
                f"reconciled in {time.monotonic() - started:.1f} s: {manifest['counts']['relabelled']:,} articles have "
                "another label now"
            )

    def _commit(self) -> None:
        """One batch, if the store is free and there is something new."""
        started = time.monotonic()
        try:
            with locked(self.options.store, sole_writer=self.options.sole_writer):
                store = Store(self.options.store, keep_read=True)
                inputs = self.source.inputs(store, self.options.most)
                if not inputs:
                    return
                try:
                    manifest = run_inputs(self.run_options, store, inputs, Progress(None))
                except RunError as error:
                    if not self.source.failed(inputs):
                        raise
                    self.progress.say(f"{error}. The stream goes on without what vanished", level="warning")
                    return
        except BusyStoreError:
            self.progress.say("another command is writing the store; the batch waits for it", level="warning")
            time.sleep(BUSY_SECONDS)
            return
        self.source.committed(inputs)
        if manifest.get("provisional") and self.undecided_since is None:
            self.undecided_since = time.monotonic()
        self.status.add(manifest, time.monotonic() - started)
        self._warn(manifest)

    def _warn(self, manifest: dict[str, Any]) -> None:
        counts, reasons = manifest["counts"], manifest["tallies"].get("rejected_by_reason", {})
        refused = counts["rejected"] - reasons.get("repeat", 0)
        if refused and refused == counts["records"]:
            told = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
            self.progress.say(
                f"all {refused:,} records of run {manifest['run_id']} were refused ({told}): `copydesk report` shows "
                "why. If the command was wrong, mend it and give it with --reprocess",
                level="warning",
            )
        for warning in manifest["warnings"]:
            self.progress.say(warning["message"], level="warning")


@contextmanager
def _asked_to_end(progress: Progress) -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or SIGINT came. The first lets the batch in hand end; the second is as for every command."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, frame: Any) -> None:
        if came:
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            return
        came.append(number)
        progress.say("ending with the batch in hand; once more ends at once")

    for number in before:
        signal.signal(number, ask)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
