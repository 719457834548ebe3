from __future__ import annotations

import pyarrow as pa

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import CleanedTexts, clean_texts

PARAGRAPHS = [
    f"The council voted on Tuesday to rebuild bridge number {n}, which was closed after the flood, and said that the "
    "work would take two years, cost a tenth of its budget and begin before the summer ends."
    for n in ("one", "two", "three", "four", "five", "six", "seven", "eight")
]
MENU = ["Local Affairs", "Harbour", "Weather Desk", "Court Notes", "Old Town", "Markets Today", "Parks", "River Watch"]


def cleaned(text: str, level: str = "full") -> CleanedTexts:
    none = pa.nulls(1, pa.string())
    return clean_texts(pa.array([text]), none, none, CleanSettings(level=level))


def test_a_whole_page_loses_its_menus() -> None:
    page = "\n".join([*MENU, *PARAGRAPHS, *MENU])
    assert cleaned(page).text[0].as_py() == "\n".join(PARAGRAPHS)
    assert cleaned(page, "light").text[0].as_py() == page


def test_a_list_at_the_end_of_an_article_stays() -> None:
    article = "\n".join(
        [*PARAGRAPHS, "June 10 - Tampa", "June 12 - Oslo", "June 14 - Rome", "June 20 - Cork", "2/28 8 44"]
    )
    assert cleaned(article).text[0].as_py() == article


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
