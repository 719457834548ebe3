"""Rewrites in other words: terms, order and pace against plain twins; what is one and what isn't; N runs are one."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from schemas import relations
from schemas.settings import Settings
from tests.functions.made_up import (
    Article,
    Label,
    in_runs,
    labels_by_id,
    plain_run,
    settled,
    sketch_files,
    text_of,
    words_of,
)
from transforms.functions.common_words import common_terms
from transforms.functions.folding import fold_words
from transforms.functions.rewriting import (
    EMPTY,
    FEWEST_ARTICLES,
    MOST_WEIGHT,
    block_of,
    compare,
    count_terms,
    heaviest_in_order,
)
from transforms.functions.shingling import hash_words, hash_words_and_terms

SAME_TERM = [
    ("Barack", "Barak"), ("Nikolas", "Nicholas"), ("Zelensky", "Zelenskiy"), ("Schultz", "Shultz"),
    ("markets", "market"), ("Philip", "Filip"), ("الحوثيين", "والحوثيون"), ("المدينة", "مدينه"), ("قطاع", "وقطاع"),
    ("غاز", "جاز"), ("الاتحاد", "اتحاد"),
]  # fmt: skip
OTHER_TERM = [("Berlin", "Dublin"), ("market", "minister"), ("1980", "1981"), ("الرياض", "القاهرة"), ("قطر", "مصر")]


def terms(text: str) -> list[int]:
    return hash_words_and_terms(pa.array([text]))[2].tolist()


@pytest.mark.parametrize(("one", "other"), SAME_TERM)
def test_spellings_and_endings_come_together(one: str, other: str) -> None:
    assert terms(one) == terms(other) != [0]


@pytest.mark.parametrize(("one", "other"), OTHER_TERM)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert terms(one) != terms(other)


@given(st.lists(st.text(max_size=40), max_size=5))
@example(["the cat, 12 فى بيت 東京の天気 naïve"])
def test_every_word_has_its_term_and_numbers_are_marked(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    words, _, found = hash_words_and_terms(pa.array(texts, pa.string()))
    plain = [word for text in texts for word in fold_words(text)]
    assert len(found) == len(words) == len(plain)
    assert np.array_equal(words, hash_words(pa.array(texts, pa.string()))[0])
    for word, term in zip(plain, found.tolist(), strict=True):
        assert (term & 1) == any("0" <= letter <= "9" for letter in word)
        if word.isascii() and word.isalpha():
            assert (term == 0) == (len(word) < 4)


def heaviest(places: list[int], weights: list[int]) -> int:
    best = [0] * len(places)
    for at, place in enumerate(places):
        best[at] = weights[at] + max((best[one] for one in range(at) if places[one] < place), default=0)
    return max(best, default=0)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), max_size=25))
def test_the_heaviest_sequence_is_as_heavy_as_by_trying(rows: list[tuple[int, int]]) -> None:
    places = np.array([place for place, _ in rows], np.int64)
    weights = np.array([weight for _, weight in rows], np.int32)
    chain = heaviest_in_order(places, weights, 13)
    assert np.all(np.diff(chain) > 0)
    assert np.all(np.diff(places[chain]) > 0)
    assert int(weights[chain].sum()) == heaviest(places.tolist(), weights.tolist())


def test_a_term_is_counted_once_an_article_and_near_copies_once() -> None:
    articles = [
        Article("a", "Zanzibar Zanzibar harbour pilots"), Article("b", "pilots over Zanzibar"),
        Article("c", text_of(1, 60)), Article("d", text_of(1, 60) + " "),
    ]  # fmt: skip
    sketches = sketch_files([articles])
    found = count_terms(sketches, sketches.handles(0))
    [zanzibar] = terms("Zanzibar")
    assert found.counts[(zanzibar >> 1) & (len(found.counts) - 1)] == 2
    assert found.articles == 3, "the two of the same words count once"
    assert count_terms(sketches, sketches.handles(0)[:0]) is EMPTY


def figures(one: str, other: str) -> dict[str, int]:
    """What two texts have in common, among no others."""
    sketches = sketch_files([[Article("one", one), Article("other", other)]])
    handles = sketches.handles(0)
    block = block_of(sketches, handles, sketches.days(0), (EMPTY, EMPTY, EMPTY))
    [found] = compare(block, np.array([0]), np.array([1]))
    return dict(zip(found.dtype.names, found.tolist(), strict=True))


def test_order_height_and_pace() -> None:
    text = [f"Kobrandt{letter}k" for letter in "bdfglmnprt"]
    weight = int(100 * np.log(0.2 * FEWEST_ARTICLES / 2))
    assert weight < MOST_WEIGHT
    same = figures(" ".join([*text, "12", "14"]), " ".join([*text, "12", "15"]))
    assert same["shared_weight"] == same["level_weight"] == same["paced_weight"] == 11 * weight
    assert same["left_weight"] == same["right_weight"] == 12 * weight
    assert (same["left_figures"], same["right_figures"], same["figures_shared"]) == (2, 2, 1)
    turned = figures(" ".join(text), " ".join(reversed(text)))
    assert turned["shared_weight"] == 10 * weight
    assert turned["paced_weight"] == 0, "one term in order has nobody to be in step with"
    common = figures("government minister president Kobrandtbk", "government minister president Kobrandtbk")
    assert common["shared_weight"] == weight
    assert len(common_terms()) > 300


@given(st.integers(0, 10**6))
def test_which_one_comes_first_decides_nothing(seed: int) -> None:
    drawn = random.Random(seed)
    words = words_of(seed, 12)
    one, other = ([drawn.choice(words) for _ in range(drawn.randint(1, 30))] for _ in range(2))
    there, back = figures(" ".join(one), " ".join(other)), figures(" ".join(other), " ".join(one))
    assert there == {
        name.replace("left_", "!").replace("right_", "left_").replace("!", "right_"): value
        for name, value in back.items()
    }


def spun(text: str, seed: int, kept: float = 0.35) -> str:
    """Most words replaced by other made-up ones, one for one; numbers stay."""
    drawn = random.Random(seed)
    other = iter(words_of(seed + 7, len(text.split())))
    return " ".join(
        word if word.isdigit() or drawn.random() < kept else replaced
        for word, replaced in zip(text.split(), other, strict=True)
    )


def story(seed: int) -> str:
    return f"{text_of(seed, 90)} 1{seed % 10}4 {text_of(seed + 1000, 70)} 27 {text_of(seed + 2000, 40)}"


def own_report(seed: int) -> str:
    """Of the same event: every sixth word of the story, in another order, among others."""
    names = story(seed).split()[::6]
    random.Random(seed).shuffle(names)
    return " ".join(f"{name} {text_of(place + seed + 5000, 5)}" for place, name in enumerate(names))


def crowd(day: int | None, count: int = 30) -> list[Article]:
    return [Article(f"other {day} {one}", text_of(90_000 + one, 150), day) for one in range(count)]


def run_labels(articles: list[Article], **assignments: str) -> dict[str, Label]:
    given = Settings().replace({key.replace("__", "."): value for key, value in assignments.items()})
    catalogue, related, _ = plain_run([articles], given)
    return labels_by_id(catalogue, related)


@pytest.mark.parametrize("day", [20_000, None])
def test_a_spun_text_is_a_rewrite_of_the_earlier_one(day: int | None) -> None:
    source, rewrite = Article("wire", story(3), day), Article("spun", spun(story(3), 3), day and day + 1)
    own, later = Article("own", own_report(3), day), Article("later", spun(story(3), 4), 20_020)
    labels = run_labels([rewrite, own, later, source, *crowd(day), *crowd(20_020)])
    first, second = (source, rewrite) if day is not None else sorted([source, rewrite], key=lambda one: one.id)
    assert labels[second.id] == Label(relations.REWRITE, second.id, first.id, second.id)
    assert labels[first.id] == Label(relations.KEPT, first.id, None, first.id), "a rewrite chains no stories"
    assert own.id not in labels, "another outlet's own report of the event"
    assert later.id not in labels, "weeks later"


def test_the_credited_wire_is_the_source_though_it_came_later() -> None:
    wire = Article("wire", story(5), 20_001, source="Reuters", agency="Reuters")
    paper = Article("paper", spun(story(5), 5), 20_000, source="Daily", agency="Reuters")
    labels = run_labels([wire, paper, *crowd(20_000)])
    assert labels[paper.id] == Label(relations.REWRITE, paper.id, wire.id, paper.id)
    assert labels[wire.id].relation == relations.KEPT


def test_dropped_rewrites_are_stood_for_by_their_source() -> None:
    source, rewrite = Article("wire", story(6), 20_000), Article("spun", spun(story(6), 6), 20_001)
    copy = Article("copy of the rewrite", rewrite.text + " " + text_of(1, 8), 20_002)
    labels = run_labels([source, rewrite, copy, *crowd(20_000)], relate__drop="exact,near,contained,rewrite")
    kept = {labels[one.id].kept for one in (source, rewrite, copy)}
    assert kept == {source.id}
    assert {labels[one.id].relation for one in (rewrite, copy)} == {relations.REWRITE}
    assert {labels[one.id].derived for one in (rewrite, copy)} == {source.id}


def test_copies_have_the_rows_of_what_stands_for_them() -> None:
    """The match with the source is there for each near-identical version of it."""
    source, rewrite = Article("wire", story(8), 20_000), Article("spun", spun(story(8), 8), 20_001)
    versions = [Article(f"print {one}", source.text + f" {text_of(one, 3)}", 20_000) for one in range(3)]
    catalogue, related, _ = plain_run([[rewrite, source, *versions, *crowd(20_000)]])
    rows = related.matches.filter(pa.compute.equal(related.matches.column("relation"), relations.REWRITE)).to_pylist()
    pairs = {frozenset((row["left_id"], row["right_id"])) for row in rows}
    assert pairs == {frozenset((one.id, rewrite.id)) for one in (source, *versions)}
    assert all(row["accepted"] and row["shared_weight"] > 0 and "in other words" in row["reason"] for row in rows)
    assert catalogue.counted.all()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_many_runs_end_where_one_does(seed: int, runs: int) -> None:
    """Rewrites, near copies of sources and of one topic over months, in any order of arrival."""
    drawn = random.Random(seed)
    articles: list[Article] = []
    for number in range(6):
        day = drawn.choice([None, *range(20_000, 20_130)])
        source = story(seed % 1000 + 10 * number)
        articles.append(Article(f"wire {number}", source, day))
        for one in range(drawn.randint(1, 2)):
            late = None if day is None else day + drawn.randint(0, 4)
            articles.append(Article(f"spun {number} {one}", spun(source, seed + number + one), late))
        articles.append(Article(f"print {number}", source + " " + text_of(number, 6), day))
        articles += [Article(f"topic {number} {one}", f"{own_report(number)} {one}", day) for one in range(2)]
    batches: list[list[Article]] = [[] for _ in range(runs)]
    for one_article in articles:
        drawn.choice(batches).append(one_article)
    whole = run_labels(articles)
    assume(sum(label.relation == relations.REWRITE for label in whole.values()) >= 3)
    assert in_runs(*batches) == settled(whole)
