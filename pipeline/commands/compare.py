"""`copydesk compare`."""

from __future__ import annotations

import argparse
import json

from pipeline.commands.run import positive
from pipeline.errors import EXIT_FAILED, EXIT_OK

NAME = "compare"
ABOUT = "whether two stores hold the same articles, stories, keepers and relations; exit code 1 if not"
EXAMPLE = "corpus other-corpus"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("a", metavar="A", help="a store")
    parser.add_argument("b", metavar="B", help="another store")
    parser.add_argument("--examples", type=positive, default=3, metavar="N", help="of each kind (default 3)")
    parser.add_argument("--labels-only", action="store_true", help="don't read the published texts")
    parser.add_argument("--json", action="store_true", help="as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.compare import compare, told
    from pipeline.store import Store

    a, b = Store(given.a), Store(given.b)
    for store in (a, b):
        store.require()
    found = compare(a, b, given.examples, texts=not given.labels_only)
    print(json.dumps(found.as_dict(), ensure_ascii=False) if given.json else told(found))
    return EXIT_OK if found.same else EXIT_FAILED
