"""Languages: detected from a text, and given tags in their usual form."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from resiliparse.parse.lang import detect_fast

from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText, pack, slices, whole_starts

DETECTED_CHARACTERS = 1000
"""From the start of a text; one detection then takes about 55 microseconds."""

MAX_RANK = 700
"""Distance from the nearest profile above which a guess is not given: of 470 news texts in 20 languages, 468 stay below
600, the other two are above 980."""

NEWS_LANGUAGES = [
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "is", "pl", "cs", "sk", "sl", "hr", "sr",
    "hu", "ro", "bg", "el", "ru", "uk", "be", "tr", "he", "hi", "bn", "ta", "te", "mr", "gu", "th", "vi", "id",
    "sw", "ja", "zh", "ko", "lt", "lv", "et", "ka", "hy", "az", "kk", "sq", "mk", "ca", "ne", "si", "am",
]  # fmt: skip
"""What is chosen from: 422 of 470 news texts come out right, 408 where all 101 profiles (Latin among them) may win."""

MIN_LETTERS = 24
"""A few words; not measured."""

_NAMES = {
    "arabic": "ar", "العربية": "ar", "عربي": "ar", "english": "en", "french": "fr", "francais": "fr", "français": "fr",
    "german": "de", "deutsch": "de", "spanish": "es", "espanol": "es", "español": "es", "italian": "it",
    "italiano": "it", "portuguese": "pt", "português": "pt", "dutch": "nl", "nederlands": "nl", "turkish": "tr",
    "türkçe": "tr", "russian": "ru", "русский": "ru", "ukrainian": "uk", "persian": "fa", "farsi": "fa", "فارسی": "fa",
    "urdu": "ur", "اردو": "ur", "hebrew": "he", "chinese": "zh", "japanese": "ja", "korean": "ko", "hindi": "hi",
    "polish": "pl", "swedish": "sv", "danish": "da", "norwegian": "no", "finnish": "fi", "greek": "el", "czech": "cs",
    "indonesian": "id", "malay": "ms", "vietnamese": "vi", "thai": "th", "romanian": "ro", "hungarian": "hu",
    "bulgarian": "bg", "kurdish": "ku", "bengali": "bn",
    "ara": "ar", "eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "spa": "es", "ita": "it",
    "por": "pt", "nld": "nl", "tur": "tr", "rus": "ru", "fas": "fa", "per": "fa", "urd": "ur", "heb": "he",
    "zho": "zh", "chi": "zh", "jpn": "ja", "kor": "ko", "hin": "hi", "iw": "he", "in": "id",
}  # fmt: skip

_TAG = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{2,8}){0,4})")
_ARABIC = re.compile("[\u0620-\u064a\u0671-\u06d3\u06fa-\u06fc\ufb50-\ufdff\ufe70-\ufefc]")
_KANA = re.compile("[\u3041-\u30fa]")
_URDU = re.compile("[ٹڈڑںےۓھہۂ]")
_PERSIAN = re.compile("[پچژگکی]")
_NOT_ARABIC = re.compile("[ٹڈڑںےۓھہۂپچژگکی]")
_ARABIC_ONLY = re.compile("[ةىيكإأؤئ]")
_SCRIPT_SHARE = 0.5
_ARABIC_SCRIPT = ("ar", "fa", "ur", "ku", "ckb", "ps", "sd", "ug", "arz", "azb", "pnb", "mzn")


def normalise_language(tag: str) -> str | None:
    """A given language as a BCP 47 tag ("EN_us" becomes "en-US", "english" "en"); None where it is no language."""
    name = tag.strip().casefold()
    if name in _NAMES:
        return _NAMES[name]
    found = _TAG.fullmatch(tag.strip().replace("_", "-").split(".")[0])
    if not found:
        return None
    primary = _NAMES.get(found[1].lower(), found[1].lower())
    return "-".join([primary, *(_subtag(part) for part in found[2].split("-")[1:])])


def normalise_languages(tags: pa.StringArray) -> pa.StringArray:
    """`normalise_language` of a column, one call a distinct value."""
    if tags.null_count == len(tags):
        return tags
    coded = pc.dictionary_encode(tags)
    known = pa.array([normalise_language(tag) for tag in coded.dictionary.to_pylist()], pa.string())
    return known.take(coded.indices)


def detect_language(text: str) -> str | None:
    """The language of a text (NFC) as a BCP 47 primary tag; None when unsure."""
    head = text[:DETECTED_CHARACTERS]
    if _is_english(head):
        return "en"
    letters = sum(map(str.isalpha, head))
    if letters < MIN_LETTERS:
        return None
    if len(_ARABIC.findall(head)) >= _SCRIPT_SHARE * letters:
        return _arabic_script(head)
    return _other_script(head, letters, len(_KANA.findall(head)))


def _other_script(head: str, letters: int, kana: int) -> str | None:
    if kana * 10 >= letters:
        return "ja"
    tag, rank = detect_fast(head, langs=NEWS_LANGUAGES)
    return None if tag == "unknown" or rank > MAX_RANK or tag in _ARABIC_SCRIPT else tag


def _is_english(head: str) -> bool:
    """A short way for the commonest case, a tenth of the cost: no other language has these words, and so often."""
    return head.count(" the ") >= ENGLISH_WORDS and sum(map(head.count, (" of ", " and ", " to "))) >= ENGLISH_WORDS


ENGLISH_WORDS = 4
"""In 1,000 characters; it changes the answer for none of 470 news texts in 20 languages."""


def detect_languages(texts: pa.StringArray) -> pa.StringArray:
    """`detect_language` of a column of texts; null for null."""
    packed = pack(texts)
    return _detect(packed, packed.offsets[:-1], packed.offsets[1:])


def _detect(packed: PackedText, begin: Offsets, stop: Offsets) -> pa.StringArray:
    """`detect_language` of byte ranges: most are English or Arabic, which a kernel tells, the rest one by one."""
    known, counts = _know_script(packed.data, begin, stop, _letter_kinds())
    found: npt.NDArray[np.object_] = np.array([None, "en", "ar", None, None], object)[known]
    rest = np.flatnonzero(known >= _ASK)
    ends = whole_starts(packed.data, np.minimum(stop[rest], begin[rest] + 4 * DETECTED_CHARACTERS))
    for row, text in zip(rest.tolist(), slices(packed, begin[rest], ends).to_pylist(), strict=True):
        head = text[:DETECTED_CHARACTERS].replace("\xad", "")
        letters, kana = counts[row].tolist()
        found[row] = _other_script(head, letters, kana) if known[row] == _OTHER_SCRIPT else detect_language(head)
    return pa.array(found, pa.string())


_NONE, _ENGLISH, _ARABIC_TEXT, _ASK, _OTHER_SCRIPT = range(5)
_LETTER, _OF_ARABIC, _OF_ANOTHER, _OF_KANA = 1, 2, 4, 8


@functools.cache
def _letter_kinds() -> Bytes:
    """Per code point below U+20000: a letter, one that `_ARABIC`, `_NOT_ARABIC` and `_KANA` find."""
    kinds = np.fromiter((_LETTER * chr(code).isalpha() for code in range(0x20000)), np.uint8, 0x20000)
    kinds[0x3041:0x30FB] |= _OF_KANA
    for code in (*range(0x600, 0x700), *range(0xFB50, 0xFF00)):
        kinds[code] |= _OF_ARABIC * bool(_ARABIC.match(chr(code))) | _OF_ANOTHER * bool(_NOT_ARABIC.match(chr(code)))
    return kinds


@numba.njit(nogil=True, cache=True)
def _know_script(data: Bytes, begin: Offsets, stop: Offsets, kinds: Bytes) -> tuple[Bytes, Offsets]:
    """What `detect_language` says of texts that are English by `_is_english`, plainly Arabic, or too short to tell.

    Returns:
        uint8[k] one of `_NONE` and so on; int64[k, 2] letters and kana, for `_OTHER_SCRIPT`.
    """
    counts = np.zeros((len(begin), 2), np.int64)
    found = np.zeros(len(begin), np.uint8)
    for k in range(len(begin)):
        i, end = begin[k], stop[k]
        points = letters = arabic = others = kana = the = small = 0
        after_the = after_of = after_and = after_to = i  # a word's blanks count for one of its kind only
        odd = False
        while i < end and points < DETECTED_CHARACTERS:
            byte = data[i]
            points += 1
            if byte < 0x80:
                if byte == 32:
                    room = min(end - i, DETECTED_CHARACTERS - points + 1)
                    if room >= 4 and data[i + 3] == 32:
                        if data[i + 1] == 111 and data[i + 2] == 102 and i >= after_of:
                            small += 1
                            after_of = i + 4
                        elif data[i + 1] == 116 and data[i + 2] == 111 and i >= after_to:
                            small += 1
                            after_to = i + 4
                    elif room >= 5 and data[i + 4] == 32:
                        if data[i + 1] == 116 and data[i + 2] == 104 and data[i + 3] == 101 and i >= after_the:
                            the += 1
                            after_the = i + 5
                        elif data[i + 1] == 97 and data[i + 2] == 110 and data[i + 3] == 100 and i >= after_and:
                            small += 1
                            after_and = i + 5
                    if the >= ENGLISH_WORDS and small >= ENGLISH_WORDS:
                        break
                code = np.int64(byte)
                i += 1
            elif byte < 0xE0:
                code = np.int64((byte & 31) << 6) | np.int64(data[i + 1] & 63)
                odd |= code == 0xAD
                i += 2
            elif byte < 0xF0:
                code = np.int64((byte & 15) << 12) | np.int64((data[i + 1] & 63) << 6) | np.int64(data[i + 2] & 63)
                i += 3
            else:
                code = np.int64(0)
                odd = True
                i += 4
            kind = kinds[code]
            letters += kind & 1
            arabic += (kind >> 1) & 1
            others += (kind >> 2) & 1
            kana += (kind >> 3) & 1
        if odd:
            found[k] = _ASK
        elif the >= ENGLISH_WORDS and small >= ENGLISH_WORDS:
            found[k] = _ENGLISH
        elif letters < MIN_LETTERS:
            found[k] = _NONE
        elif arabic >= _SCRIPT_SHARE * letters and others == 0:
            found[k] = _ARABIC_TEXT
        else:
            found[k] = _ASK if arabic >= _SCRIPT_SHARE * letters else _OTHER_SCRIPT
            counts[k, 0], counts[k, 1] = letters, kana
    return found, counts


@dataclass(frozen=True)
class Tags:
    """The BCP 47 tags of n texts, each different one once.

    `names`: the different ones. `places`: int64[n], which of them each text has, -1 for none.
    """

    names: tuple[str, ...]
    places: npt.NDArray[np.int64]

    @property
    def primary(self) -> list[str]:
        """Of each name its first part: `zh` of `zh-Hans`."""
        return [name.partition("-")[0] for name in self.names]


def encode_tags(languages: pa.StringArray) -> Tags:
    """A column of tags, nulls where unknown."""
    encoded = languages.dictionary_encode()
    return Tags(tuple(encoded.dictionary.to_pylist()), encoded.indices.fill_null(-1).to_numpy().astype(np.int64))


def spoken(languages: Tags, *, but: str) -> npt.NDArray[np.bool_]:
    """Which texts are of a known language that is not the given one, a primary tag such as `en`: bool[n]."""
    others: npt.NDArray[np.bool_] = np.array([*(name != but for name in languages.primary), False], np.bool_)
    return others[languages.places]


def fill_languages(given: pa.StringArray, packed: PackedText, lines: LineTable) -> pa.StringArray:
    """Given tags, with detected ones where there is none: of each text from its first long line, or its longest, on.

    What stands at the head of a page is menus and names. Of texts that extractors left (scrapinghub) the answer is that
    of the body alone in 2,834 of 3,072, from the head in 2,701, after cleaning in 2,844; of fundus_multi in 461, 456
    and 464 of 470.

    Args:
        given: string[n].
        packed, lines: n texts in normal form and their lines.
    """
    missing = np.flatnonzero(given.is_null().to_numpy(zero_copy_only=False))
    if not len(missing):
        return given
    begin = packed.offsets[:-1].copy()
    size = np.minimum(lines.ends - lines.starts, LONG_LINE_BYTES)
    # The last line in this order that a text has is its longest, of equal ones the first.
    order = len(size) - 1 - np.argsort(size[::-1], kind="stable")
    begin[lines.article[order]] = lines.starts[order]
    found = _detect(packed, begin[missing], packed.offsets[1:][missing])
    return pc.replace_with_mask(given, given.is_null(), found)


LONG_LINE_BYTES = 300
"""A line of so many bytes counts as long as any: with 160 and its first such line, 464 and 2,774 came out right."""


def _arabic_script(head: str) -> str:
    """Arabic, Persian or Urdu by the letters that only one of them uses.

    Arabic typed on a Persian keyboard has Farsi kaf and yeh; the letters for p, ch, zh and g, and the lack of Arabic's
    own, tell them apart.
    """
    if not _NOT_ARABIC.search(head):
        return "ar"
    if len(_URDU.findall(head)) * 50 >= len(_ARABIC.findall(head)):
        return "ur"
    persian = len(re.findall("[پچژگ]", head))
    own = len(_PERSIAN.findall(head))
    arabic = len(_ARABIC_ONLY.findall(head))
    if (persian * 100 >= len(head) and arabic < own) or (persian and own > 4 * arabic and "ال" not in head[:200]):
        return "fa"
    return "ar"


def _subtag(part: str) -> str:
    """Script in title case, region in upper case, else lower."""
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 or (len(part) == 3 and part.isdigit()) else part.lower()
