"""What a stream tells while it works: lag, rate and last commit, on the terminal and as a Prometheus text file."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.metrics import checked_place, gauge, newest_commit, run_figures
from pipeline.progress import LINE_SECONDS, Progress
from pipeline.stream_sources import Lag, Source
from transforms import staging

TERMINAL_SECONDS = 0.5
RATE_SECONDS = 60.0
"""The rate is of what was committed in the last minute, or since the start where that is less."""


@dataclass
class Committed:
    """What a stream has committed so far; `manifest` is of its last run, None before the first."""

    runs: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("records", "clean", "copies", "rejected"), 0))
    manifest: dict[str, Any] | None = None

    def add(self, manifest: dict[str, Any]) -> None:
        """Adds a run."""
        self.runs += 1
        self.manifest = manifest
        self.counts = {name: count + manifest["counts"][name] for name, count in self.counts.items()}


class StreamStatus:
    """Shows a stream's state twice a second on a terminal, else in a line every few seconds; writes it for Prometheus.

    Args:
        path: the metrics file, or None.
    """

    def __init__(self, source: Source, store: str, progress: Progress, path: str | None) -> None:
        self._source, self._store, self._progress = source, store, progress
        self._path = None if path is None else checked_place(path)
        self._started = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque()
        self._shown = ""
        self.committed = Committed()
        self.run_seconds = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the state until the block ends, from another thread, as a batch keeps this one busy."""
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        watcher.start()
        success = False
        try:
            yield
            success = True
        finally:
            ended.set()
            watcher.join()
            self._progress.clear()
            self._write(success)

    def add(self, manifest: dict[str, Any], seconds: float) -> None:
        """Notes a committed run, and how long it took."""
        self.committed.add(manifest)
        self.run_seconds = seconds
        self._recent.append((time.monotonic(), manifest["counts"]["records"]))
        if not self._progress.on_terminal:
            counts = manifest["counts"]
            self._progress.say(
                f"run {manifest['run_id']} committed in {seconds:.1f} s: {counts['records']:,} in, {counts['clean']:,} "
                f"clean, {counts['copies']:,} copies, {counts['rejected']:,} rejected",
                run_id=manifest["run_id"], seconds=round(seconds, 3), state="committed", **counts,
            )  # fmt: skip
        self._write(True)

    def rate(self) -> float:
        """Records committed a second, of late."""
        now = time.monotonic()
        while self._recent and self._recent[0][0] < now - RATE_SECONDS:
            self._recent.popleft()
        return sum(count for _, count in list(self._recent)) / max(1.0, min(RATE_SECONDS, now - self._started))

    def line(self, lag: Lag) -> str:
        """Lag, rate and last commit, for a person."""
        behind = f"{lag.count:,} {lag.what}" + (f", {lag.seconds:,.1f} s" if lag.count else "")
        manifest = self.committed.manifest
        last = "none yet" if manifest is None else f"{manifest['committed_at'][11:19]} UTC (run {manifest['number']})"
        clean = self.committed.counts["clean"]
        text = f"lag {behind} | {self.rate():,.1f} records/s | last commit {last} | {clean:,} clean"
        return text if self._source.trouble is None else f"{text} | {self._source.trouble}"

    def _watch(self, ended: threading.Event) -> None:
        written = time.monotonic()
        while not ended.wait(TERMINAL_SECONDS if self._progress.on_terminal else LINE_SECONDS):
            self._show()
            if time.monotonic() - written >= LINE_SECONDS:
                self._write(True)
                written = time.monotonic()

    def _show(self) -> None:
        if self._progress.stream is None:
            return
        lag = self._source.lag()
        text = self.line(lag)
        if self._progress.on_terminal:
            self._progress.show(text)
        elif text != self._shown:
            manifest = self.committed.manifest
            self._progress.say(
                text, state="working", lag=lag.count, lag_seconds=round(lag.seconds, 3), rate=round(self.rate(), 3),
                last_commit=manifest and manifest["committed_at"], trouble=self._source.trouble,
            )  # fmt: skip
        self._shown = text

    def _write(self, success: bool) -> None:
        if self._path is None:
            return
        text = self.metrics_text(success)
        try:
            staging.write_whole(self._path, lambda sink: sink.write(text.encode()))
        except OSError as error:
            self._progress.say(f"the metrics could not be written: {error}", level="warning")

    def metrics_text(self, success: bool) -> str:
        """The metrics file: those of `copydesk run` for the last batch, and the stream's own."""
        lag, committed, trouble = self._source.lag(), self.committed, self._source.trouble
        lines = [
            *gauge("run_success", "Whether the stream works or ended well (1), or failed (0).", [({}, success)]),
            *gauge("last_commit_timestamp_seconds", "When the store's newest run was committed.",
                   [({}, newest_commit(self._store))]),
            *gauge("stream_timestamp_seconds", "When this was written; a stream does so every few seconds.",
                   [({}, time.time())]),
            *gauge("stream_lag", "What was given and is not committed: messages, or files.", [({}, lag.count)]),
            *gauge("stream_lag_seconds", "How old the oldest of it is, of what was read.", [({}, lag.seconds)]),
            *gauge("stream_records_per_second", "Records committed a second, in the last minute.", [({}, self.rate())]),
            *gauge("stream_trouble", "Whether the source can't be reached (1).", [({}, trouble is not None)]),
            *gauge("stream_runs", "Runs committed since the stream was started.", [({}, committed.runs)]),
            *gauge("stream_records", "Records committed since the stream was started, by what became of them.",
                   [({"table": name}, count) for name, count in committed.counts.items() if name != "records"]),
            *gauge("stream_batch_seconds", "How long the last batch took.", [({}, self.run_seconds)]),
        ]  # fmt: skip
        if committed.manifest is not None:
            lines += run_figures(committed.manifest)
        return "\n".join(lines) + "\n"
