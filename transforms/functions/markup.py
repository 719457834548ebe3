"""Finds markup that extractors and converters leave in texts: HTML tags, Markdown links, shortcodes, link targets.

What is cut is the markup alone: a link's words stay, an image's go with it. `markup_grammar` says what markup is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.markup_grammar import (
    BARE,
    BLOCK_CODES,
    BLOCKS,
    CAPITAL,
    CLOSES,
    LINK_BYTES,
    NAMES,
    NONE,
    OPENS,
    RAW,
    SURE,
    among,
    comment_end,
    definition_end,
    is_code,
    is_letter,
    is_web,
    label_end,
    script_end,
    shortcode_at,
    tag_at,
    target_end,
    until,
)
from transforms.functions.packed_text import ASCII_BYTES, Bytes, Offsets, PackedText, hash_bytes, pack, slices

MARKUP_RULES: dict[str, str] = dict.fromkeys(
    ("markup.tag", "markup.script", "markup.image", "markup.link", "markup.target", "markup.shortcode"), "markup"
)
"""What this module can cut, by rule id, with its category: tags, comments and the like; scripts and styles with what
they hold; images of Markdown; what makes a Markdown link of its words, and definitions of link targets; addresses in
brackets behind the words that were links; shortcodes."""

_TAG, _SCRIPT, _IMAGE, _LINK, _TARGET, _SHORTCODE = range(6)
_REFERENCE, _DEFINITION = CLOSES + 1, CLOSES + 2
_MORE = 109  # `<!--more-->`, between paragraphs

BARE_TAGS = 3
"""Bare opening tags (`<b>`) are cut where a text holds so many of them, or markup that is nothing else: an end tag, a
tag with attributes, a line break. A story may speak of one."""
TARGETS = 3
"""Addresses in brackets are cut where a text holds so many: a converter's work. In the clean texts of the developers'
sets 9 hold one or two, which are the story's, and none holds more."""

Int32s = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Markup:
    """Byte ranges of packed texts, in order of start; an image's may lie in a link's words, others don't overlap.

    `article`: int32[k] rows; `start`, `end`: int64[k] positions in the packed data; they may span lines. `tag`:
    int32[k] places in MARKUP_RULES. `block`: bool[k], whether a browser begins a line there.
    """

    article: Int32s
    start: Offsets
    end: Offsets
    tag: Int32s
    block: Flags

    def __len__(self) -> int:
        return len(self.start)

    def take(self, which: Flags | Offsets) -> Markup:
        """Some of the finds, in the order given."""
        return Markup(self.article[which], self.start[which], self.end[which], self.tag[which], self.block[which])

    def moved(self, rows: Int32s, by: Offsets) -> Markup:
        """The finds in other packed texts: row k is row `rows[k]` there, its bytes stand `by[k]` further on."""
        by = by[self.article]
        return Markup(rows[self.article], self.start + by, self.end + by, self.tag, self.block)


def find_markup(packed: PackedText) -> Markup:
    """The markup in packed texts; what doesn't parse is text."""
    rows = np.flatnonzero(_may_hold_markup(packed.data, packed.offsets))
    table = _scan(packed.data, packed.offsets, rows, NAMES, BLOCKS, RAW, BLOCK_CODES)
    article, start, end, tag, kind, block, name, ends = table.T
    found = Markup(article.astype(np.int32), start, end, tag.astype(np.int32), block > 0)
    found = found.take(_has_evidence(found, kind, name, ends > 0, len(packed)))
    return found.take(np.lexsort((-found.end, found.start)))


def marked_texts(packed: PackedText, found: Markup) -> tuple[Int32s, PackedText, Markup]:
    """The texts that hold markup, few of all, by themselves: their rows, they, and the finds in them."""
    rows = np.unique(found.article)
    some = pack(slices(packed, packed.offsets[rows], packed.offsets[rows + 1]))
    article = np.searchsorted(rows, found.article).astype(np.int32)
    by = (some.offsets[:-1] - packed.offsets[rows])[article]
    return rows, some, Markup(article, found.start + by, found.end + by, found.tag, found.block)


def _has_evidence(found: Markup, kind: Offsets, name: Offsets, ends: Flags, count: int) -> Flags:
    """Which finds are markup by what else their texts hold."""

    def of_text(which: Flags) -> npt.NDArray[np.int64]:
        per_row = np.bincount(found.article[which], minlength=count)
        return per_row[found.article]

    bare, sure = (found.tag == _TAG) & (kind == BARE), (found.tag == _TAG) & (kind == SURE)
    kept = ~bare | (of_text(sure) > 0) | (of_text(bare) >= BARE_TAGS)
    kept &= (kind != CAPITAL) | (of_text(sure) > 0)
    kept &= (found.tag != _TARGET) | (of_text(found.tag == _TARGET) >= TARGETS)
    # What needs its end or its beginning, and links whose target is defined elsewhere: by text, kind and name.
    named = name ^ (found.article.astype(np.int64) << 32) ^ found.tag
    kept &= (kind != OPENS) | np.isin(named, named[ends])
    kept &= (kind != CLOSES) | np.isin(named, named[~ends & (kind != _REFERENCE) & (kind != BARE)])
    kept &= (kind != _REFERENCE) | np.isin(named ^ found.tag, (named ^ found.tag)[kind == _DEFINITION])
    return kept


