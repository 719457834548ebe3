"""Loads the rule data of `transforms/rules` and runs it over lines.

A rule is one `[[rule]]` table of a TOML file:

    id, category   its names in `removed`, and in the setting `clean.disabled`
    scope          line: the whole line matches and goes; inline: what matches goes; tail: from the match to the end of
                   the text; head: from the start of the text to the end of the match
    pattern        RE2, letter case ignored unless `case = true`; or
    phrases        whole phrases instead of a pattern. A group named `cut` is the part that goes; groups named
                   `byline`, `dateline`, `agency` are lifted into those columns; `{agency}` stands for any Latin
                   form of an agency's name in wire.toml
    hints          literals (letter case ignored), one of which every match holds; of `phrases`: the phrases
    max_bytes      longest line the rule looks at (line: 400, others: any)
    max_rest       tail, head: most bytes that may go (600)
    first_lines, last_lines    the line is among the first or last so many
    unless         a pattern that no line may match: RE2 has no way to say `not followed by`
    anchored       inline, of the one group `cut`: matches begin with a hint; most are found without a loop
    look_back      bytes before the first hint from which the rule looks at a line (line: all of it, others: 80)
    languages      only for texts of these languages (primary tags: `zh` for zh-Hans), or of none known; a file's own
                   `languages` holds for its rules that name none
    match, keep    examples: each `match` is cut by this rule, each `keep` is left alone by all rules
"""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import re2

from schemas.checked_settings import SettingError
from transforms.functions.agencies import agency_forms, agency_named
from transforms.functions.cutting import Spans, join_spans
from transforms.functions.line_table import Hits, LineTable, LiteralAutomaton, build_automata, find_literals
from transforms.functions.packed_text import PackedText, slices, whole_starts

SCOPES = ("line", "inline", "tail", "head")
LIFTED = ("byline", "dateline", "agency")

