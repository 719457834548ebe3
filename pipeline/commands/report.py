"""`copydesk report`."""

from __future__ import annotations

import argparse
import difflib
import json

from pipeline.errors import EXIT_OK, UsageError

NAME = "report"
ABOUT = "write the HTML report of a run and print its summary"
EXAMPLE = "--store corpus"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument("--run", metavar="ID", help="the newest one by default")
    parser.add_argument("--json", action="store_true", help="the run's manifest as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.report import write_report
    from pipeline.store import Store
    from pipeline.summary import summary_of

    store = Store(given.store)
    store.require()
    runs = [manifest["run_id"] for manifest in store.runs]
    wanted = given.run or runs[-1]
    if wanted not in runs:
        near = difflib.get_close_matches(wanted, runs, 1, cutoff=0)
        raise UsageError(f"{given.store} has no run {wanted!r}; did you mean {near[0]}?")
    manifest = store.runs[runs.index(wanted)]
    write_report(store.path, manifest)
    print(json.dumps(manifest, ensure_ascii=False) if given.json else summary_of(manifest, store.path))
    return EXIT_OK
