"""The lines of packed texts, and where given literals stand in them: one pass over the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

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
    most = int(_count_lines(packed.data, packed.offsets))
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    article, first = np.empty(most, np.int32), np.empty(len(packed.offsets), np.int64)
    _fill_lines(packed.data, packed.offsets, starts, ends, article, first)
    return LineTable(starts, ends, article, first)


@numba.njit(nogil=True, cache=True)
def _count_lines(data: Bytes, offsets: Offsets) -> int:
    lines = 0
    for row in range(len(offsets) - 1):
        lines += offsets[row + 1] > offsets[row]
    for i in range(offsets[0], offsets[-1]):
        lines += data[i] == 10
    return lines


@numba.njit(nogil=True, cache=True)
def _fill_lines(data: Bytes, offsets: Offsets, starts: Offsets, ends: Offsets, article: Int32s, first: Offsets) -> None:
    line = 0
    for row in range(len(offsets) - 1):
        first[row] = line
        begin, stop = offsets[row], offsets[row + 1]
        if begin == stop:
            continue
        for i in range(begin, stop):
            if data[i] == 10:
                starts[line], ends[line], article[line] = begin, i, row
                line += 1
                begin = i + 1
        starts[line], ends[line], article[line] = begin, stop, row
        line += 1
    first[len(offsets) - 1] = line


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
    """Which literals stand in which lines, each pair once, by line.

    Args:
        automata: for lines of up to LENGTHS[0] bytes, of up to LENGTHS[1], and of more, as `build_automata` gives them.
    """
    room = 4 * len(lines) + 1024
    while True:
        found = Hits(np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int64))
        count = 0
        for number, automaton in enumerate(automata):
            low = LENGTHS[number - 1] if number else -1
            high = LENGTHS[number] if number < len(LENGTHS) else 1 << 60
            count = _scan(
                packed.data, lines.starts, lines.ends, low, high, automaton.classes, automaton.moves, automaton.found,
                automaton.next_found, automaton.literal, automaton.longest_line, automaton.width, count, found.line,
                found.literal, found.at,
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


@numba.njit(nogil=True, cache=True)
def _scan(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    low: int,
    high: int,
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
    seen = np.full(len(longest_line), -1, np.int64)
    for line in range(len(starts)):
        size = ends[line] - starts[line]
        if size <= low or size > high:
            continue
        state = np.int64(0)
        for i in range(starts[line], ends[line]):
            move = np.int64(moves[state + np.int64(classes[data[i]])])
            state = move >> 1
            if move & 1 == 0:
                continue
            at = found[state // width]
            while at >= 0:
                number = literal[at]
                if seen[number] != line and size <= longest_line[number]:
                    seen[number] = line
                    if count < len(out_line):
                        out_line[count], out_literal[count], out_at[count] = line, number, i + 1
                    count += 1
                at = next_found[at]
    return count
