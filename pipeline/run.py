"""One run: from patterns to a committed manifest, as a row of jobs of which the finished ones are never done again."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import build
from pipeline.accounts import check_sums, manifest_of
from pipeline.earlier_matches import connected_matches, new_rows, standing_pairs, withdrawn_rows
from pipeline.errors import INTERRUPTED, RunError, uninterrupted
from pipeline.inputs import FoundInputs, InputFile, find_inputs
from pipeline.labels import current_labels
from pipeline.plain_pipeline import is_little
from pipeline.progress import Progress
from pipeline.report import write_report
from pipeline.runners import HERE, LOCAL, Jobs, RunnerChoice
from pipeline.store import STAGING, Store, locked
from pipeline.topic_ledger import TopicRange, is_range
from pipeline.vacuum import PLAN, clear_unfinished
from schemas import relations
from schemas.settings import Settings, stored_settings
from schemas.tables import MATCH, SCHEMA_VERSION
from transforms import staging
from transforms.find_rewrites import is_of_rewrites, plan_rewrites
from transforms.functions.catalogue import Catalogue, changes
from transforms.functions.joining import ROW_BITS, Handles
from transforms.functions.labelling import collapse, complete
from transforms.functions.matching import WEIGHED
from transforms.functions.publishing import changed_labels, constant, label_rows
from transforms.functions.reading_topic import topic_split
from transforms.functions.signing import scheme
from transforms.functions.splits import plan_splits
from transforms.functions.stretches import Changed, standing_by_stretch
from transforms.functions.topics import Topic
from transforms.learn_furniture import FurnitureTask
from transforms.match_articles import MatchTask, load_array, open_catalogue, save_array
from transforms.publish_run import PublishTask, write_table
from transforms.relate_articles import RelateTask

RELABEL = "relabel"
"""The `kind` of a manifest of new labels without new articles."""
MESSAGE_CHARACTERS = 400
PART_ARTICLES = 50_000
"""Articles a published file: about 50 MB of compressed text, five row groups."""

Input = InputFile | TopicRange


@dataclass(frozen=True)
class RunOptions:
    """What a user asks of a run."""

    patterns: tuple[str, ...]
    store: str
    settings: Settings
    workers: int = 1
    since: datetime | None = None
    """Files that were last changed before are left out."""
    reprocess: bool = False
    """Files that the store has read are read again."""
    provisional: bool = False
    """Only pairs with a new article are decided, so that the run costs what is new; `reconcile`, or the next run that
    is not provisional, decides the rest, and ends where one run over everything would."""
    runner: RunnerChoice = HERE
    topic: Topic | None = None
    """Where inputs that are ranges of offsets are read from."""
    sole_writer: bool = False
    """The user's word that nobody else writes the store, where its filesystem can't promise it."""


def run(options: RunOptions, progress: Progress) -> dict[str, Any]:
    """Reads what the store has not seen and commits it as one run; gives the manifest, or {"nothing_new": ...}.

    Raises:
        UsageError: the options don't fit the inputs or the store. RunError: the run failed; nothing was committed.
    """
    jobs = Jobs(options.runner, options.workers)
    found = find_inputs(options.patterns, options.store, options.since)
    store = Store(staging.absolute(options.store))
    store.check_scheme(scheme(options.settings.sign))
    if not _new(found, store, options):
        return {
            "nothing_new": True, "files": len(found.files), "store": store.path, "runs": len(store.runs),
            "older": found.older,
        }  # fmt: skip
    with locked(store.path, sole_writer=options.sole_writer):
        store = Store(store.path, keep_read=options.provisional)
        new = _new(found, store, options)
        progress.say(found.told(new))
        return RunInProgress(options, store, new, jobs, progress).commit()


def run_inputs(options: RunOptions, store: Store, inputs: Sequence[Input], progress: Progress) -> dict[str, Any]:
    """Reads these inputs and commits them as one run; gives the manifest. The store was opened while it was locked.

    Raises:
        RunError: the run failed; nothing was committed.
    """
    return RunInProgress(options, store, inputs, Jobs(options.runner, options.workers), progress).commit()


def relabel(options: RunOptions, progress: Progress) -> dict[str, Any]:
    """Labels the store's articles anew by the options' settings, from its sketches; no article is read again.

    What changes is committed as a run without inputs, of labels and of matches that are decided otherwise. It ends
    where a run over the same articles with these settings would. Gives the manifest, or {"nothing_new": ...}.

    Raises:
        UsageError: there is no store, or its fingerprints are of another scheme. RunError: it failed; nothing changed.
    """
    jobs = Jobs(options.runner, options.workers)
    store = Store(staging.absolute(options.store))
    store.require()
    store.check_scheme(scheme(options.settings.sign))
    with locked(store.path, sole_writer=options.sole_writer):
        return RunInProgress(options, Store(store.path), [], jobs, progress).commit()


def reconcile(
    path: str, workers: int, progress: Progress, *, runner: RunnerChoice = HERE, sole_writer: bool = False
) -> dict[str, Any]:
    """Makes the labels of a store's provisional runs final, by the settings that the last run had.

    Gives the manifest, or {"nothing_new": ...} where all labels are final. Raises as `relabel` does.
    """
    store = Store(path)
    store.require()
    if not store.undecided:
        return {"nothing_new": True, "kind": RELABEL, "store": store.path}
    settings = stored_settings(store.runs[-1]["settings"])
    return relabel(RunOptions((), path, settings, workers, runner=runner, sole_writer=sole_writer), progress)


def _new(found: FoundInputs, store: Store, options: RunOptions) -> list[InputFile]:
    return found.new(frozenset() if options.reprocess else store.known_inputs())


class RunInProgress:
    """A run in progress: its plan, its staging folder and its jobs."""

    def __init__(
        self, options: RunOptions, store: Store, inputs: Sequence[Input], jobs: Jobs, progress: Progress
    ) -> None:
        self.options, self.settings, self.store = options, options.settings, store
        self.jobs, self.progress = jobs, progress
        self.plan = self._plan([dataclasses.asdict(entry) for entry in inputs])
        self.few = is_little(self.plan, self.store)
        self.run_id: str = self.plan["run_id"]
        self.folder = staging.join(store.path, STAGING, self.run_id)
        # Where files can't be renamed they are written to their place at once: nobody reads what no manifest names.
        self.published = staging.join(self.folder, "publish") if staging.is_local(store.path) else store.path
        self._resume_or_start()

    def _plan(self, entries: list[dict[str, Any]], origin: Sequence[str] = ()) -> dict[str, Any]:
        """What the run sets out to do; the same plan is gone on with after a kill.

        Args:
            entries: its inputs. origin: what names where their records come from, if not from these themselves.
        """
        # What only decides whether the run may commit doesn't make it another run.
        deciding = {key: value for key, value in self.settings.as_dict().items() if not key.startswith("run.")}
        # A store without a final run to go by, or one decided by other settings, is decided whole.
        provisional = self.options.provisional and self._decides_as_before()
        asked = json.dumps([entries, deciding, *(["provisional"] if provisional else []), *origin], sort_keys=True)
        number = self.store.next_number
        return {
            "kind": "run" if entries else RELABEL,
            "number": number,
            "run_id": f"{number:08d}-{sha256(asked.encode()).hexdigest()[:8]}",
            "inputs": entries,
            "settings": self.settings.as_dict(),
            "provisional": provisional,
            "started_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        }

    def _resume_or_start(self) -> None:
        """Goes on with an unfinished run of the same plan; what other unfinished runs left is cleared away."""
        path = staging.join(self.folder, PLAN)
        if staging.exists(path):
            self.plan = staging.read_json(path) | {"settings": self.plan["settings"]}
            self.progress.say(f"going on with run {self.run_id}, which had not finished")
            return
        if staging.is_local(self.store.path):
            # Elsewhere a run taken for dead may live on, and commit: vacuum clears what is old enough.
            clear_unfinished(self.store)
        staging.write_json(path, self.plan)

    def _job(self, name: str, build_job: Callable[[beam.Pipeline, str], None]) -> list[dict[str, Any]]:
        """Runs a job unless it is finished; gives the rows of its listing."""
        listing = staging.join(self.folder, f"{name}.json")
        if not staging.exists(listing):
            try:
                with self._workers_apart(), self.progress.job(name):
                    self.jobs.run(f"copydesk-{self.run_id}-{name}", lambda job: build_job(job, listing), few=self.few)
            except Exception as error:
                if INTERRUPTED.is_set():
                    raise KeyboardInterrupt from error
                raise self._failure(name, error) from error
        rows: list[dict[str, Any]] = staging.read_json(listing)
        return rows

    @contextmanager
    def _workers_apart(self) -> Iterator[None]:
        """What worker processes print goes to a file of the run, not between the lines of the progress."""
        if (self.options.workers == 1 and self.options.runner.name == LOCAL) or not staging.is_local(self.folder):
            yield
            return
        stream, shown = self.progress.stream, os.dup(2)
        with open(os.path.join(self.folder, "workers.log"), "ab") as log, os.fdopen(shown, "w") as terminal:
            if stream is sys.stderr:
                self.progress.stream = terminal
            os.dup2(log.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(shown, 2)
                self.progress.stream = stream

    def _failure(self, job: str, error: Exception) -> RunError:
        """What a user is told when a job fails, with the traceback in a file."""
        path = staging.join(self.folder, "failure.txt")
        try:
            staging.write_whole(path, lambda sink: sink.write("".join(traceback.format_exception(error)).encode()))
            more = f"The whole error is in {path}"
        except OSError as full:
            more = f"The whole error could not be written ({full.strerror})"
        first = str(error).split("\n")[0][:MESSAGE_CHARACTERS]
        return RunError(
            f"step {job} failed: {type(error).__name__}: {first}. Nothing was committed. {more}. When the cause is "
            "mended, the same command goes on with this step"
        )

    def commit(self) -> dict[str, Any]:
        parts = self._stage()
        sketch_paths, first_new = self._sketch_paths(parts)
        catalogue, changed = self._catalogue(sketch_paths, first_new)
        weighed_paths, task, caps = self._match(parts, sketch_paths, catalogue, changed)
        pairs = _weighed(weighed_paths)
        earlier = connected_matches(self.store, catalogue, pairs, changed, first_new, self.settings.match)
        self._relate(catalogue, task, weighed_paths, earlier, first_new)
        files = self._publish(parts, sketch_paths) if parts else []
        files += self._publish_labels(catalogue, changed, earlier, first_new)
        if not files and not self.plan["inputs"] and not self.store.undecided:
            self._clear_away()
            return {"nothing_new": True, "kind": RELABEL, "store": self.store.path}
        stories = staging.read_arrow(self._path("labels.arrow")).column("story_id")
        manifest = manifest_of(self.plan, self.settings, parts, files, caps, self.relabelled, stories)
        check_sums(manifest, self.settings)
        write_report(self.published, manifest)
        self._move_into_place()
        with uninterrupted():
            self.store.commit(manifest)
            # The run is committed: what can't be cleared away is left to the next one, or to vacuum.
            self._clear_away()
        return manifest

    def _stage(self) -> list[dict[str, Any]]:
        if not self.plan["inputs"]:
            return []
        splits: list[dict[str, Any]] = []
        for entry in self.plan["inputs"]:
            if entry["unreadable"] is not None:
                splits.append({"uri": entry["path"], "unreadable": entry["unreadable"]})
                continue
            if is_range(entry):
                planned = [topic_split(entry["path"], entry["first_offset"], entry["end_offset"])]
            else:
                planned = plan_splits(entry["path"], entry["size"], self.settings.read, staging.open_file)
            splits += [split.as_dict() for split in planned]
        self.progress.expect(sum(entry["size"] for entry in self.plan["inputs"]), staging.join(self.folder, "staged"))
        rows = self._job(
            "1-stage",
            lambda pipeline, listing: build.build_stage(
                pipeline, splits, staging.join(self.folder, "staged"), listing, self.settings, self.options.topic
            ),
        )
        return sorted(rows, key=lambda row: str(row["name"]))

    def _sketch_paths(self, parts: list[dict[str, Any]]) -> tuple[tuple[str, ...], int]:
        """Sketch files of the store, then of this run, and the first handle of this run's."""
        old = self.store.files("sketches")
        folder = staging.join(self.folder, "staged", "sketches")
        new = [staging.join(folder, f"{part['name']}.arrow") for part in parts if part["articles"]]
        return (*old, *new), len(old) << ROW_BITS

    def _catalogue(self, sketch_paths: tuple[str, ...], first_new: int) -> tuple[Catalogue, Changed]:
        """All articles, and what this run's change."""
        entries = [entry for one in self.store.undecided for entry in self.store.entries(one)]
        undecided = 0 if self.plan["provisional"] else sum(entry["table"] == "sketches" for entry in entries)
        self.first_undecided = first_new - (undecided << ROW_BITS)
        catalogue = open_catalogue(sketch_paths, first_new, self.settings.relate.keep, self.first_undecided)
        window = self.settings.match.window_days
        changed = changes(catalogue, window) if self._decides_as_before() else Changed(None, window)
        changed = dataclasses.replace(
            changed, only_from=first_new if self.plan["provisional"] else None, not_before=self.store.whole_from
        )
        stands = catalogue.stands
        cut = changed.is_cut(catalogue.day)
        standing = standing_by_stretch(catalogue.handles[stands], catalogue.day[stands], window)
        save_array(self._path("standing.npy"), standing)
        save_array(self._path("repeats.npy"), catalogue.handles[~catalogue.counted])
        save_array(self._path("left-out.npy"), catalogue.handles[~stands | ~changed.concerns(catalogue.day) | cut])
        return catalogue, changed

    def _decides_as_before(self) -> bool:
        """Whether what earlier runs decided still holds: by the same settings, and by this version's evidence."""

        def deciding(settings: dict[str, Any]) -> dict[str, Any]:
            return {key: value for key, value in settings.items() if key.startswith(("match.", "rewrite.", "relate."))}

        if not self.store.runs or self.store.runs[-1]["schema_version"] != SCHEMA_VERSION:
            return False
        return deciding(self.store.runs[-1]["settings"]) == deciding(self.settings.as_dict())

    def _path(self, name: str) -> str:
        return staging.join(self.folder, name)

    def _match(
        self, parts: list[dict[str, Any]], sketch_paths: tuple[str, ...], catalogue: Catalogue, changed: Changed
    ) -> tuple[list[str], MatchTask, dict[str, int]]:
        task = MatchTask(
            sketch_paths, changed, self._path("left-out.npy"), self._path("standing.npy"), (), self._path("matched"),
            self.settings.match,
        )  # fmt: skip
        if self.plan["provisional"]:
            return self._match_new(parts, task, catalogue)
        stretches = changed.surroundings(np.unique(load_array(task.standing_path)["stretch"])).tolist()
        lines = self._furniture_task(parts, len(sketch_paths))
        rows = self._job("2-rarity", lambda p, listing: build.build_rarity(p, task, lines, stretches, listing))
        tables = tuple((row["stretch"], row["path"]) for row in rows if "path" in row)
        task = dataclasses.replace(task, table_paths=tables)
        numbers = _files_of(catalogue.handles[catalogue.stands & changed.concerns(catalogue.day)])
        rows = self._job("3-alike", lambda p, listing: build.build_match(p, task, numbers, "bands", listing))
        weighed_paths = sorted(row["path"] for row in rows if "path" in row)
        through = collapse(catalogue, _weighed(weighed_paths), self.settings.match.collapse_jaccard)
        left_out = np.union1d(load_array(task.left_out_path), through.handles)
        save_array(self._path("left-out-of-anchors.npy"), left_out)
        anchors = dataclasses.replace(task, left_out_path=self._path("left-out-of-anchors.npy"))
        rows = self._job("4-match", lambda p, listing: build.build_match(p, anchors, numbers, "anchors", listing))
        caps = _caps_of(rows)
        weighed_paths += sorted(row["path"] for row in rows if "path" in row)
        pairs = complete(_weighed(weighed_paths), through, self.settings)
        pairs_path, ranges = self._path("pairs-to-complete.npy"), self.options.workers
        save_array(pairs_path, pairs[catalogue.decided_anew(pairs, changed)])
        proposing = catalogue.ends(catalogue.handles[catalogue.stands & changed.concerns(catalogue.day)])
        rewrites = plan_rewrites(anchors, through, proposing, self.folder, self.settings.rewrite)
        rows = self._job(
            "5-complete", lambda p, listing: build.build_complete(p, task, pairs_path, ranges, rewrites, listing)
        )
        caps["crowded_terms"] = sum(row.get("crowded_terms", 0) for row in rows)
        weighed_paths += sorted(row["path"] for row in rows)
        # Rewrites first: where a pair is proposed in two ways, the evidence given first counts, and theirs says more.
        return sorted(weighed_paths, key=lambda path: not is_of_rewrites(path)), task, caps

    def _match_new(
        self, parts: list[dict[str, Any]], task: MatchTask, catalogue: Catalogue
    ) -> tuple[list[str], MatchTask, dict[str, int]]:
        """Pairs of new articles; of the older ones those propose that their label doesn't call copies as a whole."""
        labels = current_labels(self.store)
        whole = pc.is_in(labels.column("relation"), pa.array([relations.EXACT, relations.NEAR]))
        copies = catalogue.index_of_ids(labels.column("article_id").filter(whole))
        left_out = np.union1d(load_array(task.left_out_path), catalogue.handles[copies[copies >= 0]])
        save_array(task.left_out_path, left_out)
        numbers = _files_of(np.setdiff1d(catalogue.handles, left_out, assume_unique=True))
        lines = self._furniture_task(parts, len(task.sketch_paths))
        # Few pairs: one file of them, so that what is rare around them is counted once.
        whole_task = dataclasses.replace(task, settings=dataclasses.replace(task.settings, partitions=1))
        rows = self._job("4-match", lambda p, listing: build.build_provisional(p, whole_task, lines, numbers, listing))
        return sorted(row["path"] for row in rows if "path" in row), task, _caps_of(rows)

    def _furniture_task(self, parts: list[dict[str, Any]], files: int) -> FurnitureTask:
        folder = staging.join(self.folder, "staged", "furniture")
        paths = [staging.join(folder, f"{part['name']}.arrow") for part in parts if part["articles"]]
        return FurnitureTask(
            held_paths=tuple(self.store.files("furniture")),
            staged_paths=tuple(enumerate(paths, files - len(paths))),  # this run's sketch files come last
            repeats_path=self._path("repeats.npy"),
            path=self._path("furniture.arrow"),
            settings=self.settings,
        )

    def _relate(
        self, catalogue: Catalogue, task: MatchTask, weighed_paths: list[str], earlier: pa.Table, first_new: int
    ) -> None:
        stored_path = self._path("stored.npy")
        save_array(stored_path, standing_pairs(catalogue, earlier, task.changed))
        relate_task = RelateTask(
            task, tuple(weighed_paths), stored_path, self.folder, self.settings, first_new, self.first_undecided
        )
        self._job("6-relate", lambda p, listing: build.build_relate(p, relate_task, listing))

    def _publish_task(self, sketch_paths: tuple[str, ...]) -> PublishTask:
        metadata = {
            "scheme": scheme(self.settings.sign), "schema_version": str(SCHEMA_VERSION), "run_id": self.run_id,
            "writer": "copydesk",
        }  # fmt: skip
        ingested = datetime.fromisoformat(self.plan["started_at"])
        return PublishTask(
            staged=staging.join(self.folder, "staged"), sketch_paths=sketch_paths,
            repeats_path=staging.join(self.folder, "repeats.npy"),
            labels_path=staging.join(self.folder, "labels.arrow"),
            furniture_path=staging.join(self.folder, "furniture.arrow"),
            folder=self.published, run_id=self.run_id,
            ingested_at_micros=int(ingested.timestamp() * 1_000_000), metadata=tuple(sorted(metadata.items())),
            settings=self.settings,
        )  # fmt: skip

    def _publish(self, parts: list[dict[str, Any]], sketch_paths: tuple[str, ...]) -> list[dict[str, Any]]:
        groups: list[list[dict[str, Any]]] = [[]]
        for part in parts:
            if sum(row["articles"] for row in groups[-1]) >= PART_ARTICLES:
                groups.append([])
            groups[-1].append({"name": part["name"], "articles": part["articles"], "refused": part["refused"]})
        numbered = [json.dumps({"number": number, "parts": group}) for number, group in enumerate(groups)]
        task = self._publish_task(sketch_paths)
        rows = self._job("7-publish", lambda p, listing: build.build_publish(p, task, numbered, listing))
        return sorted(rows, key=lambda row: str(row["path"]))

    def _publish_labels(
        self, catalogue: Catalogue, changed: Changed, earlier: pa.Table, first_new: int
    ) -> list[dict[str, Any]]:
        """Labels of new articles and of old ones whose label changed, and the matches that are new or changed."""
        task = self._publish_task(())
        related = staging.read_arrow(staging.join(self.folder, "labels.arrow"))
        new = pa.chunked_array([catalogue.ids.filter(pa.array((catalogue.handles >= first_new) & catalogue.counted))])
        labels = label_rows(new, related, self.run_id)
        self.relabelled = 0
        if self.store.manifests:
            # Articles that had a match and have none any more go back to standing for themselves.
            touched = catalogue.ids.filter(pa.array(load_array(self._path("touched.npy"))))
            old = current_labels(self.store, touched)
            again = label_rows(old.column("article_id"), related, self.run_id)
            other = again.filter(pa.array(changed_labels(old, again)))
            self.relabelled = other.num_rows
            labels = pa.concat_tables([labels, other])
        matches = staging.read_arrow(staging.join(self.folder, "matches.arrow"))
        if self.store.manifests:
            withdrawn = withdrawn_rows(catalogue, earlier, matches, changed, self.settings.match)
            matches = pa.concat_tables([new_rows(matches, earlier, self.settings.match), withdrawn])
        matches = matches.append_column(MATCH.field("run_id"), constant(self.run_id, matches.num_rows, pa.string()))
        matches = matches.append_column(
            MATCH.field("schema_version"), constant(SCHEMA_VERSION, matches.num_rows, pa.int32())
        )
        files = []
        for name, table in (("labels", labels.sort_by("article_id")), ("matches", matches)):
            if table.num_rows:
                path = f"{name}/run={self.run_id}/part-00000.parquet"
                files.append({"table": name, **write_table(task, name, path, table)})
        return files

    def _clear_away(self) -> None:
        if staging.is_local(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        with suppress(OSError):
            staging.remove_folder(self.folder)

    def _move_into_place(self) -> None:
        """Renames each table's folder of this run into the store; done again after a kill, it finds them there."""
        if not staging.is_local(self.store.path):
            return
        for name in sorted(os.listdir(self.published)):
            source = os.path.join(self.published, name, f"run={self.run_id}")
            target = os.path.join(self.store.path, name, f"run={self.run_id}")
            if os.path.isdir(source):
                staging.move_folder(source, target)
        staging.sync_folder(self.store.path)


def _files_of(handles: Handles) -> list[int]:
    """The numbers of the sketch files of articles."""
    return [int(one) for one in np.unique(handles >> np.uint64(ROW_BITS))]


def _caps_of(rows: list[dict[str, Any]]) -> dict[str, int]:
    """What the caps cost, added up over a job's listing."""
    return {name: sum(row.get(name, 0) for row in rows) for name in ("postings", "capped", "lost", "pairs")}


def _weighed(paths: list[str]) -> np.ndarray:
    return np.concatenate([np.empty(0, WEIGHED), *(load_array(path) for path in paths)])
