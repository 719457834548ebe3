"""Folding for fingerprints: one letter of any spelling to one code point. Never used on stored text.

What is folded: case, compatibility forms (NFKD: presentation forms, ligatures, full-width letters), combining marks
(Latin accents, Arabic harakat, Hebrew points), Arabic tatweel and the letters that newspapers interchange (alef and
hamza forms, alef maqsura and ya, ta marbuta and ha, Persian kaf and ya), and digits of every script to ASCII.
Signs that are letters of their own stay: vowel signs and viramas of India, vowels and tones of Thai and Lao, and what
voices kana (a Japanese reader knows kaki from kagi by nothing else).

Scripts without spaces are cut into stretches of about a word by their own letters: whether a cut stands between two
neighbouring letters depends on these two alone. So the same sentence is cut alike wherever it stands, an edit changes
at most three stretches, and what is counted in words elsewhere means about the same in every language. No dictionary
is asked, and spaces and punctuation between such letters, which papers set as they like, are passed over.
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
ALPHABETIC = 0x10000000
"""Beside UNSPACED: a letter of an alphabet (Thai), of which a word takes more than of Han or kana."""

CODE_POINT = 0x001FFFFF

ARABIC_LETTERS = {
    "ى": "ي", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ؤ": "و", "ئ": "ي",
    "ک": "ك", "ی": "ي", "ے": "ي", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه", "ۃ": "ه",
}  # fmt: skip
"""Letters that stand for one another, and what it costs. In 7,259 Arabic articles (saudinewsnet and the labelled sets,
developers' half; 1.7 million words) 8,126 of 77,049 spellings, marks and tatweel aside, share their folded form with
another one. Of 150 such pairs drawn and read, 112 are one word spelled twice and 38 are two words ("dawra", a course,
and "dawruhu", his role); the rarer spellings make 2.2 % of all words. Within a shingle the neighbours decide: of 100
pairs of 3-shingles that folding alone makes one, 1 reads otherwise, and of 60 pairs of 5-shingles none."""

ALEFS = "".join(letter for letter, plain in ARABIC_LETTERS.items() if plain == "ا")
"""Alef with what is often left out above or below it."""

TATWEEL = "ـ"
ARABIC_MARK_FORMS = ((0xFC5E, 0xFC63), (0xFE70, 0xFE74), (0xFE76, 0xFE7F))
"""Marks as presentation forms, which decompose to a space and the mark and would cut the word they stand in."""

ALPHABETIC_RANGES = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
UNSPACED_RANGES = (
    *ALPHABETIC_RANGES, (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
)  # fmt: skip
"""Thai, Lao, Burmese, Khmer, kana and Han are written without spaces."""

CUT_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)
CUT_QUARTERS, CUT_QUARTERS_ALPHABETIC = 2, 1
"""A cut stands between two letters in so many of four cases: 2 letters of Han or kana a word, 4 of an alphabet."""

LETTER_CLASSES = (0, 8, 9, 103, 107, 118, 122)
"""Combining classes of signs that are letters of their own: none, the voicing of kana, viramas, Thai sara u and tones,
and their Lao twins. Without them words come together that readers never confuse: Thai "news" and "white" differ by
nothing but the tone."""

UNCHANGED_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))
"""Han and Hangul, half of all letters, fold to themselves; knowing it takes 0.2 s off the start of every worker."""


def fold_character(character: str) -> str:
    """The folded form of one character: letters and digits, with a space for whatever separates words.

    An empty result means that the character is passed over as if it weren't there (marks, tatweel, ZWNJ).
    """
    if "가" <= character <= "힣":
        return character
    if _is_in(ord(character), ARABIC_MARK_FORMS):
        return ""
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
        return character if unicodedata.combining(character) in LETTER_CLASSES and not is_selector else ""
    if category[0] in "LN":
        return ARABIC_LETTERS.get(character, character)
    return " "


def _entry(character: str) -> int:
    if character == " ":
        return SEPARATOR
    code = ord(character)
    flags = UNSPACED if code >= TABLE_SIZE or _is_in(code, UNSPACED_RANGES) else 0
    flags |= ALPHABETIC if _is_in(code, ALPHABETIC_RANGES) else 0
    return code | flags | (DIGIT if "0" <= character <= "9" else 0)


def _is_in(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def cuts_between(left: int, right: int) -> bool:
    """Whether a word ends between two letters (code points) of scripts without spaces: by a hash of the two."""
    value = ((left << 21) | right) * CUT_MULTIPLIERS[0] & 0xFFFFFFFFFFFFFFFF
    value = (value ^ (value >> 32)) * CUT_MULTIPLIERS[1] & 0xFFFFFFFFFFFFFFFF
    return value >> 62 < (CUT_QUARTERS_ALPHABETIC if _is_in(right, ALPHABETIC_RANGES) else CUT_QUARTERS)


@functools.cache
def fold_tables() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Tables for the kernel: an entry a code point, the expansions' entries, and where each expansion begins.

    Returns:
        entries: uint32[TABLE_SIZE]; SEPARATOR, SKIP, a folded code point with the flags UNSPACED, ALPHABETIC and
            DIGIT, or EXPANSION with the expansion's number.
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
    word, is_unspaced = "", False
    for character in text:
        code = ord(character)
        folded = fold_character(character) if code < TABLE_SIZE else character
        if SELECTORS[0] <= code <= SELECTORS[1]:
            continue
        for part in folded:
            unspaced = part != " " and bool(_entry(part) & UNSPACED)
            if word and is_unspaced:
                # What separates words is passed over here: only another letter ends the stretch.
                ends = part != " " and (not unspaced or cuts_between(ord(word[-1]), ord(part)))
            else:
                ends = part == " " or unspaced
            if ends and word:
                words.append(word)
                word = ""
            if part != " ":
                word, is_unspaced = word + part, unspaced
    return [*words, word] if word else words
