"""Each composite in a pipeline of the local runner, and all of them together against the plain flow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.runners import local_pipeline
from schemas.settings import ReadSettings, RelateSettings, Settings
from schemas.tables import ARTICLE, CLEANED, FURNITURE, RAW, REJECTED, SKETCH
from tests.functions.made_up import (
    Article,
    Label,
    article_id,
    cleaned_batch,
    labels_by_id,
    plain_run,
    tables_of,
    text_of,
)
from transforms import staging
from transforms.clean_articles import CleanArticles
from transforms.functions.catalogue import Catalogue, read_catalogue
from transforms.functions.labelling import collapse, complete
from transforms.functions.matching import WEIGHED
from transforms.functions.refusals import REFUSED
from transforms.functions.sketch_files import SketchFiles
from transforms.functions.splits import plan_splits
from transforms.functions.stretches import Changed, standing_by_stretch
from transforms.learn_furniture import FurnitureTask, LearnFurniture
from transforms.match_articles import (
    CountRarity,
    MatchArticles,
    MatchTask,
    WeighPairs,
    load_array,
    read_sketches,
    save_array,
)
from transforms.parts import Part, WriteListing
from transforms.publish_run import PublishRun, PublishTask
from transforms.read_articles import ReadArticles
from transforms.relate_articles import RelateArticles, RelateTask
from transforms.sign_articles import SignArticles
from transforms.stage_articles import StageArticles

SETTINGS = Settings()
LONG = text_of(1, 200) + " " + text_of(2, 100)

SETS: dict[str, list[list[Article]]] = {
    "nothing": [],
    "one article": [[Article("only", LONG)]],
    "all copies": [[Article(f"{file} {number}", LONG) for number in range(5)] for file in range(2)],
    "a story": [
        [
            Article("whole", LONG, 100), Article("near", LONG + " more", 101),
            Article("part", " ".join(LONG.split()[:80]) + " " + text_of(3, 120), 101),
        ],
        [
            Article("cut", " ".join(LONG.split()[:150]), 101), Article("twin", LONG.upper(), 101),
            Article("own", text_of(4, 150), 100),
        ],
        [Article("brief", "harbour closed", None)],
    ],
}  # fmt: skip


def part_of(name: str, articles: Sequence[Article]) -> Part:
    """Cleaned articles on their way to be signed."""
    shares = np.array([one.removed_share for one in articles], np.float32)
    refused = pa.RecordBatch.from_pylist([], schema=REFUSED)
    return Part(name, "made-up", len(articles), cleaned_batch(articles), refused, shares)


def listed(folder: Path, name: str, build: Callable[[beam.Pipeline], Any]) -> list[dict[str, Any]]:
    """Runs a job that ends in a listing; gives its rows."""
    path = str(folder / f"{name}.json")
    pipeline = local_pipeline(1)
    _ = build(pipeline) | "List" >> WriteListing(path)
    pipeline.run().wait_until_finish()
    rows: list[dict[str, Any]] = staging.read_json(path)
    return rows


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the composites leave behind, and where."""

    catalogue: Catalogue
    rows: dict[str, list[dict[str, Any]]]
    labels: dict[str, Label]
    task: MatchTask
    folder: Path


