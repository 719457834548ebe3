from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import SettingError
from transforms.functions.line_table import LiteralAutomaton, build_automata, find_lines, find_literals
from transforms.functions.packed_text import pack
from transforms.functions.rules import (
    Lifted,
    Rule,
    RuleSet,
    build_rule_set,
    choose_rules,
    load_rules,
    read_rule,
    run_rules,
)
from transforms.functions.unicode_text import normalise_texts

RULES = load_rules()
ALL = build_rule_set(RULES)


def rules_that_cut(rule_set: RuleSet, text: str) -> list[str]:
    packed = pack(normalise_texts(pa.array([text])))
    spans = run_rules(rule_set, packed, find_lines(packed), [None], Lifted())
    return [rule_set.rules[tag].id for tag in spans.tag]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples_of_every_rule(rule: Rule) -> None:
    alone = build_rule_set([rule])
    for text in rule.match:
        assert rules_that_cut(alone, text), f"{rule.id} leaves {text!r}"
    for text in rule.keep:
        assert not rules_that_cut(ALL, text), f"{rules_that_cut(ALL, text)} cut {text!r}"


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
    with pytest.raises(ValueError, match="hints"):
        read_rule({**{k: v for k, v in fine.items() if k != "phrases"}, "pattern": "z"}, "t.toml")


def test_languages_limit_a_rule() -> None:
    rule = read_rule({"id": "x", "category": "y", "scope": "line", "phrases": ["werbung"], "languages": ["de"],
                      "match": ["Werbung"], "keep": ["k"]}, "t.toml")  # fmt: skip
    packed = pack(pa.array(["Werbung", "Werbung", "Werbung"]))
    spans = run_rules(build_rule_set([rule]), packed, find_lines(packed), ["de-AT", "en", None], Lifted())
    assert spans.article.tolist() == [0, 2]


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
