"""How copies are found that were cut, added to, edited, embedded or given a new lead, by how much and by length.

    .venv/bin/python -m tests.benchmarks.edits [--stories 6] [--languages en ar] [--lengths 60 150 400 1000 3000]

Every cell has stories of its own, made by `newsroom`. Each is published by an agency, printed as it is by two papers
that day and the next (as wire copy is), and once more as the edit has it, up to two days later. All of it is one whole
run over one corpus. A cell says what became of the edited articles, by letters and how many: e exact, n near,
c contained, k kept with the wire's text as its copy (the longer side of an embedding), p partial, r another relation by
a match alone, - nothing. `found` is the share with any relation, `copies` those that are e, n, c or k.
"""

from __future__ import annotations

import argparse
import datetime
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.newsroom import PAPERS, WORDS, Story, story
from tests.pipeline.store_reading import articles_of, rows_of, run_over, write_jsonl

LENGTHS = (60, 150, 400, 1000, 3000)
FIRST_DAY = datetime.date(2026, 3, 1)
DAYS = 60
Edit = Callable[[Story, float, "Desk"], str]


@dataclass
class Desk:
    """Who edits: the language, chance, and other text to take from."""

    language: str
    chance: random.Random
    seed: str

    def other_paragraphs(self, words: int) -> list[str]:
        """Paragraphs of another story."""
        return list(story(self.language, f"{self.seed} other {self.chance.random()}", words).paragraphs)


def cut_tail(given: Story, kept: float, _: Desk) -> str:
    words = given.text.split(" ")
    return " ".join(words[: round(len(words) * kept)])


def cut_head(given: Story, kept: float, _: Desk) -> str:
    words = given.text.split(" ")
    return " ".join(words[len(words) - round(len(words) * kept) :])


def cut_middle(given: Story, kept: float, _: Desk) -> str:
    words = given.text.split(" ")
    half = round(len(words) * kept / 2)
    return " ".join(words[:half] + words[len(words) - half :])


def insert_paragraphs(given: Story, count: float, desk: Desk) -> str:
    """Paragraphs of about 40 words each at random places, never twice at the same one where there are enough."""
    paragraphs = list(given.paragraphs)
    for _ in range(int(count)):
        paragraphs.insert(desk.chance.randint(0, len(paragraphs)), desk.other_paragraphs(40)[0])
    return "\n".join(paragraphs)


def edit_words(given: Story, share: float, desk: Desk) -> str:
    """Words replaced (half of them), taken out or put in, evenly over the text."""
    pool = WORDS[desk.language]["nouns"] + WORDS[desk.language]["verbs"] + WORDS[desk.language]["adjectives"]
    lines = []
    for line in given.paragraphs:
        words: list[str] = []
        for word in line.split():
            if desk.chance.random() >= share:
                words.append(word)
                continue
            what, another = desk.chance.random(), desk.chance.choice(pool)
            words += [another] if what < 0.5 else [] if what < 0.75 else [word, another]
        lines.append(" ".join(words))
    return "\n".join(lines)


def embed(given: Story, share: float, desk: Desk) -> str:
    """The whole text inside a longer one, of which it is so large a share."""
    words = len(given.text.split())
    around = desk.other_paragraphs(max(10, round(words / share) - words))
    at = desk.chance.randint(0, len(around))
    return "\n".join([*around[:at], *given.paragraphs, *around[at:]])


def lead_anew(given: Story, count: float, desk: Desk) -> str:
    """So many first paragraphs (never all) in other words and about other things, the rest the same."""
    count = min(int(count), len(given.paragraphs) - 1)
    words = len(" ".join(given.paragraphs[:count]).split()) or 20
    return "\n".join([*desk.other_paragraphs(words), *given.paragraphs[count:]])


SHORTEST = 30
"""Shorter texts count as copies only where they are exact or nearly so; what is cut to less is left out of the sums."""

CUTS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
EDITS: dict[str, tuple[Edit, str, Sequence[float]]] = {
    "cut from the tail": (cut_tail, "share kept", CUTS),
    "cut from the head": (cut_head, "share kept", CUTS),
    "cut from the middle": (cut_middle, "share kept", CUTS),
    "paragraphs inserted": (insert_paragraphs, "paragraphs", (1, 2, 3, 4, 5)),
    "words edited": (edit_words, "share of words", (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)),
    "embedded in a longer text": (embed, "share of the longer", (0.1, 0.25, 0.5, 0.75)),
    "led anew": (lead_anew, "paragraphs replaced", (1, 2)),
}


@dataclass(frozen=True)
class Cell:
    """One kind and degree of edit, in a language, of stories of one length."""

    language: str
    edit: str
    level: float
    length: int

    @property
    def name(self) -> str:
        return f"{self.language}/{self.edit}/{self.level}/{self.length}"


