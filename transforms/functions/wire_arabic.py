"""Arabic datelines and opening credit lines: place, agency, reporter and outlet in the orders newspapers use."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import re2

from transforms.functions.agencies import agency_forms, agency_names
from transforms.functions.arabic_openings import (
    NEWSPAPERS,
    OTHER_WORDS,
    are_reporter_and_place,
    is_clause,
    is_outlet,
    is_place,
    name_parts,
    tells_a_credit,
)
from transforms.functions.cutting import Spans, join_spans
from transforms.functions.line_table import LineTable, LiteralAutomaton, build_automata, find_literals
from transforms.functions.packed_text import Bytes, Offsets, PackedText, slices, whole_stops
from transforms.functions.rules import Lifted, settle_values
from transforms.functions.searching import find_heads, join_pieces, without_counts, without_groups
from transforms.functions.wire_scan import Openings

_Flags = npt.NDArray[np.bool_]

DATELINE, BYLINE = range(2)
"""Tags of what is cut."""
HEAD_BYTES = 160
"""How much of a line is looked at; not tuned, a dateline with a place and two dates takes some 110 bytes."""
OUTLET_BYTES = 48
"""What stands before the name of a newspaper is a place of three words at most."""
FILLED_LINES = 3
"""A dateline or credit that fills a line is one of the first so many lines left."""

_AR = r"[\x{0621}-\x{063A}\x{0640}-\x{065F}\x{0670}-\x{06D3}]"
_AR_WORD = rf"{_AR}+(?:\.{_AR}+)*\.?"
_AR_PART = rf"(?:{_AR_WORD}(?:[ ،]+{_AR_WORD}){{0,4}})"
_DIGIT = r"[0-9\x{0660}-\x{0669}]"
_AR_DAY = rf"\(?{_DIGIT}{{1,2}}\)?(?:\s*[-/]\s*{_DIGIT}{{1,2}}\b|\s+{_AR_WORD}(?:\s+{_AR_WORD})?)?"
_AR_YEAR = rf"(?:\s*[-/،]?\s*{_DIGIT}{{4}}(?:\s*(?:هـ|ه|م))?)?"
_AR_DATE = rf"(?:\s*[،/-]?\s*(?P<date>{_AR_DAY}{_AR_YEAR}))?"
# As Gulf agencies open: Hijri date, `corresponding to`, common date.
_AR_DATES = rf"\s*[،-]?\s*(?P<date>{_AR_DAY}{_AR_YEAR}(?:\s*(?:الموافق)?\s*{_AR_DAY}{_AR_YEAR})?)"
_AR_DATE_TWICE = rf"\s*[،-]?\s*(?P<date>{_AR_DAY}{_AR_YEAR}\s*الموافق\s*{_AR_DAY}{_AR_YEAR})"
_JOINT = r"(?:\s*[-–—]\s*|\s(?:ـ{1,2}|_)\s)"  # a lengthening stroke or a low line by itself stands for a dash
_SPLIT = re.compile(_JOINT)
_DESK_WORDS = ("رصد", "تصوير", "إعداد", "اعداد", "كتب", "متابعة", "تقرير", "حوار", "ترجمة", "حاوره", "حاورته")
_DESK = rf"(?:كتبت|{'|'.join(_DESK_WORDS)})(?:\s+و\S+)?\s*[:：-]\s*"
_FROM = re.compile(r"[ ،]+ف[يى]$")
"""What stands between a place and a date."""
_IN_BRACKETS = re.compile(r"[(\[/]\s*\S[^()\[\]/]*[)\]/]\s*[-–—:：./]*\s*$")
_BLANK_BEFORE = re.compile(r"[^-–—،([\s]\s*$")
_BRACKETED_ONLY = {
    "ومع": "MAP", "واع": "INA", "وال": "LANA", "واج": "APS", "CNN": "CNN", "AFP": "AFP", "AP": "Associated Press",
}  # fmt: skip
"""Agencies' names that are other words outside brackets, or of other letters."""
_SITE_WORDS = ("نيوز", "برس", "أونلاين", "اونلاين")
"""Last words of a site's name that its stories open with, before a slash (`شفق نيوز/`)."""


