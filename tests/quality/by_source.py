"""Fits the weights of lines' shapes on some outlets and tests them on the others, both ways; prints both.

    .venv/bin/python -m tests.quality.by_source [--texts 100000] [--weights]

Outlets are the hosts of ../shared/eval's typed sets, in two halves by the MD5 of their names. A line is body where most
of its runs of four words stand in the typed body. Each row of the table cleans one half of a set's texts with weights
fitted on its own outlets (`own`), on the other half's (`other`), and with those in the program (`standing`, fitted on
the even half of a larger choice of texts); the figure is the mean shingle F1 of ../shared/eval/score_boilerplate.py.
Rules were written after reading both halves: what they remember of an outlet shows in no column here.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.optimize import minimize

from schemas.settings import CleanSettings
from transforms.functions import structure
from transforms.functions.cleaning_text import clean_texts, normalise_texts
from transforms.functions.line_shapes import WORDS, measure_lines
from transforms.functions.line_table import find_lines
from transforms.functions.packed_text import pack

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
SETS = ("l3s_gn1", "fundus_multi", "scrapinghub", "allsides_en_leftover")
MOST_OF_A_SET = {"allsides_en_leftover": 500}
RIDGE = 1.0
BATCH_ROWS = 500
Weights = npt.NDArray[np.float64]


def read_rows(name: str, most: int) -> list[dict[str, Any]]:
    """The first texts of a set, each with the half its outlet is in: `even`, bool."""
    with gzip.open(EVAL / "boilerplate" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(most), lines, strict=False)]
    for row in rows:
        site = urlsplit(row["url"]).hostname or row.get("source") or row["id"]
        row["even"] = int(hashlib.md5(site.encode(), usedforsecurity=False).hexdigest(), 16) % 2 == 0
    return rows


def lines_of(rows: list[dict[str, Any]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], Weights]:
    """Of all lines of some texts: float64[m, columns] what they are judged by, whether they are body, their weight."""
    packed = pack(normalise_texts(pa.array([row["dirty"] for row in rows])))
    lines = find_lines(packed)
    shapes = measure_lines(packed, lines.starts, lines.ends)
    runs = [_runs(row["clean"]) for row in rows]
    body = np.zeros(len(lines), np.bool_)
    bounds = zip(lines.starts.tolist(), lines.ends.tolist(), lines.article.tolist(), strict=True)
    for at, (begin, stop, row) in enumerate(bounds):
        own = _runs(bytes(packed.data[begin:stop]).decode())
        body[at] = 2 * len(own & runs[row]) >= len(own) if own else False
    return np.stack(structure.line_columns(shapes, lines.article), 1), body, np.sqrt(shapes[:, WORDS].astype(float))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3))} if words else set()


def fit_weights(columns: npt.NDArray[np.float64], body: npt.NDArray[np.bool_], weight: Weights) -> Weights:
    """Logistic regression with a small ridge, by L-BFGS."""
    sign = np.where(body, 1.0, -1.0)

    def loss(at: Weights) -> tuple[float, Weights]:
        margin = sign * (columns @ at)
        slope = -sign * weight / (1 + np.exp(margin))
        return float((weight * np.logaddexp(0, -margin)).sum() + RIDGE * at @ at), columns.T @ slope + 2 * RIDGE * at

    return np.asarray(minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x)


def clean_with(rows: list[dict[str, Any]], weights: Weights) -> list[str]:
    """Cleaned texts by other weights of lines' shapes."""
    cleaned: list[str] = []
    with patch.object(structure, "_WEIGHTS", weights):
        for at in range(0, len(rows), BATCH_ROWS):
            some = rows[at : at + BATCH_ROWS]
            none = pa.nulls(len(some), pa.string())
            texts = pa.array([row["dirty"] for row in some])
            cleaned += clean_texts(texts, none, none, CleanSettings()).text.to_pylist()
    return cleaned


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000, help="at most so many of each set")
    parser.add_argument("--weights", action="store_true", help="prints the fitted weights too")
    given = parser.parse_args()
    sys.path.insert(0, str(EVAL))
    scores = importlib.import_module("score_boilerplate").shingle_scores
    sets = {name: read_rows(name, min(given.texts, MOST_OF_A_SET.get(name, given.texts))) for name in SETS}
    fitted: dict[bool, Weights] = {}
    for even in (True, False):
        fitted[even] = fit_weights(*lines_of([row for rows in sets.values() for row in rows if row["even"] is even]))
        if given.weights:
            print("even" if even else "odd", np.round(fitted[even], 3).tolist())
    print(f"{'set':22} {'outlets':7} {'texts':>6} {'untouched':>10} {'own':>7} {'other':>7} {'standing':>9}")
    for name, rows in sets.items():
        for even in (True, False):
            some = [row for row in rows if row["even"] is even]
            figures = [
                float(np.mean([scores(row["clean"], text)[2] for row, text in zip(some, texts, strict=True)]))
                for texts in (
                    [row["dirty"] for row in some],
                    *(clean_with(some, weights) for weights in (fitted[even], fitted[not even], structure._WEIGHTS)),
                )
            ]
            print(
                f"{name:22} {'even' if even else 'odd':7} {len(some):6} {figures[0]:10.4f} "
                + " ".join(f"{figure:7.4f}" for figure in figures[1:])
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
