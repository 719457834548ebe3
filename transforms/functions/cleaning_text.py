"""Takes what is not the article out of article texts, and records every span taken out."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.settings import CleanSettings
from schemas.tables import REMOVED, REMOVED_SPAN
from transforms.functions.cutting import (
    Spans,
    count_characters,
    count_removed,
    cut_spans,
    join_spans,
    keep_composed,
    settle_spans,
)
from transforms.functions.furniture_spans import FURNITURE_RULES
from transforms.functions.given_forms import DROPPED_RULES, find_given_forms
from transforms.functions.language import encode_tags, fill_languages
from transforms.functions.line_table import LineTable, find_lines
from transforms.functions.markup import MARKUP_RULES
from transforms.functions.packed_text import PackedText, pack, unpack
from transforms.functions.related_lists import find_related_lists
from transforms.functions.rule_matching import run_rules, without_headings
from transforms.functions.rules import Lifted, RuleSet, choose_rules
from transforms.functions.site_marks import SITE_CATEGORIES
from transforms.functions.structure import STRUCTURE_RULES, find_structure, headline_lines, prose_words
from transforms.functions.tail_sentences import cut_tail_sentences
from transforms.functions.unicode_text import normalise, normalise_texts
from transforms.functions.wire import WIRE_RULES, lift_wire
from transforms.functions.without_markup import strip_markup
from transforms.functions.word_counts import count_words
from transforms.functions.wrapped_lines import join_wrapped

__all__ = ["CleanedTexts", "clean_texts", "normalise_texts"]

KEPT_WHOLE = ("guard.kept_whole", "flag")


@dataclass(frozen=True, eq=False)
class _Tags:
    """What spans' tags stand for: rules by their numbers, then wire forms, shapes, markup, dropped forms, the flag.

    `rules`, `categories`: string[t]. `off`, `related`, `comments`: bool[t], what is switched off, and the categories
    that structure asks for; `site`: int32[t], places in SITE_CATEGORIES, -1 for others. The rest: the first tags of
    each kind, `listed` that of `shape.related`.
    """

    rules: pa.StringArray
    categories: pa.StringArray
    off: npt.NDArray[np.bool_]
    related: npt.NDArray[np.bool_]
    comments: npt.NDArray[np.bool_]
    site: npt.NDArray[np.int32]
    wire: int
    shapes: int
    listed: int
    markup: int
    dropped: int
    kept_whole: int


@functools.lru_cache(maxsize=32)
def _tags_of(rule_set: RuleSet, disabled: tuple[str, ...]) -> _Tags:
    own = [(rule.id, rule.category) for rule in rule_set.rules]
    kinds = [
        own,
        WIRE_RULES.items(),
        STRUCTURE_RULES.items(),
        MARKUP_RULES.items(),
        DROPPED_RULES.items(),
        [KEPT_WHOLE],
    ]
    wire, shapes, markup, dropped, kept_whole = np.cumsum([len(kind) for kind in kinds[:-1]]).tolist()
    rules, categories = zip(*(name for kind in kinds for name in kind), strict=True)
    cut = range(markup)  # what else is switched off is never made a span
    return _Tags(
        pa.array(rules, pa.string()),
        pa.array(categories, pa.string()),
        np.array(
            [k in cut and (rules[k] in disabled or categories[k] in disabled) for k in range(len(rules))], np.bool_
        ),
        np.array([name == "related" for name in categories], np.bool_),
        np.array([name == "comments" for name in categories], np.bool_),
        np.array([SITE_CATEGORIES.index(name) if name in SITE_CATEGORIES else -1 for name in categories], np.int32),
        wire,
        shapes,
        shapes + list(STRUCTURE_RULES).index("shape.related"),
        markup,
        dropped,
        kept_whole,
    )


@dataclass(frozen=True)
class CleanedTexts:
    """Cleaned articles, one row each.

    `text`: string[n], NFC, paragraphs separated by one newline, lines broken at a width joined. `removed`:
    `schemas.tables.REMOVED`[n]; putting the spans back (ascending `at`, equal ones in list order) gives the normalised
    input but for joined lines, or what is the same once it is normalised: entities escaped twice stand in a span as
    given, and C1 controls that stand for no character have their own.
    `title`: as given, or a first line that looks like a headline, which stays in the text too. `language`: as given,
    else detected; null where unsure. `byline`, `dateline` (the place), `dateline_date` (as printed), `agency`: null
    where none was found. `removed_share`: float32[n], characters removed of those of the normalised input. `words`:
    int32[n] words left, counted up to `CleanSettings.min_words` and at least 1; a character of a script without spaces
    counts as one.
    """

    text: pa.StringArray
    removed: pa.ListArray
    title: pa.StringArray
    language: pa.StringArray
    byline: pa.StringArray
    dateline: pa.StringArray
    dateline_date: pa.StringArray
    agency: pa.StringArray
    removed_share: npt.NDArray[np.float32]
    words: npt.NDArray[np.int32]


def clean_texts(
    texts: pa.StringArray, titles: pa.StringArray, languages: pa.StringArray, settings: CleanSettings
) -> CleanedTexts:
    """Article texts without the boilerplate around and between their paragraphs.

    Args:
        texts: string[n] as given.
        titles: string[n], nulls where unknown.
        languages: string[n] BCP 47 tags, nulls where unknown: detected then, for rules that only some languages have.

    Raises:
        SettingError: `settings.disabled` names no rule and no category.
        ValueError: the columns differ in length.
    """
    if not len(texts) == len(titles) == len(languages):
        raise ValueError(f"columns of {len(texts)}, {len(titles)} and {len(languages)} rows; expected equal lengths")
    rule_set = rules_for(settings)
    tags = _tags_of(rule_set, tuple(settings.disabled))
    normal = normalise(texts)
    normalised, lines = pack(normal.texts), find_lines(pack(normal.lines_as_given))
    given, markup = normalised, None
    if settings.level != "off":
        given = join_wrapped(texts, normal, lines, normalised)
        markup = strip_markup(given, normal.markup, settings.disabled)
    packed = given if markup is None else markup.left
    if packed is not normalised or normal.lines_as_given is not normal.texts:
        lines = find_lines(packed)
    languages = fill_languages(languages, packed, lines)
    lifted = Lifted()
    spans = _find_boilerplate(rule_set, tags, packed, lines, languages, settings.level, lifted)
    spans = keep_composed(packed, settle_spans(packed, lines, spans))
    characters = count_characters(packed.data, packed.offsets)
    spans, kept_whole = _guard(packed, lines, spans, characters, settings.max_removed_share)
    title = headline_lines(packed, lines, titles, spans)
    if markup is not None:
        spans = markup.spans_of_given(spans, tags.markup)
        characters = count_characters(given.data, given.offsets)
    forms = find_given_forms(texts, given, normal.changed) if len(normal.changed) else None
    if forms is not None:
        spans = forms.dropped(spans, tags.dropped)
    cut = cut_spans(given, spans)
    removed = unpack(cut.removed) if forms is None else forms.put_into(unpack(cut.removed), given, spans)
    text = unpack(cut.kept if len(spans) else given)
    share = cut.removed_characters / np.maximum(characters, 1)
    return CleanedTexts(
        text,
        _removed_column(len(packed), tags, spans, cut.at, removed, kept_whole),
        pc.coalesce(titles, title),
        languages,
        _sparse(lifted.values["byline"], len(packed)),
        _sparse(lifted.values["dateline"], len(packed)),
        _sparse(lifted.values["dateline_date"], len(packed)),
        _sparse(lifted.values["agency"], len(packed)),
        share.astype(np.float32),
        count_words(pack(text), max(settings.min_words, 1)),
    )


def _find_boilerplate(
    rule_set: RuleSet,
    tags: _Tags,
    packed: PackedText,
    lines: LineTable,
    languages: pa.StringArray,
    level: str,
    lifted: Lifted,
) -> Spans:
    """What rules, wire forms and structure cut, with overlaps."""
    if level == "off":
        return join_spans([])
    known = encode_tags(languages)
    every = run_rules(rule_set, packed, lines, known, lifted)
    found = without_headings(rule_set, packed, lines, every)
    by_rules = join_spans([found, cut_tail_sentences(rule_set, packed, lines, found, known, lifted)])
    parts = [by_rules, lift_wire(packed, lines, by_rules, lifted).tagged_from(tags.wire)]
    if level == "full":
        related = by_rules.take(tags.related[by_rules.tag])
        parts.append(find_related_lists(packed, lines, related, known).tagged_from(tags.listed))
        comments = by_rules.take(tags.comments[by_rules.tag])
        site = every.take(tags.site[every.tag] >= 0)
        site = Spans(site.article, site.start, site.end, tags.site[site.tag])
        parts.append(find_structure(packed, lines, join_spans(parts), comments, site).tagged_from(tags.shapes))
    spans = join_spans(parts)
    return spans.take(~tags.off[spans.tag])


def rules_for(settings: CleanSettings) -> RuleSet:
    """The rules that are not switched off.

    Raises:
        SettingError: `settings.disabled` names no rule and no category.
    """
    return choose_rules(tuple(settings.disabled), _other_names())


def _other_names() -> tuple[str, ...]:
    """What `clean.disabled` may name besides the rules that are data."""
    others = STRUCTURE_RULES | WIRE_RULES | FURNITURE_RULES | MARKUP_RULES
    return tuple(sorted({*others, *others.values()}))


PROSE_WORDS, SENTENCE_WORDS = 60, 8
"""What is left reads as an article if it has so many words in lines of so many words or more that end like sentences.
On l3s_gn1 100 words give F1 .900 by characters, 60 .905 and 30 .909 with the same share of body kept, .984; without
this .811. Some briefs are shorter than 60 words, but so are captions and teasers."""


def _guard(
    packed: PackedText, lines: LineTable, spans: Spans, characters: npt.NDArray[np.int64], most: float
) -> tuple[Spans, npt.NDArray[np.int64]]:
    """Without the spans of articles that would lose too much, and which articles these are.

    An article of which prose is left may lose more: a page is mostly menus, and comments can be longer than anything.
    """
    if not len(spans):
        return spans, np.zeros(0, np.int64)
    share = count_removed(packed.data, spans.article, spans.start, spans.end, len(packed)) / np.maximum(characters, 1)
    over = np.flatnonzero(share > most)
    if len(over):
        over = over[prose_words(packed, lines, spans, over, SENTENCE_WORDS) < PROSE_WORDS]
    # A text that is nothing but boilerplate is not emptied either, whatever the limit.
    whole = np.union1d(over, np.flatnonzero(share == 1))
    return (spans.take(~np.isin(spans.article, whole)) if len(whole) else spans), whole


def _removed_column(
    count: int,
    tags: _Tags,
    spans: Spans,
    at: npt.NDArray[np.int32],
    texts: pa.StringArray,
    kept_whole: npt.NDArray[np.int64],
) -> pa.ListArray:
    article = np.concatenate([kept_whole, spans.article.astype(np.int64)])  # flags stand first, at 0
    tag = np.concatenate([np.full(len(kept_whole), tags.kept_whole), spans.tag.astype(np.int64)])
    order = np.argsort(article, kind="stable")
    indices = pa.array(tag[order])
    flags = pa.array([""] * len(kept_whole), pa.string())
    removed = pa.concat_arrays([flags, texts]).take(pa.array(order))
    places = np.concatenate([np.zeros(len(kept_whole), np.int32), at])[order]
    structs = pa.StructArray.from_arrays(
        [tags.rules.take(indices), tags.categories.take(indices), pa.array(places, pa.int32()), removed],
        fields=[REMOVED_SPAN.field(i) for i in range(4)],
    )
    bounds = np.searchsorted(article[order], np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(bounds), structs, type=REMOVED)


def _sparse(values: dict[int, str], count: int) -> pa.StringArray:
    if not values:
        return pa.nulls(count, pa.string())
    places = np.full(count, -1, np.int64)
    places[list(values)] = np.arange(len(values))
    return pa.array(list(values.values()), pa.string()).take(pa.array(places, mask=places < 0))
