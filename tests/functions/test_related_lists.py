from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts

ARABIC = "\n".join(
    f"قال رئيس البلدية يوم الثلاثاء إن العمل في الجسر رقم {n} سيبدأ قبل نهاية الصيف، "
    "وإن كلفته لن تزيد على عشر الميزانية كلها في هذا العام."
    for n in (1, 2)
)
GERMAN = "\n".join(
    f"Der Rat beschloss am Dienstag, die Brücke Nummer {n} neu zu bauen, die seit dem Hochwasser gesperrt ist; "
    "die Arbeiten würden zwei Jahre dauern."
    for n in (1, 2)
)
ENGLISH = "The council voted on Tuesday to rebuild bridge number one, which was closed after the flood of last year."


def cleaned(text: str, language: str) -> str:
    none = pa.nulls(1, pa.string())
    left: str = clean_texts(pa.array([text]), none, pa.array([language]), CleanSettings()).text[0].as_py()
    return left


@pytest.mark.parametrize("label", ["مواضيع ذات صلة", "اقرأ أيضًا:", "موضوعات متعلقة.."])
def test_headlines_below_a_label_go_with_it(label: str) -> None:
    titles = "ارتفاع أسعار النفط في الأسواق\nهل يعود المنتخب إلى الدوري؟"
    assert cleaned(f"{ARABIC}\n{label}\n{titles}", "ar") == ARABIC
    first, second = ARABIC.split("\n")
    assert cleaned(f"{first}\n{label}\n{titles}\n{second}", "ar") == ARABIC


def test_a_subheading_below_the_list_stays() -> None:
    first, second = GERMAN.split("\n")
    titles = "Neue Kläranlage wird teurer\nStreit um das Freibad geht weiter"
    heading = "Kosten steigen weiter an"
    assert cleaned(f"{first}\nLesen Sie auch\n{titles}\n{heading}\n{second}", "de") == f"{first}\n{heading}\n{second}"
    assert cleaned(f"{GERMAN}\nLesen Sie auch\n{titles}", "de") == GERMAN
    assert cleaned(f"{first}\nLesen Sie auch\n{heading}\n{second}", "de") == f"{first}\n{heading}\n{second}"


def test_in_english_what_follows_a_label_is_the_story() -> None:
    text = f"{ENGLISH}\nRead more\nA long way to go\n{ENGLISH.replace('one', 'two')}"
    assert cleaned(text, "en") == text.replace("Read more\n", "")
