from __future__ import annotations

import time
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.functions.unicode_text import normalise_text, normalise_texts

AWKWARD = (
    " \t\n\r\x0b\x0c\x85\u2028\u2029\xa0\u3000\u2009\u200b\u200c\u200d\u200e\u061c\ufeff\xad\x00\x7f\u061c\u065c"
    "\x9c\x81\xe2\xc3"
    "الأإ\u0654\u0653\u0301e;\u037e&#ampltgnbsq가\u1161\u11a8"
)
texts = st.text(max_size=60) | st.text(alphabet=AWKWARD, max_size=60)


def normalised(text: str) -> str:
    return str(normalise_texts(pa.array([text], pa.string()))[0].as_py())


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x0bf\x0cg", "a\nb\nc\nd\ne\nf\ng"),
        ("  a \xa0\u3000 b  \n\n \n c ", "a b\nc"),
        ("a\u200bb\u200e\ufeffcd\u061ce\x01", "abcde"),
        ("soft\xadhyphen \x81\x9d a", "soft\xadhyphen a"),
        # Windows-1252 read as Latin-1, and UTF-8 read as it.
        ("\x93Ele disse\x85\x94 \x96 caf\xe9\x94 &#147;a&#148;", "“Ele disse…” – café” “a”"),
        ("don\xe2\x80\x99t \xc3\x89t\xe9 \x93\xe9\x81\x94", "don\xe2t \xc3t\xe9 “\xe9”"),
        ("soci\xe9t\xe9\xa0\x96 voc\xea\x85\x94 CAF\xc9\x94 Spa\xdf\x93", "société – você…” CAFÉ” Spaß“"),
        ("“新闻” Việt".encode().decode("latin-1"), "âæ°é»â Viá»t"),
        ("می\u200cخواهم 👨\u200d👩", "می\u200cخواهم 👨\u200d👩"),
        ("Tom &amp;amp; Jerry &quot;x&quot; &#8217;s &nbsp;y", 'Tom & Jerry "x" ’s y'),
        ("AT&T and ?a=1&copy=2 &unknown; &amp x", "AT&T and ?a=1&copy=2 &unknown; & x"),
        ("e\u0301 ا\u0654", "é أ"),
        ("برعاية ا\u0654مير", "برعاية أمير"),
        ("", ""),
        ("\u200b \n", ""),
    ],
)
def test_known_cases(given_text: str, expected: str) -> None:
    assert normalised(given_text) == expected
    assert normalise_text(given_text) == expected


MANY = 200_000


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        # Of alternating classes, which must be reordered: above and below.
        ("q" + "\u0301\u0323" * (MANY // 2) + " x", "q" + "\u0323" * 15 + "\u0301" * 15 + " x"),
        # In order already: nothing but their number is wrong.
        ("q" + "\u0323" * MANY + " x", "q" + "\u0323" * 30 + " x"),
        # Each of these is two marks in normal form.
        ("q" + "\u0344" * MANY + " x", "q" + "\u0308\u0301" * 15 + " x"),
        ("ب" + "\u064f\u0651" * (MANY // 2), "ب" + "\u064f" * 15 + "\u0651" * 15),
        ("\U0001d157" + "\U0001d165" * MANY, "\U0001d157" + "\U0001d165" * 30),
        ("&" + "amp;" * MANY + "lt; x", "< x"),
        ("&" + "#38;#x26;AMP;#0000038;" * (MANY // 4) + "lt; x", "< x"),
        ("&amp;lt; x", "< x"),
    ],
    ids=["reordered", "in order", "doubled", "arabic", "beyond the basic plane", "amp", "mixed", "two levels"],
)
def test_piled_marks_and_ampersands_take_no_time(given_text: str, expected: str) -> None:
    normalised("ready \u0301 &lt;")  # compiles the kernels
    started = time.process_time()
    found = normalised(given_text)
    assert time.process_time() - started < 0.7
    assert found == expected
    assert normalised(found) == normalise_text(given_text) == expected


@given(st.lists(st.text(alphabet="q \u0301\u0323\u0344\u0653\u0654\u065c\u20dd\U0001d165", min_size=25, max_size=80)))
@settings(max_examples=100, deadline=None)
def test_piled_marks_are_alike_in_the_kernel_and_stable(given_texts: list[str]) -> None:
    once = normalise_texts(pa.array(given_texts, pa.string()))
    assert once.to_pylist() == [normalise_text(text) for text in given_texts]
    assert normalise_texts(once).to_pylist() == once.to_pylist()


def test_nulls_slices_and_empty_columns() -> None:
    column = pa.array(["x", None, " b  c ", ""], pa.string())
    assert normalise_texts(column).to_pylist() == ["x", "", "b c", ""]
    assert normalise_texts(column.slice(2, 1)).to_pylist() == ["b c"]
    assert normalise_texts(pa.array([], pa.string())).to_pylist() == []


@given(st.lists(texts, max_size=5))
@settings(max_examples=300, deadline=None)
def test_kernel_equals_the_plain_form_and_is_stable(given_texts: list[str]) -> None:
    once = normalise_texts(pa.array(given_texts, pa.string()))
    assert once.to_pylist() == [normalise_text(text) for text in given_texts]
    assert normalise_texts(once).to_pylist() == once.to_pylist()
    assert all(unicodedata.is_normalized("NFC", text) for text in once.to_pylist())


@given(
    st.text(alphabet="سلاة،é“”—… a", min_size=20, max_size=90),
    st.text(alphabet=AWKWARD + "\u064b\u0651\u0654\u0670\u061c\u06c1\u06d5\u2028\u200f\u2002", min_size=1, max_size=3),
    st.integers(0, 90),
)
@settings(deadline=None)
def test_one_odd_character_among_plain_ones_is_found_wherever_it_stands(plain: str, odd: str, at: int) -> None:
    text = plain[:at] + odd + plain[at:]
    assert normalise_texts(pa.array([text, plain])).to_pylist() == [normalise_text(text), normalise_text(plain)]
