"""`copydesk reconcile`."""

from __future__ import annotations

import argparse

from pipeline.commands.run import add_sole_writer, add_telling, positive, progress_of, tell
from pipeline.errors import EXIT_OK

NAME = "reconcile"
ABOUT = "make the labels of provisional runs final, as one run over all articles would have them"
EXAMPLE = "--store corpus"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes to use (default 1)")
    add_sole_writer(parser)
    add_telling(parser)


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.metrics import recorded
    from pipeline.run import reconcile

    progress = progress_of(given)
    with recorded(given.metrics, given.store, progress) as outcome:
        outcome.manifest = reconcile(given.store, given.workers, progress, sole_writer=given.sole_writer)
    tell(outcome.manifest, given)
    return EXIT_OK
