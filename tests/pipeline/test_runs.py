"""Rule 4 (the same articles give the same result) and rule 2 (nothing vanishes) over whole runs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import run as run_module
from pipeline.errors import RunError, UsageError
from pipeline.store import Store, locked
from tests.pipeline.store_reading import (
    ROOT,
    SEEDS,
    articles_of,
    as_input,
    outcome,
    rows_of,
    run_over,
    write_jsonl,
)

EVAL = ROOT.parent / "shared" / "eval"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every seed article as an input record, in the order of its id."""
    store = tmp_path_factory.mktemp("given") / "store"
    run_over(store, SEEDS / "articles")
    return sorted((as_input(row) for row in articles_of(store)), key=lambda row: json.dumps(row, sort_keys=True))


@pytest.fixture(scope="module")
def at_once(given: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    folder = tmp_path_factory.mktemp("at_once")
    run_over(folder / "store", write_jsonl(folder / "in" / "all.jsonl", given))
    return outcome(folder / "store")


def test_order_of_records_does_not_matter(given: Any, at_once: Any, tmp_path: Path) -> None:
    for seed in (1, 2):
        rows = random.Random(seed).sample(given, len(given))
        run_over(tmp_path / f"store{seed}", write_jsonl(tmp_path / f"{seed}.jsonl", rows))
        assert outcome(tmp_path / f"store{seed}") == at_once


def test_split_over_files_does_not_matter(given: Any, at_once: Any, tmp_path: Path) -> None:
    for number in range(3):
        write_jsonl(tmp_path / "in" / f"{number}.jsonl", given[number::3])
    run_over(tmp_path / "store", tmp_path / "in")
    assert outcome(tmp_path / "store") == at_once


def test_small_splits_and_batches_do_not_matter(given: Any, at_once: Any, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "all.jsonl", given)
    run_over(tmp_path / "store", path, read__split_bytes="20000", read__batch_bytes="5000", match__partitions="3")
    assert outcome(tmp_path / "store") == at_once


def test_number_of_workers_does_not_matter(given: Any, at_once: Any, tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "all.jsonl", given), workers=2, read__split_bytes="30000")
    assert outcome(tmp_path / "store") == at_once


def test_three_runs_are_one_run(given: Any, at_once: Any, tmp_path: Path) -> None:
    for number in range(3):
        run_over(tmp_path / "store", write_jsonl(tmp_path / f"{number}.jsonl", given[number::3]))
    assert len(Store(str(tmp_path / "store")).manifests) == 3
    assert outcome(tmp_path / "store") == at_once


def test_running_again_finds_nothing_new(given: Any, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "all.jsonl", given)
    run_over(tmp_path / "store", path)
    before = sorted(str(file) for file in (tmp_path / "store").rglob("*"))
    again = run_over(tmp_path / "store", path)
    assert again["nothing_new"]
    assert sorted(str(file) for file in (tmp_path / "store").rglob("*")) == before


def test_same_records_in_another_file_are_repeats(given: Any, tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "all.jsonl", given))
    before = outcome(tmp_path / "store")
    manifest = run_over(tmp_path / "store", write_jsonl(tmp_path / "more.jsonl", [*given, *given[:2]]))
    assert manifest["counts"]["rejected"] == len(given) + 2
    repeats = [row for row in rows_of(tmp_path / "store", "rejected") if row["reason"] == "repeat"]
    assert len(repeats) == len(given) + 2
    assert all(row["payload"] is None and any(key in row["message"] for key in before) for row in repeats)
    assert outcome(tmp_path / "store") == before


def test_a_repeat_with_an_earlier_date_changes_nothing(given: Any, at_once: Any, tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "all.jsonl", given))
    again = [{**row, "published_at": "2026-01-01T00:00:00Z"} for row in given]
    manifest = run_over(tmp_path / "store", write_jsonl(tmp_path / "more.jsonl", again))
    assert manifest["counts"]["rejected"] == len(given)
    assert manifest["counts"]["relabelled"] == 0
    assert outcome(tmp_path / "store") == at_once


