from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts
from transforms.functions.given_forms import find_given_forms
from transforms.functions.packed_text import pack
from transforms.functions.unicode_text import normalise, normalise_text


def forms_of(*texts: str) -> list[tuple[int, str, str]]:
    """Row, what stands in the normal text, and what was given."""
    column = pa.array(texts, pa.string())
    normal = normalise(column)
    packed = pack(normal.texts)
    forms = find_given_forms(column, packed, normal.changed)
    if forms is None:
        return []
    ranges = zip(forms.article.tolist(), forms.start.tolist(), forms.end.tolist(), forms.text, strict=True)
    return [(row, packed.data[first:last].tobytes().decode(), text) for row, first, last, text in ranges]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it&amp;#39;s", [(0, "'", "&amp;#39;")]), ("a &amp; b &lt; c &amp;c", []),
        ("a&#38;amp;b", [(0, "", "#38;amp;")]),
        ("a&amp;nbsp;b", [(0, "", "&amp;nbsp;")]), ("?a=1&amp;copy=2", [(0, "", "amp;")]), ("?a=1&amp;b=2", []),
        ("\xe2\x80\x93b\x93c", [(0, "", "\x80\x93")]), ("\x81\x9d", [(0, "", "\x81\x9d")]), ("\x93a\x96", []),
        ("a&amp;#769;", []), ("", []),
    ],
)  # fmt: skip
def test_what_normalisation_replaced_is_found(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert forms_of(text) == expected
    assert forms_of("x", text, "\x81y")[:-1] == [(1, normal, given_text) for _, normal, given_text in expected]


def test_controls_at_the_ends_of_texts_stay_with_their_own() -> None:
    none = pa.nulls(3, pa.string())
    texts = pa.array(["a\x81 \x8d", "\x8fb", "\x90 \x9d"])
    found = clean_texts(texts, none, none, CleanSettings(level="off"))
    assert found.text.to_pylist() == ["a", "b", ""]
    spans = [[(span["at"], span["text"]) for span in row] for row in found.removed.to_pylist()]
    assert spans == [[(1, "\x81\x8d")], [(0, "\x8f")], [(0, "\x90\x9d")]]
    assert np.all(found.removed_share == 0)


pieces = st.sampled_from(
    ["&amp;#39;", "&amp;amp;", "&amp;lt;b&amp;gt;", "&lt;i&gt;", "\x80", "\x93", " ", "\n", "a", "é", "\u0301",
     "&amp;gt=1", "&amp;nbsp;", "Advertisement", "\nAdvertisement\n", "[a](/b&amp;amp;c)", "ب", "&",
     "amp;", "#39;", "<p>", "\u200b"]
)  # fmt: skip


@given(st.lists(st.lists(pieces, max_size=14).map("".join), max_size=3))
@settings(max_examples=300, deadline=None)
def test_what_is_put_back_is_the_text_given(texts: list[str]) -> None:
    none = pa.nulls(len(texts), pa.string())
    found = clean_texts(pa.array(texts, pa.string()), none, none, CleanSettings())
    for given_text, text, removed in zip(texts, found.text.to_pylist(), found.removed.to_pylist(), strict=True):
        rebuilt, last = "", 0
        for span in removed:
            assert last <= span["at"] <= len(text)
            rebuilt += text[last : span["at"]] + span["text"]
            last = span["at"]
        assert normalise_text(rebuilt + text[last:]) == normalise_text(given_text)


def test_an_ampersand_escaped_twice_is_given_back_in_a_sentence_too() -> None:
    none = pa.nulls(1, pa.string())
    found = clean_texts(pa.array(["AT&amp;amp;T rose."]), none, none, CleanSettings())
    assert found.text[0].as_py() == "AT&T rose."
    assert [(span["at"], span["text"]) for span in found.removed[0].as_py()] == [(3, "amp;amp;")]
