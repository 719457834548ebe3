"""Body sentences that the labels of allsides_en_leftover say are lost, against what reading them has found.

    .venv/bin/python -m tests.quality.lost_sentences [--store STORE] [--unread] [--body]

The scorer counts a document where half of a sentence is gone that the labels keep. All such sentences were read, one by
one and in their documents, by three readers, two of whom knew neither the labels, nor the others' verdicts, nor which
were mixed in that are certainly body: nearly all are furniture that the labels miss (sign-ups, captions with their
credits, related links, datelines and bylines that are columns now). `lost_sentences_read.txt` holds what was found, a
digest of the sentence and `furniture`, or `body` where any reader says so; the sentences themselves are not ours to
publish. Printed are the share of documents as labelled, and of those that lose a sentence that is body or was never
read: the second is what a floor holds, so a rule that takes something new is noticed until somebody has read what it
takes.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.quality.clean_sets import scorer
from tests.quality.measuring import EVAL, figures_of, store_of

SET = "allsides_en_leftover"
READ = Path(__file__).with_name("lost_sentences_read.txt")
BODY, FURNITURE = "body", "furniture"
DIGEST_DIGITS = 16


class Lost(NamedTuple):
    """Documents, and of those that lost a labelled sentence each one's id and sentences."""

    documents: int
    sentences: dict[str, list[str]]


def verdicts() -> dict[str, str]:
    """What reading has found, by digest."""
    lines = READ.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def digest(sentence: str) -> str:
    """By which a sentence is known: of its letters and signs without white space, as the scorer compares them."""
    squeezed: str = scorer().squeeze(scorer().unify(sentence))
    return sha256(squeezed.encode()).hexdigest()[:DIGEST_DIGITS]


def lost_in(store: Path) -> Lost:
    """What the scorer says is lost in a store made of the set."""
    judge, read_store = scorer().judge_leftover, importlib.import_module("scorelib").read_store
    articles = read_store([store], ["text"]).articles
    with gzip.open(EVAL / "boilerplate" / f"{SET}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    found: dict[str, list[str]] = {}
    for row in rows:
        judged = judge(row, articles[row["id"]]["text"] if row["id"] in articles else None)
        if judged.lost_sentence:
            found[row["id"]] = judged.lost.split(" | ")
    return Lost(len(rows), found)


def shares(lost: Lost) -> tuple[float, float]:
    """Documents that lost a sentence, as labelled, and by what reading has found."""
    known = verdicts()
    really = sum(any(known.get(digest(one)) != FURNITURE for one in told) for told in lost.sentences.values())
    return len(lost.sentences) / lost.documents, really / lost.documents


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="a store made of the set; without, one is made")
    parser.add_argument("--unread", action="store_true", help="prints what nobody has read: digest, document, sentence")
    parser.add_argument("--body", action="store_true", help="prints what was read and is body")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.store is None:
            figures_of(SET, Path(folder))
        lost = lost_in(given.store or store_of(SET, Path(folder)))
    labelled, read = shares(lost)
    known = verdicts()
    for name, sentences in lost.sentences.items():
        for sentence in sentences:
            verdict = known.get(digest(sentence))
            if (given.unread and verdict is None) or (given.body and verdict == BODY):
                print(digest(sentence), name, sentence)
    print(f"documents with a body sentence lost: {labelled:.4f} by the labels, {read:.4f} by reading")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
