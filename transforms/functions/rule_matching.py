"""Runs rules over the lines of packed texts: an automaton finds the candidates, RE2 looks at nothing else."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.agencies import agency_named
from transforms.functions.cutting import Spans, join_spans
from transforms.functions.line_table import Hits, LineTable, find_literals
from transforms.functions.packed_text import Bytes, PackedText, whole_starts
from transforms.functions.rules import Lifted, Rule, RuleSet
from transforms.functions.searching import NOWHERE, matching_lines, searcher

MIN_MATCH_BYTES = 2
"""Shorter ends of a line aren't searched again after a match: no rule matches less than a control character."""

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Found = list[tuple[int, int, int, int]]


def run_rules(
    rule_set: RuleSet, packed: PackedText, lines: LineTable, languages: Sequence[str | None], lifted: Lifted
) -> Spans:
    """What the rules cut out of the texts, in no order and with overlaps; tags are places in `rule_set.rules`.

    Args:
        languages: n BCP 47 tags or None.
        lifted: gets the bylines, datelines and agencies that rules read.
    """
    line, rule, begin = _find_candidates(rule_set, packed, lines, languages)
    parts: list[Spans] = []
    found: Found = []
    others: list[tuple[int, int, int]] = []
    lifting: list[tuple[int, int, int]] = []
    bounds = np.searchsorted(rule, np.arange(len(rule_set.rules) + 1))
    # One by one, with patterns compiled once: Arrow compiles at every call, .2 to 6 ms a pattern, and a search takes 1
    # to 2 microseconds.
    for number in np.flatnonzero(np.diff(bounds)).tolist():
        some = slice(bounds[number], bounds[number + 1])
        each, at, start = rule_set.rules[number], line[some], begin[some]
        if each.scope == "line":
            matched = _match_lines(each, packed, start, lines.ends[at])
            at, start = at[matched], start[matched]
        if each.scope == "line" and not each.groups:
            cut = at
            tag = np.full(len(cut), number, np.int32)
            parts.append(Spans(lines.article[cut], lines.starts[cut], lines.ends[cut], tag))
            continue
        (lifting if each.lifts else others).extend(zip(at.tolist(), itertools.repeat(number), start.tolist()))
    _apply_each(rule_set, others, packed, lines, lifted, found)
    # What stands in the first line counts, whichever rule reads it.
    _apply_each(rule_set, sorted(lifting), packed, lines, lifted, found)
    table = np.array(found, np.int64).reshape(-1, 4)
    parts.append(Spans(table[:, 0].astype(np.int32), table[:, 1], table[:, 2], table[:, 3].astype(np.int32)))
    return join_spans(parts)


def _find_candidates(
    rule_set: RuleSet, packed: PackedText, lines: LineTable, languages: Sequence[str | None]
) -> tuple[Int64s, Int64s, Int64s]:
    """Which lines each rule must look at, and from which byte on: int64[k] line, rule, position; by rule and line."""
    kinds = rule_set.kinds(languages)
    hits = _find_hints(packed, lines, rule_set, kinds)
    first = rule_set.first_rule[hits.literal]
    counts = rule_set.first_rule[hits.literal + 1] - first
    places = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    rule = rule_set.rules_of_literal[places]
    line, hit = np.repeat(hits.line.astype(np.int64), counts), np.repeat(hits.at, counts)
    size = np.repeat(rule_set.literal_bytes[hits.literal], counts)
    allowed = _within_limits(rule_set.limits, lines, line, rule) & rule_set.spoken[rule, kinds[lines.article[line]]]
    allowed &= hit - size - lines.starts[line] <= rule_set.reach[places]
    order = np.flatnonzero(allowed)
    order = order[
        ~rule_set.is_phrase[rule[order]]
        | _is_alone(packed.data, lines.starts[line[order]], lines.ends[line[order]], hit[order], size[order])
    ]
    order = order[np.lexsort((hit[order], line[order], rule[order]))]
    line, rule, hit, size = line[order], rule[order], hit[order], size[order]
    # Of several hints of one rule in a line the first counts.
    fresh = np.ones(len(line), np.bool_)
    fresh[1:] = (line[1:] != line[:-1]) | (rule[1:] != rule[:-1])
    line, rule, hit, size = line[fresh], rule[fresh], hit[fresh], size[fresh]
    near = hit - np.where(rule_set.anchored[rule], size, 0)
    begin = lines.starts[line]
    back = rule_set.look_back[rule]
    cut = near - begin > back
    begin[cut] = whole_starts(packed.data, near[cut] - back[cut])
    return line, rule, begin


