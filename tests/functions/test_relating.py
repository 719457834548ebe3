"""Stories and keepers: nobody is removed without direct evidence, and order decides nothing."""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import relations
from schemas.settings import RelateSettings
from transforms.functions.deciding import CONTAINED, EXACT, NEAR, NONE, PARTIAL, RELATION_CODES
from transforms.functions.relating import (
    BEGINNINGS,
    MOST_OF_A_ROUND_UP,
    DecidedPairs,
    Labels,
    Ranked,
    bonds,
    components,
    holders,
    rank,
    reached_from,
    relate,
    round_ups,
)

POLICIES = ("most-complete", "earliest", "wire-first")


@dataclasses.dataclass(frozen=True)
class One:
    """An article as ranked."""

    id: str
    completeness: int = 100
    origin: int = 1
    published: int = 0
    removed: float = 0.0


@dataclasses.dataclass(frozen=True)
class Link:
    """A decided pair by ids: whose text is in whose, each side's share, and whose beginning the other has."""

    left: str
    right: str
    relation: int
    left_in: bool = False
    right_in: bool = False
    left_share: float = 0.5
    right_share: float = 0.5
    left_begun: bool = False
    right_begun: bool = False


def ranked(articles: list[One]) -> Ranked:
    return Ranked(
        [one.id for one in articles],
        np.array([one.completeness for one in articles], np.int64),
        np.array([one.origin for one in articles], np.int8),
        np.array([one.published for one in articles], np.int64),
        np.array([one.removed for one in articles], np.float32),
    )


