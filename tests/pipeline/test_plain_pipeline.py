"""A small run without a runner ends in the store that Beam's local runner makes, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam
import pytest

from pipeline import plain_pipeline, runners
from pipeline.plain_pipeline import run_plainly
from tests.engines.comparing import differences
from tests.pipeline.store_reading import SEEDS, run_over


@pytest.mark.parametrize("provisional", [False, True])
def test_without_a_runner_the_store_is_the_same(
    provisional: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plainly = []
    monkeypatch.setattr(runners, "run_plainly", lambda build: (plainly.append(build), run_plainly(build)))
    for store, most in (("beam", -1), ("plain", plain_pipeline.LITTLE_BYTES)):
        monkeypatch.setattr(plain_pipeline, "LITTLE_BYTES", most)
        run_over(tmp_path / store, SEEDS / "articles" / "jsonl")
        run_over(tmp_path / store, SEEDS / "articles", SEEDS / "refused", provisional=provisional)
        assert len(plainly) == (0 if store == "beam" else 11 if provisional else 14)
    assert differences(tmp_path / "beam", tmp_path / "plain") == []


class _Twice(beam.DoFn):
    def process(self, element: int) -> Iterable[int]:
        yield from (element, element)


def test_steps_give_what_they_give_on_a_runner() -> None:
    found: list[object] = []

    def build(pipeline: beam.Pipeline) -> None:
        numbers = pipeline | "Numbers" >> beam.Create([1, 2, 3])
        more = pipeline | "More" >> beam.Create([4])
        odd = (
            (numbers, more) | "Both" >> beam.Flatten() | "Twice" >> beam.ParDo(_Twice()) | "Spread" >> beam.Reshuffle()
        )
        keyed = odd | "By oddness" >> beam.Map(lambda number: (number % 2, number)) | "Group" >> beam.GroupByKey()
        gathered = keyed | "Gather" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
        _ = gathered | "Keep" >> beam.Map(found.extend)

    run_plainly(build)
    assert [(key, sorted(values)) for key, values in sorted(found)] == [(0, [2, 2, 4, 4]), (1, [1, 1, 3, 3])]


def test_what_a_step_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        run_plainly(lambda pipeline: pipeline | beam.Create([0]) | beam.Map(lambda number: 1 / number))


def test_elements_that_two_steps_take_are_refused() -> None:
    def build(pipeline: beam.Pipeline) -> None:
        numbers = pipeline | "Numbers" >> beam.Create([1])
        _ = numbers | "One" >> beam.Map(str)
        _ = numbers | "Other" >> beam.Map(str)

    with pytest.raises(NotImplementedError, match="two steps take the same elements"):
        run_plainly(build)
