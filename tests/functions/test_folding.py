"""Folding: spellings that newspapers interchange come together, and different words stay apart."""

from __future__ import annotations

import random
import tomllib
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.functions.arabic_spelling import VARIANTS, respelled_in_all_ways
from tests.seeds_build import SOURCES
from transforms.functions.folding import TABLE_SIZE, fold_character, fold_tables, fold_words
from transforms.functions.shingling import distinct_shingles, hash_words

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
    "teh marbuta goal": ("مدینۃ", "مدينه"),
    "marks as presentation forms": ("ﻣ\ufe78ﺤ\ufe76ﻤ\ufe7cﺪ", "محمد"),
    "marks on a tatweel": ("م\ufe77حمد", "محمد"),
    "shadda with damma as one form": ("بر\ufc61يد", "بريد"),
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
    "half-width kana with its voicing": ("ｶﾞｷﾞ ﾊﾟﾝ", "ガギ パン"),
    "voicing typed on its own": ("か\u3099き", "がき"),
    "ideographic spaces": ("新聞\u3000記者", "新聞記者"),
    "ideographic punctuation": ("新聞、記者。", "新聞記者"),
    "Thai phrases with and without a space": ("ข่าว วันนี้", "ข่าววันนี้"),
    "zero-width space between Thai words": ("ข่าว\u200bวันนี้", "ข่าววันนี้"),
    "Thai digits": ("๒๕๖๙", "2569"),
    "full-width Latin beside Han": ("Ａ４纸", "A4 纸"),
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
    "voiced and unvoiced kana": ("かき", "かぎ"),
    "voiced and half-voiced kana": ("ばん", "ぱん"),
    "voiced katakana": ("ハリ", "バリ"),
    "hiragana and katakana": ("かき", "カキ"),
    "traditional and simplified Han": ("聞", "闻"),
    "Thai tones": ("ข่าว", "ขาว"),
    "Thai tones of two kinds": ("ขาว", "ข้าว"),
    "Thai silencing sign": ("การ์", "การ"),
    "Lao tones": ("ຂ່າວ", "ຂາວ"),
    "Devanagari virama": ("कर्म", "करम"),
    "Urdu retroflex letters": ("ٹال", "تال"),
    "Persian pe and be": ("پا", "با"),
    "Persian che and jim": ("چای", "جای"),
    "Persian zhe and ze": ("ژاله", "زاله"),
    "Persian gaf and kaf": ("گل", "كل"),
    "Urdu noon ghunna": ("ماں", "مان"),
    "Urdu do-chashmi he in an aspirate and none": ("گھر", "گر"),
    "Bengali vowel signs": ("কি", "কা"),
}


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


def test_scripts_without_spaces_end_where_others_begin() -> None:
    assert fold_words("カナ12かな") == [*fold_words("カナ"), "12", *fold_words("かな")]
    assert fold_words("Aの") == ["a", "の"]
    assert fold_words("กA") == ["ก", "a"]
    assert "".join(fold_words("\U00020000\U00020001")) == "\U00020000\U00020001"


UNSPACED_TEXTS = {
    "zh": "市水务局昨天表示，老城区的供水管道将在三年内全部更换，首批工程从东门一带开始，夜间停水不超过四小时。",
    "ja": "市は九日、老朽化した市民会館を来年度から三年かけて建て替えると発表した。総工費は約八十億円を見込んでいる。",
    "th": "เทศบาลเมืองประกาศเมื่อวันอังคารว่าจะปิดสะพานข้ามคลองเป็นเวลาสามเดือนเพื่อซ่อมแซมโครงสร้างที่ชำรุดจากน้ำท่วมปีก่อน",
}


@pytest.mark.parametrize(("language", "shortest", "longest"), [("zh", 1.5, 2.6), ("ja", 1.5, 2.6), ("th", 3, 6)])
def test_stretches_are_about_a_word_long(language: str, shortest: float, longest: float) -> None:
    words = fold_words(UNSPACED_TEXTS[language])
    assert shortest < sum(map(len, words)) / len(words) < longest


@pytest.mark.parametrize("text", UNSPACED_TEXTS.values(), ids=UNSPACED_TEXTS.keys())
def test_an_edit_changes_few_stretches(text: str) -> None:
    """A letter taken out anywhere touches the stretch it stood in and the ones beside it, and no other."""
    words = fold_words(text)
    for at in range(len(text)):
        edited = fold_words(text[:at] + text[at + 1 :])
        front = next((n for n, (a, b) in enumerate(zip(words, edited, strict=False)) if a != b), len(edited))
        back = next((n for n, (a, b) in enumerate(zip(words[::-1], edited[::-1], strict=False)) if a != b), 0)
        assert len(words) - front - back <= 3, text[at]


@given(st.text(st.sampled_from("".join(UNSPACED_TEXTS.values())), min_size=4), st.data())
def test_a_sentence_is_cut_alike_wherever_it_stands(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    whole, part = fold_words(text), fold_words(text[at:])
    assert part[1:] == whole[len(whole) - len(part[1:]) :]


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


ARABIC_TEXTS = tomllib.loads((SOURCES / "arabic.toml").read_text(encoding="utf-8"))


def shingles_of(text: str) -> set[int]:
    words, _ = hash_words(pa.array([text]))
    return set(distinct_shingles(words, 0, len(words), 5).tolist())


@pytest.mark.parametrize("variant", [*VARIANTS, "all at once"])
def test_respelled_arabic_has_the_same_shingles(variant: str) -> None:
    """Jaccard over word 5-shingles of a text and the text as other papers spell it is exactly 1, for every text."""
    respell = VARIANTS.get(variant, respelled_in_all_ways)
    changed = 0
    for name, story in sorted(ARABIC_TEXTS.items()):
        for seed in range(3):
            other = respell(story["text"], random.Random(f"{name} {seed}"))
            changed += other != story["text"]
            one, two = shingles_of(story["text"]), shingles_of(other)
            assert len(one & two) / len(one | two) == 1.0, name
    assert changed >= 3, "the variant changed nothing: the test would prove nothing"
