"""Staged parts and labels to the store's tables."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from schemas.settings import Settings
from schemas.tables import STORE_TABLES
from transforms import staging
from transforms.functions.publishing import PublishedPart, counts_of, publish_part
from transforms.match_articles import load_array, open_sketches


@dataclass(frozen=True)
class PublishTask:
    """What publishing needs to know.

    Attributes:
        staged: the folder with `articles/`, `sketches/`, `furniture/` and `refused/`.
        sketch_paths: all sketch files, as in MatchTask.
        repeats_path: handles of repeats, ascending.
        labels_path: `labels.arrow` of `relate_articles`.
        furniture_path: what `learn_furniture` knows.
        folder: tables are written under it as TABLE/run=RUN/part-*.parquet.
        metadata: the key-value metadata of every file.
    """

    staged: str
    sketch_paths: tuple[str, ...]
    repeats_path: str
    labels_path: str
    furniture_path: str
    folder: str
    run_id: str
    ingested_at_micros: int
    metadata: tuple[tuple[str, str], ...]
    settings: Settings


class PublishRun(beam.PTransform):
    """Groups of staged parts (JSON) to the store's files (labels and matches apart), a JSON row each."""

    def __init__(self, task: PublishTask) -> None:
        super().__init__()
        self.task = task

    def expand(self, groups: beam.PCollection[str]) -> beam.PCollection[str]:
        publish = beam.ParDo(_Publish(self.task)).with_output_types(str)
        return groups | "Spread" >> beam.Reshuffle() | "Publish" >> publish


class _Publish(beam.DoFn):
    def __init__(self, task: PublishTask) -> None:
        self.task = task

    def setup(self) -> None:
        self.labels = staging.read_arrow(self.task.labels_path)
        self.known = staging.read_arrow(self.task.furniture_path)
        self.repeats = load_array(self.task.repeats_path)
        self.numbers = {path: number for number, path in enumerate(self.task.sketch_paths)}

    def process(self, group: str) -> Iterable[str]:
        given = json.loads(group)
        tables: dict[str, list[pa.Table]] = {field.name: [] for field in dataclasses.fields(PublishedPart)}
        for part in given["parts"]:
            published = self._part(part)
            for name in tables:
                tables[name].append(getattr(published, name))
        for name, parts in tables.items():
            table = pa.concat_tables(parts)
            if table.num_rows:
                path = f"{name}/run={self.task.run_id}/part-{given['number']:05d}.parquet"
                yield json.dumps({"table": name, **write_table(self.task, name, path, table), **counts_of(name, table)})

    def _part(self, part: dict[str, int | str]) -> PublishedPart:
        task, name = self.task, part["name"]
        articles = sketches = lines = refused = handles = None
        if part["articles"]:
            path = f"{task.staged}/sketches/{name}.arrow"
            files = open_sketches(task.sketch_paths)
            articles = staging.read_arrow(f"{task.staged}/articles/{name}.arrow")
            lines = staging.read_arrow(f"{task.staged}/furniture/{name}.arrow")
            sketches, handles = files.table(self.numbers[path]), files.handles(self.numbers[path])
        if part["refused"]:
            refused = staging.read_arrow(f"{task.staged}/refused/{name}.arrow")
        return publish_part(
            articles, sketches, refused, handles, self.repeats, self.labels, lines, self.known,
            furniture=task.settings.furniture, run_id=task.run_id, ingested_at_micros=task.ingested_at_micros,
            drop=task.settings.relate.drop,
        )  # fmt: skip


def write_table(task: PublishTask, name: str, path: str, table: pa.Table) -> dict[str, int | str]:
    """Writes one file of the store under the task's folder; gives its path, rows, bytes and digest."""
    schema = STORE_TABLES[name].with_metadata(dict(task.metadata))
    table = table.select(schema.names).cast(schema)
    size = staging.write_parquet(
        f"{task.folder}/{path}", table, row_group_rows=task.settings.publish.row_group_rows,
        zstd_level=task.settings.publish.zstd_level,
    )  # fmt: skip
    return {"path": path, "rows": table.num_rows, "bytes": size, "sha256": staging.sha256(f"{task.folder}/{path}")}