def settle_lines(packed: PackedText, found: Markup) -> PackedText | None:
    """Texts with the line ends that a reader would see; None where they have these already.

    Inside of markup a line's end becomes a blank, as in `<a` and `href=...>` on two lines. Where a browser would begin
    a line, one begins: `one<br>two` is two lines, which would be one word without the tag, so it becomes `one<br>` and
    `two`. Of the blanks after a run of tags one gives way to the newline.

    Args:
        found: the texts' markup.
    """
    if not len(found):
        return None
    data = packed.data.copy()
    joined = _join_lines(data, found.start, found.end)
    outer = found.take((found.tag <= _SCRIPT) | found.block)
    at = _line_breaks(data, packed.offsets, outer.article, outer.start, outer.end, outer.block)
    if not (joined or len(at)):
        return None
    blank = data[at] == 32
    data[at[blank]] = 10
    at = at[~blank]
    first = int(packed.offsets[0])
    data = np.insert(data[first : int(packed.offsets[-1])], at - first, np.uint8(10))
    return PackedText(data, packed.offsets - first + np.searchsorted(at, packed.offsets))


@numba.njit(nogil=True, cache=True)
def _join_lines(data: Bytes, start: Offsets, end: Offsets) -> bool:
    """Turns newlines in byte ranges into blanks, in place; whether there were any."""
    joined = False
    for k in range(len(start)):
        for i in range(start[k], end[k]):
            if data[i] == 10:
                data[i] = 32
                joined = True
    return joined


@numba.njit(nogil=True, cache=True)
def _line_breaks(data: Bytes, offsets: Offsets, article: Int32s, start: Offsets, end: Offsets, block: Flags) -> Offsets:
    """Where newlines are missing: behind runs of tags, blanks between them or not, of which one begins a line."""
    found = np.empty(len(start), np.int64)
    count = 0
    k = 0
    while k < len(start):
        row = article[k]
        last = k
        breaks = block[k]
        reached = end[k]
        while last + 1 < len(start) and article[last + 1] == row:
            gap = reached
            while gap < start[last + 1] and data[gap] == 32:
                gap += 1
            if gap < start[last + 1]:
                break
            last += 1
            reached = max(reached, end[last])
            breaks |= block[last]
        before, after = start[k] - 1, reached
        while before >= offsets[row] and data[before] == 32:
            before -= 1
        while after < offsets[row + 1] and data[after] == 32:
            after += 1
        if breaks and before >= offsets[row] and after < offsets[row + 1] and data[before] != 10 and data[after] != 10:
            found[count] = reached
            count += 1
        k = last + 1
    return found[:count]


@numba.njit(nogil=True, cache=True)
def _may_hold_markup(data: Bytes, offsets: Offsets) -> Flags:
    """Which texts hold a `<`, a `[`, or an address in brackets: bool[n]."""
    found = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(offsets) - 1):
        i, stop = offsets[row], offsets[row + 1]
        while i < stop:
            if i + ASCII_BYTES < stop and not _holds_sign(data, i):
                i += ASCII_BYTES
                continue
            byte = data[i]
            if byte == 60 or byte == 91 or (byte == 40 and i + 1 < stop and data[i + 1] == 104):
                found[row] = True
                break
            i += 1
    return found


@numba.njit(nogil=True, cache=True, inline="always")
def _holds_sign(data: Bytes, i: int) -> bool:
    """Whether `<`, `[`, `]` or `(h` begins in the next ASCII_BYTES bytes; the one behind them must be there."""
    found = np.uint8(0)
    for k in range(ASCII_BYTES):
        byte, after = data[np.uint64(i + k)], data[np.uint64(i + k + 1)]
        found |= np.uint8(byte == 60) | np.uint8(byte == 91) | np.uint8(byte == 93)
        found |= np.uint8(byte == 40) & np.uint8(after == 104)
    return found != 0


