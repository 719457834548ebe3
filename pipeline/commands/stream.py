"""`copydesk stream`."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.commands.run import (
    add_fields,
    add_settings,
    add_telling,
    add_working,
    positive,
    progress_of,
    runner_of,
    settings_of,
)
from pipeline.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from pipeline.stream_sources import Source
    from schemas.settings import Settings
    from transforms.functions.messages import MessageForm
    from transforms.functions.topics import Topic

NAME = "stream"
ABOUT = "read a topic or a watched folder until stopped, in micro-batches that are each a committed run"
EXAMPLE = "--from kafka://localhost:9092/articles --store corpus"
EVERY_SECONDS = 5.0
MOST_ARTICLES = 5000
RECONCILE_SECONDS = 30.0
RECONCILE_EVERY = 6 * 3600
"""Seconds. Over a store of 100,000 it takes less than a minute, in which nothing is committed."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add = parser.add_argument
    add("--from", required=True, metavar="URL", dest="place", help="kafka://HOST:PORT/TOPIC, or a folder to watch")
    add("--store", required=True, metavar="DIR", help="where the store is, or is to be made")
    add(
        "--every",
        type=seconds,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help=f"the longest that an article waits for its batch to begin (default {EVERY_SECONDS:g})",
    )
    add(
        "--max-articles",
        type=positive,
        default=MOST_ARTICLES,
        metavar="N",
        help=f"a batch begins when so many wait, and takes no more; of a folder, files (default {MOST_ARTICLES})",
    )
    add(
        "--reconcile-after", type=seconds, default=RECONCILE_SECONDS, metavar="SECONDS",
        help="decide what batches changed for older articles when nothing has come for so long "
        f"(default {RECONCILE_SECONDS:g})",
    )  # fmt: skip
    add(
        "--reconcile-every", type=duration, default=RECONCILE_EVERY, metavar="DURATION",
        help="decide it, while articles come too, when it has waited so long: 90s, 30m, 6h, 1d "
        f"(default {RECONCILE_EVERY // 3600}h)",
    )  # fmt: skip
    add("--until-idle", type=seconds, metavar="SECONDS", help="end when nothing has come for so long")
    add("--schema", metavar="FILE", help="the Avro schema of values that are plain Avro")
    add("--schema-registry", metavar="URL", help="http://HOST:PORT, or a folder of NUMBER.avsc")
    add("--kafka-option", action="append", default=[], metavar="NAME=VALUE", help="an option of librdkafka (TLS, SASL)")
    add("--kafka-options-file", metavar="FILE", help="a file of such options, one a line: passwords belong there")
    add("--accept-loss", action="store_true", help="go on where the broker no longer has what comes next")
    add("--reprocess", action="store_true", help="begin at the oldest message, whatever the store has read")
    add_working(parser)
    add_fields(parser)
    add_settings(parser)
    add_telling(parser)


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    from pipeline.stream import StreamOptions, stream

    settings = settings_of(given)
    if given.runner != "local":
        return on_runner(given, settings)
    source = source_of(given, settings)
    options = StreamOptions(
        given.store, settings, given.every, given.max_articles, until_idle=given.until_idle,
        metrics=given.metrics, reconcile_after=given.reconcile_after, reconcile_every=given.reconcile_every,
        sole_writer=given.sole_writer, workers=given.workers,
    )  # fmt: skip
    done = stream(options, source, progress_of(given))
    if given.json:
        print(json.dumps({"runs": done.runs, "counts": done.counts}))
    else:
        counts = done.counts
        print(
            f"{done.runs:,} runs committed: {counts['records']:,} records in, {counts['clean']:,} clean, "
            f"{counts['copies']:,} copies, {counts['rejected']:,} rejected\nstore     {given.store.rstrip('/')}"
        )
    return EXIT_OK


NOT_ON_RUNNERS = ("until_idle", "accept_loss", "reprocess", "metrics", "json")
"""Flags of micro-batches, which the unbounded graph has no part for."""


