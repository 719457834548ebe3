"""A made-up month of news by day: what a scheduled run gets, with all that makes N runs differ from one.

A day's file holds stories of its own, wire copy (the agency's text, printed the same day whole and cut), prints of the
day before's wire copy with other words or paragraphs put in, late articles (published three days ago, given today),
undated ones, template articles, every paper's own last line, and records given before. The same day is the same always.
"""

from __future__ import annotations

import datetime
import random
from typing import Any

from tests.benchmarks.edits import Desk, cut_tail, edit_words, insert_paragraphs
from tests.benchmarks.newsroom import LANGUAGES, PAPERS, Story, story
from tests.benchmarks.templates import fill_in

FIRST_DAY = datetime.date(2026, 3, 2)
LATE_DAYS = 3
LENGTHS = (70, 140, 250, 400)
FOOTERS = {"en": "Follow {} on every platform and sign up for our morning letter.", "ar": "تابعوا {} على جميع المنصات."}


def day_of(day: int, articles: int) -> list[dict[str, Any]]:
    """The records given on a day, counted from 0: about so many, in the order of arrival."""
    wires = articles // 12
    rows = [row for number in range(wires) for row in _wire(day, number)[:3]]
    for before, place in ((day - 1, 3), (day - LATE_DAYS, 4)):
        if before >= 0:
            rows += [_wire(before, number)[place] for number in range(wires)]
    rows += [_template(day, number) for number in range(articles // 10)]
    again = articles // 50
    if day:
        rows += [_own(day - 1, number) for number in range(again)]
    rows += [_own(day, number) for number in range(max(again, articles - len(rows)))]
    random.Random(f"arrival {day}").shuffle(rows)
    return rows


def month_of(days: int, articles: int) -> list[list[dict[str, Any]]]:
    """The records of so many days, by day."""
    return [day_of(day, articles) for day in range(days)]


def _record(
    name: str, language: str, paper: str, given: Story, day: int, hour: int, text: str | None = None
) -> dict[str, Any]:
    return {
        "id": name, "source": paper, "title": given.title, "language": language,
        "text": given.text if text is None else text,
        "published_at": f"{FIRST_DAY + datetime.timedelta(day)}T{hour:02d}:00:00Z",
    }  # fmt: skip


def _own(day: int, number: int) -> dict[str, Any]:
    """A paper's own story, its line at the end; one in twenty has no date."""
    name = f"own/{day}/{number}"
    chance = random.Random(name)
    language, length = chance.choice(LANGUAGES), chance.choice(LENGTHS)
    given = story(language, name, length)
    paper = PAPERS[language][chance.randrange(12)]
    row = _record(name, language, paper, given, day, chance.randrange(24))
    row["text"] += "\n" + FOOTERS[language].format(paper)
    if chance.random() < 0.05:
        del row["published_at"]
    return row


def _wire(day: int, number: int) -> list[dict[str, Any]]:
    """An agency's text; that day whole and cut; the day after changed; and one published that day but given late."""
    name = f"wire/{day}/{number}"
    chance = random.Random(name)
    language = chance.choice(LANGUAGES)
    given = story(language, name, chance.choice(LENGTHS[1:]))
    desk = Desk(language, chance, name)
    papers = chance.sample(PAPERS[language], 4)
    changed = insert_paragraphs(given, 1, desk) if chance.random() < 0.5 else edit_words(given, 0.08, desk)
    texts = [given.text, given.text, cut_tail(given, 0.6, desk), changed]
    texts.append(f"{given.text}\n{FOOTERS[language].format(papers[3])}")
    return [
        _record(f"{name}/{place}", language, paper, given, day + (place == 3), 6 + place, text)
        for place, (paper, text) in enumerate(zip(("The Agency", *papers), texts, strict=True))
    ]


def _template(day: int, number: int) -> dict[str, Any]:
    """A weather or market report: another day or place, hardly another text."""
    name = f"template/{day}/{number}"
    language = ("en", "ar")[number % 2]
    date = FIRST_DAY + datetime.timedelta(day)
    text = fill_in(("weather", "markets")[number // 2 % 2], name, date, number)
    return _record(name, language, PAPERS[language][number % 12], Story("", (text,)), day, 5)
