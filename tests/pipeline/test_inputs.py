"""Which files a run takes in: oddly named, unreadable, linked, and the store's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.inputs import find_inputs
from pipeline.store import Store
from tests.pipeline.store_reading import ROOT, SEEDS, rows_of, run_over, write_jsonl

ROW = {"id": "one", "source": "echo", "text": "Nine boats were hauled ashore before the gale reached the outer bay."}


def names(*patterns: object, store: object = "/nowhere/store") -> list[str]:
    return [os.path.basename(entry.path) for entry in find_inputs([str(one) for one in patterns], str(store)).files]


@pytest.mark.parametrize("name", ["in/store", "in"])
def test_a_store_inside_its_input_folder_is_no_input(name: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in" / "a.jsonl", [ROW])
    assert run_over(tmp_path / name, tmp_path / "in")["counts"]["records"] == 1
    assert run_over(tmp_path / name, tmp_path / "in")["nothing_new"]
    assert names(f"{tmp_path}/in/**/*.json*", store=tmp_path / name) == ["a.jsonl"]


def test_a_file_that_cannot_be_opened_is_one_refused_record(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in" / "a.jsonl", [ROW])
    (tmp_path / "in" / "gone.jsonl").symlink_to("/no/such/file")
    (tmp_path / "in" / "gone.parquet").symlink_to("/no/such/other")
    manifest = run_over(tmp_path / "store", tmp_path / "in")
    assert (manifest["counts"]["clean"], manifest["counts"]["rejected"]) == (1, 2)
    assert {row["reason"] for row in rows_of(tmp_path / "store", "rejected")} == {"unreadable_file"}
    assert run_over(tmp_path / "store", tmp_path / "in")["nothing_new"]
    # Once it can be opened, it is read.
    (tmp_path / "in" / "gone.jsonl").unlink()
    write_jsonl(tmp_path / "in" / "gone.jsonl", [{**ROW, "id": "two", "source": "courier"}])
    counts = run_over(tmp_path / "store", tmp_path / "in")["counts"]
    assert (counts["records"], counts["rejected"]) == (1, 0)


def test_links_and_loops_count_once(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in" / "z.jsonl", [ROW])
    (tmp_path / "in" / "a_link.jsonl").symlink_to("z.jsonl")
    (tmp_path / "in" / "loop").symlink_to(".")
    assert names(tmp_path / "in") == ["z.jsonl"]
    assert names(f"{tmp_path}/in/**/*.jsonl", tmp_path / "in") == ["z.jsonl"]


@pytest.mark.parametrize("name", ["new\nline.jsonl", os.fsdecode(b"bad\xff.jsonl")])
def test_a_name_that_cannot_be_printed_is_a_clear_error(name: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in" / name, [ROW])
    with pytest.raises(UsageError, match="rename"):
        find_inputs([str(tmp_path / "in")], str(tmp_path / "store"))


def test_long_and_foreign_names_are_whole_in_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "in" / ("n" * 200) / ("m" * 200) / ("صحيفة" * 15)
    path = write_jsonl(folder / "a.jsonl", [ROW, {"id": "none"}])
    manifest = run_over(tmp_path / "store", tmp_path / "in")
    assert manifest["inputs"][0]["clean"] == manifest["inputs"][0]["rejected"] == 1
    assert rows_of(tmp_path / "store", "clean")[0]["source_uri"] == str(path)


def test_empty_store_name_and_wrong_field_make_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty"):
        Store(" ")
    command = [sys.executable, "-m", "pipeline", "run", "--input", str(SEEDS / "articles" / "json")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--store", "s", "--field", "foo=bar"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_workers_are_as_quiet_as_one(tmp_path: Path) -> None:
    source = str(SEEDS / "articles" / "jsonl")
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--workers", "2", "--input", source, "--store", "s"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
