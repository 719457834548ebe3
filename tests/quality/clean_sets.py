#!/usr/bin/env python3
"""Cleans one set of ../shared/eval/boilerplate, for its scorer.

    python tests/quality/clean_sets.py --set NAME --out FILE.jsonl [--level full] [--disabled RULE,...]
    python ../shared/eval/score_boilerplate.py score --set NAME --cleaned FILE.jsonl

Writes rows {"id", "text"}. The data stays where it is: none of it belongs in this repository.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]
EVAL = ROOT.parent / "shared" / "eval"
BATCH_ROWS = 1000

sys.path.insert(0, str(ROOT))

from schemas.settings import CleanSettings  # noqa: E402
from transforms.functions.cleaning_text import clean_texts  # noqa: E402


def scorer() -> Any:
    """The module of the outside scorer."""
    if str(EVAL) not in sys.path:
        sys.path.insert(0, str(EVAL))
    return importlib.import_module("score_boilerplate")


def cleaned_rows(rows: list[dict[str, Any]], settings: CleanSettings) -> dict[str, dict[str, Any]]:
    """`text` and `removed` of each of a set's rows, as the scorer gives them to a program, by id."""
    cleaned: dict[str, dict[str, Any]] = {}
    for at in range(0, len(rows), BATCH_ROWS):
        batch = rows[at : at + BATCH_ROWS]
        columns = [pa.array([row.get(name) for row in batch], pa.string()) for name in ("dirty", "title", "lang")]
        found = clean_texts(*columns, settings)
        for row, text, removed in zip(batch, found.text.to_pylist(), found.removed.to_pylist(), strict=True):
            cleaned[str(row["id"])] = {"text": text, "removed": removed}
    return cleaned


def figures_of(name: str) -> dict[str, Any]:
    """The scorer's figures for a set with a typed body, cleaned with default settings; also what spans give back."""
    rows = scorer().load(EVAL, name, None)
    cleaned = cleaned_rows(rows, CleanSettings())
    figures: dict[str, Any] = scorer().score_typed(
        rows, {key: row["text"] for key, row in cleaned.items()}, "extractor"
    )
    return {**figures, "reversible": scorer().score_reversible(rows, cleaned)}


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--level", default="full")
    parser.add_argument("--disabled", default="")
    given = parser.parse_args()
    disabled = tuple(name for name in given.disabled.split(",") if name)
    settings = CleanSettings(level=given.level, disabled=disabled)
    cleaned = cleaned_rows(scorer().load(EVAL, given.name, None), settings)
    with open(given.out, "w", encoding="utf-8") as file:
        file.writelines(
            json.dumps({"id": key, "text": row["text"]}, ensure_ascii=False) + "\n" for key, row in cleaned.items()
        )
    print(f"{len(cleaned)} texts in {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
