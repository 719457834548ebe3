"""Runs rules over the lines of packed texts: RE2 looks at candidates alone, what it finds is cut in columns."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from transforms.functions.agencies import agency_named
from transforms.functions.cutting import Int32s, Spans, join_spans
from transforms.functions.language import Tags
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText, slices
from transforms.functions.rule_candidates import Candidates, find_candidates
from transforms.functions.rules import NO_LIMIT, SCOPES, Lifted, Rule, RuleSet
from transforms.functions.searching import NOWHERE, Pieces, find_matches, find_whole, join_pieces, searcher
from transforms.functions.site_marks import subhead_names

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_LINE, _INLINE, _TAIL, _HEAD = range(len(SCOPES))
_COLON = ord(":")


def run_rules(rule_set: RuleSet, packed: PackedText, lines: LineTable, languages: Tags, lifted: Lifted) -> Spans:
    """What the rules cut out of the texts, in no order and with overlaps; tags are places in `rule_set.rules`.

    Args:
        lifted: gets the bylines, datelines and agencies that rules read.
    """
    candidates = find_candidates(rule_set, packed, lines, languages)
    spans, refused, said = _cut_first(rule_set, packed, lines, candidates, every=False)
    if len(refused):
        again, _, more = _cut_first(rule_set, packed, lines, candidates.take(refused), every=True)
        spans, said = join_spans([spans, again]), said + more
    # What stands in the first line counts, whichever rule reads it.
    for _, _, _, row, name, value in sorted(said):
        lifted.add(name, row, value)
    return spans


_AROUND_NAMES = ' *#•–—-:.“”"'
_STAMP = re.compile(
    r"\W*(?:first |last |originally |zuletzt |dernière |última |ultimo )?(?:publi|pubbli|updat|post|modif|creat|issued"
    r"|review|veröff|aktuali|stand|erstellt|mis à jour|mise à jour|actuali|atuali|aggiorn|опубл|обновл|yayın"
    r"|(?:son )?güncel"
    r"|نشر|نُشر|تم |آخر|اخر|تاريخ|حرر|منتشر|به‌روز)",
    re.IGNORECASE,
)
"""How a line begins that says when its page was published or changed."""
INTRODUCING_BYTES = 40
"""A line that ends with a colon and is as long introduces what follows; shorter ones may be labels (`Last updated:`).
Not tuned: such labels take up to 30 bytes."""


SUBHEAD_BYTES, PARAGRAPH_BYTES, SENTENCE_BYTES = 48, 200, 90
"""A subhead is no longer, and stands between lines that are as long as a paragraph, or as a sentence and end like one:
other stories' headlines below `Top-Themen` are as long. Of 60,000 texts 4 subheads are kept that are cut without the
third, and no button; if lines of 90 bytes need no end 2 more subheads and 2 buttons."""
_NO_PARAGRAPH = tuple(b"*+-[(|@<")
"""Begins a link, an item of a menu, a row or an account's name."""
_SENTENCE_END = r"""[.!?…؟。！？।۔]["”’»)」』\]]*$"""


def without_headings(rule_set: RuleSet, packed: PackedText, lines: LineTable, spans: Spans) -> Spans:
    """What `run_rules` gives, without what heads a part of the story.

    Of what rules that have `most_times` found that is what they found in a text more often, what ends with a colon, and
    a date that doesn't say what was then below a line that does: `The matches of the first round:`, and below it a day
    and who plays. Of what others found it is a name of `site_marks.subhead_names` between two paragraphs.
    """
    return _without_dates(rule_set, packed, lines, _without_subheads(packed, lines, spans))


def _without_subheads(packed: PackedText, lines: LineTable, spans: Spans) -> Spans:
    bounds = lines.starts, lines.ends, lines.first
    line = _between_sentences(packed.data, *bounds, spans.start, spans.end, spans.article)
    asked = np.flatnonzero(line >= 0)
    line = line[asked]
    names = slices(packed, lines.starts[line], lines.ends[line]).dictionary_encode()  # few different ones
    heads = [name.strip(_AROUND_NAMES).lower() in subhead_names() for name in names.dictionary.to_pylist()]
    named = np.array(heads, np.bool_)[names.indices.to_numpy()]
    asked, line = asked[named], line[named]
    prose = np.ones(len(line), np.bool_)
    for beside in (line - 1, line + 1):
        ended = pc.match_substring_regex(slices(packed, lines.starts[beside], lines.ends[beside]), _SENTENCE_END)
        prose &= (lines.ends[beside] - lines.starts[beside] >= PARAGRAPH_BYTES) | ended.to_numpy(zero_copy_only=False)
    kept = np.ones(len(spans), np.bool_)
    kept[asked[prose]] = False
    return spans.take(kept)


