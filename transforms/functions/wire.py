"""Datelines, bylines and agency credits: lifts them out of the first and last lines of a story."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from transforms.functions.cutting import Spans
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText, unpack
from transforms.functions.rules import Lifted

WIRE_RULES: dict[str, str] = {
    "wire.dateline": "dateline",
    "wire.dateline.ar": "dateline",
    "wire.byline.ar": "byline",
    "wire.credit": "credit",
}
"""What this module can cut, by rule id, with its category."""

_DATELINE, _DATELINE_AR, _BYLINE_AR, _CREDIT = range(4)
HEAD_BYTES = 200
"""How much of a line is looked at; not tuned, a dateline with two places and a date takes some 80 bytes."""
TAIL_BYTES = 60
"""How much of the last line is looked at; not tuned, the longest credit form known takes some 40 bytes."""
FIRST_LINES = 6
"""A dateline stands after at most a headline, a byline, a standfirst and two captions."""

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = rf"(?:{_MONTH}\s\d{{1,2}}(?:,?\s\d{{4}})?|\d{{1,2}}\s{_MONTH}(?:,?\s\d{{4}})?)"
_DASH = r"(?:--+|[-–—―])"
_NAME = r"[A-Z][\w.’'’]*(?:[ -](?:[A-Z][\w.’']*|de|la|el|of|the|and|am|an|al|der|sur)){0,4}"
# Words in capitals before a dash that are no place.
_KICKERS = frozenset(
    [
        "ADVERTISEMENT",
        "ANALYSIS",
        "BREAKING",
        "COLUMN",
        "COMMENT",
        "CORRECTED",
        "CORRECTION",
        "EDITORIAL",
        "EXCLUSIVE",
        "EXPLAINER",
        "FACTBOX",
        "FILE",
        "GRAPHIC",
        "INSIGHT",
        "INTERVIEW",
        "LISTEN",
        "LIVE",
        "MORE",
        "NEWS",
        "NOTE",
        "OPINION",
        "PHOTOS",
        "PICTURES",
        "POLL",
        "PODCAST",
        "PREVIEW",
        "PROFILE",
        "Q&A",
        "READ",
        "RELATED",
        "REVIEW",
        "REVIEWS",
        "SPECIAL",
        "SPORT",
        "TIMELINE",
        "TOP",
        "TRENDING",
        "UPDATE",
        "UPDATED",
        "URGENT",
        "VIDEO",
        "WATCH",
        "WEATHER",
        "WRAPUP",
        "YES",
        "NO",
        "OK",
        "GOP",
        "US",
        "U.S.",
        "UK",
        "EU",
        "UN",
        "NATO",
        "FBI",
        "CIA",
        "NASA",
        "DNA",
    ]
)
_AR = r"[\x{0621}-\x{063A}\x{0640}-\x{065F}\x{0670}-\x{06D3}]"
_AR_WORD = rf"{_AR}+\.?"
_AR_PART = rf"(?:{_AR_WORD}(?:[ ،]+{_AR_WORD}){{0,4}})"
_AR_DATE = rf"(?:\s*\(?\d{{1,2}}\)?(?:\s+{_AR_WORD}(?:\s+\d{{4}})?)?)?"
_DESK = r"(?:رصد|تصوير|إعداد|اعداد|كتب|كتبت|متابعة|تقرير|حوار|ترجمة|حاوره|حاورته)(?:\s+و\S+)?\s*[:：-]\s*"
# Verbs and particles: a "part" that holds one is a clause, not a name or a place.
_AR_CLAUSE = re.compile(
    r"(?:^|[ ،])(?:قال|قالت|أكد|أكدت|أعلن|أعلنت|كشف|كشفت|إن|أن|الذي|التي|هو|هي|هذا|هذه|ذلك|كان|كانت|من|في|على|إلى|"
    r"عن|مع|لم|لن|لا|ما|هل|كيف|لماذا|بعد|قبل|يوم|عام|حتى|ثم|قد|كل|بين|خلال|ضد|نحو|حول|عند|كما|"
    r"بالفيديو|بالصور|شاهد|فيديو|صور)(?:$|[ ،])"
)
_AR_OUTLET = re.compile(
    r"(?:^| )(?:صحيفة|جريدة|موقع|وكالة|نيوز|أونلاين|اونلاين|اليوم|الآن|أخبار|الأخبار|متابعات|متابعة|"
    r"وكالات|خاص)(?:$| )"
)


@functools.cache
def agency_names() -> dict[str, str]:
    """Canonical agency name by every form of its credit, from `rules/wire.toml`.

    Raises:
        ValueError: two agencies have one form.
    """
    text = (resources.files("transforms.rules") / "wire.toml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for agency in tomllib.loads(text)["agency"]:
        for form in agency["credits"]:
            if found.setdefault(form, agency["name"]) != agency["name"]:
                raise ValueError(f"wire.toml: {form!r} is credited to {found[form]!r} and {agency['name']!r}")
    return found


@functools.cache
def _patterns() -> dict[str, Any]:
    forms = sorted(agency_names(), key=lambda form: (-len(form), form))
    latin = "|".join(re2.escape(form) for form in forms if form.isascii())
    arabic = "|".join(re2.escape(form) for form in forms if not form.isascii())
    credit = rf"[(\[/]\s*(?P<agency>{latin})(?:[/,;:][^)\]]{{0,40}})?\s*[)\]/]"
    place = rf"(?P<place>{_NAME}(?:,\s?{_NAME}){{0,2}}(?:/{_NAME}(?:,\s?{_NAME})?)?)"
    # Fully written in capitals, or with a state or country after them.
    state = r"(?:,\s[A-Z][\w.’']*(?: [A-Z][\w.’']*){0,2}){0,2}"
    capitals = rf"(?P<capitals>[A-Z][A-Z’'.-]*[A-Z.](?:[ -][A-Z’'.-]+){{0,3}}{state})"
    part = rf"{_AR_PART}(?:\s*\([^()]{{2,40}}\)|/{_AR_PART})?"
    agency = rf"[(\[]?(?P<agency>{arabic})[)\]]?"
    bracketed = rf"[(\[]\s*(?P<agency>{arabic})\s*[)\]]"
    return {
        "credited": rf"^(?:{place},?\s*)?(?:,?\s*{_DATE},?\s*)?{credit}\s*(?:{_DASH}|:)+\s*",
        "capitals": rf"^{capitals}(?:,\s*{_DATE})?\s*(?:[–—―]|--+|\s-\s)\s*",
        "place_agency": rf"^(?P<place>{part}){_AR_DATE}\s*(?:[-–—،]\s*|\s){agency}\s*[-–—:：]+\s*",
        "place_bracket": rf"^(?P<place>{part}){_AR_DATE}\s*[-–—،]?\s*{bracketed}\s*[-–—:：.]*\s*",
        "agency_place": rf"^{agency}\s*[-–—،]\s*(?P<place>{part})\s*[-–—:：]+\s*",
        "byline_ar": rf"^(?:{_DESK})?(?P<parts>{part}(?:\s*[-–—]\s*{part}){{1,3}})\s*(?:[:：]+\s*|$)",
        "agency_line": rf"^[-–—(\[\s/]*(?P<agency>{latin}|{arabic})[-–—)\]\s/.]*$",
        "agency_end": rf"[.!?؟”\"»]\s*(?P<cut>(?:[–—-]+\s*|[(\[]\s*)(?P<agency>{latin}|{arabic})\s*[)\].]*)$",
    }


def lift_wire(packed: PackedText, lines: LineTable, cut: Spans, lifted: Lifted) -> Spans:
    """Cuts datelines, Arabic credit lines and closing agency credits, and keeps what they say.

    Args:
        cut: what rules cut already: a line that is gone is passed over, and what follows a cut start is its start.
        lifted: gets place, agency and byline of each article.
    """
    order = np.argsort(cut.start, kind="stable")
    begin, line, last = _candidates(
        packed.data, lines.starts, lines.ends, lines.first, cut.start[order], cut.end[order], FIRST_LINES
    )
    found: list[tuple[int, int, int, int]] = []
    if len(line):
        heads = _heads(packed, begin, lines.ends[line])
        article = lines.article[line]
        whole = lines.ends[line] - begin <= HEAD_BYTES
        latin = _first_bytes(packed, begin) < 0x80
        _lift_latin(heads, latin, article, begin, found, lifted)
        _lift_arabic(heads, ~latin, article, begin, whole, lines, line, found, lifted)
    _lift_ends(packed, lines, last, found, lifted)
    table = np.array(found, np.int64).reshape(-1, 4)
    return Spans(table[:, 0].astype(np.int32), table[:, 1], table[:, 2], table[:, 3].astype(np.int32))


def _first_bytes(packed: PackedText, begin: Offsets) -> Bytes:
    return packed.data[begin]


def _heads(packed: PackedText, begin: Offsets, end: Offsets) -> pa.StringArray:
    """The first HEAD_BYTES of some lines, shortened to whole characters."""
    stop = _whole_characters(packed.data, begin, np.minimum(end, begin + HEAD_BYTES))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(stop - begin)])
    data = np.empty(int(offsets[-1]), np.uint8)
    _gather(packed.data, begin, stop, data)
    return unpack(PackedText(data, offsets))


def _extract(texts: pa.StringArray, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Place and groups of each text that a pattern matches; captures are made only where it does."""
    pattern = _patterns()[name]
    rows = np.flatnonzero(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False))
    found = pc.extract_regex(texts.take(pa.array(rows)), rf"(?P<all>{pattern})").to_pylist()
    yield from ((int(row), parts) for row, parts in zip(rows, found, strict=True) if parts is not None)


