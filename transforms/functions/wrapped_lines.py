"""Joins lines that were broken at a width: plain text, wire copy and converters' output, in which no paragraph ends."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.functions.cutting import count_points
from transforms.functions.line_shapes import CHARACTERS, ENDS, measure_lines
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText, pack
from transforms.functions.unicode_text import Normalised

NARROWEST, WIDEST = 50, 110
"""Characters of a line that may be broken at a width: 64 to 80 are usual, with links in them up to 100."""
LEAST = 25
"""A shorter line ends where it ends; one of so many characters, in a wrapped text, may stand before a long word."""
FEWEST, SHARE = 6, 0.6
"""A text is wrapped where at least so many of its lines of that size, and such a share of them, would not have held the
next line's first word, and such a share of these doesn't end like a sentence. Not one of 22,594
articles of three sets (developers' half) is, of 8,656 Reuters stories 125 are, and 472 of 3,072 texts of extractors; 54
joins of these were read, all right. With 4 or 8 lines mean F1 over the extractors is .8472 and .8470, with 6 .8470."""
SHARE_GOING_ON = 0.5
"""Or where so many, and such a share, neither end like a sentence nor are followed by a capital."""
WIDTHS = 12
"""So many of the largest sizes are tried as the width: some lines are longer, an address or a table."""

Flags = npt.NDArray[np.bool_]


def join_wrapped(given: pa.StringArray, normal: Normalised, lines: LineTable, packed: PackedText) -> PackedText:
    """Normalised texts in which newlines that only keep lines short are blanks; nothing else changes, no byte moves.

    Where the given text has blank lines, its paragraphs end there and nowhere else; where it has none, most lines must
    go on with a small letter (verse is as even, and begins each line anew), and one that ends like a sentence stays. A
    text in which tags begin lines is left as it is.

    Args:
        given: string[n], before normalisation. lines: of `normal.lines_as_given`. packed: `normal.texts`.

    Returns:
        `packed` itself where nothing is wrapped.
    """
    as_given = pack(normal.lines_as_given)
    likely = _may_be_wrapped(as_given.data, lines.starts, lines.ends, lines.first)
    rows = np.flatnonzero(likely & (np.diff(as_given.offsets) == np.diff(packed.offsets)))
    if not len(rows):
        return packed
    raw = pack(given)
    table = _of_rows(lines, rows)
    parted, blank = _parted(raw.data, raw.offsets, rows, table.first)
    shapes = measure_lines(as_given, table.starts, table.ends)
    joins = _find_joins(
        as_given.data, table.starts, table.ends, table.first, shapes[:, CHARACTERS].astype(np.int64),
        shapes[:, ENDS] > 0, parted, blank,
    )  # fmt: skip
    if not joins.any():
        return packed
    moved = (packed.offsets[rows] - as_given.offsets[rows])[table.article[joins]]
    data = packed.data.copy()
    data[table.ends[joins] + moved] = 32
    return PackedText(data, packed.offsets)


def _of_rows(lines: LineTable, rows: Offsets) -> LineTable:
    """The lines of some texts, which are numbered anew."""
    counts = lines.first[rows + 1] - lines.first[rows]
    first = np.append(0, np.cumsum(counts))
    which = np.arange(first[-1]) + np.repeat(lines.first[rows] - first[:-1], counts)
    article = np.repeat(np.arange(len(rows), dtype=np.int32), counts)
    return LineTable(lines.starts[which], lines.ends[which], article, first)


@numba.njit(nogil=True, cache=True)
def _may_be_wrapped(data: Bytes, starts: Offsets, ends: Offsets, first: Offsets) -> Flags:
    """Which texts have lines enough of such a size, and hardly any longer ones: bool[n]."""
    found = np.zeros(len(first) - 1, np.bool_)
    for row in range(len(first) - 1):
        if first[row + 1] - first[row] <= FEWEST:
            continue
        fit = longer = 0
        for line in range(first[row], first[row + 1]):
            size = ends[line] - starts[line]
            if size > 2 * WIDEST:
                longer += 1
            elif size >= NARROWEST:
                size = count_points(data, starts[line], ends[line]) if size > WIDEST else size
                fit += size <= WIDEST
                longer += size > WIDEST
        found[row] = fit >= FEWEST and fit >= 2 * longer
    return found


@numba.njit(nogil=True, cache=True)
def _parted(data: Bytes, offsets: Offsets, rows: Offsets, first: Offsets) -> tuple[Flags, Flags]:
    """Behind which lines of some texts blank ones stood before normalisation, and in which texts there are such.

    Where normalisation did not leave just the lines that aren't blank, none is told apart: all lines count as parted.
    """
    parted = np.ones(first[-1], np.bool_)
    blank = np.zeros(len(rows), np.bool_)
    for k in range(len(rows)):
        line = first[k] - 1
        i, stop = offsets[rows[k]], offsets[rows[k] + 1]
        lonely = False
        while i < stop and line < first[k + 1]:
            end = i
            filled = False
            while end < stop and data[end] != 10 and data[end] != 13:
                size = _blank_at(data, end)
                filled |= size == 0
                end += max(size, 1)
            if filled:
                if line >= first[k] and line < first[k + 1]:
                    parted[line] = lonely
                    blank[k] |= lonely
                line += 1
                lonely = False
            else:
                lonely = True
            i = end + 1
            if end < stop and data[end] == 13 and i < stop and data[i] == 10:
                i += 1
        if line != first[k + 1] - 1:
            parted[first[k] : first[k + 1]] = True
            blank[k] = True
    return parted, blank


@numba.njit(nogil=True, cache=True, inline="always")
def _blank_at(data: Bytes, i: int) -> int:
    """Bytes of the blank or invisible character at i; 0 where another stands there."""
    byte = data[i]
    if byte <= 32 or byte == 127:
        return 1
    if byte == 0xC2:
        return 2 if data[i + 1] == 0xA0 else 0  # C1 controls are quotes and dashes (`unicode_text.read_controls`)
    if byte == 0xE2 and data[i + 1] == 0x80:
        return 3 if data[i + 2] <= 0x8F or 0xA8 <= data[i + 2] <= 0xAF else 0
    if byte == 0xE3 and data[i + 1] == 0x80 and data[i + 2] == 0x80:
        return 3
    return 3 if byte == 0xEF and data[i + 1] == 0xBB and data[i + 2] == 0xBF else 0


@numba.njit(nogil=True, cache=True)
def _find_joins(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    first: Offsets,
    characters: Offsets,
    ended: Flags,
    parted: Flags,
    blank: Flags,
) -> Flags:
    """Which lines go on in the next one: bool[m]."""
    joins = np.zeros(len(starts), np.bool_)
    reach = np.zeros(len(starts), np.int64)  # what a line would have held with the next one's first word; 0: it ends
    goes_on = np.zeros(len(starts), np.bool_)  # a line that doesn't end, before one that begins with a small letter
    widths = np.zeros(WIDTHS, np.int64)
    for row in range(len(first) - 1):
        counted = going = 0
        widths[:] = 0
        for line in range(first[row], first[row + 1] - 1):
            reach[line], goes_on[line] = 0, False
            if parted[line] or characters[line] < LEAST or _opens_item(data, starts[line + 1], ends[line + 1]):
                continue
            after = starts[line + 1]
            while after < ends[line + 1] and data[after] != 32:
                after += 1
            reach[line] = characters[line] + 1 + count_points(data, starts[line + 1], after)
            if NARROWEST <= characters[line] <= WIDEST:
                counted += 1
                _add_width(widths, characters[line])
                goes_on[line] = not ended[line] and _is_small(data, starts[line + 1])
                going += goes_on[line]
        if counted < FEWEST:
            continue
        most = width = 0
        for k in range(WIDTHS):
            full = opened = 0
            for line in range(first[row], first[row + 1] - 1):
                if reach[line] > widths[k] >= characters[line] >= NARROWEST:
                    full += 1
                    opened += not ended[line]
            if full > most and opened >= SHARE * full:
                most, width = full, widths[k]
        even = blank[row] and most >= FEWEST and most >= SHARE * counted
        if even or (going >= FEWEST and going >= SHARE_GOING_ON * counted):
            for line in range(first[row], first[row + 1] - 1):
                full = reach[line] > width >= characters[line]
                joins[line] = goes_on[line] or (full and (blank[row] or not ended[line]))
    return joins


@numba.njit(nogil=True, cache=True)
def _add_width(widths: Offsets, width: int) -> None:
    """Keeps the largest different widths, in falling order."""
    for k in range(len(widths)):
        if widths[k] == width:
            return
        if widths[k] < width:
            for m in range(len(widths) - 1, k, -1):
                widths[m] = widths[m - 1]
            widths[k] = width
            return


@numba.njit(nogil=True, cache=True)
def _is_small(data: Bytes, i: int) -> bool:
    """Whether a small letter begins there: of ASCII, Latin-1 or Cyrillic."""
    byte = data[i]
    if byte == 0xC3 or byte == 0xD0:
        return (data[i + 1] >= 0xA0 and byte == 0xC3) or data[i + 1] >= 0xB0
    return 97 <= byte <= 122 or (byte == 0xD1 and data[i + 1] <= 0x9F)


@numba.njit(nogil=True, cache=True)
def _opens_item(data: Bytes, i: int, stop: int) -> bool:
    """Whether a line begins like a list's item, a row quoted or of a table, a heading, a link's definition."""
    byte = data[i]
    if byte == 45 or byte == 42 or byte == 43 or byte == 62 or byte == 124 or byte == 35:
        return True
    if byte == 0xE2 and stop - i >= 3:  # dashes and bullets, but no quotes
        if data[i + 1] == 0x80:
            return 0x90 <= data[i + 2] <= 0x95 or data[i + 2] == 0xA2
        return data[i + 1] >= 0x86
    if byte == 0xC2 and stop - i >= 2:
        return data[i + 1] == 0xB7
    k = i
    if byte == 91:  # [3]: address
        while k < stop and data[k] != 93:
            k += 1
        return k + 1 < stop and data[k + 1] == 58
    while k < stop and k - i < 3 and 48 <= data[k] <= 57:
        k += 1
    return k > i and k + 1 < stop and (data[k] == 46 or data[k] == 41) and data[k + 1] == 32
