"""`copydesk verify`."""

from __future__ import annotations

import argparse
import json

from pipeline.errors import EXIT_FAILED, EXIT_OK

NAME = "verify"
ABOUT = "check every promise of a store: files as committed, sums, ids, keepers, evidence"
EXAMPLE = "--store corpus"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.store import Store
    from pipeline.verify import told, verify

    store = Store(given.store)
    store.require()
    found = list(verify(store))
    if given.json:
        print(json.dumps(dict(found), ensure_ascii=False))
    else:
        print("\n".join(told(promise, broken) for promise, broken in found))
    return EXIT_FAILED if any(broken for _, broken in found) else EXIT_OK
