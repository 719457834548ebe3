"""Where readers' comments begin: a heading that rules know, with stamps (a time, a date) behind it."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText

BODY_BYTES = 500
"""Bytes in long lines that end like sentences and stand before the heading: `Comments (14)` in a bar above the article
opens no section; not tuned."""
LONG_LINE_BYTES = 80
STAMPS = 2
"""Stamps it takes; not tuned. Of l3s_gn1, with sections so found and no article kept whole that had prose left, .07 of
the comments by characters were left, .91 without."""
LINES_A_STAMP = 25
"""At least one line in so many, from the heading to the last stamp, is a stamp; not tuned."""
GAP_BYTES, SURE_STAMPS = 6000, 5
"""At most so many from the heading to the first stamp and from each to the next, unless so many stamps stand before the
gap: behind `Comments (5 posted)` the next long report may follow, with its own date. Of 145 texts of l3s_gn1,
fundus_multi and scrapinghub that have sections none lost one so; with 3000 F1 on l3s_gn1 was .908, not .910."""
MOST_HEADINGS = 50
"""Of a text that are looked behind; 100,000 lines of `Comments (5)` took 84 s without, now 0.3."""
STAMP_BYTES = 120
"""The longest line that can be a stamp; not tuned."""


def comment_starts(
    packed: PackedText, lines: LineTable, gone: npt.NDArray[np.bool_], heads: npt.NDArray[np.bool_]
) -> Offsets:
    """The line at which each text's comments begin, or the line after its last: int64[n].

    Args:
        gone: bool[m], lines cut before: they are no body.
        heads: bool[m], lines that say that comments follow.
    """
    starts = lines.first[1:].copy()
    rows = np.unique(lines.article[heads])
    if len(rows):
        _find_starts(packed.data, lines.starts, lines.ends, lines.first, rows.astype(np.int64), gone, heads, starts)
    return starts


@numba.njit(nogil=True, cache=True)
def _find_starts(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    first: Offsets,
    rows: Offsets,
    gone: npt.NDArray[np.bool_],
    heads: npt.NDArray[np.bool_],
    found: Offsets,
) -> None:
    for row in rows:
        stop = first[row + 1]
        body = tried = 0
        for head in range(first[row], stop):
            if heads[head]:
                tried += 1
                if tried > MOST_HEADINGS:
                    break
                if body >= BODY_BYTES and _is_section(data, starts, ends, head, stop):
                    found[row] = head
                    break
            elif not gone[head] and ends[head] - starts[head] >= LONG_LINE_BYTES and _ends(data, ends[head]):
                body += ends[head] - starts[head]


@numba.njit(nogil=True, cache=True)
def _is_section(data: Bytes, starts: Offsets, ends: Offsets, head: int, stop: int) -> bool:
    """Whether stamps stand often enough behind a heading."""
    stamps = 0
    last = head
    for line in range(head + 1, stop):
        if ends[line] - starts[line] <= STAMP_BYTES and _has_time(data, starts[line], ends[line]):
            if starts[line] - ends[last] > GAP_BYTES:
                if stamps < SURE_STAMPS:
                    return False
                break
            stamps += 1
            last = line
    return stamps >= STAMPS and stamps * LINES_A_STAMP >= last - head


@numba.njit(nogil=True, cache=True)
def _has_time(data: Bytes, start: int, stop: int) -> bool:
    """Whether a line holds a time or date in digits: `3:26 PM`, `16/01/2008`, or a year beside another number."""
    groups, size, year, joined = 0, 0, 0, 0
    for i in range(start, stop + 1):
        byte = data[i] if i < stop else np.uint8(32)
        if 48 <= byte <= 57:
            groups += size == 0
            size += 1
            continue
        if size == 4 and (data[i - 4] == 49 or data[i - 4] == 50):
            year += 1
        if size and size <= 4 and i + 1 < stop and 48 <= data[i + 1] <= 57:
            joined += byte == 58 or byte == 47 or byte == 45 or byte == 46
        size = 0
    return groups >= 2 and (joined > 0 or year > 0)


@numba.njit(nogil=True, cache=True)
def _ends(data: Bytes, stop: int) -> bool:
    """Whether what ends here ends like a sentence: `. ! ? "`, a closing quote or bracket, `؟` or `。`."""
    byte = data[stop - 1]
    if byte < 0x80:
        return bool(byte == 46 or byte == 33 or byte == 63 or byte == 34 or byte == 41)
    return bool(
        (byte == 0x9D and data[stop - 2] == 0x80)
        or (byte == 0x9F and data[stop - 2] == 0xD8)
        or (byte == 0xBB and data[stop - 2] == 0xC2)
        or (byte == 0x82 and data[stop - 2] == 0x80)
    )
