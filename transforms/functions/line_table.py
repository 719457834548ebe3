"""The lines of packed texts, and where given literals stand in them: one pass over the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.byte_marks import next_mark, room_for_marks
from transforms.functions.packed_text import Bytes, Offsets, PackedText

Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class LineTable:
    """Lines of normal-form texts (no blank ones), in order.

    `starts`, `ends`: int64[m] byte positions in the packed data, the newline excluded. `article`: int32[m] the text a
    line belongs to. `first`: int64[n + 1], lines `first[i]:first[i + 1]` are those of text i.
    """

    starts: Offsets
    ends: Offsets
    article: Int32s
    first: Offsets

    def __len__(self) -> int:
        return len(self.starts)


def find_lines(packed: PackedText) -> LineTable:
    """The line table of packed normal-form texts."""
    most = _count_breaks(packed.data[packed.offsets[0] : packed.offsets[-1]]) + len(packed)
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    article, first = np.empty(most, np.int32), np.empty(len(packed.offsets), np.int64)
    count = _fill_lines(packed.data, packed.offsets, starts, ends, article, first)
    return LineTable(starts[:count], ends[:count], article[:count], first)


_NEWLINE = 10


@numba.njit(nogil=True, cache=True)
def _count_breaks(data: Bytes) -> int:
    count = 0
    for byte in data:
        count += byte == _NEWLINE
    return count


@numba.njit(nogil=True, cache=True)
def _mark_breaks(data: Bytes, marks: Bytes) -> None:
    for k in range(len(data)):
        marks[k] = np.uint8(data[k] == _NEWLINE)


@numba.njit(nogil=True, cache=True)
def _fill_lines(data: Bytes, offsets: Offsets, starts: Offsets, ends: Offsets, article: Int32s, first: Offsets) -> int:
    marks = room_for_marks(offsets)
    words = marks.view(np.uint64)
    line = 0
    for row in range(len(offsets) - 1):
        first[row] = line
        begin, stop = offsets[row], offsets[row + 1]
        if begin == stop:
            continue
        size = stop - begin
        _mark_breaks(data[begin:stop], marks)
        marks[size] = 1
        at = 0
        while True:
            end = next_mark(marks, words, at)
            starts[line], ends[line], article[line] = begin + at, begin + end, row
            line += 1
            if end == size:
                break
            at = end + 1
    first[len(offsets) - 1] = line
    return line


@dataclass(frozen=True)
class LiteralAutomaton:
    """Finds every occurrence of some literals in one pass over bytes, ASCII letters of either case alike.

    Method: Aho and Corasick, Efficient string matching, CACM 18 (1975), as one table of moves over classes of bytes.
    `moves`: int32, one row a state, flat, see `_flat_moves`. `width`: columns of a row.
    `longest_line`: int64 a literal; it is not reported from lines of more bytes.
    """

    classes: Bytes
    moves: Int32s
    found: Int32s
    next_found: Int32s
    literal: Int32s
    longest_line: Offsets
    width: int

    @classmethod
    def of(cls, literals: Sequence[str], longest_line: Sequence[int], at_least: int = 0) -> LiteralAutomaton:
        """The automaton of some literals; those with letters beyond ASCII are sought in lower, upper and title case.

        Args:
            at_least: leaves out literals that aren't sought in lines of so many bytes.

        Raises:
            ValueError: a literal is empty.
        """
        forms: list[tuple[bytes, int]] = []
        for number, text in enumerate(literals):
            if longest_line[number] < at_least:
                continue
            if not text:
                raise ValueError("an empty literal; expected at least one character")
            cases = {text.lower()} if text.isascii() else {text.lower(), text.upper(), text.capitalize()}
            forms += [(_fold(case.encode()), number) for case in sorted(cases)]
        used = sorted({byte for form, _ in forms for byte in form})
        classes = np.zeros(256, np.uint8)
        for number, byte in enumerate(used, 1):
            classes[byte] = number
            if 97 <= byte <= 122:
                classes[byte - 32] = number
        children: list[dict[int, int]] = [{}]
        outputs: list[list[int]] = [[]]
        for form, number in forms:
            state = 0
            for byte in form:
                symbol = int(classes[byte])
                if symbol not in children[state]:
                    children[state][symbol] = len(children)
                    children.append({})
                    outputs.append([])
                state = children[state][symbol]
            if number not in outputs[state]:
                outputs[state].append(number)
        moves = np.zeros((len(children), len(used) + 1), np.int32)
        queue, fall = [0], [0] * len(children)
        for state in queue:
            if state:
                moves[state] = moves[fall[state]]
                outputs[state] = outputs[state] + [n for n in outputs[fall[state]] if n not in outputs[state]]
            for symbol, child in children[state].items():
                fall[child] = int(moves[fall[state], symbol]) if state else 0
                moves[state, symbol] = child
                queue.append(child)
        found = np.full(len(children), -1, np.int32)
        chain: list[int] = []
        numbers: list[int] = []
        for state, here in enumerate(outputs):
            for place, number in enumerate(here):
                if place == 0:
                    found[state] = len(numbers)
                numbers.append(number)
                chain.append(len(numbers) if place + 1 < len(here) else -1)
        return cls(
            classes,
            _flat_moves(moves, found),
            found,
            np.array(chain, np.int32),
            np.array(numbers, np.int32),
            np.array(longest_line, np.int64),
            len(used) + 1,
        )


def _flat_moves(moves: Int32s, found: Int32s) -> Int32s:
    """Moves as one row after the other: where the next state's row begins, doubled, plus 1 if literals end there."""
    width = moves.shape[1]
    flat: Int32s = (2 * width * moves + (found[moves] >= 0)).astype(np.int32).ravel()
    return flat


