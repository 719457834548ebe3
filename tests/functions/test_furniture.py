"""What is learned of an outlet's lines: days, stories, edges; and that it adds up over runs, in any order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import FurnitureSettings, Settings
from schemas.tables import FURNITURE
from tests.functions.made_up import Article, cleaned_batch, text_of
from transforms.functions.furniture import edge_keys, hash_lines, learn_furniture, sign_lines
from transforms.functions.signing import sign_batch

FOOTER = "This site is made with the help of its readers in Harrowby"
SETTINGS = dataclasses.replace(FurnitureSettings(), min_stories=5, min_days=4)


def hashes(*texts: str) -> list[list[int]]:
    return hash_lines(pa.array(texts, pa.string())).to_pylist()


def held(articles: list[Article]) -> pa.Table:
    batch = cleaned_batch(articles)
    sketches = sign_batch(batch, np.zeros(len(articles), np.float32), Settings().sign)
    return pa.Table.from_batches([sign_lines(batch, sketches)])


def body(seed: int, paragraphs: int = 8) -> list[str]:
    return [text_of(seed * 100 + number, 25) for number in range(paragraphs)]


def story(seed: int, day: int | None, *, line: str = FOOTER, at: int = 8, source: str | None = "echo") -> Article:
    lines = body(seed)
    lines.insert(at, line)
    return Article(f"{source}-{seed}-{day}", "\n".join(lines), day, source)


def known_lines(articles: list[Article], settings: FurnitureSettings = SETTINGS) -> list[dict]:
    return learn_furniture(held(articles), settings).to_pylist()


def test_hashes_fold_lines_and_pass_over_short_ones() -> None:
    first, second = hashes(
        f"{FOOTER}\nshort line here\nA", f"x\n{FOOTER.upper()}!\nبيان صحفي من إدارة المدرسة الثانوية في المدينة"
    )
    assert first[0] == second[1] != 0
    assert first[1:] == [0, 0]
    assert second[0] == 0
    assert second[2] == hashes("بيــان صحفى من اداره المدرسه الثانويه في المدينة")[0][0] != 0


def test_a_line_of_a_script_without_spaces_needs_as_many_bytes() -> None:
    assert hashes("三千五百") == [[0]]
    assert hashes("本文版权归作者所有不得转载")[0][0] != 0


@given(st.lists(st.lists(st.text("ab دة \u0301.é三千ไทย", min_size=1), min_size=1), min_size=1))
def test_a_line_s_hash_is_its_own(texts: list[list[str]]) -> None:
    together = hashes(*("\n".join(lines) for lines in texts))
    assert together == [[hashes(line)[0][0] for line in lines] for lines in texts]


def test_a_footer_of_many_days_and_stories_is_learned() -> None:
    [found] = known_lines([story(seed, seed) for seed in range(6)])
    assert found["line"] == hashes(FOOTER)[0][0]
    assert (found["source"], found["stories"], found["days"], found["articles"]) == ("echo", 6, 6, 6)
    assert (found["first_day"], found["last_day"], found["share"], found["edge_share"]) == (0, 5, 1, 1)


def test_one_day_is_not_enough_however_many_stories() -> None:
    assert known_lines([story(seed, 7) for seed in range(17)]) == []


def test_near_copies_of_one_story_are_one_story() -> None:
    assert known_lines([story(3, day) for day in range(17)]) == []


def test_articles_without_a_date_count_no_day() -> None:
    dated, undated = [story(seed, seed) for seed in range(3)], [story(seed, None) for seed in range(3, 30)]
    assert known_lines(dated + undated) == []
    assert len(known_lines(dated + undated + [story(99, 3)])) == 1


def test_a_line_whose_hash_is_the_least_does_not_make_one_story_of_all() -> None:
    """Of 60 footers some hold the smallest MinHash value of nearly every article that they stand in."""
    articles = [story(seed, seed, line=text_of(7000 + footer, 14), source=f"{footer}")
                for footer in range(60) for seed in range(12)]  # fmt: skip
    stories = [row["stories"] for row in known_lines(articles)]
    assert len(stories) == 60
    assert min(stories) >= 11


def test_outlets_do_not_add_up_and_none_is_no_outlet() -> None:
    two = [story(seed, seed, source="echo" if seed % 2 else "post") for seed in range(8)]
    assert known_lines(two) == []
    assert known_lines([story(seed, seed, source=None) for seed in range(8)]) == []


def test_a_line_that_stands_between_paragraphs_is_text() -> None:
    settings = dataclasses.replace(SETTINGS, edge_lines=2)
    edge, inside = [story(seed, seed) for seed in range(8)], [story(seed, seed, at=4) for seed in range(20, 22)]
    assert len(known_lines(edge, settings)) == 1
    assert known_lines(edge + inside, settings) == []


def test_a_line_of_few_of_the_articles_of_its_days_is_text() -> None:
    some = [story(seed, seed % 6) for seed in range(6)]
    rest = [Article(f"other {seed}", text_of(seed, 50), seed % 6, "echo") for seed in range(1000, 1800)]
    later = [Article(f"later {seed}", text_of(seed, 50), 10 + seed, "echo") for seed in range(1000, 1800)]
    assert known_lines(some + rest) == []
    assert len(known_lines(some + later)) == 1


def test_twice_in_an_article_is_once() -> None:
    [found] = known_lines([story(seed, seed, at=8, line=f"{FOOTER}\n{FOOTER}") for seed in range(6)])
    assert (found["articles"], found["edge_share"]) == (6, 1)


def test_nothing_held_is_nothing_known() -> None:
    assert learn_furniture(FURNITURE.empty_table(), SETTINGS).num_rows == 0
    assert learn_furniture(held([story(1, 1)]), SETTINGS, np.zeros(0, np.uint64)).num_rows == 0


def test_runs_in_any_order_add_up_to_one() -> None:
    articles = [story(seed, seed % 10, source=f"outlet {seed % 3}") for seed in range(60)]
    whole = learn_furniture(held(articles), SETTINGS)
    assert whole.num_rows == 3
    order = np.random.Generator(np.random.PCG64(5)).permutation(60)
    runs = [held([articles[place] for place in part]) for part in np.array_split(order, 7)]
    assert learn_furniture(pa.concat_tables(runs), SETTINGS).equals(whole)


def test_asking_for_some_lines_changes_nothing_of_them() -> None:
    articles = [story(seed, seed % 10, source=f"outlet {seed % 3}") for seed in range(60)]
    table = held(articles)
    new = held([articles[4]])
    wanted = edge_keys(new.column("source"), new.column("lines"), SETTINGS.edge_lines)
    [found] = learn_furniture(table, SETTINGS, wanted).to_pylist()
    assert found in learn_furniture(table, SETTINGS).to_pylist()
    assert found["source"] == "outlet 1"