@numba.njit(nogil=True, cache=True)
def _is_alone(data: Bytes, start: Int64s, end: Int64s, hit: Int64s, size: Int64s) -> Flags:
    """Whether nothing that a line holds beside a hint is surely no decoration: no ASCII letter or digit, no other
    letters than those that begin like an Arabic comma, a dash or a full-width stop."""
    alone = np.ones(len(start), np.bool_)
    for k in range(len(start)):
        i = start[k]
        while i < end[k]:
            if i == hit[k] - size[k]:
                i = hit[k]
                continue
            byte = data[i]
            letter = 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte >= 0xC4
            if letter and byte != 0xD8 and byte != 0xE2 and byte != 0xE3 and byte != 0xEF:
                alone[k] = False
                break
            i += 1
    return alone


def _find_hints(packed: PackedText, lines: LineTable, rule_set: RuleSet, kinds: Int64s) -> Hits:
    """The hints in each line of those rules that are for its text's language."""
    present = np.unique(kinds).tolist()
    if len(present) == 1:
        return find_literals(packed, lines, rule_set.automata_of(present[0]))
    parts = [Hits(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64))]
    for kind in present:
        some = np.flatnonzero(kinds[lines.article] == kind)
        table = LineTable(lines.starts[some], lines.ends[some], lines.article[some], lines.first)
        hits = find_literals(packed, table, rule_set.automata_of(kind))
        parts.append(Hits(some[hits.line].astype(np.int32), hits.literal, hits.at))
    return Hits(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("line", "literal", "at")))


def _within_limits(limits: Int64s, lines: LineTable, line: Int64s, rule: Int64s) -> Flags:
    article = lines.article[line]
    return (
        (lines.ends[line] - lines.starts[line] <= limits[rule, 0])
        & (line - lines.first[article] < limits[rule, 1])
        & (lines.first[article + 1] - line <= limits[rule, 2])
    )


def _match_lines(rule: Rule, packed: PackedText, begin: Int64s, stop: Int64s) -> Flags:
    """Which lines a rule about whole lines takes: bool[k]."""
    matched = matching_lines(rule.finder, packed, begin, stop)
    if rule.unless is not None:
        matched[matched] = ~_holds(rule.unless, packed, begin[matched], stop[matched])
    return matched


def _holds(pattern: Any, packed: PackedText, begin: Int64s, stop: Int64s) -> Flags:
    """In which byte ranges a pattern is found: bool[k]."""
    search, raw = searcher(pattern), packed.data.data
    known: dict[bytes, bool] = {}  # furniture is often the same line again
    found: list[bool] = []
    for first, last in zip(begin.tolist(), stop.tolist(), strict=True):
        text = bytes(raw[first:last])
        if text not in known:
            known[text] = search(text, 0, last - first)[0] != NOWHERE
        found.append(known[text])
    return np.array(found, np.bool_)


_Place = tuple[int, int, int, int, int, int, int, int]
"""Where a candidate stands: its text, its line, and the byte from which it is looked at; of the line the first byte, of
the text the first and last line, and its first byte and end."""


