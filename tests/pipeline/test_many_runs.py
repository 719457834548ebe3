"""N runs are one run: a made-up month and the seeds in one batch, and in many runs of any order and size.

The whole month, thirty runs, and real news: `python -m tests.benchmarks.many_runs`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.store import Store
from schemas.tables import MATCH
from tests.benchmarks.kills import broken
from tests.benchmarks.many_runs import Rows, compared, in_runs, run_in_turn
from tests.benchmarks.month import month_of
from tests.benchmarks.newsroom import story
from tests.pipeline.store_reading import articles_of, rows_of, run_over, write_jsonl

DAYS, ARTICLES = 5, 60


@pytest.fixture(scope="module")
def days() -> list[Rows]:
    return month_of(DAYS, ARTICLES)


@pytest.fixture(scope="module")
def at_once(days: list[Rows], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("at_once")
    run_over(folder / "store", write_jsonl(folder / "all.jsonl", [row for day in days for row in day]))
    return folder / "store"


def assert_same(a: Path, b: Path) -> None:
    found = compared(a, b)
    assert found.articles[0] == found.articles[1] > 0
    assert {kind: one for kind, one in found.kinds.items() if one.count and kind != "repeat"} == {}
    assert broken(Store(str(b))) == []


def test_the_month_has_what_makes_runs_differ(days: list[Rows], at_once: Path) -> None:
    rows = [row for day in days for row in day]
    assert sum("published_at" not in row for row in rows) > 2
    assert len({row["id"] for row in rows}) < len(rows)
    [manifest] = Store(str(at_once)).manifests
    relations = {**manifest["tallies"]["clean_by_relation"], **manifest["tallies"]["copies_by_relation"]}
    assert all(relations[name] > 3 for name in ("kept", "exact", "near", "contained")), relations
    assert manifest["tallies"]["rejected_by_reason"]["repeat"] > 2


def test_daily_runs_are_one_run(days: list[Rows], at_once: Path, tmp_path: Path) -> None:
    """As the articles arrive: late ones and second prints come days after what they belong to."""
    changed = [changed for _, changed in run_in_turn(tmp_path / "store", tmp_path, days)]
    assert len(changed) == DAYS
    assert sum(changed) > 0, "no day changed an older label: the month tests nothing"
    assert_same(at_once, tmp_path / "store")


def test_a_run_reads_whole_matches_near_its_days_only(
    days: list[Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of earlier days a few columns tell that nothing of them is decided; the outcome is that of one batch."""
    late = re.compile(r"wire/\d+/\d+/4")
    dated = [[row for row in day if "published_at" in row and not late.fullmatch(row["id"])] for day in days]
    window = {"match__window_days": "1"}
    for number, rows in enumerate(dated[:-1]):
        run_over(tmp_path / "store", write_jsonl(tmp_path / f"{number}.jsonl", rows), **window)
    whole: list[str] = []
    original = Store.read_file

    def note(store: Store, path: str, names: list[str], table: str) -> pa.Table:
        if table == "matches" and len(names) == len(MATCH.names):
            whole.append(path)
        return original(store, path, names, table)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "read_file", note)
        run_over(tmp_path / "store", write_jsonl(tmp_path / "last.jsonl", dated[-1]), **window)
    every = Store(str(tmp_path / "store")).files("matches")
    assert len(every) == DAYS
    assert every[3] in whole
    assert every[0] not in whole
    assert len(rows_of(tmp_path / "store", "matches")) > 100
    at_once = write_jsonl(tmp_path / "all.jsonl", [row for day in dated for row in day])
    run_over(tmp_path / "at_once", at_once, **window)
    assert_same(tmp_path / "at_once", tmp_path / "store")


def test_runs_in_any_order_with_files_given_twice_are_one_run(days: list[Rows], at_once: Path, tmp_path: Path) -> None:
    runs = in_runs([row for day in days for row in day], 4, shuffle=3)
    run_in_turn(tmp_path / "store", tmp_path, runs, twice=True)
    assert_same(at_once, tmp_path / "store")
    repeats = compared(at_once, tmp_path / "store").kinds["repeat"]
    assert repeats.examples[0]["b"] > repeats.examples[0]["a"] + ARTICLES


def test_runs_of_one_article_are_one_run(days: list[Rows], tmp_path: Path) -> None:
    """An agency's text and its prints, the longest of which comes last, and a template beside them."""
    wire = [row for day in days for row in day if row["id"].startswith("wire/0/0/")]
    rows = [*sorted(wire, key=lambda row: len(row["text"])), next(row for row in days[0] if row not in wire)]
    assert len(rows) == 6
    run_over(tmp_path / "whole", write_jsonl(tmp_path / "all.jsonl", rows))
    run_in_turn(tmp_path / "store", tmp_path / "in", in_runs(rows, 0, shuffle=1))
    assert len(Store(str(tmp_path / "store")).manifests) == len(rows)
    assert_same(tmp_path / "whole", tmp_path / "store")


@pytest.mark.parametrize("provisional", [False, True])
def test_a_round_up_is_one_when_the_story_that_it_holds_whole_comes_last(tmp_path: Path, provisional: bool) -> None:
    """Until then the beginnings in it decide nothing, and are of a window long past."""
    stories = [story("en", f"story number {n}", 250).text for n in range(3)]
    short = story("en", "the new one", 90).text
    begun = [" ".join(text.split()[:60]) + "." for text in stories]
    texts = {f"P{n}": text for n, text in enumerate(stories)}
    texts |= {"X": "\n".join([begun[0], begun[1], short, begun[2]]), "N": short}
    days = {"P0": 10, "P1": 10, "P2": 10, "X": 11, "N": 11 if provisional else 12}
    rows = [
        {"id": name, "text": text, "source": f"paper {name}", "published_at": f"2026-05-{days[name]}T08:00:00Z"}
        for name, text in texts.items()
    ]
    window = {"match__window_days": "1"}
    run_over(tmp_path / "once", write_jsonl(tmp_path / "all.jsonl", rows), **window)
    run_over(tmp_path / "twice", write_jsonl(tmp_path / "first.jsonl", rows[:-1]), **window)
    last = write_jsonl(tmp_path / "last.jsonl", rows[-1:])
    run_over(tmp_path / "twice", last, provisional=provisional, **window)
    relations = {row["source_id"]: row["relation"] for row in articles_of(tmp_path / "twice")}
    assert relations == dict.fromkeys(texts, "kept") | {"N": "partial"}
    assert_same(tmp_path / "once", tmp_path / "twice")
