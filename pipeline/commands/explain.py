"""`copydesk explain`."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK

NAME = "explain"
ABOUT = "why an article was kept or not: its story, matches and what was removed"
EXAMPLE = "--store corpus 5a0c9e..."


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument(
        "article_id", metavar="ARTICLE_ID", help="an article_id or how it begins, the giver's id, or a URL"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.explain import explain
    from pipeline.store import Store

    store = Store(given.store)
    store.require()
    print(explain(store, given.article_id, as_json=given.json))
    return EXIT_OK
