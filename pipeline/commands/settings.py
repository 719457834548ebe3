"""`copydesk settings`."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from pipeline.errors import EXIT_OK
from schemas.settings import Settings, known_settings, parse_assignments

NAME = "settings"
ABOUT = "every setting, its value, unit and why the default is what it is"
EXAMPLE = "--set match.window_days=7"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="show with this value")
    parser.add_argument("--json", action="store_true", help="as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
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
