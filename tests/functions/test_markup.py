from __future__ import annotations

import re
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts
from transforms.functions.markup import BARE_TAGS, MARKUP_RULES, find_markup, settle_lines
from transforms.functions.markup_grammar import _BOOLEAN, BLOCK, INLINE, SHORT_COMMENT_BYTES
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
        ("Rain fell. <img src=\"a.jpg\" alt=\"x\n> y\"/> Rivers rose.", "Rain fell. Rivers rose."),
        ("&lt;p&gt;Rain fell.&lt;/p&gt;", "Rain fell."),
        ("Rain fell.<script>var a = '<b>';\nrun(a)</script> Rivers rose.", "Rain fell.\nRivers rose."),
        ("Rain fell.<!-- ad\nslot --> Rivers rose.", "Rain fell. Rivers rose."),
        ("<!DOCTYPE html> Rain fell.", "Rain fell."),
        ("Rain fell on [Alba](https://a.example/b_(c) \"Alba\") again.", "Rain fell on Alba again."),
        ("![A map](/map.png)\nRain fell.", "Rain fell."),
        ("[![A map](/map.png)](/maps) Rain fell.", "Rain fell."),
        ("Rain fell on [Alba][1] again.\n[1]: https://a.example/alba", "Rain fell on Alba again."),
        ("[caption id=\"a_1\" width=\"300\"]Rain in Alba[/caption]\nRain fell.", "Rain in Alba\nRain fell."),
        ("[quote][bold]Rain[/bold] fell[/quote] on [alba].", "Rain fell on [alba]."),
        ("Rain (https://a.b/c) fell (https://a.b/d) on Alba (https://a.b/e).", "Rain fell on Alba."),
        ("<amp-img src=\"a.jpg\"></amp-img>Rain fell.", "Rain fell."),
        ("<p><strong>Jane</strong> <em>Doe</em> said it rained.</p>", "Jane Doe said it rained."),
        ("See [one](/a) [two](/b) now.", "See one two now."),
        ("[quote]Rain[/quote] [quote]fell[/quote] today.", "Rain fell today."),
        ("Rain fell.</b> <!-- x --> <i>Rivers</i> rose.", "Rain fell. Rivers rose."),
        ("<p>Rain.</p><script src='a.js'/><p>Sun.</p><script>x = 1</script>", "Rain.\nSun."),
        ("<p>It rained.</p><script>x = 1</script\n><p>It stopped.</p>", "It rained.\nIt stopped."),
        ("<p>Pasted text.<o:p></o:p></p><p class='a'>Second.<o:p>&nbsp;</o:p></p>", "Pasted text.\nSecond."),
        ("<p><person id='x'>John</person> <my-tag>Alba</my-tag></p>", "John\nAlba"),
        ("<img class='a' data-caption=\"&lt;p&gt;Photo by X&lt;/p&gt;\n\" src='b.jpg' />It rained.", "It rained."),
        ("<a href='x' title='a &lt; b' onclick=\"if(a>b){go()}\">Link words</a>", "Link words"),
        ("<td nowrap>Rain</td><script async>var a=1;</script><hr noshade>fell.", "Rain\nfell."),
        ("<p>See <a\n href='https://x.y'>the report</a> for more.</p>", "See the report for more."),
        ("Para one.<iframe src='a'></iframe>Para two.<!--more-->Para three.", "Para one.\nPara two.\nPara three."),
        ("[caption id='a']In Alba.[/caption]Rain fell.", "In Alba.\nRain fell."),
        ("Wow![The words](https://a.b) he said.", "Wow!The words he said."),
        ("[contact-form-7 id=\"123\" title=\"Contact\"]\nRain fell.", "Rain fell."),
        ("[the senator][sic] said.\n[1]: https://a.b/c", "[the senator][sic] said."),
        ("A <script> begins.\nThis is body.\nA </script> ends.", "A\nbegins.\nThis is body.\nA\nends."),
        ("<?xml version='1.0'?><p>Rain fell.</p>", "Rain fell."),
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
        "Prices hold if p <a for n = 5.\nThe second paragraph is body.\nA third -> here.",
        "If x <b and y = 3 then x> 4 holds, he said.", "The patients [mean age=54 years; 30 of them women] came.",
        "The attack used <!-- as a marker.\nThe second paragraph, which is the body of the story, matters to all"
        " more than all else.\nThe log then shows x --> y, he said.", "Co <P> and Burlington Resources <BR> said.",
        "[Smith](R-Ky.) and [They](Obama/Biden) and a[i](x.y) said.",
    ],
)  # fmt: skip
def test_what_is_no_markup_stays(text: str) -> None:
    assert cleaned(text) == text


INLINE_PIECES = [
    "<b>",
    "</b>",
    "<a href='x'>",
    "</a>",
    "<em>",
    "</em>",
    "<!-- x -->",
    "<img src='a'>",
    "<span class='a'>",
]


@given(
    st.lists(
        st.sampled_from([*INLINE_PIECES, "<p>", "</p>", "<br>", "<li class='b'>", "rain", "fell", "on", " ", " ", "\n"])
    )
)
@settings(max_examples=400, deadline=None)
def test_words_and_lines_are_those_that_a_browser_shows(pieces: list[str]) -> None:
    """Inline tags are nothing, others a line's end; blanks stay blanks."""
    text = "".join(["start</i> ", *pieces, " end"])
    shown = re.sub(r"</?(?:p|br|li)\b[^>]*>", "\n", re.sub(r"<!--.*?-->|</?(?:b|a|em|img|span|i)\b[^>]*>", "", text))
    assert [line.split() for line in cleaned(text).split("\n")] == [
        line.split() for line in shown.split("\n") if line.split()
    ]


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
    text = 'Rain &amp;lt;b title="it&amp;#39;s"&amp;gt;fell&amp;lt;/b&amp;gt;\x81\x8d on &lt;i&gt;Alba&lt;/i&gt;.'
    found = clean_texts(pa.array([text]), none, none, CleanSettings())
    assert found.text[0].as_py() == "Rain fell on Alba."
    removed = [(span["rule"], span["at"], span["text"]) for span in found.removed[0].as_py()]
    assert removed == [
        ("markup.tag", 5, "&amp;lt;b title=\"it&amp;#39;s\"&amp;gt;"), ("markup.tag", 9, "&amp;lt;/b&amp;gt;"),
        ("normalise.dropped", 9, "\x81\x8d"), ("markup.tag", 13, "<i>"), ("markup.tag", 17, "</i>"),
    ]  # fmt: skip