def test_a_run_reads_a_growing_store(given: Any, tmp_path: Path) -> None:
    """A copy that arrives before its keeper is relabelled when the keeper comes, and the run says so."""
    run_over(tmp_path / "whole", write_jsonl(tmp_path / "all.jsonl", given))
    copies = {row["source_id"]: row for row in articles_of(tmp_path / "whole") if row["relation"] == "contained"}
    keepers = {row["kept_id"] for row in copies.values()}
    late = [row for row in articles_of(tmp_path / "whole") if row["article_id"] in keepers]
    late_inputs = [as_input(row) for row in late]
    early = [row for row in given if row not in late_inputs]
    run_over(tmp_path / "store", write_jsonl(tmp_path / "early.jsonl", early))
    manifest = run_over(tmp_path / "store", write_jsonl(tmp_path / "late.jsonl", late_inputs))
    assert manifest["counts"]["relabelled"] > 0
    assert outcome(tmp_path / "store") == outcome(tmp_path / "whole")


@pytest.mark.parametrize(
    "job", ["1-stage", "2-rarity", "3-alike", "4-match", "5-complete", "6-relate", "7-publish", "move", "commit"]
)
def test_killed_after_any_job_it_goes_on(
    job: str, given: Any, at_once: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_jsonl(tmp_path / "all.jsonl", given)

    class Killed(BaseException):
        pass

    ran: list[str] = []
    original = run_module.RunInProgress._job

    def stop_after(self: Any, name: str, build_job: Any) -> Any:
        ran.append(name)
        rows = original(self, name, build_job)
        if name == job:
            raise Killed
        return rows

    def stop(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(run_module.RunInProgress, "_job", stop_after)
        if job == "move":
            patch.setattr(run_module.RunInProgress, "_move_into_place", stop)
        if job == "commit":
            patch.setattr(Store, "commit", stop)
        with pytest.raises(Killed):
            run_over(tmp_path / "store", path)
    assert Store(str(tmp_path / "store")).manifests == []
    done = [name for name in ran if name <= job]
    built: list[str] = []

    def note(self: Any, name: str, build_job: Any) -> Any:
        def build_and_note(pipeline: Any, listing: str) -> None:
            built.append(name)
            build_job(pipeline, listing)

        return original(self, name, build_and_note)

    with monkeypatch.context() as patch:
        patch.setattr(run_module.RunInProgress, "_job", note)
        run_over(tmp_path / "store", path)
    assert outcome(tmp_path / "store") == at_once
    assert not set(built) & set(done), "a finished job was done again"
    assert len(Store(str(tmp_path / "store")).manifests) == 1


def test_kill_9_and_again(given: Any, at_once: Any, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "all.jsonl", given)
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--input", str(path), "--store", str(tmp_path / "s")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    staged = tmp_path / "s" / "_staging"
    while process.poll() is None and not list(staged.glob("*/staged/articles/*.arrow")):
        pass
    process.kill()
    process.wait()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert outcome(tmp_path / "s") == at_once


def test_too_many_refused_commits_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="max-rejected-fraction"):
        run_over(tmp_path / "store", SEEDS / "refused" / "not_objects.jsonl", run__max_rejected_fraction="0.5")
    assert Store(str(tmp_path / "store")).manifests == []
    assert not list((tmp_path / "store").glob("clean/*"))


def test_only_refused_records_commit(tmp_path: Path) -> None:
    manifest = run_over(tmp_path / "store", SEEDS / "refused" / "not_objects.jsonl")
    assert manifest["counts"]["clean"] == manifest["counts"]["copies"] == 0
    assert manifest["counts"]["records"] == manifest["counts"]["rejected"] == 3


def test_one_article(tmp_path: Path) -> None:
    row = {"id": "one", "text": "The ferry to the outer islands left an hour late because of fog.", "source": "a"}
    manifest = run_over(tmp_path / "store", write_jsonl(tmp_path / "one.jsonl", [row]))
    assert manifest["counts"]["clean"] == 1


def test_all_copies(tmp_path: Path) -> None:
    text = "The harbour council voted on Monday to dredge the northern channel before the winter storms arrive."
    rows = [{"id": str(number), "source": f"paper{number}", "text": text} for number in range(300)]
    manifest = run_over(tmp_path / "store", write_jsonl(tmp_path / "same.jsonl", rows))
    assert (manifest["counts"]["clean"], manifest["counts"]["copies"]) == (1, 299)
    assert {row["relation"] for row in rows_of(tmp_path / "store", "copies")} == {"exact"}


def test_another_scheme_is_refused(given: Any, tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "a.jsonl", given[:3]))
    with pytest.raises(UsageError, match="scheme"):
        run_over(tmp_path / "store", write_jsonl(tmp_path / "b.jsonl", given[3:]), sign__anchor_scale="4")


