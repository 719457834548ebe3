"""One form for every text: entities resolved, one kind of blank, one kind of line end, NFC."""

from __future__ import annotations

import html
import html.entities
import re
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.functions.byte_marks import next_mark, room_for_marks
from transforms.functions.composing import compose_text, compose_texts, settle_marks, unsettled_table
from transforms.functions.markup import Markup, find_markup, marked_texts, settle_lines
from transforms.functions.packed_text import Bytes, Offsets, PackedText, copy_bytes, pack, unpack

_NEWLINES = "\n\r\x0b\x0c\u2028\u2029"
_BLANKS = "\t \xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_DROPPED = (
    "".join(chr(c) for c in [*range(0x20), 0x7F, *range(0x80, 0xA0)] if chr(c) not in _NEWLINES + _BLANKS)
    + "\u061c\u200b\u200e\u200f\ufeff"
    + "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A)]))
)
_REFERENCE_TABLE = str.maketrans(
    {**dict.fromkeys(_NEWLINES, "\n"), **dict.fromkeys(_BLANKS, " "), **dict.fromkeys(_DROPPED)}
)

_WINDOWS = {code: bytes([code]).decode("windows-1252", "ignore") or code for code in range(0x80, 0xA0)}
# UTF-8 read as Latin-1, or C1 controls that are no part of it. European and Semitic letters, Vietnamese ones,
# punctuation and emoji are told one by one, others by two in a row: `café\x85\x94` is none. A blank was U+00A0 perhaps.
_CONTROLS = re.compile(
    "[\xc2-\xc5\xce-\xd1\xd7-\xd9][\x80-\x9f\xa1-\xbf]|(?:\xe2[\x80-\x9f]|\xe1[\xba\xbb])[\x80-\x9f\xa1-\xbf]"
    "|(?:[\xe0-\xef][\x80-\xbf][\x80-\xbf ]){2,}|\xf0\x9f[\x80-\xbf ]{2}|(?P<alone>[\x80-\x9f]+)"
)
# Most texts have no letter that touches one, and these two are ten times as fast.
_TOUCHED, _ALONE = re.compile("[\xc2-\xf0][\x80-\xbf]"), re.compile("[\x80-\x9f]+")

# `&name;` or `&#1234;`; without the semicolon only the three that broken pages hold, and not as a parameter of an
# address (`?a=1&amp=2`).
_ENTITY = re.compile(r"&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};|(?:nbsp|amp|quot)(?![\w=;]))")


@dataclass(frozen=True)
class Normalised:
    """`texts`: string[n], no nulls. `changed`: int64[k], rows where entities were resolved or that held C1 controls.
    `markup`: what of the texts is markup. `lines_as_given`: string[n], the texts before markup began or joined lines.
    """

    texts: pa.StringArray
    changed: Offsets
    markup: Markup
    lines_as_given: pa.StringArray


def normalise(texts: pa.StringArray) -> Normalised:
    """`normalise_texts`, and where it changed more than blanks and forms of characters."""
    settled, entity, control = _settle_characters(texts)
    if control.any():
        asked = pa.array(control)
        read = pa.array([read_controls(text) for text in texts.filter(asked).to_pylist()], pa.string())
        again, entity[control], _ = _settle_characters(read)
        settled = _replace(settled, control, again)
    for row in np.flatnonzero(entity):
        entity[row] = _ENTITY.search(settled[int(row)].as_py()) is not None
    if entity.any():
        fixed = [settle_text(text) for text in settled.filter(pa.array(entity)).to_pylist()]
        settled = _replace(settled, entity, pa.array(fixed, pa.string()))
    texts, markup = _settle_lines(settled)
    return Normalised(texts, np.flatnonzero(entity | control), markup, settled)


