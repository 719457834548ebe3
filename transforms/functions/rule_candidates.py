"""Which lines a rule must look at, and from which byte on: an automaton finds hints, and most lines hold none."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.language import Tags
from transforms.functions.line_table import Hits, LineTable, find_literals
from transforms.functions.packed_text import Bytes, PackedText, whole_starts
from transforms.functions.rules import RuleSet

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Candidates:
    """Lines that rules must look at, by rule: int64[k] `line`, `rule`, and `begin`, the byte from which on."""

    line: Int64s
    rule: Int64s
    begin: Int64s

    def take(self, which: Int64s) -> Candidates:
        """Some of them, in the order given."""
        return Candidates(self.line[which], self.rule[which], self.begin[which])


def find_candidates(rule_set: RuleSet, packed: PackedText, lines: LineTable, languages: Tags) -> Candidates:
    """Which lines each rule must look at, and from which byte on; by rule and line."""
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
    late = lines.ends[line] - rule_set.last_bytes[rule]
    cut = late > begin
    begin[cut] = whole_starts(packed.data, late[cut])
    return Candidates(line, rule, begin)


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
