"""The last sentences of texts that have no lines: what rules know as lines stands there glued to the article's end."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText
from transforms.functions.rules import Lifted, RuleSet, build_rule_set, run_rules

LONG_LINE_BYTES = 800
"""Only lines so long are looked at: where paragraphs have lines of their own furniture has them too."""
SENTENCES = 5
"""How many of the last sentences are looked at; not tuned."""
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
    rule_set: RuleSet, packed: PackedText, lines: LineTable, languages: Sequence[str | None], lifted: Lifted
) -> Spans:
    """Sentences at the end of long last lines that a rule takes for a line, from the text's end back to one it doesn't.

    Args:
        languages: as for `run_rules`.
    """
    units = _find_sentences(packed.data, lines.starts, lines.ends, lines.first)
    if not len(units[0]):
        return Spans(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))
    first = np.searchsorted(units[2], np.arange(len(lines.first))).astype(np.int64)
    sentences = LineTable(units[0], units[1], units[2], first)
    rules, numbers = _tail_rules(rule_set)
    found = run_rules(rules, packed, sentences, languages, lifted)
    unit = np.searchsorted(sentences.starts, found.start, side="right") - 1
    known = np.zeros(len(sentences), np.bool_)
    known[unit] = True
    kept = np.flatnonzero(~known)
    # The last sentence of each text that no rule knows: what stands before it stays.
    last = np.full(len(lines.first), -1, np.int64)
    np.maximum.at(last, sentences.article[kept], kept)
    chosen = found.take(unit > last[found.article])
    return Spans(chosen.article, chosen.start, chosen.end, numbers[chosen.tag])


@numba.njit(nogil=True, cache=True)
def _find_sentences(
    data: Bytes, starts: Offsets, ends: Offsets, first: Offsets
) -> tuple[Offsets, Offsets, npt.NDArray[np.int32]]:
    """Start, end and text of the last sentences of each text whose last line is long, but for the line's first one."""
    room = 0
    for row in range(len(first) - 1):
        line = first[row + 1] - 1
        room += SENTENCES * (line >= first[row] and ends[line] - starts[line] >= LONG_LINE_BYTES)
    begin, stop, rows = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int32)
    count = 0
    for row in range(len(first) - 1):
        line = first[row + 1] - 1
        if line < first[row] or ends[line] - starts[line] < LONG_LINE_BYTES:
            continue
        fresh = count
        end = ends[line]
        i = end - 1
        while i > starts[line] + 2 and count - fresh < SENTENCES:
            if data[i - 1] == 32 and _opens(data[i]) and _closes(data, i - 2):
                begin[count], stop[count], rows[count] = i, end, row
                count += 1
                end = i - 1
            i -= 1
        begin[fresh:count] = begin[fresh:count][::-1].copy()
        stop[fresh:count] = stop[fresh:count][::-1].copy()
    return begin[:count], stop[:count], rows[:count]


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
