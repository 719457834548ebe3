"""Templates, tickers and round-ups through one whole run: no story but of true copies.

Smaller sets than `tests.benchmarks.templates` measures by default (2,000 articles a template): 200 a template over 20
days, 60 with one ticker, and 4 round-ups, in one store.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.templates import PRINTS, SETS, Made, Verdict, judge, made_sets
from tests.pipeline.store_reading import run_over, write_jsonl

NAMES = [*SETS, "ticker", "ticker1", "roundups"]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Made, Verdict]]:
    folder = tmp_path_factory.mktemp("look-alikes")
    sets = made_sets(NAMES, articles=240, days=20)
    rows = [row for made in sets.values() for row in made.rows]
    run_over(folder / "store", write_jsonl(folder / "articles.jsonl", rows))
    return {name: (made, judge(made, folder / "store")) for name, made in sets.items()}


@pytest.mark.parametrize("name", SETS)
def test_a_template_joins_only_true_copies(name: str, verdicts: dict[str, tuple[Made, Verdict]]) -> None:
    made, verdict = verdicts[name]
    assert verdict.wrong == []
    assert verdict.largest <= PRINTS + 1
    # What was printed word for word is found, whatever is common in it: two of the four prints.
    assert verdict.found >= len(made.group_of) / 2


def test_a_ticker_of_many_days_joins_nothing(verdicts: dict[str, tuple[Made, Verdict]]) -> None:
    _, verdict = verdicts["ticker"]
    assert (verdict.largest, verdict.wrong, verdict.linked) == (1, [], [])


def test_a_ticker_of_one_day_joins_nothing(verdicts: dict[str, tuple[Made, Verdict]]) -> None:
    _, verdict = verdicts["ticker1"]
    assert (verdict.largest, verdict.wrong, verdict.linked) == (1, [], [])


def round_ups(verdict: Verdict, kind: str) -> list[tuple[str, str]]:
    """Articles that one of the round-ups stands for, or that stand for one, but for itself."""
    pairs = [(name, keeper) for name, keeper in verdict.kept.items() if name != keeper]
    return [(name, keeper) for name, keeper in pairs if name.startswith(kind) or keeper.startswith(kind)]


def test_a_round_up_of_ten_stories_takes_none_in_and_is_taken_in_by_none(
    verdicts: dict[str, tuple[Made, Verdict]],
) -> None:
    made, verdict = verdicts["roundups"]
    assert round_ups(verdict, "whole") == []
    assert verdict.found == verdict.planted == len(made.group_of)


def test_a_round_up_of_beginnings_takes_none_in(verdicts: dict[str, tuple[Made, Verdict]]) -> None:
    assert round_ups(verdicts["roundups"][1], "briefs") == []
