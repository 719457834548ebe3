"""Broken files and harmful texts against the readers and the cleaning.

    .venv/bin/python -m tests.fuzzing [--from 0] [--cases 100000] [--seconds 420] [--out FILE.json]

Cases are numbers: the same number is the same case in every run. They run in a child process, so that a crash or a hang
costs one case. `--seconds` ends a run early; the last line says where to go on. The exit code is 1 where a case failed.
"""

from __future__ import annotations

import argparse
import collections
import json
import resource
import select
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transforms.functions.extraction import PageExtractor

ROOT = Path(__file__).resolve().parents[2]
HANG_SECONDS = 60.0
"""Without a sign of life, on a machine that is busy; what is slow is told by CPU seconds."""

MEMORY_BYTES = 6 << 30
"""Address space of the process that runs cases."""

SLOW_SECONDS = 1.0


def work(first: int, last: int) -> None:
    """Runs cases [first, last) and writes one line of JSON a case."""
    from tests.fuzzing.checking import BrokenPromiseError, run_case

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with PageExtractor(timeout_seconds=10.0) as extractor:
        warm_up(extractor)
        print("{}", flush=True)
        for number in range(first, last):
            line: dict[str, Any]
            try:
                line = asdict(run_case(number, extractor))
            except BrokenPromiseError as error:
                line = {"number": number, "failure": f"promise: {error}"}
            except BaseException as error:  # noqa: BLE001 - this is what is looked for
                where = traceback.extract_tb(error.__traceback__)[-3:]
                told = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(where))
                line = {"number": number, "failure": f"{type(error).__name__}: {error!s:.300} at {told}"}
            print(json.dumps(line), flush=True)


def warm_up(extractor: PageExtractor) -> None:
    """What is loaded or compiled once shall not count as one case's time."""
    import pyarrow as pa

    from schemas.settings import CleanSettings
    from tests.fuzzing.checking import run_case
    from transforms.functions.cleaning_text import clean_texts
    from transforms.functions.dates import parse_dates

    parse_dates(pa.array(["3 lipca 2015 roku, 13:05"]))
    wrapped = "\n".join(["A line that was broken at a width, as mails and wires are,"] * 9) + "\n\nThe end."
    clean_texts(pa.array([wrapped]), pa.nulls(1, pa.string()), pa.nulls(1, pa.string()), CleanSettings())
    for number in (*range(40), 7, 15, 23):
        try:
            run_case(number, extractor)
        except Exception:  # noqa: BLE001 - it will be told when its turn comes
            continue


def run(first: int, cases: int, seconds: float) -> dict[str, Any]:
    """Runs cases in a child, which is replaced where it ends or hangs, and gathers what they say."""
    last, at = first + cases, first
    totals: collections.Counter[str] = collections.Counter()
    reasons: collections.Counter[str] = collections.Counter()
    failures: list[dict[str, Any]] = []
    slowest: list[tuple[float, int, str]] = []
    deadline = time.monotonic() + seconds
    while at < last and time.monotonic() < deadline:
        with start(at, last) as child:
            assert child.stdout is not None
            while time.monotonic() < deadline and at < last:
                ready, _, _ = select.select([child.stdout], [], [], HANG_SECONDS)
                given = child.stdout.readline() if ready else b""
                if not given:
                    child.kill()
                    told = f"the process ended ({child.wait()})" if ready else f"no answer in {HANG_SECONDS:g} seconds"
                    failures.append({"number": at, "failure": told})
                    at += 1
                    break
                line = json.loads(given)
                if not line:
                    continue
                at = line["number"] + 1
                totals["cases"] += 1
                if "failure" in line:
                    failures.append(line)
                    continue
                totals.update(articles=line["articles"], refused=line["refused"], counted=line["counted"])
                totals["slow"] += line["seconds"] > SLOW_SECONDS
                reasons.update(line["reasons"])
                slowest = sorted([*slowest, (line["seconds"], line["number"], line["made"])], reverse=True)[:5]
            child.kill()
    return {
        "from": first, "next": at, **totals, "failures": failures, "slowest": slowest, "reasons": dict(reasons)
    }  # fmt: skip


def start(first: int, last: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.fuzzing", "--work", "--from", str(first), "--cases", str(last - first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, bufsize=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=420.0, help="ends the run early")
    parser.add_argument("--out", type=Path, help="writes the figures as JSON")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.first, options.first + options.cases)
        return 0
    found = run(options.first, options.cases, options.seconds)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))
    for failure in found["failures"][:20]:
        print(f"case {failure['number']}: {failure['failure']}")
    print(
        f"cases {found['from']} to {found['next'] - 1}: {found.get('cases', 0):,}, {len(found['failures'])} failed; "
        f"articles {found.get('articles', 0):,}, refused {found.get('refused', 0):,}; the sums of "
        f"{found.get('counted', 0):,} were counted independently; {found.get('slow', 0)} over {SLOW_SECONDS:g} s"
    )
    for seconds, number, made in found["slowest"]:
        print(f"  {seconds:.2f} s CPU: case {number}, {made}")
    print(f"  refused: {', '.join(f'{name} {count:,}' for name, count in sorted(found['reasons'].items()))}")
    if found["next"] < options.first + options.cases:
        print(f"go on with --from {found['next']} --cases {options.first + options.cases - found['next']}")
    return 1 if found["failures"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
