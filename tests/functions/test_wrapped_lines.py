from __future__ import annotations

import textwrap

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import CleanedTexts, clean_texts

PARAGRAPHS = [
    f"The council voted on Tuesday to rebuild bridge number {n}, which was closed after the flood, and said that the "
    "work would take two years, cost a tenth of its budget and begin before the summer ends. A spokesman for the "
    "harbour, where most of the stone would be landed, told reporters that nobody had asked its board."
    for n in ("one", "two", "three", "four")
]
ARABIC = [
    f"صوت المجلس البلدي يوم الثلاثاء على إعادة بناء الجسر {n} الذي أغلق بعد الفيضان، وقال إن العمل سيستغرق عامين ويكلف "
    "عشر ميزانيته ويبدأ قبل نهاية الصيف، وأضاف متحدث باسم الميناء أن أحدا لم يسأل إدارته عن الحجارة التي ستصل إليه."
    for n in ("الأول", "الثاني", "الثالث", "الرابع")
]


def cleaned(text: str, level: str = "full") -> CleanedTexts:
    none = pa.nulls(1, pa.string())
    return clean_texts(pa.array([text]), none, none, CleanSettings(level=level))


def wrapped(paragraphs: list[str], width: int, between: str = "\n\n") -> str:
    return between.join(textwrap.fill(paragraph, width, break_on_hyphens=False) for paragraph in paragraphs)


@pytest.mark.parametrize("width", [55, 64, 72, 80, 100])
@pytest.mark.parametrize("paragraphs", [PARAGRAPHS, ARABIC], ids=["en", "ar"])
def test_lines_broken_at_a_width_become_paragraphs(paragraphs: list[str], width: int) -> None:
    found = cleaned(wrapped(paragraphs, width))
    assert found.text[0].as_py() == "\n".join(paragraphs)
    assert found.removed[0].as_py() == []
    assert "\r" not in cleaned(wrapped(paragraphs, width).replace("\n", "\r\n")).text[0].as_py()
    assert cleaned(wrapped(paragraphs, width).replace("\n", "\r\n")).text[0].as_py() == "\n".join(paragraphs)


def test_without_blank_lines_a_line_that_ends_a_sentence_stays_one() -> None:
    text = wrapped([paragraph.replace(" A ", " a ") for paragraph in PARAGRAPHS], 72, "\n")
    lines = cleaned(text).text[0].as_py().split("\n")
    assert all(line.endswith(".") for line in lines)
    assert len(lines) >= len(PARAGRAPHS)


def test_what_is_not_wrapped_stays_as_it_is() -> None:
    verse = "\n".join(f"فهم الذين علوا بشرعة أحمد رقم {n} *** لم يرهبوا الأغلال والسردابا" for n in range(12))
    items = "\n".join(f"- a thing of the shop's list that has a name and a price of {n} or more" for n in range(12))
    briefs = "\n\n".join(f"Brief number {n} says in one line that nothing at all has happened." for n in range(12))
    table = "\n".join(f"Rovers {n}   United {n + 1}   City {n + 2}   Albion {n + 3}   Town 2" for n in range(100, 112))
    for text in (verse, items, briefs, table):
        lines = [" ".join(line.split()) for line in text.split("\n") if line]
        assert cleaned(text).text[0].as_py() == "\n".join(lines)


def test_lists_headings_and_short_lines_in_a_wrapped_text_keep_their_lines() -> None:
    text = (
        wrapped(PARAGRAPHS, 78) + "\n\nWhat it costs\n* a tenth of the budget that was set aside for the year to come,"
    )
    text += " and more than that\n* nothing\n\nThe end"
    assert cleaned(text).text[0].as_py().split("\n")[4:] == [
        "What it costs",
        "* a tenth of the budget that was set aside for the year to come, and more than that",
        "* nothing",
        "The end",
    ]


def test_off_joins_nothing() -> None:
    text = wrapped(PARAGRAPHS, 72)
    assert cleaned(text, "off").text[0].as_py() == text.replace("\n\n", "\n")


def test_rules_know_a_credit_that_was_broken_over_lines() -> None:
    credit = "(Reporting by Jane Doe in London and John Roe in Paris; Editing by Ann Poe and Richard Miles)"
    found = cleaned(wrapped([*PARAGRAPHS, credit], 72))
    assert found.text[0].as_py() == "\n".join(PARAGRAPHS)
    assert [span["text"].strip() for span in found.removed[0].as_py()] == [credit]


def test_markdown_links_of_wrapped_texts_lose_their_addresses_broken_ones_too() -> None:
    address = "https://example.org/" + "a-long-path/" * 9
    text = wrapped([PARAGRAPHS[0].replace("reporters", "[reporters][1]"), *PARAGRAPHS[1:]], 72)
    broken = "\n".join(textwrap.wrap(f"[1]: {address}", 80))
    for end in (f"[1]: {address}", broken, f"{broken}\n[2]: /next"):
        assert cleaned(f"{text}\n\n{end}").text[0].as_py() == "\n".join(PARAGRAPHS)


@given(st.lists(st.sampled_from(["", " ", "\u00a0", *PARAGRAPHS, *textwrap.wrap(PARAGRAPHS[0], 70), "- item", "Head"])))
@settings(max_examples=200, deadline=None)
def test_only_newlines_change(lines: list[str]) -> None:
    text = "\n".join(lines)
    off, on = cleaned(text, "off"), cleaned(text, "light")
    assert on.text[0].as_py().split() == off.text[0].as_py().split()
    again = cleaned(on.text[0].as_py(), "light")
    assert again.text[0].as_py().split() == on.text[0].as_py().split()
