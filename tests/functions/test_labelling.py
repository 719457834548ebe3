"""From sketches to labels and match rows, over made-up articles from end to end without Beam."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from schemas.tables import MATCH, MATCH_COUNTS
from tests.functions.made_up import (
    DEFAULTS,
    Article,
    HeldMatches,
    Label,
    article_id,
    in_runs,
    labels_by_id,
    plain_run,
    settled,
    sketch_files,
    tables_of,
    text_of,
    words_of,
)
from transforms.functions.catalogue import NO_TIME, read_catalogue
from transforms.functions.joining import PAIR
from transforms.functions.labelling import MAX_CLUSTER_PAIRS, MAX_TWIN_ROWS, match_rows, stored_pairs, swap_sides
from transforms.functions.matching import weigh
from transforms.functions.sketch_files import SketchFiles

STORY, LONG = text_of(1, 200), text_of(1, 200) + " " + text_of(2, 100)


def labels_of(*articles: Article, files: int = 1) -> dict[str, Label]:
    catalogue, related, _ = plain_run([articles[number::files] for number in range(files)])
    return labels_by_id(catalogue, related)


def rows_of(*articles: Article) -> list[dict[str, object]]:
    _, related, _ = plain_run([articles])
    return related.matches.to_pylist()


def test_the_same_words_are_one_node() -> None:
    articles = [
        Article("late", "Harbour closed, again!", 5),
        Article("early", "harbour closed again", 3),
        Article("other", "harbour closed once more", 1),
        Article("unclean", "harbour CLOSED again", 3, removed_share=0.2),
        Article("undated", "harbour closed again", None),
    ]
    catalogue = read_catalogue(sketch_files([articles[:2], articles[2:]]), 0)
    assert catalogue.node.tolist() == [1, 1, 2, 1, 1]
    assert catalogue.published[4] == NO_TIME
    assert catalogue.handles[~catalogue.stands].tolist() == [catalogue.handles[place] for place in (0, 3, 4)]


def test_the_credited_outlet_stands_for_its_copies() -> None:
    articles = [
        Article("paper", STORY, 1, source="river-paper.example", agency="Reuters"),
        Article("wire", STORY, 2, source="reuters.example", agency="Reuters"),
        Article("silent", STORY, 1, source="river-paper.example"),
    ]
    assert read_catalogue(sketch_files([articles]), 0).node.tolist() == [1, 1, 1]


def test_of_equals_the_lowest_id_stands_for_all() -> None:
    articles = [Article(str(number), STORY) for number in range(12)]
    lowest = min(range(12), key=lambda number: articles[number].id)
    assert set(read_catalogue(sketch_files([articles]), 0).node.tolist()) == {lowest}


def test_repeats_do_not_count() -> None:
    """An id that comes again: the earliest of a run counts, and always the store's own."""
    again = [Article("a", STORY, 9), Article("a", STORY, 4), Article("b", LONG, 5)]
    catalogue = read_catalogue(sketch_files([again[:1], again[1:]]), 0)
    assert catalogue.counted.tolist() == [False, True, True]
    stored = read_catalogue(sketch_files([again[:1], again[1:]]), 1 << 24)
    assert stored.counted.tolist() == [True, False, True]
    assert stored.handles[~stored.stands].tolist() == [stored.handles[1]]
    found, related, _ = plain_run([again[:1], again[1:]])
    assert len(related.articles) == 2
    assert labels_by_id(found, related)[article_id("a")].kept == article_id("b")


def test_the_store_s_own_counts_however_old_it_is() -> None:
    """Times before 1970 are negative numbers."""
    again = [Article("a", STORY, -5000)]
    assert read_catalogue(sketch_files([again, again]), 1 << 24).counted.tolist() == [True, False]


def test_no_files_and_no_articles() -> None:
    catalogue = read_catalogue(SketchFiles([], dict.__getitem__), 0)  # type: ignore[arg-type]
    assert len(catalogue.handles) == len(catalogue.handles[~catalogue.stands]) == 0
    assert labels_of() == {}
    assert labels_of(Article("a", STORY)) == {}


def test_nothing_is_weighed_where_there_are_no_files() -> None:
    none = SketchFiles([], dict.__getitem__)  # type: ignore[arg-type]
    tables = tables_of(none, read_catalogue(none, 0))
    assert len(weigh(none, np.empty(0, PAIR), tables, DEFAULTS.match)) == 0


