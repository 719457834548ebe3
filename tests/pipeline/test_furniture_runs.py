"""A month of three outlets: a footer that no rule knows is learned and goes; all that only looks like one stays."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.command_line import main
from pipeline.export import export
from pipeline.known_furniture import known_furniture, learning_settings
from pipeline.store import Store
from schemas.settings import Settings
from tests.functions.made_up import text_of
from tests.pipeline.store_reading import ROOT, articles_of, outcome, rows_of, run_over, write_jsonl
from transforms.functions.furniture_spans import LEARNED, apply_furniture

CHECK_STORE = ROOT.parent / "shared" / "eval" / "check_store.py"
FIRST = date(2026, 3, 2)
DAYS = 30
FOOTER = "Kept alive by the members of its reading circle since nineteen hundred and ten"
ARABIC_FOOTER = "صحيفة مستقلة تصدر كل صباح عن دار النخيل في المدينة القديمة"
WIRE = "The river had not been so high since the winter of the great frost."
QUOTED = '"We regret what happened and shall publish all letters," the harbour office said.'
DAILY_INTRO = "Every morning our correspondent walks the quays and writes down what is said."
WEEKLY_INTRO = "Once a week our gardener answers what readers have asked in their letters."
CREDIT = "Material from the Associated Press was used in this report of the day."


def paragraphs(seed: int) -> list[str]:
    return [text_of(seed * 50 + number, 22).capitalize() + "." for number in range(18)]


def record(source: str, day: int, number: int, lines: list[str]) -> dict[str, Any]:
    name = f"{source}-{day}-{number}"
    return {
        "id": name, "source": source, "title": text_of(int.from_bytes(name.encode()[-4:], "big"), 6),
        "text": "\n".join(lines),
        "published_at": (FIRST + timedelta(days=day)).isoformat(),
    }  # fmt: skip


def day_of_news(day: int) -> list[dict[str, Any]]:
    """What three outlets print on a day."""
    seeds = iter(range(day * 100, day * 100 + 100))
    echo = [record("echo", day, n, [*paragraphs(next(seeds)), FOOTER]) for n in range(2)]
    rasid = [record("rasid", day, 0, [*paragraphs(next(seeds)), ARABIC_FOOTER])]
    rasid += [record("rasid", day, 1, [*paragraphs(next(seeds)), CREDIT])]
    post = [record("post", day, 0, [*paragraphs(next(seeds)), QUOTED])]
    post += [record("post", day, 1, [DAILY_INTRO, *paragraphs(next(seeds))])]
    if day % 7 == 0:
        post += [record("post", day, 2, [WEEKLY_INTRO, *paragraphs(next(seeds))])]
    if day == 11:
        post += [record("post", day, 10 + n, [*paragraphs(next(seeds)), WIRE]) for n in range(17)]
        post += [record("post", day, 30, [*paragraphs(next(seeds)), FOOTER])]
    shared = paragraphs(next(seeds))
    copied = [record("echo", day, 40, [*shared, FOOTER]), record("post", day, 40, [*shared, f"It was told on {day}."])]
    return [*echo, *rasid, *post, *copied]


@pytest.fixture(scope="module")
def month() -> list[dict[str, Any]]:
    return [row for day in range(DAYS) for row in day_of_news(day)]


@pytest.fixture(scope="module")
def store(month: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    run_over(folder / "store", write_jsonl(folder / "month.jsonl", month))
    return folder / "store"


def rebuilt(row: dict[str, Any]) -> str:
    text = row["text"]
    for span in reversed(row["removed"]):
        text = text[: span["at"]] + span["text"] + text[span["at"] :]
    return text


def holding(store: Path, line: str, source: str) -> int:
    return sum(line in row["text"] for row in articles_of(store) if row["source"] == source)


def known_to(store: Path, **given: str) -> tuple[pa.Table, Settings]:
    """What is known by all that a store holds, and by which settings."""
    opened = Store(str(store))
    settings = learning_settings(opened, {name.replace("__", "."): value for name, value in given.items()})
    return known_furniture(opened, settings), settings


def test_footers_go_and_can_be_put_back(store: Path, month: list[dict[str, Any]]) -> None:
    given = {row["id"]: row["text"] for row in month}
    rows = articles_of(store)
    assert len(rows) == len(month)
    assert all(rebuilt(row) == given[row["source_id"]] for row in rows)
    learned = [span for row in rows for span in row["removed"] if span["rule"] == LEARNED]
    assert {span["text"].strip() for span in learned} == {FOOTER, ARABIC_FOOTER, DAILY_INTRO}
    assert {span["category"] for span in learned} == {"furniture"}
    assert holding(store, FOOTER, "echo") == holding(store, ARABIC_FOOTER, "rasid") == 0


def test_a_column_s_daily_intro_goes_and_a_weekly_one_is_not_known_yet(store: Path) -> None:
    assert holding(store, DAILY_INTRO, "post") == 0
    assert holding(store, WEEKLY_INTRO, "post") == 5


def test_what_only_looks_like_furniture_stays(store: Path) -> None:
    assert holding(store, WIRE, "post") == 17
    assert holding(store, QUOTED, "post") == DAYS
    assert holding(store, CREDIT, "rasid") == DAYS
    assert holding(store, FOOTER, "post") == 1, "another outlet's footer is this one's text"


def test_matching_is_as_without(store: Path, month: list[dict[str, Any]], tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "month.jsonl", month)
    for name, assignments in (
        ("off", {"clean__disabled": "furniture.learned"}), ("category", {"clean__disabled": "furniture"}),
    ):  # fmt: skip
        run_over(tmp_path / name, path, **assignments)
        assert holding(tmp_path / name, FOOTER, "echo") == 3 * DAYS
        without, with_ = outcome(tmp_path / name), outcome(store)
        assert {key: row[:4] for key, row in with_.items()} == {key: row[:4] for key, row in without.items()}
        assert {row[1] for row in with_.values()} > {"kept"}, "some are copies"
        for table in ("matches", "sketches"):
            told = [[{**row, "run_id": None} for row in rows_of(one, table)] for one in (store, tmp_path / name)]
            assert told[0] == told[1] != []


@pytest.mark.parametrize("level", ["light", "off"])
def test_lower_levels_learn_but_take_nothing(level: str, month: list[dict[str, Any]], tmp_path: Path) -> None:
    run_over(tmp_path / "store", write_jsonl(tmp_path / "month.jsonl", month), clean__level=level)
    assert holding(tmp_path / "store", FOOTER, "echo") == 3 * DAYS
    assert known_to(tmp_path / "store")[0].num_rows == 0
    assert known_to(tmp_path / "store", clean__level="full")[0].num_rows == 5


def test_order_files_and_workers_do_not_matter(store: Path, month: list[dict[str, Any]], tmp_path: Path) -> None:
    rows = random.Random(3).sample(month, len(month))
    for number in range(3):
        write_jsonl(tmp_path / "in" / f"{number}.jsonl", rows[number::3])
    run_over(tmp_path / "store", tmp_path / "in", workers=2, read__split_bytes="30000", read__batch_bytes="9000")
    assert outcome(tmp_path / "store") == outcome(store)


def test_what_runs_taught_adds_up(store: Path, month: list[dict[str, Any]], tmp_path: Path) -> None:
    """Three runs, some articles given again with other dates, know what one does; old text learns it by itself."""
    for number in range(3):
        third = len(month) // 3 + 1
        again = [{**row, "published_at": "2020-01-01"} for row in month[:8]]
        rows = month[number * third : (number + 1) * third] + again * (number == 2)
        run_over(tmp_path / "store", write_jsonl(tmp_path / f"{number}.jsonl", rows))
    known, settings = known_to(tmp_path / "store")
    assert known.equals(known_to(store)[0])
    assert holding(tmp_path / "store", FOOTER, "echo") > 0, "the first run didn't know it yet"
    brought_up = {
        row["article_id"]: row["text"]
        for table in ("clean", "copies")
        for row in apply_furniture(Store(str(tmp_path / "store")).read(table), known, settings.furniture).to_pylist()
    }
    export(Store(str(tmp_path / "store")), str(tmp_path / "three"))
    export(Store(str(store)), str(tmp_path / "one"))
    one, three = (pq.ParquetFile(tmp_path / name / "part-00000.parquet").read() for name in ("one", "three"))
    assert one.equals(three)
    assert brought_up == {key: row[-1] for key, row in outcome(store).items()}


def test_a_daily_run_of_ten_articles_knows_what_was_learned(month: list[dict[str, Any]], tmp_path: Path) -> None:
    today = [record("echo", DAYS, n, [*paragraphs(9000 + n), FOOTER]) for n in range(10)]
    run_over(tmp_path / "new", write_jsonl(tmp_path / "today.jsonl", today))
    assert holding(tmp_path / "new", FOOTER, "echo") == 10
    run_over(tmp_path / "old", write_jsonl(tmp_path / "month.jsonl", month))
    run_over(tmp_path / "old", tmp_path / "today.jsonl")
    assert holding(tmp_path / "old", FOOTER, "echo") == 0


def test_it_is_listed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--furniture", "--store", str(store)]) == 0
    told = capsys.readouterr().out
    assert f"  {FOOTER}\n    in 90 stories on 30 days, 2026-03-02 to 2026-03-31: 100.0% of" in told
    assert "taken out 90 times" in told
    assert "2026-03-31: 50.0% of the outlet's articles; at an edge in 100% of the articles" in told
    assert CREDIT in told
    assert "taken out 0 times" in told
    assert main(["settings", "--furniture", "--store", str(store), "--json", "--set", "furniture.min_stories=85"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["source"], row["text"], row["stories"], row["taken"]) == ("echo", FOOTER, 90, 90)
    assert main(["settings", "--furniture", "--store", str(store), "--set", "furniture.min_days=99"]) == 0
    assert "No line is known as furniture: none stood at the edges of 20 stories" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--furniture"], "--furniture needs --store DIR"), (["--store", "x"], "--store goes with --furniture")],
)
def test_the_listing_says_what_it_needs(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(not CHECK_STORE.exists(), reason="the outside checker (../shared/eval) is not here")
def test_the_store_keeps_its_promises(store: Path, month: list[dict[str, Any]]) -> None:
    command = [sys.executable, str(CHECK_STORE), str(store), "--input-count", str(len(month))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
