#!/usr/bin/env python3
"""Cleans one set of ../shared/eval/boilerplate, for its scorer.

    python tests/quality/clean_sets.py --set NAME --out FILE.jsonl [--level full] [--disabled RULE,...]
    python ../shared/eval/score_boilerplate.py score --set NAME --cleaned FILE.jsonl

Writes rows {"id", "text"}. The data stays where it is: none of it belongs in this repository.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]
EVAL = ROOT.parent / "shared" / "eval"
BATCH_ROWS = 1000

sys.path.insert(0, str(ROOT))

from schemas.settings import CleanSettings  # noqa: E402
from transforms.functions.cleaning_text import clean_texts  # noqa: E402


def prepared_rows(name: str) -> list[dict[str, str | None]]:
    """The set as the scorer's `prepare` gives it to a program."""
    with tempfile.TemporaryDirectory() as folder:
        scorer = [sys.executable, str(EVAL / "score_boilerplate.py"), "prepare", "--set", name, "--out", folder]
        subprocess.run(scorer, check=True, stdout=subprocess.DEVNULL)
        with open(Path(folder) / f"{name}.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def clean_rows(rows: list[dict[str, str | None]], settings: CleanSettings) -> list[dict[str, str]]:
    """The rows' ids and cleaned texts."""
    cleaned: list[dict[str, str]] = []
    for at in range(0, len(rows), BATCH_ROWS):
        batch = rows[at : at + BATCH_ROWS]

        def column(name: str, batch: list[dict[str, str | None]] = batch) -> pa.StringArray:
            return pa.array([row.get(name) for row in batch], pa.string())

        found = clean_texts(column("text"), column("title"), column("language"), settings)
        cleaned += [
            {"id": str(row["id"]), "text": text} for row, text in zip(batch, found.text.to_pylist(), strict=True)
        ]
    return cleaned


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--level", default="full")
    parser.add_argument("--disabled", default="")
    given = parser.parse_args()
    disabled = tuple(name for name in given.disabled.split(",") if name)
    rows = clean_rows(prepared_rows(given.name), CleanSettings(level=given.level, disabled=disabled))
    with open(given.out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(rows)} texts in {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