def _apply_each(
    rule_set: RuleSet,
    candidates: list[tuple[int, int, int]],
    packed: PackedText,
    lines: LineTable,
    lifted: Lifted,
    found: Found,
) -> None:
    """`_apply` for each line, rule and first byte."""
    raw = packed.data.data
    chosen = np.array([at for at, _, _ in candidates], np.int64)
    row = lines.article[chosen].astype(np.int64)
    first, last = lines.first[row], lines.first[row + 1] - 1
    begins = np.array([begin for _, _, begin in candidates], np.int64)
    columns = (row, chosen, begins, lines.starts[chosen], first, last, lines.starts[first], lines.ends[last])
    places = zip(*(column.tolist() for column in columns), strict=True)
    stops = lines.ends[chosen].tolist()
    for (_, number, begin), stop, place in zip(candidates, stops, places, strict=True):
        rule = rule_set.rules[number]
        text = bytes(raw[begin:stop])
        spans = searcher(rule.finder)(text, 0, stop - begin)
        if spans[0] == NOWHERE:
            continue
        if rule.unless is None or searcher(rule.unless)(text, 0, stop - begin)[0] == NOWHERE:
            if rule.finder is not rule.pattern:
                spans = searcher(rule.pattern)(text, 0, stop - begin)
            _apply(rule, number, text, spans, place, lines, lifted, found)


def _apply(
    rule: Rule,
    number: int,
    text: bytes,
    spans: list[tuple[int, int]],
    place: _Place,
    lines: LineTable,
    lifted: Lifted,
    found: Found,
) -> None:
    """Adds what one rule cuts from one line, from a byte on, where `spans` is its first match."""
    row, line, begin, line_start, first_line, last_line, text_start, text_end = place
    position = 0
    while True:
        if position:
            if position + MIN_MATCH_BYTES > len(text):
                return
            spans = searcher(rule.pattern)(text, position, len(text))
        if spans[0] == NOWHERE:
            return
        first, last = _cut_of(rule, text, spans)
        position = max(spans[0][1], spans[0][0] + 1)
        if first == last:
            continue
        start, end = begin + first, begin + last
        if rule.scope == "line":
            start, end, position = line_start, begin + len(text), len(text) + 1
        elif rule.scope == "tail":
            if text_end - start > rule.max_rest:
                continue
            for k in range(line + 1, last_line + 1):
                found.append((row, int(lines.starts[k]), int(lines.ends[k]), number))
            end, position = begin + len(text), len(text) + 1
        elif rule.scope == "head":
            if end - text_start > rule.max_rest:
                continue
            for k in range(first_line, line):
                found.append((row, int(lines.starts[k]), int(lines.ends[k]), number))
            start = line_start
        found.append((row, start, end, number))
        for name, group in rule.groups.items():
            if name != "cut" and spans[group][0] < spans[group][1]:
                value = text[slice(*spans[group])].decode()
                lifted.add(name, row, value if name != "agency" else agency_named(value) or "")


def _cut_of(rule: Rule, text: bytes, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Which part of a match goes: the group `cut`, or what the rule says of the match's ends."""
    cut = rule.groups.get("cut", 0)
    first, last = spans[cut] if cut and spans[cut] != NOWHERE else spans[0]
    if rule.from_hint:
        first = max(text.rfind(hint, first, last) for hint in rule.hint_bytes)
    if rule.stays_before:
        first = _skip(text, first, last, rule.stays_before)
    if rule.stays_after:
        last = first + len(text[first:last].decode().rstrip(rule.stays_after).encode())
    return first, last


def _skip(text: bytes, first: int, last: int, characters: str) -> int:
    """Behind those of some characters that a byte range begins with."""
    ascii_ones, others = _by_bytes(characters)
    while first < last:
        byte = text[first]
        if byte in ascii_ones:
            first += 1
        elif byte in others and (head := text[first : first + 4].decode(errors="ignore")[0]) in characters:
            first += len(head.encode())
        else:
            break
    return first


@functools.cache
def _by_bytes(characters: str) -> tuple[bytes, bytes]:
    """The ASCII characters, and the first bytes of the others."""
    return (
        bytes(ord(character) for character in characters if character.isascii()),
        bytes({character.encode()[0] for character in characters if not character.isascii()}),
    )
