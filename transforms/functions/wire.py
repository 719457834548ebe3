"""Datelines, bylines and agency credits: lifts them out of the first and last lines of a story."""

from __future__ import annotations

import functools
import re

import numpy as np

from transforms.functions.agencies import agency_named, agency_names, read_wire, split_byline
from transforms.functions.arabic_openings import OTHER_WORDS
from transforms.functions.cutting import Spans, join_spans
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import PackedText, slices
from transforms.functions.rules import Lifted
from transforms.functions.site_marks import section_names
from transforms.functions.wire_arabic import lift_arabic
from transforms.functions.wire_scan import ARABIC, CAPITALS, CREDITED, NAMED, Closings, Openings, scan_edges

__all__ = ["WIRE_RULES", "agency_names", "lift_wire"]

WIRE_RULES: dict[str, str] = {
    "wire.dateline": "dateline",
    "wire.dateline.ar": "dateline",
    "wire.byline.ar": "byline",
    "wire.credit": "credit",
}
"""What this module can cut, by rule id, with its category."""

_DATELINE, _ARABIC, _CREDIT = 0, 1, 3  # those of Arabic openings are two
_AFTER_BYTES = 40
"""How much is looked at of what follows a place in capitals; not tuned."""

_UPPER = r"[A-ZÀ-ÖØ-Þ]"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = rf"(?:{_MONTH}\s\d{{1,2}}(?:,?\s\d{{4}})?|\d{{1,2}}\s{_MONTH}(?:,?\s\d{{4}})?)"
_NAME = rf"{_UPPER}[\w.’'’]*(?:[ -](?:{_UPPER}[\w.’']*|de|la|el|of|the|and|am|an|al|der|sur)){{0,4}}"
_PLACE = rf"(?P<place>{_NAME}(?:,\s?{_NAME}){{0,2}}(?:/{_NAME}(?:,\s?{_NAME})?)?)"
_BEFORE_CREDIT = re.compile(rf"(?:{_PLACE},?\s*)?(?:,?\s*(?P<date>{_DATE}),?\s*)?")
# `By Jane Doe LOS ANGELES`, as corrected stories open.
_BYLINE_PLACE = re.compile(
    rf"By\s+(?P<byline>{_UPPER}[a-z][\w.’'-]*(?: (?:{_UPPER}[\w.’'-]*|and|de|van|al))+?) "
    rf"(?P<place>[A-ZÀ-ÖØ-Þ]{{2,}}(?:[ /,-]+[A-ZÀ-ÖØ-Þ]{{2,}})*(?:, {_UPPER}\w+)?)"
)
# Fully written in capitals, or with a state or country after them.
_STATE = rf"(?:,\s{_UPPER}[\w.’']*(?: {_UPPER}[\w.’']*){{0,2}}){{0,2}}"
_CAPITALS = re.compile(
    rf"(?P<place>{_UPPER}[A-ZÀ-ÖØ-Þ’'.-]*[A-ZÀ-ÖØ-Þ.](?:[ -][A-ZÀ-ÖØ-Þ’'.-]+){{0,3}}{_STATE})"
    rf"(?:,\s*(?P<date>{_DATE}))?\s*"
)
_CREDIT_WORDS = re.compile(r"^(?:with|by|from|source|via|photo|المصدر|عن)\s*[:：]?\s+", re.IGNORECASE)
_CREDIT_JOINTS = re.compile(r"\s*[,،;/&+|-]\s*|\s+(?:and|with)\s+|\s+و\s*", re.IGNORECASE)
_FIRST_WORD = re.compile(r"[^\W_]+")
_WORDS, _CLOSERS = OTHER_WORDS - {"الأناضول", "الفرنسية", "الألمانية"}, frozenset(b")]/")
"""Words that are no credit even if they fill a line, outside brackets, and what closes these."""
_VOWEL = re.compile(r"[AEIOUYÀ-ÖØ-Ý]")
"""Capitals without any are an acronym."""
_UNNAMED = frozenset(["agencies", "wires", "news agencies", "wire reports", "wire services", "وكالات", "الوكالات"])