def decided(articles: list[One], links: list[Link]) -> DecidedPairs:
    at = {one.id: place for place, one in enumerate(articles)}

    def column(name: str, kind: npt.DTypeLike) -> npt.NDArray[np.generic]:
        return np.array([getattr(link, name) for link in links], kind)

    return DecidedPairs(
        np.array([at[link.left] for link in links], np.int64), np.array([at[link.right] for link in links], np.int64),
        column("relation", np.int8), column("left_in", np.bool_), column("right_in", np.bool_),
        column("relation", np.int8) != NONE, column("left_begun", np.bool_), column("right_begun", np.bool_),
        column("left_share", np.float32), column("right_share", np.float32),
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A label by ids."""

    relation: str
    kept: str
    derived: str | None
    story: str


def by_id(articles: list[One], labels: Labels) -> dict[str, Outcome]:
    ids = [one.id for one in articles]
    return {
        ids[place]: Outcome(
            relations.ARTICLE_RELATIONS[labels.relation[place]],
            ids[labels.kept[place]],
            ids[labels.derived_from[place]] if labels.derived_from[place] >= 0 else None,
            ids[labels.story[place]],
        )
        for place in range(len(ids))
    }


def outcome(
    articles: list[One], links: list[Link], keep: str = "most-complete", askable: list[Link] | None = None
) -> dict[str, Outcome]:
    def ask(wanted: list[tuple[int, int]]) -> DecidedPairs:
        known = {frozenset((link.left, link.right)): link for link in askable or []}
        asked = [(articles[a].id, articles[b].id) for a, b in wanted]
        return decided(articles, [known.get(frozenset(pair), Link(*pair, NONE)) for pair in asked])

    given_links = decided(articles, links)
    labels, _ = relate(ranked(articles), given_links, RelateSettings(keep=keep), None if askable is None else ask)
    return by_id(articles, labels)


KINDS = st.sampled_from(
    [
        (NONE, False, False), (PARTIAL, False, False), (CONTAINED, True, False), (CONTAINED, False, True),
        (NEAR, True, True), (NEAR, False, False), (EXACT, True, True),
    ]
)  # fmt: skip
SHARES = st.sampled_from([0.0, 0.3, 0.6, 0.7, 0.9, 1.0])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[One], list[Link]]:
    count = draw(st.integers(1, 8))
    names = draw(st.permutations([f"{number:032x}" for number in range(count)]))
    articles = [
        One(
            name, draw(st.sampled_from([0, 100, 104, 200])), draw(st.integers(0, 2)),
            draw(st.sampled_from([1, 2, 2**62])), draw(st.sampled_from([0.0, 0.1])),
        )
        for name in names
    ]  # fmt: skip
    links = []
    for left, right in combinations(names, 2):
        if draw(st.booleans()):
            relation, left_in, right_in = draw(KINDS)
            ends = (left, right) if draw(st.booleans()) else (right, left)
            begun = [relation != NONE and not held and draw(st.booleans()) for held in (left_in, right_in)]
            links.append(Link(*ends, relation, left_in, right_in, draw(SHARES), draw(SHARES), *begun))
    return articles, links


def turned(link: Link) -> Link:
    return Link(
        link.right, link.left, link.relation, link.right_in, link.left_in, link.right_share, link.left_share,
        link.right_begun, link.left_begun,
    )  # fmt: skip


@settings(max_examples=300)
@given(graphs(), st.sampled_from(POLICIES), st.integers(0, 10**6), st.booleans())
def test_order_decides_nothing(graph: tuple[list[One], list[Link]], keep: str, seed: int, asking: bool) -> None:
    articles, links = graph
    shuffle = random.Random(seed)
    known, askable = links, None
    if asking:
        known, askable = links[: len(links) // 2], links[len(links) // 2 :]
    wanted = outcome(articles, known, keep, askable)
    again = shuffle.sample(articles, len(articles))
    moved = [turned(link) if shuffle.random() < 0.5 else link for link in shuffle.sample(known, len(known))]
    assert outcome(again, moved, keep, askable) == wanted


def naive_round_ups(links: list[Link]) -> set[str]:
    related = {frozenset((link.left, link.right)) for link in links if link.relation != NONE}
    parts: dict[str, set[str]] = defaultdict(set)
    begun: dict[str, set[str]] = defaultdict(set)
    for link in [*links, *map(turned, links)]:
        if not link.right_in and np.float32(link.right_share) <= MOST_OF_A_ROUND_UP:
            if link.left_in:
                parts[link.right].add(link.left)
            elif link.left_begun:
                begun[link.right].add(link.left)
    return {
        one
        for one, held in parts.items()
        if len(naive_groups(held, related)) > 1
        or (begun[one] and len(naive_groups(held | begun[one], related)) >= BEGINNINGS)
    }


def naive_groups(held: set[str], related: set[frozenset[str]]) -> list[set[str]]:
    """Parts joined by relations, directly or through other parts."""
    groups = [{one} for one in held]
    for pair in combinations(sorted(held), 2):
        if frozenset(pair) in related:
            joined = [group for group in groups if group & set(pair)]
            groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    return groups


def naive_components(articles: list[One], links: list[Link]) -> npt.NDArray[np.int64]:
    """Who is joined with whom by accepted copy matches, those of a round-up only where both are in each other."""
    holders = naive_round_ups(links)
    joins = {
        frozenset((link.left, link.right))
        for link in links
        if link.relation > PARTIAL and ((link.left_in and link.right_in) or not {link.left, link.right} & holders)
    }
    groups = naive_groups({one.id for one in articles}, joins)
    return np.array([next(at for at, group in enumerate(groups) if one.id in group) for one in articles], np.int64)


@settings(max_examples=400)
@given(graphs(), st.sampled_from(POLICIES))
def test_rule_three(graph: tuple[list[One], list[Link]], keep: str) -> None:
    """Every copy has its own accepted pair with its keeper, with its text in it; keepers are kept."""
    articles, links = graph
    found = outcome(articles, links, keep)
    both_ways = {(link.left, link.right): link for link in [*links, *map(turned, links)]}
    holders = naive_round_ups(links)
    pairs = decided(articles, links)
    assert {articles[place].id for place in round_ups(pairs)} == holders
    places = {one.id: place for place, one in enumerate(articles)}
    ranks = rank(ranked(articles), keep, naive_components(articles, links))
    stories: dict[str, set[str]] = defaultdict(set)
    for name, label in found.items():
        stories[label.kept].add(name)
        if label.relation in relations.COPY_RELATIONS:
            link = both_ways[name, label.kept]
            assert link.left_in
            assert RELATION_CODES[link.relation] == label.relation
            assert found[label.kept].kept == label.kept != name
            assert label.derived is None
            assert ranks[places[label.kept]] < ranks[places[name]]
            if label.kept in holders:
                assert link.right_in
        else:
            assert label.kept == name
            assert (label.relation == relations.PARTIAL) == (label.derived is not None)
    for members in stories.values():
        assert {found[name].story for name in members} == {min(members)}


@settings(max_examples=200)
@given(graphs())
def test_an_article_that_could_be_a_copy_of_a_kept_one_is(graph: tuple[list[One], list[Link]]) -> None:
    """Nothing is kept beside a better ranked kept article that its text is in, but for round-ups."""
    articles, links = graph
    found, holders = outcome(articles, links), naive_round_ups(links)
    ranked_here = rank(ranked(articles), "most-complete", naive_components(articles, links)).tolist()
    ranks = dict(zip([one.id for one in articles], ranked_here, strict=True))
    for link in [*links, *map(turned, links)]:
        better = ranks[link.right] < ranks[link.left]
        if link.left_in and better and found[link.right].kept == link.right and not {link.left, link.right} & holders:
            assert found[link.left].kept != link.left


@settings(max_examples=200)
@given(graphs())
def test_what_is_derived_is_later(graph: tuple[list[One], list[Link]]) -> None:
    articles, links = graph
    published = {one.id: one.published for one in articles}
    found = outcome(articles, links, "earliest")
    for name, label in found.items():
        if label.derived is not None:
            assert label.derived != name
            assert published[label.derived] <= published[name]


A, B, C, D = "a" * 32, "b" * 32, "c" * 32, "d" * 32


def test_chains_remove_nothing() -> None:
    """c is in b and b is in a, but c is not in a: c stays."""
    articles = [One(A, 300), One(B, 200), One(C, 100)]
    links = [Link(B, A, CONTAINED, True), Link(C, B, CONTAINED, True)]
    assert outcome(articles, links) == {
        A: Outcome("kept", A, None, A), B: Outcome("contained", A, None, A), C: Outcome("partial", C, A, C),
    }  # fmt: skip
    assert outcome(articles, [links[0], Link(C, B, CONTAINED, True), Link(A, C, NONE)])[C].kept == C


def test_a_missing_comparison_is_asked_for() -> None:
    articles = [One(A, 300), One(B, 200), One(C, 100)]
    links = [Link(B, A, CONTAINED, True), Link(C, B, CONTAINED, True)]
    asked = outcome(articles, links, askable=[Link(A, C, CONTAINED, False, True)])
    assert asked[C] == Outcome("contained", A, None, A)
    assert outcome(articles, links, askable=[])[C].kept == C


def test_a_long_chain_of_near_texts_is_not_one_story() -> None:
    names = [f"{number:032x}" for number in range(10)]
    articles = [One(name, 100 * 2 ** (10 - place)) for place, name in enumerate(names)]
    links = [Link(a, b, NEAR, True, True) for a, b in pairwise(names)]
    found = outcome(articles, links, askable=[])
    assert [found[name].kept for name in names] == [names[place - place % 2] for place in range(10)]


def test_a_longer_version_stays_whatever_its_rank() -> None:
    """The earlier short text is in the later long one: by --keep earliest both are kept."""
    articles = [One(A, 50, published=1), One(B, 300, published=2)]
    links = [Link(A, B, CONTAINED, True, False, 1.0, 0.2)]
    assert outcome(articles, links, "most-complete")[A] == Outcome("contained", B, None, A)
    early = outcome(articles, links, "earliest")
    assert early == {A: Outcome("kept", A, None, A), B: Outcome("partial", B, A, B)}


@pytest.mark.parametrize(
    ("keep", "winner"), [("most-complete", "c"), ("earliest", "b"), ("wire-first", "d")]
)  # fmt: skip
def test_keeper_policies(keep: str, winner: str) -> None:
    articles = [
        One(A, 150, 1, 5), One(B, 100, 1, 1), One(C, 400, 2, 9), One(D, 120, 0, 7),
    ]  # fmt: skip
    links = [Link(a, b, NEAR, True, True) for a, b in combinations([A, B, C, D], 2)]
    found = outcome(articles, links, keep)
    assert {label.kept for label in found.values()} == {winner * 32}
    assert {label.story for label in found.values()} == {A}


def test_ranks_fall_back_in_turn() -> None:
    """A leftover line doesn't win; then origin, time, cleanness, and last the id."""

    def order(*articles: One) -> str:
        ranks = rank(ranked(list(articles)), "most-complete")
        return "".join(articles[place].id[0] for place in np.argsort(ranks))

    assert order(One(A, 100), One(B, 105, 0)) == "ba"
    assert order(One(A, 105, 1), One(B, 100, 0)) == "ba"
    assert order(One(A, 120, 1), One(B, 100, 0)) == "ab"
    assert order(One(A, published=2), One(B, published=1)) == "ba"
    assert order(One(A, removed=0.2), One(B, removed=0.1)) == "ba"
    assert order(One(C), One(A), One(B)) == "abc"
    assert order(One("a" * 31 + "b"), One(A)) == "aa"
    assert rank(ranked([One("a" * 31 + "b"), One(A)]), "earliest").tolist() == [1, 0]


def test_unknown_policy() -> None:
    with pytest.raises(ValueError, match=r"'newest'; expected one of most-complete, earliest, wire-first"):
        rank(ranked([One(A)]), "newest")


def round_up() -> tuple[list[One], list[Link]]:
    """d holds the unrelated a and b."""
    articles = [One(A, 100, published=1), One(B, 100, published=2), One(D, 300, published=3)]
    return articles, [Link(A, D, CONTAINED, True, False, 1.0, 0.4), Link(D, B, CONTAINED, False, True, 0.4, 1.0)]


@pytest.mark.parametrize("keep", POLICIES)
def test_a_round_up_absorbs_nobody(keep: str) -> None:
    articles, links = round_up()
    found = outcome(articles, links, keep)
    assert [found[name].kept for name in (A, B, D)] == [A, B, D]
    assert len({found[name].story for name in (A, B, D)}) == 3
    assert found[D].relation == relations.PARTIAL


def test_versions_of_one_story_are_no_round_up() -> None:
    articles, links = round_up()
    for relation in (PARTIAL, NEAR):
        found = outcome(articles, [*links, Link(A, B, relation)])
        assert [found[name].kept for name in (A, B, D)] == [D, D, D]
    # One that covers most of the holder isn't a story beside others.
    found = outcome(articles, [dataclasses.replace(links[0], right_share=0.8), links[1]])
    assert [found[name].kept for name in (A, B)] == [D, D]


def test_a_round_up_of_beginnings_absorbs_nobody() -> None:
    """d holds a whole, and the beginnings of b and c: three stories side by side."""
    articles = [One(name, 100, published=day) for day, name in enumerate((A, B, C))] + [One(D, 300, published=4)]
    whole = Link(A, D, CONTAINED, True, False, 1.0, 0.2)
    begun = [
        Link(B, D, PARTIAL, left_share=0.4, left_begun=True),
        Link(D, C, PARTIAL, right_share=0.4, right_begun=True),
    ]
    assert outcome(articles, [whole, *begun])[A].kept == A
    # One begun is not enough, nor two of which one is a version of another, nor what was taken from their midst.
    assert outcome(articles, [whole, begun[0]])[A].kept == D
    assert outcome(articles, [whole, *begun, Link(B, C, NEAR)])[A].kept == D
    assert outcome(articles, [whole, begun[0], dataclasses.replace(begun[1], right_begun=False)])[A].kept == D
    # Two begun and none held whole join nothing anyway.
    assert [label.kept for label in outcome(articles, begun).values()] == [A, B, C, D]


def test_the_same_round_up_twice_is_one() -> None:
    articles, links = round_up()
    found = outcome([*articles, One(C, 300, published=4)], [*links, Link(C, D, NEAR, True, True, 1.0, 1.0)])
    assert (found[C].kept, found[A].kept, found[B].kept) == (D, A, B)


def test_a_round_up_of_many_parts_is_one_in_any_order() -> None:
    """The one unrelated to the others is found whether it came first or last."""
    parts = [One(f"{number:032x}") for number in range(68)]
    holder = One("f" * 32, 10_000)
    held = [Link(part.id, holder.id, CONTAINED, True, False, 1.0, 0.1) for part in parts]
    related = [Link(a.id, b.id, PARTIAL) for a, b in combinations(parts[1:], 2)]
    forwards, backwards = [*parts, holder], [holder, *reversed(parts)]
    links = [*held, *related]
    found = [[order[place].id for place in round_ups(decided(order, links))] for order in (forwards, backwards)]
    assert found[0] == found[1]


def cycle() -> tuple[list[One], list[Link]]:
    """a (day 1) is a copy of the more complete c (day 3); b (day 2) took from a, and c from b."""
    articles = [One(A, 100, published=1), One(B, 100, published=2), One(C, 400, published=3)]
    return articles, [Link(A, C, CONTAINED, True), Link(A, B, PARTIAL), Link(B, C, PARTIAL)]


def test_derived_from_is_earlier_with_any_policy() -> None:
    articles, links = cycle()
    published = {one.id: one.published for one in articles}
    found = outcome(articles, links, "most-complete")
    assert all(published[label.derived] < published[name] for name, label in found.items() if label.derived)


def test_derivation_goes_one_way() -> None:
    found = outcome(*cycle(), "most-complete")
    assert (found[B].derived, found[C].derived) != (C, B)


def test_partial_names_where_most_is_from() -> None:
    articles = [One(A, published=1), One(B, published=1), One(C, published=2)]
    found = outcome(articles, [Link(A, C, PARTIAL, right_share=0.3), Link(C, B, PARTIAL, left_share=0.6)])
    assert found[C] == Outcome("partial", C, B, C)
    # Of equal shares the lower id; of equal times the one of the lower id is the source.
    found = outcome(articles, [Link(A, C, PARTIAL), Link(B, C, PARTIAL), Link(B, A, PARTIAL)])
    assert (found[C].derived, found[B].derived, found[A].derived) == (A, A, None)


def test_nothing_to_relate() -> None:
    assert outcome([One(A)], []) == {A: Outcome("kept", A, None, A)}
    assert outcome([], []) == {}
    assert outcome([One(A), One(B)], [Link(A, B, NONE)])[B] == Outcome("kept", B, None, B)


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14))
def test_components_equal_a_naive_search(n: int, edges: list[tuple[int, int]]) -> None:
    edges = [(a % n, b % n) for a, b in edges]
    group = list(range(n))
    for _ in range(n):
        for a, b in edges:
            group[a] = group[b] = min(group[a], group[b])
    ends = np.array(edges, np.int64).reshape(-1, 2)
    found = components(n, ends[:, 0], ends[:, 1]).tolist()
    assert all((found[a] == found[b]) == (group[a] == group[b]) for a in range(n) for b in range(n))


