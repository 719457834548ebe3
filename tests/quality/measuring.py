"""Runs the outside scorers over the sets of ../shared/eval, where they are, and gives their figures."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.pipeline.store_reading import ROOT, run_over

EVAL = ROOT.parent / "shared" / "eval"
NEARDUP = ("labelled_in_context", "labelled_hard", "saudinewsnet", "reuters_takes", "rewrites")
BOILERPLATE = ("allsides_en_leftover", "saudinewsnet_ar_leftover", "l3s_gn1", "fundus_multi", "pages")
SAME_STORE = {"labelled_hard": "labelled_in_context"}


def is_here() -> bool:
    return (EVAL / "score_neardup.py").exists()


def data_digest() -> str:
    """SHA-256 over the names and bytes of all data files: figures hold for this data and no other."""
    digest = hashlib.sha256()
    for path in sorted(EVAL.rglob("*.jsonl.gz")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def store_of(name: str, folder: Path) -> Path:
    """Where the store of a set is made."""
    return folder / SAME_STORE.get(name, name) / "store"


def figures_of(name: str, folder: Path, **assignments: str) -> dict[str, Any]:
    """The scorer's figures for a set, after a run with default settings; a store made before is used again."""
    scorer = EVAL / ("score_neardup.py" if name in NEARDUP else "score_boilerplate.py")
    source = SAME_STORE.get(name, name)
    store = store_of(name, folder)
    if not store.exists():
        _call(scorer, "prepare", "--set", source, "--out", str(folder / source))
        run_over(store, folder / source / f"{source}.jsonl", **assignments)
    shown = _call(scorer, "score", "--set", name, "--store", str(store), "--json")
    figures: dict[str, Any] = json.loads(shown.splitlines()[-1])
    return figures


def _call(scorer: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, str(scorer), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{scorer.name} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def look_up(figures: dict[str, Any], path: str) -> float:
    """A figure by its path, parts separated by `/`."""
    value: Any = figures
    for part in path.split("/"):
        value = value[part]
    return float(value)


def main(names: list[str]) -> int:
    """Prints the figures of the given sets (all by default) as JSON: `python -m tests.quality.measuring SET ...`."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name in names or [*NEARDUP, *BOILERPLATE]:
            print(json.dumps({"set": name, **figures_of(name, Path(folder))}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