def lift_wire(packed: PackedText, lines: LineTable, cut: Spans, lifted: Lifted) -> Spans:
    """Cuts datelines, Arabic credit lines and agencies' names at a story's edges, and keeps what they say.

    Args:
        cut: what rules cut already: a line that is gone is passed over, and what follows a cut start is its start.
        lifted: gets place, agency and byline of each article; an agency is taken out of the bylines that rules read.
    """
    order = np.argsort(cut.start, kind="stable")
    openings, closings = scan_edges(packed, lines, cut.start[order], cut.end[order])
    found: list[tuple[int, int, int, int]] = []
    credited = _lift_credited(packed, lines, openings.of(CREDITED), lifted)
    seen = set(credited.article.tolist())
    _lift_capitals(packed, lines, openings.of(CAPITALS), seen, found, lifted)
    arabic = lift_arabic(packed, lines, openings.of(ARABIC), lifted).tagged_from(_ARABIC)
    _lift_named(packed, lines, openings.of(NAMED), closings, found, lifted)
    for row, byline in list(lifted.values["byline"].items()):
        name, agency = split_byline(byline)
        if agency:
            lifted.add("agency", row, agency)
            del lifted.values["byline"][row]
            lifted.add("byline", row, name or "")
    table = np.array(found, np.int64).reshape(-1, 4)
    others = Spans(table[:, 0].astype(np.int32), table[:, 1], table[:, 2], table[:, 3].astype(np.int32))
    return join_spans([credited, arabic, others])


@functools.lru_cache(maxsize=4096)
def _credited_agency(text: str) -> str | None:
    """The agency of what stands in a dateline's brackets: `Reuters`, `AFP/File`, `Reuters Health`, `AP Photo`."""
    form = re.split(r"[/,;:]", text, maxsplit=1)[0].strip()
    words = form.split(" ")
    for count in (len(words), *((len(words) - 1, len(words) - 2) if len(words) <= 4 else ())):
        if count > 0 and (name := agency_names().get(" ".join(words[:count]))):
            return name
    return None


@functools.lru_cache(maxsize=4096)
def _place_before(text: str) -> tuple[str, str] | None:
    """The place and the date before a dateline's brackets, empty where there is none; None for anything else there."""
    match = _BEFORE_CREDIT.fullmatch(text)
    return (match["place"] or "", match["date"] or "") if match else None


def _lift_credited(packed: PackedText, lines: LineTable, openings: Openings, lifted: Lifted) -> Spans:
    """Lifts `PARIS, Jan 5 (AFP) -`, the first of each text."""
    if not len(openings.line):
        return join_spans([])
    # Each text in brackets once, and then each one before them: there are few different ones.
    inner = slices(packed, openings.inner, openings.inner_end).dictionary_encode()
    agencies = [_credited_agency(name) for name in inner.dictionary.to_pylist()]
    codes = inner.indices.to_numpy()
    some = np.flatnonzero(np.array([agency is not None for agency in agencies], np.bool_)[codes])
    before = slices(packed, openings.begin[some], openings.inner[some] - 1).dictionary_encode()
    places = [_place_before(text) for text in before.dictionary.to_pylist()]
    known = np.array([place is not None for place in places], np.bool_)[before.indices.to_numpy()]
    some, place = some[known], before.indices.to_numpy()[known]
    rows, first = np.unique(lines.article[openings.line[some]], return_index=True)
    some, place = some[first], place[first]
    for row, name, code in zip(rows.tolist(), codes[some].tolist(), place.tolist(), strict=True):
        lifted.add("agency", row, agencies[name] or "")
        where, date = places[code] or ("", "")
        if match := _BYLINE_PLACE.fullmatch(where) if where.startswith("By") else None:
            lifted.add("byline", row, match["byline"])
            where = match["place"]
        lifted.add("dateline", row, where)
        lifted.add("dateline_date", row, date)
    return Spans(
        rows.astype(np.int32), openings.begin[some], openings.stop[some], np.full(len(some), _DATELINE, np.int32)
    )


