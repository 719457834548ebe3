from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.functions.line_shapes import COLUMNS, ENDS, WORDS, _measure_line, measure_lines
from transforms.functions.packed_text import PackedText, pack

WORD = st.text(alphabet="abZ9بжш.,!?;:\"')]|>/-(é،؟”…۔։।。！，」ท中", min_size=1, max_size=9)


@given(st.lists(WORD, min_size=1, max_size=90))
@example(["players", "is", "what", "has", "attracted", 'me."'])
@example(["a" * 40, '"', '"'])
@settings(deadline=None)
def test_bytes_counted_together_give_what_one_by_one_gives(words: list[str]) -> None:
    data = np.frombuffer(" ".join(words).encode(), np.uint8)
    start, stop = np.zeros(1, np.int64), np.array([len(data)])
    alone = np.zeros(len(COLUMNS), np.float32)
    assert _measure_line(data, 0, len(data), alone, False)
    found = measure_lines(PackedText(data, np.append(start, stop)), start, stop)[0]
    assert found.tolist() == alone.tolist()


def test_shapes_of_a_sentence_and_of_a_menu() -> None:
    lines = [b'He said that it was "a long, long day" for all of them.', b"Home | News | Sport | Weather"]
    starts, stops = np.array([0, len(lines[0])]), np.array([len(lines[0]), len(b"".join(lines))])
    shapes = measure_lines(
        PackedText(np.frombuffer(b"".join(lines), np.uint8), np.append(starts, stops[1:])), starts, stops
    )
    assert shapes[:, WORDS].tolist() == [13, 4]
    assert shapes[:, ENDS].tolist() == [1, 0]


def test_sentences_end_in_any_script() -> None:
    ended = ["यह एक वाक्य है।", "یہ ایک جملہ ہے۔", "这是一个句子。", "「そうだ。」", "ဒါဝါကျပါ။", "នេះជាប្រយោគ។",
             "ይህ ዓረፍተ ነገር ነው።", "Սա նախադասություն է։", "এটি একটি বাক্য।", "ประโยค" * 20]  # fmt: skip
    open_ones = ["यह एक शीर्षक", "اردو سرخی", "标题", "ข่าวเด่นวันนี้", "Վերնագիր", "이것은 제목", "十分，", "真的吗？"]
    packed = pack(pa.array([*ended, *open_ones]))
    shapes = measure_lines(packed, packed.offsets[:-1], packed.offsets[1:])
    assert shapes[:, ENDS].tolist() == [1] * len(ended) + [0] * len(open_ones)
