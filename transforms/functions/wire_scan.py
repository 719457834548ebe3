"""Where a dateline or a closing credit can stand: one pass over the first and last bytes of stories.

Most stories have neither, or one of a few common forms. The kernels here look at punctuation only; what stands between
it is judged in `wire` and `wire_arabic`, on a few short strings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText

FIRST_LINES = 6
"""A dateline stands after at most a headline, a byline, a standfirst and two captions."""
NAME_LINES = 4
"""An agency's name alone on a line stands among the first so many lines, or on the last."""
OPENING_BYTES = 120
"""Where a dateline ends at the latest; not tuned, one with two places and a date takes some 80 bytes."""
NAME_BYTES = 60
"""The longest line that may be nothing but a credit; not tuned, the longest forms known take some 40 bytes."""

CREDITED, CAPITALS, ARABIC, NAMED = 1, 2, 3, 4
"""Kinds of openings: brackets before a dash (`PARIS (AFP) -`), capitals before a dash, Arabic letters and punctuation
of a dateline, a short line that may be an agency's name."""

_Kinds = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Openings:
    """Places where a dateline may begin, by text, an int64 each (`kind`: uint8).

    `line`; `begin`: after what is cut; `inner`, `inner_end`: for CREDITED what is in the brackets, for CAPITALS an
    empty range at the dash; `stop`: after the dash and its blanks; `place`: how many lines left stand above.
    """

    line: Offsets
    begin: Offsets
    kind: _Kinds
    inner: Offsets
    inner_end: Offsets
    stop: Offsets
    place: Offsets

    def of(self, kind: int) -> Openings:
        """Those of one kind."""
        chosen = self.kind == kind
        return Openings(
            self.line[chosen],
            self.begin[chosen],
            self.kind[chosen],
            self.inner[chosen],
            self.inner_end[chosen],
            self.stop[chosen],
            self.place[chosen],
        )


@dataclass(frozen=True)
class Closings:
    """Ends of texts that may be a credit, an int64 each.

    `line`: the last line left; `begin`, `stop`: what goes if it is one; `inner`, `inner_end`: what must be an agency.
    """

    line: Offsets
    begin: Offsets
    stop: Offsets
    inner: Offsets
    inner_end: Offsets


def scan_edges(packed: PackedText, lines: LineTable, cut_start: Offsets, cut_end: Offsets) -> tuple[Openings, Closings]:
    """The openings and closings of texts from which some spans (in order of their start) are cut."""
    count = len(lines.first) - 1
    found = np.empty((6, 2 * FIRST_LINES * count), np.int64)
    kinds = np.empty(found.shape[1], np.uint8)
    ends = np.empty((5, 2 * count), np.int64)
    openings, closings = _scan_edges(
        packed.data, lines.starts, lines.ends, lines.first, cut_start, cut_end, found, kinds, ends
    )
    line, begin, inner, inner_end, stop, place = (column[:openings] for column in found)
    return Openings(line, begin, kinds[:openings], inner, inner_end, stop, place), Closings(
        *(column[:closings] for column in ends)
    )


@numba.njit(nogil=True, cache=True)
def _scan_edges(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    first: Offsets,
    cut_start: Offsets,
    cut_end: Offsets,
    found: npt.NDArray[np.int64],
    kinds: _Kinds,
    closings: npt.NDArray[np.int64],
) -> tuple[int, int]:
    count, closed, k = 0, 0, 0
    for row in range(len(first) - 1):
        taken = 0
        bottom, bottom_start, bottom_stop = -1, 0, 0
        for at in range(first[row], first[row + 1]):
            start, stop = starts[at], ends[at]
            while k < len(cut_start) and cut_end[k] <= start:
                k += 1
            j = k
            while j < len(cut_start) and cut_start[j] < stop:
                if cut_start[j] <= start:
                    start = max(start, cut_end[j])
                    while start < stop and data[start] == 32:
                        start += 1
                elif cut_end[j] >= stop:
                    stop = cut_start[j]
                j += 1
            while stop > start and data[stop - 1] == 32:
                stop -= 1
            if start >= stop:
                continue
            bottom, bottom_start, bottom_stop = at, start, stop
            if taken == FIRST_LINES:
                continue
            taken += 1
            byte = data[start]
            # `with`, `by`, `from`, `source` or anything that isn't in small ASCII letters.
            named = not 97 <= byte <= 122 or byte == 119 or byte == 98 or byte == 102 or byte == 115
            if named and stop - start <= NAME_BYTES and taken <= NAME_LINES:
                found[0, count], found[1, count], found[4, count] = at, start, stop
                found[2, count], found[3, count], found[5, count] = start, stop, taken - 1
                kinds[count] = NAMED
                count += 1
            kind, inner, inner_end, after = _opening(data, start, min(stop, start + OPENING_BYTES), stop)
            if kind > 0:
                found[0, count], found[1, count], found[4, count] = at, start, after
                found[2, count], found[3, count], found[5, count] = inner, inner_end, taken - 1
                kinds[count] = kind
                count += 1
        if bottom < 0:
            continue
        if bottom_stop - bottom_start <= NAME_BYTES:
            closings[0, closed], closings[1, closed], closings[2, closed] = bottom, bottom_start, bottom_stop
            closings[3, closed], closings[4, closed] = bottom_start, bottom_stop
            closed += 1
        begin, inner, inner_end = _closing(data, bottom_start, bottom_stop)
        if inner_end > inner:
            closings[0, closed], closings[1, closed], closings[2, closed] = bottom, begin, bottom_stop
            closings[3, closed], closings[4, closed] = inner, inner_end
            closed += 1
    return count, closed