def through_beam(folder: Path, files: Sequence[Sequence[Article]], settings: Settings = SETTINGS) -> Outcome:
    """Signs, stages, matches and relates made-up articles, each step by its composite."""
    parts = [part_of(f"{number:06d}-00000", articles) for number, articles in enumerate(files)]
    rows: dict[str, list[dict[str, Any]]] = {}

    def job(name: str, given: list[Any], transform: beam.PTransform) -> list[str]:
        rows[name] = listed(folder, name, lambda p: p | beam.Create(given) | transform)
        return sorted(row["path"] for row in rows[name] if "path" in row)

    rows["staged"] = listed(
        folder, "staged", lambda p: p | beam.Create(parts) | SignArticles(SETTINGS.sign) | StageArticles(str(folder)),
    )  # fmt: skip
    paths = tuple(f"{folder}/sketches/{row['name']}.arrow" for row in rows["staged"] if row["articles"])
    catalogue = read_catalogue(SketchFiles(paths, read_sketches), 0)
    window, stands = SETTINGS.match.window_days, catalogue.stands
    standing = standing_by_stretch(catalogue.handles[stands], catalogue.day[stands], window)
    save_array(f"{folder}/standing.npy", standing)
    save_array(f"{folder}/stored.npy", np.empty(0, WEIGHED))
    save_array(f"{folder}/left-out.npy", catalogue.handles[~catalogue.stands])
    save_array(f"{folder}/repeats.npy", catalogue.handles[~catalogue.counted])
    numbers = list(range(len(paths)))
    task = MatchTask(
        paths, Changed(None, window), f"{folder}/left-out.npy", f"{folder}/standing.npy", (), f"{folder}/matched",
        SETTINGS.match,
    )  # fmt: skip
    job("rarity", np.unique(standing["stretch"]).tolist(), CountRarity(task))
    task = dataclasses.replace(task, table_paths=tuple((row["stretch"], row["path"]) for row in rows["rarity"]))
    weighed = job("bands", numbers, MatchArticles(task, "bands"))
    alike = np.concatenate([np.empty(0, WEIGHED), *map(load_array, weighed)])
    through = collapse(catalogue, alike, SETTINGS.match.collapse_jaccard)
    save_array(f"{folder}/anchors-left-out.npy", np.union1d(catalogue.handles[~catalogue.stands], through.handles))
    anchors = dataclasses.replace(task, left_out_path=f"{folder}/anchors-left-out.npy")
    weighed += job("anchors", numbers, MatchArticles(anchors, "anchors"))
    found = np.concatenate([np.empty(0, WEIGHED), *map(load_array, weighed)])
    save_array(f"{folder}/pairs.npy", complete(found, through, SETTINGS))
    weighed += job("complete", [0, 1], WeighPairs(task, f"{folder}/pairs.npy", 2))
    relate = RelateTask(task, tuple(weighed), f"{folder}/stored.npy", str(folder), settings)
    job("related", [0], RelateArticles(relate))
    job("furniture", [0], LearnFurniture(furniture_task(folder, rows["staged"], settings)))
    labels = {
        row["article_id"]: Label(row["relation"], row["kept_id"], row["derived_from"], row["story_id"])
        for row in staging.read_arrow(f"{folder}/labels.arrow").to_pylist()
    }
    return Outcome(catalogue, rows, labels, task, folder)


def furniture_task(folder: Path, staged: list[dict[str, Any]], settings: Settings) -> FurnitureTask:
    paths = enumerate(f"{folder}/furniture/{row['name']}.arrow" for row in staged if row["articles"])
    return FurnitureTask((), tuple(paths), f"{folder}/repeats.npy", f"{folder}/furniture.arrow", settings)


def published(outcome: Outcome, settings: Settings = SETTINGS) -> dict[str, pa.Table]:
    """The store's tables of an outcome, each with the rows of its files."""
    staged = [row for row in outcome.rows["staged"] if row["articles"] or row["refused"]]
    group = {"number": 0, "parts": [{key: row[key] for key in ("name", "articles", "refused")} for row in staged]}
    task = PublishTask(
        staged=str(outcome.folder), sketch_paths=outcome.task.sketch_paths,
        repeats_path=f"{outcome.folder}/repeats.npy", labels_path=f"{outcome.folder}/labels.arrow",
        furniture_path=f"{outcome.folder}/furniture.arrow",
        folder=f"{outcome.folder}/publish", run_id="r1", ingested_at_micros=7, metadata=(("scheme", "s"),),
        settings=settings,
    )  # fmt: skip
    groups = [json.dumps(group)] if staged else []
    rows = listed(outcome.folder, "published", lambda p: p | beam.Create(groups) | PublishRun(task))
    tables = {}
    for row in rows:
        path = f"{outcome.folder}/publish/{row['path']}"
        assert (row["sha256"], row["bytes"]) == (staging.sha256(path), Path(path).stat().st_size)
        tables[row["table"]] = pq.ParquetFile(path).read()
        assert tables[row["table"]].num_rows == row["rows"]
        assert tables[row["table"]].schema.metadata == {b"scheme": b"s"}
    return tables


