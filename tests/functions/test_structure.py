from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import CleanSettings
from transforms.functions import structure
from transforms.functions.cleaning_text import CleanedTexts, clean_texts
from transforms.functions.line_shapes import Shapes, measure_lines
from transforms.functions.packed_text import Offsets, PackedText

PARAGRAPHS = [
    f"The council voted on Tuesday to rebuild bridge number {n}, which was closed after the flood, and said that the "
    "work would take two years, cost a tenth of its budget and begin before the summer ends."
    for n in ("one", "two", "three", "four", "five", "six", "seven", "eight")
]
MENU = ["Local Affairs", "Harbour", "Weather Desk", "Court Notes", "Sports", "Markets Today", "Opinion", "River Watch"]


def cleaned(text: str, level: str = "full") -> CleanedTexts:
    none = pa.nulls(1, pa.string())
    return clean_texts(pa.array([text]), none, none, CleanSettings(level=level))


def test_a_whole_page_loses_its_menus() -> None:
    page = "\n".join([*MENU, *PARAGRAPHS, *MENU])
    assert cleaned(page).text[0].as_py() == "\n".join(PARAGRAPHS)
    assert cleaned(page, "light").text[0].as_py() == page


COMMENTS = [
    line
    for n in range(12)
    for line in (f"Reader {n} on 12/03/2014 at {n + 1}:20 PM", f"I never thought that bridge number {n} was any good.")
]


def test_comments_go_from_their_heading_on() -> None:
    page = "\n".join([*PARAGRAPHS, "Comments (12)", *COMMENTS, "Forgot your name?"])
    found = cleaned(page)
    assert found.text[0].as_py() == "\n".join(PARAGRAPHS)
    assert {span["rule"] for span in found.removed[0].as_py()} == {"en.share.buttons", "shape.comments"}
    assert cleaned(page, "light").text[0].as_py() == "\n".join([*PARAGRAPHS, *COMMENTS, "Forgot your name?"])


def test_the_next_report_behind_a_count_of_comments_is_none() -> None:
    report = [line for n in range(2) for line in ("A report", f"March {n + 2}, 2015", *PARAGRAPHS * 5)]
    both = "\n".join([*PARAGRAPHS, "Comments (5)", *report])
    assert cleaned(both).text[0].as_py().endswith("\n".join(PARAGRAPHS))
    assert "shape.comments" not in {span["rule"] for span in cleaned(both).removed[0].as_py()}


def test_a_bar_above_the_article_opens_no_comments() -> None:
    tour = ["June 10, 2014 at 8:30 PM, Tampa", "June 12, 2014 at 8:30 PM, Oslo"]
    page = "\n".join(["The tour goes on", "Comments (12)", *PARAGRAPHS, *tour])
    assert cleaned(page).text[0].as_py() == page.replace("Comments (12)\n", "")
    none_behind = "\n".join([*PARAGRAPHS, "Comments", *PARAGRAPHS])
    assert cleaned(none_behind).text[0].as_py() == none_behind.replace("\nComments", "")


def test_a_page_may_lose_most_where_prose_is_left() -> None:
    menus = [f"{name} {place}" for place in ("North", "South", "East", "West") * 6 for name in MENU]
    page = "\n".join([*menus, *PARAGRAPHS[:3], *menus])
    assert cleaned(page).removed_share[0] > 0.8
    assert cleaned(page).text[0].as_py() == "\n".join(PARAGRAPHS[:3])
    brief = "\n".join([*menus, PARAGRAPHS[0], *menus])
    assert cleaned(brief).text[0].as_py() == brief
    assert cleaned(brief).removed[0].as_py()[0]["rule"] == "guard.kept_whole"


def test_a_list_at_the_end_of_an_article_stays() -> None:
    article = "\n".join(
        [*PARAGRAPHS, "June 10 - Tampa", "June 12 - Oslo", "June 14 - Rome", "June 20 - Cork", "2/28 8 44"]
    )
    assert cleaned(article).text[0].as_py() == article


