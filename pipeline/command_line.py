"""The `copydesk` command."""

from __future__ import annotations

import argparse
import difflib
import json
import logging
import re
import signal
import sys
import textwrap
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from pipeline.errors import INTERRUPTED, RunError, UsageError
from schemas.settings import SettingError, Settings, known_settings, parse_assignments

Command = Callable[[argparse.Namespace], int]
EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class _Parser(argparse.ArgumentParser):
    """A parser that names the nearest known flag or command."""

    words: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        parsers = [self, *(one for action in self._actions for one in _commands_of(action))]
        known = [option for one in parsers for action in one._actions for option in action.option_strings]
        unknown = re.search(r"unrecognized arguments: (-\S+)", message)
        words = [word.split("=")[0] for word in self.words if word.startswith("-")]
        stray = next((word for word in words if word not in known), None)
        if "are required" in message and stray is not None:
            message = f"unrecognized arguments: {stray}"
            unknown = re.search(r"unrecognized arguments: (-\S+)", message)
        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if unknown:
            flag = unknown.group(1).split("=")[0]
            near = difflib.get_close_matches(flag, known, 1, cutoff=0.3)
            message = f"unknown flag {flag}" + (f"; did you mean {near[0]}?" if near else "")
        elif choice:
            options = re.findall(r"[\w-]+", choice.group(2))
            near = difflib.get_close_matches(choice.group(1), options, 1, cutoff=0.3)
            message = f"unknown {choice.group(1)!r}; expected one of {', '.join(options)}"
            message += f" (did you mean {near[0]}?)" if near else ""
        print(f"copydesk: {message}\n`{self.prog} --help` shows what there is", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)


def _commands_of(action: argparse.Action) -> list[argparse.ArgumentParser]:
    """The parsers of the commands, where the action is the choice of one."""
    return list(action.choices.values()) if isinstance(action, argparse._SubParsersAction) else []


def _run(given: argparse.Namespace) -> int:
    from pipeline.progress import Progress
    from pipeline.run import RunOptions, run
    from pipeline.summary import summary_of
    from transforms.functions.records import aliases

    assignments = parse_assignments(given.set or [])
    if given.field:
        assignments["read.fields"] = ",".join(given.field)
    for flag, key in FLAG_SETTINGS.items():
        value = getattr(given, flag)
        if value is not None:
            assignments[key] = str(value)
    settings = Settings().replace(assignments)
    aliases(settings.read)  # a wrong --field is told before anything is made
    options = RunOptions(tuple(given.input), given.store, settings, given.workers)
    manifest = run(options, Progress(None if given.quiet else sys.stderr))
    print(json.dumps(manifest, ensure_ascii=False) if given.json else summary_of(manifest, given.store.rstrip("/")))
    return EXIT_OK


FLAG_SETTINGS = {
    "keep": "relate.keep", "drop": "relate.drop", "clean": "clean.level",
    "max_rejected_fraction": "run.max_rejected_fraction",
}  # fmt: skip
"""Flags that are short names of settings."""


def _report(given: argparse.Namespace) -> int:
    from pipeline.report import write_report
    from pipeline.store import Store
    from pipeline.summary import summary_of

    store = Store(given.store)
    store.require()
    runs = [manifest["run_id"] for manifest in store.manifests]
    wanted = given.run or runs[-1]
    if wanted not in runs:
        near = difflib.get_close_matches(wanted, runs, 1, cutoff=0)
        raise UsageError(f"{given.store} has no run {wanted!r}; did you mean {near[0]}?")
    manifest = store.manifests[runs.index(wanted)]
    write_report(store.path, manifest)
    print(json.dumps(manifest, ensure_ascii=False) if given.json else summary_of(manifest, store.path))
    return EXIT_OK


def _explain(given: argparse.Namespace) -> int:
    from pipeline.explain import explain
    from pipeline.store import Store

    store = Store(given.store)
    store.require()
    print(explain(store, given.article_id, as_json=given.json))
    return EXIT_OK


def _verify(given: argparse.Namespace) -> int:
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


