"""Furniture glued to the end of a line: the last sentences of a paragraph that rules know as lines of their own.

Extractors that drop tags leave `... on Friday.Read also: ...`. In English, or where the language is unknown, the last
line of a text that has no lines is asked by all rules; in other languages the ends of all lines, by rules that are
`glued`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans, join_spans
from transforms.functions.language import Tags, spoken
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText
from transforms.functions.rule_matching import run_rules
from transforms.functions.rules import Lifted, RuleSet, build_rule_set

LONG_LINE_BYTES = 800
"""All rules look only at a last line so long: where paragraphs have lines of their own furniture has them too. With all
lines 331 more texts of allsides_en_leftover lose a sentence (of 150 read all are furniture, `(RELATED: ...)`, `Follow
her on Twitter`), but the labels keep it: precision .895, not .916."""
GLUED_BYTES = 60
"""A shorter line holds no sentence of a story and another one behind it."""
SENTENCES = 5
"""How many of the last sentences are looked at; not tuned."""
SENTENCE_BYTES, GLUED_SENTENCE_BYTES = 700, 420
"""The longest sentence that may go: as long as the longest line that rules look at; of glued ones most."""
LABEL_BYTES = 40
"""The longest label with a small letter; not tuned, those known take up to 25."""
CATEGORIES = frozenset(["share", "newsletter", "related", "credit", "contact", "copyright", "disclaimer", "advert"])
GLUED_CATEGORIES = CATEGORIES | {"tags", "caption", "comments", "consent", "timestamp", "paywall"}


@dataclass(frozen=True)
class _Ends:
    """Lines whose ends are looked at (int64[k]), how far from it (bytes), and by which rules: these, and their numbers
    in the whole set."""

    at: Offsets
    longest: int
    rules: RuleSet
    numbers: npt.NDArray[np.int32]


@functools.lru_cache(maxsize=32)
def _rules_of(rule_set: RuleSet, glued: bool) -> tuple[RuleSet, npt.NDArray[np.int32]]:
    """The rules about whole lines anywhere, all or those that are glued, and their numbers in the set they are of."""
    chosen = [
        number
        for number, rule in enumerate(rule_set.rules)
        if rule.scope == "line"
        and not rule.first_lines
        and (rule.glued and rule.category in GLUED_CATEGORIES if glued else rule.category in CATEGORIES)
    ]
    return build_rule_set(rule_set.rules[number] for number in chosen), np.array(chosen, np.int32)


def cut_tail_sentences(
    rule_set: RuleSet,
    packed: PackedText,
    lines: LineTable,
    cut: Spans,
    languages: Tags,
    lifted: Lifted,
) -> Spans:
    """Sentences at the ends of lines that a rule takes for a line, from the line's end back to one it doesn't.

    Args:
        cut: what rules cut already: a sentence that stands before such an end is the last.
        languages: as for `run_rules`.
    """
    rows = np.flatnonzero(np.diff(lines.first))  # an empty text has no lines
    last = lines.first[rows + 1] - 1
    long = last[lines.ends[last] - lines.starts[last] >= LONG_LINE_BYTES]
    others = spoken(languages, but="en")
    glued = np.flatnonzero(_may_end_glued(packed.data, lines.starts, lines.ends, lines.first, others))
    order = np.lexsort((cut.end, cut.start))
    cuts = cut.start[order], cut.end[order]
    parts: list[Spans] = []
    for at, only in ((long[~others[lines.article[long]]], False), (glued, True)):
        ends = _Ends(at, GLUED_SENTENCE_BYTES if only else SENTENCE_BYTES, *_rules_of(rule_set, only))
        parts += _cut_ends(
            ends, packed, lines, _without_cuts(packed.data, lines.starts[at], lines.ends[at], *cuts), languages, lifted
        )
    return join_spans(parts)


def _cut_ends(
    ends: _Ends, packed: PackedText, lines: LineTable, end: Offsets, languages: Tags, lifted: Lifted
) -> list[Spans]:
    """What goes of the lines' ends, which are at `end`."""
    at, begin = ends.at, lines.starts[ends.at]
    parts: list[Spans] = []
    # One sentence of each line at a time: few lines end in one that a rule knows.
    for _ in range(SENTENCES):
        start = _last_sentences(packed.data, begin, end, ends.longest, _BEFORE)
        at, begin, end, start = (column[start > begin] for column in (at, begin, end, start))
        if not len(at):
            break
        rows = lines.article[at]
        first = np.searchsorted(rows, np.arange(len(lines.first))).astype(np.int64)
        found = run_rules(ends.rules, packed, LineTable(start, end, rows, first), languages, lifted)
        place = np.searchsorted(start, found.start)
        # Not all lines are looked at: what is only for a text's last ones is asked of these.
        fits = lines.first[found.article + 1] - at[place] <= ends.rules.limits[found.tag, 2]
        found = found.take(fits)
        parts.append(Spans(found.article, found.start, found.end, ends.numbers[found.tag]))
        known = np.isin(start, found.start)
        at, begin, end = at[known], begin[known], start[known]
        end -= packed.data[end - 1] == 32
    return parts


