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
Int32s = npt.NDArray[np.int32]
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
    room = int((rule_set.first_rule[hits.literal + 1] - rule_set.first_rule[hits.literal]).sum())
    line, rule, hit, size = (np.empty(room, np.int64) for _ in range(4))
    count = _ask_rules(
        packed.data, lines.starts, lines.ends, lines.article, lines.first, kinds, hits.line, hits.literal, hits.at,
        rule_set.first_rule, rule_set.rules_of_literal, rule_set.reach, rule_set.literal_bytes, rule_set.spoken,
        rule_set.limits, rule_set.is_phrase, line, rule, hit, size,
    )  # fmt: skip
    order = np.lexsort((hit[:count], rule[:count] * len(lines) + line[:count]))
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
def _ask_rules(
    data: Bytes,
    starts: Int64s,
    ends: Int64s,
    article: Int32s,
    first: Int64s,
    kinds: Int64s,
    hit_line: Int32s,
    hit_literal: Int32s,
    hit_at: Int64s,
    first_rule: Int64s,
    rules_of_literal: Int64s,
    reach: Int64s,
    literal_bytes: Int64s,
    spoken: Flags,
    limits: Int64s,
    is_phrase: Flags,
    line: Int64s,
    rule: Int64s,
    hit: Int64s,
    size: Int64s,
) -> int:
    """Writes each hint found and each rule of it that is for such a line; tells how many."""
    count = 0
    for k in range(len(hit_line)):
        at, literal = np.int64(hit_line[k]), hit_literal[k]
        row = article[at]
        begin = hit_at[k] - literal_bytes[literal]
        for place in range(first_rule[literal], first_rule[literal + 1]):
            number = rules_of_literal[place]
            if not spoken[number, kinds[row]] or begin - starts[at] > reach[place]:
                continue
            if ends[at] - starts[at] > limits[number, 0]:
                continue
            if at - first[row] >= limits[number, 1] or first[row + 1] - at > limits[number, 2]:
                continue
            if is_phrase[number] and not _is_alone(data, starts[at], ends[at], begin, hit_at[k]):
                continue
            line[count], rule[count], hit[count], size[count] = at, number, hit_at[k], literal_bytes[literal]
            count += 1
    return count


@numba.njit(nogil=True, cache=True)
def _is_alone(data: Bytes, start: int, end: int, begin: int, stop: int) -> bool:
    """Whether nothing that a line holds beside a hint is surely no decoration: no ASCII letter or digit, no other
    letters than those that begin like an Arabic comma, a dash or a full-width stop."""
    i = start
    while i < end:
        if i == begin:
            i = stop
            continue
        byte = data[i]
        letter = 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte >= 0xC4
        if letter and byte != 0xD8 and byte != 0xE2 and byte != 0xE3 and byte != 0xEF:
            return False
        i += 1
    return True


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
