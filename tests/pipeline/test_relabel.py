"""`copydesk relabel` ends where a run over the same articles with the same settings would, and reads none of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.command_line import main
from pipeline.compare import compare
from pipeline.store import Store
from pipeline.verify import verify
from tests.pipeline.store_reading import SEEDS, articles_of, as_input, rows_of, run_over, write_jsonl

OTHER = {
    "stricter": {"match.copy_score": "4", "match.removal_containment": "0.95"},
    "looser": {"match.copy_score": "-6", "match.removal_containment": "0.3", "match.partial_containment": "0.1"},
    "earliest": {"relate.keep": "earliest"},
    "drop partial": {"relate.drop": "exact,near,contained,partial"},
}


def parts(folder: Path) -> list[Path]:
    run_over(folder / "seeds", SEEDS / "articles")
    given = sorted((as_input(row) for row in articles_of(folder / "seeds")), key=lambda row: row["text"])
    return [write_jsonl(folder / f"{number}.jsonl", given[number::2]) for number in range(2)]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return parts(tmp_path_factory.mktemp("relabel"))


def of(store: Path, settings: dict[str, str]) -> list[str]:
    assignments = [f"{key}={value}" for key, value in settings.items()]
    return ["relabel", "--quiet", "--store", str(store), *(word for one in assignments for word in ("--set", one))]


def same(a: Path, b: Path) -> bool:
    return compare(Store(str(a)), Store(str(b))).same


@pytest.mark.parametrize("name", OTHER)
def test_it_ends_where_a_run_with_these_settings_does(name: str, inputs: list[Path], tmp_path: Path) -> None:
    settings = OTHER[name]
    store, fresh = tmp_path / "store", tmp_path / "fresh"
    for path in inputs:
        run_over(store, path)
    run_over(fresh, *inputs, **{key.replace(".", "__"): value for key, value in settings.items()})
    assert not same(store, fresh)
    before = {path: path.read_bytes() for path in store.rglob("run=*/*")}
    labels = len(rows_of(store, "labels"))
    # The articles can't be read: neither the inputs nor clean/ and copies/ are there.
    aside = tmp_path / "aside"
    aside.mkdir()
    for table in ("clean", "copies"):
        os.rename(store / table, aside / table)
    assert main(of(store, settings)) == 0
    for table in ("clean", "copies"):
        os.rename(aside / table, store / table)
    assert before == {path: path.read_bytes() for path in before}
    assert same(store, fresh)
    assert not any(broken for _, broken in verify(Store(str(store))))
    manifest = Store(str(store)).manifests[-1]
    assert {entry["table"] for entry in manifest["files"]} <= {"labels", "matches"}
    assert manifest["counts"]["relabelled"] == len(rows_of(store, "labels")) - labels > 0
    assert manifest["counts"]["records"] == 0


def test_only_what_changes_is_written_and_once(
    inputs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    run_over(store, *inputs)
    articles = len(articles_of(store))
    assert main(of(store, OTHER["earliest"])) == 0
    assert "relabelled" in capsys.readouterr().out
    assert 0 < len(rows_of(store, "labels")) - articles < articles
    # The settings of the last run hold on, so that there is nothing left to change.
    for arguments in (of(store, {}), of(store, OTHER["earliest"])):
        assert main(arguments) == 0
        assert "no label changes" in capsys.readouterr().out
    assert len(Store(str(store)).manifests) == 2
    assert main([*of(store, {"relate.keep": "most-complete"}), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "relabel"
    run_over(tmp_path / "fresh", *inputs)
    assert same(store, tmp_path / "fresh")
    assert main(["report", "--store", str(store)]) == 0
    assert not [path for path in (store / "_staging").iterdir() if path.name != "lock"]


def test_runs_go_on_after_it(inputs: list[Path], tmp_path: Path) -> None:
    store, fresh = tmp_path / "store", tmp_path / "fresh"
    run_over(store, inputs[0])
    assert main(of(store, {"match.copy_score": "4"})) == 0
    run_over(store, inputs[1], match__copy_score="4")
    run_over(fresh, *inputs, match__copy_score="4")
    assert same(store, fresh)
    assert run_over(store, *inputs)["nothing_new"]


def test_settings_that_need_the_articles_are_refused(
    inputs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    run_over(store, inputs[0])
    assert main(of(store, {"clean.level": "light"})) == 2
    assert "without reading the articles again" in capsys.readouterr().err
    assert main(of(store, {"match.copy_scor": "1"})) == 2
    assert main(of(tmp_path / "none", {})) == 2
    assert len(Store(str(store)).manifests) == 1
