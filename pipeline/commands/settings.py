"""`copydesk settings`."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import Any

from pipeline.errors import EXIT_OK, UsageError
from schemas.settings import Settings, known_settings, parse_assignments

NAME = "settings"
ABOUT = "every setting, its value, unit and why the default is what it is"
EXAMPLE = "--set match.window_days=7"


def declare(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="show with this value")
    parser.add_argument("--furniture", action="store_true", help="the lines learned as furniture of each outlet")
    parser.add_argument("--store", metavar="DIR", help="with --furniture: the store that learned them")
    parser.add_argument("--json", action="store_true", help="as JSON")


def do(given: argparse.Namespace) -> int:
    """Runs the command; gives the exit code."""
    if given.furniture:
        return _furniture(given)
    if given.store is not None:
        raise UsageError("--store goes with --furniture: settings themselves are not a store's")
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


def _furniture(given: argparse.Namespace) -> int:
    from pipeline.known_furniture import learning_settings, listed_furniture, told_furniture
    from pipeline.store import Store

    if given.store is None:
        raise UsageError("--furniture needs --store DIR: what is known of each outlet is kept in a store")
    store = Store(given.store)
    store.require()
    settings = learning_settings(store, parse_assignments(given.set or [])).furniture
    rows = listed_furniture(store, settings)
    print(json.dumps(rows, ensure_ascii=False) if given.json else told_furniture(rows, settings))
    return EXIT_OK


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