def _settle_characters(texts: pa.StringArray) -> tuple[pa.StringArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Texts without C1 controls, composed, but with their entities; which may hold one, and which held a control."""
    packed = pack(texts)
    data = np.empty(int(packed.offsets[-1] - packed.offsets[0]), np.uint8)
    offsets, ampersand, control = _settle_spacing(packed.data, packed.offsets, data)
    unsettled = settle_marks(data, offsets, unsettled_table())
    settled = unpack(PackedText(data[: offsets[-1]], offsets))
    if unsettled.any():
        settled = _replace(settled, unsettled, compose_texts(PackedText(data, offsets), np.flatnonzero(unsettled)))
    return settled, _find_entities(data, offsets, ampersand), control


def _settle_lines(texts: pa.StringArray) -> tuple[pa.StringArray, Markup]:
    """Texts with newlines where tags begin lines (as given where there are none missing), and their markup."""
    packed = pack(texts)
    markup = find_markup(packed)
    if not len(markup):
        return texts, markup
    rows, some, here = marked_texts(packed, markup)
    broken = settle_lines(some, here)
    if broken is None:
        return texts, markup
    holds = np.zeros(len(packed), np.bool_)
    holds[rows] = True
    texts = _replace(texts, holds, unpack(broken))
    return texts, find_markup(broken).moved(rows, pack(texts).offsets[rows] - broken.offsets[:-1])


def normalise_texts(texts: pa.StringArray) -> pa.StringArray:
    """Texts in the one form that all later steps take for granted.

    Entities are resolved (also doubly escaped ones), C1 controls are the characters of windows-1252 that HTML takes
    them for (`read_controls`), every line end is one newline, every run of blanks one space,
    lines are trimmed and blank ones dropped, direction marks, zero-width spaces and control characters go; the
    zero-width joiner and non-joiner stay (Persian, Indic scripts, emoji), and so do soft hyphens, which are the
    publisher's spelling (folding passes over them). NFC, no more than 30 marks on a letter (`composing.MOST_MARKS`).
    Where HTML tags begin a line, so does the text (`markup.settle_lines`). Applying it twice changes nothing.

    Args:
        texts: string[n]; a null becomes an empty text.

    Returns:
        string[n], no nulls.
    """
    return normalise(texts).texts


def _replace(texts: pa.StringArray, rows: npt.NDArray[np.bool_], replacement: pa.StringArray) -> pa.StringArray:
    return pc.replace_with_mask(texts, pa.array(rows), replacement)


def normalise_text(text: str) -> str:
    """The plain form of `normalise_texts`, which is tested against it."""
    settled = settle_text(text)
    return str(_settle_lines(pa.array([settled]))[0][0].as_py())


def read_controls(text: str) -> str:
    """A text with its C1 controls read as windows-1252, as HTML does (WHATWG Encoding, `latin1`): `\\x93` is `“`.

    What windows-1252 leaves undefined stays, and so does what is UTF-8 read as Latin-1 (`â\\x80\\x93`): half of a
    character would come of it.
    """
    if not _TOUCHED.search(text):
        return _ALONE.sub(lambda found: found[0].translate(_WINDOWS), text)
    return _CONTROLS.sub(lambda found: found[0].translate(_WINDOWS) if found["alone"] else found[0], text)


_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#0{0,5}38|#[xX]0{0,4}26);|amp(?=#)){2,}")
"""An ampersand escaped many times over: one step each, 8 kB took 0.3 seconds and four times as much for twice that."""


def settle_text(text: str) -> str:
    """The plain form of `normalise_texts` but for the newlines at HTML tags."""
    text = read_controls(text)
    text = _AMPERSANDS.sub("&amp;", text)  # here for speed: 0.8 MB of them took 0.4 seconds; below for hidden ones
    while True:
        visible = _AMPERSANDS.sub("&amp;", compose_text(text.translate(_REFERENCE_TABLE)))
        text = _ENTITY.sub(_resolve, visible)
        if text == visible:
            break
    lines = (line.strip(" ") for line in text.split("\n"))
    return "\n".join(re.sub(" +", " ", line) for line in lines if line)


def _resolve(match: re.Match[str]) -> str:
    entity = match.group()
    if entity[1] == "#" or entity[-1] != ";":
        return html.unescape(entity if entity[-1] == ";" else entity + ";")
    return html.entities.html5.get(entity[1:], entity)


@numba.njit(nogil=True, cache=True)
def _mark_odd(data: Bytes, second: Bytes, third: Bytes, marks: Bytes) -> None:
    """Marks bytes that aren't copied as they are: what `_kind` says so of, ampersands, the first of two of spacing.

    Args:
        second, third: `data` from its second and third byte on.
    """
    for k in range(len(data)):
        byte, after, last = data[k], second[k], third[k]
        spacing = np.uint8(byte == 32) | np.uint8(byte == 10)
        odd = spacing & (np.uint8(after == 32) | np.uint8(after == 10))
        odd |= np.uint8(byte < 32) & np.uint8(byte != 10)
        odd |= np.uint8(byte == 127) | np.uint8(byte == 38)
        odd |= np.uint8(byte == 0xC2) & np.uint8(after <= 0xA0)
        odd |= np.uint8(byte == 0xD8) & np.uint8(after == 0x9C)
        odd |= np.uint8(byte == 0xE1) | np.uint8(byte == 0xE3) | np.uint8(byte == 0xEF)
        quote = np.uint8(after == 0x80) & np.uint8(last >= 0x90) & np.uint8(last < 0xA8)
        odd |= np.uint8(byte == 0xE2) & np.uint8(1 ^ quote)
        marks[k] = odd


@numba.njit(nogil=True, cache=True)
def _settle_spacing(
    data: Bytes, offsets: Offsets, out: Bytes
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Writes the texts with blanks, line ends and invisible characters settled; tells which hold an ampersand, and
    which a C1 control, that is dropped here."""
    count = len(offsets) - 1
    ends = np.zeros(count + 1, np.int64)
    ampersand = np.zeros(count, np.bool_)
    control = np.zeros(count, np.bool_)
    marks = room_for_marks(offsets)
    words = marks.view(np.uint64)
    at = 0
    for row in range(count):
        begin = at
        before = True  # whether the byte written last is a blank or line end; a text's start counts as one
        first, stop = offsets[row], offsets[row + 1]
        known = max(first, stop - 2)
        _mark_odd(data[first:known], data[first + 1 : known + 1], data[first + 2 : known + 2], marks)
        marks[known - first : stop - first + 1] = 1
        i = first
        while i < stop:
            byte = data[i]
            # Of a run of blanks and line ends one byte is left: a line end if there is any in the run.
            if before and (byte == 32 or byte == 10):
                if byte == 10 and at > begin:
                    out[at - 1] = 10
                i += 1
                continue
            if not marks[i - first]:
                end = first + next_mark(marks, words, i - first)
                copy_bytes(data[i:end], out[at : at + end - i])
                at += end - i
                i = end
                before = data[i - 1] == 32 or data[i - 1] == 10
                continue
            if byte == 38:
                ampersand[row] = True
            kind, size = _kind(data, i)
            if kind == 0:
                copy_bytes(data[i : i + size], out[at : at + size])
                at += size
                before = False
            elif kind >= 2:
                if not before:
                    out[at] = 32 if kind == 2 else 10
                    at += 1
                    before = True
                elif kind == 3 and at > begin:
                    out[at - 1] = 10
            elif byte == 0xC2:
                control[row] = True
            i += size
        while at > begin and (out[at - 1] == 32 or out[at - 1] == 10):
            at -= 1
        ends[row + 1] = at
    return ends, ampersand, control


@numba.njit(nogil=True, cache=True, inline="always")
def _kind(data: Bytes, i: int) -> tuple[int, int]:
    """What the character at i is (0 copied, 1 dropped, 2 a blank, 3 a line end) and how many of its bytes to take."""
    byte = data[i]
    if byte == 32 or byte == 9:
        return 2, 1
    if 10 <= byte <= 13:
        return 3, 1
    if byte < 32 or byte == 127:
        return 1, 1
    if not (byte == 0xC2 or byte == 0xD8 or byte == 0xE1 or byte == 0xE2 or byte == 0xE3 or byte == 0xEF):
        return 0, 1
    second = data[i + 1]
    if byte == 0xD8:
        return (1, 2) if second == 0x9C else (0, 2)
    if byte == 0xC2:
        if second < 0xA0:
            return 1, 2
        return (2, 2) if second == 0xA0 else (0, 2)
    third = data[i + 2]
    if byte == 0xE2:
        if second == 0x80:
            if third <= 0x8A or third == 0xAF:
                return 2, 3
            if third == 0xA8 or third == 0xA9:
                return 3, 3
            if third == 0x8B or third == 0x8E or third == 0x8F or 0xAA <= third <= 0xAE:
                return 1, 3
        elif second == 0x81:
            if third == 0x9F:
                return 2, 3
            if 0xA0 <= third <= 0xA4 or 0xA6 <= third <= 0xA9:
                return 1, 3
        return 0, 3
    if byte == 0xE1:
        return (2, 3) if second == 0x9A and third == 0x80 else (0, 3)
    if byte == 0xE3:
        return (2, 3) if second == 0x80 and third == 0x80 else (0, 3)
    return (1, 3) if second == 0xBB and third == 0xBF else (0, 3)


@numba.njit(nogil=True, cache=True)
def _find_entities(data: Bytes, offsets: Offsets, ampersand: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of the texts that hold an ampersand, those that may hold an entity."""
    found = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(offsets) - 1):
        if not ampersand[row]:
            continue
        stop = offsets[row + 1]
        for i in range(offsets[row], stop - 1):
            if data[i] != 38:
                continue
            if data[i + 1] == 110 or data[i + 1] == 97 or data[i + 1] == 113:  # n(bsp), a(mp), q(uot)
                found[row] = True
                break
            k = i + 1
            while k < stop and (48 <= data[k] <= 57 or 65 <= data[k] <= 90 or 97 <= data[k] <= 122 or data[k] == 35):
                k += 1
            # 0xCD begins U+037E, which NFC turns into a semicolon.
            if k > i + 1 and k < stop and (data[k] == 59 or data[k] == 0xCD):
                found[row] = True
                break
    return found