@numba.njit(nogil=True, cache=True)
def _may_end_glued(
    data: Bytes, starts: Offsets, ends: Offsets, first: Offsets, texts: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Of some texts the last line, and lines of some length that don't end like a sentence: bool[m]."""
    found = np.zeros(len(starts), np.bool_)
    for row in range(len(first) - 1):
        if not texts[row]:
            continue
        for line in range(first[row], first[row + 1]):
            if ends[line] - starts[line] >= GLUED_BYTES:
                found[line] = line == first[row + 1] - 1 or not _closes(data, ends[line] - 1)
    return found


@numba.njit(nogil=True, cache=True)
def _without_cuts(data: Bytes, begin: Offsets, end: Offsets, cut_start: Offsets, cut_end: Offsets) -> Offsets:
    """The ends of byte ranges, moved before the cuts (in order of start) that reach them."""
    left = end.copy()
    for k in range(len(begin)):
        at = np.searchsorted(cut_start, end[k]) - 1
        while at >= 0 and cut_start[at] >= begin[k] and cut_end[at] >= left[k]:
            left[k] = cut_start[at]
            while left[k] > begin[k] and data[left[k] - 1] == 32:
                left[k] -= 1
            at -= 1
    return left


_BEFORE = np.zeros(256, np.bool_)
"""By what a sentence's first byte may be preceded: a blank, or the last byte of what `_closes` knows."""
_BEFORE[[32, 33, 34, 41, 46, 63, 93, 0x81, 0x82, 0x9D, 0x9F, 0xBB]] = True


@numba.njit(nogil=True, cache=True)
def _last_sentences(
    data: Bytes, begin: Offsets, end: Offsets, longest: int, may_stand_before: npt.NDArray[np.bool_]
) -> Offsets:
    """Where the last sentence of each byte range begins, or the range itself if that is its only one or a long one."""
    starts = begin.copy()
    for k in range(len(begin)):
        i = end[k] - 1
        lowest = max(begin[k] + 8, end[k] - longest)
        # What ends with a colon is no sentence, and may begin with a small letter: `... on Friday. read also:`.
        label = end[k] - LABEL_BYTES if data[i] == 58 else end[k]
        while i > lowest:
            if may_stand_before[data[np.uint64(i - 1)]] and (_opens(data[i]) or (i >= label and data[i] >= 97)):
                blank = data[i - 1] == 32
                if _closes(data, i - 1 - blank) and (blank or _is_glued(data, i)):
                    starts[k] = i
                    break
            i -= 1
    return starts


@numba.njit(nogil=True, cache=True)
def _is_glued(data: Bytes, i: int) -> bool:
    """Whether a word may begin right behind a stop: a capital with a small letter behind it, or a letter beyond ASCII,
    behind a word of three letters: `ended.Read`, but not `U.S.`, `asp.Net`, `د.محمد` (a title)."""
    if data[i - 1] != 46:  # other stops stand in no abbreviation
        return True
    if 65 <= data[i] <= 90 and not 97 <= data[i + 1] <= 122:
        return False
    letters = 0
    k = i - 2
    while letters < 3 and (data[k] >= 0x80 or 97 <= data[k] <= 122 or 48 <= data[k] <= 57):
        letters += (data[k] & 0xC0) != 0x80
        k -= 1
    return letters == 3


@numba.njit(nogil=True, cache=True, inline="always")
def _opens(byte: int) -> bool:
    """Whether a sentence may begin with a byte: a capital, a bracket, quote, handle or tag, a letter beyond ASCII."""
    return 65 <= byte <= 90 or byte == 40 or byte == 91 or byte == 34 or byte == 64 or byte >= 0xC3 or byte == 35


@numba.njit(nogil=True, cache=True, inline="always")
def _closes(data: Bytes, i: int) -> bool:
    """Whether a sentence ends at a byte: a stop, or a quote or bracket behind one."""
    byte = data[i]
    if byte == 34 or byte == 41 or byte == 93:
        i -= 1
    elif byte == 0x9D and data[i - 1] == 0x80:  # a closing double quotation mark
        i -= 3
    elif byte == 0xBB and data[i - 1] == 0xC2:
        i -= 2
    byte = data[i]
    if byte == 46:
        return data[i - 1] != 46  # two dots are a comma in Arabic headlines
    if byte == 33 or byte == 63:
        return True
    if byte == 0x9F:
        return data[i - 1] == 0xD8 or (data[i - 1] == 0xBC and data[i - 2] == 0xEF)
    if byte == 0x81:
        return data[i - 1] == 0xBC and data[i - 2] == 0xEF
    return byte == 0x82 and data[i - 1] == 0x80 and data[i - 2] == 0xE3