def test_all_copies() -> None:
    articles = [Article(str(number), STORY, 20_000 + number % 3) for number in range(30)]
    earliest = min((one for one in articles if one.day == 20_000), key=lambda one: one.id)
    found = labels_of(*articles)
    lowest = min(one.id for one in articles)
    for one in articles:
        relation = "kept" if one is earliest else "exact"
        assert found[one.id] == Label(relation, earliest.id, None, lowest)
    rows = rows_of(*articles)
    # One row for each copy and its keeper, and no more.
    assert len(rows) == 29
    for row in rows:
        assert (row["relation"], row["accepted"], row["contained_side"]) == ("exact", True, "both")
        assert earliest.id in (row["left_id"], row["right_id"])
        assert row["left_id"] < row["right_id"]
        assert (row["jaccard"], row["left_words"], row["shared"]) == (1.0, 200, 196)


def test_the_whole_story_and_what_became_of_it() -> None:
    words = STORY.split()
    edited = " ".join([*words[:80], "edited", *words[81:]])
    articles = {
        "story": Article("story", LONG, 100),
        "exact": Article("exact", LONG.upper(), 101),
        "near": Article("near", LONG + " advertisement", 102),
        "cut": Article("cut", " ".join(words[:120]), 101),
        "edited": Article("edited", edited, 101),
        "partial": Article("partial", " ".join(words[:70]) + " " + text_of(9, 150), 103),
        "other": Article("other", text_of(10, 200), 100),
    }
    found = labels_of(*articles.values(), files=3)
    keeper = articles["story"].id
    relations = {name: found[one.id].relation for name, one in articles.items() if one.id in found}
    assert relations == {
        "story": "kept", "exact": "exact", "near": "near", "cut": "contained", "edited": "contained",
        "partial": "partial",
    }  # fmt: skip
    assert {found[articles[name].id].kept for name in ("story", "exact", "near", "cut", "edited")} == {keeper}
    assert found[articles["partial"].id].kept == articles["partial"].id
    assert found[articles["partial"].id].derived == keeper
    members = [articles[name].id for name in ("story", "exact", "near", "cut", "edited")]
    assert {found[one].story for one in members} == {min(members)}


