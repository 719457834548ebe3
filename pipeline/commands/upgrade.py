"""`copydesk upgrade`."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.commands.run import add_settings, add_telling, add_working, make_run, runner_of, settings_of
from pipeline.progress import Progress

NAME = "upgrade"
ABOUT = "everything that a store holds into a new one, cleaned and decided anew by this program; no input is needed"
EXAMPLE = "--store corpus --to corpus-3"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR", help="the store to take from; it stays as it is")
    parser.add_argument("--to", required=True, metavar="DIR", help="where the new one is to be made")
    add_working(parser)
    add_settings(parser)
    add_telling(parser)


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.run import RunOptions
    from pipeline.upgrade import upgrade

    old, given.store = given.store, given.to

    def make(progress: Progress) -> dict[str, Any]:
        options = RunOptions(
            (), given.store, settings_of(given), given.workers, runner=runner_of(given), sole_writer=given.sole_writer
        )
        return upgrade(options, old, progress)

    return make_run(given, make)
