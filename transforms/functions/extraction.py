"""Articles out of HTML pages, in a child process that may hang, swell or crash without harm to its parent."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import orjson

from schemas import reasons

MEMORY_BYTES = 1 << 30
"""Address space of the child: it takes 0.09 GB with its libraries loaded and came to 0.35 GB over a page of 12 MB."""

START_SECONDS = 60.0
"""For the child to load its libraries, which takes two seconds on an idle machine."""

CHILD = "transforms.functions.extraction_worker"
_PIPE_BYTES = 1 << 16


@dataclass(frozen=True)
class Extracted:
    """What one page holds. `text` has one paragraph a line and is None exactly where `error` is set.

    `published` is a date as the page states it, for `dates.parse_dates`. `error` is `extraction_failed` or
    `extraction_timeout`, and `message` says why.
    """

    text: str | None
    title: str | None = None
    published: str | None = None
    byline: str | None = None
    source: str | None = None
    language: str | None = None
    url: str | None = None
    error: str | None = None
    message: str | None = None


class PageExtractor:
    """Extracts articles with one long-lived child process, which is started when first needed.

    Threads may share one: they take turns. Use it as a context manager, or call `close`; what is left at the
    interpreter's exit is closed then.
    """

    def __init__(self, timeout_seconds: float, memory_bytes: int = MEMORY_BYTES) -> None:
        """Args:
        timeout_seconds: for one page.
        memory_bytes: address space of the child.
        """
        self._timeout_seconds = timeout_seconds
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        _open_extractors.add(self)

    def __enter__(self) -> PageExtractor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # an interpreter that is going down has no use for an error
            self.close()

    def close(self) -> None:
        """Ends the child; the next `extract` starts another."""
        with self._lock:
            self._end_child()

    def extract(self, pages: Sequence[str], urls: Sequence[str | None]) -> list[Extracted]:
        """The articles of pages with these addresses, in order. A page that fails leaves its neighbours alone.

        Raises:
            ValueError: there are not as many urls as pages.
            OSError: the child can't be started at all.
        """
        with self._lock:
            return [self._extract(page, url) for page, url in zip(pages, urls, strict=True)]

    def _extract(self, page: str, url: str | None) -> Extracted:
        request = orjson.dumps({"page": page, "url": url})
        for last_try in (False, True):
            try:
                answer = self._ask(request)
            except TimeoutError:
                self._end_child()
                message = f"the page took longer than {self._timeout_seconds:g} seconds"
                return Extracted(None, error=reasons.EXTRACTION_TIMEOUT, message=message)
            except _ChildEndedError as ended:
                # once more in a fresh child, so that a page's fate doesn't depend on those before it
                self._end_child()
                if last_try:
                    return Extracted(None, error=reasons.EXTRACTION_FAILED, message=str(ended))
                continue
            break
        if "error" in answer:
            return Extracted(None, error=reasons.EXTRACTION_FAILED, message=answer["error"])
        if not answer["text"]:
            message = "no article was found in the page"
            return Extracted(**answer, error=reasons.EXTRACTION_FAILED, message=message)
        return Extracted(**answer)

    def _ask(self, request: bytes) -> dict[str, Any]:
        child = self._child if self._child is not None else self._start_child()
        assert child.stdin is not None
        assert child.stdout is not None
        frame = struct.pack(">I", len(request)) + request
        deadline = time.monotonic() + self._timeout_seconds
        answer = _exchange(child, frame, deadline)
        found: dict[str, Any] = orjson.loads(answer)
        return found

    def _start_child(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path) or ""}
        environment["PYTHONPATH"] = os.pathsep.join([_project_root(), environment["PYTHONPATH"]])
        child = subprocess.Popen(
            [sys.executable, "-m", CHILD, str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        os.set_blocking(child.stdin.fileno(), False)
        os.set_blocking(child.stdout.fileno(), False)
        self._child = child
        try:
            _exchange(child, b"", time.monotonic() + START_SECONDS)
        except (TimeoutError, _ChildEndedError) as error:
            self._end_child()
            raise OSError(f"the extraction process did not start ({error}); its memory may be too small") from error
        return child

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class _ChildEndedError(Exception):
    """The child is gone; the message says how."""


_open_extractors: weakref.WeakSet[PageExtractor] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for extractor in list(_open_extractors):
        extractor.close()


def _project_root() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _exchange(child: subprocess.Popen[bytes], frame: bytes, deadline: float) -> bytes:
    """Sends a frame and returns the content of the next one that comes, both before `deadline` (monotonic seconds).

    Raises:
        TimeoutError: the deadline passed.
        _ChildEndedError: the child ended instead.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    into, out_of = child.stdin.fileno(), child.stdout.fileno()
    unsent = memoryview(frame)
    answer = bytearray()
    while len(answer) < 4 or len(answer) < 4 + struct.unpack_from(">I", answer)[0]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        readable, writable, _ = select.select([out_of], [into] if unsent else [], [], left)
        if writable:
            try:
                unsent = unsent[os.write(into, unsent[:_PIPE_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise _ChildEndedError(_ending(child)) from None
        if readable:
            piece = os.read(out_of, _PIPE_BYTES)
            if not piece:
                raise _ChildEndedError(_ending(child))
            answer += piece
    return bytes(answer[4:])


def _ending(child: subprocess.Popen[bytes]) -> str:
    try:
        code = child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "the extraction process closed its pipes"
    if code == 3:
        return "the page needs more memory than the extraction process may use"
    return f"the page crashed the extraction process (exit code {code})"
