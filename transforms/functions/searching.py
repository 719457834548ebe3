"""Many short texts searched as one: the engine of an RE2 pattern without its Python face, over joined byte ranges.

A call of the engine takes about a microsecond, whatever it finds, and its Python face four more. So ranges that may
match are joined, equal ones once, and a search goes on from match to match: what doesn't match costs no call.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import re2

from transforms.functions.packed_text import Bytes, Offsets, PackedText, copy_bytes, hash_bytes

NOWHERE = (-1, -1)
"""The span of a group that took no part; as the first span: there is no match."""

BETWEEN = b"\n\xff\n"
"""Stands behind each piece: `^` and `$` hold at its bounds, and no class of characters takes in a byte that is no
UTF-8."""

SAME_BYTES = 128
"""Longer pieces aren't compared: furniture that comes again is short, and reading 450 bytes takes half a search."""

MOST_PROBES = 16
"""Slots looked at for an equal piece; a page made to collide took 10 seconds for 20,000 lines, and one twice in the
text costs a search."""


@functools.cache
def searcher(pattern: Any) -> Callable[[bytes, int, int], list[tuple[int, int]]]:
    """A function of a text, its first byte and its end that gives the spans of a pattern's first match and its groups.

    `re2.compile(...).search` is a generator around the same call: 5 to 9 microseconds for a line, this takes 1 to 2.

    Args:
        pattern: of `re2.compile`.
    """
    return functools.partial(pattern._regexp.Match, re2._re2.RE2.Anchor.UNANCHORED)


@functools.cache
def matcher(pattern: Any, *, whole: bool) -> Callable[[bytes, int, int], list[tuple[int, int]]]:
    """`searcher` of matches that begin at the first byte and, if whole, end at the last.

    RE2 finds where a match ends with one automaton and where it begins with another, run backwards, in which all that
    may end a pattern is alive at once: half of what texts not seen before took. Here it is told.
    """
    anchor = re2._re2.RE2.Anchor
    return functools.partial(pattern._regexp.Match, anchor.ANCHOR_BOTH if whole else anchor.ANCHOR_START)


def without_groups(pattern: str) -> str:
    """A pattern that matches the same and has no named groups: RE2 is then three to ten times as fast."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


_REPEATED = re.compile(
    r"(\\Q.*?\\E|\\[xpP]\{[^}]*\}|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])|\{(\d+),(\d*)\}", re.DOTALL
)
"""An escape or a class, as they are, or a counted repetition, its least and its greatest count."""


def counts_to(pattern: str) -> int:
    """How far a pattern's repetitions count at most; 0: it has none that count."""
    return max((int(found[3] or found[2] or 0) for found in _REPEATED.finditer(pattern)), default=0)


def without_counts(pattern: str) -> str:
    """A pattern that matches whatever another does, and more, as it doesn't count: `{0,60}` is `*`, `{3,60}` is `+`.

    RE2 makes a state of its automaton for each count, and for each count together with whatever else goes on: every
    text not seen before adds some. An expression has no negation, so more of a part matches more of the whole.
    """
    return _REPEATED.sub(lambda found: found[1] or ("+" if int(found[2]) else "*"), pattern)


@dataclass(frozen=True)
class Pieces:
    """Byte ranges of packed texts, one behind the other with `BETWEEN` behind each; equal ones of one kind once.

    `starts`, `ends`: int64[d], where each different piece stands in `text`. `piece`: int64[k], which of them each range
    is. `first`: int64[kinds + 1], where the pieces of each kind begin.
    """

    text: bytes
    starts: Offsets
    ends: Offsets
    piece: Offsets
    first: Offsets

    @functools.cached_property
    def start_list(self) -> list[int]:
        """`starts`, for `bisect`."""
        return self.starts.tolist()

    @functools.cached_property
    def end_list(self) -> list[int]:
        """`ends`, likewise."""
        return self.ends.tolist()


def join_pieces(packed: PackedText, begin: Offsets, stop: Offsets, kind: Offsets, kinds: int) -> Pieces:
    """Byte ranges as one text.

    Args:
        begin, stop: int64[k], ranges that hold no newline.
        kind: int64[k], not falling: what is searched together.
    """
    out = np.empty(int((stop - begin).sum()) + len(BETWEEN) * len(begin), np.uint8)
    starts, ends = np.empty(len(begin), np.int64), np.empty(len(begin), np.int64)
    piece = np.empty(len(begin), np.int64)
    slots = np.full(1 << (2 * len(begin) + 1).bit_length(), -1, np.int32)
    first = np.zeros(kinds + 1, np.int64)
    count = _join(packed.data, begin, stop, kind, out, starts, ends, piece, slots, first)
    size = int(ends[count - 1]) + len(BETWEEN) if count else 0
    return Pieces(out[:size].tobytes(), starts[:count], ends[:count], piece, first)


