"""The anchor join of ten million articles, here: time, memory and pairs. Their sketches are made up; there is no text.

    .venv/bin/python -m tests.benchmarks.anchor_join [--articles 10000000] [--folder DIR] [--seconds 420]

Each article has 60 anchors, and is published on one of --days days (a year). Partition by partition, as a cluster's
workers would, `joining.join_postings` joins what stands under one key and `joining.by_partition` sends its pairs on, to
files; then `joining.sum_pairs` adds up each file's, and what the pipeline would weigh is counted. The anchors that
partition P holds are the articles' P-th: a shuffle by key gives as many, and the generator need not be asked 60 times.

What is shared is drawn as news shares it. Of the articles --in-stories (half) are in stories, of 2 to 64 members (a
third as often for each doubling), published within three days; each shows a part of 30 to 100 % of its story's text,
and the rest is its own. Of all anchors one in ten is of a phrase that many use: drawn from a million by Zipf's law, so
that the commonest stand in tens of thousands of articles of a month and meet the cap.

It stops after --seconds, and the same command goes on with the next partition. Figures: CPU seconds and the largest
resident set of the process, as the operating system counts them.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from schemas.settings import MatchSettings
from transforms.functions.joining import PAIR, POSTING, Handles, by_partition, join_postings, sum_pairs

ANCHORS = 60
PHRASES = 1_000_000
PHRASE_SHARE = 0.1
MEMBERS_LOG2 = 6
STORY_DAYS = 3
PAIR_FILES = 64
STATE = "state.json"


@dataclass(frozen=True)
class Articles:
    """Made-up articles: n of each.

    Attributes:
        story: int64, -1 for an article in none. shown: float32, the part of the story's text that it has.
    """

    day: npt.NDArray[np.int32]
    story: npt.NDArray[np.int64]
    shown: npt.NDArray[np.float32]


def made_up(count: int, days: int, in_stories: float) -> Articles:
    """So many articles, the same for the same arguments."""
    chance = np.random.Generator(np.random.PCG64(20260714))
    day = chance.integers(0, days, count).astype(np.int32)
    story = np.full(count, -1, np.int64)
    wanted = int(count * in_stories)
    sizes = 2 ** (1 + np.minimum(chance.geometric(2 / 3, wanted) - 1, MEMBERS_LOG2 - 1))
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), wanted)]
    members = np.repeat(np.arange(len(sizes)), sizes)
    story[: len(members)] = members
    first = chance.integers(0, days, len(sizes))
    day[: len(members)] = np.minimum(first[members] + chance.integers(0, STORY_DAYS, len(members)), days - 1)
    return Articles(day, story, chance.uniform(0.3, 1.0, count).astype(np.float32))


@numba.njit(cache=True)
def _mixed(value: int) -> int:
    value = np.uint64(value)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True)
def _keys(
    number: int, story: npt.NDArray[np.int64], shown: npt.NDArray[np.float32], phrases: float, keys: Handles
) -> None:
    for article in range(len(story)):
        drawn = _mixed(np.uint64(article) * np.uint64(ANCHORS) + np.uint64(number))
        what = np.float64(drawn >> np.uint64(11)) / 2.0**53
        again = np.float64(_mixed(drawn) >> np.uint64(11)) / 2.0**53
        if what < PHRASE_SHARE:
            # Zipf's law by inversion: the rank of which the share of all uses is what was drawn.
            rank = np.uint64(np.exp(again * phrases))
            key = _mixed(_mixed(rank + np.uint64(7)) + np.uint64(number))
        elif story[article] >= 0 and again < shown[article]:
            key = _mixed(_mixed(np.uint64(story[article]) + np.uint64(1 << 40)) + np.uint64(number))
        else:
            key = _mixed(drawn + np.uint64(3))
        keys[article] = key >> np.uint64(3)


def postings_of(number: int, articles: Articles) -> npt.NDArray[np.void]:
    """POSTING[n]: the articles' anchors of a partition."""
    postings = np.empty(len(articles.day), POSTING)
    keys = np.empty(len(articles.day), np.uint64)
    _keys(number, articles.story, articles.shown, float(np.log(PHRASES)), keys)
    postings["key"] = keys
    postings["handle"] = np.arange(len(articles.day), dtype=np.uint64)
    postings["day"] = articles.day
    return postings


def join(number: int, articles: Articles, folder: Path, settings: MatchSettings) -> dict[str, int]:
    """Joins a partition and appends its pairs to the files that they belong to."""
    postings = postings_of(number, articles)
    pairs, capped, lost = join_postings(postings, window_days=settings.window_days, cap=settings.max_anchor_postings)
    keys = pairs["left"] * np.uint64(0x9E3779B97F4A7C15) ^ pairs["right"]
    for name, block in by_partition(pairs, keys, PAIR_FILES):
        with open(folder / f"{name.decode()}.pairs", "ab") as file:
            file.write(block)
    return {"postings": len(postings), "capped": capped, "lost": lost, "pair_rows": len(pairs)}


def add_up(number: int, folder: Path, settings: MatchSettings) -> dict[str, int]:
    """The pairs of a file, and those with enough anchors in common to be weighed."""
    path = folder / f"{number}.pairs"
    pairs = sum_pairs(np.fromfile(path, PAIR)) if path.exists() else np.empty(0, PAIR)
    enough = pairs["shared"] >= max(settings.min_shared_anchors, settings.min_shared_share * ANCHORS)
    return {"pairs": len(pairs), "weighed": int(enough.sum())}


def main() -> int:
    """Runs the benchmark, or a part of it; prints what it has measured so far."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--articles", type=int, default=10_000_000)
    given.add_argument("--days", type=int, default=365)
    given.add_argument("--in-stories", type=float, default=0.5)
    given.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "anchor-join")
    given.add_argument("--seconds", type=float, default=420.0)
    chosen = given.parse_args()
    folder = chosen.folder / f"{chosen.articles}-{chosen.days}-{chosen.in_stories}"
    folder.mkdir(parents=True, exist_ok=True)
    state_path, until = folder / STATE, time.monotonic() + chosen.seconds
    state: dict[str, Any] = {"joined": 0, "added": 0, "join_cpu_s": 0.0, "add_cpu_s": 0.0, "peak_mb": 0.0}
    if state_path.exists():
        state = json.loads(state_path.read_text())
    settings = MatchSettings()
    articles = made_up(chosen.articles, chosen.days, chosen.in_stories)
    while state["added"] < PAIR_FILES and time.monotonic() < until:
        started = time.process_time()
        if state["joined"] < ANCHORS:
            counted, step = join(state["joined"], articles, folder, settings), "join"
        else:
            counted, step = add_up(state["added"], folder, settings), "add"
        state["joined" if step == "join" else "added"] += 1
        state[f"{step}_cpu_s"] += time.process_time() - started
        for name, count in counted.items():
            state[name] = state.get(name, 0) + count
        state["peak_mb"] = max(state["peak_mb"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
        state_path.write_text(json.dumps(state))
    left = ANCHORS - state["joined"] + PAIR_FILES - state["added"]
    print(json.dumps({key: round(value) for key, value in state.items()}, indent=1))
    print(f"{left} steps are left: the same command again" if left else f"done; the files of pairs are in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
