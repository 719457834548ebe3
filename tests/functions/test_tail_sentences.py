from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts

BODY = " ".join(
    f"The council voted on Tuesday to rebuild bridge number {n}, which was closed after the flood, and said that it "
    "would cost a tenth of its budget."
    for n in range(8)
)


def cleaned(text: str, language: str | None = None) -> str:
    none, tags = pa.nulls(1, pa.string()), pa.array([language], pa.string())
    text_left: str = clean_texts(pa.array([text]), none, tags, CleanSettings()).text[0].as_py()
    return text_left


@pytest.mark.parametrize(
    "tail",
    ["CLICK HERE TO GET THE NEWS APP", "The Associated Press contributed to this report.",
     "Sharing is caring! Follow us on Twitter @OurPaper.", "Additional reporting by Jane Doe"],
)  # fmt: skip
def test_furniture_glued_to_a_text_without_lines_goes(tail: str) -> None:
    assert cleaned(f"{BODY} {tail}") == BODY


def test_sentences_before_the_last_one_of_the_story_stay() -> None:
    kept = f"{BODY} Sharing is caring! That was the mayor’s motto, and he kept to it."
    assert cleaned(kept) == kept
    short = "The vote was close on Tuesday. The Associated Press contributed to this report."
    assert cleaned(short) == short


def test_a_text_of_nothing_else_keeps_its_first_sentence() -> None:
    tails = " ".join(["The Associated Press contributed to this report."] * 30)
    assert cleaned(tails)


ARABIC = [
    f"قال رئيس البلدية يوم الثلاثاء إن العمل في الجسر رقم {n} سيبدأ قبل نهاية الصيف.وأضاف د.محمد أن الكلفة لن تزيد."
    for n in (1, 2)
]


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(
    "glued",
    ["اقرأ أيضا: ارتفاع أسعار النفط في الأسواق", "تابعونا على فيسبوك", "لمشاهدة الفيديو.. اضغط هنا", "المصدر: وكالات",
     "حقوق النشر محفوظة لموقع المثال 2024 ©", "ظهرت المقالة ارتفاع أسعار النفط أولاً على جريدة المثال."],
)  # fmt: skip
def test_furniture_glued_to_any_paragraph_goes(glued: str, blank: str) -> None:
    at_end = f"{ARABIC[0]}\n{ARABIC[1]}{blank}{glued}"
    assert cleaned(at_end, "ar") == "\n".join(ARABIC)
    if not glued.endswith(".") and "المصدر" not in glued:
        assert cleaned(f"{ARABIC[0]}{blank}{glued}\n{ARABIC[1]}", "ar") == "\n".join(ARABIC)


def test_glued_furniture_of_other_languages() -> None:
    german = "Der Rat beschloss am Dienstag, die Brücke neu zu bauen, die seit dem Hochwasser gesperrt ist."
    assert cleaned(f"{german}Lesen Sie auch: Das Freibad wird teurer\n{german}", "de") == f"{german}\n{german}"
    chinese = "市议会周二决定重建因洪水关闭的一号桥，并表示工程将耗时两年，费用为预算的十分之一，夏季结束前开工。"
    assert cleaned(f"{chinese}\n{chinese}责任编辑：王明", "zh") == f"{chinese}\n{chinese}"


def test_what_a_stop_in_a_word_begins_is_no_sentence() -> None:
    for text, language in [
        ("Der Rat der Stadt beschloss am Dienstag die neue Brücke, so Asp.Net Werbung", "de"),
        ("قال رئيس البلدية يوم الثلاثاء إن الخطة التي قدمها أ.د.شارك الخبر", "ar"),
    ]:
        assert cleaned(text, language) == text


def test_a_label_at_the_end_may_begin_with_a_small_letter() -> None:
    story = (
        "O prefeito disse na terça-feira que a ponte será reconstruída antes do fim do ano, e que a obra vai custar um "
        "décimo do orçamento da cidade."
    )
    assert cleaned(f"{story} leia também:", "pt") == story
    for kept in (f"{story} a obra é esta:", f"{story} leia também o que disse o vereador."):
        assert cleaned(kept, "pt") == kept
