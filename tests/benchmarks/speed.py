"""Speed and memory of a run against the floor of reading JSONL and writing it as zstd Parquet, in pairs.

    .venv/bin/python -m tests.benchmarks.speed [--articles 20000] [--pairs 3] [--workers 1] [--input FILE.jsonl]
        [--against SETTING=VALUE]

Without --input the articles are those of ../shared/eval. Each pair is floor, then run, as whole processes; --against
adds a run with another setting (`rewrite.days=-1`: what does the search for rewrites cost?). The figures
are CPU seconds (user and system, children included) and the largest resident set, as the operating system counts them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVAL = ROOT.parent / "shared" / "eval"
SETS = ("reuters_takes_docs", "saudinewsnet_docs", "rewrites_docs", "labelled_by_eye_docs")
FLOOR = """
import sys, pyarrow.json as pj, pyarrow.parquet as pq
table = pj.read_json(sys.argv[1], read_options=pj.ReadOptions(use_threads=False, block_size=1 << 23))
pq.write_table(table, sys.argv[2], compression="zstd")
"""


def make_corpus(path: Path, articles: int) -> None:
    """The first so many articles of the sets, with their text and date, in the order of the sets."""
    rows: dict[str, dict[str, str]] = {}
    for name in SETS:
        with gzip.open(EVAL / "neardup" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows |= {row["id"]: row for row in map(json.loads, lines)}
    with gzip.open(EVAL / "boilerplate" / "allsides_en_leftover.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows |= {row["id"]: {**row, "text": row["dirty"]} for row in map(json.loads, lines) if row["id"] not in rows}
    names = ("id", "title", "text", "url", "source", "date")
    with open(path, "w", encoding="utf-8") as out:
        for row in list(rows.values())[:articles]:
            given = {name: row[name] for name in names if row.get(name)}
            if given.get("date", "")[:4].isdigit() is False:
                given.pop("date", None)
            out.write(json.dumps(given, ensure_ascii=False) + "\n")


def measure(command: list[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak megabytes of a command with its children."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[:4]} failed: {error.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--against", metavar="SETTING=VALUE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = given.input or Path(folder) / "articles.jsonl"
        if given.input is None:
            make_corpus(source, given.articles)
        with open(source, "rb") as lines:
            count = sum(1 for _ in lines)
        print(f"{count} articles, {source.stat().st_size / count / 1000:.2f} kB each, {given.pairs} pairs")
        rows = []
        settings = [("run", [])] + ([("other", ["--set", given.against])] if given.against else [])
        for number in range(given.pairs + 1):
            measured = {"floor": measure([sys.executable, "-c", FLOOR, str(source), f"{folder}/floor{number}.parquet"])}
            for name, more in settings:
                store = f"{folder}/{name}{number}"
                measured[name] = measure(
                    [sys.executable, "-m", "pipeline", "run", "--quiet", "--input", str(source), "--store", store,
                     "--workers", str(given.workers), *more]
                )  # fmt: skip
            if number:  # the first pair fills the caches of compiled kernels and files
                rows.append(measured)
        for name in rows[0]:
            for figure, place, unit in (("CPU", 0, "s"), ("wall", 1, "s"), ("peak memory", 2, "MB")):
                values = [row[name][place] for row in rows]
                spread = f"{min(values):8.2f} {statistics.median(values):8.2f} {max(values):8.2f}"
                print(f"{name:5} {figure:11} {spread} {unit}")
        rates = [count / row["run"][0] for row in rows]
        print(f"run   articles per CPU-second: {min(rates):.0f} {statistics.median(rates):.0f} {max(rates):.0f}")
        for name in ("floor", "other")[: len(settings)]:
            ratios = [row["run"][0] / row[name][0] for row in rows]
            print(f"run / {name} in CPU, by pair: {min(ratios):.2f} {statistics.median(ratios):.2f} {max(ratios):.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