def _settings(given: argparse.Namespace) -> int:
    settings = Settings().replace(parse_assignments(given.set or []))
    values = settings.as_dict()
    if given.json:
        print(settings.as_json())
        return EXIT_OK
    for key, known in known_settings().items():
        value = values[key]
        shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        default = "" if value == _plain(known.default) else f"  (default {_plain(known.default)})"
        print(f"{key} = {shown or '(none)'}  [{known.unit}]{default}")
        print(textwrap.fill(known.why, 100, initial_indent="    ", subsequent_indent="    "))
    return EXIT_OK


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="copydesk", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="From news articles to clean, deduplicated, explainable Parquet.",
        epilog=textwrap.dedent("""\
            examples:
              copydesk run --input 'news/**/*.jsonl.gz' --store corpus
              copydesk run --input today/ --store corpus --workers 2
              copydesk run --input dump.parquet --field text=story_body --store corpus
              copydesk report --store corpus
              copydesk explain --store corpus 0f3c...
              copydesk verify --store corpus
              copydesk settings

            exit codes: 0 the run committed (or there was nothing new); 1 it failed and nothing was
            committed; 2 the command line or a setting is wrong; 130 interrupted, nothing committed"""),
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser, metavar="COMMAND")

    def command(name: str, about: str, do: Command, example: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=about, description=about, allow_abbrev=False, epilog=f"example: copydesk {name} {example}"
        )
        made.set_defaults(do=do)
        return made

    run = command("run", "read what the store has not seen, clean, deduplicate against the whole store, commit one run",
                  _run, "--input 'news/*.jsonl' --store corpus")  # fmt: skip
    run.add_argument("--input", nargs="+", required=True, metavar="PATTERN", help="files, folders or patterns (** too)")
    run.add_argument("--store", required=True, metavar="DIR", help="where the store is, or is to be made")
    run.add_argument("--workers", type=_positive, default=1, metavar="N", help="processes to use (default 1)")
    run.add_argument("--field", action="append", metavar="FIELD=NAME", help="an input's own name for a field")
    run.add_argument("--keep", help="who stands for a story: most-complete, earliest or wire-first")
    run.add_argument("--drop", metavar="RELATIONS", help="relations that go to copies/, separated by commas")
    run.add_argument("--clean", metavar="LEVEL", help="off, light or full")
    run.add_argument("--max-rejected-fraction", metavar="F", help="fail instead of committing when more is refused")
    run.add_argument("--set", action="append", metavar="KEY=VALUE", help="any setting (see `copydesk settings`)")
    run.add_argument("--json", action="store_true", help="the summary as JSON")
    run.add_argument("--quiet", action="store_true", help="no progress on standard error")

    report = command("report", "write the HTML report of a run and print its summary", _report, "--store corpus")
    report.add_argument("--store", required=True, metavar="DIR")
    report.add_argument("--run", metavar="ID", help="the newest one by default")
    report.add_argument("--json", action="store_true", help="the run's manifest as JSON")

    explain = command("explain", "why an article was kept or not: its story, matches and what was removed", _explain,
                      "--store corpus 5a0c9e...")  # fmt: skip
    explain.add_argument("--store", required=True, metavar="DIR")
    explain.add_argument("article_id", metavar="ARTICLE_ID", help="an article_id, or the giver's own id")
    explain.add_argument("--json", action="store_true", help="as JSON")

    verify = command("verify", "check every promise of a store: files as committed, sums, ids, keepers, evidence",
                     _verify, "--store corpus")  # fmt: skip
    verify.add_argument("--store", required=True, metavar="DIR")
    verify.add_argument("--json", action="store_true", help="as JSON")

    settings = command("settings", "every setting, its value, unit and why the default is what it is", _settings,
                       "--set match.window_days=7")  # fmt: skip
    settings.add_argument("--set", action="append", metavar="KEY=VALUE", help="show with this value")
    settings.add_argument("--json", action="store_true", help="as JSON")
    return top


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a whole number from 1")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; gives the exit code. A user's mistake is one message, never a traceback."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    # Beam warns on the root logger about clouds that nobody asked for.
    logging.basicConfig(level=logging.ERROR, format="copydesk: %(name)s: %(message)s")
    # What fails in a step is told once, by the run, with the whole error in a file.
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    _Parser.words = sys.argv[1:] if arguments is None else arguments
    given = parser().parse_args(arguments)
    try:
        return int(given.do(given))
    except SettingError as error:
        print(f"copydesk: {error}", file=sys.stderr)
        return EXIT_USAGE
    except (UsageError, RunError) as error:
        print(f"copydesk: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("copydesk: interrupted; nothing was committed. The same command goes on where this one stopped",
              file=sys.stderr)  # fmt: skip
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_OK
    except Exception as error:  # noqa: BLE001 - the last resort: it says how the run failed, and keeps the traceback
        traceback.print_exc()
        print(f"copydesk: the run failed and nothing was committed: {error}", file=sys.stderr)
        return EXIT_FAILED


def _interrupt(_number: int, _frame: Any) -> NoReturn:
    INTERRUPTED.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
