"""News agencies by every form of their names, and bylines told apart from the agencies in them."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources
from typing import Any

SHORT_FORM = 4
"""Forms of so many letters or fewer are also syllables of names (AA, MAP, TAP): they count in capitals and behind a
comma or the like only."""


@functools.cache
def read_wire() -> dict[str, Any]:
    """What `rules/wire.toml` says: agencies, and the places of Arabic openings."""
    return tomllib.loads((resources.files("transforms.rules") / "wire.toml").read_text(encoding="utf-8"))


@functools.cache
def agency_names() -> dict[str, str]:
    """Canonical agency name by every form of its credit, from `rules/wire.toml`.

    Raises:
        ValueError: two agencies have one form.
    """
    found: dict[str, str] = {}
    for agency in read_wire()["agency"]:
        for form in agency["credits"]:
            if found.setdefault(form, agency["name"]) != agency["name"]:
                raise ValueError(f"wire.toml: {form!r} is credited to {found[form]!r} and {agency['name']!r}")
    return found


@functools.cache
def agency_forms(arabic: bool | None = None) -> str:
    """All forms as alternatives of a regular expression, the longest first.

    Args:
        arabic: only those in Arabic letters (true), or only those in Latin ones (false).
    """
    forms = sorted(agency_names(), key=lambda form: (-len(form), form))
    return "|".join(re.escape(form).replace("\\ ", " ") for form in forms if arabic in (None, not form.isascii()))


@functools.cache
def _folded_names() -> dict[str, str]:
    return {form.casefold(): name for form, name in reversed(agency_names().items())}


def agency_named(text: str) -> str | None:
    """The canonical name of an agency in any of its forms, with or without `The`; None for anything else."""
    text = text.strip(" ,;|-–—()[]")
    text = text[4:] if text[:4].casefold() == "the " else text
    for form in (text, text.strip(".")):
        if name := agency_names().get(form) or (len(form) > SHORT_FORM and _folded_names().get(form.casefold())):
            return name
    return None


@functools.cache
def _closing_agency() -> re.Pattern[str]:
    forms = sorted(agency_names(), key=lambda form: (-len(form), form))
    long = "|".join(re.escape(form) for form in forms if len(form) > SHORT_FORM)
    short = "|".join(re.escape(form) for form in forms if len(form) <= SHORT_FORM)
    joint = r"(?:\s*[,;/|–—-]|\s+(?:and|with|of|for|via|in|عن|مع)(?=\s))"
    return re.compile(
        rf"(?:{joint}|\s)\s*\(?(?:the\s+)?(?P<long>(?i:{long}))\)?\s*$|{joint}\s*(?P<short>{short})\s*$"
        rf"|\s*\((?P<inside>{short})\)\s*$"
    )


@functools.lru_cache(maxsize=4096)
def split_byline(byline: str) -> tuple[str | None, str | None]:
    """The people of a byline and the agency it names: `Jane Doe, Associated Press`, `Jane Doe with AFP`, `Reuters`."""
    agency = agency_named(byline)
    if agency:
        return None, agency
    rest = byline
    while match := _closing_agency().search(rest):
        agency = agency_named(next(form for form in match.groups() if form))
        rest = rest[: match.start()].rstrip(" ,;/|–—-")
        if alone := agency_named(rest):
            return None, alone
    return rest.strip() or None, agency
