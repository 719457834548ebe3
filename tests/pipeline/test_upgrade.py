"""`copydesk upgrade`: a store's own articles into a new store, as a run over their inputs would make it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from pipeline import build
from pipeline.command_line import main
from pipeline.compare import compare
from pipeline.export import export
from pipeline.store import Store
from pipeline.topic_ledger import offsets_in
from pipeline.verify import verify
from schemas.tables import REMOVED, SCHEMA_VERSION
from tests.pipeline.store_reading import SEEDS, articles_of, rows_of, run_over, write_jsonl
from tests.pipeline.test_furniture_runs import DAYS, day_of_news
from transforms.functions.agencies import agency_names
from transforms.functions.reading_stored import restore_records

OLD = Path(__file__).parent / "stores"
OLD_INPUTS = ("agencies.jsonl", "harrowby_echo.jsonl", "lowmarsh_courier.jsonl.gz", "al_manara.jsonl")
OF_THE_RUN = ("run_id", "ingested_at", "schema_version", "table")
"""What is of the run that published an article: a copy stays in `clean/` where what it is a copy of came later."""


def upgraded(store: Path, to: Path, *flags: str) -> Path:
    assert main(["upgrade", "--quiet", "--store", str(store), "--to", str(to), *flags]) == 0
    return to


def full_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def whole(store: Path) -> bool:
    return not any(broken for _, found in verify(Store(str(store))) for broken in found)


def rows_by_id(store: Path, *left_out: str) -> dict[str, dict[str, Any]]:
    return {
        row["article_id"]: {name: value for name, value in row.items() if name not in (*OF_THE_RUN, *left_out)}
        for row in articles_of(store)
    }


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs over everything: pages, refused records, repeats."""
    store = tmp_path_factory.mktemp("seeds") / "store"
    run_over(store, SEEDS / "articles" / "jsonl", SEEDS / "articles" / "warc", SEEDS / "refused")
    run_over(store, SEEDS / "articles")
    return store


@pytest.mark.parametrize("version", [1, 2])
def test_an_old_store_becomes_what_a_run_over_its_inputs_makes(version: int, tmp_path: Path) -> None:
    old = shutil.copytree(OLD / f"schema_{version}", tmp_path / "old")
    run_over(tmp_path / "fresh", *(SEEDS / "articles" / "jsonl" / name for name in OLD_INPUTS))
    new = upgraded(old, tmp_path / "new")
    assert Store(str(new)).manifests[0]["schema_version"] == SCHEMA_VERSION
    # Where the old runs found their files differs.
    assert rows_by_id(new, "source_uri") == rows_by_id(tmp_path / "fresh", "source_uri")
    assert compare(Store(str(new)), Store(str(tmp_path / "fresh"))).same
    assert whole(new)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_store_of_today_comes_out_as_it_was(seeds: Path, tmp_path: Path, workers: str) -> None:
    new = upgraded(seeds, tmp_path / "new", "--workers", workers)
    assert rows_by_id(new) == rows_by_id(seeds)
    found = compare(Store(str(seeds)), Store(str(new)))
    assert found.same
    assert not any(one.count for one in found.kinds.values())
    assert whole(new)
    refused = [[{**row, "run_id": 0} for row in rows_of(store, "rejected")] for store in (seeds, new)]
    assert sorted(refused[0], key=str) == sorted(refused[1], key=str)
    assert len(refused[0]) > 10


def test_bylines_and_agencies_that_pages_said_are_kept(seeds: Path, tmp_path: Path) -> None:
    said = [
        row for row in articles_of(seeds)
        if row["byline"] and row["byline"] not in row["text"] + "".join(span["text"] for span in row["removed"])
    ]  # fmt: skip
    assert said, "no page of the seeds says a byline that its text doesn't"
    new = rows_by_id(upgraded(seeds, tmp_path / "new"))
    assert {row["article_id"]: row["byline"] for row in said} == {
        row["article_id"]: new[row["article_id"]]["byline"] for row in said
    }


def test_an_agency_that_a_page_said_comes_back_as_it_is_called_and_no_other_does() -> None:
    names = sorted(set(agency_names().values()))
    count = len(names)
    said = pa.table(
        {
            **{name: [None] * count for name in ("source_id", "url", "title", "language", "published_at", "source")},
            "article_id": [str(n) for n in range(count)], "source_uri": ["a"] * count, "position": [0] * count,
            "text": ["The river rose."] * count, "byline": [None, *["Jane Doe"] * (count - 1)], "agency": names,
            "removed": pa.array([[]] * count, REMOVED),
        }
    )  # fmt: skip
    restored = restore_records(said)
    assert restored.column("agency").to_pylist() == names
    assert restored.column("byline").to_pylist() == said.column("byline").to_pylist()
    dateline = {"rule": "wire.dateline", "category": "dateline", "at": 0, "text": "PARIS (AFP) - "}
    column = said.schema.get_field_index("removed")
    restored = restore_records(said.set_column(column, "removed", pa.array([[dateline]] * count, REMOVED)))
    assert restored.column("agency").null_count == count
    assert restored.column("text")[0].as_py() == "PARIS (AFP) - The river rose."