def records_of(cell: Cell, number: int) -> list[dict[str, Any]]:
    """The wire's text, two prints of it, and the edited one (the last)."""
    seed = f"{cell.name}/{number}"
    chance = random.Random(seed)
    given = story(cell.language, seed, cell.length)
    edited = EDITS[cell.edit][0](given, cell.level, Desk(cell.language, chance, seed))
    day = FIRST_DAY + datetime.timedelta(chance.randrange(DAYS))
    papers = chance.sample(PAPERS[cell.language], 3)
    prints = [("The Agency", given.text, 0), (papers[0], given.text, 0), (papers[1], given.text, 1)]
    prints.append((papers[2], edited, chance.randint(0, 2)))
    return [
        {
            "id": f"{seed}/{place}", "source": source, "title": given.title, "text": text, "language": cell.language,
            "published_at": f"{day + datetime.timedelta(later)}T{8 + place:02d}:00:00Z",
        }
        for place, (source, text, later) in enumerate(prints)
    ]  # fmt: skip


@dataclass
class Outcome:
    """What became of the edited articles of each cell, and matches that should not be."""

    cells: dict[Cell, Counter[str]]
    false_links: int
    articles: int


def measure(cells: Sequence[Cell], stories: int, folder: Path) -> Outcome:
    """One run over all cells' articles."""
    rows = [row for cell in cells for number in range(stories) for row in records_of(cell, number)]
    store = folder / "store"
    run_over(store, write_jsonl(folder / "articles.jsonl", rows))
    by_source = {row["source_id"]: row for row in articles_of(store)}
    source_of = {row["article_id"]: row["source_id"] for row in by_source.values()}
    accepted = [row for row in rows_of(store, "matches") if row["accepted"]]
    matched: dict[str, set[str]] = defaultdict(set)
    false_links = 0
    for row in accepted:
        left, right = source_of[row["left_id"]], source_of[row["right_id"]]
        false_links += left.rpartition("/")[0] != right.rpartition("/")[0]
        matched[left].add(right)
        matched[right].add(left)
    outcome = Outcome({cell: Counter() for cell in cells}, false_links, len(rows))
    for cell in cells:
        for number in range(stories):
            outcome.cells[cell][_letter(f"{cell.name}/{number}", by_source, matched)] += 1
    return outcome


def _letter(seed: str, by_source: dict[str, Any], matched: dict[str, set[str]]) -> str:
    others = [f"{seed}/{place}" for place in range(3)]
    row = by_source.get(f"{seed}/3")
    if row is None:
        return "-"
    ids = {by_source[other]["article_id"] for other in others}
    if row["relation"] in ("exact", "near", "contained") and row["kept_id"] in ids:
        return str(row["relation"])[0]
    if any(by_source[other]["kept_id"] == row["article_id"] for other in others):
        return "k"
    related = {row["derived_from"], *(by_source[other]["derived_from"] for other in others)}
    if related & {row["article_id"], *ids}:
        return "p"
    return "r" if matched[f"{seed}/3"] & set(others) else "-"


def tables(outcome: Outcome) -> str:
    """The tables as text: a row a degree of edit, a column a length."""
    lines = []
    cells = outcome.cells
    lengths = sorted({cell.length for cell in cells})
    totals: Counter[tuple[str, str]] = Counter()
    for language, edit in sorted({(cell.language, cell.edit) for cell in cells}, key=_order):
        lines.append(f"\n{language}: {edit}")
        lines.append(f"  {EDITS[edit][1]:>20} | " + " | ".join(f"{length:>5} words" for length in lengths))
        for level in EDITS[edit][2]:
            row = [cells[Cell(language, edit, level, length)] for length in lengths]
            shown = ["".join(f"{letter}{count}" for letter, count in sorted(cell.items())) for cell in row]
            lines.append(f"  {level:>20} | " + " | ".join(f"{one:>11}" for one in shown))
            for length, cell in zip(lengths, row, strict=True):
                if EDITS[edit][1] != "share kept" or length * level >= SHORTEST:
                    totals.update({(edit, letter): count for letter, count in cell.items()})
    lines.append(f"\nof all texts of {SHORTEST} words or more      found   copies")
    for edit in EDITS:
        found = {letter: totals[edit, letter] for letter in "enckpr-"}
        every = sum(found.values())
        if every:
            copies = sum(found[letter] for letter in "enck")
            lines.append(f"  {edit:36} {1 - found['-'] / every:6.3f} {copies / every:8.3f}   of {every}")
    lines.append(f"accepted matches between different stories: {outcome.false_links} ({outcome.articles} articles)")
    return "\n".join(lines)


def _order(pair: tuple[str, str]) -> tuple[str, int]:
    return pair[0], list(EDITS).index(pair[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=6)
    parser.add_argument("--languages", nargs="+", default=["en", "ar"])
    parser.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS))
    given = parser.parse_args()
    cells = [
        Cell(language, edit, level, length)
        for language in given.languages
        for edit, (_, _, levels) in EDITS.items()
        for level in levels
        for length in given.lengths
    ]
    with tempfile.TemporaryDirectory() as folder:
        print(tables(measure(cells, given.stories, Path(folder))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
