"""The `copydesk` command."""

from __future__ import annotations

import argparse
import difflib
import logging
import re
import signal
import sys
import textwrap
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from pipeline.advice import advice
from pipeline.commands import (
    compact,
    compare,
    explain,
    export,
    reconcile,
    relabel,
    report,
    run,
    settings,
    stream,
    upgrade,
    vacuum,
    verify,
)
from pipeline.errors import (
    COMMITTING,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    INTERRUPTED,
    RunError,
    UsageError,
)
from pipeline.log_lines import JSON, TEXT, JsonFormatter, log_line
from schemas.checked_settings import SettingError

COMMANDS = (
    run,
    stream,
    reconcile,
    report,
    explain,
    export,
    relabel,
    compare,
    verify,
    compact,
    vacuum,
    upgrade,
    settings,
)
"""In the order in which `--help` shows them."""


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
              copydesk stream --from kafka://localhost:9092/articles --store corpus
              copydesk report --store corpus
              copydesk explain --store corpus 0f3c...
              copydesk export --store corpus --to corpus-now --format jsonl
              copydesk verify --store corpus
              copydesk settings

            exit codes: 0 the run committed (or there was nothing new); 1 it failed and nothing was
            committed (compare: different; verify: a promise is broken); 2 the command line, a
            setting, the inputs or the store given are wrong; 130 interrupted, nothing committed"""),
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser, metavar="COMMAND")
    for one in COMMANDS:
        example = f"example: copydesk {one.NAME} {one.EXAMPLE}".rstrip()
        made = commands.add_parser(one.NAME, help=one.ABOUT, description=one.ABOUT, allow_abbrev=False, epilog=example)
        one.declare(made)
        made.set_defaults(do=one.do)
    return top


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
    form = getattr(given, "log_format", TEXT)
    if form == JSON:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())
    try:
        return int(given.do(given))
    except SettingError as error:
        return _failed(form, EXIT_USAGE, str(error))
    except UsageError as error:
        return _failed(form, error.exit_code, str(error))
    except RunError as error:
        return _failed(form, error.exit_code, str(error), advice(error))
    except KeyboardInterrupt:
        said = "interrupted; nothing was committed. The same command goes on where this one stopped"
        return _failed(form, EXIT_INTERRUPTED, said)
    except BrokenPipeError:
        return EXIT_OK
    except OSError as error:
        said = f"`copydesk {given.command}` failed: {error}. What was committed before is as it was"
        return _failed(form, EXIT_FAILED, said, advice(error))
    except Exception as error:  # noqa: BLE001 - the last resort: it says how the run failed, and keeps the traceback
        said = f"`copydesk {given.command}` failed: {type(error).__name__}: {error}"
        frames = "".join(traceback.format_exception(error, limit=-SHOWN_FRAMES))
        return _failed(form, EXIT_FAILED, said, advice(error), traceback=frames)


SHOWN_FRAMES = 6
"""Of a traceback: what failed and what led there, and the screen isn't full."""


def _failed(form: str, code: int, message: str, steps: Sequence[str] = (), traceback: str = "") -> int:
    """Tells why a command failed and what to do, in one screen; gives the exit code."""
    if form == JSON:
        more = {"traceback": traceback} if traceback else {}
        print(log_line(JSON, "error", message, exit_code=code, what_to_do=list(steps), **more), file=sys.stderr)
        return code
    lines = [traceback.rstrip()] if traceback else []
    lines += [log_line(TEXT, "error", message), *(f"  what to do: {step}" for step in steps)]
    print("\n".join(lines), file=sys.stderr)
    return code


def _interrupt(_number: int, _frame: Any) -> None:
    if not COMMITTING.is_set():
        INTERRUPTED.set()
        raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