@numba.njit(nogil=True, cache=True)
def _join(
    data: Bytes,
    begin: Offsets,
    stop: Offsets,
    kind: Offsets,
    out: Bytes,
    starts: Offsets,
    ends: Offsets,
    piece: Offsets,
    slots: npt.NDArray[np.int32],
    first: Offsets,
) -> int:
    """Fills what `Pieces` holds, and tells how many different ones there are; `slots`: short pieces by their hash."""
    count, at, last = 0, 0, -1
    most = np.uint64(len(slots) - 1)
    for k in range(len(begin)):
        while last < kind[k]:
            last += 1
            first[last] = count
        size = stop[k] - begin[k]
        same = -1
        if size <= SAME_BYTES:
            apart = np.uint64(last) * np.uint64(0x9E3779B97F4A7C15)  # of equal pieces of other kinds
            slot = (hash_bytes(data, begin[k], stop[k], False) ^ apart) & most
            probes = 0
            while slots[slot] >= 0 and probes < MOST_PROBES:
                probes += 1
                other = slots[slot]
                if other >= first[last] and ends[other] - starts[other] == size:
                    i = 0
                    while i < size and out[starts[other] + i] == data[begin[k] + i]:
                        i += 1
                    if i == size:
                        same = other
                        break
                slot = (slot + np.uint64(1)) & most
            if same < 0 and probes < MOST_PROBES:
                slots[slot] = count
        if same >= 0:
            piece[k] = same
            continue
        piece[k] = count
        starts[count] = at
        copy_bytes(data[begin[k] : stop[k]], out[at : at + size])
        at += size
        ends[count] = at
        out[at], out[at + 1], out[at + 2] = 10, 0xFF, 10
        at += 3
        count += 1
    while last + 1 < len(first):
        last += 1
        first[last] = count
    return count


def find_matches(
    pattern: Any, pieces: Pieces, first: int, last: int, *, every: bool
) -> tuple[list[int], list[int], list[int]]:
    """The matches in pieces `first` to `last` (not included), each as if it stood alone: piece, first byte and end.

    Args:
        pattern: `(?m)`, so that `^` and `$` stand for a piece's bounds.
        every: all matches of each piece, not the first alone.
    """
    search, text = searcher(pattern), pieces.text
    starts, ends = pieces.start_list, pieces.end_list
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    if first == last:
        return found
    add_piece, add_begin, add_stop = (each.append for each in found)
    piece, at, end = first, starts[first], ends[last - 1]
    while at <= end:
        begin, stop = search(text, at, end)[0]
        if begin < 0:
            break
        if begin > ends[piece]:  # mostly it is in this one, the next after the last match
            piece = bisect.bisect_right(starts, begin, piece, last) - 1
        if stop > ends[piece]:
            # A blank of the pattern has taken in a line end that isn't the text's own, before a piece or behind it.
            piece += begin > ends[piece]
            begin, stop = search(text, max(at, starts[piece]), ends[piece])[0]
        if begin >= 0:
            add_piece(piece)
            add_begin(begin)
            add_stop(stop)
        if every and begin >= 0:
            at = max(stop, begin + 1)
        elif piece + 1 < last:
            piece += 1
            at = starts[piece]
        else:
            break
    return found


def find_whole(pattern: Any, sieve: Any, pieces: Pieces, first: int, last: int) -> list[int]:
    """Which of pieces `first` to `last` (not included) a pattern matches from end to end.

    Args:
        sieve: if there is one, what a piece must match before it is compared with the pattern.
    """
    text, starts, ends = pieces.text, pieces.start_list, pieces.end_list
    search = matcher(pattern, whole=True)
    if sieve is None:
        return [piece for piece in range(first, last) if search(text, starts[piece], ends[piece])[0][0] >= 0]
    sift = matcher(sieve, whole=True)
    return [
        piece
        for piece in range(first, last)
        if sift(text, starts[piece], ends[piece])[0][0] >= 0 and search(text, starts[piece], ends[piece])[0][0] >= 0
    ]


def find_heads(pattern: Any, pieces: Pieces) -> tuple[list[int], list[int]]:
    """Which pieces begin with a match of a pattern, and where it ends in their text."""
    search, text = matcher(pattern, whole=False), pieces.text
    ends = [search(text, begin, stop)[0][1] for begin, stop in zip(pieces.start_list, pieces.end_list, strict=True)]
    found = [piece for piece, end in enumerate(ends) if end >= 0]
    return found, [ends[piece] for piece in found]
