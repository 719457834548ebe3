"""Scores what is lifted of wire copy against forms that others wrote down, on the data of ../shared/eval.

    .venv/bin/python -m tests.quality.wire_metadata [--show 5]

What is expected comes from outside, by expressions written apart from the program's:
agency    an expression of wire/agencies.json matches in the first or last EDGE_CHARACTERS of the text and its match
          names the agency; the column is right if it holds one of those so found
place     what stands before `(Agency) -` at the start of one of the first lines, its date taken off
date      that date; in Arabic the day and month (by number or name) between a place and an agency that open the text
byline    `By First Last` as a whole line among the first ones; in Arabic the first of three parts of `name - outlet -
          place:` with which a text opens
Precision counts only texts in which something was expected or found: a column without an expected value is wrong, so it
is a lower bound (the expressions know fewer forms).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from schemas.settings import CleanSettings
from transforms.functions.agencies import agency_named
from transforms.functions.cleaning_text import clean_texts

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
SETS = {
    "boilerplate/allsides_en_leftover": "dirty",
    "neardup/reuters_takes_docs": "text",
    "boilerplate/saudinewsnet_ar_leftover": "dirty",
    "neardup/saudinewsnet_docs": "text",
}
EDGE_CHARACTERS, FIRST_LINES, BATCH_ROWS = 250, 4, 1000
_DATE = r",?\s*((?:[A-Z][a-z]{2,8}\.? \d{1,2}|\d{1,2} [A-Z][a-z]{2,8}\.?)(?:,? \d{4})?),?\s*$"
_PLACE = re.compile(r"^([A-Z][^()\n]{1,60}?)\s*\((?:Reuters|AP|AFP|UPI|CNN|dpa|Xinhua)\)\s*[-–—]")
_BYLINE = re.compile(r"^By ([A-Z][a-z]+(?: [A-Z]\.)? [A-Z][a-z]+)$")
_ARABIC_BYLINE = re.compile(r"^\s*([ء-ي]+(?: [ء-ي]+){1,3})\s*[-–—]\s*[ء-ي]+\s*[-–—]\s*[ء-ي]+(?: [ء-ي]+)?\s*:")

_ARABIC_DATE = re.compile(
    r"^\s*[ء-ي]+(?: [ء-ي]+){0,2}\s*[،-]?\s*(\d{1,2}\s?[-/]\s?\d{1,2}|\d{1,2} [ء-ي]+(?: [ء-ي]+)?)[^.\n]{0,60}?"
    r"[\s(](?:واس|كونا|قنا|بنا|وام|رويترز|أ ف ب|د ب أ|أ ش أ)\b"
)

Expression = tuple[str, re.Pattern[str], tuple[str, ...]]


def read_expressions() -> list[Expression]:
    """The program's name of an agency, an expression, and the names its match must hold."""
    found: list[Expression] = []
    for agency in json.loads((EVAL / "wire" / "agencies.json").read_text(encoding="utf-8")):
        names = [name for name in (agency["agency"], *agency["names"]) if agency_named(name)]
        if not names:
            continue
        for form in agency["forms"]:
            expression = re.compile(form["regex"], re.MULTILINE)
            found.append((str(agency_named(names[0])), expression, tuple(agency["names"])))
    return found


def expected_agencies(text: str, expressions: list[Expression]) -> set[str]:
    """The agencies that some expression finds at the edges of a text."""
    edges = [text[:EDGE_CHARACTERS], text[-EDGE_CHARACTERS:]]
    return {
        agency
        for agency, expression, names in expressions
        for edge in edges
        for match in expression.finditer(edge)
        if any(name in match.group() for name in names)
    }


def expected_place(text: str) -> str | None:
    """The place of an English dateline in one of the first lines."""
    for line in [line.strip() for line in text.splitlines() if line.strip()][:FIRST_LINES]:
        if match := _PLACE.match(line):
            place = re.sub(_DATE, "", match[1]).strip(" ,")
            return re.sub(r"^By\s.*?(?=[A-Z]{2})", "", place) or None
    return None


def expected_byline(text: str) -> str | None:
    """The reporter of a byline that fills a line, or that opens an Arabic text."""
    for line in [line.strip() for line in text.splitlines() if line.strip()][:FIRST_LINES]:
        if match := _BYLINE.match(line):
            return match[1]
    match = _ARABIC_BYLINE.match(text)
    return match[1] if match and not agency_named(match[1]) else None


def expected_date(text: str) -> str | None:
    """The date of a dateline, as printed; of an Arabic one the first day and month."""
    for line in [line.strip() for line in text.splitlines() if line.strip()][:FIRST_LINES]:
        if match := _PLACE.match(line):
            date = re.search(_DATE, match[1])
            return date[1] if date else None
    match = _ARABIC_DATE.match(text)
    return match[1] if match else None


def lifted_columns(texts: list[str]) -> Iterator[tuple[str | None, ...]]:
    """Agency, place, date and byline of each text."""
    for at in range(0, len(texts), BATCH_ROWS):
        batch = pa.array(texts[at : at + BATCH_ROWS])
        none = pa.nulls(len(batch), pa.string())
        found = clean_texts(batch, none, none, CleanSettings())
        columns = (found.agency, found.dateline, found.dateline_date, found.byline)
        yield from zip(*(column.to_pylist() for column in columns), strict=True)


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", type=int, default=0, help="so many texts of each set and column that came out wrong")
    given = parser.parse_args()
    expressions = read_expressions()
    for name, field in SETS.items():
        with gzip.open(EVAL / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)[field] for line in lines]
        counts = {column: [0, 0, 0] for column in ("agency", "place", "date", "byline")}
        wrong: dict[str, list[tuple[str, str]]] = {column: [] for column in counts}
        for text, (agency, dateline, date, byline) in zip(texts, lifted_columns(texts), strict=True):
            place, reporter, day = expected_place(text), expected_byline(text), expected_date(text)
            if day and date and date.startswith(day):
                date = day  # in Arabic the year or a second date may follow
            for column, expected, got in (
                ("agency", expected_agencies(text, expressions), agency),
                ("place", {place} if place else set(), dateline if place else None),
                ("date", {day} if day else set(), date),
                ("byline", {reporter} if reporter else set(), byline if reporter else None),
            ):
                right = got is not None and (got in expected or got.casefold() in {e.casefold() for e in expected})
                counts[column][0] += right
                counts[column][1] += got is not None
                counts[column][2] += bool(expected)
                if not right and (expected or got):
                    wrong[column].append((f"{sorted(expected)} but {got}", " ".join(text[:110].split())))
        for column, (right, found, expected) in counts.items():
            if expected:
                print(
                    f"{name.split('/')[1]:26} {column:7} precision {right / max(found, 1):.3f} ({found} found), "
                    f"recall {right / expected:.3f} ({expected} expected)"
                )
            for message, start in wrong[column][:: max(1, len(wrong[column]) // max(1, given.show))][: given.show]:
                print(f"    {message} | {start}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