def _lift_latin(
    heads: pa.StringArray,
    rows: npt.NDArray[np.bool_],
    article: npt.NDArray[np.int32],
    begin: Offsets,
    found: list[tuple[int, int, int, int]],
    lifted: Lifted,
) -> None:
    seen: set[int] = set()
    chosen = np.flatnonzero(rows)
    some = heads.take(pa.array(chosen))
    for name in ("credited", "capitals"):
        if name == "capitals":
            open_rows = np.array([row not in seen for row in article[chosen].tolist()], bool)
            chosen = chosen[open_rows]
            some = heads.take(pa.array(chosen))
        for k, parts in _extract(some, name):
            row = int(article[chosen[k]])
            if row in seen or not parts["all"]:
                continue
            if name == "capitals" and not _is_place(parts["capitals"], some[k].as_py()[len(parts["all"]) :]):
                continue
            seen.add(row)
            start = int(begin[chosen[k]])
            found.append((row, start, start + len(parts["all"].encode()), _DATELINE))
            lifted.add("dateline", row, parts.get("place") or parts.get("capitals") or "")
            if parts.get("agency"):
                lifted.add("agency", row, agency_names()[parts["agency"]])


def _is_place(capitals: str, rest: str) -> bool:
    words = re.split(r"[\s,]+", capitals)
    if any(word.strip(".’'") in _KICKERS or word in _KICKERS for word in words) or len(capitals) < 3:
        return False
    return bool(rest) and (rest[0].isupper() or rest[0] in "“\"'‘«$€£" or rest[0].isdigit()) and not rest.isupper()


