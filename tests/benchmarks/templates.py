"""Templates, tickers and round-ups: what looks alike and is no copy, with a handful of true copies among it.

    .venv/bin/python -m tests.benchmarks.templates [--articles 2000] [--days 100] [--sets weather markets ...]

One whole run a set. For each: its articles, the largest story and the largest true one, articles that stand in a story
with something they are no copy of (must be 0), planted copies that were found, and accepted matches of any relation
between what are no copies (partial ones among them remove nothing).
"""

from __future__ import annotations

import argparse
import datetime
import re
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.newsroom import LANGUAGES, PAPERS, WORDS, Reporter, story
from tests.pipeline.store_reading import articles_of, rows_of, run_over, write_jsonl

FIRST_DAY = datetime.date(2026, 1, 5)
_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SETS = tuple(name for name in _TEXTS if name != "lists")
PLACES = {language: [Reporter(language, f"place {number}").name() for number in range(60)] for language in LANGUAGES}
_FIELD = re.compile(r"\{([^}]+)\}")
_RANGE = re.compile(r"([0-9.]+)-([0-9.]+)")


def fill_in(name: str, seed: str, day: datetime.date, place: int) -> str:
    """A template with its fields filled in: English at even places, Arabic at odd ones."""
    language = ("en", "ar")[place % 2]
    reporter = Reporter(language, f"{name} {seed}")
    chance, places, week = reporter.chance, PLACES[language], WORDS[language]["days"]
    # The teams of a place's league stay the same; who plays whom doesn't.
    teams = [places[(place * 7 + at) % 60] for at in range(10)]
    chance.shuffle(teams)
    known = {
        "day": week[day.weekday()], "day2": week[(day.weekday() + 3) % 7], "date": f"{day.day} {day:%B}",
        "place": places[place % 60], "role": reporter.pick("roles"), "body": reporter.bodies[0],
        "person": reporter.people[0], "person2": reporter.people[1], "person3": reporter.people[2],
        "body2": reporter.bodies[1], **{f"team{at + 1}": team for at, team in enumerate(teams)},
    }  # fmt: skip

    def field(found: re.Match[str]) -> str:
        label = found[1]
        if label in known:
            return known[label]
        if label in ("town", "firm"):
            return chance.choice(places)
        if label in _TEXTS["lists"]:
            return str(chance.choice(_TEXTS["lists"][label]))
        edges = _RANGE.fullmatch(label)
        if edges is None:
            raise ValueError(f"templates.toml: unknown field {label!r} in {name}; expected one that its head names")
        low, high = edges[1], edges[2]
        if "." in low:
            return f"{chance.uniform(float(low), float(high)):.2f}"
        return str(chance.randint(int(low), int(high)))

    return _FIELD.sub(field, _TEXTS[name][language].strip())


GROUPS, PRINTS = 8, 3


@dataclass(frozen=True)
class Made:
    """Records, and which of them are copies of one another (the others are nobody's)."""

    rows: list[dict[str, Any]]
    group_of: dict[str, str]


def record(name: str, source: str, text: str, day: datetime.date, hour: int = 8) -> dict[str, Any]:
    return {"id": name, "source": source, "text": text, "published_at": f"{day}T{hour:02d}:00:00Z"}


