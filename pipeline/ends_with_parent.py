"""Runs a program that ends when its parent does, however that ends: Beam's job servers know nothing of a `kill -9`.

`python ends_with_parent.py PARENT_PID PROGRAM ARGUMENT...`, with what the program prints going where it would. It is a
file of its own, run by its path, so that it loads nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_END = 5.0


def main(parent: int, command: list[str]) -> int:
    """Gives the program's exit code, or ends it when the parent has gone or asks this process to end."""
    child = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: child.terminate())
    while child.poll() is None:
        if os.getppid() != parent:
            child.terminate()
            try:
                return child.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                child.kill()
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