# What may surround a phrase that fills a line: bullets, brackets, arrows, punctuation.
_DECOR = r"""[\s\-–—•·|<>«»‹›*#\[\](){}"'“”‘’:.,;…!?_/\\→←▶►▼✕✖×+=~、。《》「」『』【】（），：；！？؟،؛]*"""
LOOK_BACK_BYTES = 80
"""A rule that isn't about the whole line looks from so far before its first hint (`look_back`); with 600 all
rules together cost about 46 microseconds an article of 3.3 kB, with 80 about 33."""
MANY_HITS = 200
"""From so many candidates of one rule in a batch on they are matched in one call (.4 to 1.7 microseconds each, and
200 to 6,400 to compile the pattern), not one by one (5 to 9)."""
HITS_AN_INSTRUCTION = 1 / 8
"""A long pattern takes long to compile: so many candidates more for each instruction of its program."""
MIN_MATCH_BYTES = 4
"""Shorter ends of a line aren't searched again after a match: no rule matches so little."""
_NO_LIMIT = 1 << 40
_UNKNOWN, _OTHER = range(2)
_KNOWN_FIELDS = {
    "id", "category", "scope", "pattern", "phrases", "hints", "case", "max_bytes", "max_rest", "first_lines",
    "last_lines", "look_back", "anchored", "unless", "languages", "match", "keep",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule, checked and compiled."""

    id: str
    category: str
    scope: str
    pattern: Any
    hints: tuple[str, ...]
    max_bytes: int
    max_rest: int
    first_lines: int
    last_lines: int
    look_back: int
    anchored: str
    unless: Any
    languages: frozenset[str]
    match: tuple[str, ...]
    keep: tuple[str, ...]
    groups: dict[str, int]


@dataclass(frozen=True, eq=False)
class RuleSet:
    """Rules and the automata that find their candidates; equal only to itself, so that what is made of it is cached.

    Literal k is `literals[k]`, belongs to the rules `rules_of_literal[first_rule[k]:first_rule[k + 1]]` and has
    `literal_bytes[k]` bytes. `spoken`: bool, a rule a row, a column for each kind of text: of no known language, of one
    without rules of its own, then one for each of `languages`; whether the rule is for such texts. `automata`: by
    column, of the hints of its rules alone, so that nobody pays for other languages; made when first asked for.
    """

    rules: tuple[Rule, ...]
    literals: tuple[str, ...]
    first_rule: npt.NDArray[np.int64]
    rules_of_literal: npt.NDArray[np.int64]
    literal_bytes: npt.NDArray[np.int64]
    languages: tuple[str, ...]
    spoken: npt.NDArray[np.bool_]
    automata: dict[int, tuple[LiteralAutomaton, ...]] = field(default_factory=dict)

    def kinds(self, languages: Sequence[str | None]) -> npt.NDArray[np.int64]:
        """The column of `spoken` for each BCP 47 tag or None: int64[n]."""
        columns = {name: column for column, name in enumerate(self.languages, _OTHER + 1)}
        known = {tag: columns.get(tag.partition("-")[0], _OTHER) for tag in set(languages) if tag}
        return np.array([known[tag] if tag else _UNKNOWN for tag in languages], np.int64)

    def automata_of(self, kind: int) -> tuple[LiteralAutomaton, ...]:
        """The automata for texts of one column of `spoken`."""
        if kind not in self.automata:
            longest = np.array([rule.max_bytes for rule in self.rules], np.int64)
            allowed = np.where(self.spoken[self.rules_of_literal, kind], longest[self.rules_of_literal], -1)
            self.automata[kind] = build_automata(
                self.literals, np.maximum.reduceat(allowed, self.first_rule[:-1]).tolist()
            )
        return self.automata[kind]


@dataclass
class Lifted:
    """What rules read out of what they cut: article row to value, for each of `LIFTED`; the first found wins."""

    values: dict[str, dict[int, str]] = field(default_factory=lambda: {name: {} for name in LIFTED})

    def add(self, name: str, row: int, value: str) -> None:
        """Keeps a value unless the article has one."""
        value = value.strip(" ,;|")
        if value:
            self.values[name].setdefault(row, value)


def read_rule(given: dict[str, Any], origin: str, languages: Sequence[str] = ()) -> Rule:
    """One rule from its TOML table.

    Args:
        languages: those of its file, for a rule that names none.

    Raises:
        ValueError: a field is unknown, missing or wrong; the message names file, rule and field.
    """
    name = f"{origin}: rule {given.get('id', '?')!r}"
    if unknown := sorted(set(given) - _KNOWN_FIELDS):
        raise ValueError(f"{name} has unknown fields {unknown}; known are {sorted(_KNOWN_FIELDS)}")
    if missing := [key for key in ("id", "category", "scope", "match", "keep") if not given.get(key)]:
        raise ValueError(f"{name} lacks {missing}")
    if given["scope"] not in SCOPES:
        raise ValueError(f"{name} has scope {given['scope']!r}; expected one of {SCOPES}")
    if ("pattern" in given) == ("phrases" in given):
        raise ValueError(f"{name}: expected either a pattern or phrases")
    body = given.get("pattern") or "|".join(re2.escape(phrase) for phrase in given["phrases"])
    body = body.replace("{agency}", agency_forms(arabic=False))
    hints = tuple(given.get("hints", given.get("phrases", ())))
    if not hints:
        raise ValueError(f"{name} has no hints; a pattern needs literals that every match holds")
    flags = "" if given.get("case") else "(?i)"
    line = given["scope"] == "line"
    if given.get("anchored") and (given["scope"] != "inline" or "(?P<cut>" not in body or body.count("(?P<") > 1):
        raise ValueError(f"{name} is anchored; expected scope inline and no group but `cut`")
    if given.get("anchored") and "unless" in given:
        raise ValueError(f"{name} is anchored and has `unless`; expected one of the two")
    try:
        pattern = re2.compile(f"{flags}^{_DECOR}(?:{body}){_DECOR}$" if line else f"{flags}(?:{body})")
        unless = re2.compile(f"{flags}(?:{given['unless']})") if "unless" in given else None
    except re2.error as error:
        raise ValueError(f"{name} has a wrong pattern: {error}") from error
    return Rule(
        given["id"],
        given["category"],
        given["scope"],
        pattern,
        hints,
        int(given.get("max_bytes", 400 if line else _NO_LIMIT)),
        int(given.get("max_rest", 600)),
        int(given.get("first_lines", 0)),
        int(given.get("last_lines", 0)),
        0 if given.get("anchored") else int(given.get("look_back", _NO_LIMIT if line else LOOK_BACK_BYTES)),
        f"{flags}^(?:{body})" if given.get("anchored") else "",
        unless,
        frozenset(given.get("languages", languages)),
        tuple(given["match"]),
        tuple(given["keep"]),
        {name: number for name, number in pattern.groupindex.items() if name in ("cut", *LIFTED)},
    )


@functools.cache
def load_rules() -> tuple[Rule, ...]:
    """All rules of the data files, by file name and place.

    Raises:
        ValueError: a rule is wrong, or two have one id.
    """
    rules: list[Rule] = []
    for file in sorted(resources.files("transforms.rules").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            rules += [read_rule(table, file.name, content.get("languages", ())) for table in content.get("rule", [])]
    ids = [rule.id for rule in rules]
    if doubled := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"rules with one id: {doubled}")
    return tuple(rules)


@functools.lru_cache(maxsize=32)
def choose_rules(disabled: tuple[str, ...], others: tuple[str, ...] = ()) -> RuleSet:
    """The rules that are not switched off by id or category.

    Args:
        disabled: ids and categories.
        others: names that `disabled` may hold besides (of structure and wire steps).

    Raises:
        SettingError: a name is unknown; the nearest is named.
    """
    rules = load_rules()
    known = {rule.id for rule in rules} | {rule.category for rule in rules} | set(others)
    for name in disabled:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), 1, cutoff=0.4)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SettingError(f"clean.disabled names {name!r}; expected a rule id or category{hint}")
    return build_rule_set(rule for rule in rules if rule.id not in disabled and rule.category not in disabled)


def build_rule_set(rules: Iterable[Rule]) -> RuleSet:
    """Rules with what finds the candidates of each by its hints."""
    chosen = tuple(rules)
    places: dict[str, list[int]] = {}
    for number, rule in enumerate(chosen):
        for hint in dict.fromkeys(hint.lower() for hint in rule.hints):
            places.setdefault(hint, []).append(number)
    languages = tuple(sorted({name for rule in chosen for name in rule.languages}))
    spoken = np.array(
        [
            [True, not rule.languages, *(not rule.languages or name in rule.languages for name in languages)]
            for rule in chosen
        ]
    ).reshape(len(chosen), _OTHER + 1 + len(languages))
    first = np.cumsum([0, *map(len, places.values())], dtype=np.int64)
    flat = np.array([number for numbers in places.values() for number in numbers], np.int64)
    sizes = np.array([len(hint.encode()) for hint in places], np.int64)
    return RuleSet(chosen, tuple(places), first, flat, sizes, languages, spoken)


def run_rules(
    rule_set: RuleSet, packed: PackedText, lines: LineTable, languages: Sequence[str | None], lifted: Lifted
) -> Spans:
    """What the rules cut out of the texts, in no order and with overlaps; tags are places in `rule_set.rules`.

    Args:
        languages: n BCP 47 tags or None.
        lifted: gets the bylines, datelines and agencies that rules read.
    """
    kinds = rule_set.kinds(languages)
    hits = _find_hints(packed, lines, rule_set, kinds)
    found: list[tuple[int, int, int, int]] = []
    parts: list[Spans] = []
    if len(hits.line):
        first = rule_set.first_rule[hits.literal]
        counts = rule_set.first_rule[hits.literal + 1] - first
        places = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        rule = rule_set.rules_of_literal[places]
        line, hit = np.repeat(hits.line.astype(np.int64), counts), np.repeat(hits.at, counts)
        size = np.repeat(rule_set.literal_bytes[hits.literal], counts)
        allowed = _within_limits(rule_set.rules, lines, line, rule) & rule_set.spoken[rule, kinds[lines.article[line]]]
        order = np.flatnonzero(allowed)
        order = order[np.lexsort((hit[order], rule[order], line[order]))]
        line, rule, hit, size = line[order], rule[order], hit[order], size[order]
        # Of several hints of one rule in a line the first counts.
        fresh = np.ones(len(line), np.bool_)
        fresh[1:] = (line[1:] != line[:-1]) | (rule[1:] != rule[:-1])
        line, rule, hit, size = line[fresh], rule[fresh], hit[fresh], size[fresh]
        anchored = np.array([each.anchored != "" for each in rule_set.rules], np.bool_)[rule]
        hit[anchored] -= size[anchored]
        done = np.zeros(len(line), np.bool_)
        sizes = np.array([each.pattern.programsize for each in rule_set.rules])
        many = np.maximum(MANY_HITS, sizes * HITS_AN_INSTRUCTION)
        for number in np.flatnonzero(np.bincount(rule, minlength=len(many)) >= many).tolist():
            some = np.flatnonzero(rule == number)
            spans, done[some] = _apply_to_many(rule_set.rules[number], number, packed, lines, line[some], hit[some])
            parts.append(spans)
        rest = np.flatnonzero(~done)
        data = packed.data.data
        for at, number, near in zip(line[rest].tolist(), rule[rest].tolist(), hit[rest].tolist(), strict=True):
            begin = int(lines.starts[at])
            if near - begin > rule_set.rules[number].look_back:
                begin = near - rule_set.rules[number].look_back
                while packed.data[begin] & 0xC0 == 0x80:
                    begin += 1
            text = bytes(data[begin : int(lines.ends[at])])
            _apply(rule_set.rules[number], number, text, begin, at, lines, lifted, found)
    table = np.array(found, np.int64).reshape(-1, 4)
    parts.append(Spans(table[:, 0].astype(np.int32), table[:, 1], table[:, 2], table[:, 3].astype(np.int32)))
    return join_spans(parts)


def _find_hints(packed: PackedText, lines: LineTable, rule_set: RuleSet, kinds: npt.NDArray[np.int64]) -> Hits:
    """The hints in each line of those rules that are for its text's language."""
    present = np.unique(kinds).tolist()
    if len(present) <= 1:
        return find_literals(packed, lines, rule_set.automata_of(present[0] if present else _OTHER))
    parts = []
    for kind in present:
        some = np.flatnonzero(kinds[lines.article] == kind)
        table = LineTable(lines.starts[some], lines.ends[some], lines.article[some], lines.first)
        hits = find_literals(packed, table, rule_set.automata_of(kind))
        parts.append(Hits(some[hits.line].astype(np.int32), hits.literal, hits.at))
    return Hits(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("line", "literal", "at")))