_CREDITED = ("agency_place", "place_agency", "dated", "dated_twice", "place_dash", "slashed", "slashed_line")
"""The patterns that hold a name which is an agency's anywhere."""


@functools.cache
def _patterns() -> dict[str, str]:
    forms = agency_forms(arabic=True)
    part = rf"{_AR_PART}(?:\s*\([^()]{{2,40}}\)|\s?/\s?{_AR_PART})?"
    short = rf"(?:{_AR_WORD}(?:[ ،]+{_AR_WORD}){{0,2}})"
    agency = rf"[(\[]?(?P<agency>{forms})[)\]]?"
    bracketed = rf"[(\[/]\s*(?P<agency>{forms})\s*[)\]/]"
    only, papers = "|".join(_BRACKETED_ONLY), "|".join(NEWSPAPERS)
    sure = "|".join(form for form in forms.split("|") if form not in OTHER_WORDS)  # escaped as they are
    return {
        "place_bracket": rf"^(?P<place>{part}){_AR_DATE}\s*[-–—،]?\s*{bracketed}\s*[-–—:：./]*\s*",
        "bracketed_only": rf"^(?P<place>{part}){_AR_DATE}\s*[(\[]\s*(?P<agency>{only})\s*[)\]]\s*[-–—:：/]+\s*",
        "agency_place": rf"^{agency}\s*[-–—،]\s*(?P<place>{part})\s*[-–—:：]+\s*",
        "place_agency": rf"^(?P<place>{part}){_AR_DATE}\s*(?:[-–—،]\s*|\s){agency}\s*[-–—:：]+\s*",
        "dated": rf"^(?P<place>{part}){_AR_DATES}\s*[-–—،:]?\s*{agency}\s*(?:[-–—:：]+\s*|$)",
        # Scraped onto one line the text goes on behind a blank; so full a date is no part of a sentence.
        "dated_twice": rf"^(?P<place>{part}){_AR_DATE_TWICE}\s*[-–—،:]?\s*{agency}(?:\s*[-–—:：]+\s*|\s+|$)",
        "place_dash": rf"^(?P<place>{short})\s*[-–—]\s*(?P<agency>{sure})\s+",
        "slashed": rf"^(?P<place>{short})\s?/\s?(?:(?P<byline>{short})\s?/\s?)?(?P<agency>{sure})(?:\s+|$)",
        "slashed_line": rf"^(?P<place>{short})\s?/\s?(?:(?P<byline>{short})\s?/\s?)?(?P<agency>{forms})\s*$",
        "site": rf"^{_AR_WORD}[ ](?:{'|'.join(_SITE_WORDS)})\s?/(?:\s*(?P<place>{short})\s*$|\s+)",
        "outlet": rf"^(?P<place>{short})(?:\s*[:：–—-]\s*[«“\"]|\s*\()(?:{papers})[»”\")](?:[،,]\s*(?:{forms}))*"
        r"\s*(?:[:：–—-]+\s*|$)",
        "byline": rf"^(?:{_DESK})?(?P<parts>{part}(?:{_JOINT}{part}){{1,4}})\s*(?:[:：]+\s*|$)",
    }


@functools.cache
def _compiled() -> dict[str, Any]:
    return {name: re2.compile(pattern) for name, pattern in _patterns().items()}


@functools.cache
def _agency_literals() -> tuple[tuple[LiteralAutomaton, ...], npt.NDArray[np.int64]]:
    """What finds Arabic names of agencies in openings, and the bytes of each."""
    names = [name for name in agency_names() if not name.isascii()]
    sizes = np.array([len(name.encode()) for name in names], np.int64)
    return build_automata(names, [HEAD_BYTES] * len(names)), sizes


