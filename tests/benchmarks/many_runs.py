r"""Whether N runs end where one does: the same articles in one batch and in many runs, compared; time by run.

    .venv/bin/python -m tests.benchmarks.many_runs [--set saudinewsnet] [--runs 30] [--shuffle SEED] [--twice] \
        [--provisional]

The sets are month (made up), seeds and saudinewsnet. Without --shuffle the runs are in the order of publication, with
it articles come in any order. --runs 0 is a run an article. --twice gives each run the file of the one before again
under another name, and its records again in a longer file.
Exit code 1 if anything differs but published texts and how often a record was given.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.compare import Comparison, compare, told
from pipeline.progress import Progress
from pipeline.run import reconcile
from pipeline.store import Store
from tests.benchmarks.month import month_of
from tests.pipeline.store_reading import ROOT, SEEDS, articles_of, as_input, run_over, write_jsonl

EVAL = ROOT.parent / "shared" / "eval"
SETS = ("month", "seeds", "saudinewsnet")
Rows = list[dict[str, Any]]


def seed_rows(folder: Path) -> Rows:
    """Every seed article as an input record."""
    run_over(folder / "seeds", SEEDS / "articles")
    return sorted((as_input(row) for row in articles_of(folder / "seeds")), key=lambda row: json.dumps(row))


def rows_of_set(name: str, folder: Path, days: int = 30, articles: int = 60) -> Rows:
    """The records of a set."""
    if name == "month":
        return [row for day in month_of(days, articles) for row in day]
    if name == "seeds":
        return seed_rows(folder)
    with gzip.open(EVAL / "neardup" / f"{name}_docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        names = ("id", "title", "text", "url", "source", "date")
        return [{key: row[key] for key in names if row.get(key)} for row in map(json.loads, lines)]


def in_runs(rows: Rows, runs: int, shuffle: int | None = None) -> list[Rows]:
    """The records in so many runs of about one size, none empty: by publication (undated first), or in any order."""
    rows = sorted(rows, key=lambda row: str(row.get("published_at") or row.get("date") or ""))
    if shuffle is not None:
        random.Random(shuffle).shuffle(rows)
    runs = min(runs or len(rows), len(rows))
    return [rows[len(rows) * at // runs : len(rows) * (at + 1) // runs] for at in range(runs)]


def run_in_turn(
    store: Path, folder: Path, runs: Sequence[Rows], *, twice: bool = False, provisional: bool = False
) -> list[tuple[float, int]]:
    """A run after the other; gives CPU seconds and how many older labels changed, by run."""
    taken = []
    for number, rows in enumerate(runs):
        given = folder / f"{number:05d}"
        write_jsonl(given / "new.jsonl", rows)
        if twice and number:
            write_jsonl(given / "known.jsonl", runs[number - 1])
            write_jsonl(given / "longer.jsonl", [*runs[number - 1], *rows[:1]])
        started = time.process_time()
        manifest = run_over(store, given, provisional=provisional)
        taken.append((time.process_time() - started, int(manifest["counts"]["relabelled"])))
    return taken


def compared(a: Path, b: Path) -> Comparison:
    """The two stores, with a few examples of each difference."""
    return compare(Store(str(a)), Store(str(b)), 5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="month")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--shuffle", type=int)
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--provisional", action="store_true", help="decide for good after the last run only")
    parser.add_argument("--articles", type=int, default=60, help="a day, of the month (default 60)")
    parser.add_argument("--most", type=int, help="only so many records, the first by publication")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = rows_of_set(given.set, folder, articles=given.articles)
        rows = [row for run in in_runs(rows, 1) for row in run][: given.most]
        [(seconds, _)] = run_in_turn(folder / "a", folder / "one", [rows])
        print(f"{given.set}: {len(rows)} records in one run: {seconds:.1f} s CPU", flush=True)
        runs = in_runs(rows, given.runs, given.shuffle)
        times = run_in_turn(folder / "b", folder / "many", runs, twice=given.twice, provisional=given.provisional)
        print(f"in {len(runs)} runs: {sum(seconds for seconds, _ in times):.1f} s CPU; by run, with labels changed:")
        print("  " + "  ".join(f"{seconds:.1f}/{changed}" for seconds, changed in times))
        if given.provisional:
            print(told(compared(folder / "a", folder / "b")))
            started = time.process_time()
            manifest = reconcile(str(folder / "b"), 1, Progress(None))
            taken = time.process_time() - started
            print(f"reconciled: {taken:.1f} s CPU, {manifest['counts']['relabelled']} relabelled")
        found = compared(folder / "a", folder / "b")
        print(told(found))
        return 0 if found.same else 1


if __name__ == "__main__":
    raise SystemExit(main())