@pytest.mark.parametrize("name", SETS)
def test_composites_agree_with_the_plain_flow(name: str, tmp_path: Path) -> None:
    files = SETS[name]
    found = through_beam(tmp_path, files)
    catalogue, related, sketches = plain_run(files)
    assert found.labels == labels_by_id(catalogue, related)
    assert staging.read_arrow(f"{tmp_path}/matches.arrow").equals(related.matches)
    assert found.rows["related"] == [{"articles": len(related.articles), "matches": related.matches.num_rows}]
    assert sum(row["articles"] for row in found.rows["staged"]) == sum(map(len, files))
    words = sum(len(one.text.split()) for articles in files for one in articles)
    assert sum(row["words"] for row in found.rows["staged"]) == words
    tables = tables_of(sketches, catalogue)
    assert bool(found.task.table_paths) == bool(files)
    for stretch, path in found.task.table_paths:
        assert (np.asarray(load_array(path)) == tables.table_of(stretch)).all()
    # What matching counted: every posting of every representative, no cap.
    counted = [row for row in found.rows["anchors"] if "postings" in row]
    assert sum(row["capped"] + row["lost"] for row in counted) == 0
    assert (len(counted) > 0) == bool(files)


@pytest.mark.parametrize("name", SETS)
def test_publishing_loses_nothing(name: str, tmp_path: Path) -> None:
    outcome = through_beam(tmp_path, SETS[name])
    tables = published(outcome)
    given = {one.id: one for articles in SETS[name] for one in articles}
    rows = [row for table in ("clean", "copies") if table in tables for row in tables[table].to_pylist()]
    assert sorted(row["article_id"] for row in rows) == sorted(given)
    for row in rows:
        label = outcome.labels.get(row["article_id"], Label("kept", row["article_id"], None, row["article_id"]))
        assert (row["relation"], row["kept_id"], row["derived_from"], row["story_id"]) == dataclasses.astuple(label)
        assert (row["text"], row["run_id"]) == (given[row["article_id"]].text, "r1")
    kept = {row["article_id"] for row in rows if row["kept_id"] == row["article_id"]}
    assert kept == ({row["article_id"] for row in tables["clean"].to_pylist()} if tables else set())
    if tables:
        assert tables["clean"].schema.remove_metadata().equals(ARTICLE)
        assert tables["sketches"].schema.remove_metadata().equals(SKETCH)
        assert tables["furniture"].schema.remove_metadata().equals(FURNITURE)
        assert tables["sketches"].num_rows == tables["furniture"].num_rows == len(given)
    assert "rejected" not in tables


def test_furniture_goes_from_what_is_published(tmp_path: Path) -> None:
    """Learned in one composite and taken out in another; what is signed, and so what matches, still has it."""
    footer = "This paper is made by the members of its reading circle"
    articles = [Article(f"{day}", f"{text_of(day, 90)}\n{footer}", day, "echo") for day in range(30)]
    outcome = through_beam(tmp_path, [articles[::2], articles[1::2]])
    tables = published(outcome)
    assert outcome.rows["furniture"] == [{"furniture": 1}]
    assert not any(footer in text for text in tables["clean"].column("text").to_pylist())
    spans = [span for row in tables["clean"].column("removed").to_pylist() for span in row]
    assert [(span["rule"], span["text"]) for span in spans] == [("furniture.learned", f"\n{footer}")] * 30
    assert set(map(len, tables["sketches"].column("words").to_pylist())) == {101}


