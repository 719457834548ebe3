"""`copydesk relabel`."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.commands.run import add_telling, add_working, make_run, runner_of
from pipeline.errors import UsageError
from pipeline.progress import Progress
from schemas.settings import Settings, parse_assignments, stored_settings

NAME = "relabel"
ABOUT = "new labels by other thresholds, from the stored fingerprints: no article is read again"
EXAMPLE = "--store corpus --set match.copy_score=1"

GROUPS = ("match", "rewrite", "relate")
"""Settings that labels depend on and articles don't."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--store", required=True, metavar="DIR")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="one of match.*, rewrite.* or relate.*")
    parser.add_argument("--keep", help="who stands for a story: most-complete, earliest or wire-first")
    parser.add_argument("--drop", metavar="RELATIONS", help="relations that are not kept, separated by commas")
    add_working(parser)
    add_telling(parser)


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.run import RunOptions, relabel
    from pipeline.store import Store

    def make(progress: Progress) -> dict[str, Any]:
        store = Store(given.store)
        store.require()
        settings = settings_of(given, store.runs[-1]["settings"])
        options = RunOptions(
            (), given.store, settings, given.workers, runner=runner_of(given), sole_writer=given.sole_writer
        )
        return relabel(options, progress)

    return make_run(given, make)


def settings_of(given: argparse.Namespace, stored: dict[str, Any]) -> Settings:
    """The settings of the store's last run, with what the flags change.

    Raises:
        SettingError: a setting is unknown or has a wrong value. UsageError: it is none that labels depend on.
    """
    asked = parse_assignments(given.set or [])
    for flag in ("keep", "drop"):
        if getattr(given, flag) is not None:
            asked[f"relate.{flag}"] = getattr(given, flag)
    settings = stored_settings(stored).replace(asked)
    for key in asked:
        if key.split(".")[0] not in GROUPS:
            raise UsageError(
                f"{key} can't be changed without reading the articles again; relabel takes settings of "
                f"{', '.join(f'{group}.*' for group in GROUPS)}. For others run over the input into another store"
            )
    return settings