def _lift_capitals(
    packed: PackedText,
    lines: LineTable,
    openings: Openings,
    seen: set[int],
    found: list[tuple[int, int, int, int]],
    lifted: Lifted,
) -> None:
    """Lifts `PARIS —` and `CHARLESTON, S.C. —`, where a sentence goes on behind it."""
    before = slices(packed, openings.begin, openings.inner).to_pylist()
    for k, text in enumerate(before):
        at = int(openings.line[k])
        row, stop = int(lines.article[at]), int(openings.stop[k])
        match = _CAPITALS.fullmatch(text)
        if match is None or row in seen:
            continue
        rest = bytes(packed.data[stop : min(int(lines.ends[at]), stop + _AFTER_BYTES)]).decode("utf-8", "ignore")
        if _is_place(match["place"], rest):
            seen.add(row)
            found.append((row, int(openings.begin[k]), stop, _DATELINE))
            lifted.add("dateline", row, match["place"])
            lifted.add("dateline_date", row, match["date"] or "")


_ARTICLES = frozenset(
    ["THE", "EL", "LA", "LOS", "LAS", "LE", "LES", "O", "A", "OS", "AS", "IL", "GLI", "DER", "DIE", "DAS"]
)
"""What three words and more begin with that are no place: `LA PAZ` and `LOS ANGELES` have two."""


@functools.cache
def _kickers() -> frozenset[str]:
    """Words in capitals that say what kind of story it is, from `rules/wire.toml`."""
    return frozenset(read_wire()["kickers"])


def _is_place(capitals: str, rest: str) -> bool:
    if capitals.lower() in section_names() or not _VOWEL.search(capitals):
        return False
    words = re.split(r"[\s,’']+", capitals)
    if words[0] in _ARTICLES and len(capitals.split(",")[0].split()) > 2:
        return False
    if any(word.strip(".’'") in _kickers() or word in _kickers() for word in words) or len(capitals) < 3:
        return False
    return bool(rest) and (rest[0].isupper() or rest[0] in "“\"'‘«$€£" or rest[0].isdigit()) and not rest.isupper()


@functools.cache
def _first_words() -> frozenset[str]:
    """What a credit's first word may be, case folded: most lines at an edge begin with another, and are no credit."""
    forms = [*agency_names(), *_UNNAMED, *["the", "with", "by", "from", "source", "via", "photo", "المصدر", "عن"]]
    words = [word for form in forms if (word := _FIRST_WORD.search(form))]
    return frozenset(word[0].casefold() for word in words)


@functools.lru_cache(maxsize=4096)
def _agencies_of(text: str) -> tuple[str | None, ...]:
    """The agencies of a line that names nothing else (None for `agencies`); empty for any other line."""
    head = _FIRST_WORD.search(text)
    if head is None or head[0].casefold() not in _first_words():
        return ()
    bare = text.strip(" -–—―()[]/*_•·|.").strip()
    if named := agency_named(text.strip(" -–—―()[]/*_•·|")):
        return (named,)
    bare = _CREDIT_WORDS.sub("", bare)
    named_parts: list[str | None] = []
    for part in _CREDIT_JOINTS.split(bare):
        name = agency_named(part)
        if name is None and part.casefold() not in _UNNAMED:
            whole = agency_named(bare)
            return (whole,) if whole else ()
        named_parts.append(name)
    return tuple(named_parts)


def _lift_named(
    packed: PackedText,
    lines: LineTable,
    openings: Openings,
    closings: Closings,
    found: list[tuple[int, int, int, int]],
    lifted: Lifted,
) -> None:
    """Cuts agencies' names that are a line at a story's edges, or stand in brackets after its last stop."""
    names = slices(packed, openings.inner, openings.inner_end).to_pylist()
    ends = slices(packed, closings.inner, closings.inner_end).to_pylist()
    line = [*openings.line.tolist(), *closings.line.tolist()]
    begin = [*openings.begin.tolist(), *closings.begin.tolist()]
    stop = [*openings.stop.tolist(), *closings.stop.tolist()]
    for text, at, start, end in zip([*names, *ends], line, begin, stop, strict=True):
        row = int(lines.article[at])
        whole = start == int(lines.starts[at])
        if text in (_WORDS if whole else OTHER_WORDS) and _CLOSERS.isdisjoint(packed.data[start:end].tolist()):
            continue
        if (whole and int(lines.first[row + 1]) - int(lines.first[row]) == 1) or not (agencies := _agencies_of(text)):
            continue
        found.append((row, start, end, _CREDIT))
        for agency in agencies:
            lifted.add("agency", row, agency or "")