@numba.njit(nogil=True, cache=True)
def _between_sentences(
    data: Bytes, starts: Offsets, ends: Offsets, first: Offsets, begin: Offsets, stop: Offsets, article: Int32s
) -> Offsets:
    """For each span that is a whole short line between two that may be paragraphs, its line; else -1."""
    found = np.full(len(begin), -1, np.int64)
    for k in range(len(begin)):
        if stop[k] - begin[k] > SUBHEAD_BYTES:
            continue
        line = np.searchsorted(starts, begin[k], "right") - 1
        if begin[k] != starts[line] or stop[k] != ends[line]:
            continue
        if line <= first[article[k]] or line + 1 >= first[article[k] + 1]:
            continue
        prose = True
        for beside in (line - 1, line + 1):
            prose &= ends[beside] - starts[beside] >= SENTENCE_BYTES and data[starts[beside]] not in _NO_PARAGRAPH
        if prose:
            found[k] = line
    return found


def _without_dates(rule_set: RuleSet, packed: PackedText, lines: LineTable, spans: Spans) -> Spans:
    asked = np.flatnonzero(rule_set.most_times[spans.tag] < NO_LIMIT)
    if not len(asked):
        return spans
    text_and_rule = spans.article[asked].astype(np.int64) * len(rule_set.rules) + spans.tag[asked]
    _, each, times = np.unique(text_and_rule, return_inverse=True, return_counts=True)
    heads = times[each] > rule_set.most_times[spans.tag[asked]]
    line = np.searchsorted(lines.starts, spans.start[asked], "right") - 1
    heads |= packed.data[lines.ends[line] - 1] == _COLON
    above = np.maximum(line - 1, 0)
    introduced = (line > lines.first[spans.article[asked]]) & (packed.data[lines.ends[above] - 1] == _COLON)
    introduced &= lines.ends[above] - lines.starts[above] >= INTRODUCING_BYTES
    for k in np.flatnonzero(introduced).tolist():
        text = packed.data[lines.starts[line[k]] : lines.ends[line[k]]].tobytes().decode()
        heads[k] |= not _STAMP.match(text)
    kept = np.ones(len(spans), np.bool_)
    kept[asked[np.isin(each, each[heads])]] = False  # where one of a text is a heading they all are
    return spans.take(kept)


@dataclass(frozen=True)
class _Matches:
    """What rules match in pieces: int64[m] `rule`, `piece`, and what goes, `begin` to `stop`, in the pieces' text;
    `said`: what a match lifts, name and value."""

    rule: Int64s
    piece: Int64s
    begin: Int64s
    stop: Int64s
    said: dict[int, list[tuple[str, str]]]


_Said = list[tuple[int, int, int, int, str, str]]
"""What is lifted: line, rule, first byte, text, name and value."""


def _cut_first(
    rule_set: RuleSet, packed: PackedText, lines: LineTable, candidates: Candidates, *, every: bool
) -> tuple[Spans, Int64s, _Said]:
    """What is cut by the first match of each candidate that may be, which candidates have a match but none that may
    be, and what is lifted.

    Args:
        every: looks at all matches of a candidate. Without, at the first alone of rules that cut once a line: nearly
            always it may be cut.
    """
    ends = lines.ends[candidates.line]
    pieces = join_pieces(packed, candidates.begin, ends, candidates.rule, len(rule_set.rules))
    found = _find(rule_set, pieces, every=every)
    each, match = _spread(pieces.piece, found.piece, len(pieces.starts))
    line, rule = candidates.line[each], found.rule[match]
    shift = candidates.begin[each] - pieces.starts[found.piece[match]]
    start, end = found.begin[match] + shift, found.stop[match] + shift
    scope, row = rule_set.scopes[rule], lines.article[line].astype(np.int64)
    first, last = lines.first[row], lines.first[row + 1] - 1
    rest = np.where(scope == _TAIL, lines.ends[last] - start, np.where(scope == _HEAD, end - lines.starts[first], 0))
    fits = (start < end) & (rest <= rule_set.max_rest[rule]) & (start - lines.starts[line] >= rule_set.min_before[rule])
    once = (scope == _LINE) | (scope == _TAIL)
    # Matches of a candidate stand together, in their order.
    before: Int64s = np.cumsum(fits) - fits
    opens = np.ones(len(each), np.bool_)
    opens[1:] = each[1:] != each[:-1]
    earlier: Int64s = before - before[np.maximum.accumulate(np.where(opens, np.arange(len(each)), 0))]
    cut = fits & ~(once & (earlier > 0))
    refused = np.zeros(0, np.int64) if every else each[once & ~fits]
    said = [
        (int(line[k]), int(rule[k]), int(start[k]), int(row[k]), name, value)
        for k in np.flatnonzero(cut & rule_set.lifts[rule]).tolist()
        for name, value in found.said[int(match[k])]
    ]
    start = np.where((scope == _LINE) | (scope == _HEAD), lines.starts[line], start)[cut]
    end = np.where(once, lines.ends[line], end)[cut]
    row, line, rule, scope = row[cut], line[cut], rule[cut], scope[cut]
    spans = Spans(row.astype(np.int32), start, end, rule.astype(np.int32))
    behind, after = _ranges(np.where(scope == _TAIL, line + 1, 0), np.where(scope == _TAIL, last[cut] + 1, 0))
    ahead, above = _ranges(np.where(scope == _HEAD, first[cut], 0), np.where(scope == _HEAD, line, 0))
    whole, of = np.concatenate([after, above]), np.concatenate([behind, ahead])
    others = Spans(lines.article[whole], lines.starts[whole], lines.ends[whole], rule[of].astype(np.int32))
    return join_spans([spans, others]), refused, said


