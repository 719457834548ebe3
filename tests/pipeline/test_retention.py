"""Sketches that are cut short: nothing that was decided changes, and what is new is decided as if they were whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.compact import compact
from pipeline.errors import UsageError
from pipeline.store import Store
from tests.benchmarks.kills import broken
from tests.benchmarks.many_runs import compared
from tests.benchmarks.month import month_of
from tests.functions.made_up import words_of
from tests.pipeline.store_reading import articles_of, run_over, write_jsonl

WINDOW = {"match__window_days": "3"}


def test_what_is_cut_changes_nothing_and_keeps_exact_copies(tmp_path: Path) -> None:
    days = [[row for row in day if "published_at" in row] for day in month_of(16, 24)]
    whole, short = tmp_path / "whole", tmp_path / "short"
    for number in range(0, 16, 4):
        given = write_jsonl(tmp_path / f"{number}.jsonl", [row for day in days[number : number + 4] for row in day])
        for store in (whole, short):
            run_over(store, given, **WINDOW)
        if number in (8, 12):
            manifest = compact(str(short), retain_days=4)
            assert manifest["whole_from"] == Store(str(short)).whole_from
            assert broken(Store(str(short))) == []
    assert compared(whole, short).same
    sketches = Store(str(short)).read("sketches").to_pylist()
    cut = [row for row in sketches if not row["words"]]
    assert 0.3 < len(cut) / len(sketches) < 0.9
    assert all(row["day"] < manifest["whole_from"] and not row["anchors"] for row in cut)
    assert all(row["completeness"] is not None for row in cut)

    # A text of the first day is printed again, word for word.
    cut_ids = {row["article_id"] for row in cut}
    old = next(row for row in articles_of(short) if row["relation"] == "near" and row["article_id"] in cut_ids)
    again = {"id": "again", "source": "a new paper", "text": old["text"], "published_at": "2026-03-18"}
    given = write_jsonl(tmp_path / "again.jsonl", [again])
    for store in (whole, short):
        manifest = run_over(store, given, **WINDOW)
        assert manifest["counts"]["copies"] == 1
    assert compared(whole, short).same
    assert broken(Store(str(short))) == []


def test_a_story_that_asks_again_is_answered_as_before(tmp_path: Path) -> None:
    """A chain of versions, of which the first and the last share nothing: their story asked for that pair."""
    words = words_of(7, 500)
    chain = [
        {"id": f"version {number}", "source": f"paper {number}", "published_at": "2026-03-02",
         "text": " ".join(words[50 * number : 50 * number + 200])}
        for number in range(6)
    ]  # fmt: skip
    later = [{"id": "later", "text": " ".join(words_of(8, 200)), "published_at": "2026-03-30"}]
    again = [chain[5] | {"id": "again", "source": "a new paper", "published_at": "2026-03-31"}]
    whole, short = tmp_path / "whole", tmp_path / "short"
    for store in (whole, short):
        for number, rows in enumerate((chain, later, again)):
            run_over(store, write_jsonl(tmp_path / f"{number}.jsonl", rows), **WINDOW)
            if number == 1 and store == short:
                compact(str(short), retain_days=4)
    assert compared(whole, short).same
    assert broken(Store(str(short))) == []


def test_too_few_days_and_undecided_labels_are_refused(tmp_path: Path) -> None:
    rows = [row for day in month_of(2, 24) for row in day]
    run_over(tmp_path / "store", write_jsonl(tmp_path / "1.jsonl", rows[:24]))
    with pytest.raises(UsageError, match=r"--retain-days 29: expected at least the 30 days"):
        compact(str(tmp_path / "store"), retain_days=29)
    run_over(tmp_path / "store", write_jsonl(tmp_path / "2.jsonl", rows[24:]), provisional=True)
    with pytest.raises(UsageError, match="copydesk reconcile"):
        compact(str(tmp_path / "store"), retain_days=30)
