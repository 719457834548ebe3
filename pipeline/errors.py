"""Errors that are shown to a user as one message, with the exit code they end in."""

from __future__ import annotations

import threading

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

INTERRUPTED = threading.Event()
"""Set when a signal asks the program to end: what fails after that fails because of it."""


class UsageError(Exception):
    """The command line, a setting or the store given is wrong: exit code 2."""

    exit_code = EXIT_USAGE


class RunError(Exception):
    """A run failed and nothing was committed: exit code 1."""

    exit_code = EXIT_FAILED
