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
from transforms.functions.site_marks import ROW_BYTES, SECTION_BYTES, count_site_marks


def marks(*texts: str, furniture: Spans | None = None) -> list[int]:
    packed = pack(pa.array(texts))
    lines = find_lines(packed)
    return count_site_marks(packed, lines.starts, lines.ends, lines.article, furniture or join_spans([])).tolist()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Sport", 1),
        ("• SPORT ▾\n[Sport][4]\n- sport", 1),
        ("Nachrichten\nPolitik\nWirtschaft", 3),
        ("الرئيسية\nرياضة", 2),
        ("| Home | Rugby | Cricket | Opinion |", 2),
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


def test_texts_are_counted_apart_and_rules_once() -> None:
    texts = ("Sport\nOpinion", "", "A story", "Sport")
    tags = np.array([7, 7, 3, 7], np.int32)
    found = Spans(np.array([0, 0, 0, 2], np.int32), np.arange(4), np.arange(4) + 1, tags)
    assert marks(*texts, furniture=found) == [4, 0, 1, 1]


def test_names_are_as_they_are_looked_up() -> None:
    read = tomllib.loads((resources.files("transforms.rules") / "sections.toml").read_text(encoding="utf-8"))
    for language, names in read["sections"].items():
        assert len(set(names)) == len(names), language
        for name in names:
            assert marks(name) == [1], (language, name)
