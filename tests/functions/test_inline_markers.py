"""Markers inside a paragraph of another script are cut, the sentences around them stay as they are."""

from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts

SENTENCES = {
    "ar": ("قال الوزير إن العمل مستمر في الجسر منذ العام الماضي.", "وأضاف أن المرحلة الثانية تبدأ في الربيع."),
    "en": (
        "The minister said on Friday that work on the bridge goes on.",
        "A second phase begins in spring, he added.",
    ),
    "ru": ("Министр заявил в пятницу, что работы на мосту продолжаются.", "Второй этап начнется весной, добавил он."),
    "zh": ("部长周五表示，大桥工程仍在继续。", "他补充说，第二阶段将于春季开始。"),
}
MARKERS = [
    ("ADVERTISEMENT", "ar"), ("Advertisement", "zh"), ("إعلان", "en"), ("إضافة إعلان", "ru"), ("РЕКЛАМА", "en"),
    ("广告", "en"), ("広告", "ar"),
]  # fmt: skip
LINKS = [("Read more", "ru"), ("اقرأ أيضا", "en"), ("Читайте также", "ar"), ("Publicité", "ar"), ("相关阅读", "en")]
"""What goes between sentences alone: in one it may be named."""


def cleaned(text: str, language: str | None) -> tuple[str, list[str]]:
    out = clean_texts(pa.array([text]), pa.nulls(1, pa.string()), pa.array([language], pa.string()), CleanSettings())
    return out.text[0].as_py(), [span["text"].strip() for span in out.removed[0].as_py()]


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(("marker", "language"), MARKERS + LINKS)
def test_a_marker_between_sentences_of_another_script_goes(marker: str, language: str, blank: str) -> None:
    first, second = SENTENCES[language]
    text, removed = cleaned(f"{first}{blank}{marker}{blank}{second}", language)
    assert (text, removed) == (f"{first}{blank}{second}", [marker])
    assert cleaned(f"{first}{blank}{marker}", language) == (first, [marker])


@pytest.mark.parametrize(("marker", "language"), MARKERS)
def test_so_does_one_inside_a_sentence(marker: str, language: str) -> None:
    sentence = SENTENCES[language][0]
    middle = sentence.index(" ") if " " in sentence else 4
    text, removed = cleaned(f"{sentence[:middle]} {marker} {sentence[middle:].strip()}", language)
    assert text.replace(" ", "") == sentence.replace(" ", "")
    assert removed == [marker]


@pytest.mark.parametrize(("marker", "language"), MARKERS + LINKS)
def test_a_quoted_word_stays(marker: str, language: str) -> None:
    first, second = SENTENCES[language]
    text = f"{first} «{marker}» {second}"
    assert cleaned(text, language) == (text, [])


def test_words_of_the_same_script_stay() -> None:
    first, second = SENTENCES["ar"]
    text = f"{first} إعلان مهم {second}"
    assert cleaned(text, "ar") == (text, [])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("По-французски это называется Publicité, а по-русски иначе.", "ru"),
        ("تتضمن النسخة المجانية من Spotify إعلانات.", "ar"),
        ("نشرت شركة Apple إعلان iPhone الجديد على موقعها.", "ar"),
        ("他用 iPad 查到阿尔茨海默病(AD)的资料。", "zh"),
        ("Компания запустила новый кабинет сервиса VK Реклама.", "ru"),
        ("The Arabic word for declaration, إعلان, comes from a root that means to be open.", "en"),
        ("The Chinese term 广告, or guanggao, was borrowed from Japanese.", "en"),
        ("公司表示，Facebook广告API的改动影响了收入。", "zh"),
    ],
)
def test_a_word_that_is_spoken_of_stays(text: str, language: str) -> None:
    assert cleaned(text, language) == (text, [])
