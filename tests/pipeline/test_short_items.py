"""Short items and headlines through a whole run: copies only where they are (nearly) the same, and none is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.newsroom import story
from tests.pipeline.store_reading import articles_of, rows_of, run_over, write_jsonl

BRIEF = (
    "Divers found the missing bell of the lightship Corran on Tuesday, forty metres down and covered in mussels, and "
    "will raise it next week if the wind allows."
)
ARABIC_BRIEF = (
    "عثر غواصون يوم الثلاثاء على جرس السفينة المفقود قبالة رأس الحوت على عمق أربعين مترا، وينتظرون هدوء الرياح لرفعه "
    "الأسبوع المقبل إلى متحف الميناء."
)
FIRE = "A fire in a bakery on Mill Street was put out within an hour on {}; {} people left the flats above it unhurt."
LONG = story("en", "a story around a brief", 300).paragraphs
ITEMS: dict[str, tuple[str, str]] = {
    # What is not alone is, with the others of the name before the slash, one story.
    "brief/wire": (BRIEF, "kept"),
    "brief/printed": (BRIEF, "exact"),
    "brief/other signs": (BRIEF.upper().replace(",", " –"), "exact"),
    "brief/one word": (BRIEF.replace("covered", "coated"), "near"),
    "brief/two words at its ends": (BRIEF.replace("Divers", "Searchers").replace("allows", "permits"), "near"),
    "brief/half of it": ("Divers found the missing bell of the lightship Corran on Tuesday.", "alone"),
    "brief/inside a long text": ("\n".join([*LONG[:4], BRIEF, *LONG[4:]]), "alone"),
    "arabic/wire": (ARABIC_BRIEF, "kept"),
    "arabic/respelled": (ARABIC_BRIEF.replace("ة", "ه").replace("أ", "ا").replace("إ", "ا"), "exact"),
    "arabic/one word": (ARABIC_BRIEF.replace("المفقود", "الضائع"), "near"),
    "fire/1": (FIRE.format("Monday", 14), "alone"),
    "fire/2": (FIRE.format("Friday", 9), "alone"),
    "headline/1": ("Ferry runs aground off Port Halden", "kept"),
    "headline/2": ("Ferry runs aground off Port Halden", "exact"),
    "headline/3": ("FERRY RUNS AGROUND OFF PORT HALDEN!", "exact"),
    "headline/other": ("Tanker runs aground off Port Halden", "alone"),
    "headline/longer": ("Ferry runs aground off Port Halden, no one hurt", "alone"),
    "headline/three words": ("Harbour reopens today", "alone"),
    "headline/Arabic": ("الميناء يستأنف العمل", "alone"),
    "chinese/headline": ("港口今日恢复通航", "kept"),
    "chinese/headline again": ("港口今日恢复通航。", "exact"),
    "chinese/headline other": ("机场今日恢复通航", "alone"),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("short")
    rows = [
        {
            "id": name, "source": f"Paper {number}", "text": text, "title": "A headline of its own",
            "published_at": f"2026-05-{4 + number % 3:02d}T08:{number:02d}:00Z",
        }
        for number, (name, (text, _)) in enumerate(ITEMS.items())
    ]  # fmt: skip
    headline = {"title": "Ferry runs aground off Port Halden", "published_at": "2026-05-05T10:00:00Z"}
    rows += [
        {"id": "title only", "source": "Paper 98", **headline},
        {"id": "title and empty text", "source": "Paper 99", "text": " \n", **headline},
        {"id": "other title only", "source": "Paper 99", "title": "Lifeboat crew finds a seal in the wheelhouse"},
        {"id": "text of another name", "source": "Paper 99", "story": "Divers found the bell.", **headline},
        {"id": "neither", "source": "Paper 99", "text": "", "title": " "},
    ]
    manifest = run_over(folder / "store", write_jsonl(folder / "short.jsonl", rows))
    by_name = {row["source_id"]: row for row in articles_of(folder / "store")}
    return {"manifest": manifest, "by_name": by_name, "rejected": rows_of(folder / "store", "rejected")}


def test_nothing_is_dropped_for_being_short(outcome: dict[str, Any]) -> None:
    assert set(outcome["by_name"]) - set(HEADLINES) == set(ITEMS)
    assert {(row["source_id"], row["reason"]) for row in outcome["rejected"]} == {
        ("text of another name", "no_text"), ("neither", "no_text"),
    }  # fmt: skip
    [message] = [row["message"] for row in outcome["rejected"] if row["source_id"] == "text of another name"]
    assert "--field text=NAME" in message
    texts = {name: row["text"] for name, row in outcome["by_name"].items()}
    assert {name: texts[name] for name, (text, _) in ITEMS.items() if texts[name] != text} == {}


HEADLINES = ("title only", "title and empty text", "other title only")


def test_a_headline_without_a_text_is_an_article_whose_text_it_is(outcome: dict[str, Any]) -> None:
    rows = [outcome["by_name"][name] for name in HEADLINES]
    assert [row["text"] for row in rows] == [row["title"] for row in rows]
    first, second, other = rows
    keeper = outcome["by_name"]["headline/1"]["article_id"]
    assert [(row["relation"], row["kept_id"], row["table"]) for row in (first, second)] == [
        ("exact", keeper, "copies")
    ] * 2
    assert (other["relation"], other["kept_id"], other["table"]) == ("kept", other["article_id"], "clean")
    assert len({row["article_id"] for row in outcome["by_name"].values()}) == len(outcome["by_name"])


@pytest.mark.parametrize("name", ITEMS)
def test_short_items_are_exact_or_near_or_alone(name: str, outcome: dict[str, Any]) -> None:
    row = outcome["by_name"][name]
    kind, wanted = name.split("/")[0], ITEMS[name][1]
    group = {other for other in ITEMS if other.split("/")[0] == kind and ITEMS[other][1] != "alone"}
    if wanted == "alone":
        assert (row["kept_id"], row["table"]) == (row["article_id"], "clean")
        assert row["relation"] in ("kept", "partial")
        return
    [keeper] = {outcome["by_name"][other]["kept_id"] for other in group}
    [kept] = [other for other in group if outcome["by_name"][other]["article_id"] == keeper]
    # Which of them is kept is the policy's matter; a near one makes the others near.
    same = name == kept or (wanted != "near" and ITEMS[kept][1] != "near")
    assert row["relation"] == ("kept" if name == kept else "exact" if same else "near")
    assert row["table"] == ("clean" if name == kept else "copies")
