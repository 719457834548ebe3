"""Languages: detected from a text, and given tags in their usual form."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from resiliparse.parse.lang import detect_fast

from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import PackedText, slices, whole_starts

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
    if len(_KANA.findall(head)) * 10 >= letters:
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
    heads = pc.utf8_slice_codeunits(texts, 0, DETECTED_CHARACTERS).to_pylist()
    return pa.array(
        [None if head is None else detect_language(head.replace("\xad", "")) for head in heads], pa.string()
    )


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
    stop = whole_starts(packed.data, np.minimum(packed.offsets[1:], begin + 4 * DETECTED_CHARACTERS))
    found = detect_languages(slices(packed, begin[missing], stop[missing]))
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