def test_its_inputs_stay_known(seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = upgraded(seeds, tmp_path / "new")
    capsys.readouterr()
    given = [str(SEEDS / "articles"), str(SEEDS / "refused")]
    assert main(["run", "--quiet", "--input", *given, "--store", str(new)]) == 0
    assert "Nothing new" in capsys.readouterr().out
    old, made = Store(str(seeds)).manifests, Store(str(new)).manifests
    assert made[0]["kind"] == "upgrade"
    for name in ("records", "rejected"):
        assert sum(one["counts"][name] for one in old) == made[0]["counts"][name]


def test_more_than_one_look_at_a_file_and_a_topic_are_carried_over(tmp_path: Path) -> None:
    """A file that grew was read twice, and a topic in ranges: each look stays known, and every sum is right."""
    rows = [{"id": str(n), "text": f"{word} " * 12, "title": word} for n, word in enumerate(("ash", "birch", "cedar"))]
    grown = tmp_path / "in" / "grown.jsonl"
    for count in (2, 3):
        run_over(tmp_path / "store", write_jsonl(grown, rows[:count]))
    path = tmp_path / "store" / "manifest" / "00000002.json"
    manifest = json.loads(path.read_text())
    for first, end in ((0, 7), (7, 19)):
        manifest["inputs"].append(
            {"path": "kafka:///news#1", "first_offset": first, "end_offset": end, "messages": 0, "size": 0,
             "sha256": f"{first}", "topic_id": "T", "also": [], "unreadable": None,
             "records": 0, "clean": 0, "copies": 0, "rejected": 0}
        )  # fmt: skip
    path.write_text(json.dumps(manifest))
    new = Store(str(upgraded(tmp_path / "store", tmp_path / "new")))
    assert new.known_inputs() == Store(str(tmp_path / "store")).known_inputs()
    assert len(new.known_inputs()) == 4
    assert offsets_in(new.manifests, "T") == {1: 19}
    assert [entry["records"] for entry in new.manifests[0]["inputs"]] == [5, 0, 0, 0]
    assert whole(tmp_path / "new")


def test_what_was_learned_is_learned_again(tmp_path: Path) -> None:
    """Footers that an early run could not know are gone in all texts, as in an export."""
    for part in range(3):
        rows = [row for day in range(part, DAYS, 3) for row in day_of_news(day)]
        run_over(tmp_path / "store", write_jsonl(tmp_path / f"{part}.jsonl", rows))
    new = upgraded(tmp_path / "store", tmp_path / "new")
    for store, to in ((tmp_path / "store", "a"), (new, "b")):
        export(Store(str(store)), str(tmp_path / to))
    tables = [ds.dataset(str(tmp_path / to), exclude_invalid_files=True).to_table() for to in "ab"]
    assert tables[0].equals(tables[1])
    published = {row["article_id"]: row["text"] for row in articles_of(new) if row["relation"] == "kept"}
    exported = dict(zip(*(tables[0].column(name).to_pylist() for name in ("article_id", "text")), strict=True))
    assert {key: exported[key] for key in published} == published


def test_one_that_fails_goes_on_with_the_same_command(
    seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["upgrade", "--store", str(seeds), "--to", str(tmp_path / "new")]

    with monkeypatch.context() as patched:
        patched.setattr(build, "build_publish", full_disk)
        assert main(asked) == 1
    assert Store(str(tmp_path / "new")).manifests == []
    assert "Free space" in capsys.readouterr().err
    assert main(asked) == 0
    told = capsys.readouterr().err
    assert "going on with run" in told
    assert "1/7" not in told
    assert rows_by_id(tmp_path / "new") == rows_by_id(seeds)


def test_nothing_else_goes_on_with_what_an_upgrade_has_staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a run over the same inputs, nor the upgrade of another store of them."""
    rows = [{"id": str(n), "text": f"{word} " * 12} for n, word in enumerate(("ash", "birch", "cedar"))]
    given = write_jsonl(tmp_path / "in.jsonl", rows)
    for name in "ab":
        run_over(tmp_path / name, write_jsonl(given, rows if name == "a" else rows[:2]))
    for name in "ab":  # the same inputs by their manifests
        path = tmp_path / name / "manifest" / "00000001.json"
        manifest = json.loads(path.read_text())
        manifest["inputs"][0] |= {"sha256": "same", "size": 1}
        path.write_text(json.dumps(manifest))
    with monkeypatch.context() as patched:
        patched.setattr(build, "build_publish", full_disk)
        assert main(["upgrade", "--quiet", "--store", str(tmp_path / "a"), "--to", str(tmp_path / "new")]) == 1
    assert len(rows_by_id(upgraded(tmp_path / "b", tmp_path / "new"))) == 2
    assert whole(tmp_path / "new")


def test_what_can_not_be_is_refused(seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for store, to, said in (
        (tmp_path / "nothing", tmp_path / "new", "holds no committed run"),
        (seeds, seeds, "lie in each other"),
        (seeds, seeds / "clean", "lie in each other"),
        (seeds, upgraded(seeds, tmp_path / "made"), "is a store already"),
    ):
        capsys.readouterr()
        assert main(["upgrade", "--quiet", "--store", str(store), "--to", str(to)]) == 2
        assert said in capsys.readouterr().err
