"""The first of the broken files and harmful texts; `python -m tests.fuzzing` runs as many as one likes."""

from __future__ import annotations

import pytest

from tests.fuzzing.__main__ import SLOW_SECONDS, warm_up
from tests.fuzzing.cases import bases, make_case
from tests.fuzzing.checking import run_case
from transforms.functions.extraction import PageExtractor

CASES = 2_000
STEPS = 4


@pytest.mark.parametrize("first", range(0, CASES, CASES // STEPS))
def test_no_crash_no_hang_and_sums_agree(first: int) -> None:
    articles, refused, counted = 0, 0, 0
    with PageExtractor(timeout_seconds=10.0) as extractor:
        warm_up(extractor)
        for number in range(first, first + CASES // STEPS):
            outcome = run_case(number, extractor)
            assert outcome.seconds < SLOW_SECONDS, outcome
            articles, refused = articles + outcome.articles, refused + outcome.refused
            counted += outcome.counted
    # Were most cases refused at the door, or uncounted, this would prove little.
    assert min(articles, refused) > CASES // STEPS // 4
    assert counted > CASES // STEPS // 4


def test_a_number_is_a_case() -> None:
    bases.cache_clear()
    before = [make_case(number) for number in range(0, 200, 3)]
    bases.cache_clear()
    assert [make_case(number) for number in range(0, 200, 3)] == before
    assert len({case.content for case in before}) > 60
    assert {form for form, _ in bases()} == {"jsonl", "json", "avro", "parquet", "txt", "html", "warc"}
