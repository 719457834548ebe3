"""The program with a fault at its Nth touch of a file: killed, out of space, interrupted, stopped, an input gone.

Nothing in the program knows of it. Each command runs in a process of its own, forked from one that has everything
imported; Python's audit events there tell of every file that is opened for writing, renamed, linked, made or removed in
the store, and of every input that is opened. At the Nth of them the fault happens, before the file is touched. So the
points are found by the program's own doing, whatever it does, and come at the same places each time (one worker).
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from pipeline.command_line import main

_PATH_AT = {
    "open": 0, "os.rename": 0, "os.link": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "shutil.rmtree": 0,
}  # fmt: skip
"""Audit events that touch files, and which of their arguments tells where."""

SIGNALS = {
    "kill": signal.SIGKILL, "torn": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT,
    "pause": signal.SIGSTOP,
}  # fmt: skip
ERRORS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "denied": errno.EACCES}
"""Faults from which on every writing touch fails with this error."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "pipeline.run", "pipeline.metrics", "pipeline.vacuum"])


@dataclass(frozen=True)
class Fault:
    """What happens at which touch, from 1 (0: nothing).

    `kill`, `torn` (killed, with half of the unfinished file about to be renamed), `term`, `int`, `pause`, `full`,
    `read-only`, `denied` (all three last from then on), `vanish` (the input that is about to be opened is removed).
    """

    at: int
    what: str = "kill"


NO_FAULT = Fault(0)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (-9 where killed), what it printed, and its touches as [event, path]."""

    code: int
    out: str
    err: str
    touches: list[list[str]]

    @property
    def steps(self) -> list[str]:
        """The steps that it told to be done (it was given --log-format json)."""
        told = []
        for line in self.err.splitlines():
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            if isinstance(fields, dict) and fields.get("state") == "done":
                told.append(fields["step"])
        return told


class Started:
    """A command in a process of its own.

    Args:
        arguments: of `copydesk`.
        log: a folder for what it prints and touches.
        watched: folders in which touches count: the first is the store, the others are inputs.
    """

    def __init__(self, arguments: Sequence[str], log: Path, watched: Sequence[Path], fault: Fault = NO_FAULT) -> None:
        log.mkdir(parents=True, exist_ok=True)
        self.log = log
        places = [str(path.resolve()) for path in watched]
        # The type checker knows no process of a context by this name.
        self.process = _FORKS.Process(target=_child, args=(list(arguments), str(log), places, fault))
        self.process.start()

    def ended(self) -> Ended:
        """Waits for it."""
        self.process.join()
        out, err, touches = ((self.log / name).read_text(errors="replace") for name in ("out", "err", "touches"))
        code = self.process.exitcode
        assert code is not None
        return Ended(code, out, err, [line.split("\t") for line in touches.splitlines()])


def copydesk(arguments: Sequence[str], log: Path, watched: Sequence[Path], fault: Fault = NO_FAULT) -> Ended:
    """Runs a command to its end."""
    return Started(arguments, log, watched, fault).ended()


def _child(arguments: list[str], log: str, watched: list[str], fault: Fault) -> NoReturn:
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(os.path.join(log, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    touches = os.open(os.path.join(log, "touches"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    _Hook(watched, fault, touches).install()
    sys.exit(main(arguments))


class _Hook:
    def __init__(self, watched: list[str], fault: Fault, log: int) -> None:
        self.store, self.inputs = watched[0], tuple(watched[1:])
        self.fault, self.log, self.numbers, self.busy = fault, log, count(1), False

    def install(self) -> None:
        sys.addaudithook(self)

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        at = _PATH_AT.get(event)
        if at is None or self.busy or not isinstance(given[at], (str, os.PathLike)):
            return
        path = os.fspath(given[at])
        # Names without a folder are those of a tree that is being removed.
        within = not os.path.isabs(path) or path.startswith(self.store)
        writes = event != "open" or bool(given[2] & (os.O_WRONLY | os.O_RDWR))
        if not (within and writes) and not path.startswith(self.inputs or ("\0",)):
            return
        number = next(self.numbers)
        os.write(self.log, f"{event}\t{path}\n".encode())
        if self.fault.what in ERRORS:
            if 0 < self.fault.at <= number and within and event in ("open", "os.mkdir", "os.rename", "os.link"):
                code = ERRORS[self.fault.what]
                raise OSError(code, os.strerror(code), path)
        elif number == self.fault.at:
            self._strike(event, path)

    def _strike(self, event: str, path: str) -> None:
        self.busy = True
        if self.fault.what == "vanish":
            os.unlink(path)
        elif self.fault.what == "torn" and event == "os.rename" and os.path.isfile(path):
            os.truncate(path, os.path.getsize(path) // 2)
        if self.fault.what in SIGNALS:
            os.kill(os.getpid(), SIGNALS[self.fault.what])
        self.busy = False
