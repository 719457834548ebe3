"""What a store holds and no longer needs: leftovers of killed runs, old staging, files that a compaction superseded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.compact import settle
from pipeline.store import COMPACTED, COMPACTION, LOCK, STAGING, Store, locked, written
from pipeline.stream_leftovers import stream_leftovers
from schemas.tables import STORE_TABLES
from transforms import staging

RUN = "run="
PLAN = "plan.json"
LEFTOVER, STAGED, STREAMED, UNFINISHED, SUPERSEDED = (
    "of a run that was killed, named by no manifest",
    "staged by a run that was killed",
    "staged by a stream that needs it no more",
    "a file that was not finished",
    "superseded by a compaction",
)


@dataclass(frozen=True)
class Leftover:
    """Something not needed: its path within the store, its size in bytes, and why."""

    path: str
    size: int
    why: str


def vacuum(
    path: str, keep_days: float, *, dry_run: bool = False, now: datetime | None = None, sole_writer: bool = False
) -> list[Leftover]:
    """Removes what no manifest needs; gives what it removed, or would.

    Args:
        keep_days: what a compaction superseded, a killed run that can still be gone on with, and what a stream has
            staged, stay so long.
        now: the time by which that is measured; the clock's where it is None.
        sole_writer: the user's word that nobody else writes the store, where its filesystem can't promise it.

    Raises:
        UsageError: there is no store, or it can't be written. RunError: a run is writing it.
    """
    Store(path).require()
    with locked(path, sole_writer=sole_writer):
        store = Store(path)
        now = now or datetime.now(UTC)
        before = now - timedelta(days=keep_days)
        due = [
            manifest for manifest in store.manifests
            if manifest.get("kind") == COMPACTION and datetime.fromisoformat(manifest["committed_at"]) <= before
        ]  # fmt: skip
        if not staging.is_local(path):
            return _vacuum_objects(store, due, before, _streamed(store, before, now), dry_run=dry_run)
        going_on = set(_going_on(store, before))
        # Staging goes first: a run that is gone on with needs the folders that it has put in place already.
        found = [*_staged(store, going_on), *_run_folders(store, going_on), *_superseded(store, due)]
        found += _streamed(store, before, now)
        found += [one for one in _unfinished(store, going_on) if not _is_within(one, found)]
        if not dry_run:
            settle(store)
            _show(store, due)
            for leftover in found:
                _remove(os.path.join(store.path, leftover.path))
            _remove_empty_folders(store.path)
        return found


def _streamed(store: Store, before: datetime, now: datetime) -> list[Leftover]:
    left = stream_leftovers(store, before, now)
    return [Leftover(file.path.removeprefix(f"{store.path}/"), file.size, STREAMED) for file in left]


def _vacuum_objects(
    store: Store, due: Sequence[dict[str, Any]], before: datetime, found: list[Leftover], *, dry_run: bool
) -> list[Leftover]:
    """The same for a store of objects, which have no folders and no links.

    What a killed run left stays for `keep_days` here in any case: whoever lost the claim on the store may be alive.
    """
    files = staging.list_files(store.path)
    within = {file.path.removeprefix(f"{store.path}/"): file for file in files}
    newest: dict[str, float] = {}
    for path, file in within.items():
        newest[_folder_of(path)] = max(file.changed_at, newest.get(_folder_of(path), 0.0))
    named = {manifest["run_id"] for manifest in store.manifests}
    gone = {one for manifest in due for path in manifest["supersedes"] for one in (path, _shown(path))}
    tables = ("reports", *STORE_TABLES, *(f"{COMPACTED}/{table}" for table in STORE_TABLES))
    for path, file in within.items():
        folder = _folder_of(path)
        top, _, name = folder.rpartition("/")
        old = newest[folder] <= before.timestamp()
        if path in gone:
            found.append(Leftover(path, file.size, SUPERSEDED))
        elif top == STAGING and path != LOCK and old:
            found.append(Leftover(path, file.size, STAGED))
        elif top in tables and name.startswith(RUN) and name.removeprefix(RUN) not in named and old:
            found.append(Leftover(path, file.size, LEFTOVER))
    if not dry_run:
        settle(store)
        shown = {
            entry["path"]: _shown(entry["path"])
            for manifest in due for entry in written(manifest) if entry["path"] not in gone
        }  # fmt: skip
        wanted = [path for path in shown if path in within and shown[path] not in within]
        staging.copy(
            *([f"{store.path}/{one}" for one in paths] for paths in (wanted, [shown[path] for path in wanted]))
        )
        # Plans first, so that nobody goes on with what a kill amid this leaves.
        order = sorted(found, key=lambda one: not one.path.endswith(f"/{PLAN}"))
        staging.remove([f"{store.path}/{one.path}" for one in order])
    return found


def _folder_of(path: str) -> str:
    """The run's folder that a file of a store is in: `_staging/RUN`, `clean/run=RUN`, `_compacted/clean/run=RUN`."""
    parts = path.split("/")
    return "/".join(parts[: 3 if parts[0] == COMPACTED else 2])


