"""Kernels over bytes against plain Python: line tables, which rules a line is shown to, marks of Arabic openings."""

from __future__ import annotations

import functools
import re

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.functions.language import encode_tags
from transforms.functions.line_table import find_lines
from transforms.functions.packed_text import pack
from transforms.functions.rule_candidates import find_candidates
from transforms.functions.rules import HEAD_BYTES, build_rule_set, load_rules
from transforms.functions.wire_arabic import OUTLET_BYTES, _marks

ALL = build_rule_set(load_rules())
HINTS = sorted({hint for rule in ALL.rules for hint in rule.hints})


@given(st.lists(st.text(alphabet="ab ل😀\n", max_size=40), max_size=6))
@settings(max_examples=200, deadline=None)
def test_lines_are_those_of_a_plain_split(texts: list[str]) -> None:
    packed = pack(pa.array(texts, pa.string()))
    lines = find_lines(packed)
    expected = [(row, line) for row, text in enumerate(texts) if text for line in text.split("\n")]
    spans = zip(lines.article.tolist(), lines.starts.tolist(), lines.ends.tolist(), strict=True)
    assert [(row, bytes(packed.data[start:end]).decode()) for row, start, end in spans] == expected
    per_text = [sum(row == of for of, _ in expected) for row in range(len(texts))]
    assert np.diff(lines.first).tolist() == per_text


SMALL = {code: code + 32 for code in range(65, 91)}


@functools.cache
def forms_of(hint: str) -> frozenset[str]:
    """As the automaton seeks it: ASCII letters in either case, others in small, capital or title."""
    return frozenset(form.translate(SMALL) for form in (hint, hint.upper(), hint.capitalize()))


def ends_of(hint: str, folded: str) -> list[int]:
    """Bytes behind each place where a hint stands in a line of small ASCII letters."""
    starts = [
        (form, one.start())
        for form in forms_of(hint)
        if form in folded
        for one in re.finditer(f"(?={re.escape(form)})", folded)
    ]
    return [len(folded[: start + len(form)].encode()) for form, start in starts]


def plainly_asked(texts: list[str], languages: list[str | None]) -> set[tuple[int, str]]:
    """Lines and the rules whose hints they hold, limits kept; whole-line phrases are any line that holds one."""
    asked = set()
    place = 0
    for text, language in zip(texts, languages, strict=True):
        lines = text.split("\n") if text else []
        for at, line in enumerate(lines):
            size, folded = len(line.encode()), line.translate(SMALL)
            for rule in ALL.rules:
                if rule.languages and language is not None and language not in rule.languages:
                    continue
                if size > rule.max_bytes or (rule.first_lines and at >= rule.first_lines):
                    continue
                if rule.last_lines and len(lines) - at > rule.last_lines:
                    continue
                for hint in rule.hints:
                    lowered = hint.lower()
                    begins = [end - len(lowered.encode()) for end in ends_of(lowered, folded)]
                    if any(begin <= HEAD_BYTES or lowered not in rule.head_hints for begin in begins):
                        asked.add((place + at, rule.id))
        place += len(lines)
    return asked


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.lists(st.sampled_from([*HINTS, "the council met", "قال المجلس", "2014", "|", "x" * 90]), max_size=4),
                min_size=1,
                max_size=3,
            ),
            st.sampled_from([None, "en", "ar", "de", "sv"]),
        ),
        max_size=4,
    )
)
@settings(max_examples=60, deadline=None)
def test_rules_are_asked_of_lines_that_hold_their_hints(given_texts: list[tuple[list[list[str]], str | None]]) -> None:
    texts = ["\n".join(" ".join(words).lower() or "-" for words in lines) for lines, _ in given_texts]
    languages = [language for _, language in given_texts]
    packed = pack(pa.array(texts, pa.string()))
    found = find_candidates(ALL, packed, find_lines(packed), encode_tags(pa.array(languages, pa.string())))
    pairs = [(line, ALL.rules[rule].id) for line, rule in zip(found.line.tolist(), found.rule.tolist(), strict=True)]
    assert len(set(pairs)) == len(pairs)
    expected = plainly_asked(texts, languages)
    phrases = {rule.id for rule in ALL.rules if rule.is_phrase}
    assert {pair for pair in pairs if pair[1] not in phrases} == {pair for pair in expected if pair[1] not in phrases}
    assert {pair for pair in pairs if pair[1] in phrases} <= expected


@given(st.lists(st.text(alphabet='اب12٣ـ–—-:：[(/"«“« é', max_size=90), min_size=1, max_size=5), st.booleans())
@settings(max_examples=300, deadline=None)
def test_marks_of_openings_are_what_their_characters_say(texts: list[str], whole: bool) -> None:
    packed = pack(pa.array([text + ("" if whole else " ثم") for text in texts]))
    begin = packed.offsets[:-1].astype(np.int64)
    stop = begin + np.array([len(text.encode()) for text in texts], np.int64)
    found = _marks(packed.data, begin, stop, packed.offsets[1:].astype(np.int64))
    for k, text in enumerate(texts):
        dash, colon = bool(re.search("[-–—ـ]", text)), bool(re.search("[:：]", text))
        near = [sign for at, sign in enumerate(text) if len(text[: at + 1].encode()) - 1 < OUTLET_BYTES]
        assert found.joined[k] == (dash and (colon or whole))
        assert found.bracketed[k] == bool(re.search(r"[\[(/]", text))
        assert found.quoted[k] == any(sign in '("«“' for sign in near)
        assert found.parted[k] == (dash or colon or "/" in text or bool(re.search("[0-9٠-٩]", text)))