def test_two_workers_give_the_same(tmp_path: Path) -> None:
    """Every composite in one pipeline of two processes, beside what one worker left behind."""
    outcome = through_beam(tmp_path / "one", SETS["a story"])
    one, two = outcome.folder, tmp_path / "two"
    task = dataclasses.replace(outcome.task, folder=f"{two}/matched")
    weighed_rows = [row for name in ("bands", "anchors", "complete") for row in outcome.rows[name]]
    weighed = tuple(row["path"] for row in weighed_rows if "path" in row)
    parts = [part_of(f"{number:06d}-00000", articles) for number, articles in enumerate(SETS["a story"])]
    pipeline = local_pipeline(2)
    lines = furniture_task(one, outcome.rows["staged"], SETTINGS)
    lines = dataclasses.replace(lines, path=f"{two}/furniture.arrow")
    jobs = {
        "staged": (parts, SignArticles(SETTINGS.sign)),
        "rarity": ([stretch for stretch, _ in task.table_paths], CountRarity(task)),
        "bands": ([0, 1, 2], MatchArticles(task, "bands")),
        "complete": ([0, 1], WeighPairs(task, f"{one}/pairs.npy", 2)),
        "furniture": ([0], LearnFurniture(lines)),
        "related": ([0], RelateArticles(RelateTask(task, weighed, f"{one}/stored.npy", str(two), SETTINGS))),
    }
    for name, (given, transform) in jobs.items():
        rows = pipeline | f"Create {name}" >> beam.Create(given) | name >> transform
        if name == "staged":
            rows = rows | "Stage" >> StageArticles(str(two))
        _ = rows | f"List {name}" >> WriteListing(f"{two}/{name}.json")
    pipeline.run().wait_until_finish()
    for name in jobs:
        theirs = json.loads(json.dumps(outcome.rows[name]).replace(f"{one}/", f"{two}/"))
        assert sorted(map(str, staging.read_json(f"{two}/{name}.json"))) == sorted(map(str, theirs))
    by_one = {path.relative_to(one) for path in one.rglob("*.*")}
    by_both = sorted(by_one & {path.relative_to(two) for path in two.rglob("*.*")})
    assert len(by_both) >= 14
    for path in by_both:
        assert (one / path).read_bytes().replace(bytes(one), bytes(two)) == (two / path).read_bytes()


def test_partitions_do_not_change_the_pairs(tmp_path: Path) -> None:
    outcome = through_beam(tmp_path, SETS["a story"])
    found = []
    for partitions in (1, 3, 8):
        match = dataclasses.replace(SETTINGS.match, partitions=partitions)
        task = dataclasses.replace(outcome.task, folder=f"{tmp_path}/by-{partitions}", settings=match)
        match_articles = MatchArticles(task, "anchors")
        rows = listed(tmp_path, f"by-{partitions}", lambda p, step=match_articles: p | beam.Create([2, 0, 1]) | step)
        pairs = np.concatenate([load_array(row["path"]) for row in rows if "path" in row])
        found.append(sorted(pairs.tolist()))
        assert len(pairs) == sum(row.get("pairs", 0) for row in rows) > 0
    assert found[0] == found[1] == found[2]


def test_repeats_are_rejected_by_name(tmp_path: Path) -> None:
    outcome = through_beam(tmp_path, [[Article("a", LONG, 3), Article("b", LONG + " b", 3)], [Article("a", LONG, 3)]])
    tables = published(outcome)
    [row] = tables["rejected"].to_pylist()
    assert (row["reason"], row["stage"], row["payload"]) == ("repeat", "admit", None)
    assert article_id("a") in row["message"]
    assert tables["rejected"].schema.remove_metadata().equals(REJECTED)
    assert tables["clean"].num_rows + tables["copies"].num_rows == tables["sketches"].num_rows == 2