def _find_agencies(packed: PackedText, begin: Offsets, stop: Offsets) -> Offsets:
    """Where the first name of an agency begins in each byte range, from its start: int64[k], -1 for none."""
    automata, sizes = _agency_literals()
    order = np.arange(len(begin), dtype=np.int64)
    hits = find_literals(packed, LineTable(begin, stop, order.astype(np.int32), order), automata)
    found = np.full(len(begin), HEAD_BYTES, np.int64)
    np.minimum.at(found, hits.line, hits.at - sizes[hits.literal] - begin[hits.line])
    return np.where(found == HEAD_BYTES, -1, found)


@functools.cache
def _finders() -> dict[str, Any]:
    """The patterns without their groups: RE2 takes 1 microsecond for a match then, and 5 to 7 with groups."""
    return {name: re2.compile("(?m)" + without_groups(pattern)) for name, pattern in _patterns().items()}


@functools.cache
def _any_credited() -> Any:
    """Finds what any pattern of _CREDITED does, and more: most openings that name an agency are sentences."""
    return re2.compile(f"(?m){without_counts(without_groups('|'.join(_patterns()[name] for name in _CREDITED)))}")


def _sizes(pattern: Any, packed: PackedText, begin: Offsets, stop: Offsets) -> Offsets:
    """How long what a pattern (`^`) matches in each byte range is: int64[k] bytes, -1 for none."""
    pieces = join_pieces(packed, begin, stop, np.zeros(len(begin), np.int64), 1)
    found = np.full(len(pieces.starts), -1, np.int64)
    piece, end = find_heads(pattern, pieces)
    found[piece] = np.array(end, np.int64) - pieces.starts[piece]
    return found[pieces.piece]


@dataclass(frozen=True)
class _Marks:
    """What openings hold, bool[k] each: `joined`, a dash (or what stands for one), and a colon unless it ends where its
    line does; `bracketed`, a bracket that opens, or a slash; `slashed`, `quoted`: near its start a slash, a bracket or
    quotation mark that opens; `parted`, a digit, dash, colon or slash."""

    joined: _Flags
    bracketed: _Flags
    slashed: _Flags
    quoted: _Flags
    parted: _Flags


_DASH, _COLON, _BRACKET, _QUOTE, _SLASH, _DIGITS, _NEAR = (1 << k for k in range(7))


@functools.cache
def _mark_table() -> Bytes:
    """What a byte is, or ends a character that is it: 0 for most, so that few need a second look."""
    table = np.zeros(256, np.uint8)
    for signs, kind in (("-_", _DASH), (":", _COLON), ("[", _BRACKET), ("/", _SLASH), ('"', _QUOTE)):
        table[list(signs.encode())] = kind
    table[list(b"0123456789")] = _DIGITS
    table[ord("(")] = _BRACKET | _QUOTE
    # The last bytes of `ـ – — ： « “` and of Arabic digits.
    table[[0x80, 0x93, 0x94, 0x9A, 0xAB, 0x9C, *range(0xA0, 0xAA)]] = 255
    return table


@numba.njit(nogil=True, cache=True)
def _mark_of_many(data: Bytes, i: int) -> int:
    """What the character that ends at a byte beyond ASCII is."""
    byte, before, first = data[i], data[i - 1], data[i - 2]
    if before == 0xD9:
        return _DASH if byte == 0x80 else _DIGITS if 0xA0 <= byte <= 0xA9 else 0
    if before == 0x80 and first == 0xE2:
        return _DASH if byte == 0x93 or byte == 0x94 else _QUOTE if byte == 0x9C else 0
    if byte == 0x9A:
        return _COLON if before == 0xBC and first == 0xEF else 0
    return _QUOTE if byte == 0xAB and before == 0xC2 else 0


