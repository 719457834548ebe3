"""What a scheduler needs: metrics, JSON lines, the ledger of inputs, and failures that say what to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import run as run_module
from pipeline.advice import GENERAL, advice
from pipeline.command_line import main
from pipeline.commands.run import moment
from pipeline.inputs import find_inputs
from pipeline.log_lines import JSON
from pipeline.metrics import Outcome, metrics_text
from pipeline.progress import Progress
from pipeline.run import RunOptions, run
from pipeline.store import Store, locked
from schemas.settings import Settings
from schemas.tables import STORE_TABLES
from tests.pipeline.store_reading import ROOT, SEEDS, rows_of, run_over, write_jsonl

ROWS = [
    {"id": str(number), "source": "echo", "text": f"The {word} was hauled ashore before the gale reached the bay."}
    for number, word in enumerate(("skiff", "trawler", "ferry", "dinghy", "tanker", "cutter"))
]
SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"\})? -?[0-9.e+-]+$')


def samples(path: Path) -> dict[str, float]:
    """A metrics file, after checking that every line is in the text format."""
    found = {}
    for line in path.read_text().splitlines():
        if not re.match(r"^# (HELP|TYPE) copydesk_[a-z_]+ .+$", line):
            assert SAMPLE.match(line), line
            name, value = line.rsplit(" ", 1)
            found[name.removeprefix("copydesk_")] = float(value)
    return found


def test_metrics_of_a_run_agree_with_its_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["run", "--quiet", "--input", str(SEEDS), "--store", "s", "--metrics", "m.prom"]
    assert main(command) == 0
    [manifest] = Store("s").manifests
    found = samples(tmp_path / "m.prom")
    assert found["run_success"] == 1
    assert found["run_records"] == manifest["counts"]["records"] > 0
    for table in STORE_TABLES:
        entries = [entry for entry in manifest["files"] if entry["table"] == table]
        assert found[f'run_rows{{table="{table}"}}'] == sum(entry["rows"] for entry in entries)
        assert found[f'run_bytes{{table="{table}"}}'] == sum(entry["bytes"] for entry in entries)
    for reason, count in manifest["tallies"]["rejected_by_reason"].items():
        assert found[f'run_rejected{{reason="{reason}"}}'] == count
    steps = {name: value for name, value in found.items() if name.startswith("run_step_seconds")}
    assert len(steps) == 7
    assert 0 < sum(steps.values()) <= found["run_seconds"]
    committed = datetime.fromisoformat(manifest["committed_at"]).timestamp()
    assert abs(found["last_commit_timestamp_seconds"] - committed) < 60
    assert [path.name for path in tmp_path.glob("*.unfinished")] == []
    assert main(command) == 0
    again = samples(tmp_path / "m.prom")
    assert (again["run_success"], again["run_records"]) == (1, 0)
    assert again["last_commit_timestamp_seconds"] == found["last_commit_timestamp_seconds"]


def test_metrics_of_a_failed_run_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source, metrics = str(write_jsonl(tmp_path / "in.jsonl", ROWS)), tmp_path / "m.prom"
    command = ["run", "--quiet", "--input", source, "--store", "s", "--metrics", str(metrics)]
    with locked("s"):
        assert main(command) == 1
    assert samples(metrics)["run_success"] == 0
    assert "run_records" not in samples(metrics)
    assert samples(metrics)["last_commit_timestamp_seconds"] == 0
    assert main([*command[:-1], str(tmp_path / "no" / "folder" / "m.prom")]) == 2
    assert Store("s").manifests == []


def test_labels_of_metrics_are_escaped() -> None:
    manifest = {"counts": {}, "files": [], "inputs": [], "tallies": {"rejected_by_reason": {'a"b\\c\nd': 1}}}
    text = metrics_text(Outcome(manifest, 0.0), 1.0, {}, 0.0)
    assert 'copydesk_run_rejected{reason="a\\"b\\\\c\\nd"} 1\n' in text


def test_json_lines(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    command = [sys.executable, "-m", "pipeline", "run", "--log-format", "json", "--input", str(source), "--store"]
    done = subprocess.run(
        [*command, str(tmp_path / "s")], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one["step"] for one in told if one.get("state") == "done"] == [
        "1-stage", "2-rarity", "3-alike", "4-match", "5-complete", "6-relate", "7-publish",
    ]  # fmt: skip
    assert all(datetime.fromisoformat(one["time"]).tzinfo and one["level"] == "info" for one in told)
    with locked(str(tmp_path / "t")):
        done = subprocess.run(
            [*command, str(tmp_path / "t")], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 1
    error = json.loads(done.stderr.splitlines()[-1])
    assert (error["level"], error["exit_code"]) == ("error", 1)
    assert "another run" in error["message"]
    assert error["what_to_do"]


def counts(manifest: dict[str, Any]) -> tuple[int, int, int]:
    found = manifest["counts"]
    return found["records"], found["clean"] + found["copies"], found["rejected"]


def test_a_file_that_grew_was_replaced_or_renamed(tmp_path: Path) -> None:
    store, folder = tmp_path / "s", tmp_path / "in"
    path = write_jsonl(folder / "a.jsonl", ROWS[:2])
    assert counts(run_over(store, folder)) == (2, 2, 0)
    write_jsonl(path, ROWS[:3])
    grown = run_over(store, folder)
    assert counts(grown) == (3, 1, 2)
    assert grown["tallies"]["rejected_by_reason"] == {"repeat": 2}
    path.rename(folder / "b.jsonl")
    assert run_over(store, folder)["nothing_new"]
    write_jsonl(folder / "b.jsonl", ROWS[3:5])
    assert counts(run_over(store, folder)) == (2, 2, 0)
    assert len(rows_of(store, "clean")) + len(rows_of(store, "copies")) == 5


def test_files_of_the_same_content_are_read_once_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        write_jsonl(tmp_path / "in" / f"{name}.jsonl", ROWS[:2])
    assert main(["run", "--input", str(tmp_path / "in"), "--store", str(tmp_path / "s")]) == 0
    shown = capsys.readouterr()
    assert "2 more have the content of another" in shown.err
    assert "(2 more files of the same content as one of them)" in shown.out
    [entry] = Store(str(tmp_path / "s")).manifests[0]["inputs"]
    assert [os.path.basename(path) for path in entry["also"]] == ["b.jsonl", "c.jsonl"]
    page = next((tmp_path / "s").glob("reports/*/index.html")).read_text()
    assert "c.jsonl" in page


def test_since_leaves_out_older_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (write_jsonl(tmp_path / "in" / f"{name}.jsonl", [row]) for name, row in zip("ab", ROWS, strict=False))
    os.utime(old, (1_000_000_000, 1_000_000_000))
    found = find_inputs([str(tmp_path / "in")], "s", datetime.now(UTC) - timedelta(hours=1))
    assert ([entry.path for entry in found.files], found.older) == ([str(new)], 1)
    command = ["run", "--quiet", "--input", str(tmp_path / "in"), "--store", str(tmp_path / "s")]
    assert main([*command, "--since", "2001-09-09T01:46:41Z"]) == 0
    assert "from 1 file" in capsys.readouterr().out
    assert main([*command, "--since", "1h"]) == 0
    assert "1 more were last changed before --since" in capsys.readouterr().out
    assert main([*command, "--since", "2001-09-09T01:46:40Z"]) == 0
    assert len(Store(str(tmp_path / "s")).manifests) == 2


def test_moments() -> None:
    assert moment("2026-07-14") == datetime(2026, 7, 14, tzinfo=UTC)
    assert moment("2026-07-14T06:00+03:00") == datetime(2026, 7, 14, 3, tzinfo=UTC)
    assert abs(moment("7d") - (datetime.now(UTC) - timedelta(days=7))) < timedelta(minutes=1)
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--input", "x", "--store", "y", "--since", "yesterday"])


def test_reprocess_reads_known_files_again(tmp_path: Path) -> None:
    """What the store holds is a repeat; what was refused and passes now comes in."""
    rows = [*ROWS[:3], {"id": "short", "source": "echo", "text": "Gale tonight."}]
    path, store = write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "s"
    assert counts(run_over(store, path)) == (4, 3, 1)
    options = RunOptions((str(path),), str(store), Settings().replace({"clean.min_words": "1"}), reprocess=True)
    again = run(options, Progress(None))
    assert counts(again) == (4, 1, 3)
    assert again["tallies"]["rejected_by_reason"] == {"repeat": 3}
    assert run_over(store, path)["nothing_new"]


def test_links_to_folders_are_followed_once_in_either_way(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "elsewhere" / "deep" / "far.jsonl", ROWS[:1])
    write_jsonl(tmp_path / "in" / "b" / "near.jsonl", ROWS[1:2])
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "a").symlink_to("b")
    for name in "wxyz":
        (tmp_path / "in" / name).symlink_to(".")
        (tmp_path / "elsewhere" / name).symlink_to("..")
    for pattern in ("", "/**/*.jsonl", "/**"):
        found = find_inputs([f"{tmp_path}/in{pattern}"], "s").files
        assert [os.path.relpath(entry.path, tmp_path) for entry in found] == [
            "in/b/near.jsonl",
            "in/linked/deep/far.jsonl",
        ]
    assert len(find_inputs([f"{tmp_path}/i*/**/deep/*.jsonl"], "s").files) == 1


def test_patterns_are_the_shells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("a.jsonl", "x/b.jsonl", "x/y/c.jsonl", ".h/d.jsonl", "x/.e.jsonl")):
        write_jsonl(tmp_path / name, ROWS[number : number + 1])
    monkeypatch.chdir(tmp_path)

    def names(pattern: str) -> list[str]:
        return [entry.path for entry in find_inputs([pattern], "s").files]

    assert names("**/*.jsonl") == ["a.jsonl", "x/b.jsonl", "x/y/c.jsonl"]
    assert names("x/**/*.jsonl") == names("./x/**") == ["x/b.jsonl", "x/y/c.jsonl"]
    assert names("**/y/*.jsonl") == names("*/y/*") == ["x/y/c.jsonl"]
    assert names("**/.h/*.jsonl") == [".h/d.jsonl"]
    assert names("**/.*.jsonl") == ["x/.e.jsonl"]
    assert names(f"{tmp_path}/**/[bc].jsonl") == [f"{tmp_path}/x/b.jsonl", f"{tmp_path}/x/y/c.jsonl"]


def test_too_many_refused_says_what_to_do_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "s"
    run_over(store, write_jsonl(tmp_path / "known.jsonl", ROWS[:4]))
    # Four repeats, one article and one refused record: half of what is new is refused.
    mixed = write_jsonl(tmp_path / "in.jsonl", [*ROWS[:5], {"id": "none"}])
    command = ["run", "--quiet", "--input", str(mixed), "--store", str(store), "--max-rejected-fraction"]
    assert main([*command, "0.4"]) == 1
    error = capsys.readouterr().err
    assert "1 of 2 records (repeats not counted) were refused" in error
    assert "higher --max-rejected-fraction" in error
    original, built = run_module.RunInProgress._job, []

    def note(self: Any, name: str, build_job: Any) -> Any:
        return original(self, name, lambda pipeline, listing: (built.append(name), build_job(pipeline, listing)))

    with monkeypatch.context() as patch:
        patch.setattr(run_module.RunInProgress, "_job", note)
        assert main([*command, "0.4"]) == 1
        assert main([*command, "0.5"]) == 0
    assert built == [], "finished steps were done again"
    assert Store(str(store)).manifests[-1]["settings"]["run.max_rejected_fraction"] == 0.5


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "disk is full"),
        (RuntimeError("OSError: [Errno 28] No space left on device [while running 'Stage']"), "disk is full"),
        (PermissionError(13, "Permission denied"), "Let this user"),
        (OSError(30, "Read-only file system"), "Let this user"),
        (FileNotFoundError(2, "No such file or directory"), "vanished"),
        (MemoryError(), "--workers 1"),
        (RuntimeError("something else"), GENERAL[0]),
    ],
)
def test_advice_fits_the_cause(error: Exception, said: str) -> None:
    assert said in advice(error)[0]
    wrapped = RuntimeError("step failed")
    wrapped.__cause__ = error
    assert said in advice(wrapped)[0]


def test_a_failed_run_fits_on_one_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    command = ["run", "--quiet", "--input", str(source), "--store", str(tmp_path / "s")]
    for target in ("_relate", "_move_into_place", "_job"):
        with monkeypatch.context() as patch:
            patch.setattr(run_module.RunInProgress, target, full)
            assert main(command) == 1
        error = capsys.readouterr().err
        assert "The disk is full" in error
        assert len(error.splitlines()) < 24
    assert main(command) == 0


def test_progress_as_json_is_never_a_bar(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w") as stream:
        progress = Progress(stream, JSON)
        assert not progress.on_terminal
        with progress.job("1-stage"):
            pass
        progress.say("a\nb")
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [one["message"] for one in told][1] == "a\nb"
    assert told[0]["seconds"] == pytest.approx(progress.seconds["1-stage"], abs=1e-3)
