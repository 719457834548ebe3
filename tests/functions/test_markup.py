from __future__ import annotations

import re
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts
from transforms.functions.markup import BARE_TAGS, MARKUP_RULES, break_at_blocks, find_markup
from transforms.functions.markup_grammar import BLOCK, INLINE
from transforms.functions.packed_text import pack, unpack
from transforms.functions.unicode_text import normalise_texts

NAMES = set((INLINE + " " + BLOCK).split())


def cleaned(text: str, **options: object) -> str:
    none = pa.nulls(1, pa.string())
    given_settings = CleanSettings(level="light", **options)  # type: ignore[arg-type]
    return str(clean_texts(pa.array([text]), none, none, given_settings).text[0].as_py())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Rain fell.</p><p>Rivers rose.</p>", "Rain fell.\nRivers rose."),
        ("Rain fell.<br>Rivers rose.<BR/>It is over.", "Rain fell.\nRivers rose.\nIt is over."),
        ("Rain <b>fell</b> on <a href='/alba' target=_blank>Alba</a>.", "Rain fell on Alba."),
        ("Rain fell. <img src=\"a.jpg\" alt=\"x\n> y\"/> Rivers rose.", 'Rain fell.\ny"/> Rivers rose.'),
        ("&lt;p&gt;Rain fell.&lt;/p&gt;", "Rain fell."),
        ("Rain fell.<script>var a = '<b>';\nrun(a)</script> Rivers rose.", "Rain fell.\nRivers rose."),
        ("Rain fell.<!-- ad\nslot --> Rivers rose.", "Rain fell.\nRivers rose."),
        ("<!DOCTYPE html> Rain fell.", "Rain fell."),
        ("Rain fell on [Alba](https://a.example/b_(c) \"Alba\") again.", "Rain fell on Alba again."),
        ("![A map](/map.png)\nRain fell.", "Rain fell."),
        ("[![A map](/map.png)](/maps) Rain fell.", "Rain fell."),
        ("Rain fell on [Alba][1] again.\n[1]: https://a.example/alba", "Rain fell on Alba again."),
        ("[caption id=\"a_1\" width=\"300\"]Rain in Alba[/caption]\nRain fell.", "Rain in Alba\nRain fell."),
        ("[quote][bold]Rain[/bold] fell[/quote] on [alba].", "Rain fell on [alba]."),
        ("Rain (https://a.b/c) fell (https://a.b/d) on Alba (https://a.b/e).", "Rain fell on Alba."),
        ("<amp-img src=\"a.jpg\"></amp-img>Rain fell.", "Rain fell."),
        ("في دبي <strong>أمطار</strong><br />غزيرة", "في دبي أمطار\nغزيرة"),
    ],
)  # fmt: skip
def test_markup_goes_and_its_words_stay(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "She watched <The Palace: Tale of Jang Noksu> and left a review.", "Gold rose. <ID:nN09390309> Oil fell.",
        "“They said [again] that it [rain] would fall,” he said.", "Write to <desk@valley.example> for more.",
        "The <b> tag was born in 1993.", "If a < b and b > c, the rule holds.", "He smiled. </sarcasm>",
        "Apply at (https://jobs.example/a) or (https://jobs.example/b).", "A list [1] of notes [2](sic) follows.",
        "He said [x] [y][z].", "The score was 3<a 5", "Read <Video> and <br of wisdom>.", "See [a](b) and [c](d e).",
        "<script>alert", "<!-- never ends", "An array [nn] = [a b] is [ok key=", "“It [rain] fell[/b].”",
    ],
)  # fmt: skip
def test_what_is_no_markup_stays(text: str) -> None:
    assert cleaned(text) == text


def test_a_text_of_nothing_but_markup_stays() -> None:
    assert cleaned("<p><br></p>") == "<p><br></p>"
    assert cleaned("![a map](/map.png)") == "![a map](/map.png)"


def test_rules_and_category_can_be_switched_off() -> None:
    text = "Rain <b>fell</b> on [Alba](/alba)."
    assert cleaned(text, disabled=("markup",)) == text
    assert cleaned(text, disabled=("markup.tag",)) == "Rain <b>fell</b> on Alba."
    assert cleaned(text, disabled=("markup.link",)) == "Rain fell on [Alba](/alba)."


def test_rules_read_lines_without_their_markup() -> None:
    none = pa.nulls(1, pa.string())
    text = "<p>Rain fell on Alba.</p><p><a href='/ads'>Advertisement</a></p><p>Rivers rose.</p>"
    found = clean_texts(pa.array([text]), none, none, CleanSettings())
    assert found.text[0].as_py() == "Rain fell on Alba.\nRivers rose."
    advert = [span for span in found.removed[0].as_py() if span["category"] == "advert"]
    assert [span["text"] for span in advert] == ["Advertisement</a></p><p>\n"]


def test_what_an_entity_escaped_twice_was_stands_in_the_span() -> None:
    none = pa.nulls(1, pa.string())
    text = 'Rain &amp;lt;b title="it&amp;#39;s"&amp;gt;fell&amp;lt;/b&amp;gt;\x80\x93 on &lt;i&gt;Alba&lt;/i&gt;.'
    found = clean_texts(pa.array([text]), none, none, CleanSettings())
    assert found.text[0].as_py() == "Rain fell on Alba."
    removed = [(span["rule"], span["at"], span["text"]) for span in found.removed[0].as_py()]
    assert removed == [
        ("markup.tag", 5, "&amp;lt;b title=\"it&amp;#39;s\"&amp;gt;"), ("markup.tag", 9, "&amp;lt;/b&amp;gt;"),
        ("normalise.dropped", 9, "\x80\x93"), ("markup.tag", 13, "<i>"), ("markup.tag", 17, "</i>"),
    ]  # fmt: skip


