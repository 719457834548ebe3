"""Folding: spellings that newspapers interchange come together, and different words stay apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.functions.folding import TABLE_SIZE, fold_character, fold_tables, fold_words

TOGETHER = {
    "tatweel": ("الرئيـــس", "الرئيس"),
    "tatweel inside a number": ("١ـ٢", "12"),
    "alef with hamza above": ("أحمد", "احمد"),
    "alef with hamza below": ("إعلان", "اعلان"),
    "alef with madda": ("آخر", "اخر"),
    "alef wasla": ("ٱلله", "الله"),
    "hamza above typed on its own": ("ا\u0654حمد", "أحمد"),
    "waw with hamza": ("مؤتمر", "موتمر"),
    "ya with hamza": ("هيئة", "هيية"),
    "alef maqsura and ya": ("مستشفى", "مستشفي"),
    "ta marbuta and ha": ("مدينة", "مدينه"),
    "Farsi ya": ("فی", "في"),
    "Farsi kaf": ("کتاب", "كتاب"),
    "Urdu ya barree": ("مے", "مي"),
    "Urdu ha goal": ("ہم", "هم"),
    "ha doachashmee": ("ھم", "هم"),
    "ae": ("ەم", "هم"),
    "harakat": ("الكِتَابُ", "الكتاب"),
    "shadda and tanwin": ("مُحمّدًا", "محمدا"),
    "superscript alef": ("هٰذا", "هذا"),
    "presentation forms": ("\ufee3\ufeaa\ufef3\ufee8\ufe94", "مدينة"),
    "lam-alef ligature": ("\ufefb", "لا"),
    "lam-alef with hamza": ("\ufef7", "لأ"),
    "the ligature of God's name": ("\ufdf2", "الله"),
    "Arabic-Indic digits": ("٢٠٢٤", "2024"),
    "Extended Arabic-Indic digits": ("۲۰۲۴", "2024"),
    "Devanagari digits": ("२०२४", "2024"),
    "right-to-left mark": ("\u200fوقال\u200f", "وقال"),
    "left-to-right mark inside a word": ("وق\u200eال", "وقال"),
    "bidi isolates": ("\u2067وقال\u2069", "وقال"),
    "zero-width non-joiner": ("می\u200cشود", "میشود"),
    "soft hyphen": ("har\u00adbour", "harbour"),
    "byte order mark": ("\ufeffharbour", "harbour"),
    "Latin accents": ("Café Müller à Łódź", "cafe muller a łodz"),
    "accent typed on its own": ("cafe\u0301", "café"),
    "case": ("HARBOUR", "harbour"),
    "dotted capital I": ("İstanbul", "istanbul"),
    "sharp s": ("Straße", "STRASSE"),
    "capital sharp s": ("GROẞ", "gross"),
    "final sigma": ("λόγος", "ΛΟΓΟΣ"),
    "fi ligature": ("ﬁnance", "finance"),
    "ffl ligature": ("raﬄe", "raffle"),
    "full-width letters": ("Ｈａｒｂｏｕｒ", "harbour"),
    "full-width digits": ("１２", "12"),
    "superscript digit": ("m²", "m2"),
    "Roman numeral sign": ("Ⅷ", "viii"),
    "Hebrew points": ("שָׁלוֹם", "שלום"),
    "half-width kana": ("ｶﾅ", "カナ"),
    "variation selector": ("❤\ufe0fharbour", "❤harbour"),
    "quotes of either form": ("don’t", "don't"),
    "dashes of any form": ("two–three", "two-three"),
    "Arabic comma": ("وقال، ثم", "وقال ثم"),
    "Arabic question mark": ("لماذا؟", "لماذا"),
    "no-break space": ("ten\u00a0men", "ten men"),
}  # fmt: skip

APART = {
    "ba and ta": ("باب", "تاب"),
    "ha and kha": ("حال", "خال"),
    "hamza and nothing": ("ماء", "ما"),
    "kaf and qaf": ("كلب", "قلب"),
    "ya and waw": ("في", "فو"),
    "alef and nothing": ("كتاب", "كتب"),
    "zero-width non-joiner is no space": ("می\u200cشود", "می شود"),
    "words run together": ("two three", "twothree"),
    "Latin and Cyrillic look-alikes": ("cop", "сор"),
    "o with stroke": ("ø", "o"),
    "digits": ("٢٠٢٤", "٢٠٢٥"),
    "Devanagari vowel signs": ("दिन", "दान"),
    "Devanagari vowel sign and none": ("की", "क"),
    "Thai vowel signs above": ("กิน", "กีน"),
    "Thai vowel sign and none": ("กิ", "ก"),
    "Hangul syllables": ("가", "각"),
    "Han characters": ("大", "太"),
    "Bengali vowel signs": ("কি", "কা"),
}

BUG_THAI = "bug: folding drops the Thai and Lao vowel signs below (combining classes 103 and 118)"
BUG_SELECTOR = "bug: an ideographic variation selector (U+E0100 and up) becomes a word of its own"


@pytest.mark.parametrize(("one", "other"), TOGETHER.values(), ids=TOGETHER.keys())
def test_come_together(one: str, other: str) -> None:
    assert fold_words(one) == fold_words(other) != []


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART.keys())
def test_stay_apart(one: str, other: str) -> None:
    assert fold_words(one) != fold_words(other)


@pytest.mark.parametrize(("one", "other"), [("ดุ", "ดู"), ("ดุ", "ด"), ("ຄຸ", "ຄູ")])
def test_vowel_signs_below_stay_apart(one: str, other: str) -> None:
    assert fold_words(one) != fold_words(other)


def test_ideographic_variation_selectors_are_passed_over() -> None:
    assert fold_words("葛\U000e0100城") == fold_words("葛城")


def test_known_words() -> None:
    known = ["boats", "12", "30"]
    assert fold_words("  The HARBOUR-master’s 3 Boats, 12:30! ") == ["the", "harbour", "master", "s", "3", *known]
    assert fold_words("وقالت الوزيرةُ: «سنبدأ» في ٢٠٢٤م") == ["وقالت", "الوزيره", "سنبدا", "في", "2024م"]
    assert fold_words("") == fold_words(" \n\t.,;—") == []


def test_scripts_without_spaces_are_split_by_character() -> None:
    assert fold_words("新聞 記者") == ["新", "聞", "記", "者"]
    assert fold_words("カナ12かな") == ["カ", "ナ", "12", "か", "な"]
    assert fold_words("กขค") == ["ก", "ข", "ค"]
    assert fold_words("\U00020000\U00020001") == ["\U00020000", "\U00020001"]
    assert fold_words("Aの") == ["a", "の"]


def test_hangul_and_devanagari_keep_their_words() -> None:
    assert fold_words("서울시 기자") == ["서울시", "기자"]
    assert fold_words("नगर की नाव") == ["नगर", "की", "नाव"]


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    words = fold_words(text)
    assert fold_words(" ".join(words)) == words


def has_jamo(text: str) -> bool:
    return any("\u1100" <= one <= "\u11ff" for one in unicodedata.normalize("NFD", text))


@given(st.text().filter(lambda text: not has_jamo(text)))
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    """But for Hangul, whose syllables stay whole: stored text is NFC before it is signed."""
    assert fold_words(unicodedata.normalize("NFC", text)) == fold_words(unicodedata.normalize("NFD", text))


def test_tables_hold_every_character() -> None:
    entries, expansions, starts = fold_tables()
    assert (len(entries), starts[0], starts[-1]) == (TABLE_SIZE, 0, len(expansions))
    assert (fold_character("ﷺ").split(), fold_character("ـ"), fold_character("—")) == (
        ["صلي", "الله", "عليه", "وسلم"], "", " ",
    )  # fmt: skip
