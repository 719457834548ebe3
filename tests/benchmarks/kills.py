"""Killed anywhere, the same command again: the store must be as if never killed. At many points of a run.

    .venv/bin/python -m tests.benchmarks.kills [--points 60]

Half of the points are in a first run, half in a second one, over the seed articles in JSON lines and pages. They are
spread over everything a run does with files (see `faults`), and close together around the manifest. At each the run is
killed, every other time with the file that was about to be renamed half written; then the same command runs again. A
line a point: what it was about to touch, the steps that were done and not done again, and what was wrong (nothing).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.compare import compare
from pipeline.store import Store
from pipeline.vacuum import vacuum
from pipeline.verify import verify
from schemas.tables import STORE_TABLES
from tests.benchmarks.faults import NO_FAULT, Ended, Fault, copydesk
from tests.benchmarks.many_runs import EVAL, seed_rows
from tests.pipeline.store_reading import SEEDS, run_over, write_jsonl


@dataclass(frozen=True)
class Scenario:
    """A run to be killed: what the store holds before, what is given, and how it all ends when nothing happens.

    Attributes:
        before: a store to copy, or None for an empty one.
        reference: the store in the end.
        ended: the run that nothing happened to, with all its touches.
    """

    name: str
    folder: Path
    before: Path | None
    inputs: Path
    reference: Path
    ended: Ended

    def command(self, store: Path) -> list[str]:
        return ["run", "--log-format", "json", "--input", str(self.inputs), "--store", str(store)]

    def start_from(self, store: Path) -> Path:
        """Puts the store as it was before at a path."""
        shutil.rmtree(store, ignore_errors=True)
        if self.before is not None:
            shutil.copytree(self.before, store)
        return store

    def run(self, store: Path, fault: Fault = NO_FAULT) -> Ended:
        return copydesk(self.command(store), self.folder / "log", (store, self.inputs), fault)


def scenario(name: str, folder: Path) -> Scenario:
    """`first`: all into an empty store. `second`: half of the seeds, and one page, into a store with the other half."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = seed_rows(folder)
    inputs = folder / "in"
    if name == "first":
        before = None
        write_jsonl(inputs / "all.jsonl", rows)
    else:
        before = folder / "before"
        run_over(before, write_jsonl(folder / "earlier.jsonl", rows[::2]))
        write_jsonl(inputs / "later.jsonl", rows[1::2])
        shutil.copy(sorted((SEEDS / "articles" / "html").iterdir())[0], inputs)
    made = Scenario(name, folder, before, inputs, folder / "reference", Ended(0, "", "", []))
    ended = made.run(made.start_from(made.reference))
    if ended.code:
        raise RuntimeError(f"the run that nothing happens to failed: {ended.err[-2000:]}")
    return Scenario(name, folder, before, inputs, made.reference, ended)


def points_of(ended: Ended, count: int) -> list[int]:
    """Numbers of touches: half of them evenly over the run, half around its commit, the last included."""
    touches = ended.touches
    commit = next(number for number, (_, path) in enumerate(touches, 1) if "/manifest" in path)
    last = len(touches)
    evenly = {1 + (last - 1) * at // max(1, count - count // 2 - 1) for at in range(count - count // 2)}
    near = sorted(set(range(1, last + 1)) - evenly, key=lambda number: (abs(number - commit), number))
    return sorted([*evenly, *near[: count - len(evenly)]])


def kill_and_go_on(given: Scenario, at: int, *, outside: bool = False) -> tuple[Ended, Ended, list[str]]:
    """Kills at a touch (every other one torn) and gives the same command again; with what is wrong then."""
    store = given.start_from(given.folder / "store")
    held = len(Store(str(store)).manifests)
    killed = given.run(store, Fault(at, "torn" if at % 2 else "kill"))
    wrong = [] if killed.code == -9 else [f"it was not killed but ended with {killed.code}"]
    between = Store(str(store))
    if len(between.manifests) not in (held, held + 1):
        wrong.append(f"{len(between.manifests)} manifests after the kill")
    if between.manifests:
        wrong += [f"after the kill: {one}" for one in broken(between)]
    again = given.run(store)
    if again.code:
        wrong.append(f"the same command again ended with {again.code}: {again.err[-500:]}")
        return killed, again, wrong
    twice = set(killed.steps) & set(again.steps)
    if twice:
        wrong.append(f"done again: {sorted(twice)}")
    return killed, again, wrong + differences(given.reference, store, outside=outside)


def broken(store: Store) -> list[str]:
    """Promises that a store breaks."""
    return [f"{promise}: {what[:2]}" for promise, what in verify(store) if what]


def differences(reference: Path, path: Path, *, outside: bool = False) -> list[str]:
    """What makes a store another than the one that nothing happened to, or leaves it unclean."""
    store = Store(str(path))
    found = compare(Store(str(reference)), store)
    wrong = [f"{kind}: {difference.count}" for kind, difference in found.kinds.items() if difference.count]
    wrong += broken(store) + orphans(store)
    expected, held = (
        [(manifest["run_id"], manifest["counts"]) for manifest in one.manifests]
        for one in (Store(str(reference)), store)
    )
    if [counts for _, counts in expected] != [counts for _, counts in held]:
        wrong.append(f"other counts: {held}, not {expected}")
    if outside and (said := checked_outside(path)) != checked_outside(reference):
        wrong.append(f"the outside checker says: {said}")
    vacuum(str(path), 0)
    left = [one.path for one in vacuum(str(path), 0, dry_run=True)]
    left += [one.name for one in (path / "_staging").iterdir() if one.name != "lock"]
    left += [str(one) for one in path.rglob("*.unfinished")]
    return wrong + [f"left after vacuum: {one}" for one in left] + broken(store)


def checked_outside(path: Path) -> list[str]:
    """What the outside checker says of a store's promises (it must say the same of the one nothing happened to)."""
    command = [sys.executable, str(EVAL / "check_store.py"), str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return [line for line in said if line.startswith(("ok", "BROKEN")) and "manifests" not in line] or ["nothing"]


def orphans(store: Store) -> list[str]:
    """Files that a reader by pattern sees and no manifest names."""
    named = {entry["path"] for manifest in store.manifests for entry in store.entries(manifest)}
    seen = {
        str(path.relative_to(store.path))
        for table in STORE_TABLES
        for path in Path(store.path).glob(f"{table}/**/*.parquet")
    }
    return [f"no manifest names {path}" for path in sorted(seen - named)]


def lines(folder: Path, points: int) -> Iterator[tuple[str, list[str]]]:
    """A line for each point, with what was wrong."""
    for number, name in enumerate(("first", "second")):
        given = scenario(name, folder / name)
        touches = given.ended.touches
        for at in points_of(given.ended, (points + number) // 2):
            killed, again, wrong = kill_and_go_on(given, at, outside=EVAL.is_dir())
            event, path = touches[at - 1]
            short = path.replace(str(given.folder), "")
            done = f"{len(killed.steps)} steps, then {len(again.steps)}"
            yield f"{name:6} {at:4}/{len(touches)} {event:10} {done}  {short[-90:]}", wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=60)
    given = parser.parse_args()
    failed = points = 0
    with tempfile.TemporaryDirectory() as folder:
        for line, wrong in lines(Path(folder), given.points):
            points += 1
            failed += bool(wrong)
            print(line + "".join(f"\n    WRONG {one}" for one in wrong), flush=True)
    print(json.dumps({"points": points, "wrong": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
