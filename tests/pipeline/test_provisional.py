"""Provisional runs decide what is new; what they leave is decided by `reconcile`, or by the next run that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.earlier_matches import earlier_matches
from pipeline.progress import Progress
from pipeline.run import reconcile
from pipeline.store import Store
from tests.benchmarks.kills import broken
from tests.benchmarks.many_runs import Rows, compared, in_runs, run_in_turn
from tests.benchmarks.month import month_of
from tests.benchmarks.newsroom import story
from tests.pipeline.store_reading import articles_of, run_over, write_jsonl


@pytest.fixture(scope="module")
def rows() -> Rows:
    return [row for day in month_of(5, 60) for row in day]


def test_provisional_runs_reconciled_are_one_run(rows: Rows, at_once: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run_in_turn(store, tmp_path, in_runs(rows, 5, shuffle=2), provisional=True)
    manifests = Store(str(store)).manifests
    # The first run of a store has nothing to leave undecided.
    assert [one["provisional"] for one in manifests] == [False, True, True, True, True]
    assert len(Store(str(store)).undecided) == 4
    assert broken(Store(str(store))) == []
    reconcile(str(store), 1, Progress(None))
    assert Store(str(store)).undecided == []
    assert compared(at_once, store).same
    assert broken(Store(str(store))) == []
    assert reconcile(str(store), 1, Progress(None))["nothing_new"]


def test_what_was_rare_and_is_not_any_more_is_decided_by_reconciling(tmp_path: Path) -> None:
    """Two articles share a passage and nothing else; then it stands in a new article every day."""
    shared = story("en", "notice", 90).text

    def given(day: int) -> dict[str, str]:
        own = story("en", f"own {day}", 70).text
        text, published = f"{shared}\n{own}", f"2026-03-{day + 1:02d}"
        return {"id": str(day), "text": text, "published_at": published, "source": f"p{day}"}

    first, later = [given(0), given(1)], [given(day) for day in range(2, 14)]
    run_over(tmp_path / "a", write_jsonl(tmp_path / "all.jsonl", [*first, *later]))
    run_over(tmp_path / "b", write_jsonl(tmp_path / "1.jsonl", first))
    run_over(tmp_path / "b", write_jsonl(tmp_path / "2.jsonl", later), provisional=True)
    assert not compared(tmp_path / "a", tmp_path / "b").same
    assert broken(Store(str(tmp_path / "b"))) == []
    manifest = reconcile(str(tmp_path / "b"), 1, Progress(None))
    assert manifest["counts"]["relabelled"] == 1
    assert compared(tmp_path / "a", tmp_path / "b").same
    assert broken(Store(str(tmp_path / "b"))) == []


def test_the_next_run_decides_what_provisional_ones_left(rows: Rows, at_once: Path, tmp_path: Path) -> None:
    store, parts = tmp_path / "store", in_runs(rows, 4)
    run_in_turn(store, tmp_path / "first", parts[:1])
    run_in_turn(store, tmp_path / "more", parts[1:3], provisional=True)
    run_in_turn(store, tmp_path / "last", parts[3:])
    assert Store(str(store)).undecided == []
    assert compared(at_once, store).same


def test_a_copy_is_known_at_once(rows: Rows, at_once: Path, tmp_path: Path) -> None:
    """Most copies are found provisionally: what is left is what new articles change for older ones."""
    store, parts = tmp_path / "store", in_runs(rows, 3)
    run_in_turn(store, tmp_path, parts[:2])
    run_in_turn(store, tmp_path / "last", parts[2:], provisional=True)
    final = {row["article_id"]: row["relation"] for row in articles_of(at_once)}
    copies = [row for row in articles_of(store) if row["run_id"].startswith("00000003") and row["table"] == "copies"]
    expected = [one for one in articles_of(store) if one["run_id"].startswith("00000003")]
    expected = [one for one in expected if final[one["article_id"]] not in ("kept", "partial")]
    assert len(copies) >= 0.9 * len(expected) > 9


def test_other_settings_are_not_decided_provisionally(rows: Rows, tmp_path: Path) -> None:
    first, second = in_runs(rows[:60], 2)
    run_over(tmp_path / "store", write_jsonl(tmp_path / "1.jsonl", first))
    asked = write_jsonl(tmp_path / "2.jsonl", second)
    manifest = run_over(tmp_path / "store", asked, provisional=True, relate__keep="earliest")
    assert manifest["provisional"] is False


@pytest.mark.parametrize("provisional", [False, True])
def test_a_dated_twin_takes_over_no_pair_of_an_undated_one_from_far_away(tmp_path: Path, provisional: bool) -> None:
    """An article without a date is compared with all; the print of the same words that stands for it now is not."""
    text = story("en", "the twin", 160).text
    other = " ".join([*text.split()[:80], *story("en", "own words", 60).text.split()])
    undated = {"id": "A", "text": text, "source": "x"}
    far = {"id": "B", "text": other, "source": "y", "published_at": "2026-01-05"}
    twin = {"id": "A2", "text": text, "source": "z", "published_at": "2026-05-05"}
    run_over(tmp_path / "once", write_jsonl(tmp_path / "all.jsonl", [undated, far, twin]))
    run_over(tmp_path / "twice", write_jsonl(tmp_path / "first.jsonl", [undated, far]))
    assert {row["relation"] for row in articles_of(tmp_path / "twice")} > {"kept"}
    last = write_jsonl(tmp_path / "last.jsonl", [twin])
    run_over(tmp_path / "twice", last, provisional=provisional)
    if provisional:
        reconcile(str(tmp_path / "twice"), 1, Progress(None))
    assert compared(tmp_path / "once", tmp_path / "twice").same
    stores = [earlier_matches(Store(str(tmp_path / name))) for name in ("once", "twice")]
    accepted = [rows.filter(rows.column("accepted")).select(["left_id", "right_id", "relation"]) for rows in stores]
    assert accepted[0].sort_by("left_id").equals(accepted[1].sort_by("left_id"))
