r"""What a scheduled run costs as its store grows: sixty daily runs of 2,000 made-up articles, a command each.

    .venv/bin/python -m tests.benchmarks.daily [--days 60] [--articles 2000] [--workers 1] [--folder KEPT] [--set K=V] \
        [--dated]

A line a day: CPU seconds (user and system, children included), wall seconds, peak memory, labels changed, and the bytes
that the store grew by. One article in twenty has no date, and is compared with the whole store: with --dated these are
left out. With --folder what was done stays there, and the same command goes on after its last day.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline.store import Store
from tests.benchmarks.month import day_of
from tests.benchmarks.speed import measure
from tests.pipeline.store_reading import write_jsonl


def run_day(folder: Path, day: int, articles: int, flags: list[str], *, dated: bool) -> dict[str, Any]:
    """Gives a day's articles to the store in the folder; its figures."""
    store, source = folder / "store", folder / "day.jsonl"
    write_jsonl(source, [row for row in day_of(day, articles) if row.get("published_at") or not dated])
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--input", str(source), "--store", str(store)]
    cpu, wall, peak = measure([*command, *flags])
    manifest = Store(str(store)).manifests[-1]
    counts = manifest["counts"]
    return {
        "day": day + 1, "cpu": cpu, "wall": wall, "peak": peak, "relabelled": counts["relabelled"],
        "records": counts["records"], "megabytes": sum(entry["bytes"] for entry in manifest["files"]) / 1e6,
    }  # fmt: skip


def line(row: dict[str, Any], first: dict[str, Any], records: int) -> str:
    """A day's figures, and beside them how many times those of day 1 they are."""
    return (
        f"{row['day']:4} {records:9,} {row['cpu']:8.1f} {row['cpu'] / first['cpu']:5.1f} {row['wall']:8.1f} "
        f"{row['peak']:8.0f} {row['peak'] / first['peak']:5.1f} {row['relabelled']:8} {row['megabytes']:6.1f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--dated", action="store_true")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    flags = ["--workers", str(given.workers), *(word for one in given.set for word in ("--set", one))]
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / "days.jsonl"
        rows = [json.loads(one) for one in kept.read_text().splitlines()] if kept.exists() else []
        print(" day  articles   CPU s     x   wall s  peak MB     x  changed     MB", flush=True)
        for day in range(given.days):
            if day >= len(rows):
                rows.append(run_day(folder, day, given.articles, flags, dated=given.dated))
                kept.write_text("".join(json.dumps(row) + "\n" for row in rows))
            print(line(rows[day], rows[0], sum(row["records"] for row in rows[: day + 1])), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
