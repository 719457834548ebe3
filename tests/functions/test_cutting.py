from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.functions.cutting import Spans, count_characters, count_removed, cut_spans, settle_spans
from transforms.functions.line_table import find_lines
from transforms.functions.packed_text import pack, unpack
from transforms.functions.unicode_text import normalise_texts


def cut(text: str, *parts: tuple[int, int]) -> tuple[str, list[tuple[int, str]]]:
    """Cuts code-point ranges of one text."""
    packed = pack(pa.array([text]))
    bounds = [len(text[:at].encode()) for part in parts for at in part]
    spans = Spans(np.zeros(len(parts), np.int32), np.array(bounds[::2], np.int64), np.array(bounds[1::2], np.int64),
                  np.arange(len(parts), dtype=np.int32))  # fmt: skip
    spans = settle_spans(packed, find_lines(packed), spans)
    done = cut_spans(packed, spans)
    assert count_removed(packed.data, spans.article, spans.start, spans.end, 1).tolist() == [done.removed_characters[0]]
    return unpack(done.kept)[0].as_py(), list(zip(done.at.tolist(), unpack(done.removed).to_pylist(), strict=True))


def test_whole_lines_take_one_newline() -> None:
    assert cut("ab\ncd\nef", (0, 2)) == ("cd\nef", [(0, "ab\n")])
    assert cut("ab\ncd\nef", (3, 5)) == ("ab\nef", [(3, "cd\n")])
    assert cut("ab\ncd\nef", (6, 8), (3, 5)) == ("ab", [(2, "\ncd"), (2, "\nef")])
    assert cut("ab\ncd", (0, 2), (3, 5)) == ("", [(0, "ab\n"), (0, "cd")])


def test_blanks_are_not_left_over() -> None:
    assert cut("one two three", (4, 7)) == ("one three", [(4, "two ")])
    assert cut("one two", (4, 7)) == ("one", [(3, " two")])
    assert cut("one two", (0, 3)) == ("two", [(0, "one ")])
    assert cut("a b c d", (2, 3), (4, 5))[0] == "a d"
    assert cut("é أ.إعلان", (4, 9)) == ("é أ.", [(4, "إعلان")])


def test_overlaps_go_to_the_first() -> None:
    assert cut("abcdef", (0, 4), (2, 6)) == ("", [(0, "abcd"), (0, "ef")])
    assert cut("abcdef", (1, 5), (2, 3)) == ("af", [(1, "bcde")])


@given(st.data(), st.text(alphabet="ab é\nأ 漢", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_cut_can_be_undone(data: st.DataObject, raw: str) -> None:
    text = normalise_texts(pa.array([raw]))[0].as_py()
    parts = []
    for _ in range(data.draw(st.integers(0, 4))):
        first = data.draw(st.integers(0, len(text)))
        end = text.find("\n", first)
        parts.append((first, data.draw(st.integers(first, len(text) if end < 0 else end))))
    kept, removed = cut(text, *parts)
    pieces, last = [], 0
    for at, span in removed:
        pieces += [kept[last:at], span]
        last = at
    assert "".join([*pieces, kept[last:]]) == text
    assert "\n\n" not in kept
    assert "  " not in kept
    assert kept == kept.strip()


def test_characters_are_code_points() -> None:
    packed = pack(pa.array(["aé漢😀", ""]))
    assert count_characters(packed.data, packed.offsets).tolist() == [4, 0]
