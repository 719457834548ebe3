"""What tells that a text is a site's whole page."""

from __future__ import annotations

import tomllib
from importlib import resources

import numpy as np
import pyarrow as pa
import pytest

from transforms.functions.cutting import Spans, join_spans
from transforms.functions.line_table import find_lines
from transforms.functions.packed_text import pack
from transforms.functions.site_marks import ROW_BYTES, SECTION_BYTES, SITE_CATEGORIES, count_site_marks


def marks(*texts: str, furniture: Spans | None = None) -> list[int]:
    packed = pack(pa.array(texts))
    asked = np.ones(len(texts), np.bool_)
    return count_site_marks(packed, find_lines(packed), asked, furniture or join_spans([])).tolist()


def furniture_in(text: str, *found: tuple[str, str]) -> Spans:
    """Lines of a text of ASCII and the category of what rules found in each."""
    starts = np.array([text.index(line) for line, _ in found], np.int64)
    sizes = np.array([len(line) for line, _ in found], np.int64)
    tags = np.array([SITE_CATEGORIES.index(category) for _, category in found], np.int32)
    return Spans(np.zeros(len(found), np.int32), starts, starts + sizes, tags)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Sport", 1),
        ("• SPORT ▾\n[Sport][4]\n- sport", 1),
        ("Nachrichten\nPolitik\nWirtschaft", 3),
        ("الرئيسية\nرياضة", 2),
        ("الأخبار\nالسياسة\nاخبار", 2),
        ("| Home | Rugby | Cricket | Opinion |", 2),
        ("| Home | Oslo |\n| Politics | Left |", 0),
        ("| Home | | |", 1),
        ("Health\n" + "The council met again. " * 9 + "\nMoney\n" + "It met on Tuesday. " * 9, 0),
        ("| | | |", 1),
        ("| --- | --- |", 0),
        ("| 2014 | 30 % |\n| 2015 | 40 % |", 0),
        ("Sport is what the council spoke of on Tuesday.", 0),
        ("The minister of sport", 0),
        ("Anna Berg\n200 g flour", 0),
        ("Sport" + " " * SECTION_BYTES + "!", 0),
        ("| Sport " + "| x" * ROW_BYTES, 0),
    ],
)
def test_sections_named_by_lines_and_cells(text: str, count: int) -> None:
    assert marks(text) == [count]


def test_a_line_is_one_mark_whatever_rules_know_it() -> None:
    text = "Sport\nWe met.\n(c) AP\nLog in\nMay 3, 2016\nmail@example.org"
    rules = furniture_in(text, ("(c) AP", "copyright"), ("(c) AP", "share"), ("(c) AP", "copyright"))
    assert marks(text, furniture=rules) == [3]  # and two sections
    named = furniture_in(text, ("Log in", "navigation"), ("Log in", "paywall"))
    assert marks(text, furniture=named) == [2]


def test_a_date_counts_beside_other_furniture_alone() -> None:
    text = "Sport\nMay 3, 2016\nmail@example.org\nShare\nArsenal 3 Chelsea 1"
    date, mail = ("May 3, 2016", "timestamp"), ("mail@example.org", "contact")
    counts = [marks(text, furniture=furniture_in(text, *some)) for some in ((date,), (date, mail))]
    beside = marks(text, furniture=furniture_in(text, date, ("Arsenal 3 Chelsea 1", "newsletter")))
    assert [*counts, beside] == [[2], [3], [4]]  # two sections each


def test_only_texts_asked_for_are_counted() -> None:
    packed = pack(pa.array(["Sport\nOpinion", "", "Sport", "Sport\nOpinion"]))
    asked = np.array([True, True, True, False])
    assert count_site_marks(packed, find_lines(packed), asked, join_spans([])).tolist() == [2, 0, 1, 0]


def test_names_are_as_they_are_looked_up() -> None:
    read = tomllib.loads((resources.files("transforms.rules") / "sections.toml").read_text(encoding="utf-8"))
    for language, names in read["sections"].items():
        assert len(set(names)) == len(names), language
        for name in names:
            assert marks(name) == [1], (language, name)