def unfinished_inputs(store: Store) -> Iterator[list[dict[str, Any]]]:
    """The inputs of killed runs that can be gone on with, as their plans hold them; none without inputs."""
    folder = os.path.join(store.path, STAGING)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name, PLAN)
        if os.path.isfile(path):
            plan = staging.read_json(path)
            if plan["number"] == store.next_number and plan["inputs"] and plan["kind"] == "run":
                yield plan["inputs"]


def clear_unfinished(store: Store) -> None:
    """Removes all that unfinished runs left, for a run that goes on with none of them; its store is locked by it.

    Staging goes first: without it no run is gone on with that lacks what it had put in place.
    """
    for leftover in [*_staged(store, set()), *_run_folders(store, set())]:
        _remove(os.path.join(store.path, leftover.path))


def _going_on(store: Store, before: datetime) -> Iterator[str]:
    """Ids of killed runs that the same command still goes on with."""
    folder = os.path.join(store.path, STAGING)
    for name in sorted(os.listdir(folder)):
        plan = os.path.join(folder, name, PLAN)
        if (
            os.path.isfile(plan)
            and staging.read_json(plan)["number"] == store.next_number
            and os.path.getmtime(plan) > before.timestamp()
        ):
            yield name


def _staged(store: Store, going_on: set[str]) -> Iterator[Leftover]:
    folder = os.path.join(store.path, STAGING)
    for name in sorted(os.listdir(folder)):
        path = os.path.join(STAGING, name)
        if path != LOCK and name not in going_on:
            yield Leftover(path, _size(os.path.join(store.path, path)), STAGED)


def _run_folders(store: Store, going_on: set[str]) -> Iterator[Leftover]:
    """Folders of runs that no manifest names."""
    named = {manifest["run_id"] for manifest in store.manifests} | going_on
    for table in (*STORE_TABLES, "reports", *(os.path.join(COMPACTED, table) for table in STORE_TABLES)):
        folder = os.path.join(store.path, table)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.startswith(RUN) and name.removeprefix(RUN) not in named:
                yield Leftover(os.path.join(table, name), _size(os.path.join(folder, name)), LEFTOVER)


def _unfinished(store: Store, going_on: set[str]) -> Iterator[Leftover]:
    for folder, _, names in os.walk(store.path):
        inside = os.path.relpath(folder, store.path).split(os.sep)
        if inside[0] == STAGING and len(inside) > 1 and inside[1] in going_on:
            continue
        for name in names:
            if name.endswith(staging.UNFINISHED):
                path = os.path.join(folder, name)
                yield Leftover(os.path.relpath(path, store.path), _size(path), UNFINISHED)


def _superseded(store: Store, due: Sequence[dict[str, Any]]) -> Iterator[Leftover]:
    for manifest in due:
        for path in manifest["supersedes"]:
            for one in {path: 0, _shown(path): 0}:
                if os.path.exists(os.path.join(store.path, one)):
                    yield Leftover(one, _size(os.path.join(store.path, one)), SUPERSEDED)


def _shown(path: str) -> str:
    """Where readers by pattern see a compacted file: `_compacted/clean/run=R/x` is `clean/run=R/x`."""
    return path.removeprefix(f"{COMPACTED}/")


def _show(store: Store, due: Sequence[dict[str, Any]]) -> None:
    """Links compacted files to where readers by pattern look, just before the superseded ones go."""
    gone = {path for manifest in due for path in manifest["supersedes"]}
    for manifest in due:
        for entry in manifest["files"] + manifest.get("superseded", []):
            source, target = (os.path.join(store.path, path) for path in (entry["path"], _shown(entry["path"])))
            if entry["path"] not in gone and os.path.exists(source) and not os.path.exists(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.link(source, target)


def _size(path: str) -> int:
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def _is_within(leftover: Leftover, found: Sequence[Leftover]) -> bool:
    """Whether it is one of those found, or lies in one."""
    return any(f"{leftover.path}{os.sep}".startswith(one.path + os.sep) for one in found)


def _remove(path: str) -> None:
    if os.path.isdir(path):
        plan = os.path.join(path, PLAN)
        if os.path.exists(plan):
            # First of all, so that nobody goes on with what a kill amid this leaves.
            os.unlink(plan)
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _remove_empty_folders(store: str) -> None:
    """Folders of runs of which nothing is left."""
    for table in (*STORE_TABLES, *(os.path.join(COMPACTED, table) for table in STORE_TABLES)):
        folder = os.path.join(store, table)
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.startswith(RUN) and not os.listdir(os.path.join(folder, name)):
                os.rmdir(os.path.join(folder, name))


def told(found: Sequence[Leftover], *, dry_run: bool) -> str:
    """What was removed, or would be, for a person to read."""
    lines = [f"{one.size:>14,}  {one.path}: {one.why}" for one in found]
    total = f"{len(found)} leftovers, {sum(one.size for one in found) / 1e6:,.1f} MB"
    return "\n".join([*lines, f"{total}: {'would be removed' if dry_run else 'removed'}"])