def _apply_to_many(
    rule: Rule,
    number: int,
    packed: PackedText,
    lines: LineTable,
    line: npt.NDArray[np.int64],
    near: npt.NDArray[np.int64],
) -> tuple[Spans, npt.NDArray[np.bool_]]:
    """What can be said of many candidates of one rule at once: which don't match, and where simple ones are cut.

    Returns:
        Spans, and for each candidate whether it is settled; the others are left to `_apply`.
    """
    none = Spans(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))
    begin, stop = lines.starts[line], lines.ends[line]
    begin = whole_starts(packed.data, np.maximum(begin, near - min(rule.look_back, 1 << 40)))
    texts = slices(packed, begin, stop)
    if not rule.anchored:
        matched = pc.match_substring_regex(texts, rule.pattern.pattern).to_numpy(zero_copy_only=False)
        return none, ~matched
    size = pc.binary_length(pc.struct_field(pc.extract_regex(texts, rule.anchored), "cut"))
    taken = size.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    cut = taken > 0
    end = begin + taken
    spans = Spans(lines.article[line], begin, end, np.full(len(line), number, np.int32)).take(cut)
    # Where the line goes on another match may follow, where none begins here one may begin later: `_apply` finds them.
    done = cut & (stop - end < MIN_MATCH_BYTES)
    return spans.take(done[cut]), done