@numba.njit(nogil=True, cache=True)
def _find_marks(data: Bytes, begin: Offsets, stop: Offsets, table: Bytes, found: Bytes) -> None:
    """Writes the marks of byte ranges; quotation marks count near their start, as do slashes once more."""
    for k in range(len(begin)):
        marks = 0
        for i in range(begin[k], stop[k]):
            mark = int(table[data[i]])
            if mark == 0:
                continue
            if mark == 255:
                mark = _mark_of_many(data, i)
            if i >= begin[k] + OUTLET_BYTES:
                mark &= ~_QUOTE
            elif mark & _SLASH:
                mark |= _NEAR
            marks |= mark
        found[k] = marks


def _marks(data: Bytes, begin: Offsets, stop: Offsets, end: Offsets) -> _Marks:
    """What byte ranges hold, `end` where their lines do."""
    found = np.empty(len(begin), np.uint8)
    _find_marks(data, begin, stop, _mark_table(), found)
    dash, colon, slash, near = (found & mark > 0 for mark in (_DASH, _COLON, _SLASH, _NEAR))
    return _Marks(
        dash & (colon | (stop == end)),
        (found & _BRACKET > 0) | slash,
        slash & near,
        found & _QUOTE > 0,
        dash | colon | slash | (found & _DIGITS > 0),
    )


@dataclass(frozen=True)
class _Opening:
    """What an opening says, by column, nothing empty; `is_name`: it is nothing but parts, none an outlet's name."""

    values: dict[str, str]
    is_name: bool


@functools.lru_cache(maxsize=8192)
def _read_opening(name: str, text: str) -> _Opening | None:
    """What the match of one of the patterns says; None where a part of it is a clause. Newspapers open alike."""
    if name == "byline" and not text.startswith(_DESK_WORDS):
        parts = {"parts": text.rstrip(" :：")}
    else:
        match = _compiled()[name].match(text)
        parts = {group: value or "" for group, value in match.groupdict().items()}
    place = _FROM.sub("", parts.get("place", "")).rstrip(" ـ")
    names = _SPLIT.split(parts["parts"]) if name == "byline" else [place, parts.get("byline", "")]
    if sum(len(part.split()) for part in names) > 9 or any(is_clause(part) for part in names):
        return None
    if name == "byline":
        filled, credited = text == parts["parts"], tells_a_credit(names)
        if all(map(is_place, names)) or not (credited or (filled and are_reporter_and_place(names))):
            return None  # two teams, two countries, a headline, or who speaks
        return _Opening(settle_values(name_parts(names)), filled and not credited)
    credit, byline = parts.get("agency", ""), parts.get("byline", "")
    bare = credit in OTHER_WORDS and not _IN_BRACKETS.search(text)
    if ((bare or name == "outlet") and not is_place(place)) or (byline and is_place(byline)):
        return None
    if bare and name == "place_agency" and _BLANK_BEFORE.search(text[: text.rindex(credit)]):
        return None
    said = {
        "dateline": "" if is_outlet(place) or (name == "site" and not is_place(place)) else place,
        "dateline_date": parts.get("date", ""),
        "byline": byline,
    }
    if credit:
        said["agency"] = _BRACKETED_ONLY.get(credit) or agency_names()[credit]
    return _Opening(settle_values(said), False)