RECIPE = [
    "200 g flour", "100 g butter, cold", "1 pinch of salt", "3 apples", "2 tbsp sugar", "1 egg", "80 ml cream",
    "1 tsp cinnamon", "Icing sugar for dusting",
]  # fmt: skip
NAMES = ["Anna Berg", "Ole Lund", "Mia Holm", "Jon Vik", "Ida Moe", "Per Dahl", "Eva Lie", "Nils Foss", "Kari Aas"]


@pytest.mark.parametrize("furniture", ["© 2015 The Associated Press. All rights reserved.", "Share on Facebook"])
def test_one_line_of_furniture_makes_no_page(furniture: str) -> None:
    article = "\n".join([*NAMES, *PARAGRAPHS])
    assert cleaned(f"{article}\n{furniture}").text[0].as_py() == article
    dated = cleaned(f"Sports\nMay 3, 2016\n{article}").text[0].as_py()
    assert dated == f"Sports\n{article}"


@pytest.mark.parametrize("opening", [RECIPE, NAMES], ids=["ingredients", "names"])
def test_a_list_before_the_text_stays_where_nothing_tells_of_a_site(opening: list[str]) -> None:
    article = "\n".join([*opening, *PARAGRAPHS])
    assert cleaned(article).text[0].as_py() == article
    once = "\n".join(["Sports", *opening, *PARAGRAPHS])
    assert cleaned(once).text[0].as_py() == once


@pytest.mark.parametrize(
    "marks", [["Nachrichten", "Wirtschaft"], ["Sport", "Subscribe to our newsletter"], ["Search", "Share this story"]]
)
def test_two_marks_of_a_site_make_a_page(marks: list[str]) -> None:
    page = "\n".join([*marks, *NAMES, *PARAGRAPHS])
    assert cleaned(page).text[0].as_py() == "\n".join(PARAGRAPHS)


MARKS = [
    "Share on Facebook",
    "Sign up for our newsletter",
    "Contact us",
    "© 2015 The Morning Paper. All rights reserved.",
]
STORY = ["Morning edition", "The bridge", "By our own writer", *PARAGRAPHS]
"""Some short lines above, too few for a menu: only texts with such are measured."""
LINKS = ["Harbour desk", "Court notes", "River watch", "Stone quarry plans", "Market days", "Bridge cameras"]


def test_what_follows_an_article_goes_where_much_tells_of_a_site() -> None:
    ended = [*STORY, "Contact us", *LINKS, *MARKS]
    assert cleaned("\n".join(ended)).text[0].as_py() == "\n".join(STORY)
    assert cleaned("\n".join(ended[:-2])).text[0].as_py() == "\n".join([*STORY, *LINKS])


def test_a_list_right_behind_an_article_stays() -> None:
    assert cleaned("\n".join([*STORY, *RECIPE, "Contact us", *LINKS, *MARKS])).text[0].as_py() == "\n".join(
        [*STORY, *RECIPE]
    )


@pytest.mark.parametrize("inside", ["Advertisement", "Share on Facebook", "Sign up for our newsletter"])
def test_a_list_that_furniture_parts_stays_whole(inside: str) -> None:
    page = "\n".join([*STORY, *RECIPE[:4], inside, *RECIPE[4:], *MARKS])
    assert cleaned(page).text[0].as_py() == "\n".join([*STORY, *RECIPE])


def test_an_inline_marker_in_the_last_paragraph_ends_no_article() -> None:
    page = "\n".join([*STORY[:-1], f"{STORY[-1]} Advertisement", *RECIPE, *MARKS])
    assert cleaned(page).text[0].as_py() == "\n".join([*STORY, *RECIPE])


def test_a_page_whose_top_rules_cut_is_one() -> None:
    top = ["Share on Facebook", "Share on Twitter", "Tweet", "Advertisement", "Print this article", "Share", "Email"]
    assert cleaned("\n".join([*top, *PARAGRAPHS, *LINKS])).text[0].as_py() == "\n".join(PARAGRAPHS)


def test_a_closing_paragraph_behind_a_list_stays() -> None:
    page = "\n".join([*STORY, "Contact us", *LINKS, PARAGRAPHS[0], *MARKS])
    assert cleaned(page).text[0].as_py() == "\n".join([*STORY, PARAGRAPHS[0]])


