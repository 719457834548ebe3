from __future__ import annotations

import pyarrow as pa
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.checked_settings import SettingError
from transforms.functions.language import Tags, encode_tags
from transforms.functions.line_table import LiteralAutomaton, build_automata, find_lines, find_literals
from transforms.functions.packed_text import pack
from transforms.functions.rule_matching import run_rules, without_headings
from transforms.functions.rules import (
    Lifted,
    Rule,
    RuleSet,
    build_rule_set,
    choose_rules,
    load_rules,
    read_rule,
)
from transforms.functions.searching import NOWHERE, searcher
from transforms.functions.unicode_text import normalise_texts

RULES = load_rules()
ALL = build_rule_set(RULES)


def tags_of(languages: list[str | None]) -> Tags:
    return encode_tags(pa.array(languages, pa.string()))


def rules_that_cut(rule_set: RuleSet, text: str) -> list[str]:
    packed = pack(normalise_texts(pa.array([text])))
    lines = find_lines(packed)
    spans = run_rules(rule_set, packed, lines, tags_of([None]), Lifted())
    spans = without_headings(rule_set, packed, lines, spans)
    return [rule_set.rules[tag].id for tag in spans.tag]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples_of_every_rule(rule: Rule) -> None:
    alone = build_rule_set([rule])
    for text in rule.match:
        assert rules_that_cut(alone, text), f"{rule.id} leaves {text!r}"
    for text in rule.keep:
        assert not rules_that_cut(ALL, text), f"{rules_that_cut(ALL, text)} cut {text!r}"


@pytest.mark.parametrize(
    "text",
    [
        # A day that heads a list, and what stands below it.
        "The matches of the first round will be played as follows this week:\nSunday, 12 March 2017\nOslo v Rome",
        "تدور مباريات الجولة الأولى وفي ما يلي البرنامج الكامل :\nالأحد 26 فيفري 2017\nنادي المثال - نادي الاتحاد",
        "Die Lesungen des Festivals im Rathaus der Stadt sind:\nMontag, 12. März 2024, 19:30 Uhr\nAnna Muster liest",
        "The programme\n12 March 2017:\nOslo v Rome\n13 March 2017\nRome v Oslo",
    ],
)
def test_dates_that_head_a_part_of_the_story_stay(text: str) -> None:
    assert not rules_that_cut(ALL, text)


PARAGRAPH = (
    "The council voted on Tuesday to rebuild the bridge, closed after the flood, and said that it would cost a "
    "tenth of its budget. Work will begin before the summer is over, the mayor told reporters after the meeting."
)


@pytest.mark.parametrize("name", ["WhatsApp", "• Privacy", "Datenschutz", "Además", "فيسبوك"])
def test_a_name_between_two_paragraphs_heads_the_second(name: str) -> None:
    assert not rules_that_cut(ALL, f"{PARAGRAPH}\n{name}\n{PARAGRAPH}")
    assert rules_that_cut(ALL, f"{PARAGRAPH}\n{name}\nSport\nWeather")
    assert rules_that_cut(ALL, f"{PARAGRAPH}\n{PARAGRAPH}\n{name}")


def test_a_subhead_stands_between_paragraphs_of_one_sentence_too() -> None:
    sentence = "Officials in the ministry declined to say how many people had applied since the beginning of May."
    assert not rules_that_cut(ALL, f"{sentence}\nJobs\n{sentence}")
    assert rules_that_cut(ALL, f"{sentence}\nTwitter\n@example {sentence}")
    assert rules_that_cut(ALL, f"[{sentence}](https://example.com/)\nJobs\n{sentence}")


def test_a_label_above_headlines_heads_no_paragraph() -> None:
    headlines = [
        "Regierung verschiebt Abstimmung über das Rentenpaket nach heftiger Kritik aus den eigenen Reihen",
        "Waldbrände im Süden: Mehrere Dörfer evakuiert, Feuerwehr kämpft gegen Flammen und starken Wind",
        "ارتفاع أسعار النفط عالميا بعد قرار خفض الإنتاج في الشهر المقبل",
    ]
    for label, headline in zip(["Top-Themen", "Weitere Themen", "مواضيع أخرى"], headlines, strict=True):
        assert rules_that_cut(ALL, f"{PARAGRAPH}\n{label}\n{headline}\n{headline}")