def _find(rule_set: RuleSet, pieces: Pieces, *, every: bool) -> _Matches:
    """The matches of each rule in its pieces, without what stays of them."""
    rules: list[int] = []
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    said: dict[int, list[tuple[str, str]]] = {}
    for number in np.flatnonzero(np.diff(pieces.first)).tolist():
        rule = rule_set.rules[number]
        bounds = int(pieces.first[number]), int(pieces.first[number + 1])
        # One by one, with patterns compiled once: Arrow compiles at every call, .2 to 6 ms a pattern.
        if rule.scope == "line":
            which = find_whole(rule.finder, rule.sieve, pieces, *bounds)
            some = which, [pieces.start_list[k] for k in which], [pieces.end_list[k] for k in which]
        else:
            some = find_matches(rule.finder, pieces, *bounds, every=every or rule.scope != "tail")
        if rule.unless is not None:
            some = _without(rule.unless, pieces, some)
        if rule.groups:
            some = _read_groups(rule, pieces, some, len(rules), said)
        rules += [number] * len(some[0])
        for column, more in zip(found, some, strict=True):
            column += more
    rule_of = np.array(rules, np.int64)
    piece, begin, stop = (np.array(column, np.int64) for column in found)
    trims = _trims(rule_set)
    trimmed = np.flatnonzero(trims.any_of[rule_of])
    if len(trimmed):
        data = np.frombuffer(pieces.text, np.uint8)
        _trim(data, trimmed, rule_of, begin, stop, *trims.before, *trims.after, *trims.hints)
    return _Matches(rule_of, piece, begin, stop, said)


def _without(
    unless: Any, pieces: Pieces, found: tuple[list[int], list[int], list[int]]
) -> tuple[list[int], list[int], list[int]]:
    """Matches but those in pieces where a pattern is found."""
    search, starts, ends = searcher(unless), pieces.start_list, pieces.end_list
    held = {piece: search(pieces.text, starts[piece], ends[piece])[0] != NOWHERE for piece in set(found[0])}
    keep = [not held[piece] for piece in found[0]]
    piece, begin, stop = ([value for value, kept in zip(column, keep, strict=True) if kept] for column in found)
    return piece, begin, stop


def _read_groups(
    rule: Rule,
    pieces: Pieces,
    found: tuple[list[int], list[int], list[int]],
    first: int,
    said: dict[int, list[tuple[str, str]]],
) -> tuple[list[int], list[int], list[int]]:
    """Matches as a rule's groups say: of each the part that goes; `said` gets what is lifted, numbers from `first`."""
    search, text, ends = searcher(rule.pattern), pieces.text, pieces.end_list
    begins: list[int] = []
    stops: list[int] = []
    lifts = [(name, group) for name, group in rule.groups.items() if name != "cut"]
    cut = rule.groups.get("cut", 0)
    for number, (piece, begin) in enumerate(zip(found[0], found[1], strict=True), first):
        spans = search(text, begin, ends[piece])
        start, stop = spans[cut] if spans[cut] != NOWHERE else spans[0]
        begins.append(start)
        stops.append(stop)
        if lifts:
            said[number] = [
                (name, agency_named(value) or "" if name == "agency" else value)
                for name, group in lifts
                if spans[group][0] < spans[group][1]
                for value in (text[slice(*spans[group])].decode(),)
            ]
    return found[0], begins, stops


