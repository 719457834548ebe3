"""NFC for the few words that need it: which texts and words may differ from it, and their composed forms."""

from __future__ import annotations

import functools
import re
import unicodedata

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.functions.byte_marks import next_mark, room_for_marks
from transforms.functions.packed_text import Bytes, Offsets, PackedText

_CHANGES = 255


def _unsettled() -> Bytes:
    """Per code point below U+10000: 255 where a text that holds it may differ from its NFC form, or a mark's class.

    255: characters that NFC replaces, or that can be the second of a pair it joins. Combining classes (0 for letters)
    must not fall from one mark to the next (the quick check of Unicode Standard Annex 15).
    """
    seconds = set()
    for code in range(0x10000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(int(parts[1], 16))
    return np.array(
        [
            _CHANGES
            if code in seconds
            or 0x1160 <= code < 0x1200  # second and third letters of a Hangul syllable
            or not unicodedata.is_normalized("NFC", chr(code))
            else unicodedata.combining(chr(code))
            for code in range(0x10000)
        ],
        np.uint8,
    )


@functools.cache
def unsettled_table() -> Bytes:
    return _unsettled()


MOST_MARKS = 30
"""Marks on one letter, as in Unicode's stream-safe form (UAX 15). Python orders them in the square of their number:
20,000 took a second."""


@functools.cache
def _are_marks() -> npt.NDArray[np.bool_]:
    """Of each code point below U+1F000, and of all others together, whether it is a mark: has a combining class."""
    return np.array([unicodedata.combining(chr(code)) > 0 for code in range(0x1F000)] + [False], np.bool_)


@functools.cache
def _marks_run() -> re.Pattern[str]:
    """More marks than MOST_MARKS in a row."""
    marks = "".join(map(chr, np.flatnonzero(_are_marks()).tolist()))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def _without_piles(text: str) -> str:
    """A text with no more than MOST_MARKS marks in a row."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    marks = _are_marks()[np.minimum(points, len(_are_marks()) - 1)]
    # Most have none, which numpy sees in a hundredth of the time that the expression takes.
    edges = np.flatnonzero(np.diff(marks, prepend=False, append=False))
    piled = (edges[1::2] - edges[::2] > MOST_MARKS).any()
    return _marks_run().sub(r"\1", text) if piled else text


def compose_text(text: str) -> str:
    """A text in NFC, with no more than MOST_MARKS marks on a letter."""
    if text.isascii():
        return text
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return _compose(data, 0, len(data)).decode("utf-8", "surrogatepass")


def compose_texts(packed: PackedText, rows: npt.NDArray[np.int64]) -> pa.StringArray:
    """`compose_text` of some texts."""
    bounds = zip(packed.offsets[rows].tolist(), packed.offsets[rows + 1].tolist(), strict=True)
    return pa.array([_compose(packed.data, *bound) for bound in bounds], pa.binary()).cast(pa.string())


def _compose(data: Bytes, begin: int, stop: int) -> bytes:
    """Word by word, most of which need nothing: no mark joins a blank or a newline.

    Not pc.utf8_normalize: Arrow 25 leaves an alif and a hamza above (U+0627 U+0654) apart after other words.
    """
    raw = data.data
    words, marks = _find_words(data, begin, stop, unsettled_table())
    if marks > MOST_MARKS // 2:  # NFC takes some marks apart into two (U+0344)
        text = _without_piles(bytes(raw[begin:stop]).decode("utf-8", "surrogatepass"))
        return _without_piles(unicodedata.normalize("NFC", text)).encode("utf-8", "surrogatepass")
    pieces: list[bytes | memoryview] = []
    for first, last in words.tolist():
        word = bytes(raw[first:last]).decode("utf-8", "surrogatepass")
        pieces += [raw[begin:first], unicodedata.normalize("NFC", word).encode("utf-8", "surrogatepass")]
        begin = last
    return b"".join([*pieces, raw[begin:stop]])


@numba.njit(nogil=True, cache=True)
def _find_words(data: Bytes, begin: int, stop: int, unsettled: Bytes) -> tuple[npt.NDArray[np.int64], int]:
    """The words of a text that NFC may change, int64[k, 2] first byte and end, and the longest run of marks."""
    found = np.empty((64, 2), np.int64)
    count = 0
    most = 0
    start = begin
    while start < stop:
        end = start
        odd = False
        last = np.uint8(0)
        marks = 0
        while end < stop and data[end] != 32 and data[end] != 10:
            byte = data[end]
            kind = np.uint8(0)
            if byte < 0x80:
                end += 1
            elif byte < 0xE0:
                kind = unsettled[((byte & 31) << 6) | (data[end + 1] & 63)]
                end += 2
            elif byte < 0xF0:
                kind = unsettled[((byte & 15) << 12) | ((data[end + 1] & 63) << 6) | (data[end + 2] & 63)]
                end += 3
            else:
                kind = np.uint8(_CHANGES)
                end += 4
            marks = marks + 1 if kind else 0
            most = max(most, marks)
            if kind == _CHANGES or (kind and last > kind):
                odd = True
            last = kind
        if odd:
            if count == len(found):
                more = np.empty((2 * count, 2), np.int64)
                more[:count] = found
                found = more
            found[count, 0], found[count, 1] = start, end
            count += 1
        start = end + 1
    return found[:count], most


@numba.njit(nogil=True, cache=True)
def may_join(data: Bytes, at: Offsets, stop: Offsets, unsettled: Bytes) -> npt.NDArray[np.bool_]:
    """Whether a character may join one that comes to stand before it: bool[k], false at `stop` or beyond."""
    found = np.zeros(len(at), np.bool_)
    for k in range(len(at)):
        i = at[k]
        if i >= stop[k] or data[i] < 0xCC:  # nothing below U+0300, whose UTF-8 begins with 0xCC
            continue
        byte = data[i]
        if byte < 0xE0:
            found[k] = unsettled[((byte & 31) << 6) | (data[i + 1] & 63)] > 0
        elif byte < 0xF0:
            found[k] = unsettled[((byte & 15) << 12) | ((data[i + 1] & 63) << 6) | (data[i + 2] & 63)] > 0
        else:
            found[k] = True
    return found


@numba.njit(nogil=True, cache=True)
def _mark_unsettled(data: Bytes, second: Bytes, third: Bytes, marks: Bytes) -> None:
    """Marks bytes that begin a character that may be a mark or change.

    None below U+0300 is; of the Arabic ones the marks, which are U+0610-061A, U+064B-065F, U+0670 and from U+06C0 on
    (some of which change); of General Punctuation none from U+2010 on.

    Args:
        second, third: `data` from its second and third byte on.
    """
    for k in range(len(data)):
        byte, after, last = data[k], second[k], third[k]
        arabic = np.uint8(byte == 0xD8) & (np.uint8(after < 0x90) | np.uint8(after > 0x9A))
        unmarked = np.uint8(after < 0x8B) | (np.uint8(after > 0x9F) & np.uint8(after != 0xB0))
        arabic |= np.uint8(byte == 0xD9) & unmarked
        arabic |= np.uint8(byte == 0xDA)
        quote = np.uint8(byte == 0xE2) & np.uint8(after == 0x80) & np.uint8(last >= 0x90)
        marks[k] = np.uint8(byte >= 0xCC) & np.uint8(1 ^ (arabic | quote))


@numba.njit(nogil=True, cache=True)
def settle_marks(data: Bytes, offsets: Offsets, unsettled: Bytes) -> npt.NDArray[np.bool_]:
    """Puts marks of two bytes (Arabic, Hebrew) in NFC's order, in place, and tells which texts need more than that.

    These hold a character that NFC may change, other marks in another order than NFC's, or too many of them. Arabic is
    typed with a shadda before its vowel, which NFC turns round: in a text in twenty of newspapers', and it changes
    nothing else of them.
    """
    found = np.zeros(len(offsets) - 1, np.bool_)
    odd = room_for_marks(offsets)
    words = odd.view(np.uint64)
    for row in range(len(offsets) - 1):
        first, stop = offsets[row], offsets[row + 1]
        known = max(first, stop - 2)
        _mark_unsettled(data[first:known], data[first + 1 : known + 1], data[first + 2 : known + 2], odd)
        for i in range(known, stop):
            odd[i - first] = data[i] >= 0xCC
        odd[stop - first] = 1
        i = first
        last = np.uint8(0)  # the combining class of the character before
        marks = 0
        run = i  # where the marks in hand begin, if all are of two bytes
        while i < stop:
            if not odd[i - first]:
                last, marks = np.uint8(0), 0
                i = first + next_mark(odd, words, i - first)
                continue
            byte = data[i]
            kind = np.uint8(0)
            if byte < 0xE0:
                kind = unsettled[(np.int64(byte & 31) << 6) | np.int64(data[i + 1] & 63)]
                i += 2
                if kind and marks == 0:
                    run = i - 2
                if last > kind > 0 and marks < MOST_MARKS and i - run == 2 * (marks + 1):
                    _move_back(data, run, i - 2, kind, unsettled)
                    kind = last
            elif byte < 0xF0:
                kind = unsettled[((byte & 15) << 12) | ((data[i + 1] & 63) << 6) | (data[i + 2] & 63)]
                i += 3
            else:
                code = ((byte & 7) << 18) | ((data[i + 1] & 63) << 12) | ((data[i + 2] & 63) << 6) | (data[i + 3] & 63)
                if not (0x1F000 <= code < 0x2F800):  # emoji and rarer Han characters never change
                    kind = np.uint8(_CHANGES)
                i += 4
            marks = marks + 1 if kind else 0
            if kind == _CHANGES or (kind and last > kind) or marks > MOST_MARKS:
                found[row] = True
                break
            last = kind
    return found


@numba.njit(nogil=True, cache=True)
def _move_back(data: Bytes, run: int, i: int, kind: int, unsettled: Bytes) -> None:
    """Moves the mark at i before those of the run that have a higher class."""
    first, second = data[i], data[i + 1]
    while i > run and unsettled[(np.int64(data[i - 2] & 31) << 6) | np.int64(data[i - 1] & 63)] > kind:
        data[i], data[i + 1] = data[i - 2], data[i - 1]
        i -= 2
    data[i], data[i + 1] = first, second