@numba.njit(nogil=True, cache=True)
def _is_dash(data: Bytes, i: int, end: int) -> int:
    """Bytes of the dash at i, or 0."""
    if data[i] == 45:
        return 1
    if i + 2 < end and data[i] == 0xE2 and data[i + 1] == 0x80 and 0x93 <= data[i + 2] <= 0x95:
        return 3
    return 0


@numba.njit(nogil=True, cache=True)
def _after_separator(data: Bytes, i: int, end: int) -> int:
    """Where the text goes on after dashes, colons and blanks, or 0 if none of the first two stands at i."""
    seen = False
    while i < end:
        size = _is_dash(data, i, end)
        if size or data[i] == 58:
            seen = True
            i += max(size, 1)
        elif data[i] == 32:
            i += 1
        else:
            break
    return i if seen else 0


_OPENING_SIGNS = np.zeros(256, np.uint8)
"""What an Arabic opening holds: a dash, slash, colon, bracket, low line or digit; 2, where a blank stands before it, a
lengthening stroke (its last byte), that stands for a dash."""
_OPENING_SIGNS[[*b"-/:)_0123456789", 0xE2]] = 1
_OPENING_SIGNS[0x80] = 2


@numba.njit(nogil=True, cache=True)
def _opening(data: Bytes, start: int, window: int, stop: int) -> tuple[int, int, int, int]:
    """Kind of the opening (0: none), what is in its brackets, and where the text goes on."""
    byte = data[start]
    bracket = byte == 40 or byte == 91 or byte == 47
    if 0xD8 <= byte <= 0xDB or (bracket and start + 1 < window and 0xD8 <= data[start + 1] <= 0xDB):
        for i in range(start, window):
            sign = _OPENING_SIGNS[data[i]]
            if sign == 1 or (sign == 2 and data[i - 1] == 0xD9 and data[i - 2] == 32):
                return ARABIC, start, start, start
        return 0, 0, 0, 0
    accented = byte == 0xC3 and start + 1 < window and data[start + 1] < 0x9F
    if not (65 <= byte <= 90 or bracket or accented):
        return 0, 0, 0, 0
    opened = start if bracket else -1
    closer = 41 if byte == 40 else 93 if byte == 91 else 47
    i = start + 1
    while i < window:
        byte = data[i]
        if opened >= 0 and byte == closer:
            after = _after_separator(data, i + 1, stop)
            if after:
                return CREDITED, opened + 1, i, after
        if byte == 40 or byte == 91 or (byte == 47 and (opened < 0 or data[opened] == 47)):
            opened = i
            closer = 41 if byte == 40 else 93 if byte == 91 else 47
        elif (byte == 45 and (data[i - 1] == 32 or (i + 1 < window and data[i + 1] == 45))) or (
            byte == 0xE2 and _is_dash(data, i, window)
        ):
            if byte == 45 and data[i - 1] == 32 and i + 1 < window and data[i + 1] != 32 and data[i + 1] != 45:
                i += 1
                continue
            second = data[start + 1]
            capital = 65 <= second <= 90 or second == 39 or second == 46 or second == 0xC3 or second == 0xE2
            if bracket or not capital:
                return 0, 0, 0, 0
            return CAPITALS, i, i, _after_separator(data, i, stop)
        i += 1
    return 0, 0, 0, 0


@numba.njit(nogil=True, cache=True)
def _closing(data: Bytes, start: int, stop: int) -> tuple[int, int, int]:
    """Where a credit behind the last sentence begins, and what is between its brackets or after its dash."""
    end = stop
    bracket = False
    while end > start and (data[end - 1] == 41 or data[end - 1] == 93 or data[end - 1] == 46 or data[end - 1] == 32):
        bracket |= data[end - 1] == 41 or data[end - 1] == 93
        end -= 1
    lowest = max(start + 1, end - NAME_BYTES)
    i = end - 1
    inner = end
    while i >= lowest:
        byte = data[i]
        if bracket:
            if byte == 40 or byte == 91:
                inner = i + 1
                break
        elif (byte == 45 and not 48 <= data[i - 1] <= 122) or (byte == 0xE2 and _is_dash(data, i, end)):
            inner = i + (1 if byte == 45 else 3)
            while i - 1 >= lowest and data[i - 1] == 45:
                i -= 1
            break
        i -= 1
    if i < lowest:
        return 0, 0, 0
    while inner < end and data[inner] == 32:
        inner += 1
    before = i - 1
    while before > start and data[before] == 32:
        before -= 1
    byte = data[before]
    stopped = byte == 46 or byte == 33 or byte == 63 or byte == 34
    if before > start:
        # The last bytes of a question mark (Arabic), a closing guillemet, and a closing quote.
        stopped |= (byte == 0x9F and data[before - 1] == 0xD8) or (byte == 0xBB and data[before - 1] == 0xC2)
        stopped |= byte == 0x9D and data[before - 1] == 0x80
    return (i, inner, end) if stopped else (0, 0, 0)