def lift_arabic(packed: PackedText, lines: LineTable, openings: Openings, lifted: Lifted) -> Spans:
    """Datelines and bylines to cut, tagged DATELINE and BYLINE; keeps place, agency and reporter of each one found.

    Args:
        openings: of the kind ARABIC.
    """
    parts: list[Spans] = []
    if not len(openings.line):
        return join_spans(parts)
    ends = lines.ends[openings.line]
    stop = whole_stops(packed.data, openings.begin, np.minimum(ends, openings.begin + HEAD_BYTES))
    agency_at = _find_agencies(packed, openings.begin, stop)
    marks = _marks(packed.data, openings.begin, stop, ends)
    row_of = lines.article[openings.line]
    # What fills a text's only line, or one further down, is neither.
    whole = (np.diff(lines.first)[row_of] == 1) | (openings.place >= FILLED_LINES)
    seen = np.zeros(len(lines.first), np.bool_)
    # A dateline names an agency, a byline has a joint and ends or fills its line.
    credited = np.flatnonzero((agency_at >= 0) & marks.parted)
    size = _sizes(_any_credited(), packed, openings.begin[credited], stop[credited])
    named = np.zeros(len(agency_at), np.bool_)
    named[credited[size > 0]] = True
    may_be = {
        "place_bracket": (agency_at >= 0) & marks.bracketed,
        "bracketed_only": marks.bracketed,
        "site": marks.slashed,
        "outlet": marks.quoted,
        "byline": marks.joined,
    } | dict.fromkeys(_CREDITED, named)
    may_be["agency_place"] = named & (agency_at <= len("("))
    may_be |= dict.fromkeys(("slashed", "slashed_line"), named & marks.bracketed)
    for name, pattern in _finders().items():
        asked = np.flatnonzero(may_be[name] & ~seen[row_of])
        if not len(asked):
            continue
        size = _sizes(pattern, packed, openings.begin[asked], stop[asked])
        end = openings.begin[asked] + size
        fills = end == ends[asked]
        fits = (size > 0) & ~(fills & whole[asked]) & (fills | (end < stop[asked]))
        if name == "byline":
            fits &= ~_digit_follows(packed.data, end, stop[asked])  # a result: two clubs
        if not fits.any():
            continue
        some, end, fills = asked[fits], end[fits], fills[fits]
        matched = slices(packed, openings.begin[some], end).dictionary_encode()
        read = [_read_opening(name, text) for text in matched.dictionary.to_pylist()]
        codes = matched.indices.to_numpy()
        known = np.array([opening is not None for opening in read], np.bool_)[codes]
        # Names that fill a line and are no credit for sure stay in the text.
        stays = np.array([opening is not None and opening.is_name for opening in read], np.bool_)[codes] & fills
        known[stays] = ~_in_a_list(packed, lines, openings.line[some[stays]])
        known = np.flatnonzero(known)
        known = known[np.unique(row_of[some[known]], return_index=True)[1]]  # of each text the first
        some, end, stays, codes = some[known], end[known], stays[known], codes[known]
        rows = row_of[some]
        seen[rows] = True
        lifted.add_all(rows.tolist(), [opening.values if opening else {} for opening in read], codes.tolist())
        tag = BYLINE if name == "byline" else DATELINE
        parts.append(Spans(rows, openings.begin[some], end, np.full(len(rows), tag, np.int32)).take(~stays))
    return join_spans(parts)


def _in_a_list(packed: PackedText, lines: LineTable, line: Offsets) -> _Flags:
    """Which lines stand beside one about as long that has a dash too: fixtures, two clubs each."""
    found = np.zeros(len(line), np.bool_)
    longest = 2 * (lines.ends[line] - lines.starts[line])
    for step in (-1, 1):
        beside = np.clip(line + step, 0, len(lines) - 1)
        begin, end = lines.starts[beside], lines.ends[beside]
        short = (beside != line) & (lines.article[beside] == lines.article[line]) & (end - begin <= longest)
        asked = np.flatnonzero(short)
        found[asked] |= _marks(packed.data, begin[asked], end[asked], end[asked]).joined
    return found


@numba.njit(nogil=True, cache=True)
def _digit_follows(data: Bytes, at: Offsets, stop: Offsets) -> _Flags:
    """Whether a digit stands at some places before their ends, an Arabic one too (U+0660 to U+0669)."""
    found = np.zeros(len(at), np.bool_)
    for k in range(len(at)):
        i = at[k]
        if i < stop[k]:
            found[k] = 48 <= data[i] <= 57 or (data[i] == 0xD9 and 0xA0 <= data[i + 1] <= 0xA9)
    return found