@pytest.mark.parametrize(
    "text",
    ["Last updated:\nMarch 12, 2017\nThe mayor has resigned.",
     "She has reported from here since 2003. Follow her on the usual networks:\nPublished 10:02 AM EST Nov 19, 2019"],
)  # fmt: skip
def test_dates_below_a_label_and_with_a_time_are_stamps(text: str) -> None:
    assert "en.updated.line" in rules_that_cut(ALL, text)


def test_unknown_names_in_disabled_name_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"en\.ad\.marker"):
        choose_rules(("en.ad.markr",))
    assert "en.ad.marker" not in {rule.id for rule in choose_rules(("advert",)).rules}


def test_wrong_rules_say_what_is_wrong() -> None:
    fine = {"id": "x", "category": "y", "scope": "line", "phrases": ["z"], "match": ["z"], "keep": ["k"]}
    assert read_rule(fine, "t.toml").hints == ("z",)
    for change, message in [
        ({"scope": "page"}, "scope"), ({"colour": 1}, "unknown fields"), ({"match": []}, "lacks"),
        ({"pattern": "a"}, "either"), ({"id": ""}, "lacks"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            read_rule({**fine, **change}, "t.toml")
    other = {**{k: v for k, v in fine.items() if k != "phrases"}, "hints": ["z"]}
    for pattern in (r"\Az", r"z\z", r"z\C"):
        with pytest.raises(ValueError, match="searched as one text"):
            read_rule({**other, "pattern": pattern}, "t.toml")
    for pattern in (r"\bاz", r"zé\b", r"\b(?:z|été)z", r"z(?:a|é)\b"):
        with pytest.raises(ValueError, match="beside a letter beyond ASCII"):
            read_rule({**other, "pattern": pattern}, "t.toml")
    for pattern in (r"^\W*اz", r"^\W*(?:z|أ) z"):
        with pytest.raises(ValueError, match="holds letters beyond ASCII"):
            read_rule({**other, "pattern": pattern}, "t.toml")
    with pytest.raises(ValueError, match=r"t\.toml: rule 'x' has a wrong pattern"):
        read_rule({**other, "pattern": "z", "unless": "{said}|("}, "t.toml")
    with pytest.raises(ValueError, match="hints"):
        read_rule({**{k: v for k, v in fine.items() if k != "phrases"}, "pattern": "z"}, "t.toml")


def test_what_stays_of_a_match_is_what_a_group_would_leave() -> None:
    rule = {"id": "x", "category": "y", "hints": ["tags"], "match": ["a tags b"], "keep": ["k"]}
    cuts = [
        (
            {"scope": "tail", "pattern": r"[.!؟]\s*(?P<cut>tags .*)$"},
            {"pattern": r"[.!؟]\s*tags .*$", "stays_before": " .!؟"},
        ),
        (
            {"scope": "tail", "pattern": r"^.{3,}\s(?P<cut>tags .*)$"},
            {"pattern": r"^.{3,}\stags .*$", "from_hint": True},
        ),
        (
            {"scope": "inline", "pattern": r"(?P<cut>\(tags[^()]*\))\s?"},
            {"pattern": r"\(tags[^()]*\)\s?", "stays_after": " "},
        ),
    ]
    packed = pack(
        pa.array(["It ended؟ tags a, b", "abc tags d tags e", "One (tags a) two (tags b)", "no tags", "tags"])
    )
    for grouped, trimmed in cuts:
        spans = [
            run_rules(
                build_rule_set([read_rule(given, "t.toml")]), packed, find_lines(packed), tags_of([None] * 5), Lifted()
            )
            for given in ({**rule, **grouped}, {**rule, **grouped, **trimmed})
        ]
        assert len(spans[0])
        assert [spans[0].start.tolist(), spans[0].end.tolist()] == [spans[1].start.tolist(), spans[1].end.tolist()]
    with pytest.raises(ValueError, match="stays_before or the like"):
        read_rule({**rule, **cuts[0][0], "stays_before": " "}, "t.toml")


def test_phrases_are_known_in_any_decoration() -> None:
    rule = {"id": "x", "category": "y", "scope": "line", "match": ["Menu"], "keep": ["k"]}
    rule["phrases"] = ["Menu", "Open menu"]
    rules = build_rule_set([read_rule(rule, "t.toml")])
    for sign in "-–—•·|<>«»‹›*#([{}“”‘’:.,;…!?_/\\→▶✕×+=~、。《「『【（：！？؟،؛":
        for text in (f"{sign} Menu", f"Open menu {sign}{sign}", f"{sign}MENU{sign}"):
            assert rules_that_cut(rules, text) == ["x"], text
    for text in ("The menu", "Menu 2", "Menü menu", "Menu да", "Menu menu"):
        assert not rules_that_cut(rules, text), text


def test_languages_limit_a_rule() -> None:
    rule = read_rule({"id": "x", "category": "y", "scope": "line", "phrases": ["werbung"], "languages": ["de"],
                      "match": ["Werbung"], "keep": ["k"]}, "t.toml")  # fmt: skip
    packed = pack(pa.array(["Werbung", "Werbung", "Werbung"]))
    spans = run_rules(build_rule_set([rule]), packed, find_lines(packed), tags_of(["de-AT", "en", None]), Lifted())
    assert sorted(spans.article.tolist()) == [0, 2]


def test_a_file_names_the_languages_of_its_rules() -> None:
    named = {language for rule in RULES if not rule.id.startswith("any.") for language in rule.languages}
    assert named == {"ar", "de", "fr", "es", "pt", "it", "ru", "tr", "fa", "zh"}
    texts = ["Anzeige", "Publicité", "Реклама", "آگهی", "广告"]
    packed = pack(pa.array(texts * 2))
    tags = ["de-CH", "fr-CA", "ru", "fa-IR", "zh-Hans", *["en"] * len(texts)]
    spans = run_rules(ALL, packed, find_lines(packed), tags_of(tags), Lifted())
    assert sorted(spans.article.tolist()) == [0, 1, 2, 3, 4]


def test_hints_of_other_languages_are_not_sought() -> None:
    sought = {len(ALL.automata_of(int(ALL.kinds(tags_of([tag]))[0]))[0].literal) for tag in ("en", "sv", "nl")}
    everything = len(ALL.automata_of(int(ALL.kinds(tags_of([None]))[0]))[0].literal)
    assert len(sought) == 1
    assert max(sought) * 2 < everything


@given(st.text(alphabet="ab çد", max_size=12))
def test_the_engine_called_directly_says_what_its_python_face_says(text: str) -> None:
    pattern = re2.compile("(?P<one>a+|ç)(?: (?P<two>[bد]))?")
    match = pattern.search(text.encode())
    spans = searcher(pattern)(text.encode(), 0, len(text.encode()))
    assert spans == ([match.span(group) for group in range(3)] if match else [NOWHERE] * 3)


def test_literals_are_found_as_a_plain_search_finds_them() -> None:
    literals = ["he", "hers", "his", "she", "إعلان", "über", "a"]
    texts = ["USHERS", "this is his hat", "هذا إعلان جديد", "ÜBER uns", "x" * 900 + " She", "", "b\nhers\nc"]
    packed = pack(pa.array(texts))
    lines = find_lines(packed)
    hits = find_literals(packed, lines, build_automata(literals, [1 << 40] * len(literals)))
    found = sorted(zip(hits.line.tolist(), hits.literal.tolist(), strict=True))
    plain = [line for text in texts for line in text.split("\n") if text]
    expected = [(n, k) for n, line in enumerate(plain) for k, literal in enumerate(literals) if literal in line.lower()]
    assert found == expected
    with pytest.raises(ValueError, match="empty literal"):
        LiteralAutomaton.of([""], [1])


@given(
    st.text(alphabet="hersi au", min_size=200, max_size=1300),
    st.lists(st.text(alphabet="hersi a", min_size=1, max_size=60), min_size=1, max_size=6, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_long_lines_are_read_in_four_places_without_a_miss(text: str, literals: list[str]) -> None:
    text = "x" + text + "x"
    packed = pack(pa.array(["he", text]))
    hits = find_literals(packed, find_lines(packed), build_automata(literals, [1 << 40] * len(literals)))
    places = {int(k): int(at) - 2 for line, k, at in zip(hits.line, hits.literal, hits.at, strict=True) if line == 1}
    assert places == {k: text.index(part) + len(part) for k, part in enumerate(literals) if part in text}


def test_many_candidates_give_what_each_alone_gives() -> None:
    texts = [
        *(text for rule in RULES for text in (*rule.match, *rule.keep)),
        "Shares fell. (Reporting by Jane Doe; Editing by John Roe) (Writing by Ann Poe)",
        "The (reporting desk) waited. (Editing by John Roe)",
        "It rained in Málaga. (Reporting by José Íñiguez)",
        "It rained (Reporting by Jane Doe) in Rome.",
    ]

    def cuts(given_texts: list[str]) -> list[tuple[int, int, int, str]]:
        packed = pack(normalise_texts(pa.array(given_texts)))
        spans = run_rules(ALL, packed, find_lines(packed), tags_of([None] * len(given_texts)), Lifted())
        starts = packed.offsets[spans.article]
        names = [ALL.rules[tag].id for tag in spans.tag]
        rows = (spans.article, spans.start - starts, spans.end - starts)
        return sorted(zip(*(column.tolist() for column in rows), names, strict=True))

    alone = [(start, end, name) for text in texts for _, start, end, name in cuts([text])]
    together = cuts(texts * 3)
    assert [(start, end, name) for _, start, end, name in together] == alone * 3


@given(st.text(alphabet="ab .،😀é", max_size=30), st.text(alphabet="ab .،😀é", max_size=30))
@settings(max_examples=300, deadline=None)
def test_what_stays_of_a_match_is_what_strings_say(before: str, after: str) -> None:
    stays_before, stays_after = " .،😀b", "a é."
    rule = read_rule({"id": "x", "category": "y", "scope": "inline", "pattern": ".*(?:ad|Né).*", "hints": ["ad", "né"],
                      "from_hint": True, "stays_before": stays_before + "a", "stays_after": stays_after,
                      "look_back": 4000, "match": ["ad"], "keep": ["k"]}, "t.toml")  # fmt: skip
    text = "x" + before + "ad" + after + "x"
    packed = pack(pa.array(["z", text]))
    spans = run_rules(build_rule_set([rule]), packed, find_lines(packed), tags_of([None, None]), Lifted())
    cut = text[text.rfind("ad") :].lstrip(stays_before + "a").rstrip(stays_after)
    data = packed.data.tobytes()
    assert [data[start:end].decode() for start, end in zip(spans.start, spans.end, strict=True)] == [cut]


def test_a_tail_begins_with_the_first_match_that_may_go() -> None:
    rule = read_rule({"id": "x", "category": "y", "scope": "tail", "pattern": "ad[a-z]*", "hints": ["ad"],
                      "max_rest": 12, "match": ["ad"], "keep": ["k"]}, "t.toml")  # fmt: skip
    text = "an ad that is far, ad more, adieu\nbye"
    packed = pack(pa.array([text, "ad", "ad " * 9]))
    spans = run_rules(build_rule_set([rule]), packed, find_lines(packed), tags_of([None] * 3), Lifted())
    data = packed.data.tobytes()
    assert sorted((int(a), data[s:e]) for a, s, e in zip(spans.article, spans.start, spans.end, strict=True)) == [
        (0, b"adieu"), (0, b"bye"), (1, b"ad"), (2, b"ad ad ad ad "),
    ]  # fmt: skip


def test_dates_that_head_the_parts_of_a_text_stay() -> None:
    parts = [f"{month} {day}, 2016\nOn that day the council met." for month in ("May", "June") for day in (3, 9)]
    assert rules_that_cut(ALL, "\n".join(parts)) == []
    assert rules_that_cut(ALL, "\n".join(parts[:3])).count("en.updated.line") == 3
