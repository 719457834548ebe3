"""The main job over seeds/ against the answers made by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.reasons import REASONS
from tests.pipeline.store_reading import SEEDS, articles_of, expected, rows_of, run_over


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeds") / "store"
    run_over(path, SEEDS / "articles", SEEDS / "refused")
    return path


@pytest.fixture(scope="module")
def by_key(store: Path) -> dict[str, dict[str, Any]]:
    """Stored articles by the answers' keys; one that is missing is absent."""
    found: dict[str, dict[str, Any]] = {}
    for row in articles_of(store):
        file = Path(row["source_uri"]).relative_to(SEEDS).as_posix()
        for answer in ANSWERS:
            same_id = answer["source_id"] is None or answer["source_id"] == row["source_id"]
            same_url = answer.get("url") in (None, row["url"]) or answer["source_id"] is not None
            if answer["file"] == file and same_id and same_url:
                assert answer["key"] not in found, f"{answer['key']} came out twice"
                found[answer["key"]] = row
    return found


ANSWERS = expected("articles.jsonl")


def not_slow(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers but those for seeds/slow, which has a test of its own."""
    return [row for row in rows if not row["file"].startswith("slow/")]


KEYS = [answer["key"] for answer in ANSWERS]


def test_every_good_article_is_there_once(store: Path, by_key: dict[str, Any]) -> None:
    assert sorted(by_key) == sorted(KEYS)
    assert len(articles_of(store)) == len(KEYS)


@pytest.mark.parametrize("answer", ANSWERS, ids=KEYS)
def test_text_is_clean_and_whole(answer: dict[str, Any], by_key: dict[str, Any]) -> None:
    text = by_key[answer["key"]]["text"]
    assert [part for part in answer["must_have"] if part not in text] == []
    assert [part for part in answer["must_not_have"] if part in text] == []


@pytest.mark.parametrize("answer", ANSWERS, ids=KEYS)
def test_relation_and_keeper(answer: dict[str, Any], by_key: dict[str, Any]) -> None:
    row = by_key[answer["key"]]
    assert row["relation"] in [answer["relation"], *answer.get("accept", [])]
    assert row["kept_id"] == by_key[answer["kept"]]["article_id"]
    assert row["table"] == ("copies" if row["relation"] in ("exact", "near", "contained") else "clean")


@pytest.mark.parametrize("answer", ANSWERS, ids=KEYS)
def test_derived_from(answer: dict[str, Any], by_key: dict[str, Any]) -> None:
    if by_key[answer["key"]]["relation"] not in ("partial", "rewrite"):
        assert by_key[answer["key"]]["derived_from"] is None
        return
    sources = [key for key in [answer["derived_from"], *answer.get("accept_derived_from", [])] if key]
    assert by_key[answer["key"]]["derived_from"] in [by_key[key]["article_id"] for key in sources]


@pytest.mark.parametrize("answer", ANSWERS, ids=KEYS)
def test_wire_metadata(answer: dict[str, Any], by_key: dict[str, Any]) -> None:
    row = by_key[answer["key"]]
    for name in ("byline", "agency"):
        if answer[name] is not None:
            assert (row[name] or "").casefold() == answer[name].casefold(), name
    if answer["dateline"] is not None:
        assert (row["dateline"] or "").casefold().startswith(answer["dateline"].casefold())


@pytest.mark.parametrize("answer", ANSWERS, ids=KEYS)
def test_date_and_language(answer: dict[str, Any], by_key: dict[str, Any]) -> None:
    row = by_key[answer["key"]]
    if answer["published_at"] is not None:
        assert row["published_at"].isoformat().replace("+00:00", "Z") == answer["published_at"]
    assert row["language"].split("-")[0] == answer["language"]


def test_refused_records_have_their_reasons(store: Path) -> None:
    rows = rows_of(store, "rejected")
    found = Counter((Path(row["source_uri"]).relative_to(SEEDS).as_posix(), row["reason"]) for row in rows)
    wanted: Counter[tuple[str, str]] = Counter()
    for answer in not_slow(expected("refused.jsonl")):
        wanted[answer["file"], answer["reason"]] += answer["count"]
    assert found == wanted
    assert all(row["message"] for row in rows)
    assert all(row["payload_sha256"] for row in rows if row["reason"] not in ("repeat", "unreadable_file"))


def test_a_page_that_hangs_is_cut_off(tmp_path: Path) -> None:
    inputs = (SEEDS / "slow", SEEDS / "articles" / "html")
    manifest = run_over(tmp_path / "store", *inputs, clean__extraction_timeout_seconds="3")
    assert manifest["tallies"]["rejected_by_reason"] == {"extraction_timeout": 1}
    assert manifest["counts"]["clean"] + manifest["counts"]["copies"] == 3
    [row] = rows_of(tmp_path / "store", "rejected")
    assert row["source_uri"].endswith("page_of_150000_links.html.gz")


def test_every_reason_has_a_seed() -> None:
    assert {row["reason"] for row in expected("refused.jsonl")} == set(REASONS)


def test_sums_of_every_file(store: Path) -> None:
    good = Counter(Path(row["source_uri"]).relative_to(SEEDS).as_posix() for row in articles_of(store))
    refused = Counter(Path(row["source_uri"]).relative_to(SEEDS).as_posix() for row in rows_of(store, "rejected"))
    wanted = {row["file"]: (row["good"], row["refused"]) for row in not_slow(expected("files.jsonl"))}
    assert {file: (good[file], refused[file]) for file in {*good, *refused}} == wanted
