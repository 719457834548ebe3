"""`copydesk compact`."""

from __future__ import annotations

import argparse
import json

from pipeline.commands.run import add_sole_writer, positive
from pipeline.errors import EXIT_OK

NAME = "compact"
ABOUT = "many small runs' files into few, labels and matches to the newest; readers are not disturbed"
EXAMPLE = "--store corpus"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument(
        "--retain-days", type=positive, metavar="N",
        help="cut the fingerprints of articles more than N days older than the newest: of those only exact copies are "
        "found then",
    )  # fmt: skip
    add_sole_writer(parser)
    parser.add_argument("--json", action="store_true", help="the compaction's manifest as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.compact import compact

    manifest = compact(given.store, given.retain_days, sole_writer=given.sole_writer)
    if given.json:
        print(json.dumps(manifest, ensure_ascii=False))
    elif manifest.get("nothing_to_do"):
        print("Nothing to do: every table is in few files already. Nothing was written")
    else:
        print(
            f"{len(manifest['supersedes'])} files are {len(manifest['files'])} now. `copydesk vacuum` removes the "
            "superseded ones when they are older than --keep-days"
        )
    return EXIT_OK
