"""The unbounded graph: what it commits, in whatever order batches come and however often, and what it forgets."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.commit_stream import StreamCommitter
from pipeline.compare import compare
from pipeline.store import Store, locked
from pipeline.vacuum import vacuum
from pipeline.verify import verify
from tests.benchmarks.month import month_of
from tests.pipeline.store_reading import articles_of, rows_of
from tests.pipeline.streaming_graph import (
    DAY_MS,
    START_MS,
    Script,
    batch_of,
    batches_of,
    feed_of,
    options_of,
    play,
    reconciled,
)

Rows = list[dict[str, Any]]
SIZE = 15


@pytest.fixture(scope="module")
def rows() -> Rows:
    return [row for day in month_of(3, 30) for row in day]


def story(number: int, words: int = 120) -> str:
    """A text of its own for each number."""
    return " ".join(f"word{number}x{at * at % 97}y{at}" for at in range(words))


def broken(store: Path) -> list[str]:
    return [f"{promise}: {found[0]}" for promise, found in verify(Store(str(store))) if found]


def offsets(store: Path) -> list[tuple[int, int, int]]:
    """The ranges that were committed, by partition and offset."""
    inputs = [entry for manifest in Store(str(store)).manifests for entry in manifest["inputs"]]
    return sorted((int(one["path"][-1]), one["first_offset"], one["end_offset"]) for one in inputs)


def assert_whole(store: Path, rows: Rows) -> None:
    """Every message is there once, and every promise holds."""
    placed = [(row["source_uri"], row["position"]) for name in ("clean", "copies", "rejected")
              for row in rows_of(store, name)]  # fmt: skip
    assert len(placed) == len(set(placed)) == len(rows)
    assert broken(store) == []


def test_what_a_stream_commits_ends_where_one_batch_does(rows: Rows, at_once: Path, tmp_path: Path) -> None:
    script = Script()
    for one in batches_of(rows, SIZE):
        script.send(one).reach(int(one.seconds * 1000)).wait()
    play(script, options_of(tmp_path / "store"))
    manifests = Store(str(tmp_path / "store")).manifests
    assert len(manifests) == len(rows) // SIZE, "not committed as time went on"
    assert all(one["kind"] == "stream" and one["provisional"] for one in manifests)
    assert offsets(tmp_path / "store") == [(0, at, at + SIZE) for at in range(0, len(rows), SIZE)]
    assert_whole(tmp_path / "store", rows)
    found = {row["relation"] for row in articles_of(tmp_path / "store")}
    assert found >= {"kept", "exact", "near", "contained"}
    assert reconciled(tmp_path / "store")["counts"]["relabelled"] > 0
    assert broken(tmp_path / "store") == []
    assert compare(Store(str(at_once)), Store(str(tmp_path / "store"))).same


def test_batches_of_any_order_and_late_ones_end_there_too(rows: Rows, at_once: Path, tmp_path: Path) -> None:
    """What comes before its turn waits for what lies between, and no watermark drops it."""
    half = len(rows) // 2
    batches = [*batches_of(rows[:half], SIZE), *batches_of(rows[half:], SIZE, partition=1)]
    script = Script().send(*batches[3:][::-1]).reach(START_MS + 20 * DAY_MS).wait()
    play(
        script.send(batches[1]).wait().send(batches[0], batches[2]).wait(),
        options_of(tmp_path / "store"),
        feed_of(0, 0),
    )
    assert [end for partition, _, end in offsets(tmp_path / "store") if partition == 0][-1] == half
    assert_whole(tmp_path / "store", rows)
    reconciled(tmp_path / "store")
    assert compare(Store(str(at_once)), Store(str(tmp_path / "store"))).same


def test_batches_given_again_are_committed_once(rows: Rows, tmp_path: Path) -> None:
    """After a restart a reader begins earlier, with other borders between its batches."""
    store = tmp_path / "store"
    play(Script().send(*batches_of(rows[:40], SIZE)), options_of(store))
    again = batches_of(rows[10:], 17, first=10)
    script = Script().send(*again[:3]).wait().send(*again[:2])
    play(script.wait().send(*again), options_of(store))
    assert offsets(store)[0] == (0, 0, 40)
    assert [first for _, first, _ in offsets(store)][1:] == [end for _, _, end in offsets(store)][:-1]
    assert_whole(store, rows)


def test_what_waits_for_a_missing_range_is_not_committed(rows: Rows, tmp_path: Path) -> None:
    batches = batches_of(rows[:45], SIZE)
    play(Script().send(batches[0], batches[2]).wait(), options_of(tmp_path / "store"))
    assert offsets(tmp_path / "store") == [(0, 0, SIZE)]
    assert broken(tmp_path / "store") == []


def test_an_idle_stream_commits_nothing(tmp_path: Path) -> None:
    play(Script().wait().reach(START_MS).wait(), options_of(tmp_path / "store"))
    assert not (tmp_path / "store" / "manifest").exists()


def test_poison_is_refused_where_it_stood(tmp_path: Path) -> None:
    given = [{"id": "a", "text": story(1)}, b"\xff\x00 no article", b"", {"id": "b", "text": story(2)}]
    play(Script().send(batch_of(given, 70)), options_of(tmp_path / "store"))
    assert not (tmp_path / "store" / "clean").exists(), "committed without what comes before it"
    play(Script().send(batch_of(given, 70)), options_of(tmp_path / "store"), feed_of(70))
    places = {(row["source_uri"], row["position"]) for row in rows_of(tmp_path / "store", "rejected")}
    assert places == {("kafka:///news#0", 71), ("kafka:///news#0", 72)}
    assert [row["source_id"] for row in rows_of(tmp_path / "store", "clean")] == ["a", "b"]


def test_a_job_that_begins_anew_holds_what_the_last_one_staged(tmp_path: Path) -> None:
    store = tmp_path / "store"
    play(Script().send(batch_of([{"id": "print-0", "text": story(1)}], 0)), options_of(store))
    play(Script().send(batch_of([{"id": "print-1", "text": story(1)}], 1)), options_of(store), feed_of(1))
    assert {row["source_id"]: row["relation"] for row in articles_of(store)} == {"print-0": "kept", "print-1": "exact"}


@pytest.mark.parametrize(("reached", "relation"), [(9, "exact"), (11, "kept")])
def test_state_is_forgotten_by_event_time(reached: int, relation: str, tmp_path: Path) -> None:
    """A window of 8 days in steps of 2: a print of the first day is held until the watermark is at the tenth."""
    first = {"id": "print-0", "text": story(1), "published_at": "2026-07-14T06:00:00Z"}
    script = Script().send(batch_of([first], 0)).wait().reach(START_MS + reached * DAY_MS)
    script.send(batch_of([first | {"id": "print-1"}], 1, ms=START_MS + reached * DAY_MS)).wait()
    play(script, options_of(tmp_path / "store", match__window_days="8"))
    relations = {row["source_id"]: row["relation"] for row in articles_of(tmp_path / "store")}
    assert relations == {"print-0": "kept", "print-1": relation}
    staged = sorted((tmp_path / "store" / "_stream").glob("*/*/*.arrow"))
    assert len(staged) == (2 if relation == "exact" else 1), "what expired is still staged"
    assert {path.parents[1].name for path in staged} == {"sketches"}, "what is committed is still staged"
    reconciled(tmp_path / "store")
    assert {row["relation"] for row in articles_of(tmp_path / "store")} == {"kept", "exact"}


def test_a_busy_store_is_waited_for(tmp_path: Path) -> None:
    """Another command holds the store when a commit is due: the batches stay, and come with the next."""
    options = options_of(tmp_path / "store")
    play(Script().send(batch_of([{"id": "a", "text": story(1)}], 0)), options)
    committer = StreamCommitter(options.store, options.task, options.settings, feed_of(0), 0)
    with locked(options.store):
        done = committer.commit([b"a batch"])
    assert (done.runs, done.waiting, done.busy) == ((), (b"a batch",), True)


def test_vacuum_removes_what_a_stream_left_and_nothing_that_one_needs(rows: Rows, tmp_path: Path) -> None:
    store, now = tmp_path / "store", datetime.now(UTC)
    play(Script().send(*batches_of(rows[:40], 20)), options_of(store))
    staged = store / "_stream"
    texts = staged / "articles" / "20648"
    texts.mkdir(parents=True)
    ages = {"news-00000-0000000000000000-0000000000000007": 9, "news-00000-0000000000000040-0000000000000060": 9,
            "news-00000-0000000000000000-0000000000000009": 1}  # fmt: skip
    for name, days in ages.items():
        (texts / f"{name}.arrow").write_bytes(b"text")
        os.utime(texts / f"{name}.arrow", ((now - timedelta(days=days)).timestamp(),) * 2)
    committed_and_old = f"_stream/articles/20648/{next(iter(ages))}.arrow"
    assert [one.path for one in vacuum(str(store), 7, now=now, dry_run=True)] == [committed_and_old]
    # Nothing was staged for days: no stream works. Sketches stay for the window, which a new job begins with.
    later = [one.path for one in vacuum(str(store), 7, now=now + timedelta(days=8))]
    assert later == sorted(f"_stream/articles/20648/{name}.arrow" for name in ages)
    assert len(list(staged.glob("sketches/*/*.arrow"))) == 2
    assert len(vacuum(str(store), 7, now=now + timedelta(days=38))) == 2
    assert list(staged.glob("*/*/*.arrow")) == []
