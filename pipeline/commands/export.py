"""`copydesk export`."""

from __future__ import annotations

import argparse
import json

from pipeline.errors import EXIT_OK

NAME = "export"
ABOUT = "the corpus as it stands now: kept articles by their newest labels, as plain Parquet or JSON lines"
EXAMPLE = "--store corpus --to corpus-export --format jsonl"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument("--to", required=True, metavar="DIR", help="a new folder, or an export to be replaced")
    parser.add_argument("--format", choices=("parquet", "jsonl"), default="parquet", help="default parquet")
    parser.add_argument("--json", action="store_true", help="the export's manifest as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.export import export
    from pipeline.store import Store

    store = Store(given.store)
    store.require()
    manifest = export(store, given.to, given.format)
    if given.json:
        print(json.dumps(manifest, ensure_ascii=False))
    else:
        size = sum(entry["bytes"] for entry in manifest["files"])
        print(f"{manifest['articles']:,} articles in {len(manifest['files'])} files, {size / 1e6:,.1f} MB: {given.to}")
    return EXIT_OK
