"""A worker process of a run with several workers: Beam's own, but it ends when the run does, however that ends.

Run as `python -m pipeline.worker_process RUN_PID`. Beam starts its workers and asks them to stop; of a run that was
killed (`kill -9`, out of memory) they know nothing, and each would stay for ever with its memory. Who is an
orphan has another parent: this works on every POSIX system, which Linux's PR_SET_PDEATHSIG doesn't.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from collections.abc import Sequence
from typing import NoReturn

SECONDS_BETWEEN_LOOKS = 0.5


def command(run: int) -> str:
    """The shell's line for a worker of the run with this process id; `exec`, so that the run is its parent."""
    return f"exec {shlex.quote(sys.executable)} -m {__name__} {run}"


def main(arguments: Sequence[str]) -> None:
    """Works until the run asks it to stop, or is gone."""
    threading.Thread(target=_end_with, args=(int(arguments[0]),), daemon=True).start()
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main([])


def _end_with(run: int) -> NoReturn:
    while os.getppid() == run:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    # Not sys.exit, which would wait for the threads that wait for the run.
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
