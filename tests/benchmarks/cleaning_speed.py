"""CPU microseconds that cleaning costs an article, by language: made-up articles of 3 kB, and real ones where they are.

    .venv/bin/python -m tests.benchmarks.cleaning_speed [--articles 4000] [--rounds 5] [--batch-bytes N] [--fresh]

The figure is the sum of each batch's least of some rounds over all batches, in this process and after a round that
compiles and caches; the share per 3 kB makes sets of other lengths comparable. Beside it stands what one pass of RE2
with a few literals takes over the same texts just then: where that is far from its usual 4 microseconds, so is the
machine, as others use it too. Made-up articles hold a dateline, a credit and some furniture each. Batches have as many
bytes as a run's (`read.batch_bytes`): each costs 2 milliseconds besides. With --fresh all texts of the real sets are
taken, the second half of each is cleaned once, after the first: what expressions and caches have not seen before costs
more.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.settings import CleanSettings, ReadSettings
from tests.functions.made_up import words_of
from transforms.functions.cleaning_text import clean_texts

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
REAL = {
    "en Reuters": ("neardup/reuters_takes_docs", "text"),
    "ar newspapers": ("neardup/saudinewsnet_docs", "text"),
    "en with leftover": ("boilerplate/allsides_en_leftover", "dirty"),
    "ar with leftover": ("boilerplate/saudinewsnet_ar_leftover", "dirty"),
}
ARTICLE_BYTES = 3000
ARABIC = str.maketrans(dict(zip("abdefgiklmnoprstuvz", "ابدهفغيكلمنوبرستوفز", strict=True)))
EDGES = {
    "en": ("PARIS (Reuters) - ", "\nAdvertisement\n", "\nSign up for our newsletter\n(Reporting by Jane Doe)"),
    "ar": ("القاهرة - رويترز: ", "\nإعلان\n", "\nمواضيع ذات صلة\nاقرأ أيضا: ارتفاع أسعار النفط"),
}

LITERALS = "(?i)(?:advertisement|newsletter|sign up|copyright|all rights reserved|read more|follow us)"

Batch = tuple[pa.StringArray, pa.StringArray, pa.StringArray]


def make_text(seed: int, language: str) -> str:
    """One article of about ARTICLE_BYTES bytes."""
    words = words_of(seed, 420 if language == "en" else 240)
    sentences = [" ".join(words[at : at + 14]).capitalize() + "." for at in range(0, len(words), 14)]
    if language == "ar":
        sentences = [sentence.lower().translate(ARABIC) for sentence in sentences]
    paragraphs = [" ".join(sentences[at : at + 3]) for at in range(0, len(sentences), 3)]
    head, middle, tail = EDGES[language]
    return head + "\n".join(paragraphs[:4]) + middle + "\n".join(paragraphs[4:]) + tail


def read_texts(name: str, field: str, count: int) -> list[str]:
    """The first so many texts of a set of ../shared/eval."""
    with gzip.open(EVAL / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)[field] for line in itertools.islice(lines, count)]


def batches_of(texts: list[str], batch_bytes: int) -> list[list[str]]:
    """The texts in batches of at least so many bytes, but the last."""
    batches: list[list[str]] = [[]]
    size = 0
    for text in texts:
        if size >= batch_bytes:
            batches.append([])
            size = 0
        batches[-1].append(text)
        size += len(text.encode())
    return batches


def measure(batches: list[list[str]], language: str, rounds: int) -> float:
    """CPU microseconds for an article, of each batch the least of some rounds over all of them."""
    settings = CleanSettings()
    columns: list[Batch] = [
        (pa.array(some), pa.nulls(len(some), pa.string()), pa.array([language] * len(some))) for some in batches
    ]
    # One after the other, as a run does: one batch again and again was given pages that had just been taken away.
    taken = [
        [_cpu_seconds(functools.partial(clean_texts, *batch, settings)) for batch in columns] for _ in range(rounds + 1)
    ]
    least = sum(min(some) for some in zip(*taken, strict=True))
    return least / sum(map(len, batches)) * 1e6


def measure_fresh(texts: list[str], language: str, batch_bytes: int) -> float:
    """CPU microseconds for 3 kB of the second half of some texts, each cleaned once, after the first half."""
    half = len(texts) // 2
    settings = CleanSettings()
    taken = 0.0
    for part in (texts[:half], texts[half:]):
        taken = 0.0
        for some in batches_of(part, batch_bytes):
            batch = pa.array(some), pa.nulls(len(some), pa.string()), pa.array([language] * len(some))
            taken += _cpu_seconds(functools.partial(clean_texts, *batch, settings))
    return taken * 1e6 * ARTICLE_BYTES / sum(len(text.encode()) for text in texts[half:])


def measure_pass(batches: list[list[str]], rounds: int) -> float:
    """CPU microseconds an article that RE2 takes for one search of LITERALS."""
    columns = [pa.array(some) for some in batches]
    search = [functools.partial(pc.match_substring_regex, batch, LITERALS) for batch in columns]
    least = [min(_cpu_seconds(call) for _ in range(rounds)) for call in search]
    return sum(least) / sum(map(len, batches)) * 1e6


def _grow_heap() -> None:
    """Frees an array as large as glibc learns from: it then keeps what is freed, as it does in a run.

    In a run of 24,000 articles a batch had 0 to 187 page faults, after the first three; here, without, 1,000 to 3,000.
    """
    np.ones(31 << 20, np.uint8)


def _cpu_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-bytes", type=int, default=ReadSettings().batch_bytes)
    parser.add_argument("--fresh", action="store_true", help="texts that were not seen before, of the real sets")
    given = parser.parse_args()
    _grow_heap()
    if given.fresh:
        for label, (name, field) in REAL.items():
            texts = read_texts(name, field, sys.maxsize)
            print(f"{label:18} {measure_fresh(texts, label[:2], given.batch_bytes):.1f} per {ARTICLE_BYTES} bytes")
        return 0
    sets = {f"{language} made up": [make_text(seed, language) for seed in range(given.articles)] for language in EDGES}
    if EVAL.is_dir():
        sets |= {label: read_texts(name, field, given.articles) for label, (name, field) in REAL.items()}
    for label, texts in sets.items():
        size = sum(len(text.encode()) for text in texts) / len(texts)
        batches = batches_of(texts, given.batch_bytes)
        cost = measure(batches, label[:2], given.rounds)
        print(
            f"{label:18} {len(texts)} articles of {size:.0f} bytes: {cost:.1f} microseconds each, "
            f"{cost * ARTICLE_BYTES / size:.1f} per {ARTICLE_BYTES} bytes; "
            f"a pass of RE2 {measure_pass(batches, given.rounds) * ARTICLE_BYTES / size:.1f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