def template_set(name: str, articles: int, days: int) -> Made:
    """Articles of one template over days and places (each pair of both once), and GROUPS of them printed again."""
    rows, group_of, places = [], {}, max(1, articles // days)
    copies = GROUPS * PRINTS
    for number in range(articles - copies):
        day = FIRST_DAY + datetime.timedelta(number // places)
        text = fill_in(name, str(number), day, number % places)
        source = PAPERS["en"][number % places % 40]
        rows.append(record(f"{name}/{number}", source, text, day))
        if number % max(1, (articles - copies) // GROUPS) == 0 and len(group_of) < GROUPS * (PRINTS + 1):
            group_of[f"{name}/{number}"] = f"{name}/{number}"
            for one in range(PRINTS):
                paper = PAPERS["en"][(number % places + one + 1) % 40]
                # One print is verbatim, one has the desk's line before it, one comes a day later without its end.
                line = "Our service gives you the latest as it came in this morning.\n" if one == 1 else ""
                printed = line + (text.rsplit(". ", 1)[0] + "." if one == 2 else text)
                when = day + datetime.timedelta(one == 2)
                rows.append(record(f"{name}/{number}/{one}", paper, printed, when, 10 + one))
                group_of[f"{name}/{number}/{one}"] = f"{name}/{number}"
    return Made(rows, group_of)


def ticker_set(articles: int, days: int) -> Made:
    """Different articles, all with one ticker of about 1,200 words of headlines, after, before or amid the text."""
    headlines = [story("en", f"ticker {days} {number}", 20).paragraphs[0].rstrip(".") for number in range(55)]
    rows = []
    for number in range(articles):
        given = story("en", f"beside a ticker {days} {number}", (60, 150, 300, 800)[number % 4])
        at = (len(given.paragraphs), 0, len(given.paragraphs) // 2)[number % 3]
        text = "\n".join([*given.paragraphs[:at], *headlines, *given.paragraphs[at:]])
        day = FIRST_DAY + datetime.timedelta(number * days // articles)
        rows.append(record(f"ticker{days}/{number}", "The Page", text, day))
    return Made(rows, {})


def round_up_set(count: int) -> Made:
    """Ten stories with a print each, a round-up of them all whole, and one of their beginnings; so many times over."""
    rows, group_of = [], {}
    for number in range(count):
        day = FIRST_DAY + datetime.timedelta(3 * number)
        language = ("en", "ar")[number % 2]
        stories = [story(language, f"told in a round-up {number} {at}", (60, 120, 250)[at % 3]) for at in range(10)]
        for at, given in enumerate(stories):
            for one in range(2):
                name = f"told{number}/{at}/{one}"
                rows.append(record(name, PAPERS[language][at + one], given.text, day, 8 + one))
                group_of[name] = f"told{number}/{at}"
        whole = "\n".join(given.text for given in stories)
        briefs = "\n".join(given.paragraphs[0] for given in stories)
        rows.append(record(f"whole{number}", "The Evening", whole, day, 20))
        rows.append(record(f"briefs{number}", "The Morning", briefs, day + datetime.timedelta(1)))
    return Made(rows, group_of)


@dataclass(frozen=True)
class Verdict:
    """What a run made of a set.

    Attributes:
        wrong: source ids of articles in a story with one that they are no copy of.
        found: planted copies that stand in a story with another print; of `planted`.
        linked: pairs of source ids with an accepted match that are no copies, and their relation.
    """

    articles: int
    largest: int
    wrong: list[str]
    found: int
    planted: int
    linked: list[tuple[str, str, str]]
    kept: dict[str, str]


def judge(made: Made, store: Path) -> Verdict:
    """Compares a store with what is known of its articles."""
    source_of = {row["article_id"]: row["source_id"] for row in articles_of(store)}
    kept = {row["source_id"]: source_of[row["kept_id"]] for row in articles_of(store)}
    ours = {row["id"] for row in made.rows}
    stories: dict[str, list[str]] = defaultdict(list)
    for name, keeper in kept.items():
        if name in ours:
            stories[keeper].append(name)

    def group(name: str) -> str:
        return made.group_of.get(name, name)

    wrong = [name for members in stories.values() for name in members if len({group(one) for one in members}) > 1]
    found = [
        name for members in stories.values() for name in members
        if name in made.group_of and sum(group(one) == group(name) for one in members) > 1
    ]  # fmt: skip
    linked = []
    for row in rows_of(store, "matches"):
        left, right = source_of[row["left_id"]], source_of[row["right_id"]]
        if row["accepted"] and {left, right} <= ours and group(left) != group(right):
            linked.append((left, right, row["relation"]))
    largest = max(map(len, stories.values()), default=0)
    return Verdict(len(ours), largest, wrong, len(found), len(made.group_of), linked, kept)


def made_sets(names: list[str], articles: int, days: int) -> dict[str, Made]:
    """The sets by name: the templates, `ticker1` (all in one day), `ticker` (over the days), `roundups`."""
    others: dict[str, Callable[[], Made]] = {
        "ticker1": lambda: ticker_set(articles // 4, 1),
        "ticker": lambda: ticker_set(articles // 4, days),
        "roundups": lambda: round_up_set(max(4, articles // 100)),
    }
    return {name: others[name]() if name in others else template_set(name, articles, days) for name in names}


ALL = (*SETS, "ticker1", "ticker", "roundups")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--sets", nargs="+", default=list(ALL), choices=ALL)
    given = parser.parse_args()
    print("set         articles  largest  true  wrongly joined  copies found  other accepted matches")
    for name, made in made_sets(given.sets, given.articles, given.days).items():
        with tempfile.TemporaryDirectory() as folder:
            run_over(Path(folder) / "store", write_jsonl(Path(folder) / "articles.jsonl", made.rows))
            verdict = judge(made, Path(folder) / "store")
        true = max((list(made.group_of.values()).count(group) for group in set(made.group_of.values())), default=1)
        print(
            f"{name:11} {verdict.articles:8} {verdict.largest:8} {true:5} {len(verdict.wrong):15} "
            f"{verdict.found:6} of {verdict.planted:<4} {len(verdict.linked):8} {verdict.linked[:2]}", flush=True,
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
