"""Folding for fingerprints: one letter of any spelling to one code point. Never used on stored text.

What is folded: case, compatibility forms (NFKD: presentation forms, ligatures, full-width letters), combining marks
(Latin accents, Arabic harakat, Hebrew points), Arabic tatweel and the letters that newspapers interchange (alef and
hamza forms, alef maqsura and ya, ta marbuta and ha, Persian kaf and ya), and digits of every script to ASCII.
Vowel signs that are letters of their own (Devanagari, Thai) stay.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

TABLE_SIZE = 0x20000
"""Code points from here on are CJK extensions, each a word, or tags and variation selectors, passed over."""

SELECTORS = (0xE0000, 0xE0FFF)

SEPARATOR = 0
SKIP = 0xFFFFFFFF
EXPANSION = 0x80000000
UNSPACED = 0x40000000
DIGIT = 0x20000000
CODE_POINT = 0x001FFFFF

ARABIC_LETTERS = {
    "ى": "ي", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ؤ": "و", "ئ": "ي",
    "ک": "ك", "ی": "ي", "ے": "ي", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه",
}  # fmt: skip
TATWEEL = "ـ"

UNSPACED_RANGES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
)  # fmt: skip
"""Thai, Lao, Burmese, Khmer, kana and Han are written without spaces: each character is a word of its own."""


VOWEL_CLASSES = (0, 103, 118)
"""Combining classes of signs that are letters of their own: none, Thai sara u and uu, and their Lao twins."""

UNCHANGED_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))
"""Han and Hangul, half of all letters, fold to themselves; knowing it takes 0.2 s off the start of every worker."""


def fold_character(character: str) -> str:
    """The folded form of one character: letters and digits, with a space for whatever separates words.

    An empty result means that the character is passed over as if it weren't there (marks, tatweel, ZWNJ).
    """
    if "가" <= character <= "힣":
        return character
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(_fold_simple(part) for part in parts)


def _fold_simple(character: str) -> str:
    category = unicodedata.category(character)
    if character == TATWEEL or category in ("Cf", "Me"):
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in ("Mn", "Mc"):
        is_selector = 0xFE00 <= ord(character) <= 0xFE0F
        return character if unicodedata.combining(character) in VOWEL_CLASSES and not is_selector else ""
    if category[0] in "LN":
        return ARABIC_LETTERS.get(character, character)
    return " "


def _entry(character: str) -> int:
    if character == " ":
        return SEPARATOR
    code = ord(character)
    flags = UNSPACED if code >= TABLE_SIZE or any(low <= code <= high for low, high in UNSPACED_RANGES) else 0
    return code | flags | (DIGIT if "0" <= character <= "9" else 0)


@functools.cache
def fold_tables() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Tables for the kernel: an entry a code point, the expansions' entries, and where each expansion begins.

    Returns:
        entries: uint32[TABLE_SIZE]; SEPARATOR, SKIP, a folded code point with the flags UNSPACED and DIGIT, or
            EXPANSION with the expansion's number.
        expansions: uint32[n], entries of all expansions one after another.
        starts: int32[expansions + 1].
    """
    entries = np.zeros(TABLE_SIZE, np.uint32)
    expansions: list[int] = []
    starts = [0]
    for code in range(TABLE_SIZE):
        category = unicodedata.category(chr(code))
        if category in ("Cn", "Co", "Cs"):
            continue
        if category == "Lo" and any(low <= code <= high for low, high in UNCHANGED_RANGES):
            entries[code] = _entry(chr(code))
            continue
        folded = fold_character(chr(code))
        if len(folded) == 1:
            entries[code] = _entry(folded)
        elif not folded:
            entries[code] = SKIP
        else:
            entries[code] = EXPANSION | (len(starts) - 1)
            expansions += [_entry(part) for part in folded]
            starts.append(len(expansions))
    return entries, np.array(expansions, np.uint32), np.array(starts, np.int32)


def fold_words(text: str) -> list[str]:
    """The folded words of a text: the plain twin of the kernel in `shingling`, for tests and for reading."""
    words: list[str] = []
    word = ""
    for character in text:
        code = ord(character)
        folded = fold_character(character) if code < TABLE_SIZE else character
        if SELECTORS[0] <= code <= SELECTORS[1]:
            continue
        for part in folded:
            if part == " " or (ord(part) < TABLE_SIZE and _entry(part) & UNSPACED) or ord(part) >= TABLE_SIZE:
                if word:
                    words.append(word)
                word = ""
                if part != " ":
                    words.append(part)
            else:
                word += part
    return [*words, word] if word else words