def _fold(text: bytes) -> bytes:
    return bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in text)


def find_literals(packed: PackedText, lines: LineTable, automata: Sequence[LiteralAutomaton]) -> Hits:
    """Which literals stand in which lines, each pair once, in no order but that of a line's own hits.

    Args:
        automata: for lines of up to LENGTHS[0] bytes, of up to LENGTHS[1], and of more, as `build_automata` gives them.
    """
    room = 4 * len(lines) + 1024
    sizes = lines.ends - lines.starts
    kinds = np.searchsorted(np.array(LENGTHS), sizes)
    chosen = [np.flatnonzero(kinds == kind) for kind in range(len(automata))]
    while True:
        found = Hits(np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int64))
        count = 0
        for some, automaton in zip(chosen, automata, strict=True):
            if not len(some):
                continue
            reached = np.cumsum(sizes[some])
            total = int(reached[-1])
            bounds = np.searchsorted(reached, [total * lane // LANES for lane in range(LANES + 1)]).astype(np.int64)
            bounds[-1] = len(some)
            count = _scan(
                packed.data, lines.starts, lines.ends, some, bounds, automaton.classes, automaton.moves,
                automaton.found, automaton.next_found, automaton.literal, automaton.longest_line, automaton.width,
                count, found.line, found.literal, found.at,
            )  # fmt: skip
        if count <= room:
            return Hits(found.line[:count], found.literal[:count], found.at[:count])
        room = count


LENGTHS = (200, 800)
"""Bytes of a line up to which one automaton is used: few literals matter in long lines, where most bytes are, and a
small table stays in the processor's cache (about 15 microseconds an article of 3.3 kB with one, 11.5 with three)."""


@dataclass(frozen=True)
class Hits:
    """Literals found: int32[k] line, int32[k] literal, int64[k] byte after its first occurrence in the line."""

    line: Int32s
    literal: Int32s
    at: Offsets


def build_automata(literals: Sequence[str], longest_line: Sequence[int]) -> tuple[LiteralAutomaton, ...]:
    """One automaton for each range of line lengths, of the literals sought in such lines; numbers stay the same."""
    return tuple(
        LiteralAutomaton.of(literals, longest_line, at_least) for at_least in (0, *(length + 1 for length in LENGTHS))
    )


LANES = 4
"""So many lines are read at once, a byte of each in turn: one move waits for the last, four don't wait for each other.
Of the 10.4 microseconds an article of 3.3 kB in long lines 6 were left, of 8.5 for 3 kB in short ones 5."""


@numba.njit(nogil=True, cache=True)
def _scan(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    chosen: Offsets,
    bounds: Offsets,
    classes: Bytes,
    moves: Int32s,
    found: Int32s,
    next_found: Int32s,
    literal: Int32s,
    longest_line: Offsets,
    width: int,
    count: int,
    out_line: Int32s,
    out_literal: Int32s,
    out_at: Offsets,
) -> int:
    """Reads the chosen lines, `chosen[bounds[k]:bounds[k + 1]]` in lane k."""
    seen = np.full((LANES, len(longest_line)), -1, np.int64)
    slot = np.zeros((LANES, len(longest_line)), np.int64)
    next_line = bounds[:LANES].copy()
    place, stop = np.zeros(LANES, np.uint64), np.zeros(LANES, np.uint64)
    state = np.zeros(LANES, np.uint64)
    while True:
        full = True
        steps = np.uint64(1) << np.uint64(62)
        for lane in range(LANES):
            while place[lane] == stop[lane] and next_line[lane] < bounds[lane + 1]:
                line = chosen[next_line[lane]]
                place[lane], stop[lane] = starts[line], ends[line]
                state[lane] = np.uint64(0)
                next_line[lane] += 1
            full &= place[lane] < stop[lane]
            steps = min(steps, stop[lane] - place[lane])
        if not full:
            break
        one, two, three, four = state[0], state[1], state[2], state[3]
        a, b, c, d = place[0], place[1], place[2], place[3]
        for step in range(np.int64(steps)):
            i = np.uint64(step)  # unsigned: numba would look for negative indices
            m = np.uint64(moves[one + np.uint64(classes[data[a + i]])])
            n = np.uint64(moves[two + np.uint64(classes[data[b + i]])])
            o = np.uint64(moves[three + np.uint64(classes[data[c + i]])])
            p = np.uint64(moves[four + np.uint64(classes[data[d + i]])])
            one, two, three, four = m >> np.uint64(1), n >> np.uint64(1), o >> np.uint64(1), p >> np.uint64(1)
            if (m | n | o | p) & np.uint64(1):
                for lane, move, at in ((0, m, a + i), (1, n, b + i), (2, o, c + i), (3, p, d + i)):
                    if move & np.uint64(1):
                        line = chosen[next_line[lane] - 1]
                        count = _note(
                            found[np.int64(move >> np.uint64(1)) // width], next_found, literal, longest_line,
                            ends[line] - starts[line], line, np.int64(at) + 1, seen[lane], slot[lane], count,
                            out_line, out_literal, out_at,
                        )  # fmt: skip
        state[0], state[1], state[2], state[3] = one, two, three, four
        for lane in range(LANES):
            place[lane] += steps
    for lane in range(LANES):
        while place[lane] < stop[lane] or next_line[lane] < bounds[lane + 1]:
            if place[lane] == stop[lane]:
                line = chosen[next_line[lane]]
                place[lane], stop[lane] = starts[line], ends[line]
                state[lane] = np.uint64(0)
                next_line[lane] += 1
            line = chosen[next_line[lane] - 1]
            one = state[lane]
            for step in range(np.int64(place[lane]), np.int64(stop[lane])):
                m = np.uint64(moves[one + np.uint64(classes[data[np.uint64(step)]])])
                one = m >> np.uint64(1)
                if m & np.uint64(1):
                    count = _note(
                        found[np.int64(one) // width], next_found, literal, longest_line, ends[line] - starts[line],
                        line, step + 1, seen[lane], slot[lane], count, out_line, out_literal, out_at,
                    )  # fmt: skip
            place[lane] = stop[lane]
    return count


@numba.njit(nogil=True, cache=True)
def _note(
    at: int,
    next_found: Int32s,
    literal: Int32s,
    longest_line: Offsets,
    size: int,
    line: int,
    place: int,
    seen: Offsets,
    slot: Offsets,
    count: int,
    out_line: Int32s,
    out_literal: Int32s,
    out_at: Offsets,
) -> int:
    """Notes the literals that end before a place, each once a line, at its first place."""
    while at >= 0:
        number = literal[at]
        if size <= longest_line[number]:
            if seen[number] != line:
                seen[number] = line
                slot[number] = count
                if count < len(out_line):
                    out_line[count], out_literal[count], out_at[count] = line, number, place
                count += 1
            elif slot[number] < len(out_line) and place < out_at[slot[number]]:
                out_at[slot[number]] = place
        at = next_found[at]
    return count
