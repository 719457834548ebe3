"""`copydesk run`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.errors import EXIT_OK
from pipeline.log_lines import JSON, TEXT
from pipeline.progress import Progress
from pipeline.summary import summary_of
from schemas.settings import Settings, parse_assignments

if TYPE_CHECKING:
    from pipeline.runners import RunnerChoice

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
    told = "files, folders or patterns (** too); may be given more than once"
    add("--input", nargs="+", action="extend", required=True, metavar="PATTERN", help=told)
    add("--store", required=True, metavar="DIR", help="where the store is, or is to be made")
    add("--since", type=moment, metavar="TIME", help="only files changed since: 2026-07-14, 2026-07-14T06:00Z, 36h, 7d")
    add("--reprocess", action="store_true", help="read files again that the store has read")
    add("--provisional", action="store_true", help="decide only what is new; `copydesk reconcile` decides the rest")
    add_working(parser)
    add_fields(parser)
    add_settings(parser)
    add_telling(parser)


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.run import RunOptions, run

    def make(progress: Progress) -> dict[str, Any]:
        options = RunOptions(
            tuple(given.input), given.store, settings_of(given), given.workers, since=given.since,
            reprocess=given.reprocess, provisional=given.provisional, runner=runner_of(given),
            sole_writer=given.sole_writer,
        )  # fmt: skip
        return run(options, progress)

    return make_run(given, make)


def make_run(given: argparse.Namespace, make: Callable[[Progress], dict[str, Any]]) -> int:
    """Makes a run and tells of it; gives the exit code."""
    from pipeline.metrics import recorded

    progress = progress_of(given)
    with recorded(given.metrics, given.store, progress) as outcome:
        outcome.manifest = make(progress)
    tell(outcome.manifest, given)
    return EXIT_OK


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that names the fields of an input."""
    parser.add_argument("--field", action="append", metavar="FIELD=NAME", help="an input's own name for a field")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that change settings of cleaning, matching and relating."""
    add = parser.add_argument
    add("--keep", help="who stands for a story: most-complete, earliest or wire-first")
    add("--drop", metavar="RELATIONS", help="relations that go to copies/, separated by commas")
    add("--clean", metavar="LEVEL", help="off, light or full")
    add("--max-rejected-fraction", metavar="F", help="fail instead of committing when more (of a batch) is refused")
    add("--set", action="append", metavar="KEY=VALUE", help="any setting (see `copydesk settings`)")


def add_working(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that say where the jobs of a run are done, and who else writes its store."""
    told = "processes to use; parallelism on --runner flink (default 1)"
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help=told)
    add_runner(parser)
    add_sole_writer(parser)


def add_runner(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that say where the jobs run."""
    add = parser.add_argument
    add("--runner", default="local", metavar="NAME", help="local (default), prism, flink, dataflow or spark")
    add("--flink-master", default="[local]", metavar="HOST:PORT", help="a JobManager's REST service (default [local])")
    add("--flink-job-server-jar", metavar="PATH", help="Beam's job server for that Flink")
    add("--prism-location", metavar="PATH", help="Beam's Prism binary (default: `prism` on the PATH)")
    add("--runner-option", action="append", metavar="KEY=VALUE", help="any pipeline option of Beam's, by its own name")


def runner_of(given: argparse.Namespace) -> RunnerChoice:
    """The runner that the flags ask for."""
    from pipeline.runners import RunnerChoice

    return RunnerChoice(
        given.runner, given.flink_master, given.prism_location, given.flink_job_server_jar,
        tuple(given.runner_option or ()),
    )  # fmt: skip


def add_sole_writer(parser: argparse.ArgumentParser) -> None:
    """Adds the argument of every command that writes a store."""
    told = "nothing else writes the store: needed where its filesystem can't refuse the second of two writers"
    parser.add_argument("--sole-writer", action="store_true", help=told)


def add_telling(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of every command that makes a run: how it tells what it does and did."""
    parser.add_argument("--json", action="store_true", help="the summary as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    parser.add_argument("--log-format", choices=(TEXT, JSON), default=TEXT, help="lines on standard error")
    parser.add_argument("--metrics", metavar="FILE", help="write what happened for Prometheus (textfile collector)")


def progress_of(given: argparse.Namespace) -> Progress:
    """Where a command shows what it does."""
    return Progress(None if given.quiet else sys.stderr, given.log_format)


def tell(manifest: dict[str, Any], given: argparse.Namespace) -> None:
    """Prints the summary of a run."""
    print(json.dumps(manifest, ensure_ascii=False) if given.json else summary_of(manifest, given.store.rstrip("/")))


def settings_of(given: argparse.Namespace) -> Settings:
    """The settings that the flags ask for; a wrong one is told before anything is made.

    Raises:
        SettingError: a setting, a field or a rule is unknown, or has a wrong value.
    """
    from transforms.functions.records import aliases

    assignments = parse_assignments(given.set or [])
    if getattr(given, "field", None):
        assignments["read.fields"] = ",".join(given.field)
    for flag, key in FLAG_SETTINGS.items():
        value = getattr(given, flag)
        if value is not None:
            assignments[key] = str(value)
    settings = Settings().replace(assignments)
    aliases(settings.read)
    if settings.clean.disabled:
        from transforms.functions.cleaning_text import rules_for

        rules_for(settings.clean)
    return settings


def positive(text: str) -> int:
    """A whole number from 1, or the error that argparse shows."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a whole number from 1")
    return int(text)


def moment(text: str) -> datetime:
    """A time as ISO 8601 (UTC where it names no zone) or so many hours or days ago; else the error argparse shows."""
    ago = re.fullmatch(r"(\d{1,6})([hd])", text)
    if ago:
        return datetime.now(UTC) - timedelta(**{{"h": "hours", "d": "days"}[ago.group(2)]: int(ago.group(1))})
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} given; expected a time as 2026-07-14 or 2026-07-14T06:00Z, or 36h or 7d for so long ago"
        ) from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