# The plain form: what each kind of markup is as an expression, tried at each place in turn.
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?P<rest>/?>|[ \n][^<>]*>)")


def plain_tags(text: str) -> list[tuple[int, int]]:
    """Tags, comments, scripts and styles of a text."""
    found: list[tuple[int, int, str]] = []
    at = 0
    while (at := text.find("<", at)) >= 0:
        after, kind = _plain_tag(text, at)
        if kind:
            found.append((at, after, kind))
        at = after if kind else at + 1
    bare = sum(kind == "bare" for _, _, kind in found)
    sure = any(kind == "sure" for _, _, kind in found)
    return [(first, last) for first, last, kind in found if kind != "bare" or sure or bare >= BARE_TAGS]


def _plain_tag(text: str, at: int) -> tuple[int, str]:
    if text.startswith("<!--", at) and (end := text.find("-->", at + 4)) >= 0:
        return end + 3, "sure"
    if match := re.compile(r"<![dD][oO][^>\n]*>").match(text, at):
        return match.end(), "sure"
    match = _TAG.match(text, at)
    if match is None or (match["name"] != match["name"].lower() and match["name"] != match["name"].upper()):
        return at, ""
    name, rest = match["name"].lower(), match["rest"]
    known, odd = name in NAMES, re.search("[:-]", name) is not None
    if not known and name != match["name"]:
        return at, ""
    blank = not rest.strip(" \n/>")
    if match["end"]:
        return (match.end(), "sure") if blank and (known or odd) else (at, "")
    if blank:
        if not known:
            return at, ""
        kind = "sure" if name in ("br", "hr") else "bare"
    else:
        valued = re.search(r"[^ \n/>][^>]*?=|^[ \n/]*[^ \n/=>].*=", rest, re.S) is not None
        quoted = re.search(r"=[\"']", rest) is not None and valued
        if not (valued if known else quoted):
            return at, ""
        kind = "sure"
    if name in ("script", "style"):
        ended = re.compile(rf"</{name} *>", re.I).search(text, match.end())
        if ended:
            return ended.end(), "script"
    return match.end(), kind


tag_pieces = st.sampled_from(
    ["<b>", "</b>", "<p>", "<P>", "<br>", "<br/>", "<Bold>", "<img src=x>", "<img alt='a' >", "<a href=\"b\">", "</a >",
     "<x-y z=\"1\">", "</x-y>", "<ID:n1>", "<script>", "</script>", "<style a=1>", "</STYLE >", "<!--", "-->",
     "<!DOCTYPE a>", "<", ">", "=", " ", "\n", "a", "word ", "/", "'", "<hr />", "<q", "<video controls>", "ب",
     "<br of>", "</q/>"]
)  # fmt: skip


@given(st.lists(st.lists(tag_pieces, max_size=14).map("".join), max_size=4))
@settings(max_examples=400, deadline=None)
def test_tags_are_those_of_the_plain_form(texts: list[str]) -> None:
    packed = pack(pa.array(texts, pa.string()))
    found = find_markup(packed)
    rules = list(MARKUP_RULES)
    for row, text in enumerate(texts):
        some = [
            k for k in range(len(found))
            if found.article[k] == row and rules[found.tag[k]] in ("markup.tag", "markup.script")
        ]  # fmt: skip
        base = int(packed.offsets[row])
        raw = text.encode()
        spans = [(int(found.start[k]) - base, int(found.end[k]) - base) for k in some]
        assert [raw[slice(*span)] for span in spans] == [text[slice(*span)].encode() for span in plain_tags(text)]


@given(st.lists(st.lists(tag_pieces, max_size=12).map("".join), max_size=4))
@settings(max_examples=200, deadline=None)
def test_lines_are_broken_once(texts: list[str]) -> None:
    normal = normalise_texts(pa.array(texts, pa.string()))
    assert break_at_blocks(pack(normal), find_markup(pack(normal))) is None
    for text, given_text in zip(normal.to_pylist(), texts, strict=True):
        assert "".join(text.split()) == "".join(given_text.split())


def test_lines_are_broken_where_a_browser_begins_one() -> None:
    texts = ["x", "a<br>b", "a <p> <b>c", "<p>a</p>", "a\n<p>b", "", "d<li>e<li>f", "<b>g</b>h"]
    packed = pack(pa.array(["skipped", *texts])[1:])
    broken = break_at_blocks(packed, find_markup(packed))
    assert broken is not None
    assert unpack(broken).to_pylist() == [
        "x", "a<br>\nb", "a <p> <b>c", "<p>a</p>", "a\n<p>b", "", "d<li>e<li>f", "<b>g</b>h",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<a b=", "<script>", "<!--", "[", "](", "](<", "[a](b ", "[a](/b \"", "(http://", " (http://a",
     "[a b=",      "[a][", "\n[a]: ", "</", "<b>", "![", "[a](", "<!d"],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    find_markup(pack(pa.array(["<b>[a](/b)"])))
    begin = time.process_time()
    find_markup(pack(pa.array([text])))
    assert time.process_time() - begin < 0.5
