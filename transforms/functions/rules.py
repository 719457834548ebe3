"""Loads the rule data of `transforms/rules`; `rule_matching` runs it over lines.

A rule is one `[[rule]]` table of a TOML file:

    id, category   its names in `removed`, and in the setting `clean.disabled`
    scope          line: the whole line matches and goes; inline: what matches goes; tail: from the match to the end of
                   the text; head: from the start of the text to the end of the match
    stays_before, stays_after    characters that a match may begin or end with and that stay: as a group `cut` would
                   say it, and several times as fast; ended lines hold no blanks at their ends
    from_hint      what goes begins with the last hint in the match, for the same reason
    pattern        RE2, letter case ignored unless `case = true`; or
    phrases        whole phrases instead of a pattern. A group named `cut` is the part that goes; groups named
                   `byline`, `dateline`, `agency` are lifted into those columns; `{agency}` stands for any Latin
                   form of an agency's name in wire.toml, `{credited}` for who is credited behind `Foto:`, names alone
    hints          literals (letter case ignored), one of which every match holds; of `phrases`: the phrases; `^literal`
                   counts only among the first bytes of a line (HEAD_BYTES)
    max_bytes      longest line the rule looks at (line: 400, others: any)
    max_rest       tail, head: most bytes that may go (600)
    most_times     line: a text in which more lines match keeps them all, as they head its parts, and one in which
                   one ends with a colon or is a date below a line that does (any number)
    first_lines, last_lines    the line is among the first or last so many
    unless         a pattern that no line may match: RE2 has no way to say `not followed by`; `{said}` in it stands for
                   an English clause that tells who said what the line says: then it is a sentence of the story;
                   `{bracketed}` for a label in brackets before a sentence, `{sentence}` for a sentence behind another,
                   `{numbered}` for an item of a numbered list, `{measure}` for a figure or a rating, `{glued}` for a
                   headline with a sentence glued to it
    anchored       inline: matches begin with a hint, so the rule looks at a line from its first one on
    look_back      bytes before the first hint from which the rule looks at a line (line: all of it, others: 80)
    min_before     so many bytes of its line stand before what goes
    last_bytes     so many bytes at a line's end are looked at; for patterns that end with `$`
    glued          line: also the last sentence of a line (`tail_sentences`); a file's own holds for its rules
    languages      only for texts of these languages (primary tags: `zh` for zh-Hans), or of none known; a file's own
                   `languages` holds for its rules that name none
    match, keep    examples: each `match` is cut by this rule, each `keep` is left alone by all rules
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import re2

from schemas.checked_settings import SettingError
from transforms.functions.agencies import agency_forms
from transforms.functions.language import Tags
from transforms.functions.line_table import LiteralAutomaton, build_automata
from transforms.functions.searching import counts_to, without_counts, without_groups

SCOPES = ("line", "inline", "tail", "head")
LIFTED = ("byline", "dateline", "dateline_date", "agency")

# What may surround a phrase that fills a line: bullets, brackets, arrows, punctuation.
_DECOR = r"""[\s\-–—•·|<>«»‹›*#\[\](){}"'“”‘’:.,;…!?_/\\→←▶►▼✕✖×+=~、。《》「」『』【】（），：；！？؟،؛]*"""
_VERBS = "said|told|wrote|added|asked|recalled|argued|warned|replied|began|insisted"
_SAID = (
    rf"""(?:["”’\x27],?|[\w)%],["”’\x27]?) (?:[\w.’\x27-]+ ){{0,7}}?(?:{_VERBS}|(?:was|were) told)\b"""
    r"|\b(?:said|ruled|told [\w ]{2,30}|announced|argued) (?:on|last) (?:mon|tues|wednes|thurs|fri|satur|sun|week)"
)
_CREDITED = (
    r"(?-i:(?:@|\p{Lu})[^\s:«»“”\x22!?]*(?:[\s/|,–-]+(?:(?:@|\p{Lu})[^\s:«»“”\x22!?]*"
    r"|de|da|do|dos|del|la|von|van|di|e|y|und|et|ve|и|via|dpa|afp))*"
    r"|(?:dpa|imago|picture alliance|afp|apa)\b[^.!?:]{0,50})"
)
_CLAUSES = {
    "{said}": _SAID,
    # `(Read more) The minister left early.`
    "{bracketed}": r"^[\s>•*–—-]*[(\[][^()\[\]]{2,40}[)\]][\s:.,…–—-]*[^\s(\[]+(?: [^\s(\[]+){3}",
    # What stands behind the label of a specification or a rating: `Crédito: hasta ...`, `Bild: gut`.
    "{measure}": (
        r"(?:\d|(?:hasta|desde|até|a partir|fino a|muy|très|molto|sehr|gut|schlecht|mäßig|ausgezeichnet|befriedigend"
        r"|bonne?|buena?|boa?|buona?|mala?)(?:\s|$))"
    ),
    # A headline with a sentence glued to it.
    "{glued}": r"^.{120,}[^.\s]{3,}\.$",
    "{numbered}": r"^[\s#*•–—-]*[1-9]\d?\s?[.)–-]\s?[^\d]+$",
    "{sentence}": r"[^\s.!?]{3,}[.!?][”\x22»)]? [*]?(?-i:\p{Lu})[^\s.!?]*(?: [^\s.!?]+){2,}[.!?]",
}
HEAD_BYTES = 40
"""What stands before a word that opens a line: bullets, brackets, an article or an adverb. Many lines hold a rule's
words further on, as a sentence does: of English with leftovers RE2 looks at a third fewer."""
LOOK_BACK_BYTES = 80
"""A rule that isn't about the whole line looks from so far before its first hint (`look_back`); with 600 all
rules together cost about 46 microseconds an article of 3.3 kB, with 80 about 33."""
SEARCH_BYTES = 32 << 20
"""What one pattern's states may take. With RE2's own 8 MiB the longest one, of 11,000 instructions, ran out of room and
took 20 microseconds a line, with this 2, with four times as much no less."""
SIEVE_COUNTS = 30
"""Patterns that count so far have a sieve. The second 4 MB of allsides_en_leftover, not seen before: finding matches
takes 7.4 microseconds for 3 kB with 30 or 10, 8.6 with 100 or without sieves, 8.1 if all that count have one."""
NO_LIMIT = 1 << 40
_UNKNOWN, _OTHER = range(2)
_KNOWN_FIELDS = {
    "id", "category", "scope", "pattern", "phrases", "hints", "case", "max_bytes", "max_rest", "first_lines",
    "last_lines", "look_back", "anchored", "unless", "languages", "stays_before", "stays_after", "from_hint", "match",
    "keep", "glued", "last_bytes", "min_before", "most_times",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule, checked and compiled. `finder`: its pattern without groups, to see first whether there is a match;
    `sieve`: that without counts, for a line's pattern that counts far. `is_phrase`: a matching line is one of the hints
    with decoration around it. `hint_bytes`: the hints in UTF-8. `head_hints`: those that count at a line's head only,
    in lower case.
    """

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
    anchored: bool
    unless: Any
    languages: frozenset[str]
    match: tuple[str, ...]
    keep: tuple[str, ...]
    groups: dict[str, int]
    finder: Any
    sieve: Any
    stays_before: str
    stays_after: str
    from_hint: bool
    is_phrase: bool
    hint_bytes: tuple[bytes, ...]
    head_hints: frozenset[str]
    glued: bool
    last_bytes: int
    min_before: int
    most_times: int

    @property
    def lifts(self) -> bool:
        """Whether it reads a byline, dateline or agency."""
        return any(name in LIFTED for name in self.groups)


@dataclass(frozen=True, eq=False)
class RuleSet:
    """Rules and the automata that find their candidates; equal only to itself, so that what is made of it is cached.

    Literal k is `literals[k]`, belongs to the rules `rules_of_literal[first_rule[k]:first_rule[k + 1]]` and has
    `literal_bytes[k]` bytes; `reach`, beside them: how far from a line's start it may stand. `spoken`: bool, a rule a
    row, a column for each kind of text: of no known language, of one without rules of its own, then one for each of
    `languages`; whether the rule is for such texts. `limits`: int64, a rule a row: most bytes of a line, of the first
    and of the last lines how many. `anchored`: bool, `look_back`: int64 bytes, `is_phrase`: bool, `scopes`: int64,
    places in SCOPES, `max_rest`: int64 bytes, `lifts`: bool, `last_bytes`, `min_before`,
    `most_times`: int64, each a rule.
    `automata`: by column, of the hints of its rules alone, so that nobody pays for other languages; made when first
    asked for.
    """

    rules: tuple[Rule, ...]
    literals: tuple[str, ...]
    first_rule: npt.NDArray[np.int64]
    rules_of_literal: npt.NDArray[np.int64]
    reach: npt.NDArray[np.int64]
    literal_bytes: npt.NDArray[np.int64]
    languages: tuple[str, ...]
    spoken: npt.NDArray[np.bool_]
    limits: npt.NDArray[np.int64]
    anchored: npt.NDArray[np.bool_]
    look_back: npt.NDArray[np.int64]
    is_phrase: npt.NDArray[np.bool_]
    scopes: npt.NDArray[np.int64]
    max_rest: npt.NDArray[np.int64]
    lifts: npt.NDArray[np.bool_]
    last_bytes: npt.NDArray[np.int64]
    min_before: npt.NDArray[np.int64]
    most_times: npt.NDArray[np.int64]
    automata: dict[int, tuple[LiteralAutomaton, ...]] = field(default_factory=dict)

    def kinds(self, languages: Tags) -> npt.NDArray[np.int64]:
        """The column of `spoken` for each text: int64[n]."""
        columns = {name: column for column, name in enumerate(self.languages, _OTHER + 1)}
        kinds = np.array([*(columns.get(name, _OTHER) for name in languages.primary), _UNKNOWN], np.int64)
        return kinds[languages.places]

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
        value = value.strip(_AROUND)
        if value:
            self.values[name].setdefault(row, value)

    def add_all(self, rows: list[int], values: list[dict[str, str]], which: list[int]) -> None:
        """Keeps for each of some articles one of some values by column, as `settle_values` gives them."""
        for row, k in zip(rows, which, strict=True):
            for name, value in values[k].items():
                self.values[name].setdefault(row, value)


def settle_values(values: dict[str, str]) -> dict[str, str]:
    """Values by column without what stands around them, and without those of which nothing is left."""
    return {name: settled for name, value in values.items() if (settled := value.strip(_AROUND))}


_AROUND = " ,;|"
"""What stands around values and is none of them."""


def read_rule(given: dict[str, Any], origin: str, languages: Sequence[str] = (), glued: bool = False) -> Rule:
    """One rule from its TOML table.

    Args:
        languages, glued: those of its file, for a rule that names none.

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
    body = body.replace("{agency}", agency_forms(arabic=False)).replace("{credited}", _CREDITED)
    excepted = given.get("unless", "")
    for clause, written in _CLAUSES.items():
        excepted = excepted.replace(clause, written)
    marked = tuple(given.get("hints", given.get("phrases", ())))
    hints = tuple(hint.removeprefix("^") for hint in marked)
    if not hints:
        raise ValueError(f"{name} has no hints; a pattern needs literals that every match holds")
    line = given["scope"] == "line"
    # Lines are searched as one text (`searching.Pieces`): `^` and `$` hold at the bounds of each.
    flags = "(?m)" if given.get("case") else "(?mi)"
    if bounds := [sign for sign in (r"\A", r"\z", r"\C") if sign in body + excepted]:
        raise ValueError(f"{name} has {bounds} in a pattern; expected ^ and $: lines are searched as one text")
    if dead := _dead_bounds(body) + _dead_bounds(excepted):
        raise ValueError(f"{name} has {dead} in a pattern; RE2 finds no \\b beside a letter beyond ASCII: leave it out")
    if loose := _loose_starts(body) + _loose_starts(excepted):
        raise ValueError(f"{name} has \\W before {loose}; in RE2 it holds letters beyond ASCII: expected [^\\pL\\pN]")
    if given.get("anchored") and given["scope"] != "inline":
        raise ValueError(f"{name} is anchored and has scope {given['scope']!r}; expected inline")
    whole = f"{flags}^{_DECOR}(?:{body}){_DECOR}$" if line else f"{flags}(?:{body})"
    trims = any(given.get(name) for name in ("stays_before", "stays_after", "from_hint"))
    if "most_times" in given and not line:
        raise ValueError(f"{name} says most_times, which only rules of whole lines have")
    if trims and (line or "(?P<cut>" in body):
        raise ValueError(f"{name} says by a group `cut` or its scope what stays, and by stays_before or the like too")
    try:
        pattern = _compile(whole)
        finder = _compile(without_groups(whole)) if pattern.groups else pattern
        sieve = _compile(without_counts(finder.pattern)) if line and counts_to(finder.pattern) >= SIEVE_COUNTS else None
        unless = _compile(f"{flags}(?:{excepted})") if excepted else None
    except re2.error as error:
        raise ValueError(f"{name} has a wrong pattern: {error}") from error
    return Rule(
        given["id"],
        given["category"],
        given["scope"],
        pattern,
        hints,
        int(given.get("max_bytes", 400 if line else NO_LIMIT)),
        int(given.get("max_rest", 600)),
        int(given.get("first_lines", 0)),
        int(given.get("last_lines", 0)),
        0 if given.get("anchored") else int(given.get("look_back", NO_LIMIT if line else LOOK_BACK_BYTES)),
        bool(given.get("anchored")),
        unless,
        frozenset(given.get("languages", languages)),
        tuple(given["match"]),
        tuple(given["keep"]),
        {name: number for name, number in pattern.groupindex.items() if name in ("cut", *LIFTED)},
        finder,
        sieve,
        str(given.get("stays_before", "")),
        str(given.get("stays_after", "")),
        bool(given.get("from_hint")),
        line and "phrases" in given and "hints" not in given,
        tuple(hint.encode() for hint in hints),
        frozenset(hint.removeprefix("^").lower() for hint in marked if hint.startswith("^")),
        bool(given.get("glued", glued)),
        int(given.get("last_bytes", NO_LIMIT)),
        int(given.get("min_before", 0)),
        int(given.get("most_times", NO_LIMIT)),
    )


_NEXT = r"(?:\(\?:((?:[^()]|\([^()]*\))*)\)|([^\W\d_]))"
_BOUND_BEFORE = re.compile(r"\\b" + _NEXT)
_BOUND_AFTER = re.compile(r"(?:\(\?:((?:[^()]|\([^()]*\))*)\)\??|([^\W\d_]))\\b")


def _dead_bounds(pattern: str) -> list[str]:
    """Letters beyond ASCII with a word's bound beside them, their own or that of a group's branch."""
    first = [branch[:1] for found in _BOUND_BEFORE.finditer(pattern) for branch in (found[1] or found[2]).split("|")]
    last = [branch[-1:] for found in _BOUND_AFTER.finditer(pattern) for branch in (found[1] or found[2]).split("|")]
    return [letter for letter in first + last if letter.isalpha() and not letter.isascii()]


_NO_WORD = re.compile(r"\\W[*+]" + _NEXT)


def _loose_starts(pattern: str) -> list[str]:
    """Letters beyond ASCII that `\\W*` stands before: what may stand before a line's first word would be most of it."""
    return [
        branch[:1]
        for found in _NO_WORD.finditer(pattern)
        for branch in (found[1] or found[2]).split("|")
        if branch[:1].isalpha() and not branch[:1].isascii()
    ]


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = SEARCH_BYTES
    return re2.compile(pattern, options)


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
            defaults = content.get("languages", ()), bool(content.get("glued"))
            rules += [read_rule(table, file.name, *defaults) for table in content.get("rule", [])]
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
    furthest: dict[str, list[int]] = {}
    for number, rule in enumerate(chosen):
        for hint in dict.fromkeys(hint.lower() for hint in rule.hints):
            places.setdefault(hint, []).append(number)
            furthest.setdefault(hint, []).append(HEAD_BYTES if hint in rule.head_hints else NO_LIMIT)
    languages = tuple(sorted({name for rule in chosen for name in rule.languages}))
    spoken = np.array(
        [
            [True, not rule.languages, *(not rule.languages or name in rule.languages for name in languages)]
            for rule in chosen
        ]
    ).reshape(len(chosen), _OTHER + 1 + len(languages))
    first = np.cumsum([0, *map(len, places.values())], dtype=np.int64)
    flat = np.array([number for numbers in places.values() for number in numbers], np.int64)
    reach = np.array([most for some in furthest.values() for most in some], np.int64)
    sizes = np.array([len(hint.encode()) for hint in places], np.int64)
    limits = [(rule.max_bytes, rule.first_lines or NO_LIMIT, rule.last_lines or NO_LIMIT) for rule in chosen]
    return RuleSet(
        chosen,
        tuple(places),
        first,
        flat,
        reach,
        sizes,
        languages,
        spoken,
        np.array(limits, np.int64).reshape(len(chosen), 3),
        np.array([rule.anchored for rule in chosen], np.bool_),
        np.array([rule.look_back for rule in chosen], np.int64),
        np.array([rule.is_phrase for rule in chosen], np.bool_),
        np.array([SCOPES.index(rule.scope) for rule in chosen], np.int64),
        np.array([rule.max_rest for rule in chosen], np.int64),
        np.array([rule.lifts for rule in chosen], np.bool_),
        np.array([rule.last_bytes for rule in chosen], np.int64),
        np.array([rule.min_before for rule in chosen], np.int64),
        np.array([rule.most_times for rule in chosen], np.int64),
    )
