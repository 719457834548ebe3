"""`copydesk reconcile`."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.commands.run import add_telling, add_working, make_run, runner_of
from pipeline.progress import Progress

NAME = "reconcile"
ABOUT = "make the labels of provisional runs final, as one run over all articles would have them"
EXAMPLE = "--store corpus"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    add_working(parser)
    add_telling(parser)


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.run import reconcile

    def make(progress: Progress) -> dict[str, Any]:
        runner, sole_writer = runner_of(given), given.sole_writer
        return reconcile(given.store, given.workers, progress, runner=runner, sole_writer=sole_writer)

    return make_run(given, make)
