"""Stores that older programs made are read; what can't go on with them says so and changes nothing.

`stores/schema_1` and `stores/schema_2` are of schema versions 1 and 2: two runs over `agencies` and `harrowby_echo`,
then `lowmarsh_courier` and `al_manara` of the seeds.
"""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.command_line import main
from pipeline.store import Store
from tests.pipeline.store_reading import SEEDS, rows_of

STORES = Path(__file__).parent / "stores"
SCHEMES = {1: ("fold=1", "fold=2"), 2: ("terms=1",)}
"""By schema version, what of the scheme the message must show: what the store has, and this program."""
RUNS = [(9, 7, 2), (9, 6, 3)]
"""Records, clean and copies of its runs, as the old program's own summaries told them. The second made a
copy of one that the first had kept: 12 are kept."""


@pytest.fixture(params=sorted(SCHEMES))
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def store(version: int, tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORES / f"schema_{version}", tmp_path / "store"))


def content(folder: Path) -> dict[str, str]:
    """Digests of a store's files, without the staging folder."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_is_an_old_store(version: int, store: Path) -> None:
    manifests = Store(str(store)).manifests
    assert [manifest["schema_version"] for manifest in manifests] == [version, version]
    assert [tuple(one["counts"][name] for name in ("records", "clean", "copies")) for one in manifests] == RUNS
    assert any("warnings" in manifest for manifest in manifests) == (version > 1)


def test_verify_finds_every_promise_kept(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(store)
    assert main(["verify", "--store", str(store), "--json"]) == 0
    promises = json.loads(capsys.readouterr().out)
    assert len(promises) >= 9
    assert not any(promises.values())
    assert content(store) == before


def test_explain_tells_every_article(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = {row["article_id"]: row for row in rows_of(store, "labels")}
    assert len(labels) == 18
    evident = 0
    for article_id, label in labels.items():
        assert main(["explain", "--store", str(store), article_id, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["label"]["kept_id"] == label["kept_id"]
        assert main(["explain", "--store", str(store), article_id]) == 0
        shown = capsys.readouterr().out
        if not label["is_kept"]:
            assert f"copy of {label['kept_id']}, which stands for it" in shown
            evident += len(told["matches"]) > 0
    assert evident == 6


@pytest.mark.parametrize("number", [0, 1])
def test_report_tells_a_run(store: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = Store(str(store)).runs[number]["run_id"]
    assert main(["report", "--store", str(store), "--run", run_id]) == 0
    records, clean, copies = RUNS[number]
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Run {run_id} committed records in {records} from 2 files clean {clean} " in shown
    assert f"copies {copies} of a kept article" in shown
    assert (store / "reports" / f"run={run_id}" / "index.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_export_holds_what_is_kept(store: Path, tmp_path: Path, form: str) -> None:
    kept = {row["article_id"]: row for row in rows_of(store, "labels")}
    wanted = {article_id for article_id, row in kept.items() if row["is_kept"]}
    assert main(["export", "--store", str(store), "--to", str(tmp_path / "to"), "--format", form]) == 0
    if form == "parquet":
        rows = [row for path in (tmp_path / "to").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    else:
        rows = [json.loads(line) for path in (tmp_path / "to").rglob("*.jsonl") for line in path.open()]
    assert {row["article_id"] for row in rows} == wanted
    assert len(rows) == len(wanted) == 12
    assert all(row["text"] for row in rows)


def test_compare_with_itself_is_the_same(version: int, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(store), str(STORES / f"schema_{version}")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "the same"


def test_a_compacted_one_says_the_same(version: int, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compact", "--store", str(store)]) == 0
    assert main(["compare", str(store), str(STORES / f"schema_{version}")]) == 0
    assert main(["verify", "--store", str(store)]) == 0
    assert "BROKEN" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "relabel"])
def test_what_would_mix_fingerprints_is_refused(
    version: int, store: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(store)
    given = ["--input", str(SEEDS / "articles" / "jsonl" / "other_scripts.jsonl")] if command == "run" else []
    assert main([command, "--quiet", *given, "--store", str(store)]) == 2
    message = capsys.readouterr().err
    for part in (str(store), *SCHEMES[version], "into a new store", f"copydesk upgrade --store {store} --to NEW"):
        assert part in message
    assert content(store) == before
