"""`copydesk compare`: equal stores are equal however they came about, and every kind of difference is seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.command_line import main
from pipeline.compare import compare
from pipeline.store import Store
from tests.pipeline.store_reading import SEEDS, articles_of, as_input, run_over, write_jsonl
from tests.pipeline.test_verify import rewrite


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The seeds in one run, and in three of other files."""
    folder = tmp_path_factory.mktemp("compare")
    run_over(folder / "seeds", SEEDS / "articles")
    given = sorted((as_input(row) for row in articles_of(folder / "seeds")), key=lambda row: json.dumps(row))
    run_over(folder / "a", write_jsonl(folder / "all.jsonl", given))
    for number in range(3):
        run_over(folder / "b", write_jsonl(folder / f"{number}.jsonl", given[number::3]))
    return folder / "a", folder / "b"


def kinds(a: Path, b: Path) -> set[str]:
    found = compare(Store(str(a)), Store(str(b)))
    return {kind for kind, difference in found.kinds.items() if difference.count}


def test_three_runs_are_one_run(stores: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    a, b = stores
    assert kinds(a, b) == set()
    assert main(["compare", str(a), str(b)]) == 0
    assert capsys.readouterr().out.endswith("the same\n")


def relabelled(name: str, value: Any) -> Any:
    return lambda rows: [{**rows[0], name: value}, *rows[1:]]


@pytest.mark.parametrize(
    ("table", "change", "seen"),
    [
        ("labels", relabelled("story_id", "f" * 32), {"story"}),
        ("labels", relabelled("kept_id", "f" * 32), {"keeper"}),
        ("labels", relabelled("relation", "rewrite"), {"relation"}),
        ("labels", relabelled("derived_from", "f" * 32), {"source"}),
        ("labels", lambda rows: [{**row, "is_kept": not row["is_kept"]} for row in rows], {"kept"}),
        ("labels", lambda rows: rows[1:], {"only_in_a"}),
    ],
)
def test_each_kind_of_difference_is_seen(
    table: str, change: Any, seen: set[str], stores: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(stores[0], tmp_path / "b")
    rewrite(tmp_path / "b", table, change)
    assert kinds(stores[0], tmp_path / "b") == seen
    assert main(["compare", str(stores[0]), str(tmp_path / "b")]) == 1
    back = {"only_in_b"} if seen == {"only_in_a"} else seen
    assert kinds(tmp_path / "b", stores[0]) == back


def test_texts_and_repeats_are_shown_apart(
    stores: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(stores[0], tmp_path / "b")
    rewrite(tmp_path / "b", "clean", lambda rows: [{**rows[0], "text": "Other words."}, *rows[1:]])
    again = [as_input(row) for row in articles_of(stores[0])[:4]]
    run_over(tmp_path / "b", write_jsonl(tmp_path / "again.jsonl", again))
    assert main(["compare", "--json", str(stores[0]), str(tmp_path / "b")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"] is True
    assert told["differences"]["text"]["count"] == 1
    assert told["differences"]["repeat"]["examples"] == [{"id": "repeat", "a": 0, "b": 4}]
    assert main(["compare", "--json", "--labels-only", str(stores[0]), str(tmp_path / "b")]) == 0
    assert "text" not in json.loads(capsys.readouterr().out)["differences"]


def test_refusals_differ_by_reason(
    stores: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(stores[0], tmp_path / "b")
    run_over(tmp_path / "b", SEEDS / "refused" / "not_objects.jsonl")
    assert kinds(stores[0], tmp_path / "b") == {"rejected"}
    assert main(["compare", str(stores[0]), str(tmp_path / "b")]) == 1
    assert "bad_record: A 0, B 3" in capsys.readouterr().out


def test_examples_are_limited(stores: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(stores[0], tmp_path / "b")
    rewrite(tmp_path / "b", "labels", lambda rows: [{**row, "relation": "rewrite"} for row in rows])
    found = compare(Store(str(stores[0])), Store(str(tmp_path / "b")), 2).kinds["relation"]
    assert found.count > 2
    assert len(found.examples) == 2


def test_what_is_no_store_is_wrong_use(stores: tuple[Path, Path], tmp_path: Path) -> None:
    assert main(["compare", str(stores[0]), str(tmp_path / "none")]) == 2