def test_a_dropped_partial_names_what_stands_for_it(tmp_path: Path) -> None:
    drop = ("exact", "near", "contained", "partial")
    settings = dataclasses.replace(SETTINGS, relate=RelateSettings(drop=drop))
    tables = published(through_beam(tmp_path, SETS["a story"], settings), settings)
    kept = set(tables["clean"].column("article_id").to_pylist())
    assert article_id("part") not in kept
    assert {row["kept_id"] for row in tables["copies"].to_pylist()} <= kept


def written(path: Path, records: list[dict[str, Any]]) -> list[str]:
    """The records as a file; its splits as the job gives them."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    splits = plan_splits(str(path), path.stat().st_size, ReadSettings(split_bytes=1024), staging.open_file)
    return [json.dumps({"number": number, "split": split.as_dict()}) for number, split in enumerate(splits)]


def counts_of(part: Part) -> tuple[str, int, int, int]:
    return part.name, part.given, part.records.num_rows, part.refused.num_rows


def test_reading_and_cleaning(tmp_path: Path) -> None:
    good = [{"id": str(number), "source": "echo", "text": text_of(number, 60)} for number in range(20)]
    splits = written(tmp_path / "articles.jsonl", [*good, {"id": "short", "text": "too short"}, {"id": "none"}])
    assert len(splits) > 3
    read_settings = ReadSettings(split_bytes=1024)

    def checked(parts: list[Part]) -> None:
        assert len({part.name for part in parts}) == len(parts) >= len(splits)
        assert sum(part.given for part in parts) == 22
        assert all(part.given == part.records.num_rows + part.refused.num_rows for part in parts)
        assert all(part.records.schema.equals(CLEANED) for part in parts)
        texts = {text for part in parts for text in part.records.column("text").to_pylist()}
        assert texts == {record["text"] for record in good}
        refused = sorted((row["stage"], row["reason"]) for part in parts for row in part.refused.to_pylist())
        assert refused == [("clean", "too_short"), ("read", "no_text")]
        assert all(len(part.removed_share) == part.records.num_rows for part in parts)

    pipeline = local_pipeline(1)
    read = pipeline | beam.Create(splits) | ReadArticles(read_settings)
    assert_that(read, raw_parts, label="raw")
    assert_that(read | CleanArticles(SETTINGS), checked, label="cleaned")
    pipeline.run().wait_until_finish()


def raw_parts(parts: list[Part]) -> None:
    assert all(part.records.schema.equals(RAW) for part in parts)
    assert sum(part.refused.num_rows for part in parts) == 1


def test_signing_in_a_pipeline() -> None:
    pipeline = local_pipeline(1)
    parts = [part_of("a", [Article("x", LONG), Article("y", "harbour closed")]), part_of("b", [])]
    signed = pipeline | beam.Create(parts) | SignArticles(SETTINGS.sign)
    rows = signed | beam.Map(lambda part: (*counts_of(part), part.sketches.column("shingles").to_pylist()))
    assert_that(rows, equal_to([("a", 2, 2, 0, [296, 1]), ("b", 0, 0, 0, [])]))
    pipeline.run().wait_until_finish()


def test_a_part_takes_further_refused_rows() -> None:
    row = {
        "source_uri": "made-up", "position": 4, "stage": "clean", "reason": "too_short", "message": "m",
    }  # fmt: skip
    one = pa.RecordBatch.from_pylist([row], schema=REFUSED)
    none = pa.RecordBatch.from_pylist([], schema=REFUSED)
    part = part_of("a", [])
    assert part.with_refused(none).refused.num_rows == 0
    assert part.with_refused(one).with_refused(none).with_refused(one, name="b").refused.num_rows == 2


def test_a_listing_is_written_for_nothing_too(tmp_path: Path) -> None:
    assert listed(tmp_path, "empty", lambda p: p | beam.Create([])) == []
    rows = [json.dumps({"n": number}) for number in (3, 1, 2)]
    assert listed(tmp_path, "three", lambda p: p | beam.Create(rows)) == [{"n": 1}, {"n": 2}, {"n": 3}]
