"""What a run shows while it works, on standard error: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from pipeline.log_lines import TEXT, log_line

STEPS = {
    "1-stage": "reading, cleaning and signing",
    "2-rarity": "counting how common phrases and lines are",
    "3-alike": "comparing near-identical texts",
    "4-match": "comparing texts that share phrases",
    "5-complete": "comparing the versions of each text",
    "6-relate": "finding stories and keepers",
    "7-publish": "writing the store",
}
LINE_SECONDS = 5.0
BAR_SECONDS = 0.2
CLEAR = "\r\x1b[K"
"""To the beginning of the terminal's line, and nothing more on it."""


class Progress:
    """Shows the jobs of a run.

    Args:
        stream: where to write; None shows nothing.
        form: "text", or "json" for one JSON object a line.

    Attributes:
        seconds: how long each job took that has ended, by its name.
    """

    def __init__(self, stream: TextIO | None = sys.stderr, form: str = TEXT) -> None:
        self.stream, self.form = stream, form
        self.on_terminal = stream is not None and stream.isatty() and form == TEXT
        self.seconds: dict[str, float] = {}
        self._writing = threading.RLock()  # a signal may speak in the middle of a line
        self._folder: str | None = None
        self._bytes = 0

    def say(self, text: str, level: str = "info", **fields: Any) -> None:
        """Shows one line; the fields are told as JSON only."""
        if self.stream is not None:
            with self._writing:
                cleared = CLEAR if self.on_terminal else ""
                self.stream.write(f"{cleared}{log_line(self.form, level, text, **fields)}\n")
                self.stream.flush()

    def show(self, text: str) -> None:
        """Shows a line on a terminal in the place of the one shown before; what it has no room for is cut off."""
        if self.stream is not None:
            columns = shutil.get_terminal_size().columns
            with suppress(OSError):
                columns = os.get_terminal_size(self.stream.fileno()).columns or columns
            # In the last column some terminals go on to the next line, which is never rewritten.
            shown = text if len(text) < columns else f"{text[: max(0, columns - 2)]}\N{HORIZONTAL ELLIPSIS}"
            with self._writing:
                self.stream.write(f"{CLEAR}{shown}")
                self.stream.flush()

    def clear(self) -> None:
        """Takes away what `show` has shown."""
        if self.stream is not None and self.on_terminal:
            with self._writing:
                self.stream.write(CLEAR)
                self.stream.flush()

    def expect(self, total_bytes: int, folder: str) -> None:
        """How much there is to read, and where staged parts appear."""
        self._bytes, self._folder = total_bytes, folder

    @contextmanager
    def job(self, name: str) -> Iterator[None]:
        """Shows that a job runs until the block ends."""
        started = time.monotonic()
        if self.stream is None:
            yield
        else:
            ended = threading.Event()
            watcher = threading.Thread(target=self._watch, args=(name, started, ended), daemon=True)
            watcher.start()
            try:
                yield
            finally:
                ended.set()
                watcher.join()
                self.clear()
        self.seconds[name] = time.monotonic() - started
        self.say(
            f"{name[0]}/{len(STEPS)} {STEPS[name]}: {self.seconds[name]:.1f} s",
            step=name, seconds=round(self.seconds[name], 3), state="done",
        )  # fmt: skip

    def _watch(self, name: str, started: float, ended: threading.Event) -> None:
        assert self.stream is not None
        while not ended.wait(BAR_SECONDS if self.on_terminal else LINE_SECONDS):
            seconds = time.monotonic() - started
            text = f"{name[0]}/{len(STEPS)} {STEPS[name]} {self._so_far(name)}{seconds:.0f} s"
            if self.on_terminal:
                self.show(text)
            else:
                self.say(text, step=name, seconds=round(seconds, 3), state="working")

    def _so_far(self, name: str) -> str:
        """Staged parts and their size against what there is to read: cleaned text is about as large as its input."""
        if name != "1-stage" or self._folder is None or "://" in self._folder:
            return ""
        staged = parts = 0
        try:
            with os.scandir(os.path.join(self._folder, "articles")) as entries:
                for entry in entries:
                    staged += entry.stat().st_size
                    parts += 1
        except FileNotFoundError:
            return ""
        share = min(1.0, staged / max(1, self._bytes))
        bar = "#" * int(20 * share)
        return f"[{bar:.<20}] {parts} batches, {staged / 1e6:.1f} of about {self._bytes / 1e6:.1f} MB, "