def test_fifty_thousand_versions_of_a_text_are_related_in_time() -> None:
    """A star of 50,000 copies: linear, not quadratic."""
    count = 50_000
    articles = [One(f"{number:032x}", 1000 if number == 0 else 100) for number in range(count)]
    links = [Link(articles[0].id, one.id, CONTAINED, False, True, 0.9, 1.0) for one in articles[1:]]
    found = outcome(articles, links, askable=[])
    assert {label.kept for label in found.values()} == {articles[0].id}


def bonds_of(pairs: DecidedPairs, n: int) -> npt.NDArray[np.bool_]:
    holds = holders(pairs.left_in, pairs.right_in, pairs.left, pairs.right, n)
    return bonds(pairs.relation != NONE, pairs.left_begun, pairs.right_begun, pairs.left, pairs.right, holds)


def test_only_what_can_decide_a_label_binds() -> None:
    """An accepted pair does, and a beginning in what holds another story whole; all else that is akin doesn't."""
    articles = [One(name) for name in "abcdefg"]
    pairs = decided(
        articles,
        [
            Link("a", "b", PARTIAL), Link("c", "d", CONTAINED, left_in=True), Link("e", "d", NONE, left_begun=True),
            Link("e", "f", NONE, left_begun=True), Link("f", "g", NONE),
        ],
    )  # fmt: skip
    found = bonds_of(pairs, 7)
    assert found.tolist() == [True, True, True, False, False]
    left, right = pairs.left[found], pairs.right[found]
    assert reached_from(np.array([2]), left, right, 7).tolist() == [False, False, True, True, True, False, False]
    assert reached_from(np.array([], np.int64), left, right, 7).tolist() == [False] * 7


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1))
def test_labels_follow_from_what_bonds_connect(seed: int) -> None:
    """Relating what bonds connect with some articles gives these the labels that relating everything gives them."""
    chance = random.Random(seed)
    articles = [One(f"{n:02d}", chance.choice((50, 100)), published=chance.randrange(4)) for n in range(14)]
    links = []
    for left, right in combinations(range(len(articles)), 2):
        if chance.random() < 0.2:
            relation = chance.choice((NONE, NONE, PARTIAL, CONTAINED, NEAR))
            into = [relation >= CONTAINED and chance.random() < 0.7 for _ in range(2)]
            begun = [not one and chance.random() < 0.4 for one in into]
            shares = [chance.choice((0.3, 0.9)) for _ in range(2)]
            links.append(Link(articles[left].id, articles[right].id, relation, *into, *shares, *begun))
    pairs = decided(articles, links)
    refused_akin = np.array([chance.random() < 0.4 for _ in links], np.bool_)
    pairs = dataclasses.replace(pairs, akin=pairs.akin | pairs.left_begun | pairs.right_begun | refused_akin)
    everything, _ = relate(ranked(articles), pairs, RelateSettings())
    bond = bonds_of(pairs, len(articles))
    seeds = np.array(chance.sample(range(len(articles)), 2))
    reached = reached_from(seeds, pairs.left[bond], pairs.right[bond], len(articles))
    some = reached[pairs.left] & reached[pairs.right]
    names = DecidedPairs.__annotations__
    part = DecidedPairs(*(getattr(pairs, name)[some] for name in names))
    alone, _ = relate(ranked(articles), part, RelateSettings())
    for name in ("relation", "kept", "derived_from", "story"):
        assert getattr(alone, name)[reached].tolist() == getattr(everything, name)[reached].tolist()


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1))
def test_what_derives_from_what_has_an_end(seed: int) -> None:
    """Through keepers and sources nothing leads back to itself: with `--drop partial` something always stands."""
    chance = random.Random(seed)
    articles = [One(f"{n:02d}", chance.choice((50, 100, 200)), published=chance.randrange(5)) for n in range(10)]
    links = []
    for left, right in combinations(range(len(articles)), 2):
        if chance.random() < 0.35:
            relation = chance.choice((PARTIAL, PARTIAL, CONTAINED, NEAR))
            into = [relation >= CONTAINED and chance.random() < 0.7 for _ in range(2)]
            links.append(Link(articles[left].id, articles[right].id, relation, *into, chance.random(), chance.random()))
    labels, _ = relate(ranked(articles), decided(articles, links), RelateSettings())
    for article in range(len(articles)):
        ahead, seen = {int(labels.kept[article]), int(labels.derived_from[article])} - {article, -1}, set[int]()
        while ahead:
            assert article not in ahead
            seen |= ahead
            ahead = {int(one) for at in ahead for one in (labels.kept[at], labels.derived_from[at])} - seen - {-1}