HEADLINES = [f"Ferry number {n} is late again" for n in range(4)]
TEASERS = [f"Passengers of ferry number {n} waited on the pier for more than two hours on Friday." for n in range(4)]
TEASED = [line for pair in zip(HEADLINES, TEASERS, strict=True) for line in pair]


def test_headlines_with_their_teasers_below_a_label_go_with_it() -> None:
    page = "\n".join([*STORY, "Related stories", *TEASED, *MARKS])
    assert cleaned(page).text[0].as_py() == "\n".join(STORY)
    stays = cleaned("\n".join([*STORY, "Related stories", *TEASED])).text[0].as_py()
    assert stays == "\n".join([*STORY, *TEASED])


@pytest.mark.parametrize(
    "below",
    [
        pytest.param([*HEADLINES, " ".join(PARAGRAPHS[:2])], id="a paragraph"),
        pytest.param([*HEADLINES, *TEASERS], id="sentences in a row"),
        pytest.param([TEASERS[0], *HEADLINES], id="no headline first"),
    ],
)
def test_a_story_that_goes_on_below_a_label_stays(below: list[str]) -> None:
    page = cleaned("\n".join([*STORY, "Related stories", *below, PARAGRAPHS[1], *MARKS])).text[0].as_py()
    assert page == "\n".join([*STORY, *below, PARAGRAPHS[1]])


def test_questions_below_a_label_are_no_headlines() -> None:
    questions = ["Who pays for it?", "What about the noise?", "When does it open?", "Is it safe?"]
    answers = [line for pair in zip(questions, TEASERS, strict=True) for line in pair]
    page = cleaned("\n".join([*STORY, "Related stories", *answers, *MARKS])).text[0].as_py()
    assert page == "\n".join([*STORY, *answers])


def test_single_sentences_below_headlines_stay() -> None:
    page = "\n".join([*STORY, "Related stories", *HEADLINES, TEASERS[0], *MARKS])
    assert cleaned(page).text[0].as_py() == "\n".join([*STORY, TEASERS[0]])


def test_a_long_menu_in_a_language_without_rules_makes_a_page() -> None:
    menu = [f"{first} {second}" for first in ("Kota", "Masa", "Leti", "Ruma", "Sava") for second in "abcdefghi"]
    assert cleaned("\n".join([*menu, *PARAGRAPHS])).text[0].as_py() == "\n".join(PARAGRAPHS)
    numbered = [f"{line} {number}" for number, line in enumerate(menu)]
    table = "\n".join([*numbered, *PARAGRAPHS])
    assert cleaned(table).text[0].as_py() == table


def test_a_page_that_opens_with_a_long_notice_loses_its_menus() -> None:
    notice = "This page | uses what it needs / to remember where you were > and which of the sections you liked | most"
    page = "\n".join([notice, *MENU, *MENU, *PARAGRAPHS])
    assert cleaned(page).text[0].as_py() == "\n".join(PARAGRAPHS)


def test_a_lead_among_menus_stays() -> None:
    page = "\n".join([*MENU, PARAGRAPHS[0], *MENU, *PARAGRAPHS[1:]])
    assert cleaned(page).text[0].as_py() == "\n".join(PARAGRAPHS)


def test_only_texts_with_short_lines_at_their_top_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def measure(packed: PackedText, starts: Offsets, ends: Offsets) -> Shapes:
        measured.append(len(starts))
        return measure_lines(packed, starts, ends)

    monkeypatch.setattr(structure, "measure_lines", measure)
    none = pa.array(["given"])
    subheads = "\n".join(line for pair in zip(PARAGRAPHS, MENU, strict=True) for line in pair)
    clean_texts(pa.array([subheads]), none, pa.array(["en"]), CleanSettings())
    assert measured == []
    clean_texts(pa.array(["\n".join([*MENU, *PARAGRAPHS])]), none, pa.array(["en"]), CleanSettings())
    assert measured == [len(MENU) + len(PARAGRAPHS)]