@numba.njit(nogil=True, cache=True)
def _scan(
    data: Bytes,
    offsets: Offsets,
    rows: Offsets,
    names: npt.NDArray[np.uint64],
    blocks: npt.NDArray[np.uint64],
    raw: npt.NDArray[np.uint64],
    codes: npt.NDArray[np.uint64],
) -> Offsets:
    """What may be markup: row, start, end, tag, kind, whether it begins a line, the hash of its name, whether it ends
    something.
    """
    found = np.empty((64, 8), np.int64)
    count = 0
    opened = np.empty(8, np.int64)  # the square brackets that are open, the last ones
    for row in rows:
        begin, stop = offsets[row], offsets[row + 1]
        depth = 0
        ended = np.ones(len(raw), np.bool_)  # no text is searched twice for an end tag that it lacks
        i = begin
        odd_until = begin
        while i < stop:
            if i >= odd_until:
                while i + ASCII_BYTES < stop and not _holds_sign(data, i):
                    i += ASCII_BYTES
                odd_until = i + ASCII_BYTES
            if count + 2 > len(found):
                more = np.empty((2 * len(found), 8), np.int64)
                more[:count] = found[:count]
                found = more
            byte = data[i]
            after = 0
            if byte == 60:
                kind, after, name, ends, odd = tag_at(data, i, stop, names)
                tag, begins_line = _TAG, kind != NONE and (odd or among(blocks, name))
                if kind == NONE:
                    after, begins_line = _declaration_end(data, i, stop)
                    kind = SURE
                elif not ends and data[after - 2] != 47 and among(raw, name) and ended[np.searchsorted(raw, name)]:
                    inner, last = script_end(data, after, stop, name)
                    ended[np.searchsorted(raw, name)] = last > 0
                    if last and is_code(data, after, inner):
                        tag, kind, after = _SCRIPT, SURE, last
                if after:
                    count = _write(found, count, row, i, after, tag, kind, begins_line, name, ends)
            elif byte == 91:
                after = definition_end(data, i, stop) if i == begin or data[i - 1] == 10 else 0
                if after:
                    name = hash_bytes(data, i + 1, label_end(data, i + 1, stop) - 1, False)
                    count = _write(found, count, row, i, after, _LINK, _DEFINITION, False, name, False)
                else:
                    kind, last, name = shortcode_at(data, i, stop)
                    if kind != NONE:
                        ends = kind == CLOSES
                        count = _write(found, count, row, i, last, _SHORTCODE, kind, among(codes, name), name, ends)
                    if kind in (SURE, CLOSES):
                        after = last
                    else:  # `[name]` may be the words of a link
                        if depth == len(opened):
                            opened[:-1] = opened[1:].copy()
                            depth -= 1
                        opened[depth] = i
                        depth += 1
            elif byte == 93 and depth:
                depth -= 1
                first = opened[depth]
                kind, name = SURE, np.uint64(0)
                # `Wow![words](address)` is a link, `![words](address)` an image.
                image = first > begin and data[first - 1] == 33
                image = image and not (first - 1 > begin and is_letter(data[first - 2]))
                if i - first <= LINK_BYTES and i + 1 < stop:
                    if data[i + 1] == 40:
                        after = target_end(data, i + 2, stop, image)
                    elif data[i + 1] == 91:
                        after, kind = label_end(data, i + 2, stop), _REFERENCE
                        name = hash_bytes(data, i + 2, after - 1, False)
                if after and image:
                    count = _write(found, count, row, first - 1, after, _IMAGE, kind, False, name, False)
                elif after:
                    count = _write(found, count, row, first, first + 1, _LINK, kind, False, name, False)
                    count = _write(found, count, row, i, after, _LINK, kind, False, name, False)
                if kind == _REFERENCE:
                    after = 0  # a label may be a shortcode
            elif byte == 40 and i > begin and (data[i - 1] == 32 or data[i - 1] == 10) and is_web(data, i + 1, stop):
                after = target_end(data, i + 1, stop, False)
                if after:
                    # With the blank before it, as a stop may follow.
                    first = i - 1 if data[i - 1] == 32 else i
                    count = _write(found, count, row, first, after, _TARGET, SURE, False, np.uint64(0), False)
            i = after if after else i + 1
    return found[:count]


@numba.njit(nogil=True, cache=True)
def _write(
    found: Offsets, at: int, row: int, start: int, end: int, tag: int, kind: int, begins: bool, name: int, ends: bool
) -> int:
    found[at, 0], found[at, 1], found[at, 2], found[at, 3] = row, start, end, tag
    found[at, 4], found[at, 5], found[at, 6], found[at, 7] = kind, begins, np.int64(name), ends
    return at + 1


@numba.njit(nogil=True, cache=True)
def _declaration_end(data: Bytes, i: int, stop: int) -> tuple[int, bool]:
    """Behind a comment, a document type or an XML declaration that begins at a `<`, or 0; and whether a line begins
    there.
    """
    if i + 3 >= stop:
        return 0, False
    if data[i + 1] == 63 and data[i + 2] == 120 and data[i + 3] == 109:  # <?xml
        return until(data, i + 4, min(stop, i + LINK_BYTES), 62), True
    if data[i + 1] != 33:
        return 0, False
    if data[i + 2] == 45 and data[i + 3] == 45:
        return comment_end(data, i + 4, stop), i + 4 < stop and data[i + 4] == _MORE
    if (data[i + 2] | 32) == 100 and (data[i + 3] | 32) == 111:  # <!DOCTYPE
        return until(data, i + 4, min(stop, i + LINK_BYTES), 62), True
    return 0, False
