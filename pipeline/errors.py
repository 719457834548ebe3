"""Errors that are shown to a user as one message, with the exit code they end in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

INTERRUPTED = threading.Event()
"""Set when a signal asks the program to end: what fails after that fails because of it."""

COMMITTING = threading.Event()
"""Set from the moment in which a run comes to exist until it has cleared up: a signal then ends nothing."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that a signal to end the program doesn't interrupt; the command then ends as if none had come."""
    COMMITTING.set()
    try:
        yield
    finally:
        COMMITTING.clear()


class UsageError(Exception):
    """The command line, a setting or the store given is wrong: exit code 2."""

    exit_code = EXIT_USAGE


class RunError(Exception):
    """A run failed and nothing was committed: exit code 1."""

    exit_code = EXIT_FAILED


class BusyStoreError(RunError):
    """Another command is writing the store."""