def family(seed: int) -> list[Article]:
    """A story, exact and near copies of it, cuts, a partial one, a brief, and another, on two days."""
    words = words_of(seed, 300)
    out = [Article(f"{seed} whole {n}", " ".join(words) + " local" * n, 100 + n % 2) for n in range(3)]
    out += [Article(f"{seed} twin {n}", " ".join(words).upper(), 100 + n) for n in range(2)]
    out += [Article(f"{seed} cut {n}", " ".join(words[: 150 + 9 * (n // 2)]), 101) for n in range(4)]
    out += [Article(f"{seed} end", " ".join(words[100:]), 101)]
    out += [Article(f"{seed} part", " ".join(words[:80] + words_of(seed + 50, 121)), 101)]
    out += [Article(f"{seed} brief", " ".join(words[:20]), 101)]
    return [*out, Article(f"{seed} own", text_of(seed + 90, 111), 100)]


@settings(max_examples=12, phases=[Phase.generate])
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_order_and_files_decide_nothing(seed: int, files: int) -> None:
    both = " ".join(one.text for one in (family(1)[5], family(2)[5]))
    articles = [*family(1), *family(2), Article("round-up", both + " that was the week", 101)]
    catalogue, related, _ = plain_run([articles])
    shuffled = random.Random(seed).sample(articles, len(articles))
    again, again_related, _ = plain_run([shuffled[number::files] for number in range(files)])
    assert labels_by_id(again, again_related) == labels_by_id(catalogue, related)
    assert again_related.matches.equals(related.matches)
    found = {label.relation for label in labels_by_id(catalogue, related).values()}
    assert found == {"kept", "exact", "near", "contained", "partial"}


def test_every_copy_has_its_match_row() -> None:
    articles = [*family(1), *family(2)]
    catalogue, related, _ = plain_run([articles])
    rows = {(row["left_id"], row["right_id"]): row for row in related.matches.to_pylist()}
    copies = 0
    for name, label in labels_by_id(catalogue, related).items():
        if label.relation in ("exact", "near", "contained"):
            row = rows[min(name, label.kept), max(name, label.kept)]
            side = "left" if name < label.kept else "right"
            assert row["accepted"]
            assert row["relation"] == label.relation
            assert row["contained_side"] in (side, "both")
            copies += 1
    assert copies == 18


@pytest.mark.parametrize("turned", [False, True])
def test_rows_are_oriented_by_id(turned: bool) -> None:
    """Twins of a cut and of its story, whatever their ids' order: each row's counts are those of its own sides."""
    texts = {"cut": " ".join(LONG.split()[:150]), "whole": LONG}
    articles = [Article(f"{kind} {number}", text) for kind, text in texts.items() for number in range(4)]
    articles = articles[::-1] if turned else articles
    kind = {one.id: one.name.split()[0] for one in articles}
    rows = rows_of(*articles)
    ends = [(row["left_id"], row["right_id"]) for row in rows]
    assert ends == sorted(set(ends))
    lengths = {"cut": 150, "whole": 300}
    orders = set()
    for row in rows:
        left, right = kind[row["left_id"]], kind[row["right_id"]]
        orders.add((left, right))
        assert row["left_id"] < row["right_id"]
        assert (row["left_words"], row["right_words"]) == (lengths[left], lengths[right])
        assert (row["left_shingles"], row["right_shingles"]) == (lengths[left] - 4, lengths[right] - 4)
        assert (row["left_rare"], row["right_rare"]) == (lengths[left] - 2, lengths[right] - 2)
        if left != right:
            assert row["contained_side"] == ("left" if left == "cut" else "right")
            assert row["relation"] == "contained"
    assert {("cut", "whole"), ("whole", "cut")} <= orders
    across = [row for row in rows if kind[row["left_id"]] != kind[row["right_id"]]]
    assert len(across) == 16 <= MAX_TWIN_ROWS


def test_rows_are_those_of_the_schema() -> None:
    _, related, _ = plain_run([family(1)])
    assert related.matches.schema.names == [name for name in MATCH.names if name not in ("run_id", "schema_version")]
    related.matches.validate(full=True)
    assert all(related.matches.column(name).null_count == 0 for name in MATCH_COUNTS)


def test_swapping_sides() -> None:
    sketches = sketch_files([[Article("a", STORY), Article("b", LONG)]])
    catalogue = read_catalogue(sketches, 0)
    _, related, _ = plain_run([[Article("a", STORY), Article("b", LONG)]])
    pairs = stored_pairs(catalogue, related.matches)
    swapped = swap_sides(pairs["evidence"])
    assert swapped["left_words"] == pairs["evidence"]["right_words"] != pairs["evidence"]["left_words"]
    assert swapped["shared"] == pairs["evidence"]["shared"]
    assert (swap_sides(swapped) == pairs["evidence"]).all()


@pytest.mark.parametrize("seed", range(3))
def test_stored_matches_come_back_as_they_were(seed: int) -> None:
    """Through the store: the rows of one run, read over files in another order, give each pair of nodes again."""
    articles = [*family(1), *family(2)]
    _, related, _ = plain_run([articles])
    shuffled = random.Random(seed).sample(articles, len(articles))
    catalogue, _, _ = plain_run([shuffled[:9], shuffled[9:]])
    pairs = stored_pairs(catalogue, related.matches)
    assert (pairs["left"] < pairs["right"]).all()
    rows = {(row["left_id"], row["right_id"]): row for row in related.matches.to_pylist()}
    node = dict(zip(catalogue.ids.to_pylist(), catalogue.node.tolist(), strict=True))
    assert len(pairs) == len({frozenset((node[a], node[b])) for a, b in rows if node[a] != node[b]})
    for row in match_rows(catalogue, pairs, DEFAULTS).to_pylist():
        assert row == rows[row["left_id"], row["right_id"]]
    few = read_catalogue(sketch_files([shuffled[1:]]), 0)
    assert len(stored_pairs(few, related.matches)) <= len(pairs)
    assert len(stored_pairs(catalogue, related.matches.slice(0, 0))) == 0


def in_two_runs(first: list[Article], second: list[Article]) -> dict[str, Label]:
    return in_runs(first, second)


def test_two_runs_of_two_stories_end_where_one_does() -> None:
    assert in_two_runs(family(1), family(2)) == settled(labels_of(*family(1), *family(2)))


def test_a_late_copy_joins_its_story_in_a_second_run() -> None:
    for late in range(len(family(1))):
        first = [one for place, one in enumerate(family(1)) if place != late]
        assert in_two_runs(first, [family(1)[late]]) == settled(labels_of(*family(1)))


def test_two_runs_end_where_one_does() -> None:
    articles = [*family(1), *family(2)]
    shuffled = random.Random(0).sample(articles, len(articles))
    assert in_two_runs(shuffled[:12], shuffled[12:]) == settled(labels_of(*articles))


def weekly(number: int) -> Article:
    """A tide table: a template that comes back week after week."""
    names = words_of(500 + number, 6)
    body = words_of(77, 60)
    for place, name in enumerate(names):
        body[place * 10] = name
    return Article(f"tides {number}", " ".join(body), 100 + 7 * number)


def test_a_template_is_no_copy() -> None:
    assert {label.relation for label in labels_of(*map(weekly, range(8))).values()} == {"kept"}
    # Two of them alone can't be known to be one.
    assert {label.relation for label in labels_of(weekly(0), weekly(1)).values()} == {"kept", "near"}


def test_daily_runs_end_where_one_batch_does_when_rarity_changes() -> None:
    articles = [weekly(number) for number in range(8)]
    assert in_two_runs(articles[:2], articles[2:]) == settled(labels_of(*articles))


def half_a_year() -> list[Article]:
    """Stories of several months, a template, undated copies, and copies that come weeks and months later."""
    out = [weekly(number) for number in range(0, 26, 2)]
    for number, base in enumerate((0, 40, 75, 150)):
        out += [dataclasses.replace(one, day=(one.day or 0) + base) for one in family(number + 1)[::2]]
    first = family(1)[0]
    out += [Article("old twin", first.text.upper(), 190), Article("earlier twin", first.text + "!", 20)]
    out += [Article("undated twin", first.text + "?", None), Article("undated cut", first.text[:900], None)]
    out += [Article("later version", first.text + " " + text_of(70, 40), 100 + 29)]
    both = " ".join(family(number)[5].text for number in (1, 2))
    return [*out, Article("round-up", both + " that was the week", 128), Article("undated own", text_of(71, 90), None)]


@settings(max_examples=10, phases=[Phase.explicit, Phase.generate], deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6))
@example(1737, 4)  # an earlier twin comes to stand for a story whose part was matched with the later ones
def test_many_runs_over_half_a_year_end_where_one_does(seed: int, runs: int) -> None:
    """Each run decides anew only what lies near what it brings, and takes the rest from the runs before."""
    articles = half_a_year()
    chance = random.Random(seed)
    batches: list[list[Article]] = [[] for _ in range(runs)]
    for one in chance.sample(articles, len(articles)):
        batches[chance.randrange(runs)].append(one)
    found = in_runs(*batches)
    assert found == settled(labels_of(*articles))
    assert {label.relation for label in found.values()} == {"kept", "exact", "near", "contained", "partial"}


def test_a_run_decides_anew_only_what_is_near() -> None:
    articles = half_a_year()
    old = [one for one in articles if one.day is not None and one.day < 145]
    _, related, _ = plain_run([old])
    new = [one for one in articles if one.day is not None and (one.day >= 250 or one.day == 190)]
    held = HeldMatches()
    held.add(related.matches)
    catalogue, again, _ = plain_run([old, new], first_new=1 << 24, earlier=held)
    untouched = catalogue.ids.filter(pa.array(~again.touched)).to_pylist()
    # "old twin" has the words of a story of day 100: that story is related anew, what else is old stays as it is.
    assert {article_id(one.name) for one in family(2)[::2]} <= set(untouched)
    assert article_id("old twin") not in untouched


def versions(count: int) -> list[Article]:
    """A story, and so many cuts of it to three fifths, each with a word of its own."""
    words = words_of(3, 300)
    cuts = []
    for number in range(count):
        cut = words[:180]
        cut[5 + 170 * number // count] = f"edit{chr(97 + number % 26)}{chr(97 + number // 26)}"
        cuts.append(Article(f"cut {number}", " ".join(cut), 100 + number % 2))
    return [Article("whole", " ".join(words), 100), *cuts]


def test_versions_of_a_cut_are_in_the_whole() -> None:
    articles = versions(60)
    assert {label.kept for label in labels_of(*articles).values()} == {articles[0].id}


def test_many_versions_of_a_cut_are_in_the_whole() -> None:
    articles = versions(MAX_CLUSTER_PAIRS + 20)
    assert {label.kept for label in labels_of(*articles).values()} == {articles[0].id}


def test_a_round_up_joins_no_stories() -> None:
    first, second = text_of(31, 150), text_of(32, 140)
    articles = [
        Article("one", first, 100), Article("copy", first + " more", 101), Article("two", second, 100),
        Article("week", f"{first} {second}", 105),
    ]  # fmt: skip
    found = labels_of(*articles)
    one, copy, two, week = (found[article.id] for article in articles)
    assert (one.relation, copy.kept, two.relation) == ("kept", articles[0].id, "kept")
    assert (week.relation, week.kept) == ("partial", articles[3].id)
    assert len({one.story, two.story, week.story}) == 3


def test_twenty_thousand_of_the_same_words_are_one_node() -> None:
    """They are one node: no pair of them is proposed."""
    count = 20_000
    table = sketch_files([[Article("seed", STORY)]]).table(0)
    ids = pa.array([article_id(str(number)) for number in range(count)])
    rows = table.take(pa.array(np.zeros(count, np.int64))).set_column(0, table.schema.field(0), ids)
    catalogue = read_catalogue(SketchFiles(["0"], lambda _path, columns: rows.select(list(columns))), 0)
    assert len(catalogue.handles[~catalogue.stands]) == count - 1
    assert set(catalogue.node.tolist()) == {ids.to_pylist().index(min(ids.to_pylist()))}