def test_verse_and_short_lines_stay() -> None:
    verse = "\n".join(
        ["We came by night", "We left by day", "The river sang", "And went its way", "No one was there"] * 3
    )
    assert cleaned(verse).text[0].as_py() == verse


def test_the_second_of_two_standfirsts_goes() -> None:
    twice = [
        "Fears of a flood grew after the council's plan was refused.",
        "Fears of a flood grew after the council’s plan was refused.",
    ]
    found = cleaned("\n".join(["A headline", *twice, *PARAGRAPHS]))
    assert found.text[0].as_py() == "\n".join(["A headline", twice[0], *PARAGRAPHS])
    assert found.removed[0].as_py()[0]["rule"] == "shape.repeated"


def test_a_headline_is_read_and_stays() -> None:
    found = cleaned("\n".join(["Council votes to rebuild the old bridge", *PARAGRAPHS]))
    assert found.title[0].as_py() == "Council votes to rebuild the old bridge"
    assert found.text[0].as_py().startswith("Council votes to rebuild the old bridge\n")
    assert cleaned("\n".join(PARAGRAPHS)).title[0].as_py() is None


OTHER_PAGES = {
    "hi": ("नगर परिषद ने मंगलवार को पुल संख्या {n} फिर से बनाने का निर्णय लिया, जो बाढ़ के बाद बंद था। अध्यक्ष ने बताया कि काम "
           "में दो साल लगेंगे और खर्च बजट का दसवां हिस्सा होगा।", "राशिफल {n} टॉप न्यूज़"),
    "bn": ("নগর পরিষদ মঙ্গলবার সেতু নম্বর {n} আবার নির্মাণের সিদ্ধান্ত নিয়েছে, যা বন্যার পর বন্ধ ছিল। সভাপতি বলেন, কাজ শেষ হতে দুই "
           "বছর লাগবে এবং ব্যয় হবে বাজেটের দশ ভাগের এক ভাগ।", "সারাদেশ {n} খেলা"),
    "ur": ("بلدیہ نے منگل کو پل نمبر {n} دوبارہ تعمیر کرنے کا فیصلہ کیا، جو سیلاب کے بعد بند تھا۔ صدر نے "
           "بتایا کہ کام میں دو سال لگیں گے اور لاگت بجٹ کا دسواں حصہ ہوگی۔", "کھیل {n} تازہ"),
    "th": ("สภาเมืองลงมติเมื่อวันอังคารให้สร้างสะพานหมายเลข {n} ขึ้นใหม่ หลังจากปิดไปเพราะน้ำท่วม ประธานสภากล่าวว่างานจะใช้เวลาสองปี "
           "และใช้งบประมาณหนึ่งในสิบของทั้งหมด", "ข่าวเด่น {n}"),
    "am": ("የከተማው ምክር ቤት ማክሰኞ ዕለት ድልድይ ቁጥር {n} እንደገና እንዲገነባ ወሰነ፣ ከጎርፍ በኋላ ተዘግቶ የነበረ ነው። ሊቀመንበሩ ሥራው ሁለት ዓመት "
           "እንደሚወስድ እና ወጪው የበጀቱ አንድ አስረኛ እንደሆነ ተናግረዋል።", "ስፖርት {n} ዜና"),
}  # fmt: skip
"""A paragraph and a menu's line in scripts whose sentences end with a stop of their own, or none."""


@pytest.mark.parametrize("language", OTHER_PAGES)
def test_a_story_in_any_script_stays_whatever_headlines_follow(language: str) -> None:
    paragraph, menu = OTHER_PAGES[language]
    story = [paragraph.format(n=n) for n in range(4)]
    words = paragraph.split()[:9] if language != "th" else [paragraph[:60]]
    headlines = [f"{' '.join(words).format(n=n)}{'?' if n % 2 == 0 else ''}" for n in range(100, 130)]
    menus = [menu.split()[0]] * 30
    page = "\n".join([*menus, *story, *menus, *headlines])
    assert set(story) <= set(cleaned(page).text[0].as_py().split("\n"))
