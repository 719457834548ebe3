"""Languages: given tags in their usual form, detection, and Arabic told from Persian and Urdu."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from transforms.functions.language import (
    DETECTED_CHARACTERS,
    detect_language,
    detect_languages,
    fill_languages,
    normalise_language,
)
from transforms.functions.line_table import find_lines
from transforms.functions.packed_text import pack

SAMPLES = {
    "en": "The harbour council met on Tuesday to discuss what the new pier will cost the town over ten years.",
    "de": "Der Hafenrat beriet am Dienstag darüber, was die neue Brücke die Stadt in zehn Jahren kosten wird.",
    "fr": "Le conseil du port s'est réuni mardi pour discuter de ce que coûtera la nouvelle jetée à la ville.",
    "ar": "اجتمع مجلس الميناء يوم الثلاثاء لمناقشة تكلفة الرصيف الجديد على المدينة خلال السنوات العشر القادمة.",
    "fa": "شورای بندر روز سه شنبه برای گفتگو درباره هزینه اسکله جدید شهر در ده سال آینده تشکیل جلسه داد و گفت چرا.",
    "ur": "بندرگاہ کی کونسل نے منگل کو اجلاس کیا تاکہ یہ دیکھا جائے کہ نئی گودی پر شہر کو کتنا خرچ کرنا پڑے گا۔",
    "ru": "Совет порта собрался во вторник, чтобы обсудить, во что обойдётся городу новый причал за десять лет.",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_detected(language: str) -> None:
    assert detect_language(SAMPLES[language]) == language


def test_arabic_typed_with_farsi_letters_is_arabic() -> None:
    assert detect_language(SAMPLES["ar"].replace("ي", "ی").replace("ك", "ک")) == "ar"


def test_unsure_is_null() -> None:
    column = pa.array([None, "", "12 345", "ok", SAMPLES["en"]])
    assert detect_languages(column).to_pylist() == [None, None, None, None, "en"]


@pytest.mark.parametrize(
    ("given", "tag"),
    [("EN_us", "en-US"), ("english", "en"), ("Arabic", "ar"), ("ara", "ar"), ("zh-hant-tw", "zh-Hant-TW"),
     ("es-419", "es-419"), ("en_GB.UTF-8", "en-GB"), ("pt-br", "pt-BR"), ("???", None), ("a language", None)],
)  # fmt: skip
def test_given_tags(given: str, tag: str | None) -> None:
    assert normalise_language(given) == tag


def test_a_language_is_read_off_the_prose_and_not_the_menu() -> None:
    prose = "Der Rat der Stadt hat am Montag nach langer Debatte beschlossen, die alte Brücke am Hafen abzureißen. " * 4
    texts = pa.array(["Home\nNews\nSport\nThe Guide\nOpinion\n" + prose, "Home\n" + prose, ""])
    packed = pack(texts)
    given = pa.array([None, "de-AT", None], pa.string())
    assert fill_languages(given, packed, find_lines(packed)).to_pylist() == ["de", "de-AT", None]


WORDS = [
    "the",
    "of",
    "and",
    "to",
    "the the",
    "of of",
    "مدينة",
    "چاپ",
    "ひらがな",
    "город",
    "Stadt",
    "a\xadb",
    "12",
    "👍",
    "中",
    "اليوم",
]


@drawn(st.lists(st.sampled_from(WORDS), min_size=1, max_size=260), st.integers(0, 3))
@example(["the", "of"] * 4, 0)
@example(["مدينة"] * 200 + ["چاپ"], 0)
@settings(max_examples=60, deadline=None)
def test_a_column_says_what_each_text_says(words: list[str], offset: int) -> None:
    text = "x" * offset + " " + " ".join(words) + " "
    expected = detect_language(text[:DETECTED_CHARACTERS].replace("\xad", ""))
    assert detect_languages(pa.array([text, None, text])).to_pylist() == [expected, None, expected]
