"""Inputs made to break matching, each at growing sizes: CPU, memory, and what the caps left out.

    .venv/bin/python -m tests.benchmarks.pathological [--cases identical template long paragraph] [--scale 1.0]

    identical   articles with the same text from different papers, over a month
    template    articles of one weather template, different numbers and places, over a year
    long        one article of so many words, beside a hundred ordinary ones
    paragraph   different articles of 120 words that share one paragraph of 60 words, over a month
    paragraph1  the same, all on one day

Each size is a run of its own in a process of its own, over a file written before. CPU is user and system time of that
process and its children; memory is its largest resident set. `growth` is the CPU's exponent between two sizes: 1 is
linear. `joined` counts articles in copies/; `capped` postings stood in too many articles to be compared, `lost` pairs
were not made for it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.newsroom import PAPERS, Reporter, story
from tests.benchmarks.speed import measure
from tests.benchmarks.templates import fill_in

FIRST_DAY = datetime.date(2026, 1, 1)
Rows = Iterator[dict[str, Any]]


def _row(name: str, number: int, text: str, day: int) -> dict[str, Any]:
    source = f"{PAPERS['en'][number % 40]} {number // 40}"
    return {"id": f"{name}/{number}", "source": source, "text": text, "date": f"{FIRST_DAY + datetime.timedelta(day)}"}


def identical(size: int) -> Rows:
    text = story("en", "identical", 250).text
    for number in range(size):
        yield _row("identical", number, text, number * 30 // size)


def template(size: int) -> Rows:
    for number in range(size):
        day = FIRST_DAY + datetime.timedelta(number * 365 // size)
        yield _row("template", number, fill_in("weather", str(number), day, 2 * number), number * 365 // size)


def long(size: int) -> Rows:
    for number in range(100):
        yield _row("long", number, story("en", f"beside the long one {number}", 300).text, number % 30)
    yield _row("long", 100, story("en", "the long one", size).text, 3)


def paragraph(size: int, days: int = 30) -> Rows:
    shared = story("en", "the shared paragraph", 60).text.replace("\n", " ")
    for number in range(size):
        own = Reporter("en", f"own {number}").story(60).text
        yield _row("paragraph", number, f"{own}\n{shared}", number * days // size)


def paragraph1(size: int) -> Rows:
    return paragraph(size, 1)


CASES: dict[str, tuple[Callable[[int], Rows], tuple[int, ...]]] = {
    "identical": (identical, (25_000, 50_000, 200_000)),
    "template": (template, (12_500, 25_000, 50_000)),
    "long": (long, (100_000, 300_000, 1_000_000)),
    "paragraph": (paragraph, (25_000, 50_000, 100_000)),
    "paragraph1": (paragraph1, (25_000, 50_000, 100_000)),
}


@dataclass(frozen=True)
class Figures:
    """What a run took and made."""

    size: int
    cpu_seconds: float
    megabytes: float
    counts: dict[str, int]
    caps: dict[str, int]


def run_case(name: str, size: int, folder: Path) -> Figures:
    """One run over one input.

    Raises:
        RuntimeError: the run did not commit.
    """
    source = folder / f"{name}-{size}.jsonl"
    with open(source, "w", encoding="utf-8") as out:
        for row in CASES[name][0](size):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    store = folder / f"{name}-{size}"
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--input", str(source), "--store", str(store)]
    cpu, _, megabytes = measure(command)
    [manifest] = sorted(store.glob("manifest/*.json"))
    found = json.loads(manifest.read_text())
    return Figures(size, cpu, megabytes, found["counts"], found["caps"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--scale", type=float, default=1.0, help="times the sizes")
    parser.add_argument("--only", type=int, nargs="+", help="places of the sizes to run, from 0")
    given = parser.parse_args()
    print("case             size      CPU s  growth  peak MB    joined      pairs   capped of postings       lost")
    for name in given.cases:
        before: Figures | None = None
        for place, size in enumerate(CASES[name][1]):
            if given.only and place not in given.only:
                continue
            with tempfile.TemporaryDirectory() as folder:
                now = run_case(name, int(size * given.scale), Path(folder))
            growth = "" if before is None else f"{exponent(before, now):.2f}"
            caps = now.caps
            print(
                f"{name:11} {now.size:9,} {now.cpu_seconds:10.1f} {growth:>7} {now.megabytes:8,.0f} "
                f"{now.counts['copies']:9,} {caps['pairs']:10,} {caps['capped']:8,} of {caps['postings']:<10,} "
                f"{caps['lost']:9,}", flush=True,
            )  # fmt: skip
            before = now
    return 0


def exponent(before: Figures, now: Figures) -> float:
    """How CPU grows with size: log of the ratio of CPU over log of the ratio of sizes."""
    return math.log(now.cpu_seconds / before.cpu_seconds) / math.log(now.size / before.size)


if __name__ == "__main__":
    raise SystemExit(main())
