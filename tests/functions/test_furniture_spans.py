"""Taking learned furniture out and putting it back: nothing is lost, nothing but furniture goes, twice is once."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checked_settings import SettingError
from schemas.settings import CleanSettings, FurnitureSettings
from schemas.tables import CLEANED, REMOVED
from transforms.functions.cleaning_text import clean_texts
from transforms.functions.furniture import KNOWN, hash_lines
from transforms.functions.furniture_spans import (
    FURNITURE_RULES,
    KEPT_WHOLE,
    LEARNED,
    apply_furniture,
    is_switched_off,
    put_furniture_back,
)

FOOTER = "This site is made with the help of its readers in Harrowby"
HEADER = "صحيفة إلكترونية مستقلة تصدر كل يوم من المدينة"
BODY = [f"Paragraph number {number} tells of the ferry and of the port in so many words." for number in range(12)]
SETTINGS = FurnitureSettings()


def known_of(*lines: str, source: str = "echo") -> pa.Table:
    """KNOWN, with the given lines."""
    hashed = [row[0] for row in hash_lines(pa.array(lines, pa.string())).to_pylist()] if lines else []
    counts = dict.fromkeys(("stories", "days", "first_day", "last_day", "articles", "share", "edge_share"), 30)
    rows = [{"source": source, "line": line, **counts} for line in hashed]
    return pa.Table.from_pylist(rows, schema=KNOWN)


KNOWN_LINES = known_of(FOOTER, HEADER)
Span = tuple[str, str, int, str]


def article(text: str, removed: list[Span] = [], source: str | None = "echo") -> dict[str, Any]:  # noqa: B006
    names = ("rule", "category", "at", "text")
    spans = [dict(zip(names, span, strict=True)) for span in removed]
    return {
        "article_id": "0" * 32, "source_uri": "made-up", "position": 0, "source": source, "text": text,
        "removed": spans,
    }  # fmt: skip


def table(*articles: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(articles), schema=CLEANED)


def apply(*articles: dict[str, Any], known: pa.Table = KNOWN_LINES, **changes: Any) -> list[dict[str, Any]]:
    return apply_furniture(table(*articles), known, dataclasses.replace(SETTINGS, **changes)).to_pylist()


def rebuilt(row: dict[str, Any]) -> str:
    """The normalised input, as anybody would put it together who knows the contract only."""
    text, parts, at = row["text"], [], 0
    for span in row["removed"]:
        parts += [text[at : span["at"]], span["text"]]
        at = span["at"]
    return "".join([*parts, text[at:]])


def test_a_line_at_either_edge_goes_with_its_newline() -> None:
    [row] = apply(article("\n".join([HEADER, *BODY, FOOTER])))
    assert row["text"] == "\n".join(BODY)
    assert [(span["rule"], span["category"], span["at"], span["text"]) for span in row["removed"]] == [
        (LEARNED, "furniture", 0, f"{HEADER}\n"), (LEARNED, "furniture", len(row["text"]), f"\n{FOOTER}")
    ]  # fmt: skip


def test_another_spelling_of_the_line_goes_too() -> None:
    [row] = apply(article("\n".join([*BODY, f"{FOOTER.upper()}…"])))
    assert row["text"] == "\n".join(BODY)


@pytest.mark.parametrize("at", [5, 6, 7])
def test_a_line_in_the_middle_stays(at: int) -> None:
    text = "\n".join([*BODY[:at], FOOTER, *BODY[at:]])
    assert apply(article(text))[0]["text"] == text


def test_an_edge_is_counted_in_lines_that_stay() -> None:
    text = "\n".join([*BODY, FOOTER, "One.", FOOTER, "Two.", FOOTER, FOOTER, FOOTER, FOOTER, "Three.", "Four."])
    assert apply(article(text))[0]["text"] == "\n".join([*BODY, "One.", "Two.", "Three.", "Four."])


def test_of_another_outlet_or_of_none_nothing_goes() -> None:
    text = "\n".join([*BODY, FOOTER])
    for source in ("post", None):
        assert apply(article(text, source=source))[0]["text"] == text


@pytest.mark.parametrize(
    "line",
    [
        '"This site is made with the help of its readers," she said',
        "“This site is made with the help of its readers in Harrowby",
        "We said that this site is made with the help of its readers.”",
        "«هذا بيان صحفي من إدارة المدرسة الثانوية في المدينة»",
        "The Associated Press contributed to this report from the city",
        "Made with material from agencies such as AFP and others besides",
        "أعدت هذا التقرير وكالة الأنباء السعودية مع مراسلنا في المدينة",
        "Reporting by the staff of Reuters in the city and in the port",
    ],
)
def test_quotations_and_credits_stay(line: str) -> None:
    text = "\n".join([*BODY, line])
    assert apply(article(text), known=known_of(line))[0] == article(text) | dict.fromkeys(
        [name for name in CLEANED.names if name not in article(text)]
    )


@pytest.mark.parametrize("marks", ["“”", '""', "«»", "„“", "„”", "»«"])
def test_a_line_inside_a_longer_quotation_stays(marks: str) -> None:
    text = "\n".join([*BODY, f"The statement in full: {marks[0]}We thank all.", FOOTER, f"We mean it.{marks[1]}"])
    assert apply(article(text))[0]["text"] == text
    ended = "\n".join([*BODY, f"The statement in full: {marks[0]}We thank all.{marks[1]}", FOOTER, "The end."])
    assert FOOTER not in apply(article(ended))[0]["text"]


def test_paragraphs_of_a_quotation_may_each_open_it() -> None:
    text = "\n".join([*BODY, "“We thank all.", "“We mean it.”", FOOTER])
    assert FOOTER not in apply(article(text))[0]["text"]


def test_a_line_that_lost_a_dateline_is_a_story() -> None:
    text = "\n".join([FOOTER, *BODY])
    [row] = apply(article(text, [("wire.dateline", "dateline", 0, "CAIRO (AP) - ")]))
    assert row["text"] == text
    [row] = apply(article(text, [("en.advert", "advert", 0, "Advert: ")]))
    assert row["text"] == "\n".join(BODY)
    [row] = apply(article("\n".join([*BODY, FOOTER]), [("x", "credit", len("\n".join(BODY)), "\nAP")]))
    assert FOOTER not in row["text"]


def test_who_would_lose_too_much_keeps_all_and_is_flagged() -> None:
    text = f"{HEADER}\nA brief of a few words.\n{FOOTER}"
    [row] = apply(article(text))
    assert row["text"] == text
    assert [(span["rule"], span["category"], span["text"]) for span in row["removed"]] == [(KEPT_WHOLE, "flag", "")]
    assert apply(article(text), max_removed_share=1)[0]["text"] == "A brief of a few words."
    assert apply(article(FOOTER), max_removed_share=1)[0]["text"] == FOOTER


def test_what_is_no_longer_known_comes_back() -> None:
    given_ = table(article("\n".join([HEADER, *BODY, FOOTER]), [("x", "share", 3, "Share")]))
    once = apply_furniture(given_, KNOWN_LINES, SETTINGS)
    assert apply_furniture(once, known_of(), SETTINGS).equals(given_)
    only = apply_furniture(given_, known_of(FOOTER), SETTINGS)
    assert apply_furniture(once, known_of(FOOTER), SETTINGS).equals(only)
    assert not only.equals(once)


def test_lines_at_hand_give_the_same() -> None:
    given_ = table(article("\n".join([HEADER, *BODY, FOOTER])), article("A text.\nOf two lines."))
    lines = pa.chunked_array([hash_lines(given_.column("text").combine_chunks())])
    assert apply_furniture(given_, KNOWN_LINES, SETTINGS, lines).equals(apply_furniture(given_, KNOWN_LINES, SETTINGS))


def test_empty_tables_and_several_chunks() -> None:
    assert apply_furniture(CLEANED.empty_table(), KNOWN_LINES, SETTINGS).num_rows == 0
    one = table(article("\n".join([*BODY, FOOTER])), article("Nothing here."))
    several = pa.concat_tables([one, CLEANED.empty_table(), one.slice(1), one])
    found = apply_furniture(several, KNOWN_LINES, SETTINGS).column("text").to_pylist()
    assert found == ["\n".join(BODY), "Nothing here.", "Nothing here.", "\n".join(BODY), "Nothing here."]


def test_levels_and_switches() -> None:
    assert not is_switched_off(CleanSettings())
    assert is_switched_off(CleanSettings(level="light"))
    for name in (LEARNED, "furniture"):
        assert is_switched_off(CleanSettings(disabled=(name,)))
        clean_texts(pa.array(["A text."]), pa.array(["A title"]), pa.array(["en"]), CleanSettings(disabled=(name,)))
    settings = CleanSettings(disabled=("furniture.lerned",))
    with pytest.raises(SettingError, match=r"did you mean 'furniture\.learned'"):
        clean_texts(pa.array(["A text."]), pa.array(["A title"]), pa.array(["en"]), settings)


LINES = st.sampled_from([FOOTER, HEADER, "Short.", "A line of “quoted” words that is long.", "د é 語.", *BODY[:3]])


@st.composite
def articles(draw: st.DrawFn) -> dict[str, Any]:
    """A text with spans taken out before, anywhere."""
    text = "\n".join(draw(st.lists(LINES, min_size=1, max_size=14)))
    span = st.tuples(
        st.sampled_from([("en.share", "share"), ("wire.dateline", "dateline")]), st.integers(0, len(text)),
        st.sampled_from(["Share", "\nمشاركة", "é ", "Tweet\n"]),
    )  # fmt: skip
    spans = sorted(draw(st.lists(span, max_size=6)), key=lambda one: one[1])
    return article(text, [(*names, at, taken) for names, at, taken in spans], draw(st.sampled_from(["echo", None])))


@given(st.lists(articles(), min_size=1, max_size=4), st.sampled_from([0.0, 0.33, 1.0]), st.integers(1, 4))
def test_whatever_goes_can_be_put_back(rows: list[dict[str, Any]], share: float, edge_lines: int) -> None:
    settings = dataclasses.replace(SETTINGS, max_removed_share=share, edge_lines=edge_lines)
    before = table(*rows)
    after = apply_furniture(before, KNOWN_LINES, settings)
    for given_, row in zip(rows, after.to_pylist(), strict=True):
        assert rebuilt(row) == rebuilt(given_)
        assert row["text"]
        assert unicodedata.is_normalized("NFC", row["text"])
        places = [span["at"] for span in row["removed"]]
        assert places == sorted(places)
        assert all(0 <= at <= len(row["text"]) for at in places)
        ours = [span for span in row["removed"] if span["rule"] in FURNITURE_RULES]
        assert all(FURNITURE_RULES[span["rule"]] == span["category"] for span in ours)
        others = [(span["rule"], span["text"]) for span in row["removed"] if span not in ours]
        assert others == [(span["rule"], span["text"]) for span in given_["removed"]]
    assert put_furniture_back(after).equals(before)
    assert apply_furniture(after, KNOWN_LINES, settings).equals(after)
    assert after.column("removed").type == REMOVED
