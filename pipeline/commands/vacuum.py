"""`copydesk vacuum`."""

from __future__ import annotations

import argparse
import dataclasses
import json

from pipeline.commands.run import add_sole_writer
from pipeline.errors import EXIT_OK

NAME = "vacuum"
ABOUT = "remove what killed runs left, old staging, and files that a compaction superseded"
EXAMPLE = "--store corpus --dry-run"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument(
        "--keep-days", type=days, default=7.0, metavar="N",
        help="superseded files, a killed run that can still go on, and what streams staged stay so long (default 7)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    add_sole_writer(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.vacuum import told, vacuum

    found = vacuum(given.store, given.keep_days, dry_run=given.dry_run, sole_writer=given.sole_writer)
    if given.json:
        print(json.dumps([dataclasses.asdict(one) for one in found], ensure_ascii=False))
    else:
        print(told(found, dry_run=given.dry_run))
    return EXIT_OK


def days(text: str) -> float:
    """A number of days from 0, or the error that argparse shows."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 36500:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a number of days from 0")
    return number