def _lift_arabic(
    heads: pa.StringArray,
    rows: npt.NDArray[np.bool_],
    article: npt.NDArray[np.int32],
    begin: Offsets,
    whole: npt.NDArray[np.bool_],
    lines: LineTable,
    line: npt.NDArray[np.int64],
    found: list[tuple[int, int, int, int]],
    lifted: Lifted,
) -> None:
    seen: set[int] = set()
    chosen = np.flatnonzero(rows)
    some = heads.take(pa.array(chosen))
    for name in ("place_bracket", "agency_place", "place_agency", "byline_ar"):
        for k, parts in _extract(some, name):
            row = int(article[chosen[k]])
            at = int(line[chosen[k]])
            size = len(parts["all"].encode())
            start = int(begin[chosen[k]])
            fills = start + size == int(lines.ends[at])
            if row in seen or (fills and at + 1 == int(lines.first[row + 1])):
                continue
            if fills and not whole[chosen[k]]:
                continue
            names = re.split(r"\s*[-–—]\s*", parts["parts"]) if "parts" in parts else [parts["place"]]
            if sum(len(part.split()) for part in names) > 9 or any(_AR_CLAUSE.search(part) for part in names):
                continue
            if fills and at - int(lines.first[row]) >= 3:
                continue
            seen.add(row)
            if name == "byline_ar":
                found.append((row, start, start + size, _BYLINE_AR))
                _name_parts(names, row, lifted)
            else:
                found.append((row, start, start + size, _DATELINE_AR))
                lifted.add("dateline", row, parts["place"])
                lifted.add("agency", row, agency_names()[parts["agency"]])


def _name_parts(parts: list[str], row: int, lifted: Lifted) -> None:
    """Says which part of `reporter - outlet - place` is which, in the orders newspapers use."""
    agencies = [agency_names()[part] for part in parts if part in agency_names()]
    for agency in agencies:
        lifted.add("agency", row, agency)
    credited = bool(agencies)
    # A single word is an outlet's name unless it stands last or beside an agency: reporters have two names.
    rest = [
        part
        for part in parts
        if part not in agency_names() and not _AR_OUTLET.search(part) and (credited or " " in part or part == parts[-1])
    ]
    if not rest:
        return
    if len(rest) == 1:
        # Before the outlet's name stands the reporter, after it (and beside an agency) the place.
        lifted.add("dateline" if credited or parts[-1] == rest[0] else "byline", row, rest[0])
        return
    lifted.add("byline", row, rest[0])
    lifted.add("dateline", row, rest[-1])


