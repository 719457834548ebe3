"""`copydesk run`."""

from __future__ import annotations

import argparse
import json
import sys

from pipeline.errors import EXIT_OK
from schemas.settings import Settings, parse_assignments

NAME = "run"
ABOUT = "read what the store has not seen, clean, deduplicate against the whole store, commit one run"
EXAMPLE = "--input 'news/*.jsonl' --store corpus"

FLAG_SETTINGS = {
    "keep": "relate.keep", "drop": "relate.drop", "clean": "clean.level",
    "max_rejected_fraction": "run.max_rejected_fraction",
}  # fmt: skip
"""Flags that are short names of settings."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add = parser.add_argument
    add("--input", nargs="+", required=True, metavar="PATTERN", help="files, folders or patterns (** too)")
    add("--store", required=True, metavar="DIR", help="where the store is, or is to be made")
    add("--workers", type=positive, default=1, metavar="N", help="processes to use (default 1)")
    add("--field", action="append", metavar="FIELD=NAME", help="an input's own name for a field")
    add("--keep", help="who stands for a story: most-complete, earliest or wire-first")
    add("--drop", metavar="RELATIONS", help="relations that go to copies/, separated by commas")
    add("--clean", metavar="LEVEL", help="off, light or full")
    add("--max-rejected-fraction", metavar="F", help="fail instead of committing when more is refused")
    add("--set", action="append", metavar="KEY=VALUE", help="any setting (see `copydesk settings`)")
    add("--json", action="store_true", help="the summary as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.progress import Progress
    from pipeline.run import RunOptions, run
    from pipeline.summary import summary_of

    settings = settings_of(given)
    options = RunOptions(tuple(given.input), given.store, settings, given.workers)
    manifest = run(options, Progress(None if given.quiet else sys.stderr))
    print(json.dumps(manifest, ensure_ascii=False) if given.json else summary_of(manifest, given.store.rstrip("/")))
    return EXIT_OK


def settings_of(given: argparse.Namespace) -> Settings:
    """The settings that the flags ask for; a wrong one is told before anything is made.

    Raises:
        SettingError: a setting or a field is unknown, or has a wrong value.
    """
    from transforms.functions.records import aliases

    assignments = parse_assignments(given.set or [])
    if given.field:
        assignments["read.fields"] = ",".join(given.field)
    for flag, key in FLAG_SETTINGS.items():
        value = getattr(given, flag)
        if value is not None:
            assignments[key] = str(value)
    settings = Settings().replace(assignments)
    aliases(settings.read)
    return settings


def positive(text: str) -> int:
    """A whole number from 1, or the error that argparse shows."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a whole number from 1")
    return int(text)