def _spread(piece: Int64s, matched: Int64s, pieces: int) -> tuple[Int64s, Int64s]:
    """The matches of each candidate, given the piece that each is and that of each match: candidate, match."""
    counts = np.bincount(matched, minlength=pieces)
    firsts = np.cumsum(counts) - counts
    return _ranges(firsts[piece], firsts[piece] + counts[piece])


def _ranges(first: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
    """The numbers of some ranges: which range each is of, and itself."""
    counts = end - first
    which = np.repeat(np.arange(len(first)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts - first, counts)


_Packed = tuple[Int64s, npt.NDArray[np.int64]]
"""Values of each rule, one rule's behind the other's: where each rule's begin, and the values."""


@dataclass(frozen=True)
class _Trims:
    """What stays of a rule's matches: code points at their ends, and the last of which hints they begin with (as bytes,
    each behind its length); `any_of`: bool, which rules say any of it."""

    before: _Packed
    after: _Packed
    hints: _Packed
    any_of: Flags


@functools.lru_cache(maxsize=32)
def _trims(rule_set: RuleSet) -> _Trims:
    before = [list(map(ord, rule.stays_before)) for rule in rule_set.rules]
    after = [list(map(ord, rule.stays_after)) for rule in rule_set.rules]
    hints = [
        [number for hint in rule.hint_bytes for number in (len(hint), *hint)] if rule.from_hint else []
        for rule in rule_set.rules
    ]
    said = np.array([bool(a or b or c) for a, b, c in zip(before, after, hints, strict=True)], np.bool_)
    return _Trims(_pack(before), _pack(after), _pack(hints), said)


def _pack(values: list[list[int]]) -> _Packed:
    return np.cumsum([0, *map(len, values)]), np.array([value for some in values for value in some], np.int64)


@numba.njit(nogil=True, cache=True)
def _trim(
    data: Bytes,
    which: Int64s,
    rule: Int64s,
    begin: Int64s,
    stop: Int64s,
    first_before: Int64s,
    before: Int64s,
    first_after: Int64s,
    after: Int64s,
    first_hint: Int64s,
    hints: Int64s,
) -> None:
    """Takes what stays from both ends of some matches, in place."""
    for k in which:
        number, i, end = rule[k], begin[k], stop[k]
        if first_hint[number] < first_hint[number + 1]:
            i = _last_hint(data, i, end, hints, first_hint[number], first_hint[number + 1])
        while i < end:
            code, size = _code_point(data, i)
            if not _is_among(code, before, first_before[number], first_before[number + 1]):
                break
            i += size
        while i < end:
            last = end - 1
            while last > i and (data[last] & 0xC0) == 0x80:
                last -= 1
            code, _ = _code_point(data, last)
            if not _is_among(code, after, first_after[number], first_after[number + 1]):
                break
            end = last
        begin[k], stop[k] = i, end


@numba.njit(nogil=True, cache=True)
def _last_hint(data: Bytes, begin: int, stop: int, hints: Int64s, first: int, last: int) -> int:
    """Where the last of some hints begins in a byte range that holds one."""
    for i in range(stop - 1, begin - 1, -1):
        at = first
        while at < last:
            size = hints[at]
            if i + size <= stop:
                k = 0
                while k < size and data[i + k] == hints[at + 1 + k]:
                    k += 1
                if k == size:
                    return i
            at += 1 + size
    return begin


@numba.njit(nogil=True, cache=True, inline="always")
def _code_point(data: Bytes, i: int) -> tuple[int, int]:
    """The character that begins at a byte, and its size."""
    byte = int(data[i])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return ((byte & 31) << 6) | int(data[i + 1] & 63), 2
    if byte < 0xF0:
        return ((byte & 15) << 12) | (int(data[i + 1] & 63) << 6) | int(data[i + 2] & 63), 3
    rest = (int(data[i + 1] & 63) << 12) | (int(data[i + 2] & 63) << 6) | int(data[i + 3] & 63)
    return ((byte & 7) << 18) | rest, 4


@numba.njit(nogil=True, cache=True, inline="always")
def _is_among(code: int, values: Int64s, first: int, last: int) -> bool:
    found = False
    for k in range(first, last):
        found |= values[k] == code
    return found