def _lift_ends(
    packed: PackedText,
    lines: LineTable,
    last: npt.NDArray[np.int64],
    found: list[tuple[int, int, int, int]],
    lifted: Lifted,
) -> None:
    """Cuts an agency's name that closes a story: alone on the last line left, or in brackets after its last stop."""
    if not len(last):
        return
    # Only a short line, or one that ends in a bracket, a stop or a letter beyond ASCII, can end in a credit.
    closing = packed.data[lines.ends[last] - 1]
    short = lines.ends[last] - lines.starts[last] <= TAIL_BYTES
    last = last[short | (closing == 41) | (closing == 93) | (closing > 127)]
    ends = lines.ends[last]
    begin = _whole_starts(packed.data, np.maximum(lines.starts[last], ends - TAIL_BYTES))
    tails = _heads(packed, begin, ends)
    fits = begin == lines.starts[last]
    for name in ("agency_line", "agency_end"):
        for k, parts in _extract(tails, name):
            at = int(last[k])
            row = int(lines.article[at])
            text = parts["all"] if name == "agency_line" else parts["cut"]
            if (name == "agency_line" and not fits[k]) or (at == int(lines.first[row]) and name == "agency_line"):
                continue
            found.append((row, int(ends[k]) - len(text.encode()), int(ends[k]), _CREDIT))
            lifted.add("agency", row, agency_names()[parts["agency"]])


@numba.njit(nogil=True, cache=True)
def _candidates(
    data: Bytes, starts: Offsets, ends: Offsets, first: Offsets, cut_start: Offsets, cut_end: Offsets, first_lines: int
) -> tuple[Offsets, Offsets, Offsets]:
    """First lines that may open with a dateline, where they begin after what is cut, and each text's last line left."""
    count = len(first) - 1
    begin = np.empty(count * first_lines, np.int64)
    line = np.empty(count * first_lines, np.int64)
    last = np.empty(count, np.int64)
    found, closing = 0, 0
    k = 0
    for row in range(count):
        taken = 0
        bottom = -1
        for at in range(first[row], first[row + 1]):
            start = starts[at]
            while k < len(cut_start) and cut_end[k] <= start:
                k += 1
            j = k
            while j < len(cut_start) and cut_start[j] <= start:
                if cut_end[j] > start:
                    start = cut_end[j]
                j += 1
                while start < ends[at] and data[start] == 32:
                    start += 1
            if start >= ends[at]:
                continue
            bottom = at
            if taken < first_lines:
                taken += 1
                byte = data[start]
                if 65 <= byte <= 90 or byte == 40 or byte == 91 or 0xD8 <= byte <= 0xDB:
                    stop = min(ends[at], start + 120)
                    for i in range(start, stop):
                        # A dash, a colon or a dash of General Punctuation.
                        if data[i] == 45 or data[i] == 58 or (data[i] == 0xE2 and data[i + 1] == 0x80):
                            begin[found], line[found] = start, at
                            found += 1
                            break
                        if data[i] == 41:
                            begin[found], line[found] = start, at
                            found += 1
                            break
        if bottom >= 0:
            last[closing] = bottom
            closing += 1
    return begin[:found], line[:found], last[:closing]


@numba.njit(nogil=True, cache=True)
def _whole_characters(data: Bytes, begin: Offsets, stop: Offsets) -> Offsets:
    """Ends moved back so that no character is cut in two."""
    settled = stop.copy()
    for k in range(len(stop)):
        while settled[k] > begin[k] and settled[k] < len(data) and (data[settled[k]] & 0xC0) == 0x80:
            settled[k] -= 1
    return settled


@numba.njit(nogil=True, cache=True)
def _whole_starts(data: Bytes, begin: Offsets) -> Offsets:
    """Starts moved on so that no character is cut in two."""
    settled = begin.copy()
    for k in range(len(begin)):
        while settled[k] < len(data) and (data[settled[k]] & 0xC0) == 0x80:
            settled[k] += 1
    return settled


@numba.njit(nogil=True, cache=True)
def _gather(data: Bytes, begin: Offsets, stop: Offsets, out: Bytes) -> None:
    at = 0
    for k in range(len(begin)):
        for i in range(begin[k], stop[k]):
            out[at] = data[i]
            at += 1