# The plain form: what each kind of markup is as an expression, tried at each place in turn.
_NAME = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]{0,39})")
_ATTRIBUTE = re.compile(
    r"""(?P<key>[A-Za-z_:@][A-Za-z0-9_:@.-]*)(?P<value>=(?:"[^"]*"|'[^']*'|[^\s<>"'\]][^\s<>\]]*))?"""
)
_BOOLEANS = set(_BOOLEAN.split())


def plain_tags(text: str) -> list[tuple[int, int]]:
    """Tags, comments, scripts and styles of a text, one after the other."""
    found: list[tuple[int, int, str, str]] = []
    at = 0
    while (at := text.find("<", at)) >= 0:
        after, kind, name = _plain_tag(text, at)
        if kind:
            found.append((at, after, kind, name))
        at = after if kind else at + 1
    bare = sum(kind == "bare" for _, _, kind, _ in found)
    sure = any(kind == "sure" or kind == "end" for _, _, kind, _ in found)
    ends = {name for _, _, kind, name in found if kind in ("end", "closes")}
    begun = {name for _, _, kind, name in found if kind in ("sure", "opens", "capital", "script")}
    kept = {
        "bare": lambda _: sure or bare >= BARE_TAGS, "capital": lambda _: sure, "opens": ends.__contains__,
        "closes": begun.__contains__,
    }  # fmt: skip
    return [(first, last) for first, last, kind, name in found if kind not in kept or kept[kind](name)]


def _plain_tag(text: str, at: int) -> tuple[int, str, str]:
    if text.startswith("<!--", at) and (end := text.find("-->", at + 4)) >= 0:
        inside = text[at + 4 : end]
        short = len(inside.encode()) <= SHORT_COMMENT_BYTES
        return (end + 3, "sure", "") if short or "\n" not in inside or re.search(r"[<={\[]", inside) else (at, "", "")
    if match := re.compile(r"<!(?i:do)[^>\n]*>").match(text, at):
        return match.end(), "sure", ""
    match = _NAME.match(text, at)
    if match is None or (match["name"] != match["name"].lower() and match["name"] != match["name"].upper()):
        return at, "", ""
    name, ends = match["name"].lower(), bool(match["end"])
    known, odd, capital = name in NAMES, re.search("[:-]", name) is not None, name != match["name"]
    if not known and capital:
        return at, "", ""
    after = re.compile(r"[ \n/]*").match(text, match.end()).end()  # type: ignore[union-attr]
    if text[after : after + 1] == ">":
        kind = ("end" if known else "closes") if ends else ""
        if not ends and capital:
            kind = "capital" if name in ("p", "li", "br", "hr") else "opens"
        elif not ends:
            kind = ("sure" if name in ("br", "hr") else "bare") if known else "opens" if odd else ""
        after += 1
    elif ends or after == match.end():
        return at, "", ""
    else:
        after, kind = _plain_attributes(text, after, known)
    if kind and not ends and text[after - 2] != "/" and name in ("script", "style"):
        ended = re.compile(rf"</{name}\s*>", re.I).search(text, after)
        if ended and _is_plain_code(text[after : ended.start()]):
            return ended.end(), "script", name
    return (after, kind, name) if kind else (at, "", "")


def _plain_attributes(text: str, at: int, known: bool) -> tuple[int, str]:
    begin, values = at, []
    while True:
        at = re.compile(r"[ \n/]*").match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == ">":
            at += 1
            break
        match = _ATTRIBUTE.match(text, at)
        if match is None or (not match["value"] and "-" not in match["key"] and match["key"].lower() not in _BOOLEANS):
            at = 0
            break
        if not match["value"] and text[match.end() : match.end() + 1] == "=":
            values += ["=" + text[match.end() + 1 : match.end() + 2]]
            at = 0
            break
        values += [match["value"]] if match["value"] else []
        at = match.end()
    quoted = bool(values) and values[0][1:2] in ('"', "'")
    if not at and quoted:
        match = re.compile(r"[^<>]*>").match(text, begin)
        at = match.end() if match else 0
    if not at or not (known or quoted):
        return 0, ""
    return at, "sure" if values else "bare"


def _is_plain_code(text: str) -> bool:
    signs = "=" in text or (";" in text and re.search(r"\((?! )", text) is not None)
    return not text.strip() or "{" in text or (signs and re.search(r"</[pP]", text) is None)


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
    assert settle_lines(pack(normal), find_markup(pack(normal))) is None
    for text, given_text in zip(normal.to_pylist(), texts, strict=True):
        assert "".join(text.split()) == "".join(given_text.split())


def test_lines_are_broken_where_a_browser_begins_one() -> None:
    texts = ["x", "a<br>b", "a <p> <b>c", "<p>a</p>", "a\n<p>b", "", "d<li>e<li>f", "<b>g</b>h"]
    packed = pack(pa.array(["skipped", *texts])[1:])
    broken = settle_lines(packed, find_markup(packed))
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
