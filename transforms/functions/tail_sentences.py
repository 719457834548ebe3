"""The last sentences of texts that have no lines: what rules know as lines stands there glued to the article's end."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans, join_spans
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText
from transforms.functions.rule_matching import run_rules
from transforms.functions.rules import Lifted, RuleSet, build_rule_set

LONG_LINE_BYTES = 800
"""Only lines so long are looked at: where paragraphs have lines of their own furniture has them too."""
SENTENCES = 5
"""How many of the last sentences are looked at; not tuned."""
SENTENCE_BYTES = 700
"""The longest sentence that may go: as long as the longest line that rules look at."""
CATEGORIES = frozenset(["share", "newsletter", "related", "credit", "contact", "copyright", "disclaimer", "advert"])


@functools.lru_cache(maxsize=32)
def _tail_rules(rule_set: RuleSet) -> tuple[RuleSet, npt.NDArray[np.int32]]:
    """The rules about whole lines anywhere, and their numbers in the rule set they are of."""
    chosen = [
        number
        for number, rule in enumerate(rule_set.rules)
        if rule.scope == "line" and rule.category in CATEGORIES and not rule.first_lines
    ]
    return build_rule_set(rule_set.rules[number] for number in chosen), np.array(chosen, np.int32)


def cut_tail_sentences(
    rule_set: RuleSet,
    packed: PackedText,
    lines: LineTable,
    cut: Spans,
    languages: Sequence[str | None],
    lifted: Lifted,
) -> Spans:
    """Sentences at the end of long last lines that a rule takes for a line, from the text's end back to one it doesn't.

    Args:
        cut: what rules cut already: a sentence that stands before such an end is the last.
        languages: as for `run_rules`.
    """
    rows = np.flatnonzero(np.diff(lines.first))  # an empty text has no lines
    last = lines.first[rows + 1] - 1
    long = lines.ends[last] - lines.starts[last] >= LONG_LINE_BYTES
    rows, last = rows[long], last[long]
    begin, end = lines.starts[last], lines.ends[last]
    order = np.lexsort((cut.end, cut.start))
    end = _without_cuts(packed.data, begin, end, cut.start[order], cut.end[order])
    rules, numbers = _tail_rules(rule_set)
    parts: list[Spans] = []
    # One sentence of each text at a time: few texts end in one that a rule knows.
    for _ in range(SENTENCES):
        start = _last_sentences(packed.data, begin, end)
        rows, begin, end, start = (column[start > begin] for column in (rows, begin, end, start))
        if not len(rows):
            break
        first = np.searchsorted(rows, np.arange(len(lines.first))).astype(np.int64)
        found = run_rules(rules, packed, LineTable(start, end, rows.astype(np.int32), first), languages, lifted)
        parts.append(Spans(found.article, found.start, found.end, numbers[found.tag]))
        known = np.isin(rows, found.article)
        rows, begin, end = rows[known], begin[known], start[known] - 1
    return join_spans(parts)


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


@numba.njit(nogil=True, cache=True)
def _last_sentences(data: Bytes, begin: Offsets, end: Offsets) -> Offsets:
    """Where the last sentence of each byte range begins, or the range itself if that is its only one or a long one."""
    starts = begin.copy()
    for k in range(len(begin)):
        i = end[k] - 1
        lowest = max(begin[k] + 2, end[k] - SENTENCE_BYTES)
        while i > lowest:
            if data[i - 1] == 32 and _opens(data[i]) and _closes(data, i - 2):
                starts[k] = i
                break
            i -= 1
    return starts


@numba.njit(nogil=True, cache=True, inline="always")
def _opens(byte: int) -> bool:
    """Whether a sentence may begin with a byte: a capital, a bracket, a quote, a handle, any letter beyond ASCII."""
    return 65 <= byte <= 90 or byte == 40 or byte == 91 or byte == 34 or byte == 64 or byte >= 0xC3


@numba.njit(nogil=True, cache=True, inline="always")
def _closes(data: Bytes, i: int) -> bool:
    """Whether a sentence ends at a byte: a stop, or a quote or bracket behind one."""
    byte = data[i]
    if byte == 34 or byte == 41 or byte == 93:
        byte = data[i - 1]
    elif byte == 0x9D and data[i - 1] == 0x80:  # a closing double quotation mark
        byte = data[i - 3]
    return byte == 46 or byte == 33 or byte == 63 or (byte == 0x9F and data[i - 1] == 0xD8)
