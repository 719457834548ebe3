"""The shape of every line, in numbers that hold in any language: how long, how punctuated, how it ends."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.packed_text import ASCII_BYTES, Bytes, Offsets, PackedText, is_ascii

COLUMNS = ("characters", "words", "stops", "ends", "capitals", "digits", "bars")
CHARACTERS, WORDS, STOPS, ENDS, CAPITALS, DIGITS, BARS = range(len(COLUMNS))
"""Columns of `measure_lines`: characters; words (of scripts without spaces: characters / 2); commas, stops and the
like; 1 where the line ends like a sentence; words that begin with an ASCII capital; ASCII digits; signs of menus and
lists (| / > » › • ·)."""

Shapes = npt.NDArray[np.float32]

UNSTOPPED = 100
"""Thai and Lao have no full stop: a line of so many of their letters counts as one that ends like a sentence. Not
tuned; headlines have 40 to 90."""
LONG_BYTES = 400
"""Of a longer line the last so many bytes are measured, and the rest is taken to be like them."""


def measure_lines(packed: PackedText, starts: Offsets, ends: Offsets) -> Shapes:
    """Shapes of lines given by their first and last byte: float32[m, len(COLUMNS)]."""
    return _measure(packed.data, starts, ends)


@numba.njit(nogil=True, cache=True, inline="always")
def _count_plain(data: Bytes, i: int) -> tuple[bool, int, int, int, int, int, int]:
    """Of ASCII_BYTES bytes: whether they can be counted so, characters, words, capitals, stops, digits, bars.

    The compiler does it with vector instructions, where all are ASCII or parts of characters of two bytes (Arabic,
    Cyrillic, accented letters) and none needs to know what stood before but one. Each is counted where it begins, but
    an Arabic comma, semicolon or question mark where it ends. Not so: characters of three bytes and more, and
    punctuation at the start of a word, which leaves its first letter to come. The byte before and the one behind must
    be there.
    """
    odd = np.uint8(0)
    words = capitals = stops = digits = bars = np.uint8(0)
    for k in range(ASCII_BYTES):
        byte, last = data[np.uint64(i + k)], data[np.uint64(i + k - 1)]
        stop = np.uint8(byte == 46) | np.uint8(byte == 33) | np.uint8(byte == 63) | np.uint8(byte == 44)
        stop |= np.uint8(byte == 59) | np.uint8(byte == 58)
        bar = np.uint8(byte == 124) | np.uint8(byte == 62) | np.uint8(byte == 47)
        mark = np.uint8(byte == 34) | np.uint8(byte == 39) | np.uint8(byte == 41) | np.uint8(byte == 93)
        begins = np.uint8(last == 32) & np.uint8(byte != 32)
        odd |= begins & (stop | bar | mark)
        words = np.uint8(words + begins)
        capitals = np.uint8(capitals + (begins & np.uint8(np.uint8(byte - 65) <= 25)))
        stops = np.uint8(stops + stop)
        digits = np.uint8(digits + np.uint8(np.uint8(byte - 48) <= 9))
        bars = np.uint8(bars + bar)
    inner = np.uint8(0)
    if not is_ascii(data, i) or data[np.uint64(i - 1)] >= 0x80:
        for k in range(ASCII_BYTES):
            byte, last, after = data[np.uint64(i + k)], data[np.uint64(i + k - 1)], data[np.uint64(i + k + 1)]
            stop = np.uint8(byte == 0x8C) | np.uint8(byte == 0x9B) | np.uint8(byte == 0x9F)
            ahead = np.uint8(after == 0x8C) | np.uint8(after == 0x9B) | np.uint8(after == 0x9F)
            odd |= np.uint8(byte >= 0xE0) | np.uint8(byte == 0xC2) | np.uint8(byte == 0xD6)
            opens = np.uint8(byte == 0xD8) & ahead
            opens |= np.uint8(byte == 0xDB) & np.uint8(after == 0x94)
            odd |= np.uint8(last == 32) & opens
            inner = np.uint8(inner + np.uint8((byte & 0xC0) == 0x80))
            stops = np.uint8(stops + (np.uint8(last == 0xD8) & stop))
            stops = np.uint8(stops + (np.uint8(last == 0xDB) & np.uint8(byte == 0x94)))
    return odd == 0, ASCII_BYTES - int(inner), int(words), int(capitals), int(stops), int(digits), int(bars)


@numba.njit(nogil=True, cache=True, inline="always")
def _stop_of_three(byte: int, second: int, third: int) -> int:
    """Whether a character of three bytes is a stop that ends a sentence (1) or one within it (0); else -1.

    Indic dandas and the stops of Sinhala, Burmese, Khmer, Ethiopic, Chinese and Japanese, full width ones too.
    """
    if byte == 0xE0:
        return 1 if (second == 0xA5 and (third == 0xA4 or third == 0xA5)) or (second == 0xB7 and third == 0xB4) else -1
    if byte == 0xE1:
        if (second == 0x81 and third == 0x8B) or (second == 0x9F and (third == 0x94 or third == 0x95)):
            return 1
        if second == 0x8D and 0xA2 <= third <= 0xA7:
            return 1 if third == 0xA2 or third == 0xA7 else 0
        return 0 if second == 0x81 and third == 0x8A else -1
    if byte == 0xE3:
        return third - 0x81 if second == 0x80 and (third == 0x81 or third == 0x82) else -1
    if byte == 0xEF and second == 0xBC:
        if third == 0x8E:
            return 1
        # Headlines in Chinese and Japanese end with ! and ?, paragraphs seldom.
        return 0 if third == 0x81 or third == 0x8C or 0x9A <= third <= 0x9B or third == 0x9F else -1
    if byte == 0xEF and second == 0xBD:
        return 1 if third == 0xA1 else 0 if third == 0xA4 else -1
    return -1


@numba.njit(nogil=True, cache=True)
def _measure(data: Bytes, starts: Offsets, ends: Offsets) -> Shapes:
    shapes = np.zeros((len(starts), 7), np.float32)
    for line in range(len(starts)):
        # Its end is what the last bytes say; where they say nothing all are read one by one.
        if not _measure_line(data, starts[line], ends[line], shapes[line], True):
            _measure_line(data, starts[line], ends[line], shapes[line], False)
    return shapes


@numba.njit(nogil=True, cache=True)
def _measure_line(data: Bytes, i: int, stop: int, shape: npt.NDArray[np.float32], together: bool) -> bool:
    """Writes the shape of one line; false where its end lies in bytes that were counted together."""
    characters = words = stops = capitals = digits = bars = unspaced = unstopped = 0
    fresh = True
    ending = 0
    scale = 1.0
    if stop - i > LONG_BYTES:
        scale = (stop - i) / LONG_BYTES
        i = stop - LONG_BYTES
        while (data[i] & 0xC0) == 0x80:
            i += 1
    next_block = i + 1 if together else stop
    while i < stop:
        if i >= next_block and i + ASCII_BYTES < stop and fresh == (data[i - 1] == 32):
            plain, more, more_words, more_capitals, more_stops, more_digits, more_bars = _count_plain(data, i)
            if plain:
                words += more_words
                capitals += more_capitals
                stops += more_stops
                digits += more_digits
                bars += more_bars
                characters += more
                i += ASCII_BYTES
                fresh = data[i - 1] == 32
                ending = -1
                continue
            next_block = i + ASCII_BYTES
        if (data[i] & 0xC0) == 0x80:  # its first byte was counted together with others, as a word's first letter or not
            i -= 1
            characters -= 1
            fresh = False
        byte = data[i]
        if byte < 0x80:
            i += 1
            characters += 1
            if byte == 32:
                fresh = True
                continue
            if byte == 46 or byte == 33 or byte == 63:
                stops += 1
                ending = 1
                continue
            if byte == 44 or byte == 59 or byte == 58:
                stops += 1
                ending = 0
                continue
            if byte == 34 or byte == 39 or byte == 41 or byte == 93:
                continue  # a closing quote or bracket leaves the sentence ended
            ending = 0
            if byte == 124 or byte == 62 or byte == 47:
                bars += 1
                continue
            if 48 <= byte <= 57:
                digits += 1
            if fresh:
                words += 1
                capitals += 65 <= byte <= 90
                fresh = False
            continue
        characters += 1
        if byte < 0xE0:
            second = data[i + 1]
            i += 2
            if (byte == 0xD8 and (second == 0x8C or second == 0x9B)) or (byte == 0xD8 and second == 0x9F):
                stops += 1  # Arabic comma, semicolon, question mark
                ending = second == 0x9F
                continue
            if (byte == 0xDB and second == 0x94) or (byte == 0xD6 and second == 0x89):
                stops += 1  # full stops of Urdu and Armenian
                ending = 1
                continue
            if byte == 0xC2 and (second == 0xBB or second == 0xB7):
                bars += characters > 1  # at a line's start it is a list's bullet, in an article too
                continue
        elif byte < 0xF0:
            second, third = data[i + 1], data[i + 2]
            i += 3
            if byte == 0xE2 and second == 0x80:
                if third == 0xA6:
                    ending = 1
                elif third == 0xBA or third == 0xA2:
                    bars += characters > 1
                    ending = 0
                continue
            kind = _stop_of_three(byte, second, third)
            if kind >= 0:
                stops += 1
                ending = kind
                continue
            if byte == 0xE3 and second == 0x80 and (third == 0x8D or third == 0x8F):
                continue  # closing quotes of Chinese and Japanese
            if byte == 0xE0 and 0xB8 <= second <= 0xBB:
                unstopped += 1
            if 0xE3 <= byte <= 0xE9 or (byte == 0xE0 and 0xB8 <= second <= 0xBB):
                unspaced += 1
        else:
            i += 4
        ending = 0
        if fresh:
            words += 1
            fresh = False
    if ending < 0:
        return False
    if unstopped * scale >= UNSTOPPED and data[stop - 1] >= 0x80:
        ending = 1
    shape[0] = characters * scale
    shape[1] = max(words, unspaced // 2) * scale
    shape[2] = stops * scale
    shape[3] = ending
    shape[4] = capitals * scale
    shape[5] = digits * scale
    shape[6] = bars
    return True