def test_two_runs_at_once_are_refused(given: Any, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", given[:3])
    with locked(str(tmp_path / "store")), pytest.raises(RunError, match="another run"):
        run_over(tmp_path / "store", path)


def test_a_read_only_store_is_a_user_error(given: Any, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "store").write_text("not a folder")
    else:
        (tmp_path / "store").mkdir(mode=0o500)
    with pytest.raises(UsageError):
        run_over(tmp_path / "store", write_jsonl(tmp_path / "a.jsonl", given[:3]))


def test_what_a_committed_run_wrote_stays_as_it_is(given: Any, tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "a.jsonl", given[::2]))
    before = {file: file.read_bytes() for file in (tmp_path / "store").rglob("run=*/*")}
    run_over(tmp_path / "store", write_jsonl(tmp_path / "b.jsonl", given[1::2]))
    assert before == {file: file.read_bytes() for file in before}


def test_staging_is_cleared_away(given: Any, tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "a.jsonl", given[:5]))
    assert [entry.name for entry in (tmp_path / "store" / "_staging").iterdir()] == ["lock"]


@pytest.mark.skipif(not EVAL.is_dir(), reason="the outside checker (../shared/eval) is not here")
def test_the_outside_checker_finds_the_store_whole(tmp_path: Path) -> None:
    run_over(tmp_path / "store", SEEDS / "articles")
    run_over(tmp_path / "store", SEEDS / "refused")
    counts = [manifest["counts"]["records"] for manifest in Store(str(tmp_path / "store")).manifests]
    checked = subprocess.run(
        [sys.executable, str(EVAL / "check_store.py"), str(tmp_path / "store"), "--input-count", str(sum(counts))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_removed_spans_rebuild_the_normalised_input(tmp_path: Path) -> None:
    from transforms.functions.reading import read_split
    from transforms.functions.splits import plan_splits
    from transforms.functions.unicode_text import normalise_texts
    from transforms.staging import open_file

    settings = run_module.Settings()
    run_over(tmp_path / "store", SEEDS / "articles" / "jsonl")
    stored = {row["article_id"]: row for row in articles_of(tmp_path / "store")}
    checked = 0
    for path in sorted((SEEDS / "articles" / "jsonl").iterdir()):
        for split in plan_splits(str(path), path.stat().st_size, settings.read, open_file):
            for batch in read_split(split, settings.read, open_file):
                texts = batch.raw.filter(batch.raw.column("text").is_valid())
                normal = normalise_texts(texts.column("text")).to_pylist()
                for article_id, wanted in zip(texts.column("article_id").to_pylist(), normal, strict=True):
                    row = stored[article_id]
                    pieces, last = [], 0
                    for span in row["removed"]:
                        pieces += [row["text"][last : span["at"]], span["text"]]
                        last = span["at"]
                    assert "".join([*pieces, row["text"][last:]]) == wanted
                    checked += 1
    assert checked > 15