def on_runner(given: argparse.Namespace, settings: Settings) -> int:
    """Runs the unbounded graph until it is stopped.

    Raises:
        UsageError: a flag is not for it, or what it names can't be used.
    """
    from pipeline.build_stream import StreamOptions
    from pipeline.stream_graph import GraphOptions, stream_graph

    for flag in NOT_ON_RUNNERS:
        if getattr(given, flag):
            raise UsageError(f"--{flag.replace('_', '-')} is for streams without --runner; leave it out")
    if "://" not in given.place:
        raise UsageError(f"--from {given.place} is a folder; with --runner expected is kafka://HOST:PORT/TOPIC")
    progress, topic = progress_of(given), topic_of(given, settings)
    progress.say(f"reading {given.place} on {given.runner} until stopped; labels are provisional")
    try:
        asked = StreamOptions(given.store, settings, given.every, sole_writer=given.sole_writer)
        stream_graph(GraphOptions(topic, asked, runner_of(given), given.workers))
    except KeyboardInterrupt:
        progress.say("stopped; what is not committed is read again by the same command")
    return EXIT_OK


def source_of(given: argparse.Namespace, settings: Settings) -> Source:
    """The source that the flags name.

    Raises:
        UsageError: they don't fit each other, or name nothing that can be read.
    """
    from pipeline.stream_folder import FolderSource
    from pipeline.stream_topic import TopicSource

    if "://" not in given.place:
        for flag in ("schema", "schema_registry", "kafka_option", "kafka_options_file", "accept_loss", "reprocess"):
            if getattr(given, flag):
                raise UsageError(f"--{flag.replace('_', '-')} is for topics, and --from {given.place} is a folder")
        return FolderSource(given.place, given.store)
    return TopicSource(topic_of(given, settings), accept_loss=given.accept_loss, reprocess=given.reprocess)


def topic_of(given: argparse.Namespace, settings: Settings) -> Topic:
    """The topic that the flags name, and how it is read.

    Raises:
        UsageError: they don't fit each other, or name nothing that can be read.
    """
    from pipeline.stream_topic import parse_topic
    from transforms.functions.topics import REGISTRY_USER, Topic

    broker, name = parse_topic(given.place)
    options = kafka_options(given.kafka_option, given.kafka_options_file)
    form = form_of(given.schema, given.schema_registry, options.get(REGISTRY_USER), settings)
    return Topic(broker, name, tuple(sorted(options.items())), form)


def form_of(schema: str | None, registry: str | None, user: str | None, settings: Settings) -> MessageForm:
    """How messages are read, by a schema's file and a registry's place.

    Raises:
        UsageError: one of them can't be used.
    """
    from transforms.functions.messages import MessageForm, check_form

    text = None
    if schema is not None and registry is not None:
        raise UsageError("--schema and --schema-registry exclude each other: values have the registry's header or not")
    if schema is not None:
        try:
            with open(schema, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--schema {schema}: can't be read ({error}); expected an Avro schema's file") from error
    form = MessageForm(text, registry, user)
    try:
        check_form(form, settings.read)
    except ValueError as error:
        flag = f"--schema {schema}" if schema is not None else f"--schema-registry {registry}"
        raise UsageError(f"{flag}: {error}") from error
    return form


def kafka_options(given: Sequence[str], path: str | None) -> dict[str, str]:
    """Options by name: those of the file, then those of the command line.

    Raises:
        UsageError: one isn't NAME=VALUE, or the file can't be read.
    """
    lines: list[str] = []
    if path is not None:
        try:
            with open(path, encoding="utf-8") as file:
                lines = [line.strip() for line in file]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--kafka-options-file {path}: can't be read ({error})") from error
    options: dict[str, str] = {}
    for number, line in enumerate([*lines, *given]):
        if number < len(lines) and (not line or line.startswith("#")):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            # What stands there may be a password.
            where = f"line {number + 1} of {path}" if number < len(lines) else f"--kafka-option {name}"
            raise UsageError(f"{where}: expected NAME=VALUE, for example security.protocol=SASL_SSL")
        options[name.strip()] = value.strip()
    return options


def duration(text: str) -> float:
    """Seconds of a number with its unit, or the error that argparse shows."""
    given = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd])", text)
    if given is None:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a number and s, m, h or d, for example 30m")
    return float(given.group(1)) * UNITS[given.group(2)]


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(text: str) -> float:
    """A number of seconds from 0, or the error that argparse shows."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a number of seconds, for example 0.5")
    return found