def _within_limits(
    rules: tuple[Rule, ...], lines: LineTable, line: npt.NDArray[np.int64], rule: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    limits = np.array([(r.max_bytes, r.first_lines or _NO_LIMIT, r.last_lines or _NO_LIMIT) for r in rules], np.int64)
    article = lines.article[line]
    return (
        (lines.ends[line] - lines.starts[line] <= limits[rule, 0])
        & (line - lines.first[article] < limits[rule, 1])
        & (lines.first[article + 1] - line <= limits[rule, 2])
    )


def _apply(
    rule: Rule,
    number: int,
    text: bytes,
    begin: int,
    at: int,
    lines: LineTable,
    lifted: Lifted,
    found: list[tuple[int, int, int, int]],
) -> None:
    row = int(lines.article[at])
    stop = int(lines.ends[at])
    position = 0
    while position == 0 or position + MIN_MATCH_BYTES <= len(text):
        match = rule.pattern.search(text, position)
        if match is None or (rule.unless is not None and rule.unless.search(text)):
            return
        cut = rule.groups.get("cut", 0)
        first, last = match.span(cut)
        if first < 0:
            first, last = match.span(0)
        position = max(match.end(), match.start() + 1)
        if first == last:
            continue
        start, end = begin + first, begin + last
        if rule.scope == "line":
            start, end, position = int(lines.starts[at]), stop, len(text) + 1
        if rule.scope in ("tail", "head"):
            last_line = int(lines.first[row + 1]) - 1
            first_line = int(lines.first[row])
            tail = rule.scope == "tail"
            if (int(lines.ends[last_line]) - start if tail else end - int(lines.starts[first_line])) > rule.max_rest:
                continue
            if tail:
                found.extend(
                    (row, int(lines.starts[k]), int(lines.ends[k]), number) for k in range(at + 1, last_line + 1)
                )
                end, position = stop, len(text) + 1
            else:
                found.extend((row, int(lines.starts[k]), int(lines.ends[k]), number) for k in range(first_line, at))
                start = int(lines.starts[at])
        found.append((row, start, end, number))
        for name, group in rule.groups.items():
            if name != "cut" and match.group(group):
                value = match.group(group).decode()
                lifted.add(name, row, value if name != "agency" else agency_named(value) or "")
